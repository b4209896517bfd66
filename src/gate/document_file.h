/* A document's file: where it lies, how it is opened, how a downloaded one takes its place. Blocking: for worker threads. */
#ifndef BONDGATE_GATE_DOCUMENT_FILE_H
#define BONDGATE_GATE_DOCUMENT_FILE_H

#include "gate/documents.h"

/* "npm/ab/abcdef….doc" under the folder of documents; the names are hashes, so that no package name becomes a path. */
void document_path(const struct origin *origin, struct str name, char *ret_path /* 256 bytes */);

/* Opens what is stored. -ENOENT when there is nothing, -EBADMSG when it is damaged or of another format (it is removed). */
int document_open(const char *folder, const char *path, struct str name, struct document **ret, struct err *err);

/* A temporary file with room for the header, to be filled with the raw JSON behind it. The descriptor, or negative errno. */
int document_temporary(const char *folder, char *ret_path /* 256 bytes */, struct err *err);

/* Writes more raw JSON into it. 0 or negative errno. */
int document_append(int fd, struct str bytes);
/* Removes what processes that were killed left half-written ("PID.SERIAL"); the files of a living one are its own business. */
void document_remove_temporaries(const char *folder);

struct document_made {
	struct document *document; /* NULL when unchanged */
	bool unchanged;            /* the raw bytes are those of `previous` */
};
/* Makes header and tail of a filled temporary file, renames it into place and opens it. The temporary file is gone afterwards in any
 * case. `changes` and their arena are for the store and the log. */
int document_make(const char *folder, const char *temporary, int fd, const char *path, const struct npm_build *build, struct arena *a,
                  struct document_made *ret, struct npm_changes *ret_changes, struct err *err);

/* See documents_trim. */
int document_files_trim(const char *folder, uint64_t max_bytes, struct err *err);

/* Notes in the file that the upstream confirmed it at `now`. */
void document_touch(const char *folder, struct document *d, usec now);

#endif
