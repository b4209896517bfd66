/* The HTTP/1.1 server: llhttp on libuv, TLS by OpenSSL, keep-alive and pipelining, limits on everything, slow clients
 * dropped. One server a loop; several loops share the address by SO_REUSEPORT. It knows no package.
 *
 * Life of a request: body_limit() when its head is complete, request() when its body is, then exactly one reply, and gone()
 * as the last call, whatever happened. Between request() and gone() the handler may keep the pointer. All calls are on the
 * request's loop. Pipelined requests are handed out one after the other.
 *
 * When the client is lost, client_gone is set, a `written` that is owed is called, and gone() follows in the loop's next turn,
 * reply or not; after gone() the request must not be touched. gone() never comes from within request() or a reply function. A
 * request whose body is refused or never completes sees body_limit() and gone(), without request(). */
#ifndef BONDGATE_GATE_HTTP_H
#define BONDGATE_GATE_HTTP_H

#include "base/arena.h"
#include "gate/blob.h"
#include "gate/loop.h"

struct http_header {
	struct str name, value;
};

struct http_request {
	struct loop *loop;
	struct arena *arena; /* freed after gone() */
	struct str method;   /* "GET" */
	struct str target;   /* as sent: "/npm/@scope%2fname?write=true" */
	struct str path;     /* up to the '?', not decoded; always starts with '/' */
	struct str query;    /* after the '?', or empty */
	const struct http_header *headers;
	size_t header_count;
	struct str body; /* complete, content-encoding not undone */
	struct str peer; /* "127.0.0.1" or "::1", without port */
	bool tls;
	bool head;        /* HEAD: a reply's body is counted and not sent (the server sees to it) */
	bool client_gone; /* the connection is lost: replying does nothing, gone() follows */
	void *user;       /* the handler's own */
};

struct http_handlers {
	/* The most bytes of body that this request may have; 0: none. More is answered 413 by the server. Runs before the body is
	 * read. A handler may also reply here at once (then request() is not called). */
	size_t (*body_limit)(struct http_request *rq, void *arg);
	void (*request)(struct http_request *rq, void *arg);
	void (*gone)(struct http_request *rq, void *arg);
	void *arg;
};

struct http_limits {
	size_t connections;  /* at once on this server; past it new ones get 503 and are closed */
	size_t header_bytes; /* LIMIT_HEADER_BYTES; 431 past it */
	size_t target_bytes; /* 414 past it */
	bool exclusive;      /* refuse an address that something else listens on (not for the 2nd, 3rd … server of one process) */
	usec head_timeout;   /* from the first byte of a request to the end of its head */
	usec body_timeout;   /* between two pieces of a body */
	usec idle_timeout;   /* keep-alive connection with nothing to do */
	usec write_timeout;  /* a client that takes no byte for so long is dropped */
};
struct http_limits http_default_limits(void);

/* Counters for /-/metrics, added up over all servers by the caller. */
struct http_counters {
	_Atomic uint64_t connections_open, connections_total, requests, replies[6] /* by status / 100 */, bytes_out, dropped_slow, refused_full,
		bad_requests;
};

struct http_tls; /* certificate and key; several servers share one; counted */
int http_tls_load(const char *certificate_file, const char *key_file, struct http_tls **ret, struct err *err);
struct http_tls *http_tls_ref(struct http_tls *t);
void http_tls_unref(struct http_tls *t);

struct http_server;
/* Listens on `address` ("127.0.0.1:4873", "[::1]:0"). `tls` may be NULL. `counters` outlives the server. */
int http_listen(struct loop *l, const char *address, struct http_tls *tls, const struct http_limits *limits,
                const struct http_handlers *handlers, struct http_counters *counters, struct http_server **ret, struct err *err);
/* "127.0.0.1:4873" with the real port. */
const char *http_address(const struct http_server *s);
/* New connections use the new certificate. On the loop. */
void http_set_tls(struct http_server *s, struct http_tls *tls);
/* On the loop: stops accepting, closes idle connections at once, the others after their present reply or after `grace`;
 * done(arg) when the last is closed and the server is freed. */
void http_close(struct http_server *s, usec grace, void (*done)(void *arg), void *arg);

/* The value of a header (any case), or an empty text. */
struct str http_get(const struct http_request *rq, struct str name);

/* --- replies; each may be called from within request() or later, on the loop --- */

struct http_reply {
	int status;
	struct str reason;  /* the reason phrase; empty: the standard one. Bytes outside 0x20..0x7e become '?', cut to 200 */
	struct str headers; /* ready lines "name: value\r\n"…; the server adds date, content-length, connection */
};

/* The whole answer at once. `body` is referenced until it is sent; NULL: empty. */
void http_reply_blob(struct http_request *rq, const struct http_reply *reply, struct blob *body);
/* Copies `body`. */
void http_reply_text(struct http_request *rq, const struct http_reply *reply, struct str body);

/* Piece by piece: the head with the length, then pieces one at a time (the next one only after `written` was called; the
 * memory stays the caller's and unchanged until then), then the end. Cutting short by http_reply_abort closes the connection
 * so that no client takes the answer for whole (allowed at any time before the end, also while a piece is under way, whose
 * `written` is then not called and whose memory is free again). After a lost connection `written` is still called
 * (rq->client_gone is true). */
void http_reply_start(struct http_request *rq, const struct http_reply *reply, uint64_t content_length);
void http_reply_write(struct http_request *rq, const void *bytes, size_t n, void (*written)(struct http_request *rq, void *arg), void *arg);
void http_reply_end(struct http_request *rq);
void http_reply_abort(struct http_request *rq);

#endif
