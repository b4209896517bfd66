#include "gate/reach_edges.h"

#include "base/limits.h"
#include "base/map.h"
#include "codec/json.h"
#include "codec/purl.h"
#include "codec/semver.h"
#include "gate/facts.h"
#include "gate/reach_internal.h"

/* Lockfiles are rarely older. */
#define RECENT_AGE (730 * USEC_DAY)

struct collecting {
	struct edges *e;
	struct map seen, seen_peers; /* seen: "name range" -> its place in the list, from 1 */
	size_t room, peer_room;
	unsigned urgency;
};

static void add(struct collecting *c, struct str name, struct str range)
{
	struct edges *e = c->e;
	struct str key;
	uintptr_t at;

	/* What is no name is nowhere, and is not put into an upstream's URL. */
	if (npm_name_check(name, NULL) < 0)
		return;
	key = arena_printf(e->arena, "%.*s %.*s", STR_ARG(name), STR_ARG(range));
	at = (uintptr_t)map_get(&c->seen, key);
	if (at) {
		if (c->urgency < e->list[at - 1].urgency)
			e->list[at - 1].urgency = c->urgency;
		return;
	}
	if (e->count == c->room) {
		struct edge *grown = reallocarray(e->list, c->room = c->room ? c->room * 2 : 64, sizeof(*grown));

		if (!grown)
			abort();
		e->list = grown;
	}
	e->list[e->count++] = (struct edge){name, range, c->urgency};
	if (map_put(&c->seen, key, (void *)e->count) < 0)
		abort();
}

/* "^1.0.0"; "npm:other@^1.0.0" is another name; a tag may be any version; git, http and file ones come from elsewhere. */
static void add_dependency(struct collecting *c, struct str name, struct str range)
{
	struct semver_range *parsed;
	CLEANUP_ARENA struct arena *a = NULL;

	range = str_trim(range);
	if (str_starts(range, STR("npm:"))) {
		struct str alias = str_skip(range, 4);
		ptrdiff_t at = str_rchr(alias, '@');

		name = at > 0 ? str_take(alias, (size_t)at) : alias;
		range = at > 0 ? str_skip(alias, (size_t)at + 1) : STR_NULL;
	}
	if (str_chr(range, ':') >= 0 || str_chr(range, '/') >= 0)
		return;
	a = arena_new(MIB);
	if (!a || semver_range_parse(a, range, SEMVER_LOOSE, &parsed) < 0)
		range = STR_NULL;
	add(c, name, range);
}

/* {"optional": true}? */
static bool says_optional(struct json_reader *r)
{
	struct str key;
	bool optional = false, value = false;

	if (json_peek(r) != JSON_OBJECT) {
		json_skip(r, NULL);
		return false;
	}
	json_enter_object(r);
	while (json_next_member(r, &key)) {
		if (json_raw_equals(key, STR("optional")) && (json_peek(r) == JSON_TRUE || json_peek(r) == JSON_FALSE)) {
			json_bool(r, &value);
			optional = value;
		} else {
			json_skip(r, NULL);
		}
	}
	return optional;
}

/* Names of `peerDependenciesMeta` that are marked as optional. */
static void read_optional_peers(struct collecting *c, struct str object, struct map *ret)
{
	struct json_reader r;
	struct str key, raw_name;

	json_init(&r, object);
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		if (!json_raw_equals(key, STR("peerDependenciesMeta")) || json_peek(&r) != JSON_OBJECT) {
			json_skip(&r, NULL);
			continue;
		}
		json_enter_object(&r);
		while (json_next_member(&r, &raw_name))
			if (says_optional(&r) && map_put(ret, json_decode(c->e->arena, raw_name), c) < 0)
				abort();
	}
}

static void add_peer(struct collecting *c, struct str name)
{
	struct edges *e = c->e;

	if (npm_name_check(name, NULL) < 0 || map_get(&c->seen_peers, name))
		return;
	if (e->peer_count == c->peer_room) {
		struct str *grown = reallocarray(e->peers, c->peer_room = c->peer_room ? c->peer_room * 2 : 16, sizeof(*grown));

		if (!grown)
			abort();
		e->peers = grown;
	}
	e->peers[e->peer_count++] = name;
	if (map_put(&c->seen_peers, name, c) < 0)
		abort();
}

/* `optional` (may be NULL): names that are noted only. */
static void read_member(struct collecting *c, struct json_reader *r, const struct map *optional)
{
	struct str raw_name, name, range;

	if (json_peek(r) != JSON_OBJECT) {
		json_skip(r, NULL);
		return;
	}
	json_enter_object(r);
	while (json_next_member(r, &raw_name)) {
		if (json_peek(r) != JSON_STRING) {
			json_skip(r, NULL);
			continue;
		}
		json_string_decoded(r, c->e->arena, &range);
		name = json_decode(c->e->arena, raw_name);
		if (optional && map_get(optional, name))
			add_peer(c, name);
		else
			add_dependency(c, name, range);
	}
}

/* An optional peer is never installed on behalf of who names it: the project that wants it names it itself, and then it is a root of its own. Were they
 * counted, Vite would need React Native. */
static void read_version(struct collecting *c, struct str object)
{
	struct map optional = MAP_EMPTY;
	struct json_reader r;
	struct str key;

	read_optional_peers(c, object, &optional);
	json_init(&r, object);
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		if (json_raw_equals(key, STR("dependencies")) || json_raw_equals(key, STR("optionalDependencies")))
			read_member(c, &r, NULL);
		else if (json_raw_equals(key, STR("peerDependencies")))
			read_member(c, &r, &optional);
		else
			json_skip(&r, NULL);
	}
	map_free(&optional);
}

struct wished {
	const struct edges_wish *wish;
	struct semver_range **ranges;
	size_t count;
	bool any;
};

static void read_ranges(struct wished *w, struct arena *a)
{
	w->any = w->wish->any;
	w->ranges = ARENA_ARRAY(a, struct semver_range *, w->wish->range_count + 1);
	for (size_t i = 0; i < w->wish->range_count && w->ranges; i++)
		if (semver_range_parse(a, w->wish->ranges[i], SEMVER_LOOSE, &w->ranges[w->count]) == 0)
			w->count++;
		else
			w->any = true;
}

static bool is_wished(const struct wished *w, const struct npm_version *v)
{
	if (w->any || !v->semver_ok)
		return true;
	for (size_t i = 0; i < w->count; i++)
		if (semver_range_satisfied(w->ranges[i], &v->semver, SEMVER_LOOSE))
			return true;
	return false;
}

void edges_of(const struct npm_packument *p, const struct package_facts *known, struct rules *rules, const struct origin *origin,
              const struct edges_wish *wish, usec now, struct edges *ret)
{
	struct collecting c = {.e = ret};
	struct wished w = {.wish = wish};
	bool newest_seen = false;

	ret->next_change = USEC_NEVER;
	ret->arena = arena_new(128 * MIB);
	if (!ret->arena)
		abort();
	read_ranges(&w, ret->arena);
	for (size_t i = npm_packument_version_count(p); i-- > 0;) {
		struct npm_version v;
		struct version_facts facts;
		struct decision d;
		bool wished;

		npm_packument_version(p, i, &v);
		wished = is_wished(&w, &v);
		if (!wished && !wish->as_root)
			continue;
		facts_of(p, &v, origin, now, &facts);
		package_facts_put(known, p, i, &v, now, &facts);
		facts.reach_pending = false;
		facts.reached_from = wished ? STR("an approved root") : STR_NULL;
		decide(rules->policy, rules->advisories, &facts, now, NULL, &d);
		if (d.next_change < ret->next_change)
			ret->next_change = d.next_change;
		if (d.verdict != VERDICT_ALLOW)
			continue;
		/* The versions are in the order of the document, which is that of publication but for odd ones. */
		c.urgency = !newest_seen && !v.semver.pre.n ? NEWEST : now - v.published < RECENT_AGE ? RECENT : REST;
		newest_seen |= c.urgency == NEWEST;
		if (v.dependency_count)
			read_version(&c, v.object);
	}
	map_free(&c.seen);
	map_free(&c.seen_peers);
}

void edges_free(struct edges *e)
{
	free(e->list);
	free(e->peers);
	arena_free(e->arena);
}
