/* The tarballs: from the cache, or fetched from the origin, hashed on the way in, compared with the metadata and with their own manifest,
 * and handed to whoever reads. Concurrent misses for one artifact make one request. Large ones may be read while they are
 * being fetched, but for their end, which comes only when everything was verified (rule 3). */
#ifndef BONDGATE_GATE_ARTIFACTS_H
#define BONDGATE_GATE_ARTIFACTS_H

#include "gate/documents.h"

struct artifacts;
struct artifacts *artifacts_new(struct gate *g);
void artifacts_free(struct artifacts *a);

struct artifact; /* counted */
struct artifact *artifact_ref(struct artifact *a);
void artifact_unref(struct artifact *a);

/* Is it in the cache? True where there is no cache to look in (a command beside a running gate). */
bool cache_has(struct cache *c, struct str integrity, struct str shasum);

struct artifact_result {
	struct artifact *artifact; /* a reference for the receiver, or NULL with a code */
	int code;                  /* -EBADMSG: wrong bytes (an incident was recorded); -EPERM: refused by the policy for what the archive
	                              holds; -ENOENT: the upstream has no such file; others: it could not be fetched */
	struct err err;
};
typedef void (*artifact_found)(void *arg, struct artifact_result *result);

/* On a loop: `found` is called on it exactly once, when the artifact is whole and verified, or large enough to be read meanwhile, or failed. The
 * caller keeps document, rules and origin until then. */
void artifact_get(struct gate_thread *t, struct rules *rules, const struct origin *origin, struct document *document, size_t index,
                  artifact_found found, void *arg);

enum artifact_state { ARTIFACT_FETCHING, ARTIFACT_READY, ARTIFACT_FAILED };
enum artifact_state artifact_state(struct artifact *a);
uint64_t artifact_size(struct artifact *a);
/* "sha512-…", what it is verified against. */
const char *artifact_integrity(const struct artifact *a);
/* Bytes from the start that may be sent: all of them only when it is ready. */
uint64_t artifact_available(struct artifact *a);
/* Worker: reads at an offset below artifact_available(); the number of bytes, or negative errno. */
ssize_t artifact_read(struct artifact *a, void *to, size_t n, uint64_t offset);
/* On a loop: calls fn(arg) on it once more is available than `beyond`, or the state changed from fetching. */
void artifact_wait(struct gate_thread *t, struct artifact *a, uint64_t beyond, void (*fn)(void *arg), void *arg);

#endif
