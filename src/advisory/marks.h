/* What somebody decided about an advisory for his own house: this version is not affected, because. Marks never reach malware. */
#ifndef BONDGATE_ADVISORY_MARKS_H
#define BONDGATE_ADVISORY_MARKS_H

#include "advisory/internal.h"

struct marks;

/* Puts down why the advisory of this name (its id or an alias) does not concern the version (empty: any) of a package; a later mark on the same
 * replaces an earlier one, and an empty `why` takes it back. 0 or -ENOMEM. Texts are copied. */
int marks_put(struct marks **m, struct arena *a, enum ecosystem e, struct str name, struct str version, struct str id, struct str why);
/* Fills in `not_affected` of those that are marked, and puts them last. */
void marks_apply(const struct marks *m, enum ecosystem e, struct str name, struct str version, struct arena *scratch,
                 struct advisory *array, size_t count);
void marks_free(struct marks *m);

#endif
