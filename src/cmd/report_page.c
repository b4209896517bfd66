#include "cmd/report_page.h"

#include <stdio.h>

#include "base/limits.h"
#include "cmd/output.h"

struct page_section *page_section(struct page *p, const char *key, const char *title, const char *nothing)
{
	struct page_section *s;

	if (p->section_count == PAGE_SECTIONS)
		abort();
	s = &p->sections[p->section_count++];
	*s = (struct page_section){.key = key, .title = title, .nothing = nothing};
	s->last = &s->rows;
	return s;
}

void page_free(struct page *p)
{
	for (size_t i = 0; i < p->section_count; i++)
		map_free(&p->sections[i].by_cells);
}

static struct str cells_key(struct page *p, const struct str *cells, size_t n)
{
	CLEANUP_BUF struct buf key = BUF(64 * KIB);

	for (size_t i = 0; i < n; i++) {
		buf_add_str(&key, cells[i]);
		buf_add_char(&key, '\n');
	}
	return arena_str(p->arena, buf_str(&key));
}

void page_row(struct page *p, struct page_section *s, const struct str *cells, size_t n)
{
	struct str key = s->counted ? cells_key(p, cells, n) : STR("");
	struct page_row *r = s->counted ? map_get(&s->by_cells, key) : NULL;

	if (r) {
		r->count++;
		return;
	}
	r = ARENA_NEW(p->arena, struct page_row);
	if (!r)
		return; /* the arena says so in the end */
	*r = (struct page_row){.count = 1};
	for (size_t i = 0; i < n && i < PAGE_COLUMNS; i++)
		r->cells[i] = arena_str(p->arena, cells[i]);
	*s->last = r;
	s->last = &r->next;
	s->row_count++;
	if (s->counted)
		map_put(&s->by_cells, key, r);
}

void page_headline(struct page *p, struct str sentence)
{
	if (p->headline_count < sizeof(p->headline) / sizeof(p->headline[0]))
		p->headline[p->headline_count++] = arena_str(p->arena, sentence);
}

static int by_count(const void *x, const void *y)
{
	const struct page_row *a = *(struct page_row *const *)x, *b = *(struct page_row *const *)y;

	return a->count != b->count ? (a->count > b->count ? -1 : 1) : str_cmp(a->cells[0], b->cells[0]);
}

static void sort_rows(struct page *p, struct page_section *s)
{
	struct page_row **rows = ARENA_ARRAY(p->arena, struct page_row *, s->row_count + 1);
	size_t n = 0;

	if (!rows || !s->counted)
		return;
	for (struct page_row *r = s->rows; r; r = r->next)
		rows[n++] = r;
	if (n)
		qsort(rows, n, sizeof(*rows), by_count);
	s->rows = NULL;
	for (size_t i = n; i-- > 0;) {
		rows[i]->next = s->rows;
		s->rows = rows[i];
	}
}

static size_t columns_of(const struct page_section *s)
{
	size_t n = 0;

	while (n < PAGE_COLUMNS && s->columns[n])
		n++;
	return n;
}

static struct str cell_text(struct page *p, const struct page_section *s, const struct page_row *r, size_t column)
{
	if (str_eq(str_of(s->columns[column]), STR("count")))
		return arena_printf(p->arena, "%lld", (long long)r->count);
	return r->cells[column].n ? r->cells[column] : STR("-");
}

/* ---- for people ---- */

/* A bar would begin another column, and line ends another row. */
static void put_markdown(struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c == '|' || c == '<' || c == '`' || c == '*' || c == '_' || c == '[')
			putchar('\\');
		putchar(c < 0x20 ? ' ' : c);
	}
}

static void print_table(struct page *p, const struct page_section *s, bool markdown)
{
	size_t widths[PAGE_COLUMNS] = {0}, n = columns_of(s), shown = 0;

	for (size_t i = 0; i < n; i++)
		widths[i] = output_width(str_of(s->columns[i]));
	for (const struct page_row *r = s->rows; r && (!s->most || shown < s->most); r = r->next, shown++)
		for (size_t i = 0; i < n; i++)
			if (output_width(cell_text(p, s, r, i)) > widths[i])
				widths[i] = output_width(cell_text(p, s, r, i));
	for (size_t i = 0; i < n; i++) {
		fputs(markdown ? "| " : "  ", stdout);
		output_cell(stdout, str_of(s->columns[i]), !markdown && i + 1 < n ? widths[i] : 0);
		fputs(markdown ? " " : "", stdout);
	}
	fputs(markdown ? "|\n" : "\n", stdout);
	for (size_t i = 0; markdown && i < n; i++)
		fputs(i + 1 == n ? "| --- |\n" : "| --- ", stdout);
	shown = 0;
	for (const struct page_row *r = s->rows; r && (!s->most || shown < s->most); r = r->next, shown++) {
		for (size_t i = 0; i < n; i++) {
			fputs(markdown ? "| " : "  ", stdout);
			if (markdown)
				put_markdown(cell_text(p, s, r, i));
			else
				output_cell(stdout, cell_text(p, s, r, i), i + 1 < n ? widths[i] : 0);
			fputs(markdown ? " " : "", stdout);
		}
		fputs(markdown ? "|\n" : "\n", stdout);
	}
	if (shown < s->row_count)
		printf("%s… and %zu more (--json has all)\n", markdown ? "\n" : "  ", s->row_count - shown);
}

static void print_people(struct page *p, bool markdown)
{
	printf(markdown ? "# Bondgate: %.*s to %.*s\n\n" : "Bondgate, %.*s to %.*s\n", STR_ARG(p->since), STR_ARG(p->until));
	for (size_t i = 0; i < p->headline_count; i++)
		printf("%s%.*s\n", markdown ? "- " : "  ", STR_ARG(p->headline[i]));
	for (size_t i = 0; i < p->section_count; i++) {
		struct page_section *s = &p->sections[i];

		printf(markdown ? "\n## %s\n\n" : "\n%s\n", s->title);
		if (s->row_count)
			print_table(p, s, markdown);
		else
			printf("%s%s\n", markdown ? "" : "  ", s->nothing);
	}
}

/* ---- for programs ---- */

static void section_json(struct page *p, const struct page_section *s, struct json_writer *w)
{
	size_t n = columns_of(s);

	(void)p;
	jw_key(w, str_of(s->key));
	jw_array(w);
	for (const struct page_row *r = s->rows; r; r = r->next) {
		jw_object(w);
		for (size_t i = 0; i < n; i++) {
			if (str_eq(str_of(s->columns[i]), STR("count")))
				jw_member_int(w, "count", r->count);
			else
				output_member(w, s->columns[i], r->cells[i]);
		}
		jw_object_end(w);
		output_flush(w, stdout);
	}
	jw_array_end(w);
}

static void print_json(struct page *p)
{
	CLEANUP_BUF struct buf out = BUF(8 * MIB);
	struct json_writer w;

	jw_init(&w, &out);
	jw_object(&w);
	jw_member_str(&w, "since", p->since);
	jw_member_str(&w, "until", p->until);
	jw_key(&w, STR("summary"));
	jw_array(&w);
	for (size_t i = 0; i < p->headline_count; i++)
		jw_str(&w, p->headline[i]);
	jw_array_end(&w);
	for (size_t i = 0; i < p->section_count; i++)
		section_json(p, &p->sections[i], &w);
	jw_object_end(&w);
	buf_add_char(&out, '\n');
	output_flush(&w, stdout);
}

void page_print(struct page *p, enum page_form form)
{
	for (size_t i = 0; i < p->section_count; i++)
		sort_rows(p, &p->sections[i]);
	if (form == PAGE_JSON)
		print_json(p);
	else
		print_people(p, form == PAGE_MARKDOWN);
}
