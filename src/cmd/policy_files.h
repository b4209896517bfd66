/* Which policy files hold for this process, and the policy that they make (DESIGN rule 11): the machine's policy from
 * `--policy`, BONDGATE_POLICY or /etc/bondgate/bondgate.yaml, and ./bondgate.yaml on top, which may only tighten. */
#ifndef BONDGATE_CMD_POLICY_FILES_H
#define BONDGATE_CMD_POLICY_FILES_H

#include <limits.h>

#include "policy/policy.h"

/* The places that are looked at; those that do not exist are listed too, so that whoever watches them sees them appear. */
struct policy_files {
	char machine[PATH_MAX];            /* as given or found; messages name it so */
	char local[PATH_MAX];              /* "bondgate.yaml" */
	bool machine_exists, local_exists; /* the local one does not count when it is the machine's own file */
};

/* `option`: the value of --policy, or NULL. A file that was named and does not exist is an error; the standard one may be missing.
 * 0 or negative errno. */
int policy_files_find(const char *option, struct policy_files *ret, struct err *err);

/* Finds, reads and joins them; without any, the built-in policy. Tokens are read from the environment and from files.
 * `warnings` (may be NULL) as in policy_load. 0 or negative errno. */
int policy_files_load(const char *option, usec now, struct policy **ret, struct buf *warnings, struct err *err);

/* The same with another source of secrets; NULL: none are read, which is enough to check, show and compare. */
int policy_files_load_with(const char *option, usec now, const struct policy_environment *environment, struct policy **ret,
                           struct buf *warnings, struct err *err);

/* Where secrets usually come from, for those who look on (struct policy_environment). */
int policy_read_token(void *arg, struct str kind, struct str name, struct buf *ret, struct err *err);

/* One file by itself. */
int policy_file_load(const char *path, usec now, const struct policy_environment *environment, struct policy **ret, struct buf *warnings,
                     struct err *err);

#endif
