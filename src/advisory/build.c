/* Gathering the records of an index: those that were in it, and those of the paths, of each id the one that counts. */
#include "advisory/build.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "advisory/sources.h"
#include "base/limits.h"

#define BUILD_BYTES (2 * GIB)
enum { PROGRESS_EVERY = 256, PRIORITY_MOST = 999 };

const char *advisories_change_name(enum advisories_change c)
{
	static const char *const names[] = {"added", "updated", "withdrawn"};

	return (unsigned)c <= CHANGE_WITHDRAWN ? names[c] : "";
}

/* ---- records ---- */

struct built *builder_find(const struct builder *b, struct str id)
{
	uintptr_t number = (uintptr_t)map_get(&b->by_id, id);

	return number ? &b->records[number - 1] : NULL;
}

static int append(struct builder *b, struct str id, const struct built *record)
{
	if (b->count == b->room) {
		size_t room = b->room ? 2 * b->room : 4096;
		struct built *longer = room <= UINT32_MAX ? realloc(b->records, room * sizeof(*longer)) : NULL;

		if (!longer)
			return -ENOMEM;
		b->records = longer;
		b->room = room;
	}
	b->records[b->count++] = *record;
	return map_put(&b->by_id, id, (void *)(uintptr_t)b->count); // NOLINT(performance-no-int-to-ptr)
}

static int add_old(struct builder *b, struct err *err)
{
	const struct mapped_head *h = mapped_head(b->old);

	for (uint64_t i = 0; i < h->sources_at.bytes / sizeof(struct mapped_source); i++) {
		const struct mapped_source *s = mapped_source(b->old, i);

		if (!s || b->source_count == MAPPED_SOURCES)
			return err_set(err, -EBADMSG, "the sources of the index are damaged");
		b->sources[b->source_count++] = *s;
	}
	for (uint64_t i = 0; i < h->records; i++) {
		const struct mapped_record_row *row = mapped_record(b->old, i);
		struct built record;
		struct str id;
		int r;

		if (!row || row->source >= b->source_count || !mapped_blob(b->old, row, &record.blob) || !blob_read_id(record.blob, &id))
			return err_set(err, -EBADMSG, "record %llu of the index is damaged", (unsigned long long)i);
		record.row = *row;
		r = append(b, id, &record);
		if (r < 0)
			return err_set(err, r, "no memory");
	}
	return 0;
}

/* Is what is there newer, or of a source that is heard first, in a part that the new one covers? */
static bool stays(const struct builder *b, const struct built *there, const struct mapped_record_row *row)
{
	int32_t old = b->sources[there->row.source].priority, new = b->sources[row->source].priority;
	bool newer = false;

	for (int e = 0; e < 2; e++)
		newer = newer || (row->digests[e] && there->row.digests[e] && there->row.modified[e] > row->modified[e]);
	return old == new ? newer : old > new;
}

static bool is_same(const struct builder *b, const struct built *there, const struct mapped_record_row *row)
{
	for (int e = 0; e < 2; e++)
		if (row->digests[e] && row->digests[e] != there->row.digests[e])
			return false;
	return b->sources[there->row.source].priority == b->sources[row->source].priority;
}

bool builder_judge(struct builder *b, const struct built *there, const struct mapped_record_row *row, const struct advisory *as)
{
	enum advisories_change c = row->withdrawn ? CHANGE_WITHDRAWN : there ? CHANGE_UPDATED : CHANGE_ADDED;

	if (!row->digests[0] && !row->digests[1]) {
		b->counts->elsewhere++;
		return false;
	}
	if (there && is_same(b, there, row)) {
		b->counts->unchanged++;
		return false;
	}
	if (there && stays(b, there, row)) {
		b->counts->older++;
		return false;
	}
	b->counts->added += c == CHANGE_ADDED;
	b->counts->updated += c == CHANGE_UPDATED;
	b->counts->withdrawn += c == CHANGE_WITHDRAWN;
	if (b->import->change)
		b->import->change(b->import->arg, c, as);
	return true;
}

/* What the new text does not speak of stays from the old one. The newer of both tells what is told of the whole. */
static int merge(struct builder *b, const struct built *there, struct built *record)
{
	bool older = mapped_modified(&there->row) > mapped_modified(&record->row);
	struct mapped_record_row *row = &record->row;

	buf_clear(&b->scratch);
	if (!blob_merge(&b->scratch, older ? there->blob : record->blob, record->blob, there->blob))
		return b->scratch.error ? b->scratch.error : -EBADMSG;
	record->blob = arena_str(b->texts, buf_str(&b->scratch));
	for (int e = 0; e < 2; e++) {
		if (row->digests[e] || !there->row.digests[e])
			continue;
		row->digests[e] = there->row.digests[e];
		row->modified[e] = there->row.modified[e];
		/* A part that is malware must not become less by one that does not say so. */
		if (!there->row.withdrawn && there->row.kind == ADVISORY_MALWARE)
			row->kind = ADVISORY_MALWARE;
	}
	if (older) {
		row->published = there->row.published;
		row->severity = there->row.severity;
		row->score = there->row.score;
	}
	return record->blob.p ? 0 : -ENOMEM;
}

static struct built built_of(const struct builder *b, struct str json, const struct record *r, const struct affected *of_record)
{
	struct built record = {.row = {.published = r->as.published,
	                               .source = b->source,
	                               .score = (int16_t)r->as.score,
	                               .kind = (uint8_t)r->as.kind,
	                               .severity = (uint8_t)r->as.severity,
	                               .withdrawn = r->withdrawn}};
	uint64_t digest = osv_digest(json) | 1;

	for (int e = 0; e < 2; e++) {
		bool covered = r->withdrawn;

		for (const struct affected *f = of_record; f; f = f->of_record)
			covered = covered || (int)f->package->ecosystem == e;
		record.row.digests[e] = covered ? digest : 0;
		record.row.modified[e] = covered ? r->as.modified : 0;
	}
	return record;
}

int builder_put(struct builder *b, struct built *there, struct built *record)
{
	struct str id;
	int result = 0;

	if (there && !record->row.withdrawn)
		result = merge(b, there, record);
	if (result < 0 || record->blob.n > UINT32_MAX || !blob_read_id(record->blob, &id))
		return result < 0 ? result : -EFBIG;
	record->row.blob_bytes = (uint32_t)record->blob.n;
	if (!there)
		return append(b, id, record);
	*there = *record;
	/* The key must not stay in the text that nobody needs any more. */
	return map_put(&b->by_id, id, (void *)(uintptr_t)(there - b->records + 1)); // NOLINT(performance-no-int-to-ptr)
}

static int put(struct builder *b, struct str json, const struct record *r, const struct affected *of_record)
{
	struct built *there = builder_find(b, r->as.id), record = built_of(b, json, r, of_record);

	if (!builder_judge(b, there, &record.row, &r->as))
		return 0;
	buf_clear(&b->scratch);
	blob_write(&b->scratch, r, of_record);
	record.blob = arena_str(b->texts, buf_str(&b->scratch));
	if (b->scratch.error || !record.blob.p)
		return b->scratch.error ? b->scratch.error : -ENOMEM;
	return builder_put(b, there, &record);
}

/* ---- reading ---- */

static void skip_record(struct builder *b, const char *problem, const char *where)
{
	size_t byte = where && where >= b->text.p && where <= b->text.p + b->text.n ? (size_t)(where - b->text.p) : 0;
	char text[4096];

	b->counts->skipped++;
	if (!b->import->problem)
		return;
	snprintf(text, sizeof(text), "%s: %s at byte %zu; this advisory is skipped", b->name, problem ? problem : "a broken record", byte);
	b->import->problem(b->import->arg, text);
}

void builder_progress(const struct builder *b)
{
	if (b->import->progress && b->counts->read % PROGRESS_EVERY == 0)
		b->import->progress(b->import->arg, b->counts->read, b->bytes, b->total);
}

static int take_record(void *arg, struct str json)
{
	struct builder *b = arg;
	struct advisories *one = advisories_empty();
	struct affected *of_record = NULL;
	struct problem problem = {0};
	struct record *record = NULL;
	int r = one ? osv_read(one, json, &record, &of_record, &problem) : -ENOMEM;

	b->counts->read++;
	builder_progress(b);
	if (r == -EBADMSG) {
		skip_record(b, problem.text, problem.where ? problem.where : json.p);
		r = 0;
	} else if (r == 0) {
		r = put(b, json, record, of_record);
	}
	advisories_unref(one);
	return r;
}

static int take_file(void *arg, const char *name, struct str text)
{
	struct builder *b = arg;
	struct problem problem = {0};
	int r;

	b->name = name;
	b->text = text;
	r = osv_each(text, take_record, b, &problem);
	if (r == 0 && problem.text)
		skip_record(b, problem.text, problem.where);
	return r;
}

static void take_problem(void *arg, const char *text)
{
	struct builder *b = arg;

	b->counts->skipped++;
	if (b->import->problem)
		b->import->problem(b->import->arg, text);
}

static void take_progress(void *arg, uint64_t bytes, uint64_t total)
{
	struct builder *b = arg;

	b->bytes = total ? bytes : b->bytes + bytes;
	b->total = total;
}

static int read_all(struct builder *b, struct err *err)
{
	const struct sources s = {.file = take_file, .problem = take_problem, .progress = take_progress, .arg = b};

	for (size_t i = 0; i < b->import->path_count; i++) {
		const char *path = b->import->paths[i];
		int r = advisories_is_bundle(path) ? bundle_take(b, path, err) : sources_read(path, &s, err);

		if (r < 0)
			return err && err->code == r ? r : err_set(err, r, "cannot import %s: %s", path, err_name(r));
		b->bytes = 0;
	}
	/* A wrong path must not look like news. */
	if (b->counts->read == 0 || b->counts->read == b->counts->skipped)
		return err_set(err, -ENOENT, b->counts->skipped ? "no advisory of %s could be read" : "there are no advisories in %s",
		               b->import->paths[0]);
	return 0;
}

int builder_source(struct builder *b, struct str name, int priority, usec imported, uint32_t *ret, struct err *err)
{
	size_t i = 0;

	while (i < b->source_count && !str_eq(str_of(b->sources[i].name), name))
		i++;
	if (i == MAPPED_SOURCES)
		return err_set(err, -EFBIG, "an index has at most %d sources", MAPPED_SOURCES);
	if (i == b->source_count) {
		b->sources[b->source_count++] = (struct mapped_source){0};
		memcpy(b->sources[i].name, name.p, name.n);
	}
	b->sources[i].priority = priority;
	b->sources[i].imported = imported;
	*ret = (uint32_t)i;
	return 0;
}

/* Records that say nothing of where they are from are from this one. */
static int find_source(struct builder *b, struct err *err)
{
	struct str name = b->import->source.n ? b->import->source : STR("osv");

	if (name.n >= MAPPED_SOURCE_NAME || memchr(name.p, '\0', name.n))
		return err_set(err, -EINVAL, "the name of a source has at most %d bytes", MAPPED_SOURCE_NAME - 1);
	if (b->import->priority > PRIORITY_MOST || b->import->priority < -PRIORITY_MOST)
		return err_set(err, -EINVAL, "the priority of a source is between -%d and %d", PRIORITY_MOST, PRIORITY_MOST);
	/* A bundle brings its sources along. */
	for (size_t i = 0; i < b->import->path_count; i++)
		if (!advisories_is_bundle(b->import->paths[i]))
			return builder_source(b, name, b->import->priority, b->import->now, &b->source, err);
	return 0;
}

/* ---- the file ---- */

/* The file beside, locked: the lock is the file's, so that what a killed process left is simply written over. */
static int open_beside(const char *path, int *ret, struct err *err)
{
	for (int tries = 0; tries < 100; tries++) {
		CLEANUP_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
		struct stat ours, there;

		if (fd < 0)
			return err_set(err, -errno, "cannot create %s: %s", path, err_name(-errno));
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return errno == EWOULDBLOCK ? err_set(err, -EBUSY, "another import is under way (%s is locked)", path)
			                            : err_set(err, -errno, "cannot lock %s: %s", path, err_name(-errno));
		/* Who had the lock before may have renamed it to be the index. */
		if (fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_dev == there.st_dev && ours.st_ino == there.st_ino) {
			if (ftruncate(fd, 0) < 0)
				return err_set(err, -errno, "cannot write %s: %s", path, err_name(-errno));
			*ret = fd;
			fd = -1;
			return 0;
		}
	}
	return err_set(err, -EBUSY, "other imports are under way (%s)", path);
}

static void sync_folder_of(const char *path)
{
	ptrdiff_t slash = str_rchr(str_of(path), '/');
	CLEANUP_FREE char *folder = slash < 0 ? str_dup(STR(".")) : str_dup(str_take(str_of(path), (size_t)slash + 1));
	CLEANUP_FD int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0)
		fsync(fd);
}

static int put_in_place(struct builder *b, int fd, const char *beside, struct err *err)
{
	int r = layout_write(b, fd, beside, err);

	if (r < 0)
		return r;
	if (fsync(fd) < 0 || rename(beside, b->import->index) < 0)
		return err_set(err, -errno, "cannot write %s: %s", b->import->index, err_name(-errno));
	sync_folder_of(b->import->index);
	return 0;
}

static int open_old(struct builder *b, struct err *err)
{
	int r;

	if (b->import->fresh || access(b->import->index, F_OK) < 0)
		return 0;
	r = mapped_open(b->import->index, &b->old, err);
	r = r < 0 ? r : mapped_verify(b->old, err);
	return r < 0 ? r : add_old(b, err);
}

static int gather(struct builder *b, struct err *err)
{
	int r = open_old(b, err);

	r = r < 0 ? r : find_source(b, err);
	r = r < 0 ? r : read_all(b, err);
	b->counts->records = b->count;
	return r;
}

int advisories_build(const struct advisories_import *import, struct advisories_imported *ret, struct err *err)
{
	struct builder b = {.import = import, .counts = ret, .texts = arena_new(BUILD_BYTES), .scratch = BUF(LIMIT_ADVISORY_FILE_BYTES)};
	char beside[4096];
	CLEANUP_FD int fd = -1;
	int r = 0;

	*ret = (struct advisories_imported){0};
	if (import->path_count == 0 || !b.texts) {
		arena_free(b.texts);
		return import->path_count ? err_set(err, -ENOMEM, "no memory") : err_set(err, -EINVAL, "nothing to import");
	}
	if (snprintf(beside, sizeof(beside), "%s.new", import->index) >= (int)sizeof(beside))
		r = err_set(err, -ENAMETOOLONG, "the path %s is too long", import->index);
	/* The lock comes before the old index is read: else two imports would each keep only their own. */
	if (r == 0 && !import->dry)
		r = open_beside(beside, &fd, err);
	if (r == 0)
		r = gather(&b, err);
	if (r == 0 && !import->dry)
		r = put_in_place(&b, fd, beside, err);
	if (r < 0 && fd >= 0)
		unlink(beside);
	mapped_free(b.old);
	mapped_free(b.bundles);
	map_free(&b.by_id);
	free(b.records);
	buf_free(&b.scratch);
	arena_free(b.texts);
	return r;
}
