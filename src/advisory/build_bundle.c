/* An index that somebody else made, carried here as one file: its records, with the sources that they came from. */
#include "advisory/build.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/file.h"
#include "base/limits.h"

#define BUNDLE_BYTES (2 * GIB)
enum { PIECE = 1 << 20 };

static void gz_done(gzFile *f)
{
	if (*f)
		gzclose(*f);
}

bool advisories_is_bundle(const char *path)
{
	/* gzread passes over what is not compressed. */
	CLEANUP(gz_done) gzFile f = gzopen(path, "rbe");
	char begin[sizeof(MAPPED_MAGIC) - 1];

	return f && gzread(f, begin, sizeof(begin)) == (int)sizeof(begin) && memcmp(begin, MAPPED_MAGIC, sizeof(begin)) == 0;
}

/* Its bytes, whole, in one aligned piece. */
static int unpack(const char *path, struct buf *ret, struct err *err)
{
	CLEANUP(gz_done) gzFile f = gzopen(path, "rbe");
	int n = -1, code;

	if (!f)
		return err_set(err, -errno, "cannot read %s: %s", path, err_name(-errno));
	for (;;) {
		char *room = buf_reserve(ret, PIECE);

		if (!room)
			return err_set(err, ret->error, "%s holds more than %zu GiB", path, BUNDLE_BYTES / GIB);
		n = gzread(f, room, PIECE);
		if (n <= 0)
			break;
		ret->n += (size_t)n;
	}
	if (n < 0 || !gzeof(f))
		return err_set(err, -EBADMSG, "%s is damaged: %s", path, gzerror(f, &code));
	return 0;
}

static int take_sources(struct builder *b, const struct mapped *m, uint32_t *numbers, struct err *err)
{
	uint64_t count = mapped_head(m)->sources_at.bytes / sizeof(struct mapped_source);

	if (count > MAPPED_SOURCES)
		return err_set(err, -EBADMSG, "it has too many sources");
	for (uint64_t i = 0; i < count; i++) {
		const struct mapped_source *s = mapped_source(m, i);
		int r;

		if (!s || !memchr(s->name, '\0', sizeof(s->name)))
			return err_set(err, -EBADMSG, "its sources are damaged");
		r = builder_source(b, str_of(s->name), s->priority, s->imported, &numbers[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int take_record(struct builder *b, const struct mapped *m, uint64_t number, const uint32_t *sources, struct arena *scratch)
{
	const struct mapped_record_row *row = mapped_record(m, number);
	uint64_t source_count = mapped_head(m)->sources_at.bytes / sizeof(struct mapped_source);
	struct built record, *there;
	struct record head;
	struct str rest;

	if (!row || row->source >= source_count || row->kind > ADVISORY_MALWARE || row->severity > SEVERITY_CRITICAL ||
	    !mapped_blob(m, row, &record.blob))
		return -EBADMSG;
	head = (struct record){.as = {.kind = row->kind, .severity = row->severity, .published = row->published}};
	if (!blob_read_head(scratch, record.blob, &head, &rest))
		return -EBADMSG;
	record.row = *row;
	record.row.source = sources[row->source];
	b->counts->read++;
	builder_progress(b);
	there = builder_find(b, head.as.id);
	return builder_judge(b, there, &record.row, &head.as) ? builder_put(b, there, &record) : 0;
}

/* The bytes of a bundle belong to the mapping from then on. */
static int open_bundle(struct builder *b, const char *path, struct mapped **ret, struct err *err)
{
	CLEANUP_BUF struct buf bytes = BUF(BUNDLE_BYTES);
	struct str kept;
	int r = unpack(path, &bytes, err);

	if (r < 0)
		return r;
	kept = arena_str(b->texts, buf_str(&bytes));
	if (!kept.p)
		return err_set(err, -ENOMEM, "no memory for %s", path);
	r = mapped_over(kept, path, ret, err);
	if (r < 0)
		return r;
	mapped_push(&b->bundles, *ret);
	return mapped_verify(*ret, err);
}

int bundle_take(struct builder *b, const char *path, struct err *err)
{
	uint32_t sources[MAPPED_SOURCES];
	struct mapped *m;
	int r = open_bundle(b, path, &m, err);

	b->name = path;
	r = r < 0 ? r : take_sources(b, m, sources, err);
	for (uint64_t i = 0; r == 0 && i < mapped_head(m)->records; i++) {
		CLEANUP_ARENA struct arena *scratch = arena_new(64 * MIB);

		r = scratch ? take_record(b, m, i, sources, scratch) : -ENOMEM;
		if (r < 0)
			err_set(err, r, "record %llu of %s cannot be taken: %s", (unsigned long long)i, path,
			        r == -EBADMSG ? "it is damaged" : err_name(r));
	}
	return r;
}
