#include "gate/facts.h"

/* Rule 8: a version that vanishes this soon after its publication was taken back, not tidied away. */
#define WITHDRAWN_YOUNG_AGE (30 * USEC_DAY)

static enum withdrawal withdrawal_of(const struct npm_packument *p, const struct npm_version *v)
{
	if (!v->ghost)
		return WITHDRAWN_NOT;
	if (npm_packument_placeholder(p))
		return WITHDRAWN_PLACEHOLDER;
	return v->gone_at - v->published < WITHDRAWN_YOUNG_AGE ? WITHDRAWN_YOUNG : WITHDRAWN_OLD;
}

void facts_of(const struct npm_packument *p, const struct npm_version *v, const struct origin *origin, usec now, struct version_facts *ret)
{
	*ret = (struct version_facts){
		.ecosystem = ECOSYSTEM_NPM,
		.name = npm_packument_name(p),
		.version = v->version,
		/* A clock that was set back must not make a version older, nor leave it in the future for ever. */
		.published = v->published < now ? v->published : now,
		.upstream_time = v->upstream_time,
		.first_seen = v->first_seen,
		.lacked_at = v->lacked_at,
		.package_published = npm_packument_first_published(p),
		.integrity = v->integrity,
		.shasum = v->shasum,
		.own_origin = !origin->is_default,
		.origin_cooldown = origin->cooldown,
		.hash_changed = v->hash_changed,
		.hash_first = v->hash_first,
		.hash_now = v->integrity.n ? v->integrity : v->shasum,
		.mismatch = v->mismatch,
		.withdrawal = withdrawal_of(p, v),
		.withdrawn_at = v->gone_at,
		.trust =
			{
				.publishers = &v->publisher,
				.publisher_count = v->publisher.n != 0,
				.trusted_publisher = v->trusted_publisher,
				.provenance = v->provenance,
				.continuity = v->continuity,
				.install_script = v->install_script_gained,
				.binary = v->binary_gained,
				.remote_dependency = v->remote_gained,
				.signature = v->signature,
			},
	};
}
