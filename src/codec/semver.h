/* Versions and ranges as npm reads them (node-semver 7: grammar in its README, behaviour in its test vectors).
 * Numbers are at most 2^53-1 and a text at most 256 bytes, as there. */
#ifndef BONDGATE_CODEC_SEMVER_H
#define BONDGATE_CODEC_SEMVER_H

#include "base/arena.h"
#include "base/str.h"

struct semver {
	uint64_t major, minor, patch;
	struct str pre;   /* "rc.1" without the hyphen, n == 0: none; a slice of the text parsed */
	struct str build; /* likewise */
};

enum {
	SEMVER_LOOSE = 1,              /* accept what node-semver accepts with {loose: true}: "v1.2.3", "=1.2.3", "1.2.3beta" */
	SEMVER_INCLUDE_PRERELEASE = 2, /* prereleases take part in ranges everywhere */
};

/* 0, or -EINVAL. Blanks around the text are allowed as in node-semver. */
int semver_parse(struct str text, unsigned flags, struct semver *ret);
/* Precedence (SemVer 2.0.0 section 11): <0, 0, >0; build metadata does not count. */
int semver_compare(const struct semver *a, const struct semver *b);
/* The same, then build metadata as a tie-break (node-semver compareBuild). */
int semver_compare_build(const struct semver *a, const struct semver *b);
static inline bool semver_is_prerelease(const struct semver *v)
{
	return v->pre.n != 0;
}
/* "1.2.3-rc.1" without build metadata, in the arena. */
struct str semver_format(struct arena *a, const struct semver *v);

struct semver_range; /* lives in the arena */

/* The whole range grammar: `||`, hyphen, x-ranges, ~, ^, comparators, the empty text. SEMVER_INCLUDE_PRERELEASE changes the
 * bounds that are read ("1.x" then starts at 1.0.0-0), so give the same flags here and when asking. The text need not live on.
 * 0, -EINVAL (also past LIMIT_RANGE_BYTES, LIMIT_RANGE_COMPARATORS, LIMIT_RANGE_SET), -ENOMEM. */
int semver_range_parse(struct arena *a, struct str text, unsigned flags, struct semver_range **ret);
bool semver_range_satisfied(const struct semver_range *range, const struct semver *v, unsigned flags);
/* Does it admit exactly one version, written out ("1.2.3", "=1.2.3", "v1.2.3")? Then that version. */
bool semver_range_exact(const struct semver_range *range, struct semver *ret);
/* Canonical text as node-semver's validRange gives it: ">=1.2.0 <2.0.0-0||3.1.4", "*" for anything. p == NULL: arena full. */
struct str semver_range_format(struct arena *a, const struct semver_range *range);
bool semver_range_intersects(const struct semver_range *a, const struct semver_range *b, unsigned flags);
/* Is the version above (below) everything the range admits? (node-semver gtr, ltr) */
bool semver_range_outside_high(const struct semver *v, const struct semver_range *range, unsigned flags);
bool semver_range_outside_low(const struct semver *v, const struct semver_range *range, unsigned flags);

#endif
