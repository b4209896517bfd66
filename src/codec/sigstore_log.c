/* The transparency log's entry: its signed timestamp, and whether it logs what the bundle holds. */
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "codec/base64.h"
#include "codec/sigstore_internal.h"

void sha256(struct str bytes, unsigned char out[SHA256_BYTES])
{
	if (EVP_Digest(bytes.p ? bytes.p : "", bytes.n, out, NULL, EVP_sha256(), NULL) != 1)
		abort(); /* without SHA-256 there is no gate at all */
}

/* The hash that goes with a key: ECDSA by the size of its curve, none for Ed25519. NULL with `*ret_known` false for another kind. */
static const EVP_MD *hash_of_key(EVP_PKEY *key, bool *ret_known)
{
	int kind = EVP_PKEY_get_base_id(key), bits = EVP_PKEY_get_bits(key);

	*ret_known = kind == EVP_PKEY_ED25519 || kind == EVP_PKEY_EC;
	if (kind != EVP_PKEY_EC)
		return NULL;
	return bits > 384 ? EVP_sha512() : bits > 256 ? EVP_sha384() : EVP_sha256();
}

bool signature_fits(EVP_PKEY *key, struct str message, struct str signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool known, fits;
	const EVP_MD *hash = hash_of_key(key, &known);

	fits = context && known && EVP_DigestVerifyInit(context, NULL, hash, NULL, key) == 1 &&
	       EVP_DigestVerify(context, (const unsigned char *)signature.p, signature.n, (const unsigned char *)(message.p ? message.p : ""),
	                        message.n) == 1;
	EVP_MD_CTX_free(context);
	return fits;
}

/* ---- reading an entry ---- */

static int read_hashes(struct str value, struct arena *a, struct log_entry *ret, struct err *err)
{
	struct json_reader r;
	struct str item;

	if (!value.n)
		return 0;
	json_init(&r, value);
	json_enter_array(&r);
	while (json_next_item(&r)) {
		json_skip(&r, &item);
		if (json_failed(&r))
			break;
		if (ret->hash_count == PROOF_HASHES)
			return err_set(err, -EBADMSG, "the log's proof is longer than any log");
		if (pick_base64(a, item, "a hash of the log's proof", &ret->hashes[ret->hash_count], err) < 0)
			return -EBADMSG;
		if (ret->hashes[ret->hash_count++].n != SHA256_BYTES)
			return err_set(err, -EBADMSG, "a hash of the log's proof is not 32 bytes");
	}
	return json_finish(&r, NULL) < 0 ? err_set(err, -EBADMSG, "the hashes of the log's proof are not a list") : 0;
}

static int read_proof(struct str value, struct arena *a, struct log_entry *ret, struct err *err)
{
	static const char *const names[] = {"logIndex", "rootHash", "treeSize", "hashes", "checkpoint"};
	struct str values[5], envelope;
	int r = pick(value, "the log's proof", names, values, 5, err);

	ret->has_proof = true;
	/* The first entry has the index 0, which some writers leave out. */
	if (r == 0 && values[0].n)
		r = pick_number(a, values[0], "the index in the log's proof", &ret->proof_index, err);
	if (r == 0)
		r = pick_base64(a, values[1], "the root in the log's proof", &ret->root, err);
	if (r == 0)
		r = pick_number(a, values[2], "the size in the log's proof", &ret->tree_size, err);
	if (r == 0)
		r = read_hashes(values[3], a, ret, err);
	if (r == 0)
		r = pick_path(values[4], "the log's checkpoint", "envelope", &envelope, err);
	if (r == 0)
		r = pick_string(a, envelope, "the log's checkpoint", &ret->checkpoint, err);
	if (r == 0 && ret->root.n != SHA256_BYTES)
		r = err_set(err, -EBADMSG, "the root in the log's proof is not 32 bytes");
	return r;
}

static int read_entry(struct str value, struct arena *a, struct log_entry *ret, struct err *err)
{
	static const char *const names[] = {"logIndex",         "logId",          "kindVersion",      "integratedTime",
	                                    "inclusionPromise", "inclusionProof", "canonicalizedBody"};
	struct str values[7], inner;
	uint64_t seconds = 0;
	int r = pick(value, "the log's entry", names, values, 7, err);

	if (r == 0)
		r = pick_number(a, values[0], "the index of the log's entry", &ret->index, err);
	if (r == 0)
		r = pick_path(values[1], "the log's id", "keyId", &inner, err);
	if (r == 0)
		r = pick_base64(a, inner, "the log's id", &ret->log_id, err);
	if (r == 0 && values[3].n)
		r = pick_number(a, values[3], "the time of the log's entry", &seconds, err);
	/* Year 9999: what time_format can write. */
	if (r == 0 && seconds > 253402300799)
		r = err_set(err, -EBADMSG, "the time of the log's entry is out of range");
	ret->integrated = (int64_t)seconds;
	if (r == 0)
		r = pick_path(values[4], "the log's promise", "signedEntryTimestamp", &inner, err);
	if (r == 0 && inner.n)
		r = pick_base64(a, inner, "the log's signed timestamp", &ret->set, err);
	if (r == 0 && values[5].n)
		r = read_proof(values[5], a, ret, err);
	if (r == 0)
		r = pick_string(a, values[6], "the body of the log's entry", &ret->body_text, err);
	return r < 0 ? r : pick_base64(a, values[6], "the body of the log's entry", &ret->body, err);
}

static int read_one_entry(struct str list, struct arena *a, struct log_entry *ret, struct err *err)
{
	struct json_reader r;
	struct str item = STR_NULL;
	size_t n = 0;

	if (!list.n)
		return err_set(err, -EKEYREJECTED, "the bundle is in no log");
	json_init(&r, list);
	json_enter_array(&r);
	while (json_next_item(&r)) {
		json_skip(&r, &item);
		n++;
	}
	if (json_finish(&r, NULL) < 0)
		return err_set(err, -EBADMSG, "the entries of the log are not a list");
	if (n != 1)
		return err_set(err, -EKEYREJECTED, n ? "the bundle names %zu entries of logs; one is understood" : "the bundle is in no log", n);
	return read_entry(item, a, ret, err);
}

/* ---- the signed timestamp ---- */

static const struct log_key *find_log(const struct sigstore_trust *t, struct str id)
{
	for (size_t i = 0; i < t->log_count; i++)
		if (str_eq(id, (struct str){(const char *)t->logs[i].id, SHA256_BYTES}))
			return &t->logs[i];
	return NULL;
}

/* The log signs this JSON, its keys sorted and nothing between (RFC 8785). */
static int check_timestamp(const struct log_key *log, const struct log_entry *e, struct arena *a, struct err *err)
{
	char id[2 * SHA256_BYTES + 1];
	struct str signed_text;

	hex_encode(log->id, SHA256_BYTES, id);
	signed_text = arena_printf(a, "{\"body\":\"%.*s\",\"integratedTime\":%lld,\"logID\":\"%s\",\"logIndex\":%llu}", STR_ARG(e->body_text),
	                           (long long)e->integrated, id, (unsigned long long)e->index);
	if (!signed_text.p)
		return err_set(err, -ENOMEM, "no memory");
	if (!signature_fits(log->key, signed_text, e->set))
		return err_set(err, -EKEYREJECTED, "the log's signed timestamp does not fit the log's key");
	return 0;
}

int log_verify(const struct sigstore_trust *t, const struct bundle *b, struct arena *a, struct log_entry *ret, struct err *err)
{
	const struct log_key *log;
	int r = read_one_entry(b->entries, a, ret, err);

	if (r < 0)
		return r;
	if (!ret->set.n || !ret->integrated)
		return err_set(err, -EKEYREJECTED,
		               "the log did not sign a time for the bundle (no signed entry timestamp); other time stamps are not verified here");
	log = find_log(t, ret->log_id);
	if (!log)
		return err_set(err, -EKEYREJECTED, "the bundle is in a log whose key is not configured");
	r = check_timestamp(log, ret, a, err);
	if (r == 0 && b->needs_proof && !ret->has_proof)
		r = err_set(err, -EKEYREJECTED, "the bundle has no proof that the log includes it");
	if (r == 0 && ret->has_proof)
		r = proof_verify(log, ret, a, err);
	return r;
}

/* ---- what it logs ---- */

/* A certificate as PEM equals the leaf, byte by byte of its DER. */
static bool is_leaf(struct str pem, struct str leaf)
{
	BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *x = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
	unsigned char *der = NULL;
	int n = x ? i2d_X509(x, &der) : -1;
	bool same = n > 0 && str_eq((struct str){(const char *)der, (size_t)n}, leaf);

	OPENSSL_free(der);
	X509_free(x);
	BIO_free(in);
	return same;
}

static int check_payload_hash(struct str value, const struct bundle *b, struct arena *a, struct err *err)
{
	static const char *const names[] = {"algorithm", "value"};
	struct str values[2], algorithm, text;
	unsigned char logged[SHA256_BYTES], hash[SHA256_BYTES];

	if (pick(value, "the hash in the log's entry", names, values, 2, err) < 0 ||
	    pick_string(a, values[0], "the hash in the log's entry", &algorithm, err) < 0 ||
	    pick_string(a, values[1], "the hash in the log's entry", &text, err) < 0)
		return -EBADMSG;
	sha256(b->payload, hash);
	if (!str_eq(algorithm, STR("sha256")) || hex_decode(text, logged, SHA256_BYTES) < 0 || memcmp(logged, hash, SHA256_BYTES) != 0)
		return err_set(err, -EKEYREJECTED, "the log's entry is about another statement");
	return 0;
}

/* The one signature of an entry, and whose it is: both in base64, and "intoto" entries have the signature in base64 twice. */
static int check_signature(struct str list, const char *sig_name, const char *key_name, bool twice, const struct bundle *b, struct arena *a,
                           struct err *err)
{
	const char *const names[] = {sig_name, key_name};
	struct json_reader r;
	struct str item = STR_NULL, values[2], signature, certificate;
	size_t n = 0;

	json_init(&r, list);
	json_enter_array(&r);
	while (json_next_item(&r)) {
		json_skip(&r, &item);
		n++;
	}
	if (json_finish(&r, NULL) < 0 || n != 1)
		return err_set(err, -EKEYREJECTED, "the log's entry does not have exactly one signature");
	if (pick(item, "the signature in the log's entry", names, values, 2, err) < 0 ||
	    pick_base64(a, values[0], "the signature in the log's entry", &signature, err) < 0 ||
	    pick_base64(a, values[1], "the certificate in the log's entry", &certificate, err) < 0)
		return -EBADMSG;
	if (twice && base64_decode(a, signature, &signature) < 0)
		return err_set(err, -EBADMSG, "the signature in the log's entry is not base64");
	if (!str_eq(signature, b->signature))
		return err_set(err, -EKEYREJECTED, "the log's entry is about another signature");
	return is_leaf(certificate, b->chain[0]) ? 0 : err_set(err, -EKEYREJECTED, "the log's entry is about another certificate");
}

static int get(struct str object, const char *path, struct str *ret, struct err *err)
{
	return pick_path(object, "the body of the log's entry", path, ret, err);
}

static int match_dsse(struct str spec, const struct bundle *b, struct arena *a, struct err *err)
{
	struct str hash, signatures;
	int r = get(spec, "payloadHash", &hash, err);

	if (r == 0)
		r = get(spec, "signatures", &signatures, err);
	if (r == 0)
		r = check_payload_hash(hash, b, a, err);
	return r < 0 ? r : check_signature(signatures, "signature", "verifier", false, b, a, err);
}

static int match_intoto(struct str spec, const struct bundle *b, struct arena *a, struct err *err)
{
	struct str hash, signatures;
	int r = get(spec, "content.payloadHash", &hash, err);

	if (r == 0)
		r = get(spec, "content.envelope.signatures", &signatures, err);
	if (r == 0)
		r = check_payload_hash(hash, b, a, err);
	return r < 0 ? r : check_signature(signatures, "sig", "publicKey", true, b, a, err);
}

int log_matches(const struct log_entry *e, const struct bundle *b, struct arena *a, struct err *err)
{
	static const char *const names[] = {"kind", "apiVersion", "spec"};
	struct str values[3], kind, version;

	if (pick(e->body, "the body of the log's entry", names, values, 3, err) < 0 ||
	    pick_string(a, values[0], "the kind of the log's entry", &kind, err) < 0 ||
	    pick_string(a, values[1], "the version of the log's entry", &version, err) < 0)
		return -EBADMSG;
	if (str_eq(kind, STR("dsse")) && str_eq(version, STR("0.0.1")))
		return match_dsse(values[2], b, a, err);
	if (str_eq(kind, STR("intoto")) && str_eq(version, STR("0.0.2")))
		return match_intoto(values[2], b, a, err);
	return err_set(err, -EBADMSG, "the log's entry is of a kind that is not known here: \"%.*s\" %.*s", STR_ARG(str_take(kind, 40)),
	               STR_ARG(str_take(version, 40)));
}
