/* What `bondgate scan` prints: JSON in the shape of DESIGN section 7 or a table, file by file as they are read, then the
 * findings. */
#ifndef BONDGATE_CMD_SCAN_OUTPUT_H
#define BONDGATE_CMD_SCAN_OUTPUT_H

#include "base/buf.h"
#include "scan/findings.h"

/* One file that was read, or could not be. */
struct scanned {
	struct str path;
	const char *format;
	struct str text; /* mapped */
	struct lock lock;
	struct arena *extras;
	struct lock_listed *listed;
	size_t count;
	int code; /* 0, or why not, with `err` */
	struct err err;
};

struct scan_output {
	bool json, list, quiet;
	struct buf buffer;
	struct json_writer writer;
	size_t files, packages, unreadable;
};

void scan_output_begin(struct scan_output *o);
/* 0 or -EIO. */
int scan_output_file(struct scan_output *o, const struct scanned *s);
int scan_output_end(struct scan_output *o, const struct findings *f);

#endif
