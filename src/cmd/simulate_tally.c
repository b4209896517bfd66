#include <stdio.h>

#include "base/limits.h"
#include "cmd/output.h"
#include "cmd/simulate.h"

/* ---- counting ---- */

static struct tally_change *find_change(struct tally *t, const struct tally_entry *e, const struct replay *r)
{
	struct str rule = r->rule < REASON_CODE_COUNT ? str_of(reason_code_name(r->rule)) : STR("");
	struct str key = arena_printf(t->arena, "%d %d %.*s\n%.*s\n%.*s\n%.*s", (int)r->outcome, (int)e->ecosystem, STR_ARG(e->name),
	                              STR_ARG(e->version), STR_ARG(e->was), STR_ARG(r->words));
	struct tally_change *c = key.p ? map_get(&t->by_key, key) : NULL;

	if (c || !key.p)
		return c;
	if (t->change_count == t->change_room) {
		size_t room = t->change_room ? 2 * t->change_room : 64;
		struct tally_change **more = ARENA_ARRAY(t->arena, struct tally_change *, room);

		if (!more)
			return NULL;
		if (t->change_count)
			memcpy(more, t->changes, t->change_count * sizeof(*more));
		t->changes = more;
		t->change_room = room;
	}
	c = ARENA_NEW(t->arena, struct tally_change);
	if (!c || map_put(&t->by_key, key, c) < 0)
		return NULL;
	*c = (struct tally_change){.outcome = r->outcome,
	                           .ecosystem = e->ecosystem,
	                           .name = arena_str(t->arena, e->name),
	                           .version = arena_str(t->arena, e->version),
	                           .rule = rule,
	                           .was = arena_str(t->arena, e->was),
	                           .now = arena_str(t->arena, r->words),
	                           .first = e->at,
	                           .last = e->at};
	if (r->decision.reason_count)
		c->sentence = arena_str(t->arena, r->decision.reasons[0].text);
	t->changes[t->change_count++] = c;
	return c;
}

static void count_whom(struct tally *t, struct tally_change *c, const struct tally_entry *e)
{
	struct tally_whom *w = c->whom;

	while (w && !(str_eq(w->project, e->project) && str_eq(w->identity, e->identity) && str_eq(w->client, e->client)))
		w = w->next;
	if (!w && c->whom_count < TALLY_WHOM && (w = ARENA_NEW(t->arena, struct tally_whom))) {
		*w = (struct tally_whom){.next = c->whom,
		                         .project = arena_str(t->arena, e->project),
		                         .identity = arena_str(t->arena, e->identity),
		                         .client = arena_str(t->arena, e->client)};
		c->whom = w;
		c->whom_count++;
	}
	if (w)
		w->count++;
	else
		c->others++;
}

int tally_add(struct tally *t, const struct tally_entry *e, const struct replay *r)
{
	struct tally_change *c;

	t->decisions++;
	t->outcomes[r->outcome]++;
	if (!t->first || e->at < t->first)
		t->first = e->at;
	if (e->at > t->last)
		t->last = e->at;
	if (r->outcome != REPLAY_WOULD_REFUSE && r->outcome != REPLAY_WOULD_SERVE && r->outcome != REPLAY_OTHER_REASON)
		return 0;
	c = find_change(t, e, r);
	if (!c)
		return -ENOMEM;
	c->count++;
	if (e->at < c->first)
		c->first = e->at;
	if (e->at > c->last)
		c->last = e->at;
	count_whom(t, c, e);
	return arena_failed(t->arena) ? -ENOMEM : 0;
}

bool tally_changes(const struct tally *t)
{
	return t->outcomes[REPLAY_WOULD_REFUSE] + t->outcomes[REPLAY_WOULD_SERVE] > 0;
}

/* What would be refused first, then by how often. */
static int by_weight(const void *x, const void *y)
{
	const struct tally_change *a = *(struct tally_change *const *)x, *b = *(struct tally_change *const *)y;
	int r;

	if (a->outcome != b->outcome)
		return a->outcome == REPLAY_OTHER_REASON ? 1 : b->outcome == REPLAY_OTHER_REASON ? -1 : a->outcome < b->outcome ? -1 : 1;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	r = str_cmp(a->name, b->name);
	return r ? r : str_cmp(a->version, b->version);
}

static void sort_changes(struct tally *t)
{
	if (t->change_count)
		qsort(t->changes, t->change_count, sizeof(*t->changes), by_weight);
}

/* ---- for people ---- */

static void print_name(struct str name)
{
	output_cell(stdout, name, 0);
}

static void print_whom(const struct tally_change *c)
{
	size_t shown = 0;

	fputs("    for ", stdout);
	for (const struct tally_whom *w = c->whom; w && shown < 8; w = w->next, shown++) {
		const struct str parts[] = {w->project, w->identity, w->client};
		bool first = true;

		fputs(shown ? ", " : "", stdout);
		for (size_t i = 0; i < 3; i++) {
			if (!parts[i].n)
				continue;
			fputs(first ? "" : " ", stdout);
			print_name(parts[i]);
			first = false;
		}
		printf("%s (%zu)", first ? "somebody" : "", w->count);
	}
	if (c->whom_count > shown || c->others)
		printf(" and %zu more%s", c->whom_count - shown, c->others ? " or more" : "");
	putchar('\n');
}

static void print_change(const struct tally_change *c)
{
	char first[TIME_TEXT], last[TIME_TEXT];

	time_format_local(c->first, first);
	time_format_local(c->last, last);
	printf("  %s:", ecosystem_name(c->ecosystem));
	print_name(c->name);
	putchar('@');
	print_name(c->version);
	printf("  %.*s  %zu time%s, ", STR_ARG(c->rule), c->count, c->count == 1 ? "" : "s");
	if (c->count == 1)
		printf("%s\n", first);
	else
		printf("%s to %s\n", first, last);
	if (c->outcome == REPLAY_WOULD_SERVE) {
		printf("    was: %.*s; would be: %.*s\n", STR_ARG(c->was), STR_ARG(c->now));
	} else if (c->sentence.n) {
		fputs("    ", stdout);
		print_name(c->sentence);
		putchar('\n');
	}
	print_whom(c);
}

static void print_part(const struct tally *t, enum replay_outcome outcome, const char *title, size_t rows)
{
	size_t shown = 0, kinds = 0;

	for (size_t i = 0; i < t->change_count; i++)
		kinds += t->changes[i]->outcome == outcome;
	if (!kinds)
		return;
	printf("\n%s\n", title);
	for (size_t i = 0; i < t->change_count && (!rows || shown < rows); i++) {
		if (t->changes[i]->outcome != outcome)
			continue;
		print_change(t->changes[i]);
		shown++;
	}
	if (shown < kinds)
		printf("  … and %zu more: --json lists all, --limit N more of them\n", kinds - shown);
}

static void print_not_judged(const struct tally *t, const struct tally_text *text)
{
	if (t->outcomes[REPLAY_WITHOUT_FACTS])
		printf("not judged: %zu recorded before this gate kept what it decided on\n", t->outcomes[REPLAY_WITHOUT_FACTS]);
	if (t->outcomes[REPLAY_WHOLE_PACKAGE])
		printf("not judged: %zu refusals of a whole package (none of its versions was cleared)\n", t->outcomes[REPLAY_WHOLE_PACKAGE]);
	if (t->outcomes[REPLAY_REACH_UNKNOWN])
		printf("not judged: %zu of which it was not known then whether an approved root needs them; a gate with these roots and\n"
		       "            allow.mode: report finds out\n",
		       t->outcomes[REPLAY_REACH_UNKNOWN]);
	if (t->outcomes[REPLAY_NOT_OF_POLICY])
		printf("not judged: %zu refusals that no policy decides (bytes that did not fit, nothing to serve)\n",
		       t->outcomes[REPLAY_NOT_OF_POLICY]);
	if (t->unknown)
		printf("not judged: %zu of which nothing is known here (the first: %.*s)\n", t->unknown, STR_ARG(t->unknown_example));
	if (t->lines_broken)
		printf("not read: %zu broken lines of %zu\n", t->lines_broken, t->lines);
	if (text->given.n)
		printf("note: %.*s\n", STR_ARG(text->given));
}

void tally_print(struct tally *t, const struct tally_text *text)
{
	sort_changes(t);
	printf("%zu %.*s under %.*s: %zu as it was, %zu would be refused, %zu would be served", t->decisions, STR_ARG(text->what),
	       STR_ARG(text->policy), t->outcomes[REPLAY_SAME] + t->outcomes[REPLAY_OTHER_REASON], t->outcomes[REPLAY_WOULD_REFUSE],
	       t->outcomes[REPLAY_WOULD_SERVE]);
	if (t->outcomes[REPLAY_OTHER_REASON])
		printf("; %zu would have another reason", t->outcomes[REPLAY_OTHER_REASON]);
	putchar('\n');
	print_not_judged(t, text);
	print_part(t, REPLAY_WOULD_REFUSE, "Served, and would be refused:", text->rows);
	print_part(t, REPLAY_WOULD_SERVE, "Refused, and would be served:", text->rows);
}

/* ---- for programs ---- */

static void member_time(struct json_writer *w, const char *key, usec time)
{
	char when[TIME_TEXT];

	time_format_utc(time, when);
	output_member(w, key, time ? str_of(when) : STR(""));
}

static void change_json(const struct tally *t, const struct tally_change *c, struct json_writer *w)
{
	jw_object(w);
	jw_member_str(w, "purl", purl_format(t->arena, c->ecosystem, c->name, c->version));
	jw_member_str(w, "change", str_of(replay_outcome_name(c->outcome)));
	output_member(w, "rule", c->rule);
	jw_member_str(w, "was", c->was);
	jw_member_str(w, "now", c->now);
	output_member(w, "reason", c->sentence);
	jw_member_int(w, "count", (int64_t)c->count);
	member_time(w, "first", c->first);
	member_time(w, "last", c->last);
	jw_key(w, STR("for"));
	jw_array(w);
	for (const struct tally_whom *whom = c->whom; whom; whom = whom->next) {
		jw_object(w);
		output_member(w, "project", whom->project);
		output_member(w, "identity", whom->identity);
		output_member(w, "client", whom->client);
		jw_member_int(w, "count", (int64_t)whom->count);
		jw_object_end(w);
	}
	jw_array_end(w);
	if (c->others)
		jw_member_int(w, "others", (int64_t)c->others);
	jw_object_end(w);
	output_flush(w, stdout);
}

void tally_json(struct tally *t, const struct tally_text *text)
{
	CLEANUP_BUF struct buf out = BUF(8 * MIB);
	struct json_writer w;

	sort_changes(t);
	jw_init(&w, &out);
	jw_object(&w);
	jw_member_str(&w, "policy", text->policy);
	jw_member_int(&w, "decisions", (int64_t)t->decisions);
	member_time(&w, "first", t->first);
	member_time(&w, "last", t->last);
	jw_member_int(&w, "same", (int64_t)t->outcomes[REPLAY_SAME]);
	jw_member_int(&w, "other_reason", (int64_t)t->outcomes[REPLAY_OTHER_REASON]);
	jw_member_int(&w, "would_refuse", (int64_t)t->outcomes[REPLAY_WOULD_REFUSE]);
	jw_member_int(&w, "would_serve", (int64_t)t->outcomes[REPLAY_WOULD_SERVE]);
	jw_key(&w, STR("not_judged"));
	jw_object(&w);
	jw_member_int(&w, "without_facts", (int64_t)t->outcomes[REPLAY_WITHOUT_FACTS]);
	jw_member_int(&w, "whole_package", (int64_t)t->outcomes[REPLAY_WHOLE_PACKAGE]);
	jw_member_int(&w, "reach_unknown", (int64_t)t->outcomes[REPLAY_REACH_UNKNOWN]);
	jw_member_int(&w, "not_of_policy", (int64_t)t->outcomes[REPLAY_NOT_OF_POLICY]);
	jw_member_int(&w, "unknown", (int64_t)t->unknown);
	jw_object_end(&w);
	if (t->lines) {
		jw_member_int(&w, "lines", (int64_t)t->lines);
		jw_member_int(&w, "lines_broken", (int64_t)t->lines_broken);
		jw_member_int(&w, "lines_other", (int64_t)t->lines_other);
		jw_member_int(&w, "lines_not_served", (int64_t)t->lines_not_served);
	}
	output_member(&w, "note", text->given);
	jw_key(&w, STR("changes"));
	jw_array(&w);
	for (size_t i = 0; i < t->change_count; i++)
		change_json(t, t->changes[i], &w);
	jw_array_end(&w);
	jw_object_end(&w);
	buf_add_char(&out, '\n');
	output_flush(&w, stdout);
}
