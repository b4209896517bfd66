/* Asking a running gate over HTTP, for commands on a machine that has neither its policy nor its state. */
#ifndef BONDGATE_CMD_ASK_GATE_H
#define BONDGATE_CMD_ASK_GATE_H

#include <stdbool.h>

/* `gate`: "http://host:4873", with or without a path behind it. Prints the explanation and returns the exit code of `explain`. */
int ask_gate_explain(const char *gate, const char *purl, const char *at, bool json);

#endif
