/* UTF-8, one character at a time (Unicode 15, table 3-7, "Well-Formed UTF-8 Byte Sequences"). */
#ifndef BONDGATE_CODEC_UTF8_H
#define BONDGATE_CODEC_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The replacement character U+FFFD. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/* Looks at the bytes from `p` to `end`, of which there is at least one. Positive: the length of the well-formed character
 * there. Negative: how many bytes one U+FFFD stands for (the "maximal subpart" of Unicode 3.9, as browsers and Python
 * replace). Overlong forms, surrogates and anything above U+10FFFF are not well-formed. */
static inline int utf8_step(const char *p, const char *end)
{
	const unsigned char *s = (const unsigned char *)p;
	size_t room = (size_t)(end - p);
	unsigned char low = 0x80, high = 0xbf; /* what the second byte may be */
	int length;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return -1;
	length = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (room < 2 || s[1] < low || s[1] > high)
		return -1;
	for (int i = 2; i < length; i++)
		if (room <= (size_t)i || (s[i] & 0xc0) != 0x80)
			return -i;
	return length;
}

/* Writes the character `c` (at most U+10FFFF, no surrogate) and returns its 1 to 4 bytes' count. */
static inline size_t utf8_write(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

#endif
