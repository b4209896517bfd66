/* SPDX 3.0.1 as JSON-LD: a graph of elements. */
#include "report/parts.h"

enum { HASHES = 4 };

struct graph {
	struct json_writer w;
	struct arena *arena;
	struct str base; /* what the names of elements begin with */
	size_t relationships;
};

static struct str named(struct graph *g, const char *what, size_t i)
{
	return arena_printf(g->arena, "%.*s#%s-%zu", STR_ARG(g->base), what, i);
}

static void element(struct graph *g, const char *type, struct str id)
{
	jw_object(&g->w);
	jw_member_str(&g->w, "type", str_of(type));
	jw_member_str(&g->w, "spdxId", id);
	jw_member_str(&g->w, "creationInfo", STR("_:creation"));
}

static void begin_relationship(struct graph *g, struct str from, const char *type, const char *scope)
{
	element(g, scope ? "LifecycleScopedRelationship" : "Relationship", named(g, "relationship", ++g->relationships));
	jw_member_str(&g->w, "from", from);
	jw_member_str(&g->w, "relationshipType", str_of(type));
	if (scope)
		jw_member_str(&g->w, "scope", str_of(scope));
	jw_key(&g->w, STR("to"));
	jw_array(&g->w);
}

static void end_relationship(struct graph *g)
{
	jw_array_end(&g->w);
	jw_object_end(&g->w);
}

static void creation(struct graph *g, const struct report *r)
{
	struct json_writer *w = &g->w;

	jw_object(w);
	jw_member_str(w, "type", STR("CreationInfo"));
	jw_member_str(w, "@id", STR("_:creation"));
	jw_member_str(w, "specVersion", STR("3.0.1"));
	jw_member_str(w, "created", part_time(g->arena, r->now));
	jw_key(w, STR("createdBy"));
	jw_array(w);
	jw_str(w, named(g, "agent", 1));
	jw_array_end(w);
	jw_object_end(w);
	element(g, "SoftwareAgent", named(g, "agent", 1));
	jw_member_str(w, "name", arena_printf(g->arena, "bondgate %.*s", STR_ARG(r->tool_version)));
	jw_object_end(w);
}

static void documents(struct graph *g, const struct part_components *c)
{
	struct json_writer *w = &g->w;

	element(g, "SpdxDocument", named(g, "document", 1));
	jw_member_str(w, "name", STR("project"));
	jw_key(w, STR("profileConformance"));
	jw_array(w);
	jw_str(w, STR("core"));
	jw_str(w, STR("software"));
	jw_str(w, STR("simpleLicensing"));
	jw_array_end(w);
	jw_key(w, STR("rootElement"));
	jw_array(w);
	jw_str(w, named(g, "sbom", 1));
	jw_array_end(w);
	jw_object_end(w);
	element(g, "software_Sbom", named(g, "sbom", 1));
	jw_key(w, STR("rootElement"));
	jw_array(w);
	jw_str(w, named(g, "project", 1));
	jw_array_end(w);
	jw_key(w, STR("element"));
	jw_array(w);
	jw_str(w, named(g, "project", 1));
	for (size_t i = 0; i < c->count; i++)
		jw_str(w, named(g, "package", i + 1));
	jw_array_end(w);
	jw_object_end(w);
	element(g, "software_Package", named(g, "project", 1));
	jw_member_str(w, "name", STR("project"));
	jw_member_str(w, "software_primaryPurpose", STR("application"));
	jw_object_end(w);
}

static void package(struct graph *g, const struct part_component *c, size_t i)
{
	const struct report_package *p = c->package;
	struct part_hash found[HASHES];
	size_t n = part_hashes(g->arena, p->ecosystem, p->integrity, found, HASHES);
	struct json_writer *w = &g->w;

	element(g, "software_Package", named(g, "package", i + 1));
	jw_member_str(w, "name", p->name);
	part_optional(w, "software_packageVersion", p->version);
	jw_member_str(w, "software_packageUrl", c->purl);
	jw_member_str(w, "software_primaryPurpose", STR("library"));
	if (str_starts(p->resolved, STR("https://")) || str_starts(p->resolved, STR("http://")))
		jw_member_str(w, "software_downloadLocation", p->resolved);
	if (n) {
		jw_key(w, STR("verifiedUsing"));
		jw_array(w);
		for (size_t k = 0; k < n; k++) {
			jw_object(w);
			jw_member_str(w, "type", STR("Hash"));
			jw_member_str(w, "algorithm", str_of(found[k].algorithm));
			jw_member_str(w, "hashValue", found[k].hex);
			jw_object_end(w);
		}
		jw_array_end(w);
	}
	jw_object_end(w);
	if (!part_is_licence_expression(p->licence))
		return;
	element(g, "simplelicensing_LicenseExpression", named(g, "licence", i + 1));
	jw_member_str(w, "simplelicensing_licenseExpression", p->licence);
	jw_object_end(w);
	begin_relationship(g, named(g, "package", i + 1), "hasDeclaredLicense", NULL);
	jw_str(w, named(g, "licence", i + 1));
	end_relationship(g);
}

/* What the project itself names: for running it, and for working on it. */
static void direct(struct graph *g, const struct part_components *c, bool dev)
{
	bool any = false;

	for (size_t i = 0; i < c->count; i++) {
		if (!c->array[i].direct || c->array[i].dev != dev)
			continue;
		if (!any)
			begin_relationship(g, named(g, "project", 1), "dependsOn", dev ? "development" : "runtime");
		any = true;
		jw_str(&g->w, named(g, "package", i + 1));
	}
	if (any)
		end_relationship(g);
}

int report_spdx3(const struct report *r, struct arena *a, struct buf *out)
{
	CLEANUP(part_components_free) struct part_components c = {0};
	struct graph g = {.arena = a};
	int code = part_components(r, a, &c);

	if (code < 0)
		return code;
	g.base = arena_printf(a, "urn:uuid:%.*s", STR_ARG(part_uuid(r, a)));
	jw_init(&g.w, out);
	jw_object(&g.w);
	jw_member_str(&g.w, "@context", STR("https://spdx.org/rdf/3.0.1/spdx-context.jsonld"));
	jw_key(&g.w, STR("@graph"));
	jw_array(&g.w);
	creation(&g, r);
	documents(&g, &c);
	for (size_t i = 0; i < c.count; i++)
		package(&g, &c.array[i], i);
	direct(&g, &c, false);
	direct(&g, &c, true);
	for (size_t i = 0; i < c.count; i++) {
		if (!c.array[i].need_count)
			continue;
		begin_relationship(&g, named(&g, "package", i + 1), "dependsOn", NULL);
		for (size_t n = 0; n < c.array[i].need_count; n++)
			jw_str(&g.w, named(&g, "package", c.array[i].needs[n] + 1));
		end_relationship(&g);
	}
	jw_array_end(&g.w);
	jw_object_end(&g.w);
	buf_add_char(out, '\n');
	return report_end(a, out);
}
