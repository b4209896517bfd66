#include "gate/refusal.h"

#include "base/limits.h"
#include "policy/replay.h"

enum { LINES = 10 };

/* What a person should know of a refusal by the whitelist beside its sentence; empty: nothing more. */
static struct str hint(const struct clearance *c, struct str name, bool of_package, struct arena *a)
{
	if (c->facts.reach_note.n || c->facts.reach_pending)
		return c->facts.reach_note;
	if (c->facts.peer_of.n)
		return arena_printf(a, "an optional peer of %.*s: approve it by name where a project uses it", STR_ARG(c->facts.peer_of));
	/* No version of it is approved, and the newest is rarely the one that was wanted. */
	if (of_package)
		return c->count > 1 ? STR("or for the version that your project wants") : STR_NULL;
	/* Who comes with a lockfile is refused somewhere deep in it, and the project's own package manager knows the way there. */
	return arena_printf(a, "npm ls %.*s --package-lock-only says which of your packages needs it", STR_ARG(name));
}

static struct str sentence_of(const struct clearance *c, const struct document *d, struct rules *rules, const struct origin *origin,
                              size_t index, usec now, struct arena *a, bool of_package, struct str *ret_decision,
                              struct version_facts *ret_facts)
{
	struct version_facts facts;
	struct decision decision;
	struct str more = STR_NULL;

	clearance_explain(c, d, rules, origin, index, now, a, &facts, &decision);
	if (ret_facts)
		*ret_facts = facts;
	if (decision.verdict == VERDICT_ALLOW) {
		/* Cleared by itself, and yet not shown: a version that is gone upstream and not in the cache either. */
		if (ret_decision)
			*ret_decision = STR("hold withdrawn");
		return arena_printf(a, "%.*s@%.*s is gone from its registry and not in this gate's cache", STR_ARG(facts.name),
		                    STR_ARG(facts.version));
	}
	if (ret_decision)
		*ret_decision = decision_words(&decision, &facts, a, NULL);
	if (decision.reasons[0].code == REASON_NOT_APPROVED)
		more = hint(c, facts.name, of_package, a);
	return arena_printf(a, more.n ? "%.*s (%.*s)" : "%.*s%.*s", STR_ARG(decision_sentence(a, &facts, &decision, now)), STR_ARG(more));
}

struct str refusal_of_version(const struct clearance *c, const struct document *d, struct rules *rules, const struct origin *origin,
                              size_t index, usec now, struct arena *a, struct str *ret_decision, struct version_facts *ret_facts)
{
	return sentence_of(c, d, rules, origin, index, now, a, false, ret_decision, ret_facts);
}

bool refusal_may_end(const struct clearance *c, const struct document *d, struct rules *rules, const struct origin *origin, size_t index,
                     usec now, struct arena *a)
{
	struct version_facts facts;
	struct decision decision;
	bool waits = false;

	if (!c->facts.reach_pending)
		return false;
	clearance_explain(c, d, rules, origin, index, now, a, &facts, &decision);
	for (size_t i = 0; i < decision.reason_count; i++) {
		const struct reason *r = &decision.reasons[i];

		if (r->mode != MODE_ENFORCE || r->code == REASON_EXEMPT)
			continue;
		if (r->code != REASON_NOT_APPROVED)
			return false;
		waits = true;
	}
	return waits;
}

bool refusal_of_package_may_end(const struct clearance *c, const struct document *d, struct rules *rules, const struct origin *origin,
                                usec now, struct arena *a)
{
	for (size_t i = c->count; i-- > 0 && c->facts.reach_pending;)
		if (!c->shown[i] && refusal_may_end(c, d, rules, origin, i, now, a))
			return true;
	return false;
}

/* The indices of the newest hidden versions, newest first: of the stable ones, or of the prereleases. */
static size_t newest_hidden(const struct clearance *c, const struct document *d, bool prereleases, size_t max, size_t *out)
{
	usec times[LINES];
	size_t n = 0;

	for (size_t i = 0; i < c->count && max; i++) {
		struct npm_version v;
		size_t at;

		if (c->shown[i])
			continue;
		npm_packument_version(d->packument, i, &v);
		if ((v.semver.pre.n != 0) != prereleases)
			continue;
		for (at = n; at > 0 && times[at - 1] < v.published; at--)
			;
		if (at >= max)
			continue;
		if (n < max)
			n++;
		for (size_t k = n - 1; k > at; k--) {
			out[k] = out[k - 1];
			times[k] = times[k - 1];
		}
		out[at] = i;
		times[at] = v.published;
	}
	return n;
}

struct str refusal_of_hidden(const struct clearance *c, const struct document *d, struct rules *rules, const struct origin *origin,
                             usec now, struct arena *a)
{
	CLEANUP_BUF struct buf out = BUF(64 * KIB);
	size_t indices[LINES], n = newest_hidden(c, d, false, LINES, indices);

	/* Daily prereleases must not crowd out the version that people ask for. */
	n += newest_hidden(c, d, true, LINES - n, indices + n);
	for (size_t i = 0; i < n; i++) {
		buf_add_str(&out, refusal_of_version(c, d, rules, origin, indices[i], now, a, NULL, NULL));
		buf_add_str(&out, i + 1 < n ? STR("\n") : STR(""));
	}
	if (c->hidden > n)
		buf_printf(&out, "\n%zu further versions are refused too: bondgate explain npm:%.*s@VERSION", c->hidden - n,
		           STR_ARG(npm_packument_name(d->packument)));
	return arena_str(a, buf_str(&out));
}

static size_t newest_of_all(const struct clearance *c, const struct document *d, size_t *ret)
{
	size_t n = newest_hidden(c, d, false, 1, ret);

	return n ? n : newest_hidden(c, d, true, 1, ret);
}

struct str refusal_of_package(const struct clearance *c, const struct document *d, struct rules *rules, const struct origin *origin,
                              usec now, struct arena *a)
{
	size_t newest, n = newest_of_all(c, d, &newest);
	struct str sentence;

	if (n == 0)
		return arena_printf(a, "%.*s has no versions", STR_ARG(npm_packument_name(d->packument)));
	sentence = sentence_of(c, d, rules, origin, newest, now, a, true, NULL, NULL);
	if (c->count == 1)
		return sentence;
	return arena_printf(a, "no version is cleared; the newest: %.*s", STR_ARG(sentence));
}

bool refusal_is_aside(const struct clearance *c, const struct document *d, struct rules *rules, const struct origin *origin, usec now,
                      struct arena *a)
{
	struct version_facts facts;
	struct decision decision;
	size_t newest;

	if (!c->facts.peer_of.n || !newest_of_all(c, d, &newest))
		return false;
	clearance_explain(c, d, rules, origin, newest, now, a, &facts, &decision);
	return decision.verdict == VERDICT_HOLD && decision.reasons[0].code == REASON_NOT_APPROVED;
}
