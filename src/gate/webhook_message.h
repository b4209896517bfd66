/* What webhooks are told: one record of the evidence as a message. Pure. */
#ifndef BONDGATE_GATE_WEBHOOK_MESSAGE_H
#define BONDGATE_GATE_WEBHOOK_MESSAGE_H

#include "base/buf.h"
#include "policy/policy.h"
#include "store/store.h"

/* Which event a record is (a bit of enum webhook_event); 0: none. */
unsigned webhook_event_of(const struct evidence *e);
/* The body for this format. Texts of people are written so that no chat takes them for its own markup. `gate`: the instance. */
void webhook_message(enum webhook_format format, const struct evidence *e, struct str gate, struct buf *out);

#endif
