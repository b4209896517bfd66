/* libarchive, loaded when it is first used (base/lazy.h). */
#include <archive.h>
#include <archive_entry.h>
#include <stdarg.h>
#include <stdio.h>

#include "advisory/lazy_archive.h"
#include "base/lazy.h"

#define ARCHIVE_FUNCTION(type, name, parameters, arguments) LAZY_FUNCTION("libarchive.so.13", type, name, parameters, arguments)

ARCHIVE_FUNCTION(struct archive *, archive_read_new, (void), ())
ARCHIVE_FUNCTION(int, archive_read_free, (struct archive * a), (a))
ARCHIVE_FUNCTION(int, archive_read_support_filter_gzip, (struct archive * a), (a))
ARCHIVE_FUNCTION(int, archive_read_support_format_tar, (struct archive * a), (a))
ARCHIVE_FUNCTION(int, archive_read_support_format_zip, (struct archive * a), (a))
ARCHIVE_FUNCTION(int, archive_read_set_options, (struct archive * a, const char *options), (a, options))
ARCHIVE_FUNCTION(int, archive_read_open_filename, (struct archive * a, const char *path, size_t block), (a, path, block))
ARCHIVE_FUNCTION(int, archive_read_open,
                 (struct archive * a, void *data, archive_open_callback *opened, archive_read_callback *read,
                  archive_close_callback *closed),
                 (a, data, opened, read, closed))
ARCHIVE_FUNCTION(int, archive_read_next_header, (struct archive * a, struct archive_entry **ret), (a, ret))
ARCHIVE_FUNCTION(la_ssize_t, archive_read_data, (struct archive * a, void *out, size_t size), (a, out, size))
ARCHIVE_FUNCTION(int, archive_read_data_skip, (struct archive * a), (a))
ARCHIVE_FUNCTION(la_int64_t, archive_filter_bytes, (struct archive * a, int filter), (a, filter))
ARCHIVE_FUNCTION(const char *, archive_error_string, (struct archive * a), (a))
ARCHIVE_FUNCTION(__LA_MODE_T, archive_entry_filetype, (struct archive_entry * e), (e))
ARCHIVE_FUNCTION(const char *, archive_entry_hardlink, (struct archive_entry * e), (e))
ARCHIVE_FUNCTION(const char *, archive_entry_symlink, (struct archive_entry * e), (e))
ARCHIVE_FUNCTION(const char *, archive_entry_pathname, (struct archive_entry * e), (e))
ARCHIVE_FUNCTION(const char *, archive_entry_pathname_utf8, (struct archive_entry * e), (e))
ARCHIVE_FUNCTION(la_int64_t, archive_entry_size, (struct archive_entry * e), (e))

/* Backups read and write archives as well. */
ARCHIVE_FUNCTION(int, archive_errno, (struct archive * a), (a))
ARCHIVE_FUNCTION(__LA_MODE_T, archive_entry_perm, (struct archive_entry * e), (e))
ARCHIVE_FUNCTION(struct archive_entry *, archive_entry_new, (void), ())
ARCHIVE_FUNCTION(void, archive_entry_free, (struct archive_entry * e), (e))
ARCHIVE_FUNCTION(void, archive_entry_set_filetype, (struct archive_entry * e, unsigned type), (e, type))
ARCHIVE_FUNCTION(void, archive_entry_set_mtime, (struct archive_entry * e, time_t time, long ns), (e, time, ns))
ARCHIVE_FUNCTION(void, archive_entry_set_pathname, (struct archive_entry * e, const char *path), (e, path))
ARCHIVE_FUNCTION(void, archive_entry_set_perm, (struct archive_entry * e, __LA_MODE_T mode), (e, mode))
ARCHIVE_FUNCTION(void, archive_entry_set_size, (struct archive_entry * e, la_int64_t size), (e, size))
ARCHIVE_FUNCTION(struct archive *, archive_write_new, (void), ())
ARCHIVE_FUNCTION(int, archive_write_open_fd, (struct archive * a, int fd), (a, fd))
ARCHIVE_FUNCTION(int, archive_write_set_format_pax_restricted, (struct archive * a), (a))
ARCHIVE_FUNCTION(int, archive_write_header, (struct archive * a, struct archive_entry *e), (a, e))
ARCHIVE_FUNCTION(la_ssize_t, archive_write_data, (struct archive * a, const void *bytes, size_t n), (a, bytes, n))
ARCHIVE_FUNCTION(int, archive_write_close, (struct archive * a), (a))
ARCHIVE_FUNCTION(int, archive_write_free, (struct archive * a), (a))

void archive_set_error(struct archive *a, int code, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	((void (*)(struct archive *, int, const char *, ...))lazy_function("libarchive.so.13", "archive_set_error"))(a, code, "%s", text);
}

void archive_load(void)
{
	struct archive *a = archive_read_new();

	archive_read_free(a);
}
