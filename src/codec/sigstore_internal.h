/* Shared by the files of the provenance verifier. */
#ifndef BONDGATE_CODEC_SIGSTORE_INTERNAL_H
#define BONDGATE_CODEC_SIGSTORE_INTERNAL_H

#include <openssl/x509.h>

#include "codec/json.h"
#include "codec/sigstore.h"

enum { SHA256_BYTES = 32, LOG_KEYS = 16, CHAIN = 8, PROOF_HASHES = 64 };

struct log_key {
	EVP_PKEY *key;
	unsigned char id[SHA256_BYTES]; /* SHA-256 of its SubjectPublicKeyInfo */
};

struct sigstore_trust {
	_Atomic int refs;
	char id[17];
	X509_STORE *authorities;
	struct log_key logs[LOG_KEYS];
	size_t log_count;
};

/* What a bundle is made of. Slices of the bundle, or in its arena. */
struct bundle {
	bool needs_proof;        /* from version 0.2 on */
	struct str chain[CHAIN]; /* DER, the leaf first */
	size_t chain_count;
	struct str entries; /* the log's entries, JSON */
	struct str payload_type, payload, signature;
};

/* One entry of a log. Numbers are decimal strings in the bundle. */
struct log_entry {
	uint64_t index;
	int64_t integrated; /* seconds */
	struct str log_id, set, body, body_text /* base64 as it stands */;
	struct str kind, kind_version;
	bool has_proof;
	uint64_t proof_index, tree_size;
	struct str root, checkpoint;
	struct str hashes[PROOF_HASHES];
	size_t hash_count;
};

/* ---- sigstore_json.c: members of an object by name ---- */

/* Reads the object's members of the given names as slices of their values; empty: not there. A name that comes twice is refused, because two
 * readers would not agree on which counts. 0 or -EBADMSG ("WHAT is not …"). */
int pick(struct str object, const char *what, const char *const *names, struct str *ret_values, size_t count, struct err *err);
/* `value` as a string, decoded; empty for none. -EBADMSG when it is something else, with `what` in the sentence. */
int pick_string(struct arena *a, struct str value, const char *what, struct str *ret, struct err *err);
/* The same for a string of base64 that is there and not empty. */
int pick_base64(struct arena *a, struct str value, const char *what, struct str *ret, struct err *err);
/* A number, or a number in a string, not negative. */
int pick_number(struct arena *a, struct str value, const char *what, uint64_t *ret, struct err *err);
/* Walks down: the value at "a.b.c"; empty when it is not there. */
int pick_path(struct str object, const char *what, const char *path, struct str *ret, struct err *err);

/* ---- sigstore_bundle.c ---- */
int bundle_read(struct str text, struct arena *a, struct bundle *ret, struct err *err);

/* ---- sigstore_cert.c ---- */
/* The leaf, verified against the authorities at that time (seconds). To be released with X509_free. */
int certificate_verify(const struct sigstore_trust *t, const struct bundle *b, int64_t at, struct err *err);
int certificate_leaf(const struct bundle *b, X509 **ret, struct err *err);
/* Source, signer and issuer out of the leaf's extensions. */
int certificate_identity(X509 *leaf, struct arena *a, struct sigstore_verified *ret, struct err *err);
/* "https://host/path.git" to "host/path"; empty when it is no such address. */
struct str source_of_address(struct arena *a, struct str address);

/* ---- sigstore_log.c ---- */
/* Reads the one entry, and checks its timestamp and its proof. */
int log_verify(const struct sigstore_trust *t, const struct bundle *b, struct arena *a, struct log_entry *ret, struct err *err);
/* Does the logged entry name this envelope and this certificate? */
int log_matches(const struct log_entry *e, const struct bundle *b, struct arena *a, struct err *err);
/* ECDSA or Ed25519 by this key. */
bool signature_fits(EVP_PKEY *key, struct str message, struct str signature);
void sha256(struct str bytes, unsigned char out[SHA256_BYTES]);

/* ---- sigstore_proof.c ---- */
/* Inclusion (RFC 6962 section 2.1.1, as RFC 9162 section 2.1.3.2 spells out its check) and the checkpoint over it. */
int proof_verify(const struct log_key *key, const struct log_entry *e, struct arena *a, struct err *err);

/* ---- sigstore_statement.c ---- */
int statement_verify(struct str payload, const struct sigstore_expected *expected, struct arena *a, struct sigstore_verified *ret,
                     struct err *err);

#endif
