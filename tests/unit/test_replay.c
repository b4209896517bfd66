#include "unit.h"

#include "base/limits.h"
#include "policy/facts_json.h"
#include "policy/replay.h"

#define NOW ((usec)1795000000 * USEC_SECOND)

static struct policy *load(const char *text)
{
	struct policy *p = NULL;
	struct err err = {0};
	int r = policy_load(str_of(text), STR("test.yaml"), NOW, NULL, &p, NULL, &err);

	if (r < 0)
		print_error("%s\n", err.text);
	assert_int_equal(r, 0);
	return p;
}

static struct version_facts facts_of_age(usec age)
{
	return (struct version_facts){
		.name = STR("left-pad"),
		.version = STR("1.3.0"),
		.published = NOW - age,
		.first_seen = NOW - age,
		.package_published = NOW - 400 * USEC_DAY,
		.integrity = STR("sha512-abc"),
		.origin_cooldown = -1,
		.name_known = true,
		.advisories_given = true,
	};
}

#define WITHOUT_COOLDOWN "version: 1\ncooldown: {mode: off}\n"

static void outcomes_follow_from_what_was_and_what_would_be(void **state)
{
	(void)state;
	static const struct {
		const char *policy;
		usec age;
		bool served;
		const char *was;
		enum replay_outcome outcome;
		const char *words;
	} rows[] = {
		{"version: 1\n", 100 * USEC_DAY, true, "allow", REPLAY_SAME, "allow"},
		{"version: 1\n", USEC_HOUR, false, "hold cooldown", REPLAY_SAME, "hold cooldown"},
		{"version: 1\n", USEC_HOUR, true, "allow", REPLAY_WOULD_REFUSE, "hold cooldown"},
		{WITHOUT_COOLDOWN, USEC_HOUR, false, "hold cooldown", REPLAY_WOULD_SERVE, "allow"},
		{"version: 1\ndeny: {names: [\"npm:left-pad\"]}\n", USEC_HOUR, false, "hold cooldown", REPLAY_OTHER_REASON, "deny denied"},
		{"version: 1\ncooldown: {mode: report}\n", USEC_HOUR, true, "allow", REPLAY_OTHER_REASON, "report hold cooldown"},
		{"version: 1\n", 100 * USEC_DAY, false, "refused artifact", REPLAY_NOT_OF_POLICY, ""},
		{"version: 1\n", 100 * USEC_DAY, false, "deny hash-mismatch", REPLAY_NOT_OF_POLICY, ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(MIB);
		struct policy *p = load(rows[i].policy);
		struct version_facts facts = facts_of_age(rows[i].age);
		struct replay r;

		replay_decision(p, &facts, NOW, rows[i].served, str_of(rows[i].was), a, &r);
		if (r.outcome != rows[i].outcome || !str_eq(r.words, str_of(rows[i].words)))
			fail_msg("row %zu: %s, %.*s", i, replay_outcome_name(r.outcome), STR_ARG(r.words));
		policy_unref(p);
	}
}

static void a_decision_is_asked_as_of_its_own_time(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct policy *p = load("version: 1\n");
	struct version_facts facts = facts_of_age(100 * USEC_DAY);
	struct replay r;

	replay_decision(p, &facts, NOW - 99 * USEC_DAY, true, STR("allow"), a, &r);
	assert_int_equal(r.outcome, REPLAY_WOULD_REFUSE);
	assert_int_equal(r.rule, REASON_COOLDOWN);
	policy_unref(p);
}

static void advisories_count_as_they_were_known_then(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	CLEANUP_BUF struct buf json = BUF(MIB);
	struct advisory malware = {.kind = ADVISORY_MALWARE, .id = STR("MAL-2026-1"), .published = NOW - USEC_DAY, .score = -1};
	struct policy *p = load("version: 1\n");
	struct version_facts facts = facts_of_age(100 * USEC_DAY);
	struct replay r;

	facts.advisories = &malware;
	facts.advisory_count = 1;
	facts_to_json(&facts, &json);
	replay_record(p, buf_str(&json), facts.version, NOW, false, STR("deny malware"), a, &r);
	assert_int_equal(r.outcome, REPLAY_SAME);
	policy_unref(p);
}

static void what_was_not_recorded_is_not_judged(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct policy *p = load("version: 1\n");
	struct replay r;

	replay_record(p, STR(""), STR("1.0.0"), NOW, true, STR("allow"), a, &r);
	assert_int_equal(r.outcome, REPLAY_WITHOUT_FACTS);
	replay_record(p, STR("{\"v\":"), STR("1.0.0"), NOW, true, STR("allow"), a, &r);
	assert_int_equal(r.outcome, REPLAY_WITHOUT_FACTS);
	replay_record(p, STR(""), STR(""), NOW, false, STR("refused package"), a, &r);
	assert_int_equal(r.outcome, REPLAY_WHOLE_PACKAGE);
	replay_record(p, STR(""), STR("1.0.0"), NOW, false, STR("refused artifact"), a, &r);
	assert_int_equal(r.outcome, REPLAY_NOT_OF_POLICY);
	policy_unref(p);
}

#define ROOTS(name) "version: 1\nallow: {mode: enforce, roots: [{name: \"npm:" name "\", reason: r, owner: o, review-by: 2027-01-01}]}\n"

#define PUBLISHER \
	"version: 1\nallow: {mode: enforce, publishers: [{publisher: \"npm-user:ada\", reason: r, owner: o, review-by: 2027-01-01}]}\n"

static void a_way_from_a_root_counts_while_the_root_is_approved(void **state)
{
	(void)state;
	static const struct {
		const char *policy, *way, *was;
		bool pending;
		enum replay_outcome outcome;
	} rows[] = {
		{ROOTS("express"), "express > left-pad", "allow", false, REPLAY_SAME},
		{ROOTS("react"), "express > left-pad", "allow", false, REPLAY_WOULD_REFUSE},
		/* The root may be one for its publisher. */
		{PUBLISHER, "express > left-pad", "allow", false, REPLAY_SAME},
		{ROOTS("react"), "express > left-pad", "allow", true, REPLAY_REACH_UNKNOWN},
		/* The rule was off: nobody had looked which root needs it. */
		{ROOTS("react"), "", "allow", false, REPLAY_REACH_UNKNOWN},
		/* Needed or not, it is too young. */
		{ROOTS("react") "cooldown: {default: 300d}\n", "", "allow", false, REPLAY_WOULD_REFUSE},
		{ROOTS("react"), "", "report hold not-approved", false, REPLAY_WOULD_REFUSE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(MIB);
		struct policy *p = load(rows[i].policy);
		struct version_facts facts = facts_of_age(100 * USEC_DAY);
		struct replay r;

		facts.reached_from = str_of(rows[i].way);
		facts.reach_pending = rows[i].pending;
		replay_decision(p, &facts, NOW, true, str_of(rows[i].was), a, &r);
		if (r.outcome != rows[i].outcome)
			fail_msg("row %zu: %s", i, replay_outcome_name(r.outcome));
		policy_unref(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outcomes_follow_from_what_was_and_what_would_be),
		cmocka_unit_test(a_decision_is_asked_as_of_its_own_time),
		cmocka_unit_test(advisories_count_as_they_were_known_then),
		cmocka_unit_test(what_was_not_recorded_is_not_judged),
		cmocka_unit_test(a_way_from_a_root_counts_while_the_root_is_approved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
