/* The body of a call: one flat JSON object of texts, numbers, truths and lists of texts, as names and texts. */
#ifndef BONDGATE_GATE_FORM_H
#define BONDGATE_GATE_FORM_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { FORM_FIELDS = 16 };

struct form {
	struct field {
		struct str name, value; /* a list: its items with blanks between */
	} fields[FORM_FIELDS];
	size_t count;
};

/* The empty text is the empty form. `known`: the names that are accepted, with blanks between; another one is refused by name, as is one that comes
 * twice. 0, or -EINVAL with a sentence. */
int form_parse(struct str body, const char *known, struct arena *a, struct form *ret, struct err *err);
/* Empty when it is not there. */
struct str form_get(const struct form *f, const char *name);

#endif
