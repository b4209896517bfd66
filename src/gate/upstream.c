/* The life of a fetch: checked, started, followed through redirects, and ended exactly once. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/limits.h"
#include "gate/upstream_internal.h"

int fetching_fail(struct fetching *f, int code, const char *format, ...)
{
	char text[400];
	va_list args;

	if (f->failure)
		return f->failure;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	f->failure = code;
	err_set(&f->err, code, "%s", text);
	return code;
}

static void fetching_free(struct fetching *f)
{
	if (f->in_multi)
		curl_multi_remove_handle(f->fetcher->multi, f->easy);
	curl_easy_cleanup(f->easy);
	curl_slist_free_all(f->lines);
	curl_url_cleanup(f->url);
	gunzip_free(f->gunzip);
	buf_free(&f->held);
	arena_free(f->arena);
	free(f);
}

static void finish(struct fetching *f, int code)
{
	struct fetch_result result = {.code = code, .status = f->head_given ? f->answer.status : 0, .bytes = f->bytes};

	f->finished = true;
	if (f->next)
		f->next->back = f->back;
	*f->back = f->next;
	if (code < 0) {
		char shown[URL_SHOWN] = "";

		if (f->url)
			url_show(f->url, shown);
		result.err = f->err;
		err_prefix(&result.err, "cannot fetch %s", *shown ? shown : "from the upstream");
		result.err.code = code;
	}
	if (f->q.on_done)
		f->q.on_done(f->q.arg, &result);
	if (f->fetcher->inside || f->queued)
		upstream_queue(f);
	else
		fetching_free(f);
}

static void finish_with_failure(struct fetching *f)
{
	finish(f, f->failure);
}

/* --- what may be sent --- */

static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]) && !(s.p[i] && strchr("!#$%&'*+-.^_`|~", s.p[i])))
			return false;
	return s.n > 0;
}

static bool is_field_value(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f)
			return false;
	return true;
}

/* A caller's own header: well formed, not empty, and none that decides how the message is framed or where it goes. */
static bool is_allowed_line(struct str line)
{
	static const char *const ours[] = {"host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "expect",
	                                   "via", "accept-encoding", "keep-alive", "proxy-authorization", "proxy-connection"};
	ptrdiff_t colon = str_chr(line, ':');
	struct str name = str_take(line, colon < 0 ? 0 : (size_t)colon);

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (str_eq_nocase(name, str_of(ours[i])))
			return false;
	return is_token(name) && is_field_value(line) && str_trim(str_skip(line, name.n + 1)).n > 0;
}

static int check_texts(struct fetching *f)
{
	const struct fetch *q = &f->q;
	const struct str values[] = {q->authorization, q->accept, q->if_none_match, q->if_modified_since, q->content_type};

	if (!is_token(q->method))
		return fetching_fail(f, -EINVAL, "the method is not one");
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		if (!is_field_value(values[i]))
			return fetching_fail(f, -EINVAL, "a header to be sent has control bytes in it");
	for (size_t i = 0; i < q->header_count; i++)
		if (!is_allowed_line(q->headers[i]))
			return fetching_fail(f, -EINVAL, "a header to be sent is malformed, empty or not the caller's to set");
	return 0;
}

static void copy_texts(struct fetching *f, const struct fetch *from)
{
	struct str *headers = ARENA_ARRAY(f->arena, struct str, from->header_count);
	struct fetch *q = &f->q;

	*q = *from;
	q->method = arena_str(f->arena, from->method);
	q->url = arena_str(f->arena, from->url);
	q->authorization = arena_str(f->arena, from->authorization);
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
static int set_headers(struct fetching *f)
{
	const struct fetch *q = &f->q;

	curl_slist_free_all(f->lines);
	f->lines = curl_slist_append(NULL, "Expect:");
	add_line(f, "Via", str_of(f->fetcher->via));
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
	}
}

static long to_ms(usec duration)
{
	return duration <= 0 ? 1 : (long)((duration + 999) / 1000);
}

static void set_up_easy(struct fetching *f)
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
	if (f->q.ca_file)
		curl_easy_setopt(e, CURLOPT_CAINFO, f->q.ca_file);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, to_ms(limits->connect_timeout));
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (to_ms(limits->stall_timeout) + 999) / 1000);
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

/* --- hops --- */

static int remember_hop(struct fetching *f)
{
	char *text = NULL;

	if (curl_url_get(f->url, CURLUPART_URL, &text, 0) != CURLUE_OK)
		return fetching_fail(f, -ENOMEM, "memory is out");
	for (unsigned i = 0; i < f->hops; i++)
		if (str_eq(f->visited[i], str_of(text))) {
			curl_free(text);
			return fetching_fail(f, -ELOOP, "the upstream redirects in a circle");
		}
	f->visited[f->hops] = arena_str(f->arena, str_of(text));
	curl_free(text);
	return 0;
}

/* One request to where f->url points, after all checks. On failure f->failure is set. */
static void start_hop(struct fetching *f)
{
	struct fetcher *fetcher = f->fetcher;
	usec left = f->started_at + fetcher->limits.total_timeout - time_monotonic();
	const char *proxy;
	int r = hosts_check(f->q.hosts, &f->where, &f->trust, &f->err);

	if (r < 0) {
		f->failure = r;
		return;
	}
	if (remember_hop(f) < 0)
		return;
	if (left <= 0) {
		fetching_fail(f, -ETIMEDOUT, "it took longer than the time allowed");
		return;
	}
	answer_reset(f);
	f->curl_error[0] = 0;
	proxy = proxy_for(&fetcher->proxies, &f->where);
	f->proxied = proxy != NULL;
	curl_easy_setopt(f->easy, CURLOPT_PROXY, proxy ? proxy : "");
	curl_easy_setopt(f->easy, CURLOPT_NOPROXY, "");
	curl_easy_setopt(f->easy, CURLOPT_TIMEOUT_MS, to_ms(left));
	curl_easy_setopt(f->easy, CURLOPT_CURLU, f->url);
	if (set_headers(f) < 0)
		return;
	if (curl_multi_add_handle(fetcher->multi, f->easy) != CURLM_OK)
		fetching_fail(f, -ENOMEM, "curl cannot take the request");
	else
		f->in_multi = true;
}

static void begin(struct fetching *f)
{
	f->begun = true;
	if (!f->failure && check_texts(f) == 0) {
		int r = url_read(f->q.url, &f->url, &f->where, &f->err);

		if (r < 0)
			f->failure = r;
	}
	if (!f->failure) {
		set_up_easy(f);
		start_hop(f);
	}
	if (f->failure)
		finish_with_failure(f);
}

static void leave_multi(struct fetching *f)
{
	if (f->in_multi)
		curl_multi_remove_handle(f->fetcher->multi, f->easy);
	f->in_multi = false;
}

static void follow(struct fetching *f)
{
	bool was_https = f->where.https;
	char from[URL_SHOWN];
	int r;

	url_show(f->url, from);
	leave_multi(f);
	if (++f->hops > f->fetcher->limits.redirects) {
		fetching_fail(f, -ELOOP, "more than %u redirects", f->fetcher->limits.redirects);
	} else {
		r = url_follow(f->url, f->answer.location, &f->where, &f->err);
		if (r == 0 && was_https && !f->where.https)
			r = err_set(&f->err, -EACCES, "a redirect from https to http is not followed");
		f->failure = r;
		if (r == 0)
			start_hop(f);
		if (f->failure && f->failure != -ELOOP)
			err_prefix(&f->err, "redirected there by %s", from);
	}
	if (f->failure)
		finish_with_failure(f);
}

/* --- the end --- */

static int code_of(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return -EHOSTUNREACH;
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return -EKEYREJECTED;
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
		return -ECONNRESET;
	default:
		return -EPROTO;
	}
}

static const char *advice_for(int code)
{
	switch (code) {
	case -EHOSTUNREACH:
		return "; check the upstream's address in the policy, the name service and the proxy variables";
	case -ECONNREFUSED:
		return "; check that the upstream runs and that a firewall or proxy lets the gate through";
	case -ETIMEDOUT:
		return "; the upstream is too slow or does not answer";
	case -EKEYREJECTED:
		return "; if the upstream has a certificate of its own authority, give its CA file in the policy";
	case -ECONNRESET:
		return "; the answer was cut short";
	default:
		return "";
	}
}

static void judge_end(struct fetching *f, CURLcode curl_code)
{
	int code = code_of(curl_code);

	if (f->failure)
		return;
	if (f->address_refused && !f->head_given && curl_code != CURLE_OK)
		fetching_fail(f, -EACCES, "%s is at a private, local or reserved address, where a host matched by a wildcard is not contacted; "
		              "if it is right, list the host by its full name in the policy", f->where.host);
	else if (curl_code != CURLE_OK && f->curl_error[0])
		fetching_fail(f, code, "%s%s", f->curl_error, advice_for(code));
	else if (curl_code != CURLE_OK)
		fetching_fail(f, code, "%s%s", curl_easy_strerror(curl_code), advice_for(code));
	else if (!f->head_given)
		fetching_fail(f, -EPROTO, "the upstream sent no HTTP answer");
	else if (f->gunzip && !gunzip_is_whole(f->gunzip))
		fetching_fail(f, -EBADMSG, "its gzip encoding is cut short");
}

void fetching_hop_ended(struct fetching *f, CURLcode code)
{
	if (f->finished)
		return;
	if (f->paused && !f->failure) {
		f->ended = true;
		f->end_code = code;
		return;
	}
	if (f->redirecting && !f->failure && !f->paused) {
		follow(f);
		return;
	}
	leave_multi(f);
	judge_end(f, code);
	finish(f, f->failure);
}

static void resume(struct fetching *f)
{
	struct buf held = f->held;

	f->resume_wanted = f->paused = false;
	f->held = BUF(MIB);
	answer_deliver(f, buf_str(&held));
	buf_free(&held);
	if (!f->finished && !f->failure && !f->paused && f->curl_paused) {
		f->curl_paused = false;
		curl_easy_pause(f->easy, CURLPAUSE_CONT);
	}
	if (f->finished || (f->paused && !f->failure))
		return;
	if (f->failure || f->ended)
		fetching_hop_ended(f, f->end_code);
}

void fetching_turn(struct fetching *f)
{
	if (f->finished)
		fetching_free(f);
	else if (!f->begun)
		begin(f);
	else if (f->resume_wanted && f->paused)
		resume(f);
}

struct fetching *fetch_start(struct fetcher *fetcher, const struct fetch *q)
{
	struct fetching *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->fetcher = fetcher;
	f->q = *q;
	f->held = BUF(MIB);
	f->started_at = time_monotonic();
	f->next = fetcher->all;
	f->back = &fetcher->all;
	if (f->next)
		f->next->back = &f->next;
	fetcher->all = f;
	f->arena = arena_new(q->body.n + MIB);
	f->easy = curl_easy_init();
	if (f->arena) {
		copy_texts(f, q);
		f->visited = ARENA_ARRAY(f->arena, struct str, fetcher->limits.redirects + 1);
	}
	if (!f->arena || !f->easy || arena_failed(f->arena))
		fetching_fail(f, -ENOMEM, "memory is out");
	upstream_queue(f);
	return f;
}

void fetch_resume(struct fetching *f)
{
	if (f->finished)
		return;
	f->resume_wanted = true;
	upstream_queue(f);
}

void fetch_cancel(struct fetching *f)
{
	if (f->finished)
		return;
	f->failure = 0;
	fetching_fail(f, -ECANCELED, "cancelled");
	finish(f, -ECANCELED);
}

void fetching_cancel_all(struct fetcher *fetcher)
{
	while (fetcher->all)
		fetch_cancel(fetcher->all);
}

void fetching_free_all(struct fetcher *fetcher)
{
	while (fetcher->queue) {
		struct fetching *f = fetcher->queue;

		fetcher->queue = f->queue_next;
		fetching_free(f);
	}
	fetcher->queue_end = &fetcher->queue;
}
