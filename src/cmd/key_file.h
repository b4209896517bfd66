/* Key files of minisign's format, as commands take them by path. */
#ifndef BONDGATE_CMD_KEY_FILE_H
#define BONDGATE_CMD_KEY_FILE_H

#include "base/err.h"
#include "codec/minisign.h"

/* Reads a secret key. An encrypted one takes its password from $BONDGATE_KEY_PASSWORD, or asks for it on the terminal. To be forgotten with
 * minisign_secret_forget. 0 or negative errno with a sentence that names the file. */
int key_file_secret(const char *path, struct minisign_secret *ret, struct err *err);
/* Reads a public key: a file's path, or the key itself ("RW…"). */
int key_file_public(const char *path_or_key, struct minisign_public *ret, struct err *err);

#endif
