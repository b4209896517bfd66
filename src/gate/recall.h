/* When the advisories change: what was handed out and would not be any more. Malware and what a person denied becomes an incident at once; a
 * vulnerability that would newly be denied to many waits for a person first, because feeds are wrong at times. On worker threads. */
#ifndef BONDGATE_GATE_RECALL_H
#define BONDGATE_GATE_RECALL_H

#include "gate/gate.h"

/* The name in the state folder of the index that the brake has judged: another link to its file. */
#define ADVISORY_JUDGED "advisories.judged"

/* Marks advisories that are not shared yet: those that people left pending or rejected, and, when the index is another one than was judged
 * last, what it would newly deny (for another reason than malware) of versions that more than the policy's number of projects received lately. The
 * new ones are kept in the store and are incidents. 0 or negative errno with a sentence; then nothing is to come into force. */
int recall_brake(struct store *s, const char *state_dir, const struct policy *p, struct advisories *fresh, usec now, struct err *err);

/* Writes an incident for every version that somebody received and that is malware or denied by now; one that has an incident already gets another
 * only when that was closed and the version was handed out again. */
int recall_look(struct gate *g, const struct rules *rules, struct err *err);

/* For the loop: recall_look with the rules in force on a worker, one at a time; asked for again meanwhile, it runs once more. */
struct recall;
struct recall *recall_new(struct gate *g, struct loop *l);
void recall_ask(struct recall *r);
/* Frees it, after the look that is under way. */
void recall_stop(struct recall *r);

#endif
