#include "codec/xml.h"

#include <expat.h>
#include <limits.h>

#include "base/buf.h"
#include "base/limits.h"

struct reader {
	XML_Parser parser;
	struct arena *arena;
	struct xml_node *stack[64]; /* LIMIT_XML_DEPTH */
	struct xml_node **tails[64];
	size_t depth, elements;
	struct xml_node *root;
	struct buf text; /* since the last tag */
	const char *problem;
	int code;
};

static void stop(struct reader *r, int code, const char *problem)
{
	if (!r->code) {
		r->code = code;
		r->problem = problem;
	}
	XML_StopParser(r->parser, XML_FALSE);
}

static struct str copy(struct reader *r, const char *text)
{
	return arena_str(r->arena, str_of(text));
}

static struct str local_name(struct str name)
{
	ptrdiff_t colon = str_rchr(name, ':');

	return colon < 0 ? name : str_skip(name, (size_t)colon + 1);
}

static void read_attributes(struct reader *r, struct xml_node *n, const char **attributes)
{
	struct xml_attribute **tail = &n->attributes;

	for (; attributes[0]; attributes += 2) {
		struct xml_attribute *a = ARENA_NEW(r->arena, struct xml_attribute);

		if (!a)
			return stop(r, -ENOMEM, "too large to be read");
		a->name = local_name(copy(r, attributes[0]));
		a->value = copy(r, attributes[1]);
		*tail = a;
		tail = &a->next;
	}
}

static void start(void *arg, const char *name, const char **attributes)
{
	struct reader *r = arg;
	struct xml_node *n;

	buf_clear(&r->text);
	if (r->depth == sizeof(r->stack) / sizeof(r->stack[0]))
		return stop(r, -EFBIG, "elements are nested too deeply");
	if (++r->elements > LIMIT_XML_ELEMENTS)
		return stop(r, -EFBIG, "too many elements");
	n = ARENA_NEW(r->arena, struct xml_node);
	if (!n)
		return stop(r, -ENOMEM, "too large to be read");
	n->name = local_name(copy(r, name));
	n->line = (unsigned)XML_GetCurrentLineNumber(r->parser);
	read_attributes(r, n, attributes);
	if (r->depth) {
		*r->tails[r->depth - 1] = n;
		r->tails[r->depth - 1] = &n->next;
	} else {
		r->root = n;
	}
	r->stack[r->depth] = n;
	r->tails[r->depth++] = &n->first;
}

/* Only an element without children has a text: what stands between elements is not worth keeping. */
static void end(void *arg, const char *name)
{
	struct reader *r = arg;
	struct xml_node *n = r->stack[--r->depth];

	(void)name;
	if (n->first)
		return;
	n->text = arena_str(r->arena, buf_str(&r->text));
	if (!n->text.p || r->text.error)
		stop(r, r->text.error == -EFBIG ? -EFBIG : -ENOMEM, "too large to be read");
}

static void characters(void *arg, const char *text, int n)
{
	struct reader *r = arg;

	buf_add(&r->text, text, (size_t)n);
}

static void doctype(void *arg, const char *name, const char *system, const char *public, int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	stop(arg, -EBADMSG, "a DOCTYPE is not accepted");
}

int xml_parse(struct arena *a, struct str text, struct str file, struct xml_node **ret_root, struct err *err)
{
	struct reader r = {.arena = a, .parser = XML_ParserCreate(NULL), .text = BUF(64 * KIB)};
	unsigned line;

	if (!r.parser)
		return err_set(err, -ENOMEM, "%.*s: out of memory", STR_ARG(file));
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, start, end);
	XML_SetCharacterDataHandler(r.parser, characters);
	XML_SetStartDoctypeDeclHandler(r.parser, doctype);
	if (text.n > INT_MAX) {
		r.code = -EFBIG;
		r.problem = "too large to be read";
	} else if (XML_Parse(r.parser, text.p ? text.p : "", (int)text.n, XML_TRUE) != XML_STATUS_OK && !r.code) {
		r.code = -EBADMSG;
		r.problem = XML_ErrorString(XML_GetErrorCode(r.parser));
	}
	line = (unsigned)XML_GetCurrentLineNumber(r.parser);
	XML_ParserFree(r.parser);
	buf_free(&r.text);
	if (r.code)
		return err_set(err, r.code, "%.*s:%u: %s", STR_ARG(file), line, r.problem);
	*ret_root = r.root;
	return 0;
}

bool xml_is(const struct xml_node *n, struct str name)
{
	return str_eq_nocase(n->name, name);
}

struct str xml_attribute(const struct xml_node *n, struct str name)
{
	for (const struct xml_attribute *a = n->attributes; a; a = a->next)
		if (str_eq_nocase(a->name, name))
			return str_trim(a->value);
	return STR_NULL;
}

struct str xml_value(const struct xml_node *n, struct str name)
{
	struct str found = xml_attribute(n, name);

	for (const struct xml_node *c = n->first; c && !found.p; c = c->next)
		if (xml_is(c, name))
			found = str_trim(c->text);
	return found;
}
