#include "policy/look_alike.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/map.h"
#include "policy/skeleton.h"

enum { ECOSYSTEMS = 2, SHORTEST_SAME = 5, SHORTEST_SCOPE = 5, SHORTEST_SCOPE_SLIP = 6, NAME_ROOM = 256, SLIPS = 2 };
#define LOOK_ALIKE_BYTES (256 * MIB)

struct protected_name {
	struct str name;
	struct skeleton shape;
};

struct names {
	struct map exact;             /* NuGet's in lower case */
	struct map shapes;            /* letters of the skeleton -> struct protected_name */
	struct map scopes;            /* "@acme" -> struct protected_name */
	struct protected_name **list; /* unscoped ones; after look_alikes_finish by length */
	size_t count, room;
	size_t of_length[SKELETON_BYTES + 2]; /* where those of a length begin */
	uint64_t *masks;                      /* of the list, side by side: most names differ by more letters than are looked for */
};

struct look_alikes {
	struct arena *arena;
	struct names of[ECOSYSTEMS];
};

struct look_alikes *look_alikes_new(void)
{
	struct look_alikes *l = calloc(1, sizeof(*l));

	if (l)
		l->arena = arena_new(LOOK_ALIKE_BYTES);
	if (l && l->arena)
		return l;
	free(l);
	return NULL;
}

void look_alikes_free(struct look_alikes *l)
{
	if (!l)
		return;
	for (size_t e = 0; e < ECOSYSTEMS; e++) {
		map_free(&l->of[e].exact);
		map_free(&l->of[e].shapes);
		map_free(&l->of[e].scopes);
	}
	arena_free(l->arena);
	free(l);
}

/* ---- names ---- */

/* The name as it is compared letter by letter: NuGet's whatever their case. */
static struct str plain(enum ecosystem e, struct str name, char room[static NAME_ROOM])
{
	if (e == ECOSYSTEM_NPM || name.n > NAME_ROOM)
		return name;
	for (size_t i = 0; i < name.n; i++)
		room[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] + 32) : name.p[i];
	return (struct str){room, name.n};
}

/* "@acme" of "@acme/tool", and of a scope itself; empty: it has none. */
static struct str scope_of(enum ecosystem e, struct str name, struct str *ret_rest)
{
	ptrdiff_t slash = str_chr(name, '/');

	*ret_rest = slash < 0 ? STR_NULL : str_skip(name, (size_t)slash + 1);
	return e == ECOSYSTEM_NPM && slash > 1 && name.p[0] == '@' ? str_take(name, (size_t)slash) : STR_NULL;
}

static int keep(struct look_alikes *l, struct names *n, struct protected_name *p)
{
	if (n->count == n->room) {
		size_t room = n->room ? 2 * n->room : 64;
		struct protected_name **longer = ARENA_ARRAY(l->arena, struct protected_name *, room);

		if (!longer)
			return -ENOMEM;
		if (n->count)
			memcpy(longer, n->list, n->count * sizeof(struct protected_name *));
		n->list = longer;
		n->room = room;
	}
	n->list[n->count++] = p;
	return 0;
}

static struct protected_name *make(struct look_alikes *l, struct str name)
{
	struct protected_name *p = ARENA_NEW(l->arena, struct protected_name);

	if (p)
		p->name = name;
	/* One that is too long to be compared is still protected from nothing but itself. */
	if (p && !skeleton_make(name, false, &p->shape))
		p->shape = (struct skeleton){0};
	return p;
}

static int add_scope(struct look_alikes *l, struct names *n, struct str scope)
{
	struct protected_name *p;

	if (map_get(&n->scopes, scope))
		return 0;
	p = make(l, scope);
	return p ? map_put(&n->scopes, scope, p) : -ENOMEM;
}

int look_alikes_add(struct look_alikes *l, enum ecosystem e, struct str name)
{
	struct names *n = &l->of[e];
	char room[NAME_ROOM];
	struct str key = plain(e, name, room), rest, scope = scope_of(e, name, &rest);
	struct protected_name *p;

	if (e == ECOSYSTEM_NPM && name.n > 1 && name.p[0] == '@' && str_chr(name, '/') < 0)
		return add_scope(l, n, name);
	if (map_get(&n->exact, key))
		return 0;
	p = make(l, name);
	if (!p || (key.p != name.p && !(key = arena_str(l->arena, key)).p) || map_put(&n->exact, key, p) < 0)
		return -ENOMEM;
	if (p->shape.n && !map_get(&n->shapes, skeleton_letters(&p->shape)) && map_put(&n->shapes, skeleton_letters(&p->shape), p) < 0)
		return -ENOMEM;
	if (scope.n)
		return add_scope(l, n, scope);
	return p->shape.n ? keep(l, n, p) : 0;
}

int look_alikes_finish(struct look_alikes *l)
{
	for (size_t e = 0; e < ECOSYSTEMS; e++) {
		struct names *n = &l->of[e];
		struct protected_name **sorted = ARENA_ARRAY(l->arena, struct protected_name *, n->count ? n->count : 1);
		size_t next[SKELETON_BYTES + 2] = {0};

		n->masks = ARENA_ARRAY(l->arena, uint64_t, n->count ? n->count : 1);
		if (!sorted || !n->masks)
			return -ENOMEM;
		for (size_t i = 0; i < n->count; i++)
			next[n->list[i]->shape.n + 1]++;
		for (size_t i = 1; i < SKELETON_BYTES + 2; i++)
			next[i] += next[i - 1];
		memcpy(n->of_length, next, sizeof(next));
		for (size_t i = 0; i < n->count; i++)
			sorted[next[n->list[i]->shape.n]++] = n->list[i];
		n->list = sorted;
		for (size_t i = 0; i < n->count; i++)
			n->masks[i] = sorted[i]->shape.mask;
	}
	return arena_failed(l->arena) ? -ENOMEM : 0;
}

/* ---- the built-in ones ---- */

static const char *const popular_npm[] = {
#include "policy/popular_npm.inc"
};
static const char *const popular_nuget[] = {
#include "policy/popular_nuget.inc"
};

static struct look_alikes *popular;

static void make_popular(void)
{
	struct look_alikes *l = look_alikes_new();
	int r = l ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < sizeof(popular_npm) / sizeof(popular_npm[0]); i++)
		r = look_alikes_add(l, ECOSYSTEM_NPM, str_of(popular_npm[i]));
	for (size_t i = 0; r == 0 && i < sizeof(popular_nuget) / sizeof(popular_nuget[0]); i++)
		r = look_alikes_add(l, ECOSYSTEM_NUGET, str_of(popular_nuget[i]));
	if (r == 0 && look_alikes_finish(l) == 0)
		popular = l;
	else
		look_alikes_free(l);
}

const struct look_alikes *look_alikes_popular(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_popular);
	return popular;
}

/* ---- the questions ---- */

bool look_alikes_have(const struct look_alikes *l, enum ecosystem e, struct str name)
{
	char room[NAME_ROOM];
	struct str rest, scope = scope_of(e, name, &rest);

	return map_get(&l->of[e].exact, plain(e, name, room)) || (scope.n && map_get(&l->of[e].scopes, scope));
}

/* Another's scope: the same shape, a slip in a long one, or a smaller slip with a package of the same name behind it. */
static struct str find_scope(const struct names *n, struct str scope, struct str rest)
{
	struct skeleton shape;
	struct str known;
	void *value;

	if (!skeleton_make(scope, false, &shape))
		return STR_NULL;
	for (size_t i = 0; map_next(&n->scopes, &i, &known, &value);) {
		const struct protected_name *p = value;
		char both[NAME_ROOM];
		struct str whole = {both, known.n + 1 + rest.n};

		if (p->shape.n && str_eq(skeleton_letters(&shape), skeleton_letters(&p->shape)))
			return known;
		if (p->shape.n >= SHORTEST_SCOPE_SLIP && skeleton_is_near(&shape, &p->shape, 1))
			return known;
		if (p->shape.n < SHORTEST_SCOPE || whole.n > NAME_ROOM ||
		    skeleton_edits(skeleton_letters(&shape), skeleton_letters(&p->shape)) != 1)
			continue;
		memcpy(both, known.p, known.n);
		both[known.n] = '/';
		memcpy(both + known.n + 1, rest.p, rest.n);
		if (map_get(&n->exact, whole))
			return known;
	}
	return STR_NULL;
}

static const struct protected_name *of_shape(const struct names *n, struct str letters)
{
	return letters.n >= SHORTEST_SAME ? map_get(&n->shapes, letters) : NULL;
}

/* "lodash.js" and "lodashjs" of "lodash". */
static const struct protected_name *with_js(const struct names *n, const struct skeleton *shape)
{
	struct str letters = skeleton_letters(shape);
	const struct protected_name *p = str_ends(letters, STR("js")) ? of_shape(n, str_take(letters, letters.n - 2)) : NULL;

	return p && p->name.p[0] != '@' ? p : NULL;
}

static const struct protected_name *a_slip_away(const struct names *n, const struct skeleton *shape)
{
	size_t from = shape->n > 2 ? shape->n - 2 : 0, to = shape->n + 3 < SKELETON_BYTES + 1 ? shape->n + 3 : SKELETON_BYTES + 1;

	for (size_t i = n->of_length[from]; i < n->of_length[to]; i++)
		if (skeleton_may_be_near(shape->mask, n->masks[i], SLIPS) && skeleton_is_near(shape, &n->list[i]->shape, SLIPS))
			return n->list[i];
	return NULL;
}

static struct str find_shape(const struct names *n, enum ecosystem e, struct str name, bool capital_i)
{
	const struct protected_name *p;
	struct skeleton shape;

	if (!skeleton_make(name, capital_i, &shape))
		return STR_NULL;
	p = of_shape(n, skeleton_letters(&shape));
	/* An I read as an l is an imitation only if all of it fits. */
	if (!p && !capital_i && e == ECOSYSTEM_NPM)
		p = with_js(n, &shape);
	if (!p && !capital_i)
		p = a_slip_away(n, &shape);
	if (!p && shape.mixed)
		return STR(LOOK_ALIKE_LATIN);
	return p ? p->name : STR_NULL;
}

struct str look_alikes_find(const struct look_alikes *l, enum ecosystem e, struct str name)
{
	const struct names *n = &l->of[e];
	struct str rest, scope = scope_of(e, name, &rest), found;

	if (look_alikes_have(l, e, name))
		return STR_NULL;
	if (scope.n)
		return find_scope(n, scope, rest);
	found = find_shape(n, e, name, false);
	if (!found.n && str_chr(name, 'I') >= 0)
		found = find_shape(n, e, name, true);
	return found;
}
