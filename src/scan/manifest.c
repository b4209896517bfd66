/* Is the lockfile in step with the package.json beside it? A build that installs by the manifest gets something else than what was scanned. */
#include "codec/semver.h"
#include "scan/findings.h"
#include "scan/formats.h"

struct comparison {
	struct findings *findings;
	struct lock *lock;
	struct str file, text;
	bool overrides; /* versions may be set from elsewhere: ranges are not compared */
	int code;
};

/* The project itself in the lockfile's own terms. */
static bool is_root(const struct lock_package *p)
{
	if (p->source == LOCK_PROJECT)
		return p->key.n == 0 || str_ends(p->key, STR("@workspace:.")) || str_eq(p->name, STR(".")) || str_eq(p->key, STR("workspace:"));
	return p->source == LOCK_WORKSPACE && str_ends(p->key, STR("@workspace:."));
}

/* What the project's need of this name leads to. *ret_known: the lockfile says at all what the project needs. */
static uint32_t locked_as(const struct lock *l, struct str name, bool *ret_known)
{
	struct str path;

	for (uint32_t i = 0; i < l->count; i++) {
		if (!is_root(&l->packages[i]))
			continue;
		*ret_known = true;
		for (uint32_t n = l->packages[i].needs; n != LOCK_NONE; n = l->needs[n].next)
			if (str_eq(l->needs[n].name, name) && l->needs[n].to != LOCK_NONE)
				return l->needs[n].to;
	}
	/* Version 1 of npm's lockfile does not name the project. */
	path = arena_printf(l->arena, "node_modules/%.*s", STR_ARG(name));
	return path.p ? lock_find(l, path) : LOCK_NONE;
}

static bool fits(struct lock *l, struct str spec, const struct lock_package *p)
{
	struct str real, range = spec;
	struct semver_range *parsed;
	struct semver version;

	if (npm_alias(spec, &real, &range) && !range.n)
		return true;
	if (lock_source_of(range) != LOCK_REGISTRY || p->source != LOCK_REGISTRY || str_chr(range, ':') >= 0)
		return true;
	if (semver_parse(p->version, 0, &version) < 0 || semver_range_parse(l->arena, range, 0, &parsed) < 0)
		return true; /* a tag, or no version: nothing that could be compared */
	return semver_range_satisfied(parsed, &version, 0);
}

static unsigned line_in(struct str text, const char *at)
{
	unsigned line = 1;

	for (const char *p = text.p; p < at; p++)
		line += *p == '\n';
	return line;
}

static void compare(struct comparison *c, struct str name, struct str spec, const char *at)
{
	bool known = false;
	uint32_t to = locked_as(c->lock, name, &known);
	struct findings *f = c->findings;
	struct finding *told;

	/* Version 1 does not say what the project needs, but all of it lies at the top. */
	known = known || c->lock->count > 0;
	if (to != LOCK_NONE && (c->overrides || fits(c->lock, spec, &c->lock->packages[to])))
		return;
	if (to == LOCK_NONE) {
		/* Members, links and folders need no entry of their own. */
		if (lock_source_of(spec) != LOCK_REGISTRY || !known)
			return;
		c->code = findings_rule(f, c->lock, LOCK_NONE, false, RULE_NOT_LOCKED, arena_printf(f->arena, "it wants %.*s", STR_ARG(spec)));
	} else {
		c->code = findings_rule(f, c->lock, to, c->lock->packages[to].flags & LOCK_DEV, RULE_OUT_OF_RANGE,
		                        arena_printf(f->arena, "it wants %.*s", STR_ARG(spec)));
	}
	if (c->code < 0)
		return;
	told = &f->array[f->count - 1];
	told->name = arena_str(f->arena, name);
	told->file = c->file;
	told->line = line_in(c->text, at);
}

static void read_group(struct json_reader *r, struct comparison *c)
{
	struct str key;

	if (!json_enter_object_or_skip(r))
		return;
	while (json_next_member(r, &key)) {
		struct str name = json_key_text(c->lock, key), spec = json_text_or_none(r, c->lock);

		if (c->code == 0 && !json_failed(r))
			compare(c, name, spec, key.p);
	}
}

/* Twice over the file: first whether anything sets versions from elsewhere. */
static void read_manifest(struct comparison *c, bool groups)
{
	static const struct str group_names[] = {{"dependencies", 12}, {"devDependencies", 15}, {"optionalDependencies", 20}};
	static const struct str override_names[] = {{"overrides", 9}, {"resolutions", 11}, {"pnpm", 4}};
	struct json_reader r;
	struct str key;

	lock_json_init(&r, c->text);
	if (json_peek(&r) != JSON_OBJECT)
		return;
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		bool taken = false;

		for (size_t i = 0; i < 3; i++) {
			c->overrides = c->overrides || json_raw_equals(key, override_names[i]);
			if (groups && !taken && json_raw_equals(key, group_names[i])) {
				read_group(&r, c);
				taken = true;
			}
		}
		if (!taken)
			json_skip(&r, NULL);
	}
}

int findings_add_manifest(struct findings *f, struct lock *l, struct str file, struct str manifest)
{
	struct comparison c = {.findings = f, .lock = l, .file = file, .text = manifest};

	read_manifest(&c, false);
	read_manifest(&c, true);
	return c.code < 0 ? c.code : arena_failed(f->arena) || arena_failed(l->arena) ? -ENOMEM : 0;
}
