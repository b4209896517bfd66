#include "gate/collect.h"

#include "base/limits.h"

struct collecting {
	struct gate_thread *thread;
	struct arena *arena;
	struct fetch_hosts hosts;
	struct buf body;
	struct collected answer;
	void (*done)(void *arg, const struct collected *answer);
	void *arg;
};

static int on_head(void *arg, const struct fetch_head *head)
{
	struct collecting *c = arg;

	c->answer.status = head->status;
	c->answer.content_type = arena_str(c->arena, head->content_type);
	return 0;
}

static int on_data(void *arg, const void *bytes, size_t n)
{
	struct collecting *c = arg;

	buf_add(&c->body, bytes, n);
	return c->body.error;
}

static void on_done(void *arg, const struct fetch_result *result)
{
	struct collecting *c = arg;

	if (result->code < 0) {
		METRIC_ADD(&c->thread->gate->metrics, upstream_failures, 1);
		c->answer.code = result->code;
		c->answer.err = result->err;
	}
	c->answer.body = buf_str(&c->body);
	c->done(c->arg, &c->answer);
	buf_free(&c->body);
	arena_free(c->arena);
	free(c);
}

void collect_start(struct gate_thread *t, const struct origin *origin, const struct collect *what,
                   void (*done)(void *arg, const struct collected *answer), void *arg)
{
	struct collecting *c = calloc(1, sizeof(*c));
	struct fetch f = {
		.method = what->method,
		.authorization = what->authorization.n || what->as_client ? what->authorization : origin->authorization,
		.via = t->via,
		.accept = what->accept.n ? what->accept : STR("application/json"),
		.content_type = what->content_type,
		.body = what->body,
		.headers = what->headers,
		.header_count = what->header_count,
		.ca_file = origin->ca_file.n ? origin->ca_file.p : NULL,
		.decode = true,
		.max_bytes = what->max_bytes,
		.on_head = on_head,
		.on_data = on_data,
		.on_done = on_done,
		.arg = c,
	};

	if (!c || !(c->arena = arena_new(MIB)))
		abort();
	c->thread = t;
	c->body = BUF(what->max_bytes);
	c->done = done;
	c->arg = arg;
	c->hosts = (struct fetch_hosts){origin->url, origin->artifact_hosts, origin->artifact_host_count};
	f.hosts = &c->hosts;
	f.url = arena_printf(c->arena, "%.*s%.*s", STR_ARG(origin->url),
	                     STR_ARG(str_starts(what->path, STR("/")) ? str_skip(what->path, 1) : what->path));
	if (!t->fetcher) {
		struct fetch_result stopping = {.code = -ECANCELED};

		err_set(&stopping.err, -ECANCELED, "the gate is stopping");
		on_done(c, &stopping);
		return;
	}
	METRIC_ADD(&t->gate->metrics, upstream_requests, 1);
	fetch_start(t->fetcher, &f);
}
