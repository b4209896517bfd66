/* Where this machine keeps its state. */
#ifndef BONDGATE_CMD_STATE_H
#define BONDGATE_CMD_STATE_H

#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"

/* The folder of --state (`option`, may be NULL), else BONDGATE_STATE, else /var/lib/bondgate for root, else
 * $XDG_STATE_HOME/bondgate, else ~/.local/state/bondgate. Appended to *ret; nothing is created. 0, -ENOENT when there is no home,
 * -EFBIG, -ENOMEM. */
int state_dir(const char *option, struct buf *ret, struct err *err);

/* Opens the store of that folder. */
int state_open(const char *option, enum store_access access, struct store **ret, struct err *err);

/* "7d" before `now`, or a time written out (2026-01-31, 2026-01-31T12:00:00Z). 0 or -EINVAL with what is accepted. */
int moment_parse(struct str text, usec now, usec *ret, struct err *err);

#endif
