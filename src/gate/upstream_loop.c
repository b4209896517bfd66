/* curl's multi interface driven by libuv: a poll handle a socket and one timer, as curl's "multi_socket" documentation asks. */
#include <pthread.h>
#include <stdlib.h>

#include "gate/upstream_internal.h"

struct watch {
	uv_poll_t poll;
	struct fetcher *fetcher;
	curl_socket_t fd;
};

struct fetcher_limits fetcher_default_limits(void)
{
	return (struct fetcher_limits){
		.connect_timeout = 20 * USEC_SECOND,
		.stall_timeout = 30 * USEC_SECOND,
		.total_timeout = 10 * USEC_MINUTE,
		.redirects = 5,
		.per_host = 32,
	};
}

static void global_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void handle_closed(struct fetcher *f)
{
	if (--f->handles > 0)
		return;
	proxy_settings_free(&f->proxies);
	free(f->via);
	free(f);
}

static void watch_closed(uv_handle_t *handle)
{
	struct watch *w = handle->data;
	struct fetcher *f = w->fetcher;

	free(w);
	handle_closed(f);
}

static void timer_closed(uv_handle_t *handle)
{
	handle_closed(handle->data);
}

void upstream_enter(struct fetcher *f)
{
	f->inside++;
}

void upstream_leave(struct fetcher *f)
{
	CURLMsg *message;
	int left;

	if (--f->inside > 0)
		return;
	while (!f->dying && (message = curl_multi_info_read(f->multi, &left))) {
		struct fetching *of = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &of);
		fetching_hop_ended(of, code);
	}
}

static void act(struct fetcher *f, curl_socket_t fd, int what)
{
	int running;

	upstream_enter(f);
	curl_multi_socket_action(f->multi, fd, what, &running);
	upstream_leave(f);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;
	int what = 0;

	if (status < 0)
		what = CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		what |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		what |= CURL_CSELECT_OUT;
	act(w->fetcher, w->fd, what);
}

static void on_timeout(uv_timer_t *timer)
{
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static struct watch *watch_new(struct fetcher *f, curl_socket_t fd)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->fetcher = f;
	w->fd = fd;
	w->poll.data = w;
	if (uv_poll_init_socket(loop_uv(f->loop), &w->poll, fd) < 0) {
		free(w);
		return NULL;
	}
	f->handles++;
	curl_multi_assign(f->multi, fd, w);
	return w;
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct fetcher *f = arg;
	struct watch *w = socket_arg;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (!w)
			return 0;
		uv_poll_stop(&w->poll);
		uv_close((uv_handle_t *)&w->poll, watch_closed);
		curl_multi_assign(f->multi, fd, NULL);
		return 0;
	}
	if (!w)
		w = watch_new(f, fd);
	if (!w)
		return -1;
	return uv_poll_start(&w->poll, (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0), on_ready) < 0 ? -1
	                                                                                                                                 : 0;
}

static int on_curl_timer(CURLM *multi, long ms, void *arg)
{
	struct fetcher *f = arg;

	(void)multi;
	if (ms < 0)
		uv_timer_stop(&f->timer);
	else if (!f->dying)
		uv_timer_start(&f->timer, on_timeout, (uint64_t)ms, 0);
	return 0;
}

static void on_turn(uv_timer_t *timer)
{
	struct fetcher *f = timer->data;
	struct fetching *queue = f->queue;

	/* What is queued from now on waits for the turn after this one. */
	f->queue = NULL;
	f->queue_end = &f->queue;
	upstream_enter(f); /* so that nobody frees the fetcher, or a fetch, from under this list */
	while (queue) {
		struct fetching *it = queue;

		queue = it->queue_next;
		it->queued = false;
		fetching_turn(it);
	}
	upstream_leave(f);
	if (f->free_wanted)
		fetcher_free(f);
}

void upstream_queue(struct fetching *f)
{
	struct fetcher *fetcher = f->fetcher;

	if (f->queued)
		return;
	f->queued = true;
	f->queue_next = NULL;
	*fetcher->queue_end = f;
	fetcher->queue_end = &f->queue_next;
	if (!fetcher->dying)
		uv_timer_start(&fetcher->turn, on_turn, 0, 0);
}

static int multi_set_up(struct fetcher *f)
{
	CURLM *m = f->multi = curl_multi_init();

	if (!m)
		return -ENOMEM;
	curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(m, CURLMOPT_SOCKETDATA, f);
	curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(m, CURLMOPT_TIMERDATA, f);
	curl_multi_setopt(m, CURLMOPT_MAX_HOST_CONNECTIONS, (long)f->limits.per_host);
	curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, (long)f->limits.per_host);
	curl_multi_setopt(m, CURLMOPT_PIPELINING, f->limits.http2 ? CURLPIPE_MULTIPLEX : CURLPIPE_NOTHING);
	return 0;
}

int fetcher_new(struct loop *l, const struct fetcher_limits *limits, const char *via, struct fetcher **ret, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct fetcher *f;

	pthread_once(&once, global_init);
	f = calloc(1, sizeof(*f));
	if (!f)
		return err_set(err, -ENOMEM, "memory is out");
	f->loop = l;
	f->limits = *limits;
	f->queue_end = &f->queue;
	f->via = strdup(via);
	if (!f->via || proxy_settings_read(&f->proxies) < 0 || multi_set_up(f) < 0) {
		proxy_settings_free(&f->proxies);
		free(f->via);
		free(f);
		return err_set(err, -ENOMEM, "memory is out");
	}
	f->timer.data = f->turn.data = f;
	uv_timer_init(loop_uv(l), &f->timer);
	uv_timer_init(loop_uv(l), &f->turn);
	f->handles = 2;
	*ret = f;
	return 0;
}

void fetcher_free(struct fetcher *f)
{
	if (!f || f->dying)
		return;
	if (f->inside) {
		f->free_wanted = true;
		fetching_cancel_all(f);
		uv_timer_start(&f->turn, on_turn, 0, 0);
		return;
	}
	f->dying = true;
	fetching_cancel_all(f);
	fetching_free_all(f);
	curl_multi_cleanup(f->multi);
	f->multi = NULL;
	uv_close((uv_handle_t *)&f->timer, timer_closed);
	uv_close((uv_handle_t *)&f->turn, timer_closed);
}
