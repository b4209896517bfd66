/* Key files: a comment line and one line of base64. */
#include "codec/minisign_key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>

#include "base/limits.h"
#include "codec/base64.h"
#include "codec/minisign.h"

enum { SALT = 32, CHECKSUM = 32 };

struct public_bytes {
	char algorithm[2];
	unsigned char id[MINISIGN_ID];
	unsigned char key[MINISIGN_KEY];
};
_Static_assert(sizeof(struct public_bytes) == 42, "read from bytes as they are");

/* What an encrypted file has XORed with the key that comes from the password. */
struct hidden_bytes {
	unsigned char id[MINISIGN_ID];
	unsigned char seed[MINISIGN_KEY];
	unsigned char key[MINISIGN_KEY];
	unsigned char checksum[CHECKSUM];
};

struct secret_bytes {
	char algorithm[2], kdf[2], hash[2];
	unsigned char salt[SALT];
	unsigned char operations[8], memory[8]; /* little-endian: libsodium's limits for scrypt */
	struct hidden_bytes hidden;
};
_Static_assert(sizeof(struct secret_bytes) == 158, "read from bytes as they are");

void minisign_id_text(const unsigned char id[MINISIGN_ID], char out[MINISIGN_ID_TEXT])
{
	for (size_t i = 0; i < MINISIGN_ID; i++)
		snprintf(out + 2 * i, 3, "%02X", id[MINISIGN_ID - 1 - i]);
}

/* The base64 line: the second of a file, or all there is. */
static struct str key_line(struct str text)
{
	struct str line;

	text = str_trim(text);
	line = minisign_next_line(&text);
	if (str_starts(line, STR("untrusted comment:")))
		line = minisign_next_line(&text);
	return str_trim(line);
}

int minisign_public_parse(struct str text, struct minisign_public *ret, struct err *err)
{
	struct public_bytes bytes;
	struct str line = key_line(text);

	if (base64_decode_exact(line, &bytes, sizeof(bytes)) < 0)
		return err_set(err, -EINVAL, "this is no minisign public key: it is a line of 56 characters that begins with RW");
	if (memcmp(bytes.algorithm, "Ed", 2) != 0)
		return err_set(err, -EINVAL, "this minisign public key is of a kind that is not known here (not Ed25519)");
	memcpy(ret->id, bytes.id, sizeof(ret->id));
	memcpy(ret->key, bytes.key, sizeof(ret->key));
	return 0;
}

struct str minisign_public_line(const struct minisign_public *key, struct arena *a)
{
	struct public_bytes bytes = {.algorithm = {'E', 'd'}};

	memcpy(bytes.id, key->id, sizeof(bytes.id));
	memcpy(bytes.key, key->key, sizeof(bytes.key));
	return base64_encode(a, (struct str){(const char *)&bytes, sizeof(bytes)});
}

void minisign_public_write(const struct minisign_public *key, struct buf *out)
{
	struct public_bytes bytes = {.algorithm = {'E', 'd'}};
	char id[MINISIGN_ID_TEXT];

	memcpy(bytes.id, key->id, sizeof(bytes.id));
	memcpy(bytes.key, key->key, sizeof(bytes.key));
	minisign_id_text(key->id, id);
	buf_printf(out, "untrusted comment: minisign public key %s\n", id);
	base64_add(out, (struct str){(const char *)&bytes, sizeof(bytes)});
	buf_add_char(out, '\n');
}

static int read_secret(struct str text, struct secret_bytes *ret)
{
	struct str line = key_line(text);

	if (base64_decode_exact(line, ret, sizeof(*ret)) < 0)
		return -EINVAL;
	return memcmp(ret->algorithm, "Ed", 2) == 0 && memcmp(ret->hash, "B2", 2) == 0 ? 0 : -EINVAL;
}

bool minisign_secret_is_encrypted(struct str text)
{
	struct secret_bytes bytes;
	bool encrypted = read_secret(text, &bytes) == 0 && memcmp(bytes.kdf, "Sc", 2) == 0;

	OPENSSL_cleanse(&bytes, sizeof(bytes));
	return encrypted;
}

static uint64_t little_endian(const unsigned char bytes[8])
{
	uint64_t value = 0;

	for (size_t i = 8; i-- > 0;)
		value = value << 8 | bytes[i];
	return value;
}

static unsigned log2_within(uint64_t most)
{
	unsigned n = 1;

	while (n < 63 && (uint64_t)1 << n <= most / 2)
		n++;
	return n;
}

/* libsodium turns its two limits into scrypt's N and p, with r = 8, in this way. */
static void scrypt_cost(uint64_t operations, uint64_t memory, uint64_t *ret_n, uint64_t *ret_p)
{
	unsigned n;

	if (operations < 32768)
		operations = 32768;
	*ret_p = 1;
	if (operations < memory / 32) {
		*ret_n = (uint64_t)1 << log2_within(operations / 32);
		return;
	}
	n = log2_within(memory / 1024);
	*ret_n = (uint64_t)1 << n;
	if ((operations / 4) >> n > 8)
		*ret_p = ((operations / 4) >> n) / 8;
}

static int decrypt(struct secret_bytes *bytes, struct str password, struct err *err)
{
	unsigned char stream[sizeof(struct hidden_bytes)], *hidden = (unsigned char *)&bytes->hidden;
	uint64_t memory = little_endian(bytes->memory), operations = little_endian(bytes->operations), n, p;

	if (password.n == 0)
		return err_set(err, -EACCES, "this secret key is encrypted and needs its password");
	if (memory > GIB || operations > (uint64_t)1 << 26)
		return err_set(err, -EINVAL, "this secret key asks for more memory or time than is allowed to decrypt it");
	scrypt_cost(operations, memory, &n, &p);
	if (EVP_PBE_scrypt(password.p, password.n, bytes->salt, SALT, n, 8, p, 2 * GIB, stream, sizeof(stream)) != 1)
		return err_set(err, -EIO, "cannot decrypt the secret key: OpenSSL offers no scrypt, or there is no memory");
	for (size_t i = 0; i < sizeof(stream); i++)
		hidden[i] ^= stream[i];
	OPENSSL_cleanse(stream, sizeof(stream));
	return 0;
}

/* Whether the password was right the file says with a BLAKE2b of 32 bytes, a length that OpenSSL 3.0 has not. The pair says it as well: the
 * public half must follow from the seed. */
static bool pair_fits(const struct hidden_bytes *hidden)
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, hidden->seed, MINISIGN_KEY);
	unsigned char public[MINISIGN_KEY];
	size_t n = sizeof(public);
	bool fits = pkey && EVP_PKEY_get_raw_public_key(pkey, public, &n) == 1 && memcmp(public, hidden->key, sizeof(public)) == 0;

	EVP_PKEY_free(pkey);
	return fits;
}

int minisign_secret_parse(struct str text, struct str password, struct minisign_secret *ret, struct err *err)
{
	struct secret_bytes bytes;
	int r = read_secret(text, &bytes);
	bool encrypted = r == 0 && memcmp(bytes.kdf, "Sc", 2) == 0;

	if (r < 0 || (!encrypted && memcmp(bytes.kdf, "\0\0", 2) != 0))
		return err_set(err, -EINVAL, "this is no minisign secret key: a comment line and 212 characters of base64 that begin with RW");
	if (encrypted)
		r = decrypt(&bytes, password, err);
	if (r == 0 && !pair_fits(&bytes.hidden))
		r = encrypted ? err_set(err, -EACCES, "the password of the secret key is wrong")
		              : err_set(err, -EINVAL, "this minisign secret key is damaged: its halves do not belong together");
	if (r == 0) {
		memcpy(ret->public.id, bytes.hidden.id, sizeof(ret->public.id));
		memcpy(ret->public.key, bytes.hidden.key, sizeof(ret->public.key));
		memcpy(ret->seed, bytes.hidden.seed, sizeof(ret->seed));
	}
	OPENSSL_cleanse(&bytes, sizeof(bytes));
	return r;
}

void minisign_secret_write(const struct minisign_secret *key, struct buf *out)
{
	struct secret_bytes bytes = {.algorithm = {'E', 'd'}, .hash = {'B', '2'}};
	char id[MINISIGN_ID_TEXT];

	memcpy(bytes.hidden.id, key->public.id, sizeof(bytes.hidden.id));
	memcpy(bytes.hidden.seed, key->seed, sizeof(bytes.hidden.seed));
	memcpy(bytes.hidden.key, key->public.key, sizeof(bytes.hidden.key));
	minisign_id_text(key->public.id, id);
	buf_printf(out, "untrusted comment: minisign secret key %s, not encrypted\n", id);
	base64_add(out, (struct str){(const char *)&bytes, sizeof(bytes)});
	buf_add_char(out, '\n');
	OPENSSL_cleanse(&bytes, sizeof(bytes));
}

int minisign_generate(struct minisign_secret *ret, struct err *err)
{
	EVP_PKEY *pkey = NULL;
	size_t n = MINISIGN_KEY, m = MINISIGN_KEY;
	bool ok = RAND_priv_bytes(ret->seed, MINISIGN_KEY) == 1 && RAND_bytes(ret->public.id, MINISIGN_ID) == 1;

	if (ok)
		pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, ret->seed, n);
	ok = pkey && EVP_PKEY_get_raw_public_key(pkey, ret->public.key, &m) == 1;
	EVP_PKEY_free(pkey);
	return ok ? 0 : err_set(err, -EIO, "cannot draw a key: OpenSSL refused (Ed25519 is switched off?)");
}

void minisign_secret_forget(struct minisign_secret *key)
{
	OPENSSL_cleanse(key, sizeof(*key));
}
