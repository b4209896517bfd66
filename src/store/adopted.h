/* What was adopted (bondgate adopt): the packages that projects locked when the gate came. Their names are known here from then on (DESIGN: a name
 * is *known*), whether or not the gate has seen them. Texts given are copied; texts handed out live during the call. */
#ifndef BONDGATE_STORE_ADOPTED_H
#define BONDGATE_STORE_ADOPTED_H

#include "store/store.h"

struct adopted {
	enum ecosystem ecosystem;
	struct str name, version, file;
	usec time;
};
/* Adds them, all or none; what was adopted before stays as it was. `act` (may be NULL) is evidence of the same transaction. 0 or negative errno with
 * a sentence. */
int store_adopted_add(struct store *s, const struct adopted *array, size_t count, const struct evidence *act, struct err *err);
/* Every name once, with one of its versions. A non-zero result of `each` ends it and is returned. */
int store_adopted_names(struct store *s, int (*each)(void *arg, const struct adopted *a), void *arg, struct err *err);

#endif
