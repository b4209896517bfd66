#include "scan/tree.h"

#include "codec/yaml_block.h"

static void move_lines(struct yaml_node *n, unsigned by)
{
	for (; n; n = n->next) {
		n->line += by;
		n->key_line += by;
		move_lines(n->first, by);
	}
}

int tree_read(struct lock *l, struct str document, unsigned lines_before, struct yaml_node **ret, struct err *err)
{
	struct yaml_node *root = NULL;
	int code = yaml_parse_block(l->arena, document, &root);

	if (code == -EOPNOTSUPP) {
		code = yaml_parse(l->arena, document, l->file, &root, err);
		if (code < 0 && lines_before)
			err_prefix(err, "in the document after line %u", lines_before);
	} else if (code < 0) {
		err_set(err, code, "%.*s: out of memory", STR_ARG(l->file));
	}
	if (code < 0)
		return code;
	if (root->kind == YAML_NULL)
		root->kind = YAML_MAP;
	if (root->kind != YAML_MAP)
		return lock_error(l, NULL, err, "line %u: a lockfile is a map of keys", root->line + lines_before);
	if (lines_before)
		move_lines(root, lines_before);
	*ret = root;
	return 0;
}

struct str tree_text(const struct yaml_node *map, const char *name)
{
	const struct yaml_node *n = map->kind == YAML_MAP ? yaml_get(map, str_of(name)) : NULL;

	return n && n->kind == YAML_SCALAR ? n->text : STR_NULL;
}
