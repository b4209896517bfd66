/* Signatures of files as the `minisign` tool writes and reads them: Ed25519 (RFC 8032), either over the file ("Ed", the older form) or over its
 * BLAKE2b-512 ("ED"), and a second signature over the first one and the trusted comment. Formats: minisign's own documentation.
 * Pure: bytes in, values out; only keys and signatures draw on OpenSSL. */
#ifndef BONDGATE_CODEC_MINISIGN_H
#define BONDGATE_CODEC_MINISIGN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { MINISIGN_ID = 8, MINISIGN_KEY = 32, MINISIGN_ID_TEXT = 17 };

struct minisign_public {
	unsigned char id[MINISIGN_ID];
	unsigned char key[MINISIGN_KEY];
};

struct minisign_secret {
	struct minisign_public public;
	unsigned char seed[MINISIGN_KEY];
};

/* 16 upper-case hexadecimal digits, as the tool prints it. */
void minisign_id_text(const unsigned char id[MINISIGN_ID], char out[MINISIGN_ID_TEXT]);

/* Reads a public key file, or the one line of it that begins with "RW". 0 or -EINVAL with what is wrong. */
int minisign_public_parse(struct str text, struct minisign_public *ret, struct err *err);
/* The line ("RW…", 56 characters) and the file with its comment. */
struct str minisign_public_line(const struct minisign_public *key, struct arena *a);
void minisign_public_write(const struct minisign_public *key, struct buf *out);

/* Is this the text of a secret key file, and one that is encrypted with a password? */
bool minisign_secret_is_encrypted(struct str text);
/* Reads a secret key file. `password` is for an encrypted one (scrypt; it takes as much memory as the file says, at most 1 GiB) and may be
 * empty for others. 0; -EINVAL when it is none; -EACCES when a password is missing or wrong. */
int minisign_secret_parse(struct str text, struct str password, struct minisign_secret *ret, struct err *err);
/* The file, not encrypted: to be kept with mode 0600. */
void minisign_secret_write(const struct minisign_secret *key, struct buf *out);
/* Draws a new pair. 0 or -EIO. */
int minisign_generate(struct minisign_secret *ret, struct err *err);
/* Overwrites it. */
void minisign_secret_forget(struct minisign_secret *key);

/* Signs the message (prehashed) and appends the signature file's text. The trusted comment is one line of printable text; it is
 * signed too. 0 or negative errno. */
int minisign_sign(const struct minisign_secret *key, struct str message, struct str trusted_comment, struct buf *out, struct err *err);

struct minisign_verified {
	size_t key;         /* which of the keys */
	struct str comment; /* the trusted comment: a slice of the signature file */
	bool prehashed;
};

/* Verifies a signature file's text over a message by one of the keys, both forms. 0; -EINVAL when the file is no signature; -ENOKEY when it is
 * by another key; -EKEYREJECTED when message, comment or signature were changed. Each with a sentence. */
int minisign_verify(const struct minisign_public *keys, size_t key_count, struct str signature, struct str message,
                    struct minisign_verified *ret, struct err *err);

#endif
