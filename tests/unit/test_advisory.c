#include "unit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "advisory/advisory.h"
#include "advisory/internal.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/bondgate-advisory-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int unlink_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int remove_dir(void **state)
{
	(void)state;
	return nftw(dir, unlink_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_file(const char *name, const char *text)
{
	char path[200];
	struct err err = {0};

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(file_replace(path, str_of(text), 0600, &err), 0);
}

struct loaded {
	struct advisories *a;
	size_t records, skipped;
	struct err err;
	int r;
};

static int load_paths(const char *one, const char *two, struct loaded *l)
{
	const char *paths[] = {one, two};

	return two ? advisories_load_all(paths, 2, &l->a, &l->records, &l->skipped, &l->err)
	           : advisories_load(one, &l->a, &l->records, &l->skipped, &l->err);
}

static struct loaded load(const char *text)
{
	struct loaded l = {0};
	char path[200];

	write_file("one.json", text);
	snprintf(path, sizeof(path), "%s/one.json", dir);
	l.r = load_paths(path, NULL, &l);
	assert_int_equal(l.r, 0);
	return l;
}

static size_t match(struct advisories *a, enum ecosystem e, const char *name, const char *version, struct arena *out, struct advisory **ret)
{
	return advisories_match(a, e, str_of(name), str_of(version), 0, out, ret);
}

static void assert_str(struct str got, const char *expected)
{
	if (!str_eq(got, str_of(expected)))
		fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(got), expected);
}

/* One package "a" with this `affected` body: which of the versions match, and what is said of them. */
static void ranges_are_read_as_the_schema_says(void **state)
{
	(void)state;
	static const struct {
		const char *ecosystem, *body, *hit, *miss, *range, *fixed; /* hit, miss: separated by blanks; fixed: of the first hit */
	} rows[] = {
		{"npm", "\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"1.2.0\"}]}]",
	     "0.0.0 1.1.9 1.2.0-rc.1 v1.0.0", "1.2.0 1.2.0+build 2.0.0", "<1.2.0", "1.2.0"},
		{"npm", "\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"1.0.0\"},{\"last_affected\":\"1.2.0\"}]}]", "1.0.0 1.2.0",
	     "0.9.9 1.0.0-rc.1 1.2.1", ">=1.0.0 <=1.2.0", ""},
		{"npm", "\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"}]}]", "0.0.1 99.0.0 junk", "", "*", ""},
		{"npm", "\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"2.0.0\"}]}]", "2.0.0 9.0.0", "1.9.9 junk", ">=2.0.0", ""},
		/* The order of the list does not matter, that of the versions does. */
		{"npm",
	     "\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"fixed\":\"2.1.0\"},{\"introduced\":\"2.0.0\"},{\"fixed\":\"1.2.0\"},{"
	     "\"introduced\":\"0\"}]}]",
	     "1.0.0 2.0.5", "1.2.0 1.9.0 2.1.0", "<1.2.0 || >=2.0.0 <2.1.0", "1.2.0"},
		/* Two ranges of one package, as two entries. */
		{"npm",
	     "\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"3.0.0\"},{\"fixed\":\"3.1.0\"}]},"
	     "{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"1.0.0\"},{\"fixed\":\"1.1.0\"}]}]",
	     "3.0.9 1.0.5", "2.0.0", ">=1.0.0 <1.1.0 || >=3.0.0 <3.1.0", "3.1.0"},
		{"npm", "\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"1.0.0\"},{\"limit\":\"2.0.0\"}]}]", "1.5.0", "2.0.0 3.0.0",
	     ">=1.0.0 <2.0.0", ""},
		{"npm", "\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"3.0.0\"},{\"limit\":\"*\"}]}]", "1.5.0",
	     "3.0.0", "<3.0.0", "3.0.0"},
		/* Fixed and introduced again at once: still affected. */
		{"npm",
	     "\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"1.0.0\"},{\"introduced\":\"1.0.0\"},{\"fixed\":"
	     "\"2.0.0\"}]}]",
	     "0.5.0 1.0.0 1.9.0", "2.0.0", "<1.0.0 || >=1.0.0 <2.0.0", "1.0.0"},
		{"npm", "\"versions\":[\"1.0.1\",\"1.0.0\",\"v2.0.0+b\"]", "1.0.0 1.0.1 2.0.0 =1.0.0", "1.0.2", "1.0.0 || 1.0.1 || 2.0.0", ""},
		{"npm",
	     "\"versions\":[\"1.0.0\",\"5.0.0\"],\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"1.2.0\"}]}]",
	     "1.0.0 5.0.0", "1.2.0", "<1.2.0 || 5.0.0", "1.2.0"},
		{"npm", "\"ranges\":[{\"type\":\"GIT\",\"events\":[{\"introduced\":\"0\"}]}]", "", "1.0.0", NULL, NULL},
		/* Short versions, which advisories write. */
		{"npm", "\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"1\"},{\"fixed\":\"1.2\"}]}]", "1.0.0 1.1.9", "1.2.0",
	     ">=1.0.0 <1.2.0", "1.2"},
		/* An end that cannot be read leaves the range open; a start that cannot be read is the first version. */
		{"npm", "\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"1.0.0\"},{\"fixed\":\"soon\"}]}]", "9.0.0", "0.9.0",
	     ">=1.0.0", ""},
		{"npm", "\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"once\"},{\"fixed\":\"2.0.0\"}]}]", "0.1.0 1.0.0", "2.0.0",
	     "<2.0.0", "2.0.0"},
		{"npm", "\"ranges\":null,\"versions\":[]", "", "1.0.0", NULL, NULL},
		/* NuGet: four numbers, short forms, prereleases without case. */
		{"NuGet", "\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"1.0\"},{\"fixed\":\"4.0.30506.1\"}]}]",
	     "1.0.0 4.0.30506 4.0.30506.0 4.0.30506.1-beta", "0.9 4.0.30506.1 4.0.30506.2 4.0.30507", ">=1.0.0 <4.0.30506.1", "4.0.30506.1"},
		{"NuGet", "\"versions\":[\"1.0\",\"2.0.0.1\",\"3.0.0-Beta\"]", "1.0.0 1.0.0.0 01.0 2.0.0.1 3.0.0-beta 3.0.0-BETA+x", "2.0.0 3.0.0",
	     "1.0.0 || 2.0.0.1 || 3.0.0-beta", ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(MIB);
		enum ecosystem e = rows[i].ecosystem[0] == 'n' ? ECOSYSTEM_NPM : ECOSYSTEM_NUGET;
		char text[2000];
		struct advisory *found;
		bool first = true;

		snprintf(text, sizeof(text), "{\"id\":\"X-1\",\"affected\":[{\"package\":{\"ecosystem\":\"%s\",\"name\":\"a\"},%s}]}",
		         rows[i].ecosystem, rows[i].body);
		struct loaded l = load(text);

		assert_int_equal(l.records, 1);
		for (struct str rest = str_of(rows[i].hit), v; str_split(&rest, ' ', &v); first = false) {
			if (advisories_match(l.a, e, STR("a"), v, 0, a, &found) != 1)
				fail_msg("row %zu: %.*s is not matched", i, STR_ARG(v));
			assert_str(found->vulnerable_versions, rows[i].range);
			if (first)
				assert_str(found->fixed, rows[i].fixed);
		}
		for (struct str rest = str_of(rows[i].miss), v; str_split(&rest, ' ', &v);)
			if (advisories_match(l.a, e, STR("a"), v, 0, a, &found) != 0)
				fail_msg("row %zu: %.*s is matched", i, STR_ARG(v));
		advisories_unref(l.a);
	}
}

#define ALL "\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"}]}]"
#define PACKAGE "\"package\":{\"ecosystem\":\"npm\",\"name\":\"a\"}"
#define AFFECTED "\"affected\":[{" PACKAGE "," ALL "}]"

static void kind_and_severity_come_from_where_producers_put_them(void **state)
{
	(void)state;
	static const struct {
		const char *record;
		enum advisory_kind kind;
		enum severity severity;
	} rows[] = {
		{"{\"id\":\"GHSA-1\"," AFFECTED "}", ADVISORY_VULNERABILITY, SEVERITY_UNKNOWN},
		{"{\"id\":\"GHSA-1\",\"database_specific\":{\"severity\":\"HIGH\"}," AFFECTED "}", ADVISORY_VULNERABILITY, SEVERITY_HIGH},
		{"{\"id\":\"GHSA-1\"," AFFECTED ",\"database_specific\":{\"severity\":\"Medium\"}}", ADVISORY_VULNERABILITY, SEVERITY_MODERATE},
		{"{\"id\":\"GHSA-1\",\"database_specific\":null,\"severity\":null,\"aliases\":null,\"references\":null," AFFECTED "}",
	     ADVISORY_VULNERABILITY, SEVERITY_UNKNOWN},
		{"{\"id\":\"CVE-1\",\"severity\":[{\"type\":\"CVSS_V3\",\"score\":\"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"}]," AFFECTED "}",
	     ADVISORY_VULNERABILITY, SEVERITY_CRITICAL},
		{"{\"id\":\"CVE-1\",\"database_specific\":{\"severity\":\"LOW\"},\"severity\":[{\"type\":\"CVSS_V3\",\"score\":\"CVSS:3.1/AV:N/"
	     "AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"}]," AFFECTED "}",
	     ADVISORY_VULNERABILITY, SEVERITY_LOW},
		{"{\"id\":\"CVE-1\",\"severity\":[{\"type\":\"CVSS_V4\",\"score\":\"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/"
	     "SA:N\"}]," AFFECTED "}",
	     ADVISORY_VULNERABILITY, SEVERITY_CRITICAL},
		{"{\"id\":\"MAL-2025-1\"," AFFECTED "}", ADVISORY_MALWARE, SEVERITY_CRITICAL},
		{"{\"id\":\"GHSA-1\",\"database_specific\":{\"cwe_ids\":[\"CWE-79\",\"CWE-506\"],\"severity\":\"LOW\"}," AFFECTED "}",
	     ADVISORY_MALWARE, SEVERITY_LOW},
		{"{\"id\":\"X\",\"database_specific\":{\"malicious-packages-origins\":[]}," AFFECTED "}", ADVISORY_MALWARE, SEVERITY_CRITICAL},
		{"{\"id\":\"X\",\"aliases\":[\"MAL-2026-1\"]," AFFECTED "}", ADVISORY_MALWARE, SEVERITY_CRITICAL},
		{"{\"id\":\"X\",\"summary\":\"Malicious code in a (npm)\"," AFFECTED "}", ADVISORY_MALWARE, SEVERITY_CRITICAL},
		{"{\"id\":\"X\",\"affected\":[{" PACKAGE ",\"database_specific\":{\"cwes\":[{\"cweId\":\"CWE-506\"}]}," ALL "}]}", ADVISORY_MALWARE,
	     SEVERITY_CRITICAL},
		/* Malware of which no range is told is all of it. */
		{"{\"id\":\"MAL-2025-1\",\"affected\":[{" PACKAGE "}]}", ADVISORY_MALWARE, SEVERITY_CRITICAL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(MIB);
		struct loaded l = load(rows[i].record);
		struct advisory *found;

		if (match(l.a, ECOSYSTEM_NPM, "a", "1.0.0", a, &found) != 1)
			fail_msg("row %zu is not matched: %s", i, l.err.text);
		if (found->kind != rows[i].kind || found->severity != rows[i].severity)
			fail_msg("row %zu: kind %d, severity %s", i, (int)found->kind, severity_name(found->severity));
		advisories_unref(l.a);
	}
}

/* Scores as FIRST's own calculator gives them. */
static void cvss_scores_are_those_of_the_specification(void **state)
{
	(void)state;
	static const struct {
		const char *vector;
		int tenths;
	} rows[] = {
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98},
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 100},
		{"CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 61},
		{"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 64},
		{"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", 75},
		{"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 78},
		{"CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N", 37},
		{"CVSS:3.0/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", 16},
		{"CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:C/C:H/I:H/A:H", 91},
		{"CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N", 43},
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0},
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:N/A:N/E:P/RL:O", 65},
		{"CVSS:2.0/AV:N", -EINVAL},
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", -EINVAL},
		{"CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", -EINVAL},
		{"CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", -EINVAL},
		{"", -EINVAL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (cvss3_score(str_of(rows[i].vector)) != rows[i].tenths)
			fail_msg("%s: %d", rows[i].vector, cvss3_score(str_of(rows[i].vector)));
	assert_int_equal(severity_of_score(39), SEVERITY_LOW);
	assert_int_equal(severity_of_score(40), SEVERITY_MODERATE);
	assert_int_equal(severity_of_score(70), SEVERITY_HIGH);
	assert_int_equal(severity_of_score(90), SEVERITY_CRITICAL);
}

static void names_follow_their_ecosystem(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct loaded l = load("{\"id\":\"X\",\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"JSONStream\"}," ALL "},"
	                       "{\"package\":{\"ecosystem\":\"NuGet\",\"name\":\"Newtonsoft.Json\"}," ALL "},"
	                       "{\"package\":{\"ecosystem\":\"PyPI\",\"name\":\"b\"}," ALL "}]}");
	struct advisory *found;

	assert_int_equal(match(l.a, ECOSYSTEM_NPM, "JSONStream", "1.0.0", a, &found), 1);
	assert_int_equal(match(l.a, ECOSYSTEM_NPM, "jsonstream", "1.0.0", a, &found), 0);
	assert_null(found);
	assert_int_equal(match(l.a, ECOSYSTEM_NUGET, "newtonsoft.JSON", "1.0.0", a, &found), 1);
	assert_int_equal(match(l.a, ECOSYSTEM_NPM, "Newtonsoft.Json", "1.0.0", a, &found), 0);
	assert_int_equal(match(l.a, ECOSYSTEM_NPM, "b", "1.0.0", a, &found), 0);
	assert_true(advisories_know(l.a, ECOSYSTEM_NUGET, STR("NEWTONSOFT.json")));
	assert_false(advisories_know(l.a, ECOSYSTEM_NPM, STR("b")));
	advisories_unref(l.a);
}

static void withdrawn_records_are_not_matched_and_later_ones_not_yet(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct loaded l =
		load("[{\"id\":\"GONE\",\"withdrawn\":\"2026-01-01T00:00:00Z\"," AFFECTED "},"
	         "{\"id\":\"NOW\",\"published\":\"2026-06-01T00:00:00Z\",\"database_specific\":{\"severity\":\"LOW\"}," AFFECTED "},"
	         "{\"id\":\"WORSE\",\"published\":\"2026-06-01T00:00:00Z\",\"database_specific\":{\"severity\":\"HIGH\"},"
	         "\"withdrawn\":null," AFFECTED "},"
	         "{\"id\":\"MAL-1\",\"published\":\"2026-06-02T00:00:00Z\"," AFFECTED "}]");
	struct advisory *found;
	usec first, second;

	assert_int_equal(l.records, 4);
	assert_int_equal(time_parse(STR("2026-06-01"), &first), 0);
	assert_int_equal(time_parse(STR("2026-06-02"), &second), 0);
	assert_int_equal(advisories_match(l.a, ECOSYSTEM_NPM, STR("a"), STR("1.0.0"), first - 1, a, &found), 0);
	assert_int_equal(advisories_match(l.a, ECOSYSTEM_NPM, STR("a"), STR("1.0.0"), first, a, &found), 2);
	assert_str(found[0].id, "WORSE");
	assert_int_equal(advisories_match(l.a, ECOSYSTEM_NPM, STR("a"), STR("1.0.0"), second, a, &found), 3);
	assert_str(found[0].id, "MAL-1");
	assert_int_equal(match(l.a, ECOSYSTEM_NPM, "a", "1.0.0", a, &found), 3);
	advisories_unref(l.a);
}

static void one_record_with_two_entries_of_a_package_is_one_advisory(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct loaded l =
		load("{\"id\":\"X\",\"summary\":\"s\\u00e9\",\"references\":[{\"type\":\"WEB\",\"url\":\"https://web.example/\"},"
	         "{\"type\":\"ADVISORY\",\"url\":\"https://advisory.example/\"},{\"type\":\"ADVISORY\",\"url\":\"javascript:alert(1)\"}],"
	         "\"affected\":[{" PACKAGE ",\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"2.0.0\"},{\"fixed\":\"2.1.0\"}]}]},"
	         "{" PACKAGE ",\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"1.1.0\"}]}]}]}");
	struct advisory *found;

	assert_int_equal(match(l.a, ECOSYSTEM_NPM, "a", "1.0.0", a, &found), 1);
	assert_str(found->vulnerable_versions, "<1.1.0 || >=2.0.0 <2.1.0");
	assert_str(found->fixed, "1.1.0");
	assert_str(found->summary, "s\xc3\xa9");
	assert_str(found->url, "https://advisory.example/");
	advisories_unref(l.a);
}

static void broken_records_are_skipped_and_the_rest_is_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t records, skipped;
	} rows[] = {
		{"[{\"id\":\"A\"," AFFECTED "},{\"id\":7},{\"id\":\"B\"," AFFECTED "}]", 2, 1},
		{"[{\"id\":\"A\"},{\"summary\":\"no id\"}]", 1, 1},
		{"[{\"id\":\"A\"},{\"id\":\"B\"", 1, 1},
		{"[]", 0, 0},
		{"", 0, 1},
		{"7", 0, 1},
		{"{\"id\":\"A\",\"affected\":{}}", 0, 1},
		{"{\"id\":\"A\",\"affected\":[{" PACKAGE "," ALL "},{\"package\":7}]}", 0, 1},
		{"{\"id\":\"A\",\"affected\":[{" PACKAGE ",\"versions\":[1]}]}", 0, 1},
		{"{\"id\":\"A\",\"affected\":[{" PACKAGE ",\"ranges\":[{\"type\":\"SEMVER\",\"events\":[7]}]}]}", 0, 1},
		{"{\"id\":\"A\"} x", 0, 1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct loaded l = load(rows[i].text);

		if (l.records != rows[i].records || l.skipped != rows[i].skipped)
			fail_msg("row %zu: %zu records, %zu skipped", i, l.records, l.skipped);
		if (l.skipped)
			assert_true(strstr(l.err.text, "one.json") && strstr(l.err.text, "byte"));
		/* Nothing of a broken record stays. */
		if (l.records == 0)
			assert_false(advisories_know(l.a, ECOSYSTEM_NPM, STR("a")));
		advisories_unref(l.a);
	}
}

static void a_folder_is_read_whole_and_its_digest_is_its_content(void **state)
{
	(void)state;
	struct loaded all = {0}, none = {0};
	char path[200];

	write_file("b.json", "{\"id\":\"B\"," AFFECTED "}");
	write_file("a.json", "{\"id\":\"A\"," AFFECTED "}");
	write_file("notes.txt", "not an advisory");
	assert_int_equal(load_paths(dir, NULL, &all), 0);
	assert_int_equal(all.records, 2);
	assert_int_equal(all.skipped, 0);
	struct loaded array = load("[{\"id\":\"B\"," AFFECTED "} , {\"id\":\"A\"," AFFECTED "}]");

	assert_true(advisories_digest(all.a) == advisories_digest(array.a));
	struct loaded other = load("[{\"id\":\"B\"," AFFECTED "}]");

	assert_true(advisories_digest(all.a) != advisories_digest(other.a));
	advisories_unref(all.a);
	advisories_unref(array.a);
	advisories_unref(other.a);
	/* Two paths are read into one; a path that is not there fails. */
	snprintf(path, sizeof(path), "%s/a.json", dir);
	assert_int_equal(load_paths(dir, path, &all), 0);
	assert_int_equal(all.records, 4);
	advisories_unref(all.a);
	assert_int_equal(load_paths(path, "/nonexistent/advisories", &none), -ENOENT);
	assert_null(none.a);
}

static void nothing_is_known_of_nothing(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct advisories *none = advisories_ref(advisories_empty());
	struct advisory *found;

	assert_int_equal(match(none, ECOSYSTEM_NPM, "a", "1.0.0", a, &found), 0);
	assert_int_equal(advisories_digest(none), 0);
	advisories_unref(none);
	advisories_unref(none);
}

static bool unzip(const char *zip)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		execlp("python3", "python3", "-m", "zipfile", "-e", zip, dir, (char *)NULL);
		_exit(127);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static void real_records_load(const char *name, size_t expected)
{
	CLEANUP_BUF struct buf path = BUF(4096);
	const char *data = getenv("BONDGATE_DATA"), *source = getenv("BONDGATE_SOURCE");
	struct loaded all = {0};

	if (data)
		buf_printf(&path, "%s/osv/%s", data, name);
	else
		buf_printf(&path, "%s/../shared/data/osv/%s", source ? source : ".", name);
	if (access(buf_cstr(&path), R_OK) < 0) {
		print_message("skipped: %s is missing\n", buf_cstr(&path));
		buf_free(&path); /* skip() does not return */
		skip();
	}
	assert_true(unzip(buf_cstr(&path)));
	usec start = time_monotonic();

	assert_int_equal(load_paths(dir, NULL, &all), 0);
	print_message("%s: %zu records, %zu skipped, %lld ms %s\n", name, all.records, all.skipped,
	              (long long)(time_monotonic() - start) / 1000, all.err.text);
	assert_int_equal(all.skipped, 0);
	assert_int_equal(all.records, expected);
	advisories_unref(all.a);
}

static void real_npm_records_load(void **state)
{
	(void)state;
	real_records_load("npm.zip", 40544);
}

static void real_nuget_records_load(void **state)
{
	(void)state;
	real_records_load("nuget.zip", 1368);
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

/* Which version is named as a fix, by which advisory, and since when. */
static void a_fix_is_the_version_that_ends_a_range(void **state)
{
	(void)state;
	struct loaded l = load(
		"[{\"id\":\"GHSA-low\",\"published\":\"2026-01-01T00:00:00Z\",\"database_specific\":{\"severity\":\"LOW\"},\"affected\":["
		"{\"package\":{\"ecosystem\":\"npm\",\"name\":\"a\"},\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"},"
		"{\"fixed\":\"1.2\"},{\"introduced\":\"2.0.0\"},{\"fixed\":\"2.1.0\"}]}]}]},"
		"{\"id\":\"GHSA-high\",\"published\":\"2026-02-01T00:00:00Z\",\"database_specific\":{\"severity\":\"HIGH\"},\"affected\":["
		"{\"package\":{\"ecosystem\":\"npm\",\"name\":\"a\"},\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"},"
		"{\"fixed\":\"1.2.0\"}]}]}]},"
		"{\"id\":\"GHSA-again\",\"published\":\"2026-01-01T00:00:00Z\",\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"a\"},"
		"\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"3.0.0\"},{\"introduced\":\"3.0.0\"},"
		"{\"last_affected\":\"3.5.0\"}]}]}]},"
		"{\"id\":\"MAL-1\",\"published\":\"2026-01-01T00:00:00Z\",\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"a\"},"
		"\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"4.0.0\"}]}]}]},"
		"{\"id\":\"GHSA-gone\",\"published\":\"2026-01-01T00:00:00Z\",\"withdrawn\":\"2026-02-01T00:00:00Z\",\"affected\":["
		"{\"package\":{\"ecosystem\":\"npm\",\"name\":\"a\"},\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"},"
		"{\"fixed\":\"5.0.0\"}]}]}]},"
		"{\"id\":\"GHSA-n\",\"published\":\"2026-01-01T00:00:00Z\",\"database_specific\":{\"severity\":\"CRITICAL\"},\"affected\":["
		"{\"package\":{\"ecosystem\":\"NuGet\",\"name\":\"Acme.Json\"},\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"},"
		"{\"fixed\":\"1.2\"}]}]}]}]");
	static const struct {
		enum ecosystem ecosystem;
		const char *name, *version, *id; /* NULL: no fix */
		usec at;
	} rows[] = {
		{ECOSYSTEM_NPM, "a", "1.2.0", "GHSA-high", 0},
		{ECOSYSTEM_NPM, "a", "v1.2.0+build", "GHSA-high", 0},
		{ECOSYSTEM_NPM, "a", "1.2.0", "GHSA-low", 20470 * USEC_DAY}, /* 2026-01-17: the other was not known yet */
		{ECOSYSTEM_NPM, "a", "1.2.0", NULL, 20000 * USEC_DAY},
		{ECOSYSTEM_NPM, "a", "2.1.0", "GHSA-low", 0},
		{ECOSYSTEM_NPM, "a", "1.2.1", NULL, 0},
		{ECOSYSTEM_NPM, "a", "1.2.0-rc.1", NULL, 0},
		{ECOSYSTEM_NPM, "a", "2.0.0", NULL, 0},
		{ECOSYSTEM_NPM, "a", "3.0.0", NULL, 0}, /* where one range ends the next begins */
		{ECOSYSTEM_NPM, "a", "3.5.0", NULL, 0},
		{ECOSYSTEM_NPM, "a", "4.0.0", NULL, 0}, /* malware is not fixed, it is gone */
		{ECOSYSTEM_NPM, "a", "5.0.0", NULL, 0},
		{ECOSYSTEM_NPM, "a", "junk", NULL, 0},
		{ECOSYSTEM_NPM, "b", "1.2.0", NULL, 0},
		{ECOSYSTEM_NUGET, "acme.json", "1.2.0.0", "GHSA-n", 0},
		{ECOSYSTEM_NUGET, "ACME.JSON", "1.2.0.1", NULL, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(MIB);
		struct str id = STR_NULL;
		enum severity severity;
		bool fix = advisories_fixed_by(l.a, rows[i].ecosystem, str_of(rows[i].name), str_of(rows[i].version), rows[i].at, a, &id, &severity);

		if (fix != (rows[i].id != NULL) || (fix && !str_eq(id, str_of(rows[i].id))))
			fail_msg("%s@%s: \"%.*s\"", rows[i].name, rows[i].version, STR_ARG(id));
	}
	advisories_unref(l.a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_fix_is_the_version_that_ends_a_range, make_dir, remove_dir),
		IN_DIR(ranges_are_read_as_the_schema_says),
		IN_DIR(kind_and_severity_come_from_where_producers_put_them),
		cmocka_unit_test(cvss_scores_are_those_of_the_specification),
		IN_DIR(names_follow_their_ecosystem),
		IN_DIR(withdrawn_records_are_not_matched_and_later_ones_not_yet),
		IN_DIR(one_record_with_two_entries_of_a_package_is_one_advisory),
		IN_DIR(broken_records_are_skipped_and_the_rest_is_read),
		IN_DIR(a_folder_is_read_whole_and_its_digest_is_its_content),
		cmocka_unit_test(nothing_is_known_of_nothing),
		IN_DIR(real_npm_records_load),
		IN_DIR(real_nuget_records_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
