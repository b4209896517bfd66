#include "unit.h"

#include <stdio.h>

#include "base/file.h"
#include "policy/decide.h"

static usec noon; /* 2026-11-20 12:00 UTC */

static int setup(void **state)
{
	(void)state;
	return time_parse(STR("2026-11-20T12:00:00Z"), &noon);
}

static int token(void *arg, struct str kind, struct str name, struct buf *ret, struct err *err)
{
	(void)arg;
	if (str_eq(kind, STR("env")) && str_eq(name, STR("ACME_TOKEN"))) {
		buf_add_str(ret, STR("s3cret\n"));
		return 0;
	}
	if (str_eq(kind, STR("file")) && str_eq(name, STR("/two-lines"))) {
		buf_add_str(ret, STR("a\nx-evil: b"));
		return 0;
	}
	return err_set(err, -ENOENT, "%.*s is not set", STR_ARG(name));
}

static const struct policy_environment environment = {.token = token};

static int try(const char *text, struct policy **ret, struct buf *warnings, struct err *err)
{
	return policy_load(str_of(text), STR("bondgate.yaml"), noon, &environment, ret, warnings, err);
}

static struct policy *load(const char *text)
{
	struct policy *p = NULL;
	struct err err = {0};

	if (try(text, &p, NULL, &err) < 0)
		fail_msg("%s", err.text);
	return p;
}

/* DESIGN.md, section 7. */
static const char first_form[] =
	"version: 1\n"
	"mode: enforce                        # off | report | enforce; each rule may have its own `mode`\n"
	"registries:\n"
	"  npm:   {upstream: auto}            # auto: what this machine's own npm / NuGet configuration says; or a URL\n"
	"  nuget: {upstream: auto}\n"
	"origins:                             # a name belongs to exactly one origin and never falls through\n"
	"  - {names: [\"npm:@acme/*\"], upstream: \"https://packages.acme.example/npm/\", token: {env: ACME_TOKEN}}\n"
	"  - {names: [\"nuget:Acme.*\"], upstream: \"https://packages.acme.example/nuget/v3/index.json\"}\n"
	"cooldown:\n"
	"  default: 7d\n"
	"  new-package: 30d                   # its first version is younger than this\n"
	"  new-dependency: 30d                # it gained a dependency on a name that is young or not known here\n"
	"  install-script: 14d                # it gained code that runs on install or build\n"
	"  security-fix: 1d                   # an advisory names it as the fix, and nothing else speaks against it\n"
	"  exclude: []\n"
	"allow:\n"
	"  mode: off\n"
	"  roots:\n"
	"    - {name: \"npm:@angular/*\", reason: \"platform\", owner: web-team, review-by: 2027-03-01}\n"
	"  publishers:                        # npm users and trusted-publisher repositories, NuGet owners; all owners count, not any\n"
	"    - {publisher: \"nuget-owner:Microsoft\", reason: \"vendor\", owner: platform, review-by: 2027-03-01}\n"
	"deny:\n"
	"  malware: {mode: enforce}\n"
	"  vulnerabilities: {mode: report, at: critical}\n"
	"  names: []\n"
	"  versions: [\"npm:event-stream@3.3.6\"]\n"
	"continuity: {mode: report, hold: 30d}  # publisher, provenance, repository\n"
	"exemptions:\n"
	"  - {package: \"npm:left-pad@1.3.0\", rules: [cooldown], reason: \"…\", owner: jo, approved-by: kim, expires: 2026-12-31}\n";

static void the_first_form_loads_as_it_stands(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf warnings = BUF(1 << 16);
	struct policy *p = NULL;
	struct err err = {0};
	const struct origin *acme;

	assert_int_equal(try(first_form, &p, &warnings, &err), 0);
	acme = policy_origin(p, ECOSYSTEM_NPM, STR("@acme/tool"));
	assert_string_equal(acme->authorization.p, "Bearer s3cret");
	assert_string_equal(acme->url.p, "https://packages.acme.example/npm/");
	assert_int_equal(acme->cooldown, -1);
	assert_int_equal(acme->fresh, 5 * USEC_MINUTE);
	assert_int_equal(acme->stale, 24 * USEC_HOUR);
	assert_true(policy_origin(p, ECOSYSTEM_NUGET, STR("ACME.tools")) == acme + 1);
	assert_true(policy_origin(p, ECOSYSTEM_NPM, STR("axios"))->automatic);
	assert_string_equal(buf_cstr(&warnings), "bondgate.yaml:5: registries.nuget is not evaluated by this version\n"
	                                         "bondgate.yaml:8: an origin of NuGet packages is not evaluated by this version\n");
	/* A duration that the file sets is in force; a mode that it sets is that mode. */
	assert_int_equal(policy_mode(p, REASON_NEW_DEPENDENCY), MODE_ENFORCE);
	assert_int_equal(policy_mode(p, REASON_INSTALL_SCRIPT), MODE_ENFORCE);
	assert_int_equal(policy_mode(p, REASON_NEW_BINARY), MODE_REPORT);
	assert_int_equal(policy_mode(p, REASON_PUBLISHER_CHANGED), MODE_REPORT);
	assert_int_equal(policy_mode(p, REASON_NOT_APPROVED), MODE_OFF);
	policy_unref(p);
}

static void the_built_in_policy_is_the_promised_one(void **state)
{
	(void)state;
	static const enum mode modes[REASON_CODE_COUNT] = {
		[REASON_COOLDOWN] = MODE_ENFORCE,
		[REASON_MALWARE] = MODE_ENFORCE,
		[REASON_VULNERABLE] = MODE_REPORT,
		[REASON_DENIED] = MODE_ENFORCE,
		[REASON_NAMESPACE] = MODE_ENFORCE,
		[REASON_HASH_CHANGED] = MODE_ENFORCE,
		[REASON_MANIFEST_MISMATCH] = MODE_ENFORCE,
		[REASON_DEPENDENCY_HELD] = MODE_ENFORCE,
		[REASON_WITHDRAWN] = MODE_ENFORCE,
		[REASON_UNVERIFIABLE] = MODE_ENFORCE,
		[REASON_NOT_APPROVED] = MODE_OFF,
		[REASON_PUBLISHER_CHANGED] = MODE_REPORT,
		[REASON_INSTALL_SCRIPT] = MODE_REPORT,
		[REASON_NEW_DEPENDENCY] = MODE_REPORT,
		[REASON_NEW_BINARY] = MODE_REPORT,
		[REASON_REMOTE_DEPENDENCY] = MODE_REPORT,
		[REASON_LOOK_ALIKE] = MODE_REPORT,
		[REASON_SIGNATURE_INVALID] = MODE_REPORT,
		[REASON_UNKNOWN] = MODE_ENFORCE,
		[REASON_EXEMPT] = MODE_ENFORCE,
	};
	struct policy *p = policy_builtin();
	const struct gate_settings *g = policy_gate(p);
	const struct origin *origins;

	for (enum reason_code c = 0; c < REASON_CODE_COUNT; c++)
		assert_int_equal(policy_mode(p, c), modes[c]);
	assert_string_equal(g->listen.p, "127.0.0.1:4873");
	assert_int_equal(g->cache_bytes, INT64_C(10) << 30);
	assert_int_equal(g->memory_bytes, 16 << 20);
	assert_int_equal(g->evidence_retention, 400 * USEC_DAY);
	assert_false(g->trust_local);
	assert_int_equal(policy_origins(p, &origins), 2);
	assert_string_equal(origins[0].id.p, "npm");
	assert_int_equal(origins[0].url.n, 0);
	policy_unref(p);
}

static void every_mistake_is_told_with_its_place(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"", "bondgate.yaml:1:1: the policy is empty"},
		{"mode: enforce\n", "bondgate.yaml:1:1: version is missing"},
		{"- a\n", "bondgate.yaml:1:1: a policy is a map"},
		{"version: 2\n", "bondgate.yaml:1:10: version: \"2\" is not accepted here; write 1"},
		{"version: 1\ncooldwn: {}\n", "bondgate.yaml:2:1: \"cooldwn\" is not a key here; is it meant to be cooldown"},
		{"version: 1\ncooldown: {defualt: 7d}\n", "bondgate.yaml:2:12: \"defualt\" is not a key here; is it meant to be default"},
		{"version: 1\ncooldown: {default: 7}\n", "bondgate.yaml:2:21: cooldown.default: \"7\" is not accepted here; write a duration"},
		{"version: 1\ncooldown.default: 7d\n", "bondgate.yaml:2:1: \"cooldown.default\" is not a key here"},
		{"version: 1\nmode: maybe\n", "bondgate.yaml:2:7: mode: \"maybe\" is not accepted here; write off, report or enforce"},
		{"version: 1\nallow: {mode: on}\n", "bondgate.yaml:2:15: allow.mode: \"on\" is not accepted here; write off, report or enforce"},
		{"version: 1\ncontinuity: {hold: ever}\n", "bondgate.yaml:2:20: continuity.hold: \"ever\" is not accepted here; write until-decided, or a duration"},
		{"version: 1\nrules: {hash-changed: {mode: off}}\n", "bondgate.yaml:2:30: rules.hash-changed.mode: off is not possible here"},
		{"version: 1\nrules: {namespace: {mode: report}}\n", "bondgate.yaml:2:27: rules.namespace.mode: report is not possible here"},
		{"version: 1\ndeny: {names: [evil]}\n", "bondgate.yaml:2:16: deny.names: \"evil\": it must begin with npm: or nuget:"},
		{"version: 1\ndeny: {names: [\"npm:evil@1\"]}\n", "bondgate.yaml:2:16: deny.names: \"npm:evil@1\" names a version"},
		{"version: 1\ndeny: {names: [\"npm:@acme\"]}\n", "bondgate.yaml:2:16: deny.names: \"npm:@acme\": a scope is written"},
		{"version: 1\ndeny: {versions: [\"npm:evil\"]}\n", "bondgate.yaml:2:19: deny.versions: \"npm:evil\" names no version"},
		{"version: 1\ndeny: {versions: [\"npm:evil@>>1\"]}\n", "bondgate.yaml:2:19: deny.versions: \"npm:evil@>>1\": \">>1\" is neither a version nor a range"},
		{"version: 1\ndeny: {versions: [\"npm:evil@1 ||\\n2\"]}\n", "bondgate.yaml:2:19: deny.versions: \"npm:evil@1 || 2\": a version or range holds"},
		{"version: 1\ndeny: {hashes: [abc]}\n", "bondgate.yaml:2:17: deny.hashes: \"abc\" is not accepted here"},
		{"version: 1\ndeny: {names: {a: 1}}\n", "bondgate.yaml:2:15: deny.names: write a list"},
		{"version: 1\ndeny: {vulnerabilities: {at: bad}}\n", "bondgate.yaml:2:30: deny.vulnerabilities.at: \"bad\""},
		{"version: 1\ncache: {size: 10Gb}\n", "bondgate.yaml:2:15: cache.size: \"10Gb\" is not accepted here; write a size"},
		{"version: 1\ngate: {threads: -1}\n", "bondgate.yaml:2:17: gate.threads: \"-1\" is not accepted here; write 0 to 256"},
		{"version: 1\ngate: {listen: here}\n", "bondgate.yaml:2:16: gate.listen: \"here\""},
		{"version: 1\ngate: {tls: {certificate: /x}}\n", "bondgate.yaml:2: gate.tls needs both certificate and key; key is missing"},
		{"version: 1\ntrust-local: yes\n", "bondgate.yaml:2:14: trust-local: \"yes\" is not accepted here; write true or false"},
		{"version: 1\nregistries: {npm: {upstream: \"ftp://x\"}}\n", "bondgate.yaml:2:30: upstream: \"ftp://x\" is not accepted here"},
		{"version: 1\nregistries: {npm: {upstream: \"https://me:pw@x/\"}}\n", "bondgate.yaml:2:30: upstream: a user or password"},
		{"version: 1\nregistries: {npm: {names: [\"npm:a\"]}}\n", "bondgate.yaml:2:20: \"names\" is not a key here"},
		{"version: 1\nregistries: {npm: {token: abc}}\n", "bondgate.yaml:2:27: token: a secret does not belong in the policy"},
		{"version: 1\nregistries: {npm: {token: {env: NOPE}}}\n", "bondgate.yaml:2:33: token: NOPE is not set"},
		{"version: 1\nregistries: {npm: {token: {file: /two-lines}}}\n", "bondgate.yaml:2:34: token: what {file: /two-lines} holds is empty or not one line"},
		{"version: 1\norigins: [{upstream: \"https://x/\"}]\n", "bondgate.yaml:2:11: names is missing"},
		{"version: 1\norigins: [{names: [\"npm:a\"]}]\n", "bondgate.yaml:2:11: upstream: an origin of its own needs"},
		{"version: 1\norigins: [{names: [\"npm:a\"], upstream: auto}]\n", "bondgate.yaml:2:40: upstream: an origin of its own needs"},
		{"version: 1\norigins: [{names: [\"npm:a\", \"nuget:b\"], upstream: \"https://x/\"}]\n", "bondgate.yaml:2:11: names: an origin serves one"},
		{"version: 1\norigins:\n- {names: [\"npm:a\"], upstream: \"https://x/\"}\n- {names: [\"npm:a\"], upstream: \"https://y/\"}\n",
		 "bondgate.yaml:4: \"npm:a\" has an origin already (line 3)"},
		{"version: 1\nexemptions: [{package: \"npm:a\", rules: [cooldown], reason: x, expires: 2026-12-01}]\n", "bondgate.yaml:2:14: owner is missing"},
		{"version: 1\nexemptions: [{package: \"npm:a\", rules: [cooldown], owner: x, expires: 2026-12-01}]\n", "bondgate.yaml:2:14: reason is missing"},
		{"version: 1\nexemptions: [{package: \"npm:a\", rules: [cooldown], owner: x, reason: \" \", expires: 2026-12-01}]\n", "bondgate.yaml:2:70: reason must not be empty"},
		{"version: 1\nexemptions: [{package: \"npm:a\", rules: [cooldown], owner: x, reason: y}]\n", "bondgate.yaml:2:14: expires is missing"},
		{"version: 1\nexemptions: [{package: \"npm:a\", rules: [cooldown], owner: x, reason: y, expires: soon}]\n", "bondgate.yaml:2:82: expires: \"soon\""},
		{"version: 1\nexemptions: [{package: \"npm:a\", rules: [cooldown], owner: x, reason: y, expires: 2027-02-19}]\n",
		 "bondgate.yaml:2:82: expires: an exemption lasts at most 90 days"},
		{"version: 1\nexemptions: [{package: \"npm:a\", rules: [], owner: x, reason: y, expires: 2026-12-01}]\n", "bondgate.yaml:2:40: rules: name at least one rule"},
		{"version: 1\nexemptions: [{package: \"npm:a\", rules: [cooldwn], owner: x, reason: y, expires: 2026-12-01}]\n", "bondgate.yaml:2:41: rules: \"cooldwn\" is no rule"},
		{"version: 1\nexemptions: [{package: \"npm:a\", rules: [namespace], owner: x, reason: y, expires: 2026-12-01}]\n", "bondgate.yaml:2:41: rules: namespace cannot be lifted"},
		{"version: 1\nexemptions: [{package: \"npm:a\", rules: [malware], owner: x, reason: y, expires: 2026-12-01}]\n", "bondgate.yaml:2:14: approved-by is missing"},
		{"version: 1\nexemptions: [{package: \"npm:a\", rules: [cooldown], owner: Jo, approved-by: jo, reason: y, expires: 2026-12-01}]\n",
		 "bondgate.yaml:2:76: approved-by: nobody approves their own"},
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy *p = NULL;
		struct err err = {0};

		if (try(rows[i].text, &p, NULL, &err) == 0)
			fail_msg("%zu: accepted, expected %s", i, rows[i].message);
		assert_null(p);
		if (strncmp(err.text, rows[i].message, strlen(rows[i].message)) != 0)
			fail_msg("%zu: %s", i, err.text);
	}
}

static void an_exemption_lasts_ninety_days_and_then_does_nothing(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf shown = BUF(1 << 16);
	/* ninety days from today, and one that has ended */
	struct policy *p = load("version: 1\nexemptions:\n"
	                        "  - {package: \"npm:a\", rules: [malware], owner: x, approved-by: y, reason: z, expires: 2027-02-18}\n"
	                        "  - {package: \"npm:b\", rules: [cooldown], owner: x, reason: z, expires: 2020-01-01}\n");
	struct version_facts f = {.name = STR("b"), .version = STR("1.0.0"), .published = noon, .integrity = STR("sha512-x")};
	struct decision d;

	decide(p, NULL, &f, noon, NULL, &d);
	assert_int_equal(d.verdict, VERDICT_HOLD);
	policy_show(p, &shown);
	assert_non_null(strstr(buf_cstr(&shown), "expires: 2020-01-01} # bondgate.yaml:4, ended: it does nothing\n"));
	policy_unref(p);
}

static void the_most_specific_pattern_owns_the_name(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *name, *url; /* NULL: nobody, an internal name */
		bool internal;
	} rows[] = {
		{"@acme/tool", "https://a/", true},   {"@acme/web-x", "https://b/", true}, {"@acme/web-one", "https://c/", true},
		{"@acme-x/tool", "", false},          {"axios", "", false},                {"@corp/x", NULL, true},
		{"corp-thing", NULL, true},           {"corp-tool", "https://c/", true},   {"x-corp-suffix", "https://b/", true},
	};
	/* clang-format on */
	struct policy *p = load("version: 1\ninternal: [\"npm:@corp/*\", \"npm:corp-*\"]\norigins:\n"
	                        "  - {names: [\"npm:@acme/*\"], upstream: \"https://a\"}\n"
	                        "  - {names: [\"npm:@acme/web-*\", \"npm:*-corp-suffix\"], upstream: \"https://b/\"}\n"
	                        "  - {names: [\"npm:@acme/web-one\", \"npm:corp-tool\"], upstream: \"https://c/\"}\n");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct origin *o = policy_origin(p, ECOSYSTEM_NPM, str_of(rows[i].name));

		assert_int_equal(policy_is_internal(p, ECOSYSTEM_NPM, str_of(rows[i].name)), rows[i].internal);
		if (!rows[i].url) {
			assert_null(o);
			continue;
		}
		assert_true(str_eq(o->url, str_of(rows[i].url)));
		assert_int_equal(o->is_default, !rows[i].internal);
	}
	policy_unref(p);
}

static void auto_is_filled_in_on_a_copy(void **state)
{
	(void)state;
	struct policy *p = load("version: 1\nregistries: {npm: {ca-file: /ca.pem, fresh: 1m}}\n"), *q = NULL;
	struct err err = {0};

	assert_int_equal(policy_set_upstream(p, ECOSYSTEM_NPM, STR("https://npm.registry.example"), &q, &err), 0);
	assert_int_equal(policy_origin(p, ECOSYSTEM_NPM, STR("x"))->url.n, 0);
	assert_true(policy_digest(p) != policy_digest(q));
	policy_unref(p);
	assert_string_equal(policy_origin(q, ECOSYSTEM_NPM, STR("x"))->url.p, "https://npm.registry.example/");
	assert_string_equal(policy_origin(q, ECOSYSTEM_NPM, STR("x"))->ca_file.p, "/ca.pem");
	assert_int_equal(policy_origin(q, ECOSYSTEM_NPM, STR("x"))->fresh, USEC_MINUTE);
	policy_unref(q);
}

static void what_is_shown_loads_again_as_the_same(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf shown = BUF(1 << 20), again = BUF(1 << 20), difference = BUF(1 << 20);
	struct policy *p = load(first_form), *q = NULL;
	struct err err = {0};

	policy_show(p, &shown);
	assert_null(strstr(buf_cstr(&shown), "s3cret"));
	assert_non_null(strstr(buf_cstr(&shown), "  default: 7d                                   # bondgate.yaml:10\n"));
	assert_non_null(strstr(buf_cstr(&shown), "# built-in\n"));
	if (policy_load(buf_str(&shown), STR("shown.yaml"), noon, &environment, &q, NULL, &err) < 0)
		fail_msg("%s in %s", err.text, buf_cstr(&shown));
	if (policy_diff(p, q, &difference) != 0)
		fail_msg("%s", buf_cstr(&difference));
	policy_unref(p);
	policy_unref(q);
}

static void a_difference_is_a_line(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf difference = BUF(1 << 16);
	struct policy *a = load("version: 1\ndeny: {names: [\"npm:x\"]}\n");
	struct policy *b = load("version: 1\n# the same but for two things\ncooldown: {default: 3d}\ndeny: {names: [\"npm:x\", \"npm:y\"]}\n");

	assert_int_equal(policy_diff(a, b, &difference), 3);
	assert_string_equal(buf_cstr(&difference), "- cooldown.default: 7d\n+ cooldown.default: 3d\n+ deny.names: \"npm:y\"\n");
	assert_true(policy_digest(a) != policy_digest(b));
	policy_unref(a);
	policy_unref(b);
}

static void a_local_file_only_tightens(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *local, *message; /* NULL: accepted */
	} rows[] = {
		{"cooldown: {default: 8d}", NULL},
		{"cooldown: {default: 7d, new-package: 30d}", NULL},
		{"cooldown: {default: 6d}", "./bondgate.yaml:2:21: cooldown.default: 6d is less than the machine's policy asks for (7d)"},
		{"deny: {names: [\"npm:y\"], versions: [\"npm:z@1\"], hashes: [da39a3ee5e6b4b0d3255bfef95601890afd80709]}", NULL},
		{"internal: [\"npm:@own/*\"]", NULL},
		{"mode: enforce", NULL},
		{"mode: report", "./bondgate.yaml:2: mode makes the rule cooldown weaker (report)"},
		{"cooldown: {mode: report}", "./bondgate.yaml:2: cooldown.mode makes the rule cooldown weaker (report)"},
		{"deny: {malware: {mode: off}}", "./bondgate.yaml:2: deny.malware.mode makes the rule malware weaker (off)"},
		{"rules: {hash-changed: {mode: report}}", "./bondgate.yaml:2: rules.hash-changed.mode makes"},
		{"deny: {vulnerabilities: {mode: enforce, at: high}}", NULL},
		{"deny: {vulnerabilities: {at: critical}}", NULL},
		{"cooldown: {exclude: [\"npm:x\"]}", "./bondgate.yaml:2:12: cooldown.exclude is not accepted in a working directory"},
		{"trust-local: true", "./bondgate.yaml:2:1: trust-local is not accepted"},
		{"origins: [{names: [\"npm:y\"], upstream: \"https://evil/\"}]", "./bondgate.yaml:2:1: origins is not accepted"},
		{"registries: {npm: {upstream: \"https://evil/\"}}", "./bondgate.yaml:2:14: registries.npm is not accepted"},
		{"exemptions: [{package: \"npm:a\", rules: [cooldown], reason: x, owner: y, expires: 2026-12-01}]", "./bondgate.yaml:2:1: exemptions is not accepted"},
		{"gate: {listen: \"0.0.0.0:1\"}", "./bondgate.yaml:2:8: gate.listen is not accepted"},
		{"advisories: {files: [/x]}", "./bondgate.yaml:2:14: advisories.files is not accepted"},
		{"cooldown: {new-dependency: 1d}", "./bondgate.yaml:2:28: cooldown.new-dependency: 1d is less than the machine's policy asks for (30d)"},
	};
	/* clang-format on */
	struct policy *base = load("version: 1\ndeny: {names: [\"npm:x\"]}\n"), *trusting = load("version: 1\ntrust-local: true\n");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy *p = NULL;
		struct err err = {0};
		char text[512];

		snprintf(text, sizeof(text), "version: 1\n%s\n", rows[i].local);
		if (policy_tighten(base, str_of(text), STR("./bondgate.yaml"), noon, &environment, &p, &err) < 0) {
			if (!rows[i].message || strncmp(err.text, rows[i].message, strlen(rows[i].message)) != 0)
				fail_msg("%zu: %s", i, err.text);
		} else if (rows[i].message) {
			fail_msg("%zu: accepted, expected %s", i, rows[i].message);
		}
		policy_unref(p);
		/* where the machine's policy trusts it, everything goes */
		assert_int_equal(policy_tighten(trusting, str_of(text), STR("./bondgate.yaml"), noon, &environment, &p, &err), 0);
		policy_unref(p);
	}
	policy_unref(base);
	policy_unref(trusting);
}

static void a_local_denial_leaves_the_base_as_it_was(void **state)
{
	(void)state;
	struct policy *base = load("version: 1\ndeny: {names: [\"npm:x\"]}\n"), *p = NULL;
	struct version_facts f = {.name = STR("y"), .version = STR("1.0.0"), .published = noon - 90 * USEC_DAY, .integrity = STR("sha512-x")};
	struct decision d;

	assert_int_equal(policy_tighten(base, STR("version: 1\ndeny: {names: [\"npm:y\"]}\n"), STR("l"), noon, NULL, &p, NULL), 0);
	decide(base, NULL, &f, noon, NULL, &d);
	assert_int_equal(d.verdict, VERDICT_ALLOW);
	policy_unref(base);
	decide(p, NULL, &f, noon, NULL, &d);
	assert_int_equal(d.verdict, VERDICT_DENY);
	f.name = STR("x");
	decide(p, NULL, &f, noon, NULL, &d);
	assert_int_equal(d.verdict, VERDICT_DENY);
	policy_unref(p);
}

static void the_page_is_the_table(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf path = BUF(4096), page = BUF(1 << 20), made = BUF(1 << 20);
	const char *source = getenv("BONDGATE_SOURCE");
	struct err err = {0};

	if (!source) {
		print_message("BONDGATE_SOURCE is not set: docs/policy.md is not compared\n");
		skip();
	}
	buf_printf(&path, "%s/docs/policy.md", source);
	if (file_read(buf_cstr(&path), &page, &err) < 0)
		fail_msg("%s", err.text);
	policy_document(&made);
	if (!str_eq(buf_str(&page), buf_str(&made)))
		fail_msg("docs/policy.md is not what the table says; run: bondgate policy document >docs/policy.md");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_form_loads_as_it_stands),
		cmocka_unit_test(the_built_in_policy_is_the_promised_one),
		cmocka_unit_test(every_mistake_is_told_with_its_place),
		cmocka_unit_test(an_exemption_lasts_ninety_days_and_then_does_nothing),
		cmocka_unit_test(the_most_specific_pattern_owns_the_name),
		cmocka_unit_test(auto_is_filled_in_on_a_copy),
		cmocka_unit_test(what_is_shown_loads_again_as_the_same),
		cmocka_unit_test(a_difference_is_a_line),
		cmocka_unit_test(a_local_file_only_tightens),
		cmocka_unit_test(a_local_denial_leaves_the_base_as_it_was),
		cmocka_unit_test(the_page_is_the_table),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
