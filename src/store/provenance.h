/* Verdicts about the provenance of versions: what a bundle was verified to say, or why it does not count. Kept by version; the newest one
 * replaces what was there. The store knows no rule. */
#ifndef BONDGATE_STORE_PROVENANCE_H
#define BONDGATE_STORE_PROVENANCE_H

#include "store/store.h"

struct seen_provenance {
	struct str version;
	struct str integrity; /* of the artifact that it is about, as in the metadata then */
	struct str trust;     /* names the roots and keys that it was judged with */
	struct str source;    /* "github.com/org/repo"; empty: it does not count */
	struct str detail;    /* how it was built, or why it does not count: one sentence */
	usec checked;
};

/* All of a package, by version; none is fine. Sees everything queued before. 0 or negative errno with a sentence. */
int store_provenances(struct store *s, struct str origin, enum ecosystem e, struct str name, struct arena *a, struct seen_provenance **ret,
                      size_t *ret_count, struct err *err);
/* Queues one. */
void store_provenance_save(struct store *s, struct str origin, enum ecosystem e, struct str name, const struct seen_provenance *p);

#endif
