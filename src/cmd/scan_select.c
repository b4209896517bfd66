/* Which findings are told, which of them fail the build, and the baseline of those that were there when the team began. */
#include "base/file.h"
#include "base/limits.h"
#include "cmd/scan.h"

enum { MOST_BASELINE = 64 * 1024 * 1024 };

static bool is_kind_or_rule(struct str word)
{
	static const char *const names[] = {
#define X(constant, name) name,
		FINDING_KINDS(X)
#undef X
#define X(constant, kind, id, severity, fails, text) id,
			FINDING_RULES(X)
#undef X
#define X(constant, code, text) code,
				REASON_CODES(X)
#undef X
					"any",
		"none",
	};
	enum severity severity;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_eq(word, str_of(names[i])))
			return true;
	return severity_parse(word, &severity) == 0;
}

int scan_select_check(const struct scan *s, const struct command_usage *usage)
{
	struct str rest = str_of(s->options.fail_on), word;
	enum severity severity;

	if (s->options.severity && severity_parse(str_of(s->options.severity), &severity) < 0)
		return usage_error(usage, "--severity takes low, moderate, high or critical, not %s", s->options.severity);
	while (str_split(&rest, ',', &word))
		if (!is_kind_or_rule(word))
			return usage_error(usage,
			                   "--fail-on takes kinds (malware, vulnerability, policy, source, integrity, lockfile, receipt), rules "
			                   "(git-source, cooldown, …), "
			                   "severities, any or none, not %.*s",
			                   STR_ARG(word));
	return 0;
}

static bool matches(const struct report_finding *f, struct str word)
{
	enum severity least;

	if (str_eq(word, STR("any")) || str_eq(word, str_of(f->kind)) || str_eq(word, f->id))
		return true;
	return severity_parse(word, &least) == 0 && f->severity >= least && !f->report_only;
}

/* An advisory whose severity nobody gave is not below any threshold. */
static bool is_below(const struct scan *s, const struct report_finding *f)
{
	enum severity least;

	if (!s->options.severity || severity_parse(str_of(s->options.severity), &least) < 0)
		return false;
	return f->severity != SEVERITY_UNKNOWN && f->severity < least;
}

bool scan_select(const struct scan *s, struct report_finding *f)
{
	struct str rest = str_of(s->options.fail_on), word;

	if (is_below(s, f) || (s->options.prod && f->dev) || (s->options.only_direct && !f->direct))
		return false;
	if (s->options.strict)
		f->fails = true;
	if (s->options.fail_on) {
		f->fails = false;
		while (str_split(&rest, ',', &word))
			f->fails = f->fails || matches(f, word);
	}
	return true;
}

/* {"version": 1, "findings": [{"fingerprint": …, …}]}: what else stands there is for people. */
int baseline_read(struct scan *s, const char *path, struct map *ret, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF(MOST_BASELINE);
	struct json_reader r;
	struct str key, copy, fingerprint;
	int code = file_read(path, &text, err);

	if (code < 0)
		return code;
	copy = arena_str(s->arena, buf_str(&text));
	if (!copy.p)
		return err_set(err, -ENOMEM, "out of memory");
	json_init(&r, copy);
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		if (!json_raw_equals(key, STR("findings"))) {
			json_skip(&r, NULL);
			continue;
		}
		json_enter_array(&r);
		while (json_next_item(&r)) {
			json_enter_object(&r);
			while (json_next_member(&r, &key)) {
				if (!json_raw_equals(key, STR("fingerprint"))) {
					json_skip(&r, NULL);
					continue;
				}
				json_string_decoded(&r, s->arena, &fingerprint);
				if (!json_failed(&r) && map_put(ret, fingerprint, s) < 0)
					return err_set(err, -ENOMEM, "out of memory");
			}
		}
	}
	return json_finish(&r, err) < 0 ? err_prefix(err, "the baseline %s cannot be read", path) : 0;
}

int baseline_write(const struct report *r, const char *path, struct err *err)
{
	CLEANUP_BUF struct buf out = BUF(MOST_BASELINE);
	CLEANUP_ARENA struct arena *a = arena_new(MOST_BASELINE);
	struct json_writer w;

	if (!a)
		return err_set(err, -ENOMEM, "out of memory");
	jw_init(&w, &out);
	jw_object(&w);
	jw_member_int(&w, "version", 1);
	jw_key(&w, STR("findings"));
	jw_array(&w);
	for (size_t i = 0; i < r->finding_count; i++) {
		const struct report_finding *f = &r->findings[i];

		/* One line each, so that a review shows what was accepted. */
		buf_add_char(&out, '\n');
		jw_object(&w);
		jw_member_str(&w, "fingerprint", str_of(f->fingerprint));
		jw_member_str(&w, "kind", str_of(f->kind));
		jw_member_str(&w, "id", f->id);
		jw_member_str(&w, "purl", purl_format(a, f->ecosystem, f->name, f->version));
		jw_member_str(&w, "file", f->file);
		jw_object_end(&w);
	}
	jw_array_end(&w);
	jw_object_end(&w);
	buf_add_char(&out, '\n');
	if (out.error || arena_failed(a))
		return err_set(err, -EFBIG, "the baseline %s is too large", path);
	return file_replace(path, buf_str(&out), 0644, err);
}
