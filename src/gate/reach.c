#include <stdatomic.h>
#include <stdio.h>

#include "base/limits.h"
#include "gate/reach_internal.h"

/* pnpm and yarn berry give up on an answer that stalls for 60 s, and ask again; npm waits for 300 s. Yarn 1 (30 s) asks five times by itself. What
 * the walk has come to meanwhile is not lost. */
#define PATIENCE (50 * USEC_SECOND)
/* With a lockfile, npm and pnpm ask again for what was answered 503 after ten seconds, and a last time a minute later: the first of these is still
 * told to wait, the last one is told no. Meanwhile the others of the lockfile have their turn, and among them what a pattern approves. */
#define EARLY_FOR (30 * USEC_SECOND)
#define EARLY_PATIENCE (2 * USEC_SECOND)
/* A path is for people. */
enum { PATH_NAMES = 24 };

/* ---- the table ---- */

struct node *reach_node(struct reach *r, struct str name)
{
	struct node *n = map_get(&r->nodes, name);
	char *copy;

	if (n)
		return n;
	n = calloc(1, sizeof(*n));
	copy = str_dup(name);
	if (!n || !copy)
		abort();
	n->name = (struct str){copy, name.n};
	n->urgency = QUEUES;
	if (map_put(&r->nodes, n->name, n) < 0)
		abort();
	return n;
}

void reach_set(struct reach *r, struct node *n, bool reached, bool known)
{
	r->unknown -= n->reached && !n->known;
	r->reached_count -= n->reached;
	r->expanded -= n->reached && n->known;
	n->reached = reached;
	n->known = known;
	r->unknown += reached && !known;
	r->reached_count += reached;
	r->expanded += reached && known;
}

void reach_push(struct reach *r, struct node *n, unsigned urgency)
{
	struct queue *q = &r->queues[urgency];

	if (urgency >= n->urgency || n->busy)
		return;
	n->urgency = (uint8_t)urgency;
	if (q->first + q->count == q->room) {
		if (q->first > q->room / 2) {
			memmove(q->items, q->items + q->first, q->count * sizeof(struct node *));
			q->first = 0;
		} else {
			size_t room = q->room ? q->room * 2 : 64;
			struct node **grown = reallocarray(q->items, room, sizeof(struct node *));

			if (!grown)
				abort();
			q->items = grown;
			q->room = room;
		}
	}
	q->items[q->first + q->count++] = n;
}

/* ---- who waits ---- */

/* On the waiter's loop. */
static void answer(void *arg)
{
	struct reach_waiter *w = arg;

	if (w->timer)
		loop_cancel(w->timer);
	w->found(w->arg);
	reach_unref(w->reach);
	free(w);
}

static void answer_all(struct reach *r, struct wanted *wanted)
{
	struct reach_waiter *w = wanted->waiters, *next;

	for (; w; w = next) {
		next = w->next;
		w->wanted = NULL;
		r->waiting--;
		loop_post(w->thread->loop, answer, w);
	}
	free((char *)(uintptr_t)wanted->name.p);
	free(wanted);
}

/* But not, unless it is for good, whom only their own patience ends. */
static void answer_everybody(struct reach *r, bool for_good)
{
	struct map before = r->wanted;
	struct str name;
	void *wanted;

	r->wanted = MAP_EMPTY;
	for (size_t i = 0; map_next(&before, &i, &name, &wanted);) {
		if (for_good || !((struct wanted *)wanted)->waiters->early)
			answer_all(r, wanted);
		else if (map_put(&r->wanted, name, wanted) < 0)
			abort();
	}
	map_free(&before);
}

static void out_of_patience(void *arg)
{
	struct reach_waiter *w = arg;
	struct reach *r = w->reach;
	bool mine = false;

	pthread_mutex_lock(&r->lock);
	w->timer = NULL;
	if (w->wanted) {
		struct reach_waiter **at = &w->wanted->waiters;

		while (*at != w)
			at = &(*at)->next;
		*at = w->next;
		if (!w->wanted->waiters) {
			map_remove(&r->wanted, w->wanted->name);
			answer_all(r, w->wanted);
		}
		r->waiting--;
		mine = true;
	}
	pthread_mutex_unlock(&r->lock);
	if (mine)
		answer(w);
}

/* ---- how far it is ---- */

static bool ended(const struct reach *r)
{
	return r->unknown == 0 && r->expanding == EXPAND_NOT && !r->shrunk;
}

bool reach_stuck(const struct reach *r)
{
	if (r->in_flight || r->expanding != EXPAND_NOT)
		return false;
	for (size_t i = 0; i < AGAIN; i++)
		if (r->queues[i].count)
			return false;
	return true;
}

void reach_settle(struct reach *r)
{
	if (ended(r) || r->limited)
		r->turning = false;
	if (!r->waiting)
		return;
	if (!r->rules || ended(r) || r->limited || reach_stuck(r))
		answer_everybody(r, false);
}

const struct range_text *reach_range(struct reach *r, struct str text)
{
	struct range_text *range;
	char *copy;

	if (!text.n || str_eq(text, STR("*")))
		return NULL;
	range = map_get(&r->ranges, text);
	if (range)
		return range;
	range = malloc(sizeof(*range));
	copy = str_dup(text);
	if (!range || !copy)
		abort();
	range->text = (struct str){copy, text.n};
	if (map_put(&r->ranges, range->text, range) < 0)
		abort();
	return range;
}

bool reach_ask(struct node *n, const struct range_text *range)
{
	if (n->any)
		return false;
	for (uint32_t i = 0; range && i < n->range_count; i++)
		if (n->ranges[i] == range)
			return false;
	n->asks++;
	if (!range || n->range_count >= LIMIT_RANGES) {
		n->any = true;
		return true;
	}
	if (n->range_count == n->range_room) {
		uint32_t room = n->range_room ? n->range_room * 2 : 4;
		const struct range_text **grown = reallocarray(n->ranges, room, sizeof(const struct range_text *));

		if (!grown)
			abort();
		n->ranges = grown;
		n->range_room = room;
	}
	n->ranges[n->range_count++] = range;
	return true;
}

void reach_mark(struct reach *r, struct node *n, struct node *parent, const struct range_text *range, unsigned urgency)
{
	struct wanted *wanted;
	bool more = parent ? reach_ask(n, range) : !n->ranged && reach_ask(n, NULL);

	/* Of a root only some versions may be approved: those that others need pass for that. */
	if (n->root && n->ranged && parent && parent != n && !n->parent)
		n->parent = parent;
	/* Versions that nobody could choose before. */
	if (n->reached && n->known && more)
		reach_set(r, n, true, false);
	if (!n->reached) {
		n->parent = n->root ? NULL : parent;
		reach_set(r, n, true, false);
		wanted = map_remove(&r->wanted, n->name);
		if (wanted) {
			urgency = ASKED;
			answer_all(r, wanted);
		}
	}
	if (!n->known && !n->failed)
		reach_push(r, n, urgency);
}

void reach_make_root(struct reach *r, struct node *n, bool ranged)
{
	if (!n->root) {
		n->root = true;
		r->root_count++;
	}
	n->ranged = ranged;
	reach_mark(r, n, NULL, NULL, NEWEST);
}

static struct str path_of(const struct node *n, struct arena *a)
{
	struct str path = n->name;
	size_t names = 1;

	/* A root that something needs has a parent too, and is an end all the same. */
	for (const struct node *p = n->parent; p && names <= LIMIT_NAMES; p = p->root ? NULL : p->parent) {
		if (++names > PATH_NAMES && !p->root)
			continue;
		path = arena_printf(a, names > PATH_NAMES ? "%.*s > … > %.*s" : "%.*s > %.*s", STR_ARG(p->name), STR_ARG(path));
	}
	return path;
}

/* May somebody still ask for a root that needs it? */
static bool is_early(struct reach *r, struct str name)
{
	const struct early *e = r->rules ? map_get(&r->early, name) : NULL;

	return e && r->gate->now() < e->since + EARLY_FOR;
}

static void look(struct reach *r, struct str name, struct arena *a, struct reach_answer *ret)
{
	const struct node *n = map_get(&r->nodes, name);

	*ret = (struct reach_answer){.state = REACH_PENDING, .until = USEC_NEVER};
	if (n && n->root && !(n->ranged && n->parent)) {
		ret->state = REACH_ROOT;
	} else if (n && n->reached) {
		ret->state = REACH_NEEDED;
		ret->path = path_of(n, a);
		ret->may_end = r->turning || r->shrunk;
	} else if (r->rules && ended(r) && is_early(r, name)) {
		ret->note =
			STR("no approved root that was asked for here needs it; one that a pattern or a publisher approves may still be asked for");
	} else if (r->rules && (ended(r) || r->limited)) {
		ret->state = REACH_NONE;
		ret->until = r->earliest;
		if (n && n->peer_of && n->peer_of->reached)
			ret->peer_of = n->peer_of->name; /* as long as the reach */
		if (r->limited)
			ret->note = arena_printf(
				a, "the approved roots reach more than %d names, and only the nearest of them were looked at: approve it by name",
				LIMIT_NAMES);
	} else if (!r->rules) {
		ret->note = STR("the rules have changed meanwhile");
	} else if (reach_stuck(r) && r->problem[0]) {
		ret->note = arena_printf(a, "%zu names that approved roots need could not be asked for (%s)", r->unknown, r->problem);
	} else {
		ret->note = arena_printf(a, "%zu names are reached so far, %zu of them are still to be looked at", r->reached_count, r->unknown);
	}
}

void reach_look(struct reach *r, struct str name, struct arena *a, struct reach_answer *ret)
{
	pthread_mutex_lock(&r->lock);
	look(r, name, a, ret);
	pthread_mutex_unlock(&r->lock);
}

/* ---- asking ---- */

static void want(struct reach *r, struct str name, struct reach_waiter *w)
{
	struct wanted *wanted = map_get(&r->wanted, name);

	if (!wanted) {
		char *copy = str_dup(name);

		wanted = calloc(1, sizeof(*wanted));
		if (!wanted || !copy)
			abort();
		wanted->name = (struct str){copy, name.n};
		if (map_put(&r->wanted, wanted->name, wanted) < 0)
			abort();
	}
	w->next = wanted->waiters;
	wanted->waiters = w;
	w->wanted = wanted;
	r->waiting++;
}

/* What time alone has changed since it was looked at is looked at before anybody is refused for it. */
static void expire(struct reach *r, usec now)
{
	struct str name;
	void *value;

	if (now < r->earliest)
		return;
	r->earliest = USEC_NEVER;
	for (size_t i = 0; map_next(&r->nodes, &i, &name, &value);) {
		struct node *n = value;

		if (!n->reached || !n->known)
			continue;
		if (now < n->expires) {
			r->earliest = n->expires < r->earliest ? n->expires : r->earliest;
			continue;
		}
		reach_set(r, n, true, false);
		reach_push(r, n, RECENT);
	}
}

/* A name that a pattern approves is a root from the moment that somebody asks for it. Under the lock. */
static struct node *asked(struct reach *r, struct str name)
{
	struct node *n = map_get(&r->nodes, name);
	const struct approval *approval;

	if (!(n && n->root) && (approval = policy_root(r->rules->policy, ECOSYSTEM_NPM, name)))
		reach_make_root(r, n = reach_node(r, name), approval->package.version.n != 0);
	if (n && n->reached && !n->known && !n->failed)
		reach_push(r, n, ASKED);
	return n;
}

static bool has_work(const struct reach *r)
{
	bool any = r->expanding == EXPAND_WANTED || r->shrunk;

	for (size_t i = 0; i < QUEUES && !any; i++)
		any = r->queues[i].count > 0;
	return any;
}

void reach_asked(struct reach *r, struct str name)
{
	pthread_mutex_lock(&r->lock);
	if (r->rules) {
		asked(r, name);
		/* Waking the loop for nothing would cost every request something. */
		if (has_work(r))
			reach_post_pump(r);
	}
	pthread_mutex_unlock(&r->lock);
}

/* Do roots turn up only when they are asked for? */
static bool is_open(const struct reach *r)
{
	const struct approved_publisher *publishers;
	const struct approval *approvals;
	size_t n = policy_approvals(r->rules->policy, &approvals);

	if (policy_mode(r->rules->policy, REASON_NOT_APPROVED) != MODE_ENFORCE)
		return false;
	for (size_t i = 0; i < n; i++)
		if (approvals[i].package.ecosystem == ECOSYSTEM_NPM && str_chr(approvals[i].package.name, '*') >= 0)
			return true;
	return policy_publishers(r->rules->policy, &publishers) > 0;
}

static void note_early(struct reach *r, struct str name)
{
	struct early *e;
	char *copy;

	if (map_get(&r->early, name) || r->early.used >= LIMIT_NAMES)
		return;
	e = malloc(sizeof(*e));
	copy = str_dup(name);
	if (!e || !copy)
		abort();
	*e = (struct early){{copy, name.n}, r->gate->now()};
	if (map_put(&r->early, e->name, e) < 0)
		abort();
}

void reach_asked_archive(struct reach *r, struct str name)
{
	const struct node *n;

	pthread_mutex_lock(&r->lock);
	n = r->rules ? map_get(&r->nodes, name) : NULL;
	if (r->rules && !(n && n->reached) && is_open(r))
		note_early(r, name);
	pthread_mutex_unlock(&r->lock);
}

/* May the walk still come to it? For how long to wait; 0: no. */
static usec may_be_reached(struct reach *r, struct str name)
{
	struct node *n = r->rules ? asked(r, name) : NULL;

	if (!r->rules || (n && n->reached))
		return 0;
	expire(r, r->gate->now());
	if (ended(r))
		return is_early(r, name) ? EARLY_PATIENCE : 0;
	return r->limited || (reach_stuck(r) && r->problem[0]) ? 0 : PATIENCE;
}

void reach_wait(struct gate_thread *t, struct reach *r, struct str name, void (*found)(void *arg), void *arg)
{
	struct reach_waiter *w = NULL;
	usec patience;

	pthread_mutex_lock(&r->lock);
	patience = may_be_reached(r, name);
	if (patience) {
		w = calloc(1, sizeof(*w));
		if (!w)
			abort();
		*w = (struct reach_waiter){.reach = reach_ref(r), .thread = t, .found = found, .arg = arg, .early = patience < PATIENCE};
		want(r, name, w);
		/* Before anybody can answer it on another thread. */
		w->timer = loop_after(t->loop, patience, out_of_patience, w);
	}
	reach_post_pump(r);
	pthread_mutex_unlock(&r->lock);
	if (!w)
		found(arg);
}

void reach_noticed(struct reach *r, const struct rules *rules, struct str name, uint64_t generation, bool approved)
{
	const struct approved_publisher *all;
	struct node *n;

	pthread_mutex_lock(&r->lock);
	n = r->rules ? map_get(&r->nodes, name) : NULL;
	if (n && n->reached && n->known && (n->generation != generation || r->gate->now() >= n->expires)) {
		reach_set(r, n, true, false);
		reach_push(r, n, ASKED);
		reach_post_pump(r);
	} else if (approved && r->rules == rules && policy_publishers(rules->policy, &all) && !(n && n->reached) &&
	           policy_mode(r->rules->policy, REASON_NOT_APPROVED) == MODE_ENFORCE) {
		n = reach_node(r, name);
		n->by_publisher = true;
		reach_make_root(r, n, true);
		reach_push(r, n, ASKED);
		reach_post_pump(r);
	}
	pthread_mutex_unlock(&r->lock);
}

void reach_counts(struct reach *r, struct reach_counts *ret)
{
	pthread_mutex_lock(&r->lock);
	*ret = (struct reach_counts){r->reached_count, r->root_count, r->unknown, r->waiting, r->limited};
	pthread_mutex_unlock(&r->lock);
}

/* ---- its life ---- */

struct reach *reach_new(struct gate *g, struct rules *rules)
{
	struct reach *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->refs = 1;
	r->gate = g;
	r->earliest = USEC_NEVER;
	pthread_mutex_init(&r->lock, NULL);
	pthread_mutex_lock(&g->walks_lock);
	r->next = g->walks;
	g->walks = r;
	pthread_mutex_unlock(&g->walks_lock);
	reach_use(r, rules);
	return r;
}

struct reach *reach_ref(struct reach *r)
{
	atomic_fetch_add(&r->refs, 1);
	return r;
}

static void unlist(struct reach *r)
{
	struct reach **at = &r->gate->walks;

	pthread_mutex_lock(&r->gate->walks_lock);
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	pthread_mutex_unlock(&r->gate->walks_lock);
}

void reach_unref(struct reach *r)
{
	struct str name;
	void *value;

	if (!r || atomic_fetch_sub(&r->refs, 1) != 1)
		return;
	unlist(r);
	for (size_t i = 0; map_next(&r->nodes, &i, &name, &value);) {
		struct node *n = value;

		free((char *)(uintptr_t)n->name.p);
		free(n->edges);
		free(n->ranges);
		free(n);
	}
	for (size_t i = 0; map_next(&r->ranges, &i, &name, &value);) {
		free((char *)(uintptr_t)((struct range_text *)value)->text.p);
		free(value);
	}
	for (size_t i = 0; map_next(&r->early, &i, &name, &value);) {
		free((char *)(uintptr_t)((struct early *)value)->name.p);
		free(value);
	}
	map_free(&r->early);
	map_free(&r->ranges);
	map_free(&r->nodes);
	map_free(&r->wanted);
	for (size_t i = 0; i < QUEUES; i++)
		free(r->queues[i].items);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void reach_use(struct reach *r, struct rules *rules)
{
	struct rules *before;
	struct str name;
	void *value;
	bool other;

	pthread_mutex_lock(&r->lock);
	before = r->rules;
	r->rules = rules_ref(rules);
	other = !before || policy_digest(before->policy) != policy_digest(rules->policy) ||
	        advisories_digest(before->advisories) != advisories_digest(rules->advisories);
	if (other) {
		r->turning = before != NULL;
		reach_take_roots(r);
		/* What is reached stays so until the walk has come round again. */
		for (size_t i = 0; map_next(&r->nodes, &i, &name, &value);) {
			struct node *n = value;

			if (!n->reached || !n->known)
				continue;
			reach_set(r, n, true, false);
			reach_push(r, n, n->root ? NEWEST : REST);
		}
		r->limited = false;
		reach_post_pump(r);
	}
	pthread_mutex_unlock(&r->lock);
	rules_unref(before);
}

void reach_retire(struct reach *r)
{
	struct rules *before;

	pthread_mutex_lock(&r->lock);
	before = r->rules;
	r->rules = NULL;
	answer_everybody(r, true);
	pthread_mutex_unlock(&r->lock);
	rules_unref(before);
}

void gate_wake_walks(struct gate *g)
{
	pthread_mutex_lock(&g->walks_lock);
	for (struct reach *r = g->walks; r; r = r->next) {
		pthread_mutex_lock(&r->lock);
		reach_post_pump(r);
		pthread_mutex_unlock(&r->lock);
	}
	pthread_mutex_unlock(&g->walks_lock);
}

void gate_stop_walks(struct gate *g)
{
	struct reach *timed = NULL;

	pthread_mutex_lock(&g->walks_lock);
	for (struct reach *r = g->walks; r; r = r->next) {
		reach_retire(r);
		if (r->timer)
			loop_cancel(r->timer);
		r->timed_next = r->timer ? timed : NULL;
		timed = r->timer ? r : timed;
		r->timer = NULL;
	}
	pthread_mutex_unlock(&g->walks_lock);
	/* The timer's reference may be the last one, whose end takes the lock. */
	while (timed) {
		struct reach *next = timed->timed_next;

		reach_unref(timed);
		timed = next;
	}
}
