/* Asking a running gate over HTTP, for commands on a machine that has neither its policy nor its state. */
#ifndef BONDGATE_CMD_ASK_GATE_H
#define BONDGATE_CMD_ASK_GATE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct gate_question {
	const char *gate; /* "http://host:4873", with or without a path behind it; of "…/t/NAME/npm/" the team is taken */
	const char *purl, *at;
	const char *team;       /* NULL: the address's, or nobody's */
	const char *token_file; /* NULL: see call_token() */
	bool json;
};

/* Prints the explanation and returns the exit code of `explain`. For a team the caller's token is sent, and where it proves nothing that is said. */
int ask_gate_explain(const struct gate_question *q);

/* Posts JSON to `path` ("/-/explain") of the gate; what it answers is added to `ret`. 0, or negative errno with a sentence. */
int ask_gate_post(const char *gate, const char *path, struct str body, struct buf *ret, struct err *err);
/* "host:port" of the gate's address. */
struct str ask_gate_host(const char *gate);

#endif
