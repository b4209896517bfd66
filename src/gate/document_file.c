#include "gate/document_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/file.h"
#include "base/limits.h"
#include "gate/clearance.h"

struct document *document_ref(struct document *d)
{
	atomic_fetch_add(&d->refs, 1);
	return d;
}

void document_unref(struct document *d)
{
	if (!d || atomic_fetch_sub(&d->refs, 1) != 1)
		return;
	clearances_unref(d->clearances);
	pthread_mutex_destroy(&d->clearance_lock);
	npm_packument_free(d->packument);
	file_unmap(d->mapped);
	free(d);
}

void document_path(const struct origin *origin, struct str name, char *ret_path)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char hex[2 * 20 + 1];

	EVP_Digest(name.p, name.n, digest, NULL, EVP_sha256(), NULL);
	hex_encode(digest, 20, hex);
	snprintf(ret_path, 256, "%.*s/%.2s/%s.doc", STR_ARG(str_take(origin->id, 64)), hex, hex);
}

static void full_path(char *out, size_t size, const char *folder, const char *path)
{
	snprintf(out, size, "%s/%s", folder, path);
}

static struct document *document_new(struct npm_packument *packument, struct str mapped, const char *path)
{
	struct document *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	pthread_mutex_init(&d->clearance_lock, NULL);
	d->refs = 1;
	d->packument = packument;
	d->mapped = mapped;
	d->generation = npm_packument_identity(packument);
	d->checked = npm_packument_checked(packument);
	snprintf(d->path, sizeof(d->path), "%s", path);
	return d;
}

int document_open(const char *folder, const char *path, struct str name, struct document **ret, struct err *err)
{
	char full[4096];
	struct str mapped;
	struct npm_packument *packument;
	int r;

	full_path(full, sizeof(full), folder, path);
	r = file_map(full, &mapped, err);
	if (r < 0)
		return r;
	r = npm_packument_open(mapped, &packument, err);
	if (r == 0 && !str_eq(npm_packument_name(packument), name)) {
		npm_packument_free(packument);
		r = err_set(err, -EBADMSG, "the stored document %s is of another package", path);
	}
	if (r < 0) {
		file_unmap(mapped);
		unlink(full);
		return r == -EBADMSG ? r : err_set(err, -EBADMSG, "the stored document %s cannot be opened", path);
	}
	*ret = document_new(packument, mapped, path);
	return *ret ? 0 : err_set(err, -ENOMEM, "no memory");
}

int document_temporary(const char *folder, char *ret_path, struct err *err)
{
	static _Atomic unsigned serial;
	char full[4096];
	int fd;

	snprintf(ret_path, 256, "tmp/%d.%u", (int)getpid(), atomic_fetch_add(&serial, 1));
	full_path(full, sizeof(full), folder, ret_path);
	fd = open(full, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, -errno, "cannot create %s: %s", full, err_name(errno));
	if (lseek(fd, NPM_DOCUMENT_HEADER, SEEK_SET) < 0) {
		close(fd);
		unlink(full);
		return err_set(err, -EIO, "cannot seek in %s", full);
	}
	return fd;
}

void document_remove_temporaries(const char *folder)
{
	char path[4096];
	DIR *entries;

	snprintf(path, sizeof(path), "%s/tmp", folder);
	entries = opendir(path);
	if (!entries)
		return;
	for (struct dirent *e; (e = readdir(entries));) {
		struct str rest = str_of(e->d_name), number;
		uint64_t pid;

		if (e->d_name[0] == '.' || !str_split(&rest, '.', &number) || str_to_u64(number, &pid) < 0)
			continue;
		if ((pid_t)pid == getpid() || (kill((pid_t)pid, 0) < 0 && errno == ESRCH))
			unlinkat(dirfd(entries), e->d_name, 0);
	}
	closedir(entries);
}

int document_append(int fd, struct str bytes)
{
	while (bytes.n) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes = str_skip(bytes, (size_t)n);
	}
	return 0;
}

static int write_at(int fd, struct str bytes, off_t at)
{
	while (bytes.n) {
		ssize_t n = pwrite(fd, bytes.p, bytes.n, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes = str_skip(bytes, (size_t)n);
		at += n;
	}
	return 0;
}

static bool same_raw(struct str file, const struct npm_packument *previous)
{
	XXH128_hash_t hash = XXH3_128bits(file.p + NPM_DOCUMENT_HEADER, file.n - NPM_DOCUMENT_HEADER);
	XXH128_canonical_t canonical;
	char hex[33];

	XXH128_canonicalFromHash(&canonical, hash);
	hex_encode(canonical.digest, sizeof(canonical.digest), hex);
	return str_eq(npm_packument_raw_hash(previous), str_of(hex));
}

/* Header and tail of the mapped download, written behind and in front of it. */
static int complete(int fd, struct str file, const struct npm_build *build, struct arena *a, struct npm_changes *ret_changes,
                    struct err *err)
{
	CLEANUP_BUF struct buf tail = BUF(2 * LIMIT_PACKUMENT_BYTES);
	char header[NPM_DOCUMENT_HEADER];
	int r = npm_packument_build(file, build, a, &tail, header, ret_changes, err);

	if (r < 0)
		return r;
	if (tail.error)
		return err_set(err, tail.error, "the packument is too large to be indexed: %s", err_name(tail.error));
	r = write_at(fd, buf_str(&tail), (off_t)file.n);
	if (r == 0)
		r = write_at(fd, (struct str){header, sizeof(header)}, 0);
	return r < 0 ? err_set(err, r, "cannot write the document: %s", err_name(r)) : 0;
}

int document_make(const char *folder, const char *temporary, int fd, const char *path, const struct npm_build *build, struct arena *a,
                  struct document_made *ret, struct npm_changes *ret_changes, struct err *err)
{
	char full[4096], final[4096];
	struct stat status;
	struct str file = STR_NULL;
	int r;

	*ret = (struct document_made){0};
	full_path(full, sizeof(full), folder, temporary);
	full_path(final, sizeof(final), folder, path);
	/* A document of zero bytes (the package is gone) is all header so far. */
	if (fstat(fd, &status) < 0 || (status.st_size < NPM_DOCUMENT_HEADER && ftruncate(fd, NPM_DOCUMENT_HEADER) < 0))
		r = err_set(err, -errno, "cannot read %s: %s", full, err_name(errno));
	else
		r = file_map(full, &file, err);
	if (r == 0 && build->previous && !build->gone && !build->again && same_raw(file, build->previous)) {
		ret->unchanged = true;
		goto out;
	}
	if (r == 0)
		r = complete(fd, file, build, a, ret_changes, err);
	if (r == 0) {
		ptrdiff_t slash = str_rchr(str_of(final), '/');
		CLEANUP_FREE char *parent = str_dup(str_take(str_of(final), (size_t)slash));

		r = parent ? dir_make(parent, 0700, err) : -ENOMEM;
	}
	if (r == 0 && rename(full, final) < 0)
		r = err_set(err, -errno, "cannot rename %s: %s", full, err_name(errno));
	if (r == 0)
		r = document_open(folder, path, build->name, &ret->document, err);
out:
	file_unmap(file);
	close(fd);
	unlink(full);
	return r;
}

void document_touch(const char *folder, struct document *d, usec now)
{
	char full[4096];
	int64_t checked = htole64((uint64_t)now);

	atomic_store(&d->checked, now);
	full_path(full, sizeof(full), folder, d->path);
	CLEANUP_FD int fd = open(full, O_WRONLY | O_CLOEXEC);

	/* Losing this only means to ask the upstream once more. */
	if (fd >= 0 && pwrite(fd, &checked, sizeof(checked), NPM_DOCUMENT_CHECKED_OFFSET) < 0)
		return;
}
