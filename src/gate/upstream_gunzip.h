/* Undoing gzip piece by piece (RFC 1952), with nothing forgiven: a stream that is cut, damaged or followed by something else
 * is an error. Ours and not curl's, because curl takes a cut stream for a whole one. */
#ifndef BONDGATE_GATE_UPSTREAM_GUNZIP_H
#define BONDGATE_GATE_UPSTREAM_GUNZIP_H

#include "base/str.h"

struct gunzip;

/* NULL when memory is out. */
struct gunzip *gunzip_new(void);
void gunzip_free(struct gunzip *g);

/* Takes bytes from the front of *input (which shrinks) and points *ret_piece at the next decoded piece, valid until the next
 * call; empty when more input is needed. 0 or -EBADMSG. Call until *input and the piece are both empty. */
int gunzip_next(struct gunzip *g, struct str *input, struct str *ret_piece);

/* Is what came so far a whole number of members? Nothing at all counts as whole (HEAD, 304, an empty body). */
bool gunzip_is_whole(const struct gunzip *g);

#endif
