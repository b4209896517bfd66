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
	struct mapped *old;     /* may be NULL */
	struct mapped *bundles; /* indexes that were imported: their blobs are used in place */
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

/* ---- build.c, for build_bundle.c ---- */

/* The record of an id, or NULL. */
struct built *builder_find(const struct builder *b, struct str id);
/* Counts what a record would be to the index (`as`: for the caller's `change`). False when there is nothing to put in. */
bool builder_judge(struct builder *b, const struct built *there, const struct mapped_record_row *row, const struct advisory *as);
/* Puts it in, merged with what is there. 0 or negative errno. */
int builder_put(struct builder *b, struct built *there, struct built *record);
/* The row of a source of this name, made when it is new. 0, -EFBIG. */
int builder_source(struct builder *b, struct str name, int priority, usec imported, uint32_t *ret, struct err *err);
void builder_progress(const struct builder *b);

/* ---- build_bundle.c ---- */

/* All its records, with the sources that they have there. */
int bundle_take(struct builder *b, const char *path, struct err *err);

/* The whole index into an empty file. */
int layout_write(struct builder *b, int fd, const char *path, struct err *err);

#endif
