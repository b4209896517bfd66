/* "Why is this here": the ways from what a project names to a package. */
#ifndef BONDGATE_SCAN_WAYS_H
#define BONDGATE_SCAN_WAYS_H

#include "scan/lock.h"

enum { WAY_STEPS = 64, WAYS = 5 };

struct way {
	uint32_t steps[WAY_STEPS]; /* packages, from the one that the project names to the one asked for; the project is not among them */
	size_t count;
};

/* The shortest way to every listed package, and further ones over others that need it: after lock_paths. `listed`: lock_package.listed. At
 * most WAYS; the count, at least 1. */
size_t lock_ways(const struct lock *l, uint32_t listed, uint32_t package, struct way ret[WAYS]);
/* Does the project, or a member of it, name this one? */
bool lock_is_direct(const struct lock *l, uint32_t package);

#endif
