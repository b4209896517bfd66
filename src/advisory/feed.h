/* Making and looking through the index file: what `bondgate feed` does. Who only asks needs advisory.h. */
#ifndef BONDGATE_ADVISORY_FEED_H
#define BONDGATE_ADVISORY_FEED_H

#include "advisory/advisory.h"

/* The index's file in the state folder. */
#define ADVISORY_INDEX "advisories.idx"

/* What an import does to one advisory. */
enum advisories_change { CHANGE_ADDED, CHANGE_UPDATED, CHANGE_WITHDRAWN };
const char *advisories_change_name(enum advisories_change c);

struct advisories_import {
	const char *index; /* the file; extended when it is there, unless `fresh` */
	const char *const
		*paths; /* each a file of OSV JSON (a record or an array of them), a zip or tar of such files, a folder (searched to its end, what
	                           * begins with a dot left out), or an index, plain or gzipped, whose records keep their sources */
	size_t path_count;
	struct str source; /* what the records are from, at most 47 bytes; empty: "osv" */
	int priority; /* of that source, -999 to 999: of two records with one id the one of the higher priority is kept; of one source the newer */
	bool fresh; /* start from nothing */
	bool dry;   /* write nothing */
	usec now;
	/* Each may be NULL. A record that could not be read: where, why, at which byte. */
	void (*problem)(void *arg, const char *text);
	/* Now and then. `total` is 0 when it is not known. */
	void (*progress)(void *arg, size_t records, uint64_t bytes, uint64_t total);
	void (*change)(void *arg, enum advisories_change c, const struct advisory *a);
	void *arg;
};

struct advisories_imported {
	size_t read; /* records met */
	size_t added, updated, withdrawn, unchanged;
	size_t older;     /* left out for a newer one, or one of a higher priority */
	size_t elsewhere; /* of other ecosystems only */
	size_t skipped;   /* broken */
	size_t records;   /* in the index now */
};

/* Is it an index, plain or compressed with gzip: a bundle, whose signature somebody should have looked at? */
bool advisories_is_bundle(const char *path);

/* Reads the paths into the index, which is written beside and renamed: after any crash the old one or the new one is there. One at a time:
 * -EBUSY while another process does it. A broken record is told and skipped, never the end. 0 or negative errno with a sentence. */
int advisories_build(const struct advisories_import *import, struct advisories_imported *ret, struct err *err);

struct advisories_source {
	struct str name;
	int priority;
	size_t records;
	usec imported; /* the last time */
};

struct advisories_status {
	uint64_t digest;
	usec built;
	size_t file_bytes, records, withdrawn, malware, vulnerabilities;
	size_t packages[2]; /* by ecosystem */
	size_t source_count;
	const struct advisories_source *sources; /* in the arena */
};

/* Of an index that was opened; -EINVAL for advisories in memory, -EBADMSG when it is damaged. */
int advisories_status(const struct advisories *a, struct arena *out, struct advisories_status *ret, struct err *err);

struct advisories_package {
	enum ecosystem ecosystem;
	struct str name, versions; /* versions as an npm range */
};

struct advisories_entry {
	struct advisory advisory; /* without `fixed` and `vulnerable_versions` */
	bool withdrawn;
	struct str source;
	size_t package_count;
	const struct advisories_package *packages;
};

/* Every record of an opened index, in its own order, until `each` returns not 0, which is then the result. -EBADMSG when it is damaged. The
 * entry and what it points to live until `each` returns. */
int advisories_each(const struct advisories *a, int (*each)(void *arg, const struct advisories_entry *entry), void *arg, struct err *err);

#endif
