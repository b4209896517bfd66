/* The artifacts on disk, addressed by their hash: DIR/blobs/ALGORITHM/xx/HEX. A file gets that name only when its bytes were
 * hashed on the way in and are durable, so after kill -9 or on a full disk an entry is whole or absent. What came with a
 * wrong hash is kept apart in DIR/quarantine for inspection. One process at a time uses a folder.
 *
 * All functions may be called from any thread, one entry being written by one thread at a time. They do disk work; those
 * marked "worker" take long and belong on loop_work(). */
#ifndef BONDGATE_GATE_CACHE_H
#define BONDGATE_GATE_CACHE_H

#include "base/err.h"
#include "base/str.h"

struct cache;

enum cache_algorithm { CACHE_SHA512, CACHE_SHA256, CACHE_SHA1 };
enum { CACHE_HASH_MAX = 64 };

struct cache_key {
	enum cache_algorithm algorithm;
	uint8_t hash[CACHE_HASH_MAX]; /* the first cache_hash_bytes() of it */
};

/* 64, 32 or 20. */
size_t cache_hash_bytes(enum cache_algorithm algorithm);
/* "sha512", "sha256", "sha1" and as many hexadecimal digits as belong to it: 0 or -EINVAL. */
int cache_key_parse(struct str algorithm, struct str hex, struct cache_key *ret);

/* Makes the folders, locks them against a second process and removes what an earlier life left half written. Nothing is
 * counted yet: call cache_trim() once soon after. `max_bytes`: what cache_trim() keeps the blobs below. 0 or negative errno
 * (-EBUSY: another process has it). */
int cache_open(const char *dir, uint64_t max_bytes, struct cache **ret, struct err *err);
/* Nothing may be under way. */
void cache_close(struct cache *c);

/* --- writing --- */

struct cache_writer;

struct cache_digests {
	uint64_t size;
	uint8_t sha512[64], sha1[20];
};

/* A temporary file to be filled. 0 or negative errno (-ENOSPC …). */
int cache_begin(struct cache *c, struct cache_writer **ret, struct err *err);
/* Appends and hashes. 0; -EFBIG past LIMIT_ARTIFACT_BYTES; -ENOSPC and others, after which only cache_abandon() is left. */
int cache_write(struct cache_writer *w, const void *bytes, size_t n, struct err *err);
/* The file so far, for pread(); valid until finish or abandon, dup() it to keep it. Bytes read before cache_finish() are not
 * verified. */
int cache_writer_fd(const struct cache_writer *w);
uint64_t cache_writer_size(const struct cache_writer *w);
/* Worker. Compares all `expected` hashes with the written bytes, makes the file durable and gives it its name: the strongest
 * of the expected hashes, or its SHA-512 when `count` is 0. The writer is gone afterwards, whatever the result. 0 with
 * *ret_key and *ret_digests (either may be NULL); -EBADMSG when a hash differs: the file is in quarantine, where a note says
 * what was expected, what came, and `about` (the purl and the URL, without credentials), and *ret_digests is set too;
 * -ENOSPC and others: nothing is left. */
int cache_finish(struct cache_writer *w, const struct cache_key *expected, size_t count, struct str about, struct cache_key *ret_key,
                 struct cache_digests *ret_digests, struct err *err);
/* Throws it away. NULL does nothing. */
void cache_abandon(struct cache_writer *w);
/* Worker. Instead of cache_finish(), for bytes that match their hash and are refused for another `reason`. 0 or negative
 * errno; the writer is gone. */
int cache_quarantine(struct cache_writer *w, struct str about, struct str reason, struct err *err);

/* --- reading --- */

/* Opens an entry for reading: 0 and the caller's *ret_fd (at offset 0) with *ret_size; -ENOENT: not here; -EAGAIN: here, but
 * not yet hashed in this process: call cache_verify() on a worker, then again. Marks the entry as used. */
int cache_find(struct cache *c, const struct cache_key *key, int *ret_fd, uint64_t *ret_size);
/* Worker. Hashes an entry: 0; -ENOENT: not here, or damaged and now removed; another negative errno when it cannot be read. */
int cache_verify(struct cache *c, const struct cache_key *key, struct err *err);
/* Takes an entry away (an artifact that turned out to be malware). 0 or -ENOENT. Open descriptors stay valid. */
int cache_remove(struct cache *c, const struct cache_key *key);

/* --- size --- */

/* Bytes in blobs, exact after the first cache_trim(). */
uint64_t cache_used(const struct cache *c);
/* Is a cache_trim() due: never counted, or above the maximum? */
bool cache_is_over(const struct cache *c);
/* Worker. Counts, and when above the maximum removes the longest unused entries until a tenth below it. `keep` (may be NULL)
 * is asked before each removal and says true for what must stay. One at a time: -EBUSY when another is running. 0 or
 * negative errno. */
int cache_trim(struct cache *c, bool (*keep)(void *arg, const struct cache_key *key), void *arg, struct err *err);

#endif
