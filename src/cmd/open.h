/* What gate and explain do alike before they start: find the policy and the state, read the advisories, open the gate. */
#ifndef BONDGATE_CMD_OPEN_H
#define BONDGATE_CMD_OPEN_H

#include "gate/gate.h"

/* The options that both have. */
struct open_options {
	const char *policy, *state;
	bool quiet;
};

struct opened {
	struct gate *gate;
	struct arena *arena;   /* texts that live as long as the gate */
	struct open_options options;
	const char *const *paths; /* the files that policy and advisories were read from, or would be if they appeared */
	size_t path_count;
};

/* Opens the gate. `without_cache` for commands beside a running one. 0, or negative errno with a sentence. */
int open_gate(const struct open_options *options, bool without_cache, struct opened *ret, struct err *err);
void close_gate(struct opened *o);

/* Policy and advisories as the files say now; for the start and for every reload. *ret_paths (may be NULL) gets the files, in the
 * arena. Warnings go to the log. Advisories: the policy's `advisories.files`, and whatever lies in STATE/advisories. */
int load_rules(const char *policy_option, const char *state_dir, struct arena *a, struct policy **ret_policy, struct advisories **ret_advisories,
               const char *const **ret_paths, size_t *ret_path_count, struct err *err);

#endif
