#include "gate/rules.h"

#include <stdatomic.h>

#include "base/log.h"
#include "codec/sigstore.h"
#include "gate/adopted.h"
#include "gate/policy_set.h"
#include "gate/reach.h"
#include "registry/npm/keys.h"

/* Everything that is in force together. A tightened policy that is no other than the base has the base's rules, so that caches are shared. */
struct team_rules {
	struct str label; /* lives in the policy set */
	struct rules *proven, *tightened;
};

struct in_force {
	struct policy_set *policies;
	struct rules *base;
	struct team_rules *teams;
	size_t team_count;
};

struct rules *rules_ref(struct rules *r)
{
	atomic_fetch_add(&r->refs, 1);
	return r;
}

void rules_unref(struct rules *r)
{
	if (!r || atomic_fetch_sub(&r->refs, 1) != 1)
		return;
	policy_unref(r->policy);
	advisories_unref(r->advisories);
	sigstore_trust_unref(r->provenance);
	npm_keys_unref(r->keys);
	reach_unref(r->reach);
	adopted_names_unref(r->adopted);
	free(r);
}

static const struct team_rules *find_team(const struct in_force *f, struct str label)
{
	for (size_t i = 0; i < f->team_count; i++)
		if (str_eq(f->teams[i].label, label))
			return &f->teams[i];
	return NULL;
}

struct rules *gate_rules(struct gate *g)
{
	return gate_team_rules(g, STR_NULL, false);
}

struct rules *gate_team_rules(struct gate *g, struct str label, bool proven)
{
	const struct team_rules *team;
	struct rules *r;

	pthread_mutex_lock(&g->rules_lock);
	team = label.n ? find_team(g->in_force, label) : NULL;
	r = rules_ref(!team ? g->in_force->base : proven ? team->proven : team->tightened);
	pthread_mutex_unlock(&g->rules_lock);
	return r;
}

bool gate_has_team(struct gate *g, struct str label)
{
	bool has;

	pthread_mutex_lock(&g->rules_lock);
	has = find_team(g->in_force, label) != NULL;
	pthread_mutex_unlock(&g->rules_lock);
	return has;
}

struct policy_set *gate_policies(struct gate *g)
{
	struct policy_set *s;

	pthread_mutex_lock(&g->rules_making);
	s = policy_set_ref(g->policies);
	pthread_mutex_unlock(&g->rules_making);
	return s;
}

/* ---- making ---- */

static void in_force_free(struct in_force *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->team_count; i++) {
		rules_unref(f->teams[i].proven);
		rules_unref(f->teams[i].tightened);
	}
	free(f->teams);
	rules_unref(f->base);
	policy_set_unref(f->policies);
	free(f);
}

static bool has_reach(const struct in_force *f, const struct reach *r)
{
	bool has = f->base->reach == r;

	for (size_t i = 0; i < f->team_count && !has; i++)
		has = f->teams[i].proven->reach == r || f->teams[i].tightened->reach == r;
	return has;
}

static void retire(const struct in_force *f, struct rules *r)
{
	if (r->reach && !(f && has_reach(f, r->reach)))
		reach_retire(r->reach);
}

/* The walks of rules that are in force no more have an end: they hold rules, which hold them. */
static void retire_walks(const struct in_force *before, const struct in_force *now)
{
	if (!before)
		return;
	retire(now, before->base);
	for (size_t i = 0; i < before->team_count; i++) {
		retire(now, before->teams[i].proven);
		retire(now, before->teams[i].tightened);
	}
}

/* A policy with what people decided on top; where that fails, without: grants only ever loosen. */
static struct policy *granted(const struct gate *g, struct policy *p)
{
	struct policy *with;
	struct err err = {0};

	if (g->grants.exemption_count == 0 && g->grants.approval_count == 0)
		return policy_ref(p);
	if (policy_with_grants(p, &g->grants, g->now ? g->now() : time_now(), &with, &err) == 0)
		return with;
	log_event(LOG_ERROR, "what people granted is not in force", "error=%s", log_quote(str_of(err.text)));
	return policy_ref(p);
}

struct making {
	struct gate *gate;
	const struct in_force *before; /* NULL: none */
	struct advisories *advisories;
	struct npm_keys *keys;
	bool same_policies; /* neither files nor grants changed */
	uint64_t epoch, swap;
};

static struct rules *make_rules(struct making *m, struct policy *file, const struct rules *before)
{
	struct rules *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->refs = 1;
	r->epoch = ++m->epoch;
	r->swap = m->swap;
	r->policy = m->same_policies && before ? policy_ref(before->policy) : granted(m->gate, file);
	r->advisories = advisories_ref(m->advisories);
	r->provenance = sigstore_trust_ref(m->gate->policies->provenance);
	r->keys = npm_keys_ref(m->keys);
	r->adopted = adopted_names_ref(m->gate->adopted);
	if (policy_mode(r->policy, REASON_NOT_APPROVED) == MODE_OFF)
		return r;
	/* The walk goes on where it is. */
	r->reach = before && before->reach ? reach_ref(before->reach) : reach_new(m->gate, r);
	if (before && before->reach)
		reach_use(r->reach, r);
	return r;
}

static struct in_force *make(struct making *m, struct policy_set *policies)
{
	struct in_force *f = calloc(1, sizeof(*f));

	if (!f || !(f->teams = calloc(policies->team_count + 1, sizeof(*f->teams))))
		abort();
	f->policies = policy_set_ref(policies);
	m->keys = policies->keys;
	f->base = make_rules(m, policies->base, m->before ? m->before->base : NULL);
	f->team_count = policies->team_count;
	for (size_t i = 0; i < f->team_count; i++) {
		struct team_policies *team = &policies->teams[i];
		const struct team_rules *before = m->before ? find_team(m->before, team->label) : NULL;

		f->teams[i].label = team->label;
		f->teams[i].proven = make_rules(m, team->proven, before ? before->proven : NULL);
		if (policy_digest(team->tightened) == policy_digest(policies->base))
			f->teams[i].tightened = rules_ref(f->base);
		else
			f->teams[i].tightened = make_rules(m, team->tightened, before ? before->tightened : NULL);
	}
	return f;
}

/* With rules_making held: one after the other, so that no half of a change is lost. */
static void put_in_force(struct gate *g, struct advisories *advisories, bool same_policies)
{
	struct in_force *before = g->in_force, *fresh;
	struct making m = {.gate = g, .before = before, .same_policies = same_policies && before};

	m.advisories = advisories ? advisories : advisories_ref(before->base->advisories);
	m.epoch = g->epochs;
	m.swap = before ? before->base->swap + 1 : 1;
	fresh = make(&m, g->policies);
	g->epochs = m.epoch;
	advisories_unref(m.advisories);
	pthread_mutex_lock(&g->rules_lock);
	g->in_force = fresh;
	pthread_mutex_unlock(&g->rules_lock);
	retire_walks(before, fresh);
	in_force_free(before);
}

void gate_set_rules(struct gate *g, struct policy_set *policies, struct advisories *advisories)
{
	pthread_mutex_lock(&g->rules_making);
	if (policies) {
		policy_set_unref(g->policies);
		g->policies = policies;
	}
	put_in_force(g, advisories, !policies);
	pthread_mutex_unlock(&g->rules_making);
}

void gate_set_grants(struct gate *g, struct arena *arena, const struct policy_grants *grants)
{
	struct arena *before;

	pthread_mutex_lock(&g->rules_making);
	before = g->grants_arena;
	g->grants_arena = arena;
	g->grants = *grants;
	adopted_names_unref(g->adopted);
	g->adopted = adopted_names_new(grants->adopted, grants->adopted_count);
	put_in_force(g, NULL, false);
	pthread_mutex_unlock(&g->rules_making);
	arena_free(before);
}

void gate_drop_rules(struct gate *g)
{
	retire_walks(g->in_force, NULL);
	in_force_free(g->in_force);
	policy_set_unref(g->policies);
	arena_free(g->grants_arena);
	adopted_names_unref(g->adopted);
}
