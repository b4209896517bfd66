#include "gate/explanation.h"

/* What can still be said of a version that its registry does not have (any more): advisories and lists know names. */
static void explain_unknown(struct rules *rules, const struct purl *purl, usec now, struct arena *a, struct explanation *ret)
{
	ret->facts = (struct version_facts){
		.ecosystem = purl->ecosystem,
		.name = purl->name,
		.version = purl->version,
		.published = now,
		.first_seen = now,
		.package_published = now,
		.origin_cooldown = -1,
		.integrity = STR("sha512-unknown"),
		.withdrawal = WITHDRAWN_YOUNG,
		.withdrawn_at = now,
	};
	decide(rules->policy, rules->advisories, &ret->facts, now, a, &ret->decision);
}

int explanation_make(const struct clearance_result *cleared, struct rules *rules, const struct origin *origin, const struct purl *purl,
                     usec now, struct arena *a, struct explanation *ret)
{
	ptrdiff_t at = cleared->clearance ? npm_packument_find(cleared->document->packument, purl->version) : -1;

	if (at >= 0) {
		clearance_explain(cleared->clearance, cleared->document, rules, origin, (size_t)at, now, a, &ret->facts, &ret->decision);
		return 0;
	}
	if (origin && !cleared->clearance && cleared->code != -ENOENT)
		return cleared->code;
	explain_unknown(rules, purl, now, a, ret);
	return 0;
}
