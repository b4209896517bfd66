/* The life of a fetch: checked, started, followed through redirects, and ended exactly once. */
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
	curl_easy_setopt(f->easy, CURLOPT_TIMEOUT_MS, request_ms(left));
	curl_easy_setopt(f->easy, CURLOPT_CURLU, f->url);
	if (request_headers(f) < 0)
		return;
	if (curl_multi_add_handle(fetcher->multi, f->easy) != CURLM_OK)
		fetching_fail(f, -ENOMEM, "curl cannot take the request");
	else
		f->in_multi = true;
}

static void begin(struct fetching *f)
{
	f->begun = true;
	if (!f->failure && request_check(f) == 0) {
		int r = url_read(f->q.url, &f->url, &f->where, &f->err);

		if (r < 0)
			f->failure = r;
	}
	if (!f->failure) {
		request_settings(f);
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
		fetching_fail(f, -EACCES,
		              "%s is at a private, local or reserved address, where a host matched by a wildcard is not contacted; "
		              "if it is right, list the host by its full name in the policy",
		              f->where.host);
	else if (curl_code != CURLE_OK && f->curl_error[0])
		fetching_fail(f, code, "%s%s", f->curl_error, advice_for(code));
	else if (curl_code != CURLE_OK)
		fetching_fail(f, code, "%s%s", curl_easy_strerror(curl_code), advice_for(code));
	else if (!f->head_given)
		fetching_fail(f, -EPROTO, "the upstream sent no HTTP answer");
	else if (f->gunzip && !gunzip_is_whole(f->gunzip))
		fetching_fail(f, -EBADMSG, "its gzip encoding is cut short");
}

/* A connection that was kept may be closed by the upstream in the very moment that it is used again, or hold bytes that came after the answer
 * before: nothing was answered, and a read may be asked a second time. */
static bool kept_connection_failed(const struct fetching *f, CURLcode code)
{
	long fresh = 1;

	if (code != CURLE_SEND_ERROR && code != CURLE_RECV_ERROR && code != CURLE_GOT_NOTHING && code != CURLE_UNSUPPORTED_PROTOCOL &&
	    code != CURLE_WEIRD_SERVER_REPLY)
		return false;
	if (f->failure || f->tried_again || f->head_given || f->redirecting || f->address_refused || f->head_bytes)
		return false;
	curl_easy_getinfo(f->easy, CURLINFO_NUM_CONNECTS, &fresh);
	return fresh == 0 && (str_eq(f->q.method, STR("GET")) || str_eq(f->q.method, STR("HEAD")));
}

static void try_again(struct fetching *f)
{
	f->tried_again = true;
	leave_multi(f);
	curl_easy_setopt(f->easy, CURLOPT_FRESH_CONNECT, 1L);
	start_hop(f);
	if (f->failure)
		finish_with_failure(f);
}

void fetching_hop_ended(struct fetching *f, CURLcode code)
{
	if (f->finished)
		return;
	if (kept_connection_failed(f, code)) {
		try_again(f);
		return;
	}
	/* A success waits until the consumer has everything; a failure does not wait for a consumer that may never go on. */
	if (f->paused && !f->failure && code == CURLE_OK) {
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
		request_copy(f, q);
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
