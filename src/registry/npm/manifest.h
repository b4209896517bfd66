/* Rule 3: does an archive say of itself what the metadata said? */
#ifndef BONDGATE_REGISTRY_NPM_MANIFEST_H
#define BONDGATE_REGISTRY_NPM_MANIFEST_H

#include "base/arena.h"
#include "base/err.h"

struct npm_archive {
	struct str package_json; /* of the first top-level folder; empty: there is none */
	bool binding_gyp;        /* beside it */
	struct str native;       /* "build/x.node": the first file of native code (by its first bytes, or .node); empty: none */
	uint64_t native_count;
	bool bundled; /* it brings packages of its own below node_modules */
	uint64_t entries, unpacked_bytes;
};

/* Reads a .tgz from a file descriptor (its own offset) through libarchive (tar with gzip only) with limits from base/limits.h; entries that
 * leave the folder (.., absolute, links out of it), and two package.json, are refused. 0, -EBADMSG (hostile or damaged), -EFBIG. */
int npm_archive_read(int fd, struct arena *a, struct npm_archive *ret, struct err *err);

/* What the archive does or holds that the version object does not tell (in the arena; empty: nothing): *ret_script "binding.gyp" where npm will
 * run node-gyp by itself; *ret_binary "build/x.node and 2 more", "bundled node_modules". */
void npm_archive_untold(struct str version_object, const struct npm_archive *archive, struct arena *a, struct str *ret_script,
                        struct str *ret_binary);

/* Compares with the version object of the packument. 0: nothing that matters differs; 1: *ret_difference says it in one sentence (in the arena). What
 * matters: name, version, install scripts (preinstall, install, postinstall; and binding.gyp where the metadata has none of them
 * although it is a publication's own, not a mirror's summary of the archive),
 * a dependency or optional dependency that the metadata lacks or gives another range, bin. What publishing tools do to every
 * package (normalising bin and versions, copying optional into plain dependencies, dropping fields) does not. */
int npm_manifest_compare(struct str version_object, const struct npm_archive *archive, struct arena *a, struct str *ret_difference);

#endif
