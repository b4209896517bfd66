#include <errno.h>

#include "policy/load.h"

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* RFC 4648, with or without padding. Bits beyond the last whole byte are ignored, because clients ignore them too, and a
 * denied hash must not pass by being spelled another way. */
static int base64_read(struct str text, unsigned char *out, size_t room)
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t n = 0;

	while (text.n && text.p[text.n - 1] == '=')
		text.n--;
	for (size_t i = 0; i < text.n; i++) {
		int digit = base64_digit(text.p[i]);

		if (digit < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)digit;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		if (n == room)
			return -EINVAL;
		out[n++] = (unsigned char)(bits >> held);
	}
	return (int)n;
}

int digest_read(struct str text, unsigned char ret[DIGEST_BYTES])
{
	static const struct {
		struct str prefix;
		size_t bytes;
	} kinds[] = {{{"sha512-", 7}, 64}, {{"sha384-", 7}, 48}, {{"sha256-", 7}, 32}, {{"sha1-", 5}, 20}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct str rest = str_skip(text, kinds[i].prefix.n);

		if (str_starts_nocase(text, kinds[i].prefix)) {
			if (hex_decode(rest, ret, kinds[i].bytes) == 0)
				return (int)kinds[i].bytes;
			return base64_read(rest, ret, DIGEST_BYTES) == (int)kinds[i].bytes ? (int)kinds[i].bytes : -EINVAL;
		}
		if (text.n == 2 * kinds[i].bytes && hex_decode(text, ret, kinds[i].bytes) == 0)
			return (int)kinds[i].bytes;
	}
	return -EINVAL;
}

static const struct listed *one_listed(const struct map *hashes, struct str text)
{
	unsigned char digest[DIGEST_BYTES];
	ptrdiff_t options = str_chr(text, '?');
	int n = digest_read(options < 0 ? text : str_take(text, (size_t)options), digest);

	return n > 0 ? map_get(hashes, (struct str){(const char *)digest, (size_t)n}) : NULL;
}

const struct listed *digest_listed(const struct map *hashes, struct str integrity, struct str shasum)
{
	const struct listed *found = NULL;
	struct str part;

	if (hashes->used == 0)
		return NULL;
	while (!found && str_split(&integrity, ' ', &part))
		found = one_listed(hashes, str_trim(part));
	return found || !shasum.n ? found : one_listed(hashes, shasum);
}
