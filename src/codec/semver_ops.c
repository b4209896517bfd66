#include "codec/semver_ops.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/semver_lex.h"

#include <errno.h>

int semver_release_parse(struct str text, enum semver_release *ret)
{
	static const char *const names[] = {
		[SEMVER_MAJOR] = "major", [SEMVER_PREMAJOR] = "premajor", [SEMVER_MINOR] = "minor",           [SEMVER_PREMINOR] = "preminor",
		[SEMVER_PATCH] = "patch", [SEMVER_PREPATCH] = "prepatch", [SEMVER_PRERELEASE] = "prerelease", [SEMVER_RELEASE] = "release",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_eq(text, str_of(names[i]))) {
			*ret = (enum semver_release)i;
			return 0;
		}
	}
	return -EINVAL;
}

static bool names_prerelease(enum semver_release release)
{
	return release == SEMVER_PREMAJOR || release == SEMVER_PREMINOR || release == SEMVER_PREPATCH || release == SEMVER_PRERELEASE;
}

static bool identifier_ok(struct str identifier, unsigned flags)
{
	struct semver_lex l = {identifier.p, identifier.p + identifier.n, false};
	struct str whole;

	return semver_lex_identifiers(&l, (flags & SEMVER_LOOSE) != 0, &whole) && l.p == l.end;
}

/* An identifier that counts as a number; larger ones are words to node-semver, which would lose their last digits. */
static bool as_number(struct str id, uint64_t *ret)
{
	return semver_is_numeric(id) && str_to_u64(semver_identifier(id), ret) == 0 && *ret < SEMVER_NUMBER_MAX;
}

/* `pre` with its last number one higher. False when it has none. */
static bool raise_last_number(struct arena *a, struct str pre, struct str *ret)
{
	size_t end = pre.n;

	for (;;) {
		ptrdiff_t dot = str_rchr(str_take(pre, end), '.');
		size_t start = dot < 0 ? 0 : (size_t)dot + 1;
		uint64_t number;

		if (as_number(str_range(pre.p + start, pre.p + end), &number)) {
			struct str before = str_take(pre, start), after = str_skip(pre, end);

			*ret = arena_printf(a, "%.*s%llu%.*s", STR_ARG(before), (unsigned long long)number + 1, STR_ARG(after));
			return true;
		}
		if (dot < 0)
			return false;
		end = (size_t)dot;
	}
}

/* Does `pre` go on with a number where `identifier` ends? Then that number was already raised. */
static bool continues(struct str pre, struct str identifier)
{
	struct str x, y;

	while (str_split(&identifier, '.', &y))
		if (!str_split(&pre, '.', &x) || semver_compare_identifiers(x, y) != 0)
			return false;
	return str_split(&pre, '.', &x) && semver_is_numeric(x);
}

static int next_prerelease(struct arena *a, struct semver *v, struct str identifier, enum semver_base base)
{
	const char *number = base == SEMVER_BASE_ONE ? "1" : "0";
	struct str pre;

	if (!v->pre.n)
		pre = str_of(number);
	else if (!raise_last_number(a, v->pre, &pre)) {
		if (base == SEMVER_BASE_NONE && str_eq(identifier, v->pre))
			return -EEXIST;
		pre = arena_printf(a, "%.*s.%s", STR_ARG(v->pre), number);
	}
	if (identifier.n && !continues(pre, identifier)) {
		if (base == SEMVER_BASE_NONE)
			pre = arena_str(a, identifier);
		else
			pre = arena_printf(a, "%.*s.%s", STR_ARG(identifier), number);
	}
	v->pre = pre;
	return pre.p ? 0 : -ENOMEM;
}

static void clear_below(struct semver *v, bool minor, bool patch)
{
	if (minor)
		v->minor = 0;
	if (patch)
		v->patch = 0;
	v->pre = STR_NULL;
}

/* The three numbers. A prerelease already announces the version that it leads to. */
static int raise_numbers(struct semver *v, enum semver_release release)
{
	bool pre = semver_is_prerelease(v);

	switch (release) {
	case SEMVER_MAJOR:
		v->major += v->minor || v->patch || !pre;
		clear_below(v, true, true);
		return 0;
	case SEMVER_PREMAJOR:
		v->major++;
		clear_below(v, true, true);
		return 0;
	case SEMVER_MINOR:
		v->minor += v->patch || !pre;
		clear_below(v, false, true);
		return 0;
	case SEMVER_PREMINOR:
		v->minor++;
		clear_below(v, false, true);
		return 0;
	case SEMVER_PATCH:
		v->patch += !pre;
		clear_below(v, false, false);
		return 0;
	case SEMVER_PREPATCH:
		v->patch++;
		clear_below(v, false, false);
		return 0;
	case SEMVER_PRERELEASE:
		v->patch += !pre;
		return 0;
	case SEMVER_RELEASE:
		clear_below(v, false, false);
		return pre ? 0 : -EINVAL;
	}
	return -EINVAL;
}

int semver_increment(struct arena *a, const struct semver *v, enum semver_release release, struct str identifier, enum semver_base base,
                     unsigned flags, struct semver *ret)
{
	struct semver next = *v;
	int r;

	next.build = STR_NULL;
	if (names_prerelease(release)) {
		if (!identifier.n && base == SEMVER_BASE_NONE)
			return -EINVAL;
		if (identifier.n && (identifier.n > LIMIT_VERSION_BYTES || !identifier_ok(identifier, flags)))
			return -EINVAL;
	}
	r = raise_numbers(&next, release);
	if (r == 0 && names_prerelease(release))
		r = next_prerelease(a, &next, identifier, base);
	if (r < 0)
		return r;
	if (next.major > SEMVER_NUMBER_MAX || next.minor > SEMVER_NUMBER_MAX || next.patch > SEMVER_NUMBER_MAX)
		return -ERANGE;
	*ret = next;
	return 0;
}

int semver_truncate(const struct semver *v, enum semver_release release, struct semver *ret)
{
	struct semver next = *v;

	if (release == SEMVER_RELEASE)
		return -EINVAL;
	next.build = STR_NULL;
	if (!names_prerelease(release))
		clear_below(&next, release == SEMVER_MAJOR, release == SEMVER_MAJOR || release == SEMVER_MINOR);
	*ret = next;
	return 0;
}
