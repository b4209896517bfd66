/* Delays by risk, which of them counts, and the shorter wait of a security fix. */
#include "unit.h"

#include "decisions.h"

static const struct str mallory[] = {{"mallory", 7}};

/* ---- delays ---- */

static void a_new_dependency_holds_until_it_reaches_the_age(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *dependency;
		int dependency_age;   /* days; -1: not known */
		const char *reached_from;
		bool known;
		int package_age, version_age, left;
	} rows[] = {
		{"young", 2, "", true, 1000, 1, 28}, {"young", 29, "", true, 1000, 1, 1}, {"young", 30, "", true, 1000, 1, 0},
		/* nobody knows how old: it was not here before the version that needs it */
		{"unheard-of", -1, "", true, 1000, 10, 20}, {"unheard-of", -1, "", true, 1000, 31, 0},
		{"", 0, "", false, 3, 3, 0},
		/* the package itself came along with a root */
		{"", 0, "react", false, 3, 1, 27}, {"", 0, "react", true, 3, 1, 0}, {"", 0, "react", false, 30, 1, 0},
		/* the later one counts */
		{"young", 2, "react", false, 3, 1, 28}, {"young", 10, "react", false, 3, 1, 27},
	};
	/* clang-format on */
	struct policy *p = load("version: 1\ncooldown: {default: 0, new-dependency: 30d}\n");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct version_facts f = old_version(i % 2 ? ECOSYSTEM_NPM : ECOSYSTEM_NUGET, "thing");
		struct decision d;

		f.published = noon - rows[i].version_age * USEC_DAY;
		f.package_published = noon - rows[i].package_age * USEC_DAY;
		f.name_known = rows[i].known;
		f.reached_from = str_of(rows[i].reached_from);
		f.trust.dependency = str_of(rows[i].dependency);
		f.trust.dependency_published = rows[i].dependency_age < 0 ? 0 : noon - rows[i].dependency_age * USEC_DAY;
		decide(p, NULL, &f, noon, NULL, &d);
		if (d.until != (rows[i].left ? noon + rows[i].left * USEC_DAY : 0))
			fail_msg("row %zu", i);
		assert_true(d.next_change == (rows[i].left ? d.until : USEC_NEVER));
	}
	policy_unref(p);
	p = load("version: 1\ncooldown: {default: 0, new-dependency: 30d}\nallow: {roots: [{name: \"npm:thing\", reason: x, owner: y, review-by: "
	         "2027-01-01}]}\n");
	{
		struct version_facts f = old_version(ECOSYSTEM_NPM, "thing");
		struct decision d;

		f.name_known = false;
		f.reached_from = STR("react");
		f.package_published = noon - USEC_DAY;
		decide(p, NULL, &f, noon, NULL, &d);
		assert_int_equal(d.verdict, VERDICT_ALLOW); /* somebody approved it by name */
	}
	policy_unref(p);
}

static void of_several_delays_the_longest_counts(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	CLEANUP_BUF struct buf text = BUF(64 * KIB), json = BUF(64 * KIB);
	struct policy *p = load("version: 1\ncooldown: {default: 7d, new-package: 10d, install-script: 14d, new-binary: 3d, remote-dependency: 21d}\n"
	                        "continuity: {mode: report, hold: until-decided}\n");
	struct version_facts f = with_script(ECOSYSTEM_NPM);
	struct decision d;

	f.published = noon - USEC_DAY;
	f.trust.binary = STR("bin/tool");
	f.trust.continuity = STR("published by mallory; 3 releases of 1.x before it by alice");
	f.trust.publishers = mallory;
	f.trust.publisher_count = 1;
	f.reached_from = STR("react");
	decide(p, NULL, &f, noon, a, &d);
	assert_int_equal(d.verdict, VERDICT_HOLD);
	assert_true(d.until == noon + 13 * USEC_DAY);
	assert_true(d.next_change == noon + 2 * USEC_DAY);
	assert_int_equal(d.reason_count, 4);
	assert_int_equal(d.reasons[3].code, REASON_PUBLISHER_CHANGED);
	assert_int_equal(d.reasons[3].mode, MODE_REPORT);
	assert_non_null(strstr(decision_sentence(a, &f, &d, noon).p, "gained code that runs on install: postinstall (install-script)"));
	/* explain has all of them and what is known */
	explain_text(&f, &d, noon, &text);
	assert_non_null(strstr(buf_cstr(&text), "  report  publisher-changed  thing@1.14.1 changed hands"));
	assert_non_null(strstr(buf_cstr(&text), "  published by mallory\n"));
	assert_non_null(strstr(buf_cstr(&text), "  needed by the approved root react\n"));
	assert_non_null(strstr(buf_cstr(&text), "bondgate request npm:thing@1.14.1 --reason"));
	explain_json(&f, &d, &json);
	assert_non_null(strstr(buf_cstr(&json), "\"trust\":{\"publishers\":[\"mallory\"],\"continuity\":\"published by mallory; 3 releases of 1.x before it by alice\","
	                                        "\"install-script\":\"postinstall\",\"binary\":\"bin/tool\",\"reached-from\":\"react\"}}"));
	f.trust.remote_dependency = STR("x (git+https://y)");
	decide(p, NULL, &f, noon, a, &d);
	assert_true(d.until == noon + 20 * USEC_DAY);
	policy_unref(p);
}

/* ---- security fixes ---- */

static struct advisories *fixing(void)
{
	static const char records[] =
		"[{\"id\": \"GHSA-fix\", \"published\": \"2026-11-19T00:00:00Z\", \"database_specific\": {\"severity\": \"HIGH\"}, \"affected\": ["
		"{\"package\": {\"ecosystem\": \"npm\", \"name\": \"thing\"}, \"ranges\": [{\"type\": \"SEMVER\", \"events\": [{\"introduced\": \"0\"},"
		" {\"fixed\": \"1.14.1\"}]}]}]}]";

	return advisories_of(records, 1);
}

static void nothing_more(struct version_facts *f)
{
	(void)f;
}
static void script(struct version_facts *f)
{
	f->trust.install_script = STR("postinstall");
}
static void change(struct version_facts *f)
{
	f->trust.continuity = STR("published by mallory; 3 releases before it by alice");
}
static void likeness(struct version_facts *f)
{
	f->resembles = STR("think");
}
static void young_package(struct version_facts *f)
{
	f->package_published = noon - 10 * USEC_DAY;
}
static void line_denied(struct version_facts *f)
{
	f->trust.fixed_line_denied = true;
}
static void line_denied_and_script(struct version_facts *f)
{
	f->trust.fixed_line_denied = true;
	f->trust.install_script = STR("postinstall");
}
static void another_version(struct version_facts *f)
{
	f->version = STR("1.14.2");
}
static void own_origin(struct version_facts *f)
{
	f->own_origin = true;
	f->origin_cooldown = 5 * USEC_DAY;
}
static void given_as_none(struct version_facts *f)
{
	f->advisories_given = true;
}
static void given_as_fix(struct version_facts *f)
{
	f->advisories_given = true;
	f->fixes = STR("GHSA-fix");
	f->version = STR("3.3.3");
}

#define FAST "version: 1\ncooldown: {default: 7d, security-fix: 1d}\n"

static void a_security_fix_waits_less_if_nothing_else_speaks_against_it(void **state)
{
	(void)state;
	/* published twelve hours ago; `left` in hours, 0: cleared */
	static const struct {
		const char *policy;
		void (*change)(struct version_facts *f);
		int left;
	} rows[] = {
		{FAST, nothing_more, 12},
		{FAST, another_version, 156},
		{"version: 1\ncooldown: {default: 7d}\n", nothing_more, 156},
		{"version: 1\ncooldown: {default: 7d, security-fix: 0}\n", nothing_more, 0},
		{"version: 1\ncooldown: {default: 6h, security-fix: 1d}\n", nothing_more, 0}, /* never longer */
		/* what is only reported speaks against it as well; what is off does not */
		{FAST, change, 156},
		{FAST "continuity: {mode: 'off'}\n", change, 12},
		{FAST, likeness, 156},
		{FAST "rules: {install-script: {mode: report}}\n", script, 156},
		{FAST "rules: {install-script: {mode: 'off'}}\n", script, 12},
		{"version: 1\ncooldown: {default: 7d, security-fix: 1d, install-script: 14d}\n", script, 14 * 24 - 12},
		/* an exemption lifts its rule and buys no shorter wait */
		{"version: 1\ncooldown: {default: 7d, security-fix: 1d, install-script: 14d}\nexemptions: [{package: \"npm:thing\", rules: [install-script], "
		 "reason: r, owner: o, expires: 2026-12-20}]\n", script, 156},
		/* the other delays count as ever */
		{"version: 1\ncooldown: {default: 7d, security-fix: 1d, new-package: 30d}\n", young_package, 20 * 24},
		/* every other version of the line is denied */
		{FAST, line_denied, 0},
		{FAST "rules: {install-script: {mode: report}}\n", line_denied_and_script, 156},
		{FAST, own_origin, 108},
		/* what was known when the facts were taken down counts, not the index */
		{FAST, given_as_none, 156},
		{FAST, given_as_fix, 12},
	};
	struct advisories *advisories = fixing();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(MIB);
		struct policy *p = load(rows[i].policy);
		struct version_facts f = old_version(ECOSYSTEM_NPM, "thing");
		struct decision d;

		f.published = noon - 12 * USEC_HOUR;
		rows[i].change(&f);
		decide(p, advisories, &f, noon, a, &d);
		if (d.until != (rows[i].left ? noon + rows[i].left * USEC_HOUR : 0))
			fail_msg("row %zu: %lld hours", i, (long long)((d.until - noon) / USEC_HOUR));
		if (i == 0)
			assert_string_equal(decision_sentence(a, &f, &d, noon).p,
			                    "thing@1.14.1 is a security fix, published 12h ago; this gate waits 1d for fixes (cooldown): cleared 2026-11-21 00:00 UTC. "
			                    "Ask: bondgate request npm:thing@1.14.1");
		policy_unref(p);
	}
	/* Before the advisory was published nobody knew. */
	{
		struct policy *p = load(FAST);
		struct version_facts f = old_version(ECOSYSTEM_NPM, "thing");
		struct decision d;

		f.published = noon - 3 * USEC_DAY;
		decide(p, advisories, &f, noon - 2 * USEC_DAY, NULL, &d);
		assert_true(d.until == noon + 4 * USEC_DAY);
		policy_unref(p);
	}
	advisories_unref(advisories);
}

/* ---- facts that bring their advisories along ---- */

static void given_advisories_are_heard_and_the_index_is_not(void **state)
{
	(void)state;
	const struct advisory given[] = {{.kind = ADVISORY_MALWARE, .severity = SEVERITY_CRITICAL, .id = STR("MAL-9"), .published = noon - USEC_DAY}};
	struct advisory looked_at = given[0];
	struct policy *p = policy_builtin();
	struct advisories *index = fixing();
	struct version_facts f = old_version(ECOSYSTEM_NPM, "thing");
	struct decision d;

	f.advisories_given = true;
	f.advisories = given;
	f.advisory_count = 1;
	decide(p, index, &f, noon, NULL, &d);
	assert_int_equal(d.verdict, VERDICT_DENY);
	assert_int_equal(d.reasons[0].code, REASON_MALWARE);
	decide(p, index, &f, noon - 2 * USEC_DAY, NULL, &d);
	assert_int_equal(d.verdict, VERDICT_ALLOW);
	looked_at.not_affected = STR("a build of our own without it");
	f.advisories = &looked_at;
	decide(p, index, &f, noon, NULL, &d);
	assert_int_equal(d.verdict, VERDICT_ALLOW);
	advisories_unref(index);
	policy_unref(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_dependency_holds_until_it_reaches_the_age),
		cmocka_unit_test(of_several_delays_the_longest_counts),
		cmocka_unit_test(a_security_fix_waits_less_if_nothing_else_speaks_against_it),
		cmocka_unit_test(given_advisories_are_heard_and_the_index_is_not),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
