#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "advisory/internal.h"
#include "base/limits.h"

#define OSV(id, aliases, package, more) \
	"{\"id\":\"" id "\",\"aliases\":[" aliases "],\"modified\":\"2026-01-01T00:00:00Z\",\"summary\":\"s\",\"affected\":[{\"package\":{\"ecosystem\":" \
	"\"npm\",\"name\":\"" package "\"},\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"}]}]}]" more "}"

static struct advisories *known(void)
{
	static const char *const records[] = {
		OSV("GHSA-1", "\"CVE-1\"", "lab-a", ""),
		OSV("GHSA-2", "\"CVE-2\"", "lab-a", ""),
		OSV("GHSA-3", "", "@lab/b", ""),
		OSV("MAL-1", "\"CVE-9\"", "lab-bad", ",\"database_specific\":{\"cwe_ids\":[\"CWE-506\"]}"),
	};
	struct advisories *a = advisories_empty();

	assert_non_null(a);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(osv_read(a, str_of(records[i]), NULL, NULL, &(struct problem){0}), 0);
	return a;
}

/* How many advisories affect the version; *ret_why: what is said of the last one that does not. */
static size_t affecting(struct advisories *a, const char *name, const char *version, char *ret_why, size_t room)
{
	CLEANUP_ARENA struct arena *out = arena_new(MIB);
	struct advisory *found;
	size_t n = advisories_match(a, ECOSYSTEM_NPM, str_of(name), str_of(version), 0, out, &found), affected = 0;

	if (ret_why)
		snprintf(ret_why, room, "%s", "");
	for (size_t i = 0; i < n; i++) {
		assert_true(i == 0 || !found[i - 1].not_affected.n || found[i].not_affected.n);
		affected += !found[i].not_affected.n;
		if (ret_why && found[i].not_affected.n)
			snprintf(ret_why, room, "%.*s", STR_ARG(found[i].not_affected));
	}
	return affected;
}

struct expectation {
	const char *name, *version;
	size_t affecting;
};

static const struct row {
	const char *what, *text;
	size_t statements, skipped;
	struct expectation expect[4];
} rows[] = {
	{"nothing is said", "{\"@context\":\"https://openvex.dev/ns/v0.2.0\",\"statements\":[]}", 0, 0, {{"lab-a", "1.0.0", 2}}},
	{"one version, by an alias",
     "{\"timestamp\":\"2026-01-01T00:00:00Z\",\"statements\":[{\"vulnerability\":{\"name\":\"CVE-1\"},\"products\":[{\"@id\":\"pkg:npm/"
     "lab-a@1.0.0\"}],\"status\":\"not_affected\",\"justification\":\"vulnerable_code_not_in_execute_path\"}]}",
     1,
     0,
     {{"lab-a", "1.0.0", 1}, {"lab-a", "1.0.1", 2}}},
	{"equal versions are one", "{\"statements\":[{\"vulnerability\":\"GHSA-1\",\"products\":[\"pkg:npm/lab-a@v1.0.0\"],\"status\":\"fixed\"}]}", 1, 0, {{"lab-a", "1.0.0", 1}}},
	{"all versions, a scope, the older form",
     "{\"statements\":[{\"vulnerability\":\"GHSA-3\",\"products\":[\"pkg:npm/%40lab/b\"],\"status\":\"not_affected\"}]}",
     1,
     0,
     {{"@lab/b", "7.0.0", 0}}},
	{"a part of a product",
     "{\"statements\":[{\"vulnerability\":{\"name\":\"CVE-2\"},\"products\":[{\"@id\":\"pkg:oci/"
     "app@1\",\"subcomponents\":[{\"@id\":\"pkg:npm/lab-a@2.0.0\"}]}],\"status\":\"not_affected\"}]}",
     1,
     0,
     {{"lab-a", "2.0.0", 1}, {"lab-a", "1.0.0", 2}}},
	{"the purl among the identifiers",
     "{\"statements\":[{\"vulnerability\":{\"name\":\"x\",\"aliases\":[\"CVE-2\"]},\"products\":[{\"@id\":\"urn:x\",\"identifiers\":{\"purl\":"
     "\"pkg:npm/lab-a\"}}],\"status\":\"not_affected\"}]}",
     1,
     0,
     {{"lab-a", "2.0.0", 1}}},
	{"the later statement wins, in whatever order they stand",
     "{\"statements\":[{\"vulnerability\":\"CVE-1\",\"products\":[\"pkg:npm/lab-a\"],\"status\":\"affected\",\"timestamp\":\"2026-02-01T00:00:00Z\"},"
     "{\"vulnerability\":\"CVE-1\",\"products\":[\"pkg:npm/lab-a\"],\"status\":\"not_affected\",\"timestamp\":\"2026-01-01T00:00:00Z\"}]}",
     2,
     0,
     {{"lab-a", "1.0.0", 2}}},
	{"a version is heard before all versions",
     "{\"statements\":[{\"vulnerability\":\"CVE-1\",\"products\":[\"pkg:npm/lab-a\"],\"status\":\"not_affected\"},"
     "{\"vulnerability\":\"CVE-1\",\"products\":[\"pkg:npm/lab-a@1.0.0\"],\"status\":\"affected\"}]}",
     2,
     0,
     {{"lab-a", "1.0.0", 2}, {"lab-a", "1.0.1", 1}}},
	{"malware is never marked away",
     "{\"statements\":[{\"vulnerability\":{\"name\":\"MAL-1\",\"aliases\":[\"CVE-9\"]},\"products\":[\"pkg:npm/lab-bad\"],\"status\":\"not_affected\"}]}",
     1,
     0,
     {{"lab-bad", "1.0.0", 1}}},
	{"other products are told", "{\"statements\":[{\"vulnerability\":\"CVE-1\",\"products\":[\"pkg:pypi/x@1\",\"pkg:npm/lab-a\"],\"status\":\"not_affected\"}]}", 1, 1, {{"lab-a", "1.0.0", 1}}},
	{"under investigation is affected", "{\"statements\":[{\"vulnerability\":\"CVE-1\",\"products\":[\"pkg:npm/lab-a\"],\"status\":\"under_investigation\"}]}", 1, 0, {{"lab-a", "1.0.0", 2}}},
	{"CycloneDX by reference",
     "{\"bomFormat\":\"CycloneDX\",\"components\":[{\"bom-ref\":\"r1\",\"purl\":\"pkg:npm/"
     "lab-a@1.0.0\",\"components\":[{\"bom-ref\":\"r2\",\"purl\":\"pkg:npm/%40lab/b@1.0.0\"}]}],"
     "\"vulnerabilities\":[{\"id\":\"CVE-1\",\"analysis\":{\"state\":\"not_affected\",\"justification\":\"code_not_reachable\",\"detail\":\"never "
     "called\"},\"affects\":[{\"ref\":\"r1\"}]},{\"id\":\"x\",\"references\":[{\"id\":\"GHSA-3\"}],\"analysis\":{\"state\":\"false_positive\"},\"affects\":[{\"ref\":"
     "\"urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#r2\"}]}]}",
     2,
     0,
     {{"lab-a", "1.0.0", 1}, {"lab-a", "1.0.1", 2}, {"@lab/b", "1.0.0", 0}}},
	{"CycloneDX, exploitable", "{\"bomFormat\":\"CycloneDX\",\"vulnerabilities\":[{\"id\":\"CVE-1\",\"analysis\":{\"state\":\"exploitable\"},\"affects\":[{\"ref\":\"pkg:npm/lab-a\"}]}]}", 1, 0, {{"lab-a", "1.0.0", 2}}},
	{"CycloneDX, single versions are not widened",
     "{\"bomFormat\":\"CycloneDX\",\"vulnerabilities\":[{\"id\":\"CVE-1\",\"analysis\":{\"state\":\"not_affected\"},\"affects\":[{\"ref\":\"pkg:npm/lab-a\","
     "\"versions\":[{\"version\":\"1.0.0\"}]}]}]}",
     0,
     1,
     {{"lab-a", "1.0.0", 2}}},
};

static void test_statements(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct advisories *a = known();
		size_t statements, skipped;
		struct err err = {0};

		if (advisories_add_vex(a, str_of(rows[i].text), "vex.json", &statements, &skipped, &err) < 0)
			fail_msg("%s: %s", rows[i].what, err.text);
		if (statements != rows[i].statements || skipped != rows[i].skipped)
			fail_msg("%s: %zu statements, %zu skipped (%s)", rows[i].what, statements, skipped, err.text);
		for (const struct expectation *e = rows[i].expect; e < rows[i].expect + 4 && e->name; e++)
			if (affecting(a, e->name, e->version, NULL, 0) != e->affecting)
				fail_msg("%s: %s@%s", rows[i].what, e->name, e->version);
		advisories_unref(a);
	}
}

static void test_why_is_told(void **state)
{
	struct advisories *a = known();
	uint64_t before = advisories_digest(a);
	size_t statements, skipped;
	struct err err = {0};
	char why[200];

	(void)state;
	assert_int_equal(advisories_add_vex(a,
	                                    STR("{\"statements\":[{\"vulnerability\":\"CVE-1\",\"products\":[\"pkg:npm/lab-a\"],\"status\":\"not_affected\","
	                                        "\"justification\":\"component_not_present\",\"impact_statement\":\"only in tests\"}]}"),
	                                    "our.json", &statements, &skipped, &err),
	                 0);
	assert_int_equal(affecting(a, "lab-a", "1.0.0", why, sizeof(why)), 1);
	assert_string_equal(why, "component_not_present: only in tests (our.json)");
	assert_true(advisories_digest(a) != before);
	advisories_unref(a);
}

static void test_what_is_no_vex_is_refused(void **state)
{
	static const char *const texts[] = {"", "[]", "{", "{\"a\":1}", "{\"statements\":{}}", "{\"statements\":[1]}", "{\"bomFormat\":\"CycloneDX\",\"vulnerabilities\":3}"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct advisories *a = known();
		size_t statements, skipped;
		struct err err = {0};

		if (advisories_add_vex(a, str_of(texts[i]), "x.json", &statements, &skipped, &err) >= 0 || !strstr(err.text, "x.json"))
			fail_msg("%s: %s", texts[i], err.text);
		advisories_unref(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statements),
		cmocka_unit_test(test_why_is_told),
		cmocka_unit_test(test_what_is_no_vex_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
