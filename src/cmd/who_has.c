/* bondgate who-has PURL: which machines, users and projects received it, and which projects lock it. */
#include "base/limits.h"
#include "base/time.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/state.h"
#include "codec/nuget_version.h"
#include "store/recall.h"

enum column { WHEN, VERSION, CLIENT, IDENTITY, PROJECT, HASH, COLUMNS };

static const char *const headings[COLUMNS] = {"TIME", "VERSION", "CLIENT", "IDENTITY", "PROJECT", "HASH"};

struct answer {
	struct json_writer json;
	size_t widths[COLUMNS];
	size_t count, locked;
};

static void cells_of(const struct evidence *e, char when[TIME_TEXT], struct str cells[COLUMNS])
{
	time_format_local(e->time, when);
	cells[WHEN] = str_of(when);
	cells[VERSION] = e->version;
	cells[CLIENT] = e->client;
	cells[IDENTITY] = e->identity;
	cells[PROJECT] = e->project;
	cells[HASH] = e->hash;
}

static int measure(void *arg, const struct evidence *e)
{
	struct answer *a = arg;
	struct str cells[COLUMNS];
	char when[TIME_TEXT];

	cells_of(e, when, cells);
	for (size_t i = 0; i < COLUMNS; i++)
		if (output_width(cells[i]) > a->widths[i])
			a->widths[i] = output_width(cells[i]);
	a->count++;
	return 0;
}

static void print_row(const struct answer *a, const struct str cells[COLUMNS])
{
	for (size_t i = 0; i < COLUMNS; i++) {
		bool last = i + 1 == COLUMNS;

		output_cell(stdout, cells[i], last ? 0 : a->widths[i]);
		fputs(last ? "\n" : "  ", stdout);
	}
}

static int print_receipt(void *arg, const struct evidence *e)
{
	struct str cells[COLUMNS];
	char when[TIME_TEXT];

	cells_of(e, when, cells);
	print_row(arg, cells);
	return 0;
}

static int print_json(void *arg, const struct evidence *e)
{
	struct answer *a = arg;
	struct json_writer *w = &a->json;
	char when[TIME_TEXT];

	time_format_utc(e->time, when);
	jw_object(w);
	jw_member_str(w, "time", str_of(when));
	output_member(w, "client", e->client);
	output_member(w, "identity", e->identity);
	output_member(w, "project", e->project);
	output_member(w, "hash", e->hash);
	jw_member_str(w, "version", e->version);
	jw_object_end(w);
	a->count++;
	return output_flush(w, stdout);
}

static int locked_json(void *arg, const struct locked *l)
{
	struct answer *a = arg;
	struct json_writer *w = &a->json;
	char when[TIME_TEXT];

	time_format_utc(l->recorded, when);
	jw_object(w);
	jw_member_str(w, "project", l->project);
	jw_member_str(w, "file", l->file);
	jw_member_str(w, "version", l->version);
	jw_member_str(w, "recorded", str_of(when));
	jw_object_end(w);
	a->count++;
	return output_flush(w, stdout);
}

static int answer_json(struct store *s, const struct evidence_filter *f, struct str purl, struct answer *a, struct err *err)
{
	CLEANUP_BUF struct buf out = BUF(8 * MIB);
	int r;

	jw_init(&a->json, &out);
	jw_object(&a->json);
	jw_member_str(&a->json, "purl", purl);
	jw_key(&a->json, STR("receipts"));
	jw_array(&a->json);
	r = store_evidence(s, f, print_json, a, err);
	jw_array_end(&a->json);
	jw_key(&a->json, STR("locked"));
	jw_array(&a->json);
	r = r < 0 ? r : store_locked(s, (enum ecosystem)f->ecosystem, f->name, f->version, locked_json, a, err);
	jw_array_end(&a->json);
	jw_object_end(&a->json);
	buf_add_char(&out, '\n');
	return r < 0 ? r : output_flush(&a->json, stdout);
}

static int print_locked(void *arg, const struct locked *l)
{
	struct answer *a = arg;
	char when[TIME_TEXT];

	if (a->locked++ == 0)
		printf("\nLocked by projects whose scans are recorded:\n");
	time_format_local(l->recorded, when);
	fputs("  ", stdout);
	output_cell(stdout, l->project, 24);
	fputs("  ", stdout);
	output_cell(stdout, l->version, 12);
	fputs("  ", stdout);
	output_cell(stdout, l->file, 0);
	printf("  (recorded %s)\n", when);
	return 0;
}

static int print_receipts(struct store *s, const struct evidence_filter *filter, struct str purl, struct answer *a, struct err *err)
{
	struct evidence_filter f = *filter;
	struct str cells[COLUMNS];
	int r;

	for (size_t i = 0; i < COLUMNS; i++) {
		cells[i] = str_of(headings[i]);
		a->widths[i] = cells[i].n;
	}
	r = store_evidence(s, &f, measure, a, err);
	if (r < 0)
		return r;
	if (a->count == 0) {
		printf("nobody received %.*s through this gate\n", STR_ARG(purl));
		return 0;
	}
	print_row(a, cells);
	/* Receipts written since the measuring are left for the next question. */
	f.limit = a->count;
	return store_evidence(s, &f, print_receipt, a, err);
}

static int answer_table(struct store *s, const struct evidence_filter *f, struct str purl, struct answer *a, struct err *err)
{
	int r = print_receipts(s, f, purl, a, err);

	if (r == 0)
		r = store_locked(s, (enum ecosystem)f->ecosystem, f->name, f->version, print_locked, a, err);
	a->count += a->locked;
	return r;
}

/* NuGet's names and versions are one whatever their case; the gate's evidence has them in lower case. */
static void fold_nuget(struct arena *a, struct purl *p)
{
	struct nuget_version v;
	char *name;

	if (p->ecosystem != ECOSYSTEM_NUGET)
		return;
	name = arena_alloc(a, p->name.n + 1);
	for (size_t i = 0; name && i < p->name.n; i++)
		name[i] = (char)(p->name.p[i] >= 'A' && p->name.p[i] <= 'Z' ? p->name.p[i] + 32 : p->name.p[i]);
	if (name)
		p->name = (struct str){name, p->name.n};
	if (p->version.n && nuget_version_parse(p->version, &v) == 0)
		p->version = nuget_version_format_lower(a, &v);
}

static int answer(const struct purl *p, const char *state, bool json, struct answer *a, struct err *err)
{
	const struct evidence_filter f = {.kind = EVIDENCE_RECEIPT, .ecosystem = (int)p->ecosystem, .name = p->name, .version = p->version};
	CLEANUP_ARENA struct arena *texts = arena_new(MIB);
	struct store *s;
	struct str purl;
	int r;

	if (!texts)
		return err_set(err, -ENOMEM, "no memory");
	purl = purl_format(texts, p->ecosystem, p->name, p->version);
	r = state_open(state, STORE_READ, &s, err);
	if (r < 0)
		return r;
	r = json ? answer_json(s, &f, purl, a, err) : answer_table(s, &f, purl, a, err);
	store_close(s);
	if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		r = err_set(err, -EIO, "cannot write the answer");
	return r;
}

int cmd_who_has(int argc, char **argv)
{
	const char *state = NULL;
	bool json = false, done;
	const struct option_row rows[] = {
		{.name = "json", .help = "machine-readable", .flag = &json},
		{.name = "state", .argument = "DIR", .help = "where state is kept (default $BONDGATE_STATE)", .value = &state},
	};
	const struct command_usage usage = {
		"who-has PURL [OPTIONS]",
		"Lists who received a package (npm:left-pad) or one version of it (npm:left-pad@1.3.0) through this gate, and which\n"
		"projects lock it (bondgate scan --record). Exits 0 when nobody does, 1 when somebody does.",
		rows, sizeof(rows) / sizeof(rows[0])};
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct answer result = {0};
	struct err err = {0};
	struct purl p;
	int words, r;

	r = options_read(&usage, argc, argv, &words, &done);
	if (r || done)
		return r;
	if (words != 1)
		return usage_error(&usage, "who-has takes one package, for example npm:left-pad or npm:left-pad@1.3.0");
	if (!a || purl_parse(a, str_of(argv[0]), &p, &err) < 0)
		return usage_error(&usage, "%s", a ? err.text : "no memory");
	fold_nuget(a, &p);
	if (answer(&p, state, json, &result, &err) == 0)
		return result.count ? EXIT_FOUND : EXIT_NOTHING;
	fprintf(stderr, "bondgate: %s\n", err.text);
	return EXIT_CANNOT;
}
