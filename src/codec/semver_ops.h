/* Making one version from another, as `npm version` does (node-semver's inc and truncate). */
#ifndef BONDGATE_CODEC_SEMVER_OPS_H
#define BONDGATE_CODEC_SEMVER_OPS_H

#include "codec/semver.h"

enum semver_release {
	SEMVER_MAJOR,
	SEMVER_PREMAJOR,
	SEMVER_MINOR,
	SEMVER_PREMINOR,
	SEMVER_PATCH,
	SEMVER_PREPATCH,
	SEMVER_PRERELEASE,
	SEMVER_RELEASE, /* a prerelease without its prerelease part */
};

/* The number that a new prerelease identifier is followed by. */
enum semver_base { SEMVER_BASE_ZERO, SEMVER_BASE_ONE, SEMVER_BASE_NONE };

/* "major", "premajor", … "release": 0 or -EINVAL. */
int semver_release_parse(struct str text, enum semver_release *ret);

/* The next version of that kind. `identifier` ("beta", "alpha.1", or empty) names the prerelease. The result has no build
 * metadata; its prerelease lives in the arena or in `v`. 0; -EINVAL: a bad identifier, none where the base is NONE, or a
 * RELEASE of what is no prerelease; -EEXIST: that very prerelease is the version; -ERANGE: a number gets too large;
 * -ENOMEM. `flags`: SEMVER_LOOSE lets a number in the identifier start with 0. */
int semver_increment(struct arena *a, const struct semver *v, enum semver_release release, struct str identifier, enum semver_base base,
                     unsigned flags, struct semver *ret);

/* 1.2.3-rc.1 down to its major (1.0.0), minor (1.2.0), patch (1.2.3) or any prerelease kind (1.2.3-rc.1), without build
 * metadata. 0, or -EINVAL for SEMVER_RELEASE. */
int semver_truncate(const struct semver *v, enum semver_release release, struct semver *ret);

#endif
