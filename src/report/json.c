/* The machine-readable answer (DESIGN section 7; docs/scan.schema.json). */
#include "report/parts.h"

static void package(struct json_writer *w, const struct report_package *p)
{
	jw_object(w);
	jw_member_str(w, "ecosystem", str_of(ecosystem_name(p->ecosystem)));
	jw_member_str(w, "name", p->name);
	jw_member_str(w, "version", p->version);
	jw_member_bool(w, "dev", p->dev);
	jw_member_str(w, "source", str_of(p->source));
	jw_member_int(w, "line", p->line);
	if (p->optional)
		jw_member_bool(w, "optional", true);
	if (p->bundled)
		jw_member_bool(w, "bundled", true);
	part_optional(w, "alias", p->alias);
	if (p->declared)
		part_optional(w, "requested", p->requested);
	part_optional(w, "licence", p->licence);
	jw_object_end(w);
}

static void file(struct json_writer *w, const struct report_file *f, bool list)
{
	jw_object(w);
	jw_member_str(w, "path", f->path);
	jw_member_str(w, "format", str_of(f->format));
	if (list || f->error.n) {
		jw_key(w, STR("packages"));
		jw_array(w);
		for (size_t i = 0; f->packages && !f->error.n && i < f->count; i++)
			package(w, &f->packages[i]);
		jw_array_end(w);
	} else {
		jw_member_int(w, "packages", (int64_t)f->count);
	}
	part_optional(w, "error", f->error);
	if (f->warning_count) {
		jw_key(w, STR("warnings"));
		jw_array(w);
		for (size_t i = 0; i < f->warning_count; i++)
			jw_str(w, f->warnings[i]);
		jw_array_end(w);
	}
	jw_object_end(w);
}

static void ways(struct json_writer *w, const struct report_finding *f, struct arena *a)
{
	jw_key(w, STR("paths"));
	jw_array(w);
	for (size_t i = 0; i < f->way_count; i++) {
		jw_array(w);
		for (size_t k = 0; k < f->ways[i].count; k++)
			jw_str(w, part_coordinate(a, f->ways[i].steps[k].name, f->ways[i].steps[k].version));
		jw_array_end(w);
	}
	jw_array_end(w);
}

static void finding(struct json_writer *w, const struct report_finding *f, struct arena *a)
{
	jw_object(w);
	jw_member_str(w, "purl", part_purl(a, f->ecosystem, f->name, f->version));
	jw_member_str(w, "kind", str_of(f->kind));
	jw_member_str(w, "id", f->id);
	jw_member_str(w, "severity", str_of(severity_name(f->severity)));
	jw_member_str(w, "file", f->file);
	jw_member_int(w, "line", f->line);
	ways(w, f, a);
	jw_member_bool(w, "dev", f->dev);
	jw_member_bool(w, "direct", f->direct);
	jw_member_bool(w, "fails", f->fails);
	part_nullable(w, "summary", f->summary);
	part_nullable(w, "fixed", f->fixed);
	part_nullable(w, "url", f->url);
	if (f->alias_count) {
		jw_key(w, STR("aliases"));
		jw_array(w);
		for (size_t i = 0; i < f->alias_count; i++)
			jw_str(w, f->aliases[i]);
		jw_array_end(w);
	}
	part_optional(w, "vector", f->vector);
	if (f->score >= 0) {
		jw_key(w, STR("score"));
		jw_raw(w, part_score(a, f->score));
	}
	part_optional(w, "until", f->until);
	if (f->report_only)
		jw_member_str(w, "mode", STR("report"));
	jw_member_str(w, "fingerprint", str_of(f->fingerprint));
	jw_object_end(w);
}

/* Numbers that a person would otherwise have to guess: only those that are not zero. */
static void summary(struct json_writer *w, const struct report *r)
{
	const struct {
		const char *key;
		size_t value;
	} counts[] = {{"unreadable", r->unreadable}, {"without_version", r->versionless}, {"unjudged", r->unjudged},
	              {"ignored", r->ignored},       {"baselined", r->baselined},         {"left_out", r->left_out}};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (counts[i].value)
			jw_member_int(w, counts[i].key, (int64_t)counts[i].value);
}

int report_json(const struct report *r, struct arena *a, struct buf *out)
{
	struct json_writer w;

	jw_init(&w, out);
	jw_object(&w);
	jw_key(&w, STR("files"));
	jw_array(&w);
	for (size_t i = 0; i < r->file_count; i++)
		file(&w, &r->files[i], r->list);
	jw_array_end(&w);
	jw_key(&w, STR("findings"));
	jw_array(&w);
	for (size_t i = 0; i < r->finding_count; i++)
		finding(&w, &r->findings[i], a);
	jw_array_end(&w);
	if (r->file_count)
		summary(&w, r);
	jw_object_end(&w);
	buf_add_char(out, '\n');
	return report_end(a, out);
}
