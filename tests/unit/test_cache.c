#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "gate/cache.h"

static char folder[256];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int make_folder(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/bondgate-cache-XXXXXX", base ? base : "/tmp");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct cache *open_cache(uint64_t max_bytes)
{
	struct cache *c = NULL;
	struct err err = {0};

	if (cache_open(folder, max_bytes, &c, &err) < 0)
		fail_msg("%s", err.text);
	return c;
}

static struct cache_key key_of(enum cache_algorithm algorithm, struct str content)
{
	struct cache_key key = {.algorithm = algorithm};

	EVP_Digest(content.p, content.n, key.hash, NULL,
	           algorithm == CACHE_SHA512 ? EVP_sha512() : algorithm == CACHE_SHA256 ? EVP_sha256() : EVP_sha1(), NULL);
	return key;
}

static int put(struct cache *c, struct str content, const struct cache_key *expected, size_t count, struct cache_key *ret)
{
	struct cache_writer *w;
	int r = cache_begin(c, &w, NULL);

	if (r < 0)
		return r;
	for (struct str rest = content; rest.n && r == 0; rest = str_skip(rest, 1000))
		r = cache_write(w, rest.p, rest.n < 1000 ? rest.n : 1000, NULL);
	if (r == 0)
		return cache_finish(w, expected, count, STR("pkg:npm/a@1 \"x\""), ret, NULL, NULL);
	cache_abandon(w);
	return r;
}

static void put_sized(struct cache *c, size_t n, char fill, struct cache_key *ret)
{
	CLEANUP_FREE char *content = malloc(n);

	memset(content, fill, n);
	assert_int_equal(put(c, (struct str){content, n}, NULL, 0, ret), 0);
}

static void path_of(const struct cache_key *key, char *out, size_t room)
{
	static const char *const names[] = {"sha512", "sha256", "sha1"};
	char hex[2 * CACHE_HASH_MAX + 1];

	hex_encode(key->hash, cache_hash_bytes(key->algorithm), hex);
	snprintf(out, room, "%s/blobs/%s/%.2s/%s", folder, names[key->algorithm], hex, hex);
}

static size_t counted;

static int count_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)st;
	(void)ftw;
	counted += type == FTW_F;
	return 0;
}

static size_t files_in(const char *name)
{
	char path[512];

	counted = 0;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	nftw(path, count_one, 16, FTW_PHYS);
	return counted;
}

/* 0 when the entry is there and holds `content`. */
static int look(struct cache *c, const struct cache_key *key, struct str content)
{
	CLEANUP_FREE char *got = malloc(content.n + 1);
	uint64_t size;
	int fd, r = cache_find(c, key, &fd, &size);

	if (r < 0)
		return r;
	r = size == content.n && read(fd, got, content.n + 1) == (ssize_t)content.n && memcmp(got, content.p, content.n) == 0
	        ? 0
	        : -EIO;
	close(fd);
	return r;
}

static void what_was_put_is_found(void **state)
{
	struct cache *c = open_cache(GIB);
	struct str content = STR("the bytes of an artifact");
	struct cache_key expected[] = {key_of(CACHE_SHA1, content), key_of(CACHE_SHA512, content),
	                               key_of(CACHE_SHA256, content)},
					 key;

	(void)state;
	assert_int_equal(look(c, &expected[1], content), -ENOENT);
	assert_int_equal(put(c, content, expected, 3, &key), 0);
	assert_int_equal(key.algorithm, CACHE_SHA512);
	assert_int_equal(look(c, &key, content), 0);
	assert_int_equal(look(c, &expected[0], content), -ENOENT);
	assert_int_equal(cache_used(c), content.n);
	assert_int_equal(put(c, content, expected, 3, &key), 0);
	assert_int_equal(cache_used(c), content.n);
	assert_int_equal(files_in("tmp"), 0);
	assert_int_equal(cache_remove(c, &key), 0);
	assert_int_equal(look(c, &key, content), -ENOENT);
	assert_int_equal(cache_used(c), 0);
	cache_close(c);
}

static void weaker_hashes_have_their_own_place(void **state)
{
	struct cache *c = open_cache(GIB);
	struct str content = STR("old");

	(void)state;
	for (int a = CACHE_SHA512; a <= CACHE_SHA1; a++) {
		struct cache_key expected = key_of((enum cache_algorithm)a, content), key;

		assert_int_equal(put(c, content, &expected, 1, &key), 0);
		assert_int_equal((int)key.algorithm, a);
		assert_int_equal(look(c, &key, content), 0);
	}
	assert_int_equal(files_in("blobs"), 3);
	cache_close(c);
}

static void the_empty_artifact_is_an_artifact(void **state)
{
	struct cache *c = open_cache(GIB);
	struct cache_key key;

	(void)state;
	assert_int_equal(put(c, STR(""), NULL, 0, &key), 0);
	assert_int_equal(look(c, &key, STR("")), 0);
	cache_close(c);
}

static void a_wrong_hash_goes_to_quarantine_with_a_note(void **state)
{
	struct cache *c = open_cache(GIB);
	struct cache_key expected[] = {key_of(CACHE_SHA512, STR("good")), key_of(CACHE_SHA1, STR("evil"))};
	CLEANUP_BUF struct buf path = BUF(4096);
	struct cache_writer *w;
	struct cache_digests digests = {0};
	struct err err;

	(void)state;
	assert_int_equal(cache_begin(c, &w, &err), 0);
	assert_int_equal(cache_write(w, "evil", 4, &err), 0);
	assert_int_equal(cache_writer_size(w), 4);
	assert_int_equal(cache_finish(w, expected, 2, STR("pkg:npm/a@1"), NULL, &digests, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "quarantine"));
	assert_memory_equal(digests.sha1, expected[1].hash, 20);
	assert_int_equal(files_in("quarantine"), 2);
	assert_int_equal(files_in("blobs"), 0);
	assert_int_equal(files_in("tmp"), 0);
	assert_int_equal(look(c, &expected[0], STR("good")), -ENOENT);
	for (size_t i = 0; i < LIMIT_QUARANTINE_FILES + 10; i++)
		assert_int_equal(put(c, STR("evil"), expected, 1, NULL), -EBADMSG);
	assert_int_equal(files_in("quarantine"), 2 * LIMIT_QUARANTINE_FILES);
	cache_close(c);
}

static void quarantine_also_takes_what_matches(void **state)
{
	struct cache *c = open_cache(GIB);
	struct cache_writer *w;

	(void)state;
	assert_int_equal(cache_begin(c, &w, NULL), 0);
	assert_int_equal(cache_write(w, "evil", 4, NULL), 0);
	assert_int_equal(cache_quarantine(w, STR("pkg:npm/a@1"), STR("manifest-mismatch"), NULL), 0);
	assert_int_equal(files_in("quarantine"), 2);
	assert_int_equal(files_in("tmp"), 0);
	cache_close(c);
}

static void damage(const struct cache_key *key, bool truncate_it)
{
	char path[600];
	int fd;

	path_of(key, path, sizeof(path));
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(truncate_it ? ftruncate(fd, 3) : (int)pwrite(fd, "X", 1, 2) - 1, 0);
	close(fd);
}

static void a_new_process_hashes_before_it_serves(void **state)
{
	struct str content = STR("the bytes of an artifact");
	struct cache *c;
	struct cache_key key;

	(void)state;
	for (int i = 0; i < 3; i++) {
		c = open_cache(GIB);
		assert_int_equal(put(c, content, NULL, 0, &key), 0);
		cache_close(c);
		if (i)
			damage(&key, i == 1);
		c = open_cache(GIB);
		assert_int_equal(look(c, &key, content), -EAGAIN);
		assert_int_equal(cache_verify(c, &key, NULL), i ? -ENOENT : 0);
		assert_int_equal(look(c, &key, content), i ? -ENOENT : 0);
		assert_int_equal(cache_verify(c, &key, NULL), i ? -ENOENT : 0);
		assert_int_equal(files_in("blobs"), i ? 0 : 1);
		cache_close(c);
	}
}

static void one_process_at_a_time(void **state)
{
	struct cache *c = open_cache(GIB), *second;
	struct err err;

	(void)state;
	assert_int_equal(cache_open(folder, GIB, &second, &err), -EBUSY);
	assert_non_null(strstr(err.text, "another process"));
	cache_close(c);
	cache_close(open_cache(GIB));
}

static void leftovers_are_removed_on_opening(void **state)
{
	struct cache *c = open_cache(GIB);
	char path[512];

	(void)state;
	cache_close(c);
	snprintf(path, sizeof(path), "%s/tmp/99-1.part", folder);
	assert_int_equal(file_replace(path, STR("half"), 0600, NULL), 0);
	cache_close(open_cache(GIB));
	assert_int_equal(files_in("tmp"), 0);
}

static void set_age(const struct cache_key *key, int64_t seconds)
{
	struct timespec times[2] = {{.tv_sec = time(NULL) - seconds}, {.tv_sec = time(NULL) - seconds}};
	char path[600];

	path_of(key, path, sizeof(path));
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool keeps(void *arg, const struct cache_key *key)
{
	return memcmp(((const struct cache_key *)arg)->hash, key->hash, 64) == 0;
}

static void the_longest_unused_go_first_and_kept_ones_stay(void **state)
{
	struct cache *c = open_cache(50000);
	struct cache_key keys[8];
	uint64_t size;
	int fd;

	(void)state;
	assert_true(cache_is_over(c));
	for (int i = 0; i < 8; i++) {
		put_sized(c, 10000, (char)('a' + i), &keys[i]);
		set_age(&keys[i], 100000 - 1000 * i);
		/* A file that somebody has changed is hashed again. */
		assert_int_equal(cache_find(c, &keys[i], &fd, &size), -EAGAIN);
		assert_int_equal(cache_verify(c, &keys[i], NULL), 0);
	}
	assert_int_equal(cache_find(c, &keys[0], &fd, &size), 0); /* used just now */
	close(fd);
	assert_int_equal(cache_trim(c, keeps, &keys[2], NULL), 0);
	assert_false(cache_is_over(c));
	assert_int_equal(cache_used(c), 40000);
	for (int i = 0; i < 8; i++)
		assert_int_equal(cache_find(c, &keys[i], &fd, &size) == 0 ? close(fd) : -1, i == 0 || i == 2 || i >= 6 ? 0 : -1);
	cache_close(c);
	c = open_cache(50000);
	assert_int_equal(cache_used(c), 0);
	assert_int_equal(cache_trim(c, NULL, NULL, NULL), 0);
	assert_int_equal(cache_used(c), 40000);
	cache_close(c);
}

/* Runs in a child, so that neither the mount nor the limit outlives it. Ends with 0 when the cache behaves. */
static int on_a_full_disk(bool use_mount)
{
	CLEANUP_FREE char *content = calloc(1, 3 * MIB);
	struct cache_key key;
	struct cache *c;
	int expected = use_mount ? -ENOSPC : -EFBIG;

	if (use_mount && (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	                  mount("tmpfs", folder, "tmpfs", 0, "size=2m") < 0))
		return 77;
	if (cache_open(folder, GIB, &c, NULL) < 0)
		return 1;
	if (!use_mount) {
		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &(struct rlimit){2 * MIB, 2 * MIB}) < 0)
			return 2;
	}
	if (put(c, (struct str){content, MIB}, NULL, 0, &key) != 0)
		return 3;
	for (int i = 0; i < 3; i++)
		if (put(c, (struct str){content, 3 * MIB}, NULL, 0, NULL) != expected)
			return 4;
	if (files_in("tmp") != 0 || files_in("blobs") != 1 || look(c, &key, (struct str){content, MIB}) != 0)
		return 5;
	if (put(c, STR("small"), NULL, 0, &key) != 0)
		return 6;
	cache_close(c);
	return 0;
}

static void a_full_disk_is_an_error_and_leaves_nothing(void **state)
{
	(void)state;
	for (int use_mount = 0; use_mount < 2; use_mount++) {
		int status;
		pid_t child = fork();

		if (child == 0)
			_exit(on_a_full_disk(use_mount));
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == 77)
			print_message("no right to mount a tmpfs: only the limit on file sizes was tried\n");
		else if (WEXITSTATUS(status) != 0)
			fail_msg("%s: step %d", use_mount ? "tmpfs" : "RLIMIT_FSIZE", WEXITSTATUS(status));
	}
}

static struct str numbered(char *room, unsigned serial)
{
	size_t n = 100 + serial * 7919 % 60000;

	for (size_t i = 0; i < n; i++)
		room[i] = (char)(serial + i * (serial | 1) % 253);
	return (struct str){room, n};
}

/* Writes entry after entry and says each one's number when the cache has it; every fifth has a wrong hash. */
static void write_until_killed(unsigned serial, int report)
{
	static char room[65536];
	struct cache_key wrong = key_of(CACHE_SHA512, STR("wrong"));
	struct cache *c;

	if (cache_open(folder, GIB, &c, NULL) < 0)
		_exit(1);
	for (;; serial++) {
		bool bad = serial % 5 == 0;
		int r = put(c, numbered(room, serial), &wrong, bad, NULL);

		if (r != (bad ? -EBADMSG : 0))
			_exit(2);
		if (!bad && write(report, &serial, sizeof(serial)) != sizeof(serial))
			_exit(3);
	}
}

static unsigned bad_blobs;

static int check_blob(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	CLEANUP_BUF struct buf content = BUF(MIB);
	char hex[129];
	struct cache_key key;

	(void)st;
	if (type != FTW_F)
		return 0;
	if (file_read(path, &content, NULL) < 0)
		return -1;
	key = key_of(CACHE_SHA512, buf_str(&content));
	hex_encode(key.hash, 64, hex);
	bad_blobs += strcmp(path + ftw->base, hex) != 0;
	return 0;
}

/* All that the child acknowledged is there and whole, and there is nothing that is not whole. */
static unsigned check_after_kill(int reports, unsigned serial)
{
	static char room[65536];
	char blobs[512];
	struct cache *c = open_cache(GIB);
	unsigned acknowledged;

	while (read(reports, &acknowledged, sizeof(acknowledged)) == sizeof(acknowledged)) {
		struct cache_key key = key_of(CACHE_SHA512, numbered(room, acknowledged));

		assert_int_equal(cache_verify(c, &key, NULL), 0);
		assert_int_equal(cache_remove(c, &key), 0);
		serial = acknowledged + 1;
	}
	bad_blobs = 0;
	snprintf(blobs, sizeof(blobs), "%s/blobs", folder);
	assert_int_equal(nftw(blobs, check_blob, 16, FTW_PHYS), 0);
	assert_int_equal(bad_blobs, 0);
	assert_int_equal(files_in("tmp"), 0);
	assert_true(files_in("quarantine") <= 2 * LIMIT_QUARANTINE_FILES);
	cache_close(c);
	return serial;
}

static void two_hundred_kills_leave_only_whole_entries(void **state)
{
	unsigned serial = 1;

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct timespec life = {.tv_nsec = 500000 + (long)(i * 7919 % 97) * 100000};
		int pipes[2];
		pid_t child;

		assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
		child = fork();
		if (child == 0)
			write_until_killed(serial, pipes[1]);
		close(pipes[1]);
		nanosleep(&life, NULL);
		kill(child, SIGKILL);
		{
			int status;

			assert_int_equal(waitpid(child, &status, 0), child);
			assert_true(WIFSIGNALED(status));
		}
		serial = check_after_kill(pipes[0], serial);
		close(pipes[0]);
	}
	print_message("%u entries written across 200 kills\n", serial);
	assert_true(serial > 1);
}

struct crowd {
	struct cache *cache;
	unsigned from;
	int failures;
};

static void *put_and_find(void *arg)
{
	struct crowd *crowd = arg;
	CLEANUP_FREE char *room = malloc(65536);

	for (unsigned i = 0; i < 100; i++) {
		struct str content = numbered(room, crowd->from + i);
		struct cache_key key;
		int r = put(crowd->cache, content, NULL, 0, &key);

		if (r == 0)
			r = look(crowd->cache, &key, content);
		/* Another thread may evict it at any moment, or be about to. */
		if (r == -EAGAIN && (r = cache_verify(crowd->cache, &key, NULL)) == 0)
			r = look(crowd->cache, &key, content);
		crowd->failures += r != 0 && r != -ENOENT && r != -EAGAIN;
		if (i % 10 == 0)
			cache_trim(crowd->cache, NULL, NULL, NULL);
	}
	return NULL;
}

static void threads_share_it(void **state)
{
	struct crowd crowds[4];
	pthread_t threads[4];
	struct cache *c = open_cache(2 * MIB);

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		crowds[i] = (struct crowd){.cache = c, .from = i / 2 * 50};
		assert_int_equal(pthread_create(&threads[i], NULL, put_and_find, &crowds[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(crowds[i].failures, 0);
	}
	assert_int_equal(cache_trim(c, NULL, NULL, NULL), 0);
	assert_true(cache_used(c) <= 2 * MIB);
	cache_close(c);
}

static void keys_are_parsed(void **state)
{
	static const struct {
		const char *algorithm, *hex;
		int result;
	} cases[] = {
		{"sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709", 0},
		{"sha1", "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709", 0},
		{"sha1", "da39a3ee5e6b4b0d3255bfef95601890afd8070", -EINVAL},
		{"sha1", "../../../../etc/passwd0000000000000000000", -EINVAL},
		{"sha256", "da39a3ee5e6b4b0d3255bfef95601890afd80709", -EINVAL},
		{"md5", "d41d8cd98f00b204e9800998ecf8427e", -EINVAL},
	};
	struct cache_key key;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(cache_key_parse(str_of(cases[i].algorithm), str_of(cases[i].hex), &key), cases[i].result);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_parsed),
		IN_FOLDER(what_was_put_is_found),
		IN_FOLDER(weaker_hashes_have_their_own_place),
		IN_FOLDER(the_empty_artifact_is_an_artifact),
		IN_FOLDER(a_wrong_hash_goes_to_quarantine_with_a_note),
		IN_FOLDER(quarantine_also_takes_what_matches),
		IN_FOLDER(a_new_process_hashes_before_it_serves),
		IN_FOLDER(one_process_at_a_time),
		IN_FOLDER(leftovers_are_removed_on_opening),
		IN_FOLDER(the_longest_unused_go_first_and_kept_ones_stay),
		IN_FOLDER(a_full_disk_is_an_error_and_leaves_nothing),
		IN_FOLDER(threads_share_it),
		IN_FOLDER(two_hundred_kills_leave_only_whole_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
