/* The parts that all reports share, and the plan of upgrades. The reports as a whole are tried in tests/scan/schemas.py. */
#include "unit.h"

#include "base/limits.h"
#include "report/parts.h"
#include "scan/fix_plan.h"
#include "scan/readers.h"
#include "scan/ways.h"

static void assert_str_is(struct str got, const char *wanted)
{
	assert_true(str_eq(got, str_of(wanted)));
}

static void hashes_are_read_in_every_spelling(void **state)
{
	static const struct {
		enum ecosystem e;
		const char *integrity;
		size_t count;
		const char *algorithm, *begins;
	} cases[] = {
		{ECOSYSTEM_NPM, "sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA=", 1, "sha1", "0000"},
		{ECOSYSTEM_NPM, "sha512-/////////////////////////////////////////////////////////////////////////////////////w==", 1, "sha512", "ffff"},
		{ECOSYSTEM_NPM, "sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA= sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 2, "sha1", "0000"},
		{ECOSYSTEM_NPM, "sha512-tooshort", 0, NULL, NULL},
		{ECOSYSTEM_NPM, "sha3-AAAA", 0, NULL, NULL},
		{ECOSYSTEM_NPM, "", 0, NULL, NULL},
		{ECOSYSTEM_NPM, "da39a3ee5e6b4b0d3255bfef95601890afd80709", 1, "sha1", "da39"},
		{ECOSYSTEM_NUGET, "/////////////////////////////////////////////////////////////////////////////////////w==", 1, "sha512", "ffff"},
		{ECOSYSTEM_NPM, "/////////////////////////////////////////////////////////////////////////////////////w==", 0, NULL, NULL},
	};
	CLEANUP_ARENA struct arena *a = arena_new(MIB);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct part_hash found[4];
		size_t n = part_hashes(a, cases[i].e, str_of(cases[i].integrity), found, 4);

		assert_int_equal(n, cases[i].count);
		if (n) {
			assert_string_equal(found[0].algorithm, cases[i].algorithm);
			assert_true(str_starts(found[0].hex, str_of(cases[i].begins)));
		}
	}
}

static void licences_are_expressions_only_of_known_names(void **state)
{
	static const char *const good[] = {"MIT", "(MIT OR Apache-2.0)", "MIT AND ISC", "(MIT AND (ISC OR BSD-3-Clause))"};
	static const char *const bad[] = {"", "SEE LICENSE IN x", "MIT OR", "(MIT", "MIT)", "OR", "MIT ISC", "() MIT", "MIT/X11"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(part_is_licence_expression(str_of(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(part_is_licence_expression(str_of(bad[i])));
}

static void paths_become_addresses(void **state)
{
	CLEANUP_ARENA struct arena *a = arena_new(MIB);

	(void)state;
	assert_str_is(part_uri(a, STR("./a b/#x%.json")), "a%20b/%23x%25.json");
	assert_str_is(part_uri(a, STR("/abs/\xc3\xa9")), "/abs/%C3%A9");
}

static void a_fingerprint_stays_when_lines_move(void **state)
{
	struct report_finding f = {.kind = "vulnerability", .id = STR("GHSA-1"), .name = STR("a"), .version = STR("1.0.0"), .file = STR("./p/x"), .line = 7}, g = f;

	(void)state;
	g.line = 9;
	g.file = STR("p/x");
	report_fingerprint(&f, f.fingerprint);
	report_fingerprint(&g, g.fingerprint);
	assert_string_equal(f.fingerprint, g.fingerprint);
	assert_int_equal(strlen(f.fingerprint), 32);
	/* Names are told apart by their lengths, so that none can borrow from the next. */
	g.name = STR("a1");
	g.version = STR(".0.0");
	report_fingerprint(&g, g.fingerprint);
	assert_string_not_equal(f.fingerprint, g.fingerprint);
}

static void what_steers_a_terminal_is_noticed(void **state)
{
	(void)state;
	assert_int_equal(part_steers(STR("a"), 0), 0);
	assert_int_equal(part_steers(STR("\x1b[0m"), 0), 1);
	assert_int_equal(part_steers(STR("\xc2\x9b"), 0), 2);
	assert_int_equal(part_steers(STR("\xe2\x80\xae"), 0), 3);
	assert_int_equal(part_steers(STR("\xe2\x80\x94"), 0), 0); /* a dash */
	assert_int_equal(part_steers(STR("\xe2"), 0), 0);
}

static const char lockfile[] = "{\"lockfileVersion\": 3, \"packages\": {\"\": {\"dependencies\": {\"top\": \"^1.0.0\", \"other\": \"1\"}},\n"
							   "\"node_modules/top\": {\"version\": \"1.0.0\", \"dependencies\": {\"bad\": \"~1.0.0\"}},\n"
							   "\"node_modules/other\": {\"version\": \"1.0.0\", \"dependencies\": {\"bad\": \"1.x\"}},\n"
							   "\"node_modules/bad\": {\"version\": \"1.0.0\"}}}";
static const char records[] =
	"[{\"id\": \"A-1\", \"modified\": \"2026-01-01T00:00:00Z\", \"affected\": [{\"package\": {\"ecosystem\": \"npm\", \"name\": \"bad\"},"
	" \"ranges\": [{\"type\": \"SEMVER\", \"events\": [{\"introduced\": \"0\"}, {\"fixed\": \"1.0.5\"}]}]}]},"
	"{\"id\": \"A-2\", \"modified\": \"2026-01-01T00:00:00Z\", \"affected\": [{\"package\": {\"ecosystem\": \"npm\", \"name\": \"bad\"},"
	" \"ranges\": [{\"type\": \"SEMVER\", \"events\": [{\"introduced\": \"1.0.3\"}, {\"fixed\": \"1.1.0\"}]}]}]}]";

/* Given a fix that another advisory speaks against, then the plan goes on to the next; then one of those who need it does not accept it. */
static void a_plan_goes_past_a_fix_that_is_vulnerable_itself(void **state)
{
	char path[] = "/tmp/test_report_XXXXXX";
	int fd = mkstemp(path);
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct advisories *advisories;
	struct policy *policy = policy_builtin();
	struct findings f;
	struct lock l;
	struct lock_listed *listed;
	struct fix_plan plan;
	struct way ways[WAYS];
	struct err err = {0};
	size_t n, ignored, skipped;

	(void)state;
	assert_true(fd >= 0 && write(fd, records, sizeof(records) - 1) == (ssize_t)sizeof(records) - 1);
	close(fd);
	assert_int_equal(advisories_load(path, &advisories, &ignored, &skipped, &err), 0);
	unlink(path);
	assert_int_equal(lock_read(lock_format_by_name(STR("package-lock.json")), STR(lockfile), STR("package-lock.json"), NULL, &l, &err), 0);
	assert_int_equal(lock_list(&l, &listed, &n), 0);
	assert_int_equal(findings_init(&f), 0);
	assert_int_equal(findings_add(&f, &l, listed, n, &(struct scan_rules){.policy = policy, .advisories = advisories, .now = time_now()}), 0);
	assert_int_equal(lock_paths(&l), 0);
	assert_int_equal(f.count, 1);
	assert_int_equal(fix_plan_make(&f, advisories, a, &plan), 0);
	assert_int_equal(plan.count, 1);
	assert_str_is(plan.array[0].to, "1.1.0");
	assert_false(plan.array[0].within_range);
	assert_str_is(l.packages[plan.array[0].blocker].name, "top");
	assert_int_equal(lock_ways(&l, l.packages[f.array[0].package].listed, f.array[0].package, ways), 2);
	assert_int_equal(ways[0].count, 2);
	findings_free(&f);
	free(listed);
	lock_free(&l);
	advisories_unref(advisories);
	policy_unref(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_are_read_in_every_spelling),
		cmocka_unit_test(licences_are_expressions_only_of_known_names),
		cmocka_unit_test(paths_become_addresses),
		cmocka_unit_test(a_fingerprint_stays_when_lines_move),
		cmocka_unit_test(what_steers_a_terminal_is_noticed),
		cmocka_unit_test(a_plan_goes_past_a_fix_that_is_vulnerable_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
