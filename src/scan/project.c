#include "scan/project.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"

void project_files_free(struct project_files *files)
{
	free(files->array);
	arena_free(files->arena);
	*files = (struct project_files){0};
}

static int add(struct project_files *files, struct str path, const struct lock_format *format, bool tree)
{
	struct str copy;

	if (files->count == files->room) {
		size_t room = files->room ? files->room * 2 : 64;
		struct project_file *bigger = reallocarray(files->array, room, sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		files->array = bigger;
		files->room = room;
	}
	copy = arena_str(files->arena, path);
	if (!copy.p)
		return -ENOMEM;
	files->array[files->count++] = (struct project_file){.path = copy, .format = format, .tree = tree};
	return 0;
}

static void note_unreadable(struct project_files *files, const char *path, int code)
{
	if (files->unreadable_count < sizeof(files->unreadable) / sizeof(files->unreadable[0]))
		files->unreadable[files->unreadable_count] = arena_printf(files->arena, "%s: %s", path, err_name(code));
	files->unreadable_count++;
}

static bool is_skipped(const char *name)
{
	static const char *const skipped[] = {".git", ".hg", ".svn", ".yarn", "bower_components"};

	for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++)
		if (strcmp(name, skipped[i]) == 0)
			return true;
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
	char **array;
	size_t count, room;
};

static void names_free(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->array[i]);
	free(n->array);
}

static int read_names(DIR *folder, struct names *ret)
{
	struct dirent *entry;

	while ((entry = readdir(folder))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (ret->count == ret->room) {
			size_t room = ret->room ? ret->room * 2 : 32;
			char **bigger = reallocarray(ret->array, room, sizeof(*bigger));

			if (!bigger)
				return -ENOMEM;
			ret->array = bigger;
			ret->room = room;
		}
		ret->array[ret->count] = strdup(entry->d_name);
		if (!ret->array[ret->count])
			return -ENOMEM;
		ret->count++;
	}
	qsort(ret->array, ret->count, sizeof(*ret->array), by_name);
	return 0;
}

static int walk(struct project_files *files, int fd, const char *path, const struct project_options *options, unsigned depth);

static int visit(struct project_files *files, int folder, const char *path, const char *name, const struct project_options *options,
                 unsigned depth)
{
	CLEANUP_FREE char *below = NULL;
	struct stat st;
	bool slash = path[0] && path[strlen(path) - 1] == '/';
	const struct lock_format *format;

	if (++files->entries > LIMIT_WALK_ENTRIES)
		return -EFBIG;
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (asprintf(&below, "%s%s%s", path, slash ? "" : "/", name) < 0) {
		below = NULL;
		return -ENOMEM;
	}
	if (S_ISREG(st.st_mode)) {
		format = lock_format_by_name(str_of(name));
		return format ? add(files, str_of(below), format, false) : 0;
	}
	if (!S_ISDIR(st.st_mode) || is_skipped(name))
		return 0;
	if (strcmp(name, "node_modules") == 0)
		return options->installed ? add(files, str_of(below), NULL, true) : 0;
	if (depth >= LIMIT_WALK_DEPTH) {
		note_unreadable(files, below, -ELOOP);
		return 0;
	}
	return walk(files, openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), below, options, depth + 1);
}

/* Takes the descriptor; a folder that cannot be opened is noted. */
static int walk(struct project_files *files, int fd, const char *path, const struct project_options *options, unsigned depth)
{
	CLEANUP(names_free) struct names names = {0};
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	int code;

	if (!folder) {
		note_unreadable(files, path, -errno);
		if (fd >= 0)
			close(fd);
		return 0;
	}
	code = read_names(folder, &names);
	for (size_t i = 0; code == 0 && i < names.count; i++)
		code = visit(files, dirfd(folder), path, names.array[i], options, depth);
	closedir(folder);
	return code;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int project_find(struct project_files *files, const char *path, const struct project_options *options, struct err *err)
{
	struct stat st;
	int fd, code;

	if (!files->arena && !(files->arena = arena_new(GIB)))
		return err_set(err, -ENOMEM, "out of memory");
	if (stat(path, &st) < 0)
		return err_set(err, -errno, "cannot read %s: %s", path, err_name(-errno));
	if (!S_ISDIR(st.st_mode)) {
		code = add(files, str_of(path), lock_format_by_name(str_of(last_part(path))), false);
	} else if (strcmp(last_part(path), "node_modules") == 0) {
		code = add(files, str_of(path), NULL, true);
	} else {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return err_set(err, -errno, "cannot read %s: %s", path, err_name(-errno));
		code = walk(files, fd, path, options, 0);
	}
	return code < 0 ? err_set(err, code, "%s: %s", path, code == -EFBIG ? "too many files and folders" : err_name(code)) : 0;
}
