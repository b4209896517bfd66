/* A small upstream answer gathered in memory: for what is passed on or rewritten as a whole (search, keys, attestations, writes). */
#ifndef BONDGATE_GATE_COLLECT_H
#define BONDGATE_GATE_COLLECT_H

#include "base/buf.h"
#include "gate/gate.h"

struct collected {
	int code; /* 0, or why there is no answer */
	int status;
	struct str body, content_type;
	struct err err;
};

struct collect {
	struct str method, path;  /* the path is put behind the origin's URL */
	struct str authorization; /* empty: the origin's own, or none if `as_client` */
	bool as_client;           /* the origin's own credentials are not lent to this request */
	struct str accept, content_type, body;
	const struct str *headers; /* further "name: value" lines */
	size_t header_count;
	size_t max_bytes;
};

/* On a loop: done(arg, answer) once, on it; the answer's texts live during the call. The caller keeps `origin`. */
void collect_start(struct gate_thread *t, const struct origin *origin, const struct collect *what,
                   void (*done)(void *arg, const struct collected *answer), void *arg);

#endif
