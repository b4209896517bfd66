/* What people do with the gate, as calls: method, path and JSON in, status and JSON out. HTTP below /-/api/v1/ and the commands on the gate's own
 * machine make the same calls, so that both obey the same rules: nobody approves their own request, what weighs much needs two, malware and changed
 * hashes are not to be asked away. Every act is a record of the evidence. Waits for the disk: not for a loop. */
#ifndef BONDGATE_GATE_PEOPLE_CALL_H
#define BONDGATE_GATE_PEOPLE_CALL_H

#include "base/buf.h"
#include "codec/json.h"
#include "gate/explanation.h"
#include "gate/people.h"

/* The one who calls. */
struct caller {
	struct str person; /* "kim", or "local:kim" on the gate's own machine; empty: nobody known */
	struct str team;
	unsigned roles;
	struct str client, agent;
};

struct people_call {
	struct store *store;
	struct rules *rules;
	struct caller caller;
	usec now;
	struct arena *arena;
	struct str method, path; /* "POST", "requests/7/approve" */
	struct str query, body;
	const struct explanation *explained; /* of the version that people_call_purl() names; NULL: none was found */
	/* The answer. */
	int status;
	struct buf *out;
	/* For the calls themselves. */
	struct json_writer json;
	struct str words[3]; /* of the path */
};

/* Does this call need to know why a version is refused? Then which one. False also when it cannot be told: people_call_run() then says why. */
bool people_call_purl(const struct people_call *c, struct purl *ret);
/* Answers: status and out. */
void people_call_run(struct people_call *c);

/* The most bytes that the body of a call has. */
enum { PEOPLE_CALL_BODY = 16 * 1024, PEOPLE_CALL_LIST = 8 * 1024 * 1024 };
size_t people_call_body(struct str path);

/* ---- for the files that answer ---- */

/* An error with its sentence. */
void call_refuse(struct people_call *c, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* What a failed write or read of the store means. */
void call_failed(struct people_call *c, int r, const struct err *err);
/* A record of this caller's. */
struct evidence call_record(const struct people_call *c, enum evidence_kind kind, struct str decision, struct str detail);

/* acts.c */
void act_request(struct people_call *c);
void act_break_glass(struct people_call *c);
void act_requests(struct people_call *c);
void act_show(struct people_call *c);
void act_approve(struct people_call *c);
void act_reject(struct people_call *c);
void act_withdraw(struct people_call *c);
void act_revoke(struct people_call *c);
/* act_tokens.c */
void act_tokens(struct people_call *c);
void act_token_create(struct people_call *c);
void act_token_revoke(struct people_call *c);
/* act_approvals.c */
void act_approvals(struct people_call *c);
void act_approvals_export(struct people_call *c);
void act_approvals_import(struct people_call *c);
/* act_scans.c */
void act_scans(struct people_call *c);
void act_scan(struct people_call *c);

/* "npm:axios@1.14.1", with the range where it is one. */
struct str package_text(struct arena *a, enum ecosystem e, struct str name, struct str version);
/* A text that people wrote: trimmed, one line. Empty when nothing is left; cut to `most` bytes. */
struct str plain_text(struct arena *a, struct str text, size_t most);

#endif
