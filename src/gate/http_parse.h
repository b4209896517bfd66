/* Bytes of a connection -> requests. Pure: no socket, no clock; http_connection.c feeds it, fuzz_http.c as well.
 *
 * A head is first scanned for its end and for what llhttp 8.1 lets through although RFC 9112 forbids it (bare CR, folded
 * lines), then handed to llhttp in strict mode in one piece, so that every text is a slice of the head. llhttp also decodes
 * chunks. Refusals are HTTP status codes. */
#ifndef BONDGATE_GATE_HTTP_PARSE_H
#define BONDGATE_GATE_HTTP_PARSE_H

#include <llhttp.h>

#include "gate/http.h"

enum { HTTP_MAX_HEADERS = 128 };

/* How far the search for the end of a head has come. All zero at the start of a request. */
struct http_scan {
	size_t line, seen; /* where the present line starts; up to where it was looked at */
	unsigned lines;    /* complete lines before it */
};

/* `bytes` begin with the first byte of the request (empty lines in front of it are skipped by the caller) and grow from call
 * to call. 0: more is needed; 1: the head is `*ret_length` bytes long with the empty line; else the status to refuse with. */
int http_scan_head(struct http_scan *s, struct str bytes, const struct http_limits *limits, size_t *ret_length);

struct http_message {
	struct str method, target, path, query;
	struct http_header *headers; /* given by the caller, with room for `header_max` */
	size_t header_count, header_max;
	bool http10;     /* HTTP/1.0 */
	bool keep_alive; /* the client wants to use the connection further */
	bool chunked, expects_continue;
	uint64_t content_length; /* of the body still to come; unknown (0) when chunked */
	const char *why;         /* why it was refused, for people; static, JSON-safe */
	/* the rest is http_parse.c's */
	llhttp_t parser;
	enum { AT_TARGET, AT_NAME, AT_VALUE, AT_VALUE_END, AT_BODY, AT_END } at;
	struct str span;  /* the piece of the head that llhttp is reporting */
	size_t framing;   /* bytes of chunk sizes and the like */
	size_t limit;     /* bytes that the body may have */
	struct buf *body; /* where it goes */
	int refused;
};

/* `head` is complete as http_scan_head found it and stays in place as long as the message. 0, or the status to refuse with. */
int http_parse_head(struct http_message *m, struct str head, const struct http_limits *limits);

static inline bool http_has_body(const struct http_message *m)
{
	return m->chunked || m->content_length > 0;
}

/* The next piece of the body is appended to `body`, at most `limit` bytes in all. `*ret_used` bytes of `bytes` belonged to it.
 * 0: more is to come; 1: complete; else the status to refuse with. */
int http_parse_body(struct http_message *m, struct str bytes, size_t limit, struct buf *body, size_t *ret_used);

#endif
