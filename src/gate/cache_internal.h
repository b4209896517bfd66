/* What the files of the artifact cache share: cache.c opens, finds and verifies, cache_write.c fills, cache_trim.c evicts. */
#ifndef BONDGATE_GATE_CACHE_INTERNAL_H
#define BONDGATE_GATE_CACHE_INTERNAL_H

#include <openssl/evp.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/map.h"
#include "gate/cache.h"

struct cache {
	int dir; /* everything is opened relative to it */
	int lock;
	uint64_t max_bytes;
	_Atomic int64_t used;
	_Atomic bool counted, trimming;
	_Atomic unsigned serial;
	pthread_mutex_t mutex; /* for what follows, and for quarantine/ */
	struct map verified;
};

enum { CACHE_PATH = 192 };
/* "blobs/sha512/ab/abcd…" */
void cache_path(const struct cache_key *key, char out[CACHE_PATH]);
const char *cache_algorithm_name(enum cache_algorithm algorithm);
const EVP_MD *cache_evp(enum cache_algorithm algorithm);

/* The file was just hashed and is right, in this state; NULL: it is not known to be. */
void cache_mark_verified(struct cache *c, const struct cache_key *key, const struct stat *file);

/* The hash of a whole file from its beginning: 0 or negative errno. */
int cache_hash_fd(int fd, enum cache_algorithm algorithm, uint8_t out[CACHE_HASH_MAX]);

/* Keeps the oldest of quarantine/ out, so that it stays below its limits with one more file of `size`. With the mutex held. */
void cache_quarantine_make_room(struct cache *c, uint64_t size);

#endif
