/* yarn.lock of yarn 2 and later: YAML with `__metadata`, all its versions. What counts is `resolution`. */
#include "scan/formats.h"
#include "scan/tree.h"
#include "scan/whole.h"

/* "name@npm:1.2.3", "name@patch:name@npm%3A1.2.3#…", "name@workspace:path", "name@https://…". */
static void read_resolution(struct lock_package *p, struct str resolution)
{
	struct str name, reference;

	if (!lock_split_at(resolution, &name, &reference))
		return;
	p->name = name;
	p->resolved = reference;
	p->source = str_starts(reference, STR("npm:")) || str_starts(reference, STR("patch:")) || str_starts(reference, STR("virtual:"))
	                ? LOCK_REGISTRY
	                : lock_source_of(reference);
}

static void read_needs(struct lock *l, uint32_t at, const struct yaml_node *map, enum need_kind kind)
{
	for (const struct yaml_node *n = map ? map->first : NULL; n; n = n->next)
		lock_need(l, at, n->key, n->text, kind);
}

static int check_whole(struct lock *l, const struct yaml_node *entry, struct err *err)
{
	const struct yaml_node *type = yaml_get(entry, STR("linkType"));

	if (type && !str_eq(type->text, STR("hard")) && !str_eq(type->text, STR("soft")))
		return lock_error(l, NULL, err, "line %u: linkType is neither hard nor soft: is the file cut?", type->key_line);
	if (!tree_text(entry, "version").n || !tree_text(entry, "resolution").n)
		return lock_error(l, NULL, err, "line %u: this entry has no version or no resolution: is the file cut?", entry->key_line);
	return 0;
}

static int read_entry(struct lock *l, const struct yaml_node *entry, struct err *err)
{
	struct str keys = entry->key, key;
	struct lock_package *p;
	uint32_t at = LOCK_NONE;
	int code = check_whole(l, entry, err);

	if (code < 0)
		return code;
	while (str_split(&keys, ',', &key)) {
		struct str name, range;

		key = str_trim(key);
		if (at != LOCK_NONE) {
			lock_also(l, at, key);
			continue;
		}
		lock_split_at(key, &name, &range);
		at = lock_add(l, key, name, NULL);
		if (at == LOCK_NONE)
			return 0;
		l->packages[at].alias = name;
	}
	if (at == LOCK_NONE)
		return lock_error(l, NULL, err, "line %u: an entry without a name", entry->key_line);
	p = &l->packages[at];
	p->line = entry->key_line;
	p->version = tree_text(entry, "version");
	p->integrity = tree_text(entry, "checksum");
	/* For other platforms than this: such an entry has no checksum. */
	if (tree_text(entry, "conditions").n)
		p->flags |= LOCK_OPTIONAL;
	read_resolution(p, tree_text(entry, "resolution"));
	if (str_eq(p->alias, p->name))
		p->alias = STR_NULL;
	if (str_eq(p->resolved, STR("workspace:.")))
		p->source = LOCK_PROJECT;
	read_needs(l, at, yaml_get(entry, STR("dependencies")), NEED_PROD);
	read_needs(l, at, yaml_get(entry, STR("optionalDependencies")), NEED_OPTIONAL);
	return 0;
}

/* Since version 8 of the metadata a dependency is written as in the keys ("npm:^1.0.0"); before, the "npm:" is left out. */
static uint32_t berry_target(const struct lock *l, uint32_t from, const struct lock_need *need)
{
	static const char *const forms[] = {"%.*s@%.*s", "%.*s@npm:%.*s"};
	char key[2048];
	uint32_t found = LOCK_NONE;

	(void)from;
	for (size_t i = 0; i < 2 && found == LOCK_NONE; i++) {
		int n = snprintf(key, sizeof(key), forms[i], STR_ARG(need->name), STR_ARG(need->spec));

		if (n > 0 && (size_t)n < sizeof(key))
			found = lock_find(l, (struct str){key, (size_t)n});
	}
	return found;
}

int read_yarn_berry(struct lock *l, const struct lock_extras *extras, struct err *err)
{
	struct yaml_node *root;
	int code = tree_read(l, l->text, 0, &root, err);

	(void)extras;
	if (code < 0)
		return code;
	for (const struct yaml_node *n = root->first; n; n = n->next) {
		if (str_eq(n->key, STR("__metadata")))
			continue;
		if (n->kind != YAML_MAP)
			return lock_error(l, NULL, err, "line %u: an entry must be a map: is the file cut?", n->key_line);
		code = read_entry(l, n, err);
		if (code < 0)
			return code;
	}
	lock_link(l, berry_target);
	return whole_check(l, true, err);
}
