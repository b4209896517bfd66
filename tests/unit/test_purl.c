#include "unit.h"

#include <stdio.h>

#include "base/limits.h"
#include "codec/purl.h"

static void purls_and_short_forms_read_the_same(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
	static const struct {
		const char *text;
		enum ecosystem ecosystem;
		const char *name, *version;
		const char *purl;
	} rows[] = {
		{"npm:left-pad", ECOSYSTEM_NPM, "left-pad", "", "pkg:npm/left-pad"},
		{"npm:axios@1.14.1", ECOSYSTEM_NPM, "axios", "1.14.1", "pkg:npm/axios@1.14.1"},
		{"npm:@scope/name@1.2.3", ECOSYSTEM_NPM, "@scope/name", "1.2.3", "pkg:npm/%40scope/name@1.2.3"},
		{"npm:@scope/name", ECOSYSTEM_NPM, "@scope/name", "", "pkg:npm/%40scope/name"},
		{"pkg:npm/%40scope/name@1.2.3", ECOSYSTEM_NPM, "@scope/name", "1.2.3", "pkg:npm/%40scope/name@1.2.3"},
		{"pkg:npm/@scope/name@1.2.3", ECOSYSTEM_NPM, "@scope/name", "1.2.3", "pkg:npm/%40scope/name@1.2.3"},
		{"pkg:npm/%40scope%2Fname", ECOSYSTEM_NPM, "@scope/name", "", "pkg:npm/%40scope/name"},
		{"PKG://NPM/JSONStream@1.0.0", ECOSYSTEM_NPM, "JSONStream", "1.0.0", "pkg:npm/JSONStream@1.0.0"},
		{"npm:x@1.0.0-rc.1+b.2", ECOSYSTEM_NPM, "x", "1.0.0-rc.1+b.2", "pkg:npm/x@1.0.0-rc.1%2Bb.2"},
		{"pkg:npm/x@1.0.0%2bb", ECOSYSTEM_NPM, "x", "1.0.0+b", "pkg:npm/x@1.0.0%2Bb"},
		{"npm:jest'!()*~_.-x", ECOSYSTEM_NPM, "jest'!()*~_.-x", "", "pkg:npm/jest%27%21%28%29%2A~_.-x"},
		{"nuget:Newtonsoft.Json@13.0.3", ECOSYSTEM_NUGET, "Newtonsoft.Json", "13.0.3", "pkg:nuget/Newtonsoft.Json@13.0.3"},
		{"pkg:nuget/Acme.Tool", ECOSYSTEM_NUGET, "Acme.Tool", "", "pkg:nuget/Acme.Tool"},
		{"nuget:W\xd1\x96n", ECOSYSTEM_NUGET, "W\xd1\x96n", "", "pkg:nuget/W%D1%96n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct purl p, again;
		struct err err = {0};
		struct str formatted;

		if (purl_parse(a, str_of(rows[i].text), &p, &err) < 0)
			fail_msg("%s: %s", rows[i].text, err.text);
		assert_int_equal(p.ecosystem, rows[i].ecosystem);
		assert_true(str_eq(p.name, str_of(rows[i].name)));
		assert_true(str_eq(p.version, str_of(rows[i].version)));
		formatted = purl_format(a, p.ecosystem, p.name, p.version);
		assert_string_equal(formatted.p, rows[i].purl);
		assert_int_equal(purl_parse(a, formatted, &again, &err), 0);
		assert_true(str_eq(again.name, p.name) && str_eq(again.version, p.version));
	}
}

static void what_names_no_package_is_refused_with_why(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"", "names no package"}, {"left-pad", "names no package"}, {"pip:x@1", "names no package"}, {"pkg:npm", "names no package"},
		{"pkg:pypi/x", "names no package"}, {"npm:", "name is missing"}, {"npm:x@", "without a version"},
		{"npm:@scope", "followed by / and a name"}, {"npm:@/x", "scope is missing"}, {"npm:@scope/@1.0.0", "name is missing"},
		{"pkg:npm/x@1.0.0?arch=x64", "qualifiers"}, {"pkg:npm/x#lib", "qualifiers"}, {"pkg:npm/x%4", "hexadecimal"},
		{"pkg:npm/x%zz", "hexadecimal"}, {"pkg:npm/a%2f..%2fb", "two dots"}, {"npm:a/b", "byte 2 of the name"},
		{"npm:x y", "byte 2"}, {"pkg:npm/x%00", "byte 2"}, {"npm:x@1\n2", "control character"},
		{"nuget:", "is empty"}, {"nuget:a..b", "single . or -"}, {"nuget:.a", "single . or -"}, {"nuget:a.", "ends with"},
		{"nuget:a/b", "single . or -"}, {"nuget:\xff", "single . or -"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct purl p = {.name = STR("untouched")};
		struct err err = {0};

		assert_int_equal(purl_parse(a, str_of(rows[i].text), &p, &err), -EINVAL);
		if (!strstr(err.text, rows[i].why))
			fail_msg("'%s': %s", rows[i].text, err.text);
		assert_true(str_eq(p.name, STR("untouched")));
	}
}

static void npm_names_are_checked_as_on_the_wire(void **state)
{
	(void)state;
	char name[214 + 1]; /* one more than LIMIT_NAME_BYTES */
	static const struct {
		const char *name;
		bool ok;
	} rows[] = {
		{"react", true}, {"JSONStream", true}, {"@babel/core", true}, {"@A/b.c", true}, {"-", true}, {"_x", true}, {"1", true},
		{"lodash.merge", true}, {"@scope/_x", true}, {"", false}, {".bin", false}, {"@.x/y", false}, {"@x/.y", false}, {"a..b", false},
		{"@x/y/z", false}, {"@x", false}, {"x@1", false}, {"a%2fb", false}, {"caf\xc3\xa9", false}, {"a\\b", false}, {"a:b", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = {0};

		if ((npm_name_check(str_of(rows[i].name), &err) == 0) != rows[i].ok)
			fail_msg("'%s': %s", rows[i].name, err.text);
	}
	memset(name, 'a', sizeof(name));
	assert_int_equal(npm_name_check((struct str){name, LIMIT_NAME_BYTES}, NULL), 0);
	assert_int_equal(npm_name_check((struct str){name, sizeof(name)}, NULL), -EINVAL);
}

static void ecosystems_have_names(void **state)
{
	(void)state;
	enum ecosystem e;

	assert_string_equal(ecosystem_name(ECOSYSTEM_NPM), "npm");
	assert_int_equal(ecosystem_parse(STR("nuget"), &e), 0);
	assert_int_equal(e, ECOSYSTEM_NUGET);
	assert_int_equal(ecosystem_parse(STR("pypi"), &e), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(purls_and_short_forms_read_the_same),
		cmocka_unit_test(what_names_no_package_is_refused_with_why),
		cmocka_unit_test(npm_names_are_checked_as_on_the_wire),
		cmocka_unit_test(ecosystems_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
