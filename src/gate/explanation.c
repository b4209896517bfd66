#include "gate/explanation.h"

/* What can still be said of a version that its registry does not have: advisories and lists know names. Its age is nobody's business. */
static void explain_unknown(struct rules *rules, const struct purl *purl, usec now, struct arena *a, struct explanation *ret)
{
	struct decision *d = &ret->decision;

	ret->facts = version_facts_ageless(purl->ecosystem, purl->name, purl->version, STR_NULL);
	decide(rules->policy, rules->advisories, &ret->facts, now, a, d);
	if (d->verdict != VERDICT_ALLOW || d->reason_count == DECISION_REASONS)
		return;
	/* Those in force come first. */
	memmove(d->reasons + 1, d->reasons, d->reason_count * sizeof(d->reasons[0]));
	d->reason_count++;
	d->verdict = VERDICT_HOLD;
	d->until = USEC_NEVER;
	d->reasons[0] = (struct reason){
		.code = REASON_UNKNOWN,
		.verdict = VERDICT_HOLD,
		.mode = MODE_ENFORCE,
		.until = USEC_NEVER,
		.text = arena_printf(a, "%.*s has no version %.*s in its registry", STR_ARG(purl->name), STR_ARG(purl->version)),
		.source = STR("the registry"),
	};
}

int explanation_make(const struct clearance_result *cleared, struct rules *rules, const struct origin *origin, const struct purl *purl,
                     usec now, struct arena *a, struct explanation *ret)
{
	ptrdiff_t at = cleared->clearance ? npm_packument_find(cleared->document->packument, purl->version) : -1;

	ret->listed = at >= 0;
	if (at >= 0) {
		clearance_explain(cleared->clearance, cleared->document, rules, origin, (size_t)at, now, a, &ret->facts, &ret->decision);
		return 0;
	}
	if (origin && !cleared->clearance && cleared->code != -ENOENT)
		return cleared->code;
	explain_unknown(rules, purl, now, a, ret);
	return 0;
}
