#include "gate/http_parse.h"

#include "base/limits.h"

static const char ONLY_HTTP_1[] = "only HTTP/1.1 and HTTP/1.0 are spoken";

static int refuse(struct http_message *m, int status, const char *why)
{
	m->why = why;
	return status;
}

/* Incomplete: is it already too much? */
static int check_length(const struct http_scan *s, size_t n, const struct http_limits *limits)
{
	enum { METHOD_AND_VERSION_BYTES = 32 };

	if (s->lines == 0 && n > limits->target_bytes + METHOD_AND_VERSION_BYTES)
		return 414;
	return n > limits->header_bytes ? 431 : 0;
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

int http_scan_head(struct http_scan *s, struct str bytes, const struct http_limits *limits, size_t *ret_length)
{
	const char *p = bytes.p;

	/* A client that speaks TLS or another protocol learns it at once, not after a time-out. */
	if (bytes.n && !is_letter(p[0]) && p[0] != '\r')
		return 400;
	for (;;) {
		const char *cr = memchr(p + s->seen, '\r', bytes.n - s->seen);
		size_t end = cr ? (size_t)(cr - p) : bytes.n;

		if (memchr(p + s->seen, '\n', end - s->seen))
			return 400;
		s->seen = end;
		if (s->lines > 0 && end > s->line && (p[s->line] == ' ' || p[s->line] == '\t'))
			return 400;
		if (end + 1 >= bytes.n)
			return check_length(s, bytes.n, limits);
		if (p[end + 1] != '\n')
			return 400;
		if (end == s->line)
			break;
		if (check_length(s, end, limits))
			return check_length(s, end, limits);
		if (++s->lines > HTTP_MAX_HEADERS + 1)
			return 431;
		s->line = s->seen = end + 2;
	}
	if (s->lines == 0)
		return 400;
	if (s->line > limits->header_bytes)
		return 431;
	*ret_length = s->line + 2;
	return 1;
}

/* --- what llhttp reports ---
 *
 * The head is one piece of memory, so the parts of a text that llhttp reports one after the other touch each other. */

static void extend(struct str *s, const char *at, size_t n)
{
	if (!s->p)
		s->p = at;
	s->n = (size_t)(at + n - s->p);
}

static int on_url(llhttp_t *parser, const char *at, size_t n)
{
	struct http_message *m = parser->data;

	extend(&m->target, at, n);
	return 0;
}

static int on_name(llhttp_t *parser, const char *at, size_t n)
{
	struct http_message *m = parser->data;

	/* Trailers: nobody sends them to a registry, and what they mean to a front proxy is unclear. */
	if (m->at >= AT_BODY)
		return -1;
	if (m->at != AT_NAME) {
		if (m->header_count == m->header_max)
			return -1;
		m->headers[m->header_count++] = (struct http_header){0};
		m->at = AT_NAME;
	}
	extend(&m->headers[m->header_count - 1].name, at, n);
	return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t n)
{
	struct http_message *m = parser->data;

	/* llhttp lets an empty name pass, for which on_name is not called. */
	if (m->at != AT_VALUE)
		return -1;
	extend(&m->headers[m->header_count - 1].value, at, n);
	return 0;
}

static int on_name_complete(llhttp_t *parser)
{
	struct http_message *m = parser->data;

	/* An empty value is not reported at all; the next name must still count as the next header. */
	if (m->at == AT_NAME)
		m->at = AT_VALUE;
	return 0;
}

static int on_value_complete(llhttp_t *parser)
{
	struct http_message *m = parser->data;

	if (m->at == AT_VALUE)
		m->at = AT_VALUE_END;
	return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
	struct http_message *m = parser->data;

	m->at = AT_BODY;
	m->http10 = parser->http_minor == 0;
	m->keep_alive = !m->http10 && !(parser->flags & F_CONNECTION_CLOSE);
	m->chunked = (parser->flags & F_CHUNKED) != 0;
	m->content_length = m->chunked ? 0 : parser->content_length;
	/* An offer to upgrade may be ignored (RFC 9110, 7.8); without this llhttp would stop. */
	parser->upgrade = 0;
	return 0;
}

static int on_chunk_extension(llhttp_t *parser, const char *at, size_t n)
{
	(void)at;
	(void)n;
	llhttp_set_error_reason(parser, "chunk extensions are not accepted");
	return -1;
}

static int on_body(llhttp_t *parser, const char *at, size_t n)
{
	struct http_message *m = parser->data;

	if (n > m->limit - m->body->n) {
		m->refused = 413;
		return -1;
	}
	buf_add(m->body, at, n);
	m->framing -= n;
	return m->body->error ? -1 : 0;
}

static int on_message_complete(llhttp_t *parser)
{
	struct http_message *m = parser->data;

	m->at = AT_END;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
	.on_url = on_url,
	.on_header_field = on_name,
	.on_header_field_complete = on_name_complete,
	.on_header_value = on_value,
	.on_header_value_complete = on_value_complete,
	.on_headers_complete = on_headers_complete,
	.on_chunk_extension_name = on_chunk_extension,
	.on_body = on_body,
	.on_message_complete = on_message_complete,
};

/* --- the head --- */

/* The target without the origin: absolute form is what proxies get; the path is what matters here (RFC 9112, 3.2). */
static int split_target(struct http_message *m, struct str *ret_authority)
{
	struct str rest = m->target;
	ptrdiff_t mark;

	*ret_authority = STR_NULL;
	for (size_t i = 0; i < rest.n; i++)
		if (rest.p[i] <= ' ' || rest.p[i] > '~' || rest.p[i] == '#')
			return refuse(m, 400, "the target holds a byte that must be escaped");
	if (str_starts_nocase(rest, STR("http://")) || str_starts_nocase(rest, STR("https://"))) {
		size_t end = 0;

		rest = str_skip(rest, (size_t)str_find(rest, STR("://")) + 3);
		while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?')
			end++;
		*ret_authority = str_take(rest, end);
		rest = str_skip(rest, end);
		if (!end)
			return refuse(m, 400, "the target names no host");
	} else if (!str_starts(rest, STR("/"))) {
		return refuse(m, 400, "the target is not a path");
	}
	mark = str_chr(rest, '?');
	m->path = mark < 0 ? rest : str_take(rest, (size_t)mark);
	m->query = mark < 0 ? STR_NULL : str_skip(rest, (size_t)mark + 1);
	if (!m->path.n)
		m->path = STR("/");
	return 0;
}

static int check_method(struct http_message *m, struct str head)
{
	static const struct str known[] = {
		{"GET", 3}, {"HEAD", 4}, {"POST", 4}, {"PUT", 3}, {"DELETE", 6}, {"PATCH", 5}, {"OPTIONS", 7},
	};
	ptrdiff_t space = str_chr(head, ' ');

	m->method = str_take(head, space > 0 ? (size_t)space : 0);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (str_eq(m->method, known[i]))
			return 0;
	for (size_t i = 0; i < m->method.n; i++)
		if (!is_letter(m->method.p[i]) && m->method.p[i] != '-')
			return refuse(m, 400, "no method");
	return m->method.n ? refuse(m, 501, "the method is not known") : refuse(m, 400, "no method");
}

static bool is_host(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_letter(s.p[i]) && !(s.p[i] >= '0' && s.p[i] <= '9') && !memchr(".-_:[]", s.p[i], 6))
			return false;
	return true;
}

/* What the headers say about the message itself. */
static int check_headers(struct http_message *m, struct str authority)
{
	unsigned hosts = 0, lengths = 0, encodings = 0;

	for (size_t i = 0; i < m->header_count; i++) {
		struct http_header *h = &m->headers[i];

		if (!h->name.n)
			return refuse(m, 400, "a header has no name");
		h->value = str_trim(h->value);
		if (str_eq_nocase(h->name, STR("host"))) {
			hosts++;
			if (authority.n)
				h->value = authority;
			if (!is_host(h->value))
				return refuse(m, 400, "the Host header is not a host");
		} else if (str_eq_nocase(h->name, STR("content-length"))) {
			lengths++;
		} else if (str_eq_nocase(h->name, STR("transfer-encoding"))) {
			encodings++;
			if (!str_eq_nocase(h->value, STR("chunked")))
				return refuse(m, 400, "the only transfer encoding that is known is chunked");
		} else if (str_eq_nocase(h->name, STR("expect"))) {
			if (!str_eq_nocase(h->value, STR("100-continue")))
				return refuse(m, 417, "this expectation cannot be met");
			m->expects_continue = !m->http10;
		}
	}
	if (hosts > 1 || (hosts == 0 && !m->http10))
		return refuse(m, 400, "one Host header is needed");
	if (!is_host(authority))
		return refuse(m, 400, "the target's host is not a host");
	if (lengths > 1 || encodings > 1 || (lengths && encodings) || (encodings && m->http10) || m->chunked != (encodings == 1))
		return refuse(m, 400, "the length of the body is ambiguous");
	return 0;
}

static int refuse_by_llhttp(struct http_message *m)
{
	llhttp_errno_t code = llhttp_get_errno(&m->parser);

	if (m->refused)
		return m->refused;
	m->why = llhttp_get_error_reason(&m->parser);
	if (!m->why || strpbrk(m->why, "\"\\"))
		m->why = "malformed";
	return code == HPE_INVALID_VERSION || code == HPE_PAUSED_H2_UPGRADE ? 505 : 400;
}

int http_parse_head(struct http_message *m, struct str head, const struct http_limits *limits)
{
	struct str authority;
	llhttp_errno_t code;
	int r = check_method(m, head);

	if (r == 400)
		return r;
	if (str_eq(m->method, STR("PRI"))) /* the preface of HTTP/2 */
		return refuse(m, 505, ONLY_HTTP_1);
	llhttp_init(&m->parser, HTTP_REQUEST, &settings);
	m->parser.data = m;
	m->at = AT_TARGET;
	/* A method that llhttp does not know has no parse; its answer is known already. */
	code = llhttp_execute(&m->parser, head.p, head.n);
	if (code == HPE_INVALID_METHOD && r)
		return r;
	if (code != HPE_OK && !(code == HPE_PAUSED && m->at == AT_END))
		return refuse_by_llhttp(m);
	if (m->at < AT_BODY)
		return refuse(m, 400, "malformed");
	if (m->parser.http_major != 1 || m->parser.http_minor > 1)
		return refuse(m, 505, ONLY_HTTP_1);
	/* llhttp skips further blanks between the three parts; others cut the line at the first and the last one. */
	if ((size_t)str_chr(head, '\r') != m->method.n + m->target.n + sizeof("  HTTP/1.1") - 1)
		return refuse(m, 400, "the request line has blanks too many");
	if (m->target.n > limits->target_bytes)
		return refuse(m, 414, "the target is too long");
	r = split_target(m, &authority);
	if (r == 0)
		r = check_headers(m, authority);
	return r ? r : check_method(m, head);
}

/* --- the body --- */

static int add_sized(struct http_message *m, struct str bytes, size_t *ret_used)
{
	if (m->content_length > m->limit - m->body->n)
		return 413;
	bytes = str_take(bytes, m->content_length < SIZE_MAX ? (size_t)m->content_length : SIZE_MAX);
	buf_add_str(m->body, bytes);
	if (m->body->error)
		return refuse(m, 503, "out of memory");
	m->content_length -= bytes.n;
	*ret_used = bytes.n;
	return m->content_length == 0;
}

static int add_chunked(struct http_message *m, struct str bytes, size_t *ret_used)
{
	llhttp_errno_t code;

	/* on_body takes from this what is content; the rest is framing, which may be a multiple of the content but not endless. */
	m->framing += bytes.n;
	code = llhttp_execute(&m->parser, bytes.p, bytes.n);
	if (m->body->error)
		return refuse(m, 503, "out of memory");
	if (code == HPE_PAUSED && m->at == AT_END) {
		*ret_used = (size_t)(llhttp_get_error_pos(&m->parser) - bytes.p);
		return 1;
	}
	if (code != HPE_OK)
		return refuse_by_llhttp(m);
	if (m->framing > LIMIT_HEADER_BYTES + 8 * m->body->n)
		return refuse(m, 400, "the chunks are too small");
	*ret_used = bytes.n;
	return 0;
}

int http_parse_body(struct http_message *m, struct str bytes, size_t limit, struct buf *body, size_t *ret_used)
{
	m->limit = limit;
	m->body = body;
	*ret_used = 0;
	return m->chunked ? add_chunked(m, bytes, ret_used) : add_sized(m, bytes, ret_used);
}
