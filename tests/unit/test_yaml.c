#include "unit.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/yaml.h"

static struct yaml_node *parse(struct arena *a, const char *text)
{
	struct yaml_node *root = NULL;
	struct err err = {0};

	if (yaml_parse(a, str_of(text), STR("x.yaml"), &root, &err) < 0)
		fail_msg("%s", err.text);
	return root;
}

static void every_node_knows_its_place(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
	struct yaml_node *root = parse(a, "a: 1\nlist:\n  - x\n  - {k: \"v\"}\nempty:\n");
	struct yaml_node *list = yaml_get(root, STR("list")), *k;

	assert_int_equal(root->kind, YAML_MAP);
	assert_int_equal(root->count, 3);
	assert_int_equal(list->kind, YAML_LIST);
	assert_int_equal(list->count, 2);
	assert_int_equal(list->key_line, 2);
	assert_int_equal(list->key_column, 1);
	assert_int_equal(list->first->line, 3);
	assert_int_equal(list->first->column, 5);
	k = yaml_get(list->first->next, STR("k"));
	assert_true(str_eq(k->text, STR("v")));
	assert_true(k->quoted);
	assert_int_equal(k->key_column, 6);
	assert_int_equal(k->column, 9);
	assert_int_equal(yaml_get(root, STR("empty"))->kind, YAML_NULL);
	assert_null(yaml_get(root, STR("b")));
	assert_null(yaml_get(list, STR("x")));
}

static void null_is_what_is_written_so_without_quotes(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *text;
		enum yaml_kind kind;
	} rows[] = {
		{"", YAML_NULL},     {"# only a comment\n", YAML_NULL}, {"~", YAML_NULL},      {"null", YAML_NULL}, {"NULL", YAML_NULL},
		{"\"\"", YAML_SCALAR}, {"'null'", YAML_SCALAR},           {"nUll", YAML_SCALAR}, {"off", YAML_SCALAR}, {"[]", YAML_LIST},
		{"{}", YAML_MAP},    {"---\n1\n...\n", YAML_SCALAR},
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(1 << 20);

		assert_int_equal(parse(a, rows[i].text)->kind, rows[i].kind);
	}
}

static void what_hides_from_a_reader_is_refused_with_its_place(void **state)
{
	(void)state;
	/* clang-format off */
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"a: 1\nb: 2\na: 3\n", "x.yaml:3:1: the key \"a\" stands here twice (first in line 1)"},
		{"a: &x 1\n", "x.yaml:1:4: an anchor"},
		{"a: [1]\nb: *x\n", "x.yaml:2:4: "},
		{"a: &x [1]\n", "x.yaml:1:4: an anchor"},
		{"a: !secret 1\n", "x.yaml:1:4: a tag"},
		{"a: !!str 1\n", "x.yaml:1:4: a tag"},
		{"!!map {a: 1}\n", "x.yaml:1:1: a tag"},
		{"[a, b]: 1\n", "x.yaml:1:1: a key must be plain text"},
		{"a: 1\n---\nb: 2\n", "x.yaml:2:1: a second document"},
		{"a: [1, 2\n", "x.yaml:2:1: "},
		{"a:\n\t- 1\n", "x.yaml:2:1: "},
		{"a: \"\xff\"\n", "x.yaml: byte 4: "},
		{"a: 1\n b: 2\n", "x.yaml:2:3: "},
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
		struct yaml_node *root = (struct yaml_node *)&rows;
		struct err err = {0};

		assert_int_equal(yaml_parse(a, str_of(rows[i].text), STR("x.yaml"), &root, &err), -EBADMSG);
		assert_ptr_equal(root, (struct yaml_node *)&rows);
		if (strncmp(err.text, rows[i].message, strlen(rows[i].message)) != 0)
			fail_msg("%zu: %s", i, err.text);
	}
}

static void nesting_has_a_limit(void **state)
{
	(void)state;
	for (size_t depth = LIMIT_YAML_DEPTH - 1; depth <= LIMIT_YAML_DEPTH + 1; depth++) {
		CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
		CLEANUP_BUF struct buf text = BUF(4096);
		struct yaml_node *root = NULL;

		for (size_t i = 0; i < depth; i++)
			buf_add_char(&text, '[');
		for (size_t i = 0; i < depth; i++)
			buf_add_char(&text, ']');
		assert_int_equal(yaml_parse(a, buf_str(&text), STR("x"), &root, NULL) == 0, depth <= LIMIT_YAML_DEPTH);
	}
}

static void a_full_arena_is_an_error(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(512);
	struct yaml_node *root = NULL;

	assert_int_equal(yaml_parse(a, STR("[1, 2, 3, 4, 5, 6, 7, 8, 9]"), STR("x"), &root, NULL), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_node_knows_its_place),
		cmocka_unit_test(null_is_what_is_written_so_without_quotes),
		cmocka_unit_test(what_hides_from_a_reader_is_refused_with_its_place),
		cmocka_unit_test(nesting_has_a_limit),
		cmocka_unit_test(a_full_arena_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
