/* Versions and ranges as NuGet reads them (NuGet.Versioning: four numbers, labels compared without case, ranges as intervals,
 * floating lower bounds). A text is at most LIMIT_VERSION_BYTES, a range LIMIT_RANGE_BYTES. */
#ifndef BONDGATE_CODEC_NUGET_VERSION_H
#define BONDGATE_CODEC_NUGET_VERSION_H

#include "base/arena.h"
#include "base/str.h"

struct nuget_version {
	uint32_t n[4];   /* major, minor, patch, revision; each at most 2147483647, 0 where left out */
	unsigned parts;  /* how many of them were written; SemVer texts have 3 */
	struct str pre;  /* "rc.1" without the hyphen, n == 0: none; a slice of the text parsed */
	struct str meta; /* build metadata, likewise */
};

/* 0 or -EINVAL. Blanks around the text and around each number are allowed, leading zeros too. */
int nuget_version_parse(struct str text, struct nuget_version *ret);
/* <0, 0, >0; letters compare without case, metadata does not count. */
int nuget_version_compare(const struct nuget_version *a, const struct nuget_version *b);
static inline bool nuget_version_is_prerelease(const struct nuget_version *v)
{
	return v->pre.n != 0;
}
/* Does it need a client that knows SemVer 2 (labels with a dot, or metadata)? Older pages leave such versions out. */
bool nuget_version_is_semver2(const struct nuget_version *v);
/* "1.2.3" or "1.2.3.4", "-rc.1" as written, no metadata. */
struct str nuget_version_format(struct arena *a, const struct nuget_version *v);
/* The same in lower case, as it stands in addresses. */
struct str nuget_version_format_lower(struct arena *a, const struct nuget_version *v);

/* What a * in the lower bound leaves open. */
enum nuget_float {
	NUGET_FIXED,
	NUGET_FLOAT_PRERELEASE,          /* 1.2.3-beta* */
	NUGET_FLOAT_REVISION,            /* 1.2.3.* */
	NUGET_FLOAT_PATCH,               /* 1.2.* */
	NUGET_FLOAT_MINOR,               /* 1.* */
	NUGET_FLOAT_MAJOR,               /* * */
	NUGET_FLOAT_PRERELEASE_REVISION, /* 1.2.3.*-beta* */
	NUGET_FLOAT_PRERELEASE_PATCH,    /* 1.2.*-beta* */
	NUGET_FLOAT_PRERELEASE_MINOR,    /* 1.*-beta* */
	NUGET_FLOAT_PRERELEASE_MAJOR,    /* *-beta* */
	NUGET_FLOAT_ANYTHING,            /* *-* */
};

struct nuget_range {
	bool has_min, has_max, min_included, max_included;
	struct nuget_version min, max; /* a floating min is the lowest version that it stands for */
	enum nuget_float floating;
	struct str prefix; /* what a prerelease of a floating bound starts with */
};

/* "1.0" (at least), "[1.0]" (exactly), "[1.0,2.0)", "(,2.0]", and a floating lower bound. The slices live in the text or the
 * arena. 0, -EINVAL, -ENOMEM. */
int nuget_range_parse(struct arena *a, struct str text, struct nuget_range *ret);
/* Between the bounds? Prereleases too: whether one may be chosen is what nuget_range_is_better() says. */
bool nuget_range_satisfied(const struct nuget_range *range, const struct nuget_version *v);
/* Would restore take `candidate` rather than `current` (NULL: nothing yet)? The lowest version in the range, or for a floating
 * range the highest one that floats; no prerelease unless the range names one. */
bool nuget_range_is_better(const struct nuget_range *range, const struct nuget_version *current, const struct nuget_version *candidate);
/* "[1.0.0, 2.0.0)", "[1.*, )": NuGet's normalized text. */
struct str nuget_range_format(struct arena *a, const struct nuget_range *range);

#endif
