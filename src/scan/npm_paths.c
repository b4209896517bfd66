/* What npm's lockfiles mean by their paths and addresses. */
#include "base/limits.h"
#include "scan/formats.h"

bool npm_alias(struct str spec, struct str *ret_name, struct str *ret_range)
{
	if (!str_starts(spec, STR("npm:")))
		return false;
	lock_split_at(str_skip(spec, 4), ret_name, ret_range);
	return true;
}

enum lock_source npm_source_of(struct str resolved, struct str name)
{
	enum lock_source s = resolved.n ? lock_source_of(resolved) : LOCK_REGISTRY;
	char download[256]; /* LIMIT_NAME_BYTES and some */
	int n;

	if (s != LOCK_HTTP)
		return s;
	/* A registry's address of a tarball has the name and "/-/"; some serve them under "/download/NAME/". */
	if (str_find(resolved, STR("/-/")) >= 0)
		return LOCK_REGISTRY;
	n = name.n <= LIMIT_NAME_BYTES ? snprintf(download, sizeof(download), "/download/%.*s/", STR_ARG(name)) : 0;
	return n > 0 && str_find(resolved, (struct str){download, (size_t)n}) >= 0 ? LOCK_REGISTRY : LOCK_HTTP;
}

/* The name in ".../@scope/name/-/name-1.2.3.tgz"; empty when it cannot be told from the folders of a mirror. */
static struct str name_in_address(struct str address)
{
	ptrdiff_t mark = str_find(address, STR("/-/")), host = str_find(address, STR("://")), slash, before;
	struct str path, last, file;

	if (mark < 0 || host < 0)
		return STR_NULL;
	path = str_skip(str_take(address, (size_t)mark), (size_t)host + 3);
	slash = str_rchr(path, '/');
	if (slash < 0 || str_chr(path, '%') >= 0)
		return STR_NULL;
	last = str_skip(path, (size_t)slash + 1);
	file = str_skip(address, (size_t)mark + 3);
	before = str_rchr(str_take(path, (size_t)slash), '/');
	if (before >= 0 && path.p[before + 1] == '@')
		slash = before;
	/* Behind a mirror's folders only a file of that name shows that the folder is the package's. */
	if (str_chr(path, '/') != slash && !str_starts(file, last))
		return STR_NULL;
	return str_skip(path, (size_t)slash + 1);
}

void npm_trace(struct lock *l, uint32_t at)
{
	struct lock_package *p = &l->packages[at];
	struct str real;

	p->source = npm_source_of(p->resolved, p->name);
	real = p->source == LOCK_REGISTRY ? name_in_address(p->resolved) : STR_NULL;
	if (!real.n || str_eq(real, p->name))
		return;
	lock_warn(l, p->at, "\"%.*s\" is fetched from the address of \"%.*s\"", STR_ARG(p->name), STR_ARG(real));
	if (!p->alias.n)
		p->alias = p->name;
	p->name = real;
}

/* The folder that holds the innermost node_modules of `path`, without the slash; false at the top. Members of the workspace have
 * none in their path: for them it is the folder above. */
static bool folder_above(struct str path, struct str *ret)
{
	static const struct str modules = {"node_modules", 12};
	struct str rest = path;
	ptrdiff_t slash;

	if (path.n == 0)
		return false;
	while ((slash = str_rchr(rest, '/')) >= 0) {
		rest = str_take(path, (size_t)slash);
		if (str_eq(rest, modules)) {
			*ret = STR("");
			return true;
		}
		if (str_ends(rest, STR("/node_modules"))) {
			*ret = str_take(path, rest.n - modules.n - 1);
			return true;
		}
	}
	slash = str_rchr(path, '/');
	*ret = str_take(path, slash < 0 ? 0 : (size_t)slash);
	return true;
}

/* FOLDER/node_modules/NAME. Put together by hand: this is asked several times for every dependency of a lockfile. */
static uint32_t find_below(const struct lock *l, struct str folder, struct str name)
{
	static const struct str modules = {"/node_modules/", 14};
	struct str middle = str_skip(modules, folder.n == 0);
	char path[4096];

	if (folder.n + middle.n + name.n > sizeof(path))
		return LOCK_NONE;
	if (folder.n)
		memcpy(path, folder.p, folder.n);
	memcpy(path + folder.n, middle.p, middle.n);
	if (name.n)
		memcpy(path + folder.n + middle.n, name.p, name.n);
	return lock_find(l, (struct str){path, folder.n + middle.n + name.n});
}

uint32_t npm_path_target(const struct lock *l, uint32_t from, const struct lock_need *need)
{
	struct str folder = l->packages[from].key;
	uint32_t found;

	/* Longer than any file system allows; every step up would look at all of it. */
	if (folder.n > 4096)
		return LOCK_NONE;
	/* A link leads to the folder that it stands for. */
	if (l->packages[from].source == LOCK_LINK)
		return lock_find(l, need->spec);
	do {
		found = find_below(l, folder, need->name);
		if (found != LOCK_NONE)
			return found;
	} while (folder_above(folder, &folder));
	return LOCK_NONE;
}
