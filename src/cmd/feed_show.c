/* bondgate feed list, show: what is in the index. */
#include <stdio.h>

#include "base/buf.h"
#include "base/limits.h"
#include "cmd/feed.h"
#include "cmd/options.h"
#include "cmd/output.h"

static int fail(const struct err *err)
{
	fprintf(stderr, "bondgate: %s\n", err->text);
	return EXIT_CANNOT;
}

static int open_index(const struct feed_options *o, struct advisories **ret)
{
	struct err err = {0};
	int r = advisories_open(o->index, ret, &err);

	if (r == -ENOENT)
		fprintf(stderr, "bondgate: there is no index yet (%s): bondgate feed import PATH makes it\n", o->index);
	else if (r < 0)
		fail(&err);
	return r;
}

static int flushed(int code)
{
	return fflush(stdout) == 0 && !ferror(stdout) ? code : EXIT_CANNOT;
}

static const char *kind_of(const struct advisories_entry *e)
{
	return e->advisory.kind == ADVISORY_MALWARE ? "malware" : "vulnerability";
}

/* ---- JSON ---- */

static void put_texts(struct json_writer *w, const char *key, const struct str *texts, size_t count)
{
	jw_key(w, str_of(key));
	jw_array(w);
	for (size_t i = 0; i < count; i++)
		jw_str(w, texts[i]);
	jw_array_end(w);
}

static void put_time(struct json_writer *w, const char *key, usec time)
{
	char text[TIME_TEXT] = "";

	if (time)
		time_format_utc(time, text);
	output_member(w, key, str_of(text));
}

static void put_score(struct json_writer *w, const struct advisory *a)
{
	char text[16];

	jw_key(w, STR("score"));
	if (a->score < 0) {
		jw_null(w);
	} else {
		snprintf(text, sizeof(text), "%d.%d", a->score / 10, a->score % 10);
		jw_raw(w, str_of(text));
	}
}

static void put_entry(struct json_writer *w, const struct advisories_entry *e)
{
	const struct advisory *a = &e->advisory;

	jw_object(w);
	jw_member_str(w, "id", a->id);
	jw_member_str(w, "kind", str_of(kind_of(e)));
	jw_member_str(w, "severity", str_of(severity_name(a->severity)));
	put_score(w, a);
	output_member(w, "vector", a->vector);
	output_member(w, "summary", a->summary);
	output_member(w, "url", a->url);
	put_texts(w, "aliases", a->aliases, a->alias_count);
	put_texts(w, "cwes", a->cwes, a->cwe_count);
	put_time(w, "published", a->published);
	put_time(w, "modified", a->modified);
	jw_member_bool(w, "withdrawn", e->withdrawn);
	jw_member_str(w, "source", e->source);
	jw_key(w, STR("packages"));
	jw_array(w);
	for (size_t i = 0; i < e->package_count; i++) {
		jw_object(w);
		jw_member_str(w, "ecosystem", str_of(ecosystem_name(e->packages[i].ecosystem)));
		jw_member_str(w, "name", e->packages[i].name);
		jw_member_str(w, "versions", e->packages[i].versions);
		jw_object_end(w);
	}
	jw_array_end(w);
	jw_object_end(w);
}

/* ---- list ---- */

struct list {
	const struct feed_options *options;
	struct purl package; /* no name: all */
	struct json_writer json;
	size_t count;
};

static bool concerns(const struct list *l, const struct advisories_entry *e)
{
	if (l->options->malware && (e->withdrawn || e->advisory.kind != ADVISORY_MALWARE))
		return false;
	for (size_t i = 0; i < e->package_count && l->package.name.n; i++) {
		const struct advisories_package *p = &e->packages[i];

		if (p->ecosystem == l->package.ecosystem &&
		    (p->ecosystem == ECOSYSTEM_NPM ? str_eq(p->name, l->package.name) : str_eq_nocase(p->name, l->package.name)))
			return true;
	}
	return l->package.name.n == 0;
}

static int list_entry(void *arg, const struct advisories_entry *e)
{
	struct list *l = arg;
	char day[TIME_TEXT] = "-";

	if (!concerns(l, e))
		return 0;
	l->count++;
	if (l->options->json) {
		put_entry(&l->json, e);
		return output_flush(&l->json, stdout);
	}
	if (e->advisory.modified)
		time_format_utc(e->advisory.modified, day);
	output_cell(stdout, e->advisory.id, 22);
	printf("  %-13s  %-8s  %.10s  ", e->withdrawn ? "withdrawn" : kind_of(e), severity_name(e->advisory.severity), day);
	output_cell(stdout, e->package_count ? e->packages[0].name : STR(""), 30);
	fputs("  ", stdout);
	output_cell(stdout, e->advisory.summary, 0);
	putchar('\n');
	return ferror(stdout) ? -EIO : 0;
}

int feed_list(const struct feed_options *o, int count, char **words)
{
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	CLEANUP_BUF struct buf out = BUF(64 * MIB);
	struct list l = {.options = o};
	struct advisories *all;
	struct err err = {0};
	int r;

	if (!a || (count && purl_parse(a, str_of(words[0]), &l.package, &err) < 0))
		return fail(&err);
	if (open_index(o, &all) < 0)
		return EXIT_CANNOT;
	jw_init(&l.json, &out);
	if (o->json)
		jw_array(&l.json);
	r = advisories_each(all, list_entry, &l, &err);
	if (o->json) {
		jw_array_end(&l.json);
		buf_add_char(&out, '\n');
		output_flush(&l.json, stdout);
	}
	advisories_unref(all);
	if (r < 0)
		return err.code ? fail(&err) : EXIT_CANNOT;
	if (!l.count && !o->json && !o->quiet)
		puts("no advisory");
	return flushed(EXIT_NOTHING);
}

/* ---- show ---- */

struct show {
	const struct feed_options *options;
	struct str id;
	size_t count;
};

static void print_line(const char *label, struct str text)
{
	if (text.n == 0)
		return;
	printf("%-11s", label);
	output_cell(stdout, text, 0);
	putchar('\n');
}

static void print_list(const char *label, const struct str *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		print_line(i ? "" : label, texts[i]);
}

static void print_time(const char *label, usec time)
{
	char text[TIME_TEXT];

	if (!time)
		return;
	time_format_local(time, text);
	print_line(label, str_of(text));
}

static void print_entry(const struct advisories_entry *e)
{
	const struct advisory *a = &e->advisory;

	print_line("id", a->id);
	print_line("summary", a->summary);
	print_line("kind", str_of(e->withdrawn ? "withdrawn" : kind_of(e)));
	print_line("severity", str_of(severity_name(a->severity)));
	if (a->score >= 0)
		printf("%-11s%d.%d  %.*s\n", "score", a->score / 10, a->score % 10, STR_ARG(a->vector));
	print_list("aliases", a->aliases, a->alias_count);
	print_list("weakness", a->cwes, a->cwe_count);
	print_time("published", a->published);
	print_time("modified", a->modified);
	print_line("source", e->source);
	print_line("read more", a->url);
	for (size_t i = 0; i < e->package_count; i++) {
		const struct advisories_package *p = &e->packages[i];

		printf("%-11s%s:", i ? "" : "packages", ecosystem_name(p->ecosystem));
		output_cell(stdout, p->name, 0);
		fputs("  ", stdout);
		output_cell(stdout, p->versions, 0);
		putchar('\n');
	}
}

static bool is_called(const struct advisory *a, struct str id)
{
	for (size_t i = 0; i < a->alias_count; i++)
		if (str_eq_nocase(a->aliases[i], id))
			return true;
	return str_eq_nocase(a->id, id);
}

static int show_entry(void *arg, const struct advisories_entry *e)
{
	struct show *s = arg;

	if (!is_called(&e->advisory, s->id))
		return 0;
	if (s->options->json) {
		CLEANUP_BUF struct buf out = BUF(64 * MIB);
		struct json_writer w;

		jw_init(&w, &out);
		put_entry(&w, e);
		if (s->count++)
			putchar(',');
		return output_flush(&w, stdout);
	}
	if (s->count++)
		putchar('\n');
	print_entry(e);
	return 0;
}

int feed_show(const struct feed_options *o, int count, char **words)
{
	struct show s = {.options = o, .id = str_of(words[0])};
	struct advisories *all;
	struct err err = {0};
	int r;

	(void)count;
	if (open_index(o, &all) < 0)
		return EXIT_CANNOT;
	if (o->json)
		putchar('[');
	r = advisories_each(all, show_entry, &s, &err);
	if (o->json)
		puts("]");
	advisories_unref(all);
	if (r < 0)
		return err.code ? fail(&err) : EXIT_CANNOT;
	if (s.count)
		return flushed(EXIT_NOTHING);
	fprintf(stderr, "bondgate: no advisory is called %s\n", words[0]);
	return EXIT_CANNOT;
}
