#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "advisory/feed.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"
#include "gate/recall.h"
#include "policy/decide.h"
#include "store/recall.h"

/* One look at a swapped index. */
struct brake {
	struct store *store;
	const struct policy *policy;
	struct advisories *fresh;  /* gets the marks */
	struct advisories *index;  /* the new one by itself: a user's own files are nobody's mistake but his */
	struct advisories *judged; /* the one before; empty: there was none */
	struct arena *arena;
	struct map known; /* "advisory\nname": what is kept already */
	usec now;
	int64_t projects;
	struct err *err;
};

static struct str key_of(struct arena *a, struct str advisory, enum ecosystem e, struct str name)
{
	return arena_printf(a, "%.*s\n%s:%.*s", STR_ARG(advisory), ecosystem_name(e), STR_ARG(name));
}

static int mark(struct brake *b, const struct braked *one)
{
	struct str why = arena_printf(b->arena, "held by the brake: it would newly deny what %lld projects received (bondgate feed pending)",
	                              (long long)one->projects);
	struct str key = key_of(b->arena, one->advisory, one->ecosystem, one->name);

	if (!why.p || !key.p || map_put(&b->known, key, b) < 0)
		return -ENOMEM;
	return one->state == BRAKE_ACCEPTED ? 0 : advisories_mark(b->fresh, one->ecosystem, one->name, STR(""), one->advisory, why);
}

static int mark_kept(void *arg, const struct braked *one)
{
	return mark(arg, one);
}

/* ---- what the swap would newly deny ---- */

static bool knows(struct brake *b, const struct advisory *a, const struct received *v, struct arena *scratch)
{
	struct advisory *before;
	size_t n = advisories_match(b->judged, v->ecosystem, v->name, v->version, 0, scratch, &before);

	for (size_t i = 0; i < n; i++) {
		if (str_eq(before[i].id, a->id))
			return true;
		for (size_t k = 0; k < a->alias_count; k++)
			if (str_eq(before[i].id, a->aliases[k]))
				return true;
	}
	return false;
}

static bool denies(const struct decision *d, struct str id)
{
	for (size_t i = 0; i < d->reason_count; i++)
		if (d->reasons[i].code == REASON_VULNERABLE && d->reasons[i].mode == MODE_ENFORCE && str_eq(d->reasons[i].source, id))
			return true;
	return false;
}

static int hold_back(struct brake *b, const struct advisory *a, const struct received *v)
{
	const struct braked one = {.advisory = arena_str(b->arena, a->id),
	                           .ecosystem = v->ecosystem,
	                           .name = arena_str(b->arena, v->name),
	                           .projects = v->projects,
	                           .since = b->now,
	                           .state = BRAKE_PENDING};
	struct str text = arena_printf(b->arena,
	                               "%.*s would newly deny %.*s@%.*s, which %lld projects received lately: held for a person to look at "
	                               "(bondgate feed pending)",
	                               STR_ARG(a->id), STR_ARG(v->name), STR_ARG(v->version), (long long)v->projects);
	const struct evidence act = {.time = b->now,
	                             .kind = EVIDENCE_INCIDENT,
	                             .ecosystem = v->ecosystem,
	                             .name = one.name,
	                             .version = v->version,
	                             .decision = STR("brake vulnerable"),
	                             .detail = text};
	int r = one.advisory.p && one.name.p && text.p ? mark(b, &one) : -ENOMEM;

	log_event(LOG_WARNING, "advisory held by the brake", "advisory=%.*s package=%.*s projects=%lld", STR_ARG(one.advisory),
	          STR_ARG(one.name), (long long)one.projects);
	return r < 0 ? r : store_brake_put(b->store, &one, &act, b->err);
}

static int look_at(void *arg, const struct received *v)
{
	struct brake *b = arg;
	CLEANUP_ARENA struct arena *scratch = NULL;
	struct version_facts facts = version_facts_ageless(v->ecosystem, v->name, v->version, v->hash);
	struct advisory *found;
	struct decision d;
	size_t n;
	int r = 0;

	if (v->projects <= b->projects || !advisories_know(b->index, v->ecosystem, v->name))
		return 0;
	scratch = arena_new(16 * MIB);
	if (!scratch)
		return -ENOMEM;
	n = advisories_match(b->index, v->ecosystem, v->name, v->version, 0, scratch, &found);
	if (n)
		decide(b->policy, b->index, &facts, b->now, scratch, &d);
	for (size_t i = 0; i < n && r == 0; i++) {
		struct str key = key_of(scratch, found[i].id, v->ecosystem, v->name);

		if (found[i].kind == ADVISORY_MALWARE || !denies(&d, found[i].id) || map_get(&b->known, key) || knows(b, &found[i], v, scratch))
			continue;
		r = hold_back(b, &found[i], v);
	}
	return r < 0 ? r : arena_failed(scratch) ? -ENOMEM : 0;
}

/* ---- the two indexes ---- */

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Without one, everything is new: also a first import can be wrong. One that is damaged says nothing. */
static struct advisories *open_or_empty(const char *path)
{
	struct advisories *a;
	struct err ignored = {0};

	if (access(path, R_OK) == 0 && advisories_open(path, &a, &ignored) == 0) {
		if (advisories_verify(a, &ignored) == 0)
			return a;
		advisories_unref(a);
	}
	return advisories_empty();
}

static int remember(const char *index, const char *judged, struct err *err)
{
	char beside[4200];

	snprintf(beside, sizeof(beside), "%s.new", judged);
	unlink(beside);
	if (link(index, beside) < 0 || rename(beside, judged) < 0)
		return err_set(err, -errno, "cannot keep %s as judged: %s", index, err_name(-errno));
	/* Renaming one link over another of the same file leaves both (rename(2)). */
	unlink(beside);
	return 0;
}

static int judge_swap(struct brake *b, const char *index, const char *judged)
{
	const struct advisory_brake *limits = policy_brake(b->policy);
	int r = 0;

	b->projects = limits->projects;
	b->index = open_or_empty(index);
	b->judged = open_or_empty(judged);
	if (!b->index || !b->judged)
		r = -ENOMEM;
	/* While vulnerabilities are only reported, nothing is newly denied; to enforce them later is what a person does. */
	else if (policy_mode(b->policy, REASON_VULNERABLE) == MODE_ENFORCE)
		r = store_received(b->store, b->now - limits->days * USEC_DAY, look_at, b, b->err);
	advisories_unref(b->index);
	advisories_unref(b->judged);
	return r < 0 ? r : remember(index, judged, b->err);
}

int recall_brake(struct store *s, const char *state_dir, const struct policy *p, struct advisories *fresh, usec now, struct err *err)
{
	struct brake b = {.store = s, .policy = p, .fresh = fresh, .arena = arena_new(256 * MIB), .now = now, .err = err};
	char index[4096], judged[4096];
	int r = b.arena ? store_brakes(s, mark_kept, &b, err) : -ENOMEM;

	if (snprintf(index, sizeof(index), "%s/" ADVISORY_INDEX, state_dir) >= (int)sizeof(index) ||
	    snprintf(judged, sizeof(judged), "%s/" ADVISORY_JUDGED, state_dir) >= (int)sizeof(judged))
		r = err_set(err, -ENAMETOOLONG, "the path of the state is too long");
	if (r == 0 && access(index, F_OK) == 0 && !same_file(index, judged))
		r = judge_swap(&b, index, judged);
	map_free(&b.known);
	arena_free(b.arena);
	return r < 0 && err->code != r ? err_set(err, r, "the advisories cannot be judged against what was handed out: %s", err_name(r)) : r;
}
