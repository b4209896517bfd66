#include <stdatomic.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/log.h"
#include "gate/facts.h"
#include "gate/reach_edges.h"
#include "gate/reach_internal.h"

/* Documents on their way at once: as many as one npm has while somebody waits for the walk, a few while nobody does. */
enum { BUSY_AT_ONCE = 15, IDLE_AT_ONCE = 4 };
/* What failed is tried again after this, and later and later. */
#define RETRY (10 * USEC_SECOND)
#define RETRY_MOST (10 * USEC_MINUTE)
/* How often it is looked whether something is due again. */
#define LOOK_EVERY USEC_MINUTE
/* A document may be this old: a version that is not in it is younger, and no cooldown has let it through yet. Without a cooldown: */
#define OLD_MOST USEC_DAY
#define OLD_WITHOUT_COOLDOWN USEC_HOUR

/* One look at one name. */
struct visit {
	struct reach *reach;
	struct rules *rules;
	struct gate_thread *thread;
	struct node *node;
	struct str name; /* the node's: it lives as long as the reach */
	const struct origin *origin;
	struct document *document;
	struct edges_wish wish;
	uint32_t asks; /* the node's, when its ranges were taken down */
	struct edges edges;
	int code;
	struct err err;
};

static usec accepted_age(const struct policy *p, const struct origin *origin)
{
	usec cooldown = policy_cooldown(p, origin);

	if (cooldown < 2 * OLD_WITHOUT_COOLDOWN)
		return OLD_WITHOUT_COOLDOWN;
	return cooldown / 2 < OLD_MOST ? cooldown / 2 : OLD_MOST;
}

static void visit_free(struct visit *v)
{
	document_unref(v->document);
	edges_free(&v->edges);
	free(v->wish.ranges);
	rules_unref(v->rules);
	reach_unref(v->reach);
	free(v);
}

/* ---- what a visit taught; under the lock ---- */

static int by_target(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	if (x->to != y->to)
		return (uintptr_t)x->to < (uintptr_t)y->to ? -1 : 1;
	return (uintptr_t)x->range < (uintptr_t)y->range ? -1 : (uintptr_t)x->range > (uintptr_t)y->range;
}

/* Both are sorted. */
static bool lost_any(const struct link *before, uint32_t count_before, const struct link *now, uint32_t count)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < count_before; i++) {
		while (at < count && by_target(&now[at], &before[i]) < 0)
			at++;
		if (at == count || by_target(&now[at], &before[i]) != 0)
			return true;
	}
	return false;
}

static void put_edges(struct reach *r, struct node *n, const struct edges *e, unsigned urgency)
{
	struct link *before = n->edges;
	uint32_t count_before = n->edge_count;

	n->edges = calloc(e->count + 1, sizeof(*n->edges));
	if (!n->edges)
		abort();
	n->edge_count = (uint32_t)e->count;
	for (size_t i = 0; i < e->count; i++) {
		unsigned own = e->list[i].urgency;

		n->edges[i] = (struct link){reach_node(r, e->list[i].name), reach_range(r, e->list[i].range)};
		reach_mark(r, n->edges[i].to, n, n->edges[i].range, own > urgency ? own : urgency);
	}
	for (size_t i = 0; i < e->peer_count; i++) {
		struct node *peer = reach_node(r, e->peers[i]);

		if (!peer->peer_of || !peer->peer_of->reached)
			peer->peer_of = n;
	}
	qsort(n->edges, n->edge_count, sizeof(*n->edges), by_target);
	r->shrunk |= lost_any(before, count_before, n->edges, n->edge_count);
	free(before);
}

static void fail(struct reach *r, struct visit *v)
{
	struct node *n = v->node;
	usec wait = (RETRY + USEC_SECOND) << (n->failures < 8 ? n->failures : 8);

	n->failed = true;
	n->failures++;
	n->retry_at = v->thread->gate->now() + (wait < RETRY_MOST ? wait : RETRY_MOST);
	snprintf(r->problem, sizeof(r->problem), "%.*s", (int)sizeof(r->problem) - 1, v->err.text);
}

static void integrate(struct reach *r, struct visit *v, unsigned urgency)
{
	struct node *n = v->node;

	n->busy = false;
	r->in_flight--;
	if (v->code < 0 && v->code != -ENOENT) {
		fail(r, v);
		return;
	}
	n->failed = false;
	n->failures = 0;
	n->visited_at = v->thread->gate->now();
	n->generation = v->document ? v->document->generation : 0;
	n->expires = v->document ? v->edges.next_change : USEC_NEVER;
	if (n->expires < r->earliest)
		r->earliest = n->expires;
	if (!n->reached)
		return; /* not needed any more */
	put_edges(r, n, &v->edges, urgency == ASKED || urgency == AGAIN ? NEWEST : urgency);
	/* Other rules or further ranges meanwhile: to be judged again. */
	if (v->rules == r->rules && v->asks == n->asks)
		reach_set(r, n, true, true);
	else
		reach_push(r, n, urgency < REST ? urgency : REST);
}

static void visited(void *arg)
{
	struct visit *v = arg;
	struct reach *r = v->reach;

	pthread_mutex_lock(&r->lock);
	integrate(r, v, v->edges.urgency);
	if (r->shrunk && r->in_flight == 0 && (r->unknown == 0 || reach_stuck(r)))
		reach_sweep(r);
	reach_settle(r);
	reach_post_pump(r);
	pthread_mutex_unlock(&r->lock);
	visit_free(v);
}

/* ---- a visit ---- */

static void judge_work(void *arg)
{
	struct visit *v = arg;
	const struct npm_packument *p = v->document->packument;
	CLEANUP_ARENA struct arena *a = arena_new(128 * MIB);
	struct package_facts known = {0};
	usec now = v->thread->gate->now();

	if (!a)
		abort();
	package_facts_begin(&known, p, v->rules, a);
	package_facts_prove(&known, p, v->thread->gate, v->rules, v->origin, now, a);
	edges_of(p, &known, v->rules, v->origin, &v->wish, now, &v->edges);
}

static void document_came(void *arg, struct document_result *result)
{
	struct visit *v = arg;

	v->document = result->document;
	v->code = result->code;
	v->err = result->err;
	/* Without a registry that could be asked, what is not stored is not known to be nowhere. */
	if (v->code == -ENOENT && v->thread->gate->offline)
		v->code = -EHOSTUNREACH;
	if (v->document)
		loop_work(v->thread->loop, judge_work, visited, v);
	else
		visited(v);
}

static void visit(struct reach *r, struct node *n, unsigned urgency)
{
	struct visit *v = calloc(1, sizeof(*v));

	if (!v)
		abort();
	v->reach = reach_ref(r);
	v->rules = rules_ref(r->rules);
	v->thread = r->gate->home;
	v->node = n;
	v->name = n->name;
	v->asks = n->asks;
	v->wish = (struct edges_wish){.any = n->any, .as_root = n->root && n->ranged, .range_count = n->range_count};
	v->wish.ranges = calloc(n->range_count + 1, sizeof(struct str));
	if (!v->wish.ranges)
		abort();
	for (uint32_t i = 0; i < n->range_count; i++)
		v->wish.ranges[i] = n->ranges[i]->text;
	v->edges.urgency = urgency;
	v->origin = policy_origin(v->rules->policy, ECOSYSTEM_NPM, n->name);
	n->busy = true;
	r->in_flight++;
	/* The answer may come at once; not while the lock is held. */
	pthread_mutex_unlock(&r->lock);
	if (v->origin) {
		document_get_aged(v->thread, v->rules, v->origin, v->name, accepted_age(v->rules->policy, v->origin), document_came, v);
	} else {
		v->code = -ENOENT; /* an internal name that nobody serves */
		visited(v);
	}
	pthread_mutex_lock(&r->lock);
}

/* ---- the pump, on the home loop ---- */

static struct node *pop(struct reach *r, unsigned *ret_urgency)
{
	for (unsigned i = 0; i < QUEUES; i++) {
		struct queue *q = &r->queues[i];

		while (q->count) {
			struct node *n = q->items[q->first++];
			bool mine = n->urgency == i;

			if (--q->count == 0)
				q->first = 0;
			if (!mine)
				continue; /* taken from a more urgent queue meanwhile */
			n->urgency = QUEUES;
			if (n->busy || !n->reached || (n->known && i != AGAIN))
				continue;
			*ret_urgency = i;
			return n;
		}
	}
	return NULL;
}

/* Names beyond the limit are reached, and what they need is not looked at. */
static bool over_limit(struct reach *r)
{
	if (r->expanded + r->in_flight < LIMIT_NAMES)
		return false;
	if (!r->limited)
		log_event(LOG_WARNING, "the approved roots reach too many names; only the nearest are looked at", "names=%zu looked_at=%d",
		          r->reached_count, LIMIT_NAMES);
	r->limited = true;
	return true;
}

static void look_again(void *arg);

/* What failed is due, what is old is asked again. */
static void find_due(struct reach *r, usec now)
{
	struct str name;
	void *value;

	for (size_t i = 0; map_next(&r->nodes, &i, &name, &value);) {
		struct node *n = value;

		if (!n->reached || n->busy)
			continue;
		if (n->failed && now >= n->retry_at) {
			n->failed = false;
			reach_push(r, n, n->known ? AGAIN : RECENT);
		} else if (n->known && now >= n->expires) {
			reach_set(r, n, true, false);
			reach_push(r, n, RECENT);
		} else if (n->known && r->gate->home->server && !r->gate->offline) {
			const struct origin *origin = policy_origin(r->rules->policy, ECOSYSTEM_NPM, n->name);

			if (origin && now - n->visited_at > accepted_age(r->rules->policy, origin))
				reach_push(r, n, AGAIN);
		}
	}
}

static void look_again(void *arg)
{
	struct reach *r = arg;

	pthread_mutex_lock(&r->lock);
	r->timer = NULL;
	if (r->rules) {
		find_due(r, r->gate->now());
		reach_post_pump(r);
	}
	pthread_mutex_unlock(&r->lock);
	reach_unref(r);
}

static void expand_work(void *arg)
{
	reach_expand_patterns(arg);
}

static void expand_done(void *arg)
{
	struct reach *r = arg;

	pthread_mutex_lock(&r->lock);
	reach_settle(r);
	reach_post_pump(r);
	pthread_mutex_unlock(&r->lock);
	reach_unref(r);
}

void reach_pump(void *arg)
{
	struct reach *r = arg;
	struct gate_thread *home = r->gate->home;
	struct node *n;
	unsigned urgency;

	pthread_mutex_lock(&r->lock);
	r->posted = false;
	if (r->rules && home->fetcher && (r->waiting || home->server)) {
		if (r->expanding == EXPAND_WANTED) {
			r->expanding = EXPAND_GOING;
			loop_work(home->loop, expand_work, expand_done, reach_ref(r));
		}
		while (r->rules && r->in_flight < (r->waiting ? BUSY_AT_ONCE : IDLE_AT_ONCE) && !over_limit(r) && (n = pop(r, &urgency)))
			visit(r, n, urgency);
		if (r->shrunk && r->in_flight == 0 && (r->unknown == 0 || reach_stuck(r))) {
			reach_sweep(r);
			reach_post_pump(r); /* of some less is asked than before */
		}
		reach_settle(r);
		if (r->rules && !r->timer)
			r->timer = loop_after(home->loop, r->unknown ? RETRY : LOOK_EVERY, look_again, reach_ref(r));
	}
	pthread_mutex_unlock(&r->lock);
	reach_unref(r);
}

void reach_post_pump(struct reach *r)
{
	struct gate_thread *home = r->gate->home;

	if (!home || r->posted || !r->rules)
		return;
	r->posted = true;
	loop_post(home->loop, reach_pump, reach_ref(r));
}
