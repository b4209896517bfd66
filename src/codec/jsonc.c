#include "codec/jsonc.h"

static void blank(char *p, size_t from, size_t to)
{
	for (; from < to; from++)
		if (p[from] != '\n' && p[from] != '\r')
			p[from] = ' ';
}

/* Where the comment that begins at `i` ends; one that is never closed takes the rest. */
static size_t comment_end(struct str text, size_t i)
{
	struct str rest = str_skip(text, i + 2);
	ptrdiff_t at = text.p[i + 1] == '/' ? str_chr(rest, '\n') : str_find(rest, STR("*/"));

	if (at < 0)
		return text.n;
	return i + 2 + (size_t)at + (text.p[i + 1] == '/' ? 0 : 2);
}

static size_t string_end(struct str text, size_t i)
{
	for (i++; i < text.n && text.p[i] != '"'; i++)
		i += text.p[i] == '\\';
	return i < text.n ? i + 1 : text.n;
}

struct str jsonc_blank(struct arena *a, struct str text)
{
	struct str copy = arena_str(a, text);
	char *p = (char *)(uintptr_t)copy.p;
	size_t comma = SIZE_MAX;

	for (size_t i = 0; p && i < copy.n;) {
		char c = p[i];

		if (c == '/' && i + 1 < copy.n && (p[i + 1] == '/' || p[i + 1] == '*')) {
			size_t end = comment_end(copy, i);

			blank(p, i, end);
			i = end;
			continue;
		}
		if ((c == '}' || c == ']') && comma != SIZE_MAX)
			p[comma] = ' ';
		if (c == ',')
			comma = i;
		else if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
			comma = SIZE_MAX;
		i = c == '"' ? string_end(copy, i) : i + 1;
	}
	return copy;
}
