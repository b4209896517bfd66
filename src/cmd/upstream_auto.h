/* What `upstream: auto` stands for: the registry that this machine's own npm is set up for (rule 16: no address is built in). Found out once,
 * then kept in the store: later the machine's npm will usually point at the gate itself. */
#ifndef BONDGATE_CMD_UPSTREAM_AUTO_H
#define BONDGATE_CMD_UPSTREAM_AUTO_H

#include "base/arena.h"
#include "policy/policy.h"

struct upstreams {
	struct str npm;            /* what `auto` is; empty: the policy names an upstream itself */
	struct str client_default; /* "https://host/" of the registry that npm has built in; empty: not known */
};

/* Asks the store in `state_dir` and, where it does not know, npm; texts live in the arena. `listen` is the gate's own address, or NULL in
 * commands: an upstream that is the gate itself is refused. Runs a program, so it comes before the confinement. 0, or negative
 * errno with a sentence that says what to set. */
int upstream_auto(const struct policy *policy, const char *state_dir, const char *listen, struct arena *a, struct upstreams *ret,
                  struct err *err);

#endif
