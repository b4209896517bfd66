/* OpenVEX 0.2.0: which of the known vulnerabilities affect what was scanned, and what to do about each. */
#include "report/parts.h"

static void statement(struct json_writer *w, const struct report_finding *f, struct str purl, struct arena *a)
{
	struct str advice = part_advice(a, f);

	jw_object(w);
	jw_key(w, STR("vulnerability"));
	jw_object(w);
	jw_member_str(w, "name", f->id);
	part_optional(w, "description", f->summary);
	if (f->alias_count) {
		jw_key(w, STR("aliases"));
		jw_array(w);
		for (size_t i = 0; i < f->alias_count; i++)
			jw_str(w, f->aliases[i]);
		jw_array_end(w);
	}
	jw_object_end(w);
	jw_key(w, STR("products"));
	jw_array(w);
	jw_object(w);
	jw_member_str(w, "@id", purl);
	jw_key(w, STR("identifiers"));
	jw_object(w);
	jw_member_str(w, "purl", purl);
	jw_object_end(w);
	jw_object_end(w);
	jw_array_end(w);
	jw_member_str(w, "status", STR("affected"));
	jw_member_str(w, "action_statement", advice.n ? advice : STR("Replace it."));
	jw_object_end(w);
}

int report_openvex(const struct report *r, struct arena *a, struct buf *out)
{
	CLEANUP_MAP struct map said = MAP_EMPTY;
	struct json_writer w;

	jw_init(&w, out);
	jw_object(&w);
	jw_member_str(&w, "@context", STR("https://openvex.dev/ns/v0.2.0"));
	jw_member_str(&w, "@id", arena_printf(a, "urn:uuid:%.*s", STR_ARG(part_uuid(r, a))));
	jw_member_str(&w, "author", STR("bondgate scan"));
	jw_member_str(&w, "timestamp", part_time(a, r->now));
	jw_member_int(&w, "version", 1);
	jw_member_str(&w, "tooling", arena_printf(a, "bondgate/%.*s", STR_ARG(r->tool_version)));
	jw_key(&w, STR("statements"));
	jw_array(&w);
	for (size_t i = 0; i < r->finding_count; i++) {
		const struct report_finding *f = &r->findings[i];
		struct str purl = part_purl(a, f->ecosystem, f->name, f->version), key;

		if (strcmp(f->kind, "vulnerability") != 0 && strcmp(f->kind, "malware") != 0)
			continue;
		key = arena_printf(a, "%.*s %.*s", STR_ARG(f->id), STR_ARG(purl));
		if (map_get(&said, key))
			continue;
		if (map_put(&said, key, &w) < 0)
			return -ENOMEM;
		statement(&w, f, purl, a);
	}
	jw_array_end(&w);
	jw_object_end(&w);
	buf_add_char(out, '\n');
	return report_end(a, out);
}
