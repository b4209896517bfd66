/* What the manifest check says of one real package: manifest_probe VERSION_OBJECT.json TARBALL.tgz. Prints "same", or the
 * difference, or why the tarball is refused. tests/clients/manifest_survey.py runs it over many. */
#include <fcntl.h>
#include <stdio.h>

#include "base/file.h"
#include "base/limits.h"
#include "registry/npm/manifest.h"

int main(int argc, char **argv)
{
	CLEANUP_ARENA struct arena *a = arena_new(256 * MIB);
	CLEANUP_BUF struct buf object = BUF(64 * MIB);
	CLEANUP_FD int fd = argc == 3 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;
	struct npm_archive archive;
	struct str difference;
	struct err err;

	if (fd < 0 || file_read(argv[1], &object, &err) < 0) {
		fprintf(stderr, "usage: %s VERSION_OBJECT.json TARBALL.tgz\n", argv[0]);
		return 2;
	}
	if (npm_archive_read(fd, a, &archive, &err) < 0) {
		printf("refused: %s\n", err.text);
		return 1;
	}
	if (npm_manifest_compare(buf_str(&object), &archive, a, &difference) != 0) {
		printf("differs: %.*s\n", STR_ARG(difference));
		return 1;
	}
	printf("same%s\n", archive.binding_gyp ? " (binding.gyp)" : "");
	return 0;
}
