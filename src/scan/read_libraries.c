/* project.assets.json (what restore found) and *.deps.json (what was deployed): `libraries` lists packages as "Name/1.2.3",
 * `targets` says for each framework who needs whom. */
#include "scan/formats.h"
#include "scan/nuget_names.h"

static void set_type(struct lock_package *p, struct str type, bool deployed)
{
	static const struct str pack = {"runtimepack.", 12};

	if (str_eq_nocase(type, STR("project"))) {
		p->source = LOCK_PROJECT;
		p->flags |= deployed ? (unsigned)LOCK_SHOWN : 0;
	} else if (str_eq_nocase(type, STR("reference")) || str_eq_nocase(type, STR("referenceassembly"))) {
		p->source = LOCK_FILE;
	} else if (str_starts(p->name, pack)) {
		p->name = str_skip(p->name, pack.n);
	}
}

static void read_library(struct json_reader *r, struct lock *l, struct str raw, bool deployed)
{
	struct str what = json_key_text(l, raw), name, version, key, type = STR_NULL;
	uint32_t at;

	if (!nuget_split(what, &name, &version)) {
		lock_warn(l, raw.p, "\"%.*s\" has no version and is not listed", STR_ARG(what));
		json_skip(r, NULL);
		return;
	}
	at = lock_add(l, what, name, raw.p);
	if (at == LOCK_NONE)
		return json_fail(r, "too many packages");
	l->packages[at].ecosystem = ECOSYSTEM_NUGET;
	l->packages[at].version = version;
	if (!json_enter_object_or_skip(r))
		return;
	while (json_next_member(r, &key)) {
		if (json_raw_equals(key, STR("type")))
			type = json_text_or_none(r, l);
		else if (json_raw_equals(key, STR("sha512")))
			l->packages[at].integrity = json_text_or_none(r, l);
		else
			json_skip(r, NULL);
	}
	set_type(&l->packages[at], type, deployed);
}

static void read_libraries(struct json_reader *r, struct lock *l, bool deployed)
{
	struct str raw;

	if (!json_enter_object_or_skip(r))
		return;
	while (json_next_member(r, &raw))
		read_library(r, l, raw, deployed);
}

/* The dependencies of one "Name/1.2.3" of a target; their `spec` becomes the framework, by which they are found. */
static void read_target_entry(struct json_reader *r, struct lock *l, struct str framework, struct str raw)
{
	struct str what = json_key_text(l, raw), name, version, key;
	uint32_t at = lock_find(l, what);

	if (!nuget_split(what, &name, &version))
		return json_skip(r, NULL);
	if (at == LOCK_NONE) {
		at = lock_add(l, what, name, raw.p);
		if (at == LOCK_NONE)
			return json_fail(r, "too many packages");
		l->packages[at].ecosystem = ECOSYSTEM_NUGET;
		l->packages[at].version = version;
	}
	lock_also(l, at, nuget_key(l->arena, framework, name));
	if (!json_enter_object_or_skip(r))
		return;
	while (json_next_member(r, &key)) {
		if (!json_raw_equals(key, STR("dependencies")) || json_peek(r) != JSON_OBJECT) {
			json_skip(r, NULL);
			continue;
		}
		json_enter_object(r);
		while (json_next_member(r, &key)) {
			lock_need(l, at, json_key_text(l, key), framework, NEED_PROD);
			json_skip(r, NULL);
		}
	}
}

static void read_targets(struct json_reader *r, struct lock *l)
{
	struct str raw, entry;

	if (!json_enter_object_or_skip(r))
		return;
	while (json_next_member(r, &raw)) {
		struct str framework = json_key_text(l, raw);

		if (!json_enter_object_or_skip(r))
			continue;
		while (json_next_member(r, &entry))
			read_target_entry(r, l, framework, entry);
	}
}

/* projectFileDependencyGroups: {"net8.0": ["Name >= 1.0.0", …]}: what the project names itself. */
static void read_groups(struct json_reader *r, struct lock *l)
{
	uint32_t root = lock_add(l, STR_NULL, STR("."), NULL);
	struct str raw;

	if (root != LOCK_NONE)
		l->packages[root].source = LOCK_PROJECT;
	if (root == LOCK_NONE || !json_enter_object_or_skip(r))
		return;
	while (json_next_member(r, &raw)) {
		struct str framework = json_key_text(l, raw);

		if (!json_enter_array_or_skip(r))
			continue;
		while (json_next_item(r)) {
			struct str text = json_text_or_none(r, l);
			ptrdiff_t blank = str_chr(text, ' ');

			lock_need(l, root, blank < 0 ? text : str_take(text, (size_t)blank), framework, NEED_PROD);
		}
	}
}

static uint32_t library_target(const struct lock *l, uint32_t from, const struct lock_need *need)
{
	(void)from;
	return nuget_find(l, need->spec, need->name);
}

static int read_sections(struct lock *l, bool deployed, struct err *err)
{
	struct str key, libraries = STR_NULL, targets = STR_NULL, groups = STR_NULL;
	struct json_reader top, r;
	int code;

	lock_json_init(&top, l->text);
	if (json_peek(&top) != JSON_OBJECT)
		json_fail(&top, "this must be an object");
	json_enter_object(&top);
	while (json_next_member(&top, &key))
		json_skip(&top, json_raw_equals(key, STR("libraries"))                     ? &libraries
		                : json_raw_equals(key, STR("targets"))                     ? &targets
		                : json_raw_equals(key, STR("projectFileDependencyGroups")) ? &groups
		                                                                           : NULL);
	code = lock_json_finish(l, &top, err);
	if (code == 0 && !libraries.p && !targets.p)
		code = lock_error(l, NULL, err, "neither libraries nor targets are here: is this %s?",
		                  deployed ? "a deps.json" : "a project.assets.json");
	if (code == 0 && libraries.p) {
		lock_json_init(&r, libraries);
		read_libraries(&r, l, deployed);
		code = lock_json_finish(l, &r, err);
	}
	if (code == 0 && targets.p) {
		lock_json_init(&r, targets);
		read_targets(&r, l);
		code = lock_json_finish(l, &r, err);
	}
	if (code == 0 && groups.p) {
		lock_json_init(&r, groups);
		read_groups(&r, l);
		code = lock_json_finish(l, &r, err);
	}
	if (code == 0)
		lock_link(l, library_target);
	return code;
}

int read_project_assets(struct lock *l, const struct lock_extras *extras, struct err *err)
{
	(void)extras;
	return read_sections(l, false, err);
}

int read_deps_json(struct lock *l, const struct lock_extras *extras, struct err *err)
{
	(void)extras;
	return read_sections(l, true, err);
}
