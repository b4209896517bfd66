#include "policy/policy.h"

#include <errno.h>

#include "base/limits.h"
#include "policy/embedded.h"
#include "policy/load.h"
#include "policy/look_alike.h"

/* A policy file of LIMIT_POLICY_BYTES becomes a tree and tables of a few times its size. */
enum { ARENA_FACTOR = 32 };

/* What was taken over belongs to the base: an addition must copy first. */
static void own_no_room(struct policy *p)
{
	for (enum key_id id = 0; id < KEY_COUNT; id++) {
		void *target = (char *)p + keys[id].offset;

		if (keys[id].group != GROUP_POLICY && !(keys[id].flags & KEY_NPM_ONLY))
			continue;
		if (key_is_list(&keys[id]))
			((struct list *)target)->room = ((struct list *)target)->count;
		else if (keys[id].type == KEY_TYPE_ITEMS || keys[id].type == KEY_TYPE_SETS)
			((struct items *)target)->room = ((struct items *)target)->count;
	}
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
	p->hashes = p->publishers_by_name = p->denied_publishers = MAP_EMPTY;
	p->look_alikes = NULL;
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
		look_alikes_free(p->look_alikes);
		map_free(&p->publishers_by_name);
		map_free(&p->denied_publishers);
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

void *items_add(struct policy *p, struct items *items, size_t size)
{
	return add_item(p->arena, &items->array, &items->count, &items->room, size);
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
		struct origin_rule *rule = items_add(p, &p->origin_rules, sizeof(*rule));

		if (!rule)
			return -ENOMEM;
		*rule = (struct origin_rule){.origin.ecosystem = e, .origin.is_default = true, .origin.cooldown = -1};
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
	p->cooldown_security_fix = -1;
	if (set_standards(p, NULL) < 0 || policy_finish(p, NULL) < 0)
		return policy_freed(p);
	return p;
}

size_t policy_exemptions(const struct policy *p, const struct exemption **ret_array)
{
	*ret_array = p->exemptions;
	return p->exemption_rules.count;
}

size_t policy_approvals(const struct policy *p, const struct approval **ret_array)
{
	*ret_array = p->approvals;
	return p->root_rules.count;
}

size_t policy_publishers(const struct policy *p, const struct approved_publisher **ret_array)
{
	*ret_array = p->publishers;
	return p->publisher_count;
}

size_t policy_feeds(const struct policy *p, const struct policy_feed **ret_array)
{
	*ret_array = p->feeds;
	return p->feed_rules.count;
}

size_t policy_teams(const struct policy *p, const struct policy_team **ret_array)
{
	*ret_array = p->teams;
	return p->team_rules.count;
}

size_t policy_webhooks(const struct policy *p, const struct policy_webhook **ret_array)
{
	*ret_array = p->webhooks;
	return p->webhook_rules.count;
}

size_t policy_ignores(const struct policy *p, const struct advisory_ignore **ret_array)
{
	*ret_array = p->ignores;
	return p->ignore_rules.count;
}

size_t policy_vex(const struct policy *p, const struct str **ret_files)
{
	*ret_files = p->vex;
	return p->vex_files.count;
}

size_t policy_scan_hosts(const struct policy *p, const struct str **ret_hosts)
{
	*ret_hosts = p->hosts;
	return p->scan_hosts.count;
}

const struct policy_trust *policy_trust(const struct policy *p)
{
	return &p->trust;
}

const struct approval_settings *policy_approval_settings(const struct policy *p)
{
	return &p->approval;
}

const struct advisory_brake *policy_brake(const struct policy *p)
{
	return &p->brake;
}

usec policy_new_dependency(const struct policy *p)
{
	return p->cooldown_new_dependency;
}

struct root_search {
	const struct policy *p;
	const struct match_entry *best;
};

static bool keep_root(void *arg, const struct match_entry *entry)
{
	struct root_search *s = arg;

	if (entry->kind != MATCH_ROOT || s->p->approvals[entry->value].ends <= s->p->loaded)
		return false;
	if (!s->best || entry->literal > s->best->literal)
		s->best = entry;
	return false;
}

const struct approval *policy_root(const struct policy *p, enum ecosystem e, struct str name)
{
	struct root_search s = {.p = p};

	matcher_search(p->rules, e, name, keep_root, &s);
	return s.best ? &p->approvals[s.best->value] : NULL;
}

struct str policy_shipped(struct str name)
{
	if (str_eq(name, STR("default")))
		return embedded_text(EMBEDDED_DEFAULT);
	return str_eq(name, STR("strict")) ? embedded_text(EMBEDDED_STRICT) : STR_NULL;
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

	if (!copy || !(rules = ARENA_ARRAY(copy->arena, struct origin_rule, p->origin_rules.count))) {
		policy_freed(copy);
		return err_set(err, -ENOMEM, "out of memory");
	}
	memcpy(rules, p->origin_rules.array, p->origin_rules.count * sizeof(*rules));
	copy->origin_rules.array = rules;
	copy->origin_rules.room = p->origin_rules.count;
	rules[e].origin.url = str_ends(url, STR("/")) || str_ends(url, STR(".json")) ? arena_str(copy->arena, url)
	                                                                             : arena_printf(copy->arena, "%.*s/", STR_ARG(url));
	if (!rules[e].origin.url.p || policy_finish(copy, err) < 0) {
		policy_freed(copy);
		return err_set(err, -ENOMEM, "out of memory");
	}
	*ret = copy;
	return 0;
}
