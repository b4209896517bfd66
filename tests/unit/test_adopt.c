#include "unit.h"

#include "policy/adopt.h"
#include "store/adopted.h"
#include "store_fixture.h"

/* 2026-01-01T00:00:00Z */
static const usec now = INT64_C(1767225600) * USEC_SECOND;

static const struct adopted_root roots[] = {
	{ECOSYSTEM_NPM, STR("@lab/a"), STR("web/package-lock.json")},
	{ECOSYSTEM_NUGET, STR("Lab.B"), STR("b \"x\"\\y")},
};
static const struct adopted_exemption exemptions[] = {
	{ECOSYSTEM_NPM, STR("lab-c"), STR("1.0.0"), STR("f"), UINT32_C(1) << REASON_COOLDOWN, INT64_C(1767225600) * USEC_SECOND + 3 * USEC_DAY},
	{ECOSYSTEM_NPM, STR("lab-d"), STR("2.0.0"), STR("f"), UINT32_C(1) << REASON_COOLDOWN | UINT32_C(1) << REASON_VULNERABLE, USEC_NEVER},
};

static const struct adoption whole = {
	.roots = roots,
	.root_count = 2,
	.exemptions = exemptions,
	.exemption_count = 2,
	.owner = STR("jo"),
	.approved_by = STR("adoption"),
	.now = INT64_C(1767225600) * USEC_SECOND,
};

#define ROOT_A "- {name: \"npm:@lab/a\", reason: \"adopted 2026-01-01 from web/package-lock.json\", owner: \"jo\", review-by: 2026-04-01}\n"
#define ROOT_B "- {name: \"nuget:Lab.B\", reason: \"adopted 2026-01-01 from b \\\"x\\\"\\\\y\", owner: \"jo\", review-by: 2026-06-30}\n"
#define ROOTS(indent) indent ROOT_A indent ROOT_B
#define EXEMPTION(name, rules, end) \
	"- {package: \"npm:" name "\", rules: [" rules "], reason: \"adopted 2026-01-01 from f\", owner: \"jo\", approved-by: \"adoption\", expires: " end "}\n"
#define EXEMPTIONS(indent) \
	indent EXEMPTION("lab-c@1.0.0", "cooldown", "2026-01-05") indent EXEMPTION("lab-d@2.0.0", "cooldown, vulnerable", "2026-04-01")
#define MODE "  mode: report   # enforce refuses what no approved root needs; bondgate report says what that would be\n"

/* The result also is a policy that loads. */
static void assert_adopted(const char *before, const char *after)
{
	CLEANUP_BUF struct buf out = BUF(65536);
	struct policy *p = NULL;
	struct err err = {0};

	if (policy_adopt(str_of(before), &whole, &out, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(buf_cstr(&out), after);
	if (policy_load(buf_str(&out), STR("p"), now, NULL, &p, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_non_null(policy_root(p, ECOSYSTEM_NPM, STR("@lab/a")));
	policy_unref(p);
}

static void without_a_policy_it_makes_one(void **state)
{
	(void)state;
	assert_adopted("", "version: 1\nallow:\n" MODE "  roots:\n" ROOTS("    ") "exemptions:\n" EXEMPTIONS("  "));
}

static void lists_that_are_there_grow_at_their_ends(void **state)
{
	(void)state;
	assert_adopted("version: 1\nallow:\n  mode: report\n  roots:\n  - {name: \"npm:x\", reason: r, owner: o, review-by: 2027-01-01}\n\n# between\n"
	               "cooldown: {default: 3d}\nexemptions:\n# few\n    - {package: \"npm:x@1.0.0\", rules: [cooldown], reason: r, owner: o, expires: 2026-01-02}",
	               "version: 1\nallow:\n  mode: report\n  roots:\n  - {name: \"npm:x\", reason: r, owner: o, review-by: 2027-01-01}\n" ROOTS("  ")
	               "\n# between\ncooldown: {default: 3d}\nexemptions:\n# few\n    - {package: \"npm:x@1.0.0\", rules: [cooldown], reason: r, owner: o, "
	               "expires: 2026-01-02}\n" EXEMPTIONS("    "));
}

static void empty_lists_give_way_and_their_comments_stay(void **state)
{
	(void)state;
	assert_adopted("version: 1\nexemptions: []  # none yet\nallow:\n  roots: []\n  mode: report\ndeny: {names: []}\n",
	               "version: 1\nexemptions: # none yet\n" EXEMPTIONS("  ") "allow:\n  roots: \n" ROOTS("    ")
	               "  mode: report\ndeny: {names: []}\n");
}

static void a_section_without_the_list_gets_it(void **state)
{
	(void)state;
	assert_adopted("version: 1\nallow:\n    mode: report\n    # more\nmode: enforce\n",
	               "version: 1\nallow:\n    mode: report\n    roots:\n" ROOTS("      ") "    # more\nmode: enforce\nexemptions:\n" EXEMPTIONS("  "));
}

static void a_list_on_one_line_is_named(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf out = BUF(65536);
	struct err err = {0};

	assert_int_equal(policy_adopt(STR("version: 1\nallow: {mode: report}\n"), &whole, &out, &err), -EINVAL);
	assert_non_null(strstr(err.text, "allow"));
	assert_non_null(strstr(err.text, "one item a line"));
}

static int count_names(void *arg, const struct adopted *a)
{
	assert_true(str_eq(a->name, STR("lab-a")) || str_eq(a->name, STR("lab-b")));
	++*(int *)arg;
	return 0;
}

static void adopted_names_come_back_once_each(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);
	const struct adopted all[] = {
		{ECOSYSTEM_NPM, STR("lab-a"), STR("1.0.0"), STR("f"), 1},
		{ECOSYSTEM_NPM, STR("lab-a"), STR("1.1.0"), STR("f"), 1},
		{ECOSYSTEM_NUGET, STR("lab-b"), STR("1.0.0"), STR("f"), 1},
	};
	struct err err = {0};
	int names = 0;

	assert_int_equal(store_adopted_add(s, all, 3, NULL, &err), 0);
	assert_int_equal(store_adopted_add(s, all, 2, NULL, &err), 0);
	assert_int_equal(store_adopted_names(s, count_names, &names, &err), 0);
	assert_int_equal(names, 2);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_policy_it_makes_one),
		cmocka_unit_test(lists_that_are_there_grow_at_their_ends),
		cmocka_unit_test(empty_lists_give_way_and_their_comments_stay),
		cmocka_unit_test(a_section_without_the_list_gets_it),
		cmocka_unit_test(a_list_on_one_line_is_named),
		FIXTURE_TEST(adopted_names_come_back_once_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
