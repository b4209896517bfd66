#include "unit.h"

#include "base/limits.h"
#include "codec/json.h"
#include "registry/npm/search.h"

static struct str with_quotes(struct arena *a, const char *text)
{
	struct str s = arena_str(a, str_of(text));

	for (char *p = (char *)(uintptr_t)s.p; *p; p++)
		if (*p == '\'')
			*p = '"';
	return s;
}

static const char answer[] =
	"{'objects':[{'package':{'name':'lab-a','scope':'unscoped','version':'1.2.0','date':'2026-01-01T00:00:00.000Z','keywords':[],'links':{'npm':'https://x/'}},"
	"'score':{'final':0.9},'searchScore':100,'updated':'2026-01-01T00:00:00.000Z'},"
	"{'package':{'name':'@lab\\u002fhidden','version':'6.6.6','date':'x'}},7,{'package':{}},{'package':{'name':'lab-b','version':'2.0.0'}}],'total':40,'time':'now'}";

static void the_names_come_in_order(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct str *names;
	size_t count;

	assert_int_equal(npm_search_names(with_quotes(a, answer), a, &names, &count, NULL), 0);
	assert_int_equal(count, 5);
	assert_true(str_eq(names[0], STR("lab-a")));
	assert_true(str_eq(names[1], STR("@lab/hidden")));
	assert_int_equal(names[2].n, 0);
	assert_int_equal(names[3].n, 0);
	assert_true(str_eq(names[4], STR("lab-b")));
}

static void what_is_hidden_is_not_found(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	CLEANUP_BUF struct buf out = BUF(MIB);
	struct npm_search_verdict verdicts[5] = {{true, STR("1.1.0"), 20000 * USEC_DAY}, {false, STR(""), 0}, {true, STR("1"), 0}, {true, STR("1"), 0},
	                                         {true, STR("2.0.0"), 20001 * USEC_DAY}};
	struct str expected;

	/* A package without a name gets whatever verdict the caller gives it: here, none. */
	verdicts[3].shown = false;
	expected = with_quotes(a,
		"{'objects':[{'package':{'name':'lab-a','scope':'unscoped','keywords':[],'links':{'npm':'https://x/'},'version':'1.1.0','date':'2024-10-04T00:00:00.000Z'},"
		"'score':{'final':0.9},'searchScore':100},"
		"{'package':{'name':'lab-b','version':'2.0.0','date':'2024-10-05T00:00:00.000Z'}}],'time':'now','total':37}");
	assert_int_equal(npm_search_filter(with_quotes(a, answer), verdicts, 5, &out, NULL), 0);
	if (!str_eq(buf_str(&out), expected))
		fail_msg("%.*s", STR_ARG(buf_str(&out)));
	buf_clear(&out);
	/* Fewer verdicts than results: what nobody decided on is not shown. */
	assert_int_equal(npm_search_filter(with_quotes(a, answer), verdicts, 0, &out, NULL), 0);
	assert_string_equal(buf_cstr(&out), with_quotes(a, "{'objects':[],'time':'now','total':35}").p);
}

static void a_second_list_does_not_pass(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	CLEANUP_BUF struct buf out = BUF(MIB);

	assert_int_equal(npm_search_filter(with_quotes(a, "{'objects':[],'\\u006fbjects':[{'package':{'name':'x'}}]}"), NULL, 0, &out, NULL), 0);
	assert_string_equal(buf_cstr(&out), with_quotes(a, "{'objects':[],'total':0}").p);
}

static void a_bad_answer_is_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {"", "[]", "{'objects':[", "<html>"};
	CLEANUP_ARENA struct arena *a = arena_new(MIB);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_BUF struct buf out = BUF(MIB);
		struct err err = {0};
		struct str *names;
		size_t count;

		assert_int_equal(npm_search_names(with_quotes(a, rows[i]), a, &names, &count, &err), -EBADMSG);
		assert_int_equal(npm_search_filter(with_quotes(a, rows[i]), NULL, 0, &out, &err), -EBADMSG);
		assert_true(err.text[0] != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_names_come_in_order),
		cmocka_unit_test(what_is_hidden_is_not_found),
		cmocka_unit_test(a_second_list_does_not_pass),
		cmocka_unit_test(a_bad_answer_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
