/* bondgate feed status: what the index holds, and how the feeds of the policy fare. */
#include <stdio.h>

#include "base/buf.h"
#include "base/limits.h"
#include "cmd/feed.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/policy_files.h"
#include "gate/feed_fetch.h"

/* One feed of the policy, and what became of its last fetch. */
struct feed_line {
	const struct policy_feed *feed;
	struct feed_state state;
	bool fetched; /* ever */
};

struct status {
	const struct feed_options *options;
	struct arena *arena;
	struct advisories_status index;
	bool there; /* the index */
	struct policy *policy;
	struct feed_line *feeds;
	size_t feed_count;
};

/* ---- gathering ---- */

static int read_index(struct status *s, struct err *err)
{
	struct advisories *all;
	int r = advisories_open(s->options->index, &all, err);

	if (r < 0)
		return r;
	r = advisories_verify(all, err);
	r = r < 0 ? r : advisories_status(all, s->arena, &s->index, err);
	advisories_unref(all);
	s->there = r == 0;
	return r;
}

/* A feed whose URL was changed in the policy was never fetched: the gate sees it so too. */
static int read_feeds(struct status *s, struct err *err)
{
	const struct policy_feed *all;
	char folder[4096];
	int r;

	r = policy_files_load_with(s->options->policy, time_now(), NULL, &s->policy, NULL, err);
	r = r < 0 ? r : feeds_path(s->options, folder, sizeof(folder), err);
	if (r < 0)
		return r;
	s->feed_count = policy_feeds(s->policy, &all);
	s->feeds = ARENA_ARRAY(s->arena, struct feed_line, s->feed_count + 1);
	if (!s->feeds)
		return err_set(err, -ENOMEM, "no memory");
	for (size_t i = 0; i < s->feed_count; i++) {
		struct feed_line *f = &s->feeds[i];

		f->feed = &all[i];
		r = feed_state_read(folder, all[i].name, s->arena, &f->state, err);
		if (r < 0 && r != -ENOENT)
			return r;
		f->fetched = r == 0 && str_eq(f->state.url, all[i].url);
		if (!f->fetched)
			f->state = (struct feed_state){0};
	}
	return 0;
}

/* ---- JSON ---- */

static void put_time(struct json_writer *w, const char *key, usec time)
{
	char text[TIME_TEXT] = "";

	if (time)
		time_format_utc(time, text);
	output_member(w, key, str_of(text));
}

static void put_sources(struct json_writer *w, const struct advisories_status *s)
{
	jw_key(w, STR("sources"));
	jw_array(w);
	for (size_t i = 0; i < s->source_count; i++) {
		jw_object(w);
		jw_member_str(w, "name", s->sources[i].name);
		jw_member_int(w, "priority", s->sources[i].priority);
		jw_member_int(w, "records", (int64_t)s->sources[i].records);
		put_time(w, "imported", s->sources[i].imported);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void put_index(struct json_writer *w, const struct advisories_status *s)
{
	char digest[24];

	snprintf(digest, sizeof(digest), "%016llx", (unsigned long long)s->digest);
	jw_member_str(w, "digest", str_of(digest));
	put_time(w, "built", s->built);
	jw_member_int(w, "bytes", (int64_t)s->file_bytes);
	jw_member_int(w, "records", (int64_t)s->records);
	jw_member_int(w, "vulnerabilities", (int64_t)s->vulnerabilities);
	jw_member_int(w, "malware", (int64_t)s->malware);
	jw_member_int(w, "withdrawn", (int64_t)s->withdrawn);
	jw_key(w, STR("packages"));
	jw_object(w);
	jw_member_int(w, "npm", (int64_t)s->packages[ECOSYSTEM_NPM]);
	jw_member_int(w, "nuget", (int64_t)s->packages[ECOSYSTEM_NUGET]);
	jw_object_end(w);
	put_sources(w, s);
}

static void put_feeds(struct json_writer *w, const struct status *s)
{
	jw_key(w, STR("feeds"));
	jw_array(w);
	for (size_t i = 0; i < s->feed_count; i++) {
		const struct feed_line *f = &s->feeds[i];

		jw_object(w);
		jw_member_str(w, "name", f->feed->name);
		jw_member_str(w, "url", f->feed->url);
		jw_member_int(w, "priority", f->feed->priority);
		jw_member_int(w, "every", f->feed->every / USEC_SECOND);
		jw_member_bool(w, "signed", f->feed->key.n > 0);
		put_time(w, "checked", f->state.checked);
		put_time(w, "changed", f->state.changed);
		put_time(w, "imported", f->state.imported);
		jw_member_int(w, "bytes", (int64_t)f->state.bytes);
		output_member(w, "error", f->state.error);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void print_json(const struct status *s)
{
	CLEANUP_BUF struct buf out = BUF(MIB);
	struct json_writer w;

	jw_init(&w, &out);
	jw_object(&w);
	if (s->there)
		put_index(&w, &s->index);
	put_feeds(&w, s);
	jw_object_end(&w);
	buf_add_char(&out, '\n');
	output_flush(&w, stdout);
}

/* ---- lines ---- */

static void print_index(const struct feed_options *o, const struct advisories_status *s)
{
	char time[TIME_TEXT];

	time_format_local(s->built, time);
	printf("%s\n", o->index);
	printf("built      %s\n", time);
	printf("size       %.1f MiB\n", (double)s->file_bytes / (double)MIB);
	printf("records    %zu: %zu vulnerabilities, %zu malware, %zu withdrawn\n", s->records, s->vulnerabilities, s->malware, s->withdrawn);
	printf("packages   %zu npm, %zu NuGet\n", s->packages[ECOSYSTEM_NPM], s->packages[ECOSYSTEM_NUGET]);
	for (size_t i = 0; i < s->source_count; i++) {
		time_format_local(s->sources[i].imported, time);
		printf("%-11s", i ? "" : "sources");
		output_cell(stdout, s->sources[i].name, 0);
		printf("  %zu records, priority %d, imported %s\n", s->sources[i].records, s->sources[i].priority, time);
	}
}

static void print_moment(const char *what, usec at)
{
	char time[TIME_TEXT] = "never";

	if (at)
		time_format_local(at, time);
	printf(", %s %s", what, time);
}

static void print_feed(const struct feed_line *f, bool first)
{
	char every[TIME_TEXT];

	duration_format(f->feed->every, every);
	printf("%-11s", first ? "feeds" : "");
	output_cell(stdout, f->feed->name, 0);
	fputs("  ", stdout);
	output_cell(stdout, f->feed->url, 0);
	printf("\n             every %s", every);
	if (f->fetched) {
		print_moment("checked", f->state.checked);
		print_moment("changed", f->state.changed);
		print_moment("imported", f->state.imported);
	} else {
		fputs(", never asked", stdout);
	}
	putchar('\n');
	if (f->state.error.n) {
		fputs("             failed: ", stdout);
		output_cell(stdout, f->state.error, 0);
		putchar('\n');
	}
}

static void print_lines(const struct status *s)
{
	if (s->there)
		print_index(s->options, &s->index);
	for (size_t i = 0; i < s->feed_count; i++)
		print_feed(&s->feeds[i], i == 0);
}

int feed_status(const struct feed_options *o, int count, char **words)
{
	CLEANUP_ARENA struct arena *a = arena_new(16 * MIB);
	struct status s = {.options = o, .arena = a};
	struct err of_index = {0}, of_feeds = {0};
	int index, feeds;

	(void)count;
	(void)words;
	if (!a)
		return EXIT_CANNOT;
	index = read_index(&s, &of_index);
	feeds = read_feeds(&s, &of_feeds);
	if (o->json ? index == 0 || s.feed_count : !o->quiet)
		(o->json ? print_json : print_lines)(&s);
	if (index == -ENOENT)
		fprintf(stderr, "bondgate: there is no index yet (%s): bondgate feed import PATH makes it\n", o->index);
	else if (index < 0)
		fprintf(stderr, "bondgate: %s\n", of_index.text);
	if (feeds < 0)
		fprintf(stderr, "bondgate: how the feeds fare is not shown: %s\n", of_feeds.text);
	policy_unref(s.policy);
	if (fflush(stdout) != 0 || ferror(stdout))
		return EXIT_CANNOT;
	return index < 0 || feeds < 0 ? EXIT_CANNOT : EXIT_NOTHING;
}
