#include "policy/decide.h"

#include "base/limits.h"
#include "policy/load.h"
#include "policy/sentence.h"

enum { ADVISORY_REASONS = 8, EXEMPTIONS_SEEN = 16, LIMIT_SUMMARY = 160 };

struct deciding {
	const struct policy *p;
	const struct version_facts *facts;
	usec now;
	struct arena *texts; /* NULL: no sentences are made */
	struct decision *d;
	/* what the lists say about this version */
	const struct match_entry *denied_name, *denied_version, *exclude;
	size_t exemptions[EXEMPTIONS_SEEN];
	size_t exemption_count;
	uint32_t exempt_listed; /* one bit a rule */
};

static struct str source_text(struct deciding *c, const struct policy_source *source)
{
	CLEANUP_BUF struct buf text = BUF(4096);

	if (!c->texts)
		return STR_NULL;
	source_add(&text, source);
	return arena_str(c->texts, buf_str(&text));
}

static void change_at(struct deciding *c, usec time)
{
	if (time > c->now && time < c->d->next_change)
		c->d->next_change = time;
}

static struct reason *push(struct deciding *c, const struct reason *reason)
{
	if (c->d->reason_count == DECISION_REASONS)
		return NULL;
	c->d->reasons[c->d->reason_count] = *reason;
	return &c->d->reasons[c->d->reason_count++];
}

static void add_text(struct deciding *c, struct reason *reason, struct str detail)
{
	CLEANUP_BUF struct buf text = BUF(2048);

	if (!c->texts || !reason)
		return;
	sentence_ascii(&text, c->facts->name);
	buf_add_char(&text, '@');
	sentence_ascii(&text, c->facts->version);
	buf_add_char(&text, ' ');
	sentence_rule(&text, c->facts, reason, c->now);
	if (detail.n) {
		buf_add_str(&text, STR(": "));
		sentence_ascii(&text, detail);
	}
	reason->text = arena_str(c->texts, buf_str(&text));
}

static const struct exemption *exemption_from(const struct deciding *c, enum reason_code code)
{
	const struct exemption *last = NULL;

	for (size_t i = 0; i < c->exemption_count; i++) {
		const struct exemption *e = &c->p->exemptions[c->exemptions[i]];

		if (e->rules & UINT32_C(1) << code && (!last || e->expires > last->expires))
			last = e;
	}
	return last;
}

/* A rule speaks against the version: put it down, unless it is off or an exemption lifts it. */
static void speak(struct deciding *c, struct reason reason, struct str detail)
{
	const struct exemption *exemption = exemption_from(c, reason.code);

	/* The caller may have lowered it already: an old version that was withdrawn is only ever reported. */
	if (reason.mode > policy_mode(c->p, reason.code))
		reason.mode = policy_mode(c->p, reason.code);
	if (reason.mode == MODE_OFF)
		return;
	if (exemption) {
		struct reason exempt = {
			.code = REASON_EXEMPT, .verdict = VERDICT_ALLOW, .mode = MODE_ENFORCE, .until = exemption->expires, .lifted = reason.code};

		change_at(c, exemption->expires);
		if (c->exempt_listed & UINT32_C(1) << reason.code)
			return;
		c->exempt_listed |= UINT32_C(1) << reason.code;
		exempt.source = source_text(c, &exemption->source);
		add_text(c, push(c, &exempt), exemption->reason);
		return;
	}
	if (reason.verdict == VERDICT_HOLD && reason.until != USEC_NEVER)
		change_at(c, reason.until);
	add_text(c, push(c, &reason), detail);
}

static bool note_entry(void *arg, const struct match_entry *entry)
{
	struct deciding *c = arg;
	struct str version = c->facts->version;

	switch ((enum match_kind)entry->kind) {
	case MATCH_DENY_NAME:
		if (!c->denied_name)
			c->denied_name = entry;
		break;
	case MATCH_DENY_VERSION:
		if (!c->denied_version && match_version(entry, version, true))
			c->denied_version = entry;
		break;
	case MATCH_EXCLUDE:
		if (!c->exclude && match_version(entry, version, false))
			c->exclude = entry;
		break;
	case MATCH_EXEMPTION:
		if (c->exemption_count < EXEMPTIONS_SEEN && c->p->exemptions[entry->value].expires > c->now &&
		    match_version(entry, version, false))
			c->exemptions[c->exemption_count++] = entry->value;
		break;
	default:
		break;
	}
	return false;
}

/* Rules 3 and 4 and the internal names: what the facts say by themselves. */
static void judge_identity(struct deciding *c)
{
	const struct version_facts *f = c->facts;
	struct reason r = {.verdict = VERDICT_DENY, .mode = MODE_ENFORCE};

	if (!f->own_origin && policy_is_internal(c->p, f->ecosystem, f->name)) {
		r.code = REASON_NAMESPACE;
		r.source = source_text(c, &c->p->sources[KEY_INTERNAL]);
		speak(c, r, STR_NULL);
	}
	if (f->hash_changed) {
		CLEANUP_BUF struct buf detail = BUF(512);

		r.code = REASON_HASH_CHANGED;
		r.source = source_text(c, &c->p->sources[KEY_RULES_HASH_MODE]);
		if (c->texts && f->hash_first.n && f->hash_now.n)
			buf_printf(&detail, "first %.*s, now %.*s", STR_ARG(str_take(f->hash_first, 128)), STR_ARG(str_take(f->hash_now, 128)));
		speak(c, r, buf_str(&detail));
	}
	if (f->mismatch.n) {
		r.code = REASON_MANIFEST_MISMATCH;
		r.source = source_text(c, &c->p->sources[KEY_RULES_MANIFEST_MODE]);
		speak(c, r, f->mismatch);
	}
	if (!f->integrity.n && !f->shasum.n) {
		r = (struct reason){.code = REASON_UNVERIFIABLE, .verdict = VERDICT_HOLD, .mode = MODE_ENFORCE, .until = USEC_NEVER};
		r.source = source_text(c, &c->p->sources[KEY_RULES_UNVERIFIABLE_MODE]);
		speak(c, r, STR_NULL);
	}
}

static void judge_lists(struct deciding *c)
{
	const struct listed *item = NULL;

	if (c->denied_name)
		item = &c->p->deny_names.items[c->denied_name->value];
	else if (c->denied_version)
		item = &c->p->deny_versions.items[c->denied_version->value];
	else
		item = digest_listed(&c->p->hashes, c->facts->integrity, c->facts->shasum);
	if (item) {
		struct reason r = {.code = REASON_DENIED, .verdict = VERDICT_DENY, .mode = MODE_ENFORCE};

		r.source = source_text(c, &item->source);
		speak(c, r, item->text);
	}
}

static void judge_advisory(struct deciding *c, const struct advisory *a)
{
	struct reason r = {.verdict = VERDICT_DENY, .mode = MODE_ENFORCE};
	CLEANUP_BUF struct buf detail = BUF(1024);

	if (a->kind == ADVISORY_MALWARE)
		r.code = REASON_MALWARE;
	else if ((int)a->severity >= c->p->vulnerabilities_at || c->p->vulnerabilities_at == SEVERITY_LOW)
		r.code = REASON_VULNERABLE;
	else
		return;
	r.source = c->texts ? arena_str(c->texts, a->id) : STR_NULL;
	if (a->kind != ADVISORY_MALWARE && a->severity != SEVERITY_UNKNOWN)
		buf_printf(&detail, "%s, ", severity_name(a->severity));
	buf_add_str(&detail, str_take(a->summary, LIMIT_SUMMARY));
	if (a->fixed.n)
		buf_printf(&detail, "; fixed in %.*s", STR_ARG(str_take(a->fixed, 60)));
	speak(c, r, buf_str(&detail));
}

static void judge_advisories(struct deciding *c, const struct advisories *advisories)
{
	const struct version_facts *f = c->facts;
	CLEANUP_ARENA struct arena *scratch = NULL;
	struct advisory *found = NULL;
	size_t count;

	if (!advisories || !advisories_know(advisories, f->ecosystem, f->name))
		return;
	scratch = arena_new(4 * MIB);
	count = scratch ? advisories_match(advisories, f->ecosystem, f->name, f->version, c->now, scratch, &found) : 0;
	if (!scratch || arena_failed(scratch)) {
		/* Rule 1: what cannot be evaluated holds. */
		struct reason r = {.code = REASON_MALWARE, .verdict = VERDICT_HOLD, .mode = MODE_ENFORCE, .until = USEC_NEVER};

		speak(c, r, STR("its advisories could not be read: out of memory"));
		return;
	}
	for (size_t i = 0; i < count && i < ADVISORY_REASONS; i++)
		if (!found[i].not_affected.n)
			judge_advisory(c, &found[i]);
}

/* The longest of the delays whose condition holds. A publication time ahead of the clock counts as now. */
static void judge_cooldown(struct deciding *c)
{
	const struct version_facts *f = c->facts;
	usec published = f->published > c->now ? c->now : f->published;
	usec wait = f->own_origin ? f->origin_cooldown : c->p->cooldown_default;
	usec new_package = f->own_origin ? 0 : c->p->cooldown_new_package;
	struct reason r = {.code = REASON_COOLDOWN, .verdict = VERDICT_HOLD, .mode = MODE_ENFORCE};
	const struct policy_source *source = &c->p->sources[KEY_COOLDOWN_DEFAULT];

	if (c->exclude)
		return;
	if (f->own_origin) {
		const struct origin *own = policy_origin(c->p, f->ecosystem, f->name);

		if (own)
			source = &own->source;
	}
	if (wait > 0 && c->now - published < wait) {
		r.until = published + wait;
		r.wait = wait;
	}
	if (new_package > 0 && f->package_published > 0) {
		usec first = f->package_published > c->now ? c->now : f->package_published;

		if (c->now - first < new_package && first + new_package > r.until) {
			r.until = first + new_package;
			r.wait = new_package;
			source = &c->p->sources[KEY_COOLDOWN_NEW_PACKAGE];
		}
	}
	if (!r.until)
		return;
	r.source = source_text(c, source);
	speak(c, r, STR_NULL);
}

static void judge_state(struct deciding *c)
{
	const struct version_facts *f = c->facts;
	struct reason r = {.verdict = VERDICT_HOLD, .mode = MODE_ENFORCE};

	if (f->held_dependency.n) {
		r.code = REASON_DEPENDENCY_HELD;
		r.until = f->held_dependency_until;
		r.source = source_text(c, &c->p->sources[KEY_RULES_HELD_MODE]);
		speak(c, r, STR_NULL);
	}
	if (f->withdrawal != WITHDRAWN_NOT) {
		r.code = REASON_WITHDRAWN;
		r.until = USEC_NEVER;
		r.source = source_text(c, &c->p->sources[KEY_RULES_WITHDRAWN_MODE]);
		r.mode = f->withdrawal == WITHDRAWN_OLD ? MODE_REPORT : MODE_ENFORCE;
		speak(c, r, STR_NULL);
	}
}

/* In force first, denials before holds, then exemptions, then what is only reported. */
static int rank(const struct reason *r)
{
	if (r->mode != MODE_ENFORCE)
		return 3;
	return r->code == REASON_EXEMPT ? 2 : r->verdict == VERDICT_DENY ? 0 : 1;
}

static void conclude(struct decision *d)
{
	for (size_t i = 1; i < d->reason_count; i++) {
		struct reason r = d->reasons[i];
		size_t at = i;

		for (; at > 0 && rank(&d->reasons[at - 1]) > rank(&r); at--)
			d->reasons[at] = d->reasons[at - 1];
		d->reasons[at] = r;
	}
	for (size_t i = 0; i < d->reason_count; i++) {
		const struct reason *r = &d->reasons[i];

		if (rank(r) > 1)
			continue;
		if (r->verdict > d->verdict)
			d->verdict = r->verdict;
		if (r->verdict == VERDICT_HOLD && r->until > d->until)
			d->until = r->until;
	}
	if (d->verdict == VERDICT_DENY)
		d->until = USEC_NEVER;
}

void decide(const struct policy *p, const struct advisories *advisories, const struct version_facts *facts, usec now, struct arena *texts,
            struct decision *ret)
{
	struct deciding c = {.p = p, .facts = facts, .now = now, .texts = texts, .d = ret};

	ret->verdict = VERDICT_ALLOW;
	ret->until = 0;
	ret->next_change = USEC_NEVER;
	ret->reason_count = 0;
	matcher_search(p->rules, facts->ecosystem, facts->name, note_entry, &c);
	judge_identity(&c);
	judge_lists(&c);
	judge_advisories(&c, advisories);
	judge_cooldown(&c);
	judge_state(&c);
	conclude(ret);
}
