/* bondgate incidents: what went wrong, who is concerned, what to do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/person.h"
#include "cmd/state.h"
#include "codec/purl.h"
#include "store/recall.h"

struct incident {
	int64_t seq;
	usec time, closed;
	enum ecosystem ecosystem;
	struct str name, version, decision, detail, by, note;
};

struct wish {
	const char *state, *note;
	bool all, json, quiet;
};

struct incidents {
	struct arena *arena;
	struct incident *array;
	size_t count, room;
	struct json_writer json;
};

static int trouble(const struct err *err)
{
	fprintf(stderr, "bondgate: %s\n", err->text);
	return EXIT_CANNOT;
}

/* ---- reading ---- */

static int take(void *arg, const struct evidence *e)
{
	struct incidents *all = arg;

	if (all->count == all->room) {
		size_t room = all->room ? 2 * all->room : 64;
		struct incident *longer = realloc(all->array, room * sizeof(*longer));

		if (!longer)
			return -ENOMEM;
		all->array = longer;
		all->room = room;
	}
	all->array[all->count++] = (struct incident){.seq = e->seq,
	                                             .time = e->time,
	                                             .ecosystem = e->ecosystem,
	                                             .name = arena_str(all->arena, e->name),
	                                             .version = arena_str(all->arena, e->version),
	                                             .decision = arena_str(all->arena, e->decision),
	                                             .detail = arena_str(all->arena, e->detail)};
	return arena_failed(all->arena) ? -ENOMEM : 0;
}

static int by_seq(const void *key, const void *item)
{
	int64_t seq = *(const int64_t *)key, other = ((const struct incident *)item)->seq;

	return seq < other ? -1 : seq > other;
}

static int take_end(void *arg, const struct incident_end *end)
{
	struct incidents *all = arg;
	struct incident *i = all->count ? bsearch(&end->seq, all->array, all->count, sizeof(*all->array), by_seq) : NULL;

	if (!i)
		return 0;
	i->closed = end->closed;
	i->by = arena_str(all->arena, end->by);
	i->note = arena_str(all->arena, end->note);
	return arena_failed(all->arena) ? -ENOMEM : 0;
}

static int read_incidents(struct store *s, struct incidents *all, struct err *err)
{
	const struct evidence_filter f = {.kind = EVIDENCE_INCIDENT, .ecosystem = -1};
	int r = store_evidence(s, &f, take, all, err);

	r = r < 0 ? r : store_incident_ends(s, take_end, all, err);
	return r < 0 && !err->text[0] ? err_set(err, r, "the incidents cannot be read") : r;
}

/* ---- list ---- */

static void put_incident(struct json_writer *w, const struct incident *i, struct arena *a)
{
	char time[TIME_TEXT];

	time_format_utc(i->time, time);
	jw_member_int(w, "id", i->seq);
	jw_member_str(w, "time", str_of(time));
	output_member(w, "purl", i->name.n ? purl_format(a, i->ecosystem, i->name, i->version) : STR_NULL);
	jw_member_str(w, "what", i->decision);
	jw_member_str(w, "text", i->detail);
	jw_member_bool(w, "open", i->closed == 0);
	if (i->closed) {
		time_format_utc(i->closed, time);
		jw_member_str(w, "closed", str_of(time));
		jw_member_str(w, "closed_by", i->by);
		jw_member_str(w, "note", i->note);
	}
}

static void print_incident(const struct incident *i)
{
	char time[TIME_TEXT];

	time_format_local(i->time, time);
	printf("%-6lld %s  %-8s ", (long long)i->seq, time, i->closed ? "closed" : "open");
	output_cell(stdout, i->decision, 24);
	fputs("  ", stdout);
	output_cell(stdout, i->name, 0);
	if (i->version.n) {
		putchar('@');
		output_cell(stdout, i->version, 0);
	}
	putchar('\n');
}

/* 1 while anything is open, so that a pipeline or a cron job can ask. */
static int list(const struct wish *w, struct incidents *all)
{
	CLEANUP_BUF struct buf out = BUF(64 * MIB);
	size_t open = 0;

	jw_init(&all->json, &out);
	jw_object(&all->json);
	jw_key(&all->json, STR("incidents"));
	jw_array(&all->json);
	for (size_t i = all->count; i-- > 0;) {
		open += all->array[i].closed == 0;
		if (w->quiet || (all->array[i].closed && !w->all))
			continue;
		if (!w->json) {
			print_incident(&all->array[i]);
			continue;
		}
		jw_object(&all->json);
		put_incident(&all->json, &all->array[i], all->arena);
		jw_object_end(&all->json);
	}
	jw_array_end(&all->json);
	jw_object_end(&all->json);
	buf_add_char(&out, '\n');
	if (w->json && !w->quiet)
		output_flush(&all->json, stdout);
	else if (open == 0 && !w->quiet)
		printf("no incident is open\n");
	return fflush(stdout) != 0 ? EXIT_CANNOT : open ? EXIT_FOUND : EXIT_NOTHING;
}

/* ---- show ---- */

static const char runbook[] =
	"\nWhat to do, in this order:\n"
	"  1. Look before you rotate: some payloads wait for a revoked token and destroy what they can reach then. Take the machines\n"
	"     above off the network first, keep their disks and memory, and look for new services, timers and shell profiles.\n"
	"  2. Remove it: delete node_modules and the package managers' caches on those machines, change the projects above to another\n"
	"     version, and build again through this gate, which does not serve it any more.\n"
	"  3. Only then, from a clean machine, replace what the listed machines and users could reach: registry, source and cloud\n"
	"     tokens, SSH keys, signing keys; and look at what was published with them since the first receipt.\n"
	"  4. Write down what was found: bondgate incidents close ID --note \"…\".\n";

struct concerned {
	struct json_writer *json; /* NULL: a table */
	size_t count;
};

static int show_receipt(void *arg, const struct evidence *e)
{
	struct concerned *c = arg;
	char time[TIME_TEXT];

	c->count++;
	if (!c->json) {
		time_format_local(e->time, time);
		printf("  %s  ", time);
		output_cell(stdout, e->client, 16);
		fputs("  ", stdout);
		output_cell(stdout, e->identity, 16);
		fputs("  ", stdout);
		output_cell(stdout, e->project, 0);
		putchar('\n');
		return 0;
	}
	time_format_utc(e->time, time);
	jw_object(c->json);
	jw_member_str(c->json, "time", str_of(time));
	output_member(c->json, "client", e->client);
	output_member(c->json, "identity", e->identity);
	output_member(c->json, "project", e->project);
	output_member(c->json, "hash", e->hash);
	jw_object_end(c->json);
	return 0;
}

static int show_locked(void *arg, const struct locked *l)
{
	struct concerned *c = arg;
	char time[TIME_TEXT];

	c->count++;
	if (!c->json) {
		time_format_local(l->recorded, time);
		fputs("  ", stdout);
		output_cell(stdout, l->project, 24);
		fputs("  ", stdout);
		output_cell(stdout, l->file, 0);
		printf("  (recorded %s)\n", time);
		return 0;
	}
	time_format_utc(l->recorded, time);
	jw_object(c->json);
	jw_member_str(c->json, "project", l->project);
	jw_member_str(c->json, "file", l->file);
	jw_member_str(c->json, "recorded", str_of(time));
	jw_object_end(c->json);
	return 0;
}

static int show_text(struct store *s, const struct incident *i, const struct evidence_filter *f, struct err *err)
{
	struct concerned receipts = {0}, locks = {0};
	int r;

	print_incident(i);
	output_cell(stdout, i->detail, 0);
	printf("\n\nReceived by:\n");
	r = store_evidence(s, f, show_receipt, &receipts, err);
	if (r == 0 && receipts.count == 0)
		printf("  nobody, through this gate\n");
	printf("\nLocked by:\n");
	r = r < 0 ? r : store_locked(s, i->ecosystem, i->name, i->version, show_locked, &locks, err);
	if (r == 0 && locks.count == 0)
		printf("  no project whose scans are recorded (bondgate scan --record)\n");
	if (r == 0)
		fputs(runbook, stdout);
	return r;
}

static int show_json(struct store *s, const struct incident *i, const struct evidence_filter *f, struct arena *a, struct err *err)
{
	CLEANUP_BUF struct buf out = BUF(256 * MIB);
	struct json_writer w;
	struct concerned c = {.json = &w};
	int r;

	jw_init(&w, &out);
	jw_object(&w);
	put_incident(&w, i, a);
	jw_key(&w, STR("receipts"));
	jw_array(&w);
	r = store_evidence(s, f, show_receipt, &c, err);
	jw_array_end(&w);
	jw_key(&w, STR("locked"));
	jw_array(&w);
	r = r < 0 ? r : store_locked(s, i->ecosystem, i->name, i->version, show_locked, &c, err);
	jw_array_end(&w);
	jw_member_str(&w, "runbook", str_trim(str_of(runbook)));
	jw_object_end(&w);
	buf_add_char(&out, '\n');
	return r < 0 ? r : output_flush(&w, stdout);
}

/* By its number, or the newest of a version. */
static const struct incident *find(struct incidents *all, struct str word, struct err *err)
{
	int64_t seq;
	struct purl purl;
	struct err ignored = {0};

	if (str_to_i64(word, &seq) == 0) {
		for (size_t i = 0; i < all->count; i++)
			if (all->array[i].seq == seq)
				return &all->array[i];
	} else if (purl_parse(all->arena, word, &purl, &ignored) == 0) {
		for (size_t i = all->count; i-- > 0;)
			if (all->array[i].ecosystem == purl.ecosystem && str_eq(all->array[i].name, purl.name) &&
			    (!purl.version.n || str_eq(all->array[i].version, purl.version)))
				return &all->array[i];
	}
	err_set(err, -ENOENT, "there is no incident %.*s (bondgate incidents --all lists them)", STR_ARG(str_take(word, 200)));
	return NULL;
}

static int show(const struct wish *w, struct store *s, struct incidents *all, const char *word)
{
	struct err err = {0};
	const struct incident *i = find(all, str_of(word), &err);
	struct evidence_filter f = {.kind = EVIDENCE_RECEIPT};
	int r;

	if (!i)
		return trouble(&err);
	f.ecosystem = (int)i->ecosystem;
	f.name = i->name;
	f.version = i->version;
	r = w->json ? show_json(s, i, &f, all->arena, &err) : show_text(s, i, &f, &err);
	if (r < 0)
		return trouble(&err);
	return fflush(stdout) != 0 ? EXIT_CANNOT : i->closed ? EXIT_NOTHING : EXIT_FOUND;
}

/* ---- close ---- */

static int close_incident(const struct wish *w, struct store *s, struct incidents *all, const char *word)
{
	struct err err = {0};
	const struct incident *i = find(all, str_of(word), &err);
	char person[PERSON_TEXT];
	struct incident_end end = {.closed = time_now(), .note = str_of(w->note ? w->note : "")};
	struct evidence act = {.time = end.closed, .kind = EVIDENCE_ADMIN, .decision = STR("incident closed")};

	if (!i)
		return trouble(&err);
	if (!end.note.n) {
		fprintf(stderr, "bondgate: say what was found: bondgate incidents close %s --note \"…\"\n", word);
		return EXIT_USAGE;
	}
	local_person(person);
	end.seq = i->seq;
	end.by = str_of(person);
	act.ecosystem = i->ecosystem;
	act.name = i->name;
	act.version = i->version;
	act.identity = end.by;
	act.detail = arena_printf(all->arena, "incident %lld: %.*s", (long long)i->seq, STR_ARG(end.note));
	if (store_incident_close(s, &end, &act, &err) < 0)
		return trouble(&err);
	return EXIT_NOTHING;
}

int cmd_incidents(int argc, char **argv)
{
	struct wish w = {0};
	const struct option_row rows[] = {
		{.name = "all", .help = "list: closed ones too", .flag = &w.all},
		{.name = "note", .argument = "TEXT", .help = "close: what was found and done", .value = &w.note},
		{.name = "json", .help = "machine-readable", .flag = &w.json},
		{.name = "quiet", .help = "list: print nothing, the exit code says it", .flag = &w.quiet},
		{.name = "state", .argument = "DIR", .help = "where state is kept (default $BONDGATE_STATE)", .value = &w.state},
	};
	const struct command_usage usage = {
		"incidents [list] | show ID|PURL | close ID|PURL --note TEXT",
		"list   lists the open incidents, the newest first: versions that turned out to be bad after they were handed out, changed\n"
		"       hashes, archives that belie their metadata, what the brake holds back. Exits 1 while one is open.\n"
		"show   says what happened, who received the version, which projects lock it, and what to do.\n"
		"close  writes down what was found.",
		rows, sizeof(rows) / sizeof(rows[0])};
	struct incidents all = {0};
	struct store *s;
	struct err err = {0};
	bool done, closing, showing;
	int words, r = options_read(&usage, argc, argv, &words, &done);

	if (r || done)
		return r;
	closing = words && strcmp(argv[0], "close") == 0;
	showing = words && strcmp(argv[0], "show") == 0;
	if (words && !closing && !showing && strcmp(argv[0], "list") != 0)
		return usage_error(&usage, "there is no incidents %s", argv[0]);
	if (words != (closing || showing ? 2 : words ? 1 : 0))
		return usage_error(&usage, "incidents %s takes one incident", argv[0]);
	if (state_open(w.state, closing ? STORE_WRITE : STORE_READ, &s, &err) < 0)
		return trouble(&err);
	all.arena = arena_new(GIB);
	if (!all.arena || read_incidents(s, &all, &err) < 0)
		r = trouble(&err);
	else
		r = closing ? close_incident(&w, s, &all, argv[1]) : showing ? show(&w, s, &all, argv[1]) : list(&w, &all);
	store_close(s);
	free(all.array);
	arena_free(all.arena);
	return r;
}
