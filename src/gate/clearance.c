#include "gate/clearance.h"

#include <stdatomic.h>

#include "base/limits.h"
#include "gate/artifacts.h"
#include "gate/facts.h"
#include "gate/sets.h"

/* A clearance is made again after this at the latest, so that what changed about a pinned dependency is noticed. */
#define LONGEST (5 * USEC_MINUTE)
/* How long an answer may wait for the documents of pinned dependencies; yarn 1 gives up after 30 s. */
#define PATIENCE (15 * USEC_SECOND)
/* What could not be asked for is tried again after this. */
#define UNKNOWN_FOR (30 * USEC_SECOND)
/* What is refused while the walk from the approved roots goes on is looked at again after this, */
#define PENDING_FOR USEC_SECOND
/* and what it has not reached after this: a root may be approved, or a name asked for that a pattern approves. */
#define UNREACHED_FOR (10 * USEC_SECOND)

/* Of one document: as many teams as are likely to ask for it within minutes. */
enum { KEPT = 16 };

struct need;

/* One asking: judge the versions, fetch what their pins need, judge again, conclude. */
struct inquiry {
	struct gate_thread *thread;
	struct rules *rules;
	const struct origin *origin;
	struct document *document;
	struct arena *arena; /* the clearance's, handed over to it */
	struct clearance *clearance;
	struct sets *sets;
	struct need *needs;
	struct loop_timer *patience;
	bool unapproved, waited; /* a version is refused for not being approved; the walk was waited for */
	struct unproven {        /* versions whose claim of an approved source is to be verified */
		usec published;
		size_t index;
	} unproven[PROVENANCE_MOST];
	size_t unproven_count;
	bool proved;    /* they were asked for */
	size_t gaining; /* versions whose gained dependencies matter */
	size_t asked;   /* documents of dependencies that were asked for and did not come yet */
	bool stale, out_of_patience, concluded;
	usec now;
	clearance_found found;
	void *found_arg;
	struct err err;
};

/* A document of a dependency on its way. */
struct need {
	struct need *next;
	struct inquiry *inquiry;
	struct set_package *package;
	struct document *document;
};

void clearance_unref(struct clearance *c)
{
	if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
		return;
	arena_free(c->arena); /* the clearance itself lives in it */
}

void clearance_result_free(struct clearance_result *r)
{
	document_unref(r->document);
	clearance_unref(r->clearance);
	*r = (struct clearance_result){0};
}

void clearances_unref(struct clearance *first)
{
	for (struct clearance *c = first, *next; c; c = next) {
		next = c->next;
		clearance_unref(c);
	}
}

static struct clearance *kept_clearance(struct document *d, const struct rules *rules, usec now)
{
	struct clearance *c;

	pthread_mutex_lock(&d->clearance_lock);
	for (c = d->clearances; c && c->epoch != rules->epoch; c = c->next)
		;
	if (c && now >= c->made && now < c->expires)
		atomic_fetch_add(&c->refs, 1);
	else
		c = NULL;
	pthread_mutex_unlock(&d->clearance_lock);
	return c;
}

/* One for each of the rules in force that somebody asked under: teams must not take each other's clearances away. */
static void keep_clearance(struct document *d, struct clearance *c)
{
	struct clearance *dropped = NULL;
	size_t kept = 1;

	atomic_fetch_add(&c->refs, 1);
	pthread_mutex_lock(&d->clearance_lock);
	for (struct clearance **at = &d->clearances; *at;) {
		struct clearance *old = *at;

		if (old->epoch != c->epoch && old->swap >= c->swap && kept++ < KEPT) {
			at = &old->next;
			continue;
		}
		*at = old->next;
		old->next = dropped;
		dropped = old;
	}
	c->next = d->clearances;
	d->clearances = c;
	pthread_mutex_unlock(&d->clearance_lock);
	clearances_unref(dropped);
}

static void sooner(struct clearance *c, usec change)
{
	if (change > c->made && change < c->expires)
		c->expires = change;
}

/* ---- the steps ---- */

static void inquiry_free(struct inquiry *q)
{
	while (q->needs) {
		struct need *next = q->needs->next;

		document_unref(q->needs->document);
		free(q->needs);
		q->needs = next;
	}
	sets_free(q->sets);
	rules_unref(q->rules);
	free(q);
}

static void judge(struct inquiry *q, size_t index, const struct npm_version *v, const struct set_verdict *held, struct decision *ret)
{
	const struct npm_packument *p = q->document->packument;
	struct version_facts facts;

	facts_of(p, v, q->origin, q->now, &facts);
	package_facts_put(&q->clearance->facts, p, index, v, q->now, &facts);
	if (held) {
		facts.held_dependency = held->dependency;
		facts.held_dependency_until = held->until;
	}
	decide(q->rules->policy, q->rules->advisories, &facts, q->now, NULL, ret);
	sooner(q->clearance, ret->next_change);
}

static const struct reason *unapproved(const struct decision *d)
{
	for (size_t i = 0; i < d->reason_count; i++)
		if (d->reasons[i].code == REASON_NOT_APPROVED)
			return &d->reasons[i];
	return NULL;
}

/* A version that its verified source may approve is asked for, the newest of them if they are too many. */
static void note_unproven(struct inquiry *q, size_t index, const struct npm_version *v)
{
	struct unproven *list = q->unproven, *oldest = list;

	if (!q->clearance->facts.proofs || !q->clearance->facts.proofs[index].unknown)
		return;
	if (q->unproven_count < PROVENANCE_MOST) {
		list[q->unproven_count++] = (struct unproven){v->published, index};
		return;
	}
	for (size_t i = 1; i < PROVENANCE_MOST; i++)
		if (list[i].published < oldest->published)
			oldest = &list[i];
	if (v->published > oldest->published)
		*oldest = (struct unproven){v->published, index};
}

static void note_approval(struct inquiry *q, size_t index, const struct npm_version *v, const struct decision *d)
{
	const struct reason *r = unapproved(d);

	if (!r)
		return;
	q->unapproved |= r->mode == MODE_ENFORCE;
	note_unproven(q, index, v);
}

/* A fix whose line has nothing else that may be installed is judged with that in mind. */
static void judge_fixes(struct inquiry *q, uint8_t *verdicts)
{
	struct clearance *c = q->clearance;

	if (!lines_judge(&c->facts, q->document->packument, verdicts, q->arena))
		return;
	for (size_t i = 0; i < c->count; i++) {
		struct npm_version v;
		struct decision d;

		if (!c->facts.line_denied[i] || verdicts[i] != VERDICT_HOLD)
			continue;
		npm_packument_version(q->document->packument, i, &v);
		judge(q, i, &v, NULL, &d);
		verdicts[i] = (uint8_t)d.verdict;
	}
}

/* Step 1, on a worker: every version by its own facts; the pins of those that would be shown are noted. */
static void judge_versions(struct inquiry *q)
{
	const struct npm_packument *p = q->document->packument;
	struct clearance *c = q->clearance;
	bool follow = policy_mode(q->rules->policy, REASON_DEPENDENCY_HELD) != MODE_OFF;
	uint8_t *verdicts;

	c->count = npm_packument_version_count(p);
	c->shown = ARENA_ARRAY(q->arena, bool, c->count + 1);
	verdicts = ARENA_ARRAY(q->arena, uint8_t, c->count + 1);
	if (!c->shown || !verdicts)
		return;
	q->unapproved = false;
	q->unproven_count = 0;
	package_facts_begin(&c->facts, p, q->rules, q->arena);
	package_facts_prove(&c->facts, p, q->thread->gate, q->rules, q->origin, q->now, q->arena);
	for (size_t i = 0; i < c->count; i++) {
		struct npm_version v;
		struct decision d;

		npm_packument_version(p, i, &v);
		judge(q, i, &v, NULL, &d);
		verdicts[i] = (uint8_t)d.verdict;
		note_approval(q, i, &v, &d);
	}
	if (q->unapproved && (!q->waited || (q->unproven_count && !q->proved)))
		return; /* to be judged again once the walk from the approved roots has come here, and what was built where is known */
	/* In mode `report` nobody has waited. */
	if (c->facts.reach_pending || c->facts.reach_may_end)
		sooner(c, q->now + PENDING_FOR);
	judge_fixes(q, verdicts);
	for (size_t i = 0; i < c->count; i++) {
		struct npm_version v;

		c->shown[i] = verdicts[i] == VERDICT_ALLOW;
		if (!c->shown[i])
			continue;
		npm_packument_version(p, i, &v);
		/* What is gone upstream can only be served from here. */
		if (v.ghost)
			c->shown[i] = cache_has(q->thread->gate->cache, v.integrity, v.shasum);
		if (follow && c->shown[i] && v.pin_count)
			sets_add_root(q->sets, i, &v, q->now);
		if (c->shown[i] && gained_wanted(&c->facts, &v, q->now)) {
			gained_want(q->sets, &v);
			q->gaining++;
		}
	}
	sets_plan(q->sets, q->now);
}

/* The rule may be off or reported only, or an exception may lift it: that is for the decision to say, not for the sets. */
static bool allowed_though_held(struct inquiry *q, const struct set_verdict *verdict)
{
	struct npm_version v;
	struct decision d;

	npm_packument_version(q->document->packument, verdict->root, &v);
	judge(q, verdict->root, &v, verdict, &d);
	return d.verdict == VERDICT_ALLOW;
}

/* Versions that gained a dependency on a name that is young or was not known here. */
static void judge_gained(struct inquiry *q)
{
	const struct npm_packument *p = q->document->packument;
	struct clearance *c = q->clearance;
	bool again = false;

	if (!q->gaining)
		return;
	c->facts.gained = ARENA_ARRAY(q->arena, struct gained, q->gaining);
	for (size_t i = 0; i < c->count && c->facts.gained; i++) {
		struct npm_version v;
		struct decision d;

		if (!c->shown[i])
			continue;
		npm_packument_version(p, i, &v);
		if (!gained_wanted(&c->facts, &v, q->now) || !gained_judge(&c->facts, q->sets, q->rules, p, i, q->now, q->arena, &again))
			continue;
		judge(q, i, &v, NULL, &d);
		c->shown[i] = d.verdict == VERDICT_ALLOW;
	}
	if (again)
		sooner(c, q->now + UNKNOWN_FOR);
}

/* Last step, on a worker: what is held for its dependencies. */
static void conclude(struct inquiry *q)
{
	struct clearance *c = q->clearance;
	struct set_verdict *verdicts;
	size_t n = sets_conclude(q->sets, q->now, &verdicts);

	c->held = ARENA_ARRAY(q->arena, struct held_set, n + 1);
	for (size_t i = 0; i < n && c->held; i++) {
		c->held[c->held_count++] = (struct held_set){arena_str(q->arena, verdicts[i].dependency), verdicts[i].until, verdicts[i].root};
		sooner(c, verdicts[i].until);
		c->shown[verdicts[i].root] = allowed_though_held(q, &verdicts[i]);
	}
	judge_gained(q);
	for (size_t i = 0; i < c->count; i++)
		c->hidden += !c->shown[i];
	if (q->rules->reach)
		reach_noticed(q->rules->reach, q->rules, npm_packument_name(q->document->packument), q->document->generation,
		              c->hidden < c->count && q->origin->is_default && !c->facts.reached_from.n && !c->facts.reach_pending);
}

static void answer(struct inquiry *q)
{
	struct clearance_result result = {.document = q->document, .clearance = q->clearance, .stale = q->stale, .err = q->err};

	q->concluded = true;
	if (q->patience)
		loop_cancel(q->patience);
	q->patience = NULL;
	if (arena_failed(q->arena)) {
		clearance_result_free(&result);
		result.code = err_set(&result.err, -ENOMEM, "the packument has too many versions to be judged");
	} else {
		keep_clearance(q->document, q->clearance);
	}
	q->found(q->found_arg, &result);
	if (q->asked == 0)
		inquiry_free(q);
}

static void conclude_work(void *arg)
{
	conclude(arg);
}

static void conclude_done(void *arg)
{
	answer(arg);
}

static void judge_sets_work(void *arg)
{
	struct inquiry *q = arg;

	for (struct need *n = q->needs; n; n = n->next)
		if (n->document)
			sets_give(q->sets, n->package, n->document->packument);
	sets_judge(q->sets, q->now);
}

static void ask_needs(struct inquiry *q);

static void judge_sets_done(void *arg)
{
	ask_needs(arg);
}

static void next_round(struct inquiry *q)
{
	loop_work(q->thread->loop, judge_sets_work, judge_sets_done, q);
}

static void need_found(void *arg, struct document_result *result)
{
	struct need *n = arg;
	struct inquiry *q = n->inquiry;

	q->asked--;
	if (q->concluded || q->out_of_patience) {
		document_unref(result->document);
		if (q->concluded && q->asked == 0)
			inquiry_free(q);
		return;
	}
	n->document = result->document;
	/* What is nowhere cannot be installed by half: only what could not be asked counts as unknown. */
	if (!result->document)
		sets_missing(q->sets, n->package, result->code == -ENOENT);
	if (q->asked == 0)
		next_round(q);
}

static void patience_over(void *arg)
{
	struct inquiry *q = arg;

	q->patience = NULL;
	if (q->concluded)
		return;
	q->out_of_patience = true;
	if (q->asked == 0)
		return; /* a worker is at it; what it still finds wanting is not asked for */
	loop_work(q->thread->loop, conclude_work, conclude_done, q);
}

/* Step 2, on the loop, as often as pins of pins turn up. */
static void ask_needs(struct inquiry *q)
{
	struct set_package *package;
	struct need *first = q->needs;

	/* One limit for all rounds together. */
	if (!q->patience && !q->out_of_patience && sets_has_needs(q->sets))
		q->patience = loop_after(q->thread->loop, PATIENCE, patience_over, q);
	while (!q->out_of_patience && (package = sets_next_need(q->sets))) {
		struct need *n = calloc(1, sizeof(*n));

		if (!n)
			abort();
		*n = (struct need){.next = q->needs, .inquiry = q, .package = package};
		q->needs = n;
		q->asked++;
	}
	if (q->asked == 0 || q->out_of_patience) {
		loop_work(q->thread->loop, conclude_work, conclude_done, q);
		return;
	}
	/* Asked only now that all are counted: an answer may come at once. The last answer may end the inquiry's list walk. */
	for (struct need *n = q->needs, *next; n != first; n = next) {
		const struct origin *origin = policy_origin(q->rules->policy, ECOSYSTEM_NPM, sets_package_name(n->package));

		next = n->next;
		if (origin) {
			document_get(q->thread, q->rules, origin, sets_package_name(n->package), need_found, n);
		} else {
			struct document_result nothing = {.code = -EACCES};

			need_found(n, &nothing);
		}
	}
}

static void judge_work(void *arg)
{
	judge_versions(arg);
}

static void judge_done(void *arg);

/* The walk has come to the name, or has ended, or nobody waits for it any more. */
static void reach_known(void *arg)
{
	struct inquiry *q = arg;
	struct reach_answer answer;

	reach_look(q->rules->reach, npm_packument_name(q->document->packument), q->arena, &answer);
	if (answer.state == REACH_PENDING)
		sooner(q->clearance, q->now + PENDING_FOR);
	else if (answer.state == REACH_NONE)
		sooner(q->clearance, answer.until < q->now + UNREACHED_FOR ? answer.until : q->now + UNREACHED_FOR);
	loop_work(q->thread->loop, judge_work, judge_done, q);
}

static void proofs_known(void *arg)
{
	struct inquiry *q = arg;

	loop_work(q->thread->loop, judge_work, judge_done, q);
}

static void nobody_waits(void *arg)
{
	(void)arg;
}

/* True: to be judged again when the answers are there. */
static bool ask_proofs(struct inquiry *q)
{
	size_t indices[PROVENANCE_MOST];

	if (!q->unproven_count)
		return false;
	/* Asked once an inquiry; what is not known then is tried again soon. */
	sooner(q->clearance, q->now + UNKNOWN_FOR);
	if (q->proved)
		return false;
	q->proved = true;
	for (size_t i = 0; i < q->unproven_count; i++)
		indices[i] = q->unproven[i].index;
	provenance_get(q->thread, q->rules, q->origin, q->document, indices, q->unproven_count, q->unapproved ? proofs_known : nobody_waits, q);
	return q->unapproved;
}

static void judge_done(void *arg)
{
	struct inquiry *q = arg;

	/* Mode `report` refuses nobody, so nobody waits for it. */
	if (q->unapproved && !q->waited && q->rules->reach) {
		q->waited = true;
		reach_wait(q->thread, q->rules->reach, npm_packument_name(q->document->packument), reach_known, q);
		return;
	}
	if (!ask_proofs(q))
		ask_needs(q);
}

/* ---- the door ---- */

static void document_found_for_inquiry(void *arg, struct document_result *result)
{
	struct inquiry *q = arg;
	struct clearance *kept;

	if (!result->document) {
		struct clearance_result nothing = {.code = result->code, .err = result->err};

		q->found(q->found_arg, &nothing);
		inquiry_free(q);
		return;
	}
	q->stale = result->stale;
	q->document = result->document;
	q->now = q->thread->gate->now();
	kept = kept_clearance(q->document, q->rules, q->now);
	if (kept) {
		struct clearance_result known = {.document = q->document, .clearance = kept, .stale = q->stale};

		q->found(q->found_arg, &known);
		inquiry_free(q);
		return;
	}
	q->arena = arena_new(256 * MIB);
	q->clearance = q->arena ? ARENA_NEW(q->arena, struct clearance) : NULL;
	if (!q->clearance)
		abort();
	q->clearance->refs = 1;
	q->clearance->arena = q->arena;
	q->clearance->epoch = q->rules->epoch;
	q->clearance->swap = q->rules->swap;
	q->clearance->made = q->now;
	q->clearance->expires = q->now + LONGEST;
	q->sets = sets_new(q->rules, npm_packument_name(q->document->packument));
	if (q->rules->reach)
		reach_asked(q->rules->reach, npm_packument_name(q->document->packument));
	q->waited = !q->rules->reach;
	loop_work(q->thread->loop, judge_work, judge_done, q);
}

void clearance_get(struct gate_thread *t, struct rules *rules, const struct origin *origin, struct str name, clearance_found found,
                   void *arg)
{
	struct inquiry *q = calloc(1, sizeof(*q));

	if (!q)
		abort();
	q->thread = t;
	q->rules = rules_ref(rules);
	q->origin = origin;
	q->found = found;
	q->found_arg = arg;
	document_get(t, rules, origin, name, document_found_for_inquiry, q);
}

void clearance_explain(const struct clearance *c, const struct document *d, struct rules *rules, const struct origin *origin, size_t index,
                       usec now, struct arena *a, struct version_facts *ret_facts, struct decision *ret)
{
	struct npm_version *v = ARENA_NEW(a, struct npm_version); /* the facts point into it */

	if (!v)
		abort();
	npm_packument_version(d->packument, index, v);
	facts_of(d->packument, v, origin, now, ret_facts);
	package_facts_put(&c->facts, d->packument, index, v, now, ret_facts);
	for (size_t i = 0; i < c->held_count; i++) {
		if (c->held[i].index != index)
			continue;
		ret_facts->held_dependency = arena_str(a, c->held[i].dependency);
		ret_facts->held_dependency_until = c->held[i].until;
	}
	decide(rules->policy, rules->advisories, ret_facts, now, a, ret);
}
