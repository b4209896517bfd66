#include "codec/yaml_block.h"

#include <errno.h>

#include "base/limits.h"
#include "base/map.h"
#include "codec/utf8.h"
#include "codec/yaml_scalar.h"

struct level {
	struct yaml_node *node; /* map or list */
	struct yaml_node **tail;
	size_t indent;
};

struct block {
	struct arena *arena;
	const char *p, *end;
	unsigned line;
	struct level levels[40]; /* LIMIT_YAML_DEPTH and some */
	size_t depth;
	struct yaml_node *pending; /* a key whose value has not come yet */
};

static bool unique_keys(const struct yaml_node *map)
{
	CLEANUP_MAP struct map seen = MAP_EMPTY;

	if (map->kind != YAML_MAP || map->count < 2)
		return true;
	if (map->count <= 12) {
		for (struct yaml_node *n = map->first; n; n = n->next)
			for (struct yaml_node *m = n->next; m; m = m->next)
				if (str_eq(n->key, m->key))
					return false;
		return true;
	}
	for (struct yaml_node *n = map->first; n; n = n->next)
		if (map_get(&seen, n->key) || map_put(&seen, n->key, n) < 0)
			return false;
	return true;
}

static bool push(struct block *b, struct yaml_node *node, enum yaml_kind kind, size_t indent)
{
	if (b->depth >= LIMIT_YAML_DEPTH)
		return false;
	node->kind = kind;
	b->levels[b->depth++] = (struct level){.node = node, .tail = &node->first, .indent = indent};
	return true;
}

static bool pop(struct block *b)
{
	return unique_keys(b->levels[--b->depth].node);
}

static struct yaml_node *append(struct block *b, unsigned column)
{
	struct level *top = &b->levels[b->depth - 1];
	struct yaml_node *n = ARENA_NEW(b->arena, struct yaml_node);

	if (!n)
		return NULL;
	n->line = n->key_line = b->line;
	n->column = n->key_column = column;
	*top->tail = n;
	top->tail = &n->next;
	top->node->count++;
	return n;
}

/* No control characters, nothing that YAML takes for the end of a line or does not let in. */
static bool plain_text(struct str s)
{
	for (size_t i = 0; i < s.n;) {
		unsigned char c = (unsigned char)s.p[i];
		int step;

		if (c >= 0x20 && c < 0x7f) {
			i++;
			continue;
		}
		if (c < 0x80)
			return false;
		step = utf8_step(s.p + i, s.p + s.n);
		if (step < 0 || (c == 0xc2 && (unsigned char)s.p[i + 1] < 0xa0) || (c == 0xe2 && (unsigned char)s.p[i + 1] == 0x80) || c == 0xef)
			return false;
		i += (size_t)step;
	}
	return true;
}

/* Passes the lines of a block scalar: all that are deeper than its key, and empty ones between. The first sets how deep. */
static bool pass_block_scalar(struct block *b, size_t indent)
{
	size_t depth = 0;

	while (b->p < b->end) {
		const char *q = b->p, *eol = memchr(b->p, '\n', (size_t)(b->end - b->p));
		const char *next = eol ? eol + 1 : b->end;

		if (!eol)
			eol = b->end;
		if (eol > q && eol[-1] == '\r')
			eol--;
		while (q < eol && *q == ' ')
			q++;
		if (q < eol && (size_t)(q - b->p) <= indent)
			return true;
		/* Blanks before the text, or less of them than in its first line, mean something else. */
		if ((q == eol && q > b->p) || (q < eol && (size_t)(q - b->p) < depth) || !plain_text(str_range(q, eol)))
			return false;
		if (depth == 0 && q < eol)
			depth = (size_t)(q - b->p);
		b->p = next;
		b->line++;
	}
	return true;
}

static bool block_scalar(struct block *b, struct yaml_node *n, struct str value, size_t indent)
{
	struct str rest = str_skip(value, 1);

	if (rest.n > 1 || (rest.n == 1 && rest.p[0] != '-' && rest.p[0] != '+'))
		return false;
	n->kind = YAML_SCALAR;
	n->quoted = true;
	return pass_block_scalar(b, indent);
}

/* The value after "key:" or "- ": fills the node in, or leaves it pending. */
static bool read_value(struct block *b, struct yaml_node *n, struct str value, size_t indent)
{
	if (value.n == 0 || value.p[0] == '#') {
		b->pending = n;
		return true;
	}
	if (value.p[0] == '|' || value.p[0] == '>')
		return block_scalar(b, n, value, indent);
	return yaml_inline_value(b->arena, n, value);
}

/* Where the key ends (its colon), or NULL. */
static const char *key_end(const char *p, const char *eol)
{
	for (const char *q = p; (q = memchr(q, ':', (size_t)(eol - q))); q++)
		if (q + 1 == eol || q[1] == ' ')
			return q;
	return NULL;
}

static bool read_key(struct block *b, const char *p, const char *eol, struct str *ret_key, struct str *ret_value)
{
	struct str line = str_range(p, eol), rest;

	if (*p == '\'' || *p == '"') {
		if (!yaml_quoted(b->arena, line, ret_key, &rest) || rest.n == 0 || rest.p[0] != ':' || (rest.n > 1 && rest.p[1] != ' '))
			return false;
		*ret_value = str_skip(rest, 1);
	} else {
		const char *colon = key_end(p, eol);

		if (!colon || !yaml_plain_start(line, false))
			return false;
		*ret_key = str_range(p, colon);
		*ret_value = str_range(colon + 1, eol);
		if (str_find(*ret_key, STR(" #")) >= 0 || ret_key->n == 0 || ret_key->p[ret_key->n - 1] == ' ')
			return false;
	}
	while (ret_value->n && ret_value->p[0] == ' ')
		*ret_value = str_skip(*ret_value, 1);
	return ret_key->n <= 1000;
}

static bool map_line(struct block *b, const char *p, const char *eol, size_t indent)
{
	struct str key, value;
	struct yaml_node *n;

	if (b->pending && indent > b->levels[b->depth - 1].indent) {
		if (b->levels[b->depth - 1].node->kind == YAML_LIST || !push(b, b->pending, YAML_MAP, indent))
			return false;
		b->pending->line = b->line;
		b->pending->column = (unsigned)indent + 1;
	}
	b->pending = NULL;
	while (b->depth && (b->levels[b->depth - 1].indent > indent || b->levels[b->depth - 1].node->kind == YAML_LIST))
		if (!pop(b))
			return false;
	if (!b->depth || b->levels[b->depth - 1].indent != indent || !read_key(b, p, eol, &key, &value))
		return false;
	n = append(b, (unsigned)indent + 1);
	if (!n)
		return false;
	n->key = key;
	return read_value(b, n, value, indent);
}

static bool is_member(struct block *b, struct str text)
{
	struct str key, value;

	return text.p[0] != '-' && text.p[0] != '{' && text.p[0] != '[' && read_key(b, text.p, text.p + text.n, &key, &value);
}

static bool list_line(struct block *b, const char *p, const char *eol, size_t indent)
{
	struct str value = str_range(p + 1, eol);
	struct yaml_node *n;

	if (b->pending && indent >= b->levels[b->depth - 1].indent && b->levels[b->depth - 1].node->kind == YAML_MAP &&
	    !push(b, b->pending, YAML_LIST, indent))
		return false;
	b->pending = NULL;
	while (b->depth && b->levels[b->depth - 1].indent > indent)
		if (!pop(b))
			return false;
	if (!b->depth || b->levels[b->depth - 1].indent != indent || b->levels[b->depth - 1].node->kind != YAML_LIST)
		return false;
	value = str_trim(value);
	n = value.n ? append(b, (unsigned)indent + 1) : NULL;
	if (n && is_member(b, value)) {
		/* "- key: value": a map begins inside the list, its keys in the column of the first. */
		size_t column = indent + (size_t)(value.p - p);

		n->column = (unsigned)column + 1;
		return push(b, n, YAML_MAP, column) && map_line(b, value.p, eol, column);
	}
	if (!n || value.n == 0 || value.p[0] == '|' || value.p[0] == '>' || value.p[0] == '-' || value.p[0] == '#')
		return false;
	return yaml_inline_value(b->arena, n, value);
}

static bool read_line(struct block *b)
{
	const char *start = b->p, *eol = memchr(b->p, '\n', (size_t)(b->end - b->p)), *p = start;

	b->line++;
	b->p = eol ? eol + 1 : b->end;
	if (!eol)
		eol = b->end;
	if (eol > start && eol[-1] == '\r')
		eol--;
	while (p < eol && *p == ' ')
		p++;
	if (p == eol)
		return true;
	if (!plain_text(str_range(p, eol)))
		return false;
	if (*p == '#')
		return true;
	while (eol > p && eol[-1] == ' ')
		eol--;
	if (*p == '-' && (p + 1 == eol || p[1] == ' '))
		return list_line(b, p, eol, (size_t)(p - start));
	if (p == start && eol - p >= 3 && (memcmp(p, "---", 3) == 0 || memcmp(p, "...", 3) == 0))
		return false;
	return map_line(b, p, eol, (size_t)(p - start));
}

int yaml_parse_block(struct arena *a, struct str text, struct yaml_node **ret)
{
	struct yaml_node *root = ARENA_NEW(a, struct yaml_node);
	struct block b = {.arena = a, .p = text.p, .end = text.p + text.n};

	if (!root)
		return -ENOMEM;
	root->line = root->column = 1;
	push(&b, root, YAML_MAP, 0);
	while (b.p < b.end)
		if (!read_line(&b) || b.depth == 0)
			return arena_failed(a) ? -ENOMEM : -EOPNOTSUPP;
	while (b.depth)
		if (!pop(&b))
			return -EOPNOTSUPP;
	if (root->count == 0)
		return -EOPNOTSUPP;
	*ret = root;
	return 0;
}

static bool is_separator(struct str line)
{
	return str_starts(line, STR("---")) && (line.n == 3 || line.p[3] == ' ' || line.p[3] == '\r');
}

bool yaml_next_document(struct str *rest, unsigned *lines, struct str *ret, unsigned *ret_lines)
{
	while (rest->n) {
		const char *start = rest->p, *end = rest->p + rest->n, *p = start;
		unsigned before = *lines;
		bool content = false, separator = false;

		while (p < end && !separator) {
			const char *eol = memchr(p, '\n', (size_t)(end - p));
			struct str line = str_range(p, eol ? eol : end);

			separator = *p == '-' && is_separator(line);
			if (separator)
				break;
			content = content || (str_trim(line).n && str_trim(line).p[0] != '#');
			p = eol ? eol + 1 : end;
			++*lines;
		}
		*ret = str_range(start, p);
		*ret_lines = before;
		if (separator) {
			/* What follows on the separator's own line belongs to the next document. */
			const char *eol = memchr(p, '\n', (size_t)(end - p));
			struct str same = str_trim(str_skip(str_range(p, eol ? eol : end), 3));

			if (same.n && same.p[0] != '#')
				p += 3;
			else {
				p = eol ? eol + 1 : end;
				++*lines;
			}
		}
		*rest = str_range(p, end);
		if (content)
			return true;
	}
	return false;
}
