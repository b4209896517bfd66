/* Where OSV records come from: files, archives, folders. */
#ifndef BONDGATE_ADVISORY_SOURCES_H
#define BONDGATE_ADVISORY_SOURCES_H

#include "base/err.h"
#include "base/str.h"

struct sources {
	/* One file's text; `name` says where it was, for messages. Not 0 ends the reading with it. */
	int (*file)(void *arg, const char *name, struct str text);
	/* A file that could not be read, which does not end the reading. May be NULL. */
	void (*problem)(void *arg, const char *text);
	/* After each file: bytes of the source read so far, of how many (0: unknown). May be NULL. */
	void (*progress)(void *arg, uint64_t bytes, uint64_t total);
	void *arg;
};

/* A file, a zip or (compressed) tar of *.json, or a folder with all below it. 0, what `file` returned, or negative errno when the path itself
 * cannot be read. */
int sources_read(const char *path, const struct sources *s, struct err *err);

#endif
