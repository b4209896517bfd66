#include "registry/npm/render.h"

#include "codec/json.h"
#include "registry/npm/document.h"

/* Pieces on their way out. Neighbouring slices of the document are put together, so that a run of cleared versions whose
 * tarballs stay as they are is one piece. */
struct emitter {
	const struct npm_packument *p;
	const struct npm_sink *sink;
	const char *from, *to;     /* not yet written */
	bool first;                /* no comma before the next entry */
	struct str tarball_prefix; /* "http://gate/npm/name/-/", safe inside a JSON string */
	struct str keep;
};

static void flush(struct emitter *e)
{
	if (e->to != e->from)
		e->sink->write(e->sink->arg, e->from, (size_t)(e->to - e->from));
	e->from = e->to = NULL;
}

static void emit(struct emitter *e, struct str piece)
{
	if (e->to && e->to == piece.p) {
		e->to += piece.n;
		return;
	}
	flush(e);
	e->from = piece.p;
	e->to = piece.p + piece.n;
}

/* Texts that are no slice of the document must not be taken for neighbours of one by accident of where they lie. */
static void emit_text(struct emitter *e, struct str piece)
{
	flush(e);
	if (piece.n)
		e->sink->write(e->sink->arg, piece.p, piece.n);
}

/* Is there one comma and nothing else between what is pending and the next entry of the document? */
static bool joins(const struct emitter *e, const char *next)
{
	const char *end = e->p->file.p + e->p->file.n;
	bool comma = false;

	if (!e->to || e->to < e->p->file.p || e->to > next || next > end || next - e->to > 64)
		return false;
	for (const char *p = e->to; p != next; p++) {
		if (*p == ',' && !comma)
			comma = true;
		else if (*p != ' ' && *p != '\n' && *p != '\r' && *p != '\t')
			return false;
	}
	return comma;
}

static void begin_entry(struct emitter *e, const char *entry)
{
	if (!e->first && joins(e, entry))
		e->to = entry;
	else if (!e->first)
		emit_text(e, STR(","));
	e->first = false;
}

static void emit_entry(struct emitter *e, struct str entry)
{
	begin_entry(e, entry.p);
	emit(e, entry);
}

static void emit_with_tarball(struct emitter *e, const struct record *r, struct str whole, struct ref tarball_raw)
{
	struct str raw = document_slice(e->p, tarball_raw);

	if (e->keep.n && str_starts(document_slice(e->p, r->tarball), e->keep)) {
		emit(e, whole);
		return;
	}
	emit(e, str_range(whole.p, raw.p));
	emit_text(e, e->tarball_prefix);
	emit(e, document_slice(e->p, r->file_url));
	flush(e);
	emit(e, str_range(raw.p + raw.n, whole.p + whole.n));
}

static struct record record_at(const struct npm_packument *p, size_t index)
{
	return DOCUMENT_ITEM(p, p->head.versions, struct record, index);
}

static void emit_versions(struct emitter *e, const struct npm_cut *cut, bool abbreviated)
{
	emit_text(e, STR(",\"versions\":{"));
	e->first = true;
	for (size_t i = 0; i < e->p->head.versions.n; i++) {
		struct record r;
		struct str entry;

		if (!cut->shown[i])
			continue;
		r = record_at(e->p, i);
		entry = document_slice(e->p, abbreviated ? r.abbreviated : r.entry);
		begin_entry(e, entry.p);
		emit_with_tarball(e, &r, entry, abbreviated ? r.abbreviated_tarball_raw : r.tarball_raw);
	}
	emit_text(e, STR("}"));
}

/* The time that the newest of the shown versions carries; 0: none is shown. */
static usec newest_shown(const struct npm_packument *p, const struct npm_cut *cut)
{
	usec newest = 0;

	for (size_t i = 0; i < p->head.versions.n; i++) {
		struct record r;
		usec time;

		if (!cut->shown[i])
			continue;
		r = record_at(p, i);
		time = r.upstream_time ? r.upstream_time : r.published;
		if (time > newest)
			newest = time;
	}
	return newest;
}

/* `modified` is never older than the newest shown version: pnpm takes an old one as proof that all versions are old. */
static struct str modified_text(const struct npm_packument *p, const struct npm_cut *cut, bool minute, struct arena *a)
{
	usec newest = newest_shown(p, cut), modified = p->head.modified > newest ? p->head.modified : newest;
	char text[TIME_TEXT];

	if (!minute && p->head.modified_text.n && p->head.modified >= newest)
		return document_slice(p, p->head.modified_text);
	if (modified == 0)
		return STR_NULL;
	if (minute)
		modified = (modified + USEC_MINUTE - 1) / USEC_MINUTE * USEC_MINUTE;
	time_format_utc(modified, text);
	return arena_printf(a, "\"%s\"", text);
}

static void emit_time(struct emitter *e, const struct npm_cut *cut, bool minute, struct str modified)
{
	struct str created = document_slice(e->p, minute ? e->p->head.created_minute : e->p->head.created);

	emit_text(e, STR(",\"time\":{"));
	e->first = true;
	if (created.n) {
		emit_text(e, STR("\"created\":"));
		emit_text(e, created);
		e->first = false;
	}
	if (modified.n) {
		emit_text(e, e->first ? STR("\"modified\":") : STR(",\"modified\":"));
		emit_text(e, modified);
		e->first = false;
	}
	for (size_t i = 0; i < e->p->head.versions.n; i++) {
		/* The abbreviated texts were written in the order of the versions, the others stand in that of the upstream. */
		size_t index = minute ? i : DOCUMENT_ITEM(e->p, e->p->head.time_order, uint32_t, i);
		struct record r;

		if (!cut->shown[index])
			continue;
		r = record_at(e->p, index);
		emit_entry(e, document_slice(e->p, minute ? r.time_minute : r.time));
	}
	emit_text(e, STR("}"));
}

/* Why something is missing: read by every npm from 6 on, of versions that would have been the only match. Facts: 2.6. */
static int emit_restrictions(struct emitter *e, const struct npm_cut *cut, struct str quoted_name, struct arena *a)
{
	CLEANUP_BUF struct buf message = BUF(64 * KIB);
	struct json_writer w;
	bool any = false;

	for (size_t i = 0; i < e->p->head.versions.n; i++) {
		struct record r;
		struct str version;

		if (cut->shown[i])
			continue;
		r = record_at(e->p, i);
		/* What is gone upstream and not shown has left no trace. */
		if (r.flags & RECORD_GHOST)
			continue;
		if (!any) {
			jw_init(&w, &message);
			jw_str(&w, cut->message);
			emit_text(e, STR(",\"policyRestrictions\":{\"message\":"));
			emit_text(e, message.error ? STR("\"\"") : buf_str(&message));
			emit_text(e, STR(",\"versions\":{"));
		}
		/* The grammar of versions has no character that JSON would have to escape. */
		version = document_slice(e->p, r.version);
		emit_text(e, any ? STR(",\"") : STR("\""));
		emit_text(e, version);
		emit_text(e, STR("\":{\"name\":"));
		emit_text(e, quoted_name);
		emit_text(e, STR(",\"version\":\""));
		emit_text(e, version);
		emit_text(e, STR("\"}"));
		any = true;
	}
	if (any)
		emit_text(e, STR("}}"));
	return arena_failed(a) ? -ENOMEM : 0;
}

static struct str quoted(struct arena *a, struct str plain)
{
	CLEANUP_BUF struct buf b = BUF(64 * KIB);
	struct json_writer w;

	jw_init(&w, &b);
	jw_str(&w, plain);
	return b.error ? STR_NULL : arena_str(a, buf_str(&b));
}

/* base + "name/-/" without its quotes. */
static struct str tarball_prefix(const struct npm_packument *p, const struct npm_form *form, struct arena *a)
{
	CLEANUP_BUF struct buf b = BUF(16 * KIB), escaped = BUF(64 * KIB);
	struct json_writer w;

	buf_add_str(&b, form->base);
	buf_add_str(&b, npm_packument_name(p));
	buf_add_str(&b, STR("/-/"));
	jw_init(&w, &escaped);
	jw_str(&w, buf_str(&b));
	if (b.error || escaped.error)
		return STR_NULL;
	return arena_str(a, (struct str){escaped.p + 1, escaped.n - 2});
}

static int tags_json(const struct npm_packument *p, const struct npm_cut *cut, struct arena *a, struct buf *out)
{
	const struct npm_tag_out *tags = NULL;
	size_t count = npm_tags_repair(p, cut, a, &tags);
	struct json_writer w;

	jw_init(&w, out);
	jw_object(&w);
	for (size_t i = 0; i < count; i++) {
		jw_key(&w, tags[i].tag);
		jw_str(&w, tags[i].target);
	}
	jw_object_end(&w);
	return out->error ? out->error : arena_failed(a) ? -ENOMEM : 0;
}

static void emit_others(struct emitter *e)
{
	for (size_t i = 0; i < e->p->head.others.n; i++) {
		emit_text(e, STR(","));
		emit_text(e, document_slice(e->p, DOCUMENT_ITEM(e->p, e->p->head.others, struct ref, i)));
	}
}

int npm_render_packument(const struct npm_packument *p, const struct npm_cut *cut, const struct npm_form *form, struct arena *a,
                         const struct npm_sink *sink)
{
	CLEANUP_BUF struct buf tags = BUF(LIMIT_PACKUMENT_BYTES);
	struct emitter e = {.p = p, .sink = sink, .keep = form->keep_host_prefix};
	struct str name = quoted(a, npm_packument_name(p)), modified = modified_text(p, cut, form->abbreviated, a);
	int r = tags_json(p, cut, a, &tags);

	e.tarball_prefix = tarball_prefix(p, form, a);
	if (r < 0 || arena_failed(a) || !name.n || !e.tarball_prefix.n)
		return -ENOMEM;
	emit_text(&e, STR("{\"name\":"));
	emit_text(&e, name);
	if (!form->abbreviated)
		emit_others(&e);
	else if (modified.n) {
		emit_text(&e, STR(",\"modified\":"));
		emit_text(&e, modified);
	}
	emit_text(&e, STR(",\"dist-tags\":"));
	emit_text(&e, buf_str(&tags));
	emit_versions(&e, cut, form->abbreviated);
	emit_time(&e, cut, form->abbreviated, modified);
	r = emit_restrictions(&e, cut, name, a);
	emit_text(&e, STR("}"));
	return r;
}

void npm_render_version(const struct npm_packument *p, size_t index, const struct npm_form *form, const struct npm_sink *sink)
{
	struct arena *a = arena_new(64 * KIB);
	struct emitter e = {.p = p, .sink = sink, .keep = form->keep_host_prefix};
	struct record r = record_at(p, index);

	if (a)
		e.tarball_prefix = tarball_prefix(p, form, a);
	emit_with_tarball(&e, &r, document_slice(p, r.object), r.tarball_raw);
	flush(&e);
	arena_free(a);
}

int npm_render_tags(const struct npm_packument *p, const struct npm_cut *cut, struct arena *a, const struct npm_sink *sink)
{
	CLEANUP_BUF struct buf tags = BUF(LIMIT_PACKUMENT_BYTES);
	int r = tags_json(p, cut, a, &tags);

	if (r == 0)
		sink->write(sink->arg, tags.p, tags.n);
	return r < 0 ? -ENOMEM : 0;
}
