#include "unit.h"

#include "codec/sigstore.h"
#include "forge.h"
#include "gate/provenance.h"
#include "store/provenance.h"
#include "store_fixture.h"

#define NOW ((usec)1700000000 * USEC_SECOND)

static void save(struct store *s, const char *origin, const char *name, const char *version, const char *trust, const char *source, usec at)
{
	struct seen_provenance p = {.version = str_of(version),
	                            .integrity = STR("sha512-first"),
	                            .trust = str_of(trust),
	                            .source = str_of(source),
	                            .detail = STR("why or how"),
	                            .checked = at};

	store_provenance_save(s, str_of(origin), ECOSYSTEM_NPM, str_of(name), &p);
}

static void verdicts_are_kept_by_origin_package_and_version(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
	struct store *s = fixture_open(STORE_WRITE);
	struct seen_provenance *rows;
	struct err err = {0};
	size_t n;

	for (int i = 0; i < 150; i++) {
		char version[16];

		snprintf(version, sizeof(version), "1.0.%d", i);
		save(s, "npm", "left-pad", version, "t", "", NOW);
	}
	save(s, "npm", "left-pad", "1.0.7", "t2", "github.com/acme/left-pad", NOW + 1);
	save(s, "other", "left-pad", "9.0.0", "t", "", NOW);
	save(s, "npm", "right-pad", "9.0.0", "t", "", NOW);
	/* Seen at once, and after the store was opened again. */
	for (int round = 0; round < 2; round++) {
		size_t verified = 0;

		assert_int_equal(store_provenances(s, STR("npm"), ECOSYSTEM_NPM, STR("left-pad"), a, &rows, &n, &err), 0);
		assert_int_equal(n, 150);
		for (size_t i = 0; i < n; i++) {
			assert_true(str_eq(rows[i].integrity, STR("sha512-first")) && str_eq(rows[i].detail, STR("why or how")));
			if (!rows[i].source.n)
				continue;
			verified++;
			assert_true(str_eq(rows[i].version, STR("1.0.7")) && str_eq(rows[i].trust, STR("t2")) && rows[i].checked == NOW + 1);
		}
		assert_int_equal(verified, 1);
		store_close(s);
		s = fixture_open(STORE_WRITE);
	}
	assert_int_equal(store_provenances(s, STR("npm"), ECOSYSTEM_NPM, STR("nothing"), a, &rows, &n, &err), 0);
	assert_int_equal(n, 0);
	store_close(s);
}

static void a_verdict_is_for_one_artifact_under_one_trust(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
	struct store *s = fixture_open(STORE_WRITE);
	struct forge *forge = forge_new(NULL);
	struct rules rules = {0}, without = {0};
	struct gate g = {.store = s};
	struct origin origin = {.id = STR("npm")};
	struct provenance_known known;
	const char *trust;

	assert_int_equal(sigstore_trust_new(forge_ca_pem(forge, a), forge_log_pem(forge, a), &rules.provenance, NULL), 0);
	trust = sigstore_trust_id(rules.provenance);
	save(s, "npm", "left-pad", "1.0.0", trust, "github.com/acme/left-pad", NOW);
	save(s, "npm", "left-pad", "1.0.1", trust, "", NOW);
	save(s, "npm", "left-pad", "1.0.2", "other trust", "github.com/acme/left-pad", NOW);
	provenance_load(&g, &origin, STR("left-pad"), a, &known);
	const struct {
		const char *version, *integrity;
		const struct rules *rules;
		usec now;
		enum provenance_state state;
		const char *text;
	} rows[] = {
		{"1.0.0", "sha512-first", &rules, NOW + 4000 * USEC_DAY, PROVENANCE_VERIFIED, "github.com/acme/left-pad"},
		{"1.0.0", "sha512-other", &rules, NOW, PROVENANCE_UNKNOWN, ""},
		{"1.0.0", "", &rules, NOW, PROVENANCE_UNKNOWN, ""},
		{"1.0.0", "sha512-first", &without, NOW, PROVENANCE_REFUSED, "no keys are configured to verify it with (registries.npm.provenance)"},
		{"1.0.1", "sha512-first", &rules, NOW + USEC_HOUR, PROVENANCE_REFUSED, "why or how"},
		{"1.0.1", "sha512-first", &rules, NOW + USEC_DAY, PROVENANCE_UNKNOWN, "why or how"},
		{"1.0.1", "sha512-first", &rules, NOW - USEC_DAY, PROVENANCE_UNKNOWN, "why or how"}, /* the clock was set back */
		{"1.0.2", "sha512-first", &rules, NOW, PROVENANCE_UNKNOWN, ""},
		{"1.0.3", "sha512-first", &rules, NOW, PROVENANCE_UNKNOWN, ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct npm_version v = {.version = str_of(rows[i].version), .integrity = str_of(rows[i].integrity)};
		struct str text;

		if (provenance_look(&known, rows[i].rules, &v, rows[i].now, &text) != rows[i].state || !str_eq(text, str_of(rows[i].text)))
			fail_msg("row %zu: %.*s", i, STR_ARG(text));
	}
	map_free(&known.by_version);
	sigstore_trust_unref(rules.provenance);
	forge_free(forge);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(verdicts_are_kept_by_origin_package_and_version, fixture_make, fixture_remove),
		cmocka_unit_test_setup_teardown(a_verdict_is_for_one_artifact_under_one_trust, fixture_make, fixture_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
