/* XML through expat into a tree that lives in an arena, with the line of every element. A DOCTYPE is refused, and with it
 * every entity that a document could define; depth and elements are limited (LIMIT_XML_DEPTH, LIMIT_XML_ELEMENTS). */
#ifndef BONDGATE_CODEC_XML_H
#define BONDGATE_CODEC_XML_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct xml_attribute {
	struct str name, value;
	struct xml_attribute *next;
};

struct xml_node {
	struct str name; /* without a namespace prefix */
	struct str text; /* the characters of an element without children */
	unsigned line;   /* from 1 */
	struct xml_attribute *attributes;
	struct xml_node *first, *next;
};

/* `file` names the text in messages ("file:line: …"). 0, -EBADMSG, -EFBIG for a passed limit, -ENOMEM. */
int xml_parse(struct arena *a, struct str text, struct str file, struct xml_node **ret_root, struct err *err);

/* The value of an attribute, or of a child element of that name; names compare without case, blanks around are taken off.
 * p == NULL: there is none. */
struct str xml_attribute(const struct xml_node *n, struct str name);
struct str xml_value(const struct xml_node *n, struct str name);
bool xml_is(const struct xml_node *n, struct str name);

#endif
