/* What the files of the walk share. Everything is under the reach's lock, but for visits, which live on the home loop and its workers. */
#ifndef BONDGATE_GATE_REACH_INTERNAL_H
#define BONDGATE_GATE_REACH_INTERNAL_H

#include "base/map.h"
#include "gate/documents.h"
#include "gate/reach.h"

/* How urgent a name is: what a client asks for right now; what the newest cleared versions need; what those of the last two years need; the
 * rest; what was looked at before and is only looked at again. */
enum { ASKED, NEWEST, RECENT, REST, AGAIN, QUEUES };

/* A range that somebody asks of a name, written out once for all. */
struct range_text {
	struct str text;
};

struct link {
	struct node *to;
	const struct range_text *range; /* NULL: any version */
};

struct node {
	struct str name;
	const struct range_text **ranges; /* that are asked of it; its versions within them count */
	uint32_t range_count, range_room;
	uint32_t asks;         /* grows with every range more */
	bool any;              /* all its versions count */
	uint32_t asked_before; /* of a sweep */
	struct node *peer_of;  /* that names it as an optional peer */
	struct node *parent;   /* that first needed it; NULL: a root, or not reached */
	bool root, ranged;     /* ranged: approved for some versions only */
	bool reached, known;   /* known: `edges` are those of the rules in force */
	bool by_publisher;     /* a root because something of it is by an approved publisher */
	bool busy, failed;
	uint8_t urgency; /* the most urgent queue that it was put into since it was last looked at; QUEUES: none */
	uint64_t generation;
	usec visited_at, expires, retry_at;
	unsigned failures;
	struct link *edges;
	uint32_t edge_count;
};

struct queue {
	struct node **items;
	size_t first, count, room;
};

struct reach_waiter {
	struct reach_waiter *next;
	struct reach *reach;
	struct gate_thread *thread;
	struct loop_timer *timer; /* on the thread's loop only */
	struct wanted *wanted;    /* NULL: answered */
	bool early;               /* the walk has ended: it waits for a root that a pattern may bring */
	void (*found)(void *arg);
	void *arg;
};

/* A name that somebody waits for. */
struct wanted {
	struct str name;
	struct reach_waiter *waiters;
};

/* A name whose archive was asked for before anything that needs it. */
struct early {
	struct str name;
	usec since;
};

struct reach {
	_Atomic int refs;
	struct reach *next; /* of those that live; under the gate's walks_lock */
	struct reach *timed_next;
	struct gate *gate;
	pthread_mutex_t lock;
	struct rules *rules; /* NULL: retired */
	struct map nodes, wanted, ranges, early;
	struct queue queues[QUEUES];
	size_t unknown, root_count, reached_count; /* unknown: reached and not known */
	size_t in_flight, waiting;
	size_t expanded;                                            /* reached and known, or on the way: what the limit bounds */
	bool limited;                                               /* the limit was met: what lies beyond is not looked at */
	enum { EXPAND_NOT, EXPAND_WANTED, EXPAND_GOING } expanding; /* names of the store that patterns approve */
	bool shrunk;                                                /* something is not needed any more by somebody who needed it */
	bool turning;                                               /* other rules are in force since the walk last came to its end */
	bool posted;                                                /* a pump is on its way to the home loop */
	struct loop_timer *timer;                                   /* the home loop's */
	usec earliest;                                              /* when time alone changes what some version is, and with it an edge */
	char problem[160];                                          /* the last failure */
};

enum { LIMIT_NAMES = 25000, LIMIT_RANGES = 400 /* asked of one name; past it any version counts */ };

/* ---- reach.c, under the lock ---- */
struct node *reach_node(struct reach *r, struct str name);
void reach_set(struct reach *r, struct node *n, bool reached, bool known);
void reach_push(struct reach *r, struct node *n, unsigned urgency);
/* Reached through `parent` (NULL: a root), which asks for this range (NULL: any version); answers who waits for it. */
void reach_mark(struct reach *r, struct node *n, struct node *parent, const struct range_text *range, unsigned urgency);
/* One more range that counts; false: it did before. */
bool reach_ask(struct node *n, const struct range_text *range);
const struct range_text *reach_range(struct reach *r, struct str text);
/* Nothing is under way: what is unknown could not be asked, and trying again is for later. */
bool reach_stuck(const struct reach *r);
/* Whether the walk has come to its end, and then answers everybody who waits. */
void reach_settle(struct reach *r);
void reach_post_pump(struct reach *r);
/* ranged: not every version is approved. */
void reach_make_root(struct reach *r, struct node *n, bool ranged);

/* ---- reach_walk.c ---- */
void reach_pump(void *reach);

/* ---- reach_sweep.c, under the lock: who is still needed, from the roots ---- */
void reach_sweep(struct reach *r);
/* The roots that the rules name; those that are none any more are unmarked. */
void reach_take_roots(struct reach *r);
/* Worker, without the lock: names of the store that patterns of roots match. */
void reach_expand_patterns(struct reach *r);

#endif
