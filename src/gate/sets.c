#include "gate/sets.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/map.h"
#include "gate/facts.h"
#include "policy/decide.h"

/* The hard limits, and those within which the platforms of versions that have been out for long are followed too. */
enum { DEPTH = 6, PAIRS = 100000, PACKAGES = 2000, EASY_PAIRS = 20000, EASY_PACKAGES = 80 };
#define FOLLOWED_AT_LEAST (30 * USEC_DAY)
/* What could not be judged is tried again after this. */
#define UNKNOWN_FOR (30 * USEC_SECOND)

struct set_package {
	struct set_package *next;
	struct str name;
	const struct npm_packument *packument;
	const struct origin *origin;
	bool asked, missing, nowhere;
};

/* One pinned version. */
struct pair {
	struct pair *next;
	struct set_package *package;
	struct str version;
	unsigned depth;
	bool judged, held;
	usec until;
	struct pair **pins;
	size_t pin_count;
};

struct root {
	struct root *next;
	size_t index;
	struct pair **pins;
	size_t pin_count;
	struct str dependency; /* held already: by what */
	usec until;
	const struct npm_version *later; /* an old version whose pins sets_plan() looks at */
};

struct sets {
	struct arena *arena; /* the roots and the verdicts: as many as a packument may have versions */
	struct arena *graph; /* what they pin, which a stranger can make larger; when it is full, what did not fit is not cleared */
	struct rules *rules;
	struct str self;
	usec followed;        /* versions younger than this are followed in any case */
	bool easy;            /* the optional pins of old versions are few enough to follow them */
	struct map old_names; /* that old versions pin optionally */
	size_t old_pins;
	struct map packages, pairs;
	struct set_package *package_list;
	struct pair *pair_list, **pair_end;
	struct root *roots;
	size_t pair_count, package_count;
	/* Stands for the pins past the limits: what is not looked at is not cleared. */
	struct set_package overflow_package;
	struct pair overflow, *overflow_list[1];
};

struct sets *sets_new(struct rules *rules, struct str self)
{
	struct sets *s = calloc(1, sizeof(*s));

	if (s) {
		s->arena = arena_new(128 * MIB);
		s->graph = arena_new(128 * MIB);
	}
	if (!s || !s->arena || !s->graph)
		abort();
	s->rules = rules;
	s->self = self;
	s->pair_end = &s->pair_list;
	s->overflow_package.name = STR("(too many pinned dependencies)");
	s->overflow =
		(struct pair){.package = &s->overflow_package, .version = STR("0.0.0"), .judged = true, .held = true, .until = USEC_NEVER};
	s->overflow_list[0] = &s->overflow;
	return s;
}

void sets_free(struct sets *s)
{
	if (!s)
		return;
	map_free(&s->packages);
	map_free(&s->pairs);
	map_free(&s->old_names);
	arena_free(s->arena);
	arena_free(s->graph);
	free(s);
}

/* What a cleared version pins is needed by it: where the parent is approved, so are its parts, and where it is not, nobody asks for them. What its
 * parts gained is judged with their own documents when they are asked for. */
static void as_needed(struct version_facts *facts)
{
	facts->reached_from = STR("what pins it");
	facts->name_known = true;
}

/* The longest cooldown in force, found by asking about a version published this moment. */
static usec window(const struct sets *s, usec now)
{
	struct version_facts newborn = {.name = s->self,
	                                .version = STR("0.0.0"),
	                                .published = now,
	                                .first_seen = now,
	                                .package_published = now,
	                                .integrity = STR("sha512-unknown"),
	                                .origin_cooldown = -1};
	struct decision d;
	usec cooldown;

	as_needed(&newborn);
	decide(s->rules->policy, NULL, &newborn, now, NULL, &d);
	cooldown = d.verdict == VERDICT_HOLD && d.until != USEC_NEVER ? d.until - now : 0;
	return 2 * cooldown > FOLLOWED_AT_LEAST ? 2 * cooldown : FOLLOWED_AT_LEAST;
}

static struct set_package *find_package(struct sets *s, struct str name)
{
	struct set_package *p = map_get(&s->packages, name);

	if (p || s->package_count >= PACKAGES)
		return p;
	p = ARENA_NEW(s->graph, struct set_package);
	if (!p)
		return NULL;
	p->name = name;
	p->origin = policy_origin(s->rules->policy, ECOSYSTEM_NPM, name);
	p->next = s->package_list;
	if (map_put(&s->packages, name, p) < 0)
		abort();
	s->package_list = p;
	s->package_count++;
	return p;
}

static struct pair *find_pair(struct sets *s, struct npm_pin pin, unsigned depth)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "%.*s@%.*s", STR_ARG(pin.name), STR_ARG(pin.version));
	bool fits = n > 0 && (size_t)n < sizeof(text);
	struct str key = {text, fits ? (size_t)n : 0};
	struct pair *p = fits ? map_get(&s->pairs, key) : NULL;

	if (p || !fits || s->pair_count >= PAIRS)
		return p;
	p = ARENA_NEW(s->graph, struct pair);
	key = arena_str(s->graph, key);
	if (!p || !key.p)
		return NULL;
	p->package = find_package(s, pin.name);
	if (!p->package)
		return NULL;
	p->version = pin.version;
	p->depth = depth;
	if (map_put(&s->pairs, key, p) < 0)
		abort();
	*s->pair_end = p;
	s->pair_end = &p->next;
	s->pair_count++;
	return p;
}

/* What advisories and deny lists alone say of a version whose set has been out for long. */
static bool refused_anyway(struct sets *s, struct npm_pin pin, usec parent_published, usec now, usec *ret_until)
{
	struct version_facts facts = {.name = pin.name,
	                              .version = pin.version,
	                              .published = parent_published,
	                              .first_seen = parent_published,
	                              .package_published = parent_published,
	                              .integrity = STR("sha512-unknown"),
	                              .origin_cooldown = -1};
	struct decision d;

	as_needed(&facts);
	decide(s->rules->policy, s->rules->advisories, &facts, now, NULL, &d);
	*ret_until = d.until;
	return d.verdict == VERDICT_DENY;
}

/* Never empty: an empty one would mean that nothing holds. */
static struct str pin_text(struct sets *s, struct str name, struct str version)
{
	struct str text = arena_printf(s->graph, "%.*s@%.*s", STR_ARG(name), STR_ARG(version));

	return text.n ? text : STR("a pinned dependency");
}

/* The pins of a version as pairs: all of them, or the optional ones alone. */
static struct pair **follow(struct sets *s, const struct npm_version *v, bool optional_only, unsigned depth, size_t *ret_count)
{
	struct pair **pins = ARENA_ARRAY(s->graph, struct pair *, v->pin_count);

	*ret_count = 0;
	if (!pins) {
		*ret_count = 1;
		return s->overflow_list;
	}
	for (uint32_t i = 0; i < v->pin_count; i++) {
		struct npm_pin pin = npm_version_pin(v, i);

		/* What is no name is nowhere, and is not put into an upstream's URL ("../../admin"). */
		if (optional_only && !pin.optional)
			continue;
		if (str_eq(pin.name, s->self) || npm_name_check(pin.name, NULL) < 0)
			continue;
		pins[*ret_count] = find_pair(s, pin, depth);
		if (!pins[*ret_count])
			pins[*ret_count] = &s->overflow;
		(*ret_count)++;
	}
	return pins;
}

void sets_add_root(struct sets *s, size_t index, const struct npm_version *v, usec now)
{
	struct root *root = ARENA_NEW(s->arena, struct root);
	struct npm_version *later;

	if (!root)
		abort();
	if (!s->followed)
		s->followed = now - window(s, now);
	*root = (struct root){.next = s->roots, .index = index};
	s->roots = root;
	if (v->published > s->followed) {
		root->pins = follow(s, v, false, 1, &root->pin_count);
		return;
	}
	later = ARENA_NEW(s->arena, struct npm_version);
	if (!later)
		abort();
	*later = *v;
	root->later = later;
	for (uint32_t i = 0; i < v->pin_count && s->old_names.used <= EASY_PACKAGES; i++) {
		struct npm_pin pin = npm_version_pin(v, i);

		if (!pin.optional)
			continue;
		s->old_pins++;
		if (map_put(&s->old_names, pin.name, s) < 0)
			abort();
	}
}

static void check_lists_only(struct sets *s, struct root *root, usec now)
{
	for (uint32_t i = 0; i < root->later->pin_count; i++) {
		struct npm_pin pin = npm_version_pin(root->later, i);

		if (!refused_anyway(s, pin, root->later->published, now, &root->until))
			continue;
		root->dependency = pin_text(s, pin.name, pin.version);
		root->until = USEC_NEVER;
		return;
	}
}

void sets_plan(struct sets *s, usec now)
{
	s->easy = s->old_names.used <= EASY_PACKAGES && s->old_pins <= EASY_PAIRS;
	for (struct root *r = s->roots; r; r = r->next) {
		if (!r->later)
			continue;
		check_lists_only(s, r, now);
		if (s->easy && !r->dependency.n)
			r->pins = follow(s, r->later, true, 1, &r->pin_count);
	}
}

void sets_want(struct sets *s, struct str name)
{
	if (!str_eq(name, s->self) && npm_name_check(name, NULL) == 0)
		find_package(s, name);
}

enum set_wanted sets_wanted(const struct sets *s, struct str name, const struct npm_packument **ret)
{
	const struct set_package *p = map_get(&s->packages, name);

	/* Itself is known; what is no name is nowhere. */
	if (str_eq(name, s->self) || npm_name_check(name, NULL) < 0 || (p && p->nowhere))
		return SET_NOWHERE;
	if (!p || !p->packument)
		return SET_UNKNOWN;
	*ret = p->packument;
	return SET_FOUND;
}

bool sets_has_needs(const struct sets *s)
{
	for (const struct set_package *p = s->package_list; p; p = p->next)
		if (!p->asked)
			return true;
	return false;
}

struct set_package *sets_next_need(struct sets *s)
{
	for (struct set_package *p = s->package_list; p; p = p->next) {
		if (p->asked)
			continue;
		p->asked = true;
		return p;
	}
	return NULL;
}

struct str sets_package_name(const struct set_package *p)
{
	return p->name;
}

void sets_give(struct sets *s, struct set_package *p, const struct npm_packument *packument)
{
	(void)s;
	p->packument = packument;
}

void sets_missing(struct sets *s, struct set_package *p, bool nowhere)
{
	(void)s;
	p->missing = true;
	p->nowhere = nowhere;
}

static void judge_pair(struct sets *s, struct pair *pair, usec now)
{
	struct set_package *package = pair->package;
	struct npm_version v;
	struct version_facts facts;
	struct decision d;
	ptrdiff_t at;

	if (package->missing || !package->origin) {
		pair->judged = true;
		pair->held = !package->nowhere;
		pair->until = package->origin ? now + UNKNOWN_FOR : USEC_NEVER;
		return;
	}
	if (!package->packument)
		return;
	pair->judged = true;
	at = npm_packument_find(package->packument, pair->version);
	if (at < 0)
		return; /* nowhere: nothing that the gate holds back */
	npm_packument_version(package->packument, (size_t)at, &v);
	facts_of(package->packument, &v, package->origin, now, &facts);
	as_needed(&facts);
	decide(s->rules->policy, s->rules->advisories, &facts, now, NULL, &d);
	if (d.verdict != VERDICT_ALLOW) {
		pair->held = true;
		pair->until = d.verdict == VERDICT_DENY ? USEC_NEVER : d.until;
	} else if (v.pin_count && pair->depth < DEPTH && v.published > s->followed) {
		pair->pins = follow(s, &v, false, pair->depth + 1, &pair->pin_count);
	}
}

void sets_judge(struct sets *s, usec now)
{
	/* The list grows at its end while pins of pins turn up. */
	for (struct pair *p = s->pair_list; p; p = p->next)
		if (!p->judged)
			judge_pair(s, p, now);
}

/* A held pin holds what pins it; cycles of cleared versions stay cleared. */
static void propagate(struct sets *s)
{
	for (bool changed = true; changed;) {
		changed = false;
		for (struct pair *p = s->pair_list; p; p = p->next) {
			for (size_t i = 0; i < p->pin_count && !p->held; i++) {
				if (!p->pins[i]->held)
					continue;
				p->held = true;
				p->until = p->pins[i]->until;
				changed = true;
			}
		}
	}
}

size_t sets_conclude(struct sets *s, usec now, struct set_verdict **ret)
{
	size_t count = 0, n = 0;

	for (struct pair *p = s->pair_list; p; p = p->next) {
		if (p->judged)
			continue;
		p->held = true;
		p->until = now + UNKNOWN_FOR;
	}
	propagate(s);
	for (struct root *r = s->roots; r; r = r->next)
		count++;
	*ret = ARENA_ARRAY(s->arena, struct set_verdict, count + 1);
	if (!*ret)
		abort();
	for (struct root *r = s->roots; r; r = r->next) {
		struct set_verdict verdict = {r->index, r->dependency, r->until};

		/* The pin that is held longest says until when. */
		for (size_t i = 0; i < r->pin_count; i++) {
			struct pair *p = r->pins[i];

			if (!p->held || (verdict.dependency.n && p->until <= verdict.until))
				continue;
			verdict.dependency = pin_text(s, p->package->name, p->version);
			verdict.until = p->until;
		}
		if (verdict.dependency.n)
			(*ret)[n++] = verdict;
	}
	return n;
}
