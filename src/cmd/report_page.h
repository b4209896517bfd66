/* A page of sections, each a small table, in three forms: for a terminal, as Markdown, as JSON. */
#ifndef BONDGATE_CMD_REPORT_PAGE_H
#define BONDGATE_CMD_REPORT_PAGE_H

#include "base/arena.h"
#include "base/map.h"

enum { PAGE_SECTIONS = 24, PAGE_COLUMNS = 6 };

struct page_row {
	struct page_row *next;
	struct str cells[PAGE_COLUMNS];
	int64_t count; /* of a column "count"; sorts the rows when the section is counted */
};

struct page_section {
	const char *key;                   /* of the JSON */
	const char *title;                 /* for people */
	const char *nothing;               /* what is said when there are no rows */
	const char *columns[PAGE_COLUMNS]; /* keys of the JSON and headings; "count" stands for the row's count */
	bool counted;                      /* rows with equal cells are one, the most frequent first */
	size_t most;                       /* rows shown to people; 0: all */
	struct page_row *rows, **last;
	struct map by_cells;
	size_t row_count;
};

struct page {
	struct arena *arena;
	struct str since, until;
	struct page_section sections[PAGE_SECTIONS];
	size_t section_count;
	struct str headline[8]; /* sentences at the top */
	size_t headline_count;
};

struct page_section *page_section(struct page *p, const char *key, const char *title, const char *nothing);
/* Cells are copied; with `counted`, once more of the same. */
void page_row(struct page *p, struct page_section *s, const struct str *cells, size_t n);
void page_headline(struct page *p, struct str sentence);
void page_free(struct page *p);

enum page_form { PAGE_TERMINAL, PAGE_MARKDOWN, PAGE_JSON };
void page_print(struct page *p, enum page_form form);

#endif
