/* GitLab's two reports: code quality (shown in merge requests in every edition) and dependency scanning (schema 15.2.2). */
#include "report/parts.h"

static const char *quality_severity(const struct report_finding *f)
{
	static const char *const names[] = {"minor", "minor", "major", "critical", "blocker"};

	return f->report_only ? "info" : names[f->severity];
}

int report_gitlab(const struct report *r, struct arena *a, struct buf *out)
{
	struct json_writer w;

	jw_init(&w, out);
	jw_array(&w);
	for (size_t i = 0; i < r->finding_count; i++) {
		const struct report_finding *f = &r->findings[i];

		jw_object(&w);
		jw_member_str(&w, "description", part_title(a, f));
		jw_member_str(&w, "check_name", f->id);
		jw_member_str(&w, "fingerprint", str_of(f->fingerprint));
		jw_member_str(&w, "severity", str_of(quality_severity(f)));
		jw_key(&w, STR("location"));
		jw_object(&w);
		jw_member_str(&w, "path", str_starts(f->file, STR("./")) ? str_skip(f->file, 2) : f->file);
		jw_key(&w, STR("lines"));
		jw_object(&w);
		jw_member_int(&w, "begin", part_line(f->line));
		jw_object_end(&w);
		jw_object_end(&w);
		jw_object_end(&w);
	}
	jw_array_end(&w);
	buf_add_char(out, '\n');
	return report_end(a, out);
}

static void tool(struct json_writer *w, const char *key, struct str version)
{
	jw_key(w, str_of(key));
	jw_object(w);
	jw_member_str(w, "id", STR("bondgate"));
	jw_member_str(w, "name", STR("Bondgate"));
	jw_member_str(w, "version", version);
	jw_key(w, STR("vendor"));
	jw_object(w);
	jw_member_str(w, "name", STR("Bondgate"));
	jw_object_end(w);
	jw_object_end(w);
}

static void scan(struct json_writer *w, const struct report *r, struct arena *a)
{
	struct str at = str_take(part_time(a, r->now), 19);

	jw_key(w, STR("scan"));
	jw_object(w);
	tool(w, "analyzer", r->tool_version);
	tool(w, "scanner", r->tool_version);
	jw_member_str(w, "type", STR("dependency_scanning"));
	jw_member_str(w, "start_time", at);
	jw_member_str(w, "end_time", at);
	jw_member_str(w, "status", r->unreadable ? STR("failure") : STR("success"));
	jw_object_end(w);
}

static void identifier(struct json_writer *w, struct str type, struct str id, struct str url)
{
	jw_object(w);
	jw_member_str(w, "type", type);
	jw_member_str(w, "name", id);
	jw_member_str(w, "value", id);
	part_optional(w, "url", url);
	jw_object_end(w);
}

static void vulnerability(struct json_writer *w, const struct report_finding *f, struct arena *a)
{
	static const char *const names[] = {"Unknown", "Low", "Medium", "High", "Critical"};

	jw_object(w);
	jw_member_str(w, "id", str_of(f->fingerprint));
	jw_member_str(w, "name", str_take(f->summary.n ? f->summary : f->id, 255));
	jw_member_str(w, "description", part_title(a, f));
	jw_member_str(w, "severity", str_of(names[f->severity]));
	part_optional(w, "solution", part_advice(a, f));
	jw_key(w, STR("identifiers"));
	jw_array(w);
	identifier(w, str_starts(f->id, STR("GHSA-")) ? STR("ghsa") : STR("bondgate"), f->id, f->url);
	for (size_t i = 0; i < f->alias_count && i < 16; i++)
		identifier(w, str_starts(f->aliases[i], STR("CVE-")) ? STR("cve") : STR("alias"), f->aliases[i], STR_NULL);
	jw_array_end(w);
	jw_key(w, STR("location"));
	jw_object(w);
	jw_member_str(w, "file", str_starts(f->file, STR("./")) ? str_skip(f->file, 2) : f->file);
	jw_key(w, STR("dependency"));
	jw_object(w);
	jw_key(w, STR("package"));
	jw_object(w);
	jw_member_str(w, "name", f->name);
	jw_object_end(w);
	jw_member_str(w, "version", f->version);
	jw_object_end(w);
	jw_object_end(w);
	jw_object_end(w);
}

int report_gitlab_dependencies(const struct report *r, struct arena *a, struct buf *out)
{
	struct json_writer w;

	jw_init(&w, out);
	jw_object(&w);
	jw_member_str(&w, "version", STR("15.2.2"));
	scan(&w, r, a);
	jw_key(&w, STR("vulnerabilities"));
	jw_array(&w);
	for (size_t i = 0; i < r->finding_count; i++)
		vulnerability(&w, &r->findings[i], a);
	jw_array_end(&w);
	jw_key(&w, STR("dependency_files"));
	jw_array(&w);
	jw_array_end(&w);
	jw_object_end(&w);
	buf_add_char(out, '\n');
	return report_end(a, out);
}
