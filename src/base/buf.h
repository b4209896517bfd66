/* A growing byte buffer with a hard maximum and a sticky error: write many times, look once.
 * Once a write would pass the maximum (-EFBIG) or memory is out (-ENOMEM), every later write does nothing. */
#ifndef BONDGATE_BASE_BUF_H
#define BONDGATE_BASE_BUF_H

#include "base/cleanup.h"
#include "base/str.h"

struct buf {
	char *p;
	size_t n;   /* bytes in use */
	size_t cap; /* bytes allocated */
	size_t max; /* bytes allowed */
	int error;  /* 0 or the first error, negative */
};

#define BUF(maximum) ((struct buf){.max = (maximum)})

/* Releases the memory; the buffer can be used again with the same maximum. */
void buf_free(struct buf *b);
#define CLEANUP_BUF CLEANUP(buf_free)

/* Empties it and clears the error, keeping the memory. */
void buf_clear(struct buf *b);

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_add_str(struct buf *b, struct str s);
void buf_add_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for at least `n` more bytes, to be written directly and then counted by adding to `b->n`. NULL on error. */
void *buf_reserve(struct buf *b, size_t n);

static inline struct str buf_str(const struct buf *b)
{
	return (struct str){b->p, b->n};
}

/* A NUL-terminated view (the NUL is not counted), or "" when the buffer is in error. Valid until the next write. */
const char *buf_cstr(struct buf *b);

#endif
