#include "gate/adopted.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/map.h"

enum { NAME_MOST = 512 };

struct adopted_names {
	_Atomic int refs;
	struct arena *arena;
	struct map names;
};

struct adopted_names *adopted_names_new(const struct str *texts, size_t count)
{
	struct adopted_names *n = count ? calloc(1, sizeof(*n)) : NULL;
	bool failed;

	if (!n)
		return NULL;
	atomic_init(&n->refs, 1);
	n->arena = arena_new(256 * MIB);
	failed = !n->arena;
	for (size_t i = 0; i < count && !failed; i++) {
		struct str name = arena_str(n->arena, texts[i]);

		failed = !name.p || map_put(&n->names, name, n) < 0;
	}
	if (!failed)
		return n;
	adopted_names_unref(n);
	return NULL;
}

struct adopted_names *adopted_names_ref(struct adopted_names *n)
{
	if (n)
		atomic_fetch_add(&n->refs, 1);
	return n;
}

void adopted_names_unref(struct adopted_names *n)
{
	if (!n || atomic_fetch_sub(&n->refs, 1) != 1)
		return;
	map_free(&n->names);
	arena_free(n->arena);
	free(n);
}

bool adopted_names_have(const struct adopted_names *n, enum ecosystem e, struct str name)
{
	char text[NAME_MOST];
	int length;

	if (!n || name.n > NAME_MOST - 16)
		return false;
	length = snprintf(text, sizeof(text), "%s:%.*s", ecosystem_name(e), STR_ARG(name));
	return length > 0 && map_get(&n->names, (struct str){text, (size_t)length}) != NULL;
}
