/* Runs a fuzz target over every file of a folder: the stored corpus as an ordinary test. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	size_t count = 0;
	DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;

	if (!folder) {
		fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
		return 2;
	}
	for (struct dirent *entry; (entry = readdir(folder));) {
		CLEANUP_BUF struct buf path = BUF(4096), content = BUF(64 * MIB);
		struct err err;

		if (entry->d_name[0] == '.')
			continue;
		buf_printf(&path, "%s/%s", argv[1], entry->d_name);
		if (file_read(buf_cstr(&path), &content, &err) < 0) {
			fprintf(stderr, "%s\n", err.text);
			return 1;
		}
		LLVMFuzzerTestOneInput((const uint8_t *)(content.p ? content.p : ""), content.n);
		count++;
	}
	closedir(folder);
	printf("%zu inputs\n", count);
	return count ? 0 : 1;
}
