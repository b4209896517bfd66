#include "unit.h"

#include "base/file.h"
#include "codec/json.h"
#include "registry/npm/audit.h"

#define NOW (20000 * USEC_DAY)

static struct advisories *advisories;
static struct policy *policy; /* NULL: none */

/* Texts are written with ' where JSON has ". */
static struct str with_quotes(struct arena *a, const char *text)
{
	struct str s = arena_str(a, str_of(text));

	for (char *p = (char *)(uintptr_t)s.p; *p; p++)
		if (*p == '\'')
			*p = '"';
	return s;
}

static int load(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	char path[] = "/tmp/bondgate-audit-XXXXXX.json";
	int fd = mkstemps(path, 5);
	struct err err = {0};
	size_t records, skipped;
	struct str text = with_quotes(
		a, "[{'id':'GHSA-aaaa-bbbb-cccc','modified':'2024-01-01T00:00:00Z','published':'2024-01-01T00:00:00Z','summary':'Prototype "
	       "\\'pollution\\'','database_specific':{'severity':'HIGH','cwe_ids':['CWE-1321']},"
		   "'aliases':['CVE-2024-1'],'severity':[{'type':'CVSS_V3','score':'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H'}],"
		   "'affected':[{'package':{'ecosystem':'npm','name':'lab-a'},'ranges':[{'type':'SEMVER','events':[{'introduced':'0'},{'fixed':'1."
	       "2.0'}]}]}]},"
		   "{'id':'MAL-2024-1','modified':'2024-01-01T00:00:00Z','published':'2024-01-01T00:00:00Z','summary':'Malicious code in lab-evil',"
		   "'affected':[{'package':{'ecosystem':'npm','name':'lab-evil'},'versions':['6.6.6']}]},"
		   "{'id':'GHSA-late-late-late','modified':'2024-12-01T00:00:00Z','published':'2024-12-01T00:00:00Z','summary':'not yet published',"
		   "'affected':[{'package':{'ecosystem':'npm','name':'lab-a'},'ranges':[{'type':'SEMVER','events':[{'introduced':'0'}]}]}]}]");
	int r = write(fd, text.p, text.n) == (ssize_t)text.n ? 0 : -1;

	close(fd);
	if (r == 0)
		r = advisories_load(path, &advisories, &records, &skipped, &err);
	unlink(path);
	return r == 0 && records == 3 && skipped == 0 ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	advisories_unref(advisories);
	return 0;
}

typedef int audit_function(struct str body, const struct advisories *advisories, const struct policy *policy, usec now, struct buf *out,
                           struct err *err);

/* The answer with ' for ", checked to be JSON. */
static const char *ask(audit_function *audit, const char *body, struct arena *a)
{
	CLEANUP_BUF struct buf out = BUF(MIB);
	struct json_reader reader;
	struct err err = {0};
	struct str text;

	if (audit(with_quotes(a, body), advisories, policy, NOW, &out, &err) < 0)
		fail_msg("%s", err.text);
	json_init(&reader, buf_str(&out));
	json_skip(&reader, NULL);
	assert_int_equal(json_finish(&reader, &err), 0);
	text = arena_str(a, buf_str(&out));
	for (char *p = (char *)(uintptr_t)text.p; *p; p++)
		if (*p == '"')
			*p = '\'';
	return text.p;
}

static void has(const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("no %s in %s", part, text ? text : "nothing");
}

static void the_bulk_answer_names_what_is_known(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(64 * MIB);
	const char *text =
		ask(npm_audit_bulk, "{'lab-dep':['1.0.0'],'lab-a':['1.1.0','1.2.0','1.0.0'],'lab-evil':['6.6.6'],'@in/house':['1.0.0']}", a);

	has(text, "{'lab-a':[{'id':");
	has(text, "'title':'Prototype \\'pollution\\'','severity':'high','vulnerable_versions':'<1.2.0'");
	has(text, "'cwe':['CWE-1321'],'cvss':{'score':9.8,'vectorString':'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H'}}],'lab-evil':[{'id':");
	has(text, "'cvss':{'score':0,'vectorString':null}");
	has(text, "'severity':'critical'");
	has(text, "'cwe':['CWE-506']");
	assert_null(strstr(text, "lab-dep"));
	assert_null(strstr(text, "house"));
	assert_null(strstr(text, "not yet published"));
	/* Two versions of one package, one advisory. */
	assert_null(strstr(strstr(text, "pollution") + 1, "pollution"));
}

static void nothing_known_is_an_empty_object(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(64 * MIB);

	assert_string_equal(ask(npm_audit_bulk, "{}", a), "{}");
	assert_string_equal(ask(npm_audit_bulk, "{'lab-a':['1.2.0'],'x':[]}", a), "{}");
}

static void the_number_of_an_advisory_is_stable(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(64 * MIB);
	const char *bulk = ask(npm_audit_bulk, "{'lab-a':['1.0.0']}", a),
			   *quick = ask(npm_audit_quick, "{'dependencies':{'lab-a':{'version':'1.1.0'}}}", a);
	long long id = strtoll(strstr(bulk, "'id':") + 5, NULL, 10);

	/* Drawn from "GHSA-aaaa-bbbb-cccc": another process must say the same. */
	assert_int_equal(id, strtoll(strstr(quick, "'id':") + 5, NULL, 10));
	assert_int_equal(id, 0x32dfa62f);
}

static void the_quick_answer_has_all_that_old_clients_need(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(64 * MIB);
	const char *text = ask(npm_audit_quick,
	                       "{'name':'p','version':'1.0.0','requires':{'b':'1'},'dependencies':{'b':{'dependencies':{'lab-a':{'version':'1."
	                       "0.0','dev':true}},'version':'1.0.0'},"
	                       "'lab-a':{'version':'1.1.0'},'lab-evil':{'version':'6.6.6'},'odd':7},'install':[],'remove':[],'metadata':{}}",
	                       a);

	has(text, "{'actions':[{'action':'review','module':'lab-a','resolves':[{'id':");
	has(text, "'path':'b>lab-a'");
	has(text, "'findings':[{'version':'1.0.0','paths':['b>lab-a']},{'version':'1.1.0','paths':['lab-a']}]");
	has(text, "'module_name':'lab-evil'");
	has(text, "'patched_versions':'>=1.2.0'");
	has(text, "'muted':[],'metadata':{'vulnerabilities':{'info':0,'low':0,'moderate':0,'high':2,'critical':1},'dependencies':4,");
	assert_string_equal(
		ask(npm_audit_quick, "{}", a),
		"{'actions':[],'advisories':{},'muted':[],'metadata':{'vulnerabilities':{'info':0,'low':0,'moderate':0,'high':0,'critical':0},"
		"'dependencies':0,'devDependencies':0,'optionalDependencies':0,'totalDependencies':0}}");
}

static void what_the_policy_ignores_is_left_out(void **state)
{
	(void)state;
	static const char *const questions[] = {"{'lab-a':['1.1.0'],'lab-evil':['6.6.6']}",
	                                        "{'dependencies':{'lab-a':{'version':'1.1.0'},'lab-evil':{'version':'6.6.6'}}}"};
	static const struct {
		const char *line;
		bool left_out;
	} rows[] = {
		{"{id: cve-2024-1, reason: r, owner: o, expires: 2024-12-31}", true},
		{"{id: CVE-2024-1, package: \"npm:lab-*@<1.2.0\", reason: r, owner: o, expires: 2024-12-31}", true},
		{"{id: CVE-2024-1, package: \"npm:lab-a@<1.1.0\", reason: r, owner: o, expires: 2024-12-31}", false},
		{"{id: CVE-2024-1, package: \"nuget:lab-a\", reason: r, owner: o, expires: 2024-12-31}", false},
		{"{id: CVE-2024-1, reason: r, owner: o, expires: 2024-10-03}", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(64 * MIB);
		struct str text = arena_printf(
			a, "version: 1\nadvisories:\n  ignore:\n    - %s\n    - {id: MAL-2024-1, reason: r, owner: o, expires: 2024-12-31}\n",
			rows[i].line);
		struct err err = {0};

		if (policy_load(text, STR("bondgate.yaml"), NOW, NULL, &policy, NULL, &err) < 0)
			fail_msg("%s", err.text);
		for (size_t q = 0; q < 2; q++) {
			const char *answer = ask(q ? npm_audit_quick : npm_audit_bulk, questions[q], a);

			assert_int_equal(strstr(answer, "pollution") == NULL, rows[i].left_out);
			has(answer, "Malicious code in lab-evil");
		}
		policy_unref(policy);
		policy = NULL;
	}
}

static void a_body_that_is_no_question_is_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {"", "[]", "{", "{'a':1}", "{'a':{}}", "{'a':[1]}", "{'a':['1.0.0']", "{'a':['1.0.0']}x"};
	CLEANUP_ARENA struct arena *a = arena_new(64 * MIB);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_BUF struct buf out = BUF(MIB);
		struct err err = {0};

		if (npm_audit_bulk(with_quotes(a, rows[i]), advisories, policy, NOW, &out, &err) != -EBADMSG)
			fail_msg("%s", rows[i]);
		assert_true(err.text[0] != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bulk_answer_names_what_is_known), cmocka_unit_test(nothing_known_is_an_empty_object),
		cmocka_unit_test(the_number_of_an_advisory_is_stable), cmocka_unit_test(the_quick_answer_has_all_that_old_clients_need),
		cmocka_unit_test(what_the_policy_ignores_is_left_out), cmocka_unit_test(a_body_that_is_no_question_is_refused),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
