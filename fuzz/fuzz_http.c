/* Bytes of a connection through the HTTP grammar as http_connection.c drives it. What comes out must not depend on how the
 * bytes were cut into reads: cut points are where two parsers begin to disagree. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "gate/http_parse.h"

enum { BODY_LIMIT = 1000 };

static void add_text(struct buf *to, struct str s)
{
	buf_printf(to, "%zu:", s.n);
	buf_add_str(to, s);
}

/* What a handler may rely on. */
static void check(const struct http_message *m)
{
	assert(m->method.n && m->target.n && m->path.n && m->path.p[0] == '/');
	assert(!m->chunked || !m->content_length);
	for (size_t i = 0; i < m->target.n; i++)
		assert(m->target.p[i] > ' ' && m->target.p[i] <= '~');
	for (size_t i = 0; i < m->header_count; i++) {
		assert(m->headers[i].name.n);
		assert(str_chr(m->headers[i].name, ':') < 0 && str_chr(m->headers[i].name, ' ') < 0);
		assert(str_chr(m->headers[i].value, '\r') < 0 && str_chr(m->headers[i].value, '\n') < 0 && str_chr(m->headers[i].value, 0) < 0);
	}
}

static void note(struct buf *log, const struct http_message *m)
{
	check(m);
	add_text(log, m->method);
	add_text(log, m->path);
	add_text(log, m->query);
	for (size_t i = 0; i < m->header_count; i++) {
		add_text(log, m->headers[i].name);
		add_text(log, m->headers[i].value);
	}
}

struct reader {
	struct http_scan scan;
	struct http_message m;
	struct http_header headers[HTTP_MAX_HEADERS + 1];
	struct buf in, body, log;
	char *head;
	int status; /* of the refusal that ended it */
	bool in_body;
};

static void end_request(struct reader *r)
{
	add_text(&r->log, buf_str(&r->body));
	buf_free(&r->body);
	r->body = BUF(BODY_LIMIT);
	free(TAKE_PTR(r->head));
	r->in_body = false;
}

static size_t take_head(struct reader *r, struct str bytes)
{
	struct http_limits limits = http_default_limits();
	size_t length, lines;
	int status;

	if (r->scan.seen == 0 && str_starts(bytes, STR("\r\n")))
		return 2;
	status = http_scan_head(&r->scan, bytes, &limits, &length);
	if (status == 0)
		return 0;
	lines = r->scan.lines;
	r->scan = (struct http_scan){0};
	r->m = (struct http_message){.headers = r->headers, .header_max = lines};
	if (status == 1) {
		r->head = malloc(length);
		memcpy(r->head, bytes.p, length);
		status = http_parse_head(&r->m, (struct str){r->head, length}, &limits);
		if (!status && r->m.content_length > BODY_LIMIT)
			status = 413;
	}
	if (status) {
		r->status = status;
		return 0;
	}
	assert(r->m.header_count == lines - 1);
	note(&r->log, &r->m);
	r->in_body = true;
	if (!http_has_body(&r->m))
		end_request(r);
	return length;
}

static void feed(struct reader *r, struct str bytes)
{
	size_t used = 0, n;

	buf_add_str(&r->in, bytes);
	while (!r->status && used < r->in.n) {
		struct str rest = str_skip(buf_str(&r->in), used);

		if (r->in_body) {
			int status = http_parse_body(&r->m, rest, BODY_LIMIT, &r->body, &n);

			if (status > 1)
				r->status = status;
			if (status == 1)
				end_request(r);
		} else {
			n = take_head(r, rest);
		}
		if (!n)
			break;
		used += n;
	}
	memmove(r->in.p, r->in.p + used, r->in.n - used);
	r->in.n -= used;
}

static void finish(struct reader *r)
{
	buf_free(&r->in);
	buf_free(&r->body);
	free(r->head);
}

static struct reader *new_reader(void)
{
	struct reader *r = calloc(1, sizeof(*r));

	r->in = BUF(64 * MIB);
	r->log = BUF(64 * MIB);
	r->body = BUF(BODY_LIMIT);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader *whole, *pieces;
	struct str rest;
	size_t piece;

	if (size < 2 || size > 1 * MIB)
		return 0;
	whole = new_reader();
	pieces = new_reader();
	piece = 1 + data[0] % 64;
	rest = (struct str){(const char *)data + 1, size - 1};
	feed(whole, rest);
	for (; rest.n && !pieces->status; rest = str_skip(rest, piece))
		feed(pieces, str_take(rest, piece));

	/* A refusal may be noticed earlier or later in the bytes, but what was handed out before it is the same. */
	assert(str_eq(buf_str(&whole->log), buf_str(&pieces->log)));
	assert((whole->status != 0) == (pieces->status != 0));
	finish(whole);
	finish(pieces);
	buf_free(&whole->log);
	buf_free(&pieces->log);
	free(whole);
	free(pieces);
	return 0;
}
