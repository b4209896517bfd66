/* Memory that is released all at once: one arena a request, a document or a file.
 * An arena has a maximum; past it, and when memory is out, allocations return NULL and arena_failed() says so. */
#ifndef BONDGATE_BASE_ARENA_H
#define BONDGATE_BASE_ARENA_H

#include "base/cleanup.h"
#include "base/str.h"

struct arena;

/* `max_bytes`: the most it will ever hand out. NULL when memory is out. */
struct arena *arena_new(size_t max_bytes);
void arena_free(struct arena *a);
static inline void arena_free_ptr(struct arena **a)
{
	arena_free(*a);
}
#define CLEANUP_ARENA CLEANUP(arena_free_ptr)

/* Zeroed, aligned to 16 bytes. NULL past the maximum. */
void *arena_alloc(struct arena *a, size_t n);
void *arena_alloc_array(struct arena *a, size_t count, size_t size);
#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, count) ((type *)arena_alloc_array((a), (count), sizeof(type)))

/* NUL-terminated copies (the NUL is not counted). On failure the result has p == NULL and n == 0. */
struct str arena_str(struct arena *a, struct str s);
struct str arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Did an allocation fail since the arena was made? */
bool arena_failed(const struct arena *a);
/* Bytes handed out so far. */
size_t arena_used(const struct arena *a);

#endif
