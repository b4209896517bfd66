/* How a range looks inside: alternatives (what stands between the ||), each a run of comparators that must all hold.
 * Shared by the files that read, test and compare ranges. */
#ifndef BONDGATE_CODEC_SEMVER_SET_H
#define BONDGATE_CODEC_SEMVER_SET_H

#include "codec/semver.h"

enum semver_op { SEMVER_ANY, SEMVER_EQ, SEMVER_LT, SEMVER_LE, SEMVER_GT, SEMVER_GE };

struct semver_comparator {
	enum semver_op op;
	struct semver v; /* not looked at for SEMVER_ANY */
};

struct semver_alternative {
	struct semver_comparator *comparators;
	size_t n;
};

struct semver_range {
	struct semver_alternative *alternatives;
	size_t n;
};

/* Same operator and same version text (build metadata aside). */
bool semver_comparator_equal(const struct semver_comparator *a, const struct semver_comparator *b);
/* "<0.0.0-0", which nothing can satisfy. */
bool semver_comparator_is_null(const struct semver_comparator *c);
/* All comparators hold; `prereleases`: a prerelease needs no comparator that names one of the same three numbers. */
bool semver_alternative_satisfied(const struct semver_alternative *alternative, const struct semver *v, bool prereleases);

#endif
