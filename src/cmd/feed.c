/* bondgate feed: advisories in, and what is there. */
#include "cmd/feed.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "cmd/commands.h"
#include "cmd/open.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/state.h"

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

static int run_import(const struct feed_options *o, bool dry, int count, char **words, struct advisories_imported *ret, struct err *err)
{
	struct import state = {.options = o, .terminal = isatty(STDERR_FILENO) && !o->quiet};
	struct advisories_import import = {.index = o->index,
	                                   .paths = (const char *const *)words,
	                                   .path_count = (size_t)count,
	                                   .source = str_of(o->source ? o->source : "osv"),
	                                   .fresh = o->fresh,
	                                   .dry = dry,
	                                   .now = time_now(),
	                                   .problem = on_problem,
	                                   .progress = on_progress,
	                                   .arg = &state};
	int64_t priority = 0;
	int r = 0;

	if (o->priority && (str_to_i64(str_of(o->priority), &priority) < 0 || priority < -999 || priority > 999))
		return err_set(err, -EINVAL, "--priority takes a number from -999 to 999");
	import.priority = (int)priority;
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

static int feed_import(const struct feed_options *o, int count, char **words)
{
	return import_or_diff(o, false, count, words);
}

static int feed_diff(const struct feed_options *o, int count, char **words)
{
	return import_or_diff(o, true, count, words);
}

/* ---- the verbs ---- */

static const struct verb {
	const char *name;
	int words_least, words_most;
	int (*run)(const struct feed_options *o, int count, char **words);
} verbs[] = {
	{"import", 1, 1 << 20, feed_import}, {"diff", 1, 1 << 20, feed_diff}, {"list", 0, 1, feed_list},
	{"show", 1, 1, feed_show},           {"status", 0, 0, feed_status},
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static int find_index(struct feed_options *o, struct err *err)
{
	CLEANUP_BUF struct buf dir = BUF(4096);
	int r = state_dir(o->state, &dir, err);

	if (r < 0)
		return r;
	if (snprintf(o->index, sizeof(o->index), "%s/%s", buf_cstr(&dir), ADVISORY_INDEX) >= (int)sizeof(o->index))
		return err_set(err, -ENAMETOOLONG, "the path of the state is too long");
	return 0;
}

int cmd_feed(int argc, char **argv)
{
	static struct feed_options o;
	const struct option_row rows[] = {
		{.name = "source", .argument = "NAME", .help = "import, diff: what the records are from (default osv)", .value = &o.source},
		{.name = "priority",
	     .argument = "N",
	     .help = "import, diff: of two with one id, the source with the higher one counts (default 0)",
	     .value = &o.priority},
		{.name = "fresh", .help = "import, diff: start from nothing instead of from what is there", .flag = &o.fresh},
		{.name = "malware", .help = "list: malware only", .flag = &o.malware},
		{.name = "json", .help = "machine-readable", .flag = &o.json},
		{.name = "quiet", .help = "say nothing but errors", .flag = &o.quiet},
		{.name = "state", .argument = "DIR", .help = "where state is kept (default $BONDGATE_STATE)", .value = &o.state},
	};
	const struct command_usage usage = {
		"feed import PATH... | diff PATH... | list [PACKAGE] | show ID | status",
		"import  reads advisories (OSV) into the index that gate and scan use: files, zip archives such as OSV's all.zip, folders.\n"
		"        What is there stays, newer records replace older ones; a broken one is told and skipped.\n"
		"diff    says what an import would change; exits 1 when it would.\n"
		"list    lists what is in the index, of all packages or one (npm:left-pad).\n"
		"show    shows one advisory, by its id or another of its names.\n"
		"status  says what the index holds, from where and since when.",
		rows, sizeof(rows) / sizeof(rows[0])};
	const struct verb *verb;
	struct err err = {0};
	int words, r;
	bool done;

	o = (struct feed_options){0};
	r = options_read(&usage, argc, argv, &words, &done);
	if (r || done)
		return r;
	verb = words ? find_verb(argv[0]) : NULL;
	if (!verb)
		return usage_error(&usage, words ? "feed has no verb %s" : "feed needs a verb", words ? argv[0] : "");
	if (words - 1 < verb->words_least || words - 1 > verb->words_most)
		return usage_error(&usage, "feed %s: %s", verb->name, words - 1 < verb->words_least ? "something is missing" : "too many words");
	if (find_index(&o, &err) < 0) {
		fprintf(stderr, "bondgate: %s\n", err.text);
		return EXIT_CANNOT;
	}
	return verb->run(&o, words - 1, argv + 1);
}
