/* The questions about who needs whom: which of them are for development only, and why is this here. */
#include "scan/lock.h"

void lock_link(struct lock *l, lock_target *target)
{
	for (uint32_t i = 0; i < l->count; i++)
		for (uint32_t n = l->packages[i].needs; n != LOCK_NONE; n = l->needs[n].next)
			if (l->needs[n].to == LOCK_NONE)
				l->needs[n].to = target(l, i, &l->needs[n]);
}

static bool is_beginning(const struct lock_package *p)
{
	return p->source == LOCK_PROJECT || p->source == LOCK_WORKSPACE;
}

/* Everything that can be reached from the projects over needs that are not in `without` (bits by need_kind). */
static void reach(const struct lock *l, unsigned without, bool *reached, uint32_t *queue)
{
	uint32_t head = 0, tail = 0;

	for (uint32_t i = 0; i < l->count; i++) {
		reached[i] = is_beginning(&l->packages[i]);
		if (reached[i])
			queue[tail++] = i;
	}
	while (head < tail) {
		for (uint32_t n = l->packages[queue[head++]].needs; n != LOCK_NONE; n = l->needs[n].next) {
			uint32_t to = l->needs[n].to;

			if (to == LOCK_NONE || reached[to] || without & 1u << l->needs[n].kind)
				continue;
			reached[to] = true;
			queue[tail++] = to;
		}
	}
}

int lock_mark(struct lock *l)
{
	size_t n = l->count ? l->count : 1;
	CLEANUP_FREE bool *all = calloc(n, 1), *without = calloc(n, 1);
	CLEANUP_FREE uint32_t *queue = calloc(n, sizeof(*queue));

	if (!all || !without || !queue)
		return -ENOMEM;
	reach(l, 0, all, queue);
	reach(l, 1u << NEED_DEV, without, queue);
	/* What nothing leads to is not called a development dependency: nobody knows. */
	for (uint32_t i = 0; i < l->count; i++)
		if (all[i] && !without[i])
			l->packages[i].flags |= LOCK_DEV;
	reach(l, 1u << NEED_OPTIONAL, without, queue);
	for (uint32_t i = 0; i < l->count; i++)
		if (all[i] && !without[i])
			l->packages[i].flags |= LOCK_OPTIONAL;
	return 0;
}

static uint32_t begin_at_projects(struct lock *l, uint32_t *queue)
{
	uint32_t tail = 0;
	bool any = false;

	/* The project before its members, so that ways begin at the top where they can. */
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < l->count; i++) {
			struct lock_package *p = &l->packages[i];

			if (p->source != (pass ? LOCK_WORKSPACE : LOCK_PROJECT))
				continue;
			p->via = i;
			queue[tail++] = i;
			for (uint32_t n = p->needs; n != LOCK_NONE && !any; n = l->needs[n].next)
				any = l->needs[n].to != LOCK_NONE;
		}
	return any ? tail : 0;
}

static uint32_t begin_at_unneeded(struct lock *l, uint32_t *queue)
{
	uint32_t tail = 0;

	for (uint32_t i = 0; i < l->count; i++)
		l->packages[i].via = i;
	for (uint32_t n = 0; n < l->need_count; n++)
		if (l->needs[n].to != LOCK_NONE)
			l->packages[l->needs[n].to].via = LOCK_NONE;
	for (uint32_t i = 0; i < l->count; i++)
		if (l->packages[i].via == i)
			queue[tail++] = i;
	return tail;
}

int lock_paths(struct lock *l)
{
	CLEANUP_FREE uint32_t *queue = calloc(l->count ? l->count : 1, sizeof(*queue));
	uint32_t head = 0, tail;

	if (!queue)
		return -ENOMEM;
	tail = begin_at_projects(l, queue);
	if (tail == 0)
		tail = begin_at_unneeded(l, queue);
	while (head < tail) {
		uint32_t from = queue[head++];

		for (uint32_t n = l->packages[from].needs; n != LOCK_NONE; n = l->needs[n].next) {
			uint32_t to = l->needs[n].to;

			if (to == LOCK_NONE || l->packages[to].via != LOCK_NONE)
				continue;
			l->packages[to].via = from;
			queue[tail++] = to;
		}
	}
	return 0;
}
