/* Which names do the approved roots need? The walk from the roots over what cleared versions depend on, by real name, kept in memory: which name is
 * reached, from where. It goes on in the background on one loop's time and on worker threads; a request for a name that is not reached waits while
 * the walk may still come to it. One for each of the rules in force whose `allow.mode` is not off; it stays when rules are swapped. */
#ifndef BONDGATE_GATE_REACH_H
#define BONDGATE_GATE_REACH_H

#include "gate/gate.h"

struct reach; /* counted */

enum reach_state {
	REACH_ROOT,    /* itself an approved root */
	REACH_NEEDED,  /* an approved root needs it */
	REACH_NONE,    /* the walk has ended without it */
	REACH_PENDING, /* not known yet: the walk goes on, or could not ask an upstream */
};

struct reach_answer {
	enum reach_state state;
	struct str path; /* NEEDED: "express > body-parser > debug", from the root to the name; in the arena */
	struct str
		peer_of;     /* NONE: a needed name has it as an optional peer, which is looked at and not installed; lives as long as the reach */
	struct str note; /* NONE, PENDING: what a person should know of the walk; may be empty; in the arena */
	usec until;      /* by then the answer may be another one */
	bool may_end;    /* it was needed before the rules changed, and the walk has not come round since */
};

struct reach *reach_new(struct gate *g, struct rules *rules);
struct reach *reach_ref(struct reach *r);
void reach_unref(struct reach *r);
/* Other rules are in force where these were: roots come and go, what was judged under the former ones is judged again. Any thread. */
void reach_use(struct reach *r, struct rules *rules);
/* The walk ends; whoever waits is answered. */
void reach_retire(struct reach *r);

/* What is known now. Any thread. */
void reach_look(struct reach *r, struct str name, struct arena *a, struct reach_answer *ret);

/* On a loop: found(arg) on it exactly once, now or later, when the state of the name is known or patience ends; reach_look() says it then. */
void reach_wait(struct gate_thread *t, struct reach *r, struct str name, void (*found)(void *arg), void *arg);

/* A client asks for it: what it needs is likely to be asked for next, and a pattern of the roots may approve it. Any thread. */
void reach_asked(struct reach *r, struct str name);

/* A client asks for an archive without having asked what there is: with a lockfile, where the deepest may come first. If patterns or publishers are
 * approved, the name that needs it may still be asked for, and for a while "none" is "not known yet". Any thread. */
void reach_asked_archive(struct reach *r, struct str name);

/* A clearance was made of this document: where it is another one than the walk saw, or time has passed, it is looked at again, first of all.
 * `approved`: something of it is cleared, which for a name that is not reached means that its publisher is approved: then it counts as a root. */
void reach_noticed(struct reach *r, const struct rules *rules, struct str name, uint64_t generation, bool approved);

/* The gate has a loop to walk on, or serves from now on. */
void gate_wake_walks(struct gate *g);
/* After the loops have stopped, on one thread. */
void gate_stop_walks(struct gate *g);

struct reach_counts {
	size_t names, roots, unknown, waiting;
	bool limited;
};
void reach_counts(struct reach *r, struct reach_counts *ret);

#endif
