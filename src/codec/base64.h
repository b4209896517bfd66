/* Base64 (RFC 4648 section 4): the alphabet with + and /, padded, nothing between. */
#ifndef BONDGATE_CODEC_BASE64_H
#define BONDGATE_CODEC_BASE64_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

/* NUL-terminated; p == NULL when the arena is full. */
struct str base64_encode(struct arena *a, struct str bytes);
void base64_add(struct buf *out, struct str bytes);

/* The whole text must be base64 as this writer would have written it (bits beyond the last byte are zero), so that one value has one
 * spelling. 0, -EINVAL, or -ENOMEM when the arena is full. */
int base64_decode(struct arena *a, struct str text, struct str *ret);
/* The same for a value of exactly `n` bytes. 0 or -EINVAL. */
int base64_decode_exact(struct str text, void *out, size_t n);

#endif
