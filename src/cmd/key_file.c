#include "cmd/key_file.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"

enum { PASSWORD_MAX = 1024 };

/* Buffers that held a secret are overwritten before they are released. */
static void forget(struct buf *b)
{
	if (b->p)
		OPENSSL_cleanse(b->p, b->cap);
	buf_free(b);
}
#define CLEANUP_SECRET_BUF CLEANUP(forget)

static int ask_password(const char *path, struct buf *ret, struct err *err)
{
	CLEANUP_FD int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct termios before, quiet;
	char c;
	bool hidden;

	if (fd < 0)
		return err_set(err, -EACCES, "%s is encrypted, and there is no terminal to ask for its password: set BONDGATE_KEY_PASSWORD", path);
	hidden = tcgetattr(fd, &before) == 0;
	if (hidden) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(fd, TCSAFLUSH, &quiet);
	}
	dprintf(fd, "Password of %s: ", path);
	while (read(fd, &c, 1) == 1 && c != '\n')
		buf_add_char(ret, c);
	if (hidden)
		tcsetattr(fd, TCSAFLUSH, &before);
	dprintf(fd, "\n");
	return ret->error ? err_set(err, ret->error, "the password is too long") : 0;
}

int key_file_secret(const char *path, struct minisign_secret *ret, struct err *err)
{
	CLEANUP_SECRET_BUF struct buf text = BUF(4 * KIB);
	CLEANUP_SECRET_BUF struct buf password = BUF(PASSWORD_MAX);
	const char *given = getenv("BONDGATE_KEY_PASSWORD");
	int r = file_read(path, &text, err);

	if (r < 0)
		return r;
	if (given)
		buf_add_str(&password, str_of(given));
	else if (minisign_secret_is_encrypted(buf_str(&text)))
		r = ask_password(path, &password, err);
	if (r < 0)
		return r;
	r = minisign_secret_parse(buf_str(&text), buf_str(&password), ret, err);
	if (r < 0)
		err_prefix(err, "%s", path);
	return r;
}

int key_file_public(const char *path_or_key, struct minisign_public *ret, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF(4 * KIB);
	int r;

	if (strlen(path_or_key) == 56 && minisign_public_parse(str_of(path_or_key), ret, NULL) == 0)
		return 0;
	r = file_read(path_or_key, &text, err);
	if (r < 0)
		return r;
	r = minisign_public_parse(buf_str(&text), ret, err);
	if (r < 0)
		err_prefix(err, "%s", path_or_key);
	return r;
}
