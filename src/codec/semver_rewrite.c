#include "codec/semver_rewrite.h"

#include "codec/semver_lex.h"

bool semver_is_x(char c)
{
	return c == 'x' || c == 'X' || c == '*';
}

struct str semver_squeeze(struct arena *a, struct str text)
{
	char *copy = arena_alloc(a, text.n + 1);
	size_t n = 0;

	if (!copy)
		return STR_NULL;
	text = semver_trim(text);
	for (size_t i = 0; i < text.n; i++) {
		if (!semver_is_blank(text.p[i]))
			copy[n++] = text.p[i];
		else if (copy[n - 1] != ' ')
			copy[n++] = ' ';
	}
	return (struct str){copy, n};
}

size_t semver_strip_builds(char *text, size_t n)
{
	size_t used = 0;

	for (size_t i = 0; i < n;) {
		struct semver_lex l = {text + i + 1, text + n, true};

		if (text[i] != '+' || l.p == l.end || !semver_is_identifier_char(*l.p)) {
			text[used++] = text[i++];
			continue;
		}
		/* "+a." at the end: the dot belongs to nothing and stays. */
		while (l.p < l.end && (semver_is_identifier_char(*l.p) || (*l.p == '.' && l.p + 1 < l.end && semver_is_identifier_char(l.p[1]))))
			l.p++;
		i = (size_t)(l.p - text);
	}
	return used;
}

/* "> 1.2 < 3" becomes ">1.2 <3". A blank behind the operator goes if a version follows. */
static size_t join_operators(char *text, size_t n)
{
	size_t used = 0, i = 0;

	while (i < n) {
		size_t op = i + (text[i] == ' '), blank, run;

		blank = op;
		if (blank < n && (text[blank] == '<' || text[blank] == '>'))
			blank++;
		if (blank < n && text[blank] == '=')
			blank++;
		run = blank + (blank < n && text[blank] == ' ');
		while (run < n && (text[run] == 'v' || text[run] == '=' || text[run] == ' '))
			run++;
		if (run == n || !(semver_is_digit(text[run]) || semver_is_x(text[run]))) {
			/* No place within the run would find a version either. */
			do
				text[used++] = text[i++];
			while (i < run);
			continue;
		}
		while (i < blank)
			text[used++] = text[i++];
		i += text[i] == ' ' && blank > op;
		while (i < run)
			text[used++] = text[i++];
		while (i < n && (semver_is_identifier_char(text[i]) || semver_is_x(text[i]) || text[i] == '.' || text[i] == '+'))
			text[used++] = text[i++];
	}
	return used;
}

/* Takes the blank behind ~, ~> and ^ out, and the > of ~> with it. */
static size_t join_tildes(char *text, size_t n)
{
	size_t used = 0, i = 0;

	while (i < n) {
		char c = text[used++] = text[i++];
		size_t after = i;

		if (c == '~' && after < n && text[after] == '>')
			after++;
		if ((c == '~' || c == '^') && after < n && text[after] == ' ')
			i = after + 1;
	}
	return used;
}

size_t semver_join_operators(char *text, size_t n)
{
	return join_tildes(text, join_operators(text, n));
}

struct str semver_without_star(char *text, size_t n)
{
	struct str word = {text, n};
	ptrdiff_t at = str_chr(word, '*'), from = at;

	if (at < 0)
		return word;
	if (from > 0 && text[from - 1] == '=')
		from--;
	if (from > 0 && (text[from - 1] == '<' || text[from - 1] == '>'))
		from--;
	memmove(text + from, text + at + 1, n - (size_t)at - 1);
	word.n -= (size_t)(at + 1 - from);
	return word;
}
