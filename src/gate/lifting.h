/* What an exception would lift, and how much that weighs. Pure. */
#ifndef BONDGATE_GATE_LIFTING_H
#define BONDGATE_GATE_LIFTING_H

#include "policy/decide.h"

/* The rules in force against a version, as bits. */
uint32_t rules_in_force(const struct decision *d);
/* The weight of the weightiest of them; `vulnerable` weighs what its worst advisory says (`advisories` may be NULL: high). */
enum severity rules_severity(uint32_t rules, const struct advisories *advisories, const struct purl *package, usec now);
/* Why these are not to be asked away, and what to do instead; empty: they are. */
struct str rules_never_sentence(uint32_t rules, struct arena *a);

#endif
