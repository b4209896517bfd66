/* From a document and the policy's origin to the facts that a decision is made of. */
#ifndef BONDGATE_GATE_FACTS_H
#define BONDGATE_GATE_FACTS_H

#include "policy/decide.h"
#include "registry/npm/packument.h"

/* Texts point into the document and `version`. */
void facts_of(const struct npm_packument *p, const struct npm_version *version, const struct origin *origin, usec now,
              struct version_facts *ret);

#endif
