/* Search answers of an upstream, cut to what is cleared. Shape: facts/protocol.md 2.13. */
#ifndef BONDGATE_REGISTRY_NPM_SEARCH_H
#define BONDGATE_REGISTRY_NPM_SEARCH_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

/* The names in an answer, decoded, in order. 0 or -EBADMSG. */
int npm_search_names(struct str body, struct arena *a, struct str **ret, size_t *ret_count, struct err *err);

struct npm_search_verdict {
	bool shown;
	struct str version; /* what `latest` is here; replaces the upstream's */
	usec published;
};
/* The answer with only the shown packages, their version and date replaced, `total` lowered by those left out. */
int npm_search_filter(struct str body, const struct npm_search_verdict *verdicts, size_t count, struct buf *out, struct err *err);

#endif
