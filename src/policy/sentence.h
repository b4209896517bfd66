/* The words of a reason: what a refused developer reads. */
#ifndef BONDGATE_POLICY_SENTENCE_H
#define BONDGATE_POLICY_SENTENCE_H

#include "policy/decide.h"

/* "was published 2h ago; this gate waits 7d (cooldown): cleared 2026-04-07 00:21 UTC": what follows the name and version,
 * in ASCII; at most 160 bytes. */
void sentence_rule(struct buf *out, const struct version_facts *facts, const struct reason *reason, usec now);
/* What may be left out where room is short ("GHSA-… says: …"); often nothing. */
struct str sentence_detail(const struct version_facts *facts, const struct reason *reason);
/* "2026-04-07 00:21 UTC", rounded up to the minute: whoever comes back then is not too early. */
void sentence_time(struct buf *out, usec time);
/* Appends, with everything that is not printable ASCII replaced by `?`. */
void sentence_ascii(struct buf *out, struct str text);

#endif
