/* Which of the files that were found speak for which, and what has to be read beside them. */
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "scan/project.h"

static struct str folder_of(struct str path)
{
	ptrdiff_t slash = str_rchr(path, '/');

	return slash < 0 ? STR(".") : str_take(path, slash ? (size_t)slash : 1);
}

static bool is_format(const struct project_file *f, const char *name)
{
	return f->format && strcmp(f->format->name, name) == 0;
}

static bool locks_npm(const struct project_file *f)
{
	static const char *const names[] = {"package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is_format(f, names[i]))
			return true;
	return false;
}

/* Is `folder` this one, or below it? */
static bool is_within(struct str folder, struct str above)
{
	return str_eq(folder, above) || str_eq(above, STR(".")) ||
	       (str_starts(folder, above) && (above.p[above.n - 1] == '/' || folder.p[above.n] == '/'));
}

static bool speaks_for(const struct project_file *lock, const struct project_file *manifest)
{
	struct str here = folder_of(manifest->path), there = folder_of(lock->path);

	if (is_format(manifest, "package.json"))
		return locks_npm(lock) && is_within(here, there);
	if (is_format(manifest, "project"))
		return (is_format(lock, "packages.lock.json") && str_eq(here, there)) ||
		       (is_format(lock, "project.assets.json") && str_eq(folder_of(there), here));
	return is_format(manifest, "Directory.Packages.props") && is_format(lock, "project") && is_within(there, here);
}

/* Projects are compared with what they are dropped for before any is dropped, since a central file is spoken for by projects that
 * a lockfile may speak for in turn. */
void project_drop_manifests(struct project_files *files)
{
	size_t kept = 0, locks = 0;
	CLEANUP_FREE size_t *speakers = calloc(files->count ? files->count : 1, sizeof(*speakers));
	CLEANUP_FREE bool *dropped = calloc(files->count ? files->count : 1, 1);

	if (!speakers || !dropped)
		return;
	for (size_t i = 0; i < files->count; i++)
		if (locks_npm(&files->array[i]) || is_format(&files->array[i], "packages.lock.json") ||
		    is_format(&files->array[i], "project.assets.json") || is_format(&files->array[i], "project"))
			speakers[locks++] = i;
	for (size_t i = 0; i < files->count; i++)
		for (size_t k = 0; k < locks && files->array[i].format && files->array[i].format->manifest && !dropped[i]; k++)
			dropped[i] = speaks_for(&files->array[speakers[k]], &files->array[i]);
	for (size_t i = 0; i < files->count; i++)
		if (!dropped[i])
			files->array[kept++] = files->array[i];
	files->count = kept;
}

static int add_extra(struct arena *a, struct lock_extras *extras, const char *path, struct str name, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF(LIMIT_MANIFEST_BYTES);
	struct lock_extra *bigger;
	struct stat st;
	int code;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	code = file_read(path, &text, err);
	if (code < 0)
		return code;
	bigger = ARENA_ARRAY(a, struct lock_extra, extras->count + 1);
	if (!bigger)
		return err_set(err, -ENOMEM, "out of memory");
	if (extras->count)
		memcpy(bigger, extras->files, extras->count * sizeof(*bigger));
	bigger[extras->count] = (struct lock_extra){.name = name, .text = arena_str(a, buf_str(&text)), .file = arena_str(a, str_of(path))};
	extras->files = bigger;
	extras->count++;
	return 0;
}

/* MSBuild takes the nearest file of each name in the folders above. */
static int add_above(struct arena *a, struct lock_extras *extras, struct str folder, struct str name, struct err *err)
{
	CLEANUP_FREE char *start = str_dup(folder), *real = start ? realpath(start, NULL) : NULL;
	size_t before = extras->count;

	while (real) {
		struct str path = arena_printf(a, "%s%s%.*s", real, strcmp(real, "/") ? "/" : "", STR_ARG(name));
		char *slash = strrchr(real, '/');
		int code = path.p ? add_extra(a, extras, path.p, name, err) : -ENOMEM;

		if (code < 0 || extras->count > before || !slash || !real[1])
			return code;
		slash[slash == real] = 0;
	}
	return 0;
}

int project_extras(struct arena *a, const struct project_file *file, struct lock_extras *ret, struct err *err)
{
	struct str folder = folder_of(file->path), path;
	int code = 0;

	*ret = (struct lock_extras){0};
	if (locks_npm(file)) {
		path = arena_printf(a, "%.*s/package.json", STR_ARG(folder));
		return path.p ? add_extra(a, ret, path.p, STR("package.json"), err) : -ENOMEM;
	}
	if (!is_format(file, "project"))
		return 0;
	code = add_above(a, ret, folder, STR("Directory.Packages.props"), err);
	return code < 0 ? code : add_above(a, ret, folder, STR("Directory.Build.props"), err);
}
