#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "gate/cache_internal.h"

struct entry {
	int64_t used_at; /* nanoseconds */
	uint64_t size;
	struct cache_key key;
};

struct listing {
	struct entry *entries;
	size_t count, room;
	uint64_t bytes;
};

static int64_t modified(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static int add_entry(struct listing *l, const struct entry *e)
{
	if (l->count == l->room) {
		size_t room = l->room ? l->room * 2 : 1024;
		struct entry *entries = reallocarray(l->entries, room, sizeof(*entries));

		if (!entries)
			return -ENOMEM;
		l->entries = entries;
		l->room = room;
	}
	l->entries[l->count++] = *e;
	l->bytes += e->size;
	return 0;
}

static DIR *open_folder(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);

	if (!folder && fd >= 0)
		close(fd);
	return folder;
}

/* Calls visit for each file of a folder that is not hidden. */
static int each_file(int dir, const char *name, int (*visit)(void *arg, const char *file, const struct stat *st), void *arg)
{
	DIR *folder = open_folder(dir, name);
	struct stat st;
	int r = 0;

	if (!folder)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	for (struct dirent *entry; r == 0 && (entry = readdir(folder));)
		if (entry->d_name[0] != '.' && fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			r = visit(arg, entry->d_name, &st);
	closedir(folder);
	return r;
}

struct walk {
	struct cache *cache;
	struct listing *listing;
	enum cache_algorithm algorithm;
};

static int visit_blob(void *arg, const char *file, const struct stat *st)
{
	struct walk *w = arg;
	struct entry e = {.used_at = modified(st), .size = (uint64_t)st->st_size};

	if (!S_ISREG(st->st_mode) || cache_key_parse(str_of(cache_algorithm_name(w->algorithm)), str_of(file), &e.key) < 0)
		return 0; /* not ours: left alone and not counted */
	return add_entry(w->listing, &e);
}

static int visit_folder(void *arg, const char *file, const struct stat *st)
{
	struct walk *w = arg;
	char path[CACHE_PATH];

	if (!S_ISDIR(st->st_mode) || strlen(file) != 2)
		return 0;
	snprintf(path, sizeof(path), "blobs/%s/%s", cache_algorithm_name(w->algorithm), file);
	return each_file(w->cache->dir, path, visit_blob, w);
}

static int list_blobs(struct cache *c, struct listing *l)
{
	int r = 0;

	for (int i = CACHE_SHA512; i <= CACHE_SHA1 && r == 0; i++) {
		struct walk w = {.cache = c, .listing = l, .algorithm = (enum cache_algorithm)i};
		char path[CACHE_PATH];

		snprintf(path, sizeof(path), "blobs/%s", cache_algorithm_name(w.algorithm));
		r = each_file(c->dir, path, visit_folder, &w);
	}
	return r;
}

static int by_last_use(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->used_at < y->used_at ? -1 : x->used_at > y->used_at;
}

/* cache_remove() counts down by itself. */
static void evict(struct cache *c, struct listing *l, bool (*keep)(void *arg, const struct cache_key *key), void *arg)
{
	uint64_t goal = c->max_bytes - c->max_bytes / 10;

	qsort(l->entries, l->count, sizeof(*l->entries), by_last_use);
	for (size_t i = 0; i < l->count && cache_used(c) > goal; i++)
		if (!keep || !keep(arg, &l->entries[i].key))
			cache_remove(c, &l->entries[i].key);
}

int cache_trim(struct cache *c, bool (*keep)(void *arg, const struct cache_key *key), void *arg, struct err *err)
{
	struct listing l = {0};
	int64_t before = c->used;
	int r;

	if (atomic_exchange(&c->trimming, true))
		return err_set(err, -EBUSY, "the cache is being trimmed already");
	r = list_blobs(c, &l);
	if (r == 0) {
		/* What was written while we counted may be in the count already; the next trim puts it right. */
		c->used += (int64_t)l.bytes - before;
		c->counted = true;
		if (cache_is_over(c))
			evict(c, &l, keep, arg);
	} else {
		err_set(err, r, "the cache cannot be listed: %s", err_name(r));
	}
	free(l.entries);
	c->trimming = false;
	return r;
}

struct kept {
	char oldest[80];
	uint64_t bytes;
	size_t files;
};

static int visit_quarantined(void *arg, const char *file, const struct stat *st)
{
	struct kept *k = arg;

	if (!str_ends(str_of(file), STR(".blob")) && !str_ends(str_of(file), STR(".json")))
		return 0;
	k->files++;
	k->bytes += (uint64_t)st->st_size;
	/* The name begins with the time, in a fixed width. */
	if (!k->oldest[0] || strcmp(file, k->oldest) < 0)
		snprintf(k->oldest, sizeof(k->oldest), "%s", file);
	return 0;
}

/* The blob and its note; either may be missing after kill -9. 0 when something went. */
static int remove_quarantined(struct cache *c, const char *file)
{
	static const char *const endings[] = {"blob", "json"};
	int r = -ENOENT;

	for (size_t i = 0; i < 2; i++) {
		char path[128];

		snprintf(path, sizeof(path), "quarantine/%.*s%s", (int)strlen(file) - 4, file, endings[i]);
		if (unlinkat(c->dir, path, 0) == 0)
			r = 0;
	}
	return r;
}

void cache_quarantine_make_room(struct cache *c, uint64_t size)
{
	for (;;) {
		struct kept k = {0};

		if (each_file(c->dir, "quarantine", visit_quarantined, &k) < 0 || k.files == 0)
			return;
		if (k.files < 2 * LIMIT_QUARANTINE_FILES - 1 && k.bytes + size <= LIMIT_QUARANTINE_BYTES)
			return;
		if (remove_quarantined(c, k.oldest) < 0)
			return;
	}
}
