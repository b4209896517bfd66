#include "policy/skeleton.h"

enum { SHORT_NAME = 6, MIDDLE_NAME = 9, SHORT_WORD = 3, LONG_WORD = 8, TWO_EDITS_FROM = 10, FAR = 3 };

/* ---- letters ---- */

struct confusable {
	uint32_t from;
	char to;
};

/* Sorted by code point. Cyrillic, Greek and Armenian small letters, and those capitals whose shape is a Latin capital's. */
static const struct confusable confusables[] = {
	{0x0131, 'i'}, {0x0251, 'a'}, {0x0261, 'g'}, {0x026a, 'i'}, {0x0391, 'a'}, {0x0392, 'b'}, {0x0395, 'e'}, {0x0396, 'z'}, {0x0397, 'h'},
	{0x0399, 'i'}, {0x039a, 'k'}, {0x039c, 'm'}, {0x039d, 'n'}, {0x039f, 'o'}, {0x03a1, 'p'}, {0x03a4, 't'}, {0x03a5, 'y'}, {0x03a7, 'x'},
	{0x03b1, 'a'}, {0x03b3, 'y'}, {0x03b9, 'i'}, {0x03bd, 'v'}, {0x03bf, 'o'}, {0x03c1, 'p'}, {0x03c3, 'o'}, {0x03c5, 'u'}, {0x03f2, 'c'},
	{0x03f3, 'j'}, {0x0405, 's'}, {0x0406, 'i'}, {0x0408, 'j'}, {0x0410, 'a'}, {0x0412, 'b'}, {0x0415, 'e'}, {0x041a, 'k'}, {0x041c, 'm'},
	{0x041d, 'h'}, {0x041e, 'o'}, {0x0420, 'p'}, {0x0421, 'c'}, {0x0422, 't'}, {0x0423, 'y'}, {0x0425, 'x'}, {0x0430, 'a'}, {0x0433, 'r'},
	{0x0435, 'e'}, {0x043a, 'k'}, {0x043e, 'o'}, {0x0440, 'p'}, {0x0441, 'c'}, {0x0443, 'y'}, {0x0445, 'x'}, {0x0455, 's'}, {0x0456, 'i'},
	{0x0458, 'j'}, {0x04bb, 'h'}, {0x04cf, 'l'}, {0x0501, 'd'}, {0x051b, 'q'}, {0x051d, 'w'}, {0x0566, 'q'}, {0x0570, 'h'}, {0x0578, 'n'},
	{0x057c, 'n'}, {0x057d, 'u'}, {0x0581, 'g'}, {0x0585, 'o'}, {0x1d04, 'c'}, {0x1d0f, 'o'}, {0x1d1c, 'u'}, {0x1d20, 'v'}, {0x1d21, 'w'},
	{0x1d22, 'z'}, {0x212a, 'k'}, {0x217c, 'l'}, {0x2c9f, 'o'},
};

static char look_up(uint32_t c)
{
	size_t low = 0, high = sizeof(confusables) / sizeof(confusables[0]);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (confusables[middle].from == c)
			return confusables[middle].to;
		if (confusables[middle].from < c)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

/* One character; how many bytes it has. What is no UTF-8 is taken byte by byte. */
static size_t read_character(struct str s, uint32_t *ret)
{
	unsigned char first = (unsigned char)s.p[0];
	size_t n = first < 0xc2 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 1;

	*ret = first;
	if (n == 1 || n > s.n)
		return 1;
	*ret = first & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c & 0xc0) != 0x80) {
			*ret = first;
			return 1;
		}
		*ret = *ret << 6 | (c & 0x3f);
	}
	return n;
}

/* Joins what stands between two letters without showing. */
static bool is_invisible(uint32_t c)
{
	return c == 0xad || (c >= 0x200b && c <= 0x200f) || (c >= 0x2060 && c <= 0x2064) || c == 0xfeff;
}

/* The byte that it looks like; 0: a separator. */
static char letter_of(uint32_t c, bool capital_i)
{
	/* The full-width forms of ASCII. */
	if (c >= 0xff01 && c <= 0xff5e)
		c -= 0xfee0;
	if (c == 'I' && capital_i)
		return 'l';
	if (c >= 'A' && c <= 'Z')
		return (char)(c + 32);
	if (c == '0')
		return 'o';
	if (c == '1' || c == '|')
		return 'l';
	if ((c >= 'a' && c <= 'z') || (c >= '2' && c <= '9'))
		return (char)c;
	if (c < 0x80 || c == 0xb7 || (c >= 0x2010 && c <= 0x2015) || c == 0x2024)
		return 0;
	/* Of no look-alike only that it is none of ours matters. */
	return look_up(c) ? look_up(c) : '?';
}

static void end_word(struct skeleton *s)
{
	if (s->n > (s->words ? s->word_end[s->words - 1] : 0))
		s->word_end[s->words++] = s->n;
}

bool skeleton_make(struct str name, bool capital_i, struct skeleton *ret)
{
	struct skeleton s = {0};
	bool latin = false, other = false;
	char before = 0; /* the letter as it stood, before pairs were joined */

	while (name.n) {
		uint32_t c;
		char letter;

		name = str_skip(name, read_character(name, &c));
		if (is_invisible(c))
			continue;
		letter = letter_of(c, capital_i);
		latin |= (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
		other |= c >= 0x80 && letter != 0 && letter != '?';
		if (letter == 0) {
			if (s.words == SKELETON_WORDS)
				return false;
			end_word(&s);
		} else if (letter == 'n' && before == 'r') {
			s.letters[s.n - 1] = 'm';
			letter = 'm';
		} else if (letter == 'v' && before == 'v') {
			s.letters[s.n - 1] = 'w';
			letter = 'w';
		} else {
			if (s.n == SKELETON_BYTES)
				return false;
			s.letters[s.n++] = letter;
		}
		before = letter;
	}
	if (s.words == SKELETON_WORDS)
		return false;
	end_word(&s);
	for (size_t i = 0; i < s.n; i++)
		s.mask |= UINT64_C(1) << (s.letters[i] & 63);
	s.mixed = latin && other;
	*ret = s;
	return true;
}

/* ---- distance ---- */

/* Only the diagonals that two edits can reach are looked at. */
unsigned skeleton_edits(struct str a, struct str b)
{
	uint8_t rows[3][SKELETON_BYTES + 1], *before = rows[0], *last = rows[1], *row = rows[2];

	if (a.n > b.n + 2 || b.n > a.n + 2)
		return FAR;
	for (size_t j = 0; j <= b.n; j++)
		last[j] = (uint8_t)(j < FAR ? j : FAR);
	for (size_t i = 1; i <= a.n; i++) {
		size_t from = i > 2 ? i - 2 : 1, to = i + 2 < b.n ? i + 2 : b.n;
		uint8_t best, *spare = before;

		best = row[from - 1] = (uint8_t)(from == 1 && i < FAR ? i : FAR);
		for (size_t j = from; j <= to; j++) {
			/* Past the diagonals that were looked at, the row above says nothing. */
			unsigned up = j < i + 2 ? last[j] : FAR, d = last[j - 1] + (a.p[i - 1] != b.p[j - 1]);

			if (d > up + 1)
				d = up + 1;
			if (d > row[j - 1] + 1u)
				d = row[j - 1] + 1u;
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] && d > before[j - 2] + 1u)
				d = before[j - 2] + 1u;
			row[j] = (uint8_t)(d < FAR ? d : FAR);
			best = row[j] < best ? row[j] : best;
		}
		if (best == FAR && i > 1)
			return FAR;
		before = last;
		last = row;
		row = spare;
	}
	return last[b.n];
}

enum edit { EDIT_SWAP, EDIT_DOUBLE, EDIT_INSERT, EDIT_OMIT, EDIT_CHANGE };

/* What the one edit is that makes `a` of `b`, and where. */
static enum edit one_edit(struct str a, struct str b, size_t *ret_at)
{
	size_t i = 0;

	while (i < a.n && i < b.n && a.p[i] == b.p[i])
		i++;
	*ret_at = i;
	if (a.n > b.n)
		return i > 0 && a.p[i] == a.p[i - 1] ? EDIT_DOUBLE : EDIT_INSERT;
	if (a.n < b.n)
		return EDIT_OMIT;
	return i + 1 < a.n && a.p[i] == b.p[i + 1] && a.p[i + 1] == b.p[i] ? EDIT_SWAP : EDIT_CHANGE;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "through2" beside "through": the next generation, not an imitation. */
static bool differ_in_digits_only(struct str a, struct str b)
{
	size_t i = 0, j = 0;

	for (;;) {
		while (i < a.n && is_digit(a.p[i]))
			i++;
		while (j < b.n && is_digit(b.p[j]))
			j++;
		if (i == a.n || j == b.n)
			return i == a.n && j == b.n;
		if (a.p[i++] != b.p[j++])
			return false;
	}
}

/* ---- words ---- */

static struct str word(const struct skeleton *s, size_t i)
{
	size_t from = i ? s->word_end[i - 1] : 0;

	return (struct str){s->letters + from, s->word_end[i] - from};
}

static bool is_plural(struct str a, struct str b)
{
	return (a.n == b.n + 1 && a.p[b.n] == 's' && str_starts(a, b)) || (b.n == a.n + 1 && b.p[a.n] == 's' && str_starts(b, a));
}

/* Is every word that differs at least so long (in `a` one letter may be missing), within `most` edits, and not a plural? How many differ. */
static bool words_are_near(const struct skeleton *a, const struct skeleton *b, size_t shortest, unsigned most, size_t *ret_count)
{
	*ret_count = 0;
	for (size_t i = 0; i < a->words; i++) {
		struct str x = word(a, i), y = word(b, i);

		if (str_eq(x, y))
			continue;
		if (x.n + 1 < shortest || y.n < shortest || is_plural(x, y) || skeleton_edits(x, y) > most)
			return false;
		++*ret_count;
	}
	return true;
}

static bool near_by_one(const struct skeleton *name, const struct skeleton *target)
{
	struct str a = skeleton_letters(name), b = skeleton_letters(target);
	size_t at, count;
	enum edit e = one_edit(a, b, &at);
	bool at_end = at + 1 == (a.n > b.n ? a.n : b.n);

	if (e == EDIT_SWAP || e == EDIT_DOUBLE)
		return true;
	/* A letter more or another one in front makes another word: preact, gaxios. */
	if (at == 0)
		return false;
	if (name->words == target->words && !words_are_near(name, target, SHORT_WORD + 1, 1, &count))
		return false;
	if (b.n <= SHORT_NAME)
		return e == EDIT_OMIT && !at_end;
	return b.n > MIDDLE_NAME || e == EDIT_OMIT || !at_end;
}

static bool near_by_two(const struct skeleton *name, const struct skeleton *target)
{
	size_t count;

	if (target->n < TWO_EDITS_FROM || name->n + 1 < TWO_EDITS_FROM || name->letters[0] != target->letters[0])
		return false;
	if (name->words != target->words)
		return name->words < target->words;
	if (words_are_near(name, target, LONG_WORD, 2, &count) && count == 1)
		return true;
	return words_are_near(name, target, SHORT_WORD + 1, 1, &count) && count == 2;
}

bool skeleton_is_near(const struct skeleton *name, const struct skeleton *target, int most)
{
	int apart = (int)name->n - (int)target->n;
	unsigned d;

	most = target->n < TWO_EDITS_FROM ? 1 : most;
	if (target->n <= SHORT_WORD + 1 || name->n <= SHORT_WORD || apart > most || apart < -most ||
	    !skeleton_may_be_near(name->mask, target->mask, most))
		return false;
	d = skeleton_edits(skeleton_letters(name), skeleton_letters(target));
	if (d == 0 || d > (unsigned)most || differ_in_digits_only(skeleton_letters(name), skeleton_letters(target)))
		return false;
	return d == 1 ? near_by_one(name, target) : near_by_two(name, target);
}
