/* Every format that is read, in one table: how it is called, which files carry it, how its content is recognised, and the
 * function that reads it. Readers are pure: bytes in, packages out. */
#ifndef BONDGATE_SCAN_READERS_H
#define BONDGATE_SCAN_READERS_H

#include "scan/lock.h"

/* Files beside the one that is read which take part in its meaning (Directory.Packages.props …), nearest first. */
struct lock_extras {
	struct lock_extra {
		struct str name, text, file; /* "Directory.Packages.props", its content, its path */
	} * files;
	size_t count;
};

struct lock_format {
	const char *name;
	const char *patterns[5];            /* of the file's own name, `*` as in str_glob; case does not count */
	bool manifest;                      /* says what is wanted, not what is locked: read only where no lockfile speaks */
	bool (*recognise)(struct str text); /* is it this, by its content? `text` has no byte order mark */
	int (*read)(struct lock *l, const struct lock_extras *extras, struct err *err);
};

size_t lock_formats(const struct lock_format **ret_array);
/* By the name of a file (without folders), or NULL. */
const struct lock_format *lock_format_by_name(struct str file_name);
/* By its content, or NULL. */
const struct lock_format *lock_format_by_content(struct str text);

/* Checks what all formats have in common (UTF-8, no NUL, no merge conflict), reads, finishes. The lock is to be freed by the
 * caller in any case. `text` must outlive it. 0; -EBADMSG, -EFBIG, -ENOMEM with "file:line: what is wrong". */
int lock_read(const struct lock_format *format, struct str text, struct str file, const struct lock_extras *extras, struct lock *ret,
              struct err *err);

#endif
