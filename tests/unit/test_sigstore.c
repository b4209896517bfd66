#include "unit.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "codec/sigstore.h"
#include "forge.h"

static struct forge *forge;
static struct sigstore_trust *trust;

static int set_up(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct err err = {0};

	forge = forge_new(NULL);
	if (sigstore_trust_new(forge_ca_pem(forge, a), forge_log_pem(forge, a), &trust, &err) == 0)
		return 0;
	fprintf(stderr, "%s\n", err.text);
	return -1;
}

static int tear_down(void **state)
{
	(void)state;
	sigstore_trust_unref(trust);
	forge_free(forge);
	return 0;
}

static struct forge_wish wish(void)
{
	struct forge_wish w = forge_defaults();

	memset(w.sha512, 0x5a, sizeof(w.sha512));
	return w;
}

static int judge(const struct sigstore_trust *t, const struct forge_wish *w, const char *name, const char *version, struct arena *a,
                 struct sigstore_verified *ret, struct err *err)
{
	CLEANUP_BUF struct buf bundle = BUF(MIB);
	struct sigstore_expected expected = {.name = str_of(name), .version = str_of(version)};

	memset(expected.sha512, 0x5a, sizeof(expected.sha512));
	forge_bundle(forge, w, &bundle);
	return sigstore_verify(t, buf_str(&bundle), &expected, a, ret, err);
}

static void every_form_that_is_right_names_its_source(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(64 * MIB);

	for (int form = 0; form < 24; form++) {
		struct forge_wish w = wish();
		struct sigstore_verified v;
		struct err err = {0};

		w.bundle = form % 3 + 1;
		w.intoto = form / 3 % 2;
		w.slsa_old = form / 6 % 2;
		w.old_extensions = form / 12 % 2;
		w.source = "https://github.com/Acme/left-pad";
		if (judge(trust, &w, "left-pad", "1.3.0", a, &v, &err) < 0)
			fail_msg("form %d: %s", form, err.text);
		assert_true(str_eq(v.source, STR("github.com/Acme/left-pad")));
		assert_true(str_eq(v.source_ref, STR("refs/tags/v1.3.0")));
		assert_true(str_eq(v.workflow, STR(".github/workflows/release.yml")));
		assert_true(str_eq(v.issuer, STR("https://token.actions.githubusercontent.com")));
		assert_true(v.integrated == (usec)1700000000 * USEC_SECOND && v.builder.n);
		assert_int_equal(ERR_peek_error(), 0);
	}
}

static void proofs_fit_at_every_place_of_trees_of_every_size(void **state)
{
	(void)state;

	for (uint64_t size = 1; size <= 17; size++) {
		for (uint64_t i = 0; i < size; i++) {
			CLEANUP_ARENA struct arena *a = arena_new(16 * MIB);
			struct forge_wish w = wish();
			struct sigstore_verified v;
			struct err err = {0};

			w.tree_size = size;
			w.index = i;
			if (judge(trust, &w, "left-pad", "1.3.0", a, &v, &err) < 0)
				fail_msg("entry %d of %d: %s", (int)i, (int)size, err.text);
		}
	}
}

static void every_flaw_is_named(void **state)
{
	(void)state;
	static const struct {
		enum flaw flaw;
		const char *why;
	} rows[] = {
		{FLAW_DIGEST, "another artifact: its SHA-512 is not this version's"},
		{FLAW_TWO_SUBJECTS, "exactly one artifact"},
		{FLAW_NO_SUBJECT, "exactly one artifact"},
		{FLAW_NOT_NPM, "not about an npm package"},
		{FLAW_EXPIRED, "was not valid at 2023-11-14T22:13:20"},
		{FLAW_NOT_YET, "was not valid at"},
		{FLAW_OTHER_ROOT, "does not come from a configured authority"},
		{FLAW_SELF_SIGNED, "does not come from a configured authority"},
		{FLAW_IS_CA, "an authority's own"},
		{FLAW_NOT_CODE, "not for signing code"},
		{FLAW_NO_NAME, "does not name the workflow"},
		{FLAW_NO_ISSUER, "who vouched"},
		{FLAW_NO_SOURCE, "does not name the repository"},
		{FLAW_FOREIGN_ISSUER, "https://ci.example does not vouch for repositories of github.com"},
		{FLAW_PAYLOAD, "it was changed"},
		{FLAW_PAYLOAD_TYPE, "does not hold an in-toto statement"},
		{FLAW_TWO_SIGNATURES, "exactly one signature"},
		{FLAW_SET_KEY, "timestamp does not fit the log's key"},
		{FLAW_SET_TIME, "timestamp does not fit the log's key"},
		{FLAW_NO_SET, "did not sign a time"},
		{FLAW_UNKNOWN_LOG, "a log whose key is not configured"},
		{FLAW_NO_ENTRY, "in no log"},
		{FLAW_TWO_ENTRIES, "2 entries of logs"},
		{FLAW_NO_PROOF, "no proof that the log includes it"},
		{FLAW_PROOF_HASH, "does not include the entry"},
		{FLAW_PROOF_SHORT, "does not include the entry"},
		{FLAW_PROOF_INDEX, "does not include the entry"},
		{FLAW_CHECKPOINT_KEY, "checkpoint is not signed by the log's key"},
		{FLAW_CHECKPOINT_ROOT, "another state of the log"},
		{FLAW_NO_CHECKPOINT, "has no checkpoint"},
		{FLAW_ENTRY_PAYLOAD, "about another statement"},
		{FLAW_ENTRY_SIGNATURE, "about another signature"},
		{FLAW_ENTRY_CERTIFICATE, "about another certificate"},
		{FLAW_ENTRY_KIND, "of a kind that is not known here: \"hashedrekord\""},
		{FLAW_PREDICATE, "another repository than the certificate"},
		{FLAW_NOT_SLSA, "not SLSA provenance"},
		{FLAW_DOUBLE_KEY, "names \"dsseEnvelope\" twice"},
		{FLAW_MEDIA_TYPE, "of a version that is not known here"},
		{FLAW_BARE_KEY, "with a bare key"},
	};

	/* No flaw is forgotten. */
	assert_int_equal(sizeof(rows) / sizeof(rows[0]), FLAW_COUNT - 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int intoto = 0; intoto < 2; intoto++) {
			CLEANUP_ARENA struct arena *a = arena_new(16 * MIB);
			struct forge_wish w = wish();
			struct sigstore_verified v = {.source = STR("untouched")};
			struct err err = {0};
			int r;

			w.flaw = rows[i].flaw;
			w.intoto = intoto;
			r = judge(trust, &w, "left-pad", "1.3.0", a, &v, &err);
			if ((r != -EKEYREJECTED && r != -EBADMSG) || !strstr(err.text, rows[i].why))
				fail_msg("%s: %d %s", flaw_name(rows[i].flaw), r, err.text);
			assert_true(str_eq(v.source, STR("untouched")));
			assert_int_equal(ERR_peek_error(), 0);
		}
	}
}

static void a_bundle_of_another_version_or_package_does_not_count(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(16 * MIB);
	static const char *const rows[][2] = {{"left-pad", "1.3.1"}, {"right-pad", "1.3.0"}, {"Left-pad", "1.3.0"}, {"@acme/left-pad", "1.3.0"}};
	struct forge_wish w = wish();
	struct sigstore_verified v;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = {0};

		assert_int_equal(judge(trust, &w, rows[i][0], rows[i][1], a, &v, &err), -EKEYREJECTED);
		assert_non_null(strstr(err.text, "about another package: left-pad@1.3.0"));
	}
	w.name = "@acme/left-pad";
	assert_int_equal(judge(trust, &w, "@acme/left-pad", "1.3.0", a, &v, NULL), 0);
}

/* One that speaks for its own host, and one that borrows another's. */
static void issuers_speak_for_their_own_hosts(void **state)
{
	(void)state;
	static const struct {
		const char *source, *issuer;
		bool ok;
	} rows[] = {
		{"https://github.com/acme/x", "https://token.actions.githubusercontent.com", true},
		{"https://github.com/acme/x", "https://token.actions.githubusercontent.com/acme", true},
		{"https://github.com/acme/x", "https://token.actions.githubusercontent.com.evil.example", false},
		{"https://github.com/acme/x", "https://github.com", false},
		{"https://github.com/acme/x", "https://gitlab.com", false},
		{"https://gitlab.com/acme/x", "https://gitlab.com", true},
		{"https://gitlab.com/acme/x", "https://token.actions.githubusercontent.com", false},
		{"https://git.acme.example/a/x", "https://git.acme.example/_services/token", true},
		{"https://user@github.com/acme/x", "https://token.actions.githubusercontent.com", false},
		{"https://github.com/../x", "https://token.actions.githubusercontent.com", false},
		{"https://github.com", "https://token.actions.githubusercontent.com", false},
		{"http://github.com/acme/x", "https://token.actions.githubusercontent.com", false},
		{"https://github.com/acme/.github", "https://token.actions.githubusercontent.com", true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(16 * MIB);
		struct forge_wish w = wish();
		struct sigstore_verified v;
		struct err err = {0};

		w.source = rows[i].source;
		w.issuer = rows[i].issuer;
		if ((judge(trust, &w, "left-pad", "1.3.0", a, &v, &err) == 0) != rows[i].ok)
			fail_msg("%s by %s: %s", rows[i].source, rows[i].issuer, err.text);
	}
}

static bool unread(struct str text, const char *member, size_t length, size_t at)
{
	size_t from = (size_t)str_find(text, str_of(member));

	return at >= from && at < from + length;
}

static void nothing_cut_or_changed_passes(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf bundle = BUF(MIB);
	struct sigstore_expected expected = {.name = STR("left-pad"), .version = STR("1.3.0")};
	struct forge_wish w = wish();
	struct sigstore_verified v;
	size_t step;

	memset(expected.sha512, 0x5a, sizeof(expected.sha512));
	forge_bundle(forge, &w, &bundle);
	for (size_t n = 0; n < bundle.n; n += 7) {
		CLEANUP_ARENA struct arena *a = arena_new(16 * MIB);

		assert_int_not_equal(sigstore_verify(trust, str_take(buf_str(&bundle), n), &expected, a, &v, NULL), 0);
	}
	/* Everything counts but two members that nobody reads: the kind is read from the entry itself, and the key is the certificate's. */
	step = bundle.n / 400 + 1;
	for (size_t i = 40; i < bundle.n; i += step) {
		CLEANUP_ARENA struct arena *a = arena_new(16 * MIB);
		char was = bundle.p[i];
		int r;

		if (unread(buf_str(&bundle), "\"kindVersion\"", 52, i) || unread(buf_str(&bundle), "\"keyid\"", 10, i))
			continue;
		bundle.p[i] = was == 'A' ? 'B' : was >= '0' && was <= '9' ? (char)('0' + (was - '0' + 1) % 10) : 'A';
		r = sigstore_verify(trust, buf_str(&bundle), &expected, a, &v, NULL);
		if (r == 0)
			fail_msg("a changed byte %zu passed: %.40s", i, bundle.p + i - 20);
		bundle.p[i] = was;
	}
}

static void only_whole_trust_is_taken(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct str ca = forge_ca_pem(forge, a), log = forge_log_pem(forge, a);
	struct str broken = arena_printf(a, "%.*s-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", STR_ARG(ca));
	struct str half = arena_printf(a, "%.*s-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", STR_ARG(log));
	const struct {
		struct str ca, log;
		const char *why;
	} rows[] = {
		{STR_NULL, log, "no certificate"}, {ca, STR_NULL, "no public key"}, {log, log, "a PUBLIC KEY where a CERTIFICATE is expected"}, {ca, STR("junk"), "no public key"},
		{broken, log, "a certificate cannot be read"}, {ca, half, "a public key cannot be read"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sigstore_trust *t = NULL;
		struct err err = {0};

		if (sigstore_trust_new(rows[i].ca, rows[i].log, &t, &err) != -EINVAL || !strstr(err.text, rows[i].why))
			fail_msg("row %zu: %s", i, err.text);
		assert_null(t);
		assert_int_equal(ERR_peek_error(), 0);
	}
}

static void provenance_is_found_among_attestations(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	CLEANUP_BUF struct buf text = BUF(MIB);
	struct forge_wish w = wish();
	struct str bundle;
	struct err err = {0};

	forge_attestations(forge, &w, &text);
	assert_int_equal(sigstore_find_provenance(buf_str(&text), a, &bundle, &err), 0);
	assert_true(str_starts(bundle, STR("{\"mediaType\"")));
	assert_int_equal(sigstore_find_provenance(STR("{\"attestations\":[]}"), a, &bundle, &err), -ENOENT);
	assert_int_equal(sigstore_find_provenance(STR("{}"), a, &bundle, &err), -EBADMSG);
	assert_int_equal(sigstore_find_provenance(STR("[]"), a, &bundle, &err), -EBADMSG);
	assert_int_equal(sigstore_find_provenance(STR("{\"attestations\":[{\"predicateType\":3}]}"), a, &bundle, &err), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_that_is_right_names_its_source),
		cmocka_unit_test(proofs_fit_at_every_place_of_trees_of_every_size),
		cmocka_unit_test(every_flaw_is_named),
		cmocka_unit_test(a_bundle_of_another_version_or_package_does_not_count),
		cmocka_unit_test(issuers_speak_for_their_own_hosts),
		cmocka_unit_test(nothing_cut_or_changed_passes),
		cmocka_unit_test(only_whole_trust_is_taken),
		cmocka_unit_test(provenance_is_found_among_attestations),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
