#include "codec/minisign.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "codec/base64.h"
#include "codec/minisign_key.h"

enum { SIGNATURE = 64, HASH = 64, COMMENT_MAX = 8192 };

/* Decoded first line of a signature file. */
struct signature {
	char algorithm[2];
	unsigned char id[MINISIGN_ID];
	unsigned char bytes[SIGNATURE];
};
_Static_assert(sizeof(struct signature) == 74, "read from bytes as they are");

/* The four lines of a signature file. */
struct parts {
	struct signature signature;
	struct str comment;
	unsigned char global[SIGNATURE];
};

struct str minisign_next_line(struct str *rest)
{
	struct str line = STR_NULL;

	if (str_split(rest, '\n', &line) && str_ends(line, STR("\r")))
		line.n--;
	return line;
}

static int parse_signature(struct str text, struct parts *ret, struct err *err)
{
	struct str first = minisign_next_line(&text), line = minisign_next_line(&text), comment = minisign_next_line(&text);
	struct str global = minisign_next_line(&text);

	if (!str_starts(first, STR("untrusted comment: ")))
		return err_set(err, -EINVAL, "this is no minisign signature: it does not begin with \"untrusted comment: \"");
	if (base64_decode_exact(line, &ret->signature, sizeof(ret->signature)) < 0)
		return err_set(err, -EINVAL, "this is no minisign signature: its second line is not 74 bytes in base64");
	if (!str_starts(comment, STR("trusted comment: ")) || comment.n > COMMENT_MAX)
		return err_set(err, -EINVAL, "this is no minisign signature: its third line does not begin with \"trusted comment: \"");
	if (base64_decode_exact(global, ret->global, SIGNATURE) < 0)
		return err_set(err, -EINVAL, "this is no minisign signature: its fourth line is not 64 bytes in base64");
	ret->comment = str_skip(comment, 17);
	if (ret->signature.algorithm[0] != 'E' || (ret->signature.algorithm[1] != 'D' && ret->signature.algorithm[1] != 'd'))
		return err_set(err, -EINVAL, "this minisign signature is of a kind that is not known here (not Ed25519)");
	return 0;
}

static int hash_message(struct str message, unsigned char out[HASH])
{
	return EVP_Digest(message.p ? message.p : "", message.n, out, NULL, EVP_blake2b512(), NULL) == 1 ? 0 : -EIO;
}

static bool verify_bytes(const unsigned char key[MINISIGN_KEY], const unsigned char signature[SIGNATURE], struct str message)
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, MINISIGN_KEY);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ok = pkey && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, pkey) == 1 &&
	          EVP_DigestVerify(context, signature, SIGNATURE, (const unsigned char *)(message.p ? message.p : ""), message.n) == 1;

	EVP_MD_CTX_free(context);
	EVP_PKEY_free(pkey);
	return ok;
}

static int sign_bytes(const struct minisign_secret *key, struct str message, unsigned char out[SIGNATURE])
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key->seed, MINISIGN_KEY);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t n = SIGNATURE;
	bool ok = pkey && context && EVP_DigestSignInit(context, NULL, NULL, NULL, pkey) == 1 &&
	          EVP_DigestSign(context, out, &n, (const unsigned char *)(message.p ? message.p : ""), message.n) == 1 && n == SIGNATURE;

	EVP_MD_CTX_free(context);
	EVP_PKEY_free(pkey);
	return ok ? 0 : -EIO;
}

/* What the second signature is over: the first one and the trusted comment. */
static void add_signed_comment(struct buf *out, const unsigned char signature[SIGNATURE], struct str comment)
{
	buf_add(out, signature, SIGNATURE);
	buf_add_str(out, comment);
}

static bool comment_is_clean(struct str comment)
{
	for (size_t i = 0; i < comment.n; i++)
		if ((unsigned char)comment.p[i] < 0x20 && comment.p[i] != '\t')
			return false;
	return comment.n < COMMENT_MAX - 64;
}

int minisign_sign(const struct minisign_secret *key, struct str message, struct str trusted_comment, struct buf *out, struct err *err)
{
	CLEANUP_BUF struct buf commented = BUF(2 * COMMENT_MAX);
	struct signature s = {.algorithm = {'E', 'D'}};
	unsigned char hash[HASH], global[SIGNATURE];
	char id[MINISIGN_ID_TEXT];

	if (!comment_is_clean(trusted_comment))
		return err_set(err, -EINVAL, "a trusted comment is one line of printable text");
	memcpy(s.id, key->public.id, MINISIGN_ID);
	if (hash_message(message, hash) < 0 || sign_bytes(key, (struct str){(const char *)hash, HASH}, s.bytes) < 0)
		return err_set(err, -EIO, "cannot sign: OpenSSL refused (Ed25519 or BLAKE2b is switched off?)");
	add_signed_comment(&commented, s.bytes, trusted_comment);
	if (commented.error || sign_bytes(key, buf_str(&commented), global) < 0)
		return err_set(err, commented.error ? commented.error : -EIO, "cannot sign the comment");
	minisign_id_text(s.id, id);
	buf_printf(out, "untrusted comment: signed by bondgate with key %s\n", id);
	base64_add(out, (struct str){(const char *)&s, sizeof(s)});
	buf_printf(out, "\ntrusted comment: %.*s\n", STR_ARG(trusted_comment));
	base64_add(out, (struct str){(const char *)global, SIGNATURE});
	buf_add_char(out, '\n');
	return out->error ? err_set(err, out->error, "cannot write the signature: %s", err_name(out->error)) : 0;
}

static int check(const struct minisign_public *key, const struct parts *p, struct str message, struct err *err)
{
	CLEANUP_BUF struct buf commented = BUF(2 * COMMENT_MAX);
	unsigned char hash[HASH];
	char id[MINISIGN_ID_TEXT];

	minisign_id_text(key->id, id);
	if (p->signature.algorithm[1] == 'D') {
		if (hash_message(message, hash) < 0)
			return err_set(err, -EIO, "cannot verify: OpenSSL offers no BLAKE2b");
		message = (struct str){(const char *)hash, HASH};
	}
	if (!verify_bytes(key->key, p->signature.bytes, message))
		return err_set(err, -EKEYREJECTED, "the signature by key %s does not fit: the content was changed", id);
	add_signed_comment(&commented, p->signature.bytes, p->comment);
	if (commented.error || !verify_bytes(key->key, p->global, buf_str(&commented)))
		return err_set(err, -EKEYREJECTED, "the signature by key %s does not fit its trusted comment, which was changed", id);
	return 0;
}

int minisign_verify(const struct minisign_public *keys, size_t key_count, struct str signature, struct str message,
                    struct minisign_verified *ret, struct err *err)
{
	struct parts p = {0};
	char id[MINISIGN_ID_TEXT];
	int r = parse_signature(signature, &p, err);

	if (r < 0)
		return r;
	minisign_id_text(p.signature.id, id);
	r = err_set(err, -ENOKEY, "it is signed by key %s, which is not among the %zu trusted ones", id, key_count);
	/* Two keys may share an id by chance or by malice: the first that fits counts. */
	for (size_t i = 0; i < key_count; i++) {
		if (memcmp(keys[i].id, p.signature.id, MINISIGN_ID) != 0)
			continue;
		r = check(&keys[i], &p, message, err);
		if (r == 0) {
			*ret = (struct minisign_verified){i, p.comment, p.signature.algorithm[1] == 'D'};
			return 0;
		}
	}
	return r;
}
