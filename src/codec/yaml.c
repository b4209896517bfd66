#include "codec/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

#include "base/limits.h"
#include "base/map.h"

struct reader {
	yaml_parser_t parser;
	struct arena *arena;
	struct str file;
	struct err *err;
};

static int fail_at(struct reader *r, yaml_mark_t mark, const char *what)
{
	return err_set(r->err, -EBADMSG, "%.*s:%zu:%zu: %s", STR_ARG(r->file), mark.line + 1, mark.column + 1, what);
}

static int next_event(struct reader *r, yaml_event_t *ret)
{
	if (yaml_parser_parse(&r->parser, ret))
		return 0;
	if (r->parser.error == YAML_MEMORY_ERROR)
		return err_set(r->err, -ENOMEM, "%.*s: out of memory", STR_ARG(r->file));
	if (r->parser.error == YAML_READER_ERROR)
		return err_set(r->err, -EBADMSG, "%.*s: byte %zu: %s", STR_ARG(r->file), r->parser.problem_offset,
		               r->parser.problem ? r->parser.problem : "not readable as UTF-8");
	return fail_at(r, r->parser.problem_mark, r->parser.problem ? r->parser.problem : "not readable as YAML");
}

static bool plain_null(struct str s)
{
	return s.n == 0 || str_eq(s, STR("~")) || str_eq(s, STR("null")) || str_eq(s, STR("Null")) || str_eq(s, STR("NULL"));
}

/* Anchors and tags change what a reader sees into something else, so they are refused wherever they stand. */
static int refuse_decoration(struct reader *r, const yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (event->type) {
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		break;
	default:
		break;
	}
	if (anchor)
		return fail_at(r, event->start_mark, "an anchor (&name) is not accepted here: write the value out");
	if (tag)
		return fail_at(r, event->start_mark, "a tag (!name) is not accepted here: write the plain value");
	return 0;
}

static int copy_scalar(struct reader *r, const yaml_event_t *event, struct str *ret)
{
	*ret = arena_str(r->arena, (struct str){(const char *)event->data.scalar.value, event->data.scalar.length});
	return ret->p ? 0 : err_set(r->err, -ENOMEM, "%.*s: too large to be read", STR_ARG(r->file));
}

static int read_node(struct reader *r, yaml_event_t *event, size_t depth, struct yaml_node **ret);

static int read_key(struct reader *r, const yaml_event_t *event, struct str *ret)
{
	int code = refuse_decoration(r, event);

	if (code < 0)
		return code;
	if (event->type != YAML_SCALAR_EVENT)
		return fail_at(r, event->start_mark, "a key must be plain text");
	return copy_scalar(r, event, ret);
}

/* The same key twice would leave it to the reader which of the two holds. */
static int refuse_duplicates(struct reader *r, const struct yaml_node *map)
{
	CLEANUP_MAP struct map seen = MAP_EMPTY;

	if (map->count < 2)
		return 0;
	for (struct yaml_node *n = map->first; n; n = n->next) {
		const struct yaml_node *before = map_get(&seen, n->key);

		if (before)
			return err_set(r->err, -EBADMSG, "%.*s:%u:%u: the key \"%.*s\" stands here twice (first in line %u)", STR_ARG(r->file),
			               n->key_line, n->key_column, STR_ARG(n->key), before->key_line);
		if (map_put(&seen, n->key, n) < 0)
			return err_set(r->err, -ENOMEM, "%.*s: out of memory", STR_ARG(r->file));
	}
	return 0;
}

/* Reads one child; *ret_end when the container's end came instead. */
static int read_child(struct reader *r, const struct yaml_node *parent, size_t depth, struct yaml_node **ret, bool *ret_end)
{
	yaml_event_t event;
	struct str key = STR_NULL;
	yaml_mark_t key_mark = {0};
	int code = next_event(r, &event);

	if (code < 0)
		return code;
	*ret_end = event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT;
	if (*ret_end) {
		yaml_event_delete(&event);
		return 0;
	}
	if (parent->kind == YAML_MAP) {
		key_mark = event.start_mark;
		code = read_key(r, &event, &key);
		yaml_event_delete(&event);
		if (code == 0)
			code = next_event(r, &event);
		if (code < 0)
			return code;
	}
	code = read_node(r, &event, depth, ret);
	yaml_event_delete(&event);
	if (code < 0)
		return code;
	(*ret)->key = key;
	(*ret)->key_line = (unsigned)key_mark.line + 1;
	(*ret)->key_column = (unsigned)key_mark.column + 1;
	return 0;
}

static int read_children(struct reader *r, struct yaml_node *parent, size_t depth)
{
	struct yaml_node **tail = &parent->first;

	for (;;) {
		struct yaml_node *child = NULL;
		bool end;
		int code = read_child(r, parent, depth, &child, &end);

		if (code < 0)
			return code;
		if (end)
			break;
		*tail = child;
		tail = &child->next;
		parent->count++;
	}
	return parent->kind == YAML_MAP ? refuse_duplicates(r, parent) : 0;
}

static int read_node(struct reader *r, yaml_event_t *event, size_t depth, struct yaml_node **ret)
{
	struct yaml_node *node;
	int code = refuse_decoration(r, event);

	if (code < 0)
		return code;
	if (event->type == YAML_ALIAS_EVENT)
		return fail_at(r, event->start_mark, "an alias (*name) is not accepted here: write the value out");
	if (depth >= LIMIT_YAML_DEPTH)
		return fail_at(r, event->start_mark, "nested too deeply");
	node = ARENA_NEW(r->arena, struct yaml_node);
	if (!node)
		return err_set(r->err, -ENOMEM, "%.*s: too large to be read", STR_ARG(r->file));
	node->line = (unsigned)event->start_mark.line + 1;
	node->column = (unsigned)event->start_mark.column + 1;
	*ret = node;
	if (event->type == YAML_SCALAR_EVENT) {
		node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
		code = copy_scalar(r, event, &node->text);
		node->kind = !node->quoted && plain_null(node->text) ? YAML_NULL : YAML_SCALAR;
		return code;
	}
	node->kind = event->type == YAML_MAPPING_START_EVENT ? YAML_MAP : YAML_LIST;
	return read_children(r, node, depth + 1);
}

static int read_document(struct reader *r, struct yaml_node **ret)
{
	yaml_event_t event;
	int code;

	for (;;) {
		code = next_event(r, &event);
		if (code < 0)
			return code;
		if (event.type != YAML_STREAM_START_EVENT && event.type != YAML_DOCUMENT_START_EVENT)
			break;
		yaml_event_delete(&event);
	}
	if (event.type == YAML_STREAM_END_EVENT) {
		yaml_event_delete(&event);
		*ret = ARENA_NEW(r->arena, struct yaml_node);
		if (!*ret)
			return err_set(r->err, -ENOMEM, "%.*s: out of memory", STR_ARG(r->file));
		(*ret)->line = (*ret)->column = 1;
		return 0;
	}
	code = read_node(r, &event, 0, ret);
	yaml_event_delete(&event);
	if (code < 0 || (code = next_event(r, &event)) < 0)
		return code;
	yaml_event_delete(&event); /* the end of the document */
	if ((code = next_event(r, &event)) < 0)
		return code;
	if (event.type != YAML_STREAM_END_EVENT)
		code = fail_at(r, event.start_mark, "a second document (---) is not accepted here");
	yaml_event_delete(&event);
	return code;
}

int yaml_parse(struct arena *a, struct str text, struct str file, struct yaml_node **ret, struct err *err)
{
	struct reader r = {.arena = a, .file = file, .err = err};
	struct yaml_node *root = NULL;
	int code;

	if (!yaml_parser_initialize(&r.parser))
		return err_set(err, -ENOMEM, "%.*s: out of memory", STR_ARG(file));
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
	code = read_document(&r, &root);
	yaml_parser_delete(&r.parser);
	if (code == 0)
		*ret = root;
	return code;
}

struct yaml_node *yaml_get(const struct yaml_node *map, struct str key)
{
	if (map->kind == YAML_MAP)
		for (struct yaml_node *n = map->first; n; n = n->next)
			if (str_eq(n->key, key))
				return n;
	return NULL;
}

int yaml_error(struct err *err, struct str file, const struct yaml_node *at, const char *format, ...)
{
	char text[sizeof(err->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return err_set(err, -EBADMSG, "%.*s:%u:%u: %s", STR_ARG(file), at->line, at->column, text);
}
