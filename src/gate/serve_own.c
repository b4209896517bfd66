#include <stdatomic.h>
#include <stdio.h>

#include "base/limits.h"
#include "gate/people.h"
#include "gate/reach.h"
#include "gate/serve.h"

/* The gate's own pages: is it alive, is it ready, what did it count, what is it. */

static void answer_text(struct exchange *x, int status, struct str type, struct str body)
{
	struct str headers = arena_printf(x->arena, "content-type: %.*s\r\ncache-control: no-cache\r\n", STR_ARG(type));

	http_reply_text(x->rq, &(struct http_reply){.status = status, .headers = headers}, body);
}

static void serve_health(struct exchange *x)
{
	answer_text(x, 200, STR("text/plain"), STR("ok\n"));
}

static void evidence_tried(void *arg, int r)
{
	struct gate *g = arg;

	if (r == 0)
		atomic_store(&g->evidence_full, false);
	atomic_store(&g->evidence_trying, false);
}

/* A gate that is not ready is asked for nothing by a load balancer, so no receipt would ever tell that there is room again. */
static void try_evidence(struct gate *g)
{
	struct evidence record = {.time = time_now(), .kind = EVIDENCE_ADMIN, .decision = STR("receipts stored again")};

	if (!atomic_exchange(&g->evidence_trying, true))
		store_append(g->store, &record, evidence_tried, g);
}

static void serve_ready(struct exchange *x)
{
	struct gate *g = x->thread->gate;

	if (!atomic_load(&g->ready)) {
		answer_text(x, 503, STR("text/plain"), STR("starting or stopping\n"));
	} else if (atomic_load(&g->evidence_full)) {
		try_evidence(g);
		answer_text(x, 503, STR("text/plain"), STR("receipts cannot be stored: artifacts are refused\n"));
	} else {
		answer_text(x, 200, STR("text/plain"), STR("ready\n"));
	}
}

static void serve_metrics(struct exchange *x)
{
	CLEANUP_BUF struct buf out = BUF(MIB);
	struct gate *g = x->thread->gate;
	struct store_counters store;

	metrics_write(&g->metrics, &out);
	store_counters(g->store, &store);
	metric_write(&out, "http_connections_open", "gauge", "Connections of clients", g->http.connections_open);
	metric_write(&out, "http_connections_total", "counter", "Connections accepted", g->http.connections_total);
	metric_write(&out, "http_requests_total", "counter", "Requests", g->http.requests);
	metric_write(&out, "http_bytes_out_total", "counter", "Bytes sent to clients", g->http.bytes_out);
	metric_write(&out, "http_dropped_slow_total", "counter", "Clients dropped for being slow", g->http.dropped_slow);
	metric_write(&out, "http_refused_full_total", "counter", "Connections refused because there were too many", g->http.refused_full);
	metric_write(&out, "http_bad_requests_total", "counter", "Requests that were not HTTP", g->http.bad_requests);
	buf_printf(&out, "# HELP bondgate_http_replies_total Answers by class.\n# TYPE bondgate_http_replies_total counter\n");
	for (int class = 1; class <= 5; class ++)
		buf_printf(&out, "bondgate_http_replies_total{class=\"%dxx\"} %llu\n", class, (unsigned long long)g->http.replies[class]);
	metric_write(&out, "store_queued", "gauge", "Records waiting to be durable", store.queued);
	metric_write(&out, "store_commits_total", "counter", "Commits of the store", store.commits);
	metric_write(&out, "store_records_total", "counter", "Records made durable", store.records);
	metric_write(&out, "store_failed_total", "counter", "Records that could not be made durable", store.failed);
	metric_write(&out, "cache_bytes", "gauge", "Bytes of artifacts in the cache", g->cache ? cache_used(g->cache) : 0);
	metric_write(&out, "rules_epoch", "gauge", "Number of the rules in force; grows with every change", x->rules->epoch);
	metric_write(&out, "started_seconds", "gauge", "When the gate was started, Unix time", (uint64_t)(g->started / USEC_SECOND));
	if (x->rules->reach) {
		struct reach_counts walk;

		reach_counts(x->rules->reach, &walk);
		metric_write(&out, "approved_roots", "gauge", "Names that are approved roots", walk.roots);
		metric_write(&out, "approved_names", "gauge", "Names that approved roots need, themselves included", walk.names);
		metric_write(&out, "approved_names_unknown", "gauge", "Of those: names that the walk has still to look at", walk.unknown);
		metric_write(&out, "approved_waiting", "gauge", "Requests that wait for the walk", walk.waiting);
	}
	people_metrics(g->people, g->now(), &out);
	answer_text(x, 200, STR("text/plain; version=0.0.4"), buf_str(&out));
}

static void serve_front(struct exchange *x)
{
	struct str host = http_get(x->rq, STR("host")), body;
	bool plain = host.n && host.n < 256;

	for (size_t i = 0; i < host.n && plain; i++)
		plain = host.p[i] != '<' && host.p[i] != '&' && host.p[i] != '"' && host.p[i] != '>';
	body = arena_printf(
		x->arena,
		"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Bondgate</title>"
		"<h1>Bondgate</h1><p>This is a gate in front of a package registry. Put this line into your <code>.npmrc</code>:</p>"
		"<pre>registry=%s://%.*s/npm/</pre>"
		"<p>Why was a version refused? <code>bondgate explain npm:NAME@VERSION</code></p>"
		"<p><a href=\"/-/healthz\">health</a> <a href=\"/-/readyz\">readiness</a> <a href=\"/-/metrics\">metrics</a></p></html>\n",
		x->rq->tls ? "https" : "http", STR_ARG(plain ? host : STR("this-host")));
	answer_text(x, 200, STR("text/html; charset=utf-8"), body);
}

static const struct page {
	struct str path;
	void (*serve)(struct exchange *x);
} pages[] = {
	{{"/", 1}, serve_front},         {{"/-/explain", 10}, serve_explain}, {{"/-/healthz", 10}, serve_health},
	{{"/-/readyz", 9}, serve_ready}, {{"/-/metrics", 10}, serve_metrics},
};

void serve_own(struct exchange *x)
{
	struct str ended;

	/* Whose token has ended is told so here as well: the answer would be another than that of their builds. */
	if (str_eq(x->path, STR("/-/explain")) && (ended = people_refusal(&x->who, x->arena)).n) {
		answer_sentence(x, 401, ended);
		return;
	}
	if (str_eq(x->rq->method, STR("POST")) && str_eq(x->path, STR("/-/explain"))) {
		serve_explain_bulk(x);
		return;
	}
	if (!str_eq(x->rq->method, STR("GET")) && !str_eq(x->rq->method, STR("HEAD"))) {
		answer_sentence(x, 405, STR("only GET and HEAD here; npm's registry is below /npm/"));
		return;
	}
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (!str_eq(x->path, pages[i].path))
			continue;
		pages[i].serve(x);
		return;
	}
	/* pacote asks for attestations at the root of the host, whatever the registry's path is (facts/protocol.md 2.8). */
	if (str_starts(x->path, STR("/-/npm/v1/attestations/"))) {
		struct err err = {0};

		if (npm_route_parse(x->arena, x->rq->method, x->path, x->rq->query, &x->route, &err) == 0 &&
		    (x->origin = policy_origin(x->rules->policy, ECOSYSTEM_NPM, x->route.name))) {
			serve_pass(x);
			return;
		}
	}
	answer_sentence(x, 404, STR("nothing is here: npm's registry is below /npm/"));
}
