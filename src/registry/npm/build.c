#include "registry/npm/build.h"

#include <stdarg.h>

enum { NOTES_KEPT = 50 };

/* Growing tables of drafts are bounded by the limits on what they are made from. */
static const size_t list_bytes = 1 * GIB;

struct draft *build_find(const struct builder *b, struct str key)
{
	void *value = map_get(&b->by_key, key);

	return value && value != LEFT_OUT ? LIST_AT(&b->drafts, struct draft, (uintptr_t)value - 1) : NULL;
}

int build_index(struct builder *b)
{
	int r = 0;

	map_free(&b->by_key);
	b->by_key = MAP_EMPTY;
	for (size_t i = 0; r == 0 && i < LIST_COUNT(&b->left_out, struct str); i++)
		r = map_put(&b->by_key, *LIST_AT(&b->left_out, struct str, i), LEFT_OUT);
	for (size_t i = 0; r == 0 && i < LIST_COUNT(&b->drafts, struct draft); i++)
		r = map_put(&b->by_key, LIST_AT(&b->drafts, struct draft, i)->key, (void *)(uintptr_t)(i + 1));
	return r < 0 ? err_set(b->err, r, "no memory for the packument of %.*s", STR_ARG(b->input->name)) : 0;
}

struct str build_decode(struct builder *b, struct str raw)
{
	return raw.n && memchr(raw.p, '\\', raw.n) ? json_decode(b->arena, raw) : raw;
}

static void say(struct builder *b, struct buf *list, const char *format, va_list args)
{
	char text[1024];
	struct str *line = LIST_PUSH(list, struct str);

	vsnprintf(text, sizeof(text), format, args);
	/* Strangers' bytes end up in logs and on screens. */
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	if (line)
		*line = arena_str(b->arena, str_of(text));
}

void build_say(struct builder *b, struct buf *list, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(b, list, format, args);
	va_end(args);
}

void build_note(struct builder *b, const char *format, ...)
{
	va_list args;

	if (LIST_COUNT(&b->notes, struct str) >= NOTES_KEPT) {
		b->notes_dropped++;
		return;
	}
	va_start(args, format);
	say(b, &b->notes, format, args);
	va_end(args);
}

static const struct str *list_to_arena(struct builder *b, const struct buf *list, size_t *ret_count)
{
	size_t count = LIST_COUNT(list, struct str);
	struct str *out = ARENA_ARRAY(b->arena, struct str, count);

	if (out && count)
		memcpy(out, list->p, list->n);
	*ret_count = out ? count : 0;
	return out;
}

/* Buffers keep their errors to themselves; here they are asked. */
static int build_memory(const struct builder *b)
{
	const struct buf *bufs[] = {b->tail,    &b->drafts,   &b->pins,  &b->times,     &b->tags,
	                            &b->others, &b->left_out, &b->notes, &b->withdrawn, &b->changed_hashes};

	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		if (bufs[i]->error)
			return err_set(b->err, bufs[i]->error, "the packument of %.*s takes too much memory", STR_ARG(b->input->name));
	for (size_t i = 0; i < SYMBOLS_KINDS; i++)
		if (b->tables[i].symbols.error || b->tables[i].lists.error)
			return err_set(b->err, -ENOMEM, "the packument of %.*s takes too much memory", STR_ARG(b->input->name));
	if (arena_failed(b->arena))
		return err_set(b->err, -ENOMEM, "the packument of %.*s takes too much memory", STR_ARG(b->input->name));
	return 0;
}

/* The two large ones get about the room that they will need: grown by doubling side by side, each would be copied into fresh memory again and
 * again, which took half of the time for a document of thousands of versions. What is not written to costs nothing. */
static void reserve(struct builder *b)
{
	buf_reserve(&b->drafts, b->file.n / 4);
	buf_reserve(b->tail, b->file.n - b->file.n / 4);
}

static int build_all(struct builder *b, char *ret_header)
{
	int r = 0;

	reserve(b);
	if (!b->input->gone)
		r = build_read(b);
	if (r == 0)
		r = build_memory(b);
	if (r == 0)
		r = build_ghosts(b);
	if (r == 0)
		r = build_files(b);
	if (r == 0)
		r = build_index(b);
	if (r == 0)
		r = build_history(b);
	if (r == 0)
		r = build_trust(b);
	if (r == 0)
		r = build_continuity(b);
	if (r == 0)
		build_signatures(b);
	if (r == 0)
		r = build_write(b, ret_header);
	if (b->notes_dropped && r == 0)
		build_say(b, &b->notes, "%zu more of the kind", b->notes_dropped);
	return r ? r : build_memory(b);
}

static void builder_free(struct builder *b)
{
	struct buf *bufs[] = {&b->drafts,   &b->pins,  &b->times,     &b->tags,          &b->others,
	                      &b->left_out, &b->notes, &b->withdrawn, &b->changed_hashes};

	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		buf_free(bufs[i]);
	for (size_t i = 0; i < SYMBOLS_KINDS; i++) {
		buf_free(&b->tables[i].symbols);
		buf_free(&b->tables[i].lists);
		map_free(&b->tables[i].index);
	}
	map_free(&b->by_key);
	json_keys_free(b->version_keys);
	json_keys_free(b->member_keys);
	json_keys_free(b->dist_keys);
}

int npm_packument_build(struct str file, const struct npm_build *input, struct arena *a, struct buf *ret_tail, char *ret_header,
                        struct npm_changes *ret_changes, struct err *err)
{
	CLEANUP(builder_free)
	struct builder b = {
		.input = input,
		.file = file,
		.arena = a,
		.tail = ret_tail,
		.err = err,
		.changes = ret_changes,
		.drafts = BUF(list_bytes),
		.pins = BUF(list_bytes),
		.times = BUF(list_bytes),
		.tags = BUF(list_bytes),
		.others = BUF(list_bytes),
		.left_out = BUF(list_bytes),
		.notes = BUF(list_bytes),
		.withdrawn = BUF(list_bytes),
		.changed_hashes = BUF(list_bytes),
		.version_keys = json_keys_new(),
		.member_keys = json_keys_new(),
		.dist_keys = json_keys_new(),
	};
	int r;

	for (size_t i = 0; i < SYMBOLS_KINDS; i++)
		b.tables[i] = (struct symbol_table){BUF(list_bytes), BUF(list_bytes), MAP_EMPTY};
	if (file.n < NPM_DOCUMENT_HEADER || file.n - NPM_DOCUMENT_HEADER > LIMIT_PACKUMENT_BYTES)
		return err_set(err, -EFBIG, "the packument of %.*s is too large", STR_ARG(input->name));
	if (!b.version_keys || !b.member_keys || !b.dist_keys)
		return err_set(err, -ENOMEM, "no memory for the packument of %.*s", STR_ARG(input->name));
	*ret_changes = (struct npm_changes){0};
	r = build_all(&b, ret_header);
	if (r < 0)
		return r;
	ret_changes->notes = list_to_arena(&b, &b.notes, &ret_changes->note_count);
	ret_changes->withdrawn = list_to_arena(&b, &b.withdrawn, &ret_changes->withdrawn_count);
	ret_changes->changed_hashes = list_to_arena(&b, &b.changed_hashes, &ret_changes->changed_hash_count);
	return build_memory(&b);
}
