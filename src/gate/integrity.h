/* Hashes as npm's metadata writes them: `dist.integrity` (Subresource Integrity, W3C) and `dist.shasum` (hex SHA-1). */
#ifndef BONDGATE_GATE_INTEGRITY_H
#define BONDGATE_GATE_INTEGRITY_H

#include "gate/cache.h"

enum { INTEGRITY_TEXT = 128 };

/* The one hash that the bytes are checked against, the strongest there is: sha512, else sha256, else the shasum. 0, or -ENOENT when there
 * is none that we can check. */
int integrity_key(struct str integrity, struct str shasum, struct cache_key *ret);

/* "sha512-BASE64" of a key. */
void integrity_format(const struct cache_key *key, char out[INTEGRITY_TEXT]);

#endif
