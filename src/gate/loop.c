#include "gate/loop.h"

#include <signal.h>
#include <stdlib.h>

struct message {
	struct message *next;
	void (*fn)(void *arg);
	void *arg;
};

struct loop {
	uv_loop_t uv;
	uv_async_t wake; /* unreferenced: waiting for messages alone does not keep the loop running */
	uv_mutex_t lock; /* guards the three below */
	struct message *first, **last;
	bool stopping;
	size_t working; /* loop_work whose done() is still to come; the loop's own thread only */
	bool stopped;   /* the stop was reached; the loop's own thread only */
};

struct loop_timer {
	uv_timer_t uv;
	void (*fn)(void *arg);
	void *arg;
};

struct work {
	uv_work_t uv;
	struct loop *loop;
	void (*work)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

/* Runs what is queued at this moment; what these messages post comes in the next turn, so that a message that posts itself
 * cannot starve the sockets. */
static void run_messages(struct loop *l)
{
	struct message *m;
	bool stopping;

	uv_mutex_lock(&l->lock);
	m = l->first;
	stopping = l->stopping;
	l->first = NULL;
	l->last = &l->first;
	uv_mutex_unlock(&l->lock);

	while (m) {
		struct message *next = m->next;

		m->fn(m->arg);
		free(m);
		m = next;
	}
	if (stopping && !l->stopped) {
		l->stopped = true;
		uv_stop(&l->uv);
	}
}

static void on_wake(uv_async_t *wake)
{
	run_messages(wake->data);
}

static bool has_messages(struct loop *l)
{
	bool any;

	uv_mutex_lock(&l->lock);
	any = l->first || (l->stopping && !l->stopped);
	uv_mutex_unlock(&l->lock);
	return any;
}

int loop_new(struct loop **ret, struct err *err)
{
	struct loop *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return err_set(err, -ENOMEM, "out of memory for an event loop");
	l->last = &l->first;
	/* libuv writes with write(2): a peer that left must be an error, not the end of the process. */
	signal(SIGPIPE, SIG_IGN);
	r = uv_loop_init(&l->uv);
	if (r < 0) {
		free(l);
		return err_set(err, r, "cannot make an event loop: %s", uv_strerror(r));
	}
	r = uv_mutex_init(&l->lock);
	if (r == 0) {
		r = uv_async_init(&l->uv, &l->wake, on_wake);
		if (r < 0)
			uv_mutex_destroy(&l->lock);
	}
	if (r < 0) {
		uv_loop_close(&l->uv);
		free(l);
		return err_set(err, r, "cannot make an event loop: %s", uv_strerror(r));
	}
	l->uv.data = l;
	l->wake.data = l;
	uv_unref((uv_handle_t *)&l->wake);
	*ret = l;
	return 0;
}

uv_loop_t *loop_uv(struct loop *l)
{
	return &l->uv;
}

/* Work on other threads, and handles that are closing, hold memory that only their callbacks release. */
static bool has_loose_ends(struct loop *l)
{
	return l->working > 0 || l->uv.closing_handles != NULL;
}

void loop_run(struct loop *l)
{
	do {
		uv_run(&l->uv, UV_RUN_DEFAULT);
		if (!l->stopped && has_messages(l))
			run_messages(l);
		else if (!l->stopped && !uv_loop_alive(&l->uv))
			return;
	} while (!l->stopped);
	while (has_loose_ends(l) || has_messages(l)) {
		run_messages(l);
		uv_run(&l->uv, l->working ? UV_RUN_ONCE : UV_RUN_NOWAIT);
	}
	/* The loop may be run again. */
	uv_mutex_lock(&l->lock);
	l->stopping = false;
	uv_mutex_unlock(&l->lock);
	l->stopped = false;
}

void loop_stop(struct loop *l)
{
	/* The wake-up is sent with the lock held, as in loop_post: the loop may be freed once the message has been taken. */
	uv_mutex_lock(&l->lock);
	l->stopping = true;
	uv_async_send(&l->wake);
	uv_mutex_unlock(&l->lock);
}

void loop_post(struct loop *l, void (*fn)(void *arg), void *arg)
{
	struct message *m = malloc(sizeof(*m));

	if (!m)
		abort();
	*m = (struct message){.fn = fn, .arg = arg};
	uv_mutex_lock(&l->lock);
	*l->last = m;
	l->last = &m->next;
	uv_async_send(&l->wake);
	uv_mutex_unlock(&l->lock);
}

static void on_work(uv_work_t *uv)
{
	struct work *w = uv->data;

	w->work(w->arg);
}

static void on_worked(uv_work_t *uv, int status)
{
	struct work *w = uv->data;

	(void)status;
	w->loop->working--;
	w->done(w->arg);
	free(w);
}

void loop_work(struct loop *l, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	struct work *w = malloc(sizeof(*w));

	if (!w)
		abort();
	*w = (struct work){.loop = l, .work = work, .done = done, .arg = arg};
	w->uv.data = w;
	l->working++;
	if (uv_queue_work(&l->uv, &w->uv, on_work, on_worked) < 0)
		abort();
}

static void on_timer_closed(uv_handle_t *h)
{
	free(h->data);
}

static void on_timer(uv_timer_t *uv)
{
	struct loop_timer *t = uv->data;
	void (*fn)(void *arg) = t->fn;
	void *arg = t->arg;

	uv_close((uv_handle_t *)uv, on_timer_closed);
	fn(arg);
}

struct loop_timer *loop_after(struct loop *l, usec delay, void (*fn)(void *arg), void *arg)
{
	struct loop_timer *t = malloc(sizeof(*t));
	/* Rounded up, so that a timer never fires before its time. */
	uint64_t ms = delay <= 0 ? 0 : ((uint64_t)delay + 999) / 1000;

	if (!t)
		abort();
	t->fn = fn;
	t->arg = arg;
	uv_timer_init(&l->uv, &t->uv);
	t->uv.data = t;
	uv_update_time(&l->uv);
	uv_timer_start(&t->uv, on_timer, ms, 0);
	return t;
}

void loop_cancel(struct loop_timer *t)
{
	if (t)
		uv_close((uv_handle_t *)&t->uv, on_timer_closed);
}

/* A timer that nobody cancelled still owns its memory. */
static void close_open(uv_handle_t *h, void *arg)
{
	bool ours = h->type == UV_TIMER && ((uv_timer_t *)h)->timer_cb == on_timer;

	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, ours ? on_timer_closed : NULL);
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	while (has_messages(l))
		run_messages(l);
	uv_walk(&l->uv, close_open, NULL);
	/* uv_stop of the last message makes one run return early; nothing is open any more, so this ends. */
	while (uv_run(&l->uv, UV_RUN_DEFAULT) != 0)
		;
	uv_loop_close(&l->uv);
	uv_mutex_destroy(&l->lock);
	free(l);
}
