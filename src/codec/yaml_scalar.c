#include "codec/yaml_scalar.h"

#include "base/limits.h"

struct flow {
	struct arena *arena;
	const char *p, *end;
	unsigned line, column;
};

static bool plain_null(struct str s)
{
	return s.n == 0 || str_eq(s, STR("~")) || str_eq(s, STR("null")) || str_eq(s, STR("Null")) || str_eq(s, STR("NULL"));
}

static bool single_quoted(struct arena *a, struct str line, struct str *ret_text, struct str *ret_rest)
{
	char *out;
	size_t n = 0, i = 1, end = 1;
	bool doubled = false;

	for (;; end++) {
		if (end >= line.n)
			return false;
		if (line.p[end] != '\'')
			continue;
		if (end + 1 >= line.n || line.p[end + 1] != '\'')
			break;
		doubled = true;
		end++;
	}
	*ret_rest = str_skip(line, end + 1);
	*ret_text = str_take(str_skip(line, 1), end - 1);
	if (!doubled)
		return true;
	out = arena_alloc(a, end);
	if (!out)
		return false;
	for (; i < end; i++) {
		out[n++] = line.p[i];
		i += line.p[i] == '\'';
	}
	*ret_text = (struct str){out, n};
	return true;
}

static bool double_quoted(struct arena *a, struct str line, struct str *ret_text, struct str *ret_rest)
{
	char *out;
	size_t n = 0, end = 1;
	bool escaped = false;

	for (; end < line.n && line.p[end] != '"'; end++)
		if (line.p[end] == '\\') {
			/* The rarer escapes are left to libyaml. */
			if (end + 1 >= line.n || (line.p[end + 1] != '"' && line.p[end + 1] != '\\' && line.p[end + 1] != '/'))
				return false;
			escaped = true;
			end++;
		}
	if (end >= line.n)
		return false;
	*ret_rest = str_skip(line, end + 1);
	*ret_text = str_take(str_skip(line, 1), end - 1);
	if (!escaped)
		return true;
	out = arena_alloc(a, end);
	if (!out)
		return false;
	for (size_t i = 1; i < end; i++) {
		i += line.p[i] == '\\';
		out[n++] = line.p[i];
	}
	*ret_text = (struct str){out, n};
	return true;
}

bool yaml_quoted(struct arena *a, struct str line, struct str *ret_text, struct str *ret_rest)
{
	return line.p[0] == '\'' ? single_quoted(a, line, ret_text, ret_rest) : double_quoted(a, line, ret_text, ret_rest);
}

bool yaml_plain_start(struct str text, bool flow)
{
	if (text.n == 0)
		return false;
	if (text.p[0] == '-' || text.p[0] == '?' || text.p[0] == ':')
		return !flow && text.p[0] == '-' && text.n > 1 && text.p[1] != ' ';
	return memchr(",[]{}#&*!|>'\"%@`", text.p[0], 17) == NULL;
}

static void set_scalar(struct yaml_node *n, struct str text, bool quoted)
{
	n->text = text;
	n->quoted = quoted;
	n->kind = !quoted && plain_null(text) ? YAML_NULL : YAML_SCALAR;
	if (n->kind == YAML_NULL)
		n->text = STR_NULL;
}

static void pass_blanks(struct flow *f)
{
	while (f->p < f->end && *f->p == ' ')
		f->p++;
}

static bool flow_scalar(struct flow *f, struct str *ret, bool *ret_quoted)
{
	struct str rest = str_range(f->p, f->end);
	const char *start = f->p;

	*ret_quoted = rest.n && (rest.p[0] == '\'' || rest.p[0] == '"');
	if (*ret_quoted) {
		if (!yaml_quoted(f->arena, rest, ret, &rest))
			return false;
		f->p = rest.p;
		return true;
	}
	if (!yaml_plain_start(rest, true))
		return false;
	for (; f->p < f->end && !memchr(",[]{}", *f->p, 5); f->p++) {
		if (*f->p == ':' && (f->p + 1 == f->end || memchr(" ,[]{}", f->p[1], 6)))
			break;
		if (*f->p == '?' || (*f->p == '#' && f->p[-1] == ' '))
			return false;
	}
	*ret = str_trim(str_range(start, f->p));
	return true;
}

static bool flow_value(struct flow *f, struct yaml_node *n, unsigned depth);

static bool flow_member(struct flow *f, struct yaml_node *parent, struct yaml_node *n, unsigned depth)
{
	struct str key;
	bool quoted;

	if (parent->kind == YAML_LIST)
		return flow_value(f, n, depth);
	if (!flow_scalar(f, &key, &quoted))
		return false;
	pass_blanks(f);
	if (f->p == f->end || *f->p != ':' || f->p + 1 == f->end || f->p[1] != ' ')
		return false;
	f->p++;
	pass_blanks(f);
	n->key = key;
	for (struct yaml_node *m = parent->first; m && m != n; m = m->next)
		if (str_eq(m->key, key))
			return false;
	return flow_value(f, n, depth);
}

static bool flow_collection(struct flow *f, struct yaml_node *parent, unsigned depth)
{
	char close = *f->p == '{' ? '}' : ']';
	struct yaml_node **tail = &parent->first;

	parent->kind = *f->p == '{' ? YAML_MAP : YAML_LIST;
	f->p++;
	for (;;) {
		struct yaml_node *n;

		pass_blanks(f);
		if (f->p == f->end || depth >= 8)
			return false;
		if (*f->p == close) {
			f->p++;
			return true;
		}
		n = ARENA_NEW(f->arena, struct yaml_node);
		if (!n || parent->count >= 64)
			return false;
		n->line = n->key_line = parent->line;
		n->column = n->key_column = parent->column;
		*tail = n;
		tail = &n->next;
		parent->count++;
		if (!flow_member(f, parent, n, depth + 1))
			return false;
		pass_blanks(f);
		if (f->p < f->end && *f->p == ',')
			f->p++;
		else if (f->p == f->end || *f->p != close)
			return false;
	}
}

static bool flow_value(struct flow *f, struct yaml_node *n, unsigned depth)
{
	struct str text;
	bool quoted;

	if (f->p == f->end)
		return false;
	if (*f->p == '{' || *f->p == '[')
		return flow_collection(f, n, depth);
	if (!flow_scalar(f, &text, &quoted))
		return false;
	pass_blanks(f);
	/* "[a: b]" is a map of its own, which nobody writes. */
	if (f->p < f->end && *f->p == ':')
		return false;
	set_scalar(n, text, quoted);
	return true;
}

/* Nothing but a comment may follow. */
static bool ends(struct str rest)
{
	struct str trimmed = str_trim(rest);

	return trimmed.n == 0 || (trimmed.p[0] == '#' && rest.p[0] == ' ');
}

bool yaml_inline_value(struct arena *a, struct yaml_node *n, struct str text)
{
	struct flow f = {.arena = a, .p = text.p, .end = text.p + text.n};
	struct str value, rest;
	ptrdiff_t comment;

	if (text.p[0] == '{' || text.p[0] == '[')
		return flow_collection(&f, n, 0) && ends(str_range(f.p, f.end));
	if (text.p[0] == '\'' || text.p[0] == '"') {
		if (!yaml_quoted(a, text, &value, &rest) || !ends(rest))
			return false;
		set_scalar(n, value, true);
		return true;
	}
	if (!yaml_plain_start(text, false))
		return false;
	comment = str_find(text, STR(" #"));
	if (comment >= 0)
		text = str_trim(str_take(text, (size_t)comment));
	if (str_find(text, STR(": ")) >= 0 || text.p[text.n - 1] == ':')
		return false;
	set_scalar(n, text, false);
	return true;
}
