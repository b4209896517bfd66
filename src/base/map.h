/* A hash table from text to pointer: open addressing, XXH3 seeded once a process from getrandom(2), so that names chosen
 * by a stranger cannot be made to collide. Keys are not copied: they must live as long as the entry. Not thread-safe. */
#ifndef BONDGATE_BASE_MAP_H
#define BONDGATE_BASE_MAP_H

#include "base/cleanup.h"
#include "base/str.h"

struct map_slot {
	struct str key;
	void *value; /* NULL: free */
	uint32_t hash;
};

struct map {
	struct map_slot *slots;
	size_t used, mask; /* mask: slots - 1, a power of two less one; 0 when there are none */
};

#define MAP_EMPTY ((struct map){0})

void map_free(struct map *m);
#define CLEANUP_MAP CLEANUP(map_free)

/* The value, or NULL. */
void *map_get(const struct map *m, struct str key);
/* Puts or replaces; `value` must not be NULL. The key of an entry that exists is replaced as well. 0 or -ENOMEM. */
int map_put(struct map *m, struct str key, void *value);
/* Takes an entry out and returns its value, or NULL. */
void *map_remove(struct map *m, struct str key);

/* for (size_t i = 0; map_next(m, &i, &key, &value);) … — the map must not change meanwhile. */
bool map_next(const struct map *m, size_t *position, struct str *ret_key, void **ret_value);

/* The seeded hash itself. */
uint64_t hash_bytes(const void *bytes, size_t n);

#endif
