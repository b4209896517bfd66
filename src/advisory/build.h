/* What build.c gathers and layout.c lays out. */
#ifndef BONDGATE_ADVISORY_BUILD_H
#define BONDGATE_ADVISORY_BUILD_H

#include "advisory/feed.h"
#include "advisory/mapped.h"

struct built {
	struct str blob; /* in the builder's arena, or in the index that is extended */
	struct mapped_record_row row;
};

struct builder {
	const struct advisories_import *import;
	struct advisories_imported *counts;
	struct mapped *old; /* may be NULL */
	struct arena *texts;
	struct built *records;
	size_t count, room;
	struct map by_id; /* id -> number + 1 */
	struct mapped_source sources[MAPPED_SOURCES];
	size_t source_count;
	uint32_t source; /* the one that is imported */
	struct buf scratch;
	/* Of the file that is read. */
	const char *name;
	struct str text;
	uint64_t bytes, total;
};

/* The whole index into an empty file. */
int layout_write(struct builder *b, int fd, const char *path, struct err *err);

#endif
