/* packages.lock.json, versions 1 and 2 (NuGet documentation, "Enabling lock file"): one list a target framework. */
#include "scan/formats.h"
#include "scan/nuget_names.h"

struct entry {
	struct str type, requested, resolved, hash;
};

static void read_entry(struct json_reader *r, struct lock *l, uint32_t at, struct entry *e)
{
	struct str key;

	json_enter_object(r);
	while (json_next_member(r, &key)) {
		if (json_raw_equals(key, STR("type")))
			e->type = json_text_or_none(r, l);
		else if (json_raw_equals(key, STR("requested")))
			e->requested = json_text_or_none(r, l);
		else if (json_raw_equals(key, STR("resolved")))
			e->resolved = json_text_or_none(r, l);
		else if (json_raw_equals(key, STR("contentHash")))
			e->hash = json_text_or_none(r, l);
		else if (json_raw_equals(key, STR("dependencies")))
			json_needs(r, l, at, NEED_PROD);
		else
			json_skip(r, NULL);
	}
}

static void read_framework(struct json_reader *r, struct lock *l, uint32_t root, struct str framework)
{
	struct str raw;

	if (!json_enter_object_or_skip(r))
		return;
	while (json_next_member(r, &raw)) {
		struct str name = json_key_text(l, raw);
		struct entry e = {0};
		uint32_t at = lock_add(l, nuget_key(l->arena, framework, name), name, raw.p);

		if (at == LOCK_NONE)
			return json_fail(r, "too many packages");
		l->packages[at].ecosystem = ECOSYSTEM_NUGET;
		if (json_peek(r) != JSON_OBJECT)
			return json_fail(r, "a package must be an object");
		read_entry(r, l, at, &e);
		l->packages[at].version = e.resolved;
		l->packages[at].integrity = e.hash;
		l->packages[at].requested = e.requested;
		/* A project of the same solution: on the way to packages, but none itself. */
		if (str_eq_nocase(e.type, STR("Project")))
			l->packages[at].source = LOCK_WORKSPACE, l->packages[at].flags |= LOCK_HIDDEN;
		else if (!e.resolved.n && !json_failed(r))
			return json_fail(r, "a package without a resolved version");
		if (str_eq_nocase(e.type, STR("Direct")) || str_eq_nocase(e.type, STR("Project")))
			lock_need(l, root, name, framework, NEED_PROD);
	}
}

/* The frameworks with a runtime ("net8.0/win-x64") list only what differs from the framework itself. */
static uint32_t nuget_target(const struct lock *l, uint32_t from, const struct lock_need *need)
{
	ptrdiff_t end = str_chr(l->packages[from].key, '\n');
	struct str framework = end < 0 ? need->spec : str_take(l->packages[from].key, (size_t)end);
	uint32_t found = nuget_find(l, framework, need->name);
	ptrdiff_t slash = str_chr(framework, '/');

	return found != LOCK_NONE || slash < 0 ? found : nuget_find(l, str_take(framework, (size_t)slash), need->name);
}

int read_nuget_lock(struct lock *l, const struct lock_extras *extras, struct err *err)
{
	struct json_reader r;
	struct str key;
	uint32_t root = lock_add(l, STR_NULL, STR("."), NULL);
	int code;

	(void)extras;
	if (root == LOCK_NONE)
		return l->error;
	l->packages[root].source = LOCK_PROJECT;
	lock_json_init(&r, l->text);
	if (json_peek(&r) != JSON_OBJECT)
		json_fail(&r, "a lockfile is an object");
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		if (!json_raw_equals(key, STR("dependencies")) || !json_enter_object_or_skip(&r)) {
			if (!json_raw_equals(key, STR("dependencies")))
				json_skip(&r, NULL);
			continue;
		}
		while (json_next_member(&r, &key))
			read_framework(&r, l, root, json_key_text(l, key));
	}
	code = lock_json_finish(l, &r, err);
	if (code == 0)
		lock_link(l, nuget_target);
	return code;
}
