/* Telling systemd (or whoever set NOTIFY_SOCKET) how the service is, as sd_notify(3) describes it, without its library: one datagram a
 * message to a Unix socket. There is one such socket a process; all of this is called on one thread. */
#ifndef BONDGATE_GATE_NOTIFY_H
#define BONDGATE_GATE_NOTIFY_H

#include "base/err.h"

/* Connects to the socket that the environment names (NOTIFY_SOCKET, a path or "@abstract"); before confinement, since Landlock refuses new
 * connections to abstract sockets. The first message does it where nobody did. 0 also when nobody asked to be told; -EINVAL for an
 * address that is none, or what connecting said. */
int notify_open(struct err *err);
void notify_close(void);

/* 0, or negative errno when the message was not taken: nothing to end for. None but notify_ready() waits for a reader that is slow.
 * `status` is one line for people ("serving"); NULL or "": none. */
int notify_ready(const char *status);
/* The policy is being read again; notify_ready() says when that is over. */
int notify_reloading(void);
int notify_stopping(void);
int notify_status(const char *status);
int notify_watchdog(void);

#endif
