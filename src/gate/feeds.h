/* The feeds that the policy names, fetched every so often and built into the index; whoever watches the index takes it up. On one loop, with
 * work on its threads; one feed at a time, since an index is built by one at a time. */
#ifndef BONDGATE_GATE_FEEDS_H
#define BONDGATE_GATE_FEEDS_H

#include "gate/gate.h"

struct feeds;

/* Looks at the policy in force at every turn. NULL with a sentence when it cannot be started. */
struct feeds *feeds_start(struct gate *g, struct loop *l, struct err *err);
/* On the loop, which must run once more. */
void feeds_stop(struct feeds *f);

/* When a feed is due: after `every`, sooner after a failure, at once when it never was fetched. Pure. */
usec feeds_due(const struct policy_feed *feed, usec checked, bool failed);

#endif
