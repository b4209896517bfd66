/* The packuments: from the upstream to an indexed file on disk to an opened, shared value. Concurrent misses for one document make one
 * request; a document is asked for again when it is older than the origin's `fresh`; an upstream that fails does not take
 * away what is known until the origin's `stale` is over. */
#ifndef BONDGATE_GATE_DOCUMENTS_H
#define BONDGATE_GATE_DOCUMENTS_H

#include "gate/gate.h"
#include "registry/npm/packument.h"

/* An opened document. Counted; immutable but for `checked`. */
struct document {
	_Atomic int refs;
	struct npm_packument *packument;
	struct str mapped;       /* the whole file */
	uint64_t generation;     /* npm_packument_identity(): another number for every content, the same when it is opened again */
	_Atomic int64_t checked; /* when the upstream last confirmed it */
	char path[256];          /* relative to the folder of documents; for writing `checked` */
	/* What clearance.c computed for this content, the last used first, one for each of the rules in force; freed with the document. */
	pthread_mutex_t clearance_lock;
	struct clearance *clearances;
};

struct document *document_ref(struct document *d);
void document_unref(struct document *d);

struct documents;
int documents_new(struct gate *g, const char *cache_folder, size_t memory_bytes, struct documents **ret, struct err *err);
void documents_free(struct documents *d);

/* What was found: document != NULL, or a code: -ENOENT the upstream has no such package; -EHOSTUNREACH, -ETIMEDOUT, -EPROTO … it could not
 * be asked (and nothing, or nothing fresh enough, is stored); -EBADMSG it answered nonsense. */
struct document_result {
	struct document *document; /* a reference that the receiver releases */
	bool stale;                /* the upstream did not answer: served from what is stored */
	int code;
	struct err err;
};
typedef void (*document_found)(void *arg, struct document_result *result);

/* On a loop: finds the packument of a name at its origin. `found` is called on the same loop, now or later, exactly once. Concurrent
 * calls share one request. `origin` and the rules it is part of are kept by the caller until `found`. */
void document_get(struct gate_thread *t, struct rules *rules, const struct origin *origin, struct str name, document_found found,
                  void *arg);

/* The same for one who looks through many documents once: content with a stored one that was confirmed within `age` (more than 0), without asking
 * the upstream. What only such a one asked for is closed before what clients ask for. */
void document_get_aged(struct gate_thread *t, struct rules *rules, const struct origin *origin, struct str name, usec age,
                       document_found found, void *arg);

/* Worker: makes the document's file again from its own raw JSON with what the store knows by now (a mismatch that was found), and lets every
 * answer be made anew. */
void document_remake(struct gate *g, const struct origin *origin, struct document *document);

/* The open document of that name, which may be newer than the one that a long transfer began with. A reference. */
struct document *document_newest(struct gate *g, const struct origin *origin, struct document *document);

/* While nobody asks: gives the pages of the open documents back to the page cache. Any thread. */
void documents_rest(struct documents *d);

/* Worker: keeps the files below `max_bytes`: those that were not asked for longest go first, until a tenth below. What the store remembers of
 * their packages stays; only the next request has to fetch them again. 0 or negative errno. */
int documents_trim(struct documents *d, uint64_t max_bytes, struct err *err);

#endif
