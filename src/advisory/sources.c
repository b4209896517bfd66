#include "advisory/sources.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"

enum { FOLDER_DEPTH = 32, PATH_BYTES = 4096 };

static void tell(const struct sources *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void tell(const struct sources *s, const char *format, ...)
{
	char text[PATH_BYTES + 256];
	va_list args;

	if (!s->problem)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	s->problem(s->arg, text);
}

static bool is_wanted(struct str name)
{
	ptrdiff_t slash = str_rchr(name, '/');
	struct str last = slash < 0 ? name : str_skip(name, (size_t)slash + 1);

	return last.n && last.p[0] != '.' && str_ends(last, STR(".json"));
}

/* ---- archives ---- */

static void archive_done(struct archive **a)
{
	if (*a)
		archive_read_free(*a);
}

/* One entry's content into `text`. Negative: this entry is told and left out. */
static int read_entry(struct archive *a, struct buf *text)
{
	buf_clear(text);
	for (;;) {
		char *room = buf_reserve(text, 64 * KIB);
		la_ssize_t n = room ? archive_read_data(a, room, 64 * KIB) : 0;

		if (!room)
			return -EFBIG;
		if (n == ARCHIVE_RETRY)
			continue;
		if (n < 0)
			return -EIO;
		if (n == 0)
			return 0;
		text->n += (size_t)n;
	}
}

static int read_archive(const char *path, uint64_t bytes, const struct sources *s, struct err *err)
{
	CLEANUP(archive_done) struct archive *a = archive_read_new();
	CLEANUP_BUF struct buf text = BUF(LIMIT_ADVISORY_FILE_BYTES);
	uint64_t unpacked = 0;
	struct archive_entry *entry;
	int r;

	if (!a)
		return err_set(err, -ENOMEM, "no memory");
	archive_read_support_format_zip(a);
	archive_read_support_format_tar(a);
	archive_read_support_filter_gzip(a);
	if (archive_read_open_filename(a, path, 256 * KIB) != ARCHIVE_OK)
		return err_set(err, -EBADMSG, "cannot read %s: %s", path, archive_error_string(a));
	while ((r = archive_read_next_header(a, &entry)) == ARCHIVE_OK || r == ARCHIVE_WARN || r == ARCHIVE_RETRY) {
		const char *name = r == ARCHIVE_RETRY ? NULL : archive_entry_pathname(entry);
		char where[PATH_BYTES];
		int got;

		if (!name || archive_entry_filetype(entry) != AE_IFREG || !is_wanted(str_of(name)))
			continue;
		snprintf(where, sizeof(where), "%s: %s", path, name);
		got = read_entry(a, &text);
		unpacked += text.n;
		if (unpacked > LIMIT_ADVISORY_SOURCE_BYTES)
			return err_set(err, -EFBIG, "%s holds more than %zu GiB", path, LIMIT_ADVISORY_SOURCE_BYTES / GIB);
		if (got < 0) {
			tell(s, "%s: %s", where, got == -EFBIG ? "larger than allowed" : archive_error_string(a));
			continue;
		}
		r = s->file(s->arg, where, buf_str(&text));
		if (r)
			return r;
		if (s->progress)
			s->progress(s->arg, (uint64_t)archive_filter_bytes(a, -1), bytes);
	}
	/* What came before the damage was read, but nobody may think that it was all. */
	return r == ARCHIVE_EOF
	           ? 0
	           : err_set(err, -EBADMSG, "%s is damaged: %s", path, archive_error_string(a) ? archive_error_string(a) : "it ends early");
}

/* ---- files and folders ---- */

static bool is_archive(const char *path)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char begin[4] = {0};

	if (fd < 0 || read(fd, begin, sizeof(begin)) != (ssize_t)sizeof(begin))
		return false;
	return (begin[0] == 'P' && begin[1] == 'K') || (begin[0] == 0x1f && begin[1] == 0x8b) || str_ends(str_of(path), STR(".tar"));
}

static int read_file(const char *path, const struct sources *s, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF(LIMIT_ADVISORY_FILE_BYTES);
	int r = file_read(path, &text, err);

	if (r < 0)
		return r;
	r = s->file(s->arg, path, buf_str(&text));
	if (r == 0 && s->progress)
		s->progress(s->arg, text.n, 0);
	return r;
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int read_folder(const char *path, unsigned depth, const struct sources *s, struct err *err);

/* A file or folder below a folder: what cannot be read is told. Links to folders are not followed: they may lead in a circle. */
static int read_below(const char *path, unsigned depth, const struct sources *s, struct err *err)
{
	struct stat status;
	struct err why;
	int r;

	if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
		if (depth < FOLDER_DEPTH)
			return read_folder(path, depth + 1, s, err);
		tell(s, "%s: more than %d folders deep", path, FOLDER_DEPTH);
		return 0;
	}
	if (!is_wanted(str_of(path)) || stat(path, &status) < 0 || !S_ISREG(status.st_mode))
		return 0;
	why = (struct err){0};
	r = read_file(path, s, &why);
	if (r < 0 && why.code == r) {
		tell(s, "%s", why.text);
		return 0;
	}
	return r;
}

static int read_folder(const char *path, unsigned depth, const struct sources *s, struct err *err)
{
	struct dirent **entries;
	int count = scandir(path, &entries, not_hidden, alphasort), r = 0;

	if (count < 0)
		return err_set(err, -errno, "cannot read the folder %s: %s", path, err_name(-errno));
	for (int i = 0; i < count; i++) {
		char below[PATH_BYTES];

		if (r == 0 && snprintf(below, sizeof(below), "%s/%s", path, entries[i]->d_name) < (int)sizeof(below))
			r = read_below(below, depth, s, err);
		free(entries[i]);
	}
	free(entries);
	return r;
}

int sources_read(const char *path, const struct sources *s, struct err *err)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return err_set(err, -errno, "cannot read %s: %s", path, err_name(-errno));
	if (S_ISDIR(status.st_mode))
		return read_folder(path, 0, s, err);
	return is_archive(path) ? read_archive(path, (uint64_t)status.st_size, s, err) : read_file(path, s, err);
}
