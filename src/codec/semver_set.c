/* What can be asked of a range that was read: does it admit a version, which one alone, does it meet another range,
 * and is a version beyond it. The answers are node-semver's, also where its rule for prereleases makes them odd. */
#include "codec/semver_set.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/semver_lex.h"

static bool same_text(const struct semver *a, const struct semver *b)
{
	return semver_compare(a, b) == 0;
}

bool semver_comparator_equal(const struct semver_comparator *a, const struct semver_comparator *b)
{
	return a->op == b->op && (a->op == SEMVER_ANY || same_text(&a->v, &b->v));
}

static bool holds(const struct semver_comparator *c, const struct semver *v)
{
	int order;

	if (c->op == SEMVER_ANY)
		return true;
	order = semver_compare(v, &c->v);
	switch (c->op) {
	case SEMVER_LT:
		return order < 0;
	case SEMVER_LE:
		return order <= 0;
	case SEMVER_GT:
		return order > 0;
	case SEMVER_GE:
		return order >= 0;
	default:
		return order == 0;
	}
}

static bool same_numbers(const struct semver *a, const struct semver *b)
{
	return a->major == b->major && a->minor == b->minor && a->patch == b->patch;
}

bool semver_alternative_satisfied(const struct semver_alternative *alternative, const struct semver *v, bool prereleases)
{
	bool named = prereleases || !semver_is_prerelease(v);

	for (size_t i = 0; i < alternative->n; i++) {
		const struct semver_comparator *c = &alternative->comparators[i];

		if (!holds(c, v))
			return false;
		named = named || (c->op != SEMVER_ANY && semver_is_prerelease(&c->v) && same_numbers(&c->v, v));
	}
	return named;
}

bool semver_range_satisfied(const struct semver_range *range, const struct semver *v, unsigned flags)
{
	for (size_t i = 0; i < range->n; i++)
		if (semver_alternative_satisfied(&range->alternatives[i], v, (flags & SEMVER_INCLUDE_PRERELEASE) != 0))
			return true;
	return false;
}

bool semver_range_exact(const struct semver_range *range, struct semver *ret)
{
	const struct semver_alternative *only = &range->alternatives[0];

	if (range->n != 1 || only->n != 1 || only->comparators[0].op != SEMVER_EQ)
		return false;
	*ret = only->comparators[0].v;
	return true;
}

struct str semver_range_format(struct arena *a, const struct semver_range *range)
{
	static const char *const operators[] = {
		[SEMVER_ANY] = "*", [SEMVER_EQ] = "", [SEMVER_LT] = "<", [SEMVER_LE] = "<=", [SEMVER_GT] = ">", [SEMVER_GE] = ">=",
	};
	CLEANUP_BUF struct buf b = BUF(LIMIT_RANGE_COMPARATORS * (LIMIT_VERSION_BYTES + 8));

	for (size_t i = 0; i < range->n; i++) {
		const struct semver_alternative *alternative = &range->alternatives[i];

		if (i)
			buf_add_str(&b, STR("||"));
		for (size_t k = 0; k < alternative->n; k++) {
			const struct semver_comparator *c = &alternative->comparators[k];

			if (k)
				buf_add_char(&b, ' ');
			buf_add_str(&b, str_of(operators[c->op]));
			if (c->op != SEMVER_ANY)
				semver_write(&b, &c->v);
		}
	}
	return b.error ? STR_NULL : arena_str(a, buf_str(&b));
}

static bool goes_up(const struct semver_comparator *c)
{
	return c->op == SEMVER_GT || c->op == SEMVER_GE;
}

static bool includes_its_version(const struct semver_comparator *c)
{
	return c->op == SEMVER_GE || c->op == SEMVER_LE;
}

/* "<0.0.0": nothing but prereleases of zero lie below, and they only count if prereleases do. */
static bool is_below_all(const struct semver_comparator *c, bool prereleases)
{
	if (prereleases)
		return semver_comparator_is_null(c);
	return c->op == SEMVER_LT && c->v.major == 0 && c->v.minor == 0 && c->v.patch == 0;
}

static bool admits_alone(const struct semver_comparator *c, const struct semver *v, bool prereleases)
{
	struct semver_comparator copy = *c;
	struct semver_alternative alone = {&copy, 1};

	return semver_alternative_satisfied(&alone, v, prereleases);
}

static bool comparators_meet(const struct semver_comparator *a, const struct semver_comparator *b, bool prereleases)
{
	int order;

	if (a->op == SEMVER_ANY)
		return true;
	if (a->op == SEMVER_EQ)
		return admits_alone(b, &a->v, prereleases);
	if (b->op == SEMVER_ANY)
		return true;
	if (b->op == SEMVER_EQ)
		return admits_alone(a, &b->v, prereleases);
	if (is_below_all(a, prereleases) || is_below_all(b, prereleases))
		return false;
	if (goes_up(a) == goes_up(b))
		return true;
	order = semver_compare(&a->v, &b->v);
	if (order == 0)
		return includes_its_version(a) && includes_its_version(b);
	return goes_up(a) ? order < 0 : order > 0;
}

/* Do all comparators meet each other? Then there is something that they admit together. */
static bool satisfiable(const struct semver_alternative *alternative, bool prereleases)
{
	for (size_t i = alternative->n; i-- > 1;)
		for (size_t k = 0; k < i; k++)
			if (!comparators_meet(&alternative->comparators[i], &alternative->comparators[k], prereleases))
				return false;
	return true;
}

static bool alternatives_meet(const struct semver_alternative *a, const struct semver_alternative *b, bool prereleases)
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t k = 0; k < b->n; k++)
			if (!comparators_meet(&a->comparators[i], &b->comparators[k], prereleases))
				return false;
	return true;
}

bool semver_range_intersects(const struct semver_range *a, const struct semver_range *b, unsigned flags)
{
	bool prereleases = (flags & SEMVER_INCLUDE_PRERELEASE) != 0;

	for (size_t i = 0; i < a->n; i++) {
		if (!satisfiable(&a->alternatives[i], prereleases))
			continue;
		/* Looking for a meeting first keeps the check of b's own comparators to those that matter. */
		for (size_t k = 0; k < b->n; k++)
			if (alternatives_meet(&a->alternatives[i], &b->alternatives[k], prereleases) && satisfiable(&b->alternatives[k], prereleases))
				return true;
	}
	return false;
}

/* The comparators with the highest and lowest version, seen in the direction `sign`. */
static void find_edges(const struct semver_alternative *alternative, int sign, struct semver_comparator *ret_high,
                       struct semver_comparator *ret_low)
{
	for (size_t i = 0; i < alternative->n; i++) {
		struct semver_comparator c = alternative->comparators[i];

		if (c.op == SEMVER_ANY)
			c = (struct semver_comparator){SEMVER_GE, {0}};
		if (i == 0)
			*ret_high = *ret_low = c;
		else if (sign * semver_compare(&c.v, &ret_high->v) > 0)
			*ret_high = c;
		else if (sign * semver_compare(&c.v, &ret_low->v) < 0)
			*ret_low = c;
	}
}

/* Beyond every alternative in the direction `sign` (1: above, -1: below). */
static bool outside(const struct semver *v, const struct semver_range *range, int sign, unsigned flags)
{
	enum semver_op open = sign > 0 ? SEMVER_GT : SEMVER_LT, closed = sign > 0 ? SEMVER_GE : SEMVER_LE;

	if (semver_range_satisfied(range, v, flags))
		return false;
	for (size_t i = 0; i < range->n; i++) {
		struct semver_comparator high = {0}, low = {0};
		int order;

		find_edges(&range->alternatives[i], sign, &high, &low);
		if (high.op == open || high.op == closed)
			return false;
		order = sign * semver_compare(v, &low.v);
		if ((low.op == SEMVER_EQ || low.op == open) && order <= 0)
			return false;
		if (low.op == closed && order < 0)
			return false;
	}
	return true;
}

bool semver_range_outside_high(const struct semver *v, const struct semver_range *range, unsigned flags)
{
	return outside(v, range, 1, flags);
}

bool semver_range_outside_low(const struct semver *v, const struct semver_range *range, unsigned flags)
{
	return outside(v, range, -1, flags);
}
