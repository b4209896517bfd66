#include "unit.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/str.h"
#include "base/time.h"

static void a_buffer_stops_at_its_maximum(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf b = BUF(5);

	buf_add_str(&b, STR("hello"));
	assert_int_equal(b.error, 0);
	assert_string_equal(buf_cstr(&b), "hello");
	buf_add_char(&b, '!');
	assert_int_equal(b.error, -EFBIG);
	assert_int_equal(b.n, 5);
}

static void durations_have_one_form(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int r;
		usec value;
		const char *back;
	} rows[] = {
		{"7d", 0, 7 * USEC_DAY, "7d"}, {"36h", 0, 36 * USEC_HOUR, "36h"}, {"90s", 0, 90 * USEC_SECOND, "90s"},
		{"2w", 0, 14 * USEC_DAY, "14d"}, {"0", 0, 0, "0s"}, {"60m", 0, USEC_HOUR, "1h"},
		{"7", -EINVAL, 0, NULL}, {"", -EINVAL, 0, NULL}, {"-1d", -EINVAL, 0, NULL}, {"1.5d", -EINVAL, 0, NULL},
		{"7 d", -EINVAL, 0, NULL}, {"36526d", -ERANGE, 0, NULL}, {"99999999999999999999d", -ERANGE, 0, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		usec value = -1;
		char text[TIME_TEXT];

		assert_int_equal(duration_parse(str_of(rows[i].text), &value), rows[i].r);
		if (rows[i].r < 0)
			continue;
		assert_int_equal(value, rows[i].value);
		duration_format(value, text);
		assert_string_equal(text, rows[i].back);
	}
}

static void times_are_read_as_registries_write_them(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *utc; /* NULL: refused */
	} rows[] = {
		{"2026-10-14T16:54:54+00:00", "2026-10-14T16:54:54.000Z"}, {"2026-10-14T16:54:54.123456Z", "2026-10-14T16:54:54.123Z"},
		{"2026-10-14T01:00:00+02:00", "2026-10-13T23:00:00.000Z"}, {"2024-02-29", "2024-02-29T00:00:00.000Z"},
		{"2023-02-29", NULL}, {"1969-12-31", NULL}, {"2026-10-14T25:00:00Z", NULL}, {"yesterday", NULL}, {"", NULL},
		{"2026-10-14T16:54:54Zjunk", NULL}, {"9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		usec time;
		char text[TIME_TEXT];
		int r = time_parse(str_of(rows[i].text), &time);

		assert_int_equal(r == 0, rows[i].utc != NULL);
		if (!rows[i].utc)
			continue;
		time_format_utc(time, text);
		assert_string_equal(text, rows[i].utc);
	}
}

static void a_glob_star_stands_for_any_run(void **state)
{
	(void)state;
	assert_true(str_glob(STR("@acme/*"), STR("@acme/tool")));
	assert_true(str_glob(STR("*"), STR("")));
	assert_true(str_glob(STR("a*b*c"), STR("a--b-b--c")));
	assert_false(str_glob(STR("@acme/*"), STR("@acmex/tool")));
	assert_false(str_glob(STR("left-pad"), STR("left-pads")));
}

static void a_map_survives_puts_and_removes(void **state)
{
	(void)state;
	CLEANUP_MAP struct map m = MAP_EMPTY;
	CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
	struct str keys[1000];

	for (size_t i = 0; i < 1000; i++) {
		keys[i] = arena_printf(a, "name-%zu", i);
		assert_int_equal(map_put(&m, keys[i], (void *)(i + 1)), 0);
	}
	for (size_t i = 0; i < 1000; i += 2)
		assert_ptr_equal(map_remove(&m, keys[i]), (void *)(i + 1));
	for (size_t i = 0; i < 1000; i++)
		assert_ptr_equal(map_get(&m, keys[i]), i % 2 ? (void *)(i + 1) : NULL);
	assert_int_equal(m.used, 500);
}

static void an_arena_refuses_past_its_maximum(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(64);

	assert_non_null(arena_alloc(a, 48));
	assert_false(arena_failed(a));
	assert_null(arena_alloc(a, 32));
	assert_true(arena_failed(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_stops_at_its_maximum),
		cmocka_unit_test(durations_have_one_form),
		cmocka_unit_test(times_are_read_as_registries_write_them),
		cmocka_unit_test(a_glob_star_stands_for_any_run),
		cmocka_unit_test(a_map_survives_puts_and_removes),
		cmocka_unit_test(an_arena_refuses_past_its_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
