/* SARIF 2.1.0 (OASIS standard), within what GitHub's code scanning accepts: one rule an id, a line for every result, fingerprints of our
 * own that stay when lines move, addresses relative to the root of the checkout. */
#include <stdio.h>

#include "report/parts.h"

/* GitHub takes no more results than these of a run; the worst come first. */
enum { MOST_RESULTS = 25000 };

static const char *level_of(const struct report_finding *f)
{
	if (f->report_only || f->severity == SEVERITY_LOW)
		return "note";
	return f->severity >= SEVERITY_HIGH ? "error" : "warning";
}

static void text_object(struct json_writer *w, const char *key, struct str text)
{
	jw_key(w, str_of(key));
	jw_object(w);
	jw_member_str(w, "text", text);
	jw_object_end(w);
}

/* What code scanning sorts by: the score, or the middle of the severity's range. */
static struct str security_severity(struct arena *a, const struct report_finding *f)
{
	static const char *const middles[] = {"5.0", "2.5", "5.5", "8.0", "9.5"};

	return f->score > 0 ? part_score(a, f->score) : str_of(middles[f->severity]);
}

static void rule(struct json_writer *w, const struct report_finding *f, struct arena *a)
{
	struct str summary = f->summary.n ? f->summary : f->id, advice = part_advice(a, f);
	struct str more = f->url.n ? arena_printf(a, " More: %.*s", STR_ARG(f->url)) : STR_NULL;

	jw_object(w);
	jw_member_str(w, "id", f->id);
	jw_member_str(w, "name", arena_printf(a, "%s/%.*s", f->kind, STR_ARG(f->id)));
	text_object(w, "shortDescription", str_take(summary, 1000));
	text_object(w, "fullDescription", str_take(summary, 1000));
	if (f->url.n)
		jw_member_str(w, "helpUri", f->url);
	jw_key(w, STR("help"));
	jw_object(w);
	jw_member_str(w, "text", arena_printf(a, "%.*s%s%.*s%.*s", STR_ARG(summary), advice.n ? " " : "", STR_ARG(advice), STR_ARG(more)));
	jw_member_str(w, "markdown",
	              arena_printf(a, "**%.*s** (%s)\n\n%.*s\n\n%.*s", STR_ARG(f->id), f->kind, STR_ARG(summary),
	                           STR_ARG(f->url.n ? arena_printf(a, "<%.*s>", STR_ARG(f->url)) : STR("`bondgate explain` says more."))));
	jw_object_end(w);
	jw_key(w, STR("defaultConfiguration"));
	jw_object(w);
	jw_member_str(w, "level", str_of(level_of(f)));
	jw_object_end(w);
	jw_key(w, STR("properties"));
	jw_object(w);
	jw_member_str(w, "security-severity", security_severity(a, f));
	jw_member_str(w, "precision", STR("very-high"));
	jw_key(w, STR("tags"));
	jw_array(w);
	jw_str(w, STR("security"));
	jw_str(w, str_of(f->kind));
	jw_array_end(w);
	jw_object_end(w);
	jw_object_end(w);
}

static void location(struct json_writer *w, const struct report_finding *f, struct arena *a)
{
	struct str uri = part_uri(a, f->file);
	bool absolute = part_is_absolute(uri);

	jw_key(w, STR("locations"));
	jw_array(w);
	jw_object(w);
	jw_key(w, STR("physicalLocation"));
	jw_object(w);
	jw_key(w, STR("artifactLocation"));
	jw_object(w);
	jw_member_str(w, "uri", absolute ? arena_printf(a, "file://%.*s", STR_ARG(uri)) : uri);
	if (!absolute)
		jw_member_str(w, "uriBaseId", STR("%SRCROOT%"));
	jw_object_end(w);
	jw_key(w, STR("region"));
	jw_object(w);
	jw_member_int(w, "startLine", part_line(f->line));
	jw_object_end(w);
	jw_object_end(w);
	jw_object_end(w);
	jw_array_end(w);
}

static void result(struct json_writer *w, const struct report_finding *f, size_t rule_index, struct arena *a)
{
	struct str way = f->way_count ? part_way(a, &f->ways[0]) : STR_NULL, advice = part_advice(a, f);

	jw_object(w);
	jw_member_str(w, "ruleId", f->id);
	jw_member_int(w, "ruleIndex", (int64_t)rule_index);
	jw_member_str(w, "level", str_of(level_of(f)));
	text_object(w, "message",
	            arena_printf(a, "%.*s%s%.*s%s%.*s%s", STR_ARG(part_title(a, f)), advice.n ? ". " : "", STR_ARG(advice),
	                         way.n && f->ways[0].count > 1 ? " Brought in by: " : "",
	                         STR_ARG(f->way_count && f->ways[0].count > 1 ? way : STR_NULL), way.n && f->ways[0].count > 1 ? "." : ""));
	location(w, f, a);
	jw_key(w, STR("partialFingerprints"));
	jw_object(w);
	jw_member_str(w, "bondgateFinding/v1", str_of(f->fingerprint));
	jw_object_end(w);
	jw_key(w, STR("properties"));
	jw_object(w);
	jw_member_str(w, "purl", part_purl(a, f->ecosystem, f->name, f->version));
	jw_member_str(w, "kind", str_of(f->kind));
	part_optional(w, "fixed", f->fixed);
	jw_member_bool(w, "dev", f->dev);
	jw_object_end(w);
	jw_object_end(w);
}

/* A file that could not be read is no result: the run says that it did not end well. */
static void invocation(struct json_writer *w, const struct report *r, struct arena *a)
{
	jw_key(w, STR("invocations"));
	jw_array(w);
	jw_object(w);
	jw_member_bool(w, "executionSuccessful", r->unreadable == 0);
	jw_member_str(w, "endTimeUtc", part_time(a, r->now));
	if (r->unreadable) {
		jw_key(w, STR("toolExecutionNotifications"));
		jw_array(w);
		for (size_t i = 0; i < r->file_count; i++) {
			if (!r->files[i].error.n)
				continue;
			jw_object(w);
			jw_member_str(w, "level", STR("error"));
			text_object(w, "message", r->files[i].error);
			jw_object_end(w);
		}
		jw_array_end(w);
	}
	jw_object_end(w);
	jw_array_end(w);
}

static int results(struct json_writer *w, const struct report *r, struct arena *a, size_t count)
{
	CLEANUP_MAP struct map rules = MAP_EMPTY;
	CLEANUP_FREE size_t *index = calloc(count ? count : 1, sizeof(*index));
	size_t rule_count = 0;

	if (!index)
		return -ENOMEM;
	jw_key(w, STR("rules"));
	jw_array(w);
	for (size_t i = 0; i < count; i++) {
		uintptr_t known = (uintptr_t)map_get(&rules, r->findings[i].id);

		if (!known) {
			rule(w, &r->findings[i], a);
			known = ++rule_count;
			if (map_put(&rules, r->findings[i].id, (void *)known) < 0)
				return -ENOMEM;
		}
		index[i] = known - 1;
	}
	jw_array_end(w);
	jw_object_end(w); /* driver */
	jw_object_end(w); /* tool */
	jw_member_str(w, "columnKind", STR("utf16CodeUnits"));
	invocation(w, r, a);
	jw_key(w, STR("results"));
	jw_array(w);
	for (size_t i = 0; i < count; i++)
		result(w, &r->findings[i], index[i], a);
	jw_array_end(w);
	return 0;
}

int report_sarif(const struct report *r, struct arena *a, struct buf *out)
{
	struct json_writer w;
	int code;

	jw_init(&w, out);
	jw_object(&w);
	jw_member_str(&w, "$schema", STR("https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"));
	jw_member_str(&w, "version", STR("2.1.0"));
	jw_key(&w, STR("runs"));
	jw_array(&w);
	jw_object(&w);
	jw_key(&w, STR("automationDetails"));
	jw_object(&w);
	jw_member_str(&w, "id", STR("bondgate/scan/"));
	jw_object_end(&w);
	jw_key(&w, STR("tool"));
	jw_object(&w);
	jw_key(&w, STR("driver"));
	jw_object(&w);
	jw_member_str(&w, "name", STR("Bondgate"));
	jw_member_str(&w, "version", r->tool_version);
	jw_member_str(&w, "semanticVersion", r->tool_version);
	code = results(&w, r, a, r->finding_count < MOST_RESULTS ? r->finding_count : MOST_RESULTS);
	if (code < 0)
		return code;
	jw_object_end(&w);
	jw_array_end(&w);
	jw_object_end(&w);
	buf_add_char(out, '\n');
	return report_end(a, out);
}
