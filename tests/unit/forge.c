#include "forge.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "base/file.h"
#include "base/limits.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "codec/purl.h"

enum { HASH = 32 };

struct forge {
	EVP_PKEY *root_key, *ca_key, *log_key, *other_key;
	X509 *root, *ca;
};

const char *flaw_name(enum flaw flaw)
{
	static const char *const names[] = {
#define X(constant, name) name,
		FLAWS(X)
#undef X
	};

	return names[flaw];
}

struct forge_wish forge_defaults(void)
{
	return (struct forge_wish){.name = "left-pad", .version = "1.3.0", .source = "https://github.com/acme/left-pad", .ref = "refs/tags/v1.3.0",
	                           .issuer = "https://token.actions.githubusercontent.com", .at = 1700000000, .bundle = 3, .tree_size = 7, .index = 4};
}

/* ---- certificates ---- */

static void add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *e;

	X509V3_set_ctx(&context, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert(e && X509_add_ext(x, e, -1) == 1);
	X509_EXTENSION_free(e);
}

/* Fulcio's: bare bytes below .8, a UTF8String (tag 12) from there on. */
static void add_fulcio(X509 *x, int number, const char *text)
{
	CLEANUP_BUF struct buf bytes = BUF(64 * KIB);
	char oid[64];
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	X509_EXTENSION *e;
	ASN1_OBJECT *object;

	snprintf(oid, sizeof(oid), "1.3.6.1.4.1.57264.1.%d", number);
	object = OBJ_txt2obj(oid, 1);
	if (number >= 8) {
		assert(strlen(text) < 128);
		buf_add_char(&bytes, 12);
		buf_add_char(&bytes, (char)strlen(text));
	}
	buf_add_str(&bytes, str_of(text));
	ASN1_OCTET_STRING_set(octets, (const unsigned char *)bytes.p, (int)bytes.n);
	e = X509_EXTENSION_create_by_OBJ(NULL, object, 0, octets);
	assert(e && X509_add_ext(x, e, -1) == 1);
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(octets);
	ASN1_OBJECT_free(object);
}

static X509 *certificate(EVP_PKEY *key, const char *common_name, X509 *issuer, int64_t from, int64_t to)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	unsigned char serial[8];

	RAND_bytes(serial, sizeof(serial));
	serial[0] &= 0x7f;
	BIGNUM *n = BN_bin2bn(serial, sizeof(serial), NULL);
	X509_set_version(x, 2);
	BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	ASN1_TIME_set(X509_getm_notBefore(x), (time_t)from);
	ASN1_TIME_set(X509_getm_notAfter(x), (time_t)to);
	if (common_name)
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1, -1, 0);
	X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : name);
	X509_set_pubkey(x, key);
	return x;
}

static X509 *authority(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *signer)
{
	X509 *x = certificate(key, name, issuer, 1600000000, 4000000000);

	add_extension(x, issuer ? issuer : x, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(x, issuer ? issuer : x, NID_key_usage, "critical,keyCertSign,cRLSign");
	add_extension(x, issuer ? issuer : x, NID_subject_key_identifier, "hash");
	X509_sign(x, signer, EVP_sha256());
	return x;
}

static void name_signer(X509 *x, X509 *issuer, const struct forge_wish *w)
{
	char text[512];

	snprintf(text, sizeof(text), "critical,URI:%s/.github/workflows/release.yml@%s", w->source, w->ref);
	if (w->flaw != FLAW_NO_NAME)
		add_extension(x, issuer, NID_subject_alt_name, text);
	if (w->flaw != FLAW_NO_ISSUER)
		add_fulcio(x, 1, w->flaw == FLAW_FOREIGN_ISSUER ? "https://ci.example" : w->issuer);
	if (w->old_extensions) {
		add_fulcio(x, 5, w->source + strlen("https://github.com/"));
		add_fulcio(x, 6, w->ref);
		return;
	}
	if (w->flaw != FLAW_NO_ISSUER)
		add_fulcio(x, 8, w->flaw == FLAW_FOREIGN_ISSUER ? "https://ci.example" : w->issuer);
	if (w->flaw != FLAW_NO_SOURCE)
		add_fulcio(x, 12, w->source);
	add_fulcio(x, 13, "0123456789abcdef0123456789abcdef01234567");
	add_fulcio(x, 14, w->ref);
}

static X509 *leaf(struct forge *f, EVP_PKEY *key, const struct forge_wish *w)
{
	bool own = w->flaw == FLAW_SELF_SIGNED || w->flaw == FLAW_OTHER_ROOT;
	int64_t from = w->flaw == FLAW_EXPIRED ? w->at - 1200 : w->flaw == FLAW_NOT_YET ? w->at + 60 : w->at - 10;
	X509 *other = w->flaw == FLAW_OTHER_ROOT ? authority(f->other_key, "Other Root", NULL, f->other_key) : NULL;
	X509 *issuer = other ? other : w->flaw == FLAW_SELF_SIGNED ? NULL : f->ca;
	X509 *x = certificate(key, own && !other ? "self" : NULL, issuer, from, from + 600);

	if (w->flaw == FLAW_IS_CA)
		add_extension(x, issuer, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(x, issuer ? issuer : x, NID_key_usage, "critical,digitalSignature");
	add_extension(x, issuer ? issuer : x, NID_ext_key_usage, w->flaw == FLAW_NOT_CODE ? "serverAuth" : "codeSigning");
	name_signer(x, issuer ? issuer : x, w);
	X509_sign(x, other ? f->other_key : issuer ? f->ca_key : key, EVP_sha256());
	X509_free(other);
	return x;
}

/* ---- keys in files ---- */

static EVP_PKEY *kept_key(const char *dir, const char *name)
{
	char path[1024];
	EVP_PKEY *key = NULL;
	FILE *file;

	if (!dir)
		return EVP_EC_gen("P-256");
	snprintf(path, sizeof(path), "%s/%s.key", dir, name);
	file = fopen(path, "r");
	if (file) {
		key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	} else {
		key = EVP_EC_gen("P-256");
		file = fopen(path, "w");
		assert(file && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
	}
	fclose(file);
	return key;
}

static X509 *kept_certificate(const char *dir, const char *name, X509 *made)
{
	char path[1024];
	FILE *file;

	if (!dir)
		return made;
	snprintf(path, sizeof(path), "%s/%s.crt", dir, name);
	file = fopen(path, "r");
	if (file) {
		X509_free(made);
		made = PEM_read_X509(file, NULL, NULL, NULL);
	} else {
		file = fopen(path, "w");
		assert(file && PEM_write_X509(file, made) == 1);
	}
	fclose(file);
	return made;
}

static void keep_text(const char *dir, const char *name, struct str text)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert(file_replace(path, text, 0644, NULL) == 0);
}

struct forge *forge_new(const char *dir)
{
	struct forge *f = calloc(1, sizeof(*f));
	CLEANUP_ARENA struct arena *a = arena_new(MIB);

	assert(f && a);
	f->root_key = kept_key(dir, "root");
	f->ca_key = kept_key(dir, "intermediate");
	f->log_key = kept_key(dir, "log");
	f->other_key = EVP_EC_gen("P-256");
	f->root = kept_certificate(dir, "root", authority(f->root_key, "Test Root", NULL, f->root_key));
	f->ca = kept_certificate(dir, "intermediate", authority(f->ca_key, "Test Intermediate", f->root, f->root_key));
	if (dir) {
		keep_text(dir, "ca.pem", forge_ca_pem(f, a));
		keep_text(dir, "log.pem", forge_log_pem(f, a));
	}
	return f;
}

void forge_free(struct forge *f)
{
	if (!f)
		return;
	EVP_PKEY_free(f->root_key);
	EVP_PKEY_free(f->ca_key);
	EVP_PKEY_free(f->log_key);
	EVP_PKEY_free(f->other_key);
	X509_free(f->root);
	X509_free(f->ca);
	free(f);
}

static struct str taken(BIO *bio, struct arena *a)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	struct str text = arena_str(a, (struct str){p, (size_t)n});

	BIO_free(bio);
	return text;
}

static struct str pem_of(X509 *x, struct arena *a)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_X509(bio, x);
	return taken(bio, a);
}

struct str forge_ca_pem(struct forge *f, struct arena *a)
{
	struct str root = pem_of(f->root, a), ca = pem_of(f->ca, a);

	return arena_printf(a, "%.*s%.*s", STR_ARG(root), STR_ARG(ca));
}

struct str forge_log_pem(struct forge *f, struct arena *a)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_PUBKEY(bio, f->log_key);
	return taken(bio, a);
}

/* ---- signatures and hashes ---- */

static struct str sign(EVP_PKEY *key, struct str text, struct arena *a)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char *out = arena_alloc(a, 256);
	size_t n = 256;

	assert(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
	       EVP_DigestSign(context, out, &n, (const unsigned char *)text.p, text.n) == 1);
	EVP_MD_CTX_free(context);
	return (struct str){(const char *)out, n};
}

static struct str hash(struct arena *a, struct str bytes)
{
	unsigned char *out = arena_alloc(a, HASH);

	assert(EVP_Digest(bytes.p, bytes.n, out, NULL, EVP_sha256(), NULL) == 1);
	return (struct str){(const char *)out, HASH};
}

static struct str joined(struct arena *a, char first, struct str left, struct str right)
{
	char *p = arena_alloc(a, 1 + left.n + right.n);

	p[0] = first;
	memcpy(p + 1, left.p, left.n);
	memcpy(p + 1 + left.n, right.p ? right.p : "", right.n);
	return (struct str){p, 1 + left.n + right.n};
}

static struct str hex(struct arena *a, struct str bytes)
{
	char *out = arena_alloc(a, 2 * bytes.n + 1);

	hex_encode(bytes.p, bytes.n, out);
	return (struct str){out, 2 * bytes.n};
}

/* ---- the tree (RFC 6962 section 2.1) ---- */

struct tree {
	struct arena *arena;
	struct str body; /* of the leaf at `index`; the others are made up */
	uint64_t index;
};

static struct str tree_leaf(const struct tree *t, uint64_t i)
{
	struct str body = i == t->index ? t->body : arena_printf(t->arena, "another entry %llu", (unsigned long long)i);

	return hash(t->arena, joined(t->arena, 0, body, STR_NULL));
}

static uint64_t split_of(uint64_t n)
{
	uint64_t k = 1;

	while (k * 2 < n)
		k *= 2;
	return k;
}

static struct str tree_hash(const struct tree *t, uint64_t from, uint64_t n)
{
	uint64_t k = split_of(n);

	if (n == 1)
		return tree_leaf(t, from);
	return hash(t->arena, joined(t->arena, 1, tree_hash(t, from, k), tree_hash(t, from + k, n - k)));
}

static void tree_path(const struct tree *t, uint64_t m, uint64_t from, uint64_t n, struct str *out, size_t *count)
{
	uint64_t k = split_of(n);

	if (n == 1)
		return;
	if (m < k) {
		tree_path(t, m, from, k, out, count);
		out[(*count)++] = tree_hash(t, from + k, n - k);
	} else {
		tree_path(t, m - k, from + k, n - k, out, count);
		out[(*count)++] = tree_hash(t, from, k);
	}
}

/* ---- the parts of a bundle ---- */

struct forging {
	struct forge *f;
	const struct forge_wish *w;
	struct arena *a;
	struct str payload, signature, certificate, pem, body;
};

static void add_subject(struct json_writer *j, const struct forge_wish *w, struct arena *a)
{
	struct str digest = {(const char *)w->sha512, 64};

	if (w->flaw == FLAW_DIGEST)
		digest = joined(a, 'x', str_skip(digest, 1), STR_NULL);
	jw_object(j);
	jw_member_str(j, "name",
	              w->flaw == FLAW_NOT_NPM ? STR("pkg:generic/left-pad@1.3.0") : purl_format(a, ECOSYSTEM_NPM, str_of(w->name), str_of(w->version)));
	jw_key(j, STR("digest"));
	jw_object(j);
	jw_member_str(j, "sha512", hex(a, digest));
	jw_object_end(j);
	jw_object_end(j);
}

static void add_nested(struct json_writer *j, const char *path, struct str value)
{
	struct str rest = str_of(path), step;
	size_t depth = 0;

	while (str_split(&rest, '.', &step)) {
		if (depth++)
			jw_object(j);
		jw_key(j, step);
	}
	jw_str(j, value);
	for (; depth > 1; depth--)
		jw_object_end(j);
}

static struct str statement(const struct forge_wish *w, struct arena *a)
{
	struct buf out = BUF(64 * KIB);
	struct json_writer j;
	struct str text, source = str_of(w->flaw == FLAW_PREDICATE ? "https://github.com/mallory/left-pad" : w->source);

	jw_init(&j, &out);
	jw_object(&j);
	jw_member_str(&j, "_type", w->slsa_old ? STR("https://in-toto.io/Statement/v0.1") : STR("https://in-toto.io/Statement/v1"));
	jw_key(&j, STR("subject"));
	jw_array(&j);
	if (w->flaw != FLAW_NO_SUBJECT)
		add_subject(&j, w, a);
	if (w->flaw == FLAW_TWO_SUBJECTS)
		add_subject(&j, w, a);
	jw_array_end(&j);
	jw_member_str(&j, "predicateType",
	              w->flaw == FLAW_NOT_SLSA ? STR("https://example.org/other")
	              : w->slsa_old            ? STR("https://slsa.dev/provenance/v0.2")
	                                       : STR("https://slsa.dev/provenance/v1"));
	jw_key(&j, STR("predicate"));
	jw_object(&j);
	if (w->slsa_old) {
		add_nested(&j, "builder.id", STR("https://github.com/actions/runner"));
		add_nested(&j, "invocation.configSource.uri", arena_printf(a, "git+%.*s@%s", STR_ARG(source), w->ref));
	} else {
		add_nested(&j, "buildDefinition.externalParameters.workflow.repository", source);
		add_nested(&j, "runDetails.builder.id", STR("https://github.com/actions/runner/github-hosted"));
	}
	jw_object_end(&j);
	jw_object_end(&j);
	text = arena_str(a, buf_str(&out));
	buf_free(&out);
	return text;
}

static struct str entry_body(const struct forging *b)
{
	struct arena *a = b->a;
	enum flaw flaw = b->w->flaw;
	struct str payload = hex(a, hash(a, flaw == FLAW_ENTRY_PAYLOAD ? STR("another") : b->payload));
	struct str signature = base64_encode(a, flaw == FLAW_ENTRY_SIGNATURE ? STR("another") : b->signature);
	struct str pem = base64_encode(a, flaw == FLAW_ENTRY_CERTIFICATE ? pem_of(b->f->ca, a) : b->pem);

	if (flaw == FLAW_ENTRY_KIND)
		return STR("{\"apiVersion\":\"0.0.1\",\"kind\":\"hashedrekord\",\"spec\":{}}");
	if (b->w->intoto) {
		struct str twice = base64_encode(a, signature);

		return arena_printf(a,
		                    "{\"apiVersion\":\"0.0.2\",\"kind\":\"intoto\",\"spec\":{\"content\":{\"envelope\":{\"payloadType\":\"application/vnd.in-toto+json\","
		                    "\"signatures\":[{\"publicKey\":\"%.*s\",\"sig\":\"%.*s\"}]},\"hash\":{\"algorithm\":\"sha256\",\"value\":\"%064d\"},"
		                    "\"payloadHash\":{\"algorithm\":\"sha256\",\"value\":\"%.*s\"}}}}",
		                    STR_ARG(pem), STR_ARG(twice), 0, STR_ARG(payload));
	}
	return arena_printf(a,
	                    "{\"apiVersion\":\"0.0.1\",\"kind\":\"dsse\",\"spec\":{\"envelopeHash\":{\"algorithm\":\"sha256\",\"value\":\"%064d\"},"
	                    "\"payloadHash\":{\"algorithm\":\"sha256\",\"value\":\"%.*s\"},\"signatures\":[{\"signature\":\"%.*s\",\"verifier\":\"%.*s\"}]}}",
	                    0, STR_ARG(payload), STR_ARG(signature), STR_ARG(pem));
}

static struct str log_id(EVP_PKEY *key, struct arena *a)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);
	struct str id = hash(a, (struct str){(const char *)der, (size_t)n});

	OPENSSL_free(der);
	return id;
}

static void add_proof(struct json_writer *j, const struct forging *b)
{
	const struct forge_wish *w = b->w;
	struct arena *a = b->a;
	struct tree tree = {a, b->body, w->index};
	struct str hashes[64], root = tree_hash(&tree, 0, w->tree_size), head, note, root_text, line;
	EVP_PKEY *key = w->flaw == FLAW_CHECKPOINT_KEY ? b->f->other_key : b->f->log_key;
	size_t n = 0;

	tree_path(&tree, w->index, 0, w->tree_size, hashes, &n);
	root_text = base64_encode(a, w->flaw == FLAW_CHECKPOINT_ROOT ? hash(a, STR("another")) : root);
	head = arena_printf(a, "log.example - 1\n%llu\n%.*s\n", (unsigned long long)w->tree_size, STR_ARG(root_text));
	/* The hint is always of the right key, so that a wrong one is found by its signature. */
	line = joined(a, log_id(b->f->log_key, a).p[0], (struct str){log_id(b->f->log_key, a).p + 1, 3}, sign(key, head, a));
	line = base64_encode(a, line);
	note = arena_printf(a, "%.*s\n\xe2\x80\x94 log.example %.*s\n", STR_ARG(head), STR_ARG(line));
	if (w->flaw == FLAW_PROOF_HASH && n)
		hashes[0] = hash(a, STR("another"));
	if (w->flaw == FLAW_PROOF_SHORT && n)
		n--;
	jw_object(j);
	jw_member_str(j, "logIndex", arena_printf(a, "%llu", (unsigned long long)w->index + (w->flaw == FLAW_PROOF_INDEX)));
	jw_member_str(j, "rootHash", base64_encode(a, root));
	jw_member_str(j, "treeSize", arena_printf(a, "%llu", (unsigned long long)w->tree_size));
	jw_key(j, STR("hashes"));
	jw_array(j);
	for (size_t i = 0; i < n; i++)
		jw_str(j, base64_encode(a, hashes[i]));
	jw_array_end(j);
	if (w->flaw != FLAW_NO_CHECKPOINT) {
		jw_key(j, STR("checkpoint"));
		jw_object(j);
		jw_member_str(j, "envelope", note);
		jw_object_end(j);
	}
	jw_object_end(j);
}

static void add_entry(struct json_writer *j, const struct forging *b)
{
	const struct forge_wish *w = b->w;
	struct arena *a = b->a;
	EVP_PKEY *log = w->flaw == FLAW_UNKNOWN_LOG ? b->f->other_key : b->f->log_key;
	struct str id = log_id(log, a), body = base64_encode(a, b->body), id_hex = hex(a, id);
	struct str promise = arena_printf(a, "{\"body\":\"%.*s\",\"integratedTime\":%lld,\"logID\":\"%.*s\",\"logIndex\":1234567}", STR_ARG(body),
	                                  (long long)w->at, STR_ARG(id_hex));

	jw_object(j);
	jw_member_str(j, "logIndex", STR("1234567"));
	jw_key(j, STR("logId"));
	jw_object(j);
	jw_member_str(j, "keyId", base64_encode(a, id));
	jw_object_end(j);
	jw_key(j, STR("kindVersion"));
	jw_raw(j, w->intoto ? STR("{\"kind\":\"intoto\",\"version\":\"0.0.2\"}") : STR("{\"kind\":\"dsse\",\"version\":\"0.0.1\"}"));
	jw_member_str(j, "integratedTime", arena_printf(a, "%lld", (long long)w->at + (w->flaw == FLAW_SET_TIME ? 30 : 0)));
	if (w->flaw != FLAW_NO_SET) {
		jw_key(j, STR("inclusionPromise"));
		jw_object(j);
		jw_member_str(j, "signedEntryTimestamp", base64_encode(a, sign(w->flaw == FLAW_SET_KEY ? b->f->other_key : log, promise, a)));
		jw_object_end(j);
	}
	if (w->bundle > 1 && w->flaw != FLAW_NO_PROOF) {
		jw_key(j, STR("inclusionProof"));
		add_proof(j, b);
	}
	jw_member_str(j, "canonicalizedBody", body);
	jw_object_end(j);
}

static void add_certificates(struct json_writer *j, const struct forging *b)
{
	struct str one = arena_printf(b->a, "{\"rawBytes\":\"%.*s\"}", STR_ARG(b->certificate));

	if (b->w->flaw == FLAW_BARE_KEY) {
		jw_key(j, STR("publicKey"));
		jw_raw(j, STR("{\"hint\":\"SHA256:abc\"}"));
	} else if (b->w->bundle == 3) {
		jw_key(j, STR("certificate"));
		jw_raw(j, one);
	} else {
		unsigned char *der = NULL;
		int n = i2d_X509(b->f->ca, &der);
		struct str ca = base64_encode(b->a, (struct str){(const char *)der, (size_t)n});

		OPENSSL_free(der);
		jw_key(j, STR("x509CertificateChain"));
		jw_raw(j, arena_printf(b->a, "{\"certificates\":[%.*s,{\"rawBytes\":\"%.*s\"}]}", STR_ARG(one), STR_ARG(ca)));
	}
}

static void add_envelope(struct json_writer *j, const struct forging *b)
{
	struct str payload = base64_encode(b->a, b->payload), sig = base64_encode(b->a, b->signature);
	struct str one = arena_printf(b->a, "{\"sig\":\"%.*s\",\"keyid\":\"\"}", STR_ARG(sig));

	if (b->w->flaw == FLAW_PAYLOAD) {
		char *changed = (char *)arena_str(b->a, b->payload).p;

		changed[b->payload.n - 3] ^= 1;
		payload = base64_encode(b->a, (struct str){changed, b->payload.n});
	}
	jw_object(j);
	jw_member_str(j, "payload", payload);
	jw_member_str(j, "payloadType", b->w->flaw == FLAW_PAYLOAD_TYPE ? STR("text/plain") : STR("application/vnd.in-toto+json"));
	jw_key(j, STR("signatures"));
	jw_array(j);
	jw_raw(j, one);
	if (b->w->flaw == FLAW_TWO_SIGNATURES)
		jw_raw(j, one);
	jw_array_end(j);
	jw_object_end(j);
}

static void make_parts(struct forging *b)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = leaf(b->f, key, b->w);
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);
	struct str head, text;

	b->payload = statement(b->w, b->a);
	head = arena_printf(b->a, "SSEv1 28 application/vnd.in-toto+json %zu ", b->payload.n);
	text = joined(b->a, 'D', head, b->payload);
	b->signature = sign(key, text, b->a);
	b->certificate = base64_encode(b->a, (struct str){(const char *)der, (size_t)n});
	b->pem = pem_of(x, b->a);
	b->body = entry_body(b);
	OPENSSL_free(der);
	X509_free(x);
	EVP_PKEY_free(key);
}

void forge_bundle(struct forge *f, const struct forge_wish *w, struct buf *out)
{
	CLEANUP_ARENA struct arena *a = arena_new(64 * MIB);
	struct forging b = {.f = f, .w = w, .a = a};
	struct json_writer j;

	make_parts(&b);
	jw_init(&j, out);
	jw_object(&j);
	jw_member_str(&j, "mediaType",
	              w->flaw == FLAW_MEDIA_TYPE ? STR("application/vnd.dev.sigstore.bundle.v9+json")
	              : w->bundle == 1           ? STR("application/vnd.dev.sigstore.bundle+json;version=0.1")
	              : w->bundle == 2           ? STR("application/vnd.dev.sigstore.bundle+json;version=0.2")
	                                         : STR("application/vnd.dev.sigstore.bundle.v0.3+json"));
	jw_key(&j, STR("verificationMaterial"));
	jw_object(&j);
	add_certificates(&j, &b);
	jw_key(&j, STR("tlogEntries"));
	jw_array(&j);
	if (w->flaw != FLAW_NO_ENTRY)
		add_entry(&j, &b);
	if (w->flaw == FLAW_TWO_ENTRIES)
		add_entry(&j, &b);
	jw_array_end(&j);
	jw_object_end(&j);
	jw_key(&j, STR("dsseEnvelope"));
	add_envelope(&j, &b);
	if (w->flaw == FLAW_DOUBLE_KEY) {
		jw_key(&j, STR("dsseEnvelope"));
		add_envelope(&j, &b);
	}
	jw_object_end(&j);
	assert(!out->error && !arena_failed(a));
}

void forge_attestations(struct forge *f, const struct forge_wish *w, struct buf *out)
{
	CLEANUP_BUF struct buf bundle = BUF(MIB);

	forge_bundle(f, w, &bundle);
	buf_printf(out, "{\"attestations\":[{\"predicateType\":\"https://example.org/publish/v0.1\",\"bundle\":{}},"
	                "{\"predicateType\":\"https://slsa.dev/provenance/%s\",\"bundle\":%s}]}",
	           w->slsa_old ? "v0.2" : "v1", buf_cstr(&bundle));
}
