#include "codec/semver.h"

#include "base/limits.h"
#include "codec/semver_lex.h"

#include <errno.h>
#include <inttypes.h>

struct str semver_trim(struct str text)
{
	while (text.n && semver_is_blank(text.p[0]))
		text = str_skip(text, 1);
	while (text.n && semver_is_blank(text.p[text.n - 1]))
		text.n--;
	return text;
}

bool semver_is_numeric(struct str id)
{
	for (size_t i = 0; i < id.n; i++)
		if (!semver_is_digit(id.p[i]))
			return false;
	return id.n != 0;
}

struct str semver_identifier(struct str id)
{
	if (!semver_is_numeric(id))
		return id;
	while (id.n > 1 && id.p[0] == '0')
		id = str_skip(id, 1);
	return id;
}

bool semver_lex_number(struct semver_lex *l, uint64_t *ret)
{
	const char *start = l->p;
	uint64_t value = 0;

	for (; l->p < l->end && semver_is_digit(*l->p); l->p++) {
		if (value <= SEMVER_NUMBER_MAX)
			value = value * 10 + (uint64_t)(*l->p - '0');
	}
	if (l->p == start || (!l->loose && l->p - start > 1 && *start == '0'))
		return false;
	*ret = value <= SEMVER_NUMBER_MAX ? value : SEMVER_TOO_BIG;
	return true;
}

bool semver_lex_identifiers(struct semver_lex *l, bool zeros, struct str *ret)
{
	const char *start = l->p;

	for (;; l->p++) {
		const char *id = l->p;

		while (l->p < l->end && semver_is_identifier_char(*l->p))
			l->p++;
		if (l->p == id)
			return false;
		if (!zeros && l->p - id > 1 && *id == '0' && semver_is_numeric(str_range(id, l->p)))
			return false;
		if (l->p == l->end || *l->p != '.')
			break;
	}
	*ret = str_range(start, l->p);
	return true;
}

bool semver_lex_tail(struct semver_lex *l, uint64_t *patch, struct str *ret_pre, struct str *ret_build)
{
	*ret_pre = *ret_build = STR_NULL;
	if (l->p < l->end && *l->p != '+') {
		bool hyphen = *l->p == '-';

		if (!hyphen && !l->loose)
			return false;
		/* A regular expression that finds no identifier after the patch number gives back its last digit. */
		if (*l->p == '.') {
			if (!semver_is_digit(l->p[-1]) || !semver_is_digit(l->p[-2]))
				return false;
			l->p--;
			if (*patch != SEMVER_TOO_BIG)
				*patch /= 10;
		}
		/* Loose: a hyphen with nothing behind it is an identifier itself. */
		if (hyphen && (!l->loose || (l->p + 1 < l->end && semver_is_identifier_char(l->p[1]))))
			l->p++;
		if (!semver_lex_identifiers(l, l->loose, ret_pre))
			return false;
	}
	if (l->p < l->end && *l->p == '+') {
		l->p++;
		if (!semver_lex_identifiers(l, true, ret_build))
			return false;
	}
	return l->p == l->end;
}

int semver_read(struct str text, unsigned flags, struct semver *ret)
{
	struct str trimmed = semver_trim(text);
	struct semver_lex l = {.loose = (flags & SEMVER_LOOSE) != 0};
	struct semver v;

	if (!trimmed.n)
		return -EINVAL;
	l.p = trimmed.p;
	l.end = trimmed.p + trimmed.n;
	if (l.loose) {
		while (l.p < l.end && (*l.p == 'v' || *l.p == '=' || semver_is_blank(*l.p)))
			l.p++;
	} else if (l.p < l.end && *l.p == 'v') {
		l.p++;
	}
	if (!semver_lex_number(&l, &v.major) || l.p == l.end || *l.p++ != '.')
		return -EINVAL;
	if (!semver_lex_number(&l, &v.minor) || l.p == l.end || *l.p++ != '.')
		return -EINVAL;
	if (!semver_lex_number(&l, &v.patch) || !semver_lex_tail(&l, &v.patch, &v.pre, &v.build))
		return -EINVAL;
	if (text.n > LIMIT_VERSION_BYTES)
		return -ERANGE;
	if (v.major > SEMVER_NUMBER_MAX || v.minor > SEMVER_NUMBER_MAX || v.patch > SEMVER_NUMBER_MAX)
		return -ERANGE;
	*ret = v;
	return 0;
}

int semver_parse(struct str text, unsigned flags, struct semver *ret)
{
	/* Refused before it is read: a length is cheaper to look at than a grammar. */
	if (text.n > LIMIT_VERSION_BYTES)
		return -EINVAL;
	return semver_read(text, flags, ret) < 0 ? -EINVAL : 0;
}

int semver_compare_identifiers(struct str a, struct str b)
{
	bool a_number = semver_is_numeric(a), b_number = semver_is_numeric(b);

	if (a_number != b_number)
		return a_number ? -1 : 1;
	if (!a_number)
		return str_cmp(a, b);
	/* Without leading zeros the longer number is the larger one, of any length. */
	a = semver_identifier(a);
	b = semver_identifier(b);
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return str_cmp(a, b);
}

/* Two dotted lists; where one is the beginning of the other, the shorter is lower. */
static int compare_lists(struct str a, struct str b)
{
	while (a.n && b.n) {
		struct str x, y;
		int r;

		str_split(&a, '.', &x);
		str_split(&b, '.', &y);
		r = semver_compare_identifiers(x, y);
		if (r)
			return r;
	}
	return (a.n != 0) - (b.n != 0);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

int semver_compare(const struct semver *a, const struct semver *b)
{
	int r = compare_numbers(a->major, b->major);

	if (!r)
		r = compare_numbers(a->minor, b->minor);
	if (!r)
		r = compare_numbers(a->patch, b->patch);
	if (r)
		return r;
	if (!a->pre.n || !b->pre.n)
		return (a->pre.n == 0) - (b->pre.n == 0);
	return compare_lists(a->pre, b->pre);
}

int semver_compare_build(const struct semver *a, const struct semver *b)
{
	int r = semver_compare(a, b);

	return r ? r : compare_lists(a->build, b->build);
}

void semver_write(struct buf *out, const struct semver *v)
{
	struct str rest = v->pre, id;

	buf_printf(out, "%" PRIu64 ".%" PRIu64 ".%" PRIu64, v->major, v->minor, v->patch);
	for (char separator = '-'; str_split(&rest, '.', &id); separator = '.') {
		buf_add_char(out, separator);
		buf_add_str(out, semver_identifier(id));
	}
}

struct str semver_format(struct arena *a, const struct semver *v)
{
	/* Three numbers of at most 20 digits with what stands between, and identifiers that only get shorter. */
	CLEANUP_BUF struct buf b = BUF(64 + v->pre.n);

	semver_write(&b, v);
	return b.error ? STR_NULL : arena_str(a, buf_str(&b));
}
