/* What goes out: the texts of a request, checked and copied, and how curl is set up to send it. */
#include <ctype.h>
#include <unistd.h>

#include "gate/upstream_internal.h"

static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) && !(s.p[i] && strchr("!#$%&'*+-.^_`|~", s.p[i])))
			return false;
	return s.n > 0;
}

bool request_is_field_value(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f)
			return false;
	return true;
}

/* A caller's own header: well formed, not empty, and none that decides how the message is framed or where it goes. */
static bool is_allowed_line(struct str line)
{
	static const char *const ours[] = {"host",
	                                   "connection",
	                                   "content-length",
	                                   "transfer-encoding",
	                                   "te",
	                                   "trailer",
	                                   "upgrade",
	                                   "expect",
	                                   "via",
	                                   "accept-encoding",
	                                   "keep-alive",
	                                   "proxy-authorization",
	                                   "proxy-connection"};
	ptrdiff_t colon = str_chr(line, ':');
	struct str name = str_take(line, colon < 0 ? 0 : (size_t)colon);

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (str_eq_nocase(name, str_of(ours[i])))
			return false;
	return is_token(name) && request_is_field_value(line) && str_trim(str_skip(line, name.n + 1)).n > 0;
}

int request_check(struct fetching *f)
{
	const struct fetch *q = &f->q;
	const struct str values[] = {q->authorization, q->via, q->accept, q->if_none_match, q->if_modified_since, q->content_type};

	if (!is_token(q->method))
		return fetching_fail(f, -EINVAL, "the method is not one");
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		if (!request_is_field_value(values[i]))
			return fetching_fail(f, -EINVAL, "a header to be sent has control bytes in it");
	for (size_t i = 0; i < q->header_count; i++)
		if (!is_allowed_line(q->headers[i]))
			return fetching_fail(f, -EINVAL, "a header to be sent is malformed, empty or not the caller's to set");
	return 0;
}

void request_copy(struct fetching *f, const struct fetch *from)
{
	struct str *headers = ARENA_ARRAY(f->arena, struct str, from->header_count);
	struct fetch *q = &f->q;

	*q = *from;
	q->method = arena_str(f->arena, from->method);
	q->url = arena_str(f->arena, from->url);
	q->authorization = arena_str(f->arena, from->authorization);
	q->via = arena_str(f->arena, from->via);
	q->accept = arena_str(f->arena, from->accept);
	q->if_none_match = arena_str(f->arena, from->if_none_match);
	q->if_modified_since = arena_str(f->arena, from->if_modified_since);
	q->content_type = arena_str(f->arena, from->content_type);
	q->body = arena_str(f->arena, from->body);
	for (size_t i = 0; headers && i < from->header_count; i++)
		headers[i] = arena_str(f->arena, from->headers[i]);
	q->headers = headers;
	q->ca_file = from->ca_file ? arena_str(f->arena, str_of(from->ca_file)).p : NULL;
}

/* --- curl's settings --- */

static void add_line(struct fetching *f, const char *name, struct str value)
{
	struct str line = value.n ? arena_printf(f->arena, "%s: %.*s", name, STR_ARG(value)) : STR_NULL;
	struct curl_slist *lines = line.p ? curl_slist_append(f->lines, line.p) : NULL;

	if (lines)
		f->lines = lines;
	else if (value.n)
		fetching_fail(f, -ENOMEM, "memory is out");
}

/* The origin's own host gets the credentials and whatever else the caller adds; any other host gets neither. */
int request_headers(struct fetching *f)
{
	const struct fetch *q = &f->q;

	curl_slist_free_all(f->lines);
	f->lines = curl_slist_append(NULL, "Expect:");
	add_line(f, "Via", q->via.n ? arena_printf(f->arena, "%.*s, %s", STR_ARG(q->via), f->fetcher->via) : str_of(f->fetcher->via));
	add_line(f, "Accept", q->accept);
	add_line(f, "If-None-Match", q->if_none_match);
	add_line(f, "If-Modified-Since", q->if_modified_since);
	if (q->decode)
		add_line(f, "Accept-Encoding", STR("gzip"));
	if (q->body.n && q->content_type.n)
		add_line(f, "Content-Type", q->content_type);
	else
		f->lines = curl_slist_append(f->lines, "Content-Type:");
	if (f->trust == HOST_ORIGIN) {
		add_line(f, "Authorization", q->authorization);
		for (size_t i = 0; i < q->header_count; i++) {
			struct str name = str_take(q->headers[i], (size_t)str_chr(q->headers[i], ':'));
			struct str copy = arena_str(f->arena, name);

			if (copy.p)
				add_line(f, copy.p, str_trim(str_skip(q->headers[i], name.n + 1)));
		}
	}
	if (arena_failed(f->arena))
		fetching_fail(f, -ENOMEM, "memory is out");
	curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, f->lines);
	return f->failure;
}

static bool may_contact(const struct fetching *f)
{
	return f->proxied || f->trust >= HOST_LISTED;
}

static curl_socket_t on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct fetching *f = arg;

	(void)purpose;
	if (!may_contact(f) && !address_is_public(&address->addr)) {
		f->address_refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Runs on a connection that is used again too, which another fetch may have opened with more trust. */
static int on_connected(void *arg, char *remote, char *local, int remote_port, int local_port)
{
	struct fetching *f = arg;

	(void)local;
	(void)remote_port;
	(void)local_port;
	if (may_contact(f) || address_text_is_public(remote))
		return CURL_PREREQFUNC_OK;
	f->address_refused = true;
	return CURL_PREREQFUNC_ABORT;
}

static void set_method(struct fetching *f)
{
	const struct fetch *q = &f->q;

	if (str_eq(q->method, STR("HEAD"))) {
		curl_easy_setopt(f->easy, CURLOPT_NOBODY, 1L);
	} else if (!str_eq(q->method, STR("GET"))) {
		if (q->body.n || str_eq(q->method, STR("PUT")) || str_eq(q->method, STR("POST"))) {
			curl_easy_setopt(f->easy, CURLOPT_POST, 1L);
			curl_easy_setopt(f->easy, CURLOPT_POSTFIELDS, q->body.p ? q->body.p : "");
			curl_easy_setopt(f->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.n);
		}
		curl_easy_setopt(f->easy, CURLOPT_CUSTOMREQUEST, q->method.p);
		/* On a connection that turns out to be dead curl sends a request again. Writes must not be sent twice unseen. */
		curl_easy_setopt(f->easy, CURLOPT_FRESH_CONNECT, 1L);
	}
}

long request_ms(usec duration)
{
	return duration <= 0 ? 1 : (long)((duration + 999) / 1000);
}

/* libcurl shares the parsed authorities between connections, but only if they come from one file and no folder besides; otherwise each
 * connection costs a megabyte and the time to read some hundred certificates. The folder holds the same ones as the system's file, and
 * with a file of the policy's own it must not count at all. */
static void set_authorities(struct fetching *f)
{
	const char *built_in = curl_version_info(CURLVERSION_NOW)->cainfo;

	if (f->q.ca_file)
		curl_easy_setopt(f->easy, CURLOPT_CAINFO, f->q.ca_file);
	if (f->q.ca_file || (built_in && access(built_in, R_OK) == 0))
		curl_easy_setopt(f->easy, CURLOPT_CAPATH, NULL);
}

void request_settings(struct fetching *f)
{
	const struct fetcher_limits *limits = &f->fetcher->limits;
	CURL *e = f->easy;

	curl_easy_setopt(e, CURLOPT_PRIVATE, f);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, f->curl_error);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)(limits->http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
	curl_easy_setopt(e, CURLOPT_PIPEWAIT, limits->http2 ? 1L : 0L);
	curl_easy_setopt(e, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "bondgate/" BONDGATE_VERSION);
	curl_easy_setopt(e, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	set_authorities(f);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, request_ms(limits->connect_timeout));
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (request_ms(limits->stall_timeout) + 999) / 1000);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_BUFFERSIZE, 64 * 1024L);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, f);
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_connected);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, f);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, answer_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, f);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, answer_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, f);
	set_method(f);
}
