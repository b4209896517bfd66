/* SPDX 2.3 as JSON. */
#include "report/parts.h"

enum { HASHES = 4 };

static struct str id_of(struct arena *a, size_t i)
{
	return arena_printf(a, "SPDXRef-Package-%zu", i + 1);
}

static void checksums(struct json_writer *w, const struct report_package *p, struct arena *a)
{
	struct part_hash found[HASHES];
	size_t n = part_hashes(a, p->ecosystem, p->integrity, found, HASHES);

	if (!n)
		return;
	jw_key(w, STR("checksums"));
	jw_array(w);
	for (size_t i = 0; i < n; i++) {
		char name[16];
		size_t k = 0;

		for (; found[i].algorithm[k] && k < sizeof(name) - 1; k++)
			name[k] = (char)(found[i].algorithm[k] >= 'a' ? found[i].algorithm[k] - 'a' + 'A' : found[i].algorithm[k]);
		name[k] = 0;
		jw_object(w);
		jw_member_str(w, "algorithm", str_of(name));
		jw_member_str(w, "checksumValue", found[i].hex);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void package(struct json_writer *w, const struct part_component *c, size_t i, struct arena *a)
{
	const struct report_package *p = c->package;
	bool web = str_starts(p->resolved, STR("https://")) || str_starts(p->resolved, STR("http://"));
	bool known = part_is_licence_expression(p->licence);

	jw_object(w);
	jw_member_str(w, "SPDXID", id_of(a, i));
	jw_member_str(w, "name", p->name);
	part_optional(w, "versionInfo", p->version);
	jw_member_str(w, "downloadLocation", web ? p->resolved : STR("NOASSERTION"));
	jw_member_bool(w, "filesAnalyzed", false);
	checksums(w, p, a);
	jw_member_str(w, "licenseConcluded", STR("NOASSERTION"));
	jw_member_str(w, "licenseDeclared", known ? p->licence : STR("NOASSERTION"));
	if (p->licence.n && !known)
		jw_member_str(w, "licenseComments", arena_printf(a, "It says: %.*s", STR_ARG(p->licence)));
	jw_member_str(w, "copyrightText", STR("NOASSERTION"));
	jw_member_str(w, "primaryPackagePurpose", STR("LIBRARY"));
	jw_key(w, STR("externalRefs"));
	jw_array(w);
	jw_object(w);
	jw_member_str(w, "referenceCategory", STR("PACKAGE-MANAGER"));
	jw_member_str(w, "referenceType", STR("purl"));
	jw_member_str(w, "referenceLocator", c->purl);
	jw_object_end(w);
	jw_array_end(w);
	jw_object_end(w);
}

static void relationship(struct json_writer *w, struct str from, const char *type, struct str to)
{
	jw_object(w);
	jw_member_str(w, "spdxElementId", from);
	jw_member_str(w, "relationshipType", str_of(type));
	jw_member_str(w, "relatedSpdxElement", to);
	jw_object_end(w);
}

static void relationships(struct json_writer *w, const struct part_components *c, struct arena *a)
{
	jw_key(w, STR("relationships"));
	jw_array(w);
	relationship(w, STR("SPDXRef-DOCUMENT"), "DESCRIBES", STR("SPDXRef-Project"));
	for (size_t i = 0; i < c->count; i++) {
		if (c->array[i].direct && c->array[i].dev)
			relationship(w, id_of(a, i), "DEV_DEPENDENCY_OF", STR("SPDXRef-Project"));
		else if (c->array[i].direct)
			relationship(w, STR("SPDXRef-Project"), "DEPENDS_ON", id_of(a, i));
		for (size_t n = 0; n < c->array[i].need_count; n++)
			relationship(w, id_of(a, i), "DEPENDS_ON", id_of(a, c->array[i].needs[n]));
	}
	jw_array_end(w);
}

static void head(struct json_writer *w, const struct report *r, struct arena *a)
{
	jw_member_str(w, "spdxVersion", STR("SPDX-2.3"));
	jw_member_str(w, "dataLicense", STR("CC0-1.0"));
	jw_member_str(w, "SPDXID", STR("SPDXRef-DOCUMENT"));
	jw_member_str(w, "name", r->file_count == 1 ? part_uri(a, r->files[0].path) : STR("project"));
	jw_member_str(w, "documentNamespace", arena_printf(a, "urn:uuid:%.*s", STR_ARG(part_uuid(r, a))));
	jw_key(w, STR("creationInfo"));
	jw_object(w);
	jw_member_str(w, "created", part_time(a, r->now));
	jw_key(w, STR("creators"));
	jw_array(w);
	jw_str(w, arena_printf(a, "Tool: bondgate-%.*s", STR_ARG(r->tool_version)));
	jw_array_end(w);
	jw_object_end(w);
}

int report_spdx(const struct report *r, struct arena *a, struct buf *out)
{
	CLEANUP(part_components_free) struct part_components c = {0};
	struct json_writer w;
	int code = part_components(r, a, &c);

	if (code < 0)
		return code;
	jw_init(&w, out);
	jw_object(&w);
	head(&w, r, a);
	jw_key(&w, STR("packages"));
	jw_array(&w);
	jw_object(&w);
	jw_member_str(&w, "SPDXID", STR("SPDXRef-Project"));
	jw_member_str(&w, "name", STR("project"));
	jw_member_str(&w, "downloadLocation", STR("NOASSERTION"));
	jw_member_bool(&w, "filesAnalyzed", false);
	jw_member_str(&w, "primaryPackagePurpose", STR("APPLICATION"));
	jw_object_end(&w);
	for (size_t i = 0; i < c.count; i++)
		package(&w, &c.array[i], i, a);
	jw_array_end(&w);
	relationships(&w, &c, a);
	jw_object_end(&w);
	buf_add_char(out, '\n');
	return report_end(a, out);
}
