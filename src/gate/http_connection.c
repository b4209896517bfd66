#include "gate/http_connection.h"

#include <stdlib.h>

/* Connections over the limit that get a 503 with its time to be read; more than these are just closed. */
enum { REFUSED_AT_ONCE = 64 };

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
	bool waits = c->rq && request_is_with_handler(c->rq);
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

void connection_maybe_free(struct connection *c)
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
	connection_maybe_free(c);
}

static void begin_close(struct connection *c)
{
	struct request *rq = c->rq;

	c->closing = true;
	server_wait(c, WAIT_NOTHING);
	buf_free(&c->in);
	if (!rq)
		return;
	if (!request_is_with_handler(rq) && !c->busy) {
		request_free(c);
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

void connection_finish(struct connection *c, bool linger)
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

void connection_refuse(struct connection *c, int status, const char *why)
{
	server_count(&c->server->counters->bad_requests, 1);
	request_free(c);
	reply_refuse(c, status, why);
}

void connection_flushed(struct connection *c)
{
	if (c->refusing) {
		c->refusing = false;
		connection_finish(c, true);
	} else if (c->rq) {
		reply_flushed(c->rq);
	}
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
		connection_refuse(c, 408, NULL);
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
