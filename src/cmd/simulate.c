/* bondgate simulate: what would another policy have refused in what was really fetched, or would it refuse in a project or in an access log. */
#include <stdio.h>

#include "base/limits.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/policy_files.h"
#include "cmd/simulate.h"
#include "cmd/state.h"
#include "gate/people.h"

struct job {
	struct open_options options;
	const char *since_text, *team, *lockfile, *access_log, *format, *limit_text;
	bool json, offline;
	usec since;
	uint64_t limit;
	struct opened opened;
	struct gate_thread thread;
	struct tally tally;
	struct arena *arena;
};

/* What people decided counts as in the gate; also what has ended meanwhile, since it was in force when it was used. */
static int take_grants(struct job *j, struct err *err)
{
	struct arena *a = arena_new(64 * MIB);
	struct policy_grants grants = {0};
	int r = a ? people_grants(j->opened.gate->store, j->since, a, &grants, err) : err_set(err, -ENOMEM, "no memory");

	if (r == 0 && grants.exemption_count + grants.approval_count) {
		gate_set_grants(j->opened.gate, a, &grants);
		return 0;
	}
	arena_free(a);
	return r;
}

/* A store must be there already, unless only the upstream is asked. */
static int open_all(struct job *j, struct err *err)
{
	bool evidence = !j->lockfile && !j->access_log;
	struct store *s;
	int r = 0;

	if (evidence) {
		r = state_open(j->options.state, STORE_READ, &s, err);
		if (r < 0)
			return r;
		store_close(s);
	}
	r = open_prepare(&j->options, false, NULL, evidence || j->offline, &j->opened, err);
	if (r == 0)
		r = open_gate(&j->opened, true, err);
	if (r == 0) {
		j->opened.gate->offline = evidence || j->offline;
		r = take_grants(j, err);
	}
	return r == 0 ? gate_thread_init(j->opened.gate, &j->thread, err) : r;
}

static int replay_versions(struct job *j, struct err *err)
{
	struct rules *rules = j->team ? gate_team_rules(j->opened.gate, str_of(j->team), true) : gate_rules(j->opened.gate);
	struct versions *v = versions_new(&j->thread, rules);
	int r;

	if (!v)
		r = err_set(err, -ENOMEM, "no memory");
	else if (j->lockfile)
		r = simulate_lockfile(v, j->lockfile, &j->tally, err);
	else
		r = simulate_access_log(v, j->access_log, j->format, j->since, &j->tally, err);
	versions_free(v);
	rules_unref(rules);
	return r;
}

static struct str policy_name(struct job *j)
{
	struct policy_files files;
	struct err err;

	if (policy_files_find(j->options.policy, &files, &err) == 0 && files.machine_exists)
		return arena_str(j->arena, str_of(files.machine));
	return STR("the built-in policy");
}

static void print_result(struct job *j)
{
	struct tally_text text = {.policy = policy_name(j), .what = STR("decisions"), .rows = (size_t)j->limit};

	if (j->lockfile)
		text.what = arena_printf(j->arena, "packages of %s", j->lockfile);
	if (j->access_log)
		text.what = arena_printf(j->arena, "requests of %s", j->access_log);
	if (j->json)
		tally_json(&j->tally, &text);
	else
		tally_print(&j->tally, &text);
}

static int run(struct job *j)
{
	struct err err = {0};
	int r = open_all(j, &err);

	if (r == 0)
		r = j->lockfile || j->access_log ? replay_versions(j, &err)
		                                 : simulate_evidence(j->opened.gate, j->since, str_of(j->team ? j->team : ""), &j->tally, &err);
	if (r == 0)
		print_result(j);
	else
		fprintf(stderr, "bondgate: %s\n", err.text);
	gate_threads_close(&j->thread, 1);
	close_gate(&j->opened);
	if (r < 0)
		return EXIT_CANNOT;
	return tally_changes(&j->tally) ? EXIT_FOUND : EXIT_NOTHING;
}

static int check_words(struct job *j, struct err *err)
{
	if (j->lockfile && j->access_log)
		return err_set(err, -EINVAL, "--lockfile and --access-log are two questions: ask one");
	if (j->format && !j->access_log)
		return err_set(err, -EINVAL, "--format is for --access-log");
	if (j->limit_text && (str_to_u64(str_of(j->limit_text), &j->limit) < 0 || j->limit == 0))
		return err_set(err, -EINVAL, "--limit takes a number from 1 on, not \"%s\"", j->limit_text);
	return moment_parse(str_of(j->since_text), time_now(), &j->since, err);
}

int cmd_simulate(int argc, char **argv)
{
	struct job j = {.since_text = "30d", .limit = 20};
	const struct option_row rows[] = {
		{.name = "since", .argument = "WHEN", .help = "from then on: a duration (30d) or a time (2026-01-31)", .value = &j.since_text},
		{.name = "policy",
	     .argument = "FILE",
	     .help = "the policy that is asked (default $BONDGATE_POLICY, /etc/bondgate/bondgate.yaml)",
	     .value = &j.options.policy},
		{.name = "team", .argument = "NAME", .help = "only what was asked for under /t/NAME/", .value = &j.team},
		{.name = "lockfile", .argument = "FILE", .help = "the packages of a lockfile instead of the receipts", .value = &j.lockfile},
		{.name = "access-log", .argument = "FILE", .help = "an existing proxy's access log (- for standard input)", .value = &j.access_log},
		{.name = "format", .argument = "NAME", .help = "of the access log: nexus, artifactory, verdaccio or auto", .value = &j.format},
		{.name = "offline", .help = "ask no registry: judge by what is stored", .flag = &j.offline},
		{.name = "limit", .argument = "N", .help = "rows of each list (default 20)", .value = &j.limit_text},
		{.name = "json", .help = "machine-readable", .flag = &j.json},
		{.name = "state", .argument = "DIR", .help = "where state is kept (default $BONDGATE_STATE)", .value = &j.options.state},
	};
	const struct command_usage usage = {
		"simulate [--since WHEN] [--policy FILE] [--team NAME | --lockfile FILE | --access-log FILE] [OPTIONS]",
		"Asks a policy about every version that this gate handed out or refused, at its own time and with what was known\n"
		"then, and lists what would have been otherwise, and for whom. Exits 1 when something would change.",
		rows, sizeof(rows) / sizeof(rows[0])};
	CLEANUP_ARENA struct arena *a = arena_new(GIB);
	struct err err = {0};
	bool done;
	int words, r;

	r = options_read(&usage, argc, argv, &words, &done);
	if (r || done)
		return r;
	if (words)
		return usage_error(&usage, "simulate takes options only, not \"%s\"", argv[0]);
	if (check_words(&j, &err) < 0)
		return usage_error(&usage, "%s", err.text);
	log_set_level(LOG_ERROR);
	j.arena = j.tally.arena = a;
	r = a ? run(&j) : EXIT_CANNOT;
	map_free(&j.tally.by_key);
	return r;
}
