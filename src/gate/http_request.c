#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/limits.h"
#include "gate/http_connection.h"

/* Of all requests of all servers. */
static _Atomic size_t bodies_held;

void request_free(struct connection *c)
{
	struct request *rq = TAKE_PTR(c->rq);

	if (!rq)
		return;
	if (rq->announced && c->server->handlers.gone)
		c->server->handlers.gone(&rq->pub, c->server->handlers.arg);
	arena_free(rq->pub.arena);
	buf_free(&rq->body);
	atomic_fetch_sub(&bodies_held, rq->body_counted);
	rq->magic = 0;
	free(rq);
}

/* The request, its table of headers and its head in one piece of memory. */
static struct request *new_request(struct connection *c, struct str head, size_t lines)
{
	size_t table = lines * sizeof(struct http_header);
	struct request *rq = malloc(sizeof(*rq) + table + head.n);

	if (!rq)
		return NULL;
	memset(rq, 0, sizeof(*rq));
	rq->magic = REQUEST_MAGIC;
	rq->c = c;
	rq->message.headers = rq->headers;
	rq->message.header_max = lines;
	rq->pub.arena = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	if (!rq->pub.arena) {
		free(rq);
		return NULL;
	}
	memcpy((char *)rq->headers + table, head.p, head.n);
	return rq;
}

static void publish(struct request *rq)
{
	const struct http_message *m = &rq->message;
	struct connection *c = rq->c;

	rq->pub.loop = c->server->loop;
	rq->pub.method = m->method;
	rq->pub.target = m->target;
	rq->pub.path = m->path;
	rq->pub.query = m->query;
	rq->pub.headers = m->headers;
	rq->pub.header_count = m->header_count;
	rq->pub.peer = str_of(c->peer);
	rq->pub.tls = c->tls != NULL;
	rq->pub.head = str_eq(m->method, STR("HEAD"));
}

/* The head of the next request is complete: asks the handler what body it may have. */
static void announce(struct connection *c, bool more_follows)
{
	struct request *rq = c->rq;
	struct http_handlers *handlers = &c->server->handlers;
	const struct http_message *m = &rq->message;

	publish(rq);
	server_count(&c->server->counters->requests, 1);
	rq->announced = true;
	rq->body_limit = handlers->body_limit ? handlers->body_limit(&rq->pub, handlers->arg) : 0;
	if (rq->replied || c->closing)
		return;
	if (m->content_length > rq->body_limit || (m->chunked && !rq->body_limit)) {
		connection_refuse(c, 413, NULL);
		return;
	}
	rq->body = BUF(rq->body_limit);
	rq->stage = REQUEST_BODY;
	if (!http_has_body(m))
		return;
	server_wait(c, WAIT_BODY);
	if (m->expects_continue && !more_follows)
		output_interim(c, STR("HTTP/1.1 100 Continue\r\n\r\n"));
}

static size_t take_head(struct connection *c, struct str bytes)
{
	size_t skipped = 0, length = 0, lines;
	bool first = !c->in.n;
	int r;

	/* A stray empty line in front of a request is forgiven (RFC 9112, 2.2). It does not count as its beginning. */
	while (c->scan.seen == 0 && bytes.n >= 2 && bytes.p[0] == '\r' && bytes.p[1] == '\n') {
		bytes = str_skip(bytes, 2);
		skipped += 2;
	}
	if (!bytes.n)
		return skipped;
	if (c->wait != WAIT_HEAD || (first && c->scan.seen == 0))
		server_wait(c, WAIT_HEAD);
	r = http_scan_head(&c->scan, bytes, &c->server->limits, &length);
	if (r == 0)
		return skipped;
	lines = c->scan.lines;
	c->scan = (struct http_scan){0};
	if (r != 1) {
		connection_refuse(c, r, NULL);
		return skipped;
	}
	server_wait(c, WAIT_NOTHING);
	c->rq = new_request(c, str_take(bytes, length), lines);
	if (!c->rq) {
		connection_refuse(c, 503, NULL);
		return skipped;
	}
	r = http_parse_head(&c->rq->message, (struct str){(char *)(c->rq->headers + lines), length}, &c->server->limits);
	if (r)
		connection_refuse(c, r, c->rq->message.why);
	else
		announce(c, bytes.n > length);
	return skipped + length;
}

/* Each body has its limit; what all of them hold has one too, or a few hundred clients could ask for all memory. False: too much. */
static bool count_body(struct request *rq)
{
	size_t grown = rq->body.n - rq->body_counted;

	rq->body_counted = rq->body.n;
	return atomic_fetch_add(&bodies_held, grown) + grown <= LIMIT_BODIES_BYTES;
}

static size_t take_body(struct connection *c, struct str bytes)
{
	struct request *rq = c->rq;
	size_t used = 0;
	int r = http_parse_body(&rq->message, bytes, rq->body_limit, &rq->body, &used);

	if (r > 1) {
		connection_refuse(c, r, rq->message.why);
		return used;
	}
	if (!count_body(rq)) {
		connection_refuse(c, 503, "too many bodies are being received at once: try again later");
		return used;
	}
	if (r == 1) {
		rq->message.chunked = false;
		rq->message.content_length = 0;
	} else {
		server_wait(c, WAIT_BODY);
	}
	return used;
}

static void hand_out(struct connection *c)
{
	struct request *rq = c->rq;

	server_wait(c, WAIT_NOTHING);
	rq->stage = REQUEST_HANDED;
	rq->pub.body = buf_str(&rq->body);
	c->server->handlers.request(&rq->pub, c->server->handlers.arg);
}

/* Has the handler done its part, and is nothing owed to it but gone()? */
static bool is_over(const struct request *rq)
{
	return (rq->finished || rq->pub.client_gone) && !rq->written;
}

/* After the reply: the connection is free for the next request, or ends. */
static void end_request(struct connection *c)
{
	/* The server may have begun to close after the head promised to keep the connection. */
	bool keep = c->rq->keep && !c->server->closing, unread = c->rq->stage != REQUEST_HANDED && http_has_body(&c->rq->message);

	request_free(c);
	if (c->closing)
		return;
	if (keep)
		server_wait(c, WAIT_IDLE);
	else
		connection_finish(c, unread || c->in.n || c->server->closing);
}

/* As far as the bytes go and until a request is with its handler. Returns how many were used. */
static size_t take_requests(struct connection *c, struct str bytes)
{
	size_t used = 0;

	assert(!c->busy);
	c->busy = true;
	while (connection_takes_bytes(c)) {
		struct request *rq = c->rq;
		size_t n = 0;

		if (rq && is_over(rq)) {
			end_request(c);
			continue;
		}
		if (rq && request_is_with_handler(rq))
			break;
		if (rq && !http_has_body(&rq->message)) {
			hand_out(c);
			continue;
		}
		if (used < bytes.n)
			n = rq ? take_body(c, str_skip(bytes, used)) : take_head(c, str_skip(bytes, used));
		used += n;
		if (!n)
			break;
	}
	c->busy = false;
	return used;
}

/* The client sends no more and everything that it sent is answered. */
static void end_after_eof(struct connection *c)
{
	if (c->eof && connection_takes_bytes(c) && !(c->rq && request_is_with_handler(c->rq)))
		connection_drop(c);
}

void connection_input(struct connection *c, struct str bytes)
{
	bool stored = c->in.n > 0;
	size_t used;

	if (!connection_takes_bytes(c))
		return;
	if (stored) {
		buf_add_str(&c->in, bytes);
		bytes = buf_str(&c->in);
	}
	if (c->in.error) {
		connection_drop(c);
		return;
	}
	used = take_requests(c, bytes);
	if (!connection_takes_bytes(c) || used == bytes.n) {
		buf_free(&c->in);
	} else if (stored) {
		memmove(c->in.p, c->in.p + used, c->in.n - used);
		c->in.n -= used;
	} else {
		buf_add_str(&c->in, str_skip(bytes, used));
	}
	end_after_eof(c);
	connection_update_reading(c);
}

void connection_eof(struct connection *c)
{
	c->eof = true;
	if (c->lingering)
		connection_drop(c);
	else
		end_after_eof(c);
	connection_update_reading(c);
}

void connection_turn(struct connection *c)
{
	struct request *rq = c->rq;

	if (rq && rq->written && (rq->written_due || rq->pub.client_gone)) {
		void (*written)(struct http_request *, void *) = rq->written;

		rq->written = NULL;
		rq->written_due = false;
		written(&rq->pub, rq->written_arg);
	}
	if (rq && is_over(rq)) {
		end_request(c);
		/* What came meanwhile is next. */
		if (connection_takes_bytes(c))
			connection_input(c, STR_NULL);
	}
	connection_maybe_free(c);
}
