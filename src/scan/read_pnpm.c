/* pnpm-lock.yaml of versions 5.x, 6.x and 9.x (pnpm/spec, "lockfile"). Since pnpm 11 a file may hold several documents, the
 * first of them about pnpm's own tools: all are read. */
#include "codec/yaml_block.h"
#include "scan/formats.h"
#include "scan/pnpm_key.h"
#include "scan/tree.h"
#include "scan/whole.h"

struct group {
	const char *name;
	enum need_kind kind;
};

static const struct group groups[] = {
	{"dependencies", NEED_PROD},      {"optionalDependencies", NEED_OPTIONAL},  {"devDependencies", NEED_DEV},
	{"configDependencies", NEED_DEV}, {"packageManagerDependencies", NEED_DEV},
};

/* What a project or package needs: "name: reference", or since version 6 {specifier, version}. */
static void read_needs(struct lock *l, uint32_t at, const struct yaml_node *owner)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		const struct yaml_node *map = yaml_get(owner, str_of(groups[i].name));

		for (const struct yaml_node *n = map && map->kind == YAML_MAP ? map->first : NULL; n; n = n->next)
			lock_need(l, at, n->key, n->kind == YAML_MAP ? tree_text(n, "version") : n->text, groups[i].kind);
	}
}

static void read_importers(struct lock *l, const struct yaml_node *root)
{
	const struct yaml_node *importers = yaml_get(root, STR("importers"));
	uint32_t at;

	if (!importers || importers->kind != YAML_MAP) {
		at = lock_add(l, STR_NULL, STR("."), NULL);
		if (at != LOCK_NONE) {
			l->packages[at].source = LOCK_PROJECT;
			read_needs(l, at, root);
		}
		return;
	}
	for (const struct yaml_node *n = importers->first; n; n = n->next) {
		at = lock_add(l, STR_NULL, n->key, NULL);
		if (at == LOCK_NONE)
			return;
		l->packages[at].source = LOCK_PROJECT;
		l->packages[at].line = n->key_line;
		if (n->kind == YAML_MAP)
			read_needs(l, at, n);
	}
}

static enum lock_source source_of(const struct yaml_node *resolution, struct str version, struct str name, struct str *ret_resolved)
{
	struct str type = resolution ? tree_text(resolution, "type") : STR_NULL;

	*ret_resolved = resolution ? tree_text(resolution, "tarball") : STR_NULL;
	if (str_eq(type, STR("git"))) {
		*ret_resolved = tree_text(resolution, "repo");
		return LOCK_GIT;
	}
	if (str_eq(type, STR("directory"))) {
		*ret_resolved = tree_text(resolution, "directory");
		return LOCK_FILE;
	}
	/* "node@runtime:26.7.0" is the program of that name, fetched as an archive: no package of the registry. */
	if (str_starts(version, STR("runtime:")))
		return LOCK_FILE;
	return npm_source_of(ret_resolved->n ? *ret_resolved : version, name);
}

static bool is_true(const struct yaml_node *map, const char *key)
{
	return str_eq(tree_text(map, key), STR("true"));
}

/* Of the last package only: what is cut stands there. */
static int check_whole(const struct lock *l, const struct yaml_node *n, struct err *err)
{
	static const char *const truths[] = {"dev", "optional", "hasBin", "requiresBuild"};
	const struct yaml_node *resolution = yaml_get(n, STR("resolution"));

	for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++) {
		struct str text = tree_text(n, truths[i]);

		if (text.n && !str_eq(text, STR("true")) && !str_eq(text, STR("false")))
			return lock_error(l, NULL, err, "line %u: %s must be true or false: is the file cut?", n->key_line, truths[i]);
	}
	if (resolution && resolution->kind == YAML_MAP && !whole_integrity(tree_text(resolution, "integrity")))
		return lock_error(l, NULL, err, "line %u: the hash of \"%.*s\" is not whole: is the file cut?", n->key_line, STR_ARG(n->key));
	return 0;
}

static int read_package(struct lock *l, const struct yaml_node *n, unsigned major, struct err *err)
{
	struct pnpm_key key = {0};
	struct str name = STR_NULL, version = STR_NULL, integrity, resolved;
	const struct yaml_node *resolution = NULL;
	enum lock_source source;
	uint32_t at;
	int code;

	if (n->kind == YAML_MAP) {
		name = tree_text(n, "name");
		version = tree_text(n, "version");
		resolution = yaml_get(n, STR("resolution"));
		resolution = resolution && resolution->kind == YAML_MAP ? resolution : NULL;
		code = n->next ? 0 : check_whole(l, n, err);
		if (code < 0)
			return code;
	} else if (n->kind != YAML_NULL) {
		return lock_error(l, NULL, err, "line %u: a package must be a map: is the file cut?", n->key_line);
	}
	code = pnpm_key_parse(n->key, major, &key);
	name = name.n ? name : key.name;
	version = version.n ? version : key.version;
	if (code < 0 && !name.n && str_chr(n->key, '/') < 0)
		return lock_error(l, NULL, err, "line %u: \"%.*s\" names no package and version", n->key_line, STR_ARG(n->key));
	if (!name.n) {
		lock_warn(l, NULL, "line %u: \"%.*s\" has no name and is not listed", n->key_line, STR_ARG(n->key));
		return 0;
	}
	at = lock_add(l, n->key, name, NULL);
	if (at == LOCK_NONE)
		return 0;
	source = source_of(resolution, key.reference, name, &resolved);
	integrity = resolution ? tree_text(resolution, "integrity") : STR_NULL;
	l->packages[at].version = version;
	l->packages[at].line = n->key_line;
	l->packages[at].source = source;
	l->packages[at].resolved = resolved;
	l->packages[at].integrity = integrity;
	if (n->kind == YAML_MAP) {
		l->packages[at].flags = (is_true(n, "dev") ? (unsigned)LOCK_DEV : 0) | (is_true(n, "optional") ? (unsigned)LOCK_OPTIONAL : 0);
		read_needs(l, at, n);
	}
	return 0;
}

/* The package of a snapshot: each set of peers gets an entry of its own, with the same name and version. */
static uint32_t snapshot_entry(struct lock *l, uint32_t base, const struct yaml_node *n)
{
	struct lock_package copy = l->packages[base];
	uint32_t at;

	if (str_eq(n->key, copy.key))
		return base;
	at = lock_add(l, n->key, copy.name, NULL);
	if (at != LOCK_NONE) {
		copy.key = n->key;
		copy.needs = LOCK_NONE;
		copy.flags = 0;
		l->packages[at] = copy;
		l->packages[base].flags |= LOCK_HIDDEN;
	}
	return at;
}

/* Version 9 keeps who needs whom apart from what the packages are: one snapshot for each set of peers. */
static int read_snapshots(struct lock *l, const struct yaml_node *root, const struct yaml_node *packages, struct err *err)
{
	const struct yaml_node *snapshots = yaml_get(root, STR("snapshots"));
	CLEANUP_MAP struct map seen = MAP_EMPTY;

	if (!snapshots || snapshots->kind != YAML_MAP)
		return packages->count ? lock_error(l, l->text.p + l->text.n, err, "the section snapshots is missing: is the file cut?") : 0;
	for (const struct yaml_node *n = snapshots->first; n; n = n->next) {
		struct str base = pnpm_without_peers(n->key);
		uint32_t at = lock_find(l, base);

		if (n->kind != YAML_MAP && n->kind != YAML_NULL)
			return lock_error(l, NULL, err, "line %u: a snapshot must be a map: is the file cut?", n->key_line);
		at = at == LOCK_NONE ? LOCK_NONE : snapshot_entry(l, at, n);
		if (at == LOCK_NONE || map_put(&seen, base, (void *)(uintptr_t)n) < 0)
			continue;
		l->packages[at].flags &= ~(unsigned)LOCK_HIDDEN;
		if (n->kind == YAML_MAP) {
			read_needs(l, at, n);
			l->packages[at].flags |= is_true(n, "optional") ? (unsigned)LOCK_OPTIONAL : 0;
		}
	}
	for (const struct yaml_node *n = packages->first; n; n = n->next)
		if (!map_get(&seen, n->key) && lock_find(l, n->key) != LOCK_NONE)
			return lock_error(l, l->text.p + l->text.n, err, "\"%.*s\" has no snapshot: is the file cut?", STR_ARG(n->key));
	return 0;
}

/* A reference stands for "/name/reference" (5), "/name@reference" (6), "name@reference" (9), or is a key itself. */
static uint32_t pnpm_target(const struct lock *l, uint32_t from, const struct lock_need *need)
{
	static const char *const forms[] = {"%.*s@%.*s", "/%.*s@%.*s", "/%.*s/%.*s"};
	uint32_t found = lock_find(l, need->spec);
	char key[4096];

	(void)from;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]) && found == LOCK_NONE; i++) {
		int n = snprintf(key, sizeof(key), forms[i], STR_ARG(need->name), STR_ARG(need->spec));

		if (n < 0 || (size_t)n >= sizeof(key))
			continue;
		found = lock_find(l, (struct str){key, (size_t)n});
		if (found == LOCK_NONE)
			found = lock_find(l, pnpm_without_peers((struct str){key, (size_t)n}));
	}
	return found != LOCK_NONE ? found : lock_find(l, pnpm_without_peers(need->spec));
}

static int read_document(struct lock *l, struct str document, unsigned lines, struct err *err)
{
	struct yaml_node *root;
	const struct yaml_node *packages;
	unsigned major;
	int code = tree_read(l, document, lines, &root, err);

	if (code < 0)
		return code;
	if (root->count && !yaml_get(root, STR("lockfileVersion")))
		return lock_error(l, NULL, err, "line %u: no lockfileVersion: this is not a lockfile of pnpm", root->line);
	major = pnpm_major(tree_text(root, "lockfileVersion"));
	read_importers(l, root);
	packages = yaml_get(root, STR("packages"));
	if (!packages && l->text.p[l->text.n - 1] != '\n' && document.p + document.n == l->text.p + l->text.n)
		return lock_error(l, l->text.p + l->text.n, err, "the section packages is missing, and the last line has no end: is the file cut?");
	if (!packages || packages->kind == YAML_NULL)
		return 0;
	if (packages->kind != YAML_MAP)
		return lock_error(l, NULL, err, "line %u: packages must be a map", packages->key_line);
	/* Some tools write the paths of version 6 under the number 9. */
	if (packages->first && packages->first->key.n && packages->first->key.p[0] == '/' && major >= 9)
		major = 6;
	for (const struct yaml_node *n = packages->first; n; n = n->next) {
		code = read_package(l, n, major, err);
		if (code < 0)
			return code;
	}
	return major >= 9 ? read_snapshots(l, root, packages, err) : 0;
}

static bool says_dev_itself(const struct lock *l)
{
	for (uint32_t i = 0; i < l->count; i++)
		if (l->packages[i].flags & LOCK_DEV)
			return true;
	return false;
}

/* The snapshots of version 9 are complete or an error already. */
static bool has_snapshots(const struct lock *l)
{
	return str_find(l->text, STR("\nsnapshots:")) >= 0;
}

int read_pnpm(struct lock *l, const struct lock_extras *extras, struct err *err)
{
	struct str rest = l->text, document;
	unsigned lines = 0, before;
	int code = 0;

	(void)extras;
	while (code == 0 && yaml_next_document(&rest, &lines, &document, &before))
		code = read_document(l, document, before, err);
	if (code < 0)
		return code;
	lock_link(l, pnpm_target);
	code = whole_check(l, !has_snapshots(l), err);
	return code < 0 || says_dev_itself(l) ? code : lock_mark(l);
}
