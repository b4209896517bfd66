/* Versions and ranges. The first byte holds the flags, the first line is a range, the second and third are versions.
 * What was read and written is read again as the same; order is antisymmetric; an exact range admits its version. */
#include <stdint.h>
#include <stdlib.h>

#include "codec/semver.h"
#include "codec/semver_ops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool try_version(struct arena *a, struct str text, unsigned flags, struct semver *ret)
{
	struct semver again, next;
	struct str written;

	if (semver_parse(text, flags, ret) < 0)
		return false;
	written = semver_format(a, ret);
	check(written.p != NULL);
	/* Loose texts may be a byte longer when written: "1.2.3beta" becomes 1.2.3-beta. */
	if (written.n > 256)
		return true;
	check(semver_parse(written, 0, &again) == 0);
	check(semver_compare(ret, &again) == 0);
	check(str_eq(semver_format(a, &again), written));
	for (unsigned release = SEMVER_MAJOR; release <= SEMVER_PRERELEASE; release++) {
		if (semver_increment(a, ret, (enum semver_release)release, STR("rc"), SEMVER_BASE_ZERO, 0, &next) < 0)
			continue;
		check(release == SEMVER_PRERELEASE || semver_compare(&next, ret) > 0);
		check(semver_truncate(ret, (enum semver_release)release, &next) == 0);
	}
	return true;
}

static void try_range(struct arena *a, struct str text, unsigned flags, const struct semver *v)
{
	struct semver_range *range, *again;
	struct semver exact;
	struct str written;

	if (semver_range_parse(a, text, flags, &range) < 0)
		return;
	if (semver_range_exact(range, &exact))
		check(semver_range_satisfied(range, &exact, flags));
	written = semver_range_format(a, range);
	check(written.p != NULL);
	if (semver_range_parse(a, written, flags, &again) == 0)
		check(str_eq(semver_range_format(a, again), written));
	else
		check(written.n > 256 || arena_failed(a));
	if (!v)
		return;
	if (semver_range_satisfied(range, v, flags)) {
		check(!semver_range_outside_high(v, range, flags));
		check(!semver_range_outside_low(v, range, flags));
	}
	(void)semver_range_intersects(range, range, flags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_ARENA struct arena *a = arena_new(16 << 20);
	struct str rest = {(const char *)data, size}, range = STR_NULL, first = STR_NULL, second = STR_NULL;
	struct semver v, w;
	unsigned flags;
	bool one, two;

	if (!a || size == 0)
		return 0;
	flags = data[0] & (SEMVER_LOOSE | SEMVER_INCLUDE_PRERELEASE);
	rest = str_skip(rest, 1);
	str_split(&rest, '\n', &range);
	str_split(&rest, '\n', &first);
	str_split(&rest, '\n', &second);
	one = try_version(a, first, flags, &v);
	two = try_version(a, second, flags, &w);
	if (one && two) {
		int order = semver_compare(&v, &w), back = semver_compare(&w, &v);

		check((order > 0) == (back < 0) && (order < 0) == (back > 0));
		order = semver_compare_build(&v, &w);
		back = semver_compare_build(&w, &v);
		check((order > 0) == (back < 0) && (order < 0) == (back > 0));
	}
	try_range(a, range, flags, one ? &v : NULL);
	return 0;
}
