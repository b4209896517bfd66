#include "gate/gate.h"

#include <stdio.h>

#include "base/file.h"
#include "base/log.h"
#include "gate/artifacts.h"
#include "gate/documents.h"
#include "gate/people.h"
#include "gate/reach.h"
#include "gate/recall.h"
#include "gate/renditions.h"
#include "gate/rules.h"

enum { MEMORY_FOR_DOCUMENTS_SHARE = 2 };

int gate_open(const struct gate_options *options, struct gate **ret, struct err *err)
{
	struct gate *g = calloc(1, sizeof(*g));
	const struct gate_settings *settings;
	CLEANUP_BUF struct buf path = BUF(4096);
	int r;

	if (!g)
		abort();
	pthread_mutex_init(&g->rules_lock, NULL);
	pthread_mutex_init(&g->rules_making, NULL);
	pthread_mutex_init(&g->walks_lock, NULL);
	gate_set_rules(g, options->policies, options->advisories);
	g->state_dir = options->state_dir;
	g->now = time_now;
	g->started = time_now();
	g->people = people_new();
	settings = policy_gate(policy_set_base(g->policies));
	r = store_open(options->state_dir, options->access, &g->store, err);
	if (r < 0)
		goto fail;
	/* Nobody else has the advisories yet. */
	if (options->access == STORE_WRITE)
		r = recall_brake(g->store, options->state_dir, policy_set_base(g->policies), options->advisories, g->now(), err);
	if (r < 0)
		goto fail;
	snprintf(g->via, sizeof(g->via), "1.1 bondgate-%s", store_instance(g->store));
	buf_printf(&path, "%s/cache", options->state_dir);
	r = options->without_cache ? 0 : cache_open(buf_cstr(&path), (uint64_t)settings->cache_bytes, &g->cache, err);
	if (r < 0)
		goto fail;
	r = documents_new(g, buf_cstr(&path), (size_t)settings->memory_bytes / MEMORY_FOR_DOCUMENTS_SHARE, &g->documents, err);
	if (r < 0)
		goto fail;
	g->artifacts = artifacts_new(g);
	r = people_refresh(g->people, g->store, err);
	if (r < 0)
		goto fail;
	g->renditions = renditions_new((size_t)settings->memory_bytes / MEMORY_FOR_DOCUMENTS_SHARE, buf_cstr(&path));
	*ret = g;
	return 0;
fail:
	gate_close(g);
	return r;
}

void gate_close(struct gate *g)
{
	renditions_free(g->renditions);
	artifacts_free(g->artifacts);
	documents_free(g->documents);
	if (g->cache)
		cache_close(g->cache);
	if (g->store)
		store_close(g->store);
	people_free(g->people);
	gate_drop_rules(g);
	free(g);
}

int gate_thread_init(struct gate *g, struct gate_thread *t, struct err *err)
{
	struct fetcher_limits limits = fetcher_default_limits();
	int r;

	*t = (struct gate_thread){.gate = g};
	r = loop_new(&t->loop, err);
	if (r < 0)
		return r;
	r = fetcher_new(t->loop, &limits, g->via, &t->fetcher, err);
	if (r < 0)
		return r;
	if (!g->home)
		g->home = t;
	gate_wake_walks(g);
	return 0;
}

void gate_threads_close(struct gate_thread *threads, size_t count)
{
	if (count && threads[0].gate)
		gate_stop_walks(threads[0].gate);
	for (size_t i = 0; i < count; i++) {
		struct fetcher *fetcher = threads[i].fetcher;

		threads[i].fetcher = NULL;
		if (fetcher)
			fetcher_free(fetcher);
	}
	/* Receipts under way are told to loops that must still be there then. */
	if (count && threads[0].gate)
		store_flush(threads[0].gate->store, NULL);
	/* What one loop ends may answer a waiter on another, whose end may again be told to a third. */
	for (size_t round = 0; round < count + 1; round++)
		for (size_t i = 0; i < count; i++)
			if (threads[i].loop)
				loop_run(threads[i].loop);
	for (size_t i = 0; i < count; i++) {
		if (threads[i].loop)
			loop_free(threads[i].loop);
		threads[i] = (struct gate_thread){0};
	}
}

void gate_record(struct gate *g, enum evidence_kind kind, enum ecosystem e, struct str name, struct str version, struct str decision,
                 struct str detail)
{
	struct evidence record = {
		.time = time_now(), .kind = kind, .ecosystem = e, .name = name, .version = version, .decision = decision, .detail = detail};

	log_event(kind == EVIDENCE_INCIDENT ? LOG_WARNING : LOG_INFO, evidence_kind_name(kind), "package=%s version=%s decision=%s detail=%s",
	          log_quote(name), log_quote(version), log_quote(decision), log_quote(detail));
	store_append(g->store, &record, NULL, NULL);
}
