/* Immutable bytes that several requests and threads share: on the heap for small ones, a mapped unlinked file for large
 * ones, so that they cost page cache and not memory. Counted atomically. */
#ifndef BONDGATE_GATE_BLOB_H
#define BONDGATE_GATE_BLOB_H

#include "base/buf.h"
#include "base/err.h"

struct blob {
	const char *p;
	size_t n;
	/* the rest is blob.c's */
	_Atomic int refs;
	bool mapped;
	int fd; /* the mapped file, for sendfile(2); means nothing unless `mapped` */
};

/* Takes the buffer's memory over (the buffer is empty afterwards). NULL when memory is out or the buffer is in error. */
struct blob *blob_take(struct buf *b);
struct blob *blob_copy(struct str s);
/* Copies `s` into an unlinked file in `folder` and maps it. 0 or negative errno (-ENOSPC …). */
int blob_spill(struct str s, const char *folder, struct blob **ret, struct err *err);
struct blob *blob_ref(struct blob *b);
void blob_unref(struct blob *b);
static inline struct str blob_str(const struct blob *b)
{
	return (struct str){b->p, b->n};
}

#endif
