/* A node_modules folder as it lies on the disk: what is really there, whatever a lockfile says. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "scan/formats.h"
#include "scan/project.h"

struct walk {
	struct lock *l;
	struct err *err;
	size_t entries;
};

static int read_modules(struct walk *w, const char *path, unsigned depth);

static bool is_folder(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The manifest of one package. A folder without one is no package. */
static int read_manifest(struct walk *w, const char *folder, struct str installed_name)
{
	CLEANUP_BUF struct buf text = BUF(LIMIT_MANIFEST_BYTES);
	struct str path = arena_printf(w->l->arena, "%s/package.json", folder), copy, key, name = STR_NULL, version = STR_NULL, from;
	struct json_reader r;
	struct stat st;
	uint32_t at;
	int code;

	if (!path.p)
		return -ENOMEM;
	if (lstat(path.p, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	code = file_read(path.p, &text, w->err);
	if (code < 0)
		return code;
	copy = arena_str(w->l->arena, buf_str(&text));
	from = arena_str(w->l->arena, str_of(folder));
	at = copy.p && from.p ? lock_add(w->l, from, installed_name, NULL) : LOCK_NONE;
	if (at == LOCK_NONE)
		return err_set(w->err, -ENOMEM, "%s: out of memory", folder);
	lock_json_init(&r, copy);
	if (json_peek(&r) != JSON_OBJECT)
		json_fail(&r, "a manifest is an object");
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		if (json_raw_equals(key, STR("name")))
			name = json_text_or_none(&r, w->l);
		else if (json_raw_equals(key, STR("version")))
			version = json_text_or_none(&r, w->l);
		else if (json_raw_equals(key, STR("license")))
			w->l->packages[at].licence = json_text_or_none(&r, w->l);
		else if (json_raw_equals(key, STR("dependencies")))
			json_needs(&r, w->l, at, NEED_PROD);
		else if (json_raw_equals(key, STR("optionalDependencies")))
			json_needs(&r, w->l, at, NEED_OPTIONAL);
		else
			json_skip(&r, NULL);
	}
	if (json_finish(&r, w->err) < 0)
		return err_prefix(w->err, "%s", path.p);
	w->l->packages[at].name = name.n ? name : installed_name;
	w->l->packages[at].alias = name.n && !str_eq(name, installed_name) ? installed_name : STR_NULL;
	w->l->packages[at].version = version;
	w->l->packages[at].resolved = path;
	w->l->packages[at].line = 1;
	return 0;
}

static int read_package(struct walk *w, const char *folder, struct str name, unsigned depth)
{
	CLEANUP_FREE char *modules = NULL;
	int code = read_manifest(w, folder, name);

	if (code < 0)
		return code;
	if (asprintf(&modules, "%s/node_modules", folder) < 0) {
		modules = NULL;
		return -ENOMEM;
	}
	return is_folder(modules) ? read_modules(w, modules, depth + 1) : 0;
}

/* One name in node_modules: a package, a scope, or pnpm's store of real folders. Links lead to what is read elsewhere. */
static int read_entry(struct walk *w, const char *path, const char *name, struct str scope, unsigned depth);

static int read_folder(struct walk *w, const char *path, struct str scope, unsigned depth)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	int code = 0;

	if (!folder)
		return err_set(w->err, -errno, "cannot read %s: %s", path, err_name(-errno));
	while (code == 0 && (entry = readdir(folder))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		code = ++w->entries > LIMIT_WALK_ENTRIES ? err_set(w->err, -EFBIG, "%s: too many packages", path)
		                                         : read_entry(w, path, entry->d_name, scope, depth);
	}
	closedir(folder);
	return code;
}

static int read_store(struct walk *w, const char *store, unsigned depth)
{
	DIR *folder = opendir(store);
	struct dirent *entry;
	int code = 0;

	if (!folder)
		return err_set(w->err, -errno, "cannot read %s: %s", store, err_name(-errno));
	while (code == 0 && (entry = readdir(folder))) {
		struct str modules = arena_printf(w->l->arena, "%s/%s/node_modules", store, entry->d_name);

		if (entry->d_name[0] != '.' && modules.p && is_folder(modules.p))
			code = read_modules(w, modules.p, depth + 1);
	}
	closedir(folder);
	return code;
}

static int read_entry(struct walk *w, const char *path, const char *name, struct str scope, unsigned depth)
{
	struct str below = arena_printf(w->l->arena, "%s/%s", path, name);

	if (!below.p)
		return -ENOMEM;
	if (!is_folder(below.p))
		return 0;
	if (strcmp(name, ".pnpm") == 0)
		return read_store(w, below.p, depth);
	if (name[0] == '.')
		return 0;
	if (name[0] == '@' && !scope.n)
		return read_folder(w, below.p, arena_str(w->l->arena, str_of(name)), depth);
	return read_package(w, below.p,
	                    scope.n ? arena_printf(w->l->arena, "%.*s/%s", STR_ARG(scope), name) : arena_str(w->l->arena, str_of(name)), depth);
}

static int read_modules(struct walk *w, const char *path, unsigned depth)
{
	if (depth > LIMIT_WALK_DEPTH)
		return err_set(w->err, -EFBIG, "%s: packages are nested too deeply", path);
	return read_folder(w, path, STR_NULL, depth);
}

int installed_read(const char *path, struct lock *ret, struct err *err)
{
	struct walk w = {.l = ret, .err = err};
	int code = lock_init(ret, STR_NULL, str_of(path));

	if (code < 0)
		return err_set(err, code, "%s: out of memory", path);
	code = read_modules(&w, path, 0);
	if (code == -ENOMEM)
		return err_set(err, code, "%s: out of memory", path);
	if (code == 0) {
		lock_link(ret, npm_path_target);
		code = lock_finish(ret, err);
	}
	return code;
}
