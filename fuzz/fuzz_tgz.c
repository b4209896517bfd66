/* A tarball, as it is and compared with a version object that says nothing. */
#include <sys/mman.h>

#include "base/limits.h"
#include "registry/npm/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_ARENA struct arena *a = arena_new(64 * MIB);
	CLEANUP_FD int fd = memfd_create("tgz", MFD_CLOEXEC);
	struct npm_archive archive;
	struct str difference = STR_NULL;
	struct err err = {0};

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	if (npm_archive_read(fd, a, &archive, &err) < 0) {
		if (err.text[0] == '\0')
			abort();
		return 0;
	}
	if (npm_manifest_compare(STR("{\"name\":\"a\",\"version\":\"1.0.0\"}"), &archive, a, &difference) && difference.n == 0)
		abort();
	return 0;
}
