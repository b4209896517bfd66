/* The public keys that a registry signs its versions with, and the check of `dist.signatures`: ECDSA over P-256 with SHA-256 of the text
 * "name@version:integrity" (npm's documents on registry signatures). Keys come from files that the policy names; none is fetched. */
#ifndef BONDGATE_REGISTRY_NPM_KEYS_H
#define BONDGATE_REGISTRY_NPM_KEYS_H

#include "base/err.h"
#include "base/time.h"
#include "policy/decide.h"

struct npm_keys; /* counted; immutable once it is shared */

struct npm_keys *npm_keys_new(void); /* NULL: no memory */
struct npm_keys *npm_keys_ref(struct npm_keys *k);
void npm_keys_unref(struct npm_keys *k);

/* Adds what a registry serves below /-/npm/v1/keys: {"keys": [{"keyid", "keytype", "scheme", "key", "expires"}]}, `key` being a
 * SubjectPublicKeyInfo in base64. Of a keyid that comes twice the first counts. 0, -EBADMSG with a sentence (not JSON, no usable key, an
 * `expires` that is no time, …), -ENOMEM. Keys of another kind than ecdsa-sha2-nistp256 are passed over. */
int npm_keys_add(struct npm_keys *k, struct str json, struct err *err);
size_t npm_keys_count(const struct npm_keys *k);
/* Differs when keys or expiries do; 0 for NULL. What was verified under another one is verified again. */
uint64_t npm_keys_id(const struct npm_keys *k);

struct npm_signed {
	struct str name, version, integrity;
	struct str signatures; /* dist.signatures as JSON: [{"keyid", "sig"}]; empty: there is none */
	usec published;        /* a key that expired counts for what was published before that */
};
/* SIGNATURE_VALID: a key of these signed it. SIGNATURE_INVALID: one of these is named and its signature does not fit, or it had expired.
 * SIGNATURE_UNKNOWN: only keys that are not known here are named, or there is no integrity that could have been signed. SIGNATURE_ABSENT. */
int npm_keys_verify(const struct npm_keys *k, const struct npm_signed *s);

#endif
