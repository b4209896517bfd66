/* package-lock.json and npm-shrinkwrap.json, lockfileVersion 1 to 3 (npm documentation, "package-lock.json"). Where both
 * `packages` and `dependencies` are there (version 2), npm reads `packages`, and so do we. */
#include "base/limits.h"
#include "scan/formats.h"

struct entry {
	struct str name, version, resolved, integrity, licence;
	bool link, dev, optional, dev_optional, peer, bundled;
};

/* The name after the last "node_modules/"; p == NULL: there is none. */
static struct str installed_name(struct str path)
{
	static const struct str modules = {"node_modules", 12};
	struct str rest = path;
	ptrdiff_t slash;

	while ((slash = str_rchr(rest, '/')) >= 0) {
		struct str before = str_take(path, (size_t)slash);

		if (str_ends(before, modules) && (before.n == modules.n || before.p[before.n - modules.n - 1] == '/'))
			return str_skip(path, (size_t)slash + 1);
		rest = before;
	}
	return STR_NULL;
}

/* One value of version 2 and 3; what is not known is passed over. */
static void read_field(struct json_reader *r, struct lock *l, uint32_t at, struct str key, struct entry *e)
{
	static const struct {
		struct str key;
		enum need_kind kind;
	} needs[] = {
		{{"dependencies", 12}, NEED_PROD},
		{{"optionalDependencies", 20}, NEED_OPTIONAL},
		{{"peerDependencies", 16}, NEED_PEER},
		{{"devDependencies", 15}, NEED_DEV},
	};

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (json_raw_equals(key, needs[i].key)) {
			json_needs(r, l, at, needs[i].kind);
			return;
		}
	if (json_raw_equals(key, STR("version")))
		e->version = json_text_or_none(r, l);
	else if (json_raw_equals(key, STR("resolved")))
		e->resolved = json_text_or_none(r, l);
	else if (json_raw_equals(key, STR("integrity")))
		e->integrity = json_text_or_none(r, l);
	else if (json_raw_equals(key, STR("name")))
		e->name = json_text_or_none(r, l);
	else if (json_raw_equals(key, STR("license")))
		e->licence = json_text_or_none(r, l);
	else if (json_raw_equals(key, STR("link")))
		e->link = json_true_or_none(r);
	else if (json_raw_equals(key, STR("dev")))
		e->dev = json_true_or_none(r);
	else if (json_raw_equals(key, STR("optional")))
		e->optional = json_true_or_none(r);
	else if (json_raw_equals(key, STR("devOptional")))
		e->dev_optional = json_true_or_none(r);
	else if (json_raw_equals(key, STR("peer")))
		e->peer = json_true_or_none(r);
	else if (json_raw_equals(key, STR("inBundle")) || json_raw_equals(key, STR("bundled")))
		e->bundled = json_true_or_none(r);
	else
		json_skip(r, NULL);
}

static unsigned flags_of(const struct entry *e)
{
	return (e->dev || e->dev_optional ? (unsigned)LOCK_DEV : 0) | (e->optional || e->dev_optional ? (unsigned)LOCK_OPTIONAL : 0) |
	       (e->peer ? (unsigned)LOCK_PEER : 0) | (e->bundled ? (unsigned)LOCK_BUNDLED : 0);
}

/* Completes what stands at `path` of `packages`. */
static void complete(struct lock *l, uint32_t at, struct str path, const struct entry *e)
{
	struct lock_package *p = &l->packages[at];
	struct str installed = installed_name(path);

	p->version = e->version;
	p->integrity = e->integrity;
	p->resolved = e->resolved;
	p->licence = e->licence;
	p->flags = flags_of(e);
	if (path.n == 0) {
		p->name = e->name;
		p->source = LOCK_PROJECT;
	} else if (e->link) {
		p->name = installed;
		p->source = LOCK_LINK;
		lock_need(l, at, installed, e->resolved, NEED_PROD);
	} else if (!installed.p) {
		p->name = e->name;
		p->source = LOCK_WORKSPACE;
	} else {
		p->name = e->name.n ? e->name : installed;
		if (!str_eq(p->name, installed))
			p->alias = installed;
		npm_trace(l, at);
	}
}

/* A key that stands twice: the last one counts, as it does for npm; the first is neither listed nor found. */
static void hide_earlier(struct lock *l, uint32_t earlier, const char *at)
{
	lock_warn(l, at, "\"%.*s\" stands here twice; the last one counts, as it does for npm", STR_ARG(l->packages[earlier].key));
	l->packages[earlier].flags |= LOCK_HIDDEN;
	l->packages[earlier].needs = LOCK_NONE;
	l->packages[earlier].key = STR_NULL;
}

static void read_packages(struct json_reader *r, struct lock *l)
{
	struct str raw, key;

	json_enter_object(r);
	while (json_next_member(r, &raw)) {
		struct str path = json_key_text(l, raw);
		uint32_t earlier = lock_find(l, path), at;
		struct entry e = {0};

		if (earlier != LOCK_NONE)
			hide_earlier(l, earlier, raw.p);
		at = lock_add(l, path, path, raw.p);
		if (at == LOCK_NONE)
			return json_fail(r, "too many packages");
		if (json_peek(r) != JSON_OBJECT)
			return json_fail(r, "a package must be an object");
		json_enter_object(r);
		while (json_next_member(r, &key))
			read_field(r, l, at, key, &e);
		if (!json_failed(r))
			complete(l, at, path, &e);
	}
}

/* A folder of the project takes its name from its own manifest, from the link to it, or from its last part. */
static void name_folders(struct lock *l)
{
	for (uint32_t i = 0; i < l->count; i++) {
		struct lock_package *link = &l->packages[i];
		uint32_t to = link->source == LOCK_LINK ? lock_find(l, link->resolved) : LOCK_NONE;

		if (to == LOCK_NONE)
			continue;
		if (!l->packages[to].name.n)
			l->packages[to].name = link->name;
		/* What the link leads to is listed; the link itself is only a way. */
		link->flags |= LOCK_HIDDEN;
	}
	for (uint32_t i = 0; i < l->count; i++)
		if (l->packages[i].source == LOCK_WORKSPACE && !l->packages[i].name.n) {
			struct str path = l->packages[i].key;
			ptrdiff_t slash = str_rchr(path, '/');

			l->packages[i].name = str_skip(path, slash < 0 ? 0 : (size_t)slash + 1);
		}
}

/* Version 1: what a dependency's own `dependencies` hold lies in its node_modules. */
static void read_tree(struct json_reader *r, struct lock *l, struct str folder, unsigned depth);

static void complete_v1(struct lock *l, uint32_t at, const struct entry *e, struct str name)
{
	struct lock_package *p = &l->packages[at];
	struct str real, version;
	enum lock_source s = lock_source_of(e->version);

	p->name = name;
	p->flags = flags_of(e);
	p->integrity = e->integrity;
	p->resolved = e->resolved;
	if (npm_alias(e->version, &real, &version)) {
		p->name = real;
		p->version = version;
		p->alias = name;
		npm_trace(l, at);
	} else if (s == LOCK_REGISTRY) {
		p->version = e->version;
		npm_trace(l, at);
	} else {
		p->source = s;
		p->resolved = e->version;
	}
}

static void read_v1(struct json_reader *r, struct lock *l, uint32_t at, struct str name, unsigned depth)
{
	struct entry e = {0};
	struct str key, path = l->packages[at].key;

	json_enter_object(r);
	while (json_next_member(r, &key)) {
		if (json_raw_equals(key, STR("requires")))
			json_needs(r, l, at, NEED_PROD);
		else if (json_raw_equals(key, STR("dependencies")))
			read_tree(r, l, path, depth + 1);
		else
			read_field(r, l, at, key, &e);
	}
	if (!json_failed(r))
		complete_v1(l, at, &e, name);
}

static void read_tree(struct json_reader *r, struct lock *l, struct str folder, unsigned depth)
{
	struct str raw;

	if (depth > JSON_DEPTH_CEILING / 2)
		return json_fail(r, "packages are nested too deeply");
	if (!json_enter_object_or_skip(r))
		return;
	while (json_next_member(r, &raw)) {
		struct str name = json_key_text(l, raw);
		struct str path = arena_printf(l->arena, "%.*s%snode_modules/%.*s", STR_ARG(folder), folder.n ? "/" : "", STR_ARG(name));
		uint32_t earlier = lock_find(l, path), at;

		if (earlier != LOCK_NONE)
			hide_earlier(l, earlier, raw.p);
		at = path.p ? lock_add(l, path, name, raw.p) : LOCK_NONE;
		if (at == LOCK_NONE)
			return json_fail(r, "too many packages");
		if (json_peek(r) != JSON_OBJECT)
			return json_fail(r, "a package must be an object");
		read_v1(r, l, at, name, depth);
	}
}

static void read_top(struct json_reader *r, struct lock *l, struct str *ret_packages, struct str *ret_dependencies)
{
	struct str key;

	if (json_peek(r) != JSON_OBJECT)
		return json_fail(r, "a lockfile is an object");
	json_enter_object(r);
	while (json_next_member(r, &key)) {
		struct str *into = json_raw_equals(key, STR("packages"))       ? ret_packages
		                   : json_raw_equals(key, STR("dependencies")) ? ret_dependencies
		                                                               : NULL;

		if (into && into->p)
			lock_warn(l, key.p, "this section stands here twice; the last one counts, as it does for npm");
		json_skip(r, into);
	}
}

int read_npm_lock(struct lock *l, const struct lock_extras *extras, struct err *err)
{
	struct str packages = STR_NULL, dependencies = STR_NULL, part;
	struct json_reader top, r;
	int code;

	(void)extras;
	lock_json_init(&top, l->text);
	read_top(&top, l, &packages, &dependencies);
	code = lock_json_finish(l, &top, err);
	if (code < 0)
		return code;
	part = packages.n && packages.p[0] == '{' ? packages : dependencies;
	if (!part.n || part.p[0] != '{')
		return part.n || packages.n ? lock_error(l, part.n ? part.p : packages.p, err, "the packages must be an object") : 0;
	lock_json_init(&r, part);
	if (part.p == packages.p) {
		read_packages(&r, l);
		name_folders(l);
	} else {
		read_tree(&r, l, STR(""), 0);
	}
	code = lock_json_finish(l, &r, err);
	if (code < 0)
		return code;
	lock_link(l, npm_path_target);
	return 0;
}
