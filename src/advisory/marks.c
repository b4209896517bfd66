#include "advisory/marks.h"

#include <stdlib.h>

struct mark {
	struct mark *next;      /* of the same package */
	struct version version; /* text empty: every version */
	struct str id, why;
};

struct marks {
	struct map packages[2]; /* name -> struct mark */
};

static bool same_version(const struct version *a, const struct version *b)
{
	if (a->ordered && b->ordered)
		return version_compare(a, b) == 0;
	return str_eq(a->text, b->text);
}

static struct mark *find(struct mark *list, const struct version *v, struct str id)
{
	for (; list; list = list->next)
		if (str_eq(list->id, id) && same_version(&list->version, v))
			return list;
	return NULL;
}

int marks_put(struct marks **m, struct arena *a, enum ecosystem e, struct str name, struct str version, struct str id, struct str why)
{
	char room[NAME_ROOM];
	struct str key = index_name(e, name, room);
	struct version v = {.ecosystem = e};
	struct mark *list, *mark;

	if (!*m)
		*m = calloc(1, sizeof(**m));
	if (!*m)
		return -ENOMEM;
	if (version.n)
		version_read(a, e, arena_str(a, version), &v);
	list = map_get(&(*m)->packages[e], key);
	mark = find(list, &v, id);
	if (!mark) {
		mark = ARENA_NEW(a, struct mark);
		if (!mark)
			return -ENOMEM;
		*mark = (struct mark){.next = list, .version = v, .id = arena_str(a, id)};
		key = arena_str(a, key);
		if (!key.p || !mark->id.p || map_put(&(*m)->packages[e], key, mark) < 0)
			return -ENOMEM;
	}
	mark->why = arena_str(a, why);
	return mark->why.p || !why.n ? 0 : -ENOMEM;
}

static bool is_called(const struct advisory *a, struct str id)
{
	if (str_eq(a->id, id))
		return true;
	for (size_t i = 0; i < a->alias_count; i++)
		if (str_eq(a->aliases[i], id))
			return true;
	return false;
}

/* A mark on the very version is heard before one on all of them. */
static struct str why_not(const struct mark *list, const struct version *v, const struct advisory *a)
{
	struct str of_all = STR_NULL;

	for (; list; list = list->next) {
		bool every = list->version.text.n == 0;

		if (!is_called(a, list->id) || (!every && !same_version(&list->version, v)))
			continue;
		if (!every)
			return list->why;
		of_all = list->why;
	}
	return of_all;
}

void marks_apply(const struct marks *m, enum ecosystem e, struct str name, struct str version, struct arena *scratch,
                 struct advisory *array, size_t count)
{
	char room[NAME_ROOM];
	const struct mark *list = m ? map_get(&m->packages[e], index_name(e, name, room)) : NULL;
	struct version v;
	size_t affected = 0;

	if (!list || count == 0)
		return;
	version_read(scratch, e, version, &v);
	for (size_t i = 0; i < count; i++)
		if (array[i].kind != ADVISORY_MALWARE)
			array[i].not_affected = why_not(list, &v, &array[i]);
	for (size_t i = 0; i < count; i++) {
		struct advisory one = array[i];
		size_t at = i;

		if (one.not_affected.n)
			continue;
		for (; at > affected; at--)
			array[at] = array[at - 1];
		array[affected++] = one;
	}
}

void marks_free(struct marks *m)
{
	if (!m)
		return;
	map_free(&m->packages[ECOSYSTEM_NPM]);
	map_free(&m->packages[ECOSYSTEM_NUGET]);
	free(m);
}
