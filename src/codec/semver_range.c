/* Reading ranges. The grammar is node-semver's, which is a row of rewritings of the text; this file follows their order, so
 * that the odd corners come out the same: build metadata goes, "a - b" is taken apart, blanks behind operators go
 * (semver_rewrite.c), and each remaining word is widened by itself. */
#include "base/limits.h"
#include "codec/semver_lex.h"
#include "codec/semver_rewrite.h"
#include "codec/semver_set.h"

#include <errno.h>

/* An x-range: up to three numbers, or x, X, * in their place. */
struct partial {
	uint64_t n[3];
	bool x[3]; /* left out, or an x */
	bool left_out[3];
	struct str pre;
	struct str prefix; /* the run of v, = and blanks in front */
	struct str text;   /* with the prefix */
};

struct reader {
	bool loose, prereleases;
	struct semver_comparator *comparators; /* room for all of the range */
	size_t used, room;
	size_t first; /* of this alternative */
	bool edge;    /* the word is the first or last one */
};

static const struct semver_comparator NOTHING = {SEMVER_LT, {.pre = {"0", 1}}};

bool semver_comparator_is_null(const struct semver_comparator *c)
{
	return semver_comparator_equal(c, &NOTHING);
}

static bool read_partial_number(struct semver_lex *l, struct partial *p, size_t i)
{
	if (l->p == l->end)
		return false;
	p->left_out[i] = false;
	if (semver_is_x(*l->p)) {
		l->p++;
		return true;
	}
	p->x[i] = false;
	return semver_lex_number(l, &p->n[i]);
}

/* Does the whole text read as an x-range? */
static bool read_partial(struct str text, bool loose, struct partial *ret)
{
	struct semver_lex l = {text.p, text.p + text.n, loose};
	struct str build;
	struct partial p = {.x = {true, true, true}, .left_out = {true, true, true}, .text = text};

	while (l.p < l.end && (*l.p == 'v' || *l.p == '=' || semver_is_blank(*l.p)))
		l.p++;
	p.prefix = str_range(text.p, l.p);
	for (size_t i = 0; i < 3; i++) {
		if (!read_partial_number(&l, &p, i))
			return false;
		if (i < 2 && l.p == l.end)
			break;
		if (i < 2 && *l.p++ != '.')
			return false;
		if (i == 2 && !semver_lex_tail(&l, &p.n[2], &p.pre, &build))
			return false;
	}
	*ret = p;
	return true;
}

/* Adds a comparator: 0, or -EINVAL when a number is too large or the range too long. */
static int add(struct reader *r, enum semver_op op, struct semver v)
{
	if (op != SEMVER_ANY && (v.major > SEMVER_NUMBER_MAX || v.minor > SEMVER_NUMBER_MAX || v.patch > SEMVER_NUMBER_MAX))
		return -EINVAL;
	if (r->used == r->room || r->used - r->first == LIMIT_RANGE_SET)
		return -EINVAL;
	v.build = STR_NULL;
	r->comparators[r->used++] = (struct semver_comparator){op, v};
	return 0;
}

static int add_any(struct reader *r)
{
	return add(r, SEMVER_ANY, (struct semver){0});
}

/* A word that asks for nothing ("*"). In node-semver it leaves only its blanks, and those between two others vanish. That
 * matters in a loose range whose other words cannot be read: nothing is left of it. */
static int add_nothing(struct reader *r)
{
	return r->edge ? add_any(r) : 0;
}

/* The lower bound of something with an x in it. */
static struct str lowest(const struct reader *r)
{
	return r->prereleases ? STR("0") : STR("");
}

/* ">=0.0.0" is what everything satisfies, so it is nothing to test. With prereleases that is ">=0.0.0-0". */
static int add_at_least(struct reader *r, uint64_t major, uint64_t minor, uint64_t patch, struct str pre)
{
	bool zero = major == 0 && minor == 0 && patch == 0;

	if (zero && str_eq(semver_identifier(pre), lowest(r)))
		return add_any(r);
	return add(r, SEMVER_GE, (struct semver){major, minor, patch, pre, STR_NULL});
}

/* Below the very first prerelease of a version. */
static int add_below(struct reader *r, uint64_t major, uint64_t minor, uint64_t patch)
{
	return add(r, SEMVER_LT, (struct semver){major, minor, patch, STR("0"), STR_NULL});
}

/* One more, where the number was small enough to be read. */
static uint64_t next(uint64_t n)
{
	return n == SEMVER_TOO_BIG ? n : n + 1;
}

/* From the partial version to the end of the numbers up to `fixed` (0: major, 1: minor, 2: patch). */
static int add_span(struct reader *r, const struct partial *p, size_t fixed)
{
	uint64_t n[3] = {p->n[0], p->n[1], p->n[2]};
	struct str pre = p->pre;
	int e;

	if (p->x[1])
		n[1] = n[2] = 0;
	if (p->x[1] || p->x[2]) {
		n[2] = 0;
		pre = lowest(r);
	}
	e = add_at_least(r, n[0], n[1], n[2], pre);
	if (e < 0)
		return e;
	if (fixed == 0)
		return add_below(r, next(n[0]), 0, 0);
	if (fixed == 1)
		return add_below(r, n[0], next(n[1]), 0);
	return add_below(r, n[0], n[1], next(n[2]));
}

static int add_tilde(struct reader *r, const struct partial *p)
{
	if (p->x[0])
		return add_nothing(r);
	return add_span(r, p, p->x[1] ? 0 : 1);
}

static int add_caret(struct reader *r, const struct partial *p)
{
	if (p->x[0])
		return add_nothing(r);
	if (p->x[1] || p->n[0] != 0)
		return add_span(r, p, 0);
	return add_span(r, p, p->x[2] || p->n[1] != 0 ? 1 : 2);
}

/* An operator in front of a version with an x in it. */
static int add_x_range(struct reader *r, enum semver_op op, const struct partial *p)
{
	bool minor_x = p->x[1];
	uint64_t major = p->n[0], minor = minor_x ? 0 : p->n[1];
	uint64_t next_major = minor_x ? next(major) : major, next_minor = minor_x ? 0 : next(minor);

	if (p->x[0])
		return op == SEMVER_GT || op == SEMVER_LT ? add(r, NOTHING.op, NOTHING.v) : add_nothing(r);
	switch (op) {
	case SEMVER_GT: /* above all that the x stands for */
		return add_at_least(r, next_major, next_minor, 0, lowest(r));
	case SEMVER_GE:
		return add_at_least(r, major, minor, 0, lowest(r));
	case SEMVER_LT:
		return add_below(r, major, minor, 0);
	case SEMVER_LE:
		return add_below(r, next_major, next_minor, 0);
	default:
		return add_span(r, p, minor_x ? 0 : 1);
	}
}

static enum semver_op read_operator(struct str *text)
{
	static const struct {
		struct str text;
		enum semver_op op;
	} rows[] = {
		{{"<=", 2}, SEMVER_LE}, {{">=", 2}, SEMVER_GE}, {{"<", 1}, SEMVER_LT}, {{">", 1}, SEMVER_GT}, {{"=", 1}, SEMVER_EQ},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (str_starts(*text, rows[i].text)) {
			*text = str_skip(*text, rows[i].text.n);
			return rows[i].op;
		}
	}
	return SEMVER_EQ;
}

/* A word without an x: operator and version. Loose ranges pass over a word that is no comparator. */
static int add_comparator(struct reader *r, struct str word)
{
	struct semver v;
	enum semver_op op;
	int e;

	if (!word.n)
		return add_nothing(r);
	op = read_operator(&word);
	e = semver_read(word, r->loose ? SEMVER_LOOSE : 0, &v);
	if (e == -EINVAL && r->loose)
		return 0;
	if (e < 0)
		return -EINVAL;
	return op == SEMVER_GE ? add_at_least(r, v.major, v.minor, v.patch, v.pre) : add(r, op, v);
}

static int add_word(struct reader *r, char *text, size_t n)
{
	struct str word = {text, n}, rest = word;
	struct partial p;
	enum semver_op op;

	if (text[0] == '^' && read_partial(str_skip(word, 1), r->loose, &p))
		return add_caret(r, &p);
	if (text[0] == '~' && read_partial(str_skip(word, n > 1 && text[1] == '>' ? 2 : 1), r->loose, &p))
		return add_tilde(r, &p);
	op = read_operator(&rest);
	if (read_partial(rest, r->loose, &p) && (p.x[0] || p.x[1] || p.x[2])) {
		/* A number behind an x ("1.x.5") makes no sense. */
		bool disordered = (p.x[0] && !p.x[1]) || (p.x[1] && !p.left_out[2] && !p.x[2]);

		if (!disordered)
			return add_x_range(r, op, &p);
	}
	return add_comparator(r, semver_without_star(text, n));
}

/* One end of a hyphen range that is a whole version. What stands in front of it would now follow an operator. */
static int add_hyphen_version(struct reader *r, enum semver_op op, const struct partial *p, struct str pre)
{
	bool blank = false;

	if (!r->loose && !str_eq(p->prefix, STR("")) && !str_eq(p->prefix, STR("v")))
		return -EINVAL;
	for (size_t i = 0; i < p->prefix.n; i++)
		blank |= semver_is_blank(p->prefix.p[i]);
	if (op == SEMVER_GE && !blank)
		return add_at_least(r, p->n[0], p->n[1], p->n[2], pre);
	return add(r, blank ? SEMVER_EQ : op, (struct semver){p->n[0], p->n[1], p->n[2], pre, STR_NULL});
}

static int add_hyphen(struct reader *r, const struct partial *from, const struct partial *to)
{
	int e;

	if (from->x[0])
		e = add_any(r);
	else if (from->x[1] || from->x[2])
		e = add_at_least(r, from->n[0], from->x[1] ? 0 : from->n[1], 0, lowest(r));
	else
		e = add_hyphen_version(r, SEMVER_GE, from, from->pre.n ? from->pre : lowest(r));
	if (e < 0)
		return e;
	if (to->x[0])
		return add_any(r);
	if (to->x[1])
		return add_below(r, next(to->n[0]), 0, 0);
	if (to->x[2])
		return add_below(r, to->n[0], next(to->n[1]), 0);
	if (to->pre.n)
		return add(r, SEMVER_LE, (struct semver){to->n[0], to->n[1], to->n[2], to->pre, STR_NULL});
	if (r->prereleases)
		return add_below(r, to->n[0], to->n[1], next(to->n[2]));
	return add_hyphen_version(r, SEMVER_LE, to, STR_NULL);
}

/* Drops doubles, and what adds nothing beside others; one that nothing satisfies replaces them all. */
static void simplify(struct reader *r)
{
	struct semver_comparator *c = r->comparators + r->first;
	size_t n = r->used - r->first, used = 0;
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		size_t j = 0;

		if (semver_comparator_is_null(&c[i])) {
			c[0] = c[i];
			r->used = r->first + 1;
			return;
		}
		if (c[i].op == SEMVER_ANY) {
			any = true;
			continue;
		}
		while (j < used && !semver_comparator_equal(&c[j], &c[i]))
			j++;
		if (j == used)
			c[used++] = c[i];
	}
	if (!used && any)
		c[used++] = (struct semver_comparator){.op = SEMVER_ANY};
	r->used = r->first + used;
}

/* What stands between two ||: its comparators, none when a loose range has nothing that can be read there. */
static int read_alternative(struct reader *r, char *text, size_t n)
{
	struct partial from, to;
	struct str whole, rest, word;
	ptrdiff_t hyphen;
	int e = 0;

	n = semver_strip_builds(text, n);
	whole = semver_trim((struct str){text, n});
	hyphen = str_find(whole, STR(" - "));
	if (hyphen >= 0 && read_partial(str_take(whole, (size_t)hyphen), r->loose, &from) &&
	    read_partial(str_skip(whole, (size_t)hyphen + 3), r->loose, &to))
		return add_hyphen(r, &from, &to);
	n = semver_join_operators(text, n);
	rest = (struct str){text, n};
	for (bool first = true; e == 0 && rest.p; first = false) {
		ptrdiff_t blank = str_chr(rest, ' ');

		word = blank < 0 ? rest : str_take(rest, (size_t)blank);
		rest = blank < 0 ? STR_NULL : str_skip(rest, (size_t)blank + 1);
		r->edge = first || !rest.p;
		e = word.n ? add_word(r, text + (word.p - text), word.n) : add_nothing(r);
	}
	return e;
}

static bool is_any(const struct semver_alternative *a)
{
	return a->n == 1 && a->comparators[0].op == SEMVER_ANY;
}

/* Alternatives that nothing satisfies go, unless all are such; one that everything satisfies is all there is. */
static void simplify_alternatives(struct semver_range *range)
{
	struct semver_alternative first = range->alternatives[0];
	size_t used = 0;

	for (size_t i = 0; i < range->n; i++)
		if (!semver_comparator_is_null(&range->alternatives[i].comparators[0]))
			range->alternatives[used++] = range->alternatives[i];
	if (!used)
		range->alternatives[used++] = first;
	for (size_t i = 0; used > 1 && i < used; i++) {
		if (is_any(&range->alternatives[i])) {
			range->alternatives[0] = range->alternatives[i];
			used = 1;
		}
	}
	range->n = used;
}

static size_t count(struct str text, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == c;
	return n;
}

int semver_range_parse(struct arena *a, struct str text, unsigned flags, struct semver_range **ret)
{
	struct reader r = {.loose = (flags & SEMVER_LOOSE) != 0, .prereleases = (flags & SEMVER_INCLUDE_PRERELEASE) != 0};
	struct semver_range *range = ARENA_NEW(a, struct semver_range);
	size_t alternatives, words;

	if (text.n > LIMIT_RANGE_BYTES)
		return -EINVAL;
	text = semver_squeeze(a, text);
	if (!range || !text.p)
		return -ENOMEM;
	/* A word becomes at most two comparators. */
	alternatives = count(text, '|') / 2 + 1;
	words = alternatives + count(text, ' ');
	r.room = 2 * words < LIMIT_RANGE_COMPARATORS ? 2 * words : LIMIT_RANGE_COMPARATORS;
	r.comparators = ARENA_ARRAY(a, struct semver_comparator, r.room);
	range->alternatives = ARENA_ARRAY(a, struct semver_alternative, alternatives);
	if (!r.comparators || !range->alternatives)
		return -ENOMEM;
	for (bool more = true; more;) {
		ptrdiff_t bar = str_find(text, STR("||"));
		struct str part = semver_trim(bar < 0 ? text : str_take(text, (size_t)bar));
		int e;

		more = bar >= 0;
		text = str_skip(text, bar < 0 ? text.n : (size_t)bar + 2);
		r.first = r.used;
		e = read_alternative(&r, (char *)(uintptr_t)part.p, part.n);
		if (e < 0)
			return e;
		simplify(&r);
		if (r.used > r.first)
			range->alternatives[range->n++] = (struct semver_alternative){r.comparators + r.first, r.used - r.first};
	}
	if (!range->n)
		return -EINVAL;
	simplify_alternatives(range);
	*ret = range;
	return 0;
}
