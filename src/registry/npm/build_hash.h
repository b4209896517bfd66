#ifndef BONDGATE_REGISTRY_NPM_BUILD_HASH_H
#define BONDGATE_REGISTRY_NPM_BUILD_HASH_H

#include "base/str.h"

enum hash_change {
	HASH_SAME,
	HASH_DIFFERS,
	HASH_NOT_COMPARABLE, /* there is no pin yet */
};

/* What the upstream says of an artifact now against the pin: by the strongest algorithm that both name, sha512 before
 * sha384, sha256 and the hexadecimal sha1 in `shasum`. A pin that shares no algorithm with it counts as another hash. */
enum hash_change hash_compare(struct str pin_integrity, struct str pin_shasum, struct str integrity, struct str shasum);

#endif
