/* What people do with the gate: tokens, requests and their decisions, imported approvals. Kept beside the evidence, in which every act leaves a
 * record as well; the store knows no rule: who may do what is judged by its callers. Times are in microseconds since 1970. Texts given are
 * copied; texts handed out live in the arena given. Functions that write wait until it is durable; 0 or negative errno with a sentence.
 * `act` is the record of the deed: it is written in the same transaction, so that neither is there without the other. NULL: none. */
#ifndef BONDGATE_STORE_PEOPLE_H
#define BONDGATE_STORE_PEOPLE_H

#include "store/store.h"

/* ---- tokens ---- */

enum { ROLE_REQUESTER = 1, ROLE_APPROVER = 2, ROLE_ADMIN = 4, ROLE_AUDITOR = 8 };

struct token {
	struct str id;     /* short, public: "tk_4f2a…"; names the token in lists and evidence */
	struct str person; /* whose it is; the same person on two tokens is one person, whatever the case of the letters */
	struct str team;   /* label of /t/TEAM/… whose rules it proves; empty: none */
	unsigned roles;
	usec created, expires, revoked, last_used; /* revoked, last_used: 0 never */
	struct str created_by;
	struct str hash; /* given by the store: the 32 bytes of the secret's SHA-256 */
};

/* Draws a secret ("bg_" and 43 characters, 256 bits), stores its SHA-256 and returns it: it is shown once and never again. The
 * new id is put behind act->decision. */
int store_token_create(struct store *s, const struct token *t, const struct evidence *act, struct arena *a, struct str *ret_secret,
                       struct str *ret_id, struct err *err);
/* -ENOENT when there is none of that id; revoking twice is fine. */
int store_token_revoke(struct store *s, struct str id, usec at, const struct evidence *act, struct err *err);
/* By SHA-256 of the secret: -ENOENT. Expired and revoked ones are found too: the caller looks. */
int store_token_find(struct store *s, struct str secret, struct arena *a, struct token *ret, struct err *err);
int store_tokens(struct store *s, int (*each)(void *arg, const struct token *t), void *arg, struct err *err);
/* Queues last_used; at most once a minute a token. */
void store_token_used(struct store *s, struct str id, usec at);

/* ---- requests ---- */

enum request_state {
	REQUEST_OPEN,
	REQUEST_HALF /* one of two approvals */,
	REQUEST_APPROVED,
	REQUEST_REJECTED,
	REQUEST_WITHDRAWN,
	REQUEST_REVOKED
};
const char *request_state_name(enum request_state s);

struct request {
	int64_t id; /* from 1 */
	bool break_glass;
	enum ecosystem ecosystem;
	struct str name, version; /* one version; or a range */
	struct str rules;         /* the rules that it is to lift, by their codes: "cooldown install-script" */
	struct str reason, person, team;
	struct str refusal;  /* the sentence of the refusal at that time */
	struct str severity; /* "low" … "critical" */
	usec created;
	enum request_state state;
	struct str first_approver, decided_by, note;
	usec lasts;            /* how long the exemption is asked for */
	usec decided, expires; /* of the exemption that it became; 0 */
};

/* r->id is not read; the new one is put behind act->decision. */
int store_request_add(struct store *s, const struct request *r, const struct evidence *act, int64_t *ret_id, struct err *err);
int store_request(struct store *s, int64_t id, struct arena *a, struct request *ret, struct err *err); /* -ENOENT */
/* Moves a request from one state to another in one transaction: -EEXIST when it is not in `from` any more (approved twice, say). What is
 * written of it: state, first_approver, decided_by, note, decided, expires. */
int store_request_move(struct store *s, const struct request *r, enum request_state from, const struct evidence *act, struct err *err);
/* Newest first; `open_only`: those that wait for a decision. */
int store_requests(struct store *s, bool open_only, int (*each)(void *arg, const struct request *r), void *arg, struct err *err);

/* ---- approvals that were imported from somebody else's signed list ---- */

struct imported_approval {
	struct str list;   /* its name */
	struct str signer; /* key id, hex */
	enum ecosystem ecosystem;
	struct str name, version, reason, owner;
	usec ends;
};
/* Replaces what was imported under that name of a list, all or nothing. */
int store_approvals_replace(struct store *s, struct str list, const struct imported_approval *array, size_t count,
                            const struct evidence *act, struct err *err);
int store_approvals(struct store *s, int (*each)(void *arg, const struct imported_approval *a), void *arg, struct err *err);

/* Grows with every change of tokens, requests and approvals, whoever made it: readers look again when it differs. */
int store_people_version(struct store *s, int64_t *ret, struct err *err);

#endif
