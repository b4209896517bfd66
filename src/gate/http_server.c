#include <arpa/inet.h>
#include <assert.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "base/limits.h"
#include "gate/http_connection.h"

enum { SERVER_MAGIC = 0x48545350, BACKLOG = 1024, LINGER_MS = 2000, COARSE_MS = 10 };

struct http_limits http_default_limits(void)
{
	return (struct http_limits){
		.connections = 4096,
		.header_bytes = LIMIT_HEADER_BYTES,
		.target_bytes = LIMIT_TARGET_BYTES,
		.head_timeout = 15 * USEC_SECOND,
		.body_timeout = 30 * USEC_SECOND,
		.idle_timeout = 75 * USEC_SECOND,
		.write_timeout = 60 * USEC_SECOND,
	};
}

struct str http_get(const struct http_request *rq, struct str name)
{
	for (size_t i = 0; i < rq->header_count; i++)
		if (str_eq_nocase(rq->headers[i].name, name))
			return rq->headers[i].value;
	return STR("");
}

/* --- waiting --- */

static void list_remove(struct connection *c)
{
	struct wait_list *list = &c->server->waits[c->wait];

	*(c->previous ? &c->previous->next : &list->first) = c->next;
	*(c->next ? &c->next->previous : &list->last) = c->previous;
}

static void list_append(struct connection *c, enum http_wait kind)
{
	struct wait_list *list = &c->server->waits[kind];

	c->wait = kind;
	c->next = NULL;
	c->previous = list->last;
	*(list->last ? &list->last->next : &list->first) = c;
	list->last = c;
}

static void on_timer(uv_timer_t *timer);

static void arm(struct http_server *s, uint64_t deadline)
{
	uint64_t now = uv_now(loop_uv(s->loop));

	if (s->timer_at && s->timer_at <= deadline)
		return;
	/* A little late is fine, and lets many deadlines share a wake-up. */
	s->timer_at = deadline > now + COARSE_MS ? deadline : now + COARSE_MS;
	uv_timer_start(&s->timer, on_timer, s->timer_at - now, 0);
}

void server_wait(struct connection *c, enum http_wait kind)
{
	struct http_server *s = c->server;

	list_remove(c);
	list_append(c, kind);
	if (kind == WAIT_NOTHING)
		return;
	c->deadline = uv_now(loop_uv(s->loop)) + s->waits[kind].ms;
	arm(s, c->deadline);
}

static void drop_all(struct http_server *s)
{
	for (int kind = 0; kind < WAIT_KINDS; kind++)
		for (struct connection *c = s->waits[kind].first, *next; c; c = next) {
			next = c->next;
			connection_drop(c);
		}
}

static void on_timer(uv_timer_t *timer)
{
	struct http_server *s = timer->data;
	uint64_t now = uv_now(loop_uv(s->loop)), next = UINT64_MAX;

	s->timer_at = 0;
	if (s->closing_at && now >= s->closing_at) {
		s->closing_at = 0;
		drop_all(s);
	}
	for (int kind = WAIT_NOTHING + 1; kind < WAIT_KINDS; kind++) {
		struct connection *c;

		while ((c = s->waits[kind].first) && c->deadline <= now)
			connection_timed_out(c);
		if (c && c->deadline < next)
			next = c->deadline;
	}
	if (s->closing_at && s->closing_at < next)
		next = s->closing_at;
	if (next != UINT64_MAX && !uv_is_closing((uv_handle_t *)&s->timer))
		arm(s, next);
}

/* --- deferred turns --- */

static void on_turn(uv_idle_t *turn)
{
	struct http_server *s = turn->data;
	struct connection *c = s->deferred_first;

	s->deferred_first = NULL;
	s->deferred_last = &s->deferred_first;
	uv_idle_stop(turn);
	while (c) {
		struct connection *next = c->next_deferred;

		c->deferred = false;
		connection_turn(c);
		c = next;
	}
}

void server_defer(struct connection *c)
{
	struct http_server *s = c->server;

	if (c->deferred)
		return;
	c->deferred = true;
	c->next_deferred = NULL;
	*s->deferred_last = c;
	s->deferred_last = &c->next_deferred;
	uv_idle_start(&s->turn, on_turn);
}

/* --- the Date header --- */

const char *server_date(struct http_server *s)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	uint64_t now = uv_now(loop_uv(s->loop));
	time_t seconds;
	struct tm tm;

	if (s->date_at && now - s->date_at < 500)
		return s->date;
	s->date_at = now ? now : 1;
	seconds = (time_t)(time_now() / USEC_SECOND);
	gmtime_r(&seconds, &tm);
	/* By hand, because strftime would follow the locale; the remainders show the compiler how wide it gets. */
	snprintf(s->date, sizeof(s->date), "%s, %02u %s %04u %02u:%02u:%02u GMT", days[tm.tm_wday % 7], (unsigned)tm.tm_mday % 100,
	         months[tm.tm_mon % 12], (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
	         (unsigned)tm.tm_sec % 100);
	return s->date;
}

/* --- listening --- */

static int split_address(const char *address, struct str *ret_host, struct str *ret_port)
{
	struct str text = str_of(address);
	ptrdiff_t colon = str_rchr(text, ':');
	uint64_t port;

	if (colon <= 0 || str_to_u64(str_skip(text, (size_t)colon + 1), &port) < 0 || port > 65535)
		return -EINVAL;
	*ret_host = str_take(text, (size_t)colon);
	*ret_port = str_skip(text, (size_t)colon + 1);
	if (ret_host->p[0] == '[') {
		if (!str_ends(*ret_host, STR("]")))
			return -EINVAL;
		*ret_host = str_range(ret_host->p + 1, ret_host->p + ret_host->n - 1);
	}
	return ret_host->n ? 0 : -EINVAL;
}

/* A bound socket, or negative errno. */
static int bind_socket(const struct addrinfo *a)
{
	CLEANUP_FD int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0 ||
	    bind(fd, a->ai_addr, a->ai_addrlen) < 0)
		return -errno;
	on = fd;
	fd = -1;
	return on;
}

/* SO_REUSEPORT would let another process of the same user share the address in silence; without it the kernel says so. */
static int alone(const struct addrinfo *a)
{
	CLEANUP_FD int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 || bind(fd, a->ai_addr, a->ai_addrlen) < 0)
		return -errno;
	return 0;
}

static int open_address(const char *address, bool exclusive, int *ret_fd, struct err *err)
{
	CLEANUP_FREE char *host = NULL, *port = NULL;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *found;
	struct str host_text, port_text;
	int r;

	if (split_address(address, &host_text, &port_text) < 0)
		return err_set(err, -EINVAL, "cannot listen on '%s': write it as 127.0.0.1:4873 or [::1]:4873", address);
	host = str_dup(host_text);
	port = str_dup(port_text);
	if (!host || !port)
		return err_set(err, -ENOMEM, "out of memory");
	r = getaddrinfo(host, port, &hints, &found);
	if (r != 0)
		return err_set(err, -EADDRNOTAVAIL, "cannot listen on %s: %s", address, gai_strerror(r));
	r = exclusive ? alone(found) : 0;
	if (r == 0)
		r = bind_socket(found);
	freeaddrinfo(found);
	if (r < 0)
		return err_set(err, r, "cannot listen on %s: %s", address, err_name(r));
	*ret_fd = r;
	return 0;
}

static void note_address(struct http_server *s, int fd)
{
	struct sockaddr_storage a = {0};
	socklen_t n = sizeof(a);
	char host[INET6_ADDRSTRLEN] = "";

	getsockname(fd, (struct sockaddr *)&a, &n);
	if (a.ss_family == AF_INET6) {
		struct sockaddr_in6 *six = (struct sockaddr_in6 *)&a;

		uv_ip6_name(six, host, sizeof(host));
		snprintf(s->address, sizeof(s->address), "[%s]:%u", host, ntohs(six->sin6_port));
	} else {
		struct sockaddr_in *four = (struct sockaddr_in *)&a;

		uv_ip4_name(four, host, sizeof(host));
		snprintf(s->address, sizeof(s->address), "%s:%u", host, ntohs(four->sin_port));
	}
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct http_server *s = listener->data;

	if (status == 0)
		connection_accept(s);
}

static void free_server(struct http_server *s)
{
	http_tls_unref(s->tls);
	buf_free(&s->head);
	free(s->read_buffer);
	free(s->plain_buffer);
	s->magic = 0;
	free(s);
}

static void maybe_done(struct http_server *s)
{
	void (*done)(void *arg) = s->done;
	void *arg = s->done_arg;

	if (s->open || s->handles)
		return;
	free_server(s);
	if (done)
		done(arg);
}

static void on_handle_closed(uv_handle_t *h)
{
	struct http_server *s = h->data;

	s->handles--;
	maybe_done(s);
}

static void close_handles(struct http_server *s)
{
	uv_handle_t *handles[] = {(uv_handle_t *)&s->timer, (uv_handle_t *)&s->turn};

	for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++)
		if (!uv_is_closing(handles[i]))
			uv_close(handles[i], on_handle_closed);
}

void server_connection_freed(struct http_server *s)
{
	s->open--;
	server_count(&s->counters->connections_open, (uint64_t)-1);
	if (s->closing && !s->open) {
		close_handles(s);
		maybe_done(s);
	}
}

static void set_waits(struct http_server *s)
{
	const struct http_limits *l = &s->limits;
	const usec lengths[WAIT_KINDS] = {
		[WAIT_HEAD] = l->head_timeout,   [WAIT_BODY] = l->body_timeout,    [WAIT_IDLE] = l->idle_timeout,
		[WAIT_WRITE] = l->write_timeout, [WAIT_LINGER] = LINGER_MS * 1000,
	};

	for (int kind = 0; kind < WAIT_KINDS; kind++)
		s->waits[kind].ms = (uint64_t)(lengths[kind] + 999) / 1000;
	/* Node's agents take the hint and do not use a connection in the second in which it is closed. */
	snprintf(s->keep_alive, sizeof(s->keep_alive), "connection: keep-alive\r\nkeep-alive: timeout=%lld\r\n",
	         (long long)(l->idle_timeout / USEC_SECOND));
}

static struct http_server *new_server(struct loop *l, struct http_tls *tls)
{
	struct http_server *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->magic = SERVER_MAGIC;
	s->loop = l;
	s->head = BUF(256 * KIB);
	s->deferred_last = &s->deferred_first;
	s->tls = http_tls_ref(tls);
	s->read_buffer = malloc(HTTP_READ_BYTES);
	s->plain_buffer = malloc(HTTP_READ_BYTES);
	if (s->read_buffer && s->plain_buffer)
		return s;
	free_server(s);
	return NULL;
}

int http_listen(struct loop *l, const char *address, struct http_tls *tls, const struct http_limits *limits,
                const struct http_handlers *handlers, struct http_counters *counters, struct http_server **ret, struct err *err)
{
	CLEANUP_FD int fd = -1;
	struct http_server *s;
	int r = open_address(address, limits->exclusive, &fd, err);

	if (r < 0)
		return r;
	s = new_server(l, tls);
	if (!s)
		return err_set(err, -ENOMEM, "out of memory");
	s->limits = *limits;
	s->handlers = *handlers;
	s->counters = counters;
	set_waits(s);
	uv_timer_init(loop_uv(l), &s->timer);
	uv_idle_init(loop_uv(l), &s->turn);
	uv_tcp_init(loop_uv(l), &s->listener);
	s->timer.data = s->turn.data = s->listener.data = s;
	s->handles = 3;
	r = uv_tcp_open(&s->listener, fd);
	if (r == 0) {
		uv_tcp_simultaneous_accepts(&s->listener, 1);
		note_address(s, fd);
		fd = -1;
		r = uv_listen((uv_stream_t *)&s->listener, BACKLOG, on_connection);
	}
	if (r < 0) {
		http_close(s, 0, NULL, NULL);
		return err_set(err, r, "cannot listen on %s: %s", address, uv_strerror(r));
	}
	*ret = s;
	return 0;
}

const char *http_address(const struct http_server *s)
{
	return s->address;
}

void http_set_tls(struct http_server *s, struct http_tls *tls)
{
	struct http_tls *old = s->tls;

	s->tls = http_tls_ref(tls);
	http_tls_unref(old);
}

void http_close(struct http_server *s, usec grace, void (*done)(void *arg), void *arg)
{
	assert(s->magic == SERVER_MAGIC && !s->closing);
	s->closing = true;
	s->done = done;
	s->done_arg = arg;
	uv_close((uv_handle_t *)&s->listener, on_handle_closed);
	for (int kind = 0; kind < WAIT_KINDS; kind++)
		for (struct connection *c = s->waits[kind].first, *next; c; c = next) {
			next = c->next;
			if (connection_is_idle(c))
				connection_drop(c);
		}
	if (!s->open) {
		close_handles(s);
		return;
	}
	s->closing_at = uv_now(loop_uv(s->loop)) + (grace > 0 ? (uint64_t)grace / 1000 : 0);
	arm(s, s->closing_at);
}
