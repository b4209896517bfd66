/* The smallest set of upgrades that closes what was found: for each package and version the lowest one that none of its advisories, nor any
 * other in the index, speaks against. Only versions that advisories name as fixes are known here: no registry is asked. */
#ifndef BONDGATE_SCAN_FIX_PLAN_H
#define BONDGATE_SCAN_FIX_PLAN_H

#include "scan/findings.h"

struct fix {
	const struct lock *lock;
	uint32_t package;
	struct str to; /* empty: there is no safe version; remove or replace it */
	bool malware;
	bool within_range; /* everybody who needs it accepts `to` */
	uint32_t blocker;  /* else: one who does not */
	struct str blocker_wants;
	uint32_t root;         /* the direct dependency to change: itself, or what brings it in */
	const struct str *ids; /* what it closes */
	size_t id_count;
};

struct fix_plan {
	struct fix *array; /* by file, then by root */
	size_t count;
	size_t closed, open; /* findings */
};

/* Texts and the array live in the arena. 0 or -ENOMEM. */
int fix_plan_make(const struct findings *f, const struct advisories *advisories, struct arena *a, struct fix_plan *ret);

#endif
