#include "gate/integrity.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

static const struct algorithm {
	const char *name;
	enum cache_algorithm algorithm;
} algorithms[] = {{"sha512", CACHE_SHA512}, {"sha256", CACHE_SHA256}, {"sha1", CACHE_SHA1}};

enum { ALGORITHMS = sizeof(algorithms) / sizeof(algorithms[0]) };

/* Base64 of exactly `n` bytes (RFC 4648 section 4, padded). */
static int decode(struct str text, uint8_t *out, size_t n)
{
	uint8_t bytes[CACHE_HASH_MAX + 3];
	size_t padding = (3 - n % 3) % 3;
	int length;

	if (text.n != (n + 2) / 3 * 4)
		return -EINVAL;
	for (size_t i = 0; i < padding; i++)
		if (text.p[text.n - 1 - i] != '=')
			return -EINVAL;
	length = EVP_DecodeBlock(bytes, (const unsigned char *)text.p, (int)text.n);
	if (length < 0 || (size_t)length - padding != n)
		return -EINVAL;
	memcpy(out, bytes, n);
	return 0;
}

/* One of the blank-separated hashes of an SRI text, its options ("?…") left aside. */
static int find_hash(struct str integrity, const struct algorithm *a, struct cache_key *ret)
{
	struct str part;

	while (str_split(&integrity, ' ', &part)) {
		ptrdiff_t dash = str_chr(part, '-'), options;

		if (dash < 0 || !str_eq(str_take(part, (size_t)dash), str_of(a->name)))
			continue;
		part = str_skip(part, (size_t)dash + 1);
		options = str_chr(part, '?');
		if (options >= 0)
			part = str_take(part, (size_t)options);
		ret->algorithm = a->algorithm;
		if (decode(part, ret->hash, cache_hash_bytes(a->algorithm)) == 0)
			return 0;
	}
	return -ENOENT;
}

int integrity_key(struct str integrity, struct str shasum, struct cache_key *ret)
{
	for (size_t i = 0; i < ALGORITHMS; i++)
		if (find_hash(integrity, &algorithms[i], ret) == 0)
			return 0;
	return shasum.n && cache_key_parse(STR("sha1"), shasum, ret) == 0 ? 0 : -ENOENT;
}

void integrity_format(const struct cache_key *key, char out[INTEGRITY_TEXT])
{
	unsigned char base64[CACHE_HASH_MAX / 3 * 4 + 8];
	const char *name = "";

	for (size_t i = 0; i < ALGORITHMS; i++)
		if (algorithms[i].algorithm == key->algorithm)
			name = algorithms[i].name;
	EVP_EncodeBlock(base64, key->hash, (int)cache_hash_bytes(key->algorithm));
	snprintf(out, INTEGRITY_TEXT, "%s-%s", name, (const char *)base64);
}
