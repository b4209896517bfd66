/* The two loops in which JSON time is spent: passing blanks and passing ordinary characters of a string.
 * With SSE2 sixteen bytes a step, otherwise eight; -DJSON_SCALAR takes the second way everywhere, for its test. */
#ifndef BONDGATE_CODEC_JSON_SCAN_H
#define BONDGATE_CODEC_JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && !defined(JSON_SCALAR)
#define JSON_SSE2 1
#include <emmintrin.h>
#else
#define JSON_SSE2 0
#endif

static inline bool json_is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* A byte that stands for itself inside a string and is a character of its own. */
static inline bool json_is_plain(char c)
{
	return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

#if JSON_SSE2

static inline const char *json_pass_blank_blocks(const char *p, const char *end)
{
	while (end - p >= 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i space = _mm_cmpeq_epi8(v, _mm_set1_epi8(' ')), feed = _mm_cmpeq_epi8(v, _mm_set1_epi8('\n'));
		__m128i back = _mm_cmpeq_epi8(v, _mm_set1_epi8('\r')), tab = _mm_cmpeq_epi8(v, _mm_set1_epi8('\t'));
		__m128i blank = _mm_or_si128(_mm_or_si128(space, feed), _mm_or_si128(back, tab));
		unsigned other = (unsigned)_mm_movemask_epi8(blank) ^ 0xffffu;

		if (other)
			return p + __builtin_ctz(other);
		p += 16;
	}
	return p;
}

static inline const char *json_pass_plain_blocks(const char *p, const char *end)
{
	while (end - p >= 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		/* Compared as signed bytes, those from 0x80 up are negative: one comparison finds them and the control characters. */
		__m128i odd = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));
		__m128i ends = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
		unsigned special = (unsigned)_mm_movemask_epi8(_mm_or_si128(odd, ends));

		if (special)
			return p + __builtin_ctz(special);
		p += 16;
	}
	return p;
}

#else

static inline const char *json_pass_blank_blocks(const char *p, const char *end)
{
	(void)end;
	return p;
}

static inline const char *json_pass_plain_blocks(const char *p, const char *end)
{
	const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;

	while (end - p >= 8) {
		uint64_t v, quote, slash;

		memcpy(&v, p, sizeof(v));
		quote = v ^ ones * '"';
		slash = v ^ ones * '\\';
		/* A byte below n makes (byte - n) borrow into its top bit. A false alarm only costs the byte loop below. */
		if ((v | (v - ones * 0x20) | (quote - ones) | (slash - ones)) & tops)
			return p;
		p += 8;
	}
	return p;
}

#endif

/* The first byte that is not a blank, or `end`. Compact documents have none: there, one comparison decides. */
static inline const char *json_pass_blanks(const char *p, const char *end)
{
	if (p == end || (unsigned char)*p > ' ')
		return p;
	p = json_pass_blank_blocks(p, end);
	while (p != end && json_is_blank(*p))
		p++;
	return p;
}

/* The first byte that is not plain, or `end`. */
static inline const char *json_pass_plain(const char *p, const char *end)
{
	p = json_pass_plain_blocks(p, end);
	while (p != end && json_is_plain(*p))
		p++;
	return p;
}

#endif
