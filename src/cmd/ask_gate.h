/* Asking a running gate over HTTP, for commands on a machine that has neither its policy nor its state. */
#ifndef BONDGATE_CMD_ASK_GATE_H
#define BONDGATE_CMD_ASK_GATE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* `gate`: "http://host:4873", with or without a path behind it. Prints the explanation and returns the exit code of `explain`. */
int ask_gate_explain(const char *gate, const char *purl, const char *at, bool json);

/* Posts JSON to `path` ("/-/explain") of the gate; what it answers is added to `ret`. 0, or negative errno with a sentence. */
int ask_gate_post(const char *gate, const char *path, struct str body, struct buf *ret, struct err *err);
/* "host:port" of the gate's address. */
struct str ask_gate_host(const char *gate);

#endif
