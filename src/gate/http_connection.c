#include "gate/http_connection.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"

/* Connections over the limit that get a 503 with its time to be read; more than these are just closed. */
enum { REFUSED_AT_ONCE = 64 };

static void close_gracefully(struct connection *c, bool linger);

/* --- requests --- */

static void free_request(struct connection *c)
{
	struct request *rq = TAKE_PTR(c->rq);

	if (!rq)
		return;
	if (rq->announced && c->server->handlers.gone)
		c->server->handlers.gone(&rq->pub, c->server->handlers.arg);
	arena_free(rq->pub.arena);
	buf_free(&rq->body);
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

/* Does a handler still have it, or is its reply under way? */
static bool is_with_handler(const struct request *rq)
{
	return rq->stage == REQUEST_HANDED || rq->replied;
}

/* Nothing more is taken from this connection: `status` goes out and it ends. */
static void refuse(struct connection *c, int status, const char *why)
{
	server_count(&c->server->counters->bad_requests, 1);
	free_request(c);
	reply_refuse(c, status, why);
}

/* --- bytes to requests --- */

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
		refuse(c, 413, NULL);
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
		refuse(c, r, NULL);
		return skipped;
	}
	server_wait(c, WAIT_NOTHING);
	c->rq = new_request(c, str_take(bytes, length), lines);
	if (!c->rq) {
		refuse(c, 503, NULL);
		return skipped;
	}
	r = http_parse_head(&c->rq->message, (struct str){(char *)(c->rq->headers + lines), length}, &c->server->limits);
	if (r)
		refuse(c, r, c->rq->message.why);
	else
		announce(c, bytes.n > length);
	return skipped + length;
}

static size_t take_body(struct connection *c, struct str bytes)
{
	struct request *rq = c->rq;
	size_t used = 0;
	int r = http_parse_body(&rq->message, bytes, rq->body_limit, &rq->body, &used);

	if (r > 1) {
		refuse(c, r, rq->message.why);
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
	if (rq->written)
		return false;
	return rq->finished || (rq->pub.client_gone && (rq->ended || !is_with_handler(rq)));
}

/* After the reply: the connection is free for the next request, or ends. */
static void end_request(struct connection *c)
{
	bool keep = c->rq->keep, unread = c->rq->stage != REQUEST_HANDED && http_has_body(&c->rq->message);

	free_request(c);
	if (c->closing)
		return;
	if (keep)
		server_wait(c, WAIT_IDLE);
	else
		close_gracefully(c, unread || c->in.n);
}

static bool takes_bytes(const struct connection *c)
{
	return !c->closing && !c->lingering && !c->refusing;
}

/* As far as the bytes go and until a request is with its handler. Returns how many were used. */
static size_t take_requests(struct connection *c, struct str bytes)
{
	size_t used = 0;

	assert(!c->busy);
	c->busy = true;
	while (takes_bytes(c)) {
		struct request *rq = c->rq;
		size_t n = 0;

		if (rq && is_over(rq)) {
			end_request(c);
			continue;
		}
		if (rq && is_with_handler(rq))
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
	if (c->eof && takes_bytes(c) && !(c->rq && is_with_handler(c->rq)))
		connection_drop(c);
}

/* Works on what is stored, and on `bytes` behind it. */
void connection_input(struct connection *c, struct str bytes)
{
	bool stored = c->in.n > 0;
	size_t used;

	if (!takes_bytes(c))
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
	if (!takes_bytes(c) || used == bytes.n) {
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

/* --- reading --- */

static void on_allocate(uv_handle_t *h, size_t suggested, uv_buf_t *ret)
{
	struct connection *c = h->data;

	(void)suggested;
	*ret = uv_buf_init(c->server->read_buffer, HTTP_READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
	struct connection *c = stream->data;

	if (c->closing || n == 0)
		return;
	if (n == UV_EOF)
		connection_eof(c);
	else if (n < 0)
		connection_drop(c);
	else if (c->tls)
		tls_input(c, (struct str){b->base, (size_t)n});
	else
		connection_input(c, (struct str){b->base, (size_t)n});
}

void connection_update_reading(struct connection *c)
{
	bool waits = c->rq && is_with_handler(c->rq);
	bool full = (waits && c->in.n >= HTTP_BACKLOG_BYTES) || (c->tls && c->out.writing && tls_records(c->tls)->n >= HTTP_BACKLOG_BYTES);
	bool want = !c->eof && !full;

	if (c->closing || want == c->reading)
		return;
	c->reading = want;
	if (!want)
		uv_read_stop((uv_stream_t *)&c->tcp);
	else if (uv_read_start((uv_stream_t *)&c->tcp, on_allocate, on_read) < 0)
		connection_drop(c);
}

/* --- the end --- */

static void maybe_free(struct connection *c)
{
	struct http_server *s = c->server;

	if (!c->closed || c->rq || c->deferred || c->busy)
		return;
	/* Waiting for nothing, it only has to leave its list. */
	*(c->previous ? &c->previous->next : &s->waits[c->wait].first) = c->next;
	*(c->next ? &c->next->previous : &s->waits[c->wait].last) = c->previous;
	if (c->over_limit)
		s->refused--;
	tls_session_free(c->tls);
	buf_free(&c->in);
	free(c);
	server_connection_freed(s);
}

static void on_closed(uv_handle_t *h)
{
	struct connection *c = h->data;

	c->closed = true;
	output_free(c);
	maybe_free(c);
}

static void begin_close(struct connection *c)
{
	struct request *rq = c->rq;

	c->closing = true;
	server_wait(c, WAIT_NOTHING);
	buf_free(&c->in);
	if (!rq)
		return;
	if (!is_with_handler(rq) && !c->busy) {
		free_request(c);
		return;
	}
	rq->pub.client_gone = true;
	server_defer(c);
}

void connection_drop(struct connection *c)
{
	if (c->closing)
		return;
	begin_close(c);
	uv_close((uv_handle_t *)&c->tcp, on_closed);
}

void connection_reset(struct connection *c)
{
	if (c->closing)
		return;
	begin_close(c);
	if (uv_tcp_close_reset(&c->tcp, on_closed) < 0)
		uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
	struct connection *c = shutdown->data;

	if (status < 0 && !c->closing)
		connection_drop(c);
}

/* Closing a socket with unread bytes would make the kernel take the answer back: they are read and thrown away for a while. */
static void close_gracefully(struct connection *c, bool linger)
{
	if (c->tls && !c->out.writing) {
		tls_goodbye(c->tls);
		output_flush_tls(c);
	}
	if (c->closing)
		return;
	if (c->eof || (!linger && !c->out.writing)) {
		connection_drop(c);
		return;
	}
	c->lingering = true;
	buf_free(&c->in);
	server_wait(c, WAIT_LINGER);
	c->shutdown.data = c;
	if (uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, on_shutdown) < 0)
		connection_drop(c);
	else
		connection_update_reading(c);
}

void connection_flushed(struct connection *c)
{
	if (c->refusing) {
		c->refusing = false;
		close_gracefully(c, true);
	} else if (c->rq) {
		reply_flushed(c->rq);
	}
}

void connection_turn(struct connection *c)
{
	struct request *rq = c->rq;
	struct http_handlers *handlers = &c->server->handlers;

	if (rq && rq->pub.client_gone && !rq->ended && !rq->told && is_with_handler(rq)) {
		rq->told = true;
		if (handlers->lost)
			handlers->lost(&rq->pub, handlers->arg);
	}
	if (rq && rq->written && (rq->written_due || rq->pub.client_gone)) {
		void (*written)(struct http_request *, void *) = rq->written;

		rq->written = NULL;
		rq->written_due = false;
		written(&rq->pub, rq->written_arg);
	}
	if (rq && is_over(rq)) {
		end_request(c);
		/* What came meanwhile is next. */
		if (takes_bytes(c))
			connection_input(c, STR_NULL);
	}
	maybe_free(c);
}

void connection_timed_out(struct connection *c)
{
	struct http_counters *counters = c->server->counters;
	enum http_wait wait = c->wait;

	if (wait == WAIT_WRITE && output_moved(c)) {
		server_wait(c, WAIT_WRITE);
		return;
	}
	if (wait == WAIT_HEAD && c->scan.seen == 0 && !c->in.n) {
		connection_drop(c);
		return;
	}
	if (wait != WAIT_IDLE && wait != WAIT_LINGER)
		server_count(&counters->dropped_slow, 1);
	server_wait(c, WAIT_NOTHING);
	if (wait == WAIT_WRITE)
		connection_reset(c);
	else if (wait == WAIT_IDLE || wait == WAIT_LINGER)
		connection_drop(c);
	else
		refuse(c, 408, NULL);
}

bool connection_is_idle(const struct connection *c)
{
	return !c->rq && !c->in.n && !c->refusing && !c->lingering && !c->out.pending;
}

/* --- the beginning --- */

static void note_peer(struct connection *c)
{
	struct sockaddr_storage a = {0};
	int n = sizeof(a);

	if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&a, &n) < 0)
		return;
	if (a.ss_family == AF_INET) {
		uv_ip4_name((struct sockaddr_in *)&a, c->peer, sizeof(c->peer));
	} else if (a.ss_family == AF_INET6) {
		const struct sockaddr_in6 *six = (struct sockaddr_in6 *)&a;

		if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
			uv_inet_ntop(AF_INET, six->sin6_addr.s6_addr + 12, c->peer, sizeof(c->peer));
		else
			uv_ip6_name(six, c->peer, sizeof(c->peer));
	}
}

static void append_to_list(struct connection *c)
{
	struct wait_list *list = &c->server->waits[WAIT_NOTHING];

	c->previous = list->last;
	*(list->last ? &list->last->next : &list->first) = c;
	list->last = c;
}

/* Over the limit, or the server is closing. */
static void turn_away(struct connection *c)
{
	struct http_server *s = c->server;

	server_count(&s->counters->refused_full, 1);
	s->refused++;
	c->over_limit = true;
	if (c->tls || s->refused > REFUSED_AT_ONCE)
		connection_drop(c);
	else
		reply_refuse(c, 503, "too many connections");
}

void connection_accept(struct http_server *s)
{
	struct connection *c = calloc(1, sizeof(*c));
	bool full = s->open - s->refused >= s->limits.connections;

	/* A connection that is not accepted would stop the listener for good. */
	if (!c)
		abort();
	c->server = s;
	c->in = BUF(s->limits.header_bytes + 4 * HTTP_READ_BYTES);
	c->tcp.data = c;
	uv_tcp_init(loop_uv(s->loop), &c->tcp);
	append_to_list(c);
	s->open++;
	server_count(&s->counters->connections_open, 1);
	server_count(&s->counters->connections_total, 1);
	if (uv_accept((uv_stream_t *)&s->listener, (uv_stream_t *)&c->tcp) < 0) {
		connection_drop(c);
		return;
	}
	uv_tcp_nodelay(&c->tcp, 1);
	note_peer(c);
	if (s->tls && !(c->tls = tls_session_new(s->tls))) {
		connection_drop(c);
		return;
	}
	server_wait(c, WAIT_HEAD);
	if (full)
		turn_away(c);
	connection_update_reading(c);
}
