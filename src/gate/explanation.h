/* Why a version is allowed, held or denied: the answer of `bondgate explain` and of GET /-/explain, made of the same clearance that every
 * other route is answered from. */
#ifndef BONDGATE_GATE_EXPLANATION_H
#define BONDGATE_GATE_EXPLANATION_H

#include "gate/clearance.h"

struct explanation {
	bool listed; /* its registry has that version; otherwise the facts are made up */
	struct version_facts facts;
	struct decision decision;
};

/* `cleared` is what clearance_get found for the purl's package (or nothing, for an internal name that no origin serves); `now` may be
 * another time than the present. A version that the registry does not have is explained by what is known without it. 0, or the
 * look-up's own code when nothing can be said. Texts live in the arena, the purl and the document. */
int explanation_make(const struct clearance_result *cleared, struct rules *rules, const struct origin *origin, const struct purl *purl,
                     usec now, struct arena *a, struct explanation *ret);

#endif
