#include "codec/nuget_version.h"

#include "base/buf.h"
#include "base/limits.h"

#include <errno.h>
#include <inttypes.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_label_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

static bool all_digits(struct str label)
{
	for (size_t i = 0; i < label.n; i++)
		if (!is_digit(label.p[i]))
			return false;
	return true;
}

/* A number counts as one up to 2147483647; a longer row of digits is a word. */
static bool as_number(struct str label, uint64_t *ret)
{
	return all_digits(label) && str_to_u64(label, ret) == 0 && *ret <= INT32_MAX;
}

static bool labels_ok(struct str labels, bool zeros)
{
	/* An empty label at the end, which splitting would not show. */
	if (!labels.n || labels.p[labels.n - 1] == '.')
		return false;
	for (struct str label; str_split(&labels, '.', &label);) {
		if (!label.n || (!zeros && label.n > 1 && label.p[0] == '0' && all_digits(label)))
			return false;
		for (size_t i = 0; i < label.n; i++)
			if (!is_label_char(label.p[i]))
				return false;
	}
	return true;
}

static bool read_number(struct str text, uint32_t *ret)
{
	uint64_t value;

	text = str_trim(text);
	if (str_to_u64(text, &value) < 0 || value > INT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static bool read_numbers(struct str text, struct nuget_version *v)
{
	for (ptrdiff_t dot = 0; dot >= 0;) {
		if (v->parts == 4)
			return false;
		dot = str_chr(text, '.');
		if (!read_number(dot < 0 ? text : str_take(text, (size_t)dot), &v->n[v->parts++]))
			return false;
		text = str_skip(text, (size_t)dot + 1);
	}
	return true;
}

int nuget_version_parse(struct str text, struct nuget_version *ret)
{
	struct nuget_version v = {.pre = STR_NULL};
	struct str rest = str_trim(text);
	ptrdiff_t plus, hyphen;

	if (text.n > LIMIT_VERSION_BYTES)
		return -EINVAL;
	plus = str_chr(rest, '+');
	if (plus >= 0) {
		v.meta = str_skip(rest, (size_t)plus + 1);
		rest = str_take(rest, (size_t)plus);
		if (!labels_ok(v.meta, true))
			return -EINVAL;
	}
	hyphen = str_chr(rest, '-');
	if (hyphen >= 0) {
		v.pre = str_skip(rest, (size_t)hyphen + 1);
		rest = str_take(rest, (size_t)hyphen);
		if (!labels_ok(v.pre, false))
			return -EINVAL;
	}
	if (!read_numbers(rest, &v))
		return -EINVAL;
	*ret = v;
	return 0;
}

static int compare_words(struct str a, struct str b)
{
	for (size_t i = 0; i < a.n && i < b.n; i++)
		if (upper(a.p[i]) != upper(b.p[i]))
			return upper(a.p[i]) < upper(b.p[i]) ? -1 : 1;
	return (a.n > b.n) - (a.n < b.n);
}

static int compare_labels(struct str a, struct str b)
{
	uint64_t x = 0, y = 0;
	bool a_number = as_number(a, &x), b_number = as_number(b, &y);

	if (a_number != b_number)
		return a_number ? -1 : 1;
	return a_number ? (x > y) - (x < y) : compare_words(a, b);
}

static int compare_numbers(const struct nuget_version *a, const struct nuget_version *b)
{
	for (size_t i = 0; i < 4; i++)
		if (a->n[i] != b->n[i])
			return a->n[i] < b->n[i] ? -1 : 1;
	return 0;
}

int nuget_version_compare(const struct nuget_version *a, const struct nuget_version *b)
{
	int r = compare_numbers(a, b);
	struct str x = a->pre, y = b->pre;

	if (r)
		return r;
	if (!x.n || !y.n)
		return (x.n == 0) - (y.n == 0);
	while (x.n && y.n) {
		struct str one, other;

		str_split(&x, '.', &one);
		str_split(&y, '.', &other);
		r = compare_labels(one, other);
		if (r)
			return r;
	}
	return (x.n != 0) - (y.n != 0);
}

bool nuget_version_is_semver2(const struct nuget_version *v)
{
	return v->meta.n != 0 || str_chr(v->pre, '.') >= 0;
}

static void write_version(struct buf *out, const struct nuget_version *v)
{
	buf_printf(out, "%" PRIu32 ".%" PRIu32 ".%" PRIu32, v->n[0], v->n[1], v->n[2]);
	if (v->n[3])
		buf_printf(out, ".%" PRIu32, v->n[3]);
	if (v->pre.n) {
		buf_add_char(out, '-');
		buf_add_str(out, v->pre);
	}
}

struct str nuget_version_format(struct arena *a, const struct nuget_version *v)
{
	CLEANUP_BUF struct buf b = BUF(64 + v->pre.n);

	write_version(&b, v);
	return b.error ? STR_NULL : arena_str(a, buf_str(&b));
}

struct str nuget_version_format_lower(struct arena *a, const struct nuget_version *v)
{
	CLEANUP_BUF struct buf b = BUF(64 + v->pre.n);

	write_version(&b, v);
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] >= 'A' && b.p[i] <= 'Z')
			b.p[i] = (char)(b.p[i] + 32);
	return b.error ? STR_NULL : arena_str(a, buf_str(&b));
}

/* --- ranges --- */

/* The text with its last part made the lowest that the star can stand for, read into range->min. */
static int read_lowest(struct arena *a, struct nuget_range *range, struct str numbers, struct str labels)
{
	bool prerelease = labels.p != NULL;
	/* For a number that is 0, also where the star follows a digit: "1.1*" starts at 1.10. */
	const char *zero = prerelease && (!labels.n || labels.p[labels.n - 1] == '.') ? "0" : "";
	struct str text = arena_printf(a, "%.*s%s%.*s%s", STR_ARG(numbers), prerelease ? "-" : "", STR_ARG(labels), zero);

	if (!text.p)
		return -ENOMEM;
	return nuget_version_parse(text, &range->min);
}

/* 1.*: only numbers float. */
static int read_floating_number(struct arena *a, struct str before_star, struct nuget_range *range)
{
	struct str numbers = arena_printf(a, "%.*s0", STR_ARG(before_star));
	int r = numbers.p ? read_lowest(a, range, numbers, STR_NULL) : -ENOMEM;
	static const enum nuget_float by_parts[] = {NUGET_FIXED, NUGET_FIXED, NUGET_FLOAT_MINOR, NUGET_FLOAT_PATCH, NUGET_FLOAT_REVISION};

	if (r < 0)
		return r;
	range->floating = before_star.n ? by_parts[range->min.parts] : NUGET_FLOAT_MAJOR;
	return 0;
}

/* 1.*-beta*: numbers and labels float. */
static int read_floating_both(struct arena *a, struct str before_star, struct str labels, struct nuget_range *range)
{
	struct str numbers = arena_printf(a, "%.*s0", STR_ARG(before_star));
	int r = numbers.p ? read_lowest(a, range, numbers, labels) : -ENOMEM;
	static const enum nuget_float by_parts[] = {NUGET_FIXED, NUGET_FLOAT_PRERELEASE_MAJOR, NUGET_FLOAT_PRERELEASE_MINOR,
	                                            NUGET_FLOAT_PRERELEASE_PATCH, NUGET_FLOAT_PRERELEASE_REVISION};

	if (r < 0)
		return r;
	range->floating = !before_star.n && !labels.n ? NUGET_FLOAT_ANYTHING : by_parts[range->min.parts];
	range->prefix = labels;
	return 0;
}

/* A lower bound with a star: at the very end, and perhaps a second one right before the first hyphen. */
static int read_floating(struct arena *a, struct str text, struct nuget_range *range)
{
	ptrdiff_t first = str_chr(text, '*'), last = str_rchr(text, '*'), hyphen = str_chr(text, '-');
	struct str labels;

	if ((size_t)last != text.n - 1 || str_chr(text, '+') >= 0)
		return -EINVAL;
	if (hyphen < 0)
		return first == last ? read_floating_number(a, str_take(text, (size_t)first), range) : -EINVAL;
	labels = str_range(text.p + hyphen + 1, text.p + last);
	if (first != last)
		return first == hyphen - 1 ? read_floating_both(a, str_take(text, (size_t)first), labels, range) : -EINVAL;
	range->floating = NUGET_FLOAT_PRERELEASE;
	range->prefix = labels;
	return read_lowest(a, range, str_take(text, (size_t)hyphen), labels);
}

static int read_bounds(struct arena *a, struct str min, struct str max, struct nuget_range *range)
{
	int r = 0, order;

	if (str_trim(min).n) {
		range->has_min = true;
		r = str_chr(min, '*') >= 0 ? read_floating(a, min, range) : nuget_version_parse(min, &range->min);
	}
	if (r == 0 && str_trim(max).n) {
		range->has_max = true;
		r = nuget_version_parse(max, &range->max);
	}
	if (r < 0 || !range->has_min || !range->has_max)
		return r;
	order = nuget_version_compare(&range->min, &range->max);
	return order > 0 || (order == 0 && range->min_included != range->max_included) ? -EINVAL : 0;
}

int nuget_range_parse(struct arena *a, struct str text, struct nuget_range *ret)
{
	struct nuget_range range = {.min_included = true};
	struct str inside = str_trim(text), min = inside, max = STR("");
	char open, close;
	int r;

	/* A NUL would end the text early where a floating bound is written out. */
	if (!inside.n || text.n > LIMIT_RANGE_BYTES || str_chr(text, '\0') >= 0)
		return -EINVAL;
	open = inside.p[0];
	close = inside.p[inside.n - 1];
	if (open == '[' || open == '(') {
		ptrdiff_t comma;

		if (inside.n < 2 || (close != ']' && close != ')'))
			return -EINVAL;
		range.min_included = open == '[';
		range.max_included = close == ']';
		inside = str_range(inside.p + 1, inside.p + inside.n - 1);
		comma = str_chr(inside, ',');
		if (comma < 0 && !(range.min_included && range.max_included))
			return -EINVAL;
		min = comma < 0 ? inside : str_take(inside, (size_t)comma);
		max = comma < 0 ? inside : str_skip(inside, (size_t)comma + 1);
		if (!min.n && !max.n)
			return -EINVAL;
	}
	r = read_bounds(a, min, max, &range);
	if (r < 0)
		return r;
	*ret = range;
	return 0;
}

bool nuget_range_satisfied(const struct nuget_range *range, const struct nuget_version *v)
{
	if (range->has_min && nuget_version_compare(&range->min, v) >= (range->min_included ? 1 : 0))
		return false;
	return !range->has_max || nuget_version_compare(&range->max, v) > (range->max_included ? -1 : 0);
}

static bool floats_over_prereleases(enum nuget_float f)
{
	return f == NUGET_FLOAT_PRERELEASE || f >= NUGET_FLOAT_PRERELEASE_REVISION;
}

/* How many of the numbers a floating bound fixes. */
static size_t fixed_numbers(enum nuget_float f)
{
	switch (f) {
	case NUGET_FLOAT_PRERELEASE:
		return 4;
	case NUGET_FLOAT_REVISION:
	case NUGET_FLOAT_PRERELEASE_REVISION:
		return 3;
	case NUGET_FLOAT_PATCH:
	case NUGET_FLOAT_PRERELEASE_PATCH:
		return 2;
	case NUGET_FLOAT_MINOR:
	case NUGET_FLOAT_PRERELEASE_MINOR:
		return 1;
	default:
		return 0;
	}
}

/* Is it one of the versions that the star stands for? */
static bool floats_to(const struct nuget_range *range, const struct nuget_version *v)
{
	if (range->floating == NUGET_FLOAT_ANYTHING)
		return true;
	for (size_t i = 0; i < fixed_numbers(range->floating); i++)
		if (v->n[i] != range->min.n[i])
			return false;
	if (!nuget_version_is_prerelease(v))
		return true;
	return floats_over_prereleases(range->floating) && str_starts_nocase(v->pre, range->prefix);
}

static bool may_be_chosen(const struct nuget_range *range, const struct nuget_version *v)
{
	bool named = (range->has_min && nuget_version_is_prerelease(&range->min)) ||
	             (range->has_max && nuget_version_is_prerelease(&range->max)) || floats_over_prereleases(range->floating);

	return (named || !nuget_version_is_prerelease(v)) && nuget_range_satisfied(range, v);
}

bool nuget_range_is_better(const struct nuget_range *range, const struct nuget_version *current, const struct nuget_version *candidate)
{
	bool current_floats, candidate_floats;

	if (!may_be_chosen(range, candidate))
		return false;
	if (!current)
		return true;
	if (range->floating == NUGET_FIXED)
		return nuget_version_compare(candidate, current) < 0;
	current_floats = floats_to(range, current);
	candidate_floats = floats_to(range, candidate);
	if (current_floats != candidate_floats)
		return candidate_floats;
	/* Beyond what floats, the nearest is best. Nothing in the range lies below its own lower bound. */
	return current_floats ? nuget_version_compare(candidate, current) > 0 : nuget_version_compare(candidate, current) < 0;
}

static void write_min(struct buf *out, const struct nuget_range *range)
{
	size_t fixed = fixed_numbers(range->floating);
	bool labels = floats_over_prereleases(range->floating);

	if (range->floating == NUGET_FIXED) {
		write_version(out, &range->min);
		return;
	}
	if (range->floating == NUGET_FLOAT_PRERELEASE) {
		struct nuget_version numbers = range->min;

		numbers.pre = STR_NULL;
		write_version(out, &numbers);
	} else {
		for (size_t i = 0; i < fixed; i++)
			buf_printf(out, "%" PRIu32 ".", range->min.n[i]);
		buf_add_char(out, '*');
	}
	if (labels) {
		buf_add_char(out, '-');
		buf_add_str(out, range->prefix);
		buf_add_char(out, '*');
	}
}

struct str nuget_range_format(struct arena *a, const struct nuget_range *range)
{
	CLEANUP_BUF struct buf b = BUF(4 * LIMIT_VERSION_BYTES);

	buf_add_char(&b, range->has_min && range->min_included ? '[' : '(');
	if (range->has_min)
		write_min(&b, range);
	buf_add_str(&b, STR(", "));
	if (range->has_max)
		write_version(&b, &range->max);
	buf_add_char(&b, range->has_max && range->max_included ? ']' : ')');
	return b.error ? STR_NULL : arena_str(a, buf_str(&b));
}
