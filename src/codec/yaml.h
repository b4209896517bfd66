/* YAML 1.1 through libyaml events into a tree that lives in an arena, with line and column on every node.
 * One document; aliases, anchors, tags and duplicate keys are refused with a sentence (they have no use in a policy and hide
 * things from a reader); depth at most LIMIT_YAML_DEPTH. */
#ifndef BONDGATE_CODEC_YAML_H
#define BONDGATE_CODEC_YAML_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum yaml_kind { YAML_NULL, YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	unsigned line, column; /* from 1 */
	bool quoted;           /* a scalar in quotes: never a number, a boolean or null */
	struct str text;       /* scalar */
	struct str key;        /* when it is a member of a map */
	unsigned key_line, key_column;
	struct yaml_node *first, *next; /* children of a list or map, in order */
	size_t count;
};

/* `file` only names the text in messages ("bondgate.yaml:3:5: …"). An empty document is a YAML_NULL node. 0 or -EBADMSG, -ENOMEM. */
int yaml_parse(struct arena *a, struct str text, struct str file, struct yaml_node **ret, struct err *err);

/* The member of a map, or NULL. */
struct yaml_node *yaml_get(const struct yaml_node *map, struct str key);

/* Messages with the place in front: "file:line:column: …". Returns -EBADMSG. */
int yaml_error(struct err *err, struct str file, const struct yaml_node *at, const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
