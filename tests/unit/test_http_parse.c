#include "unit.h"

#include <stdio.h>

#include "base/limits.h"
#include "gate/http_parse.h"

/* One request from `text`, which holds a head and what follows it. Returns 0 or the refusal. */
static int parse(struct str text, struct http_message *m, struct http_header headers[HTTP_MAX_HEADERS], size_t *ret_length)
{
	struct http_limits limits = http_default_limits();
	struct http_scan scan = {0};
	int r = http_scan_head(&scan, text, &limits, ret_length);

	if (r != 1)
		return r ? r : -1;
	*m = (struct http_message){.headers = headers, .header_max = HTTP_MAX_HEADERS};
	return http_parse_head(m, str_take(text, *ret_length), &limits);
}

static void heads_are_accepted_or_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int status; /* 0: accepted; -1: incomplete */
	} rows[] = {
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
		{"GET / HTTP/1.1\r\nHost: a\r\n\r", -1},
		{"GET / HTTP/1.1\r\nHost: a\r\n", -1},
		{"GET / HTTP/1.0\r\n\r\n", 0},
		{"GET / HTTP/1.1\r\nHost:\r\n\r\n", 0},
		{"GET / HTTP/1.1\r\nHost:\r\nX:\r\nY: \r\n\r\n", 0},
		{"GET / HTTP/1.1\r\n\r\n", 400},
		{"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 505},
		{"GET /\r\nHost: a\r\n\r\n", 505},
		{"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
		{"GET / HTTP/11\r\nHost: a\r\n\r\n", 505},
		{"GET / http/1.1\r\nHost: a\r\n\r\n", 400},
		{"GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"GET /\t HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"get / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
		{"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nBad Name: b\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\n\tX: b\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 0},
		{"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n", 0},
		{"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x4\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\n", 400},
		{"\r\n\r\n", 400},
		{"{}", 400},
		{"", -1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_header headers[HTTP_MAX_HEADERS];
		struct http_message m = {0};
		size_t length;
		int status = parse(str_of(rows[i].text), &m, headers, &length);

		if (status != rows[i].status)
			fail_msg("%s: %d, not %d (%s)", rows[i].text, status, rows[i].status, m.why ? m.why : "");
	}
}

static void headers_are_slices_without_blanks(void **state)
{
	(void)state;
	static const char text[] = "PUT /a%2fb?c=d?e HTTP/1.1\r\nHost: h:1\r\nEmpty:\r\nAccept:   a, b\t \r\nLast: z\r\nContent-Length: 12\r\n\r\n";
	struct http_header headers[HTTP_MAX_HEADERS];
	struct http_message m;
	size_t length;

	assert_int_equal(parse(str_of(text), &m, headers, &length), 0);
	assert_int_equal(length, sizeof(text) - 1);
	assert_true(str_eq(m.method, STR("PUT")));
	assert_true(str_eq(m.target, STR("/a%2fb?c=d?e")));
	assert_true(str_eq(m.path, STR("/a%2fb")));
	assert_true(str_eq(m.query, STR("c=d?e")));
	assert_int_equal(m.header_count, 5);
	assert_true(str_eq(headers[1].name, STR("Empty")));
	assert_int_equal(headers[1].value.n, 0);
	assert_true(str_eq(headers[2].value, STR("a, b")));
	assert_true(str_eq(headers[3].name, STR("Last")));
	assert_true(str_eq(headers[3].value, STR("z")));
	assert_int_equal(m.content_length, 12);
	assert_true(m.keep_alive);
	assert_false(m.chunked);
}

static int parse_body(struct http_message *m, struct str bytes, size_t limit, size_t piece, struct buf *body, size_t *ret_used)
{
	*ret_used = 0;
	while (*ret_used < bytes.n) {
		size_t used;
		int r = http_parse_body(m, str_take(str_skip(bytes, *ret_used), piece), limit, body, &used);

		*ret_used += used;
		if (r)
			return r;
	}
	return 0;
}

static void chunks_are_joined_in_any_pieces(void **state)
{
	(void)state;
	static const char head[] = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
	static const struct {
		const char *text;
		int result;
		const char *body, *rest;
	} rows[] = {
		{"3\r\nabc\r\n0\r\n\r\nGET", 1, "abc", "GET"},
		{"1\r\na\r\n002\r\nbc\r\n0\r\n\r\n", 1, "abc", ""},
		{"0\r\n\r\n", 1, "", ""},
		{"3\r\nabc\r\n0\r\n", 0, "abc", ""},
		{"B\r\n0123456789a\r\n0\r\n\r\n", 413, NULL, NULL},
		{"A\r\n0123456789\r\n1\r\na\r\n0\r\n\r\n", 413, NULL, NULL},
		{"g\r\n", 400, NULL, NULL},
		{" 1\r\na\r\n", 400, NULL, NULL},
		{"1 \r\na\r\n", 400, NULL, NULL},
		{"1;x\r\na\r\n0\r\n\r\n", 400, NULL, NULL},
		{"1;x=\"y\"\r\na\r\n0\r\n\r\n", 400, NULL, NULL},
		{"1\na\r\n0\r\n\r\n", 400, NULL, NULL},
		{"1\r\nab\r\n", 400, NULL, NULL},
		{"1\r\na\n0\r\n\r\n", 400, NULL, NULL},
		{"1\r\na\r\n0\r\nX: y\r\n\r\n", 400, NULL, NULL},
		{"10000000000000001\r\na", 400, NULL, NULL},
		{"\r\n", 400, NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t piece = 1; piece < 30; piece++) {
			CLEANUP_BUF struct buf body = BUF(100);
			struct http_header headers[HTTP_MAX_HEADERS];
			struct http_message m;
			size_t length, used;
			struct str text = str_of(rows[i].text);
			int r;

			assert_int_equal(parse(str_of(head), &m, headers, &length), 0);
			assert_true(m.chunked);
			r = parse_body(&m, text, 10, piece, &body, &used);
			if (r != rows[i].result)
				fail_msg("%s in pieces of %zu: %d, not %d", rows[i].text, piece, r, rows[i].result);
			if (r > 1)
				continue;
			assert_true(str_eq(buf_str(&body), str_of(rows[i].body)));
			assert_true(str_eq(str_skip(text, used), str_of(rows[i].rest)));
		}
}

static void endless_framing_is_refused(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf body = BUF(1 * MIB), zeros = BUF(4096);
	struct http_header headers[HTTP_MAX_HEADERS];
	struct http_message m;
	size_t length, used;
	int r = 0;

	for (int i = 0; i < 1000; i++)
		buf_add_char(&zeros, '0');
	assert_int_equal(parse(STR("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), &m, headers, &length), 0);
	for (int i = 0; i < 100 && !r; i++)
		r = http_parse_body(&m, buf_str(&zeros), 1 * MIB, &body, &used);
	assert_int_equal(r, 400);
}

static void a_head_is_found_in_any_pieces(void **state)
{
	(void)state;
	static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\nGET";
	struct http_limits limits = http_default_limits();
	struct http_scan scan = {0};
	size_t length = 0, n = 0;
	int r = 0;

	while (r == 0 && n < sizeof(text) - 1)
		r = http_scan_head(&scan, (struct str){text, ++n}, &limits, &length);
	assert_int_equal(r, 1);
	assert_int_equal(length, sizeof(text) - 4);
	assert_int_equal(n, length);
	assert_int_equal(scan.lines, 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_are_accepted_or_refused), cmocka_unit_test(headers_are_slices_without_blanks),
		cmocka_unit_test(chunks_are_joined_in_any_pieces), cmocka_unit_test(endless_framing_is_refused),
		cmocka_unit_test(a_head_is_found_in_any_pieces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
