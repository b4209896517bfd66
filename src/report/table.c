/* The table for people: as wide as the terminal, colours only there, nothing of a stranger's text that could steer it. */
#include "report/parts.h"

enum column { SEVERITY, ID, PACKAGE, FIXED, WHERE, COLUMNS };

enum { LEAST_SUMMARY = 20 };

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t width_of(struct str text)
{
	size_t width = 0;

	for (size_t i = 0; i < text.n; i++)
		width += !continues(text.p[i]);
	return text.n ? width : 1;
}

/* The text, cut to `most` characters (0: whole), filled up to `least`. */
static void put(struct buf *out, struct str text, size_t least, size_t most)
{
	size_t shown = 0, width = width_of(text);
	bool cut = most && width > most;

	if (text.n == 0)
		buf_add_char(out, '-');
	for (size_t i = 0; i < text.n; i++) {
		if (!continues(text.p[i]) && cut && shown + 1 == most) {
			buf_add_str(out, STR("\xe2\x80\xa6"));
			break;
		}
		shown += !continues(text.p[i]);
		if (part_steers(text, i)) {
			buf_add_char(out, '?');
			i += part_steers(text, i) - 1;
			continue;
		}
		buf_add_char(out, text.p[i]);
	}
	for (size_t filled = cut ? most : width; filled < least; filled++)
		buf_add_char(out, ' ');
}

static void cells_of(const struct report_finding *f, struct arena *a, struct str cells[COLUMNS])
{
	cells[SEVERITY] = strcmp(f->kind, "malware") == 0 ? STR("MALWARE") : str_of(severity_name(f->severity));
	cells[ID] = f->id;
	cells[PACKAGE] = arena_printf(a, "%s:%.*s", ecosystem_name(f->ecosystem), STR_ARG(part_coordinate(a, f->name, f->version)));
	cells[FIXED] = f->fixed;
	cells[WHERE] = arena_printf(a, "%.*s:%u%s", STR_ARG(f->file), f->line, f->dev ? " (dev)" : "");
}

static const char *colour_of(const struct report_finding *f)
{
	if (strcmp(f->kind, "malware") == 0)
		return "\033[1;37;41m";
	return f->severity == SEVERITY_CRITICAL   ? "\033[1;31m"
	       : f->severity == SEVERITY_HIGH     ? "\033[31m"
	       : f->severity == SEVERITY_MODERATE ? "\033[33m"
	                                          : "\033[2m";
}

/* The second line of a finding: what it is, then the way to it. */
static void explain(const struct report *r, const struct report_finding *f, struct arena *a, struct buf *out)
{
	struct str way = f->way_count ? part_way(a, &f->ways[0]) : STR_NULL;
	size_t most = r->width > LEAST_SUMMARY ? r->width - 4 : 0;

	if (f->summary.n) {
		buf_add_str(out, STR("    "));
		put(out, f->summary, 0, most);
		buf_add_char(out, '\n');
	}
	if (f->way_count && f->ways[0].count > 1) {
		buf_add_str(out, STR("    "));
		put(out, way, 0, 0);
		if (f->way_count > 1)
			buf_printf(out, " (and %zu more ways)", f->way_count - 1);
		buf_add_char(out, '\n');
	}
}

static void rows(const struct report *r, struct arena *a, struct buf *out)
{
	static const char *const headings[COLUMNS] = {"SEVERITY", "ID", "PACKAGE", "FIXED IN", "WHERE"};
	struct str cells[COLUMNS];
	size_t widths[COLUMNS] = {8, 2, 7, 8, 5}, others = 2 * (COLUMNS - 1), most = 0;

	for (size_t i = 0; i < r->finding_count; i++) {
		cells_of(&r->findings[i], a, cells);
		for (size_t c = 0; c < COLUMNS; c++)
			widths[c] = width_of(cells[c]) > widths[c] ? width_of(cells[c]) : widths[c];
	}
	/* On a narrow terminal only the package's name may be cut: id, fix and place are copied by hand. */
	for (size_t c = 0; c < COLUMNS; c++)
		others += c == PACKAGE ? 0 : widths[c];
	if (r->width && others + widths[PACKAGE] > r->width) {
		most = r->width > others + LEAST_SUMMARY ? r->width - others : LEAST_SUMMARY;
		widths[PACKAGE] = widths[PACKAGE] > most ? most : widths[PACKAGE];
	}
	for (size_t c = 0; c < COLUMNS; c++) {
		put(out, str_of(headings[c]), c + 1 < COLUMNS ? widths[c] : 0, 0);
		buf_add_str(out, c + 1 < COLUMNS ? STR("  ") : STR("\n"));
	}
	for (size_t i = 0; i < r->finding_count; i++) {
		cells_of(&r->findings[i], a, cells);
		for (size_t c = 0; c < COLUMNS; c++) {
			bool colour = r->colour && c == SEVERITY;

			buf_add_str(out, str_of(colour ? colour_of(&r->findings[i]) : ""));
			put(out, cells[c], c + 1 < COLUMNS ? widths[c] : 0, c == PACKAGE ? most : 0);
			buf_add_str(out, str_of(colour ? "\033[0m" : ""));
			buf_add_str(out, c + 1 < COLUMNS ? STR("  ") : STR("\n"));
		}
		explain(r, &r->findings[i], a, out);
	}
}

static void listing(const struct report_file *f, struct arena *a, struct buf *out)
{
	for (size_t i = 0; f->packages && !f->error.n && i < f->count; i++) {
		const struct report_package *p = &f->packages[i];

		put(out, arena_printf(a, "%.*s:%u  %s", STR_ARG(f->path), p->line, ecosystem_name(p->ecosystem)), 0, 0);
		buf_add_str(out, STR("  "));
		put(out, p->name, 0, 0);
		buf_add_str(out, STR("  "));
		put(out, p->version, 0, 0);
		buf_printf(out, "  %s%s\n", p->source, p->dev ? "  dev" : "");
	}
}

static void closing(const struct report *r, struct buf *out)
{
	const struct {
		size_t count;
		const char *text;
	} more[] = {
		{r->versionless, "without a version could be judged by name only"},
		{r->unjudged, "could not be judged by age or publisher: name a gate with --gate or a store with --state"},
		{r->ignored, "ignored by the policy"},
		{r->baselined, "were in the baseline"},
		{r->left_out, "left out by the options"},
		{r->unreadable, "could not be read"},
	};
	size_t failing = 0;

	for (size_t i = 0; i < r->finding_count; i++)
		failing += r->findings[i].fails;
	buf_printf(out, "%zu finding%s in %zu package%s of %zu file%s", r->finding_count, r->finding_count == 1 ? "" : "s", r->packages,
	           r->packages == 1 ? "" : "s", r->file_count, r->file_count == 1 ? "" : "s");
	if (failing != r->finding_count)
		buf_printf(out, ", %zu of them to act on", failing);
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (more[i].count)
			buf_printf(out, "; %zu %s", more[i].count, more[i].text);
	buf_add_char(out, '\n');
}

int report_table(const struct report *r, struct arena *a, struct buf *out)
{
	for (size_t i = 0; r->list && i < r->file_count; i++)
		listing(&r->files[i], a, out);
	if (r->finding_count)
		rows(r, a, out);
	if (!r->quiet)
		closing(r, out);
	return report_end(a, out);
}
