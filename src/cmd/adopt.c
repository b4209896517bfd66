/* bondgate adopt: what is locked today becomes the policy to start with, so that the gate breaks no build on its first day. */
#include "cmd/adopt.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/person.h"
#include "cmd/policy_files.h"
#include "policy/replay.h"
#include "store/adopted.h"

enum { POLICY_MOST = 64 * 1024 * 1024, SHOWN = 20 };

/* ---- what is written ---- */

static int gather_roots(struct adopt *a)
{
	a->roots = ARENA_ARRAY(a->arena, struct adopted_root, a->package_count ? a->package_count : 1);
	for (size_t i = 0; a->roots && i < a->package_count; i++) {
		const struct adopt_package *p = a->packages[i];

		/* What a line approves already needs no second one. */
		if (p->root && !policy_root(a->rules->policy, p->ecosystem, p->name))
			a->roots[a->root_count++] = (struct adopted_root){p->ecosystem, p->name, p->file};
	}
	return a->roots ? 0 : -ENOMEM;
}

static int existing_text(const struct adopt *a, struct buf *text, struct err *err)
{
	struct policy_files files;
	int r = policy_files_find(a->options.policy, &files, err);

	return r == 0 && files.machine_exists ? file_read(files.machine, text, err) : r;
}

/* No promise without a look: the policy that was written is asked about everything that the old one held. What only waits for the approved roots is
 * cleared by the walk from them. */
static int verify(const struct adopt *a, struct str text, struct err *err)
{
	struct policy *p;
	int r = policy_load(text, STR("the adopted policy"), a->now, NULL, &p, NULL, err);

	for (size_t i = 0; r == 0 && i < a->held_count; i++) {
		CLEANUP_ARENA struct arena *texts = arena_new(16 * MIB);
		const struct version_facts *f = &a->held[i].facts;
		struct replay replay;

		if (!texts) {
			r = err_set(err, -ENOMEM, "out of memory");
			break;
		}
		replay_decision(p, f, a->now, true, STR("allow"), texts, &replay);
		if (replay.decision.verdict != VERDICT_ALLOW && replay.decision.reasons[0].code != REASON_NOT_APPROVED)
			r = err_set(err, -EINVAL, "%s:%.*s@%.*s would still be held: %.*s", ecosystem_name(f->ecosystem), STR_ARG(f->name),
			            STR_ARG(f->version), STR_ARG(replay.decision.reasons[0].text));
	}
	if (r == 0)
		policy_unref(p);
	return r;
}

static int compose(struct adopt *a, struct buf *out, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF(POLICY_MOST);
	char person[PERSON_TEXT];
	struct adoption adoption = {.now = a->now, .exemptions = a->exemptions, .exemption_count = a->exemption_count};
	int r = gather_roots(a);

	if (r == 0)
		r = existing_text(a, &text, err);
	local_person(person);
	adoption.roots = a->roots;
	adoption.root_count = a->root_count;
	adoption.owner = str_of(a->owner ? a->owner : person);
	adoption.approved_by = a->approved_by ? str_of(a->approved_by) : STR("adoption");
	if (r == 0)
		r = policy_adopt(buf_str(&text), &adoption, out, err);
	return r == 0 ? verify(a, buf_str(out), err) : r;
}

static int write_policy(const struct adopt *a, struct str text, struct err *err)
{
	if (a->output)
		return file_replace(a->output, text, 0644, err);
	if (a->json)
		return 0;
	if (fwrite(text.p, 1, text.n, stdout) != text.n || fflush(stdout) != 0)
		return err_set(err, -EIO, "the policy cannot be written to standard output");
	return 0;
}

/* From now on these names are known here. */
static int remember(const struct adopt *a, struct err *err)
{
	CLEANUP_FREE struct adopted *array = calloc(a->version_count + 1, sizeof(*array));
	char person[PERSON_TEXT], detail[160];
	struct evidence act = {.time = a->now, .kind = EVIDENCE_ADMIN, .decision = STR("adopted"), .client = STR("local")};
	size_t n = 0;

	if (!array)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < a->package_count; i++)
		for (const struct adopt_version *v = a->packages[i]->versions; v; v = v->next)
			array[n++] = (struct adopted){a->packages[i]->ecosystem, a->packages[i]->name, v->version, v->file, a->now};
	local_person(person);
	snprintf(detail, sizeof(detail), "%zu versions of %zu packages: %zu roots, %zu exemptions", n, a->package_count, a->root_count,
	         a->exemption_count);
	act.identity = str_of(person);
	act.detail = str_of(detail);
	return store_adopted_add(a->opened.gate->store, array, n, &act, err);
}

/* ---- what is said ---- */

static void print_notes(const char *heading, const struct adopt_notes *notes)
{
	if (notes->count == 0)
		return;
	fprintf(stderr, "%s\n", heading);
	for (size_t i = 0; i < notes->count && i < SHOWN; i++)
		fprintf(stderr, "  %.*s\n", STR_ARG(notes->array[i].text));
	if (notes->count > SHOWN)
		fprintf(stderr, "  and %zu more\n", notes->count - SHOWN);
}

static void print_summary(const struct adopt *a)
{
	if (a->options.quiet || (a->json && !a->output))
		return;
	fprintf(stderr, "adopted %zu version%s of %zu package%s in %zu file%s: %zu root%s, %zu exemption%s\n", a->version_count,
	        a->version_count == 1 ? "" : "s", a->package_count, a->package_count == 1 ? "" : "s", a->scan.read_count,
	        a->scan.read_count == 1 ? "" : "s", a->root_count, a->root_count == 1 ? "" : "s", a->exemption_count,
	        a->exemption_count == 1 ? "" : "s");
	if (a->by_roots)
		fprintf(stderr, "%zu of them are not approved yet: the gate's walk from the roots clears what they need\n", a->by_roots);
	print_notes("Their registry does not have these, so the gate cannot serve them:", &a->unknown);
	print_notes("Not judged, because nothing of them is stored here:", &a->unjudged);
}

static void json_notes(struct json_writer *w, const char *key, const struct adopt_notes *notes)
{
	jw_key(w, str_of(key));
	jw_array(w);
	for (size_t i = 0; i < notes->count; i++)
		jw_str(w, notes->array[i].text);
	jw_array_end(w);
}

static void print_json(const struct adopt *a, bool written)
{
	CLEANUP_BUF struct buf out = BUF(64 * MIB);
	struct json_writer w;

	jw_init(&w, &out);
	jw_object(&w);
	jw_member_bool(&w, "written", written);
	jw_member_int(&w, "files", (int64_t)a->scan.read_count);
	jw_member_int(&w, "packages", (int64_t)a->package_count);
	jw_member_int(&w, "versions", (int64_t)a->version_count);
	jw_key(&w, STR("roots"));
	jw_array(&w);
	for (size_t i = 0; i < a->root_count; i++)
		jw_str(&w, purl_format(a->arena, a->roots[i].ecosystem, a->roots[i].name, STR_NULL));
	jw_array_end(&w);
	jw_key(&w, STR("exemptions"));
	jw_array(&w);
	for (size_t i = 0; i < a->exemption_count; i++)
		jw_str(&w, purl_format(a->arena, a->exemptions[i].ecosystem, a->exemptions[i].name, a->exemptions[i].version));
	jw_array_end(&w);
	json_notes(&w, "findings", &a->found);
	json_notes(&w, "unknown", &a->unknown);
	json_notes(&w, "unjudged", &a->unjudged);
	jw_object_end(&w);
	printf("%.*s\n", STR_ARG(buf_str(&out)));
}

static int refuse(const struct adopt *a)
{
	print_notes("Nothing is adopted, because of this:", &a->found);
	if (a->json)
		print_json(a, false);
	return EXIT_FOUND;
}

/* ---- the steps ---- */

static int open_all(struct adopt *a, struct err *err)
{
	int r = open_prepare(&a->options, false, NULL, a->offline, &a->opened, err);

	if (r == 0)
		r = open_gate(&a->opened, true, err);
	if (r < 0)
		return r;
	a->opened.gate->offline = a->offline;
	r = gate_thread_init(a->opened.gate, &a->thread, err);
	if (r == 0)
		a->rules = gate_rules(a->opened.gate);
	return r;
}

static int run(struct adopt *a, char **paths, int count)
{
	CLEANUP_BUF struct buf text = BUF(POLICY_MOST);
	struct err err = {0};
	int r = open_all(a, &err);

	if (r == 0)
		r = adopt_read(a, paths, count, &err);
	/* Malware is not asked about twice, and nothing is fetched for a project that has it. */
	if (r == 0 && a->found.count)
		return refuse(a);
	if (r == 0)
		r = adopt_judge(a, &err);
	if (r == 0 && a->found.count)
		return refuse(a);
	if (r == 0 && a->unjudged.count && !a->offline) {
		print_notes("Not judged:", &a->unjudged);
		r = err_set(&err, -EIO, "nothing is adopted, because a registry did not answer: try again, or take what is stored with --offline");
	}
	if (r == 0)
		r = compose(a, &text, &err);
	if (r == 0)
		r = write_policy(a, buf_str(&text), &err);
	/* A summary alone is only a look. */
	if (r == 0 && (a->output || !a->json))
		r = remember(a, &err);
	if (r < 0) {
		fprintf(stderr, "bondgate: %s\n", err.text[0] ? err.text : err_name(r));
		return EXIT_CANNOT;
	}
	print_summary(a);
	if (a->json)
		print_json(a, a->output != NULL);
	return fflush(stdout) != 0 ? EXIT_CANNOT : EXIT_NOTHING;
}

static void close_all(struct adopt *a)
{
	for (size_t i = 0; i < a->held_count; i++)
		clearance_result_free(&a->held[i].cleared);
	for (size_t i = 0; i < a->scan.read_count; i++)
		scanned_free(a->scan.read[i]);
	free(a->scan.read);
	findings_free(&a->scan.findings);
	project_files_free(&a->scan.files);
	rules_unref(a->rules);
	gate_threads_close(&a->thread, 1);
	close_gate(&a->opened);
	map_free(&a->by_name);
	free(a->packages);
	free(a->exemptions);
	free(a->held);
	free(a->found.array);
	free(a->unknown.array);
	free(a->unjudged.array);
	arena_free(a->arena);
}

int cmd_adopt(int argc, char **argv)
{
	struct adopt a = {.gate = getenv("BONDGATE_GATE")};
	const struct option_row rows[] = {
		{.name = "output", .argument = "FILE", .help = "write the policy there (default: standard output)", .value = &a.output},
		{.name = "policy",
	     .argument = "FILE",
	     .help = "the policy that it is put into (default $BONDGATE_POLICY, /etc/bondgate/bondgate.yaml)",
	     .value = &a.options.policy},
		{.name = "owner", .argument = "NAME", .help = "who answers for what is adopted (default: you)", .value = &a.owner},
		{.name = "approved-by", .argument = "NAME", .help = "who approved it (default: adoption)", .value = &a.approved_by},
		{.name = "offline", .help = "ask no registry: judge by what is stored", .flag = &a.offline},
		{.name = "rewrite-resolved", .help = "instead: point the lockfiles' addresses at --gate", .flag = &a.rewrite},
		{.name = "gate", .argument = "URL", .help = "rewrite: the gate's address for npm (default $BONDGATE_GATE)", .value = &a.gate},
		{.name = "dry-run", .help = "rewrite: show the difference and write nothing", .flag = &a.dry_run},
		{.name = "json", .help = "machine-readable summary; without --output nothing is adopted", .flag = &a.json},
		{.name = "quiet", .help = "no summary, no progress", .flag = &a.options.quiet},
		{.name = "state", .argument = "DIR", .help = "where state is kept (default $BONDGATE_STATE)", .value = &a.options.state},
	};
	const struct command_usage usage = {
		"adopt LOCKFILE|DIR... [--policy FILE] [--output FILE] [--owner NAME]",
		"Turns what is locked today into a policy to start with: what projects name themselves is approved, versions that the\n"
		"policy would hold today are exempt for a while, and all names are known from now on. Exits 1, and writes nothing, when\n"
		"malware or a denied version is locked. With --rewrite-resolved --gate URL LOCKFILE... it points lockfiles at the gate.",
		rows, sizeof(rows) / sizeof(rows[0])};
	bool done;
	int words, r = options_read(&usage, argc, argv, &words, &done);

	if (r || done)
		return r;
	if (words == 0)
		return usage_error(&usage, "adopt takes a lockfile or a folder, for example: bondgate adopt .");
	if (a.rewrite && (!a.gate || !*a.gate))
		return usage_error(&usage, "--rewrite-resolved needs --gate URL, for example http://127.0.0.1:4873/npm/");
	if (a.dry_run && !a.rewrite)
		return usage_error(&usage, "--dry-run is for --rewrite-resolved; without --output nothing is written anyway");
	if (a.owner && !str_trim(str_of(a.owner)).n)
		return usage_error(&usage, "--owner takes a name");
	if (a.rewrite)
		return adopt_rewrite(&a, argv, words);
	log_set_level(LOG_ERROR);
	a.now = time_now();
	a.terminal = isatty(STDERR_FILENO) && !a.options.quiet;
	a.arena = arena_new(GIB);
	if (!a.arena)
		return EXIT_CANNOT;
	r = run(&a, argv, words);
	close_all(&a);
	return r;
}
