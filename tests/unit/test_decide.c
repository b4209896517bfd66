#include "unit.h"

#include "decisions.h"

static struct version_facts axios(usec age)
{
	return (struct version_facts){
		.ecosystem = ECOSYSTEM_NPM,
		.name = STR("axios"),
		.version = STR("1.14.1"),
		.published = noon - age,
		.package_published = noon - 1000 * USEC_DAY,
		.integrity = STR("sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="),
	};
}

static void a_young_version_waits_until_its_cooldown_ends(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
	struct policy *p = policy_builtin();
	struct version_facts f = axios(2 * USEC_HOUR);
	struct decision d;

	decide(p, NULL, &f, noon, a, &d);
	assert_int_equal(d.verdict, VERDICT_HOLD);
	assert_int_equal(d.until, f.published + 7 * USEC_DAY);
	assert_int_equal(d.next_change, d.until);
	assert_int_equal(d.reason_count, 1);
	assert_int_equal(d.reasons[0].code, REASON_COOLDOWN);
	assert_string_equal(d.reasons[0].source.p, "built-in");
	assert_string_equal(decision_sentence(a, &f, &d, noon).p,
	                    "axios@1.14.1 was published 2h ago; this gate waits 7d (cooldown): cleared 2026-11-27 10:00 UTC. "
	                    "Ask: bondgate request npm:axios@1.14.1");
	/* and at that very moment it is cleared */
	decide(p, NULL, &f, d.until, a, &d);
	assert_int_equal(d.verdict, VERDICT_ALLOW);
	assert_int_equal(d.reason_count, 0);
	assert_int_equal(d.next_change, USEC_NEVER);
	policy_unref(p);
}

static void the_longest_delay_counts(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		usec age, package_age, left;
	} rows[] = {
		{USEC_DAY, 1000 * USEC_DAY, 6 * USEC_DAY}, {USEC_DAY, 2 * USEC_DAY, 28 * USEC_DAY}, {10 * USEC_DAY, 20 * USEC_DAY, 10 * USEC_DAY},
		{USEC_DAY, 29 * USEC_DAY, 6 * USEC_DAY},   {10 * USEC_DAY, 30 * USEC_DAY, 0},       {-USEC_DAY, 1000 * USEC_DAY, 7 * USEC_DAY},
		{-USEC_DAY, -USEC_DAY, 30 * USEC_DAY},
	};
	/* clang-format on */
	struct policy *p = load("version: 1\ncooldown: {default: 7d, new-package: 30d}\n");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct version_facts f = axios(rows[i].age);
		struct decision d;

		f.package_published = noon - rows[i].package_age;
		decide(p, NULL, &f, noon, NULL, &d);
		assert_int_equal(d.verdict, rows[i].left ? VERDICT_HOLD : VERDICT_ALLOW);
		assert_int_equal(d.until, rows[i].left ? noon + rows[i].left : 0);
	}
	policy_unref(p);
}

static void names_with_an_origin_of_their_own_do_not_wait(void **state)
{
	(void)state;
	struct policy *p = policy_builtin();
	struct version_facts f = axios(USEC_HOUR);
	struct decision d;

	f.own_origin = true;
	f.origin_cooldown = -1;
	decide(p, NULL, &f, noon, NULL, &d);
	assert_int_equal(d.verdict, VERDICT_ALLOW);
	f.origin_cooldown = 2 * USEC_HOUR;
	decide(p, NULL, &f, noon, NULL, &d);
	assert_int_equal(d.until, noon + USEC_HOUR);
	policy_unref(p);
}

static void deny_lists_refuse_and_name_their_line(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *name, *version, *source; /* NULL: allowed */
	} rows[] = {
		{"evil", "1.0.0", "bondgate.yaml:3"},         {"evil2", "1.0.0", NULL},
		{"@bad/x", "0.0.1", "bondgate.yaml:3"},       {"@badx/x", "0.0.1", NULL},
		{"token-stealer", "9.9.9", "bondgate.yaml:3"}, {"has-evil-inside", "1.0.0", "bondgate.yaml:3"},
		{"event-stream", "3.3.6", "bondgate.yaml:5"}, {"event-stream", "3.3.7", NULL},
		{"event-stream", "v3.3.6", "bondgate.yaml:5"}, {"axios", "1.14.1", "bondgate.yaml:6"},
		{"axios", "1.14.2-beta.1", "bondgate.yaml:6"}, {"axios", "1.14.3", NULL},
		{"axios", "not-a-version", "bondgate.yaml:6"}, {"lodash", "not-a-version", NULL},
	};
	/* clang-format on */
	struct policy *p =
		load("version: 1\ndeny:\n  names: [\"npm:evil\", \"npm:@bad/*\", \"npm:*-stealer\", \"npm:*evil-in*\"]\n  versions:\n"
	         "    - npm:event-stream@3.3.6\n    - \"npm:axios@>=1.14.1 <1.14.3\"\n");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
		struct version_facts f = axios(100 * USEC_DAY);
		struct decision d;

		f.name = str_of(rows[i].name);
		f.version = str_of(rows[i].version);
		decide(p, NULL, &f, noon, a, &d);
		assert_int_equal(d.verdict, rows[i].source ? VERDICT_DENY : VERDICT_ALLOW);
		if (rows[i].source) {
			assert_int_equal(d.reasons[0].code, REASON_DENIED);
			assert_string_equal(d.reasons[0].source.p, rows[i].source);
		}
	}
	policy_unref(p);
}

static void a_denied_hash_is_refused_however_it_is_written(void **state)
{
	(void)state;
	/* The digests of nothing at all. */
	/* clang-format off */
	static const struct {
		const char *listed, *integrity, *shasum;
		bool denied;
	} rows[] = {
		{"da39a3ee5e6b4b0d3255bfef95601890afd80709", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709", true},
		{"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "", "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709", true},
		{"DA39A3EE5E6B4B0D3255BFEF95601890AFD80709", "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk", "", true},
		{"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "sha512-AAAA sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwl=?x", "", true},
		{"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "", "da39a3ee5e6b4b0d3255bfef95601890afd80708", false},
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[256];
		struct version_facts f = axios(100 * USEC_DAY);
		struct policy *p;
		struct decision d;

		snprintf(text, sizeof(text), "version: 1\ndeny: {hashes: [\"%s\"]}\n", rows[i].listed);
		p = load(text);
		f.integrity = str_of(rows[i].integrity);
		f.shasum = str_of(rows[i].shasum);
		decide(p, NULL, &f, noon, NULL, &d);
		assert_int_equal(d.verdict, rows[i].denied ? VERDICT_DENY : VERDICT_ALLOW);
		policy_unref(p);
	}
}

static void an_exemption_lifts_its_rules_until_it_ends(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
	struct policy *p = load("version: 1\nexemptions:\n  - {package: \"npm:axios@^1.14.0\", rules: [cooldown], reason: release, owner: jo, "
	                        "expires: 2026-11-22}\n");
	struct version_facts f = axios(USEC_HOUR);
	struct decision d;

	decide(p, NULL, &f, noon, a, &d);
	assert_int_equal(d.verdict, VERDICT_ALLOW);
	assert_int_equal(d.reason_count, 1);
	assert_int_equal(d.reasons[0].code, REASON_EXEMPT);
	assert_int_equal(d.reasons[0].lifted, REASON_COOLDOWN);
	assert_string_equal(d.reasons[0].source.p, "bondgate.yaml:3");
	assert_string_equal(d.reasons[0].text.p, "axios@1.14.1 is exempt from cooldown until 2026-11-23 00:00 UTC: release");
	assert_int_equal(d.next_change, d.reasons[0].until);
	/* its last day has ended */
	decide(p, NULL, &f, d.next_change, a, &d);
	assert_int_equal(d.verdict, VERDICT_HOLD);
	/* another rule is not lifted */
	f.hash_changed = true;
	decide(p, NULL, &f, noon, a, &d);
	assert_int_equal(d.verdict, VERDICT_DENY);
	assert_int_equal(d.until, USEC_NEVER);
	assert_int_equal(d.reasons[0].code, REASON_HASH_CHANGED);
	assert_int_equal(d.reasons[1].code, REASON_EXEMPT);
	/* another version is not meant */
	f = axios(USEC_HOUR);
	f.version = STR("2.0.0");
	decide(p, NULL, &f, noon, a, &d);
	assert_int_equal(d.verdict, VERDICT_HOLD);
	policy_unref(p);
}

static void report_serves_and_says_what_it_would_have_refused(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *text;
		enum verdict young, changed;
	} rows[] = {
		{"version: 1\nmode: report\n", VERDICT_ALLOW, VERDICT_DENY},
		{"version: 1\nmode: off\n", VERDICT_ALLOW, VERDICT_DENY},
		{"version: 1\nmode: report\ncooldown: {mode: enforce}\n", VERDICT_HOLD, VERDICT_DENY},
		{"version: 1\ncooldown: {mode: report}\n", VERDICT_ALLOW, VERDICT_DENY},
		{"version: 1\nrules: {hash-changed: {mode: report}}\n", VERDICT_HOLD, VERDICT_HOLD},
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy *p = load(rows[i].text);
		struct version_facts f = axios(USEC_HOUR);
		struct decision d;

		decide(p, NULL, &f, noon, NULL, &d);
		assert_int_equal(d.verdict, rows[i].young);
		assert_int_equal(d.reason_count, i == 1 ? 0 : 1);
		f.hash_changed = true;
		decide(p, NULL, &f, noon, NULL, &d);
		assert_int_equal(d.verdict, rows[i].changed);
		policy_unref(p);
	}
}

static void excluded_names_do_not_wait(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *name, *version;
		enum verdict verdict;
	} rows[] = {
		{"@acme-open/x", "1.0.0", VERDICT_ALLOW}, {"@acme/x", "1.0.0", VERDICT_HOLD},       {"typescript", "5.4.0", VERDICT_ALLOW},
		{"typescript", "6.0.0", VERDICT_HOLD},    {"typescript", "5.5.0-beta", VERDICT_HOLD}, {"typescript", "junk", VERDICT_HOLD},
	};
	/* clang-format on */
	struct policy *p = load("version: 1\ncooldown: {exclude: [\"npm:@acme-open/*\", \"npm:typescript@^5.0.0\"]}\n");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct version_facts f = axios(USEC_HOUR);
		struct decision d;

		f.name = str_of(rows[i].name);
		f.version = str_of(rows[i].version);
		decide(p, NULL, &f, noon, NULL, &d);
		assert_int_equal(d.verdict, rows[i].verdict);
	}
	policy_unref(p);
}

static void facts_that_speak_for_themselves(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
	CLEANUP_BUF struct buf text = BUF(4096);
	struct policy *p = load("version: 1\ninternal: [\"npm:@acme/*\"]\n");
	struct version_facts f = axios(100 * USEC_DAY);
	struct decision d;

	f.integrity = STR_NULL;
	decide(p, NULL, &f, noon, a, &d);
	assert_int_equal(d.verdict, VERDICT_HOLD);
	assert_int_equal(d.until, USEC_NEVER);
	assert_int_equal(d.reasons[0].code, REASON_UNVERIFIABLE);

	f = axios(100 * USEC_DAY);
	f.name = STR("@acme/secret");
	decide(p, NULL, &f, noon, a, &d);
	assert_int_equal(d.verdict, VERDICT_DENY);
	assert_int_equal(d.reasons[0].code, REASON_NAMESPACE);
	explain_text(&f, &d, noon, &text);
	assert_non_null(strstr(buf_cstr(&text), "add it to `origins`"));

	f = axios(100 * USEC_DAY);
	f.mismatch = STR("package.json names a postinstall script that the metadata does not");
	decide(p, NULL, &f, noon, a, &d);
	assert_int_equal(d.reasons[0].code, REASON_MANIFEST_MISMATCH);
	assert_non_null(strstr(d.reasons[0].text.p, "postinstall"));

	f = axios(100 * USEC_DAY);
	f.held_dependency = STR("@esbuild/linux-x64@0.25.0");
	f.held_dependency_until = noon + USEC_DAY;
	decide(p, NULL, &f, noon, a, &d);
	assert_int_equal(d.verdict, VERDICT_HOLD);
	assert_int_equal(d.until, noon + USEC_DAY);
	assert_string_equal(decision_sentence(a, &f, &d, noon).p,
	                    "axios@1.14.1 needs exactly @esbuild/linux-x64@0.25.0, which is not cleared (dependency-held): cleared "
	                    "2026-11-21 12:00 UTC. Ask: bondgate request npm:axios@1.14.1");

	f = axios(100 * USEC_DAY);
	f.withdrawal = WITHDRAWN_YOUNG;
	decide(p, NULL, &f, noon, a, &d);
	assert_int_equal(d.verdict, VERDICT_HOLD);
	f.withdrawal = WITHDRAWN_OLD;
	decide(p, NULL, &f, noon, a, &d);
	assert_int_equal(d.verdict, VERDICT_ALLOW);
	assert_int_equal(d.reasons[0].mode, MODE_REPORT);
	policy_unref(p);
}

static void a_sentence_never_loses_its_rule_and_its_time(void **state)
{
	(void)state;
	struct policy *p = policy_builtin();
	char name[215], version[257];

	memset(name, 'n', sizeof(name));
	memset(version, '1', sizeof(version));
	for (size_t n = 1; n <= 214; n++) {
		CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
		struct version_facts f = axios(2 * USEC_HOUR);
		struct decision d;
		struct str sentence;

		f.name = (struct str){name, n};
		f.version = (struct str){version, n % 3 ? 5 : n};
		decide(p, NULL, &f, noon, a, &d);
		sentence = decision_sentence(a, &f, &d, noon);
		assert_true(sentence.n > 0 && sentence.n <= 200);
		assert_true(str_find(sentence, STR("this gate waits 7d (cooldown): cleared 2026-11-27 10:00 UTC. Ask: bondgate request")) > 0);
		for (size_t i = 0; i < sentence.n; i++)
			assert_true(sentence.p[i] >= ' ' && sentence.p[i] < 0x7f);
	}
	policy_unref(p);
}

static struct advisories *known(void)
{
	static const char records[] =
		"[{\"id\": \"MAL-2026-1\", \"summary\": \"Malicious code in axios\", \"published\": \"2026-11-01T00:00:00Z\","
		" \"modified\": \"2026-11-01T00:00:00Z\", \"affected\": [{\"package\": {\"ecosystem\": \"npm\", \"name\": \"axios\"},"
		" \"versions\": [\"1.14.1\"]}]},"
		" {\"id\": \"GHSA-aaaa-bbbb-cccc\", \"summary\": \"Request forgery\", \"published\": \"2026-11-01T00:00:00Z\","
		" \"modified\": \"2026-11-01T00:00:00Z\", \"database_specific\": {\"severity\": \"HIGH\"},"
		" \"affected\": [{\"package\": {\"ecosystem\": \"npm\", \"name\": \"axios\"}, \"ranges\": [{\"type\": \"SEMVER\","
		" \"events\": [{\"introduced\": \"0\"}, {\"fixed\": \"1.13.0\"}]}]}]}]";

	return advisories_of(records, 2);
}

static void advisories_refuse_what_the_policy_says(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *policy, *version;
		enum verdict verdict;
		const char *sentence; /* or the report's code */
		size_t reasons;
	} rows[] = {
		{"version: 1\n", "1.14.1", VERDICT_DENY,
		 "axios@1.14.1 is known malware (malware, MAL-2026-1): do not install it. Ask: bondgate explain npm:axios@1.14.1", 1},
		{"version: 1\n", "1.14.2", VERDICT_ALLOW, "axios@1.14.2 is cleared", 0},
		{"version: 1\n", "1.12.0", VERDICT_ALLOW, "axios@1.12.0 is cleared", 0},
		{"version: 1\ndeny: {vulnerabilities: {at: high}}\n", "1.12.0", VERDICT_ALLOW, "axios@1.12.0 is cleared", 1},
		{"version: 1\ndeny: {vulnerabilities: {mode: enforce, at: high}}\n", "1.12.0", VERDICT_DENY,
		 "axios@1.12.0 has a known vulnerability (vulnerable, GHSA-aaaa-bbbb-cccc): use a fixed version. "
		 "Ask: bondgate request npm:axios@1.12.0", 1},
		{"version: 1\ndeny: {vulnerabilities: {mode: enforce, at: critical}}\n", "1.12.0", VERDICT_ALLOW, "axios@1.12.0 is cleared", 0},
		{"version: 1\ndeny: {vulnerabilities: {mode: enforce, at: low}}\n", "1.13.0", VERDICT_ALLOW, "axios@1.13.0 is cleared", 0},
		{"version: 1\nmode: report\n", "1.14.1", VERDICT_ALLOW, "axios@1.14.1 is cleared", 1},
		{"version: 1\ndeny: {malware: {mode: off}}\n", "1.14.1", VERDICT_ALLOW, "axios@1.14.1 is cleared", 0},
	};
	/* clang-format on */
	struct advisories *advisories = known();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
		struct policy *p = load(rows[i].policy);
		struct version_facts f = axios(100 * USEC_DAY);
		struct decision d;

		f.version = str_of(rows[i].version);
		decide(p, advisories, &f, noon, a, &d);
		assert_int_equal(d.verdict, rows[i].verdict);
		assert_string_equal(decision_sentence(a, &f, &d, noon).p, rows[i].sentence);
		assert_int_equal(d.reason_count, rows[i].reasons);
		policy_unref(p);
	}
	advisories_unref(advisories);
}

static void what_somebody_looked_at_is_shown_and_refuses_nothing_until_it_ends(void **state)
{
	(void)state;
#define DENY "version: 1\ndeny: {vulnerabilities: {mode: enforce, at: high}}\nadvisories:\n  ignore:\n    - "
	static const struct {
		const char *policy, *version;
		enum verdict verdict;
	} rows[] = {
		{DENY "{id: ghsa-aaaa-bbbb-cccc, reason: ours, owner: jo, expires: 2026-12-31}\n", "1.12.0", VERDICT_ALLOW},
		{DENY "{id: GHSA-aaaa-bbbb-cccc, package: \"npm:ax*@<1.13.0\", reason: ours, owner: jo, expires: 2026-12-31}\n", "1.12.0",
	     VERDICT_ALLOW},
		{DENY "{id: GHSA-aaaa-bbbb-cccc, package: \"npm:axios@<1.11.0\", reason: ours, owner: jo, expires: 2026-12-31}\n", "1.12.0",
	     VERDICT_DENY},
		{DENY "{id: GHSA-aaaa-bbbb-cccc, package: \"npm:other\", reason: ours, owner: jo, expires: 2026-12-31}\n", "1.12.0", VERDICT_DENY},
		{DENY "{id: GHSA-aaaa-bbbb-dddd, reason: ours, owner: jo, expires: 2026-12-31}\n", "1.12.0", VERDICT_DENY},
		{DENY "{id: GHSA-aaaa-bbbb-cccc, reason: ours, owner: jo, expires: 2026-11-19}\n", "1.12.0", VERDICT_DENY},
		{DENY "{id: MAL-2026-1, reason: ours, owner: jo, expires: 2026-12-31}\n", "1.14.1", VERDICT_DENY},
	};
	struct advisories *advisories = known();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
		struct policy *p = load(rows[i].policy);
		struct version_facts f = axios(100 * USEC_DAY);
		struct decision d, later;

		f.version = str_of(rows[i].version);
		decide(p, advisories, &f, noon, a, &d);
		assert_int_equal(d.verdict, rows[i].verdict);
		assert_int_equal(d.reason_count, 1);
		if (rows[i].verdict == VERDICT_ALLOW) {
			assert_int_equal(d.reasons[0].code, REASON_EXEMPT);
			assert_int_equal(d.reasons[0].lifted, REASON_VULNERABLE);
			assert_true(d.reasons[0].one_advisory);
			assert_string_equal(d.reasons[0].source.p, "bondgate.yaml:5");
			assert_non_null(strstr(d.reasons[0].text.p, "is ignored: ours (jo)"));
			assert_int_equal(d.next_change, d.reasons[0].until);
			decide(p, advisories, &f, d.next_change, a, &later);
			assert_int_equal(later.verdict, VERDICT_DENY);
		}
		policy_unref(p);
	}
	advisories_unref(advisories);
#undef DENY
}

static void an_advisory_of_tomorrow_is_not_known_today(void **state)
{
	(void)state;
	struct advisories *advisories = known();
	struct policy *p = policy_builtin();
	struct version_facts f = axios(100 * USEC_DAY);
	struct decision d;

	decide(p, advisories, &f, noon - 20 * USEC_DAY, NULL, &d); /* the last day of October: --at asks what was known then */
	assert_int_equal(d.verdict, VERDICT_ALLOW);
	decide(p, advisories, &f, noon, NULL, &d);
	assert_int_equal(d.verdict, VERDICT_DENY);
	policy_unref(p);
	advisories_unref(advisories);
}

static void every_rule_has_its_sentence(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
	struct policy *p = load("version: 1\ncooldown: {new-package: 30d}\ninternal: [\"npm:@acme/*\"]\ndeny: {names: [\"npm:evil\"]}\n");
	struct version_facts young = axios(0), package = axios(10 * USEC_DAY), internal = axios(100 * USEC_DAY), denied = internal,
						 changed = internal, mismatch = internal, unverifiable = internal, held = internal, withdrawn = internal,
						 placeholder = internal, fine = internal;
	/* clang-format off */
	const struct {
		const struct version_facts *facts;
		const char *sentence;
	} rows[] = {
		{&young, "axios@1.14.1 was published just now; this gate waits 7d (cooldown): cleared 2026-11-27 12:00 UTC. "
		         "Ask: bondgate request npm:axios@1.14.1"},
		{&package, "axios@1.14.1 is of a package that is 12d old; this gate waits 30d for new packages (cooldown): cleared 2026-12-08 12:00 UTC. "
		           "Ask: bondgate request npm:axios@1.14.1"},
		{&internal, "@acme/x@1.14.1 is an internal name that no registry here serves (namespace): asked for nowhere else. "
		            "Ask: bondgate explain npm:@acme/x@1.14.1"},
		{&denied, "evil@1.14.1 is on this gate's deny list (denied). Ask: bondgate request npm:evil@1.14.1"},
		{&changed, "axios@1.14.1 came with another hash than before (hash-changed): do not install it. Ask: bondgate explain npm:axios@1.14.1"},
		{&mismatch, "axios@1.14.1 holds something else than its metadata says (manifest-mismatch): do not install it: a script more. "
		            "Ask: bondgate explain npm:axios@1.14.1"},
		{&unverifiable, "axios@1.14.1 has no hash to check its bytes against (unverifiable): held until a person decides. "
		                "Ask: bondgate request npm:axios@1.14.1"},
		{&held, "axios@1.14.1 needs exactly a@1.0.0, which is not cleared (dependency-held): until a person decides. "
		        "Ask: bondgate request npm:axios@1.14.1"},
		{&withdrawn, "axios@1.14.1 vanished from its registry soon after publication (withdrawn): held until a person decides. "
		             "Ask: bondgate request npm:axios@1.14.1"},
		{&placeholder, "axios@1.14.1 is of a package that its registry replaced for security (withdrawn): held until a person decides. "
		               "Ask: bondgate request npm:axios@1.14.1"},
		{&fine, "axios@1.14.1 is cleared"},
	};
	/* clang-format on */

	package.package_published = noon - 12 * USEC_DAY;
	internal.name = STR("@acme/x");
	denied.name = STR("evil");
	changed.hash_changed = true;
	mismatch.mismatch = STR("a script more");
	unverifiable.integrity = STR_NULL;
	held.held_dependency = STR("a@1.0.0");
	held.held_dependency_until = USEC_NEVER;
	withdrawn.withdrawal = WITHDRAWN_YOUNG;
	placeholder.withdrawal = WITHDRAWN_PLACEHOLDER;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct decision d;

		decide(p, NULL, rows[i].facts, noon, a, &d);
		assert_string_equal(decision_sentence(a, rows[i].facts, &d, noon).p, rows[i].sentence);
		/* filtering makes no texts, and the sentence is the same */
		decide(p, NULL, rows[i].facts, noon, NULL, &d);
		assert_string_equal(decision_sentence(a, rows[i].facts, &d, noon).p, rows[i].sentence);
	}
	policy_unref(p);
}

static void explain_has_the_fixed_shape(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
	CLEANUP_BUF struct buf json = BUF(1 << 16), text = BUF(1 << 16);
	struct policy *p = policy_builtin();
	struct version_facts f = axios(2 * USEC_HOUR);
	struct decision d;

	decide(p, NULL, &f, noon, a, &d);
	explain_json(&f, &d, &json);
	assert_string_equal(
		buf_cstr(&json),
		"{\"purl\":\"pkg:npm/axios@1.14.1\",\"decision\":\"hold\",\"until\":\"2026-11-27T10:00:00.000Z\",\"reasons\":[{\"code\":"
		"\"cooldown\",\"text\":\"axios@1.14.1 was published 2h ago; this gate waits 7d (cooldown): cleared 2026-11-27 10:00 "
		"UTC\",\"source\":\"built-in\",\"decision\":\"hold\",\"enforced\":true,\"until\":\"2026-11-27T10:00:00.000Z\"}]}");
	explain_text(&f, &d, noon, &text);
	assert_non_null(strstr(buf_cstr(&text), "axios@1.14.1: hold until 2026-11-27 10:00 UTC (in 6d 22h)\n"));
	assert_non_null(strstr(buf_cstr(&text), "rules: [cooldown]"));
	policy_unref(p);
}

/* Eight of them used up what is listened to, and the ninth was not heard. */
static void advisories_that_do_not_concern_it_hide_no_other(void **state)
{
	(void)state;
	struct policy *p = load("version: 1\ncooldown: {mode: off}\ndeny: {vulnerabilities: {mode: enforce, at: critical}}\n");
	struct version_facts f = axios(100 * USEC_DAY);
	struct advisory all[9];
	struct decision d;

	for (size_t i = 0; i < 9; i++)
		all[i] = (struct advisory){.kind = ADVISORY_VULNERABILITY, .severity = SEVERITY_CRITICAL, .id = STR("GHSA-1"), .score = -1};
	for (size_t i = 0; i < 8; i++)
		all[i].not_affected = STR("not in the execute path");
	f.advisories = all;
	f.advisory_count = 9;
	f.advisories_given = true;
	decide(p, NULL, &f, noon, NULL, &d);
	assert_int_equal(d.verdict, VERDICT_DENY);
	policy_unref(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_young_version_waits_until_its_cooldown_ends),
		cmocka_unit_test(the_longest_delay_counts),
		cmocka_unit_test(names_with_an_origin_of_their_own_do_not_wait),
		cmocka_unit_test(deny_lists_refuse_and_name_their_line),
		cmocka_unit_test(a_denied_hash_is_refused_however_it_is_written),
		cmocka_unit_test(an_exemption_lifts_its_rules_until_it_ends),
		cmocka_unit_test(report_serves_and_says_what_it_would_have_refused),
		cmocka_unit_test(excluded_names_do_not_wait),
		cmocka_unit_test(facts_that_speak_for_themselves),
		cmocka_unit_test(a_sentence_never_loses_its_rule_and_its_time),
		cmocka_unit_test(advisories_refuse_what_the_policy_says),
		cmocka_unit_test(what_somebody_looked_at_is_shown_and_refuses_nothing_until_it_ends),
		cmocka_unit_test(advisories_that_do_not_concern_it_hide_no_other),
		cmocka_unit_test(an_advisory_of_tomorrow_is_not_known_today),
		cmocka_unit_test(every_rule_has_its_sentence),
		cmocka_unit_test(explain_has_the_fixed_shape),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
