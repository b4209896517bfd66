#include "scan/ways.h"

static void shortest(const struct lock *l, uint32_t at, struct way *ret)
{
	uint32_t reversed[WAY_STEPS];
	size_t n = 0;

	while (at != LOCK_NONE && n < WAY_STEPS) {
		const struct lock_package *p = &l->packages[at];

		if (p->source != LOCK_PROJECT && !(p->flags & LOCK_HIDDEN))
			reversed[n++] = at;
		if (p->via == at)
			break;
		at = p->via;
	}
	ret->count = n;
	for (size_t i = 0; i < n; i++)
		ret->steps[i] = reversed[n - 1 - i];
}

static bool is_same(const struct lock *l, const struct way *a, const struct way *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (l->packages[a->steps[i]].listed != l->packages[b->steps[i]].listed)
			return false;
	return true;
}

/* By another one that needs it: the way there, and the package itself. */
static bool add_over(const struct lock *l, uint32_t needer, uint32_t package, struct way *ways, size_t n)
{
	struct way *way = &ways[n];

	if (l->packages[needer].via == LOCK_NONE)
		return false;
	shortest(l, needer, way);
	if (way->count == WAY_STEPS)
		return false;
	for (size_t i = 0; i < way->count; i++)
		if (way->steps[i] == package)
			return false;
	way->steps[way->count++] = package;
	for (size_t i = 0; i < n; i++)
		if (is_same(l, &ways[i], way))
			return false;
	return true;
}

size_t lock_ways(const struct lock *l, uint32_t listed, uint32_t package, struct way ret[WAYS])
{
	size_t n = 1;

	shortest(l, package, &ret[0]);
	for (uint32_t i = 0; listed != LOCK_NONE && i < l->count && n < WAYS; i++)
		for (uint32_t k = l->packages[i].needs; k != LOCK_NONE && n < WAYS; k = l->needs[k].next)
			if (l->needs[k].to != LOCK_NONE && l->packages[l->needs[k].to].listed == listed)
				n += add_over(l, i, l->needs[k].to, ret, n);
	return n;
}

bool lock_is_direct(const struct lock *l, uint32_t package)
{
	uint32_t via = l->packages[package].via;

	if (via == package)
		return l->packages[package].source != LOCK_PROJECT;
	/* A link is only the way to what it stands for. */
	while (via != LOCK_NONE && l->packages[via].flags & LOCK_HIDDEN && l->packages[via].via != via)
		via = l->packages[via].via;
	return via != LOCK_NONE && (l->packages[via].source == LOCK_PROJECT || l->packages[via].source == LOCK_WORKSPACE);
}
