/* bondgate scan: every lockfile below the paths, what is in it, and what speaks against it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "advisory/feed.h"
#include "base/file.h"
#include "base/limits.h"
#include "cmd/advisory_files.h"
#include "cmd/commands.h"
#include "cmd/open.h"
#include "cmd/options.h"
#include "cmd/policy_files.h"
#include "cmd/scan_output.h"
#include "cmd/state.h"
#include "scan/project.h"

struct scan_options {
	const char *policy, *state, *advisories, *at;
	bool json, list, quiet, installed;
};

struct scan {
	struct scan_options options;
	struct policy *policy;
	struct advisories *advisories;
	usec now;
	struct project_files files;
	struct findings findings;
	struct scan_output output;
	struct scanned **kept; /* locks that findings point into */
	size_t kept_count;
};

static void scanned_free(struct scanned *s)
{
	if (!s)
		return;
	lock_free(&s->lock);
	file_unmap(s->text);
	arena_free(s->extras);
	free(s->listed);
	free(s);
}

static int read_file(struct scanned *s, const struct project_file *file, struct err *err)
{
	struct lock_extras extras;
	const struct lock_format *format = file->format;
	int code;

	if (file->tree)
		return installed_read(file->path.p, &s->lock, err);
	/* Mapped, not copied: reading is most of the work. A file that somebody shortens at this moment ends the scan with a signal. */
	code = file_map(file->path.p, &s->text, err);
	if (code < 0)
		return code;
	if (!format)
		format = lock_format_by_content(s->text);
	if (!format)
		return err_set(err, -EBADMSG, "%s: not a lockfile or manifest that bondgate knows", file->path.p);
	s->format = format->name;
	code = project_extras(s->extras, &(struct project_file){.path = file->path, .format = format}, &extras, err);
	return code < 0 ? code : lock_read(format, s->text, file->path, &extras, &s->lock, err);
}

/* Reads and judges one file; what findings point into is kept. */
static int scan_file(struct scan *s, const struct project_file *file, struct err *err)
{
	struct scanned *one = calloc(1, sizeof(*one)), **kept;
	size_t before = s->findings.count;
	int code;

	if (!one || !(one->extras = arena_new(GIB))) {
		scanned_free(one);
		return err_set(err, -ENOMEM, "out of memory");
	}
	one->path = file->path;
	one->format = file->tree ? "node_modules" : file->format ? file->format->name : "unknown";
	one->code = read_file(one, file, &one->err);
	code = one->code < 0 ? 0 : lock_list(&one->lock, &one->listed, &one->count);
	if (code == 0 && one->code == 0)
		code = findings_add(&s->findings, &one->lock, one->listed, one->count, s->policy, s->advisories, s->now);
	if (code == 0 && s->findings.count > before)
		code = lock_paths(&one->lock);
	if (code == 0)
		code = scan_output_file(&s->output, one);
	if (code == 0 && s->findings.count > before) {
		kept = reallocarray(s->kept, s->kept_count + 1, sizeof(struct scanned *));
		code = kept ? 0 : -ENOMEM;
		if (kept) {
			s->kept = kept;
			s->kept[s->kept_count++] = one;
			return 0;
		}
	}
	scanned_free(one);
	return code < 0 ? err_set(err, code, "%s: %s", file->path.p, err_name(code)) : 0;
}

/* `--advisories A,B` and, without it, the files that the policy names and the index that `bondgate feed import` made. */
static int load_advisories(struct scan *s, struct err *err)
{
	const struct gate_settings *settings = policy_gate(s->policy);
	const char *paths[64];
	size_t count = 0, records, skipped;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	CLEANUP_BUF struct buf dir = BUF(4096);
	struct str rest = str_of(s->options.advisories), one;
	int code;

	while (a && count < 64 && str_split(&rest, ',', &one))
		if (one.n)
			paths[count++] = arena_str(a, one).p;
	for (size_t i = 0; a && !s->options.advisories && i < settings->advisory_file_count && count < 64; i++)
		paths[count++] = arena_str(a, settings->advisory_files[i]).p;
	if (a && !s->options.advisories && count < 64 && state_dir(s->options.state, &dir, NULL) == 0) {
		struct str index = arena_printf(a, "%s/" ADVISORY_INDEX, buf_cstr(&dir));

		if (index.p && access(index.p, F_OK) == 0)
			paths[count++] = index.p;
	}
	if (!a || arena_failed(a))
		return err_set(err, -ENOMEM, "out of memory");
	if (count == 0) {
		s->advisories = advisories_empty();
		return s->advisories ? 0 : err_set(err, -ENOMEM, "out of memory");
	}
	code = advisories_load_all(paths, count, &s->advisories, &records, &skipped, err);
	if (code == 0)
		code = advisory_files_mark(s->policy, s->advisories, a, NULL, NULL, err);
	if (code == 0 && skipped && !s->options.quiet)
		fprintf(stderr, "bondgate: %zu of %zu advisories cannot be read: %s\n", skipped, records + skipped, err->text);
	return code;
}

static int scan_paths(struct scan *s, char **paths, int count, struct err *err)
{
	const struct project_options options = {.installed = s->options.installed};
	struct project_files found;
	int code = 0;

	/* What is named by itself is read whatever speaks for it. */
	for (int i = 0; i < count && code == 0; i++) {
		size_t before = s->files.count;

		code = project_find(&s->files, paths[i], &options, err);
		if (code < 0 && code != -ENOMEM) {
			code =
				scan_output_file(&s->output, &(struct scanned){.path = str_of(paths[i]), .format = "unknown", .code = code, .err = *err});
			continue;
		}
		if (code == 0 && s->files.count == before + 1 && strcmp(s->files.array[before].path.p, paths[i]) == 0)
			continue;
		if (code == 0) {
			found = (struct project_files){.array = s->files.array + before, .count = s->files.count - before};
			project_drop_manifests(&found);
			s->files.count = before + found.count;
		}
	}
	for (size_t i = 0; i < s->files.count && code == 0; i++)
		code = scan_file(s, &s->files.array[i], err);
	return code;
}

static int run(struct scan *s, char **paths, int count, struct err *err)
{
	int code = policy_files_load_with(s->options.policy, s->now, NULL, &s->policy, NULL, err);

	if (code == 0)
		code = load_advisories(s, err);
	if (code == 0 && findings_init(&s->findings) < 0)
		code = err_set(err, -ENOMEM, "out of memory");
	if (code < 0)
		return code;
	scan_output_begin(&s->output);
	code = scan_paths(s, paths, count, err);
	if (code < 0)
		return code;
	for (size_t i = 0; i < s->files.unreadable_count && i < 16; i++)
		fprintf(stderr, "bondgate: %.*s\n", STR_ARG(s->files.unreadable[i]));
	s->output.unreadable += s->files.unreadable_count;
	if (advisories_damaged(s->advisories))
		return err_set(err, -EBADMSG, "the advisory index is damaged: import again with bondgate feed import --fresh");
	findings_sort(&s->findings);
	code = scan_output_end(&s->output, &s->findings);
	if (code < 0)
		return err_set(err, code, "cannot write the answer: %s", err_name(code));
	if (s->output.files == 0)
		return err_set(err, -ENOENT, "no lockfile is below %s%s", paths[0], count > 1 ? " and the others" : "");
	return 0;
}

static void close_scan(struct scan *s)
{
	for (size_t i = 0; i < s->kept_count; i++)
		scanned_free(s->kept[i]);
	free(s->kept);
	findings_free(&s->findings);
	project_files_free(&s->files);
	advisories_unref(s->advisories);
	policy_unref(s->policy);
	buf_free(&s->output.buffer);
}

int cmd_scan(int argc, char **argv)
{
	struct scan s = {0};
	struct scan_options *o = &s.options;
	bool done;
	const struct option_row rows[] = {
		{.name = "policy",
	     .argument = "FILE",
	     .help = "the policy (default $BONDGATE_POLICY, /etc/bondgate/bondgate.yaml)",
	     .value = &o->policy},
		{.name = "state", .argument = "DIR", .help = "where `bondgate feed` keeps its index (default $BONDGATE_STATE)", .value = &o->state},
		{.name = "advisories",
	     .argument = "PATH[,PATH]",
	     .help = "OSV files, folders or indexes (default: those that the policy names, and the index)",
	     .value = &o->advisories},
		{.name = "list", .help = "print every package", .flag = &o->list},
		{.name = "installed", .help = "read node_modules folders too, as they are on the disk", .flag = &o->installed},
		{.name = "at", .argument = "TIME", .help = "judge as of this time (2026-01-31 or 2026-01-31T12:00:00Z)", .value = &o->at},
		{.name = "json", .help = "machine-readable", .flag = &o->json},
		{.name = "quiet", .help = "print findings only", .flag = &o->quiet},
	};
	const struct command_usage usage = {
		"scan PATH... [OPTIONS]",
		"Reads every lockfile of npm and NuGet below the paths and says what an advisory or the policy has against the\n"
		"packages in it. Exits 1 on a finding, 3 when a file cannot be read.",
		rows, sizeof(rows) / sizeof(rows[0])};
	struct err err = {0};
	int words, r;

	r = options_read(&usage, argc, argv, &words, &done);
	if (r || done)
		return r;
	if (words == 0)
		return usage_error(&usage, "scan takes a path, for example: bondgate scan .");
	s.now = time_now();
	if (o->at && time_parse(str_of(o->at), &s.now) < 0)
		return usage_error(&usage, "--at takes a time such as 2026-01-31 or 2026-01-31T12:00:00Z, not %s", o->at);
	s.output = (struct scan_output){.json = o->json, .list = o->list, .quiet = o->quiet, .buffer = BUF(GIB)};
	r = run(&s, argv, words, &err);
	if (r < 0)
		fprintf(stderr, "bondgate: %s\n", err.text);
	if (fflush(stdout) != 0)
		r = -EIO;
	words = s.findings.count ? EXIT_FOUND : r < 0 || s.output.unreadable ? EXIT_CANNOT : EXIT_NOTHING;
	close_scan(&s);
	return words;
}
