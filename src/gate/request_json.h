/* A request as JSON: the one form for the API, the commands, and the webhooks' receivers. */
#ifndef BONDGATE_GATE_REQUEST_JSON_H
#define BONDGATE_GATE_REQUEST_JSON_H

#include "codec/json.h"
#include "store/people.h"

/* `needs_second`: two people must approve it. `message` (may be empty): what just happened, for people. */
void request_write(struct json_writer *w, const struct request *r, bool needs_second, usec now, struct arena *a, struct str message);

#endif
