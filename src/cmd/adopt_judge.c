/* Asks the policy about everything that is locked: the documents of some packages at a time, each once. */
#include <stdio.h>

#include "base/limits.h"
#include "cmd/adopt.h"

enum { AT_ONCE = 12 };

struct judging {
	struct adopt *adopt;
	size_t next, running, done;
	bool starting, stopped;
	int code;
};

struct question {
	struct judging *judging;
	struct adopt_package *package;
	const struct origin *origin;
};

int adopt_note(struct adopt *a, struct adopt_notes *notes, struct str text)
{
	if (notes->count == notes->room) {
		size_t room = notes->room ? 2 * notes->room : 16;
		struct adopt_note *longer = reallocarray(notes->array, room, sizeof(*longer));

		if (!longer)
			return -ENOMEM;
		notes->array = longer;
		notes->room = room;
	}
	notes->array[notes->count++].text = text;
	return arena_failed(a->arena) ? -ENOMEM : 0;
}

static struct str version_text(struct adopt *a, const struct adopt_package *p, const struct adopt_version *v)
{
	return arena_printf(a->arena, "%s:%.*s@%.*s", ecosystem_name(p->ecosystem), STR_ARG(p->name), STR_ARG(v->version));
}

/* What refuses it today, by what can be done about it. */
struct weighed {
	uint32_t rules;
	usec until;
	bool unknown, never, by_roots;
	struct str why;
};

static void weigh(const struct decision *d, struct weighed *w)
{
	for (size_t i = 0; i < d->reason_count; i++) {
		const struct reason *r = &d->reasons[i];

		if (r->mode != MODE_ENFORCE || r->verdict == VERDICT_ALLOW)
			continue;
		if (r->code == REASON_UNKNOWN || r->code == REASON_NAMESPACE) {
			w->unknown = true;
			w->why = r->text;
		} else if (r->code == REASON_NOT_APPROVED) {
			w->by_roots = true;
		} else if (!reason_may_be_requested(r->code) || r->code == REASON_DENIED) {
			/* Nobody asks these away, and what a person denied is not for a tool to allow. */
			w->never = true;
			w->why = r->text;
		} else {
			w->rules |= UINT32_C(1) << r->code;
			if (r->verdict == VERDICT_DENY || !r->until)
				w->until = USEC_NEVER;
			else if (r->until > w->until)
				w->until = r->until;
		}
	}
}

static int keep_exemption(struct adopt *a, const struct adopt_package *p, const struct adopt_version *v, const struct weighed *w)
{
	if (a->exemption_count == a->exemption_room) {
		size_t room = a->exemption_room ? 2 * a->exemption_room : 64;
		struct adopted_exemption *longer = reallocarray(a->exemptions, room, sizeof(*longer));

		if (!longer)
			return -ENOMEM;
		a->exemptions = longer;
		a->exemption_room = room;
	}
	a->exemptions[a->exemption_count++] = (struct adopted_exemption){
		.ecosystem = p->ecosystem, .name = p->name, .version = v->version, .file = v->file, .rules = w->rules, .until = w->until};
	return 0;
}

/* The document lives on with the facts, which point into it. */
static int keep_held(struct adopt *a, struct clearance_result *cleared, const struct version_facts *facts)
{
	if (a->held_count == a->held_room) {
		size_t room = a->held_room ? 2 * a->held_room : 64;
		struct adopt_held *longer = reallocarray(a->held, room, sizeof(*longer));

		if (!longer)
			return -ENOMEM;
		a->held = longer;
		a->held_room = room;
	}
	a->held[a->held_count++] = (struct adopt_held){*cleared, *facts};
	*cleared = (struct clearance_result){0};
	return 0;
}

static int judge_version(struct question *q, struct clearance_result *cleared, const struct adopt_version *v)
{
	struct adopt *a = q->judging->adopt;
	const struct purl purl = {.ecosystem = q->package->ecosystem, .name = q->package->name, .version = v->version};
	struct weighed w = {0};
	struct explanation e;
	CLEANUP_ARENA struct arena *texts = arena_new(16 * MIB);
	bool absent = a->offline && q->origin && !cleared->clearance;
	int code = absent ? -ENODATA : texts ? explanation_make(cleared, a->rules, q->origin, &purl, a->now, texts, &e) : -ENOMEM;

	if (code == -ENOMEM)
		return code;
	if (code < 0)
		return adopt_note(a, &a->unjudged,
		                  arena_printf(a->arena, "%.*s: %s", STR_ARG(version_text(a, q->package, v)),
		                               absent ? "nothing of it is stored here" : cleared->err.text));
	weigh(&e.decision, &w);
	a->by_roots += w.by_roots;
	if (w.never || w.unknown)
		return adopt_note(a, w.never ? &a->found : &a->unknown,
		                  arena_printf(a->arena, "%.*s: %.*s", STR_ARG(version_text(a, q->package, v)), STR_ARG(w.why)));
	return w.rules ? keep_exemption(a, q->package, v, &w) : 0;
}

/* The facts of what was held, to ask the policy that is written. */
static int judge_again(struct question *q, struct clearance_result *cleared, size_t first)
{
	struct adopt *a = q->judging->adopt;
	struct explanation e;
	int code = 0;

	for (size_t i = first; i < a->exemption_count && code == 0; i++) {
		const struct purl purl = {.ecosystem = q->package->ecosystem, .name = q->package->name, .version = a->exemptions[i].version};
		struct clearance_result none = {0};

		code = explanation_make(cleared, a->rules, q->origin, &purl, a->now, a->arena, &e);
		if (code == 0)
			code = keep_held(a, i + 1 == a->exemption_count ? cleared : &none, &e.facts);
	}
	return code;
}

static void show_progress(const struct judging *j)
{
	if (j->adopt->terminal && (j->done % 20 == 0 || j->done == j->adopt->package_count))
		fprintf(stderr, "\r%zu of %zu packages%s", j->done, j->adopt->package_count, j->done == j->adopt->package_count ? "\n" : "");
}

static void pump(struct judging *j);

static void cleared(void *arg, struct clearance_result *result)
{
	struct question *q = arg;
	struct judging *j = q->judging;
	size_t first = j->adopt->exemption_count;

	for (const struct adopt_version *v = q->package->versions; v && j->code == 0; v = v->next)
		j->code = judge_version(q, result, v);
	if (j->code == 0)
		j->code = judge_again(q, result, first);
	clearance_result_free(result);
	j->running--;
	j->done++;
	show_progress(j);
	pump(j);
}

static void start(struct judging *j, struct adopt_package *p)
{
	struct adopt *a = j->adopt;
	struct question *q = ARENA_NEW(a->arena, struct question);
	struct clearance_result none = {0};

	j->running++;
	if (!q) {
		j->running--;
		j->code = -ENOMEM;
		return;
	}
	*q = (struct question){.judging = j, .package = p, .origin = policy_origin(a->rules->policy, p->ecosystem, p->name)};
	if (q->origin)
		clearance_get(&a->thread, a->rules, q->origin, p->name, cleared, q);
	else
		cleared(q, &none);
}

/* Answers may come at once: they only count down, and the loop here goes on. */
static void pump(struct judging *j)
{
	struct adopt *a = j->adopt;

	if (j->starting)
		return;
	j->starting = true;
	while (j->running < AT_ONCE && j->next < a->package_count && j->code == 0) {
		struct adopt_package *p = a->packages[j->next++];

		if (p->ecosystem == ECOSYSTEM_NPM && p->versions)
			start(j, p);
		else
			j->done++;
	}
	j->starting = false;
	if (j->running == 0 && !j->stopped) {
		j->stopped = true;
		loop_stop(a->thread.loop);
	}
}

int adopt_judge(struct adopt *a, struct err *err)
{
	struct judging j = {.adopt = a};

	pump(&j);
	if (!j.stopped)
		loop_run(a->thread.loop);
	return j.code < 0 ? err_set(err, j.code, "%s", err_name(j.code)) : 0;
}
