/* Files as a whole: read, replace, map. Every message names the path. */
#ifndef BONDGATE_BASE_FILE_H
#define BONDGATE_BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the file's content to `to`, whose maximum is the limit: -EFBIG past it. 0 or negative errno. */
int file_read(const char *path, struct buf *to, struct err *err);

/* Replaces `path` so that after any crash it holds the old bytes or the new: written beside, fsync, rename, fsync of
 * the folder. `mode` as in open(2). 0 or negative errno; on failure `path` is as before and nothing is left beside it. */
int file_replace(const char *path, struct str content, unsigned mode, struct err *err);

/* A folder and its missing parents. 0 or negative errno. */
int dir_make(const char *path, unsigned mode, struct err *err);

/* Read-only mapping of a regular file. The empty file maps to {"", 0}. 0 or negative errno. */
int file_map(const char *path, struct str *ret, struct err *err);
void file_unmap(struct str mapped);
/* The pages of a mapping no longer count as this process's memory; they stay in the page cache and come back when they are read, which
 * other threads may do meanwhile. */
void file_rest(struct str mapped);

#endif
