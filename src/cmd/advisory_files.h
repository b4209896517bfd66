/* The advisories in force: the files that the policy names, those of the state folder, and what VEX documents say of them. */
#ifndef BONDGATE_CMD_ADVISORY_FILES_H
#define BONDGATE_CMD_ADVISORY_FILES_H

#include "policy/policy.h"

/* Loads them and checks all of an index. `note` (may be NULL) is told of every path whose change means that they are to be loaded again; `own`: one in the state
 * folder, there or not yet. Texts live in the arena. 0 or negative errno with a sentence; broken records are logged. */
int advisory_files_load(const struct policy *policy, const char *state_dir, struct arena *a,
                        void (*note)(void *arg, const char *path, bool own), void *arg, struct advisories **ret, struct err *err);

/* The statements of the policy's VEX documents (`advisories.vex`) over advisories that are not shared yet. */
int advisory_files_mark(const struct policy *policy, struct advisories *advisories, struct arena *a,
                        void (*note)(void *arg, const char *path, bool own), void *arg, struct err *err);

#endif
