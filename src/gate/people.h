/* Who asks: the tokens of people, kept in memory; and what people decided, as the policy takes it (store/people.h keeps both). */
#ifndef BONDGATE_GATE_PEOPLE_H
#define BONDGATE_GATE_PEOPLE_H

#include "gate/gate.h"
#include "store/people.h"

enum token_state {
	TOKEN_NONE,    /* none was sent, or what was sent is not one of this gate's (a registry's own, say) */
	TOKEN_UNKNOWN, /* it looks like one of a gate's, and is not known here */
	TOKEN_EXPIRED,
	TOKEN_REVOKED,
	TOKEN_VALID,
};

struct identity {
	enum token_state state;
	struct str id, person, team; /* of one that is known */
	unsigned roles;
	usec ended; /* when it expired or was revoked */
};

struct people;
/* Knows nobody until people_refresh(). */
struct people *people_new(void);
void people_free(struct people *p);
/* Reads the tokens again if anything changed since. Waits for the disk: not for a loop. 0 or negative errno with a sentence, and then what was
 * known stays. */
int people_refresh(struct people *p, struct store *s, struct err *err);

/* What waits and what was made alone, for /-/metrics. */
void people_metrics(struct people *p, usec now, struct buf *out);

/* The token of an Authorization header: "Bearer bg_…", or "Basic …" with it as the password or the name (npm's `_auth`). Any thread; asks no
 * disk. Texts are copied into the arena. A valid one is noted as used. */
void people_identify(struct gate *g, struct str authorization, usec now, struct arena *a, struct identity *ret);
/* Why a token does not count, for its holder; empty when it does or none was sent. */
struct str people_refusal(const struct identity *who, struct arena *a);

/* Does the header carry a valid token of this very team? Only then do its looser lines count (rule 11). */
bool people_team_proven(struct gate *g, struct str authorization, struct str team, usec now, struct arena *a, struct str *ret_person);

/* Approved requests as exemptions, imported approvals as approvals; without those that have ended. Texts live in the arena. Never lifts malware
 * or a changed hash, whatever is stored. */
int people_grants(struct store *s, usec now, struct arena *a, struct policy_grants *ret, struct err *err);
/* Puts in force what was decided since: tokens and grants. Whoever calls it meanwhile waits, so that nothing older comes after. Waits for the
 * disk: not for a loop. 0 or negative errno with a sentence, and then what was in force stays. */
int people_put_in_force(struct gate *g, struct err *err);

/* "requester approver" <-> bits. -EINVAL names what is no role. */
int roles_parse(struct str text, unsigned *ret, struct err *err);
struct str roles_format(struct arena *a, unsigned roles);

/* Is it one person? Letters compare without case; a local user and the same name on a token are one. */
bool same_person(struct str a, struct str b);

/* Rules that no request and no break-glass lifts. */
#define RULES_NEVER_LIFTED (UINT32_C(1) << REASON_MALWARE | UINT32_C(1) << REASON_HASH_CHANGED)

/* "cooldown install-script" <-> bits; blanks and commas separate. -EINVAL names what is no rule. */
int rules_parse(struct str text, uint32_t *ret, struct err *err);
struct str rules_format(struct arena *a, uint32_t rules);

#endif
