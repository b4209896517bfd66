/* A .tgz as npm's clients unpack it: the first segment of every path is dropped, so "package/x" and "other/x" are one file. */
#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "registry/npm/manifest.h"

enum { READ_BYTES = 64 * 1024, HEAD_BYTES = 64 };

struct source {
	int fd;
	off_t at;
	char bytes[READ_BYTES];
};

struct reading {
	struct archive *archive;
	struct arena *arena;
	struct npm_archive *ret;
	struct err *err;
	bool has_manifest;
};

static int damaged(struct reading *r)
{
	const char *why = archive_error_string(r->archive);

	return err_set(r->err, -EBADMSG, "the tarball is damaged: %s", why ? why : "unreadable");
}

static void free_archive(struct archive **a)
{
	if (*a)
		archive_read_free(*a);
}

static la_ssize_t read_some(struct archive *archive, void *arg, const void **ret_bytes)
{
	struct source *s = arg;
	ssize_t n;

	do
		n = pread(s->fd, s->bytes, sizeof(s->bytes), s->at);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		archive_set_error(archive, errno, "reading the tarball");
		return ARCHIVE_FATAL;
	}
	s->at += n;
	*ret_bytes = s->bytes;
	return n;
}

/* How deep a path leads when it is walked from `depth` folders down; negative when it comes above `floor` on its way. An
 * absolute path leads out. */
static int walk(struct str path, int depth, int floor)
{
	size_t from = 0;

	if (path.n && (path.p[0] == '/' || path.p[0] == '\\'))
		return -1;
	/* A drive letter: absolute on Windows. */
	if (path.n > 1 && path.p[1] == ':' && ((path.p[0] | 0x20) >= 'a' && (path.p[0] | 0x20) <= 'z'))
		return -1;
	for (size_t i = 0; i <= path.n; i++) {
		struct str part;

		/* A backslash is a separator on Windows, where the same tarball is unpacked. */
		if (i < path.n && path.p[i] != '/' && path.p[i] != '\\')
			continue;
		part = (struct str){path.p + from, i - from};
		from = i + 1;
		if (part.n == 0 || str_eq(part, STR(".")))
			continue;
		depth += str_eq(part, STR("..")) ? -1 : 1;
		if (depth < floor)
			return -1;
	}
	return depth;
}

/* A path as it lies in the package: without the first segment. */
static struct str inner_path(struct str path)
{
	struct str rest = path, part;

	if (str_chr(path, '/') < 0)
		return path;
	str_split(&rest, '/', &part);
	return rest;
}

static uint32_t big_endian(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* ELF, Mach-O (both orders, both widths, and several in one), PE: by the first bytes of a file. */
static bool native_code(const unsigned char *p, size_t n)
{
	uint32_t magic = n >= 8 ? big_endian(p) : 0;

	switch (magic) {
	case 0x7f454c46:
	case 0xfeedface:
	case 0xfeedfacf:
	case 0xcefaedfe:
	case 0xcffaedfe:
		return true;
	case 0xcafebabe:
		/* A class file of Java begins alike; its version there is larger than any number of machines. */
		return big_endian(p + 4) < 32;
	default:
		/* "MZ" is also how a text may begin, but no text has a NUL in its head. */
		return n == HEAD_BYTES && p[0] == 'M' && p[1] == 'Z' && memchr(p, 0, n) != NULL;
	}
}

static int look_at_file(struct reading *r, struct str path)
{
	unsigned char head[HEAD_BYTES];
	struct str inner = inner_path(path);
	size_t done = 0;
	la_ssize_t n;

	while (done < sizeof(head) && (n = archive_read_data(r->archive, head + done, sizeof(head) - done)) != 0) {
		if (n < 0)
			return damaged(r);
		done += (size_t)n;
	}
	if (str_starts(inner, STR("node_modules/")))
		r->ret->bundled = true;
	if (!native_code(head, done) && !str_ends(inner, STR(".node")))
		return 0;
	if (r->ret->native_count++ == 0)
		r->ret->native = arena_str(r->arena, str_take(inner, 200));
	return 0;
}

/* The last segment of a path that unpackers put at the top of the package; otherwise empty. They drop the first segment,
 * whatever it is ("./package.json" loses its dot); of a path without a folder some drop nothing. */
static struct str top_file(struct str path)
{
	struct str rest = path, part, found = STR_NULL;
	size_t segments = 0;

	if (str_chr(path, '/') < 0)
		return path;
	str_split(&rest, '/', &part);
	while (str_split(&rest, '/', &part)) {
		if (part.n == 0 || str_eq(part, STR(".")))
			continue;
		found = part;
		segments++;
	}
	return segments == 1 ? found : STR_NULL;
}

static int hostile(struct reading *r, struct str path, const char *problem)
{
	return err_set(r->err, -EBADMSG, "the tarball is refused: the entry %.*s %s", STR_ARG(str_take(path, 200)), problem);
}

static int read_manifest(struct reading *r, struct archive_entry *entry, struct str path)
{
	int64_t size = archive_entry_size(entry);
	size_t done = 0;
	char *bytes;

	if (r->has_manifest)
		return hostile(r, path, "comes twice, and unpackers differ in which one counts");
	r->has_manifest = true;
	if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
		return hostile(r, path, "is not a plain file");
	if (size < 0 || (uint64_t)size > LIMIT_MANIFEST_BYTES)
		return err_set(r->err, -EFBIG, "the tarball's package.json is larger than %zu MiB", LIMIT_MANIFEST_BYTES / MIB);
	bytes = arena_alloc(r->arena, (size_t)size + 1);
	if (!bytes)
		return err_set(r->err, -ENOMEM, "no memory for the tarball's package.json");
	while (done < (size_t)size) {
		la_ssize_t n = archive_read_data(r->archive, bytes + done, (size_t)size - done);

		if (n <= 0)
			return err_set(r->err, -EBADMSG, "the tarball is damaged inside its package.json");
		done += (size_t)n;
	}
	r->ret->package_json = (struct str){bytes, done};
	return 0;
}

static int check_links(struct reading *r, struct archive_entry *entry, struct str path, int depth)
{
	struct str symlink = str_of(archive_entry_symlink(entry)), hardlink = str_of(archive_entry_hardlink(entry));

	/* A symbolic link counts from its folder, a hard link from the top. What stays below the first folder is harmless. */
	if (symlink.n && walk(symlink, depth - 1, 1) < 1)
		return hostile(r, path, "is a link out of its folder");
	if (hardlink.n && walk(hardlink, 0, 0) < 1)
		return hostile(r, path, "is a link out of its folder");
	return 0;
}

static int read_entry(struct reading *r, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);
	struct str path = str_of(name ? name : archive_entry_pathname_utf8(entry)), file;
	int64_t size = archive_entry_size(entry);
	int depth = walk(path, 0, 0), type = archive_entry_filetype(entry);

	if (!path.p)
		return err_set(r->err, -EBADMSG, "the tarball is refused: an entry has no readable name");
	if (++r->ret->entries > LIMIT_ARTIFACT_ENTRIES)
		return err_set(r->err, -EFBIG, "the tarball has more than %zu entries", LIMIT_ARTIFACT_ENTRIES);
	r->ret->unpacked_bytes += size > 0 ? (uint64_t)size : 0;
	if (r->ret->unpacked_bytes > LIMIT_ARTIFACT_UNPACKED_BYTES)
		return err_set(r->err, -EFBIG, "the tarball unpacks to more than %zu GiB", LIMIT_ARTIFACT_UNPACKED_BYTES / GIB);
	if (depth < 0)
		return hostile(r, path, "leaves its folder");
	if (type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK && !archive_entry_hardlink(entry))
		return hostile(r, path, "is neither a file nor a folder");
	if (check_links(r, entry, path, depth) < 0)
		return -EBADMSG;
	if (type == AE_IFDIR)
		return 0;
	file = top_file(path);
	/* Without regard to case: on macOS and Windows the later one overwrites the earlier. */
	if (str_eq_nocase(file, STR("package.json")))
		return read_manifest(r, entry, path);
	if (str_eq_nocase(file, STR("binding.gyp")))
		r->ret->binding_gyp = true;
	return type == AE_IFREG && !archive_entry_hardlink(entry) ? look_at_file(r, path) : 0;
}

static int read_entries(struct reading *r)
{
	struct archive_entry *entry;
	int status, result;

	while ((status = archive_read_next_header(r->archive, &entry)) != ARCHIVE_EOF) {
		if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
			return damaged(r);
		result = read_entry(r, entry);
		if (result < 0)
			return result;
		if (archive_read_data_skip(r->archive) < ARCHIVE_WARN)
			return damaged(r);
		/* What is between and behind the entries counts as well. */
		if ((uint64_t)archive_filter_bytes(r->archive, 0) > LIMIT_ARTIFACT_UNPACKED_BYTES)
			return err_set(r->err, -EFBIG, "the tarball unpacks to more than %zu GiB", LIMIT_ARTIFACT_UNPACKED_BYTES / GIB);
	}
	return 0;
}

int npm_archive_read(int fd, struct arena *a, struct npm_archive *ret, struct err *err)
{
	CLEANUP(free_archive) struct archive *archive = archive_read_new();
	CLEANUP_FREE struct source *source = calloc(1, sizeof(*source));
	struct reading r = {.archive = archive, .arena = a, .ret = ret, .err = err};

	if (!archive || !source)
		return err_set(err, -ENOMEM, "no memory to read a tarball");
	*ret = (struct npm_archive){.package_json = STR_NULL};
	source->fd = fd;
	archive_read_support_filter_gzip(archive);
	archive_read_support_format_tar(archive);
	/* Names are taken as bytes: what they mean in this process's language is of no interest. */
	archive_read_set_options(archive, "hdrcharset=BINARY");
	/* npm's unpacker reads on behind an empty block: so must whoever wants to see what it unpacks. */
	archive_read_set_options(archive, "read_concatenated_archives");
	if (archive_read_open(archive, source, NULL, read_some, NULL) != ARCHIVE_OK)
		return damaged(&r);
	return read_entries(&r);
}
