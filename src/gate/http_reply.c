#include <assert.h>
#include <stdio.h>

#include "gate/http_connection.h"

enum { REASON_BYTES = 200, JOINED_BODY_BYTES = 8 * 1024 };

/* X(status, phrase) */
/* clang-format off */
#define PHRASES(X) \
	X(200, "OK") \
	X(201, "Created") \
	X(202, "Accepted") \
	X(204, "No Content") \
	X(206, "Partial Content") \
	X(301, "Moved Permanently") \
	X(302, "Found") \
	X(303, "See Other") \
	X(304, "Not Modified") \
	X(307, "Temporary Redirect") \
	X(308, "Permanent Redirect") \
	X(400, "Bad Request") \
	X(401, "Unauthorized") \
	X(403, "Forbidden") \
	X(404, "Not Found") \
	X(405, "Method Not Allowed") \
	X(406, "Not Acceptable") \
	X(408, "Request Timeout") \
	X(409, "Conflict") \
	X(410, "Gone") \
	X(411, "Length Required") \
	X(412, "Precondition Failed") \
	X(413, "Content Too Large") \
	X(414, "URI Too Long") \
	X(415, "Unsupported Media Type") \
	X(416, "Range Not Satisfiable") \
	X(417, "Expectation Failed") \
	X(421, "Misdirected Request") \
	X(422, "Unprocessable Content") \
	X(426, "Upgrade Required") \
	X(428, "Precondition Required") \
	X(429, "Too Many Requests") \
	X(431, "Request Header Fields Too Large") \
	X(451, "Unavailable For Legal Reasons") \
	X(500, "Internal Server Error") \
	X(501, "Not Implemented") \
	X(502, "Bad Gateway") \
	X(503, "Service Unavailable") \
	X(504, "Gateway Timeout") \
	X(505, "HTTP Version Not Supported") \
	X(507, "Insufficient Storage")
/* clang-format on */

struct str http_phrase(int status)
{
	switch (status) {
#define PHRASE_CASE_(code, text) \
	case code: \
		return STR(text);
		PHRASES(PHRASE_CASE_)
#undef PHRASE_CASE_
	}
	return STR("Unknown");
}

static struct request *request_of(struct http_request *pub)
{
	struct request *rq = (struct request *)pub;

	assert(rq->magic == REQUEST_MAGIC);
	return rq;
}

/* --- the head --- */

static void add_number(struct buf *b, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	buf_add(b, digits + at, sizeof(digits) - at);
}

/* Package managers print the phrase, so it may carry words from outside. */
static void add_reason(struct buf *b, struct str reason)
{
	reason = str_take(reason, REASON_BYTES);
	for (size_t i = 0; i < reason.n; i++)
		buf_add_char(b, reason.p[i] >= ' ' && reason.p[i] <= '~' ? reason.p[i] : '?');
}

/* Lines that end in CRLF, none of them empty: whatever a handler put into a value cannot end the head. */
static bool lines_are_whole(struct str lines)
{
	while (lines.n) {
		const char *cr = memchr(lines.p, '\r', lines.n);
		size_t n = cr ? (size_t)(cr - lines.p) : 0;

		if (!n || n + 1 >= lines.n || cr[1] != '\n' || memchr(lines.p, '\n', n) || memchr(lines.p, '\0', n) || !memchr(lines.p, ':', n))
			return false;
		lines = str_skip(lines, n + 2);
	}
	return true;
}

static struct buf *add_head(struct http_server *s, int status, struct str reason, struct str headers, bool with_length, uint64_t length,
                            bool keep)
{
	struct buf *b = &s->head;

	buf_clear(b);
	buf_add_str(b, STR("HTTP/1.1 "));
	add_number(b, (uint64_t)status);
	buf_add_char(b, ' ');
	add_reason(b, reason.n ? reason : http_phrase(status));
	buf_add_str(b, STR("\r\ndate: "));
	buf_add_str(b, str_of(server_date(s)));
	if (with_length) {
		buf_add_str(b, STR("\r\ncontent-length: "));
		add_number(b, length);
	}
	buf_add_str(b, STR("\r\n"));
	buf_add_str(b, keep ? str_of(s->keep_alive) : STR("connection: close\r\n"));
	buf_add_str(b, headers);
	buf_add_str(b, STR("\r\n"));
	server_count(&s->counters->replies[status / 100 <= 5 ? status / 100 : 5], 1);
	return b;
}

/* --- the server's own answers --- */

void reply_refuse(struct connection *c, int status, const char *why)
{
	char json[300];
	struct str body;
	struct buf *b;

	snprintf(json, sizeof(json), "{\"error\":\"%s\"}\n", why ? why : http_phrase(status).p);
	body = str_of(json);
	b = add_head(c->server, status, STR_NULL, STR("content-type: application/json\r\n"), true, body.n, false);
	buf_add_str(b, body);
	c->refusing = true;
	if (b->error)
		connection_drop(c);
	else
		output_send(c, buf_str(b), STR_NULL, NULL);
}

/* --- replies --- */

/* The handler owes nothing more; gone() follows, from take_requests when the handler is still on the stack there. */
static void finish(struct request *rq)
{
	rq->finished = true;
	if (!rq->c->busy)
		server_defer(rq->c);
}

static void written_soon(struct request *rq)
{
	rq->written_due = true;
	server_defer(rq->c);
}

void reply_flushed(struct request *rq)
{
	if (rq->written)
		written_soon(rq);
	if (rq->ended)
		finish(rq);
}

/* Marks the one reply as given and writes its head; NULL when the client is gone or the head cannot be made. */
static struct buf *begin(struct request *rq, const struct http_reply *reply, uint64_t length)
{
	struct connection *c = rq->c;
	struct buf *b;
	/* An early reply leaves a body on the line that nobody will read. */
	bool body_left = rq->stage != REQUEST_HANDED && http_has_body(&rq->message);

	assert(!rq->replied);
	rq->replied = true;
	if (rq->pub.client_gone)
		return NULL;
	rq->keep = rq->message.keep_alive && !c->server->closing && !body_left;
	rq->no_body = rq->pub.head || reply->status == 204 || reply->status == 304;
	rq->length = length;
	if (!lines_are_whole(reply->headers) || reply->status < 200 || reply->status > 599)
		b = NULL;
	else
		b = add_head(c->server, reply->status, reply->reason, reply->headers, reply->status != 204 && reply->status != 304, length,
		             rq->keep);
	if (!b || b->error) {
		connection_reset(c);
		return NULL;
	}
	return b;
}

static void reply_whole(struct request *rq, const struct http_reply *reply, struct str body, struct blob *blob)
{
	struct buf *b = begin(rq, reply, body.n);

	rq->ended = true;
	if (!b) {
		finish(rq);
		return;
	}
	if (rq->no_body)
		body = STR_NULL;
	output_send(rq->c, buf_str(b), body, blob);
}

void http_reply_blob(struct http_request *pub, const struct http_reply *reply, struct blob *body)
{
	reply_whole(request_of(pub), reply, body ? blob_str(body) : STR_NULL, body);
}

void http_reply_text(struct http_request *pub, const struct http_reply *reply, struct str body)
{
	struct request *rq = request_of(pub);
	struct blob *copy;
	struct buf *b;

	if (body.n > JOINED_BODY_BYTES) {
		copy = blob_copy(body);
		if (!copy) {
			http_reply_abort(pub);
			return;
		}
		reply_whole(rq, reply, blob_str(copy), copy);
		blob_unref(copy);
		return;
	}
	/* A short body travels behind its head: one buffer, kept as a whole if it has to wait. */
	b = begin(rq, reply, body.n);
	rq->ended = true;
	if (!b) {
		finish(rq);
		return;
	}
	if (!rq->no_body)
		buf_add_str(b, body);
	if (b->error)
		connection_reset(rq->c);
	else
		output_send(rq->c, buf_str(b), STR_NULL, NULL);
}

void http_reply_start(struct http_request *pub, const struct http_reply *reply, uint64_t content_length)
{
	struct request *rq = request_of(pub);
	struct buf *b = begin(rq, reply, content_length);

	rq->streaming = true;
	if (b)
		output_send(rq->c, buf_str(b), STR_NULL, NULL);
}

void http_reply_write(struct http_request *pub, const void *bytes, size_t n, void (*written)(struct http_request *rq, void *arg), void *arg)
{
	struct request *rq = request_of(pub);

	assert(rq->streaming && !rq->ended && !rq->written);
	rq->written = written;
	rq->written_arg = arg;
	if (!pub->client_gone && n > rq->length - rq->sent)
		connection_reset(rq->c);
	rq->sent += n;
	if (pub->client_gone || rq->no_body || !n)
		written_soon(rq);
	else
		output_send(rq->c, STR_NULL, (struct str){bytes, n}, NULL);
}

void http_reply_end(struct http_request *pub)
{
	struct request *rq = request_of(pub);

	assert(rq->streaming && !rq->ended);
	rq->ended = true;
	if (!pub->client_gone && rq->sent != rq->length && !rq->no_body)
		connection_reset(rq->c);
	/* Otherwise connection_flushed() finishes it when the last piece is with the kernel. */
	if (pub->client_gone || !rq->c->out.pending)
		finish(rq);
}

void http_reply_abort(struct http_request *pub)
{
	struct request *rq = request_of(pub);

	assert(!rq->ended);
	rq->replied = rq->ended = true;
	rq->written = NULL;
	if (!pub->client_gone)
		connection_reset(rq->c);
	finish(rq);
}
