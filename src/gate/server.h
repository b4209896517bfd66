/* The gate as a service: its threads, its signals, its reloads, its end. */
#ifndef BONDGATE_GATE_SERVER_H
#define BONDGATE_GATE_SERVER_H

#include "gate/gate.h"
#include "gate/notify.h"

/* What was read again; what is NULL stays as it is. */
struct reloaded {
	struct policy_set *policies;
	struct advisories *advisories;
	struct buf problems;        /* a line for each team whose file is broken, so that its last good one was taken */
	const char *const *watched; /* in the arena */
	size_t watched_count;
	struct arena *arena;
};

struct server_options {
	const char *listen;         /* "127.0.0.1:4873" */
	struct http_tls *tls;       /* NULL: plain HTTP; taken over */
	size_t threads;             /* 0: one a processor, at most 4 */
	size_t connections;         /* 0: the default; over all threads */
	const char *const *watched; /* files whose change means a reload */
	size_t watched_count;
	/* Reads policies and advisories again; called on a worker thread. `ret` is empty, but for its arena. 0, or a sentence. */
	int (*reload)(void *arg, struct reloaded *ret, struct err *err);
	/* Reads the certificate again; NULL without TLS. */
	int (*reload_tls)(void *arg, struct http_tls **ret, struct err *err);
	/* Called once every thread listens and before any of them serves: to print the address. */
	int (*listening)(void *arg, const char *address, struct err *err);
	const struct notify *notify; /* who wants to know how the service is */
	void *arg;
};

/* Serves until SIGTERM or SIGINT, then finishes what is under way. 0, or negative errno with a sentence when it could not start. */
int server_run(struct gate *g, const struct server_options *options, struct err *err);

#endif
