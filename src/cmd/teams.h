/* The policy files of teams: read, put over the base policy, and remembered, so that one that breaks keeps its last good text in force. */
#ifndef BONDGATE_CMD_TEAMS_H
#define BONDGATE_CMD_TEAMS_H

#include "gate/gate.h"

struct team_files;
struct team_files *team_files_new(void);
void team_files_free(struct team_files *t);

/* The base policy (taken over, on failure too) with every team that it names. A relative path is meant from the folder of the file that names
 * it. A file that cannot be read or does not load is an error where it never was good; else its last good text counts, and *problems gets one line
 * that says so. `note` (may be NULL) is called with each path, for those who watch files. */
int team_files_load(struct team_files *t, struct policy *base, const struct policy_environment *environment,
                    void (*note)(void *arg, struct str path), void *arg, struct policy_set **ret, struct buf *problems, struct err *err);

#endif
