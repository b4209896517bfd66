/* gzip (RFC 1952) as bytes come: isa-l at level 1, zlib at level 1 where isa-l is missing (facts: 12 times zlib-6's speed at 8 % more
 * bytes); and the other direction for request bodies. */
#ifndef BONDGATE_GATE_COMPRESS_H
#define BONDGATE_GATE_COMPRESS_H

#include "base/buf.h"
#include "base/err.h"

struct gzip;

/* Compressed bytes go to `out`. NULL when memory is out. */
struct gzip *gzip_new(struct buf *out);
void gzip_add(struct gzip *z, const void *bytes, size_t n);
/* Writes what is left and frees it. 0, or negative errno (also of `out`). */
int gzip_end(struct gzip *z);

/* Undoes gzip or deflate of a whole body into `out`, whose maximum bounds it. 0, -EBADMSG, -EFBIG. */
int gunzip(struct str body, struct buf *out, struct err *err);

#endif
