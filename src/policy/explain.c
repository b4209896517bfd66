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

static void member_text(struct json_writer *w, const char *key, struct str text)
{
	if (text.n)
		jw_member_str(w, key, text);
}

static const char *const signatures[] = {
	[SIGNATURE_UNKNOWN] = NULL, [SIGNATURE_ABSENT] = "absent", [SIGNATURE_VALID] = "valid", [SIGNATURE_INVALID] = "invalid"};

/* What is known of its making and of why it is here; nothing known, no member. */
static void json_trust(struct json_writer *w, const struct version_facts *f)
{
	const struct trust_facts *t = &f->trust;

	jw_key(w, STR("trust"));
	jw_object(w);
	if (t->publisher_count) {
		jw_key(w, STR("publishers"));
		jw_array(w);
		for (size_t i = 0; i < t->publisher_count; i++)
			jw_str(w, t->publishers[i]);
		jw_array_end(w);
	}
	member_text(w, "trusted-publisher", t->trusted_publisher);
	member_text(w, "verified-source", t->verified_source);
	if (t->provenance)
		jw_member_bool(w, "provenance", true);
	member_text(w, "signature", str_of(signatures[t->signature]));
	member_text(w, "continuity", t->continuity);
	member_text(w, "install-script", t->install_script);
	member_text(w, "binary", t->binary);
	member_text(w, "remote-dependency", t->remote_dependency);
	member_text(w, "dependency", t->dependency);
	member_text(w, "resembles", f->resembles);
	member_text(w, "reached-from", f->reached_from);
	member_text(w, "fixes", f->fixes);
	jw_object_end(w);
}

static bool knows_trust(const struct version_facts *f)
{
	const struct trust_facts *t = &f->trust;

	return t->publisher_count || t->trusted_publisher.n || t->verified_source.n || t->provenance || t->signature != SIGNATURE_UNKNOWN ||
	       t->continuity.n || t->install_script.n || t->binary.n || t->remote_dependency.n || t->dependency.n || f->resembles.n ||
	       f->reached_from.n || f->fixes.n;
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
	if (knows_trust(facts))
		json_trust(&w, facts);
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
	if (decision_may_be_requested(d)) {
		buf_add_str(out, d->verdict == VERDICT_HOLD && d->until != USEC_NEVER
		                     ? STR("\nWait until then, or use an older version. If it cannot wait, ask for an exception:\n")
		                     : STR("\nUse another version, or ask for an exception:\n"));
		buf_printf(out, "  bondgate request %s:", ecosystem_name(facts->ecosystem));
		sentence_ascii(out, facts->name);
		buf_add_char(out, '@');
		sentence_ascii(out, facts->version);
		buf_add_str(out, STR(" --reason \"...\"\nWhoever owns the policy can write one too:\n"));
	} else {
		buf_add_str(out,
		            STR("\nUse another version. Nobody can ask this away; only whoever owns the policy can, with a reason, exempt it:\n"));
	}
	buf_printf(out, "  exemptions:\n    - {package: \"%s:", ecosystem_name(facts->ecosystem));
	sentence_ascii(out, facts->name);
	buf_add_char(out, '@');
	sentence_ascii(out, facts->version);
	buf_printf(out, "\", rules: [%s], reason: \"...\", owner: ..., approved-by: ..., expires: ...}\n", buf_cstr(&rules));
}

static void add_fact(struct buf *out, const char *what, struct str text)
{
	if (!text.n)
		return;
	buf_printf(out, "  %s ", what);
	sentence_ascii(out, text);
	buf_add_char(out, '\n');
}

/* What is known of its making, for whoever has to judge. */
static void add_trust(const struct version_facts *f, struct buf *out)
{
	const struct trust_facts *t = &f->trust;
	CLEANUP_BUF struct buf names = BUF(4096);

	for (size_t i = 0; i < t->publisher_count && i < 20; i++)
		buf_printf(&names, "%s%.*s", i ? ", " : "", STR_ARG(t->publishers[i]));
	if (knows_trust(f))
		buf_add_char(out, '\n');
	add_fact(out, f->ecosystem == ECOSYSTEM_NPM ? "published by" : "owned by", buf_str(&names));
	if (t->verified_source.n)
		add_fact(out, "provenance verified, built in", t->verified_source);
	else if (t->trusted_publisher.n)
		add_fact(out, "claims to be built in", t->trusted_publisher);
	else if (t->provenance)
		add_fact(out, "provenance", STR("claimed, not verified"));
	add_fact(out, "signature of its registry", str_of(signatures[t->signature]));
	add_fact(out, "what changed:", t->continuity);
	add_fact(out, "gained code on install:", t->install_script);
	add_fact(out, "gained a command or native code:", t->binary);
	add_fact(out, "gained a dependency on an address:", t->remote_dependency);
	add_fact(out, "gained a dependency new here:", t->dependency);
	add_fact(out, "resembles", f->resembles);
	add_fact(out, "needed by the approved root", f->reached_from);
	add_fact(out, "the fix of", f->fixes);
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
	add_trust(facts, out);
	add_advice(facts, d, out);
}
