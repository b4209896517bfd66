/* What a refused developer reads (rule 9), made of the same decisions that refused. */
#ifndef BONDGATE_GATE_REFUSAL_H
#define BONDGATE_GATE_REFUSAL_H

#include "gate/clearance.h"

/* For policyRestrictions: one line for each of the newest hidden versions, and how to ask about the others. */
struct str refusal_of_hidden(const struct clearance *c, const struct document *d, struct rules *rules, const struct origin *origin,
                             usec now, struct arena *a);
/* Nothing of the package is cleared: one sentence. */
struct str refusal_of_package(const struct clearance *c, const struct document *d, struct rules *rules, const struct origin *origin,
                              usec now, struct arena *a);
/* One version is not cleared: its sentence; "hold cooldown" … for the evidence in *ret_decision, and what it was decided on in *ret_facts (either may
 * be NULL). */
struct str refusal_of_version(const struct clearance *c, const struct document *d, struct rules *rules, const struct origin *origin,
                              size_t index, usec now, struct arena *a, struct str *ret_decision, struct version_facts *ret_facts);

/* Is it refused only because the walk from the approved roots has not come that far? Then the same request may pass in a moment. */
bool refusal_may_end(const struct clearance *c, const struct document *d, struct rules *rules, const struct origin *origin, size_t index,
                     usec now, struct arena *a);
/* The same, of at least one version of a package of which nothing is cleared. */
bool refusal_of_package_may_end(const struct clearance *c, const struct document *d, struct rules *rules, const struct origin *origin,
                                usec now, struct arena *a);

/* Nothing of the package is cleared, because it is approved by nobody; and it is an optional peer of something that is needed. npm looks at those with
 * every install and installs none: such a look is no refusal that anybody has to hear of. */
bool refusal_is_aside(const struct clearance *c, const struct document *d, struct rules *rules, const struct origin *origin, usec now,
                      struct arena *a);

#endif
