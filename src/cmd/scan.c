/* bondgate scan: every lockfile below the paths, what is in it, and what speaks against it. */
#include "cmd/scan.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "advisory/feed.h"
#include "base/file.h"
#include "base/limits.h"
#include "cmd/advisory_files.h"
#include "cmd/ask_gate.h"
#include "cmd/commands.h"
#include "cmd/open.h"
#include "cmd/policy_files.h"
#include "cmd/state.h"

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

static struct str host_of(struct str url)
{
	ptrdiff_t scheme = str_find(url, STR("://")), slash;

	url = scheme < 0 ? url : str_skip(url, (size_t)scheme + 3);
	slash = str_chr(url, '/');
	return slash < 0 ? url : str_take(url, (size_t)slash);
}

static void add_host(struct scan *s, struct str url)
{
	if (url.n && s->rules.host_count < sizeof(s->hosts) / sizeof(s->hosts[0]))
		s->hosts[s->rules.host_count++] = arena_str(s->arena, host_of(url));
}

/* "registry=URL" and "@scope:registry=URL" of one .npmrc. One that cannot be read sets nothing. */
static void add_npmrc(struct scan *s, const char *folder)
{
	CLEANUP_BUF struct buf path = BUF(4096), text = BUF(MIB);
	struct str rest, line;

	buf_printf(&path, "%s/.npmrc", folder);
	if (path.error || file_read(buf_cstr(&path), &text, NULL) < 0)
		return;
	rest = buf_str(&text);
	while (str_split(&rest, '\n', &line)) {
		ptrdiff_t equals = str_chr(line, '=');
		struct str key = equals < 0 ? STR_NULL : str_trim(str_take(line, (size_t)equals));

		if (str_eq(key, STR("registry")) || (str_starts(key, STR("@")) && str_ends(key, STR(":registry"))))
			add_host(s, str_trim(str_skip(line, (size_t)equals + 1)));
	}
}

/* Where packages may come from: the policy's origins with their artifact hosts, npm's own setting, and the gate. */
static void expect_hosts(struct scan *s)
{
	const struct gate_settings *settings = policy_gate(s->policy);
	const struct origin *origins;
	const struct str *hosts;
	size_t count = policy_origins(s->policy, &origins);

	for (size_t i = 0; i < count; i++) {
		s->rules.hosts_known = s->rules.hosts_known || (origins[i].is_default && origins[i].ecosystem == ECOSYSTEM_NPM && origins[i].url.n);
		add_host(s, origins[i].url);
		for (size_t k = 0; k < origins[i].artifact_host_count; k++)
			add_host(s, origins[i].artifact_hosts[k]);
	}
	count = policy_scan_hosts(s->policy, &hosts);
	s->rules.hosts_known = s->rules.hosts_known || count;
	for (size_t i = 0; i < count; i++)
		add_host(s, hosts[i]);
	if (!str_eq(settings->npm_client_default, STR("auto")))
		add_host(s, settings->npm_client_default);
	add_host(s, str_of(getenv("npm_config_registry")));
	add_npmrc(s, ".");
	if (getenv("HOME"))
		add_npmrc(s, getenv("HOME"));
	s->rules.hosts = s->hosts;
	s->rules.gate_host = s->options.gate ? ask_gate_host(s->options.gate) : host_of(settings->public_url);
}

static int prepare(struct scan *s, struct err *err)
{
	int code;

	s->arena = arena_new(4 * GIB);
	if (!s->arena || findings_init(&s->findings) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	code = policy_files_load_with(s->options.policy, s->now, NULL, &s->policy, NULL, err);
	if (code == 0)
		code = load_advisories(s, err);
	if (code == 0)
		code = scan_judge_open(s, err);
	if (code < 0)
		return code;
	expect_hosts(s);
	s->rules.policy = s->policy;
	s->rules.advisories = s->advisories;
	s->rules.now = s->now;
	s->rules.strict = s->options.strict;
	return 0;
}

static int run(struct scan *s, char **paths, int count, size_t *ret_failing, struct err *err)
{
	int code = prepare(s, err);

	if (code == 0)
		code = scan_paths(s, paths, count, err);
	if (code < 0)
		return code;
	for (size_t i = 0; i < s->files.unreadable_count && i < 16; i++)
		fprintf(stderr, "bondgate: %.*s\n", STR_ARG(s->files.unreadable[i]));
	if (advisories_damaged(s->advisories))
		return err_set(err, -EBADMSG, "the advisory index is damaged: import again with bondgate feed import --fresh");
	findings_sort(&s->findings);
	code = scan_report(s, ret_failing, err);
	if (code == 0 && s->options.record)
		code = scan_record(s, paths, count, err);
	if (code == 0 && s->read_count == 0)
		return err_set(err, -ENOENT, "no lockfile is below %s%s", paths[0], count > 1 ? " and the others" : "");
	return code;
}

static void close_scan(struct scan *s)
{
	scan_judge_close(s);
	for (size_t i = 0; i < s->read_count; i++)
		scanned_free(s->read[i]);
	free(s->read);
	findings_free(&s->findings);
	project_files_free(&s->files);
	advisories_unref(s->advisories);
	policy_unref(s->policy);
	arena_free(s->arena);
}

/* Forms of the report, and which of them want every package. */
static int choose_formats(struct scan *s, const struct command_usage *usage)
{
	const struct scan_options *o = &s->options;
	struct str name = o->format ? str_of(o->format) : o->json ? STR("json") : STR("table");

	s->format = report_format(name);
	if (!s->format || (o->json && o->format && strcmp(o->format, "json") != 0))
		return usage_error(
			usage, s->format ? "--json and --format %.*s exclude each other" : "there is no format %.*s: bondgate scan --help lists them",
			STR_ARG(name));
	if (o->fix_plan && strcmp(s->format->name, "table") != 0 && strcmp(s->format->name, "json") != 0)
		return usage_error(usage, "--fix-plan is printed as table or json");
	s->keep = o->list || o->record || s->format->packages;
	for (size_t i = 0; i < o->outputs.count; i++) {
		const char *equals = strchr(o->outputs.values[i], '=');
		const struct report_format *format = equals ? report_format(str_range(o->outputs.values[i], equals)) : NULL;

		if (!format || !equals[1])
			return usage_error(usage, "--output takes FORMAT=FILE, for example sarif=scan.sarif, not %s", o->outputs.values[i]);
		s->keep = s->keep || format->packages;
	}
	return 0;
}

#define FORMAT_NAMES "table, json, sarif, cyclonedx, spdx, spdx3, junit, github, gitlab, gitlab-dependencies, markdown, openvex"

int cmd_scan(int argc, char **argv)
{
	struct scan s = {.options = {.gate = getenv("BONDGATE_GATE")}};
	struct scan_options *o = &s.options;
	size_t failing = 0;
	bool done;
	const struct option_row rows[] = {
		{.name = "policy",
	     .argument = "FILE",
	     .help = "the policy (default $BONDGATE_POLICY, /etc/bondgate/bondgate.yaml)",
	     .value = &o->policy},
		{.name = "state",
	     .argument = "DIR",
	     .help = "where a gate and `bondgate feed` keep their state (default $BONDGATE_STATE)",
	     .value = &o->state},
		{.name = "gate",
	     .argument = "URL",
	     .help = "ask this running gate about age, publisher and receipts (default $BONDGATE_GATE)",
	     .value = &o->gate},
		{.name = "advisories",
	     .argument = "PATH[,PATH]",
	     .help = "OSV files, folders or indexes (default: those that the policy names, and the index)",
	     .value = &o->advisories},
		{.name = "format", .argument = "FORMAT", .help = FORMAT_NAMES, .value = &o->format},
		{.name = "output", .argument = "FORMAT=FILE", .help = "write this as well; may be given several times", .list = &o->outputs},
		{.name = "json", .help = "the same as --format json", .flag = &o->json},
		{.name = "list", .help = "print every package", .flag = &o->list},
		{.name = "installed", .help = "read node_modules folders too, as they are on the disk", .flag = &o->installed},
		{.name = "fail-on",
	     .argument = "WORD[,WORD]",
	     .help = "what makes the exit code 1: kinds, rules, severities, any, none",
	     .value = &o->fail_on},
		{.name = "severity",
	     .argument = "LEVEL",
	     .help = "tell findings from this severity on: low, moderate, high, critical",
	     .value = &o->severity},
		{.name = "prod", .help = "leave out what is there for development only", .flag = &o->prod},
		{.name = "only-direct", .help = "leave out what the project does not name itself", .flag = &o->only_direct},
		{.name = "since", .argument = "REV", .help = "only packages that this revision of git did not have", .value = &o->since},
		{.name = "baseline", .argument = "FILE", .help = "leave out the findings of this file", .value = &o->baseline},
		{.name = "write-baseline", .argument = "FILE", .help = "write the findings into such a file", .value = &o->write_baseline},
		{.name = "strict", .help = "every finding counts, also what could not be judged", .flag = &o->strict},
		{.name = "verify-receipts", .help = "name every locked artifact that did not come through the gate", .flag = &o->verify_receipts},
		{.name = "record", .help = "keep what is locked in the gate's or this machine's store, for bondgate incidents", .flag = &o->record},
		{.name = "project",
	     .argument = "NAME",
	     .help = "record under this name (default: git's remote, else the folder)",
	     .value = &o->project},
		{.name = "token-file", .argument = "FILE", .help = "record: holds your token (default $BONDGATE_TOKEN)", .value = &o->token_file},
		{.name = "fix-plan", .help = "print the smallest set of upgrades instead", .flag = &o->fix_plan},
		{.name = "at", .argument = "TIME", .help = "judge as of this time (2026-01-31 or 2026-01-31T12:00:00Z)", .value = &o->at},
		{.name = "quiet", .help = "print findings only", .flag = &o->quiet},
	};
	const struct command_usage usage = {
		"scan PATH... [OPTIONS]",
		"Reads every lockfile of npm and NuGet below the paths and says what an advisory or the policy has against the\n"
		"packages in it. Exits 1 on a finding to act on, 3 when a file cannot be read.",
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
	if (o->gate && !*o->gate)
		o->gate = NULL;
	r = choose_formats(&s, &usage);
	if (r == 0)
		r = scan_select_check(&s, &usage);
	if (r)
		return r;
	r = run(&s, argv, words, &failing, &err);
	if (r < 0)
		fprintf(stderr, "bondgate: %s\n", err.text);
	if (fflush(stdout) != 0)
		r = -EIO;
	words = failing ? EXIT_FOUND : r < 0 || s.unreadable || s.files.unreadable_count ? EXIT_CANNOT : EXIT_NOTHING;
	close_scan(&s);
	return words;
}
