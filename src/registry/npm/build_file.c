/* Which file name under /name/-/ each version answers to. Names are unique: a tarball request is decided on for the one
 * version that owns the file, so two versions must never share one. The conventional names ("base-1.2.3.tgz") are given
 * out first, so that no other version can take them away. */
#include "registry/npm/build.h"

enum { FILE_BYTES = 512 };

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decoded once, in the arena where needed; p == NULL when it cannot be a file name. */
static struct str file_decode(struct builder *b, struct str raw)
{
	char *out = NULL;
	size_t n = 0;

	if (str_chr(raw, '%') >= 0)
		out = arena_alloc(b->arena, raw.n);
	for (size_t i = 0; i < raw.n; i++, n++) {
		char c = raw.p[i];

		if (c == '%') {
			int high = raw.n - i > 2 ? hex_value(raw.p[i + 1]) : -1, low = raw.n - i > 2 ? hex_value(raw.p[i + 2]) : -1;

			if (high < 0 || low < 0)
				return STR_NULL;
			c = (char)(high * 16 + low);
			i += 2;
		}
		if ((unsigned char)c <= 0x20 || c == 0x7f || c == '/' || c == '\\')
			return STR_NULL;
		if (out)
			out[n] = c;
	}
	if (n == 0 || n > FILE_BYTES || raw.p[0] == '.')
		return STR_NULL;
	return out ? (struct str){out, n} : raw;
}

/* The last segment of the address, without query and fragment. */
static struct str file_of(struct builder *b, struct str tarball)
{
	size_t end = 0;

	while (end < tarball.n && tarball.p[end] != '?' && tarball.p[end] != '#')
		end++;
	tarball = str_take(tarball, end);
	return file_decode(b, str_skip(tarball, (size_t)(str_rchr(tarball, '/') + 1)));
}

static bool plain_in_url(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~+!()*@", c));
}

static struct str url_form(struct builder *b, struct str file)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = 0;
	char *out;

	while (n < file.n && plain_in_url(file.p[n]))
		n++;
	if (n == file.n)
		return file;
	out = arena_alloc(b->arena, file.n * 3);
	if (!out)
		return STR_NULL;
	n = 0;
	for (size_t i = 0; i < file.n; i++) {
		unsigned char c = (unsigned char)file.p[i];

		if (plain_in_url((char)c)) {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '%';
		out[n++] = digits[c >> 4];
		out[n++] = digits[c & 15];
	}
	return (struct str){out, n};
}

static struct str base_of(const struct builder *b)
{
	return str_skip(b->input->name, (size_t)(str_rchr(b->input->name, '/') + 1));
}

static bool conventional(const struct builder *b, const struct draft *d)
{
	struct str rest = d->file, base = base_of(b);

	if (!str_starts(rest, base) || !str_ends(rest, STR(".tgz")) || rest.n != base.n + 1 + d->key.n + 4)
		return false;
	return rest.p[base.n] == '-' && memcmp(rest.p + base.n + 1, d->key.p, d->key.n) == 0;
}

/* True when the name was free. */
static bool claim(struct map *claimed, struct draft *d, size_t index)
{
	return !map_get(claimed, d->file) && map_put(claimed, d->file, (void *)(uintptr_t)(index + 1)) == 0;
}

static void claim_other(struct builder *b, struct map *claimed, struct draft *d, size_t index)
{
	struct str base = base_of(b);

	if (d->file.n && claim(claimed, d, index))
		return;
	d->file = arena_printf(b->arena, "%.*s-%.*s.tgz", STR_ARG(base), STR_ARG(d->key));
	if (d->file.n && claim(claimed, d, index))
		return;
	d->file = STR_NULL;
}

/* Takes out the drafts that got no name. */
static void drop_nameless(struct builder *b)
{
	size_t count = LIST_COUNT(&b->drafts, struct draft), kept = 0;

	for (size_t i = 0; i < count; i++) {
		struct draft *d = LIST_AT(&b->drafts, struct draft, i);
		struct str *left_out;

		if (d->file.n) {
			*LIST_AT(&b->drafts, struct draft, kept++) = *d;
			continue;
		}
		build_note(b, "%.*s@%.*s is left out: another version has its tarball's name", STR_ARG(b->input->name), STR_ARG(d->key));
		left_out = LIST_PUSH(&b->left_out, struct str);
		if (left_out)
			*left_out = d->key;
	}
	b->drafts.n = kept * sizeof(struct draft);
}

int build_files(struct builder *b)
{
	CLEANUP_MAP struct map claimed = MAP_EMPTY;
	size_t count = LIST_COUNT(&b->drafts, struct draft);

	for (size_t i = 0; i < count; i++) {
		struct draft *d = LIST_AT(&b->drafts, struct draft, i);

		/* A ghost's name is the one it had. */
		if (!(d->flags & RECORD_GHOST))
			d->file = file_of(b, d->tarball);
		if (conventional(b, d) && !claim(&claimed, d, i))
			return err_set(b->err, -ENOMEM, "no memory for the packument of %.*s", STR_ARG(b->input->name));
	}
	for (size_t i = 0; i < count; i++) {
		struct draft *d = LIST_AT(&b->drafts, struct draft, i);

		if (!conventional(b, d))
			claim_other(b, &claimed, d, i);
		d->file_url = url_form(b, d->file);
	}
	drop_nameless(b);
	return 0;
}
