/* What the raw content of a string means: decoding, comparing, and finding a key that comes twice. */
#include "codec/json.h"

#include <stdlib.h>

#include "base/map.h"
#include "codec/utf8.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The UTF-16 unit written as \uXXXX at `p`, or -1 when there is none. */
static int32_t utf16_unit(const char *p, const char *end)
{
	int32_t unit = 0;

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int digit = hex_value(p[i]);

		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

/* Decodes the escape at *p, moves past it and returns how many bytes went to `out`. A lone surrogate becomes U+FFFD. */
static size_t decode_escape(const char **p, const char *end, char out[4])
{
	static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
	int32_t unit = utf16_unit(*p, end), low;
	const char *letter;

	if (unit < 0) {
		char c = end - *p >= 2 ? (*p)[1] : '\\';

		letter = c ? strchr(letters, c) : NULL;
		out[0] = letter ? meanings[letter - letters] : c;
		*p += end - *p >= 2 ? 2 : 1;
		return 1;
	}
	*p += 6;
	if (unit < 0xd800 || unit > 0xdfff)
		return utf8_write((uint32_t)unit, out);
	low = unit < 0xdc00 ? utf16_unit(*p, end) : -1;
	if (low < 0xdc00 || low > 0xdfff)
		return utf8_write(0xfffd, out);
	*p += 6;
	return utf8_write(0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00), out);
}

static const char *find_escape(struct str raw)
{
	return raw.n ? memchr(raw.p, '\\', raw.n) : NULL;
}

/* Into `out`, which holds raw.n bytes: decoded text is never longer than written text. Returns its length. */
static size_t decode_into(char *out, struct str raw)
{
	const char *p = raw.p, *end = raw.p + raw.n;
	size_t n = 0;

	while (p != end) {
		const char *escape = find_escape(str_range(p, end));
		size_t plain = (size_t)((escape ? escape : end) - p);
		char bytes[4];
		size_t length;

		memcpy(out + n, p, plain);
		n += plain;
		p += plain;
		if (!escape)
			break;
		length = decode_escape(&p, end, bytes);
		memcpy(out + n, bytes, length);
		n += length;
	}
	return n;
}

struct str json_decode(struct arena *a, struct str raw)
{
	char *text;

	if (!find_escape(raw))
		return raw;
	text = arena_alloc(a, raw.n);
	return text ? (struct str){text, decode_into(text, raw)} : STR_NULL;
}

bool json_raw_equals(struct str raw, struct str plain)
{
	const char *p = raw.p, *end = raw.p + raw.n;
	size_t done = 0;

	/* An escape is longer than what it stands for: equal lengths mean that there must be none. */
	if (raw.n <= plain.n)
		return raw.n == plain.n && str_eq(raw, plain) && !find_escape(raw);
	while (p != end) {
		char bytes[4] = {*p};
		size_t length = 1;

		if (*p == '\\')
			length = decode_escape(&p, end, bytes);
		else
			p++;
		if (length > plain.n - done || memcmp(bytes, plain.p + done, length) != 0)
			return false;
		done += length;
	}
	return done == plain.n;
}

/* A slot is taken when its round is the set's: forgetting all keys is counting on, whatever the size of the table. */
struct key_slot {
	struct str raw;
	uint32_t hash;
	uint32_t round;
};

struct json_keys {
	struct key_slot *slots;
	size_t used, mask; /* mask: slots - 1, a power of two less one; 0 when there are none */
	uint32_t round;
	struct buf decoded; /* the key at hand, where it holds escapes */
};

struct json_keys *json_keys_new(void)
{
	struct json_keys *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->round = 1;
	k->decoded = BUF(LIMIT_PACKUMENT_BYTES);
	return k;
}

void json_keys_free(struct json_keys *k)
{
	if (!k)
		return;
	buf_free(&k->decoded);
	free(k->slots);
	free(k);
}

void json_keys_clear(struct json_keys *k)
{
	if (!k)
		return;
	k->used = 0;
	if (++k->round != 0)
		return;
	/* After 2^32 objects an old round could look like the present one. */
	memset(k->slots, 0, k->slots ? (k->mask + 1) * sizeof(*k->slots) : 0);
	k->round = 1;
}

/* The slot of the key, or the free one where it belongs. */
static struct key_slot *keys_find(const struct json_keys *k, struct str key, uint32_t hash)
{
	for (size_t i = hash & k->mask;; i = (i + 1) & k->mask) {
		struct key_slot *slot = &k->slots[i];

		if (slot->round != k->round || (slot->hash == hash && json_raw_equals(slot->raw, key)))
			return slot;
	}
}

static bool keys_grow(struct json_keys *k)
{
	size_t old = k->slots ? k->mask + 1 : 0, count = old ? old * 2 : 64;
	struct key_slot *slots = calloc(count, sizeof(*slots));

	if (!slots)
		return false;
	for (size_t i = 0; i < old; i++) {
		size_t to = k->slots[i].hash & (count - 1);

		if (k->slots[i].round != k->round)
			continue;
		while (slots[to].round == k->round)
			to = (to + 1) & (count - 1);
		slots[to] = k->slots[i];
	}
	free(k->slots);
	k->slots = slots;
	k->mask = count - 1;
	return true;
}

bool json_keys_seen(struct json_keys *k, struct str raw_key)
{
	struct str key = raw_key;
	struct key_slot *slot;
	uint32_t hash;

	if (!k || (!k->slots && !keys_grow(k)))
		return true;
	if (find_escape(raw_key)) {
		char *to;

		buf_clear(&k->decoded);
		to = buf_reserve(&k->decoded, raw_key.n);
		if (!to)
			return true;
		key = (struct str){to, decode_into(to, raw_key)};
	}
	hash = (uint32_t)hash_bytes(key.p, key.n);
	slot = keys_find(k, key, hash);
	if (slot->round == k->round)
		return true;
	*slot = (struct key_slot){raw_key, hash, k->round};
	/* Grown after, not before: a key that is there already needs no room. */
	return ++k->used * 4 > (k->mask + 1) * 3 && !keys_grow(k);
}
