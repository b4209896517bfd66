/* Lockfiles that are lists of lines do not say where they end. What is left of a cut one still looks like a lockfile, with
 * fewer packages; these checks notice it. */
#ifndef BONDGATE_SCAN_WHOLE_H
#define BONDGATE_SCAN_WHOLE_H

#include "scan/readers.h"

/* May this be a whole "sha512-…" (several, separated by blanks)? Unknown algorithms are. */
bool whole_integrity(struct str integrity);

/* To be called when the needs are linked. `ordered`: the entries stand in the lock in the order of the file. A file whose last line has an
 * end fails when somebody needs a package that would stand after the last one of a sorted list, or when the last entry needs what is not there;
 * one whose last line is open fails when anything is missing. 0 or -EBADMSG. */
int whole_check(const struct lock *l, bool ordered, struct err *err);

/* Adds the project itself, as the last package, from the package.json among the extras, with what it needs: yarn 1 does not write
 * that into the lockfile. True if this is all that is wanted; members of a workspace want things that are not known here. */
bool manifest_root(struct lock *l, const struct lock_extras *extras);
/* Warns of what such a project wants and the lockfile does not have. */
void manifest_check(struct lock *l);

#endif
