#include "codec/sigstore.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>

#include "codec/sigstore_internal.h"

/* ---- what is trusted ---- */

/* Calls `take` for every block of PEM, each of which must be of that name. */
static int each_block(struct sigstore_trust *t, struct str pem, const char *name,
                      int (*take)(struct sigstore_trust *, struct str, struct err *), size_t *ret_count, struct err *err)
{
	BIO *in = BIO_new_mem_buf(pem.p ? pem.p : "", (int)pem.n);
	char *kind, *header;
	unsigned char *bytes;
	long n;
	int r = in ? 0 : err_set(err, -ENOMEM, "no memory");

	*ret_count = 0;
	while (r == 0 && PEM_read_bio(in, &kind, &header, &bytes, &n) == 1) {
		if (strcmp(kind, name) != 0)
			r = err_set(err, -EINVAL, "block %zu is a %.40s where a %s is expected", *ret_count + 1, kind, name);
		else
			r = take(t, (struct str){(const char *)bytes, (size_t)n}, err);
		OPENSSL_free(kind);
		OPENSSL_free(header);
		OPENSSL_free(bytes);
		if (r < 0)
			break;
		++*ret_count;
	}
	if (r == 0 && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		r = err_set(err, -EINVAL, "what follows block %zu is no PEM", *ret_count);
	BIO_free(in);
	return r;
}

static int add_authority(struct sigstore_trust *t, struct str der, struct err *err)
{
	const unsigned char *p = (const unsigned char *)der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);
	int r = 0;

	if (!x)
		r = err_set(err, -EINVAL, "a certificate cannot be read");
	else if (!X509_check_ca(x))
		r = err_set(err, -EINVAL, "a certificate is not an authority's");
	else if (X509_STORE_add_cert(t->authorities, x) != 1)
		r = err_set(err, -ENOMEM, "no memory");
	X509_free(x);
	return r;
}

static int add_log(struct sigstore_trust *t, struct str der, struct err *err)
{
	const unsigned char *p = (const unsigned char *)der.p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)der.n);
	int kind = key ? EVP_PKEY_get_base_id(key) : 0;

	if (!key)
		return err_set(err, -EINVAL, "a public key cannot be read");
	if ((kind != EVP_PKEY_EC && kind != EVP_PKEY_ED25519) || t->log_count == LOG_KEYS) {
		EVP_PKEY_free(key);
		return err_set(err, -EINVAL, t->log_count == LOG_KEYS ? "there are too many keys" : "a public key is neither ECDSA nor Ed25519");
	}
	sha256(der, t->logs[t->log_count].id);
	t->logs[t->log_count++].key = key;
	return 0;
}

static int read_trust(struct sigstore_trust *t, struct str ca_pem, struct str log_pem, struct err *err)
{
	size_t n = 0;
	int r = t->authorities ? each_block(t, ca_pem, "CERTIFICATE", add_authority, &n, err) : err_set(err, -ENOMEM, "no memory");

	if (r == 0 && n == 0)
		r = err_set(err, -EINVAL, "there is no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
	if (r == 0)
		r = each_block(t, log_pem, "PUBLIC KEY", add_log, &n, err);
	if (r == 0 && n == 0)
		r = err_set(err, -EINVAL, "there is no public key in PEM form (-----BEGIN PUBLIC KEY-----)");
	return r;
}

static void name_trust(struct sigstore_trust *t, struct str ca_pem, struct str log_pem)
{
	unsigned char hashes[2 * SHA256_BYTES], both[SHA256_BYTES];

	sha256(ca_pem, hashes);
	sha256(log_pem, hashes + SHA256_BYTES);
	sha256((struct str){(const char *)hashes, sizeof(hashes)}, both);
	hex_encode(both, 8, t->id);
}

const char *sigstore_trust_id(const struct sigstore_trust *t)
{
	return t->id;
}

struct sigstore_trust *sigstore_trust_ref(struct sigstore_trust *t)
{
	if (t)
		atomic_fetch_add(&t->refs, 1);
	return t;
}

int sigstore_trust_new(struct str ca_pem, struct str log_pem, struct sigstore_trust **ret, struct err *err)
{
	struct sigstore_trust *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return err_set(err, -ENOMEM, "no memory");
	t->refs = 1;
	/* OpenSSL's errors are a thread's, and a TLS connection of that thread would read ours as its own. */
	ERR_set_mark();
	t->authorities = X509_STORE_new();
	r = read_trust(t, ca_pem, log_pem, err);
	ERR_pop_to_mark();
	name_trust(t, ca_pem, log_pem);
	if (r < 0) {
		sigstore_trust_unref(t);
		return r;
	}
	*ret = t;
	return 0;
}

void sigstore_trust_unref(struct sigstore_trust *t)
{
	if (!t || atomic_fetch_sub(&t->refs, 1) != 1)
		return;
	X509_STORE_free(t->authorities);
	for (size_t i = 0; i < t->log_count; i++)
		EVP_PKEY_free(t->logs[i].key);
	free(t);
}

/* ---- one bundle ---- */

/* DSSE's pre-authentication encoding: type and payload with their lengths, so that no byte can move between them. */
static int check_envelope(const struct bundle *b, X509 *leaf, struct arena *a, struct err *err)
{
	struct str head = arena_printf(a, "DSSEv1 %zu %.*s %zu ", b->payload_type.n, STR_ARG(b->payload_type), b->payload.n);
	char *text = arena_alloc(a, head.n + b->payload.n + 1);

	if (!head.p || !text)
		return err_set(err, -ENOMEM, "no memory");
	memcpy(text, head.p, head.n);
	memcpy(text + head.n, b->payload.p, b->payload.n);
	if (!signature_fits(X509_get0_pubkey(leaf), (struct str){text, head.n + b->payload.n}, b->signature))
		return err_set(err, -EKEYREJECTED, "the statement is not signed by the certificate's key: it was changed");
	return 0;
}

static int verify(const struct sigstore_trust *t, struct str text, const struct sigstore_expected *expected, struct arena *a,
                  struct sigstore_verified *v, struct err *err)
{
	struct bundle b;
	struct log_entry entry = {0};
	X509 *leaf = NULL;
	int r = bundle_read(text, a, &b, err);

	/* The log first: its time is what the certificate is judged at. */
	if (r == 0)
		r = log_verify(t, &b, a, &entry, err);
	if (r == 0)
		r = certificate_verify(t, &b, entry.integrated, err);
	if (r == 0)
		r = certificate_leaf(&b, &leaf, err);
	if (r == 0)
		r = check_envelope(&b, leaf, a, err);
	if (r == 0)
		r = log_matches(&entry, &b, a, err);
	if (r == 0)
		r = certificate_identity(leaf, a, v, err);
	if (r == 0)
		r = statement_verify(b.payload, expected, a, v, err);
	v->integrated = entry.integrated * USEC_SECOND;
	X509_free(leaf);
	return r;
}

int sigstore_verify(const struct sigstore_trust *t, struct str bundle, const struct sigstore_expected *expected, struct arena *a,
                    struct sigstore_verified *ret, struct err *err)
{
	struct sigstore_verified v = {0};
	int r;

	ERR_set_mark();
	r = verify(t, bundle, expected, a, &v, err);
	ERR_pop_to_mark();
	if (r == 0 && arena_failed(a))
		r = err_set(err, -ENOMEM, "no memory to verify provenance");
	if (r == 0)
		*ret = v;
	return r;
}
