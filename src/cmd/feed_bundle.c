/* bondgate feed bundle: the index as one signed file. */
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "base/limits.h"
#include "cmd/feed.h"
#include "cmd/key_file.h"
#include "cmd/options.h"

enum { PIECE = 1 << 20 };

/* gzip, written beside: a bundle that is there half is none. */
static int compress_to(const char *path, struct str bytes, struct err *err)
{
	gzFile f = gzopen(path, "wbe6");
	int code;

	if (!f)
		return err_set(err, -errno, "cannot create %s: %s", path, err_name(-errno));
	while (bytes.n) {
		struct str piece = str_take(bytes, PIECE);

		if (gzwrite(f, piece.p, (unsigned)piece.n) != (int)piece.n) {
			err_set(err, -EIO, "cannot write %s: %s", path, gzerror(f, &code));
			gzclose(f);
			return -EIO;
		}
		bytes = str_skip(bytes, piece.n);
	}
	return gzclose(f) == Z_OK ? 0 : err_set(err, -EIO, "cannot write %s", path);
}

static int describe(const char *index, char *out, size_t room, size_t *ret_records, struct err *err)
{
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct advisories_status status;
	struct advisories *all;
	char time[TIME_TEXT];
	int r = a ? advisories_open(index, &all, err) : err_set(err, -ENOMEM, "no memory");

	if (r < 0)
		return r;
	r = advisories_verify(all, err);
	r = r < 0 ? r : advisories_status(all, a, &status, err);
	if (r == 0) {
		time_format_utc(status.built, time);
		snprintf(out, room, "bondgate advisories: %zu records, built %s, digest %016llx", status.records, time,
		         (unsigned long long)status.digest);
		*ret_records = status.records;
	}
	advisories_unref(all);
	return r;
}

static int sign(const struct minisign_secret *key, const char *part, const char *path, struct str comment, struct err *err)
{
	CLEANUP_BUF struct buf signature = BUF(16 * KIB), beside = BUF(4096);
	struct str mapped;
	int r = file_map(part, &mapped, err);

	if (r < 0)
		return r;
	r = minisign_sign(key, mapped, comment, &signature, err);
	file_unmap(mapped);
	buf_printf(&beside, "%s.minisig", path);
	if (r == 0 && beside.error)
		r = err_set(err, beside.error, "the path %s is too long", path);
	return r < 0 ? r : file_replace(buf_cstr(&beside), buf_str(&signature), 0644, err);
}

/* The signature comes into place first: a bundle without one is refused, a signature without its bundle harms nobody. */
static int write_bundle(const struct feed_options *o, const char *path, size_t *ret_records, struct err *err)
{
	struct minisign_secret key;
	struct str index;
	char comment[200], part[4096];
	int r = describe(o->index, comment, sizeof(comment), ret_records, err);

	if (r == 0 && snprintf(part, sizeof(part), "%s.part", path) >= (int)sizeof(part))
		r = err_set(err, -ENAMETOOLONG, "the path %s is too long", path);
	r = r < 0 ? r : key_file_secret(o->sign, &key, err);
	if (r < 0)
		return r;
	r = file_map(o->index, &index, err);
	if (r == 0) {
		r = compress_to(part, index, err);
		file_unmap(index);
	}
	r = r < 0 ? r : sign(&key, part, path, str_of(comment), err);
	if (r == 0 && rename(part, path) < 0)
		r = err_set(err, -errno, "cannot write %s: %s", path, err_name(-errno));
	if (r < 0)
		unlink(part);
	minisign_secret_forget(&key);
	return r;
}

int feed_bundle(const struct feed_options *o, int count, char **words)
{
	struct err err = {0};
	size_t records = 0;

	(void)count;
	if (!o->sign) {
		fprintf(stderr, "bondgate: feed bundle needs --sign FILE, a secret key (bondgate keys generate NAME makes one)\n");
		return EXIT_USAGE;
	}
	if (write_bundle(o, words[0], &records, &err) < 0) {
		fprintf(stderr, "bondgate: %s\n", err.text);
		return EXIT_CANNOT;
	}
	if (!o->quiet)
		printf("%s: %zu records, signed in %s.minisig\n", words[0], records, words[0]);
	return EXIT_NOTHING;
}
