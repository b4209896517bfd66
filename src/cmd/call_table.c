#include "cmd/call_table.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/time.h"
#include "cmd/call.h"
#include "cmd/output.h"

enum { COLUMNS = 12, CELL_MOST = 100 };

/* One object's text for a column: lists without their quotes, times in the user's zone. */
static struct str cell(struct str object, const struct call_column *c, struct arena *a)
{
	struct str text = call_member(object, c->member, a);
	usec time;

	if (c->date && text.n && time_parse(text, &time) == 0) {
		char when[TIME_TEXT];

		time_format_local(time, when);
		return arena_str(a, str_of(when));
	}
	if (str_starts(text, STR("["))) {
		CLEANUP_BUF struct buf out = BUF(4 * KIB);

		for (size_t i = 0; i < text.n; i++)
			if (text.p[i] != '[' && text.p[i] != ']' && text.p[i] != '"')
				buf_add_char(&out, text.p[i] == ',' ? ' ' : text.p[i]);
		text = arena_str(a, buf_str(&out));
	}
	return str_take(text, CELL_MOST);
}

static bool next_object(struct json_reader *r, struct str *ret)
{
	if (!json_next_item(r))
		return false;
	json_skip(r, ret);
	return true;
}

static void print_row(const struct str *cells, const size_t *widths, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		output_cell(stdout, cells[i], i + 1 == count ? 0 : widths[i]);
		fputs(i + 1 == count ? "\n" : "  ", stdout);
	}
}

/* Both passes walk the list: to measure it, and to print it. */
static size_t walk(struct str list, const struct call_column *columns, size_t count, size_t *widths, bool print)
{
	struct json_reader r;
	struct str object;
	size_t n = 0;

	json_init(&r, list);
	json_enter_array(&r);
	while (next_object(&r, &object)) {
		CLEANUP_ARENA struct arena *a = arena_new(MIB);
		struct str cells[COLUMNS];

		for (size_t i = 0; a && i < count; i++) {
			cells[i] = cell(object, &columns[i], a);
			if (!print && output_width(cells[i]) > widths[i])
				widths[i] = output_width(cells[i]);
		}
		if (a && print)
			print_row(cells, widths, count);
		n++;
	}
	return n;
}

size_t call_table(struct str json, const char *key, const struct call_column *columns, size_t count, const char *nothing)
{
	CLEANUP_ARENA struct arena *a = arena_new(64 * MIB);
	struct str list = a ? call_member(json, key, a) : STR_NULL, headings[COLUMNS];
	size_t widths[COLUMNS], n;

	for (size_t i = 0; i < count; i++) {
		headings[i] = str_of(columns[i].heading);
		widths[i] = headings[i].n;
	}
	n = list.n ? walk(list, columns, count, widths, false) : 0;
	if (n == 0) {
		printf("%s\n", nothing);
		return 0;
	}
	print_row(headings, widths, count);
	walk(list, columns, count, widths, true);
	return n;
}
