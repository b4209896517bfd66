#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>

/* Blocks grow with what is asked for: what is kept by the thousand (a clearance) is often a few hundred bytes. */
enum { FIRST_BLOCK_BYTES = 1024, BLOCK_BYTES = 16 * 1024, ALIGNMENT = 16 };

struct block {
	struct block *next;
	size_t used, size;
	_Alignas(ALIGNMENT) char bytes[];
};

struct arena {
	struct block *blocks;
	size_t used, max;
	bool failed;
};

struct arena *arena_new(size_t max_bytes)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a)
		a->max = max_bytes;
	return a;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	while (a->blocks) {
		struct block *next = a->blocks->next;

		free(a->blocks);
		a->blocks = next;
	}
	free(a);
}

static size_t block_size(const struct arena *a)
{
	size_t size = 3 * a->used;

	return size < FIRST_BLOCK_BYTES ? FIRST_BLOCK_BYTES : size < BLOCK_BYTES ? size : BLOCK_BYTES;
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct block *b = a->blocks;
	size_t rounded = (n + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	void *result;

	if (rounded < n || rounded > a->max - a->used) {
		a->failed = true;
		return NULL;
	}
	if (rounded == 0)
		rounded = ALIGNMENT;
	if (!b || rounded > b->size - b->used) {
		size_t block = block_size(a), size = rounded > block / 4 ? rounded : block;
		struct block *fresh = calloc(1, sizeof(*fresh) + size);

		if (!fresh) {
			a->failed = true;
			return NULL;
		}
		fresh->size = size;
		if (b && size == rounded) {
			/* A large piece gets a block of its own behind the current one, whose rest stays usable. */
			fresh->next = b->next;
			b->next = fresh;
		} else {
			fresh->next = b;
			a->blocks = fresh;
		}
		b = fresh;
	}
	result = b->bytes + b->used;
	b->used += rounded;
	a->used += rounded;
	return result;
}

void *arena_alloc_array(struct arena *a, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total)) {
		a->failed = true;
		return NULL;
	}
	return arena_alloc(a, total);
}

struct str arena_str(struct arena *a, struct str s)
{
	char *copy = s.n < SIZE_MAX ? arena_alloc(a, s.n + 1) : NULL;

	if (!copy)
		return STR_NULL;
	if (s.n)
		memcpy(copy, s.p, s.n);
	return (struct str){copy, s.n};
}

struct str arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	int n;
	char *to;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	to = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
	if (!to)
		return STR_NULL;
	va_start(args, format);
	vsnprintf(to, (size_t)n + 1, format, args);
	va_end(args);
	return (struct str){to, (size_t)n};
}

bool arena_failed(const struct arena *a)
{
	return a->failed;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}
