#include "gate/server.h"

#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "gate/artifacts.h"
#include "gate/documents.h"
#include "gate/feeds.h"
#include "gate/people.h"
#include "gate/reach.h"
#include "gate/recall.h"
#include "gate/renditions.h"
#include "gate/serve.h"
#include "gate/watch_files.h"
#include "gate/webhooks.h"

/* Documents may take this part of `cache.size`, beside the artifacts. */
enum { THREADS_MAX = 64, THREADS_BY_DEFAULT = 4, SIGNALS = 3, DOCUMENTS_SHARE = 4 };
/* What is under way at a stop has this long to end. */
#define GRACE (10 * USEC_SECOND)
#define TRIM_EVERY (10 * USEC_MINUTE)
#define PRUNE_EVERY USEC_DAY
#define WATCHDOG_EVERY (10 * USEC_SECOND)
/* Tokens and decisions made by other processes are seen after this: an approval is in force within twice of it. */
#define PEOPLE_EVERY USEC_SECOND
/* Nothing asked for this long: time to give memory back. */
#define REST_AFTER (5 * USEC_SECOND)
/* Larger pieces than this are the system's again as soon as they are freed. The default grows with what is freed, up to 32 MiB, and one
 * packument of 20 MB would then stay in the heap of each thread that ever handled it. */
#define OWN_PAGES_FROM ((int)(256 * KIB))
/* A heap for each of a dozen threads would keep a dozen times what one of them needed at its peak. */
enum { HEAPS = 4 };

struct server {
	struct gate *gate;
	const struct server_options *options;
	struct gate_thread threads[THREADS_MAX];
	size_t thread_count;
	struct loop *control; /* signals, reloads, housekeeping; its own thread is main's */
	uv_signal_t signals[SIGNALS];
	struct file_watch *watch;
	struct feeds *feeds;
	struct recall *recall;
	struct webhooks *webhooks;
	bool reloading, reload_again, stopping, trimming;
	struct loop_timer *trim_timer, *prune_timer, *watchdog_timer, *rest_timer, *people_timer;
	uint64_t asked; /* requests at the last look */
	bool rested;    /* nothing was asked since memory was given back */
	/* Of a reload on a worker thread. */
	struct reloaded reloaded;
	struct http_tls *tls;
	int reload_result;
	struct err reload_error;
};

/* ---- reload ---- */

static void reload(struct server *s);

static void files_changed(void *arg)
{
	reload(arg);
}

static void reload_work(void *arg)
{
	struct server *s = arg;

	s->reloaded = (struct reloaded){.problems = BUF(64 * KIB), .arena = arena_new(64 * MIB)};
	s->tls = NULL;
	s->reload_error = (struct err){0};
	if (!s->reloaded.arena)
		abort();
	s->reload_result = s->options->reload(s->options->arg, &s->reloaded, &s->reload_error);
	if (s->reload_result == 0 && s->reloaded.advisories)
		s->reload_result = recall_brake(s->gate->store, s->gate->state_dir, policy_set_base(s->reloaded.policies), s->reloaded.advisories,
		                                s->gate->now(), &s->reload_error);
	if (s->reload_result == 0 && s->options->reload_tls)
		s->reload_result = s->options->reload_tls(s->options->arg, &s->tls, &s->reload_error);
}

struct new_tls {
	struct gate_thread *thread;
	struct http_tls *tls;
};

static void set_tls(void *arg)
{
	struct new_tls *n = arg;

	/* It may have closed meanwhile. */
	if (n->thread->server)
		http_set_tls(n->thread->server, n->tls);
	http_tls_unref(n->tls);
	free(n);
}

static void spread_tls(struct server *s)
{
	for (size_t i = 0; i < s->thread_count; i++) {
		struct new_tls *n = calloc(1, sizeof(*n));

		if (!n)
			abort();
		*n = (struct new_tls){&s->threads[i], http_tls_ref(s->tls)};
		loop_post(s->threads[i].loop, set_tls, n);
	}
	http_tls_unref(s->tls);
}

static bool differs(const struct server *s, const struct rules *now)
{
	const struct reloaded *r = &s->reloaded;
	struct policy_set *before = gate_policies(s->gate);
	bool same = r->policies && policy_set_same(r->policies, before) &&
	            (!r->advisories || advisories_digest(r->advisories) == advisories_digest(now->advisories));

	policy_set_unref(before);
	return !same;
}

static void put_in_force(struct server *s)
{
	struct gate *g = s->gate;
	struct rules *rules;
	char text[160];

	gate_set_rules(g, TAKE_PTR(s->reloaded.policies), TAKE_PTR(s->reloaded.advisories));
	METRIC_ADD(&g->metrics, reloads, 1);
	rules = gate_rules(g);
	snprintf(text, sizeof(text), "policy %016llx, advisories %016llx", (unsigned long long)policy_digest(rules->policy),
	         (unsigned long long)advisories_digest(rules->advisories));
	gate_record(g, EVIDENCE_ADMIN, ECOSYSTEM_NPM, STR(""), STR(""), STR("policy loaded"), str_of(text));
	rules_unref(rules);
	recall_ask(s->recall);
}

static void refused(struct server *s, const char *what, struct str sentence)
{
	METRIC_ADD(&s->gate->metrics, reload_failures, 1);
	log_event(LOG_ERROR, what, "error=%s", log_quote(sentence));
	gate_record(s->gate, EVIDENCE_ADMIN, ECOSYSTEM_NPM, STR(""), STR(""), STR("policy refused"), sentence);
}

/* A policy may name other files than before. */
static void watch_again(struct server *s)
{
	if (s->stopping)
		return;
	file_watch_stop(s->watch);
	s->watch = file_watch_start(s->control, s->reloaded.watched, s->reloaded.watched_count, files_changed, s);
}

static void reloaded_well(struct server *s)
{
	/* Counted: a worker that learnt of a mismatch may put rules in force at the same time. */
	struct rules *now = gate_rules(s->gate);
	struct str rest = buf_str(&s->reloaded.problems), line;

	while (str_split(&rest, '\n', &line))
		if (line.n)
			refused(s, "the policy of a team was not reloaded; its last good one stays in force", line);
	if (s->tls)
		spread_tls(s);
	if (differs(s, now)) {
		put_in_force(s);
		watch_again(s);
	}
	rules_unref(now);
}

static void reload_done(void *arg)
{
	struct server *s = arg;

	s->reloading = false;
	if (s->reload_result < 0) {
		/* The last good policy stays in force (rule 1). */
		refused(s, "the policy was not reloaded; the last good one stays in force", str_of(s->reload_error.text));
		http_tls_unref(s->tls);
	} else {
		reloaded_well(s);
	}
	policy_set_unref(s->reloaded.policies);
	advisories_unref(s->reloaded.advisories);
	buf_free(&s->reloaded.problems);
	arena_free(s->reloaded.arena);
	notify_ready(s->options->notify, STR("serving"));
	if (s->reload_again)
		reload(s);
}

static void reload(struct server *s)
{
	s->reload_again = s->reloading;
	if (s->reloading || s->stopping)
		return;
	s->reloading = true;
	notify_reloading(s->options->notify);
	loop_work(s->control, reload_work, reload_done, s);
}

/* ---- what people decided ---- */

static void people_work(void *arg)
{
	struct server *s = arg;
	struct err err = {0};

	if (people_put_in_force(s->gate, &err) < 0)
		log_event(LOG_ERROR, "what people decided cannot be read; what was known of it stays in force", "error=%s",
		          log_quote(str_of(err.text)));
}

static void look_at_people(void *arg);

static void people_done(void *arg)
{
	struct server *s = arg;

	if (!s->stopping)
		s->people_timer = loop_after(s->control, PEOPLE_EVERY, look_at_people, s);
}

static void look_at_people(void *arg)
{
	struct server *s = arg;

	s->people_timer = NULL;
	loop_work(s->control, people_work, people_done, s);
}

/* ---- housekeeping ---- */

static void trim_work(void *arg)
{
	struct server *s = arg;
	struct rules *rules = gate_rules(s->gate);
	uint64_t bytes = (uint64_t)policy_gate(rules->policy)->cache_bytes;
	struct err err = {0};

	rules_unref(rules);
	if (cache_trim(s->gate->cache, NULL, NULL, &err) < 0 || documents_trim(s->gate->documents, bytes / DOCUMENTS_SHARE, &err) < 0)
		log_event(LOG_WARNING, "the cache could not be trimmed", "error=%s", log_quote(str_of(err.text)));
}

static void trim(void *arg);

static void trim_done(void *arg)
{
	struct server *s = arg;

	s->trimming = false;
	if (!s->stopping)
		s->trim_timer = loop_after(s->control, TRIM_EVERY, trim, s);
}

static void trim(void *arg)
{
	struct server *s = arg;

	s->trim_timer = NULL;
	s->trimming = true;
	loop_work(s->control, trim_work, trim_done, s);
}

static void prune_work(void *arg)
{
	struct server *s = arg;
	struct rules *rules = gate_rules(s->gate);
	usec retention = policy_gate(rules->policy)->evidence_retention;
	struct err err = {0};
	int64_t dropped;

	if (retention > 0 && store_evidence_prune(s->gate->store, time_now() - retention, &dropped, &err) < 0)
		log_event(LOG_WARNING, "old evidence could not be dropped", "error=%s", log_quote(str_of(err.text)));
	rules_unref(rules);
}

static void prune(void *arg);

static void prune_done(void *arg)
{
	struct server *s = arg;

	if (!s->stopping)
		s->prune_timer = loop_after(s->control, PRUNE_EVERY, prune, s);
}

static void prune(void *arg)
{
	struct server *s = arg;

	s->prune_timer = NULL;
	loop_work(s->control, prune_work, prune_done, s);
}

static void rest_work(void *arg)
{
	struct server *s = arg;

	documents_rest(s->gate->documents);
	renditions_rest(s->gate->renditions);
	malloc_trim(0);
}

static void rest(void *arg);

static void rest_done(void *arg)
{
	struct server *s = arg;

	if (!s->stopping)
		s->rest_timer = loop_after(s->control, REST_AFTER, rest, s);
}

static void rest(void *arg)
{
	struct server *s = arg;
	uint64_t asked = atomic_load_explicit(&s->gate->http.requests, memory_order_relaxed);
	bool idle = asked == s->asked, due = idle && !s->rested;

	s->rest_timer = NULL;
	s->asked = asked;
	s->rested = idle;
	if (due)
		loop_work(s->control, rest_work, rest_done, s);
	else
		rest_done(s);
}

static void watchdog(void *arg)
{
	struct server *s = arg;

	notify_watchdog(s->options->notify);
	s->watchdog_timer = loop_after(s->control, s->options->notify->watchdog ? s->options->notify->watchdog : WATCHDOG_EVERY, watchdog, s);
}

/* ---- the end ---- */

static void thread_closed(void *arg)
{
	struct gate_thread *t = arg;

	t->server = NULL;
	loop_stop(t->loop);
}

static void close_thread(void *arg)
{
	struct gate_thread *t = arg;

	if (t->server)
		http_close(t->server, GRACE, thread_closed, t);
	else
		thread_closed(t);
}

static void cancel(struct loop_timer **timer)
{
	if (*timer)
		loop_cancel(*timer);
	*timer = NULL;
}

static void stop(struct server *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	atomic_store(&s->gate->ready, false);
	notify_stopping(s->options->notify, STR("finishing what is under way"));
	log_event(LOG_INFO, "stopping", "%s", "");
	for (size_t i = 0; i < s->thread_count; i++)
		loop_post(s->threads[i].loop, close_thread, &s->threads[i]);
	/* A second SIGTERM or SIGINT ends the process at once. A SIGHUP does not: its handler stays, and nobody listens any more. */
	for (size_t i = 0; i < SIGNALS; i++)
		if (s->signals[i].signum != SIGHUP)
			uv_close((uv_handle_t *)&s->signals[i], NULL);
	if (s->watch)
		file_watch_stop(s->watch);
	if (s->feeds)
		feeds_stop(TAKE_PTR(s->feeds));
	if (s->recall)
		recall_stop(TAKE_PTR(s->recall));
	cancel(&s->trim_timer);
	cancel(&s->prune_timer);
	cancel(&s->watchdog_timer);
	cancel(&s->rest_timer);
	cancel(&s->people_timer);
	webhooks_stop(s->webhooks);
	loop_stop(s->control);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct server *s = handle->data;

	if (number == SIGHUP)
		reload(s);
	else
		stop(s);
}

/* ---- the beginning ---- */

static void *run_thread(void *arg)
{
	struct gate_thread *t = arg;

	loop_run(t->loop);
	return NULL;
}

static size_t count_threads(size_t wanted)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (wanted == 0)
		wanted = processors < 1 ? 1 : processors > THREADS_BY_DEFAULT ? THREADS_BY_DEFAULT : (size_t)processors;
	return wanted < THREADS_MAX ? wanted : THREADS_MAX;
}

static int open_threads(struct server *s, struct err *err)
{
	size_t wanted = count_threads(s->options->threads);
	struct http_limits limits = http_default_limits();
	char address[300];

	if (s->options->connections)
		limits.connections = s->options->connections / wanted + 1;
	snprintf(address, sizeof(address), "%s", s->options->listen);
	for (; s->thread_count < wanted; s->thread_count++) {
		struct gate_thread *t = &s->threads[s->thread_count];
		struct http_handlers handlers = serve_handlers(t);
		int r = gate_thread_init(s->gate, t, err);

		limits.exclusive = s->thread_count == 0;
		if (r == 0)
			r = http_listen(t->loop, address, s->options->tls, &limits, &handlers, &s->gate->http, &t->server, err);
		if (r < 0)
			return r;
		/* The first one may have drawn a port; the others share it. */
		snprintf(address, sizeof(address), "%s", http_address(t->server));
	}
	return 0;
}

static int open_control(struct server *s, struct err *err)
{
	static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
	int r = loop_new(&s->control, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < SIGNALS; i++) {
		uv_signal_init(loop_uv(s->control), &s->signals[i]);
		s->signals[i].data = s;
		uv_signal_start(&s->signals[i], on_signal, numbers[i]);
	}
	s->watch = file_watch_start(s->control, s->options->watched, s->options->watched_count, files_changed, s);
	s->trim_timer = loop_after(s->control, USEC_SECOND, trim, s);
	s->prune_timer = loop_after(s->control, USEC_MINUTE, prune, s);
	s->watchdog_timer = loop_after(s->control, s->options->notify->watchdog ? s->options->notify->watchdog : WATCHDOG_EVERY, watchdog, s);
	s->rest_timer = loop_after(s->control, REST_AFTER, rest, s);
	s->people_timer = loop_after(s->control, PEOPLE_EVERY, look_at_people, s);
	s->recall = recall_new(s->gate, s->control);
	recall_ask(s->recall);
	s->feeds = feeds_start(s->gate, s->control, err);
	return s->feeds ? webhooks_start(s->gate, s->control, &s->webhooks, err) : err->code;
}

/* Undoes what was opened before something failed. Nothing was served yet. */
static void abandon(struct server *s)
{
	size_t opened = s->thread_count < THREADS_MAX ? s->thread_count + 1 : s->thread_count; /* the last may be half open */

	if (s->control) {
		stop(s);
		loop_run(s->control);
	} else {
		for (size_t i = 0; i < s->thread_count; i++)
			close_thread(&s->threads[i]);
	}
	for (size_t i = 0; i < s->thread_count; i++)
		loop_run(s->threads[i].loop);
	gate_threads_close(s->threads, opened);
	if (s->control)
		loop_free(s->control);
	webhooks_free(s->webhooks);
	free(s);
}

int server_run(struct gate *g, const struct server_options *options, struct err *err)
{
	struct server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_set(err, -ENOMEM, "no memory");
	s->gate = g;
	s->options = options;
	signal(SIGPIPE, SIG_IGN);
	mallopt(M_MMAP_THRESHOLD, OWN_PAGES_FROM);
	mallopt(M_ARENA_MAX, HEAPS);
	/* Before anybody is served. */
	people_work(s);
	r = open_threads(s, err);
	if (r == 0)
		r = open_control(s, err);
	if (r == 0 && options->listening)
		r = options->listening(options->arg, http_address(s->threads[0].server), err);
	if (r < 0) {
		abandon(s);
		return r;
	}
	gate_record(g, EVIDENCE_ADMIN, ECOSYSTEM_NPM, STR(""), STR(""), STR("gate started"), str_of(http_address(s->threads[0].server)));
	for (size_t i = 0; i < s->thread_count; i++)
		if (pthread_create(&s->threads[i].thread, NULL, run_thread, &s->threads[i]) != 0)
			abort();
	gate_wake_walks(g);
	atomic_store(&g->ready, true);
	notify_ready(s->options->notify, STR("serving"));
	loop_run(s->control);
	for (size_t i = 0; i < s->thread_count; i++)
		pthread_join(s->threads[i].thread, NULL);
	gate_threads_close(s->threads, s->thread_count);
	loop_free(s->control);
	webhooks_free(s->webhooks);
	gate_record(g, EVIDENCE_ADMIN, ECOSYSTEM_NPM, STR(""), STR(""), STR("gate stopped"), STR(""));
	free(s);
	return 0;
}
