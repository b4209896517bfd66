#include "policy/decide_rules.h"

#include "policy/sentence.h"

struct str source_text(struct deciding *c, const struct policy_source *source)
{
	CLEANUP_BUF struct buf text = BUF(4096);

	if (!c->texts)
		return STR_NULL;
	source_add(&text, source);
	return arena_str(c->texts, buf_str(&text));
}

void change_at(struct deciding *c, usec time)
{
	if (time > c->now && time < c->d->next_change)
		c->d->next_change = time;
}

/* In force first, denials before holds, then exemptions, then what is only reported. */
static int rank(const struct reason *r)
{
	if (r->mode != MODE_ENFORCE)
		return 3;
	return r->code == REASON_EXEMPT ? 2 : r->verdict == VERDICT_DENY ? 0 : 1;
}

/* The place of a new reason; when there is no room, that of the last one that matters less. */
static struct reason *push(struct deciding *c, const struct reason *reason)
{
	struct decision *d = c->d;
	struct reason *place = NULL;

	if (d->reason_count < DECISION_REASONS)
		place = &d->reasons[d->reason_count++];
	for (size_t i = DECISION_REASONS; !place && i-- > 0;)
		if (rank(&d->reasons[i]) > rank(reason))
			place = &d->reasons[i];
	if (place)
		*place = *reason;
	return place;
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

struct version_facts version_facts_ageless(enum ecosystem e, struct str name, struct str version, struct str integrity)
{
	return (struct version_facts){
		.ecosystem = e,
		.name = name,
		.version = version,
		.published = 1,
		.first_seen = 1,
		.package_published = 1,
		.origin_cooldown = -1,
		.name_known = true,
		.integrity = integrity.n ? integrity : STR("sha512-unknown"),
	};
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

static void lift(struct deciding *c, enum reason_code code, const struct exemption *exemption)
{
	struct reason exempt = {
		.code = REASON_EXEMPT, .verdict = VERDICT_ALLOW, .mode = MODE_ENFORCE, .until = exemption->expires, .lifted = code};

	change_at(c, exemption->expires);
	if (c->exempt_listed & UINT32_C(1) << code)
		return;
	c->exempt_listed |= UINT32_C(1) << code;
	exempt.source = source_text(c, &exemption->source);
	add_text(c, push(c, &exempt), exemption->reason);
}

void speak(struct deciding *c, struct reason reason, struct str detail)
{
	const struct exemption *exemption = exemption_from(c, reason.code);

	/* The caller may have lowered it already: an old version that was withdrawn is only ever reported. */
	if (reason.mode > policy_mode(c->p, reason.code))
		reason.mode = policy_mode(c->p, reason.code);
	if (reason.mode == MODE_OFF)
		return;
	c->spoken |= UINT32_C(1) << reason.code;
	if (exemption) {
		lift(c, reason.code, exemption);
		return;
	}
	if (reason.verdict == VERDICT_HOLD && reason.until != USEC_NEVER)
		change_at(c, reason.until);
	/* Counted here and not from the list, which has an end. */
	if (reason.mode == MODE_ENFORCE) {
		if (reason.verdict > c->d->verdict)
			c->d->verdict = reason.verdict;
		if (reason.verdict == VERDICT_HOLD && reason.until > c->d->until)
			c->d->until = reason.until;
	}
	add_text(c, push(c, &reason), detail);
}

void speak_ignored(struct deciding *c, struct reason reason, const struct advisory_ignore *line)
{
	struct reason exempt = {.code = REASON_EXEMPT,
	                        .verdict = VERDICT_ALLOW,
	                        .mode = MODE_ENFORCE,
	                        .until = line->expires,
	                        .lifted = reason.code,
	                        .one_advisory = true};
	CLEANUP_BUF struct buf detail = BUF(1024);

	if (policy_mode(c->p, reason.code) == MODE_OFF)
		return;
	c->spoken |= UINT32_C(1) << reason.code;
	change_at(c, line->expires);
	exempt.source = source_text(c, &line->source);
	if (c->texts)
		buf_printf(&detail, "%.*s is ignored: %.*s (%.*s)", STR_ARG(str_take(line->id, 60)), STR_ARG(str_take(line->reason, 400)),
		           STR_ARG(str_take(line->owner, 100)));
	add_text(c, push(c, &exempt), buf_str(&detail));
}

static void note_root(struct deciding *c, const struct match_entry *entry)
{
	const struct approval *a = &c->p->approvals[entry->value];

	if (a->ends <= c->now)
		return;
	c->root_name = true;
	if (match_version(entry, c->facts->version, false) && (!c->root || a->ends > c->root->ends))
		c->root = a;
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
		if (c->exemption_count < EXEMPTIONS_SEEN && c->p->exemptions[entry->value].expires > c->now && match_version(entry, version, false))
			c->exemptions[c->exemption_count++] = entry->value;
		break;
	case MATCH_ROOT:
		note_root(c, entry);
		break;
	default:
		break;
	}
	return false;
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
	if (d->verdict == VERDICT_DENY)
		d->until = USEC_NEVER;
}

void decide(const struct policy *p, const struct advisories *advisories, const struct version_facts *facts, usec now, struct arena *texts,
            struct decision *ret)
{
	struct deciding c = {.p = p,
	                     .advisories = facts->advisories_given ? NULL : advisories,
	                     .facts = facts,
	                     .now = now,
	                     .published = facts->published > now ? now : facts->published,
	                     .texts = texts,
	                     .d = ret};

	ret->verdict = VERDICT_ALLOW;
	ret->until = 0;
	ret->next_change = USEC_NEVER;
	ret->reason_count = 0;
	matcher_search(p->rules, facts->ecosystem, facts->name, note_entry, &c);
	judge_identity(&c);
	judge_lists(&c);
	judge_publishers(&c);
	judge_advisories(&c);
	judge_approval(&c);
	judge_gains(&c);
	judge_state(&c);
	judge_cooldown(&c);
	conclude(ret);
}

bool reason_may_be_requested(enum reason_code c)
{
	const uint32_t never = UINT32_C(1) << REASON_MALWARE | UINT32_C(1) << REASON_HASH_CHANGED | UINT32_C(1) << REASON_MANIFEST_MISMATCH |
	                       UINT32_C(1) << REASON_SIGNATURE_INVALID | UINT32_C(1) << REASON_NAMESPACE | UINT32_C(1) << REASON_UNKNOWN |
	                       UINT32_C(1) << REASON_EXEMPT;

	return !(never & UINT32_C(1) << c);
}

bool decision_may_be_requested(const struct decision *d)
{
	for (size_t i = 0; i < d->reason_count; i++) {
		const struct reason *r = &d->reasons[i];

		if (r->mode == MODE_ENFORCE && r->verdict != VERDICT_ALLOW && !reason_may_be_requested(r->code))
			return false;
	}
	return d->verdict != VERDICT_ALLOW;
}
