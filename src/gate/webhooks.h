/* Tells chats and other programs what happened: requests, decisions, incidents, break-glass. Driven by the evidence: each webhook has a durable
 * place in it, so that nothing is lost over a restart, and a new one begins with what comes, not with what was. Each message goes out at least
 * once, in order; one that does not answer is tried again after ever longer pauses and keeps no other waiting. */
#ifndef BONDGATE_GATE_WEBHOOKS_H
#define BONDGATE_GATE_WEBHOOKS_H

#include "gate/gate.h"

struct webhooks;

/* On a loop: looks every second for what is to be told by the webhooks of the policy in force. 0 or negative errno. */
int webhooks_start(struct gate *g, struct loop *l, struct webhooks **ret, struct err *err);
/* On the loop: ends what is under way (it is told again after the next start). The loop must run once more before webhooks_free(). */
void webhooks_stop(struct webhooks *w);
void webhooks_free(struct webhooks *w);

/* One message to one webhook, now; `config` and `body` are copied. done(arg, code, status, err) once, on the fetcher's loop: code 0 when there
 * was an answer. Redirects are not followed. */
typedef void (*webhook_sent)(void *arg, int code, int status, const struct err *err);
void webhook_send(struct fetcher *f, const struct policy_webhook *config, struct str body, webhook_sent done, void *arg);
/* "hooks.example:443": its host alone, because the path of a chat's webhook is its secret. */
struct str webhook_name(const struct policy_webhook *config);

#endif
