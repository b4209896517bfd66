/* What the user's own .npmrc says of the gate. A project's .npmrc is not read: it may come from strangers, and a token goes where it says. */
#ifndef BONDGATE_CMD_NPMRC_H
#define BONDGATE_CMD_NPMRC_H

#include "base/arena.h"
#include "base/str.h"

/* "http://gate:4873/npm/" when the registry there is mounted as a gate's; empty otherwise. */
struct str npmrc_gate(struct arena *a);
/* The token that it holds for this URL's host and port ("//gate:4873/npm/:_authToken=…"), with ${NAME} taken from the environment; empty: none. */
struct str npmrc_token(struct str url, struct arena *a);

#endif
