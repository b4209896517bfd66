/* Do the fast reader and libyaml make the same tree of a text? Used by the unit test and the fuzz target. */
#ifndef BONDGATE_TESTS_YAML_COMPARE_H
#define BONDGATE_TESTS_YAML_COMPARE_H

#include "base/limits.h"
#include "codec/yaml_block.h"

static inline bool yaml_same(const struct yaml_node *a, const struct yaml_node *b)
{
	for (; a && b; a = a->next, b = b->next) {
		bool block = a->kind == YAML_SCALAR && !a->text.p && a->quoted;

		if (a->kind != b->kind || !str_eq(a->key, b->key) || a->count != b->count || (a->key.p && a->key_line != b->key_line))
			return false;
		if (a->kind == YAML_SCALAR && !block && (!str_eq(a->text, b->text) || a->quoted != b->quoted))
			return false;
		if (!yaml_same(a->first, b->first))
			return false;
	}
	return !a && !b;
}

/* 1: taken and the same; 0: not taken; -1: read differently, or taken although libyaml refuses it. */
static inline int yaml_compare(struct str text)
{
	CLEANUP_ARENA struct arena *a = arena_new(256 * MIB);
	struct yaml_node *fast, *slow;

	if (yaml_parse_block(a, text, &fast) < 0)
		return 0;
	if (yaml_parse(a, text, STR("x"), &slow, NULL) < 0)
		return -1;
	return fast->kind == slow->kind && yaml_same(fast->first, slow->first) ? 1 : -1;
}

#endif
