/* The calls of people (gate/people_call.h), made by commands: to a gate over HTTP, or, on the gate's own machine, to its state folder. */
#ifndef BONDGATE_CMD_CALL_H
#define BONDGATE_CMD_CALL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cmd/options.h"

struct call_options {
	const char *gate; /* --gate, BONDGATE_GATE, or the gate of the user's .npmrc where this machine has no state */
	const char *token_file;
	const char *policy, *state;
	bool json;
	bool may_begin; /* a state folder may be made: there is no gate yet */
};

/* The rows of these options, for the table of a command. */
#define CALL_OPTION_ROWS(o) \
	{.name = "gate", \
	 .argument = "URL", \
	 .help = "the gate to ask (default $BONDGATE_GATE; else this machine's state)", \
	 .value = &(o).gate}, \
		{.name = "token-file", \
	     .argument = "FILE", \
	     .help = "holds your token (default $BONDGATE_TOKEN, or the one in .npmrc)", \
	     .value = &(o).token_file}, \
		{.name = "policy", .argument = "FILE", .help = "without --gate: the policy (default $BONDGATE_POLICY)", .value = &(o).policy}, \
		{.name = "state", \
	     .argument = "DIR", \
	     .help = "without --gate: where state is kept (default $BONDGATE_STATE)", \
	     .value = &(o).state}, \
	{ \
		.name = "json", .help = "machine-readable", .flag = &(o).json \
	}

/* The token of who runs this, for a gate: of the file, of BONDGATE_TOKEN, or of the user's .npmrc; empty: there is none. In the arena. */
int call_token(const char *token_file, struct str gate, struct arena *a, struct str *ret, struct err *err);

struct call_answer {
	int status;
	struct buf body; /* to be freed */
};

/* 0: there is an answer, whatever its status; else negative errno with a sentence. */
int call_make(const struct call_options *o, const char *method, const char *path, struct str body, struct call_answer *ret,
              struct err *err);

/* The whole of it for commands that print the answer's message: makes the call, prints, and returns the exit code. With --json the answer is printed
 * as it is. `also` (may be NULL) prints more lines after the message. */
int call_and_print(const struct call_options *o, const char *method, const char *path, struct str body,
                   void (*also)(const struct call_answer *answer));
/* Prints what went wrong with an answer that is no success; its exit code. */
int call_refused(const struct call_answer *answer);

/* A member of the object `json`: a decoded text, the text of a number or a truth, the raw text of a list; empty when it is not there or null. */
struct str call_member(struct str json, const char *key, struct arena *a);

/* Objects for bodies: members of the texts that are not NULL, `count` pairs of name and text. */
struct call_field {
	const char *name, *value;
};
void call_body(struct buf *out, const struct call_field *fields, size_t count);

#endif
