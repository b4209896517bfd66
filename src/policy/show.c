#include "policy/lines.h"

#include <errno.h>

#include "base/limits.h"

enum { COMMENT_COLUMN = 48, LINES_BYTES = 16 };

static struct str parent_of(struct str path)
{
	ptrdiff_t dot = str_rchr(path, '.');

	return dot < 0 ? STR_NULL : str_take(path, (size_t)dot);
}

static size_t depth_of(struct str path)
{
	size_t depth = 0;

	for (size_t i = 0; i < path.n; i++)
		depth += path.p[i] == '.';
	return depth;
}

static void indent(struct buf *out, size_t depth)
{
	for (size_t i = 0; i < depth; i++)
		buf_add_str(out, STR("  "));
}

/* "cooldown:" in front of the first of its keys: every parent that the line before did not stand in. */
static void add_parents(struct buf *out, struct str path, struct str before)
{
	struct str parent = parent_of(path);

	if (parent.n == 0 || (str_starts(before, parent) && before.n > parent.n && before.p[parent.n] == '.'))
		return;
	add_parents(out, parent, before);
	indent(out, depth_of(parent));
	buf_printf(out, "%.*s:\n", STR_ARG(str_skip(parent, (size_t)(str_rchr(parent, '.') + 1))));
}

static void add_comment(struct buf *out, const struct line *line, size_t line_start)
{
	size_t width = out->n - line_start;

	do
		buf_add_char(out, ' ');
	while (++width < COMMENT_COLUMN);
	buf_add_str(out, STR("# "));
	source_add(out, &line->source);
	if (line->resolved.n)
		buf_printf(out, ", now %.*s", STR_ARG(line->resolved));
	if (line->note.n)
		buf_printf(out, ", %.*s", STR_ARG(line->note));
	buf_add_char(out, '\n');
}

void policy_show(const struct policy *p, struct buf *out)
{
	CLEANUP_ARENA struct arena *a = arena_new(LINES_BYTES * LIMIT_POLICY_BYTES);
	struct str before = STR_NULL;
	struct lines lines;

	if (!a || policy_lines(p, a, &lines) < 0) {
		out->error = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < lines.count; i++) {
		const struct line *line = &lines.array[i];
		struct str path = str_of(line->path), leaf = str_skip(path, (size_t)(str_rchr(path, '.') + 1));
		size_t start;

		add_parents(out, path, before);
		if (line->item && !str_eq(before, path)) {
			indent(out, depth_of(path));
			buf_printf(out, "%.*s:\n", STR_ARG(leaf));
		}
		start = out->n;
		indent(out, depth_of(path) + line->item);
		if (line->item)
			buf_printf(out, "- %.*s", STR_ARG(line->value));
		else
			buf_printf(out, "%.*s: %.*s", STR_ARG(leaf), STR_ARG(line->value));
		add_comment(out, line, start);
		before = path;
	}
}

static struct str line_key(struct arena *a, const struct line *line)
{
	return arena_printf(a, "%s: %.*s", line->path, STR_ARG(line->value));
}

static int know_all(struct arena *a, const struct lines *lines, struct map *ret)
{
	for (size_t i = 0; i < lines->count; i++) {
		struct str key = line_key(a, &lines->array[i]);

		if (!key.p || map_put(ret, key, &lines->array[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Prints the line unless the other side has it too. */
static size_t add_difference(struct arena *a, const struct line *line, const struct map *other, char sign, struct buf *out)
{
	struct str key = line_key(a, line);

	if (!key.p)
		out->error = -ENOMEM;
	if (!key.p || map_get(other, key))
		return 0;
	buf_printf(out, "%c %.*s\n", sign, STR_ARG(key));
	return 1;
}

/* Both sides stand in the order of the table, so what belongs to one key comes out together. */
static size_t merge(struct arena *a, const struct lines *old, const struct lines *new, const struct map *in_old, const struct map *in_new,
                    struct buf *out)
{
	size_t i = 0, j = 0, count = 0;

	while (i < old->count || j < new->count) {
		bool first = j == new->count || (i < old->count && old->array[i].order <= new->array[j].order);

		count += first ? add_difference(a, &old->array[i++], in_new, '-', out) : add_difference(a, &new->array[j++], in_old, '+', out);
	}
	return count;
}

size_t policy_diff(const struct policy *a, const struct policy *b, struct buf *out)
{
	CLEANUP_ARENA struct arena *arena = arena_new(4 * LINES_BYTES * LIMIT_POLICY_BYTES);
	CLEANUP_MAP struct map in_old = MAP_EMPTY, in_new = MAP_EMPTY;
	struct lines old, new;

	if (!arena || policy_lines(a, arena, &old) < 0 || policy_lines(b, arena, &new) < 0 || know_all(arena, &old, &in_old) < 0 ||
	    know_all(arena, &new, &in_new) < 0) {
		out->error = -ENOMEM;
		return 0;
	}
	return merge(arena, &old, &new, &in_old, &in_new, out);
}
