#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/time.h"
#include "gate/cache_internal.h"

enum { TEMPORARY_NAME = 64 };

struct cache_writer {
	struct cache *cache;
	int fd;
	uint64_t size;
	int error; /* the first failure, sticky */
	EVP_MD_CTX *sha512, *sha1;
	char name[TEMPORARY_NAME]; /* "tmp/…" */
};

int cache_begin(struct cache *c, struct cache_writer **ret, struct err *err)
{
	struct cache_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return err_set(err, -ENOMEM, "memory is out");
	w->cache = c;
	w->fd = -1;
	w->sha512 = EVP_MD_CTX_new();
	w->sha1 = EVP_MD_CTX_new();
	if (!w->sha512 || !w->sha1 || EVP_DigestInit_ex(w->sha512, EVP_sha512(), NULL) != 1 ||
	    EVP_DigestInit_ex(w->sha1, EVP_sha1(), NULL) != 1) {
		cache_abandon(w);
		return err_set(err, -ENOMEM, "memory is out");
	}
	snprintf(w->name, sizeof(w->name), "tmp/%d-%u.part", (int)getpid(), c->serial++);
	w->fd = openat(c->dir, w->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (w->fd < 0) {
		int r = -errno;

		cache_abandon(w);
		return err_set(err, r, "the cache cannot create a file: %s", err_name(r));
	}
	*ret = w;
	return 0;
}

int cache_write(struct cache_writer *w, const void *bytes, size_t n, struct err *err)
{
	const char *p = bytes;

	if (w->error)
		return err_set(err, w->error, "the cache cannot write: %s", err_name(w->error));
	if (n > LIMIT_ARTIFACT_BYTES - w->size)
		return err_set(err, w->error = -EFBIG, "the artifact is larger than the %zu bytes allowed", LIMIT_ARTIFACT_BYTES);
	if (EVP_DigestUpdate(w->sha512, bytes, n) != 1 || EVP_DigestUpdate(w->sha1, bytes, n) != 1)
		return err_set(err, w->error = -ENOMEM, "the artifact cannot be hashed");
	while (n) {
		ssize_t written = write(w->fd, p, n);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return err_set(err, w->error = -errno, "the cache cannot write: %s; make room on its disk", err_name(errno));
		p += written;
		n -= (size_t)written;
		w->size += (size_t)written;
	}
	return 0;
}

int cache_writer_fd(const struct cache_writer *w)
{
	return w->fd;
}

uint64_t cache_writer_size(const struct cache_writer *w)
{
	return w->size;
}

/* The name in tmp/ goes only if it is still there: after a rename there is nothing to remove. */
static void writer_free(struct cache_writer *w)
{
	if (w->fd >= 0)
		close(w->fd);
	EVP_MD_CTX_free(w->sha512);
	EVP_MD_CTX_free(w->sha1);
	free(w);
}

void cache_abandon(struct cache_writer *w)
{
	if (!w)
		return;
	if (w->fd >= 0)
		unlinkat(w->cache->dir, w->name, 0);
	writer_free(w);
}

/* Printable ASCII only, so that the note is JSON whatever a stranger's URL holds. */
static void add_quoted(struct buf *b, struct str text)
{
	buf_add_char(b, '"');
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c == '"' || c == '\\')
			buf_add_char(b, '\\');
		buf_add_char(b, c < 0x20 || c > 0x7e ? '?' : (char)c);
	}
	buf_add_char(b, '"');
}

static void add_hash(struct buf *b, const char *name, const uint8_t *hash, size_t n)
{
	char hex[2 * CACHE_HASH_MAX + 1];

	hex_encode(hash, n, hex);
	buf_printf(b, "\"%s\": \"%s\"", name, hex);
}

static void make_note(struct buf *b, const struct cache_digests *digests, const struct cache_key *expected, size_t count, struct str about,
                      struct str reason)
{
	char now[TIME_TEXT];

	time_format_utc(time_now(), now);
	buf_printf(b, "{\n  \"time\": \"%s\",\n  \"about\": ", now);
	add_quoted(b, str_take(about, 4096));
	buf_add_str(b, STR(",\n  \"reason\": "));
	add_quoted(b, str_take(reason, 4096));
	buf_printf(b, ",\n  \"size\": %llu,\n  \"came\": {", (unsigned long long)digests->size);
	add_hash(b, "sha512", digests->sha512, 64);
	buf_add_str(b, STR(", "));
	add_hash(b, "sha1", digests->sha1, 20);
	buf_add_str(b, STR("},\n  \"expected\": {"));
	for (size_t i = 0; i < count && i < 8; i++) {
		if (i)
			buf_add_str(b, STR(", "));
		add_hash(b, cache_algorithm_name(expected[i].algorithm), expected[i].hash, cache_hash_bytes(expected[i].algorithm));
	}
	buf_add_str(b, STR("}\n}\n"));
}

/* The note comes first: a blob without one would say nothing. Neither need be durable. */
static int move_aside(struct cache_writer *w, struct str note)
{
	struct cache *c = w->cache;
	char stem[64], blob[80], beside[80];
	int fd, r = 0;

	snprintf(stem, sizeof(stem), "quarantine/%016llx-%d-%u", (unsigned long long)time_now(), (int)getpid(), c->serial++);
	snprintf(blob, sizeof(blob), "%s.blob", stem);
	snprintf(beside, sizeof(beside), "%s.json", stem);
	pthread_mutex_lock(&c->mutex);
	cache_quarantine_make_room(c, w->size);
	fd = openat(c->dir, beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, note.p, note.n) != (ssize_t)note.n)
		r = errno ? -errno : -ENOSPC;
	cleanup_fd(&fd);
	if (r == 0 && renameat(c->dir, w->name, c->dir, blob) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(c->dir, beside, 0);
	pthread_mutex_unlock(&c->mutex);
	return r;
}

static int quarantine(struct cache_writer *w, const struct cache_digests *digests, const struct cache_key *expected, size_t count,
                      struct str about, struct str reason)
{
	CLEANUP_BUF struct buf note = BUF(64 * KIB);

	make_note(&note, digests, expected, count, about, reason);
	return note.error ? note.error : move_aside(w, buf_str(&note));
}

static int digest(struct cache_writer *w, struct cache_digests *ret, struct err *err)
{
	ret->size = w->size;
	if (w->error)
		return err_set(err, w->error, "the cache cannot write: %s", err_name(w->error));
	if (EVP_DigestFinal_ex(w->sha512, ret->sha512, NULL) != 1 || EVP_DigestFinal_ex(w->sha1, ret->sha1, NULL) != 1)
		return err_set(err, -ENOMEM, "the artifact cannot be hashed");
	return 0;
}

/* 0 the same, -EBADMSG another, or why it cannot be told. SHA-256 is rare enough to be taken from the file afterwards. */
static int compare(struct cache_writer *w, const struct cache_digests *digests, const struct cache_key *expected)
{
	uint8_t sha256[CACHE_HASH_MAX];
	const uint8_t *came = expected->algorithm == CACHE_SHA512 ? digests->sha512
	                      : expected->algorithm == CACHE_SHA1 ? digests->sha1
	                                                          : sha256;
	int r = came == sha256 ? cache_hash_fd(w->fd, CACHE_SHA256, sha256) : 0;

	if (r < 0)
		return r;
	return memcmp(came, expected->hash, cache_hash_bytes(expected->algorithm)) == 0 ? 0 : -EBADMSG;
}

static int put_in_place(struct cache_writer *w, const struct cache_key *key, struct err *err)
{
	struct cache *c = w->cache;
	struct stat old, fresh;
	char path[CACHE_PATH];
	bool replaced;
	int r;

	cache_path(key, path);
	if (fdatasync(w->fd) < 0)
		return err_set(err, -errno, "the cache cannot make a file durable: %s; make room on its disk", err_name(errno));
	replaced = fstatat(c->dir, path, &old, AT_SYMLINK_NOFOLLOW) == 0;
	r = renameat(c->dir, w->name, c->dir, path) < 0 ? -errno : 0;
	if (r == -ENOENT) {
		char folder[CACHE_PATH];

		snprintf(folder, sizeof(folder), "%.*s", (int)str_rchr(str_of(path), '/'), path);
		mkdirat(c->dir, folder, 0700);
		r = renameat(c->dir, w->name, c->dir, path) < 0 ? -errno : 0;
	}
	if (r < 0)
		return err_set(err, r, "the cache cannot name a file: %s", err_name(r));
	c->used += (int64_t)w->size - (replaced ? old.st_size : 0);
	cache_mark_verified(c, key, fstat(w->fd, &fresh) == 0 ? &fresh : NULL);
	return 0;
}

int cache_finish(struct cache_writer *w, const struct cache_key *expected, size_t count, struct str about, struct cache_key *ret_key,
                 struct cache_digests *ret_digests, struct err *err)
{
	struct cache_digests digests;
	struct cache_key key = {.algorithm = CACHE_SHA512};
	int r = digest(w, &digests, err), kept;

	memcpy(key.hash, digests.sha512, 64);
	for (size_t i = 0; i < count && r == 0; i++) {
		r = compare(w, &digests, &expected[i]);
		if (i == 0 || expected[i].algorithm < key.algorithm)
			key = expected[i];
		if (r < 0 && r != -EBADMSG)
			err_set(err, r, "the artifact cannot be read back: %s", err_name(r));
	}
	if (r == 0 || r == -EBADMSG) {
		if (ret_digests)
			*ret_digests = digests;
	}
	if (r == -EBADMSG) {
		kept = quarantine(w, &digests, expected, count, about, STR("hash"));
		err_set(err, r, "the bytes that came do not have the hash that was promised%s", kept == 0 ? "; they are kept in quarantine" : "");
	}
	if (r == 0)
		r = put_in_place(w, &key, err);
	if (r == 0 && ret_key)
		*ret_key = key;
	cache_abandon(w);
	return r;
}

int cache_quarantine(struct cache_writer *w, struct str about, struct str reason, struct err *err)
{
	struct cache_digests digests;
	int r = digest(w, &digests, err);

	if (r == 0) {
		r = quarantine(w, &digests, NULL, 0, about, reason);
		if (r < 0)
			err_set(err, r, "the artifact cannot be kept in quarantine: %s", err_name(r));
	}
	cache_abandon(w);
	return r;
}
