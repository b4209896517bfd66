/* Publishers: their written forms, the sets that they come in, and the look-ups of the decision. */
#include <errno.h>
#include <stdio.h>

#include "base/limits.h"
#include "codec/yaml.h"
#include "policy/embedded.h"
#include "policy/load.h"

enum { LIMIT_PUBLISHER_BYTES = 300 };

static const struct {
	struct str prefix;
	const char *name;
} kinds[] = {
	[PUBLISHER_NPM_USER] = {{"npm-user:", 9}, "npm-user"},
	[PUBLISHER_NPM_SCOPE] = {{"npm-scope:", 10}, "npm-scope"},
	[PUBLISHER_TRUSTED] = {{"trusted-publisher:", 18}, "trusted-publisher"},
	[PUBLISHER_NUGET_OWNER] = {{"nuget-owner:", 12}, "nuget-owner"},
	[PUBLISHER_SET] = {{"publisher-set:", 14}, "publisher-set"},
};

const char *publisher_kind_name(unsigned kind)
{
	return kinds[kind].name;
}

static const char *scope_problem(struct str name)
{
	if (name.n < 2 || name.p[0] != '@')
		return "a scope is written npm-scope:@acme";
	return str_chr(name, '/') >= 0 ? "a scope alone is named, without a package behind it" : NULL;
}

/* HOST/ORG/REPO, with groups below groups where the host has them. */
static const char *repository_problem(struct str name)
{
	static const char form[] =
		"a repository is written trusted-publisher:github.com/ORG/REPO, or github.com/ORG/* for all of an organisation";
	struct str rest = name, part;
	size_t parts = 0;
	bool star = false;

	if (str_find(name, STR("://")) >= 0 || str_ends(name, STR("/")))
		return form;
	while (str_split(&rest, '/', &part)) {
		if (part.n == 0 || star || (parts == 0 && (str_chr(part, '.') <= 0 || str_chr(part, '*') >= 0)))
			return form;
		star = str_eq(part, STR("*"));
		if ((!star && str_chr(part, '*') >= 0) || (star && parts < 2))
			return form;
		parts++;
	}
	return parts < 3 ? form : NULL;
}

static const char *name_problem(unsigned kind, struct str name)
{
	if (name.n == 0)
		return "the name is missing";
	if (name.n > LIMIT_NAME_BYTES)
		return "the name is too long";
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] <= ' ' || (unsigned char)name.p[i] >= 0x7f)
			return "a name holds neither blanks nor letters outside ASCII";
	if (kind == PUBLISHER_TRUSTED)
		return repository_problem(name);
	if (str_chr(name, '*') >= 0)
		return "no star is possible here";
	if (kind == PUBLISHER_NPM_SCOPE)
		return scope_problem(name);
	return str_chr(name, '/') >= 0 || name.p[0] == '@' ? "the name of an account or set holds neither @ nor /" : NULL;
}

int publisher_parse(struct str text, bool sets, unsigned *ret_kind, struct str *ret_name, const char **ret_problem)
{
	for (unsigned kind = 0; kind <= (sets ? PUBLISHER_SET : PUBLISHER_NUGET_OWNER); kind++) {
		if (!str_starts(text, kinds[kind].prefix))
			continue;
		*ret_kind = kind;
		*ret_name = str_skip(text, kinds[kind].prefix.n);
		*ret_problem = name_problem(kind, *ret_name);
		return *ret_problem ? -EINVAL : 0;
	}
	*ret_problem = sets ? "it must begin with npm-user:, npm-scope:, trusted-publisher:, nuget-owner: or publisher-set:"
	                    : "it must begin with npm-user:, npm-scope:, trusted-publisher: or nuget-owner:";
	return -EINVAL;
}

/* "2:github.com/acme/tool"; with the name in small letters where case does not count. Empty: too long to be any of them. */
static struct str lookup_key(char *out, unsigned kind, struct str name, bool any_case)
{
	if (name.n + 2 > LIMIT_PUBLISHER_BYTES)
		return STR_NULL;
	out[0] = (char)('0' + kind);
	out[1] = ':';
	for (size_t i = 0; i < name.n; i++)
		out[i + 2] = any_case && name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] + 32) : name.p[i];
	return (struct str){out, name.n + 2};
}

static bool approved_any_case(unsigned kind)
{
	return kind == PUBLISHER_TRUSTED || kind == PUBLISHER_NUGET_OWNER;
}

static void *look_up(const struct map *map, enum publisher_kind kind, struct str name, bool any_case)
{
	char text[LIMIT_PUBLISHER_BYTES + 1];
	struct str key;
	void *found;
	ptrdiff_t slash;

	if (map->used == 0 || name.n == 0)
		return NULL;
	key = lookup_key(text, kind, name, any_case);
	found = key.n ? map_get(map, key) : NULL;
	slash = str_rchr(key, '/');
	if (found || kind != PUBLISHER_TRUSTED || slash < 0)
		return found;
	text[slash + 1] = '*';
	return map_get(map, (struct str){text, (size_t)slash + 2});
}

const struct approved_publisher *publisher_approved(const struct policy *p, enum publisher_kind kind, struct str name)
{
	return look_up(&p->publishers_by_name, kind, name, approved_any_case(kind));
}

bool policy_trusts_source(const struct policy *p, struct str source)
{
	return publisher_approved(p, PUBLISHER_TRUSTED, source) != NULL;
}

const struct listed *publisher_denied(const struct policy *p, enum publisher_kind kind, struct str name)
{
	return look_up(&p->denied_publishers, kind, name, true);
}

/* ---- sets ---- */

struct yaml_node *publisher_sets_shipped(struct arena *a)
{
	struct yaml_node *root = NULL;

	return yaml_parse(a, embedded_text(EMBEDDED_PUBLISHER_SETS), STR("publisher_sets.yaml"), &root, NULL) < 0 ? NULL : root;
}

static const struct set_rule *own_set(const struct policy *p, struct str name)
{
	const struct set_rule *sets = p->set_rules.array;

	/* The last one: a team's file may have one of its own. */
	for (size_t i = p->set_rules.count; i-- > 0;)
		if (str_eq(sets[i].name, name))
			return &sets[i];
	return NULL;
}

static int unknown_set(const struct policy *p, const struct publisher_rule *rule, const struct yaml_node *shipped, struct err *err)
{
	const struct set_rule *own = p->set_rules.array;
	struct str best = STR_NULL;
	size_t least = 4, d;

	for (const struct yaml_node *n = shipped ? shipped->first : NULL; n; n = n->next)
		if ((d = text_distance(n->key, rule->publisher.name)) < least) {
			least = d;
			best = n->key;
		}
	for (size_t i = 0; i < p->set_rules.count; i++)
		if ((d = text_distance(own[i].name, rule->publisher.name)) < least) {
			least = d;
			best = own[i].name;
		}
	return err_set(err, -EBADMSG,
	               "%.*s:%u: publisher: there is no publisher-set %.*s%s%.*s; docs/policy.md lists those that come with the program",
	               STR_ARG(rule->publisher.source.file), rule->publisher.source.line, STR_ARG(str_take(rule->publisher.name, 80)),
	               best.n ? "; is it meant to be " : "", STR_ARG(best));
}

struct filling {
	struct policy *p;
	const struct publisher_rule *rule;
	struct str set;
	size_t room;
};

static int add_publisher(struct filling *f, unsigned kind, struct str name)
{
	struct policy *p = f->p;
	char text[LIMIT_PUBLISHER_BYTES + 1];
	struct approved_publisher *publisher;
	struct str key = lookup_key(text, kind, name, approved_any_case(kind));

	if (p->publisher_count == f->room) {
		size_t room = f->room ? f->room * 2 : 32;
		struct approved_publisher *bigger = ARENA_ARRAY(p->arena, struct approved_publisher, room);

		if (!bigger)
			return -ENOMEM;
		if (p->publisher_count)
			memcpy(bigger, p->publishers, p->publisher_count * sizeof(*bigger));
		p->publishers = bigger;
		f->room = room;
	}
	publisher = &p->publishers[p->publisher_count++];
	*publisher = (struct approved_publisher){.kind = (enum publisher_kind)kind,
	                                         .name = name,
	                                         .set = f->set,
	                                         .reason = f->rule->reason,
	                                         .owner = f->rule->owner,
	                                         .review_by = f->rule->review_by.time,
	                                         .source = f->rule->source};
	key = arena_str(p->arena, key);
	/* For now the place in the array, which may still move. */
	if (!key.p ||
	    (!map_get(&p->publishers_by_name, key) && map_put(&p->publishers_by_name, key, (void *)(uintptr_t)p->publisher_count) < 0))
		return -ENOMEM;
	return 0;
}

static int add_shipped_set(struct filling *f, const struct yaml_node *set)
{
	for (const struct yaml_node *n = set->first; n; n = n->next) {
		struct str text = arena_str(f->p->arena, n->text), name;
		const char *problem;
		unsigned kind;
		int r;

		if (!text.p)
			return -ENOMEM;
		if (publisher_parse(text, false, &kind, &name, &problem) < 0)
			return -EBADMSG;
		if ((r = add_publisher(f, kind, name)) < 0)
			return r;
	}
	return 0;
}

static int add_set(struct filling *f, struct arena *scratch, struct yaml_node **shipped, struct err *err)
{
	const struct set_rule *own = own_set(f->p, f->rule->publisher.name);
	const struct yaml_node *set;

	f->set = f->rule->publisher.name;
	if (own) {
		for (size_t i = 0; i < own->publishers.count; i++) {
			const struct listed *item = &own->publishers.items[i];

			if (add_publisher(f, item->publisher, item->name) < 0)
				return -ENOMEM;
		}
		return 0;
	}
	if (!*shipped && !(*shipped = publisher_sets_shipped(scratch)))
		return -ENOMEM;
	set = yaml_get(*shipped, f->set);
	return set ? add_shipped_set(f, set) : unknown_set(f->p, f->rule, *shipped, err);
}

/* The map's values become pointers once the array stays where it is. */
static int settle(struct policy *p)
{
	CLEANUP_MAP struct map places = p->publishers_by_name;
	struct str key;
	void *place;

	p->publishers_by_name = MAP_EMPTY;
	for (size_t i = 0; map_next(&places, &i, &key, &place);)
		if (map_put(&p->publishers_by_name, key, &p->publishers[(uintptr_t)place - 1]) < 0)
			return -ENOMEM;
	return 0;
}

static int finish_denied(struct policy *p)
{
	for (size_t i = 0; i < p->deny_publishers.count; i++) {
		const struct listed *item = &p->deny_publishers.items[i];
		char text[LIMIT_PUBLISHER_BYTES + 1];
		struct str key = arena_str(p->arena, lookup_key(text, item->publisher, item->name, true));

		if (!key.p || map_put(&p->denied_publishers, key, (void *)item) < 0)
			return -ENOMEM;
	}
	return 0;
}

int publishers_finish(struct policy *p, struct err *err)
{
	CLEANUP_ARENA struct arena *scratch = arena_new(16 * MIB);
	const struct publisher_rule *rules = p->publisher_rules.array;
	struct filling f = {.p = p};
	struct yaml_node *shipped = NULL;
	int r = scratch ? 0 : -ENOMEM;

	p->publishers = NULL;
	p->publisher_count = 0;
	for (size_t i = 0; r == 0 && i < p->publisher_rules.count; i++) {
		f.rule = &rules[i];
		f.set = STR_NULL;
		if (rules[i].publisher.publisher == PUBLISHER_SET)
			r = add_set(&f, scratch, &shipped, err);
		else
			r = add_publisher(&f, rules[i].publisher.publisher, rules[i].publisher.name);
	}
	if (r == 0 && (settle(p) < 0 || finish_denied(p) < 0))
		r = -ENOMEM;
	return r == -ENOMEM ? err_set(err, r, "out of memory") : r;
}
