#include "unit.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/jsonc.h"
#include "codec/xml.h"

static void elements_attributes_and_lines_are_read(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct str text =
		STR("<?xml version=\"1.0\"?>\n<ns:Project xmlns:ns=\"urn:x\">\n <Item Include=\" A &amp; B \">\n  <Version> 1.0<!-- c -->.2 "
	        "</Version></Item>\n</ns:Project>");
	struct xml_node *root;

	assert_int_equal(xml_parse(a, text, STR("x"), &root, NULL), 0);
	assert_true(xml_is(root, STR("project")));
	assert_int_equal(root->first->line, 3);
	assert_true(str_eq(xml_attribute(root->first, STR("include")), STR("A & B")));
	assert_true(str_eq(xml_value(root->first, STR("Version")), STR("1.0.2")));
	assert_null(xml_value(root->first, STR("None")).p);
}

static void what_is_dangerous_is_refused(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(16 * MIB);
	CLEANUP_BUF struct buf deep = BUF(MIB);
	struct err err = {0};
	struct xml_node *root;
	const struct {
		const char *text, *message;
		int code;
	} cases[] = {
		{"<!DOCTYPE a>\n<a/>", "x:1: a DOCTYPE is not accepted", -EBADMSG},
		{"<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "DOCTYPE", -EBADMSG},
		{"<a>&unknown;</a>", "x:1: ", -EBADMSG},
		{"<a>\n<b></a>", "x:2: ", -EBADMSG},
		{"", "x:1: ", -EBADMSG},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(xml_parse(a, str_of(cases[i].text), STR("x"), &root, &err), cases[i].code);
		if (!strstr(err.text, cases[i].message))
			fail_msg("%s: %s", cases[i].text, err.text);
	}
	for (size_t i = 0; i < 100; i++)
		buf_add_str(&deep, STR("<a>"));
	assert_int_equal(xml_parse(a, buf_str(&deep), STR("x"), &root, &err), -EFBIG);
}

static void comments_and_last_commas_become_blanks(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	const struct {
		const char *text, *expected;
	} cases[] = {
		{"[1,]", "[1 ]"},
		{"{\"a\": 1, // x\n}", "{\"a\": 1      \n}"},
		{"[1, /* , */ 2,\n ]", "[1,         2 \n ]"},
		{"[\"//\", \"/*\", \",]\"]", "[\"//\", \"/*\", \",]\"]"},
		{"[\"\\\",\",]", "[\"\\\",\" ]"},
		{"/* open", "       "},
		{"\"open,]", "\"open,]"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str got = jsonc_blank(a, str_of(cases[i].text));

		if (!str_eq(got, str_of(cases[i].expected)))
			fail_msg("%s: %.*s", cases[i].text, STR_ARG(got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_attributes_and_lines_are_read),
		cmocka_unit_test(what_is_dangerous_is_refused),
		cmocka_unit_test(comments_and_last_commas_become_blanks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
