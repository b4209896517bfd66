/* The fast reader against libyaml: whatever it takes, it must read as yaml_parse does. */
#include "unit.h"

#include <dirent.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "codec/yaml_block.h"
#include "yaml_compare.h"

static const struct {
	const char *text;
	bool taken;
} cases[] = {
	{"a: 1\nb:\n  c: 'it''s'\n  d: \"x\"\n", true},
	{"a:\n- x\n- y\nb:\n  - k: v\n    l:\n      - 1\n  - k: w\n", true},
	{"a: {b: c, d: 'e', f: [1, 2], g: {}}\n", true},
	{"a: {b: https://h.example/x, c: sha512-a==}\n", true},
	{"'@s/a@1.0.0(b@2)':\n  resolution: {integrity: x}\n# comment\n\nlast:\n", true},
	{"a: |-\n  text\n   more\nb: >\n\n  folded\nc: 1\n", true},
	{"a: x # comment\nb: 'y' # comment\nc: z#no\n", true},
	{"a:\r\n  b: 1\r\n", true},
	{"a: null\nb: ~\nc: ''\nd:\n", true},
	{"a: 1\na: 2\n", false},
	{"a: {b: 1, b: 2}\n", false},
	{"a: *x\n", false},
	{"a: &x 1\n", false},
	{"a: !t 1\n", false},
	{"? a\n: b\n", false},
	{"a: one\n  two\n", false},
	{"a: 'one\n  two'\n", false},
	{"a: [1,\n  2]\n", false},
	{"a: b: c\n", false},
	{"a:\n\tb: 1\n", false},
	{"a:\n  b: 1\n c: 2\n", false},
	{"text only\n", false},
	{"%YAML 1.1\n---\na: 1\n", false},
	{"a: \x01\n", false},
};

static void what_is_taken_reads_as_libyaml_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int r = yaml_compare(str_of(cases[i].text));

		if (r < 0 || (r == 1) != cases[i].taken)
			fail_msg("%s: %d", cases[i].text, r);
	}
}

static void documents_are_cut_at_their_lines(void **state)
{
	(void)state;
	struct str rest = STR("---\na: 1\n\n---\n# nothing\n--- \nb: 2\n---x: 3\n"), document;
	unsigned lines = 0, before;

	assert_true(yaml_next_document(&rest, &lines, &document, &before));
	assert_true(str_eq(document, STR("a: 1\n\n")));
	assert_int_equal(before, 1);
	assert_true(yaml_next_document(&rest, &lines, &document, &before));
	assert_true(str_eq(document, STR("b: 2\n---x: 3\n")));
	assert_int_equal(before, 6);
	assert_false(yaml_next_document(&rest, &lines, &document, &before));
}

static size_t compare_folder(const char *path, size_t *taken)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	size_t files = 0;

	while (folder && (entry = readdir(folder))) {
		CLEANUP_FREE char *below = NULL;
		CLEANUP_BUF struct buf text = BUF(16 * MIB);
		struct stat st;
		struct str rest, document;
		unsigned lines = 0, before;

		if (entry->d_name[0] == '.' || asprintf(&below, "%s/%s", path, entry->d_name) < 0 || lstat(below, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			files += compare_folder(below, taken);
			continue;
		}
		if (!str_ends(str_of(below), STR(".yaml")) && !str_ends(str_of(below), STR(".lock")))
			continue;
		assert_int_equal(file_read(below, &text, NULL), 0);
		rest = buf_str(&text);
		while (yaml_next_document(&rest, &lines, &document, &before)) {
			int r = yaml_compare(document);

			files++;
			*taken += r > 0;
			if (r < 0)
				fail_msg("%s: read otherwise than by libyaml", below);
		}
	}
	if (folder)
		closedir(folder);
	return files;
}

static void real_lockfiles_read_as_libyaml_does(void **state)
{
	(void)state;
	const char *data = getenv("BONDGATE_DATA"), *source = getenv("BONDGATE_SOURCE");
	CLEANUP_FREE char *path = NULL;
	size_t files, taken = 0;

	assert_true(asprintf(&path, "%s%s/lockfiles", data ? data : source ? source : ".", data ? "" : "/../shared/data") > 0);
	files = compare_folder(path, &taken);
	if (files == 0) {
		print_message("no lockfiles at %s\n", path);
		free(TAKE_PTR(path)); /* skip() does not return */
		skip();
	}
	print_message("%zu of %zu documents taken by the fast reader\n", taken, files);
	assert_true(taken > files / 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken_reads_as_libyaml_does),
		cmocka_unit_test(documents_are_cut_at_their_lines),
		cmocka_unit_test(real_lockfiles_read_as_libyaml_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
