/* The gate as a whole: what its threads share, and what each thread has of its own. Everything that answers a client is reached from
 * here; commands such as `explain` make one without a server and ask it the same questions. */
#ifndef BONDGATE_GATE_GATE_H
#define BONDGATE_GATE_GATE_H

#include <pthread.h>

#include "advisory/advisory.h"
#include "gate/cache.h"
#include "gate/http.h"
#include "gate/loop.h"
#include "gate/metrics.h"
#include "gate/upstream.h"
#include "policy/policy.h"
#include "store/store.h"

struct documents;
struct artifacts;
struct renditions;
struct people;

/* Policy and advisories as they are in force together: one value, swapped as a whole, counted. */
struct rules {
	_Atomic int refs;
	uint64_t epoch; /* grows with every swap: what was computed under another epoch is stale */
	struct policy *policy;
	struct advisories *advisories;
};

struct gate {
	const char *state_dir;
	struct store *store;
	struct cache *cache;
	struct documents *documents;
	struct artifacts *artifacts;
	struct renditions *renditions;
	struct people *people;
	struct metrics metrics;
	struct http_counters http;
	char via[64];              /* "1.1 bondgate-INSTANCE" */
	struct str client_default; /* the registry that npm has built in, "https://host/"; empty: not known */
	usec started;
	usec (*now)(void);       /* the wall clock; tests of explain --at give another */
	bool offline;            /* commands: answer from what is stored, ask no upstream */
	struct str upstream_npm; /* what `upstream: auto` turned out to be; empty: it is not automatic */

	pthread_mutex_t rules_lock;
	struct rules *rules;
	_Atomic bool ready;
	_Atomic bool evidence_full;   /* the last receipt could not be made durable */
	_Atomic bool evidence_trying; /* a record is under way that tells whether there is room again */
};

/* One event loop with what it needs; artefacts of one thread are touched only on its loop. */
struct gate_thread {
	struct gate *gate;
	struct loop *loop;
	struct fetcher *fetcher;    /* NULL while closing: nothing new is asked of an upstream */
	struct http_server *server; /* NULL in commands */
	struct str via;             /* while a request is being handled: the gates that it came through; else empty */
	pthread_t thread;
};

struct gate_options {
	const char *state_dir;
	enum store_access access;
	bool without_cache;            /* commands beside a running gate, which has the cache to itself */
	struct policy *policy;         /* taken over */
	struct advisories *advisories; /* taken over */
};

/* Opens the store and the cache under the state folder. 0 or negative errno with a sentence. */
int gate_open(const struct gate_options *options, struct gate **ret, struct err *err);
/* After every loop has ended. Waits for what the store has queued. */
void gate_close(struct gate *g);

int gate_thread_init(struct gate *g, struct gate_thread *t, struct err *err);
/* After their loops have stopped, on one thread: ends what is still under way on all of them (threads wait for each other's fetches), then frees
 * them. */
void gate_threads_close(struct gate_thread *threads, size_t count);

/* The rules in force, counted: release with rules_unref. Any thread. */
struct rules *gate_rules(struct gate *g);
struct rules *rules_ref(struct rules *r);
void rules_unref(struct rules *r);
/* Puts other rules in force. Takes both over; either may be NULL: that half stays. Any thread. */
void gate_set_rules(struct gate *g, struct policy *policy, struct advisories *advisories);

/* An administrative act or an incident, into the log and the evidence. Any thread; does not wait. */
void gate_record(struct gate *g, enum evidence_kind kind, enum ecosystem e, struct str name, struct str version, struct str decision,
                 struct str detail);

#endif
