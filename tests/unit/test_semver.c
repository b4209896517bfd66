#include "unit.h"

#include "codec/semver.h"
#include "codec/semver_ops.h"
#include "vectors.h"

/* Is it true for JavaScript? */
static bool truthy(enum json_kind kind, struct str text)
{
	return kind == JSON_TRUE || kind == JSON_OBJECT || kind == JSON_ARRAY || (kind == JSON_STRING && text.n) ||
		(kind == JSON_NUMBER && !str_eq(text, STR("0")));
}

/* node-semver's options: {loose, includePrerelease}, or anything else that is true for "loose". */
static unsigned flags_of(const struct vector *v)
{
	const struct vector_field *options = vector_field(v, "options");
	struct json_reader r;
	struct str key;
	unsigned flags = 0;

	if (options->kind != JSON_OBJECT)
		return truthy(options->kind, options->text) ? SEMVER_LOOSE : 0;
	json_init(&r, options->text);
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		enum json_kind kind = json_peek(&r);
		struct str text;

		json_skip(&r, &text);
		if (truthy(kind, text))
			flags |= str_eq(key, STR("loose")) ? SEMVER_LOOSE : SEMVER_INCLUDE_PRERELEASE;
	}
	return flags;
}

static struct semver version(struct str text, unsigned flags)
{
	struct semver v = {0};

	if (semver_parse(text, flags, &v) < 0)
		fail_msg("'%.*s' should be a version", STR_ARG(text));
	return v;
}

static struct semver_range *range(struct arena *a, struct str text, unsigned flags)
{
	struct semver_range *r = NULL;

	if (semver_range_parse(a, text, flags, &r) < 0)
		fail_msg("'%.*s' should be a range", STR_ARG(text));
	return r;
}

static void assert_text(struct str got, struct str want, struct str about)
{
	if (!str_eq(got, want))
		fail_msg("%.*s: '%.*s', not '%.*s'", STR_ARG(about), STR_ARG(got), STR_ARG(want));
}

/* [1,"a"] as 1.a */
static struct str dotted(struct arena *a, struct str array)
{
	struct json_reader r;
	struct str out = STR("");

	json_init(&r, array);
	json_enter_array(&r);
	while (json_next_item(&r)) {
		struct str item;

		if (json_peek(&r) == JSON_STRING)
			json_string_decoded(&r, a, &item);
		else
			json_number(&r, &item);
		out = arena_printf(a, "%.*s%s%.*s", STR_ARG(out), out.n ? "." : "", STR_ARG(item));
	}
	return out;
}

static void check_valid(const struct vector *row)
{
	struct str text = vector_text(row, "version"), numbers;
	struct semver v = version(text, flags_of(row));

	numbers = arena_printf(row->arena, "%llu.%llu.%llu", (unsigned long long)v.major, (unsigned long long)v.minor,
		(unsigned long long)v.patch);
	assert_text(numbers, arena_printf(row->arena, "%.*s.%.*s.%.*s", STR_ARG(vector_text(row, "major")),
		STR_ARG(vector_text(row, "minor")), STR_ARG(vector_text(row, "patch"))), text);
	assert_text(v.pre, dotted(row->arena, vector_text(row, "prerelease")), text);
	assert_text(v.build, dotted(row->arena, vector_text(row, "build")), text);
}

static void check_invalid(const struct vector *row)
{
	struct semver v;
	struct str text = vector_text(row, "version");

	if (semver_parse(text, flags_of(row), &v) == 0)
		fail_msg("'%.*s' should be no version", STR_ARG(text));
}

static void check_comparison(const struct vector *row)
{
	unsigned flags = flags_of(row);
	struct semver greater = version(vector_text(row, "greater"), flags), lesser = version(vector_text(row, "lesser"), flags);

	assert_true(semver_compare(&greater, &lesser) > 0);
	assert_true(semver_compare(&lesser, &greater) < 0);
	assert_true(semver_compare(&greater, &greater) == 0);
}

static void check_equality(const struct vector *row)
{
	unsigned flags = flags_of(row);
	struct semver a = version(vector_text(row, "a"), flags), b = version(vector_text(row, "b"), flags);

	assert_int_equal(semver_compare(&a, &b), 0);
	assert_int_equal(semver_compare(&b, &a), 0);
}

/* osv-scalibr compares whatever looks like numbers with dots; what is no version to npm is refused here. */
static bool only_scalibr_reads(struct str text)
{
	return str_starts(text, STR("99999999999999999999")) || str_eq(text, STR("1.1.3.4.5"));
}

static void check_scalibr(const struct vector *row)
{
	struct semver a, b;
	struct str want = vector_text(row, "want");
	int order;

	if (only_scalibr_reads(vector_text(row, "a"))) {
		assert_int_equal(semver_parse(vector_text(row, "a"), SEMVER_LOOSE, &a), -EINVAL);
		assert_int_equal(semver_parse(vector_text(row, "b"), SEMVER_LOOSE, &b), -EINVAL);
		return;
	}
	a = version(vector_text(row, "a"), 0);
	b = version(vector_text(row, "b"), 0);
	order = semver_compare(&a, &b);
	assert_int_equal(want.p[0], order < 0 ? '<' : order > 0 ? '>' : '=');
}

static bool satisfied(const struct vector *row)
{
	unsigned flags = flags_of(row);
	const struct vector_field *text = vector_field(row, "version");
	struct semver v;

	/* "not a version", false: nothing admits them. */
	if (text->kind != JSON_STRING || semver_parse(text->text, flags, &v) < 0)
		return false;
	return semver_range_satisfied(range(row->arena, vector_text(row, "range"), flags), &v, flags);
}

static void check_include(const struct vector *row)
{
	if (!satisfied(row))
		fail_msg("'%.*s' should admit %.*s", STR_ARG(vector_text(row, "range")), STR_ARG(vector_text(row, "version")));
}

static void check_exclude(const struct vector *row)
{
	if (satisfied(row))
		fail_msg("'%.*s' should not admit %.*s", STR_ARG(vector_text(row, "range")), STR_ARG(vector_text(row, "version")));
}

static void check_range_text(const struct vector *row)
{
	const struct vector_field *want = vector_field(row, "normalised_or_null");
	struct str text = vector_text(row, "range");
	struct semver_range *r;
	unsigned flags = flags_of(row);

	if (want->kind == JSON_NULL) {
		if (semver_range_parse(row->arena, text, flags, &r) == 0)
			fail_msg("'%.*s' should be no range", STR_ARG(text));
		return;
	}
	assert_text(semver_range_format(row->arena, range(row->arena, text, flags)), want->text, text);
}

static bool outside(const struct vector *row, bool high)
{
	unsigned flags = flags_of(row);
	struct semver v = version(vector_text(row, "version"), flags);
	struct semver_range *r = range(row->arena, vector_text(row, "range"), flags);

	return high ? semver_range_outside_high(&v, r, flags) : semver_range_outside_low(&v, r, flags);
}

static void check_above(const struct vector *row)
{
	assert_true(outside(row, true));
}

static void check_not_above(const struct vector *row)
{
	if (outside(row, true))
		fail_msg("%.*s is not above '%.*s'", STR_ARG(vector_text(row, "version")), STR_ARG(vector_text(row, "range")));
}

static void check_below(const struct vector *row)
{
	assert_true(outside(row, false));
}

static void check_not_below(const struct vector *row)
{
	if (outside(row, false))
		fail_msg("%.*s is not below '%.*s'", STR_ARG(vector_text(row, "version")), STR_ARG(vector_text(row, "range")));
}

static void check_meeting(const struct vector *row, const char *first, const char *second)
{
	unsigned flags = flags_of(row);
	struct semver_range *a = range(row->arena, vector_text(row, first), flags);
	struct semver_range *b = range(row->arena, vector_text(row, second), flags);
	bool want = vector_field(row, "intersects")->kind == JSON_TRUE;

	if (semver_range_intersects(a, b, flags) != want || semver_range_intersects(b, a, flags) != want)
		fail_msg("'%.*s' and '%.*s'", STR_ARG(vector_text(row, first)), STR_ARG(vector_text(row, second)));
}

/* A comparator is the range of itself alone. */
static void check_comparators_meeting(const struct vector *row)
{
	check_meeting(row, "comparator1", "comparator2");
}

static void check_ranges_meeting(const struct vector *row)
{
	check_meeting(row, "range1", "range2");
}

static enum semver_base base_of(const struct vector_field *f)
{
	if (f->kind == JSON_FALSE)
		return SEMVER_BASE_NONE;
	return str_eq(f->text, STR("1")) ? SEMVER_BASE_ONE : SEMVER_BASE_ZERO;
}

static void check_increment(const struct vector *row)
{
	const struct vector_field *want = vector_field(row, "result"), *identifier = vector_field(row, "identifier");
	const struct vector_field *base = vector_field(row, "identifierBase");
	unsigned flags = flags_of(row);
	struct str text = vector_text(row, "version");
	struct semver v, next;
	enum semver_release release;
	bool made;

	/* inc(version, release, identifier, base): the options may be left out. */
	if (vector_field(row, "options")->kind == JSON_STRING) {
		base = identifier;
		identifier = vector_field(row, "options");
		flags = 0;
	}
	made = semver_parse(text, flags, &v) == 0 && semver_release_parse(vector_text(row, "inc"), &release) == 0 &&
		semver_increment(row->arena, &v, release, identifier->kind == JSON_STRING ? identifier->text : STR(""), base_of(base),
			flags, &next) == 0;
	if (made != (want->kind == JSON_STRING))
		fail_msg("%.*s %.*s", STR_ARG(text), STR_ARG(vector_text(row, "inc")));
	if (made)
		assert_text(semver_format(row->arena, &next), want->text, text);
}

static void check_truncation(const struct vector *row)
{
	const struct vector_field *want = vector_field(row, "2");
	struct semver v, cut;
	enum semver_release release;
	bool made = semver_parse(vector_text(row, "0"), 0, &v) == 0 && semver_release_parse(vector_text(row, "1"), &release) == 0 &&
		semver_truncate(&v, release, &cut) == 0;

	assert_int_equal(made, want->kind == JSON_STRING);
	if (made)
		assert_text(semver_format(row->arena, &cut), want->text, vector_text(row, "0"));
}

/* X(name of the test, file, least number of vectors, check) */
#define VECTOR_TESTS(X) \
	X(valid_versions_are_taken_apart, "valid-versions", 22, check_valid) \
	X(invalid_versions_are_refused, "invalid-versions", 10, check_invalid) \
	X(precedence_is_that_of_semver, "comparisons", 31, check_comparison) \
	X(spelling_does_not_matter, "equality", 37, check_equality) \
	X(scalibr_orders_them_the_same, "order-scalibr", 86, check_scalibr) \
	X(ranges_include, "range-include", 126, check_include) \
	X(ranges_exclude, "range-exclude", 98, check_exclude) \
	X(ranges_have_a_canonical_text, "range-parse", 133, check_range_text) \
	X(versions_above_a_range, "version-gt-range", 56, check_above) \
	X(versions_not_above_a_range, "version-not-gt-range", 80, check_not_above) \
	X(versions_below_a_range, "version-lt-range", 58, check_below) \
	X(versions_not_below_a_range, "version-not-lt-range", 83, check_not_below) \
	X(comparators_intersect, "comparator-intersection", 34, check_comparators_meeting) \
	X(ranges_intersect, "range-intersection", 54, check_ranges_meeting) \
	X(versions_are_incremented, "increments", 133, check_increment) \
	X(versions_are_truncated, "truncations", 27, check_truncation)

#define VECTOR_TEST(name, file, least, check) \
	static void name(void **state) \
	{ \
		(void)state; \
		vectors_each("semver/npm-" file ".json", "vectors", least, check); \
	}
VECTOR_TESTS(VECTOR_TEST)

static void loose_texts_read_as_npm_reads_them(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
	static const struct {
		const char *text, *strict, *loose; /* NULL: refused */
	} rows[] = {
		{"1.2.3beta", NULL, "1.2.3-beta"}, {"=1.2.3", NULL, "1.2.3"}, {"v1.2.3", "1.2.3", "1.2.3"}, {"vv1.2.3", NULL, "1.2.3"},
		{"1.02.3", NULL, "1.2.3"}, {"1.2.3-01.a", NULL, "1.2.3-1.a"}, {"1.2.3-", NULL, "1.2.3--"}, {"1.2.3--", "1.2.3--", "1.2.3--"},
		{"1.2.34.5", NULL, "1.2.3-4.5"}, {"1.2.3.4", NULL, NULL}, {"1.2.3+", NULL, NULL}, {"1.2.3-a..b", NULL, NULL},
		{"1.2", NULL, NULL}, {"", NULL, NULL}, {" \t1.2.3\n", "1.2.3", "1.2.3"}, {"1.2.3 4", NULL, NULL}, {"1.2.3-\xc3\xa9", NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (unsigned flags = 0; flags <= SEMVER_LOOSE; flags++) {
			const char *want = flags ? rows[i].loose : rows[i].strict;
			struct semver v;
			int r = semver_parse(str_of(rows[i].text), flags, &v);

			if ((r == 0) != (want != NULL))
				fail_msg("'%s' with flags %u: %d", rows[i].text, flags, r);
			if (r == 0)
				assert_text(semver_format(a, &v), str_of(want), str_of(rows[i].text));
		}
	}
}

static void a_version_is_at_most_256_bytes(void **state)
{
	(void)state;
	char text[300];
	struct semver v;

	memset(text, 'a', sizeof(text));
	memcpy(text, "1.2.3-", 6);
	assert_int_equal(semver_parse((struct str){text, 256}, 0, &v), 0);
	assert_int_equal(semver_parse((struct str){text, 257}, 0, &v), -EINVAL);
}

static void build_metadata_breaks_ties(void **state)
{
	(void)state;
	struct semver a = version(STR("1.0.0+2"), 0), b = version(STR("1.0.0+10"), 0), none = version(STR("1.0.0"), 0);

	assert_int_equal(semver_compare(&a, &b), 0);
	assert_true(semver_compare_build(&a, &b) < 0);
	assert_true(semver_compare_build(&none, &a) < 0);
	assert_true(semver_compare_build(&b, &a) > 0);
}

static void long_numbers_in_prereleases_are_compared_exactly(void **state)
{
	(void)state;
	struct semver a = version(STR("1.0.0-9007199254740993"), 0), b = version(STR("1.0.0-9007199254740992"), 0);

	assert_true(semver_compare(&a, &b) > 0);
}

static void an_exact_range_gives_its_version(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
	static const struct {
		const char *range, *version;
	} rows[] = {
		{"1.2.3", "1.2.3"}, {"=1.2.3-rc.1", "1.2.3-rc.1"}, {"v1.2.3", "1.2.3"}, {" = 1.2.3+b ", "1.2.3"}, {"* 1.2.3", "1.2.3"},
		{"^1.2.3", NULL}, {"1.2", NULL}, {"*", NULL}, {"1.2.3 || 1.2.4", NULL}, {">=1.2.3 <=1.2.3", NULL}, {">=1.2.3", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct semver v;
		bool exact = semver_range_exact(range(a, str_of(rows[i].range), 0), &v);

		assert_int_equal(exact, rows[i].version != NULL);
		if (exact)
			assert_text(semver_format(a, &v), str_of(rows[i].version), str_of(rows[i].range));
	}
}

static void a_range_outlives_its_text(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
	char text[] = ">=1.2.3-rc.1";
	struct semver_range *r = range(a, (struct str){text, sizeof(text) - 1}, 0);

	memset(text, '9', sizeof(text) - 1);
	assert_text(semver_range_format(a, r), STR(">=1.2.3-rc.1"), STR("the range"));
}

static void hostile_ranges_stay_small(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
	CLEANUP_BUF struct buf bars = BUF(64 * KIB), words = BUF(64 * KIB);
	struct semver_range *r;

	while (bars.n + 6 < LIMIT_RANGE_BYTES) {
		buf_printf(&bars, "%zu||", bars.n % 900);
		buf_printf(&words, "<%zu ", bars.n);
	}
	assert_int_equal(semver_range_parse(a, buf_str(&bars), 0, &r), -EINVAL);
	assert_int_equal(semver_range_parse(a, buf_str(&words), 0, &r), -EINVAL);
	while (bars.n <= LIMIT_RANGE_BYTES)
		buf_add_char(&bars, ' ');
	assert_int_equal(semver_range_parse(a, buf_str(&bars), 0, &r), -EINVAL);
	assert_false(arena_failed(a));

	/* Nothing but what may stand before a version: linear work, and no range. */
	buf_clear(&words);
	while (words.n < LIMIT_RANGE_BYTES)
		buf_add_char(&words, 'v');
	assert_int_equal(semver_range_parse(a, buf_str(&words), 0, &r), -EINVAL);

	buf_clear(&bars);
	for (size_t i = 0; i < 500; i++)
		buf_printf(&bars, "%s1.%zu", i ? "||" : "", i);
	assert_int_equal(semver_range_parse(a, buf_str(&bars), 0, &r), 0);
}

static void a_full_arena_is_told_from_a_bad_range(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(64);
	struct semver_range *r;

	assert_int_equal(semver_range_parse(a, STR("1.2.3 || 2.3.4 || 3.4.5"), 0, &r), -ENOMEM);
}

int main(void)
{
#define VECTOR_ROW(name, file, least, check) cmocka_unit_test(name),
	const struct CMUnitTest tests[] = {
		VECTOR_TESTS(VECTOR_ROW)
		cmocka_unit_test(loose_texts_read_as_npm_reads_them),
		cmocka_unit_test(a_version_is_at_most_256_bytes),
		cmocka_unit_test(build_metadata_breaks_ties),
		cmocka_unit_test(long_numbers_in_prereleases_are_compared_exactly),
		cmocka_unit_test(an_exact_range_gives_its_version),
		cmocka_unit_test(a_range_outlives_its_text),
		cmocka_unit_test(hostile_ranges_stay_small),
		cmocka_unit_test(a_full_arena_is_told_from_a_bad_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
