/* The pure parts of what people do: forms, weights, lists of approvals, persons, messages. */
#include "unit.h"

#include "base/limits.h"
#include "gate/approval_list.h"
#include "gate/form.h"
#include "gate/lifting.h"
#include "gate/people.h"
#include "gate/people_call.h"
#include "gate/webhook_message.h"

static const usec now = 1795000000 * USEC_SECOND; /* 2026-11-18 */

static void assert_str(struct str got, const char *expected)
{
	if (!str_eq(got, str_of(expected)))
		fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(got), expected);
}

static void one_person_has_one_name(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{"kim", "kim", true},       {"kim", "KIM", true},      {"local:kim", "Kim", true}, {"LOCAL:kim", "local:KIM", true},
		{" kim", "kim", true},      {"kim", "kimi", false},    {"kim", "", false},         {"local:", "kim", false},
		{"local:kim", "jo", false}, {"kim@a", "kim@b", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (same_person(str_of(rows[i].a), str_of(rows[i].b)) != rows[i].same)
			fail_msg("%s and %s", rows[i].a, rows[i].b);
}

static void roles_and_rules_are_words(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct err err = {0};
	unsigned roles = 0;
	uint32_t rules = 0;

	assert_int_equal(roles_parse(STR("approver, requester"), &roles, &err), 0);
	assert_str(roles_format(a, roles), "requester approver");
	assert_int_equal(roles_parse(STR("root"), &roles, &err), -EINVAL);
	assert_non_null(strstr(err.text, "auditor"));
	assert_int_equal(roles_parse(STR(" "), &roles, &err), -EINVAL);
	assert_int_equal(rules_parse(STR("install-script,cooldown"), &rules, &err), 0);
	assert_str(rules_format(a, rules), "cooldown install-script");
	assert_int_equal(rules_parse(STR("exempt"), &rules, &err), -EINVAL);
	assert_int_equal(rules_parse(STR("*"), &rules, &err), -EINVAL);
	assert_int_equal(rules_parse(STR(""), &rules, &err), 0);
	assert_int_equal(rules, 0);
}

static void the_weightiest_rule_counts(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	const struct purl p = {ECOSYSTEM_NPM, STR("a"), STR("1.0.0")};
	static const struct {
		const char *rules;
		enum severity severity;
		bool never;
	} rows[] = {
		{"cooldown", SEVERITY_LOW, false},
		{"cooldown install-script", SEVERITY_MODERATE, false},
		{"publisher-changed new-binary", SEVERITY_HIGH, false},
		{"vulnerable", SEVERITY_HIGH, false},
		{"denied", SEVERITY_CRITICAL, false},
		{"signature-invalid cooldown", SEVERITY_CRITICAL, true},
		{"manifest-mismatch", SEVERITY_CRITICAL, true},
		{"malware", SEVERITY_CRITICAL, true},
		{"hash-changed cooldown", SEVERITY_CRITICAL, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t rules = 0;

		assert_int_equal(rules_parse(str_of(rows[i].rules), &rules, NULL), 0);
		assert_int_equal(rules_severity(rules, NULL, &p, now), rows[i].severity);
		assert_int_equal(rules_never_sentence(rules, a).n > 0, rows[i].never);
	}
}

static void only_what_is_enforced_is_in_force(void **state)
{
	(void)state;
	const struct decision d = {.reason_count = 3,
	                           .reasons = {{.code = REASON_COOLDOWN, .verdict = VERDICT_HOLD, .mode = MODE_ENFORCE},
	                                       {.code = REASON_EXEMPT, .verdict = VERDICT_ALLOW, .mode = MODE_ENFORCE},
	                                       {.code = REASON_LOOK_ALIKE, .verdict = VERDICT_HOLD, .mode = MODE_REPORT}}};

	assert_int_equal(rules_in_force(&d), UINT32_C(1) << REASON_COOLDOWN);
}

static void a_form_knows_its_fields(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct form f;
	struct err err = {0};

	assert_int_equal(form_parse(STR("{\"a\":\"x\\ny\",\"b\":[\"p\",\"q\"],\"c\":null}"), "a b c", a, &f, &err), 0);
	assert_str(form_get(&f, "a"), "x\ny");
	assert_str(form_get(&f, "b"), "p q");
	assert_int_equal(form_get(&f, "c").n, 0);
	assert_int_equal(form_parse(STR(""), "a", a, &f, &err), 0);
	assert_int_equal(form_parse(STR("{\"d\":1}"), "a b c", a, &f, &err), -EINVAL);
	assert_non_null(strstr(err.text, "\"d\""));
	assert_int_equal(form_parse(STR("{\"a\":\"x\",\"\\u0061\":\"y\"}"), "a", a, &f, &err), -EINVAL);
	assert_int_equal(form_parse(STR("{\"a\":{}}"), "a", a, &f, &err), -EINVAL);
	assert_int_equal(form_parse(STR("{\"a\":\"x\"} x"), "a", a, &f, &err), -EINVAL);
}

#define HEAD "{\"bondgate-approvals\": 1, \"name\": \"acme\", \"approvals\": ["

static void a_list_of_approvals_is_taken_whole_or_not(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *problem; /* NULL: fine */
		size_t count, ended;
	} rows[] = {
		{HEAD "]}", NULL, 0, 0},
		{HEAD "{\"package\": \"npm:react\", \"reason\": \"r\", \"owner\": \"o\", \"ends\": \"2027-03-01\"}]}", NULL, 1, 0},
		{HEAD "{\"package\": \"npm:@acme/*@^1\", \"reason\": \"r\", \"owner\": \"o\", \"ends\": \"2026-01-01\"}]}", NULL, 0, 1},
		{"bondgate-approvals: 1\nname: acme\napprovals:\n  - {package: \"npm:react\", reason: r, owner: o, ends: 2027-03-01}\n", NULL, 1,
	     0},
		{HEAD "{\"package\": \"npm:react\", \"reason\": \"r\", \"owner\": \"o\"}]}", "ends is missing", 0, 0},
		{HEAD "{\"package\": \"npm:react\", \"reason\": \" \", \"owner\": \"o\", \"ends\": \"2027-03-01\"}]}", "reason is missing", 0, 0},
		{HEAD "{\"package\": \"npm:react\", \"reason\": \"r\", \"owner\": \"o\", \"ends\": \"2036-03-01\"}]}", "at most 400d", 0, 0},
		{HEAD "{\"package\": \"npm:*\", \"reason\": \"r\", \"owner\": \"o\", \"ends\": \"2027-03-01\"}]}", "nearly every name", 0, 0},
		{HEAD "{\"package\": \"npm:@*/*\", \"reason\": \"r\", \"owner\": \"o\", \"ends\": \"2027-03-01\"}]}", "nearly every name", 0, 0},
		{HEAD "{\"package\": \"npm:react@not a range\", \"reason\": \"r\", \"owner\": \"o\", \"ends\": \"2027-03-01\"}]}", "package", 0, 0},
		{HEAD "{\"package\": \"npm:react\", \"reason\": \"r\", \"owner\": \"o\", \"ends\": \"2027-03-01\", \"rules\": \"malware\"}]}",
	     "\"rules\" is not known", 0, 0},
		{"{\"name\": \"acme\", \"approvals\": []}", "bondgate-approvals", 0, 0},
		{"{\"bondgate-approvals\": 1, \"name\": \"a:b\", \"approvals\": []}", "name", 0, 0},
		{"{\"bondgate-approvals\": 1, \"name\": \"acme\"}", "`approvals` is missing", 0, 0},
		{"[]", "no list", 0, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(MIB);
		struct approval_list list = {0};
		struct err err = {0};
		int r = approval_list_parse(str_of(rows[i].text), now, a, &list, &err);

		if (rows[i].problem ? r >= 0 || !strstr(err.text, rows[i].problem) : r < 0)
			fail_msg("%s: %d %s", rows[i].text, r, err.text);
		assert_int_equal(list.count, rows[i].count);
		assert_int_equal(list.ended, rows[i].ended);
	}
}

static void what_people_write_is_no_markup_of_a_chat(void **state)
{
	(void)state;
	const struct evidence e = {.time = now,
	                           .seq = 7,
	                           .kind = EVIDENCE_REQUEST,
	                           .name = STR("axios"),
	                           .version = STR("1.14.1"),
	                           .identity = STR("kim"),
	                           .decision = STR("request 1"),
	                           .detail = STR("<!channel> [x](http://a) \"q\" & so")};
	CLEANUP_BUF struct buf slack = BUF(MIB), teams = BUF(MIB), generic = BUF(MIB);

	webhook_message(WEBHOOK_SLACK, &e, STR("g"), &slack);
	webhook_message(WEBHOOK_TEAMS, &e, STR("g"), &teams);
	webhook_message(WEBHOOK_GENERIC, &e, STR("g"), &generic);
	assert_true(str_find(buf_str(&slack), STR("&lt;!channel&gt;")) > 0);
	assert_true(str_find(buf_str(&slack), STR("&amp; so")) > 0);
	assert_true(str_find(buf_str(&teams), STR("(x)(http://a)")) > 0);
	assert_true(str_find(buf_str(&generic), STR("\"package\":\"npm:axios@1.14.1\"")) > 0);
	assert_true(str_find(buf_str(&generic), STR("\"seq\":7")) > 0);
	assert_int_equal(webhook_event_of(&e), WEBHOOK_REQUEST);
	assert_int_equal(webhook_event_of(&(const struct evidence){.kind = EVIDENCE_RECEIPT}), 0);
}

static void a_text_is_one_line_and_whole_characters(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);

	assert_str(plain_text(a, STR("  a\nb\x1b[2J  "), 100), "a b [2J");
	assert_str(plain_text(a, STR("\n \t"), 100), "");
	assert_str(plain_text(a, STR("aaa\xc3\xa9"), 4), "aaa");
	assert_str(plain_text(a, STR("aaa\xc3\xa9"), 6), "aaa\xc3\xa9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_person_has_one_name),
		cmocka_unit_test(roles_and_rules_are_words),
		cmocka_unit_test(the_weightiest_rule_counts),
		cmocka_unit_test(only_what_is_enforced_is_in_force),
		cmocka_unit_test(a_form_knows_its_fields),
		cmocka_unit_test(a_list_of_approvals_is_taken_whole_or_not),
		cmocka_unit_test(what_people_write_is_no_markup_of_a_chat),
		cmocka_unit_test(a_text_is_one_line_and_whole_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
