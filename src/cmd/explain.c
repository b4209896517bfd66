/* bondgate explain: the same decision that the gate makes, with its reasons. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "cmd/ask_gate.h"
#include "cmd/commands.h"
#include "cmd/open.h"
#include "cmd/options.h"
#include "gate/explanation.h"
#include "gate/reach.h"

struct asking {
	struct opened opened;
	struct gate_thread thread;
	struct purl purl;
	struct rules *rules; /* of --team, or everybody's */
	struct clearance_result cleared;
	bool answered, walked, running; /* running: the loop, for the walk */
};

/* --at: the decisions are made as of then. */
static usec asked_time;

static usec time_asked(void)
{
	return asked_time;
}

static void cleared(void *arg, struct clearance_result *result)
{
	struct asking *q = arg;

	q->cleared = *result;
	q->answered = true;
	loop_stop(q->thread.loop);
}

static int print_decision(const struct version_facts *facts, const struct decision *d, usec now, bool json)
{
	CLEANUP_BUF struct buf out = BUF(MIB);

	if (json)
		explain_json(facts, d, &out);
	else
		explain_text(facts, d, now, &out);
	if (out.error) {
		fprintf(stderr, "bondgate: the explanation is too large\n");
		return EXIT_CANNOT;
	}
	printf("%.*s%s", STR_ARG(buf_str(&out)), str_ends(buf_str(&out), STR("\n")) ? "" : "\n");
	return d->verdict == VERDICT_ALLOW ? EXIT_NOTHING : EXIT_FOUND;
}

static void walked(void *arg)
{
	struct asking *q = arg;

	q->walked = true;
	if (q->running)
		loop_stop(q->thread.loop);
}

/* Where the whitelist only reports nobody waits for the walk; whoever asks wants to know. */
static void wait_for_walk(struct asking *q)
{
	reach_wait(&q->thread, q->rules->reach, q->purl.name, walked, q);
	q->running = !q->walked;
	if (q->running)
		loop_run(q->thread.loop);
}

static int explain(struct asking *q, bool json, struct err *err)
{
	struct gate *g = q->opened.gate;
	struct rules *rules = q->rules;
	const struct origin *origin = policy_origin(rules->policy, q->purl.ecosystem, q->purl.name);
	CLEANUP_ARENA struct arena *a = arena_new(16 * MIB);
	struct explanation e;
	int code, r;

	if (origin && rules->reach)
		wait_for_walk(q);
	if (origin) {
		clearance_get(&q->thread, rules, origin, q->purl.name, cleared, q);
		if (!q->answered)
			loop_run(q->thread.loop);
	}
	r = explanation_make(&q->cleared, rules, origin, &q->purl, g->now(), a, &e);
	if (r == 0)
		code = print_decision(&e.facts, &e.decision, g->now(), json);
	else
		code = EXIT_CANNOT;
	if (r < 0)
		*err = q->cleared.err;
	if (q->cleared.stale && !json)
		fprintf(stderr, "The registry did not answer (%s): this is from what is stored here.\n", q->cleared.err.text);
	clearance_result_free(&q->cleared);
	return code;
}

/* The rules of the team, as for who has its token: whoever may read the policy and the state needs no other proof. */
static int choose_rules(struct asking *q, const char *team, struct err *err)
{
	CLEANUP_BUF struct buf names = BUF(4 * KIB);
	const struct policy_team *teams;
	size_t n;

	q->rules = gate_rules(q->opened.gate);
	if (!team)
		return 0;
	n = policy_teams(q->rules->policy, &teams);
	if (gate_has_team(q->opened.gate, str_of(team))) {
		rules_unref(q->rules);
		q->rules = gate_team_rules(q->opened.gate, str_of(team), true);
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		buf_printf(&names, "%s%.*s", i ? ", " : "", STR_ARG(teams[i].name));
	return err_set(err, -ENOENT,
	               n ? "the policy has no team %s; its `teams` are: %.*s" : "the policy has no team %s%.*s: it has no `teams`", team,
	               STR_ARG(buf_str(&names)));
}

int cmd_explain(int argc, char **argv)
{
	struct asking q = {0};
	struct open_options options = {0};
	const char *at = NULL, *gate = getenv("BONDGATE_GATE"), *team = NULL, *token_file = NULL;
	bool json = false, offline = false, done;
	const struct option_row rows[] = {
		{.name = "policy",
	     .argument = "FILE",
	     .help = "the policy (default $BONDGATE_POLICY, /etc/bondgate/bondgate.yaml)",
	     .value = &options.policy},
		{.name = "state", .argument = "DIR", .help = "where state is kept (default $BONDGATE_STATE)", .value = &options.state},
		{.name = "at", .argument = "TIME", .help = "as of this time (2026-01-31 or 2026-01-31T12:00:00Z)", .value = &at},
		{.name = "gate", .argument = "URL", .help = "ask this running gate instead of files here (default $BONDGATE_GATE)", .value = &gate},
		{.name = "team",
	     .argument = "NAME",
	     .help = "under the rules of this team, as for who has its token; with --gate your token is sent",
	     .value = &team},
		{.name = "token-file",
	     .argument = "FILE",
	     .help = "with --gate and --team: holds your token (default $BONDGATE_TOKEN, or the one in .npmrc)",
	     .value = &token_file},
		{.name = "offline", .help = "ask no registry: answer from what is stored", .flag = &offline},
		{.name = "json", .help = "machine-readable", .flag = &json},
	};
	const struct command_usage usage = {
		"explain PURL [OPTIONS]",
		"Says why a version (pkg:npm/name@1.2.3, or npm:name@1.2.3) is allowed, held or denied, by which line of which\n"
		"file, and until when. Exits 0 for allow, 1 for hold or deny.",
		rows, sizeof(rows) / sizeof(rows[0])};
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct err err = {0};
	int words, r, code = EXIT_CANNOT;

	r = options_read(&usage, argc, argv, &words, &done);
	if (r || done)
		return r;
	if (words != 1)
		return usage_error(&usage, "explain takes one version, for example npm:left-pad@1.3.0");
	if (purl_parse(a, str_of(argv[0]), &q.purl, &err) < 0)
		return usage_error(&usage, "%s", err.text);
	if (q.purl.version.n == 0 || q.purl.ecosystem != ECOSYSTEM_NPM)
		return usage_error(&usage,
		                   q.purl.version.n ? "this version of bondgate explains npm packages only" : "which version? For example %s@1.0.0",
		                   argv[0]);
	if (at && time_parse(str_of(at), &asked_time) < 0)
		return usage_error(&usage, "--at takes a time such as 2026-01-31 or 2026-01-31T12:00:00Z, not %s", at);
	log_set_level(LOG_ERROR);
	if (gate && *gate)
		return ask_gate_explain(&(struct gate_question){gate, argv[0], at, team, token_file, json});
	r = open_prepare(&options, false, NULL, offline, &q.opened, &err);
	if (r == 0)
		r = open_gate(&q.opened, true, &err);
	if (r == 0) {
		q.opened.gate->offline = offline;
		if (at)
			q.opened.gate->now = time_asked;
	}
	if (r == 0)
		r = gate_thread_init(q.opened.gate, &q.thread, &err);
	if (r == 0)
		r = choose_rules(&q, team, &err);
	if (r == 0)
		code = explain(&q, json, &err);
	if (code == EXIT_CANNOT)
		fprintf(stderr, "bondgate: %s\n", err.text);
	rules_unref(q.rules);
	gate_threads_close(&q.thread, 1);
	close_gate(&q.opened);
	return code;
}
