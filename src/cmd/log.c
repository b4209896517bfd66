/* bondgate log: the evidence, to read, to follow, to verify and to prune. */
#include <time.h>

#include "base/limits.h"
#include "base/time.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/state.h"

struct wish {
	const char *state, *kind, *since, *limit, *before; /* as written; NULL: not given */
	bool follow, json;
	struct evidence_filter filter;
	usec prune_before;
};

struct printer {
	struct json_writer json;
	struct arena *texts; /* of one line */
	bool as_json;
	int64_t last_seq;
};

/* ---- one record ---- */

static struct str purl_of(struct arena *a, const struct evidence *e)
{
	return e->name.n ? purl_format(a, e->ecosystem, e->name, e->version) : STR("");
}

static int print_json(struct printer *p, const struct evidence *e)
{
	struct json_writer *w = &p->json;
	char when[TIME_TEXT];

	time_format_utc(e->time, when);
	jw_init(w, w->out);
	jw_object(w);
	jw_member_int(w, "seq", e->seq);
	jw_member_str(w, "time", str_of(when));
	jw_member_str(w, "kind", str_of(evidence_kind_name(e->kind)));
	output_member(w, "purl", purl_of(p->texts, e));
	output_member(w, "decision", e->decision);
	output_member(w, "client", e->client);
	output_member(w, "identity", e->identity);
	output_member(w, "project", e->project);
	output_member(w, "agent", e->agent);
	output_member(w, "session", e->session);
	output_member(w, "hash", e->hash);
	output_member(w, "detail", e->detail);
	jw_object_end(w);
	buf_add_char(w->out, '\n');
	return output_flush(w, stdout);
}

/* npm:name@version, the form that people type. */
static struct str subject_of(struct arena *a, const struct evidence *e)
{
	if (e->name.n == 0)
		return STR("");
	return arena_printf(a, "%s:%.*s%s%.*s", ecosystem_name(e->ecosystem), STR_ARG(e->name), e->version.n ? "@" : "", STR_ARG(e->version));
}

/* Widths are fixed, since with --follow nobody knows what comes; a longer text moves its line only. */
static int print_line(struct printer *p, const struct evidence *e)
{
	const struct str who[] = {e->client, e->identity, e->project};
	char when[TIME_TEXT];

	time_format_local(e->time, when);
	printf("%s  %-8s  ", when, evidence_kind_name(e->kind));
	output_cell(stdout, subject_of(p->texts, e), 36);
	fputs("  ", stdout);
	output_cell(stdout, e->decision, 14);
	for (size_t i = 0; i < 3; i++) {
		if (who[i].n) {
			fputs("  ", stdout);
			output_cell(stdout, who[i], 0);
		}
	}
	if (e->detail.n) {
		fputs("  ", stdout);
		output_cell(stdout, e->detail, 0);
	}
	fputc('\n', stdout);
	return 0;
}

static int print_record(void *arg, const struct evidence *e)
{
	struct printer *p = arg;
	int r;

	p->last_seq = e->seq;
	p->texts = arena_new(4 * MIB);
	if (!p->texts)
		return -ENOMEM;
	r = p->as_json ? print_json(p, e) : print_line(p, e);
	arena_free(TAKE_PTR(p->texts));
	return r;
}

/* ---- show ---- */

static int note_seq(void *arg, const struct evidence *e)
{
	*(int64_t *)arg = e->seq;
	return 0;
}

/* The newest N are found from the end and then shown from their start. */
static int start_at_limit(struct store *s, struct evidence_filter *f, struct err *err)
{
	int64_t oldest = 0;
	int r;

	if (f->limit == 0)
		return 0;
	f->newest_first = true;
	r = store_evidence(s, f, note_seq, &oldest, err);
	f->newest_first = false;
	f->after_seq = oldest ? oldest - 1 : 0;
	return r;
}

static int show_from(struct store *s, const struct wish *w, struct printer *p, struct err *err)
{
	static const struct timespec pause = {.tv_nsec = 300 * 1000 * 1000};
	struct evidence_filter f = w->filter;
	int r = start_at_limit(s, &f, err);

	while (r == 0) {
		r = store_evidence(s, &f, print_record, p, err);
		if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
			r = err_set(err, -EIO, "cannot write to the output");
		if (!w->follow)
			break;
		if (p->last_seq) {
			f.after_seq = p->last_seq;
			f.since = 0;
		}
		f.limit = 0;
		nanosleep(&pause, NULL);
	}
	return r;
}

static int show(const struct wish *w, struct err *err)
{
	CLEANUP_BUF struct buf out = BUF(16 * MIB);
	struct printer p = {.as_json = w->json};
	struct store *s;
	int r;

	jw_init(&p.json, &out);
	if (state_open(w->state, STORE_READ, &s, err) < 0)
		return EXIT_CANNOT;
	r = show_from(s, w, &p, err);
	store_close(s);
	return r < 0 ? EXIT_CANNOT : 0;
}

/* ---- verify ---- */

static void print_check_json(const struct evidence_check *c)
{
	CLEANUP_BUF struct buf out = BUF(4 * KIB);
	struct json_writer w;

	jw_init(&w, &out);
	jw_object(&w);
	jw_member_int(&w, "records", c->records);
	jw_member_int(&w, "first", c->first_seq);
	jw_member_int(&w, "last", c->last_seq);
	jw_key(&w, STR("broken"));
	if (c->broken_seq)
		jw_int(&w, c->broken_seq);
	else
		jw_null(&w);
	jw_member_str(&w, "last_hash", str_of(c->last_hash));
	jw_object_end(&w);
	buf_add_char(&out, '\n');
	output_flush(&w, stdout);
}

static void print_check(const struct evidence_check *c)
{
	if (c->broken_seq)
		printf("broken: record %lld was changed, moved or removed (%lld records, %lld to %lld)\n", (long long)c->broken_seq,
		       (long long)c->records, (long long)c->first_seq, (long long)c->last_seq);
	else if (c->records)
		printf("whole: %lld records, %lld to %lld\n", (long long)c->records, (long long)c->first_seq, (long long)c->last_seq);
	else
		printf("whole: no records\n");
	printf("last hash %s\n", c->last_hash);
}

static int verify(const struct wish *w, struct err *err)
{
	struct evidence_check c;
	struct store *s;
	int r;

	if (state_open(w->state, STORE_READ, &s, err) < 0)
		return EXIT_CANNOT;
	r = store_evidence_verify(s, &c, err);
	store_close(s);
	if (r < 0)
		return EXIT_CANNOT;
	if (w->json)
		print_check_json(&c);
	else
		print_check(&c);
	return c.broken_seq ? EXIT_FOUND : 0;
}

/* ---- prune ---- */

static int prune(const struct wish *w, struct err *err)
{
	int64_t dropped = 0;
	struct store *s;
	int r;

	/* Opened for reading first, so that a wrong --state makes no new store. */
	if (state_open(w->state, STORE_READ, &s, err) < 0)
		return EXIT_CANNOT;
	store_close(s);
	if (state_open(w->state, STORE_WRITE, &s, err) < 0)
		return EXIT_CANNOT;
	r = store_evidence_prune(s, w->prune_before, &dropped, err);
	store_close(s);
	if (r < 0)
		return EXIT_CANNOT;
	printf(w->json ? "{\"dropped\":%lld}\n" : "%lld records dropped\n", (long long)dropped);
	return 0;
}

/* ---- the command line ---- */

static int parse_kind(struct str text, int *ret, struct err *err)
{
	for (int k = 0; k < EVIDENCE_KIND_COUNT; k++) {
		if (str_eq(text, str_of(evidence_kind_name((enum evidence_kind)k)))) {
			*ret = k;
			return 0;
		}
	}
	return err_set(err, -EINVAL,
	               "there is no kind \"%.*s\"; there are receipt, refusal, incident, admin, request, decision, break-glass and token",
	               STR_ARG(text));
}

static int parse_values(struct wish *w, struct err *err)
{
	uint64_t limit = 0;
	int r = 0;

	w->filter = (struct evidence_filter){.kind = -1, .ecosystem = -1};
	if (w->kind)
		r = parse_kind(str_of(w->kind), &w->filter.kind, err);
	if (r == 0 && w->since)
		r = moment_parse(str_of(w->since), time_now(), &w->filter.since, err);
	if (r == 0 && w->before)
		r = moment_parse(str_of(w->before), time_now(), &w->prune_before, err);
	if (r == 0 && w->limit && (str_to_u64(str_of(w->limit), &limit) < 0 || limit == 0))
		r = err_set(err, -EINVAL, "--limit takes a number from 1 on, not \"%s\"", w->limit);
	w->filter.limit = (size_t)limit;
	return r;
}

static const struct verb {
	const char *name;
	int (*run)(const struct wish *w, struct err *err);
} verbs[] = {{"show", show}, {"verify", verify}, {"prune", prune}};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (str_eq(str_of(name), str_of(verbs[i].name)))
			return &verbs[i];
	return NULL;
}

int cmd_log(int argc, char **argv)
{
	struct wish w = {0};
	const struct option_row rows[] = {
		{.name = "follow", .help = "go on with what comes", .flag = &w.follow},
		{.name = "kind",
	     .argument = "KIND",
	     .help = "receipt, refusal, incident, admin, request, decision, break-glass or token",
	     .value = &w.kind},
		{.name = "since", .argument = "WHEN", .help = "a duration (7d) or a time (2026-01-31)", .value = &w.since},
		{.name = "limit", .argument = "N", .help = "the newest N", .value = &w.limit},
		{.name = "before", .argument = "WHEN", .help = "prune: what is older goes (400d, 2026-01-31)", .value = &w.before},
		{.name = "json", .help = "machine-readable, one object a line", .flag = &w.json},
		{.name = "state", .argument = "DIR", .help = "where state is kept (default $BONDGATE_STATE)", .value = &w.state},
	};
	const struct command_usage usage = {
		"log [verify | prune --before WHEN] [OPTIONS]",
		"Shows what the gate recorded, oldest first. `verify` recomputes the chain of hashes and exits 1 when it does\n"
		"not hold; keep the hash it prints in another place, since only that shows later that nobody cut off the end or\n"
		"wrote the chain anew. `prune` drops what is older than WHEN and records that it did.",
		rows, sizeof(rows) / sizeof(rows[0])};
	const struct verb *verb;
	struct err err = {0};
	bool done;
	int words, r;

	r = options_read(&usage, argc, argv, &words, &done);
	if (r || done)
		return r;
	verb = find_verb(words ? argv[0] : "show");
	if (words > 1 || !verb)
		return usage_error(&usage, "log knows verify and prune, not \"%s\"", argv[words > 1]);
	if (parse_values(&w, &err) < 0)
		return usage_error(&usage, "%s", err.text);
	if ((verb->run == prune) != (w.before != NULL))
		return usage_error(&usage, verb->run == prune ? "prune needs --before, for example --before 400d" : "--before is for prune");
	r = verb->run(&w, &err);
	if (r == EXIT_CANNOT)
		fprintf(stderr, "bondgate: %s\n", err.text[0] ? err.text : "it could not be done");
	return r;
}
