/* The index in memory: packages by name, each with what the records say of it. */
#include "advisory/internal.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "advisory/mapped.h"
#include "advisory/marks.h"
#include "base/limits.h"

#define INDEX_BYTES (2 * GIB)

struct advisories *advisories_empty(void)
{
	struct advisories *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->refs = 1;
	a->arena = arena_new(INDEX_BYTES);
	if (a->arena)
		return a;
	free(a);
	return NULL;
}

struct advisories *advisories_ref(struct advisories *a)
{
	if (a)
		atomic_fetch_add(&a->refs, 1);
	return a;
}

void advisories_unref(struct advisories *a)
{
	if (!a || atomic_fetch_sub(&a->refs, 1) != 1)
		return;
	mapped_free(a->mapped);
	marks_free(a->marks);
	map_free(&a->packages[ECOSYSTEM_NPM]);
	map_free(&a->packages[ECOSYSTEM_NUGET]);
	arena_free(a->arena);
	free(a);
}

uint64_t advisories_digest(const struct advisories *a)
{
	uint64_t digest = a->digest;

	for (const struct mapped *m = a->mapped; m; m = mapped_next(m))
		digest += mapped_digest(m);
	return digest;
}

int advisories_mark(struct advisories *a, enum ecosystem e, struct str name, struct str version, struct str id, struct str why)
{
	const struct str parts[] = {str_of(ecosystem_name(e)), name, version, id, why};
	CLEANUP_BUF struct buf text = BUF(MIB);

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		buf_printf(&text, "%zu:%.*s", parts[i].n, STR_ARG(parts[i]));
	if (text.error)
		return text.error;
	/* Not a plain sum: of two marks on the same the later one counts. */
	a->digest = a->digest * 31 + osv_digest(buf_str(&text));
	return marks_put(&a->marks, a->arena, e, name, version, id, why);
}

/* ---- names ---- */

/* NuGet's names are one whatever their case; npm's are not. A name that does not fit is not a name. */
struct str index_name(enum ecosystem e, struct str name, char room[static NAME_ROOM])
{
	if (e == ECOSYSTEM_NPM || name.n > NAME_ROOM)
		return name;
	for (size_t i = 0; i < name.n; i++)
		room[i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32 : name.p[i]);
	return (struct str){room, name.n};
}

const struct package *index_find(const struct advisories *a, enum ecosystem e, struct str name)
{
	char room[NAME_ROOM];

	return map_get(&a->packages[e], index_name(e, name, room));
}

struct affected *index_affected(struct advisories *a, enum ecosystem e, struct str name, const struct record *record,
                                struct affected **of_record)
{
	char room[NAME_ROOM];
	struct str key = index_name(e, name, room);
	struct package *p = map_get(&a->packages[e], key);
	struct affected *f;

	/* What a record says of one package in several places is one thing. */
	if (p && p->first && p->first->record == record)
		return p->first;
	if (!p) {
		p = ARENA_NEW(a->arena, struct package);
		if (!p)
			return NULL;
		p->name = arena_str(a->arena, key);
		p->ecosystem = e;
		if (!p->name.p || map_put(&a->packages[e], p->name, p) < 0)
			return NULL;
	}
	f = ARENA_NEW(a->arena, struct affected);
	if (!f)
		return NULL;
	*f = (struct affected){.next = p->first, .of_record = *of_record, .package = p, .record = record};
	p->first = f;
	*of_record = f;
	return f;
}

void index_forget(struct affected *of_record)
{
	for (; of_record; of_record = of_record->of_record)
		of_record->package->first = of_record->next;
}
