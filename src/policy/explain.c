#include "codec/json.h"
#include "policy/sentence.h"

/* Seconds are enough for people and scripts alike; rounded up, so that nobody comes back too early. */
static void json_time(struct json_writer *w, const char *key, usec time)
{
	char text[TIME_TEXT];

	jw_key(w, str_of(key));
	if (time <= 0 || time == USEC_NEVER) {
		jw_null(w);
		return;
	}
	time_format_utc((time + USEC_SECOND - 1) / USEC_SECOND * USEC_SECOND, text);
	jw_str(w, str_of(text));
}

void explain_json(const struct version_facts *facts, const struct decision *d, struct buf *out)
{
	CLEANUP_ARENA struct arena *a = arena_new(16 * KIB);
	struct json_writer w;

	if (!a)
		return;
	jw_init(&w, out);
	jw_object(&w);
	jw_member_str(&w, "purl", purl_format(a, facts->ecosystem, facts->name, facts->version));
	jw_member_str(&w, "decision", str_of(verdict_name(d->verdict)));
	json_time(&w, "until", d->verdict == VERDICT_HOLD ? d->until : 0);
	jw_key(&w, STR("reasons"));
	jw_array(&w);
	for (size_t i = 0; i < d->reason_count; i++) {
		const struct reason *r = &d->reasons[i];

		jw_object(&w);
		jw_member_str(&w, "code", str_of(reason_code_name(r->code)));
		jw_member_str(&w, "text", r->text);
		jw_member_str(&w, "source", r->source);
		jw_member_str(&w, "decision", str_of(verdict_name(r->verdict)));
		jw_member_bool(&w, "enforced", r->mode == MODE_ENFORCE);
		json_time(&w, "until", r->until);
		jw_object_end(&w);
	}
	jw_array_end(&w);
	jw_object_end(&w);
}

/* "deny", "hold", "report", "exempt": the word in front of a reason. */
static const char *reason_word(const struct reason *r)
{
	if (r->mode != MODE_ENFORCE)
		return "report";
	return r->code == REASON_EXEMPT ? "exempt" : verdict_name(r->verdict);
}

/* The rules that an exemption would have to lift, each once; how many. */
static size_t add_liftable(const struct decision *d, struct buf *out)
{
	size_t count = 0;

	for (size_t i = 0; i < d->reason_count; i++) {
		const struct reason *r = &d->reasons[i];
		bool skip = r->mode != MODE_ENFORCE || r->code == REASON_EXEMPT || r->code == REASON_NAMESPACE || r->code == REASON_UNKNOWN;

		for (size_t j = 0; j < i && !skip; j++)
			skip = d->reasons[j].code == r->code;
		if (!skip)
			buf_printf(out, "%s%s", count++ ? ", " : "", reason_code_name(r->code));
	}
	return count;
}

/* What a person can do. */
static void add_advice(const struct version_facts *facts, const struct decision *d, struct buf *out)
{
	CLEANUP_BUF struct buf rules = BUF(1024);

	if (d->verdict == VERDICT_ALLOW)
		return;
	if (d->reason_count && d->reasons[0].code == REASON_UNKNOWN)
		return; /* there is nothing to wait for or to exempt */
	if (add_liftable(d, &rules) == 0) {
		buf_add_str(out, STR("\nOnly a registry of your own may serve this name: whoever owns the policy can add it to `origins`.\n"));
		return;
	}
	if (d->verdict == VERDICT_HOLD && d->until != USEC_NEVER)
		buf_add_str(out,
		            STR("\nWait until then, or use an older version. If it cannot wait, ask the owner of the policy for an exemption:\n"));
	else
		buf_add_str(out, STR("\nUse another version. Whoever owns the policy can look at it and, with a reason, exempt it:\n"));
	buf_printf(out, "  exemptions:\n    - {package: \"%s:", ecosystem_name(facts->ecosystem));
	sentence_ascii(out, facts->name);
	buf_add_char(out, '@');
	sentence_ascii(out, facts->version);
	buf_printf(out, "\", rules: [%s], reason: \"...\", owner: ..., approved-by: ..., expires: ...}\n", buf_cstr(&rules));
}

void explain_text(const struct version_facts *facts, const struct decision *d, usec now, struct buf *out)
{
	sentence_ascii(out, facts->name);
	buf_add_char(out, '@');
	sentence_ascii(out, facts->version);
	buf_printf(out, ": %s", verdict_name(d->verdict));
	if (d->verdict == VERDICT_HOLD && d->until != USEC_NEVER) {
		char rest[TIME_TEXT];

		duration_format_rough(d->until > now ? d->until - now : 0, rest);
		buf_add_str(out, STR(" until "));
		sentence_time(out, d->until);
		buf_printf(out, " (in %s)", rest);
	} else if (d->verdict == VERDICT_HOLD) {
		buf_add_str(out, STR(" until a person decides"));
	}
	buf_add_char(out, '\n');
	for (size_t i = 0; i < d->reason_count; i++) {
		const struct reason *r = &d->reasons[i];

		buf_printf(out, "  %-6s  %s  ", reason_word(r), reason_code_name(r->code));
		if (r->text.n)
			buf_add_str(out, r->text);
		else
			sentence_rule(out, facts, r, now);
		if (r->source.n)
			buf_printf(out, "  [%.*s]", STR_ARG(r->source));
		buf_add_char(out, '\n');
	}
	add_advice(facts, d, out);
}
