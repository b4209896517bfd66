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
struct npm_keys;
struct artifacts;
struct renditions;
struct reach;
struct people;
struct sigstore_trust;

/* Policy and advisories as they are in force together: one value, swapped as a whole, counted. There is one for everybody, and for each
 * team one for those who prove that they belong to it and one, which only tightens, for those who do not. */
struct rules {
	_Atomic int refs;
	uint64_t epoch; /* no two have the same; what was computed under an epoch that is not in force is stale */
	uint64_t swap;  /* the same for all that were put in force together; grows */
	struct policy *policy;
	struct advisories *advisories;
	struct npm_keys *keys;             /* the registry's, that signatures are verified with; NULL: they are not */
	struct sigstore_trust *provenance; /* what provenance is verified with; NULL: nothing is configured */
	struct reach *reach;               /* what the approved roots need; NULL: `allow.mode` is off */
	struct adopted_names *adopted;     /* names that are known although the gate may never have seen them; NULL: none */
};

/* The policies as the files say them, before what people decided is put over them. Counted. */
struct policy_set;
/* Takes the base policy over. */
struct policy_set *policy_set_new(struct policy *base);
/* Takes both over: the base policy with a team's file on top, for those who prove that they belong to it, and for the others. */
void policy_set_team(struct policy_set *s, struct str label, struct policy *proven, struct policy *tightened);
/* Takes over what provenance is verified with, the same for all. */
void policy_set_provenance(struct policy_set *s, struct sigstore_trust *trust);
/* Takes the registry's keys over (registry/npm/keys.h). */
void policy_set_keys(struct policy_set *s, struct npm_keys *keys);
struct policy_set *policy_set_ref(struct policy_set *s);
void policy_set_unref(struct policy_set *s);
const struct policy *policy_set_base(const struct policy_set *s);
/* The same policies, teams and secrets? */
bool policy_set_same(const struct policy_set *a, const struct policy_set *b);

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

	pthread_mutex_t rules_lock; /* guards the pointer; those who make another one hold rules_making before it */
	struct in_force *in_force;
	uint64_t epochs;
	pthread_mutex_t rules_making;
	struct policy_set *policies;
	struct arena *grants_arena;
	struct policy_grants grants;
	struct adopted_names *adopted; /* of the grants */
	struct gate_thread *home;      /* whose loop the walks from the approved roots live on: the first one */
	pthread_mutex_t walks_lock;
	struct reach *walks; /* all that live */
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
	struct policy_set *policies;   /* taken over */
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

/* The rules in force for everybody, counted: release with rules_unref. Any thread. */
struct rules *gate_rules(struct gate *g);
/* Those of a team; a label that no team has is everybody. */
struct rules *gate_team_rules(struct gate *g, struct str label, bool proven);
bool gate_has_team(struct gate *g, struct str label);
struct rules *rules_ref(struct rules *r);
void rules_unref(struct rules *r);
/* Puts other rules in force. Takes both over; either may be NULL: that half stays. Any thread. */
void gate_set_rules(struct gate *g, struct policy_set *policies, struct advisories *advisories);
/* What people decided, put over every policy from now on. Takes over the arena that the grants live in. Any thread. */
void gate_set_grants(struct gate *g, struct arena *arena, const struct policy_grants *grants);
/* The policies that the rules were made of, counted. */
struct policy_set *gate_policies(struct gate *g);

/* An administrative act or an incident, into the log and the evidence. Any thread; does not wait. */
void gate_record(struct gate *g, enum evidence_kind kind, enum ecosystem e, struct str name, struct str version, struct str decision,
                 struct str detail);

#endif
