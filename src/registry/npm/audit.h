/* npm audit's questions answered from our own advisories: no name leaves the house. Shapes: facts/protocol.md 2.12. */
#ifndef BONDGATE_REGISTRY_NPM_AUDIT_H
#define BONDGATE_REGISTRY_NPM_AUDIT_H

#include "policy/policy.h"

/* `body`: uncompressed JSON. What VEX documents, or the policy's `advisories.ignore` (`policy` may be NULL: none), speak of is left out. The answers
 * go to `out`. 0 or -EBADMSG with a sentence. */
int npm_audit_bulk(struct str body, const struct advisories *advisories, const struct policy *policy, usec now, struct buf *out,
                   struct err *err);
int npm_audit_quick(struct str body, const struct advisories *advisories, const struct policy *policy, usec now, struct buf *out,
                    struct err *err);

#endif
