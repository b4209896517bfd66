/* NuGet's versions and ranges, one on each line: a range, then two versions. What was read and written reads the same, order is
 * antisymmetric, and what is chosen satisfies its range. */
#include <stdint.h>
#include <stdlib.h>

#include "codec/nuget_version.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool try_version(struct arena *a, struct str text, struct nuget_version *ret)
{
	struct nuget_version again;

	if (nuget_version_parse(text, ret) < 0)
		return false;
	/* "1-a" is written as 1.0.0-a, which may pass the limit. */
	if (ret->pre.n < 200) {
		check(nuget_version_parse(nuget_version_format(a, ret), &again) == 0);
		check(nuget_version_compare(ret, &again) == 0);
		check(nuget_version_parse(nuget_version_format_lower(a, ret), &again) == 0);
		check(nuget_version_compare(ret, &again) == 0);
	}
	return true;
}

static void try_range(struct arena *a, struct str text, const struct nuget_version *v, const struct nuget_version *w)
{
	struct nuget_range range, again;
	struct str written;

	if (nuget_range_parse(a, text, &range) < 0)
		return;
	written = nuget_range_format(a, &range);
	check(written.p != NULL);
	if (written.n < 200 && (range.has_min || range.has_max)) {
		check(nuget_range_parse(a, written, &again) == 0);
		check(str_eq(nuget_range_format(a, &again), written));
	}
	if (v && nuget_range_is_better(&range, NULL, v))
		check(nuget_range_satisfied(&range, v));
	if (v && w && nuget_range_is_better(&range, NULL, v) && nuget_range_is_better(&range, NULL, w))
		check(!nuget_range_is_better(&range, v, w) || !nuget_range_is_better(&range, w, v));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
	struct str rest = {(const char *)data, size}, range = STR_NULL, first = STR_NULL, second = STR_NULL;
	struct nuget_version v, w;
	bool one, two;

	if (!a)
		return 0;
	str_split(&rest, '\n', &range);
	str_split(&rest, '\n', &first);
	str_split(&rest, '\n', &second);
	one = try_version(a, first, &v);
	two = try_version(a, second, &w);
	if (one && two) {
		int order = nuget_version_compare(&v, &w), back = nuget_version_compare(&w, &v);

		check((order > 0) == (back < 0) && (order < 0) == (back > 0));
	}
	try_range(a, range, one ? &v : NULL, two ? &w : NULL);
	return 0;
}
