/* Advisories from files and folders of OSV JSON into memory, or from an index by mapping it. */
#include "advisory/internal.h"

#include <dirent.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "advisory/mapped.h"
#include "base/file.h"
#include "base/limits.h"
#include "codec/json.h"

uint64_t osv_digest(struct str json)
{
	unsigned char sum[SHA256_DIGEST_LENGTH];
	uint64_t digest;

	SHA256((const unsigned char *)json.p, json.n, sum);
	memcpy(&digest, sum, sizeof(digest));
	return digest;
}

int osv_each(struct str text, int (*record)(void *arg, struct str json), void *arg, struct problem *ret_problem)
{
	struct json_reader r;
	struct str slice;
	int result = 0;

	json_init(&r, text);
	if (json_peek(&r) != JSON_ARRAY)
		return record(arg, text);
	json_enter_array(&r);
	while (result == 0 && json_next_item(&r)) {
		json_skip(&r, &slice);
		if (!json_failed(&r))
			result = record(arg, slice);
	}
	if (result == 0 && json_finish(&r, NULL) < 0)
		*ret_problem = (struct problem){r.problem, r.where};
	return result;
}

struct load {
	struct advisories *into;
	size_t records, skipped;
	struct err *err; /* the first problem */
	const char *path;
	struct str text; /* of the file that is read */
};

static void skip_record(struct load *l, const char *problem, const char *where)
{
	size_t byte = where >= l->text.p && where <= l->text.p + l->text.n ? (size_t)(where - l->text.p) : 0;

	if (l->skipped++ == 0)
		err_set(l->err, -EBADMSG, "%s: %s at byte %zu; this advisory is skipped", l->path, problem, byte);
}

static int load_record(void *arg, struct str json)
{
	struct load *l = arg;
	struct problem problem;
	int r = osv_read(l->into, json, NULL, NULL, &problem);

	if (r == -EBADMSG) {
		skip_record(l, problem.text ? problem.text : "a broken record", problem.where ? problem.where : json.p);
		return 0;
	}
	if (r < 0)
		return err_set(l->err, r, "cannot read the advisories of %s: %s", l->path, err_name(r));
	/* A sum, so that neither the order of files nor a process's seed matters. */
	l->into->digest += osv_digest(json);
	l->records++;
	return 0;
}

static int load_file(struct load *l, const char *path)
{
	CLEANUP_BUF struct buf content = BUF(LIMIT_ADVISORY_FILE_BYTES);
	struct problem problem = {0};
	int r = file_read(path, &content, l->err);

	if (r < 0)
		return r;
	l->path = path;
	l->text = buf_str(&content);
	r = osv_each(l->text, load_record, l, &problem);
	if (r == 0 && problem.text)
		skip_record(l, problem.text, problem.where);
	return r;
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

static int load_index(struct load *l, const char *path)
{
	struct mapped *m;
	int r = mapped_open(path, &m, l->err);

	if (r < 0)
		return r;
	l->records += mapped_head(m)->records;
	mapped_push(&l->into->mapped, m);
	return 0;
}

static int load_path(struct load *l, const char *path)
{
	struct stat status;

	l->path = path;
	if (stat(path, &status) < 0)
		return err_set(l->err, -errno, "cannot read the advisories of %s: %s", path, err_name(errno));
	if (S_ISDIR(status.st_mode))
		return load_folder(l, path);
	return mapped_is_index(path) ? load_index(l, path) : load_file(l, path);
}

int advisories_load_all(const char *const *paths, size_t count, struct advisories **ret, size_t *ret_records, size_t *ret_skipped,
                        struct err *err)
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

int advisories_open(const char *path, struct advisories **ret, struct err *err)
{
	struct advisories *a = advisories_empty();
	struct mapped *m;
	int r;

	if (!a)
		return err_set(err, -ENOMEM, "no memory");
	r = mapped_open(path, &m, err);
	if (r < 0) {
		advisories_unref(a);
		return r;
	}
	mapped_push(&a->mapped, m);
	*ret = a;
	return 0;
}

int advisories_verify(const struct advisories *a, struct err *err)
{
	int r = 0;

	for (const struct mapped *m = a->mapped; m && r == 0; m = mapped_next(m))
		r = mapped_verify(m, err);
	return r;
}

bool advisories_damaged(const struct advisories *a)
{
	for (const struct mapped *m = a->mapped; m; m = mapped_next(m))
		if (mapped_damaged(m))
			return true;
	return false;
}
