/* YAML lockfiles as trees: the fast reader of codec/yaml_block, and libyaml for what it does not take. */
#ifndef BONDGATE_SCAN_TREE_H
#define BONDGATE_SCAN_TREE_H

#include "codec/yaml.h"
#include "scan/lock.h"

/* Reads one document, which begins after `lines_before` lines; the lines in the tree are those of the file. The root is a map
 * (an empty one for the empty document). 0, -EBADMSG, -ENOMEM. */
int tree_read(struct lock *l, struct str document, unsigned lines_before, struct yaml_node **ret, struct err *err);

/* The scalar of that name in a map, or empty. */
struct str tree_text(const struct yaml_node *map, const char *name);

#endif
