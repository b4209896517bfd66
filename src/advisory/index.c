#include "advisory/internal.h"

#include <dirent.h>
#include <openssl/sha.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "codec/json.h"

#define INDEX_BYTES (2 * GIB)

/* ---- lifetime ---- */

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
	map_free(&a->packages[ECOSYSTEM_NPM]);
	map_free(&a->packages[ECOSYSTEM_NUGET]);
	arena_free(a->arena);
	free(a);
}

uint64_t advisories_digest(const struct advisories *a)
{
	return a->digest;
}

/* ---- names ---- */

enum { NAME_ROOM = 256 };

/* NuGet's names are one whatever their case; npm's are not. A name that does not fit is not a name. */
static struct str index_name(enum ecosystem e, struct str name, char room[static NAME_ROOM])
{
	if (e == ECOSYSTEM_NPM || name.n > NAME_ROOM)
		return name;
	for (size_t i = 0; i < name.n; i++)
		room[i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32 : name.p[i]);
	return (struct str){room, name.n};
}

static const struct package *find(const struct advisories *a, enum ecosystem e, struct str name)
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

/* ---- load ---- */

struct load {
	struct advisories *into;
	size_t records, skipped;
	struct err *err; /* the first problem */
	const char *path;
	struct str text; /* of the file that is read */
};

/* A sum, so that neither the order of files nor a process's seed matters. */
static void add_to_digest(struct load *l, struct str record)
{
	unsigned char sum[SHA256_DIGEST_LENGTH];
	uint64_t part;

	SHA256((const unsigned char *)record.p, record.n, sum);
	memcpy(&part, sum, sizeof(part));
	l->into->digest += part;
}

static void skip_record(struct load *l, const char *problem, const char *where)
{
	size_t byte = where >= l->text.p && where <= l->text.p + l->text.n ? (size_t)(where - l->text.p) : 0;

	if (l->skipped++ == 0)
		err_set(l->err, -EBADMSG, "%s: %s at byte %zu; this advisory is skipped", l->path, problem, byte);
}

static int load_record(struct load *l, struct str json)
{
	struct problem problem;
	int r = osv_read(l->into, json, &problem);

	if (r == -EBADMSG) {
		skip_record(l, problem.text ? problem.text : "a broken record", problem.where ? problem.where : json.p);
		return 0;
	}
	if (r < 0)
		return err_set(l->err, r, "cannot read the advisories of %s: %s", l->path, err_name(r));
	add_to_digest(l, json);
	l->records++;
	return 0;
}

static int load_array(struct load *l)
{
	struct json_reader r;
	struct str slice;
	int result = 0;

	json_init(&r, l->text);
	json_enter_array(&r);
	while (result == 0 && json_next_item(&r)) {
		json_skip(&r, &slice);
		if (!json_failed(&r))
			result = load_record(l, slice);
	}
	if (result == 0 && json_finish(&r, NULL) < 0)
		skip_record(l, r.problem, r.where);
	return result;
}

static int load_file(struct load *l, const char *path)
{
	CLEANUP_BUF struct buf content = BUF(LIMIT_ADVISORY_FILE_BYTES);
	struct json_reader first;
	int r = file_read(path, &content, l->err);

	if (r < 0)
		return r;
	l->path = path;
	l->text = buf_str(&content);
	json_init(&first, l->text);
	return json_peek(&first) == JSON_ARRAY ? load_array(l) : load_record(l, l->text);
}

static int is_json(const struct dirent *entry)
{
	struct str name = str_of(entry->d_name);

	return name.n && name.p[0] != '.' && str_ends(name, STR(".json"));
}

static int load_folder(struct load *l, const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, is_json, alphasort), r = 0;

	if (count < 0)
		return err_set(l->err, -errno, "cannot read the folder %s: %s", path, err_name(errno));
	for (int i = 0; i < count; i++) {
		CLEANUP_BUF struct buf file = BUF(4 * KIB);

		buf_printf(&file, "%s/%s", path, entries[i]->d_name);
		if (r == 0)
			r = file.error ? err_set(l->err, -ENAMETOOLONG, "the path %s is too long", path) : load_file(l, buf_cstr(&file));
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int load_path(struct load *l, const char *path)
{
	struct stat status;

	l->path = path;
	if (stat(path, &status) < 0)
		return err_set(l->err, -errno, "cannot read the advisories of %s: %s", path, err_name(errno));
	return S_ISDIR(status.st_mode) ? load_folder(l, path) : load_file(l, path);
}

int advisories_load_all(const char *const *paths, size_t count, struct advisories **ret, size_t *ret_records, size_t *ret_skipped, struct err *err)
{
	struct load l = {.into = advisories_empty(), .err = err};
	int r = 0;

	if (!l.into)
		return err_set(err, -ENOMEM, "no memory");
	for (size_t i = 0; i < count && r == 0; i++)
		r = load_path(&l, paths[i]);
	if (r < 0) {
		advisories_unref(l.into);
		return r;
	}
	*ret = l.into;
	if (ret_records)
		*ret_records = l.records;
	if (ret_skipped)
		*ret_skipped = l.skipped;
	return 0;
}

int advisories_load(const char *path, struct advisories **ret, size_t *ret_records, size_t *ret_skipped, struct err *err)
{
	return advisories_load_all(&path, 1, ret, ret_records, ret_skipped, err);
}

/* ---- match ---- */

bool advisories_know(const struct advisories *a, enum ecosystem e, struct str name)
{
	const struct package *p = find(a, e, name);

	return p && p->first;
}

static bool is_listed(const struct listed *l, struct str version)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = str_cmp(version, l->versions[middle]);

		if (c == 0)
			return true;
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* *ret_fixed: the lowest version that ends an interval that holds the one in question. */
static bool holds(const struct affected *f, const struct version *v, struct str *ret_fixed)
{
	const struct interval *fix = NULL;
	bool found = f->all;

	for (const struct interval *i = f->intervals; i; i = i->next) {
		if (!(v->ordered ? interval_holds(i, v) : interval_is_all(i)))
			continue;
		found = true;
		if (i->end == INTERVAL_FIXED && (!fix || version_compare(&i->to, &fix->to) < 0))
			fix = i;
	}
	for (const struct listed *l = f->listed; l && !found; l = l->next)
		found = is_listed(l, v->text);
	*ret_fixed = fix ? fix->to_text : STR("");
	return found;
}

static int worse_first(const void *a, const void *b)
{
	const struct advisory *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind == ADVISORY_MALWARE ? -1 : 1;
	if (x->severity != y->severity)
		return (int)y->severity - (int)x->severity;
	return str_cmp(x->id, y->id);
}

size_t advisories_match(const struct advisories *a, enum ecosystem e, struct str name, struct str version, usec at,
                        struct arena *out, struct advisory **ret)
{
	const struct package *p = find(a, e, name);
	struct version v;
	size_t most = 0, n = 0;

	*ret = NULL;
	if (!p)
		return 0;
	version_read(out, e, version, &v);
	for (const struct affected *f = p->first; f; f = f->next)
		most++;
	*ret = ARENA_ARRAY(out, struct advisory, most);
	for (const struct affected *f = p->first; f && *ret; f = f->next) {
		const struct record *r = f->record;
		struct str fixed;

		if ((at && r->published > at) || !holds(f, &v, &fixed))
			continue;
		(*ret)[n++] = (struct advisory){.kind = r->kind, .severity = r->severity, .id = r->id, .summary = r->summary, .url = r->url,
						.fixed = fixed, .vulnerable_versions = f->range, .published = r->published};
	}
	if (n)
		qsort(*ret, n, sizeof(**ret), worse_first);
	else
		*ret = NULL;
	return n;
}
