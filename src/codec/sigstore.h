/* Provenance: Sigstore bundles (versions 0.1 to 0.3, JSON) with an in-toto statement in a DSSE envelope, as npm's attestations are, verified
 * without a network against roots and log keys that somebody pinned. Pure: the bytes and the trust come in, the verified source goes out.
 *
 * What is verified, in this order, each failure with one sentence:
 *   the certificate: chains to a pinned root at the time that the log signed, is for signing code, and is no authority itself;
 *   the envelope: its signature over type and payload (DSSE v1, PAE) is by the certificate's key;
 *   the log: the signed entry timestamp is by a pinned log key; the inclusion proof (RFC 6962) leads to a checkpoint that the key signed;
 *     the logged entry ("dsse" 0.0.1 or "intoto" 0.0.2) names this payload, this signature and this certificate;
 *   the statement: its one subject is this package, this version and this SHA-512;
 *   the source: the certificate's repository, vouched for by the repository's own identity provider, and the predicate does not say otherwise.
 *
 * Formats: sigstore/protobuf-specs (bundle, rekor), fulcio's oid-info, rekor's types, in-toto Attestation v0.1 and v1, SLSA provenance v0.2
 * and v1, C2SP's signed notes and checkpoints. Not verified: signed certificate timestamps, RFC 3161 time stamps, Rekor v2's entries. */
#ifndef BONDGATE_CODEC_SIGSTORE_H
#define BONDGATE_CODEC_SIGSTORE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"

struct sigstore_trust; /* roots and log keys: immutable, counted, threads may share it */

/* `ca_pem`: certificates, each of which is trusted as an authority. `log_pem`: public keys of logs. Neither may be without any. 0, -EINVAL or
 * -ENOMEM with a sentence. */
int sigstore_trust_new(struct str ca_pem, struct str log_pem, struct sigstore_trust **ret, struct err *err);
struct sigstore_trust *sigstore_trust_ref(struct sigstore_trust *t);
void sigstore_trust_unref(struct sigstore_trust *t);
/* 16 hexadecimal digits that differ for other certificates or keys: under which trust a verdict was reached. */
const char *sigstore_trust_id(const struct sigstore_trust *t);

struct sigstore_expected {
	struct str name, version; /* an npm package */
	unsigned char sha512[64]; /* of its artifact */
};

/* Texts live in the arena. */
struct sigstore_verified {
	struct str source;        /* "github.com/org/repo": host in lower case, as the certificate has it otherwise */
	struct str source_ref;    /* "refs/tags/v1.2.3"; may be empty, as those below may */
	struct str source_digest; /* the commit */
	struct str signer;        /* the certificate's name: the workflow's address with its ref */
	struct str workflow;      /* ".github/workflows/release.yml": the path of the signer within its repository */
	struct str issuer;        /* the identity provider */
	struct str builder;       /* SLSA's builder.id, as the signer claims it */
	usec integrated;          /* when the log took it in */
};

/* One bundle. 0 and *ret set; -EBADMSG: it is none, or of a form that is not known; -EKEYREJECTED: something about it does not hold. */
int sigstore_verify(const struct sigstore_trust *t, struct str bundle, const struct sigstore_expected *expected, struct arena *a,
                    struct sigstore_verified *ret, struct err *err);

/* The bundle with SLSA provenance out of what a registry serves below /-/npm/v1/attestations/: `{"attestations":[{"predicateType","bundle"}]}`.
 * 0, -ENOENT when there is none, -EBADMSG when it is not that. */
int sigstore_find_provenance(struct str attestations, struct arena *a, struct str *ret_bundle, struct err *err);

#endif
