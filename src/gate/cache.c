#include "gate/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/limits.h"
#include "gate/cache_internal.h"

enum {
	VERIFIED_MAX = 65536, /* entries remembered as verified; past it all are forgotten and hashed once more */
	VERIFIED_KEY = 17,    /* algorithm and 128 bits of the hash */
	TOUCH_AFTER = 3600,   /* seconds: the time of last use need not be finer, and a write per read would be wasteful */
};

static const struct {
	const char *name;
	size_t bytes;
} algorithms[] = {
	[CACHE_SHA512] = {"sha512", 64},
	[CACHE_SHA256] = {"sha256", 32},
	[CACHE_SHA1] = {"sha1", 20},
};

size_t cache_hash_bytes(enum cache_algorithm algorithm)
{
	return algorithms[algorithm].bytes;
}

const char *cache_algorithm_name(enum cache_algorithm algorithm)
{
	return algorithms[algorithm].name;
}

const EVP_MD *cache_evp(enum cache_algorithm algorithm)
{
	return algorithm == CACHE_SHA512 ? EVP_sha512() : algorithm == CACHE_SHA256 ? EVP_sha256() : EVP_sha1();
}

int cache_key_parse(struct str algorithm, struct str hex, struct cache_key *ret)
{
	struct cache_key key = {0};

	for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++) {
		if (!str_eq(algorithm, str_of(algorithms[i].name)))
			continue;
		key.algorithm = (enum cache_algorithm)i;
		if (hex_decode(hex, key.hash, algorithms[i].bytes) < 0)
			return -EINVAL;
		*ret = key;
		return 0;
	}
	return -EINVAL;
}

void cache_path(const struct cache_key *key, char out[CACHE_PATH])
{
	char hex[2 * CACHE_HASH_MAX + 1];

	hex_encode(key->hash, cache_hash_bytes(key->algorithm), hex);
	snprintf(out, CACHE_PATH, "blobs/%s/%.2s/%s", cache_algorithm_name(key->algorithm), hex, hex);
}

/* --- opening --- */

static int make_folders(const char *dir, struct err *err)
{
	static const char *const folders[] = {"tmp", "quarantine", "blobs/sha512", "blobs/sha256", "blobs/sha1"};

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		CLEANUP_BUF struct buf path = BUF(8192);
		int r;

		buf_printf(&path, "%s/%s", dir, folders[i]);
		if (path.error)
			return err_set(err, -ENAMETOOLONG, "the path of the cache is too long");
		r = dir_make(buf_cstr(&path), 0700, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static void empty_folder(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);

	if (!folder) {
		cleanup_fd(&fd);
		return;
	}
	for (struct dirent *entry; (entry = readdir(folder));)
		if (entry->d_name[0] != '.')
			unlinkat(fd, entry->d_name, 0);
	closedir(folder);
}

int cache_open(const char *dir, uint64_t max_bytes, struct cache **ret, struct err *err)
{
	CLEANUP_FD int fd = -1, lock = -1;
	struct cache *c;
	int r = make_folders(dir, err);

	if (r < 0)
		return r;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, "cannot open the cache %s: %s", dir, err_name(errno));
	lock = openat(fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0)
		return err_set(err, -errno, "cannot create %s/lock: %s", dir, err_name(errno));
	if (flock(lock, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, errno == EWOULDBLOCK ? -EBUSY : -errno,
		               "the cache %s is in use by another process; stop it, or give this one a folder of its own", dir);
	empty_folder(fd, "tmp");
	c = calloc(1, sizeof(*c));
	if (!c)
		return err_set(err, -ENOMEM, "memory is out");
	pthread_mutex_init(&c->mutex, NULL);
	c->dir = fd;
	c->lock = lock;
	c->max_bytes = max_bytes;
	fd = lock = -1;
	*ret = c;
	return 0;
}

static void forget_all(struct cache *c)
{
	struct str key;
	void *value;

	for (size_t i = 0; map_next(&c->verified, &i, &key, &value);)
		free(value);
	map_free(&c->verified);
	c->verified = MAP_EMPTY;
}

void cache_close(struct cache *c)
{
	if (!c)
		return;
	forget_all(c);
	pthread_mutex_destroy(&c->mutex);
	close(c->dir);
	close(c->lock);
	free(c);
}

/* --- what was verified in this process --- */

struct verified {
	char key[VERIFIED_KEY];
	struct stat file; /* as it was then */
};

static void verified_key(const struct cache_key *key, char out[VERIFIED_KEY])
{
	out[0] = (char)key->algorithm;
	memcpy(out + 1, key->hash, VERIFIED_KEY - 1);
}

void cache_mark_verified(struct cache *c, const struct cache_key *key, const struct stat *file)
{
	struct verified *entry = calloc(1, sizeof(*entry));
	struct str name;

	if (!entry)
		return; /* then it is hashed once more */
	verified_key(key, entry->key);
	name = (struct str){entry->key, VERIFIED_KEY};
	if (file)
		entry->file = *file;
	pthread_mutex_lock(&c->mutex);
	free(map_remove(&c->verified, name));
	if (file && c->verified.used >= VERIFIED_MAX)
		forget_all(c);
	if (file && map_put(&c->verified, name, entry) == 0)
		entry = NULL;
	pthread_mutex_unlock(&c->mutex);
	free(entry);
}

/* Verified, and neither replaced nor written to since. */
static bool is_verified(struct cache *c, const struct cache_key *key, const struct stat *now)
{
	char name[VERIFIED_KEY];
	const struct verified *v;
	bool same;

	verified_key(key, name);
	pthread_mutex_lock(&c->mutex);
	v = map_get(&c->verified, (struct str){name, VERIFIED_KEY});
	same = v && v->file.st_dev == now->st_dev && v->file.st_ino == now->st_ino && v->file.st_size == now->st_size &&
	       v->file.st_ctim.tv_sec == now->st_ctim.tv_sec && v->file.st_ctim.tv_nsec == now->st_ctim.tv_nsec;
	pthread_mutex_unlock(&c->mutex);
	return same;
}

/* --- reading --- */

int cache_hash_fd(int fd, enum cache_algorithm algorithm, uint8_t out[CACHE_HASH_MAX])
{
	CLEANUP_FREE char *chunk = malloc(256 * KIB);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	off_t at = 0;
	int r = chunk && md && EVP_DigestInit_ex(md, cache_evp(algorithm), NULL) == 1 ? 0 : -ENOMEM;

	while (r == 0) {
		ssize_t n = pread(fd, chunk, 256 * KIB, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = -errno;
		if (n <= 0)
			break;
		at += n;
		if (EVP_DigestUpdate(md, chunk, (size_t)n) != 1)
			r = -ENOMEM;
	}
	if (r == 0 && EVP_DigestFinal_ex(md, out, NULL) != 1)
		r = -ENOMEM;
	EVP_MD_CTX_free(md);
	return r;
}

static int open_entry(struct cache *c, const struct cache_key *key, struct stat *ret_stat)
{
	char path[CACHE_PATH];
	int fd, r;

	cache_path(key, path);
	fd = openat(c->dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	r = fstat(fd, ret_stat) < 0 ? -errno : S_ISREG(ret_stat->st_mode) ? 0 : -ENOENT;
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

int cache_find(struct cache *c, const struct cache_key *key, int *ret_fd, uint64_t *ret_size)
{
	const struct timespec now[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_NOW}};
	struct stat st;
	int fd = open_entry(c, key, &st);

	if (fd < 0)
		return fd;
	if (!is_verified(c, key, &st)) {
		close(fd);
		return -EAGAIN;
	}
	if (time(NULL) - st.st_mtime > TOUCH_AFTER || st.st_mtime > time(NULL)) {
		if (futimens(fd, now) == 0 && fstat(fd, &st) == 0)
			cache_mark_verified(c, key, &st);
	}
	*ret_fd = fd;
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

int cache_verify(struct cache *c, const struct cache_key *key, struct err *err)
{
	uint8_t hash[CACHE_HASH_MAX];
	struct stat st;
	CLEANUP_FD int fd = open_entry(c, key, &st);
	int r;

	if (fd < 0)
		return err_set(err, fd, "the cache cannot open an entry: %s", err_name(fd));
	r = cache_hash_fd(fd, key->algorithm, hash);
	if (r < 0)
		return err_set(err, r, "the cache cannot read an entry: %s", err_name(r));
	if (memcmp(hash, key->hash, cache_hash_bytes(key->algorithm)) != 0) {
		cache_remove(c, key);
		return err_set(err, -ENOENT, "an entry of the cache was damaged on disk and is removed; it is fetched anew");
	}
	cache_mark_verified(c, key, &st);
	return 0;
}

int cache_remove(struct cache *c, const struct cache_key *key)
{
	char path[CACHE_PATH];
	struct stat st;

	cache_path(key, path);
	cache_mark_verified(c, key, NULL);
	if (fstatat(c->dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || unlinkat(c->dir, path, 0) < 0)
		return -errno;
	c->used -= st.st_size;
	return 0;
}

uint64_t cache_used(const struct cache *c)
{
	int64_t used = c->used;

	return used > 0 ? (uint64_t)used : 0;
}

bool cache_is_over(const struct cache *c)
{
	return !c->counted || cache_used(c) > c->max_bytes;
}
