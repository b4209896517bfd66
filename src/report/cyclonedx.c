/* CycloneDX 1.6 as JSON (ECMA-424): what is there with its hashes and who needs whom, and what was found in it. */
#include "report/parts.h"

enum { HASHES = 4 };

static void hashes(struct json_writer *w, const struct report_package *p, struct arena *a)
{
	static const struct {
		const char *ours, *theirs;
	} names[] = {{"md5", "MD5"}, {"sha1", "SHA-1"}, {"sha256", "SHA-256"}, {"sha384", "SHA-384"}, {"sha512", "SHA-512"}};
	struct part_hash found[HASHES];
	size_t n = part_hashes(a, p->ecosystem, p->integrity, found, HASHES);

	if (!n)
		return;
	jw_key(w, STR("hashes"));
	jw_array(w);
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (strcmp(names[k].ours, found[i].algorithm) != 0)
			k++;
		jw_object(w);
		jw_member_str(w, "alg", str_of(names[k].theirs));
		jw_member_str(w, "content", found[i].hex);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void licence(struct json_writer *w, struct str text)
{
	bool id = part_is_licence_id(text);

	if (!text.n)
		return;
	jw_key(w, STR("licenses"));
	jw_array(w);
	jw_object(w);
	if (!id && part_is_licence_expression(text)) {
		jw_member_str(w, "expression", text);
	} else {
		jw_key(w, STR("license"));
		jw_object(w);
		jw_member_str(w, id ? "id" : "name", text);
		jw_object_end(w);
	}
	jw_object_end(w);
	jw_array_end(w);
}

static void property(struct json_writer *w, const char *name, struct str value)
{
	jw_object(w);
	jw_member_str(w, "name", str_of(name));
	jw_member_str(w, "value", value);
	jw_object_end(w);
}

static void properties(struct json_writer *w, const struct part_component *c)
{
	bool npm = c->package->ecosystem == ECOSYSTEM_NPM;

	jw_key(w, STR("properties"));
	jw_array(w);
	property(w, "bondgate:source", str_of(c->package->source));
	if (c->dev && npm)
		property(w, "cdx:npm:package:development", STR("true"));
	if (c->package->bundled && npm)
		property(w, "cdx:npm:package:bundled", STR("true"));
	jw_array_end(w);
}

/* A scope is CycloneDX's `group`. */
static void component(struct json_writer *w, const struct part_component *c, struct arena *a)
{
	const struct report_package *p = c->package;
	ptrdiff_t slash = p->name.n && p->name.p[0] == '@' ? str_chr(p->name, '/') : -1;

	jw_object(w);
	jw_member_str(w, "type", STR("library"));
	jw_member_str(w, "bom-ref", c->purl);
	if (slash > 0)
		jw_member_str(w, "group", str_take(p->name, (size_t)slash));
	jw_member_str(w, "name", str_skip(p->name, (size_t)(slash + 1)));
	part_optional(w, "version", p->version);
	jw_member_str(w, "scope", c->dev ? STR("excluded") : c->optional ? STR("optional") : STR("required"));
	hashes(w, p, a);
	licence(w, p->licence);
	jw_member_str(w, "purl", c->purl);
	if (str_starts(p->resolved, STR("https://")) || str_starts(p->resolved, STR("http://"))) {
		jw_key(w, STR("externalReferences"));
		jw_array(w);
		jw_object(w);
		jw_member_str(w, "type", STR("distribution"));
		jw_member_str(w, "url", p->resolved);
		jw_object_end(w);
		jw_array_end(w);
	}
	properties(w, c);
	jw_object_end(w);
}

static void metadata(struct json_writer *w, const struct report *r, struct arena *a)
{
	jw_key(w, STR("metadata"));
	jw_object(w);
	jw_member_str(w, "timestamp", part_time(a, r->now));
	jw_key(w, STR("tools"));
	jw_object(w);
	jw_key(w, STR("components"));
	jw_array(w);
	jw_object(w);
	jw_member_str(w, "type", STR("application"));
	jw_member_str(w, "name", STR("bondgate"));
	jw_member_str(w, "version", r->tool_version);
	jw_object_end(w);
	jw_array_end(w);
	jw_object_end(w);
	jw_key(w, STR("component"));
	jw_object(w);
	jw_member_str(w, "type", STR("application"));
	jw_member_str(w, "bom-ref", STR("project"));
	jw_member_str(w, "name", r->file_count == 1 ? part_uri(a, r->files[0].path) : STR("project"));
	jw_object_end(w);
	jw_object_end(w);
}

static void dependencies(struct json_writer *w, const struct part_components *c)
{
	jw_key(w, STR("dependencies"));
	jw_array(w);
	jw_object(w);
	jw_member_str(w, "ref", STR("project"));
	jw_key(w, STR("dependsOn"));
	jw_array(w);
	for (size_t i = 0; i < c->count; i++)
		if (c->array[i].direct)
			jw_str(w, c->array[i].purl);
	jw_array_end(w);
	jw_object_end(w);
	for (size_t i = 0; i < c->count; i++) {
		jw_object(w);
		jw_member_str(w, "ref", c->array[i].purl);
		jw_key(w, STR("dependsOn"));
		jw_array(w);
		for (size_t n = 0; n < c->array[i].need_count; n++)
			jw_str(w, c->array[c->array[i].needs[n]].purl);
		jw_array_end(w);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static struct str method_of(struct str vector)
{
	return str_starts(vector, STR("CVSS:4.0/"))   ? STR("CVSSv4")
	       : str_starts(vector, STR("CVSS:3.1/")) ? STR("CVSSv31")
	       : str_starts(vector, STR("CVSS:3.0/")) ? STR("CVSSv3")
	       : vector.n                             ? STR("CVSSv2")
	                                              : STR("other");
}

static void vulnerability(struct json_writer *w, const struct report_finding *f, struct str purl, struct arena *a)
{
	static const char *const severities[] = {"unknown", "low", "medium", "high", "critical"};

	jw_object(w);
	jw_member_str(w, "bom-ref", str_of(f->fingerprint));
	jw_member_str(w, "id", f->id);
	if (f->url.n) {
		jw_key(w, STR("source"));
		jw_object(w);
		jw_member_str(w, "url", f->url);
		jw_object_end(w);
	}
	jw_key(w, STR("ratings"));
	jw_array(w);
	jw_object(w);
	if (f->score >= 0) {
		jw_key(w, STR("score"));
		jw_raw(w, part_score(a, f->score));
	}
	jw_member_str(w, "severity", str_of(severities[f->severity]));
	jw_member_str(w, "method", method_of(f->vector));
	part_optional(w, "vector", f->vector);
	jw_object_end(w);
	jw_array_end(w);
	part_optional(w, "description", f->summary);
	part_optional(w, "recommendation", part_advice(a, f));
	jw_key(w, STR("affects"));
	jw_array(w);
	jw_object(w);
	jw_member_str(w, "ref", purl);
	jw_object_end(w);
	jw_array_end(w);
	jw_object_end(w);
}

/* The same package in two lockfiles is one component with one vulnerability. */
static int vulnerabilities(struct json_writer *w, const struct report *r, const struct part_components *c, struct arena *a)
{
	CLEANUP_MAP struct map said = MAP_EMPTY;

	jw_key(w, STR("vulnerabilities"));
	jw_array(w);
	for (size_t i = 0; i < r->finding_count; i++) {
		const struct report_finding *f = &r->findings[i];
		struct str purl = part_purl(a, f->ecosystem, f->name, f->version), key;

		if (strcmp(f->kind, "vulnerability") != 0 && strcmp(f->kind, "malware") != 0)
			continue;
		key = arena_printf(a, "%.*s %.*s", STR_ARG(f->id), STR_ARG(purl));
		if (part_component_of(c, purl) == SIZE_MAX || map_get(&said, key))
			continue;
		if (map_put(&said, key, w) < 0)
			return -ENOMEM;
		vulnerability(w, f, purl, a);
	}
	jw_array_end(w);
	return 0;
}

int report_cyclonedx(const struct report *r, struct arena *a, struct buf *out)
{
	CLEANUP(part_components_free) struct part_components c = {0};
	struct json_writer w;
	int code = part_components(r, a, &c);

	if (code < 0)
		return code;
	jw_init(&w, out);
	jw_object(&w);
	jw_member_str(&w, "$schema", STR("http://cyclonedx.org/schema/bom-1.6.schema.json"));
	jw_member_str(&w, "bomFormat", STR("CycloneDX"));
	jw_member_str(&w, "specVersion", STR("1.6"));
	jw_member_str(&w, "serialNumber", arena_printf(a, "urn:uuid:%.*s", STR_ARG(part_uuid(r, a))));
	jw_member_int(&w, "version", 1);
	metadata(&w, r, a);
	jw_key(&w, STR("components"));
	jw_array(&w);
	for (size_t i = 0; i < c.count; i++)
		component(&w, &c.array[i], a);
	jw_array_end(&w);
	dependencies(&w, &c);
	code = vulnerabilities(&w, r, &c, a);
	jw_object_end(&w);
	buf_add_char(out, '\n');
	return code < 0 ? code : report_end(a, out);
}
