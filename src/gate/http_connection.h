/* What the files of the HTTP server share; nobody else includes it.
 *
 *   http_server.c      listening, waiting lists, deferred turns, closing
 *   http_connection.c  a connection's beginning, its reads, its end
 *   http_request.c     bytes in: from bytes to requests and their handlers
 *   http_output.c      bytes out: windows, TLS records, a client that does not read
 *   http_reply.c       the reply functions of http.h
 *   http_parse.c       the grammar, pure
 *   http_tls.c         records in and out of OpenSSL
 */
#ifndef BONDGATE_GATE_HTTP_CONNECTION_H
#define BONDGATE_GATE_HTTP_CONNECTION_H

#include <netinet/in.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "gate/http_parse.h"

enum {
	HTTP_READ_BYTES = 64 * 1024,    /* one read; the buffer is the server's */
	HTTP_BACKLOG_BYTES = 16 * 1024, /* pipelined bytes past which reading pauses while a request is handled */
	HTTP_WINDOW_BYTES = 256 * 1024, /* one write of a body */
	HTTP_WINDOWS_A_TURN = 4,        /* then the other connections come first */
};

/* What a connection waits for. Each kind has one length, so each list is in the order of its deadlines and only its front
 * needs a look: no timer for each connection. */
enum http_wait { WAIT_NOTHING, WAIT_HEAD, WAIT_BODY, WAIT_IDLE, WAIT_WRITE, WAIT_LINGER, WAIT_KINDS };

struct connection;
struct http_tls_session;

struct wait_list {
	struct connection *first, *last;
	uint64_t ms; /* how long this kind waits */
};

struct http_server {
	unsigned magic;
	struct loop *loop;
	uv_tcp_t listener;
	uv_timer_t timer; /* armed for the earliest deadline only */
	uv_idle_t turn;   /* runs while connections are deferred */
	struct http_limits limits;
	struct http_handlers handlers;
	struct http_counters *counters;
	struct http_tls *tls;
	char address[INET6_ADDRSTRLEN + 10];
	struct wait_list waits[WAIT_KINDS];
	uint64_t timer_at; /* 0: not armed */
	struct connection *deferred_first, **deferred_last;
	size_t open, refused; /* connections; those of them over the limit, which only get their 503 */
	size_t handles;       /* of the server's own that are not closed yet */
	char *read_buffer, *plain_buffer;
	struct buf head; /* the reply head that is being written */
	uint64_t date_at;
	char date[32];
	char keep_alive[64];
	bool closing;
	uint64_t closing_at; /* when the grace ends */
	void (*done)(void *arg);
	void *done_arg;
};

struct output {
	char *head; /* owned */
	size_t head_at, head_n;
	struct str body;   /* what is left of it */
	struct blob *blob; /* what it is part of, or NULL: the caller's */
	uv_write_t write;
	size_t flying; /* plain bytes in `write` */
	size_t queued; /* bytes that the kernel had not taken when we last looked */
	bool writing, pending;
};

struct connection {
	uv_tcp_t tcp;
	uv_shutdown_t shutdown;
	struct http_server *server;
	struct connection *previous, *next; /* in the list of `wait` */
	struct connection *next_deferred;
	enum http_wait wait;
	uint64_t deadline;
	struct request *rq;
	struct http_scan scan;
	struct buf in; /* what no request has taken yet; no memory while there is nothing */
	struct http_tls_session *tls;
	struct output out;
	char peer[INET6_ADDRSTRLEN];
	bool busy; /* take_requests is on the stack */
	bool reading;
	bool eof;      /* the client sends no more */
	bool refusing; /* the server's own last answer is on its way */
	bool over_limit;
	bool lingering;       /* all is sent; what still comes is thrown away */
	bool closing, closed; /* uv_close was called / has ended */
	bool deferred;
};

enum { REQUEST_MAGIC = 0x48525154 };

enum request_stage { REQUEST_HEAD, REQUEST_BODY, REQUEST_HANDED };

struct request {
	struct http_request pub; /* first: the handlers' pointer is this one */
	unsigned magic;
	struct connection *c;
	struct http_message message;
	struct buf body;
	size_t body_limit;
	size_t body_counted; /* of it, in what all bodies together hold */
	enum request_stage stage;
	bool announced; /* body_limit was called, so gone() is owed */
	bool replied, streaming, ended, finished;
	bool keep;    /* the connection lives on after the reply */
	bool no_body; /* HEAD, 204, 304 */
	uint64_t length, sent;
	void (*written)(struct http_request *rq, void *arg);
	void *written_arg;
	bool written_due;
	struct http_header headers[]; /* and behind them the head */
};

/* http_server.c */
void server_wait(struct connection *c, enum http_wait kind);
/* connection_turn(c) runs in the loop's next turn. */
void server_defer(struct connection *c);
const char *server_date(struct http_server *s);
void server_connection_freed(struct http_server *s);
static inline void server_count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* http_connection.c */
void connection_accept(struct http_server *s);
void connection_update_reading(struct connection *c);
/* Everything that was to be sent is with the kernel. */
void connection_flushed(struct connection *c);
/* Nothing more is taken from this connection: `status` goes out and it ends. */
void connection_refuse(struct connection *c, int status, const char *why);
/* The orderly end. Closing a socket with unread bytes would make the kernel take the answer back: with `linger` they are read
 * and thrown away for a while. */
void connection_finish(struct connection *c, bool linger);
/* At once; a request that is being handled sees client_gone. */
void connection_drop(struct connection *c);
/* The same, so that the client cannot take it for an orderly end. */
void connection_reset(struct connection *c);
void connection_timed_out(struct connection *c);
void connection_maybe_free(struct connection *c);
/* Nothing to do and nothing begun? */
bool connection_is_idle(const struct connection *c);
static inline bool connection_takes_bytes(const struct connection *c)
{
	return !c->closing && !c->lingering && !c->refusing;
}

/* http_request.c */
/* Works on what is stored, and on `bytes` behind it. */
void connection_input(struct connection *c, struct str bytes);
void connection_eof(struct connection *c);
/* A deferred turn: what a handler is to be told, and the next request. */
void connection_turn(struct connection *c);
/* The connection's request, if it has one; with gone() if that is owed. */
void request_free(struct connection *c);
/* Does a handler still have it, or is its reply under way? */
static inline bool request_is_with_handler(const struct request *rq)
{
	return rq->stage == REQUEST_HANDED || rq->replied;
}

/* http_reply.c */
/* The server's own answer {"error": why}, after which the connection ends. `why` NULL: the status's phrase. */
void reply_refuse(struct connection *c, int status, const char *why);
struct str http_phrase(int status);
/* What the request has to send is with the kernel. */
void reply_flushed(struct request *rq);

/* http_output.c */
/* Sends both, then connection_flushed() (possibly from within). `head` is copied if it must wait; `body` is the caller's, or
 * part of `blob`, which is referenced. */
void output_send(struct connection *c, struct str head, struct str body, struct blob *blob);
/* A few bytes between replies ("100 Continue"). */
void output_interim(struct connection *c, struct str bytes);
void output_flush_tls(struct connection *c);
/* True when the client took something since the last look. */
bool output_moved(struct connection *c);
void output_free(struct connection *c);

/* http_tls.c */
struct http_tls *http_tls_ref(struct http_tls *t);
struct http_tls_session *tls_session_new(struct http_tls *t);
void tls_session_free(struct http_tls_session *t);
/* Records from the client; plain bytes go to connection_input. */
void tls_input(struct connection *c, struct str records);
/* Encrypts a first part of `plain` and returns its length; -1 on failure. */
ssize_t tls_encrypt(struct http_tls_session *t, struct str plain);
/* Records that wait to be sent; the caller takes the buffer over. */
struct buf *tls_records(struct http_tls_session *t);
struct buf *tls_flying(struct http_tls_session *t);
/* Puts a close_notify among the records. */
void tls_goodbye(struct http_tls_session *t);
bool tls_is_shaking_hands(const struct http_tls_session *t);

#endif
