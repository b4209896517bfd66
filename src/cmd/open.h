/* What gate and explain do alike before they start: find the policy and the state, read the advisories, open the gate. */
#ifndef BONDGATE_CMD_OPEN_H
#define BONDGATE_CMD_OPEN_H

#include "cmd/teams.h"
#include "cmd/upstream_auto.h"
#include "gate/gate.h"

/* The index of `bondgate feed`, in the state folder. */

/* The options that both have. */
struct open_options {
	const char *policy, *state;
	bool quiet;
};

struct opened {
	struct gate *gate;
	struct arena *arena; /* texts that live as long as the gate */
	struct open_options options;
	const char *state_dir;
	const char *listen;
	const char *const *paths; /* the files that policy and advisories were read from, or would be if they appeared */
	size_t path_count;
	struct policy *policy;       /* until open_gate() */
	struct policy_set *policies; /* likewise: it with the teams on top */
	struct team_files *teams;
	struct advisories *advisories; /* likewise */
	struct upstreams upstreams;
};

/* First half: finds the files and the state folder, reads policy and advisories, finds out the upstream. Opens nothing for long and
 * leaves no thread, so that the process can be confined afterwards. `listen`: for a gate, where it is told to listen; it becomes
 * ret->listen, else the policy's gate.listen does. `is_gate`: an upstream that is this address is refused. */
int open_prepare(const struct open_options *options, bool is_gate, const char *listen, bool offline, struct opened *ret, struct err *err);
/* Second half: opens the gate. `without_cache` for commands beside a running one. Both: 0, or negative errno with a sentence. */
int open_gate(struct opened *o, bool without_cache, struct err *err);
void close_gate(struct opened *o);

/* Policy and advisories as the files say now; for the start and for every reload. *ret_paths (may be NULL) gets the files, in the
 * arena. Warnings go to the log. Advisories: the policy's `advisories.files`, whatever lies in STATE/advisories, and the index. */
int load_rules(const char *policy_option, const char *state_dir, struct arena *a, struct policy **ret_policy,
               struct advisories **ret_advisories, const char *const **ret_paths, size_t *ret_path_count, struct err *err);

/* The teams that a policy (taken over) names, put over it. Their files are added to the paths, which are made anew in the arena. *problems: see
 * team_files_load. */
int load_teams(struct team_files *teams, struct policy *policy, struct arena *a, const char *const **paths, size_t *path_count,
               struct policy_set **ret, struct buf *problems, struct err *err);

#endif
