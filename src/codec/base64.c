#include "codec/base64.h"

#include <errno.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode(struct str bytes, char *out)
{
	const unsigned char *p = (const unsigned char *)bytes.p;

	for (size_t i = 0; i < bytes.n; i += 3) {
		size_t left = bytes.n - i;
		uint32_t three = (uint32_t)p[i] << 16 | (uint32_t)(left > 1 ? p[i + 1] : 0) << 8 | (uint32_t)(left > 2 ? p[i + 2] : 0);

		*out++ = alphabet[three >> 18];
		*out++ = alphabet[three >> 12 & 63];
		*out++ = left > 1 ? alphabet[three >> 6 & 63] : '=';
		*out++ = left > 2 ? alphabet[three & 63] : '=';
	}
}

static size_t encoded_size(size_t n)
{
	return (n + 2) / 3 * 4;
}

struct str base64_encode(struct arena *a, struct str bytes)
{
	char *out = arena_alloc(a, encoded_size(bytes.n) + 1);

	if (!out)
		return STR_NULL;
	encode(bytes, out);
	return (struct str){out, encoded_size(bytes.n)};
}

void base64_add(struct buf *out, struct str bytes)
{
	char *room = buf_reserve(out, encoded_size(bytes.n));

	if (!room)
		return;
	encode(bytes, room);
	out->n += encoded_size(bytes.n);
}

static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* How many bytes the text stands for, by its length and padding; -EINVAL for no such length. */
static ptrdiff_t decoded_size(struct str text)
{
	size_t padding = 0;

	if (text.n % 4)
		return -EINVAL;
	if (text.n == 0)
		return 0;
	padding = (size_t)(text.p[text.n - 1] == '=') + (size_t)(text.p[text.n - 1] == '=' && text.p[text.n - 2] == '=');
	return (ptrdiff_t)(text.n / 4 * 3 - padding);
}

static int decode(struct str text, unsigned char *out, size_t n)
{
	size_t digits = (n * 8 + 5) / 6, o = 0;
	uint32_t bits = 0;
	unsigned held = 0;

	for (size_t i = 0; i < digits; i++) {
		int value = digit(text.p[i]);

		if (value < 0)
			return -EINVAL;
		bits = (bits << 6 | (uint32_t)value) & 0xffff;
		held += 6;
		if (held >= 8) {
			held -= 8;
			out[o++] = (unsigned char)(bits >> held);
		}
	}
	return bits & ((1u << held) - 1) ? -EINVAL : 0;
}

int base64_decode(struct arena *a, struct str text, struct str *ret)
{
	ptrdiff_t n = decoded_size(text);
	unsigned char *out;
	int r;

	if (n < 0)
		return -EINVAL;
	out = arena_alloc(a, (size_t)n + 1);
	if (!out)
		return -ENOMEM;
	r = decode(text, out, (size_t)n);
	if (r == 0)
		*ret = (struct str){(const char *)out, (size_t)n};
	return r;
}

int base64_decode_exact(struct str text, void *out, size_t n)
{
	return decoded_size(text) == (ptrdiff_t)n ? decode(text, out, n) : -EINVAL;
}
