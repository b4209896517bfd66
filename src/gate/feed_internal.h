/* What feed_fetch.c and feed_state.c share. */
#ifndef BONDGATE_GATE_FEED_INTERNAL_H
#define BONDGATE_GATE_FEED_INTERNAL_H

#include "gate/feed_fetch.h"

int feed_state_write(const char *folder, struct str name, const struct feed_state *s, struct err *err);

#endif
