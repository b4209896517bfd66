/* Telling systemd (or whoever set NOTIFY_SOCKET) how the service is, as sd_notify(3) describes it, without its library: one datagram a
 * message to a Unix socket. Nothing here ever waits for the reader but the first message. */
#ifndef BONDGATE_GATE_NOTIFY_H
#define BONDGATE_GATE_NOTIFY_H

#include <sys/socket.h>
#include <sys/un.h>

#include "base/err.h"
#include "base/time.h"

struct notify {
	int fd;        /* -1: nobody asked to be told, and every call does nothing */
	usec watchdog; /* how often to call notify_watchdog(); 0: nobody waits for it */
	struct sockaddr_un to;
	socklen_t to_length;
};

#define NOTIFY_NOBODY ((struct notify){.fd = -1})

/* Connects to the socket that the environment names (NOTIFY_SOCKET, a path or "@abstract") and reads WATCHDOG_USEC and WATCHDOG_PID;
 * half of the time allowed becomes `watchdog`. Before confinement: Landlock refuses new connections to abstract sockets.
 * 0 also when nobody asked; -EINVAL for an address that is none, or what connecting said. */
int notify_open(struct notify *ret, struct err *err);
void notify_close(struct notify *n);

/* 0, or negative errno when the message was not taken: worth a line in the log, never an end. `status` is one line for people
 * ("listening on 127.0.0.1:4873") or empty. */
int notify_ready(const struct notify *n, struct str status);
/* The policy is being read again; notify_ready() says when that is over. */
int notify_reloading(const struct notify *n);
int notify_stopping(const struct notify *n, struct str status);
int notify_status(const struct notify *n, struct str status);
int notify_watchdog(const struct notify *n);

#endif
