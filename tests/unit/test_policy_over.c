/* What may be put over a policy: a file in a working directory, a team's with and without its token, what people granted. */
#include "unit.h"

#include "policies.h"

/* What a file in a working directory, or a team's without its token, may and may not do. */
/* clang-format off */
static const struct {
	const char *local, *message; /* NULL: accepted */
} attempts[] = {
	{"allow: {roots: [{name: \"npm:evil\", reason: x, owner: y, review-by: 2027-01-01}]}", "2:9: allow.roots is not accepted in a working directory"},
	{"allow: {publishers: [{publisher: \"npm-user:mallory\", reason: x, owner: y, review-by: 2027-01-01}]}", "2:9: allow.publishers is not accepted"},
	{"publisher-sets: {partners: [\"npm-user:mallory\"]}", "2:1: publisher-sets is not accepted"},
	{"allow: {mode: enforce}", NULL},
	{"allow: {mode: off}", "2: allow.mode makes the rule not-approved weaker (off) than the machine's policy does (report)"},
	{"continuity: {mode: report}", "2: continuity.mode makes the rule publisher-changed weaker (report)"},
	{"continuity: {hold: 365d}", "2:20: continuity.hold: 365d is less than the machine's policy asks for (until-decided)"},
	{"continuity: {hold: until-decided}", NULL},
	{"cooldown: {install-script: 1d}", "2:28: cooldown.install-script: 1d is less than the machine's policy asks for (21d)"},
	{"cooldown: {install-script: 0}", "2:28: cooldown.install-script: 0 is less"},
	{"cooldown: {install-script: 30d}", NULL},
	{"cooldown: {new-binary: 30d}", NULL},
	{"cooldown: {new-dependency: 1d}", "2:28: cooldown.new-dependency: 1d is less"},
	{"cooldown: {remote-dependency: 1d}", "2:31: cooldown.remote-dependency: 1d is less"},
	{"cooldown: {security-fix: 0}", "2:26: cooldown.security-fix: 0 is less"},
	{"cooldown: {security-fix: 2d}", NULL},
	{"rules: {look-alike: {mode: report}}", "2: rules.look-alike.mode makes the rule look-alike weaker (report)"},
	{"rules: {install-script: {mode: report}}", "2: rules.install-script.mode makes the rule install-script weaker (report)"},
	{"rules: {signature-invalid: {mode: enforce}, new-binary: {mode: enforce}}", NULL},
	{"mode: report", "2: mode makes the rule cooldown weaker"},
	{"look-alike: {names: [\"npm:mine\"]}", NULL},
	{"look-alike: {exclude: [\"npm:evil\"]}", "2:14: look-alike.exclude is not accepted"},
	{"deny: {publishers: [\"npm-user:other\"]}", NULL},
	{"approvals: {longest: 30d}", "2:22: approvals.longest: 30d is more than the machine's policy allows (14d)"},
	{"approvals: {longest: 1d, break-glass: 1h, second-person-at: low}", NULL},
	{"approvals: {break-glass: 24h}", "2:26: approvals.break-glass: 24h is more than the machine's policy allows (4h)"},
	{"approvals: {second-person-at: never}", "2:31: approvals.second-person-at: never lets more through than the machine's policy does (critical)"},
	{"approvals: {import-keys: [" KEY_A "]}", "2:13: approvals.import-keys is not accepted"},
	{"teams: [{name: web, policy: /tmp/lax.yaml}]", "2:1: teams is not accepted"},
	{"webhooks: [{url: \"https://evil.example/\"}]", "2:1: webhooks is not accepted"},
	{"advisories: {feeds: [{name: x, url: \"https://evil.example/\"}]}", "2:14: advisories.feeds is not accepted"},
	{"advisories: {ignore: [{id: CVE-2, reason: x, owner: y, expires: 2027-01-01}]}", "2:14: advisories.ignore is not accepted"},
	{"advisories: {vex: [/tmp/x]}", "2:14: advisories.vex is not accepted"},
	{"advisories: {brake: {projects: 100000}}", "2:22: advisories.brake.projects is not accepted"},
	{"scan: {hosts: [evil.example]}", "2:8: scan.hosts is not accepted"},
	{"registries: {npm: {require-signature: false}}", "2:14: registries.npm is not accepted"},
};
/* clang-format on */

enum { ATTEMPTS = sizeof(attempts) / sizeof(attempts[0]) };

static void a_local_file_cannot_cheat(void **state)
{
	(void)state;
	struct policy *base = load(everything);

	for (size_t i = 0; i < ATTEMPTS; i++) {
		CLEANUP_BUF struct buf message = BUF(1 << 12);
		char text[512];
		struct policy *p = NULL;
		struct err err = {0};

		snprintf(text, sizeof(text), "version: 1\n%s\n", attempts[i].local);
		buf_printf(&message, "l.yaml:%s", attempts[i].message ? attempts[i].message : "");
		if (policy_tighten(base, str_of(text), STR("l.yaml"), noon, &environment, &p, &err) == 0) {
			if (attempts[i].message)
				fail_msg("%zu: accepted, expected %s", i, buf_cstr(&message));
			policy_unref(p);
		} else if (!attempts[i].message || !str_starts(str_of(err.text), buf_str(&message))) {
			fail_msg("%zu: %s", i, err.text);
		}
	}
	policy_unref(base);
}

/* Where the machine says nothing of security fixes, a local exception for them would be one of its own making. */
static void a_local_file_cannot_shorten_fixes_that_wait_like_the_rest(void **state)
{
	(void)state;
	struct policy *base = policy_builtin(), *p = NULL;
	struct err err = {0};

	assert_int_equal(policy_tighten(base, STR("version: 1\ncooldown: {security-fix: 0}\n"), STR("l"), noon, NULL, &p, &err), -EPERM);
	assert_int_equal(policy_tighten(base, STR("version: 1\napprovals: {second-person-at: low}\n"), STR("l"), noon, NULL, &p, &err), 0);
	policy_unref(p);
	policy_unref(base);
}

static void a_team_without_its_token_only_tightens(void **state)
{
	(void)state;
	struct policy *base = load(everything);
	static const char team[] = "version: 1\nmode: report\ncooldown: {default: 1d, install-script: 40d, exclude: [\"npm:evil\"]}\n"
							   "allow: {mode: enforce, roots: [{name: \"npm:evil\", reason: x, owner: y, review-by: 2027-01-01}]}\n"
							   "continuity: {mode: off, hold: 1d}\nrules: {look-alike: {mode: off}}\ndeny: {names: [\"npm:bad\"]}\n";
	CLEANUP_BUF struct buf difference = BUF(1 << 16);
	struct policy *p = NULL, *proven = NULL;
	struct err err = {0};

	if (policy_for_team(base, str_of(team), STR("team.yaml"), noon, &environment, false, &p, &err) < 0)
		fail_msg("%s", err.text);
	policy_diff(base, p, &difference);
	assert_string_equal(buf_cstr(&difference), "- cooldown.install-script: 21d\n+ cooldown.install-script: 40d\n+ deny.names: \"npm:bad\"\n"
	                                           "- allow.mode: report\n+ allow.mode: enforce\n");
	for (enum reason_code c = 0; c < REASON_CODE_COUNT; c++)
		assert_true(policy_mode(p, c) >= policy_mode(base, c));
	assert_null(policy_root(p, ECOSYSTEM_NPM, STR("evil")));

	if (policy_for_team(base, str_of(team), STR("team.yaml"), noon, &environment, true, &proven, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(policy_mode(proven, REASON_COOLDOWN), MODE_REPORT);
	assert_int_equal(policy_mode(proven, REASON_LOOK_ALIKE), MODE_OFF);
	assert_int_equal(proven->continuity_hold, USEC_DAY);
	assert_non_null(policy_root(proven, ECOSYSTEM_NPM, STR("evil")));
	assert_non_null(policy_root(proven, ECOSYSTEM_NPM, STR("@angular/core")));
	policy_unref(base);
	policy_unref(p);
	policy_unref(proven);
}

/* Attempt by attempt, whatever such a file says: nothing is weaker than before. */
static void no_line_of_an_unproven_team_loosens(void **state)
{
	(void)state;
	struct policy *base = load(everything);

	for (size_t i = 0; i < ATTEMPTS; i++) {
		char text[512];
		struct policy *p = NULL;
		struct err err = {0};

		snprintf(text, sizeof(text), "version: 1\n%s\n", attempts[i].local);
		if (policy_for_team(base, str_of(text), STR("team.yaml"), noon, &environment, false, &p, &err) < 0) {
			assert_non_null(strstr(err.text, "is the whole gate's and does not belong in a team's file"));
			continue;
		}
		for (enum reason_code c = 0; c < REASON_CODE_COUNT; c++)
			assert_true(policy_mode(p, c) >= policy_mode(base, c));
		assert_true(p->continuity_hold >= base->continuity_hold && p->cooldown_install_script >= base->cooldown_install_script);
		assert_true(p->cooldown_security_fix >= base->cooldown_security_fix && p->cooldown_default >= base->cooldown_default);
		assert_int_equal(p->root_rules.count, base->root_rules.count);
		assert_int_equal(p->publisher_rules.count, base->publisher_rules.count);
		assert_int_equal(p->set_rules.count, base->set_rules.count);
		policy_unref(p);
	}
	policy_unref(base);
}

static void what_is_the_whole_gates_does_not_belong_in_a_teams_file(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"gate: {listen: \"0.0.0.0:1\"}", "registries: {npm: {upstream: \"https://evil.example/\"}}", "teams: []", "webhooks: []", "trust-local: true",
		"cache: {size: 1MiB}", "memory: 1MiB", "evidence: {retention: 1d}", "approvals: {longest: 1d}", "advisories: {files: [/x]}",
		"origins: [{names: [\"npm:a\"], upstream: \"https://evil.example/\"}]",
	};
	struct policy *base = policy_builtin(), *p = NULL;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		for (int proven = 0; proven < 2; proven++) {
			char text[256];
			struct err err = {0};

			snprintf(text, sizeof(text), "version: 1\n%s\n", lines[i]);
			assert_int_equal(policy_for_team(base, str_of(text), STR("t"), noon, &environment, proven, &p, &err), -EPERM);
			assert_non_null(strstr(err.text, "the whole gate's"));
		}
	policy_unref(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_local_file_cannot_cheat),
		cmocka_unit_test(a_local_file_cannot_shorten_fixes_that_wait_like_the_rest),
		cmocka_unit_test(a_team_without_its_token_only_tightens),
		cmocka_unit_test(no_line_of_an_unproven_team_loosens),
		cmocka_unit_test(what_is_the_whole_gates_does_not_belong_in_a_teams_file),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
