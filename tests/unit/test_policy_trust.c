/* The sections of the policy about trust: approved packages and publishers, delays by risk, teams, webhooks, feeds, what people may decide. */
#include "unit.h"

#include "policies.h"

static void every_section_is_read(void **state)
{
	(void)state;
	struct policy *p = load(everything);
	const struct approval *roots;
	const struct approved_publisher *publishers;
	const struct policy_feed *feeds;
	const struct policy_team *teams;
	const struct policy_webhook *hooks;
	const struct advisory_ignore *ignores;
	const struct str *texts;

	assert_int_equal(policy_approvals(p, &roots), 2);
	assert_string_equal(roots[0].package.name.p, "@angular/*");
	assert_string_equal(roots[1].owner.p, "jo");
	assert_int_equal(roots[1].source.line, 10);
	assert_true(roots[0].ends == USEC_NEVER && roots[0].review_by > noon && roots[1].review_by < noon);
	assert_true(policy_publishers(p, &publishers) > 10);
	assert_int_equal(publishers[0].kind, PUBLISHER_NPM_SCOPE);
	assert_string_equal(publishers[0].set.p, "partners");
	assert_int_equal(policy_feeds(p, &feeds), 2);
	assert_int_equal(feeds[0].every, 6 * USEC_HOUR);
	assert_int_equal(feeds[0].priority, 10);
	assert_string_equal(feeds[0].authorization.p, "Bearer s3cret");
	assert_int_equal(feeds[1].every, USEC_HOUR);
	assert_int_equal(policy_teams(p, &teams), 2);
	assert_string_equal(teams[1].file.p, "/etc/data.yaml");
	assert_int_equal(policy_webhooks(p, &hooks), 2);
	assert_string_equal(hooks[0].url.p, "https://chat.acme.example/hook/s3cret?sig=1");
	assert_int_equal(hooks[0].events, WEBHOOK_REQUEST | WEBHOOK_BREAK_GLASS);
	assert_int_equal(hooks[0].format, WEBHOOK_SLACK);
	assert_int_equal(hooks[1].events, 15);
	assert_string_equal(hooks[1].authorization.p, "Bearer s3cret");
	assert_int_equal(policy_ignores(p, &ignores), 2);
	assert_string_equal(ignores[0].package.version.p, "<1.2.6");
	assert_int_equal(ignores[1].package.name.n, 0);
	assert_int_equal(policy_vex(p, &texts), 1);
	assert_int_equal(policy_scan_hosts(p, &texts), 1);
	assert_string_equal(texts[0].p, "mirror.acme.example");
	assert_int_equal(policy_brake(p)->projects, 20);
	assert_int_equal(policy_brake(p)->days, 7);
	assert_int_equal(policy_trust(p)->key_file_count, 2);
	assert_true(policy_trust(p)->require_signature);
	assert_string_equal(policy_trust(p)->rekor_key_file.p, "/r.pem");
	assert_string_equal(policy_trust(p)->import_keys[0].p, KEY_A);
	assert_int_equal(policy_approval_settings(p)->second_person_at, SEVERITY_CRITICAL);
	assert_int_equal(policy_approval_settings(p)->longest, 14 * USEC_DAY);
	assert_int_equal(policy_approval_settings(p)->break_glass, 4 * USEC_HOUR);
	assert_int_equal(policy_new_dependency(p), 20 * USEC_DAY);
	assert_true(p->continuity_hold == USEC_NEVER);
	assert_int_equal(p->cooldown_security_fix, USEC_DAY);
	policy_unref(p);
}

static void what_is_shown_of_it_loads_as_the_same_and_hides_secrets(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf shown = BUF(1 << 18), difference = BUF(1 << 16);
	struct policy *p = load(everything), *again = NULL;
	struct err err = {0};

	policy_show(p, &shown);
	assert_null(strstr(buf_cstr(&shown), "s3cret"));
	assert_non_null(strstr(buf_cstr(&shown), "review-by: 2026-11-01} # bondgate.yaml:10, overdue: look at it again; it is in force\n"));
	assert_non_null(strstr(buf_cstr(&shown), "expires: 2026-01-01} # bondgate.yaml:30, ended: it does nothing\n"));
	if (policy_load(buf_str(&shown), STR("shown"), noon, &environment, &again, NULL, &err) < 0)
		fail_msg("%s\n%s", err.text, buf_cstr(&shown));
	if (policy_diff(p, again, &difference))
		fail_msg("%s", buf_cstr(&difference));
	policy_unref(p);
	policy_unref(again);
}

static void every_mistake_is_told_with_its_place(void **state)
{
	(void)state;
	/* clang-format off */
#define ROOT(name) "allow: {roots: [{name: " name ", reason: x, owner: y, review-by: 2027-01-01}]}"
#define PUBLISHER(name) "allow: {publishers: [{publisher: " name ", reason: x, owner: y, review-by: 2027-01-01}]}"
	static const struct {
		const char *text, *message; /* without "version: 1" and the file's name */
	} rows[] = {
		{"allow: {mode: on}", "2:15: allow.mode: \"on\" is not accepted here; write off, report or enforce"},
		{"allow: {rots: []}", "2:9: \"rots\" is not a key here; is it meant to be roots"},
		{"allow: {roots: [\"npm:react\"]}", "2:17: allow.roots: each item is a map, such as"},
		{"allow: {roots: {name: x}}", "2:16: allow.roots: write a list of maps"},
		{"allow: {roots: [{name: \"npm:a\", owner: y, review-by: 2027-01-01}]}", "2:17: reason is missing"},
		{"allow: {roots: [{name: \"npm:a\", reason: x, review-by: 2027-01-01}]}", "2:17: owner is missing"},
		{"allow: {roots: [{name: \"npm:a\", reason: x, owner: y}]}", "2:17: review-by is missing"},
		{"allow: {roots: [{name: \"npm:a\", reason: x, owner: y, review-by: someday}]}", "2:65: review-by: \"someday\" is not accepted"},
		{"allow: {roots: [{name: \"npm:a\", reson: x, owner: y, reason: z, review-by: 2027-01-01}]}", "2:33: \"reson\" is not a key here; is it meant to be reason"},
		{ROOT("react"), "2:24: name: \"react\": it must begin with npm: or nuget:"},
		{ROOT("\"npm:@acme\""), "2:24: name: \"npm:@acme\": a scope is written"},
		{ROOT("\"npm:a@>>1\""), "2:24: name: \"npm:a@>>1\": \">>1\" is neither a version nor a range"},
		{ROOT("\"npm:re\xc3\xa9" "ct\""), "2:24: name: \"npm:re\xc3\xa9" "ct\": a name holds neither blanks nor letters outside ASCII"},
		{ROOT("\"npm:ree\xcc\x81" "ct\""), "2:24: name: \"npm:ree\xcc\x81" "ct\": a name holds neither blanks nor letters outside ASCII"},
		{ROOT("\"npm:\xd0\xb0xios\""), "2:24: name: \"npm:\xd0\xb0xios\": a name holds neither blanks nor letters outside ASCII"},
		{ROOT("\"npm:a\\u200bxios\""), "2:24: name: \"npm:a\xe2\x80\x8bxios\": a name holds"},
		{ROOT("[\"npm:a\"]"), "2:24: name: write a package such as"},
		{PUBLISHER("acme"), "2:34: publisher: \"acme\": it must begin with npm-user:, npm-scope:"},
		{PUBLISHER("\"npm-user:\""), "2:34: publisher: \"npm-user:\": the name is missing"},
		{PUBLISHER("\"npm-user:*\""), "2:34: publisher: \"npm-user:*\": no star is possible here"},
		{PUBLISHER("\"npm-user:@acme\""), "2:34: publisher: \"npm-user:@acme\": the name of an account or set holds neither @ nor /"},
		{PUBLISHER("\"npm-user:m\xd0\xb0llory\""), "2:34: publisher: \"npm-user:m\xd0\xb0llory\": a name holds neither blanks nor letters outside ASCII"},
		{PUBLISHER("\"npm-scope:acme\""), "2:34: publisher: \"npm-scope:acme\": a scope is written npm-scope:@acme"},
		{PUBLISHER("\"npm-scope:@acme/x\""), "2:34: publisher: \"npm-scope:@acme/x\": a scope alone is named"},
		{PUBLISHER("\"npm-scope:@*\""), "2:34: publisher: \"npm-scope:@*\": no star is possible here"},
		{PUBLISHER("\"trusted-publisher:acme/x\""), "2:34: publisher: \"trusted-publisher:acme/x\": a repository is written"},
		{PUBLISHER("\"trusted-publisher:github.com/acme\""), "2:34: publisher: \"trusted-publisher:github.com/acme\": a repository is written"},
		{PUBLISHER("\"trusted-publisher:github.com/*\""), "2:34: publisher: \"trusted-publisher:github.com/*\": a repository is written"},
		{PUBLISHER("\"trusted-publisher:github.com/*/x\""), "2:34: publisher: \"trusted-publisher:github.com/*/x\": a repository is written"},
		{PUBLISHER("\"trusted-publisher:*.com/acme/x\""), "2:34: publisher: \"trusted-publisher:*.com/acme/x\": a repository is written"},
		{PUBLISHER("\"trusted-publisher:github.com/acme/x*\""), "2:34: publisher: \"trusted-publisher:github.com/acme/x*\": a repository is written"},
		{PUBLISHER("\"trusted-publisher:https://github.com/acme/x\""), "2:34: publisher: \"trusted-publisher:https://github.com/acme/x\": a repository is written"},
		{PUBLISHER("\"publisher-set:gogle\""), "2: publisher: there is no publisher-set gogle; is it meant to be google; docs/policy.md"},
		{PUBLISHER("\"publisher-set:zzzzzzzzzz\""), "2: publisher: there is no publisher-set zzzzzzzzzz; docs/policy.md"},
		{"allow: {publishers: [{publisher: \"npm-user:a\", reason: x, owner: y}]}", "2:22: review-by is missing"},
		{"publisher-sets: {a b: [\"npm-user:a\"]}", "2:18: publisher-sets: \"a b\" is not accepted here"},
		{"publisher-sets: {a.b: [\"npm-user:a\"]}", "2:18: publisher-sets: the name of a set has no dot"},
		{"publisher-sets: {a: []}", "2:21: publisher-sets.a: write a list of publishers"},
		{"publisher-sets: {a: [\"publisher-set:google\"]}", "2:22: publisher-sets: \"publisher-set:google\": it must begin with"},
		{"publisher-sets: [a]", "2:17: publisher-sets: write names of your own"},
		{"deny: {publishers: [\"publisher-set:google\"]}", "2:21: deny.publishers: \"publisher-set:google\": it must begin with"},
		{"deny: {publishers: \"npm-user:a\"}", "2:20: deny.publishers: \"npm-user:a\" is not accepted here; write a list of publishers"},
		{"continuity: {hold: ever}", "2:20: continuity.hold: \"ever\" is not accepted here; write until-decided, or a duration"},
		{"cooldown: {install-script: soon}", "2:28: cooldown.install-script: \"soon\" is not accepted"},
		{"cooldown: {security-fix: until-decided}", "2:26: cooldown.security-fix: \"until-decided\" is not accepted"},
		{"rules: {look-alike: {mode: hold}}", "2:28: rules.look-alike.mode: \"hold\" is not accepted"},
		{"rules: {lookalike: {mode: report}}", "2:9: \"lookalike\" is not a key here; is it meant to be look-alike"},
		{"look-alike: {names: [\"npm:acme-*\"]}", "2:22: look-alike.names: \"npm:acme-*\": a name is wanted here, without a star"},
		{"look-alike: {names: [\"npm:a@1\"]}", "2:22: look-alike.names: \"npm:a@1\" names a version"},
		{"approvals: {second-person-at: always}", "2:31: approvals.second-person-at: \"always\" is not accepted here; write low, moderate, high, critical or never"},
		{"approvals: {longest: 91d}", "2:22: approvals.longest: \"91d\" is not accepted here; write a duration of at most 90d"},
		{"approvals: {longest: 0}", "2:22: approvals.longest: \"0\" is not accepted"},
		{"approvals: {break-glass: 25h}", "2:26: approvals.break-glass: \"25h\" is not accepted here; write a duration of at most 24h"},
		{"approvals: {import-keys: [RWabc]}", "2:27: approvals.import-keys: \"RWabc\" is no minisign public key"},
		{"approvals: {import-keys: [" KEY_A "," KEY_A "," KEY_A "," KEY_A "," KEY_A "," KEY_A "," KEY_A "," KEY_A "," KEY_A "]}", "2: approvals.import-keys: at most 8 keys"},
		{"teams: [{name: web}]", "2:9: policy is missing"},
		{"teams: [{name: \"a/b\", policy: /x}]", "2:16: name: \"a/b\" is not accepted here; write a name of letters"},
		{"teams: [{name: Web, policy: /x}, {name: web, policy: /y}]", "2:34: name: there is a team web already (line 2)"},
		{"webhooks: [{events: [request]}]", "2:12: url is missing"},
		{"webhooks: [{url: \"ftp://x\"}]", "2:18: url: \"ftp://x\" is not accepted here; write a URL"},
		{"webhooks: [{url: \"https://a:b@x/\"}]", "2:18: url: write an address with a host and without a user"},
		{"webhooks: [{url: {env: OTHER}}]", "2:18: url: what {env: OTHER} holds is no address"},
		{"webhooks: [{url: \"https://x/\", events: [requests]}]", "2:41: events: \"requests\" is not accepted here; write all, or a list of request"},
		{"webhooks: [{url: \"https://x/\", events: []}]", "2:40: events: write all, or a list"},
		{"webhooks: [{url: \"https://x/\", format: xml}]", "2:40: format: \"xml\" is not accepted here; write generic, slack or teams"},
		{"advisories: {feeds: [{url: \"https://x/\"}]}", "2:22: name is missing"},
		{"advisories: {feeds: [{name: a, url: \"http://feeds.acme.example/\"}]}", "2:37: url: http is accepted for a private or loopback address"},
		{"advisories: {feeds: [{name: a, url: \"http://127.0.0.1.acme.example/\"}]}", "2:37: url: http is accepted for a private"},
		{"advisories: {feeds: [{name: a, url: \"http://8.8.8.8/\"}]}", "2:37: url: http is accepted for a private"},
		{"advisories: {feeds: [{name: a, url: \"http://127.1/\"}]}", "2:37: url: http is accepted for a private"},
		{"advisories: {feeds: [{name: a, url: \"https://x/\", every: 1s}]}", "2:58: every: \"1s\" is not accepted here; write a duration of at least 1m"},
		{"advisories: {feeds: [{name: a, url: \"https://x/\", priority: 2000}]}", "2:61: priority: \"2000\" is not accepted here; write -1000 to 1000"},
		{"advisories: {feeds: [{name: a, url: \"https://x/\", key: x}]}", "2:56: key: \"x\" is no minisign public key"},
		{"advisories: {feeds: [{name: a, url: \"https://x/\"}, {name: A, url: \"https://y/\"}]}", "2:52: name: there is a feed A already"},
		{"advisories: {brake: {projects: -1}}", "2:32: advisories.brake.projects: \"-1\" is not accepted here; write 0 to 1000000"},
		{"advisories: {brake: {days: 0}}", "2:28: advisories.brake.days: \"0\" is not accepted here; write 1 to 400"},
		{"advisories: {ignore: [{id: CVE-1, reason: x, owner: y}]}", "2:23: expires is missing"},
		{"advisories: {ignore: [{reason: x, owner: y, expires: 2027-01-01}]}", "2:23: id is missing"},
		{"registries: {npm: {require-signature: maybe}}", "2:39: require-signature: \"maybe\" is not accepted"},
		{"registries: {npm: {provenance: {fulcio: /x}}}", "2:33: \"fulcio\" is not a key here"},
		{"registries: {nuget: {keys: [/x]}}", "2:22: \"keys\" is not a key here"},
		{"exemptions: [{package: \"npm:a\", rules: [unknown], owner: x, reason: y, expires: 2026-12-01}]", "2:41: rules: \"unknown\" is no rule that can be lifted"},
	};
	/* clang-format on */
	size_t wrong = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_BUF struct buf text = BUF(1 << 16), message = BUF(1 << 12);
		struct policy *p = NULL;
		struct err err = {0};

		buf_printf(&text, "version: 1\n%s\n", rows[i].text);
		buf_printf(&message, "bondgate.yaml:%s", rows[i].message);
		if (policy_load(buf_str(&text), STR("bondgate.yaml"), noon, &environment, &p, NULL, &err) == 0)
			fail_msg("%zu: accepted, expected %s", i, buf_cstr(&message));
		if (str_starts(str_of(err.text), buf_str(&message)))
			continue;
		print_error("%zu: %s\n   not %s\n", i, err.text, buf_cstr(&message));
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* What the page shows as an example must be accepted, key by key; the required ones of an item come along. */
static void every_example_of_the_page_loads(void **state)
{
	(void)state;
	size_t tried = 0;

	for (enum key_id id = 0; id < KEY_COUNT; id++) {
		CLEANUP_BUF struct buf text = BUF(1 << 16);
		struct str path = str_of(keys[id].path), part;
		unsigned depth = 0;

		if (!keys[id].example || keys[id].group != GROUP_POLICY || id == KEY_VERSION)
			continue;
		buf_add_str(&text, STR("version: 1\n"));
		while (str_split(&path, '.', &part)) {
			buf_printf(&text, "%*s%.*s:", (int)depth, "", STR_ARG(part));
			buf_printf(&text, path.n ? "\n" : " %s\n", keys[id].example);
			depth += 2;
		}
		if (id == KEY_GATE_TLS_CERTIFICATE)
			buf_add_str(&text, STR("    key: /k\n"));
		if (id == KEY_GATE_TLS_KEY)
			buf_add_str(&text, STR("    certificate: /c\n"));
		policy_unref(load(buf_cstr(&text)));
		tried++;
	}
	for (enum key_group group = GROUP_ROOT; group < GROUP_COUNT; group++) {
		CLEANUP_BUF struct buf text = BUF(1 << 16);
		struct str list = str_of(keys[key_groups[group].list].path), part;
		unsigned depth = 0;

		buf_add_str(&text, STR("version: 1\n"));
		while (str_split(&list, '.', &part)) {
			buf_printf(&text, "%*s%.*s:\n", (int)depth, "", STR_ARG(part));
			depth += 2;
		}
		for (enum key_id id = 0, first = 1; id < KEY_COUNT; id++)
			if (keys[id].group == group) {
				buf_printf(&text, "%*s%s%s: %s\n", (int)depth, "", first ? "- " : "  ", keys[id].path, keys[id].example);
				first = 0;
				tried++;
			}
		policy_unref(load(buf_cstr(&text)));
	}
	assert_true(tried > 90);
}

static void a_delay_that_a_file_sets_is_in_force(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *text;
		enum reason_code rule;
		enum mode mode;
	} rows[] = {
		{"", REASON_INSTALL_SCRIPT, MODE_REPORT},
		{"cooldown: {install-script: 14d}", REASON_INSTALL_SCRIPT, MODE_ENFORCE},
		{"cooldown: {install-script: 14d}", REASON_NEW_BINARY, MODE_REPORT},
		{"cooldown: {install-script: 0}", REASON_INSTALL_SCRIPT, MODE_OFF},
		{"cooldown: {install-script: 14d}\nmode: report", REASON_INSTALL_SCRIPT, MODE_REPORT},
		{"cooldown: {install-script: 14d}\nmode: off", REASON_INSTALL_SCRIPT, MODE_OFF},
		{"cooldown: {install-script: 14d}\nrules: {install-script: {mode: report}}", REASON_INSTALL_SCRIPT, MODE_REPORT},
		{"rules: {install-script: {mode: enforce}}\nmode: report", REASON_INSTALL_SCRIPT, MODE_ENFORCE},
		{"cooldown: {new-dependency: 1d}", REASON_NEW_DEPENDENCY, MODE_ENFORCE},
		{"cooldown: {new-binary: 1d}", REASON_NEW_BINARY, MODE_ENFORCE},
		{"cooldown: {remote-dependency: 1d}", REASON_REMOTE_DEPENDENCY, MODE_ENFORCE},
		{"mode: off", REASON_LOOK_ALIKE, MODE_OFF},
		{"rules: {look-alike: {mode: enforce}}", REASON_LOOK_ALIKE, MODE_ENFORCE},
		{"rules: {signature-invalid: {mode: enforce}}", REASON_SIGNATURE_INVALID, MODE_ENFORCE},
		{"allow: {mode: enforce}", REASON_NOT_APPROVED, MODE_ENFORCE},
		{"", REASON_NOT_APPROVED, MODE_OFF},
		{"continuity: {hold: 60d}", REASON_PUBLISHER_CHANGED, MODE_REPORT},
		{"continuity: {mode: enforce}", REASON_PUBLISHER_CHANGED, MODE_ENFORCE},
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[256];
		struct policy *p;

		snprintf(text, sizeof(text), "version: 1\n%s\n", rows[i].text);
		p = load(text);
		if (policy_mode(p, rows[i].rule) != rows[i].mode)
			fail_msg("%zu: %s is %s", i, reason_code_name(rows[i].rule), mode_name(policy_mode(p, rows[i].rule)));
		policy_unref(p);
	}
}

static void the_shipped_policies_are_what_they_say(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf difference = BUF(1 << 16), warnings = BUF(1 << 16);
	struct policy *builtin = policy_builtin(), *standard = NULL, *strict = NULL;
	static const enum reason_code enforced[] = {REASON_NOT_APPROVED, REASON_PUBLISHER_CHANGED, REASON_INSTALL_SCRIPT, REASON_NEW_DEPENDENCY,
	                                            REASON_NEW_BINARY, REASON_REMOTE_DEPENDENCY, REASON_LOOK_ALIKE};
	struct err err = {0};

	assert_int_equal(policy_load(policy_shipped(STR("default")), STR("default"), noon, NULL, &standard, &warnings, &err), 0);
	assert_int_equal(warnings.n, 0);
	if (policy_diff(builtin, standard, &difference))
		fail_msg("default is not the built-in policy:\n%s", buf_cstr(&difference));
	assert_int_equal(policy_load(policy_shipped(STR("strict")), STR("strict"), noon, NULL, &strict, &warnings, &err), 0);
	assert_non_null(strstr(buf_cstr(&warnings), "allow.mode is enforce and nothing is approved"));
	for (size_t i = 0; i < sizeof(enforced) / sizeof(enforced[0]); i++)
		assert_int_equal(policy_mode(strict, enforced[i]), MODE_ENFORCE);
	assert_true(strict->continuity_hold == USEC_NEVER);
	assert_int_equal(strict->cooldown_new_package, 30 * USEC_DAY);
	assert_int_equal(policy_shipped(STR("lax")).n, 0);
	policy_unref(builtin);
	policy_unref(standard);
	policy_unref(strict);
}

static void names_are_compared_as_their_registry_does(void **state)
{
	(void)state;
	static const struct {
		enum ecosystem ecosystem;
		const char *name;
		bool root;
	} rows[] = {
		{ECOSYSTEM_NPM, "JSONStream", true},     {ECOSYSTEM_NPM, "jsonstream", false},      {ECOSYSTEM_NPM, "JSONStream ", false},
		{ECOSYSTEM_NPM, "@acme/tool", true},     {ECOSYSTEM_NPM, "@Acme/tool", false},      {ECOSYSTEM_NPM, "@acme", false},
		{ECOSYSTEM_NPM, "@acmе/tool", false},    {ECOSYSTEM_NPM, "@acme-x/tool", false},    {ECOSYSTEM_NUGET, "newtonsoft.json", true},
		{ECOSYSTEM_NUGET, "NEWTONSOFT.JSON", true}, {ECOSYSTEM_NUGET, "Newtonsoft.Jsоn", false}, {ECOSYSTEM_NUGET, "JSONStream", false},
		{ECOSYSTEM_NPM, "left-pad", true},
	};
	struct policy *p = load("version: 1\nallow:\n  roots:\n"
	                        "    - {name: \"npm:JSONStream\", reason: x, owner: y, review-by: 2027-01-01}\n"
	                        "    - {name: \"npm:@acme/*\", reason: x, owner: y, review-by: 2027-01-01}\n"
	                        "    - {name: \"nuget:Newtonsoft.Json\", reason: x, owner: y, review-by: 2027-01-01}\n"
	                        "    - {name: \"npm:left-pad@1.3.0\", reason: x, owner: y, review-by: 2020-01-01}\n");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((policy_root(p, rows[i].ecosystem, str_of(rows[i].name)) != NULL) != rows[i].root)
			fail_msg("%s is %sa root", rows[i].name, rows[i].root ? "not " : "");
	policy_unref(p);
}

static void publishers_are_looked_up_by_kind_and_name(void **state)
{
	(void)state;
	static const struct {
		enum publisher_kind kind;
		const char *name;
		bool approved, denied;
	} rows[] = {
		{PUBLISHER_NPM_USER, "Acme-Bot", true, false},
		{PUBLISHER_NPM_USER, "acme-bot", false, false},
		{PUBLISHER_NPM_SCOPE, "@partner", true, false},
		{PUBLISHER_NPM_SCOPE, "@Partner", false, false},
		{PUBLISHER_NPM_USER, "@partner", false, false},
		{PUBLISHER_TRUSTED, "github.com/partner/tool", true, false},
		{PUBLISHER_TRUSTED, "GitHub.com/PARTNER/Tool", true, false},
		{PUBLISHER_TRUSTED, "github.com/partner-x/tool", false, false},
		{PUBLISHER_TRUSTED, "github.com/partner/group/tool", false, false},
		{PUBLISHER_TRUSTED, "gitlab.com/partner/tool", false, false},
		{PUBLISHER_TRUSTED, "github.com/partner", false, false},
		{PUBLISHER_TRUSTED, "", false, false},
		{PUBLISHER_NUGET_OWNER, "PARTNER.inc", true, false},
		{PUBLISHER_NUGET_OWNER, "microsoft", true, false},
		{PUBLISHER_NPM_USER, "microsoft1es", true, false},
		{PUBLISHER_NPM_USER, "Mallory", false, true},
		{PUBLISHER_NUGET_OWNER, "EVIL", false, true},
		{PUBLISHER_TRUSTED, "github.com/Evil/anything", false, true},
		{PUBLISHER_NUGET_OWNER, "mallory", false, false},
	};
	struct policy *p = load(everything);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if ((publisher_approved(p, rows[i].kind, str_of(rows[i].name)) != NULL) != rows[i].approved)
			fail_msg("approved: %zu %s", i, rows[i].name);
		if ((publisher_denied(p, rows[i].kind, str_of(rows[i].name)) != NULL) != rows[i].denied)
			fail_msg("denied: %zu %s", i, rows[i].name);
	}
	policy_unref(p);
}

static void an_own_set_takes_the_place_of_a_shipped_one(void **state)
{
	(void)state;
	static const char *const sets[] = {"angular", "aws",    "babel", "bootstrap", "eslint", "facebook", "google",
	                                   "jest",    "jquery", "meta",  "microsoft", "react",  "vue"};
	const struct approved_publisher *publishers;
	struct policy *p;

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		char text[256];

		snprintf(text, sizeof(text), "version: 1\nallow: {publishers: [{publisher: \"publisher-set:%s\", reason: x, owner: y, review-by: 2027-01-01}]}\n",
		         sets[i]);
		p = load(text);
		assert_true(policy_publishers(p, &publishers) > 0);
		assert_string_equal(publishers[0].set.p, sets[i]);
		policy_unref(p);
	}
	p = load("version: 1\nallow: {publishers: [{publisher: \"publisher-set:google\", reason: x, owner: y, review-by: 2027-01-01}]}\n"
	         "publisher-sets: {google: [\"npm-user:only-me\"]}\n");
	assert_int_equal(policy_publishers(p, &publishers), 1);
	assert_string_equal(publishers[0].name.p, "only-me");
	policy_unref(p);
}

static void an_overdue_review_warns_and_stays_in_force(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf warnings = BUF(1 << 16);
	struct policy *p = NULL;
	struct err err = {0};

	assert_int_equal(policy_load(str_of(everything), STR("bondgate.yaml"), noon, &environment, &p, &warnings, &err), 0);
	assert_string_equal(buf_cstr(&warnings), "bondgate.yaml:10: the review of npm:left-pad@^1.3.0 is overdue since 2026-11-01; it stays in force\n"
	                                         "bondgate.yaml:13: the review of npm-user:Acme-Bot is overdue since 2026-01-01; it stays in force\n");
	assert_non_null(policy_root(p, ECOSYSTEM_NPM, STR("left-pad")));
	policy_unref(p);
}

static void a_trusted_publisher_without_keys_is_told(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf warnings = BUF(1 << 16);
	struct policy *p = NULL;
	struct err err = {0};

	assert_int_equal(policy_load(STR("version: 1\nallow:\n  publishers:\n    - {publisher: \"trusted-publisher:github.com/a/b\", reason: x, owner: y, "
	                                 "review-by: 2027-01-01}\n"),
	                             STR("b.yaml"), noon, NULL, &p, &warnings, &err),
	                 0);
	assert_string_equal(buf_cstr(&warnings), "b.yaml:4: a trusted-publisher approves nothing while registries.npm.provenance names no files to "
	                                         "verify it with\n");
	policy_unref(p);
}

static void many_overdue_reviews_are_counted(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf text = BUF(1 << 20), warnings = BUF(1 << 16);
	struct policy *p = NULL;
	struct err err = {0};

	buf_add_str(&text, STR("version: 1\nallow:\n  roots:\n"));
	for (int i = 0; i < 100; i++)
		buf_printf(&text, "    - {name: \"npm:package-%d\", reason: x, owner: y, review-by: 2026-01-01}\n", i);
	assert_int_equal(policy_load(buf_str(&text), STR("b.yaml"), noon, NULL, &p, &warnings, &err), 0);
	assert_null(strstr(buf_cstr(&warnings), "package-20 "));
	assert_non_null(strstr(buf_cstr(&warnings), "package-19 is overdue"));
	assert_non_null(strstr(buf_cstr(&warnings), "b.yaml: 80 more reviews are overdue; bondgate policy show marks them all\n"));
	policy_unref(p);
}

static void grants_are_put_over_a_policy_and_end(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf shown = BUF(1 << 18);
	struct exemption exemptions[] = {
		{.package = {.ecosystem = ECOSYSTEM_NPM, .name = STR("a"), .version = STR("1.0.0")}, .rules = 1u << REASON_COOLDOWN, .reason = STR("hurry"),
	     .owner = STR("jo"), .approved_by = STR("kim"), .expires = noon + USEC_DAY, .source = {.file = STR("request 12")}},
		{.package = {.ecosystem = ECOSYSTEM_NPM, .name = STR("b")}, .rules = 1u << REASON_COOLDOWN, .reason = STR("x"), .owner = STR("jo"),
	     .approved_by = STR("kim"), .expires = noon, .source = {.file = STR("request 13")}},
	};
	struct approval approvals[] = {
		{.package = {.ecosystem = ECOSYSTEM_NPM, .name = STR("@other/*")}, .reason = STR("theirs"), .owner = STR("acme"), .ends = noon + 2 * USEC_DAY,
	     .source = {.file = STR("list acme")}},
		{.package = {.ecosystem = ECOSYSTEM_NPM, .name = STR("old")}, .reason = STR("theirs"), .owner = STR("acme"), .ends = noon,
	     .source = {.file = STR("list acme")}},
	};
	struct policy_grants grants = {.exemptions = exemptions, .exemption_count = 2, .approvals = approvals, .approval_count = 2}, none = {0};
	struct policy *base = load(everything), *p = NULL, *same = NULL, *longer = NULL;
	const struct exemption *all;
	struct err err = {0};

	assert_int_equal(policy_with_grants(base, &grants, noon, &p, &err), 0);
	assert_int_equal(policy_with_grants(base, &none, noon, &same, &err), 0);
	assert_true(policy_digest(p) != policy_digest(base));
	assert_true(policy_digest(same) == policy_digest(base));
	assert_int_equal(policy_exemptions(p, &all), 1);
	assert_string_equal(all[0].approved_by.p, "kim");
	assert_non_null(policy_root(p, ECOSYSTEM_NPM, STR("@other/x")));
	assert_null(policy_root(p, ECOSYSTEM_NPM, STR("old")));
	assert_null(policy_root(base, ECOSYSTEM_NPM, STR("@other/x")));
	approvals[0].ends += USEC_DAY;
	assert_int_equal(policy_with_grants(base, &grants, noon, &longer, &err), 0);
	assert_true(policy_digest(longer) != policy_digest(p));
	policy_unref(longer);
	policy_show(p, &shown);
	assert_non_null(strstr(buf_cstr(&shown), "package: \"npm:a@1.0.0\", rules: [cooldown], reason: hurry, owner: jo, approved-by: kim"));
	assert_non_null(strstr(buf_cstr(&shown), "# request 12\n"));
	assert_non_null(strstr(buf_cstr(&shown), "# list acme, until 2026-11-22T12:00:00"));
	policy_unref(base);
	policy_unref(p);
	policy_unref(same);
}

static void five_thousand_roots_load_in_time(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf text = BUF(8 << 20);
	struct policy *p;
	usec start, took;

	buf_add_str(&text, STR("version: 1\nallow:\n  mode: enforce\n  roots:\n"));
	for (int i = 0; i < 5000; i++)
		buf_printf(&text, "    - {name: \"npm:%spackage-%d%s\", reason: platform, owner: web-team, review-by: 2027-03-01}\n", i % 3 ? "" : "@acme/", i,
		           i % 5 ? "" : "@^1.0.0");
	start = time_monotonic();
	p = load(buf_cstr(&text));
	took = time_monotonic() - start;
	print_message("5,000 roots: %lld ms\n", (long long)(took / 1000));
	assert_true(took < 5 * USEC_SECOND); /* with sanitizers, on a busy machine */
	assert_non_null(policy_root(p, ECOSYSTEM_NPM, STR("package-4999")));
	assert_null(policy_root(p, ECOSYSTEM_NPM, STR("package-5000")));
	policy_unref(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_section_is_read),
		cmocka_unit_test(what_is_shown_of_it_loads_as_the_same_and_hides_secrets),
		cmocka_unit_test(every_mistake_is_told_with_its_place),
		cmocka_unit_test(every_example_of_the_page_loads),
		cmocka_unit_test(a_delay_that_a_file_sets_is_in_force),
		cmocka_unit_test(the_shipped_policies_are_what_they_say),
		cmocka_unit_test(names_are_compared_as_their_registry_does),
		cmocka_unit_test(publishers_are_looked_up_by_kind_and_name),
		cmocka_unit_test(an_own_set_takes_the_place_of_a_shipped_one),
		cmocka_unit_test(an_overdue_review_warns_and_stays_in_force),
		cmocka_unit_test(a_trusted_publisher_without_keys_is_told),
		cmocka_unit_test(many_overdue_reviews_are_counted),
		cmocka_unit_test(grants_are_put_over_a_policy_and_end),
		cmocka_unit_test(five_thousand_roots_load_in_time),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
