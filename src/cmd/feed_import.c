/* bondgate feed import, diff and refresh: from paths and URLs into the index. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "cmd/feed.h"
#include "cmd/key_file.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/policy_files.h"
#include "gate/feed_fetch.h"

enum { PROBLEMS_SHOWN = 20 };

struct import {
	const struct feed_options *options;
	bool terminal, line_open;
	size_t problems;
	usec last;
};

/* ---- on the way ---- */

static void end_line(struct import *i)
{
	if (i->line_open)
		fputs("\r\033[K", stderr);
	i->line_open = false;
}

static void on_problem(void *arg, const char *text)
{
	struct import *i = arg;

	end_line(i);
	if (++i->problems <= PROBLEMS_SHOWN) {
		fputs("bondgate: ", stderr);
		output_cell(stderr, str_of(text), 0);
		fputs("\n", stderr);
	}
}

static void on_progress(void *arg, size_t records, uint64_t bytes, uint64_t total)
{
	struct import *i = arg;
	usec now = time_monotonic();

	if (!i->terminal || now - i->last < USEC_SECOND / 10)
		return;
	i->last = now;
	i->line_open = true;
	fprintf(stderr, "\r\033[Kreading: %zu records", records);
	if (total)
		fprintf(stderr, ", %d %%", (int)(100 * (bytes < total ? bytes : total) / total));
	fflush(stderr);
}

static void on_change(void *arg, enum advisories_change c, const struct advisory *a)
{
	struct import *i = arg;

	end_line(i);
	printf("%-10s", advisories_change_name(c));
	output_cell(stdout, a->id, 24);
	printf("  %-14s", a->kind == ADVISORY_MALWARE ? "malware" : "vulnerability");
	output_cell(stdout, a->summary, 0);
	putchar('\n');
}

/* ---- import, diff ---- */

static void print_json(const struct advisories_imported *n)
{
	CLEANUP_BUF struct buf out = BUF(MIB);
	struct json_writer w;

	jw_init(&w, &out);
	jw_object(&w);
	jw_member_int(&w, "read", (int64_t)n->read);
	jw_member_int(&w, "added", (int64_t)n->added);
	jw_member_int(&w, "updated", (int64_t)n->updated);
	jw_member_int(&w, "withdrawn", (int64_t)n->withdrawn);
	jw_member_int(&w, "unchanged", (int64_t)n->unchanged);
	jw_member_int(&w, "older", (int64_t)n->older);
	jw_member_int(&w, "elsewhere", (int64_t)n->elsewhere);
	jw_member_int(&w, "skipped", (int64_t)n->skipped);
	jw_member_int(&w, "records", (int64_t)n->records);
	jw_object_end(&w);
	buf_add_char(&out, '\n');
	output_flush(&w, stdout);
}

static void print_counts(const struct advisories_imported *n, bool dry)
{
	printf("%zu records read: %zu added, %zu updated, %zu withdrawn, %zu unchanged", n->read, n->added, n->updated, n->withdrawn,
	       n->unchanged);
	if (n->older)
		printf(", %zu older than what is there", n->older);
	if (n->elsewhere)
		printf(", %zu of other ecosystems", n->elsewhere);
	printf(", %zu skipped\n", n->skipped);
	printf("the index %s %zu records\n", dry ? "would have" : "has", n->records);
}

/* ---- where they come from ---- */

static bool is_url(const char *word)
{
	return str_starts(str_of(word), STR("https://")) || str_starts(str_of(word), STR("http://"));
}

/* A feed that is named by its URL alone is kept under what of it can be a file's name. */
static void name_of_url(struct str url, char out[static 65])
{
	size_t n = 0;

	url = str_skip(url, (size_t)str_find(url, STR("://")) + 3);
	if (url.n > 64)
		url = str_skip(url, url.n - 64);
	for (size_t i = 0; i < url.n; i++) {
		char c = url.p[i];
		bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';

		if (n || c != '.')
			out[n++] = ok ? c : '_';
	}
	out[n] = '\0';
}

int feeds_path(const struct feed_options *o, char *out, size_t room, struct err *err)
{
	struct str folder = str_take(str_of(o->index), (size_t)str_rchr(str_of(o->index), '/'));

	if (snprintf(out, room, "%.*s/feeds", STR_ARG(folder)) >= (int)room)
		return err_set(err, -ENAMETOOLONG, "the path of the state is too long");
	return 0;
}

static int feeds_folder(const struct feed_options *o, char *out, size_t room, struct err *err)
{
	int r = feeds_path(o, out, room, err);

	return r < 0 ? r : dir_make(out, 0700, err);
}

/* The file of a URL, fetched when it has changed. */
static int take_url(const struct feed_options *o, const char *url, const struct minisign_public *key, struct arena *a, const char **ret,
                    struct err *err)
{
	char folder[4096], name[65];
	struct feed_wish wish = {.url = str_of(url), .folder = folder, .key = key};
	struct feed_got got;
	int r = feeds_folder(o, folder, sizeof(folder), err);

	if (r < 0)
		return r;
	name_of_url(wish.url, name);
	wish.name = str_of(name);
	r = feed_fetch_wait(&wish, &got);
	if (r < 0)
		return err_set(err, r, "%s", got.err.text);
	*ret = arena_str(a, str_of(got.path)).p;
	return *ret ? 0 : err_set(err, -ENOMEM, "no memory");
}

/* A file carried in by hand: with --key its signature must lie beside it; a bundle is taken without one only when that is said. */
static int check_file(const struct feed_options *o, const char *path, const struct minisign_public *key, struct err *err)
{
	CLEANUP_BUF struct buf signature = BUF(16 * KIB), beside = BUF(4096);
	struct minisign_verified verified;
	struct err why = {0};
	struct str mapped;
	int r;

	if (!key) {
		if (o->unsigned_ || !advisories_is_bundle(path))
			return 0;
		return err_set(err, -ENOKEY, "%s is a bundle: name the key that it must be signed with (--key), or --unsigned to take it as it is",
		               path);
	}
	buf_printf(&beside, "%s.minisig", path);
	r = beside.error ? err_set(err, beside.error, "the path %s is too long", path) : file_read(buf_cstr(&beside), &signature, err);
	r = r < 0 ? r : file_map(path, &mapped, err);
	if (r < 0)
		return r;
	r = minisign_verify(key, 1, buf_str(&signature), mapped, &verified, &why);
	file_unmap(mapped);
	return r < 0 ? err_set(err, r, "%s is not taken: %s", path, why.text) : 0;
}

/* Words become paths. */
static int take_words(const struct feed_options *o, int count, char **words, struct arena *a, const char **paths, struct err *err)
{
	struct minisign_public key;
	int r = o->key ? key_file_public(o->key, &key, err) : 0;

	for (int i = 0; i < count && r == 0; i++) {
		paths[i] = words[i];
		if (is_url(words[i]))
			r = take_url(o, words[i], o->key ? &key : NULL, a, &paths[i], err);
		else
			r = check_file(o, words[i], o->key ? &key : NULL, err);
	}
	return r;
}

/* ---- the import ---- */

static int build(const struct feed_options *o, bool dry, const char *const *paths, size_t count, struct str source, int priority,
                 struct advisories_imported *ret, struct err *err)
{
	struct import state = {.options = o, .terminal = isatty(STDERR_FILENO) && !o->quiet};
	struct advisories_import import = {.index = o->index,
	                                   .paths = paths,
	                                   .path_count = count,
	                                   .source = source,
	                                   .priority = priority,
	                                   .fresh = o->fresh,
	                                   .dry = dry,
	                                   .now = time_now(),
	                                   .problem = on_problem,
	                                   .progress = on_progress,
	                                   .arg = &state};
	int r = 0;

	if (dry && !o->json)
		import.change = on_change;
	if (!dry) {
		CLEANUP_FREE char *folder = str_dup(str_take(str_of(o->index), (size_t)str_rchr(str_of(o->index), '/')));

		r = folder ? dir_make(folder, 0700, err) : err_set(err, -ENOMEM, "no memory");
	}
	r = r < 0 ? r : advisories_build(&import, ret, err);
	end_line(&state);
	if (state.problems > PROBLEMS_SHOWN)
		fprintf(stderr, "bondgate: and %zu more like these\n", state.problems - PROBLEMS_SHOWN);
	return r;
}

static int run_import(const struct feed_options *o, bool dry, int count, char **words, struct advisories_imported *ret, struct err *err)
{
	CLEANUP_ARENA struct arena *a = arena_new(64 * MIB);
	const char **paths = a ? ARENA_ARRAY(a, const char *, (size_t)count) : NULL;
	int64_t priority = 0;
	int r;

	if (!paths)
		return err_set(err, -ENOMEM, "no memory");
	if (o->priority && (str_to_i64(str_of(o->priority), &priority) < 0 || priority < -999 || priority > 999))
		return err_set(err, -EINVAL, "--priority takes a number from -999 to 999");
	r = take_words(o, count, words, a, paths, err);
	return r < 0 ? r : build(o, dry, paths, (size_t)count, str_of(o->source ? o->source : "osv"), (int)priority, ret, err);
}

static int import_or_diff(const struct feed_options *o, bool dry, int count, char **words)
{
	struct advisories_imported n;
	struct err err = {0};
	int r = run_import(o, dry, count, words, &n, &err);

	if (r < 0) {
		fprintf(stderr, "bondgate: %s\n", err.text);
		return EXIT_CANNOT;
	}
	if (o->json)
		print_json(&n);
	else if (!o->quiet)
		print_counts(&n, dry);
	if (fflush(stdout) != 0 || ferror(stdout))
		return EXIT_CANNOT;
	return dry && n.added + n.updated + n.withdrawn ? EXIT_FOUND : EXIT_NOTHING;
}

int feed_import(const struct feed_options *o, int count, char **words)
{
	return import_or_diff(o, false, count, words);
}

int feed_diff(const struct feed_options *o, int count, char **words)
{
	return import_or_diff(o, true, count, words);
}

/* ---- refresh: the feeds of the policy ---- */

static int refresh_one(const struct feed_options *o, const char *folder, const struct policy_feed *feed, struct err *err)
{
	struct minisign_public key;
	struct feed_wish wish = {.name = feed->name,
	                         .url = feed->url,
	                         .authorization = feed->authorization,
	                         .ca_file = feed->ca_file.n ? feed->ca_file.p : NULL,
	                         .folder = folder,
	                         .key = feed->key.n ? &key : NULL,
	                         .again = o->fresh};
	struct advisories_imported n;
	struct feed_got got;
	const char *path = got.path;
	int r = feed->key.n ? minisign_public_parse(feed->key, &key, err) : 0;

	if (r < 0)
		return r;
	r = feed_fetch_wait(&wish, &got);
	if (r < 0)
		return err_set(err, r, "%s", got.err.text);
	if (got.unchanged && got.imported) {
		if (!o->quiet)
			printf("%.*s: unchanged\n", STR_ARG(feed->name));
		return 0;
	}
	r = build(o, false, &path, 1, feed->name, feed->priority, &n, err);
	if (r < 0)
		return r;
	if (!o->quiet) {
		printf("%.*s: ", STR_ARG(feed->name));
		print_counts(&n, false);
	}
	return feed_imported(folder, feed->name, time_now(), err);
}

static bool is_named(const struct policy_feed *feed, int count, char **words)
{
	for (int i = 0; i < count; i++)
		if (str_eq(feed->name, str_of(words[i])))
			return true;
	return count == 0;
}

int feed_refresh(const struct feed_options *o, int count, char **words)
{
	const struct policy_feed *all;
	struct policy *policy;
	char folder[4096];
	struct err err = {0};
	size_t n, asked = 0;
	int failed = 0;

	if (policy_files_load(o->policy, time_now(), &policy, NULL, &err) < 0 || feeds_folder(o, folder, sizeof(folder), &err) < 0) {
		fprintf(stderr, "bondgate: %s\n", err.text);
		return EXIT_CANNOT;
	}
	n = policy_feeds(policy, &all);
	for (size_t i = 0; i < n; i++) {
		if (!is_named(&all[i], count, words))
			continue;
		asked++;
		err = (struct err){0};
		if (refresh_one(o, folder, &all[i], &err) < 0) {
			fprintf(stderr, "bondgate: %.*s: %s\n", STR_ARG(all[i].name), err.text);
			failed++;
		}
	}
	policy_unref(policy);
	if (asked == 0) {
		fprintf(stderr, "bondgate: %s\n",
		        n ? "the policy names no such feed (see advisories.feeds)" : "the policy names no feeds (advisories.feeds)");
		return EXIT_USAGE;
	}
	return failed ? EXIT_CANNOT : EXIT_NOTHING;
}
