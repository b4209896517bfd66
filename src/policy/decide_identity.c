/* What the version is, whether it is on a list, and what became of it. */
#include "policy/decide_rules.h"
#include "policy/load.h"

static void judge_signature(struct deciding *c)
{
	const struct version_facts *f = c->facts;
	struct reason r = {.code = REASON_SIGNATURE_INVALID, .verdict = VERDICT_DENY, .mode = MODE_ENFORCE};

	if (f->trust.signature == SIGNATURE_VALID)
		return;
	if (f->trust.signature != SIGNATURE_INVALID) {
		/* A registry of one's own need not sign. */
		if (!c->p->trust.require_signature || f->own_origin || f->ecosystem != ECOSYSTEM_NPM)
			return;
		if (f->trust.signature == SIGNATURE_UNKNOWN) {
			/* Rule 1: what cannot be evaluated holds. */
			r.verdict = VERDICT_HOLD;
			r.until = USEC_NEVER;
		}
	}
	r.source = source_text(c, &c->p->sources[KEY_RULES_SIGNATURE_MODE]);
	speak(c, r, STR_NULL);
}

/* Rules 3 and 4 and the internal names: what the facts say by themselves. */
void judge_identity(struct deciding *c)
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
	judge_signature(c);
	if (!f->integrity.n && !f->shasum.n) {
		r = (struct reason){.code = REASON_UNVERIFIABLE, .verdict = VERDICT_HOLD, .mode = MODE_ENFORCE, .until = USEC_NEVER};
		r.source = source_text(c, &c->p->sources[KEY_RULES_UNVERIFIABLE_MODE]);
		speak(c, r, STR_NULL);
	}
}

void judge_lists(struct deciding *c)
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

void judge_state(struct deciding *c)
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
