/* The room that documents may take on disk: a stranger can ask for any number of packages. */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "gate/document_file.h"

struct kept_file {
	char *path;
	uint64_t bytes;
	struct timespec used; /* the file's time: it is written to whenever the upstream confirms it */
};

struct kept_files {
	struct kept_file *list;
	size_t count, capacity;
	uint64_t bytes;
};

static int add_file(struct kept_files *all, const char *path, const struct stat *status)
{
	if (all->count == all->capacity) {
		size_t capacity = all->capacity ? all->capacity * 2 : 256;
		struct kept_file *grown = reallocarray(all->list, capacity, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		all->list = grown;
		all->capacity = capacity;
	}
	all->list[all->count] = (struct kept_file){str_dup(str_of(path)), (uint64_t)status->st_blocks * 512, status->st_mtim};
	if (!all->list[all->count].path)
		return -ENOMEM;
	all->bytes += all->list[all->count++].bytes;
	return 0;
}

/* ORIGIN/xx/HASH.doc below `folder`; the temporary files are not counted, they have an end of their own. */
static int collect(const char *folder, unsigned depth, struct kept_files *all)
{
	DIR *entries = opendir(folder);
	int r = 0;

	if (!entries)
		return errno == ENOENT ? 0 : -errno;
	for (struct dirent *e; r == 0 && (e = readdir(entries));) {
		char path[4096];
		struct stat status;

		if (e->d_name[0] == '.' || (depth == 0 && str_eq(str_of(e->d_name), STR("tmp"))))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (lstat(path, &status) < 0)
			continue;
		if (S_ISDIR(status.st_mode) && depth < 2)
			r = collect(path, depth + 1, all);
		else if (S_ISREG(status.st_mode))
			r = add_file(all, path, &status);
	}
	closedir(entries);
	return r;
}

static int by_use(const void *a, const void *b)
{
	const struct timespec *x = &((const struct kept_file *)a)->used, *y = &((const struct kept_file *)b)->used;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	return x->tv_nsec < y->tv_nsec ? -1 : x->tv_nsec > y->tv_nsec;
}

int document_files_trim(const char *folder, uint64_t max_bytes, struct err *err)
{
	struct kept_files all = {0};
	int r = collect(folder, 0, &all);

	if (r == 0 && all.bytes > max_bytes) {
		qsort(all.list, all.count, sizeof(*all.list), by_use);
		for (size_t i = 0; i < all.count && all.bytes > max_bytes - max_bytes / 10; i++)
			if (unlink(all.list[i].path) == 0)
				all.bytes -= all.list[i].bytes;
	}
	for (size_t i = 0; i < all.count; i++)
		free(all.list[i].path);
	free(all.list);
	return r < 0 ? err_set(err, r, "cannot count the documents in %s: %s", folder, err_name(r)) : 0;
}
