/* A private Sigstore for tests: a root, an intermediate and a log with keys of its own, and bundles from them that are right or wrong in one
 * named way. Written against the formats alone, not against the verifier: the tree and its proofs follow RFC 6962's definitions. */
#ifndef BONDGATE_TESTS_FORGE_H
#define BONDGATE_TESTS_FORGE_H

#include "base/arena.h"
#include "base/buf.h"

struct forge;

/* Keys are drawn anew, or read from DIR when it has them; with a DIR they are kept there, with ca.pem and log.pem. */
struct forge *forge_new(const char *dir);
void forge_free(struct forge *f);
struct str forge_ca_pem(struct forge *f, struct arena *a);
struct str forge_log_pem(struct forge *f, struct arena *a);

/* X(constant, "name", what is wrong) */
#define FLAWS(X) \
	X(FLAW_NONE, "none") \
	X(FLAW_DIGEST, "digest") /* the subject's digest is another's */ \
	X(FLAW_TWO_SUBJECTS, "two-subjects") \
	X(FLAW_NO_SUBJECT, "no-subject") \
	X(FLAW_NOT_NPM, "not-npm") /* the subject is no npm package */ \
	X(FLAW_EXPIRED, "expired") /* the certificate ended before the log signed */ \
	X(FLAW_NOT_YET, "not-yet") \
	X(FLAW_OTHER_ROOT, "other-root") \
	X(FLAW_SELF_SIGNED, "self-signed") \
	X(FLAW_IS_CA, "is-ca") \
	X(FLAW_NOT_CODE, "not-code") /* no use for signing code */ \
	X(FLAW_NO_NAME, "no-name") /* no alternative name */ \
	X(FLAW_NO_ISSUER, "no-issuer") \
	X(FLAW_NO_SOURCE, "no-source") \
	X(FLAW_FOREIGN_ISSUER, "foreign-issuer") \
	X(FLAW_PAYLOAD, "payload") /* changed after it was signed */ \
	X(FLAW_PAYLOAD_TYPE, "payload-type") \
	X(FLAW_TWO_SIGNATURES, "two-signatures") \
	X(FLAW_SET_KEY, "set-key") /* the timestamp is by another key */ \
	X(FLAW_SET_TIME, "set-time") /* the time was changed after it was signed */ \
	X(FLAW_NO_SET, "no-set") \
	X(FLAW_UNKNOWN_LOG, "unknown-log") \
	X(FLAW_NO_ENTRY, "no-entry") \
	X(FLAW_TWO_ENTRIES, "two-entries") \
	X(FLAW_NO_PROOF, "no-proof") \
	X(FLAW_PROOF_HASH, "proof-hash") \
	X(FLAW_PROOF_SHORT, "proof-short") \
	X(FLAW_PROOF_INDEX, "proof-index") \
	X(FLAW_CHECKPOINT_KEY, "checkpoint-key") \
	X(FLAW_CHECKPOINT_ROOT, "checkpoint-root") \
	X(FLAW_NO_CHECKPOINT, "no-checkpoint") \
	X(FLAW_ENTRY_PAYLOAD, "entry-payload") /* the log's entry is of another statement */ \
	X(FLAW_ENTRY_SIGNATURE, "entry-signature") \
	X(FLAW_ENTRY_CERTIFICATE, "entry-certificate") \
	X(FLAW_ENTRY_KIND, "entry-kind") \
	X(FLAW_PREDICATE, "predicate") /* the predicate names another repository */ \
	X(FLAW_NOT_SLSA, "not-slsa") \
	X(FLAW_DOUBLE_KEY, "double-key") /* a member of the bundle comes twice */ \
	X(FLAW_MEDIA_TYPE, "media-type") \
	X(FLAW_BARE_KEY, "bare-key")

enum flaw {
#define X(constant, name) constant,
	FLAWS(X)
#undef X
		FLAW_COUNT
};
const char *flaw_name(enum flaw flaw);

struct forge_wish {
	const char *name, *version; /* of the package */
	unsigned char sha512[64];
	const char *source; /* "https://github.com/org/repo" */
	const char *ref;
	const char *issuer;
	int64_t at; /* seconds: when the log signs */
	int bundle; /* 1, 2, 3: bundle version 0.1, 0.2 and 0.3 */
	bool intoto; /* the log's entry is of kind intoto instead of dsse */
	bool slsa_old; /* predicate v0.2 instead of v1 */
	bool old_extensions; /* only those of 2022 */
	uint64_t tree_size, index;
	enum flaw flaw;
};
/* Defaults for what is not set: a GitHub source, bundle 0.3, a tree of 7. */
struct forge_wish forge_defaults(void);

/* The bundle; and the whole answer of a registry with it, a publish attestation before it. */
void forge_bundle(struct forge *f, const struct forge_wish *w, struct buf *out);
void forge_attestations(struct forge *f, const struct forge_wish *w, struct buf *out);

#endif
