/* bun.lock: JSON with commas before brackets. `workspaces` says who wants what, `packages` is a list by the path at which each
 * is installed: "a" at the top, "a/b" below a. */
#include "base/limits.h"
#include "codec/jsonc.h"
#include "scan/formats.h"

static void read_info(struct json_reader *r, struct lock *l, uint32_t at)
{
	struct str key;

	json_enter_object(r);
	while (json_next_member(r, &key)) {
		if (json_raw_equals(key, STR("dependencies")))
			json_needs(r, l, at, NEED_PROD);
		else if (json_raw_equals(key, STR("devDependencies")))
			json_needs(r, l, at, NEED_DEV);
		else if (json_raw_equals(key, STR("optionalDependencies")))
			json_needs(r, l, at, NEED_OPTIONAL);
		else if (json_raw_equals(key, STR("peerDependencies")))
			json_needs(r, l, at, NEED_PEER);
		else if (json_raw_equals(key, STR("name")) && l->packages[at].source != LOCK_REGISTRY)
			l->packages[at].name = json_text_or_none(r, l);
		else if (json_raw_equals(key, STR("version")) && l->packages[at].source == LOCK_WORKSPACE)
			l->packages[at].version = json_text_or_none(r, l);
		else
			json_skip(r, NULL);
	}
}

static void read_workspaces(struct json_reader *r, struct lock *l)
{
	struct str raw;

	if (!json_enter_object_or_skip(r))
		return;
	while (json_next_member(r, &raw)) {
		struct str path = json_key_text(l, raw), key = arena_printf(l->arena, "workspace:%.*s", STR_ARG(path));
		uint32_t at = lock_add(l, key, path, raw.p);

		if (at == LOCK_NONE)
			return json_fail(r, "too many packages");
		l->packages[at].source = path.n ? LOCK_WORKSPACE : LOCK_PROJECT;
		if (json_peek(r) == JSON_OBJECT)
			read_info(r, l, at);
		else
			json_skip(r, NULL);
	}
}

/* What is written after the name: a version, or where else it comes from. */
static void set_reference(struct lock_package *p, struct str reference)
{
	p->source = lock_source_of(reference);
	if (p->source == LOCK_REGISTRY && reference.n && reference.p[0] >= '0' && reference.p[0] <= '9') {
		p->version = reference;
		return;
	}
	p->resolved = reference;
	if (p->source == LOCK_REGISTRY)
		p->source = str_ends(reference, STR(".tgz")) || str_ends(reference, STR(".tar.gz")) ? LOCK_FILE : LOCK_GIT;
}

/* The rest of a tuple: an object with what it needs, the integrity, the address; which of them there are depends on the kind. */
static void read_rest(struct json_reader *r, struct lock *l, uint32_t at)
{
	while (json_next_item(r)) {
		struct str text;

		if (json_peek(r) == JSON_OBJECT) {
			read_info(r, l, at);
			continue;
		}
		text = json_text_or_none(r, l);
		if (str_starts(text, STR("sha")) && str_chr(text, '-') > 0)
			l->packages[at].integrity = text;
		else if (text.n && !l->packages[at].resolved.n)
			l->packages[at].resolved = text;
	}
}

static void read_package(struct json_reader *r, struct lock *l, struct str path, const char *where)
{
	struct str what, name, reference;
	uint32_t at;

	if (json_peek(r) != JSON_ARRAY)
		return json_fail(r, "a package must be a list");
	json_enter_array(r);
	if (!json_next_item(r) || json_peek(r) != JSON_STRING)
		return json_fail(r, "a package's list must begin with \"name@version\"");
	json_string_decoded(r, l->arena, &what);
	if (!lock_split_at(what, &name, &reference))
		return json_fail(r, "a package's list must begin with \"name@version\"");
	if (str_starts(reference, STR("workspace:")) || str_starts(reference, STR("root:"))) {
		at = lock_find(l, str_starts(reference, STR("root:")) ? STR("workspace:") : reference);
		if (at == LOCK_NONE) {
			at = lock_add(l, reference, name, where);
			if (at != LOCK_NONE)
				l->packages[at].source = LOCK_WORKSPACE;
		}
		lock_also(l, at, path);
		while (json_next_item(r))
			json_skip(r, NULL);
		return;
	}
	at = lock_add(l, path, name, where);
	if (at == LOCK_NONE)
		return json_fail(r, "too many packages");
	set_reference(&l->packages[at], reference);
	read_rest(r, l, at);
}

static void read_packages(struct json_reader *r, struct lock *l)
{
	struct str raw;

	if (!json_enter_object_or_skip(r))
		return;
	while (json_next_member(r, &raw)) {
		struct str path = json_key_text(l, raw);

		if (lock_find(l, path) != LOCK_NONE)
			lock_warn(l, raw.p, "\"%.*s\" stands here twice", STR_ARG(path));
		read_package(r, l, path, raw.p);
	}
}

/* "a/@s/b" without its last name: "a". */
static struct str path_above(struct str path)
{
	ptrdiff_t slash = str_rchr(path, '/'), before;

	if (slash < 0)
		return STR_NULL;
	before = str_rchr(str_take(path, (size_t)slash), '/');
	if (path.p[before + 1] == '@')
		slash = before;
	return slash < 0 ? STR_NULL : str_take(path, (size_t)slash);
}

static uint32_t bun_target(const struct lock *l, uint32_t from, const struct lock_need *need)
{
	const struct lock_package *p = &l->packages[from];
	struct str folder = p->source == LOCK_PROJECT ? STR_NULL : p->source == LOCK_WORKSPACE ? p->name : p->key;
	char path[4096];

	while (folder.n && folder.n < sizeof(path)) {
		int n = snprintf(path, sizeof(path), "%.*s/%.*s", STR_ARG(folder), STR_ARG(need->name));
		uint32_t found = n > 0 && (size_t)n < sizeof(path) ? lock_find(l, (struct str){path, (size_t)n}) : LOCK_NONE;

		if (found != LOCK_NONE)
			return found;
		folder = path_above(folder);
	}
	return lock_find(l, need->name);
}

static void note_aliases(struct lock *l)
{
	for (uint32_t i = 0; i < l->count; i++) {
		struct lock_package *p = &l->packages[i];

		if (p->source != LOCK_WORKSPACE && p->source != LOCK_PROJECT && !str_ends(p->key, p->name)) {
			struct str above = path_above(p->key);

			p->alias = above.n ? str_skip(p->key, above.n + 1) : p->key;
		}
	}
}

int read_bun(struct lock *l, const struct lock_extras *extras, struct err *err)
{
	struct str key, workspaces = STR_NULL, packages = STR_NULL;
	struct json_reader top, r;
	int code;

	(void)extras;
	l->text = jsonc_blank(l->arena, l->text);
	if (!l->text.p)
		return err_set(err, -ENOMEM, "%.*s: out of memory", STR_ARG(l->file));
	lock_json_init(&top, l->text);
	if (json_peek(&top) != JSON_OBJECT)
		json_fail(&top, "a lockfile is an object");
	json_enter_object(&top);
	while (json_next_member(&top, &key))
		json_skip(&top, json_raw_equals(key, STR("workspaces")) ? &workspaces : json_raw_equals(key, STR("packages")) ? &packages : NULL);
	code = lock_json_finish(l, &top, err);
	if (code == 0 && workspaces.p) {
		lock_json_init(&r, workspaces);
		read_workspaces(&r, l);
		code = lock_json_finish(l, &r, err);
	}
	if (code == 0 && packages.p) {
		lock_json_init(&r, packages);
		read_packages(&r, l);
		code = lock_json_finish(l, &r, err);
	}
	if (code < 0)
		return code;
	note_aliases(l);
	lock_link(l, bun_target);
	return lock_mark(l);
}
