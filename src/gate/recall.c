#include "gate/recall.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"
#include "policy/decide.h"
#include "store/recall.h"

/* ---- what is known already ---- */

struct known {
	usec closed; /* 0: open */
	int64_t seq;
};

struct look {
	struct gate *gate;
	const struct rules *rules;
	struct arena *arena;
	struct map incidents; /* "npm:name@version recall malware" -> struct known */
	struct map by_seq;    /* the number's text -> the same */
	usec now;
	size_t found;
};

static struct str key_of(struct arena *a, enum ecosystem e, struct str name, struct str version, struct str decision)
{
	return arena_printf(a, "%s:%.*s@%.*s %.*s", ecosystem_name(e), STR_ARG(name), STR_ARG(version), STR_ARG(decision));
}

static int note_incident(void *arg, const struct evidence *e)
{
	struct look *l = arg;
	struct known *known;
	struct str key, number;

	if (!str_starts(e->decision, STR("recall ")))
		return 0;
	known = ARENA_NEW(l->arena, struct known);
	key = key_of(l->arena, e->ecosystem, e->name, e->version, e->decision);
	number = arena_printf(l->arena, "%lld", (long long)e->seq);
	if (!known || !key.p || !number.p)
		return -ENOMEM;
	known->seq = e->seq;
	return map_put(&l->incidents, key, known) < 0 ? -ENOMEM : map_put(&l->by_seq, number, known);
}

static int note_end(void *arg, const struct incident_end *end)
{
	struct look *l = arg;
	struct str number = arena_printf(l->arena, "%lld", (long long)end->seq);
	struct known *known = number.p ? map_get(&l->by_seq, number) : NULL;

	if (known)
		known->closed = end->closed;
	return number.p ? 0 : -ENOMEM;
}

/* ---- what was handed out ---- */

/* The worst that speaks against it by now: malware (also where the policy only reports it), or a denial in force. */
static const struct reason *worst(const struct decision *d)
{
	for (size_t i = 0; i < d->reason_count; i++)
		if (d->reasons[i].code == REASON_MALWARE && d->reasons[i].verdict == VERDICT_DENY)
			return &d->reasons[i];
	for (size_t i = 0; i < d->reason_count; i++)
		if (d->reasons[i].mode == MODE_ENFORCE && d->reasons[i].verdict == VERDICT_DENY &&
		    (d->reasons[i].code == REASON_DENIED || d->reasons[i].code == REASON_VULNERABLE))
			return &d->reasons[i];
	return NULL;
}

static void record(struct look *l, const struct received *v, const struct reason *reason, struct str decision, struct arena *scratch)
{
	char first[TIME_TEXT], last[TIME_TEXT];
	struct str text;

	time_format_utc(v->first, first);
	time_format_utc(v->last, last);
	text = arena_printf(scratch,
	                    "%.*s; it was handed out %lld times to %lld projects, from %s to %s. Look before you rotate credentials: bondgate "
	                    "incidents show %s:%.*s@%.*s",
	                    STR_ARG(reason->text), (long long)v->receipts, (long long)v->projects, first, last, ecosystem_name(v->ecosystem),
	                    STR_ARG(v->name), STR_ARG(v->version));
	gate_record(l->gate, EVIDENCE_INCIDENT, v->ecosystem, v->name, v->version, decision, text);
	l->found++;
}

static int look_at(void *arg, const struct received *v)
{
	struct look *l = arg;
	const struct version_facts facts = version_facts_ageless(v->ecosystem, v->name, v->version, v->hash);
	CLEANUP_ARENA struct arena *scratch = NULL;
	const struct reason *reason;
	struct known *known;
	struct str decision, key;
	struct decision d;

	decide(l->rules->policy, l->rules->advisories, &facts, l->now, NULL, &d);
	if (!worst(&d))
		return 0;
	scratch = arena_new(MIB);
	if (!scratch)
		return -ENOMEM;
	decide(l->rules->policy, l->rules->advisories, &facts, l->now, scratch, &d);
	reason = worst(&d);
	decision = arena_printf(scratch, "recall %s", reason_code_name(reason->code));
	key = key_of(scratch, v->ecosystem, v->name, v->version, decision);
	if (!decision.p || !key.p)
		return -ENOMEM;
	known = map_get(&l->incidents, key);
	if (!known || (known->closed && v->last > known->closed))
		record(l, v, reason, decision, scratch);
	return 0;
}

int recall_look(struct gate *g, const struct rules *rules, struct err *err)
{
	const struct evidence_filter incidents = {.kind = EVIDENCE_INCIDENT, .ecosystem = -1};
	struct look l = {.gate = g, .rules = rules, .arena = arena_new(GIB), .now = g->now()};
	int r;

	if (!l.arena)
		return err_set(err, -ENOMEM, "no memory");
	/* An incident that is only queued would be written twice. */
	r = store_flush(g->store, err);
	r = r < 0 ? r : store_evidence(g->store, &incidents, note_incident, &l, err);
	r = r < 0 ? r : store_incident_ends(g->store, note_end, &l, err);
	r = r < 0 ? r : store_received(g->store, 0, look_at, &l, err);
	map_free(&l.incidents);
	map_free(&l.by_seq);
	arena_free(l.arena);
	return r;
}

/* ---- on the loop ---- */

struct recall {
	struct gate *gate;
	struct loop *loop;
	bool looking, again, stopped;
	int result;
	struct err err;
};

struct recall *recall_new(struct gate *g, struct loop *l)
{
	struct recall *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->gate = g;
	r->loop = l;
	return r;
}

static void look_work(void *arg)
{
	struct recall *r = arg;
	struct rules *rules = gate_rules(r->gate);

	r->err = (struct err){0};
	r->result = recall_look(r->gate, rules, &r->err);
	rules_unref(rules);
}

static void look_done(void *arg)
{
	struct recall *r = arg;

	r->looking = false;
	if (r->result < 0)
		log_event(LOG_ERROR, "what was handed out could not be looked at again", "error=%s", log_quote(str_of(r->err.text)));
	if (r->stopped)
		free(r);
	else if (r->again)
		recall_ask(r);
}

void recall_ask(struct recall *r)
{
	r->again = r->looking;
	if (r->looking)
		return;
	r->looking = true;
	loop_work(r->loop, look_work, look_done, r);
}

void recall_stop(struct recall *r)
{
	r->stopped = true;
	if (!r->looking)
		free(r);
}
