/* The first byte names the format ('a' the first of the table), the rest is the file: every reader, and what is asked of the
 * lock afterwards. A lock that was read has a line within the file for every package, and lists at most what it read. */
#include <stdlib.h>

#include "scan/findings.h"
#include "scan/readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct lock_format *formats;
	size_t count = lock_formats(&formats), n;
	struct lock_extra extra = {STR("package.json"), STR("{\"dependencies\": {\"a\": \"^1.0.0\"}}"), STR("package.json")};
	struct lock_extras extras = {&extra, 1};
	struct lock_listed *listed;
	struct str text;
	struct err err;
	struct lock l;

	if (size == 0)
		return 0;
	text = (struct str){(const char *)data + 1, size - 1};
	lock_format_by_content(text);
	if (lock_read(&formats[(data[0] - 'a') % count], text, STR("file"), data[0] & 1 ? &extras : NULL, &l, &err) == 0 &&
	    lock_paths(&l) == 0 && lock_list(&l, &listed, &n) == 0) {
		if (n > l.count)
			abort();
		free(listed);
	}
	lock_free(&l);
	return 0;
}
