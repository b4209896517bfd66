/* Reports that are lines of text for somebody else's machine: JUnit's XML, GitHub's workflow commands, Markdown. */
#include "base/limits.h"
#include "report/parts.h"

/* XML 1.0: most control characters have no form at all. */
static void xml(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '<')
			buf_add_str(out, STR("&lt;"));
		else if (c == '>')
			buf_add_str(out, STR("&gt;"));
		else if (c == '&')
			buf_add_str(out, STR("&amp;"));
		else if (c == '"')
			buf_add_str(out, STR("&quot;"));
		else
			buf_add_char(out, (unsigned char)c < 0x20 && c != '\n' && c != '\t' ? '?' : c);
	}
}

static void junit_finding(const struct report_finding *f, struct arena *a, struct buf *out)
{
	buf_add_str(out, STR("    <testcase classname=\""));
	xml(out, f->name);
	buf_add_str(out, STR("\" name=\""));
	xml(out, arena_printf(a, "%.*s %.*s", STR_ARG(part_coordinate(a, f->name, f->version)), STR_ARG(f->id)));
	buf_add_str(out, STR("\">\n"));
	if (f->fails) {
		buf_printf(out, "      <failure type=\"%s\" message=\"", f->kind);
		xml(out, part_title(a, f));
		buf_add_str(out, STR("\">"));
	} else {
		buf_add_str(out, STR("      <system-out>"));
	}
	xml(out, arena_printf(a, "%s %.*s:%u\n%.*s\n%.*s\n", severity_name(f->severity), STR_ARG(f->file), part_line(f->line),
	                      STR_ARG(f->way_count ? part_way(a, &f->ways[0]) : STR_NULL), STR_ARG(part_advice(a, f))));
	buf_printf(out, "</%s>\n    </testcase>\n", f->fails ? "failure" : "system-out");
}

/* A file without findings is one test that passed; one that could not be read is an error. */
static void junit_file(const struct report *r, const struct report_file *file, struct arena *a, struct buf *out)
{
	size_t tests = 0, failures = 0;

	for (size_t i = 0; i < r->finding_count; i++)
		if (str_eq(r->findings[i].file, file->path)) {
			tests++;
			failures += r->findings[i].fails;
		}
	buf_add_str(out, STR("  <testsuite name=\""));
	xml(out, file->path);
	buf_printf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%d\" time=\"0\">\n", tests ? tests : 1, failures, file->error.n > 0);
	for (size_t i = 0; i < r->finding_count; i++)
		if (str_eq(r->findings[i].file, file->path))
			junit_finding(&r->findings[i], a, out);
	if (!tests) {
		buf_printf(out, "    <testcase classname=\"%s\" name=\"%zu packages\">", file->format, file->count);
		if (file->error.n) {
			buf_add_str(out, STR("<error message=\""));
			xml(out, file->error);
			buf_add_str(out, STR("\"/>"));
		}
		buf_add_str(out, STR("</testcase>\n"));
	}
	buf_add_str(out, STR("  </testsuite>\n"));
}

int report_junit(const struct report *r, struct arena *a, struct buf *out)
{
	buf_add_str(out, STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"bondgate scan\">\n"));
	for (size_t i = 0; i < r->file_count; i++)
		junit_file(r, &r->files[i], a, out);
	buf_add_str(out, STR("</testsuites>\n"));
	return report_end(a, out);
}

/* Workflow commands end at the line's end; properties also at a comma or a colon (GitHub's documentation, "Workflow commands"). */
static void command_text(struct buf *out, struct str text, bool property)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c == '%' || c < 0x20 || c == 0x7f || (property && (c == ':' || c == ',')))
			buf_printf(out, "%%%02X", c);
		else
			buf_add_char(out, (char)c);
	}
}

static void annotation(struct buf *out, const char *level, struct str file, unsigned line, struct str title, struct str text)
{
	buf_printf(out, "::%s file=", level);
	while (str_starts(file, STR("./")))
		file = str_skip(file, 2);
	command_text(out, file, true);
	buf_printf(out, ",line=%u,title=", part_line(line));
	command_text(out, title, true);
	buf_add_str(out, STR("::"));
	command_text(out, text, false);
	buf_add_char(out, '\n');
}

int report_github(const struct report *r, struct arena *a, struct buf *out)
{
	for (size_t i = 0; i < r->file_count; i++)
		if (r->files[i].error.n)
			annotation(out, "error", r->files[i].path, 1, STR("cannot be read"), r->files[i].error);
	for (size_t i = 0; i < r->finding_count; i++) {
		const struct report_finding *f = &r->findings[i];
		struct str advice = part_advice(a, f);

		annotation(out,
		           f->fails         ? "error"
		           : f->report_only ? "notice"
		                            : "warning",
		           f->file, f->line,
		           arena_printf(a, "%s %.*s", strcmp(f->kind, "malware") == 0 ? "malware" : severity_name(f->severity), STR_ARG(f->id)),
		           arena_printf(a, "%.*s%s%.*s", STR_ARG(part_title(a, f)), advice.n ? ". " : "", STR_ARG(advice)));
	}
	return report_end(a, out);
}

/* In a cell of a table: nothing of it may end the cell, begin a link or be HTML. Strangers wrote the summaries. */
static void cell(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (part_steers(text, i)) {
			buf_add_char(out, ' ');
			i += part_steers(text, i) - 1;
			continue;
		}
		if (c == '<')
			buf_add_str(out, STR("&lt;"));
		else if (c == '>')
			buf_add_str(out, STR("&gt;"));
		else if (c == '&')
			buf_add_str(out, STR("&amp;"));
		else if (strchr("|`*_[]\\#!@", c) && c)
			buf_printf(out, c == '@' ? "&#64;" : "\\%c", c);
		else
			buf_add_char(out, (char)c);
	}
}

enum { MOST_ROWS = 100 }; /* what a comment takes, and a person reads */

static void markdown_row(const struct report_finding *f, struct arena *a, struct buf *out)
{
	buf_printf(out, "| %s | ", strcmp(f->kind, "malware") == 0 ? "**malware**" : severity_name(f->severity));
	cell(out, part_coordinate(a, f->name, f->version));
	buf_add_str(out, f->dev ? STR(" (dev) | ") : STR(" | "));
	if (str_starts(f->url, STR("https://")) && str_chr(f->url, ' ') < 0 && str_chr(f->url, ')') < 0 && str_chr(f->url, '|') < 0) {
		buf_add_char(out, '[');
		cell(out, f->id);
		buf_printf(out, "](%.*s)", STR_ARG(f->url));
	} else {
		cell(out, f->id);
	}
	buf_add_str(out, STR(" | "));
	cell(out, f->summary);
	buf_add_str(out, STR(" | "));
	cell(out, part_advice(a, f));
	buf_add_str(out, STR(" | "));
	if (f->way_count)
		cell(out, part_way(a, &f->ways[0]));
	buf_add_str(out, STR(" | "));
	cell(out, arena_printf(a, "%.*s:%u", STR_ARG(f->file), part_line(f->line)));
	buf_add_str(out, STR(" |\n"));
}

int report_markdown(const struct report *r, struct arena *a, struct buf *out)
{
	size_t failing = 0;

	for (size_t i = 0; i < r->finding_count; i++)
		failing += r->findings[i].fails;
	if (failing || r->unreadable)
		buf_printf(out, "### Bondgate: %zu finding%s to act on\n\n", failing, failing == 1 ? "" : "s");
	else
		buf_add_str(out, STR("### Bondgate: nothing to act on\n\n"));
	buf_printf(out, "%zu package%s in %zu file%s", r->packages, r->packages == 1 ? "" : "s", r->file_count, r->file_count == 1 ? "" : "s");
	if (r->finding_count > failing)
		buf_printf(out, "; %zu more to know of", r->finding_count - failing);
	if (r->unjudged)
		buf_printf(out, "; %zu could not be judged by their age or publisher", r->unjudged);
	buf_add_str(out, STR(".\n"));
	for (size_t i = 0; i < r->file_count; i++)
		if (r->files[i].error.n) {
			buf_add_str(out, STR("\n> **Could not be read:** "));
			cell(out, r->files[i].error);
			buf_add_char(out, '\n');
		}
	if (r->finding_count)
		buf_add_str(out,
		            STR("\n| Severity | Package | What | Summary | What to do | Brought in by | Where |\n|---|---|---|---|---|---|---|\n"));
	for (size_t i = 0; i < r->finding_count && i < MOST_ROWS; i++)
		markdown_row(&r->findings[i], a, out);
	if (r->finding_count > MOST_ROWS)
		buf_printf(out, "\n%zu more are not shown here.\n", r->finding_count - MOST_ROWS);
	return report_end(a, out);
}
