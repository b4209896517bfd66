/* The lists of dependencies. Most versions of a package have the list of the one before, so each different list is written once. */
#include "registry/npm/build.h"

static struct str list_bytes(const struct symbol_table *t, const struct symbol_list *list)
{
	return (struct str){(const char *)LIST_AT(&t->lists, uint32_t, list->first), list->n * sizeof(uint32_t)};
}

static struct ref write_list(struct builder *b, const struct symbol_table *t, const struct ref *names, const struct symbol_list *list)
{
	struct ref table = {(uint32_t)(b->file.n + b->tail->n), list->n};

	for (uint32_t i = 0; i < list->n; i++) {
		struct ref name = names[*LIST_AT(&t->lists, uint32_t, list->first + i)];
		struct dependency_record item = {(uint32_t)(b->file.n + b->tail->n) - name.at, name.n};

		buf_add(b->tail, &item, sizeof(item));
	}
	return table;
}

int build_write_dependencies(struct builder *b, struct record *records, size_t count)
{
	CLEANUP_MAP struct map written = MAP_EMPTY; /* the list's numbers -> the first record that has it */
	const struct symbol_table *t = &b->tables[SYMBOLS_DEPENDENCY];
	size_t symbols = LIST_COUNT(&t->symbols, struct symbol);
	struct ref *names = ARENA_ARRAY(b->arena, struct ref, symbols + 1);

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < symbols; i++)
		names[i] = build_place(b, LIST_AT(&t->symbols, struct symbol, i)->text);
	for (size_t i = 0; i < count; i++) {
		const struct symbol_list *list = &LIST_AT(&b->drafts, struct draft, i)->trust.lists[SYMBOLS_DEPENDENCY];
		struct record *first;

		if (!list->n)
			continue;
		first = map_get(&written, list_bytes(t, list));
		if (first) {
			records[i].dependencies = first->dependencies;
			continue;
		}
		records[i].dependencies = write_list(b, t, names, list);
		if (map_put(&written, list_bytes(t, list), &records[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}
