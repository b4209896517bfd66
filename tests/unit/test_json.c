#include "unit.h"

#include "codec/json.h"

/* A copy of the exact size, so that the sanitizer sees a read past the end. */
static struct str exact(struct str text)
{
	char *p = malloc(text.n ? text.n : 1);

	assert_non_null(p);
	memcpy(p, text.n ? text.p : "", text.n);
	return (struct str){p, text.n};
}

static int read_all(struct str text, struct err *err)
{
	struct str copy = exact(text);
	struct json_reader r;
	int result;

	json_init(&r, copy);
	json_skip(&r, NULL);
	result = json_finish(&r, err);
	free((char *)copy.p);
	return result;
}

static void only_the_grammar_is_accepted(void **state)
{
	(void)state;
	static const char *good[] = {
		"0", "-0", "10", "-1.5e+10", "1E5", "0.25", "true", "false", "null", "\"\"", "[]", "{}", " [ ] ", "\t\r\n{ }\n",
		"[1,[2,{\"a\":[]}],3]", "{\"a\":1,\"b\":{\"c\":null}}", "\xef\xbb\xbf{}", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00aF\"",
		"\"\\ud800\"", "\"\x7f\xc2\x80\xe2\x82\xac\xf0\x9f\x8e\x89\xf4\x8f\xbf\xbf\"", "{\"\":\"\"}",
		"\"a text that is longer than sixteen bytes, twice over\"",
	};
	static const char *bad[] = {
		"", " ", "\xef\xbb\xbf", "01", "-", "1.", ".5", "+1", "1e", "1e+", "0x1", "NaN", "Infinity", "-Infinity", "tru", "truE", "nul",
		"True", "'a'", "\"", "\"a", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\U0041\"", "\"\n\"", "\"\x1f\"", "[", "]", "[1", "[1,",
		"[1,]", "[,1]", "[1 2]", "[1}", "{", "}", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{\"a\" 1}", "{\"a\":}",
		"{a:1}", "{1:1}", "{\"a\":1]", "{\"a\":1 \"b\":2}", "{\"a\",1}", "1 2", "{}{}", "[]]", "/**/1", "1//", "\xef\xbb\xbf\xef\xbb\xbf{}", "\xff",
		"\"\x80\"", "\"\xc0\x80\"", "\"\xc1\xbf\"", "\"\xe0\x9f\xbf\"", "\"\xed\xa0\x80\"", "\"\xf0\x8f\xbf\xbf\"", "\"\xf4\x90\x80\x80\"", "\"\xf5\x80\x80\x80\"",
		"\"\xc2\"", "\"\xe2\x82\"", "\"\xf0\x9f\x8e\"", "\"\xe2\x82", "\"a plain run of some length and then \x01\"",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (read_all(str_of(good[i]), NULL) != 0)
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (read_all(str_of(bad[i]), NULL) != -EBADMSG)
			fail_msg("not refused: %s", bad[i]);
	assert_int_equal(read_all(STR("\"\0\""), NULL), -EBADMSG);
	assert_int_equal(read_all(STR("1\0"), NULL), -EBADMSG);
	assert_int_equal(read_all(STR_NULL, NULL), -EBADMSG);
}

/* Whatever its place within the blocks that are looked at as one, an odd byte must be seen. */
static void a_bad_byte_is_seen_at_every_offset(void **state)
{
	(void)state;
	static const char odd[] = {'\n', '\x1f', '\x80', '\xff', '\\', '\0'};

	for (size_t length = 1; length < 70; length++) {
		CLEANUP_BUF struct buf text = BUF(100);

		buf_add_char(&text, '"');
		for (size_t i = 0; i < length; i++)
			buf_add_char(&text, (char)('A' + (char)(i % 26)));
		buf_add_char(&text, '"');
		assert_int_equal(read_all(buf_str(&text), NULL), 0);
		for (size_t at = 1; at <= length; at++)
			for (size_t i = 0; i < sizeof(odd); i++) {
				char was = text.p[at];

				text.p[at] = odd[i];
				/* A backslash makes an escape of what follows: \B or \F and so on are none, \" leaves no end. */
				assert_int_equal(read_all(buf_str(&text), NULL), -EBADMSG);
				text.p[at] = was;
			}
	}
}

static void a_document_is_read_piece_by_piece(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(1000);
	struct json_reader r;
	struct str key, name = STR_NULL, slice = STR_NULL, number = STR_NULL;
	int64_t sum = 0, item;
	bool truth = false;

	json_init(&r, STR("{ \"\\u006eame\" : \"a\\/b\\u20ac\", \"list\": [1, -2 ,3], \"skip\":  {\"x\": [1, {}]} , \"t\":true, \"n\":1e3}"));
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		if (json_raw_equals(key, STR("name"))) {
			json_string_decoded(&r, a, &name);
		} else if (json_raw_equals(key, STR("list"))) {
			for (json_enter_array(&r); json_next_item(&r); sum += item)
				json_int(&r, &item);
		} else if (json_raw_equals(key, STR("skip"))) {
			json_skip(&r, &slice);
		} else if (json_raw_equals(key, STR("t"))) {
			json_bool(&r, &truth);
		} else {
			assert_int_equal(json_peek(&r), JSON_NUMBER);
			json_number(&r, &number);
		}
	}
	assert_int_equal(json_finish(&r, NULL), 0);
	assert_true(str_eq(name, STR("a/b\xe2\x82\xac")));
	assert_int_equal(sum, 2);
	assert_true(str_eq(slice, STR("{\"x\": [1, {}]}")));
	assert_true(truth);
	assert_true(str_eq(number, STR("1e3")));
}

static void peek_names_the_kind(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum json_kind kind;
	} rows[] = {
		{" {", JSON_OBJECT}, {"[", JSON_ARRAY}, {"\n\"", JSON_STRING}, {"-1", JSON_NUMBER}, {"9", JSON_NUMBER},
		{"t", JSON_TRUE}, {"f", JSON_FALSE}, {"n", JSON_NULL}, {"", JSON_NONE}, {"}", JSON_NONE}, {"x", JSON_NONE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_reader r;

		json_init(&r, str_of(rows[i].text));
		assert_int_equal(json_peek(&r), rows[i].kind);
		assert_false(json_failed(&r));
	}
}

static void integers_are_exact_or_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int r;
		int64_t value;
	} rows[] = {
		{"0", 0, 0}, {"-0", 0, 0}, {"9223372036854775807", 0, INT64_MAX}, {"-9223372036854775808", 0, INT64_MIN},
		{"9223372036854775808", -EBADMSG, 0}, {"-9223372036854775809", -EBADMSG, 0}, {"1.0", -EBADMSG, 0}, {"1e3", -EBADMSG, 0},
		{"\"1\"", -EBADMSG, 0}, {"true", -EBADMSG, 0}, {"99999999999999999999999", -EBADMSG, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_reader r;
		int64_t value = 7;

		json_init(&r, str_of(rows[i].text));
		json_int(&r, &value);
		assert_int_equal(json_finish(&r, NULL), rows[i].r);
		assert_int_equal(value, rows[i].value);
	}
}

static void the_first_error_stays_and_names_its_place(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} rows[] = {
		{"{\n  \"a\": 1,\n  \"\xc3\xa9\xc3\xa9\": tru }", "line 3, column 9 (byte 22): a value was expected"},
		{"[1 2]", "line 1, column 4 (byte 3): a comma or ] was expected"},
		{"{\"a\":1", "line 1, column 7 (byte 6): the text ends too early"},
		{"{} x", "line 1, column 4 (byte 3): nothing may follow the value"},
		{"", "line 1, column 1 (byte 0): the text ends too early"},
		{"\"\\u00g0\"", "line 1, column 2 (byte 1): four hexadecimal digits were expected after \\u"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err;

		assert_int_equal(read_all(str_of(rows[i].text), &err), -EBADMSG);
		assert_string_equal(err.text, rows[i].message);
	}
}

static void after_an_error_nothing_is_read(void **state)
{
	(void)state;
	struct json_reader r;
	struct str text = STR("old"), slice = STR("old");
	int64_t number = 7;
	bool truth = true;
	struct err err;

	json_init(&r, STR("[\"a\", \"b\"]"));
	json_enter_array(&r);
	assert_true(json_next_item(&r));
	json_fail(&r, "this name is not known");
	json_fail(&r, "a second problem");
	json_string(&r, &text);
	json_skip(&r, &slice);
	json_int(&r, &number);
	json_bool(&r, &truth);
	assert_int_equal(text.n + slice.n, 0);
	assert_int_equal(number, 0);
	assert_false(truth);
	assert_int_equal(json_peek(&r), JSON_NONE);
	assert_false(json_next_item(&r));
	assert_int_equal(json_finish(&r, &err), -EBADMSG);
	assert_string_equal(err.text, "line 1, column 2 (byte 1): this name is not known");
}

/* A caller that forgets a value, or takes an array for an object, gets an error and no endless loop. */
static void misuse_is_an_error(void **state)
{
	(void)state;
	struct json_reader r;
	struct str key;

	json_init(&r, STR("{\"a\":1,\"b\":2}"));
	json_enter_object(&r);
	assert_true(json_next_member(&r, &key));
	assert_false(json_next_member(&r, &key));
	assert_int_equal(json_finish(&r, NULL), -EBADMSG);

	json_init(&r, STR("[1]"));
	json_enter_array(&r);
	assert_false(json_next_member(&r, &key));
	assert_true(json_failed(&r));

	json_init(&r, STR("[1]"));
	assert_false(json_next_item(&r));
	assert_true(json_failed(&r));

	json_init(&r, STR("[1"));
	json_enter_array(&r);
	while (json_next_item(&r))
		json_skip(&r, NULL);
	assert_int_equal(json_finish(&r, NULL), -EBADMSG);

	json_init(&r, STR("[]"));
	assert_int_equal(json_finish(&r, NULL), -EBADMSG);
}

static int nested(size_t depth, size_t max_depth, bool pull)
{
	CLEANUP_BUF struct buf text = BUF(100000);
	struct json_reader r;

	for (size_t i = 0; i < depth; i++)
		buf_add_str(&text, i % 2 ? STR("[") : STR("{\"a\":"));
	buf_add_char(&text, '1');
	for (size_t i = depth; i-- > 0;)
		buf_add_char(&text, i % 2 ? ']' : '}');
	json_init(&r, buf_str(&text));
	if (max_depth)
		r.max_depth = max_depth;
	if (pull) {
		struct str key;

		json_enter_object(&r);
		json_next_member(&r, &key);
		json_skip(&r, NULL);
		assert_false(json_next_member(&r, &key));
	} else {
		json_skip(&r, NULL);
	}
	return json_finish(&r, NULL);
}

static void nesting_is_limited(void **state)
{
	(void)state;
	for (int pull = 0; pull < 2; pull++) {
		assert_int_equal(nested(LIMIT_JSON_DEPTH, 0, pull), 0);
		assert_int_equal(nested(LIMIT_JSON_DEPTH + 1, 0, pull), -EFBIG);
		assert_int_equal(nested(3, 3, pull), 0);
		assert_int_equal(nested(4, 3, pull), -EFBIG);
		assert_int_equal(nested(JSON_DEPTH_CEILING, 100000, pull), 0);
		assert_int_equal(nested(JSON_DEPTH_CEILING + 1, 100000, pull), -EFBIG);
	}
}

static void members_are_limited(void **state)
{
	(void)state;
	for (size_t extra = 0; extra < 2; extra++) {
		CLEANUP_BUF struct buf text = BUF(64 * MIB);
		int expected = extra ? -EFBIG : 0;
		struct json_reader r;
		struct str key;

		buf_add_char(&text, '{');
		for (size_t i = 0; i < LIMIT_JSON_MEMBERS + extra; i++)
			buf_printf(&text, "%s\"k%zu\":{\"a\":[]}", i ? "," : "", i);
		buf_add_char(&text, '}');
		assert_int_equal(read_all(buf_str(&text), NULL), expected);
		json_init(&r, buf_str(&text));
		json_enter_object(&r);
		while (json_next_member(&r, &key))
			json_skip(&r, NULL);
		assert_int_equal(json_finish(&r, NULL), expected);
	}
}

static void strings_are_decoded(void **state)
{
	(void)state;
	static const struct {
		struct str raw, plain;
	} rows[] = {
		{STR(""), STR("")}, {STR("plain"), STR("plain")}, {STR("\\u0076ersions"), STR("versions")}, {STR("\\u0000"), STR("\0")},
		{STR("\\\"\\\\\\/\\b\\f\\n\\r\\t"), STR("\"\\/\b\f\n\r\t")}, {STR("x\\u00e9\\u20AC"), STR("x\xc3\xa9\xe2\x82\xac")},
		{STR("\\ud83c\\udf89!"), STR("\xf0\x9f\x8e\x89!")}, {STR("\\uDBFF\\uDFFF"), STR("\xf4\x8f\xbf\xbf")},
		{STR("\\ud800"), STR("\xef\xbf\xbd")}, {STR("\\udc00\\ud800x"), STR("\xef\xbf\xbd\xef\xbf\xbdx")},
		{STR("\\ud800\\ud800\\udc00"), STR("\xef\xbf\xbd\xf0\x90\x80\x80")}, {STR("\\ud800\\u0041"), STR("\xef\xbf\xbd" "A")},
		{STR("\\\\n"), STR("\\n")},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(10000);
		struct str decoded = json_decode(a, rows[i].raw);

		assert_true(str_eq(decoded, rows[i].plain));
		assert_true(json_raw_equals(rows[i].raw, rows[i].plain));
		for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++)
			assert_int_equal(json_raw_equals(rows[i].raw, rows[k].plain), i == k);
		assert_false(json_raw_equals(rows[i].raw, str_take(rows[i].plain, rows[i].plain.n - 1)) && rows[i].plain.n);
	}
	/* The same bytes, but one is an escape. */
	assert_false(json_raw_equals(STR("\\n"), STR("\\n")));
	assert_false(json_raw_equals(STR("\\u0041B"), STR("AC")));
}

static void a_full_arena_is_an_error(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(16);
	struct json_reader r;
	struct str text;

	json_init(&r, STR("\"\\n12345678901234567890123456789012345678901234567890\""));
	json_string_decoded(&r, a, &text);
	assert_null(text.p);
	assert_int_equal(json_finish(&r, NULL), -EFBIG);
	assert_null(json_decode(a, STR("\\n12345678901234567890123456789012345678901234567890")).p);
}

static void a_key_that_comes_twice_is_seen(void **state)
{
	(void)state;
	struct json_keys *k = json_keys_new();

	assert_false(json_keys_seen(k, STR("versions")));
	assert_false(json_keys_seen(k, STR("version")));
	assert_false(json_keys_seen(k, STR("")));
	assert_false(json_keys_seen(k, STR("\\n")));
	assert_false(json_keys_seen(k, STR("\\\\n")));
	assert_true(json_keys_seen(k, STR("\\u0076ersions")));
	assert_true(json_keys_seen(k, STR("\\u000a")));
	assert_true(json_keys_seen(k, STR("")));
	json_keys_clear(k);
	assert_false(json_keys_seen(k, STR("\\u0076ersions")));
	assert_true(json_keys_seen(k, STR("versions")));
	json_keys_free(k);
	/* Without a set nothing can be ruled out. */
	assert_true(json_keys_seen(NULL, STR("a")));
	json_keys_clear(NULL);
	json_keys_free(NULL);
}

static void many_keys_are_told_apart(void **state)
{
	(void)state;
	enum { KEYS = 5000, BYTES = 12 };
	static char names[KEYS][BYTES];
	struct json_keys *k = json_keys_new();

	/* Other keys each time: those of the round before must neither be found nor take room. */
	for (size_t round = 0; round < 3; round++) {
		for (size_t i = 0; i < KEYS; i++) {
			int n = snprintf(names[i], BYTES, i % 3 ? "k%zu" : "\\/%zu", round * KEYS + i);

			assert_false(json_keys_seen(k, (struct str){names[i], (size_t)n}));
		}
		for (size_t i = 0; i < KEYS; i++)
			assert_true(json_keys_seen(k, str_of(names[i])));
		json_keys_clear(k);
	}
	json_keys_free(k);
}

static void the_writer_sets_commas_and_escapes(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf out = BUF(1000);
	struct json_writer w;

	jw_init(&w, &out);
	jw_object(&w);
	jw_member_str(&w, "a\"b", STR("\\ \"\b\f\n\r\t\v\x1f\x7f/\xe2\x82\xac\0"));
	jw_key(&w, STR("list"));
	jw_array(&w);
	jw_int(&w, INT64_MIN);
	jw_null(&w);
	jw_object(&w);
	jw_object_end(&w);
	jw_array(&w);
	jw_array_end(&w);
	jw_raw(&w, STR("1e3"));
	jw_array_end(&w);
	jw_member_int(&w, "n", 7);
	jw_member_bool(&w, "t", true);
	jw_key_raw(&w, STR("\\u0066"));
	jw_bool(&w, false);
	jw_object_end(&w);
	assert_int_equal(out.error, 0);
	assert_string_equal(buf_cstr(&out), "{\"a\\\"b\":\"\\\\ \\\"\\b\\f\\n\\r\\t\\u000b\\u001f\x7f/\xe2\x82\xac\\u0000\","
		"\"list\":[-9223372036854775808,null,{},[],1e3],\"n\":7,\"t\":true,\"\\u0066\":false}");
}

static void the_writer_replaces_what_is_not_utf8(void **state)
{
	(void)state;
	static const struct {
		const char *bytes, *written; /* U+FFFD is shown as ? */
	} rows[] = {
		{"\xff", "?"}, {"a\x80z", "a?z"}, {"\xc3\xa9\xc3", "\xc3\xa9?"}, {"\xe2\x82", "?"}, {"\xe2\x82z", "?z"},
		{"\xf0\x9f\x8e", "?"}, {"\xc0\x80", "??"}, {"\xed\xa0\x80", "???"}, {"\xf4\x90\x80\x80", "????"},
		{"\xf0\x9f\x8e\x89", "\xf0\x9f\x8e\x89"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_BUF struct buf out = BUF(100), expected = BUF(100);
		struct json_writer w;

		buf_add_char(&expected, '"');
		for (const char *p = rows[i].written; *p; p++)
			buf_add_str(&expected, *p == '?' ? STR("\xef\xbf\xbd") : (struct str){p, 1});
		buf_add_char(&expected, '"');
		jw_init(&w, &out);
		jw_str(&w, str_of(rows[i].bytes));
		assert_string_equal(buf_cstr(&out), buf_cstr(&expected));
	}
}

static void the_writer_has_limits(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf out = BUF(1000), small = BUF(3);
	struct json_writer w;

	jw_init(&w, &out);
	for (size_t i = 0; i < LIMIT_JSON_DEPTH; i++)
		jw_array(&w);
	assert_int_equal(out.error, 0);
	jw_array(&w);
	assert_int_equal(out.error, -EFBIG);

	buf_clear(&out);
	jw_init(&w, &out);
	jw_object_end(&w);
	assert_int_equal(out.error, -EINVAL);

	jw_init(&w, &small);
	jw_str(&w, STR("ab"));
	assert_int_equal(small.error, -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_grammar_is_accepted),
		cmocka_unit_test(a_bad_byte_is_seen_at_every_offset),
		cmocka_unit_test(a_document_is_read_piece_by_piece),
		cmocka_unit_test(peek_names_the_kind),
		cmocka_unit_test(integers_are_exact_or_refused),
		cmocka_unit_test(the_first_error_stays_and_names_its_place),
		cmocka_unit_test(after_an_error_nothing_is_read),
		cmocka_unit_test(misuse_is_an_error),
		cmocka_unit_test(nesting_is_limited),
		cmocka_unit_test(members_are_limited),
		cmocka_unit_test(strings_are_decoded),
		cmocka_unit_test(a_full_arena_is_an_error),
		cmocka_unit_test(a_key_that_comes_twice_is_seen),
		cmocka_unit_test(many_keys_are_told_apart),
		cmocka_unit_test(the_writer_sets_commas_and_escapes),
		cmocka_unit_test(the_writer_replaces_what_is_not_utf8),
		cmocka_unit_test(the_writer_has_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
