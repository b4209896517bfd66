/* Rendered packuments, ready to be sent: filtered, in one of the forms, compressed or not. Kept while nothing that they were made from has
 * changed: rules, upstream document, clock. Concurrent wishes for one rendition make it once. */
#ifndef BONDGATE_GATE_RENDITIONS_H
#define BONDGATE_GATE_RENDITIONS_H

#include "gate/blob.h"
#include "gate/clearance.h"
#include "registry/npm/render.h"

struct renditions;
/* Small ones are kept in memory, large ones in unlinked files in `folder`; `memory_bytes` bounds the former. */
struct renditions *renditions_new(size_t memory_bytes, const char *folder);
void renditions_free(struct renditions *r);
/* While nobody asks: keeps a quarter of the memory for small ones, and gives the pages of the large ones back to the page cache. Any thread. */
void renditions_rest(struct renditions *r);

struct rendition {
	_Atomic int refs;
	uint64_t generation; /* of the document */
	usec made, expires;  /* of the clearance; and until when it may be sent unasked */
	char etag[64];       /* with its quotes; over the filtered bytes, the form and the encoding */
	bool gzip;
	struct blob *body;
};
void rendition_unref(struct rendition *r);

struct rendition_wish {
	struct str name;
	const struct origin *origin;
	struct npm_form form;
	bool gzip;
};

struct rendition_result {
	struct rendition *rendition; /* a reference for the receiver; NULL with a code */
	bool stale;
	bool aside; /* -EPERM for what is only looked at: refusal_is_aside() */
	int code; /* as clearance_result, or nothing of the package is cleared and err.text says why: -EPERM, or -EAGAIN where it may be in a moment */
	struct err err;
};
typedef void (*rendition_found)(void *arg, struct rendition_result *result);

/* On a loop: `found` on the same one, now or later, exactly once. Texts of the wish are copied. */
void rendition_get(struct gate_thread *t, struct rules *rules, const struct rendition_wish *wish, rendition_found found, void *arg);

#endif
