/* The names that were adopted (store/adopted.h), as a set that rules share. Immutable; counted. */
#ifndef BONDGATE_GATE_ADOPTED_H
#define BONDGATE_GATE_ADOPTED_H

#include "codec/purl.h"

struct adopted_names;
/* `texts`: "npm:name"; copied. NULL for none of them, or when memory is out: then the names are known again when the gate has seen them. */
struct adopted_names *adopted_names_new(const struct str *texts, size_t count);
struct adopted_names *adopted_names_ref(struct adopted_names *n);
void adopted_names_unref(struct adopted_names *n);
/* `n` may be NULL. */
bool adopted_names_have(const struct adopted_names *n, enum ecosystem e, struct str name);

#endif
