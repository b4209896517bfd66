#include "gate/reach_edges.h"

#include "base/limits.h"
#include "base/map.h"
#include "codec/json.h"
#include "gate/facts.h"
#include "gate/reach_internal.h"

/* Lockfiles are rarely older. */
#define RECENT_AGE (730 * USEC_DAY)

static void add(struct edges *e, struct map *seen, size_t *room, struct str name, unsigned urgency)
{
	uintptr_t at = (uintptr_t)map_get(seen, name);

	if (at) {
		if (urgency < e->list[at - 1].urgency)
			e->list[at - 1].urgency = urgency;
		return;
	}
	/* What is no name is nowhere, and is not put into an upstream's URL. */
	if (npm_name_check(name, NULL) < 0)
		return;
	if (e->count == *room) {
		struct edge *grown = reallocarray(e->list, *room = *room ? *room * 2 : 64, sizeof(*grown));

		if (!grown)
			abort();
		e->list = grown;
	}
	e->list[e->count++] = (struct edge){name, urgency};
	if (map_put(seen, name, (void *)e->count) < 0)
		abort();
}

void edges_of(const struct npm_packument *p, struct rules *rules, const struct origin *origin, bool as_root, usec now, struct edges *ret)
{
	size_t count = npm_packument_version_count(p), room = 0;
	CLEANUP_MAP struct map seen = MAP_EMPTY;
	ptrdiff_t newest = -1;

	ret->next_change = USEC_NEVER;
	ret->arena = arena_new(64 * MIB);
	if (!ret->arena)
		abort();
	for (size_t i = count; i-- > 0;) {
		struct npm_version v;
		struct version_facts facts;
		struct decision d;
		unsigned urgency;

		npm_packument_version(p, i, &v);
		facts_of(p, &v, origin, now, &facts);
		facts.name_known = true;
		if (!as_root)
			facts.reached_from = STR("an approved root");
		decide(rules->policy, rules->advisories, &facts, now, NULL, &d);
		if (d.next_change < ret->next_change)
			ret->next_change = d.next_change;
		if (d.verdict != VERDICT_ALLOW)
			continue;
		/* The versions are in the order of the document, which is that of publication but for odd ones. */
		if (newest < 0 && !v.semver.pre.n)
			newest = (ptrdiff_t)i;
		urgency = newest == (ptrdiff_t)i ? NEWEST : now - v.published < RECENT_AGE ? RECENT : REST;
		for (uint32_t k = 0; k < v.dependency_count; k++)
			add(ret, &seen, &room, npm_version_dependency(&v, k), urgency);
	}
}

void edges_free(struct edges *e)
{
	free(e->list);
	arena_free(e->arena);
}
