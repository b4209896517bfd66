#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "cmd/backup_file.h"

struct member {
	struct member *next;
	struct str path;
	uint64_t size;
	char sha256[BACKUP_SHA256_TEXT];
};

struct backup_writer {
	struct archive *archive;
	int fd;
	struct str path;
	struct arena *arena;
	struct member *first, **last;
	size_t count;
	uint64_t bytes;
	char block[256 * 1024];
};

void backup_abandon(struct backup_writer *w)
{
	if (!w)
		return;
	if (w->archive)
		archive_write_free(w->archive);
	if (w->fd >= 0)
		close(w->fd);
	arena_free(w->arena);
	free(w);
}

int backup_begin(const char *path, struct backup_writer **ret, struct err *err)
{
	struct backup_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return err_set(err, -ENOMEM, "no memory");
	w->last = &w->first;
	w->arena = arena_new(1024 * MIB);
	w->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (w->fd < 0) {
		int r = err_set(err, -errno, "cannot create %s: %s", path, err_name(errno));

		backup_abandon(w);
		return r;
	}
	w->archive = archive_write_new();
	if (!w->archive || !w->arena || archive_write_set_format_pax_restricted(w->archive) != ARCHIVE_OK ||
	    archive_write_open_fd(w->archive, w->fd) != ARCHIVE_OK) {
		backup_abandon(w);
		return err_set(err, -ENOMEM, "cannot begin the archive %s", path);
	}
	w->path = arena_str(w->arena, str_of(path));
	*ret = w;
	return 0;
}

static int fail(struct backup_writer *w, struct err *err)
{
	int system = archive_errno(w->archive);

	return err_set(err, system > 0 ? -system : -EIO, "cannot write %.*s: %s", STR_ARG(w->path), archive_error_string(w->archive));
}

static int write_header(struct backup_writer *w, const char *name, const struct stat *file, struct err *err)
{
	struct archive_entry *entry = archive_entry_new();
	int r;

	if (!entry)
		return err_set(err, -ENOMEM, "no memory");
	archive_entry_set_pathname(entry, name);
	archive_entry_set_size(entry, file->st_size);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, file->st_mode & 0777);
	archive_entry_set_mtime(entry, file->st_mtime, 0);
	r = archive_write_header(w->archive, entry);
	archive_entry_free(entry);
	return r == ARCHIVE_OK ? 0 : fail(w, err);
}

static struct member *note_member(struct backup_writer *w, const char *name, uint64_t size)
{
	struct member *m = w->count < BACKUP_MEMBERS ? ARENA_NEW(w->arena, struct member) : NULL;

	if (!m)
		return NULL;
	*m = (struct member){.path = arena_str(w->arena, str_of(name)), .size = size};
	*w->last = m;
	w->last = &m->next;
	w->count++;
	w->bytes += size;
	return m;
}

/* Exactly as many bytes as the header says: a file that grows meanwhile is taken as long as it was, one that shrinks fails. */
static int write_content(struct backup_writer *w, int fd, const char *path, uint64_t size, EVP_MD_CTX *md, struct err *err)
{
	while (size) {
		ssize_t n = read(fd, w->block, size < sizeof(w->block) ? (size_t)size : sizeof(w->block));

		if (n <= 0)
			return err_set(err, n < 0 ? -errno : -EIO, "cannot read %s: %s", path, n < 0 ? err_name(errno) : "it became shorter");
		if (archive_write_data(w->archive, w->block, (size_t)n) != n)
			return fail(w, err);
		if (EVP_DigestUpdate(md, w->block, (size_t)n) != 1)
			return err_set(err, -ENOMEM, "no memory");
		size -= (uint64_t)n;
	}
	return 0;
}

int backup_add(struct backup_writer *w, const char *name, const char *path, struct err *err)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	unsigned char digest[32];
	EVP_MD_CTX *md;
	struct member *m;
	struct stat file;
	int r;

	if (fd < 0 || fstat(fd, &file) < 0)
		return err_set(err, -errno, "cannot read %s: %s", path, err_name(errno));
	if (!S_ISREG(file.st_mode))
		return err_set(err, -ENOENT, "%s is not a file", path);
	md = EVP_MD_CTX_new();
	m = note_member(w, name, (uint64_t)file.st_size);
	if (!md || !m || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		r = err_set(err, -ENOMEM, "no memory");
	else
		r = write_header(w, name, &file, err);
	if (r == 0)
		r = write_content(w, fd, path, (uint64_t)file.st_size, md, err);
	if (r == 0 && EVP_DigestFinal_ex(md, digest, NULL) == 1)
		hex_encode(digest, sizeof(digest), m->sha256);
	EVP_MD_CTX_free(md);
	return r;
}

static void write_manifest(struct backup_writer *w, const char *instance, const struct evidence_check *evidence, struct buf *out)
{
	struct json_writer j;
	char when[TIME_TEXT];

	time_format_utc(time_now(), when);
	jw_init(&j, out);
	jw_object(&j);
	jw_member_int(&j, "format", BACKUP_FORMAT);
	jw_member_str(&j, "made", str_of(when));
	jw_member_str(&j, "program", STR("bondgate " BONDGATE_VERSION));
	jw_member_str(&j, "instance", str_of(instance));
	jw_member_int(&j, "schema", store_schema());
	jw_key(&j, STR("evidence"));
	jw_object(&j);
	jw_member_int(&j, "records", evidence->records);
	jw_member_int(&j, "last", evidence->last_seq);
	jw_member_str(&j, "last_hash", str_of(evidence->last_hash));
	jw_object_end(&j);
	jw_key(&j, STR("members"));
	jw_array(&j);
	for (const struct member *m = w->first; m; m = m->next) {
		jw_object(&j);
		jw_member_str(&j, "path", m->path);
		jw_member_int(&j, "size", (int64_t)m->size);
		jw_member_str(&j, "sha256", str_of(m->sha256));
		jw_object_end(&j);
	}
	jw_array_end(&j);
	jw_object_end(&j);
}

int backup_end(struct backup_writer *w, const char *instance, const struct evidence_check *evidence, struct err *err)
{
	CLEANUP_BUF struct buf manifest = BUF(1024 * MIB);
	struct stat file = {.st_mode = 0600, .st_mtime = time_now() / USEC_SECOND};
	int r;

	write_manifest(w, instance, evidence, &manifest);
	file.st_size = (off_t)manifest.n;
	r = manifest.error ? err_set(err, manifest.error, "the backup has too many files") : write_header(w, "manifest.json", &file, err);
	if (r == 0 && archive_write_data(w->archive, manifest.p, manifest.n) != (la_ssize_t)manifest.n)
		r = fail(w, err);
	if (r == 0 && archive_write_close(w->archive) != ARCHIVE_OK)
		r = fail(w, err);
	if (r == 0 && fsync(w->fd) < 0)
		r = err_set(err, -errno, "cannot write %.*s: %s", STR_ARG(w->path), err_name(errno));
	backup_abandon(w);
	return r;
}

size_t backup_count(const struct backup_writer *w)
{
	return w->count;
}

uint64_t backup_bytes(const struct backup_writer *w)
{
	return w->bytes;
}
