/* --rewrite-resolved: the addresses in lockfiles of npm, yarn 1 and bun point at the gate afterwards. yarn 1 and bun fetch from where a lockfile says,
 * whatever registry is set, so that without this they go past the gate. Nothing but the addresses changes, byte for byte. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "cmd/adopt.h"
#include "cmd/commands.h"

struct change {
	const char *from, *to; /* of the text: the registry's address, up to the package's name */
};

struct rewriting {
	struct str path, text, gate;
	struct lock lock;
	struct arena *extras;
	struct change *changes;
	size_t change_count, kept; /* kept: addresses of another form */
	struct buf out;
};

static int by_place(const void *left, const void *right)
{
	const struct change *a = left, *b = right;

	return a->from < b->from ? -1 : a->from > b->from;
}

/* "https://registry/path/@scope/name/-/name-1.0.0.tgz": where "@scope/name" begins; NULL: it is of another form. */
static const char *name_in(struct str url)
{
	ptrdiff_t dash = str_find(url, STR("/-/")), scheme = str_find(url, STR("://"));
	size_t at;

	if (!str_starts_nocase(url, STR("http")) || scheme < 0 || dash < scheme + 3)
		return NULL;
	for (at = (size_t)dash; at > 0 && url.p[at - 1] != '/'; at--)
		;
	if (at > 1 && url.p[at] != '@') {
		size_t scope = at - 1;

		while (scope > 0 && url.p[scope - 1] != '/')
			scope--;
		if (url.p[scope] == '@')
			at = scope;
	}
	/* Not a host instead of a name. */
	return at > (size_t)scheme + 3 ? url.p + at : NULL;
}

/* Where a text that was read stands in the file: readers take slices of it, or of a copy of the same length behind the byte order mark. */
static const char *place_of(const struct rewriting *w, struct str text)
{
	const struct str read = w->lock.text;
	const char *at = text.p;

	if (at >= read.p && at < read.p + read.n && read.n <= w->text.n)
		at = w->text.p + (w->text.n - read.n) + (at - read.p);
	if (at < w->text.p || text.n > (size_t)(w->text.p + w->text.n - at) || memcmp(at, text.p, text.n) != 0)
		return NULL;
	return at;
}

static int find_changes(struct rewriting *w)
{
	const struct lock *l = &w->lock;

	w->changes = calloc(l->count + 1, sizeof(*w->changes));
	if (!w->changes)
		return -ENOMEM;
	for (uint32_t i = 0; i < l->count; i++) {
		const struct lock_package *p = &l->packages[i];
		const char *at = p->resolved.n ? place_of(w, p->resolved) : NULL;
		const char *name = at ? name_in((struct str){at, p->resolved.n}) : NULL;

		if (p->resolved.n && !name)
			w->kept += str_find(p->resolved, STR("://")) >= 0;
		if (name && !str_eq(str_range(at, name), w->gate))
			w->changes[w->change_count++] = (struct change){at, name};
	}
	qsort(w->changes, w->change_count, sizeof(*w->changes), by_place);
	return 0;
}

static int make_text(struct rewriting *w)
{
	const char *at = w->text.p;

	for (size_t i = 0; i < w->change_count; i++) {
		/* One address of several entries stands there once. */
		if (w->changes[i].from < at)
			continue;
		buf_add_str(&w->out, str_range(at, w->changes[i].from));
		buf_add_str(&w->out, w->gate);
		at = w->changes[i].to;
	}
	buf_add_str(&w->out, str_range(at, w->text.p + w->text.n));
	return w->out.error;
}

static int read_file(struct rewriting *w, struct err *err)
{
	static const char *const rewritten[] = {"package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "bun.lock"};
	const struct lock_format *format;
	struct project_file file = {.path = w->path};
	struct lock_extras extras;
	const char *slash = strrchr(w->path.p, '/');
	bool fits = false;
	int code = file_map(w->path.p, &w->text, err);

	if (code < 0)
		return code;
	format = lock_format_by_name(str_of(slash ? slash + 1 : w->path.p));
	if (!format)
		format = lock_format_by_content(w->text);
	if (!format || format->manifest)
		return err_set(err, -EINVAL, "%s is no lockfile: name package-lock.json, yarn.lock of yarn 1 or bun.lock", w->path.p);
	for (size_t i = 0; i < sizeof(rewritten) / sizeof(rewritten[0]); i++)
		fits = fits || strcmp(format->name, rewritten[i]) == 0;
	/* yarn's later forms write no address. */
	if (!fits || (strcmp(format->name, "yarn.lock") == 0 && str_find(w->text, STR("__metadata:")) >= 0))
		return err_set(err, -EINVAL,
		               "%s (%s) holds no addresses to rewrite: its package manager asks the registry of .npmrc or .yarnrc.yml", w->path.p,
		               format->name);
	file.format = format;
	code = project_extras(w->extras, &file, &extras, err);
	return code < 0 ? code : lock_read(format, w->text, w->path, &extras, &w->lock, err);
}

/* Only lines differ: an address has no line break. */
static void print_diff(const struct rewriting *w)
{
	struct str before = w->text, after = buf_str(&w->out), old, new;
	size_t line = 0;

	printf("--- %s\n+++ %s\n", w->path.p, w->path.p);
	while (str_split(&before, '\n', &old) && str_split(&after, '\n', &new)) {
		line++;
		if (!str_eq(old, new))
			printf("@@ -%zu +%zu @@\n-%.*s\n+%.*s\n", line, line, STR_ARG(old), STR_ARG(new));
	}
}

static int write_file(const struct rewriting *w, struct err *err)
{
	CLEANUP_FREE char *whole = realpath(w->path.p, NULL);
	struct stat st;

	if (!whole || stat(whole, &st) < 0)
		return err_set(err, -errno, "%s: %s", w->path.p, err_name(errno));
	return file_replace(whole, buf_str(&w->out), st.st_mode & 07777, err);
}

static void rewriting_free(struct rewriting *w)
{
	lock_free(&w->lock);
	file_unmap(w->text);
	arena_free(w->extras);
	free(w->changes);
	buf_free(&w->out);
}

/* "http://gate:4873" -> "http://gate:4873/npm/" */
static struct str gate_root(const char *url, struct arena *a, struct err *err)
{
	struct str text = str_trim(str_of(url)), rest;
	ptrdiff_t scheme = str_find(text, STR("://"));

	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] > '~' || text.p[i] == '"' || text.p[i] == '\\' || text.p[i] == '#')
			scheme = -1;
	if (scheme < 4 || !str_starts_nocase(text, STR("http"))) {
		err_set(err, -EINVAL, "--gate takes an address such as http://127.0.0.1:4873/npm/, not %s", url);
		return STR_NULL;
	}
	while (str_ends(text, STR("/")))
		text = str_take(text, text.n - 1);
	rest = str_skip(text, (size_t)scheme + 3);
	return arena_printf(a, "%.*s/%s", STR_ARG(text), str_chr(rest, '/') < 0 ? "npm/" : "");
}

static int prepare(struct rewriting *w, const char *path, struct str gate, struct err *err)
{
	int code;

	*w = (struct rewriting){.path = str_of(path), .gate = gate, .extras = arena_new(GIB), .out = BUF(GIB)};
	code = w->extras ? read_file(w, err) : -ENOMEM;
	if (code == 0)
		code = find_changes(w);
	if (code == 0)
		code = make_text(w);
	return code < 0 && !err->text[0] ? err_set(err, code, "%s: %s", path, err_name(code)) : code;
}

static int finish(const struct adopt *a, const struct rewriting *w, struct err *err)
{
	int code = 0;

	if (a->dry_run && w->change_count)
		print_diff(w);
	else if (w->change_count)
		code = write_file(w, err);
	if (code == 0 && !a->options.quiet)
		fprintf(stderr, "%s: %zu address%s point%s at %.*s%s", w->path.p, w->change_count, w->change_count == 1 ? "" : "es",
		        w->change_count == 1 ? "s" : "", STR_ARG(w->gate), a->dry_run ? " (not written)" : "");
	if (code == 0 && !a->options.quiet)
		fprintf(stderr, w->kept ? ", %zu of another form stay as they are\n" : "\n", w->kept);
	return code;
}

int adopt_rewrite(const struct adopt *a, char **paths, int count)
{
	CLEANUP_ARENA struct arena *arena = arena_new(MIB);
	struct rewriting *all = calloc((size_t)count, sizeof(*all));
	struct err err = {0};
	struct str gate = STR_NULL;
	int code = arena && all ? 0 : err_set(&err, -ENOMEM, "out of memory");

	if (code == 0) {
		gate = gate_root(a->gate, arena, &err);
		code = gate.p ? 0 : -EINVAL;
	}
	/* All of them are read before one is written. */
	for (int i = 0; i < count && code == 0; i++)
		code = prepare(&all[i], paths[i], gate, &err);
	for (int i = 0; i < count && code == 0; i++)
		code = finish(a, &all[i], &err);
	for (int i = 0; all && i < count; i++)
		rewriting_free(&all[i]);
	free(all);
	if (code < 0)
		fprintf(stderr, "bondgate: %s\n", err.text);
	if (fflush(stdout) != 0)
		code = -EIO;
	return code == -EINVAL ? EXIT_USAGE : code < 0 ? EXIT_CANNOT : EXIT_NOTHING;
}
