/* A registry's keys.json, the byte ff, and a version's dist.signatures: whatever is accepted must count its keys alike when it is read again, and no
 * made-up text may be called signed. */
#include "base/limits.h"
#include "registry/npm/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool holds)
{
	if (!holds)
		abort();
}

static void verify(const struct npm_keys *k, struct str signatures)
{
	const struct npm_signed s = {STR("a"), STR("1.0.0"), STR("sha512-AAAA"), signatures, 20000 * USEC_DAY};
	int state = npm_keys_verify(k, &s);

	insist(state == SIGNATURE_UNKNOWN || state == SIGNATURE_ABSENT || state == SIGNATURE_VALID || state == SIGNATURE_INVALID);
	insist(signatures.n || state != SIGNATURE_VALID);
	insist(npm_keys_count(k) || (state != SIGNATURE_VALID && state != SIGNATURE_INVALID));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, 0xff, size) : NULL;
	struct str json = {(const char *)data, end ? (size_t)(end - data) : size};
	struct str signatures = end ? str_range((const char *)end + 1, (const char *)data + size) : STR_NULL;
	struct npm_keys *k = npm_keys_new(), *again = npm_keys_new();
	struct err err = {0};

	insist(k && again);
	if (npm_keys_add(k, json, &err) < 0) {
		insist(err.text[0] != '\0');
	} else {
		insist(npm_keys_add(again, json, &err) == 0);
		insist(npm_keys_count(k) == npm_keys_count(again) && npm_keys_id(k) == npm_keys_id(again));
		verify(k, signatures);
	}
	npm_keys_unref(k);
	npm_keys_unref(again);
	return 0;
}
