#include "policy/policy.h"

#include <errno.h>

#include "base/limits.h"
#include "policy/load.h"

/* A policy file of LIMIT_POLICY_BYTES becomes a tree and tables of a few times its size. */
enum { ARENA_FACTOR = 32 };

static void own_no_room(struct policy *p)
{
	struct list *lists[] = {&p->deny_names, &p->deny_versions, &p->deny_hashes, &p->exclude, &p->internal, &p->advisory_files};

	/* What was taken over belongs to the base: an addition must copy first. */
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		lists[i]->room = lists[i]->count;
	p->origin_room = p->origin_count;
	p->exemption_room = p->exemption_count;
}

struct policy *policy_begin(struct policy *base)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	if (base)
		*p = *base;
	p->refs = 1;
	p->base = base ? policy_ref(base) : NULL;
	p->origins = NULL;
	p->rules = p->names = NULL;
	p->hashes = MAP_EMPTY;
	p->arena = arena_new(ARENA_FACTOR * LIMIT_POLICY_BYTES);
	own_no_room(p);
	return p->arena ? p : policy_freed(p);
}

struct policy *policy_freed(struct policy *p)
{
	while (p) {
		struct policy *base = p->base;

		matcher_free(p->rules);
		matcher_free(p->names);
		map_free(&p->hashes);
		arena_free(p->arena);
		free(p);
		if (!base || __atomic_sub_fetch(&base->refs, 1, __ATOMIC_ACQ_REL) > 0)
			break;
		p = base;
	}
	return NULL;
}

struct policy *policy_ref(struct policy *p)
{
	__atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
	return p;
}

void policy_unref(struct policy *p)
{
	if (p && __atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL) == 0)
		policy_freed(p);
}

/* One more item of an array in the arena; what it was stays valid for those who share it. */
static void *add_item(struct arena *a, void *array, size_t *count, size_t *room, size_t size)
{
	void **items = array;

	if (*count >= *room) {
		size_t more = *count < 8 ? 16 : *count * 2;
		void *bigger = arena_alloc_array(a, more, size);

		if (!bigger)
			return NULL;
		if (*count)
			memcpy(bigger, *items, *count * size);
		*items = bigger;
		*room = more;
	}
	return (char *)*items + size * (*count)++;
}

struct listed *list_add(struct policy *p, struct list *list)
{
	return add_item(p->arena, &list->items, &list->count, &list->room, sizeof(*list->items));
}

struct origin_rule *origin_rule_add(struct policy *p)
{
	return add_item(p->arena, &p->origin_rules, &p->origin_count, &p->origin_room, sizeof(*p->origin_rules));
}

struct exemption_rule *exemption_rule_add(struct policy *p)
{
	return add_item(p->arena, &p->exemptions, &p->exemption_count, &p->exemption_room, sizeof(*p->exemptions));
}

static int set_standards(struct policy *p, struct err *err)
{
	struct loader l = {.p = p, .file = STR("built-in"), .err = err};

	for (enum key_id id = 0; id < KEY_COUNT; id++) {
		int r = 0;

		if (keys[id].group == GROUP_POLICY && !key_is_container(&keys[id]))
			r = value_standard(&l, &keys[id], (char *)p + keys[id].offset);
		if (r < 0)
			return r;
	}
	for (enum ecosystem e = ECOSYSTEM_NPM; e <= ECOSYSTEM_NUGET; e++) {
		struct origin_rule *rule = origin_rule_add(p);

		if (!rule)
			return -ENOMEM;
		rule->origin = (struct origin){.ecosystem = e, .is_default = true, .cooldown = -1};
		for (enum key_id id = 0; id < KEY_COUNT; id++) {
			void *target = keys[id].flags & KEY_NPM_ONLY ? (char *)p + keys[id].offset : (char *)rule + keys[id].offset;
			int r = keys[id].group == GROUP_ORIGIN ? value_standard(&l, &keys[id], target) : 0;

			if (r < 0)
				return r;
		}
	}
	return 0;
}

struct policy *policy_builtin(void)
{
	struct policy *p = policy_begin(NULL);

	if (!p)
		return NULL;
	memset(p->rule_modes, MODE_UNSET, sizeof(p->rule_modes));
	if (set_standards(p, NULL) < 0 || policy_finish(p, NULL) < 0)
		return policy_freed(p);
	return p;
}

const struct gate_settings *policy_gate(const struct policy *p)
{
	return &p->gate;
}

uint64_t policy_digest(const struct policy *p)
{
	return p->digest;
}

size_t policy_origins(const struct policy *p, const struct origin **ret_array)
{
	*ret_array = p->origins;
	return p->origin_count;
}

struct nearest {
	const struct match_entry *best;
	bool own_only;
};

/* The most specific pattern; between equals, an origin before `internal`. */
static bool keep_nearest(void *arg, const struct match_entry *entry)
{
	struct nearest *n = arg;

	if (n->own_only && entry->kind != MATCH_ORIGIN)
		return false;
	if (!n->best || entry->literal > n->best->literal || (entry->literal == n->best->literal && entry->kind < n->best->kind))
		n->best = entry;
	return false;
}

const struct origin *policy_origin(const struct policy *p, enum ecosystem e, struct str name)
{
	struct nearest own = {.own_only = true};

	matcher_search(p->names, e, name, keep_nearest, &own);
	if (own.best)
		return &p->origins[own.best->value];
	return policy_is_internal(p, e, name) ? NULL : &p->origins[e];
}

static bool at_once(void *arg, const struct match_entry *entry)
{
	(void)arg;
	(void)entry;
	return true;
}

bool policy_is_internal(const struct policy *p, enum ecosystem e, struct str name)
{
	return matcher_search(p->names, e, name, at_once, NULL);
}

int policy_set_upstream(const struct policy *p, enum ecosystem e, struct str url, struct policy **ret, struct err *err)
{
	struct policy *copy = policy_begin((struct policy *)p);
	struct origin_rule *rules;

	if (!copy || !(rules = ARENA_ARRAY(copy->arena, struct origin_rule, p->origin_count))) {
		policy_freed(copy);
		return err_set(err, -ENOMEM, "out of memory");
	}
	memcpy(rules, p->origin_rules, p->origin_count * sizeof(*rules));
	copy->origin_rules = rules;
	copy->origin_room = p->origin_count;
	rules[e].origin.url = str_ends(url, STR("/")) || str_ends(url, STR(".json")) ? arena_str(copy->arena, url)
	                                                                             : arena_printf(copy->arena, "%.*s/", STR_ARG(url));
	if (!rules[e].origin.url.p || policy_finish(copy, err) < 0) {
		policy_freed(copy);
		return err_set(err, -ENOMEM, "out of memory");
	}
	*ret = copy;
	return 0;
}
