/* Who stands behind a request, and what people decided: the gate's questions to the store's tokens, requests and approvals. */
#ifndef BONDGATE_GATE_PEOPLE_H
#define BONDGATE_GATE_PEOPLE_H

#include "gate/gate.h"
#include "store/people.h"

/* The secret in an Authorization header ("Bearer …", or the _auth form "Basic …" whose password is it), if it has the form of one of this
 * gate's tokens; empty: none. Such a header is never passed on to anybody. The text lives in the arena or the header. */
struct str people_token_in(struct arena *a, struct str authorization);

/* Does the header carry a token of this team that counts at `now`? *ret_person (may be NULL) gets whose it is, in the arena. On a loop:
 * it waits for no disk. */
bool people_team_proven(struct gate *g, struct str authorization, struct str team, usec now, struct arena *a, struct str *ret_person);

/* What is granted at `now`: exemptions that requests led to, approvals from imported lists. Worker. 0 or negative errno with a sentence. */
int people_grants(struct store *s, usec now, struct arena *a, struct policy_grants *ret, struct err *err);

#endif
