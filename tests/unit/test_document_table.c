#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "gate/document_table.h"

/* Room for so many of the documents that the tests open. */
enum { BYTES = 4096, ROOM = 4 };

static const struct origin origin = {.id = {"npm", 3}};

static struct documents *new_table(void)
{
	struct documents *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	d->memory_max = (size_t)ROOM * BYTES;
	return d;
}

static void free_table(struct documents *d)
{
	while (d->oldest)
		entry_free(d, d->oldest);
	assert_null(d->newest_open);
	assert_null(d->oldest_open);
	assert_null(d->newest_once);
	assert_int_equal(d->memory, 0);
	map_free(&d->entries);
	free(d);
}

/* Somebody asks for it, and it is opened where it is not open; `once`: one who looks through many. */
static void ask(struct documents *d, const char *name, bool once)
{
	struct entry *e = entry_find(d, &origin, str_of(name), once);
	struct document *document;
	void *page;

	if (e->document)
		return;
	document = calloc(1, sizeof(*document));
	page = mmap(NULL, BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_non_null(document);
	assert_ptr_not_equal(page, MAP_FAILED);
	pthread_mutex_init(&document->clearance_lock, NULL);
	document->refs = 1;
	document->mapped = (struct str){page, BYTES};
	entry_put_document(d, e, document);
	entries_make_room(d);
}

static bool is_open(struct documents *d, const char *name)
{
	char key[64];
	int n = snprintf(key, sizeof(key), "npm%c%s", 0, name);
	const struct entry *e = map_get(&d->entries, (struct str){key, (size_t)n});

	return e && e->document;
}

static void what_was_not_used_longest_is_closed(void **state)
{
	struct documents *d = new_table();

	(void)state;
	ask(d, "a", false);
	ask(d, "b", false);
	ask(d, "c", false);
	ask(d, "d", false);
	ask(d, "a", false);
	ask(d, "e", false);
	assert_true(is_open(d, "a"));
	assert_false(is_open(d, "b"));
	assert_true(is_open(d, "e"));
	free_table(d);
}

static void a_walk_closes_nothing_that_clients_use(void **state)
{
	struct documents *d = new_table();

	(void)state;
	ask(d, "a", false);
	ask(d, "b", false);
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "walked-%d", i);
		ask(d, name, true);
	}
	ask(d, "a", true);
	assert_true(is_open(d, "a"));
	assert_true(is_open(d, "b"));
	/* What it looked at last stays as long as there is room: it may be asked for next. */
	assert_true(is_open(d, "walked-99"));
	assert_true(is_open(d, "walked-98"));
	assert_false(is_open(d, "walked-97"));
	free_table(d);
}

static void what_a_client_asks_for_is_walked_no_more(void **state)
{
	struct documents *d = new_table();

	(void)state;
	ask(d, "a", true);
	ask(d, "b", true);
	ask(d, "a", false);
	ask(d, "c", true);
	ask(d, "d", true);
	ask(d, "e", true);
	ask(d, "f", true);
	assert_true(is_open(d, "a"));
	assert_false(is_open(d, "b"));
	assert_false(is_open(d, "c"));
	/* Closed, it is again whose asks next. */
	for (const char *const *name = (const char *const[]){"w", "x", "y", "z", NULL}; *name; name++)
		ask(d, *name, false);
	assert_false(is_open(d, "a"));
	ask(d, "a", true);
	assert_false(is_open(d, "a"));
	assert_true(is_open(d, "w"));
	free_table(d);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_not_used_longest_is_closed),
		cmocka_unit_test(a_walk_closes_nothing_that_clients_use),
		cmocka_unit_test(what_a_client_asks_for_is_walked_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
