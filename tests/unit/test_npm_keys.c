/* Registry signatures: keys are made here, so that every case can be signed. */
#include "unit.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "codec/base64.h"
#include "npm_document.h"
#include "registry/npm/keys.h"

struct signer {
	EVP_PKEY *key;
	struct str spki; /* base64 */
};

static struct signer signer_make(struct arena *a, const char *curve)
{
	struct signer s = {.key = EVP_EC_gen(curve)};
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(s.key, &der);

	assert_true(n > 0);
	s.spki = base64_encode(a, (struct str){(const char *)der, (size_t)n});
	OPENSSL_free(der);
	return s;
}

static struct str sign(struct arena *a, const struct signer *s, const char *text)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char bytes[128];
	size_t n = sizeof(bytes);

	assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, s->key), 1);
	assert_int_equal(EVP_DigestSign(context, bytes, &n, (const unsigned char *)text, strlen(text)), 1);
	EVP_MD_CTX_free(context);
	return base64_encode(a, (struct str){(const char *)bytes, n});
}

static struct str key_json(struct arena *a, const char *id, struct str spki, const char *expires)
{
	return arena_printf(a, "{\"keys\":[{\"keyid\":\"%s\",\"keytype\":\"ecdsa-sha2-nistp256\",\"scheme\":\"ecdsa-sha2-nistp256\",\"key\":\"%.*s\",\"expires\":%s}]}",
	                    id, STR_ARG(spki), expires);
}

static void signatures_are_verified(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct signer mine = signer_make(a, "P-256"), other = signer_make(a, "P-256");
	struct npm_keys *keys = npm_keys_new();
	struct err err = {0};
	usec expiry;

	time_parse(STR("2024-01-01"), &expiry);
	assert_int_equal(npm_keys_add(keys, key_json(a, "SHA256:one", mine.spki, "null"), &err), 0);
	assert_int_equal(npm_keys_add(keys, key_json(a, "SHA256:old", other.spki, "\"2024-01-01T00:00:00.000Z\""), &err), 0);
	assert_int_equal(npm_keys_count(keys), 2);
	const struct {
		const char *what, *id;
		struct str sig;
		const char *integrity;
		usec published;
		int result;
	} rows[] = {
		{"good", "SHA256:one", sign(a, &mine, "a@1.0.0:sha512-x"), "sha512-x", expiry + 1, SIGNATURE_VALID},
		{"another hash", "SHA256:one", sign(a, &mine, "a@1.0.0:sha512-y"), "sha512-x", expiry, SIGNATURE_INVALID},
		{"another version", "SHA256:one", sign(a, &mine, "a@1.0.1:sha512-x"), "sha512-x", expiry, SIGNATURE_INVALID},
		{"another's key", "SHA256:one", sign(a, &other, "a@1.0.0:sha512-x"), "sha512-x", expiry, SIGNATURE_INVALID},
		{"unknown key", "SHA256:two", sign(a, &mine, "a@1.0.0:sha512-x"), "sha512-x", expiry, SIGNATURE_UNKNOWN},
		{"before the expiry", "SHA256:old", sign(a, &other, "a@1.0.0:sha512-x"), "sha512-x", expiry - 1, SIGNATURE_VALID},
		{"after the expiry", "SHA256:old", sign(a, &other, "a@1.0.0:sha512-x"), "sha512-x", expiry, SIGNATURE_INVALID},
		{"nothing to be signed", "SHA256:one", sign(a, &mine, "a@1.0.0:"), "", expiry, SIGNATURE_UNKNOWN},
		{"no base64", "SHA256:one", STR("%%%"), "sha512-x", expiry, SIGNATURE_INVALID},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct npm_signed s = {STR("a"), STR("1.0.0"), str_of(rows[i].integrity),
		                       arena_printf(a, "[{\"keyid\":\"%s\",\"sig\":\"%.*s\"}]", rows[i].id, STR_ARG(rows[i].sig)), rows[i].published};

		if (npm_keys_verify(keys, &s) != rows[i].result)
			fail_msg("%s: %d", rows[i].what, npm_keys_verify(keys, &s));
		s.signatures = arena_printf(a, "[{\"keyid\":\"x\"},7,{\"sig\":[],\"keyid\":\"%s\",\"sig\":\"%.*s\"}]", rows[i].id, STR_ARG(rows[i].sig));
		if (npm_keys_verify(keys, &s) != rows[i].result)
			fail_msg("%s, among others: %d", rows[i].what, npm_keys_verify(keys, &s));
	}
	for (size_t i = 0; i < 4; i++) {
		static const char *const none[] = {"", "null", "[]", "{}"};

		assert_int_equal(npm_keys_verify(keys, &(struct npm_signed){STR("a"), STR("1.0.0"), STR("sha512-x"), str_of(none[i]), 1}), SIGNATURE_ABSENT);
	}
	npm_keys_unref(keys);
	EVP_PKEY_free(mine.key);
	EVP_PKEY_free(other.key);
}

static void bad_keys_are_refused_with_a_reason(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct signer good = signer_make(a, "P-256"), wide = signer_make(a, "P-384");
	const struct {
		struct str json;
		const char *problem;
	} rows[] = {
		{STR("nonsense"), "line 1"},
		{STR("{}"), "no key in it"},
		{STR("{\"keys\":[]}"), "no key in it"},
		{STR("{\"keys\":[{\"keyid\":\"x\",\"scheme\":\"rsa\",\"key\":\"x\"}]}"), "no key in it"},
		{key_json(a, "x", STR("AAAA"), "null"), "not a public key"},
		{key_json(a, "x", wide.spki, "null"), "not a public key"},
		{key_json(a, "x", good.spki, "\"some day\""), "not a time"},
		{key_json(a, "", good.spki, "null"), "no keyid"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct npm_keys *keys = npm_keys_new();
		struct err err = {0};

		assert_int_equal(npm_keys_add(keys, rows[i].json, &err), -EBADMSG);
		if (str_find(str_of(err.text), str_of(rows[i].problem)) < 0)
			fail_msg("%zu: %s", i, err.text);
		npm_keys_unref(keys);
	}
	EVP_PKEY_free(good.key);
	EVP_PKEY_free(wide.key);
}

static int signature_of(const struct document *d, const char *version)
{
	struct npm_version v;

	npm_packument_version(d->packument, (size_t)npm_packument_find(d->packument, str_of(version)), &v);
	return v.signature;
}

static void a_document_carries_what_was_verified(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct signer mine = signer_make(a, "P-256"), other = signer_make(a, "P-256");
	struct npm_keys *keys = npm_keys_new(), *changed = npm_keys_new();
	const char *json = arena_printf(a, "{'name':'a','versions':{'1.0.0':{'name':'a','version':'1.0.0','dist':{'tarball':'https://up.example/a.tgz',"
	                                   "'integrity':'sha512-x','signatures':[{'keyid':'k','sig':'%.*s'}]}},"
	                                   "'2.0.0':{'name':'a','version':'2.0.0','dist':{'tarball':'https://up.example/b.tgz','integrity':'sha512-x'}}}}",
	                                STR_ARG(sign(a, &mine, "a@1.0.0:sha512-x"))).p;
	struct err err = {0};

	assert_int_equal(npm_keys_add(keys, key_json(a, "k", mine.spki, "null"), &err), 0);
	assert_int_equal(npm_keys_add(changed, key_json(a, "k", other.spki, "null"), &err), 0);
	assert_true(npm_keys_id(keys) != npm_keys_id(changed) && npm_keys_id(NULL) == 0);
	CLEANUP_DOCUMENT struct document without = document_make(json, NULL);
	CLEANUP_DOCUMENT struct document first = document_make(json, &(struct npm_build){.name = STR("a"), .keys = keys});

	assert_int_equal(signature_of(&without, "1.0.0"), SIGNATURE_UNKNOWN);
	assert_int_equal(npm_packument_keys_id(without.packument), 0);
	assert_int_equal(signature_of(&first, "1.0.0"), SIGNATURE_VALID);
	assert_int_equal(signature_of(&first, "2.0.0"), SIGNATURE_ABSENT);
	assert_true(npm_packument_keys_id(first.packument) == npm_keys_id(keys));
	CLEANUP_DOCUMENT struct document again = document_make(json, &(struct npm_build){.name = STR("a"), .keys = keys, .previous = first.packument, .seen = &first.changes.seen});
	CLEANUP_DOCUMENT struct document other_keys = document_make(json, &(struct npm_build){.name = STR("a"), .keys = changed, .previous = first.packument, .seen = &first.changes.seen});

	assert_int_equal(signature_of(&again, "1.0.0"), SIGNATURE_VALID);
	assert_int_equal(signature_of(&other_keys, "1.0.0"), SIGNATURE_INVALID);
	npm_keys_unref(keys);
	npm_keys_unref(changed);
	EVP_PKEY_free(mine.key);
	EVP_PKEY_free(other.key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_are_verified),
		cmocka_unit_test(bad_keys_are_refused_with_a_reason),
		cmocka_unit_test(a_document_carries_what_was_verified),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
