/* What `upstream: auto` stands for: the registry that this machine's own npm is set up for (rule 16: no address is built in). Found out once,
 * then kept in the store: later the machine's npm will usually point at the gate itself. */
#ifndef BONDGATE_CMD_UPSTREAM_AUTO_H
#define BONDGATE_CMD_UPSTREAM_AUTO_H

#include "gate/gate.h"

/* Fills in the default npm origin's URL where it is automatic, and gate->client_default. `listen` is the gate's own address, or NULL in
 * commands: an upstream that is the gate itself is refused. 0, or negative errno with a sentence that says what to set. */
int upstream_auto(struct gate *g, const char *listen, struct arena *a, struct err *err);

#endif
