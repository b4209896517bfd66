#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/map.h"
#include "cmd/backup_file.h"

/* What was unpacked of one member, to be held against the manifest that comes last. */
struct unpacked {
	uint64_t size;
	char sha256[BACKUP_SHA256_TEXT];
	bool claimed;
};

struct unpacking {
	const char *path;
	const struct backup_target *target;
	struct archive *archive;
	struct arena *arena;
	struct map members;
	size_t count;
	struct str manifest;
	char block[256 * 1024];
};

/* Names come from a file that anybody may have made: plain relative ones below two folders. */
static bool is_safe(struct str name)
{
	struct str rest = name, part;

	if (name.n > 1024 || !(str_starts(name, STR("state/")) || str_starts(name, STR("policy/"))) || memchr(name.p, 0, name.n))
		return false;
	while (str_split(&rest, '/', &part))
		if (part.n == 0 || str_eq(part, STR(".")) || str_eq(part, STR("..")))
			return false;
	return !str_ends(name, STR("/"));
}

/* state/a/b -> FOLDER/a/b, policy/a -> FOLDER/restored-policy/a; its folders are made. */
static int place_of(struct unpacking *u, struct str name, struct str *ret, struct err *err)
{
	bool state = str_starts(name, STR("state/"));
	struct str below = str_skip(name, state ? 6 : 7);
	struct str whole = arena_printf(u->arena, "%s/%s%.*s", u->target->folder, state ? "" : "restored-policy/", STR_ARG(below));
	size_t from = strlen(u->target->folder) + 1;

	if (!whole.p)
		return err_set(err, -ENOMEM, "no memory");
	for (size_t i = from; i < whole.n; i++) {
		struct str folder;

		if (whole.p[i] != '/')
			continue;
		folder = arena_str(u->arena, str_take(whole, i));
		if (!folder.p || (mkdir(folder.p, 0750) < 0 && errno != EEXIST))
			return err_set(err, folder.p ? -errno : -ENOMEM, "cannot create %.*s", STR_ARG(folder));
		if (u->target->owned && chown(folder.p, u->target->uid, u->target->gid) < 0)
			return err_set(err, -errno, "cannot give %.*s to its owner: %s", STR_ARG(folder), err_name(errno));
	}
	*ret = whole;
	return 0;
}

static int damaged(struct unpacking *u, struct err *err, const char *what)
{
	return err_set(err, -EBADMSG, "%s is damaged or no backup: %s; nothing was restored", u->path, what);
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

static int copy_out(struct unpacking *u, int fd, const char *path, struct unpacked *ret, struct err *err)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned char digest[32];
	la_ssize_t n = 0;
	int r = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 ? 0 : err_set(err, -ENOMEM, "no memory");

	while (r == 0 && (n = archive_read_data(u->archive, u->block, sizeof(u->block))) > 0) {
		int wrote = write_all(fd, u->block, (size_t)n);

		if (wrote < 0)
			r = err_set(err, wrote, "cannot write %s: %s", path, err_name(wrote));
		else if (EVP_DigestUpdate(md, u->block, (size_t)n) != 1)
			r = err_set(err, -ENOMEM, "no memory");
		ret->size += (uint64_t)n;
	}
	if (r == 0 && n < 0)
		r = damaged(u, err, "it ends early");
	if (r == 0 && EVP_DigestFinal_ex(md, digest, NULL) == 1)
		hex_encode(digest, sizeof(digest), ret->sha256);
	EVP_MD_CTX_free(md);
	return r;
}

static int unpack_member(struct unpacking *u, struct str name, unsigned mode, struct err *err)
{
	struct unpacked *m = ARENA_NEW(u->arena, struct unpacked);
	struct str path = STR_NULL;
	CLEANUP_FD int fd = -1;
	int r = is_safe(name) && u->count++ < BACKUP_MEMBERS ? 0 : damaged(u, err, "a member has a name that no backup has");

	if (r == 0)
		r = m ? place_of(u, name, &path, err) : err_set(err, -ENOMEM, "no memory");
	if (r < 0)
		return r;
	fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0750);
	if (fd < 0)
		return err_set(err, -errno, "cannot create %s: %s", path.p, err_name(errno));
	if (u->target->owned && fchown(fd, u->target->uid, u->target->gid) < 0)
		return err_set(err, -errno, "cannot give %s to its owner: %s", path.p, err_name(errno));
	r = copy_out(u, fd, path.p, m, err);
	if (r == 0 && map_put(&u->members, arena_str(u->arena, name), m) < 0)
		r = err_set(err, -ENOMEM, "no memory");
	return r;
}

static int read_manifest_text(struct unpacking *u, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF(1024 * MIB);
	la_ssize_t n;

	while ((n = archive_read_data(u->archive, u->block, sizeof(u->block))) > 0)
		buf_add(&text, u->block, (size_t)n);
	if (n < 0 || text.error)
		return damaged(u, err, "its manifest cannot be read");
	u->manifest = arena_str(u->arena, buf_str(&text));
	return u->manifest.p ? 0 : err_set(err, -ENOMEM, "no memory");
}

static int unpack_all(struct unpacking *u, struct err *err)
{
	struct archive_entry *entry;
	int r = 0, next;

	while (r == 0 && (next = archive_read_next_header(u->archive, &entry)) == ARCHIVE_OK) {
		const char *name = archive_entry_pathname(entry);

		if (!name || archive_entry_filetype(entry) != AE_IFREG || u->manifest.n)
			r = damaged(u, err, "a member is not what a backup has");
		else if (str_eq(str_of(name), STR("manifest.json")))
			r = read_manifest_text(u, err);
		else
			r = unpack_member(u, str_of(name), (unsigned)archive_entry_perm(entry), err);
	}
	if (r < 0)
		return r;
	if (next != ARCHIVE_EOF)
		return damaged(u, err, "it ends early or is no archive");
	return u->manifest.n ? 0 : damaged(u, err, "its manifest is missing, it was cut short");
}

/* ---- the manifest ---- */

static void read_member(struct unpacking *u, struct json_reader *r, struct backup_manifest *m)
{
	struct str key, path = STR(""), sha256 = STR("");
	struct unpacked *found;
	int64_t size = -1;

	json_enter_object(r);
	while (json_next_member(r, &key)) {
		if (json_raw_equals(key, STR("path")))
			json_string_decoded(r, u->arena, &path);
		else if (json_raw_equals(key, STR("sha256")))
			json_string(r, &sha256);
		else if (json_raw_equals(key, STR("size")))
			json_int(r, &size);
		else
			json_skip(r, NULL);
	}
	found = map_get(&u->members, path);
	if (!found || found->claimed || (int64_t)found->size != size || !str_eq(str_of(found->sha256), sha256)) {
		json_fail(r, "a member is not what the manifest says");
		return;
	}
	found->claimed = true;
	m->members++;
	m->bytes += found->size;
}

static void read_evidence(struct unpacking *u, struct json_reader *r, struct backup_manifest *m)
{
	struct str key;

	json_enter_object(r);
	while (json_next_member(r, &key)) {
		if (json_raw_equals(key, STR("records")))
			json_int(r, &m->records);
		else if (json_raw_equals(key, STR("last")))
			json_int(r, &m->last_seq);
		else if (json_raw_equals(key, STR("last_hash")))
			json_string_decoded(r, u->arena, &m->last_hash);
		else
			json_skip(r, NULL);
	}
}

static int read_manifest(struct unpacking *u, struct backup_manifest *m, struct err *err)
{
	struct json_reader r;
	struct str key;
	struct err why = {0};
	int64_t format = 0;

	json_init(&r, u->manifest);
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		if (json_raw_equals(key, STR("format"))) {
			json_int(&r, &format);
		} else if (json_raw_equals(key, STR("made"))) {
			json_string_decoded(&r, u->arena, &m->made);
		} else if (json_raw_equals(key, STR("program"))) {
			json_string_decoded(&r, u->arena, &m->program);
		} else if (json_raw_equals(key, STR("instance"))) {
			json_string_decoded(&r, u->arena, &m->instance);
		} else if (json_raw_equals(key, STR("schema"))) {
			json_int(&r, &m->schema);
		} else if (json_raw_equals(key, STR("evidence"))) {
			read_evidence(u, &r, m);
		} else if (json_raw_equals(key, STR("members"))) {
			json_enter_array(&r);
			while (json_next_item(&r))
				read_member(u, &r, m);
		} else {
			json_skip(&r, NULL);
		}
	}
	if (json_finish(&r, &why) < 0)
		return damaged(u, err, why.text);
	if (format > BACKUP_FORMAT || m->schema > store_schema())
		return err_set(err, -EPROTO, "%s was made by a newer bondgate (%.*s); restore it with that one", u->path, STR_ARG(m->program));
	if (format != BACKUP_FORMAT || m->members != u->count || !map_get(&u->members, STR("state/bondgate.db")))
		return damaged(u, err, "the manifest does not list what is in it");
	return 0;
}

int backup_unpack(const char *path, const struct backup_target *target, struct arena *a, struct backup_manifest *ret, struct err *err)
{
	struct unpacking *u = calloc(1, sizeof(*u));
	int r;

	if (!u)
		return err_set(err, -ENOMEM, "no memory");
	*u = (struct unpacking){.path = path, .target = target, .arena = a, .archive = archive_read_new()};
	*ret = (struct backup_manifest){0};
	if (!u->archive || archive_read_support_format_tar(u->archive) != ARCHIVE_OK)
		r = err_set(err, -ENOMEM, "no memory");
	else if (access(path, R_OK) < 0)
		r = err_set(err, -errno, "cannot read %s: %s", path, err_name(errno));
	else if (archive_read_open_filename(u->archive, path, 256 * KIB) != ARCHIVE_OK)
		r = damaged(u, err, archive_error_string(u->archive));
	else
		r = unpack_all(u, err);
	if (r == 0)
		r = read_manifest(u, ret, err);
	if (u->archive)
		archive_read_free(u->archive);
	map_free(&u->members);
	free(u);
	return r;
}
