/* A packument in a test: JSON text through build and open, and what is rendered of it as text. */
#ifndef BONDGATE_TESTS_NPM_DOCUMENT_H
#define BONDGATE_TESTS_NPM_DOCUMENT_H

#include "base/limits.h"
#include "codec/json.h"
#include "registry/npm/render.h"

#define TEST_NOW (20000 * USEC_DAY) /* 2024-10-04 */

struct document {
	struct arena *arena;
	struct buf file;
	struct npm_changes changes;
	struct npm_packument *packument;
	struct err err;
	int r;
};

static inline void document_free(struct document *d)
{
	npm_packument_free(d->packument);
	buf_free(&d->file);
	arena_free(d->arena);
}
#define CLEANUP_DOCUMENT CLEANUP(document_free)

/* Texts in tests are written with ' where JSON has ". Package "a" and TEST_NOW unless `input` says otherwise. */
static inline struct document document_make(const char *json, const struct npm_build *input)
{
	CLEANUP_BUF struct buf tail = BUF(256 * MIB);
	struct document d = {.arena = arena_new(256 * MIB), .file = BUF(GIB)};
	struct npm_build build = input ? *input : (struct npm_build){.name = STR("a")};
	struct seen_package nothing = {0};
	char header[NPM_DOCUMENT_HEADER] = {0};

	buf_add(&d.file, header, sizeof(header));
	for (; *json; json++)
		buf_add_char(&d.file, *json == '\'' ? '"' : *json);
	if (!build.name.n)
		build.name = STR("a");
	if (!build.now)
		build.now = TEST_NOW;
	if (!build.seen)
		build.seen = &nothing;
	d.r = npm_packument_build(buf_str(&d.file), &build, d.arena, &tail, header, &d.changes, &d.err);
	if (d.r < 0)
		return d;
	memcpy(d.file.p, header, sizeof(header));
	buf_add_str(&d.file, buf_str(&tail));
	d.r = npm_packument_open(buf_str(&d.file), &d.packument, &d.err);
	return d;
}

static inline void document_collect(void *arg, const void *bytes, size_t n)
{
	buf_add(arg, bytes, n);
}

/* Which versions are hidden is said by name, separated by blanks; `form` may be NULL. The result is checked to be JSON, and has ' for ". */
static inline const char *document_render(const struct document *d, const char *hidden, const struct npm_form *form, usec tag_hold)
{
	size_t count = npm_packument_version_count(d->packument);
	CLEANUP_BUF struct buf out = BUF(256 * MIB);
	bool *shown = ARENA_ARRAY(d->arena, bool, count + 1);
	struct npm_cut cut = {.shown = shown, .now = TEST_NOW, .tag_hold = tag_hold, .message = STR("held \"here\"")};
	struct npm_form plain = {.base = STR("http://gate/npm/")};
	struct npm_sink sink = {document_collect, &out};
	struct str rest = str_of(hidden), version, text;
	struct json_reader r;
	struct err err;

	memset(shown, true, count);
	while (str_split(&rest, ' ', &version))
		if (npm_packument_find(d->packument, version) >= 0)
			shown[npm_packument_find(d->packument, version)] = false;
	assert_int_equal(npm_render_packument(d->packument, &cut, form ? form : &plain, d->arena, &sink), 0);
	json_init(&r, buf_str(&out));
	json_skip(&r, NULL);
	if (json_finish(&r, &err) < 0)
		fail_msg("%s in %.*s", err.text, STR_ARG(buf_str(&out)));
	text = arena_str(d->arena, buf_str(&out));
	if (!text.p)
		abort();
	for (char *p = (char *)(uintptr_t)text.p; *p; p++)
		if (*p == '"')
			*p = '\'';
	return text.p;
}

__attribute__((unused)) static struct npm_version version_of(const struct document *d, const char *version)
{
	ptrdiff_t at = npm_packument_find(d->packument, str_of(version));
	struct npm_version v = {0};

	if (at < 0)
		fail_msg("%s is not in the document", version);
	npm_packument_version(d->packument, (size_t)at, &v);
	return v;
}

__attribute__((unused)) static void is(struct str s, const char *expected)
{
	if (!str_eq(s, str_of(expected)))
		fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(s), expected);
}

#endif
