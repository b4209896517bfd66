/* Lists of approvals that one organisation signs and another imports: YAML or JSON,
 *
 *	{"bondgate-approvals": 1, "name": "acme", "approvals": [
 *	  {"package": "npm:react", "reason": "reviewed 2026-03", "owner": "web-team", "ends": "2027-03-01"}]}
 *
 * with a minisign signature beside it. Every item has a reason, an owner and an end. Pure: bytes in, values out. */
#ifndef BONDGATE_GATE_APPROVAL_LIST_H
#define BONDGATE_GATE_APPROVAL_LIST_H

#include "base/buf.h"
#include "policy/policy.h"
#include "store/people.h"

enum { APPROVALS_MOST = 20000 };

struct approval_list {
	struct str name;
	struct imported_approval *array; /* `list` set; `signer` not */
	size_t count, ended;             /* those that have ended are left out, and counted */
};

/* Refuses the whole list with the line of the first item that is wrong. Texts live in the arena. 0 or negative errno. */
int approval_list_parse(struct str text, usec now, struct arena *a, struct approval_list *ret, struct err *err);

/* The same form, of this gate's own: the lines of `allow.roots`, until their review, and what requests approved against `not-approved`. What was
 * imported is not in it: approvals are not passed on. *ret_count gets the items. */
int approval_list_write(struct str name, const struct policy *p, struct store *s, usec now, struct buf *out, size_t *ret_count,
                        struct err *err);

#endif
