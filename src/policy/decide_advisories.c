/* What advisories say: of the version itself, and of what it repairs. */
#include "base/limits.h"
#include "policy/decide_rules.h"

enum { ADVISORY_REASONS = 8, LIMIT_SUMMARY = 160 };

/* False: it does not concern this version, or the policy. */
static bool judge_advisory(struct deciding *c, const struct advisory *a)
{
	struct reason r = {.verdict = VERDICT_DENY, .mode = MODE_ENFORCE};
	const struct version_facts *f = c->facts;
	const struct advisory_ignore *ignore;
	CLEANUP_BUF struct buf detail = BUF(1024);

	/* Somebody trusted looked: it does not concern this version. */
	if (a->not_affected.n)
		return false;
	if (a->kind == ADVISORY_MALWARE)
		r.code = REASON_MALWARE;
	else if ((int)a->severity >= c->p->vulnerabilities_at || c->p->vulnerabilities_at == SEVERITY_LOW)
		r.code = REASON_VULNERABLE;
	else
		return false;
	ignore = policy_ignored(c->p, a, f->ecosystem, f->name, f->version, c->now);
	if (ignore) {
		/* Not counted either: it must not hide another. */
		speak_ignored(c, r, ignore);
		return false;
	}
	r.source = c->texts ? arena_str(c->texts, a->id) : STR_NULL;
	if (a->kind != ADVISORY_MALWARE && a->severity != SEVERITY_UNKNOWN)
		buf_printf(&detail, "%s, ", severity_name(a->severity));
	buf_add_str(&detail, str_take(a->summary, LIMIT_SUMMARY));
	if (a->fixed.n)
		buf_printf(&detail, "; fixed in %.*s", STR_ARG(str_take(a->fixed, 60)));
	speak(c, r, buf_str(&detail));
	return true;
}

/* Those that were taken down with the facts, as far as they were published by now. */
static void judge_given(struct deciding *c)
{
	size_t heard = 0;

	for (size_t i = 0; i < c->facts->advisory_count && heard < ADVISORY_REASONS; i++)
		if (c->facts->advisories[i].published <= c->now)
			heard += judge_advisory(c, &c->facts->advisories[i]);
}

void judge_advisories(struct deciding *c)
{
	const struct version_facts *f = c->facts;
	CLEANUP_ARENA struct arena *scratch = NULL;
	struct advisory *found = NULL;
	size_t count;

	if (f->advisories_given)
		judge_given(c);
	if (!c->advisories || !advisories_know(c->advisories, f->ecosystem, f->name))
		return;
	scratch = arena_new(4 * MIB);
	count = scratch ? advisories_match(c->advisories, f->ecosystem, f->name, f->version, c->now, scratch, &found) : 0;
	if (!scratch || arena_failed(scratch)) {
		/* Rule 1: what cannot be evaluated holds. */
		struct reason r = {.code = REASON_MALWARE, .verdict = VERDICT_HOLD, .mode = MODE_ENFORCE, .until = USEC_NEVER};

		speak(c, r, STR("its advisories could not be read: out of memory"));
		return;
	}
	for (size_t i = 0, heard = 0; i < count && heard < ADVISORY_REASONS; i++)
		heard += judge_advisory(c, &found[i]);
}

bool is_security_fix(struct deciding *c, struct str *ret_id)
{
	const struct version_facts *f = c->facts;
	CLEANUP_ARENA struct arena *scratch = NULL;
	enum severity severity;
	struct str id;

	*ret_id = f->fixes;
	if (f->advisories_given)
		return f->fixes.n > 0;
	if (!c->advisories || !advisories_know(c->advisories, f->ecosystem, f->name))
		return false;
	scratch = arena_new(1 * MIB);
	if (!scratch || !advisories_fixed_by(c->advisories, f->ecosystem, f->name, f->version, c->now, scratch, &id, &severity))
		return false;
	*ret_id = c->texts ? arena_str(c->texts, id) : STR_NULL;
	return true;
}
