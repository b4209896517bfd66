/* package.json without a lockfile: what is declared, not what is installed. */
#include "codec/semver.h"
#include "scan/formats.h"
#include "scan/whole.h"

static const struct {
	struct str key;
	enum need_kind kind;
} groups[] = {
	{{"dependencies", 12}, NEED_PROD},
	{{"devDependencies", 15}, NEED_DEV},
	{{"optionalDependencies", 20}, NEED_OPTIONAL},
	{{"peerDependencies", 16}, NEED_PEER},
};

/* Only an exact range says which version it will be. */
static void declare(struct lock *l, uint32_t root, struct str name, struct str range, enum need_kind kind, const char *where)
{
	struct str real = name, spec = range;
	struct semver_range *parsed;
	struct semver exact;
	enum lock_source source = lock_source_of(range);
	uint32_t at = lock_add(l, name, name, where);

	if (at == LOCK_NONE)
		return;
	if (npm_alias(range, &real, &spec)) {
		l->packages[at].alias = str_eq(real, name) ? STR_NULL : name;
		source = LOCK_REGISTRY;
	}
	l->packages[at].name = real;
	l->packages[at].requested = spec;
	l->packages[at].source = source == LOCK_REGISTRY ? LOCK_DECLARED : source;
	l->packages[at].flags = kind == NEED_DEV        ? (unsigned)LOCK_DEV
	                        : kind == NEED_OPTIONAL ? (unsigned)LOCK_OPTIONAL
	                        : kind == NEED_PEER     ? (unsigned)LOCK_PEER
	                                                : 0;
	if (source != LOCK_REGISTRY)
		l->packages[at].resolved = range;
	else if (spec.n && semver_range_parse(l->arena, spec, 0, &parsed) == 0 && semver_range_exact(parsed, &exact))
		l->packages[at].version = semver_format(l->arena, &exact);
	lock_need(l, root, name, range, kind);
}

static void read_group(struct json_reader *r, struct lock *l, uint32_t root, enum need_kind kind)
{
	struct str key;

	if (!json_enter_object_or_skip(r))
		return;
	while (json_next_member(r, &key)) {
		struct str name = json_key_text(l, key);

		declare(l, root, name, json_text_or_none(r, l), kind, key.p);
	}
}

static uint32_t declared_target(const struct lock *l, uint32_t from, const struct lock_need *need)
{
	(void)from;
	return lock_find(l, need->name);
}

int read_package_json(struct lock *l, const struct lock_extras *extras, struct err *err)
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
		json_fail(&r, "a manifest is an object");
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		size_t i = 0;

		while (i < sizeof(groups) / sizeof(groups[0]) && !json_raw_equals(key, groups[i].key))
			i++;
		if (i < sizeof(groups) / sizeof(groups[0]))
			read_group(&r, l, root, groups[i].kind);
		else if (json_raw_equals(key, STR("name")))
			l->packages[root].name = json_text_or_none(&r, l);
		else
			json_skip(&r, NULL);
	}
	code = lock_json_finish(l, &r, err);
	if (code == 0) {
		lock_warn(l, NULL, "no lockfile: this lists what is declared, not what will be installed");
		lock_link(l, declared_target);
	}
	return code;
}

static bool read_root(struct json_reader *r, struct lock *l, uint32_t root)
{
	struct str key;
	bool alone = true;

	if (!json_enter_object_or_skip(r))
		return false;
	while (json_next_member(r, &key)) {
		size_t g = 0;

		while (g < 3 && !json_raw_equals(key, groups[g].key))
			g++;
		alone = alone && !json_raw_equals(key, STR("workspaces"));
		if (g < 3)
			json_needs(r, l, root, groups[g].kind);
		else
			json_skip(r, NULL);
	}
	return alone;
}

/* A manifest that cannot be read takes nothing away from the lockfile beside it. */
bool manifest_root(struct lock *l, const struct lock_extras *extras)
{
	struct json_reader r;
	uint32_t root;
	bool alone;

	if (!extras || !extras->count || !str_eq(extras->files[0].name, STR("package.json")))
		return false;
	root = lock_add(l, STR_NULL, STR("."), NULL);
	if (root == LOCK_NONE)
		return false;
	l->packages[root].source = LOCK_PROJECT;
	lock_json_init(&r, extras->files[0].text);
	alone = read_root(&r, l, root);
	if (json_finish(&r, NULL) == 0)
		return alone;
	lock_warn(l, NULL, "the package.json beside it cannot be read");
	l->packages[root].needs = LOCK_NONE;
	return false;
}

void manifest_check(struct lock *l)
{
	const struct lock_package *root = &l->packages[l->count - 1];

	for (uint32_t n = root->needs; n != LOCK_NONE; n = l->needs[n].next)
		if (l->needs[n].to == LOCK_NONE && lock_source_of(l->needs[n].spec) == LOCK_REGISTRY)
			lock_warn(l, NULL, "package.json wants \"%.*s@%.*s\", which is not in the lockfile: they are out of step, or it is cut",
			          STR_ARG(l->needs[n].name), STR_ARG(l->needs[n].spec));
}
