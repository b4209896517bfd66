#include "unit.h"

#include <stdlib.h>

#include "gate/blob.h"

static void a_taken_buffer_is_empty_afterwards(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf b = BUF(100);
	struct blob *blob;

	buf_add_str(&b, STR("hello"));
	blob = blob_take(&b);
	assert_non_null(blob);
	assert_int_equal(b.n, 0);
	assert_null(b.p);
	assert_true(str_eq(blob_str(blob), STR("hello")));
	blob_unref(blob);
}

static void a_buffer_in_error_gives_no_blob(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf b = BUF(3);

	buf_add_str(&b, STR("hello"));
	assert_null(blob_take(&b));
}

static void bytes_live_until_the_last_reference_goes(void **state)
{
	(void)state;
	struct blob *first = blob_copy(STR("shared")), *second = blob_ref(first);

	blob_unref(first);
	assert_true(str_eq(blob_str(second), STR("shared")));
	blob_unref(second);
}

static void a_spilled_blob_reads_back(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf b = BUF(1 << 20);
	struct blob *blob = NULL;
	struct err err;

	for (int i = 0; i < 100000; i++)
		buf_add_char(&b, (char)i);
	assert_int_equal(blob_spill(buf_str(&b), "/tmp", &blob, &err), 0);
	assert_true(blob->mapped);
	assert_true(str_eq(blob_str(blob), buf_str(&b)));
	blob_unref(blob);
	assert_int_equal(blob_spill(STR_NULL, "/tmp", &blob, &err), 0);
	assert_int_equal(blob->n, 0);
	blob_unref(blob);
}

static void a_spill_into_a_missing_folder_names_it(void **state)
{
	(void)state;
	struct blob *blob = NULL;
	struct err err;

	assert_int_equal(blob_spill(STR("x"), "/nowhere/at/all", &blob, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/at/all"));
	assert_null(blob);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_taken_buffer_is_empty_afterwards), cmocka_unit_test(a_buffer_in_error_gives_no_blob),
		cmocka_unit_test(bytes_live_until_the_last_reference_goes), cmocka_unit_test(a_spilled_blob_reads_back),
		cmocka_unit_test(a_spill_into_a_missing_folder_names_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
