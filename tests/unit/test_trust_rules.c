/* The rules about trust, each by a table: facts in, decision out. How long they wait is in test_trust_delays.c. */
#include "unit.h"

#include "decisions.h"

/* ---- every rule in every mode ---- */

static const struct str alice[] = {{"alice", 5}}, mallory[] = {{"mallory", 7}}, owners[] = {{"Acme", 4}, {"Globex", 6}};

static struct version_facts with_binary(enum ecosystem e)
{
	struct version_facts f = old_version(e, "thing");

	f.trust.binary = STR("bin/tool");
	return f;
}

static struct version_facts with_remote(enum ecosystem e)
{
	struct version_facts f = old_version(e, "thing");

	f.trust.remote_dependency = STR("left-pad (git+https://x.example/y)");
	return f;
}

static struct version_facts with_dependency(enum ecosystem e)
{
	struct version_facts f = old_version(e, "thing");

	f.trust.dependency = STR("plain-crypto-js");
	f.trust.dependency_published = noon - 2 * USEC_DAY;
	return f;
}

static struct version_facts with_change(enum ecosystem e)
{
	struct version_facts f = old_version(e, "thing");

	f.trust.continuity = STR("published by mallory; 41 releases of 1.x before it by alice");
	return f;
}

static struct version_facts with_likeness(enum ecosystem e)
{
	struct version_facts f = old_version(e, "lodahs");

	f.resembles = STR("lodash");
	return f;
}

static struct version_facts with_bad_signature(enum ecosystem e)
{
	struct version_facts f = old_version(e, "thing");

	f.trust.signature = SIGNATURE_INVALID;
	return f;
}

static struct version_facts unapproved(enum ecosystem e)
{
	return old_version(e, "thing");
}

static const struct rule_case {
	enum reason_code code;
	struct version_facts (*facts)(enum ecosystem e);
	const char *policy;  /* puts the rule in force, with its mode left open as %s */
	enum verdict verdict;
	int days;            /* from noon until it ends by itself; 0: never */
	const char *sentence; /* after "NAME@1.14.1 " */
} cases[] = {
	{REASON_NOT_APPROVED, unapproved, "allow: {mode: %s, roots: [{name: \"npm:react\", reason: x, owner: y, review-by: 2027-01-01}]}", VERDICT_HOLD,
	 0, "is not an approved root and no approved root needs it (not-approved): held until a person decides. Ask: bondgate request "},
	{REASON_PUBLISHER_CHANGED, with_change, "continuity: {mode: %s, hold: 30d}", VERDICT_HOLD, 20,
	 "changed hands: published by mallory; 41 releases of 1.x before it by alice (publisher-changed): cleared 2026-12-10 12:00 UTC. "
	 "Ask: bondgate request "},
	{REASON_INSTALL_SCRIPT, with_script, "cooldown: {install-script: 14d}\nrules: {install-script: {mode: %s}}", VERDICT_HOLD, 4,
	 "gained code that runs on install: postinstall (install-script): cleared 2026-11-24 12:00 UTC. Ask: bondgate request "},
	{REASON_NEW_BINARY, with_binary, "cooldown: {new-binary: 14d}\nrules: {new-binary: {mode: %s}}", VERDICT_HOLD, 4,
	 "gained a command or native code: bin/tool (new-binary): cleared 2026-11-24 12:00 UTC. Ask: bondgate request "},
	{REASON_REMOTE_DEPENDENCY, with_remote, "cooldown: {remote-dependency: 30d}\nrules: {remote-dependency: {mode: %s}}", VERDICT_HOLD, 20,
	 "gained a dependency on an address: left-pad (git+https://x.example/y) (remote-dependency): cleared 2026-12-10 12:00 UTC. "
	 "Ask: bondgate request "},
	{REASON_NEW_DEPENDENCY, with_dependency, "cooldown: {new-dependency: 30d}\nrules: {new-dependency: {mode: %s}}", VERDICT_HOLD, 28,
	 "gained a dependency that is young or not known here: plain-crypto-js (new-dependency): cleared 2026-12-18 12:00 UTC. "
	 "Ask: bondgate request "},
	{REASON_LOOK_ALIKE, with_likeness, "rules: {look-alike: {mode: %s}}", VERDICT_HOLD, 0,
	 "has a name that resembles lodash (look-alike): held until a person decides. Ask: bondgate request "},
	{REASON_SIGNATURE_INVALID, with_bad_signature, "rules: {signature-invalid: {mode: %s}}", VERDICT_DENY, 0,
	 "has a signature that does not fit (signature-invalid): do not install it. Ask: bondgate explain "},
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static struct policy *policy_of(const struct rule_case *c, const char *mode, const char *more)
{
	char text[1024], lines[512];

	snprintf(lines, sizeof(lines), c->policy, mode);
	snprintf(text, sizeof(text), "version: 1\n%s\n%s", lines, more);
	return load(text);
}

static void every_rule_holds_in_enforce_says_so_in_report_and_is_silent_when_off(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++)
		for (enum ecosystem e = ECOSYSTEM_NPM; e <= ECOSYSTEM_NUGET; e++) {
			static const char *const modes[] = {"'off'", "report", "enforce"};
			const struct rule_case *c = &cases[i];

			for (enum mode mode = MODE_OFF; mode <= MODE_ENFORCE; mode++) {
				CLEANUP_ARENA struct arena *a = arena_new(MIB);
				struct policy *p = policy_of(c, modes[mode], "");
				struct version_facts f = c->facts(e), nothing = old_version(e, "thing");
				struct decision d;
				const struct reason *r;
				char sentence[256];

				decide(p, NULL, &f, noon, a, &d);
				r = reason_of(&d, c->code);
				assert_int_equal(d.verdict, mode == MODE_ENFORCE ? c->verdict : VERDICT_ALLOW);
				if ((r != NULL) != (mode != MODE_OFF))
					fail_msg("%s in mode %s", reason_code_name(c->code), modes[mode]);
				if (r) {
					assert_int_equal(r->mode, mode);
					assert_int_equal(r->verdict, c->verdict);
					assert_true(r->source.n > 0);
					assert_true(c->verdict == VERDICT_DENY || r->until == (c->days ? noon + c->days * USEC_DAY : USEC_NEVER));
				}
				/* what time alone changes, also of what is only reported */
				assert_true(d.next_change == (r && c->days ? noon + c->days * USEC_DAY : USEC_NEVER));
				if (mode == MODE_ENFORCE) {
					assert_true(d.until == (c->days ? noon + c->days * USEC_DAY : USEC_NEVER));
					snprintf(sentence, sizeof(sentence), "%.*s@1.14.1 %s%s:%.*s@1.14.1", STR_ARG(f.name), c->sentence, ecosystem_name(e),
					         STR_ARG(f.name));
					assert_string_equal(decision_sentence(a, &f, &d, noon).p, sentence);
					assert_true(decision_sentence(a, &f, &d, noon).n <= 200);
				}
				/* when it has ended */
				if (c->days) {
					decide(p, NULL, &f, noon + c->days * USEC_DAY, NULL, &d);
					assert_int_equal(d.verdict, VERDICT_ALLOW);
					assert_null(reason_of(&d, c->code));
					decide(p, NULL, &f, noon + c->days * USEC_DAY - 1, NULL, &d);
					assert_int_equal(d.verdict, mode == MODE_ENFORCE ? VERDICT_HOLD : VERDICT_ALLOW);
				}
				/* and of a version that it is not about */
				if (c->code != REASON_NOT_APPROVED) {
					decide(p, NULL, &nothing, noon, NULL, &d);
					assert_int_equal(d.reason_count, 0);
				}
				policy_unref(p);
			}
		}
}

static void an_exemption_lifts_the_rule_that_it_names_and_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++)
		for (size_t j = 0; j < CASES; j++) {
			char more[256];
			struct policy *p;
			struct version_facts f = cases[i].facts(ECOSYSTEM_NPM);
			struct decision d;

			snprintf(more, sizeof(more),
			         "exemptions: [{package: \"npm:%.*s@1.14.1\", rules: [%s], reason: r, owner: jo, approved-by: kim, expires: 2026-11-22}]\n",
			         STR_ARG(f.name), reason_code_name(cases[j].code));
			p = policy_of(&cases[i], "enforce", more);
			decide(p, NULL, &f, noon, NULL, &d);
			assert_int_equal(d.verdict, i == j ? VERDICT_ALLOW : cases[i].verdict);
			if (i == j) {
				assert_int_equal(d.reasons[0].code, REASON_EXEMPT);
				assert_int_equal(d.reasons[0].lifted, cases[i].code);
				assert_true(d.next_change == d.reasons[0].until);
			}
			policy_unref(p);
		}
}

/* What an origin of one's own serves is one's own: only what says that something is wrong counts. */
static void names_of_an_origin_of_their_own_wait_for_none_of_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		struct policy *p = policy_of(&cases[i], "enforce", "");
		struct version_facts f = cases[i].facts(ECOSYSTEM_NPM);
		struct decision d;

		f.own_origin = true;
		f.origin_cooldown = -1;
		decide(p, NULL, &f, noon, NULL, &d);
		assert_int_equal(d.verdict, cases[i].code == REASON_SIGNATURE_INVALID ? VERDICT_DENY : VERDICT_ALLOW);
		policy_unref(p);
	}
}

/* ---- approval ---- */

#define APPROVING \
	"version: 1\nallow:\n  mode: enforce\n  roots:\n" \
	"    - {name: \"npm:react\", reason: x, owner: y, review-by: 2027-01-01}\n" \
	"    - {name: \"npm:@angular/*\", reason: x, owner: y, review-by: 2020-01-01}\n" \
	"    - {name: \"nuget:Acme.*\", reason: x, owner: y, review-by: 2027-01-01}\n" \
	"  publishers:\n" \
	"    - {publisher: \"npm-user:alice\", reason: x, owner: y, review-by: 2027-01-01}\n" \
	"    - {publisher: \"npm-scope:@globex\", reason: x, owner: y, review-by: 2027-01-01}\n" \
	"    - {publisher: \"trusted-publisher:github.com/acme/*\", reason: x, owner: y, review-by: 2027-01-01}\n" \
	"    - {publisher: \"nuget-owner:Acme\", reason: x, owner: y, review-by: 2027-01-01}\n"

static void what_is_approved_passes(void **state)
{
	(void)state;
	static const struct {
		enum ecosystem ecosystem;
		const char *name;
		const struct str *publishers;
		size_t count;
		const char *claimed, *verified, *reached_from;
		bool approved;
	} rows[] = {
		{ECOSYSTEM_NPM, "react", NULL, 0, "", "", "", true},
		{ECOSYSTEM_NPM, "React", NULL, 0, "", "", "", false},
		{ECOSYSTEM_NPM, "react-dom", NULL, 0, "", "", "", false},
		{ECOSYSTEM_NPM, "react-dom", NULL, 0, "", "", "react", true},
		/* overdue for review, and in force */
		{ECOSYSTEM_NPM, "@angular/core", NULL, 0, "", "", "", true},
		{ECOSYSTEM_NPM, "@angular-x/core", NULL, 0, "", "", "", false},
		{ECOSYSTEM_NPM, "thing", alice, 1, "", "", "", true},
		{ECOSYSTEM_NPM, "thing", mallory, 1, "", "", "", false},
		{ECOSYSTEM_NPM, "@globex/thing", mallory, 1, "", "", "", true},
		{ECOSYSTEM_NPM, "@globexx/thing", NULL, 0, "", "", "", false},
		/* a claim is no proof */
		{ECOSYSTEM_NPM, "thing", NULL, 0, "github.com/acme/thing", "", "", false},
		{ECOSYSTEM_NPM, "thing", NULL, 0, "", "github.com/acme/thing", "", true},
		{ECOSYSTEM_NPM, "thing", NULL, 0, "github.com/acme/thing", "github.com/mallory/thing", "", false},
		{ECOSYSTEM_NUGET, "Acme.Json", NULL, 0, "", "", "", true},
		{ECOSYSTEM_NUGET, "acme.json", NULL, 0, "", "", "", true},
		{ECOSYSTEM_NUGET, "react", NULL, 0, "", "", "", false},
		/* all owners count, not any; and of no owner nothing is known */
		{ECOSYSTEM_NUGET, "Thing", owners, 1, "", "", "", true},
		{ECOSYSTEM_NUGET, "Thing", owners, 2, "", "", "", false},
		{ECOSYSTEM_NUGET, "Thing", NULL, 0, "", "", "", false},
		/* the account of another ecosystem */
		{ECOSYSTEM_NUGET, "Thing", alice, 1, "", "", "", false},
	};
	struct policy *p = load(APPROVING);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct version_facts f = old_version(rows[i].ecosystem, rows[i].name);
		struct decision d;

		f.trust.publishers = rows[i].publishers;
		f.trust.publisher_count = rows[i].count;
		f.trust.trusted_publisher = str_of(rows[i].claimed);
		f.trust.verified_source = str_of(rows[i].verified);
		f.reached_from = str_of(rows[i].reached_from);
		decide(p, NULL, &f, noon, NULL, &d);
		if ((d.verdict == VERDICT_ALLOW) != rows[i].approved)
			fail_msg("row %zu: %s", i, rows[i].name);
	}
	policy_unref(p);
}

static void an_imported_approval_ends_and_one_of_a_version_approves_it_alone(void **state)
{
	(void)state;
	const struct approval imported[] = {
		{.package = {ECOSYSTEM_NPM, STR("thing"), STR("^1.14.0")}, .reason = STR("r"), .owner = STR("o"), .ends = noon + USEC_DAY},
		{.package = {ECOSYSTEM_NPM, STR("ended"), STR("")}, .reason = STR("r"), .owner = STR("o"), .ends = noon + USEC_HOUR},
	};
	const struct policy_grants grants = {.approvals = imported, .approval_count = 2};
	struct policy *base = load("version: 1\nallow: {mode: enforce}\n"), *p = NULL;
	struct version_facts f = old_version(ECOSYSTEM_NPM, "thing"), other = f, ended = old_version(ECOSYSTEM_NPM, "ended");
	struct err err = {0};
	struct decision d;

	assert_int_equal(policy_with_grants(base, &grants, noon, &p, &err), 0);
	decide(p, NULL, &f, noon, NULL, &d);
	assert_int_equal(d.verdict, VERDICT_ALLOW);
	assert_true(d.next_change == noon + USEC_DAY);
	decide(p, NULL, &f, noon + USEC_DAY, NULL, &d);
	assert_int_equal(d.verdict, VERDICT_HOLD);
	other.version = STR("2.0.0");
	decide(p, NULL, &other, noon, NULL, &d);
	assert_int_equal(d.verdict, VERDICT_HOLD);
	decide(p, NULL, &ended, noon + USEC_HOUR, NULL, &d);
	assert_int_equal(d.verdict, VERDICT_HOLD);
	policy_unref(p);
	policy_unref(base);
}

static void while_the_walk_goes_on_the_sentence_says_so(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct policy *p = load(APPROVING);
	struct version_facts f = old_version(ECOSYSTEM_NPM, "loose-envify");
	struct decision d;

	f.reach_pending = true;
	decide(p, NULL, &f, noon, a, &d);
	assert_string_equal(decision_sentence(a, &f, &d, noon).p,
	                    "loose-envify@1.14.1 is no approved root; whether one needs it is still being found out (not-approved): held until then. "
	                    "Ask: bondgate request npm:loose-envify@1.14.1");
	policy_unref(p);
}

static void a_denied_publisher_is_denied_also_for_a_claim(void **state)
{
	(void)state;
	static const struct {
		enum ecosystem ecosystem;
		const char *name;
		const struct str *publishers;
		size_t count;
		const char *claimed, *verified;
		bool denied;
	} rows[] = {
		{ECOSYSTEM_NPM, "thing", mallory, 1, "", "", true},
		{ECOSYSTEM_NPM, "thing", alice, 1, "", "", false},
		{ECOSYSTEM_NPM, "@evil/thing", alice, 1, "", "", true},
		{ECOSYSTEM_NPM, "thing", NULL, 0, "github.com/bad/x", "", true},
		{ECOSYSTEM_NPM, "thing", NULL, 0, "", "GitHub.com/Bad/x", true},
		{ECOSYSTEM_NUGET, "Thing", owners, 2, "", "", true},
		{ECOSYSTEM_NUGET, "Thing", owners, 1, "", "", false},
		{ECOSYSTEM_NUGET, "Thing", mallory, 1, "", "", false},
	};
	struct policy *p = load("version: 1\ndeny:\n  publishers: [\"npm-user:mallory\", \"npm-scope:@evil\", \"trusted-publisher:github.com/bad/*\", "
	                        "\"nuget-owner:globex\"]\n");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(MIB);
		struct version_facts f = old_version(rows[i].ecosystem, rows[i].name);
		struct decision d;

		f.trust.publishers = rows[i].publishers;
		f.trust.publisher_count = rows[i].count;
		f.trust.trusted_publisher = str_of(rows[i].claimed);
		f.trust.verified_source = str_of(rows[i].verified);
		decide(p, NULL, &f, noon, a, &d);
		if ((d.verdict == VERDICT_DENY) != rows[i].denied)
			fail_msg("row %zu", i);
		if (rows[i].denied) {
			assert_int_equal(d.reasons[0].code, REASON_DENIED);
			assert_string_equal(d.reasons[0].source.p, "bondgate.yaml:3");
		}
	}
	policy_unref(p);
}

static void an_approved_root_may_resemble(void **state)
{
	(void)state;
	struct policy *p = load("version: 1\nrules: {look-alike: {mode: enforce}}\nallow: {roots: [{name: \"npm:lodahs@^9.0.0\", reason: x, owner: y, "
	                        "review-by: 2027-01-01}]}\n");
	struct version_facts f = with_likeness(ECOSYSTEM_NPM);
	struct decision d;

	decide(p, NULL, &f, noon, NULL, &d);
	assert_int_equal(d.verdict, VERDICT_ALLOW);
	policy_unref(p);
}

static void the_policy_says_what_may_be_resembled(void **state)
{
	(void)state;
	struct policy *p = load("version: 1\nlook-alike: {names: [\"npm:acme-tool\"], exclude: [\"npm:lodahs\", \"npm:expres*\", \"nuget:Newtonsof.*\"]}\n"
	                        "allow:\n  roots:\n    - {name: \"npm:globex-widgets\", reason: x, owner: y, review-by: 2027-01-01}\n"
	                        "    - {name: \"npm:@globex-labs/*\", reason: x, owner: y, review-by: 2027-01-01}\n");

	assert_true(str_eq(policy_resembles(p, ECOSYSTEM_NPM, STR("acmetool")), STR("acme-tool")));
	assert_true(str_eq(policy_resembles(p, ECOSYSTEM_NPM, STR("globex-wigdets")), STR("globex-widgets")));
	assert_true(str_eq(policy_resembles(p, ECOSYSTEM_NPM, STR("@globexlabs/x")), STR("@globex-labs")));
	assert_true(str_eq(policy_resembles(p, ECOSYSTEM_NPM, STR("@globex-labs/x")), STR_NULL));
	assert_true(str_eq(policy_resembles(p, ECOSYSTEM_NPM, STR("globex-widgets")), STR_NULL));
	assert_true(str_eq(policy_resembles(p, ECOSYSTEM_NPM, STR("lodahs")), STR_NULL));
	assert_true(str_eq(policy_resembles(p, ECOSYSTEM_NPM, STR("expresss")), STR_NULL));
	assert_true(str_eq(policy_resembles(p, ECOSYSTEM_NPM, STR("loadsh")), STR("lodash")));
	assert_true(str_eq(policy_resembles(p, ECOSYSTEM_NUGET, STR("newtonsof.Json")), STR_NULL));
	policy_unref(p);
}

/* ---- signatures ---- */

static void a_signature_may_be_asked_for(void **state)
{
	(void)state;
	static const struct {
		int signature;
		bool asked, own;
		enum verdict verdict;
	} rows[] = {
		{SIGNATURE_VALID, true, false, VERDICT_ALLOW},    {SIGNATURE_ABSENT, false, false, VERDICT_ALLOW}, {SIGNATURE_ABSENT, true, false, VERDICT_DENY},
		{SIGNATURE_UNKNOWN, true, false, VERDICT_HOLD},   {SIGNATURE_UNKNOWN, false, false, VERDICT_ALLOW},
		{SIGNATURE_ABSENT, true, true, VERDICT_ALLOW},    {SIGNATURE_INVALID, false, true, VERDICT_DENY},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy *p = load(rows[i].asked ? "version: 1\nrules: {signature-invalid: {mode: enforce}}\nregistries: {npm: {require-signature: true}}\n"
		                                      : "version: 1\nrules: {signature-invalid: {mode: enforce}}\n");
		struct version_facts f = old_version(ECOSYSTEM_NPM, "thing");
		struct decision d;

		f.trust.signature = rows[i].signature;
		f.own_origin = rows[i].own;
		f.origin_cooldown = -1;
		decide(p, NULL, &f, noon, NULL, &d);
		assert_int_equal(d.verdict, rows[i].verdict);
		policy_unref(p);
	}
}

/* ---- grants ---- */

/* break-glass is a grant like any other: it lifts the rules whose bits it carries, and these are never malware's or a changed hash's. */
static void a_grant_lifts_only_what_it_carries(void **state)
{
	(void)state;
	uint32_t all = 0;

	for (enum reason_code c = 0; c < REASON_CODE_COUNT; c++)
		if (reason_may_be_requested(c))
			all |= UINT32_C(1) << c;
	assert_false(all & UINT32_C(1) << REASON_MALWARE);
	assert_false(all & UINT32_C(1) << REASON_HASH_CHANGED);
	assert_true(all & UINT32_C(1) << REASON_COOLDOWN);
	{
		const struct exemption glass = {.package = {ECOSYSTEM_NPM, STR("thing"), STR("1.14.1")}, .rules = all, .reason = STR("r"), .owner = STR("o"),
			.approved_by = STR("k"), .expires = noon + USEC_DAY};
		const struct policy_grants grants = {.exemptions = &glass, .exemption_count = 1};
		const struct advisory malware = {.kind = ADVISORY_MALWARE, .severity = SEVERITY_CRITICAL, .id = STR("MAL-9"), .published = 1};
		struct policy *base = load("version: 1\nallow: {mode: enforce}\n"), *p = NULL;
		struct version_facts f = old_version(ECOSYSTEM_NPM, "thing");
		struct err err = {0};
		struct decision d;

		assert_int_equal(policy_with_grants(base, &grants, noon, &p, &err), 0);
		f.published = noon;
		decide(p, NULL, &f, noon, NULL, &d);
		assert_int_equal(d.verdict, VERDICT_ALLOW);
		f.hash_changed = true;
		decide(p, NULL, &f, noon, NULL, &d);
		assert_int_equal(d.verdict, VERDICT_DENY);
		f.hash_changed = false;
		f.advisories_given = true;
		f.advisories = &malware;
		f.advisory_count = 1;
		decide(p, NULL, &f, noon, NULL, &d);
		assert_int_equal(d.verdict, VERDICT_DENY);
		assert_false(decision_may_be_requested(&d));
		policy_unref(p);
		policy_unref(base);
	}
}

/* ---- everything at once ---- */

static void whatever_else_is_said_what_is_in_force_counts(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(4 * MIB);
	struct advisory many[20];
	struct policy *p = load("version: 1\ncooldown: {default: 7d, new-package: 30d}\nallow: {mode: report}\ndeny: {vulnerabilities: {mode: report, at: low}}\n"
	                        "rules: {dependency-held: {mode: report}}\n");
	struct version_facts f = old_version(ECOSYSTEM_NPM, "lodahs");
	struct decision d;

	for (size_t i = 0; i < 20; i++)
		many[i] = (struct advisory){.severity = SEVERITY_HIGH, .id = STR("GHSA-x"), .published = 1};
	f.advisories_given = true;
	f.advisories = many;
	f.advisory_count = 20;
	f.resembles = STR("lodash");
	f.published = noon;
	f.trust = (struct trust_facts){.continuity = STR("c"), .install_script = STR("s"), .binary = STR("b"), .remote_dependency = STR("r"), .dependency = STR("d")};
	f.held_dependency = STR("x@1");
	f.withdrawal = WITHDRAWN_OLD;
	decide(p, NULL, &f, noon, a, &d);
	assert_int_equal(d.reason_count, DECISION_REASONS);
	assert_int_equal(d.verdict, VERDICT_HOLD);
	assert_int_equal(d.reasons[0].code, REASON_COOLDOWN);
	assert_true(d.until == noon + 7 * USEC_DAY);
	policy_unref(p);
}

static void long_names_leave_the_rule_its_room(void **state)
{
	(void)state;
	char name[215];

	memset(name, 'n', sizeof(name));
	for (size_t i = 0; i < CASES; i++)
		for (size_t n = 1; n <= 214; n += 3) {
			CLEANUP_ARENA struct arena *a = arena_new(MIB);
			struct policy *p = policy_of(&cases[i], "enforce", "");
			struct version_facts f = cases[i].facts(ECOSYSTEM_NPM);
			struct decision d;
			struct str sentence;

			f.name = (struct str){name, n};
			f.trust.continuity = f.trust.continuity.n ? (struct str){name, n} : STR_NULL;
			f.trust.dependency = f.trust.dependency.n ? (struct str){name, n} : STR_NULL;
			f.resembles = f.resembles.n ? (struct str){name, n} : STR_NULL;
			decide(p, NULL, &f, noon, a, &d);
			sentence = decision_sentence(a, &f, &d, noon);
			assert_true(sentence.n > 0 && sentence.n <= 200);
			assert_true(str_find(sentence, str_of(reason_code_name(cases[i].code))) > 0);
			assert_true(str_find(sentence, STR("Ask: bondgate ")) > 0);
			policy_unref(p);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_holds_in_enforce_says_so_in_report_and_is_silent_when_off),
		cmocka_unit_test(an_exemption_lifts_the_rule_that_it_names_and_no_other),
		cmocka_unit_test(names_of_an_origin_of_their_own_wait_for_none_of_it),
		cmocka_unit_test(what_is_approved_passes),
		cmocka_unit_test(an_imported_approval_ends_and_one_of_a_version_approves_it_alone),
		cmocka_unit_test(while_the_walk_goes_on_the_sentence_says_so),
		cmocka_unit_test(a_denied_publisher_is_denied_also_for_a_claim),
		cmocka_unit_test(an_approved_root_may_resemble),
		cmocka_unit_test(the_policy_says_what_may_be_resembled),
		cmocka_unit_test(a_signature_may_be_asked_for),
		cmocka_unit_test(a_grant_lifts_only_what_it_carries),
		cmocka_unit_test(whatever_else_is_said_what_is_in_force_counts),
		cmocka_unit_test(long_names_leave_the_rule_its_room),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
