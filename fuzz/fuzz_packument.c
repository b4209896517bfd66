/* Two snapshots of a package's document, parted by the byte ff, the first byte choosing what is hidden. Whatever builds must open, and
 * whatever is rendered must be JSON that names no hidden version as a version, a time or a tag. */
#include "base/limits.h"
#include "codec/json.h"
#include "registry/npm/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW (20000 * USEC_DAY)

struct document {
	struct arena *arena;
	struct buf file;
	struct npm_changes changes;
	struct npm_packument *packument;
};

static void document_free(struct document *d)
{
	npm_packument_free(d->packument);
	buf_free(&d->file);
	arena_free(d->arena);
}

static void insist(bool holds)
{
	if (!holds)
		abort();
}

static bool document_make(struct document *d, struct str raw, usec now, const struct seen_package *seen, const struct npm_packument *previous)
{
	CLEANUP_BUF struct buf tail = BUF(64 * MIB);
	struct npm_build input = {.name = STR("a"), .now = now, .etag = STR("\"e\""), .seen = seen, .previous = previous, .gone = raw.n == 0};
	char header[NPM_DOCUMENT_HEADER] = {0};
	struct err err = {0};

	*d = (struct document){.arena = arena_new(64 * MIB), .file = BUF(64 * MIB)};
	buf_add(&d->file, header, sizeof(header));
	buf_add_str(&d->file, raw);
	if (npm_packument_build(buf_str(&d->file), &input, d->arena, &tail, header, &d->changes, &err) < 0) {
		insist(err.code < 0 && err.text[0] != '\0');
		return false;
	}
	memcpy(d->file.p, header, sizeof(header));
	buf_add_str(&d->file, buf_str(&tail));
	insist(npm_packument_open(buf_str(&d->file), &d->packument, &err) == 0);
	return true;
}

static void collect(void *arg, const void *bytes, size_t n)
{
	buf_add(arg, bytes, n);
}

static void insist_shown(const struct document *d, const bool *shown, struct str version)
{
	ptrdiff_t at = npm_packument_find(d->packument, version);

	insist(at < 0 || shown[at]);
}

/* The keys (or, for tags, the values) of the object at the reader. */
static void check_object(const struct document *d, const bool *shown, struct json_reader *r, bool values)
{
	struct str key, value;

	json_enter_object(r);
	while (json_next_member(r, &key)) {
		if (values)
			json_string(r, &value);
		else
			json_skip(r, NULL);
		insist_shown(d, shown, json_decode(d->arena, values ? value : key));
		insist(!values || npm_packument_find(d->packument, json_decode(d->arena, value)) >= 0);
	}
}

static void check_render(const struct document *d, const bool *shown, const struct npm_form *form)
{
	CLEANUP_BUF struct buf out = BUF(64 * MIB);
	struct npm_cut cut = {.shown = shown, .now = NOW, .tag_hold = 7 * USEC_DAY, .message = STR("held")};
	struct npm_sink sink = {collect, &out};
	struct json_keys *keys = json_keys_new();
	struct json_reader r;
	struct str key;
	struct err err;

	insist(npm_render_packument(d->packument, &cut, form, d->arena, &sink) == 0 && !out.error);
	json_init(&r, buf_str(&out));
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		insist(!json_keys_seen(keys, key));
		if (json_raw_equals(key, STR("versions")) || json_raw_equals(key, STR("time")))
			check_object(d, shown, &r, false);
		else if (json_raw_equals(key, STR("dist-tags")))
			check_object(d, shown, &r, true);
		else
			json_skip(&r, NULL);
	}
	insist(json_finish(&r, &err) == 0);
	json_keys_free(keys);
}

static void check_versions(const struct document *d)
{
	for (size_t i = 0; i < npm_packument_version_count(d->packument); i++) {
		CLEANUP_BUF struct buf out = BUF(64 * MIB);
		struct npm_sink sink = {collect, &out};
		struct npm_form form = {.base = STR("http://g/")};
		struct npm_version v;
		struct json_reader r;

		npm_packument_version(d->packument, i, &v);
		insist(v.published != 0 && v.file.n != 0 && v.version.n != 0);
		insist(npm_packument_find(d->packument, v.version) == (ptrdiff_t)i);
		insist(npm_packument_find_file(d->packument, v.file) == (ptrdiff_t)i);
		for (uint32_t p = 0; p < v.pin_count; p++)
			insist(npm_version_pin(&v, p).version.n != 0);
		npm_render_version(d->packument, i, &form, &sink);
		json_init(&r, buf_str(&out));
		json_skip(&r, NULL);
		insist(json_finish(&r, NULL) == 0);
	}
}

static void check(const struct document *d, uint8_t hidden)
{
	size_t count = npm_packument_version_count(d->packument);
	bool *shown = ARENA_ARRAY(d->arena, bool, count + 1);
	struct npm_form forms[] = {{.base = STR("http://gate/n\"pm/")}, {.abbreviated = true, .base = STR("http://gate/")},
	                           {.base = STR("http://gate/"), .keep_host_prefix = STR("http")}};

	for (size_t i = 0; i < count; i++)
		shown[i] = !(hidden & (1 << (i % 8)));
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		check_render(d, shown, &forms[i]);
	check_versions(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen_package nothing = {.first_snapshot = 0};
	struct document first, second = {.arena = NULL};
	const uint8_t *end;
	struct str a, b;

	if (size == 0)
		return 0;
	end = memchr(data + 1, 0xff, size - 1);
	a = str_range((const char *)data + 1, (const char *)(end ? end : data + size));
	b = end ? str_range((const char *)end + 1, (const char *)data + size) : STR_NULL;
	if (document_make(&first, a, NOW - USEC_DAY, &nothing, NULL)) {
		check(&first, data[0]);
		if (document_make(&second, b, NOW, &first.changes.seen, first.packument))
			check(&second, data[0]);
		document_free(&second);
	}
	document_free(&first);
	return 0;
}
