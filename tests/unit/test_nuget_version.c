#include "unit.h"

#include "codec/nuget_version.h"
#include "vectors.h"

static struct nuget_version version(struct str text)
{
	struct nuget_version v = {0};

	if (nuget_version_parse(text, &v) < 0)
		fail_msg("'%.*s' should be a version", STR_ARG(text));
	return v;
}

static struct nuget_range range(struct arena *a, struct str text)
{
	struct nuget_range r = {0};

	if (nuget_range_parse(a, text, &r) < 0)
		fail_msg("'%.*s' should be a range", STR_ARG(text));
	return r;
}

static void assert_text(struct str got, struct str want, struct str about)
{
	if (!str_eq(got, want))
		fail_msg("%.*s: '%.*s', not '%.*s'", STR_ARG(about), STR_ARG(got), STR_ARG(want));
}

/* osv-scalibr compares numbers of any length; NuGet refuses them. */
static bool only_scalibr_reads(struct str text)
{
	return str_starts(text, STR("99999999999999999999"));
}

static void check_order(const struct vector *row)
{
	struct str a_text = vector_text(row, "a"), b_text = vector_text(row, "b"), want = vector_text(row, "want");
	struct nuget_version a, b;
	int order, back;

	if (only_scalibr_reads(a_text)) {
		assert_int_equal(nuget_version_parse(a_text, &a), -EINVAL);
		return;
	}
	a = version(a_text);
	b = version(b_text);
	order = nuget_version_compare(&a, &b);
	back = nuget_version_compare(&b, &a);
	assert_true((order < 0) == (back > 0) && (order > 0) == (back < 0));
	/* These rows come from a comparer that looks at metadata too. */
	if (str_eq(want, STR("!=")))
		assert_true(order != 0 || !str_eq_nocase(a.meta, b.meta));
	else
		assert_int_equal(want.p[0], order < 0 ? '<' : order > 0 ? '>' : '=');
}

/* The file mixes texts that NuGet refuses with those that are only no SemVer, for they lack their three numbers. */
static void check_invalid(const struct vector *row)
{
	struct nuget_version v;
	struct str text = vector_text(row, "0");

	if (nuget_version_parse(text, &v) == 0 && v.parts == 3)
		fail_msg("'%.*s' should be no version", STR_ARG(text));
}

static void check_valid(const struct vector *row)
{
	static const char *const names[] = {"major", "minor", "patch", "revision"};
	struct str text = vector_text(row, "versionString");
	struct nuget_version v = version(text);

	for (size_t i = 0; i < 4; i++)
		assert_text(arena_printf(row->arena, "%u", v.n[i]), vector_text(row, names[i]), text);
}

static void check_normalized(const struct vector *row)
{
	struct str text = vector_text(row, "version");
	struct nuget_version v = version(text);

	assert_text(nuget_version_format(row->arena, &v), vector_text(row, "normalized"), text);
}

static void check_invalid_range(const struct vector *row)
{
	struct nuget_range r;
	struct str text = vector_text(row, "0");

	if (nuget_range_parse(row->arena, text, &r) == 0)
		fail_msg("'%.*s' should be no range", STR_ARG(text));
}

static void check_satisfies(const struct vector *row)
{
	struct nuget_range r = range(row->arena, vector_text(row, "range"));
	struct nuget_version v = version(vector_text(row, "version"));

	assert_int_equal(nuget_range_satisfied(&r, &v), vector_field(row, "satisfies")->kind == JSON_TRUE);
}

static struct nuget_version previous;

static void check_ascends(const struct vector *row)
{
	struct nuget_version v = version(vector_text(row, "0"));

	if (previous.parts && nuget_version_compare(&previous, &v) >= 0)
		fail_msg("'%.*s' should be above the one before it", STR_ARG(vector_text(row, "0")));
	previous = v;
}

static void check_package_ascends(const struct vector *row)
{
	previous = (struct nuget_version){0};
	assert_true(vectors_in(row->arena, vector_text(row, "1"), check_ascends) > 0);
}

static void check_minimum(const struct vector *row)
{
	struct str text = row->fields[0].text;
	struct nuget_range r = range(row->arena, text);

	assert_text(nuget_version_format(row->arena, &r.min), row->fields[1].text, text);
}

static void check_floating_satisfies(const struct vector *row)
{
	struct nuget_range r = range(row->arena, vector_text(row, "rangeString"));
	struct nuget_version v = version(vector_text(row, "version"));

	assert_true(nuget_range_satisfied(&r, &v));
}

static void check_labels(const struct vector *row)
{
	struct str text = vector_text(row, "rangeString");
	struct nuget_range r = range(row->arena, text);

	assert_text(r.min.pre, vector_text(row, "versionLabel"), text);
	assert_text(r.prefix, vector_text(row, "originalLabel"), text);
}

static void check_valid_range(const struct vector *row)
{
	(void)range(row->arena, row->fields[0].text);
}

static void check_invalid_float(const struct vector *row)
{
	struct nuget_range r;

	if (row->fields[0].kind == JSON_STRING && nuget_range_parse(row->arena, row->fields[0].text, &r) == 0)
		fail_msg("'%.*s' should be no range", STR_ARG(row->fields[0].text));
}

static void check_best_match(const struct vector *row)
{
	struct str rest = vector_text(row, "availableVersions"), text;
	struct nuget_range r = range(row->arena, vector_text(row, "declaredRange"));
	struct nuget_version best, v;
	bool found = false;

	while (str_split(&rest, ';', &text)) {
		v = version(text);
		if (nuget_range_is_better(&r, found ? &best : NULL, &v)) {
			best = v;
			found = true;
		}
	}
	assert_int_equal(found, vector_field(row, "expectedVersion")->kind == JSON_STRING);
	if (found)
		assert_text(nuget_version_format(row->arena, &best), vector_text(row, "expectedVersion"), vector_text(row, "declaredRange"));
}

static void check_may_be_chosen(const struct vector *row)
{
	struct nuget_range r = range(row->arena, vector_text(row, "rangeString"));
	struct nuget_version v = version(vector_text(row, "versionString"));
	bool want = vector_field(row, "expected")->kind == JSON_TRUE;

	if (nuget_range_is_better(&r, NULL, &v) != want)
		fail_msg("'%.*s' and %.*s", STR_ARG(vector_text(row, "rangeString")), STR_ARG(vector_text(row, "versionString")));
}

static void check_round_trip(const struct vector *row)
{
	struct str text = vector_text(row, "versionString"), written, again;
	bool normalized = vector_field(row, "isOriginalStringNormalized")->kind == JSON_TRUE;
	struct nuget_range r = range(row->arena, text);

	written = nuget_range_format(row->arena, &r);
	assert_int_equal(str_eq(written, text), normalized);
	r = range(row->arena, written);
	again = nuget_range_format(row->arena, &r);
	assert_text(again, written, text);
}

static void check_bounds(const struct vector *row)
{
	struct str text = vector_text(row, "versionString");
	struct nuget_range r = range(row->arena, text);
	const struct vector_field *min = vector_field(row, "min"), *max = vector_field(row, "max");
	struct nuget_version v;

	assert_int_equal(r.has_min, min->kind == JSON_STRING);
	assert_int_equal(r.has_max, max->kind == JSON_STRING);
	if (r.has_min) {
		v = version(min->text);
		assert_int_equal(nuget_version_compare(&r.min, &v), 0);
		assert_int_equal(r.min_included, vector_field(row, "incMin")->kind == JSON_TRUE);
	}
	if (r.has_max) {
		v = version(max->text);
		assert_int_equal(nuget_version_compare(&r.max, &v), 0);
		assert_int_equal(r.max_included, vector_field(row, "incMax")->kind == JSON_TRUE);
	}
}

/* Two versions, whatever the columns are called: how they compare. A row with a null asks about C#. */
static int order_of(const struct vector *row)
{
	struct nuget_version a = version(row->fields[0].text), b = version(row->fields[1].text);
	int order = nuget_version_compare(&a, &b), back = nuget_version_compare(&b, &a);

	assert_true((order > 0) == (back < 0) && (order < 0) == (back > 0));
	return order;
}

static void check_same(const struct vector *row)
{
	if (order_of(row) != 0)
		fail_msg("%.*s and %.*s should be the same", STR_ARG(row->fields[0].text), STR_ARG(row->fields[1].text));
}

static void check_other(const struct vector *row)
{
	if (order_of(row) == 0)
		fail_msg("%.*s and %.*s should differ", STR_ARG(row->fields[0].text), STR_ARG(row->fields[1].text));
}

static void check_less(const struct vector *row)
{
	if (order_of(row) >= 0)
		fail_msg("%.*s should be below %.*s", STR_ARG(row->fields[0].text), STR_ARG(row->fields[1].text));
}

static void check_readable(const struct vector *row)
{
	(void)version(row->fields[0].text);
}

static void check_unreadable(const struct vector *row)
{
	struct nuget_version v;

	if (row->fields[0].kind == JSON_STRING && nuget_version_parse(row->fields[0].text, &v) == 0)
		fail_msg("'%.*s' should be no version", STR_ARG(row->fields[0].text));
}

static void check_written(const struct vector *row)
{
	struct nuget_version v = version(row->fields[0].text);

	assert_text(nuget_version_format(row->arena, &v), row->fields[1].text, row->fields[0].text);
}

static void check_written_as_2(const struct vector *row)
{
	struct nuget_version v = version(row->fields[0].text);

	assert_text(nuget_version_format(row->arena, &v), STR("2.0.0"), row->fields[0].text);
}

/* Text, numbers, and in a third column the prerelease. */
static void check_parts(const struct vector *row)
{
	struct str whole = row->n > 2 ? arena_printf(row->arena, "%.*s-%.*s", STR_ARG(row->fields[1].text), STR_ARG(row->fields[2].text))
	                              : row->fields[1].text;
	struct nuget_version v = version(row->fields[0].text), want = version(whole);

	assert_int_equal(nuget_version_compare(&v, &want), 0);
}

/* Tests of NuGet.Client whose rows can be asked of this code; the others ask for strict SemVer 2, comparers that look at build metadata, and what
 * C# does. X(method, check) */
#define METHODS(X) \
	X("VersionRangeFloatParsing_PrereleaseWithNumericOnlyLabelVerifyMinVersion", check_minimum) \
	X("VersionRangeFloatParsing_VerifySatisfiesForFloatingRange", check_floating_satisfies) \
	X("VersionRangeFloatParsing_VerifyReleaseLabels", check_labels) \
	X("VersionRangeFloatParsing_Invalid", check_invalid_range) \
	X("VersionRangeFloatParsing_Valid", check_valid_range) \
	X("VersionRangeFloatParsing_FindsBestMatch", check_best_match) \
	X("FloatingRange_Parse_Valid", check_valid_range) \
	X("FloatingRange_TryParse_Invalid", check_invalid_float) \
	X("FloatRange_ParsesCorrectMinVersion", check_minimum) \
	X("VersionRange_NormalizationRoundTripsTest", check_round_trip) \
	X("VersionRange_IsBetter_Prerelease", check_may_be_chosen) \
	X("ParseVersionParsesTokensVersionsCorrectly", check_bounds) \
	X("Parse_Illogical_VersionRange_Throws", check_invalid_range) \
	X("NuGetVersionParseStrict", check_readable) \
	X("ParseThrowsIfStringIsNotAValidSemVer", check_unreadable) \
	X("ParseReadsLegacyStyleVersionNumbers", check_parts) \
	X("ParseReadsSemverAndHybridSemverVersionNumbers", check_parts) \
	X("ParseIgnoresLeadingAndTrailingWhitespace", check_parts) \
	X("SemVerLessThanAndGreaterThanOperatorsWorks", check_less) \
	X("SemVerEqualsOperatorWorks", check_same) \
	X("ToStringReturnsNormalizedForSemVer2", check_written) \
	X("SemVerVersionValidZeros", check_readable) \
	X("SemVerVersionValidReleaseLabels", check_readable) \
	X("SemVerVersionInvalidReleaseId", check_unreadable) \
	X("SemVerVersionInvalidReleaseLabelChars", check_unreadable) \
	X("SemVerVersionReleaseLabelValidZeros", check_readable) \
	X("SemVerVersionMetadataValidChars", check_readable) \
	X("SemVerVersionMetadataInvalidChars", check_unreadable) \
	X("SemVerVersionMetadataNonEmptyParts", check_unreadable) \
	X("SemVerVersionMetadataLeadingZeros", check_readable) \
	X("SemVerVersionMetadataOrder", check_readable) \
	X("SemVerSortVersion", check_less) \
	X("SemVerSortRelease", check_less) \
	X("SemVerSortReleaseNumeric", check_less) \
	X("SemVerSortReleaseAlpha", check_less) \
	X("SemVerSortNumericAlpha", check_less) \
	X("SemVerSortReleaseLabelCount", check_less) \
	X("SemVerSortIgnoreReleaseCasing", check_same) \
	X("ConvertFromConvertsValidSemVerStrings", check_readable) \
	X("ParseSemanticVersionStrict", check_readable) \
	X("VersionComparisonDefaultEqual", check_same) \
	X("VersionComparisonDefaultEqualWithNuGetVersion", check_same) \
	X("VersionComparisonDefaultNotEqualWithNuGetVersion", check_other) \
	X("VersionComparisonDefaultLess", check_less) \
	X("NormalizedFormatTest", check_written) \
	X("VersionLength", check_written_as_2) \
	X("FullVersionParsing", check_readable)

static size_t methods_met;

static void check_method(const struct vector *test)
{
	static const struct {
		const char *method;
		void (*check)(const struct vector *row);
	} methods[] = {
#define METHOD_ROW(method, check) {method, check},
		METHODS(METHOD_ROW)
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (str_eq(vector_text(test, "method"), str_of(methods[i].method))) {
			assert_true(vectors_in(test->arena, vector_text(test, "rows"), methods[i].check) > 0);
			methods_met++;
		}
	}
}

static void versions_are_ordered_as_nuget_orders_them(void **state)
{
	(void)state;
	vectors_each("semver/nuget-compare.json", "vectors", 60, check_order);
	vectors_each("semver/nuget-order-scalibr.json", "vectors", 35, check_order);
}

static void real_packages_ascend(void **state)
{
	(void)state;
	vectors_each("semver/nuget-real-ascending.json", "ascending", 1, check_package_ascends);
}

static void texts_are_read_as_nuget_reads_them(void **state)
{
	(void)state;
	vectors_each("semver/nuget-parse.json", "invalid", 76, check_invalid);
	vectors_each("semver/nuget-parse.json", "valid", 20, check_valid);
	vectors_each("semver/nuget-parse.json", "normalized", 5, check_normalized);
	vectors_each("semver/nuget-parse.json", "invalid_ranges", 26, check_invalid_range);
}

static void ranges_admit_what_lies_between_their_bounds(void **state)
{
	(void)state;
	vectors_each("semver/nuget-range-satisfies.json", "vectors", 29, check_satisfies);
}

static void the_tests_of_nuget_itself_hold(void **state)
{
	(void)state;
	methods_met = 0;
	vectors_each("semver/nuget-raw-VersionRangeFloatParsingTests.json", "tests", 10, check_method);
	vectors_each("semver/nuget-raw-FloatingRangeTests.json", "tests", 7, check_method);
	vectors_each("semver/nuget-raw-VersionRangeTests.json", "tests", 19, check_method);
	vectors_each("semver/nuget-raw-NuGetVersionTest.json", "tests", 16, check_method);
	vectors_each("semver/nuget-raw-SemVer201SpecTests.json", "tests", 21, check_method);
	vectors_each("semver/nuget-raw-SemanticVersionConverterTests.json", "tests", 5, check_method);
	vectors_each("semver/nuget-raw-SemanticVersionTests.json", "tests", 4, check_method);
	vectors_each("semver/nuget-raw-VersionComparerTests.json", "tests", 5, check_method);
	vectors_each("semver/nuget-raw-VersionFormatterTests.json", "tests", 6, check_method);
	vectors_each("semver/nuget-raw-VersionParsingTests.json", "tests", 8, check_method);
	assert_int_equal(methods_met, 47);
}

static void addresses_are_lower_case(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(1 << 16);
	struct nuget_version v = version(STR("1.0-RC.1+Build"));

	assert_text(nuget_version_format(a, &v), STR("1.0.0-RC.1"), STR("the version"));
	assert_text(nuget_version_format_lower(a, &v), STR("1.0.0-rc.1"), STR("the version"));
	assert_true(nuget_version_is_semver2(&v));
	v = version(STR("1.0-RC1"));
	assert_false(nuget_version_is_semver2(&v));
}

static void long_texts_are_refused(void **state)
{
	(void)state;
	char text[300];
	struct nuget_version v;

	memset(text, 'a', sizeof(text));
	memcpy(text, "1.2.3-", 6);
	assert_int_equal(nuget_version_parse((struct str){text, 256}, &v), 0);
	assert_int_equal(nuget_version_parse((struct str){text, 257}, &v), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_are_ordered_as_nuget_orders_them),
		cmocka_unit_test(real_packages_ascend),
		cmocka_unit_test(texts_are_read_as_nuget_reads_them),
		cmocka_unit_test(ranges_admit_what_lies_between_their_bounds),
		cmocka_unit_test(the_tests_of_nuget_itself_hold),
		cmocka_unit_test(addresses_are_lower_case),
		cmocka_unit_test(long_texts_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
