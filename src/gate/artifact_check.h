/* Rule 3, second half: the archive's own manifest against the metadata. What differs in a way that matters is an incident, is remembered in the
 * store and in the document, and from then on part of every decision. So is what the metadata does not tell and a version gained: native
 * code, packages of its own, a build that npm runs by itself. */
#ifndef BONDGATE_GATE_ARTIFACT_CHECK_H
#define BONDGATE_GATE_ARTIFACT_CHECK_H

#include "gate/documents.h"

/* Worker. `fd`: the whole artifact, hash already verified. 0: it may go out; -EPERM with the sentence of the decision. The same bytes with
 * the same metadata are compared once a process. */
int artifact_check(struct gate *g, struct rules *rules, const struct origin *origin, struct document *document,
                   const struct npm_version *version, int fd, struct err *err);

#endif
