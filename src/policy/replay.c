#include "policy/replay.h"

#include "policy/facts_json.h"

static const char *const outcome_names[REPLAY_OUTCOME_COUNT] = {
	[REPLAY_SAME] = "same",
	[REPLAY_OTHER_REASON] = "other-reason",
	[REPLAY_WOULD_REFUSE] = "would-refuse",
	[REPLAY_WOULD_SERVE] = "would-serve",
	[REPLAY_NOT_OF_POLICY] = "not-of-policy",
	[REPLAY_WITHOUT_FACTS] = "without-facts",
	[REPLAY_REACH_UNKNOWN] = "reach-unknown",
	[REPLAY_WHOLE_PACKAGE] = "whole-package",
};

const char *replay_outcome_name(enum replay_outcome o)
{
	return outcome_names[o];
}

struct str decision_words(const struct decision *d, const struct version_facts *facts, struct arena *a, struct str *ret_detail)
{
	const struct reason *r = d->reasons, *end = d->reasons + d->reason_count;

	while (d->verdict == VERDICT_ALLOW && r < end && r->code == REASON_NOT_APPROVED && facts->reach_pending)
		r++;
	if (ret_detail)
		*ret_detail = r < end ? r->text : STR("");
	if (r == end)
		return STR("allow");
	if (d->verdict != VERDICT_ALLOW)
		return arena_printf(a, "%s %s", verdict_name(d->verdict), reason_code_name(r->code));
	if (r->code == REASON_EXEMPT)
		return arena_printf(a, "allow exempt %s", reason_code_name(r->lifted));
	return arena_printf(a, "report %s %s", verdict_name(r->verdict), reason_code_name(r->code));
}

/* "hold cooldown", "deny malware": the rule is the last word. */
static enum reason_code rule_of(struct str words)
{
	ptrdiff_t blank = str_rchr(words, ' ');
	enum reason_code code;

	if (blank < 0 || reason_code_parse(str_skip(words, (size_t)blank + 1), &code) < 0)
		return REASON_CODE_COUNT;
	return code;
}

/* Refusals that stand beside the policy: it would have cleared the version, and something else kept it back. */
static bool not_of_policy(const struct version_facts *facts, bool served, struct str words)
{
	if (served)
		return false;
	if (!str_starts(words, STR("hold ")) && !str_starts(words, STR("deny ")))
		return true;
	if (str_eq(words, STR("hold withdrawn")) && facts->withdrawal == WITHDRAWN_OLD)
		return true;
	return rule_of(words) == REASON_CODE_COUNT;
}

/* "express > body-parser > debug": the root comes first. */
static struct str root_of(struct str way)
{
	ptrdiff_t end = str_find(way, STR(" > "));

	return end < 0 ? way : str_take(way, (size_t)end);
}

/* The walk had not ended, or there was none: with the rule off nobody asked which root needs a name. */
static bool reach_unknown(const struct version_facts *facts, struct str words)
{
	return facts->reach_pending || (!facts->reached_from.n && rule_of(words) != REASON_NOT_APPROVED);
}

/* It is not known whether a root needs it; is it refused all the same? */
static void without_reach(const struct policy *p, const struct version_facts *facts, usec at, struct arena *a, struct replay *ret)
{
	struct version_facts needed = *facts;
	struct decision d;

	needed.reached_from = STR("an approved root");
	needed.reach_pending = false;
	decide(p, NULL, &needed, at, a, &d);
	if (d.verdict == VERDICT_ALLOW) {
		ret->outcome = REPLAY_REACH_UNKNOWN;
		return;
	}
	ret->decision = d;
	ret->words = decision_words(&d, &needed, a, NULL);
	ret->rule = d.reasons[0].code;
}

void replay_decision(const struct policy *p, const struct version_facts *facts, usec at, bool served, struct str words, struct arena *a,
                     struct replay *ret)
{
	const struct approved_publisher *publishers;
	struct version_facts now = *facts;
	bool serves;

	*ret = (struct replay){.rule = REASON_CODE_COUNT};
	if (not_of_policy(facts, served, words)) {
		ret->outcome = REPLAY_NOT_OF_POLICY;
		return;
	}
	now.resembles = policy_resembles(p, facts->ecosystem, facts->name);
	/* A root of then that this policy does not approve leads nowhere. Who published the root was not taken down: where publishers are approved,
	 * it may be approved for that. */
	if (now.reached_from.n && !policy_publishers(p, &publishers) && !policy_root(p, facts->ecosystem, root_of(now.reached_from)))
		now.reached_from = STR("");
	decide(p, NULL, &now, at, a, &ret->decision);
	ret->words = decision_words(&ret->decision, &now, a, NULL);
	serves = ret->decision.verdict == VERDICT_ALLOW;
	if (serves == served) {
		ret->outcome = str_eq(words, ret->words) ? REPLAY_SAME : REPLAY_OTHER_REASON;
		ret->rule = rule_of(ret->words);
	} else if (served) {
		ret->rule = ret->decision.reasons[0].code;
		ret->outcome = REPLAY_WOULD_REFUSE;
		if (ret->rule == REASON_NOT_APPROVED && reach_unknown(facts, words))
			without_reach(p, &now, at, a, ret);
	} else {
		ret->outcome = REPLAY_WOULD_SERVE;
		ret->rule = rule_of(words);
	}
}

void replay_record(const struct policy *p, struct str facts_json, struct str version, usec at, bool served, struct str words,
                   struct arena *a, struct replay *ret)
{
	struct version_facts facts;
	struct err why;

	*ret = (struct replay){.rule = REASON_CODE_COUNT};
	if (!version.n)
		ret->outcome = REPLAY_WHOLE_PACKAGE;
	else if (!facts_json.n && !served && !str_starts(words, STR("hold ")) && !str_starts(words, STR("deny ")))
		ret->outcome = REPLAY_NOT_OF_POLICY;
	else if (!facts_json.n || facts_from_json(facts_json, a, &facts, &why) < 0)
		ret->outcome = REPLAY_WITHOUT_FACTS;
	else
		replay_decision(p, &facts, at, served, words, a, ret);
}
