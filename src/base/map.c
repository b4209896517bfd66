#include "base/map.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static uint64_t seed;
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

static void draw_seed(void)
{
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		seed = (uint64_t)(uintptr_t)&seed ^ 0x9e3779b97f4a7c15u;
}

uint64_t hash_bytes(const void *bytes, size_t n)
{
	pthread_once(&seeded, draw_seed);
	return XXH3_64bits_withSeed(n ? bytes : "", n, seed);
}

void map_free(struct map *m)
{
	free(m->slots);
	*m = MAP_EMPTY;
}

static struct map_slot *find(const struct map *m, struct str key, uint32_t hash)
{
	for (size_t i = hash & m->mask;; i = (i + 1) & m->mask) {
		struct map_slot *slot = &m->slots[i];

		if (!slot->value || (slot->hash == hash && str_eq(slot->key, key)))
			return slot;
	}
}

void *map_get(const struct map *m, struct str key)
{
	return m->slots ? find(m, key, (uint32_t)hash_bytes(key.p, key.n))->value : NULL;
}

static int grow(struct map *m)
{
	size_t slots = m->slots ? (m->mask + 1) * 2 : 16;
	struct map bigger = {.slots = calloc(slots, sizeof(*bigger.slots)), .used = m->used, .mask = slots - 1};

	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; m->slots && i <= m->mask; i++)
		if (m->slots[i].value)
			*find(&bigger, m->slots[i].key, m->slots[i].hash) = m->slots[i];
	free(m->slots);
	*m = bigger;
	return 0;
}

int map_put(struct map *m, struct str key, void *value)
{
	uint32_t hash = (uint32_t)hash_bytes(key.p, key.n);
	struct map_slot *slot;

	if (!m->slots || (m->used + 1) * 4 > (m->mask + 1) * 3) {
		int r = grow(m);

		if (r < 0)
			return r;
	}
	slot = find(m, key, hash);
	if (!slot->value)
		m->used++;
	*slot = (struct map_slot){key, value, hash};
	return 0;
}

void *map_remove(struct map *m, struct str key)
{
	struct map_slot *slot = m->slots ? find(m, key, (uint32_t)hash_bytes(key.p, key.n)) : NULL;
	void *value = slot ? slot->value : NULL;
	size_t hole, i;

	if (!value)
		return NULL;
	m->used--;
	/* Close the gap: move back every later entry of the run whose home is not between the hole and itself. */
	hole = (size_t)(slot - m->slots);
	for (i = (hole + 1) & m->mask; m->slots[i].value; i = (i + 1) & m->mask) {
		size_t home = m->slots[i].hash & m->mask;

		if (((i - home) & m->mask) >= ((i - hole) & m->mask)) {
			m->slots[hole] = m->slots[i];
			hole = i;
		}
	}
	m->slots[hole].value = NULL;
	return value;
}

bool map_next(const struct map *m, size_t *position, struct str *ret_key, void **ret_value)
{
	for (; m->slots && *position <= m->mask; (*position)++) {
		const struct map_slot *slot = &m->slots[*position];

		if (!slot->value)
			continue;
		if (ret_key)
			*ret_key = slot->key;
		if (ret_value)
			*ret_value = slot->value;
		(*position)++;
		return true;
	}
	return false;
}
