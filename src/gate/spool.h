/* From a fetch to a file without blocking the loop: pieces are gathered, written by a worker thread, and the fetch is paused while more
 * than a window is waiting. One write is under way at a time, so the writer needs no lock. */
#ifndef BONDGATE_GATE_SPOOL_H
#define BONDGATE_GATE_SPOOL_H

#include "gate/loop.h"
#include "gate/upstream.h"

struct spool;

struct spool_target {
	/* On a worker thread: takes the bytes, 0 or negative errno. */
	int (*write)(void *arg, const void *bytes, size_t n);
	/* On the loop: so many bytes are written in all. May be NULL. */
	void (*progress)(void *arg, uint64_t written);
	void *arg;
};

struct spool *spool_new(struct loop *l, const struct spool_target *target);
/* The fetch to pause and resume. */
void spool_attach(struct spool *s, struct fetching *f);
/* For on_data: its result is on_data's result. */
int spool_add(struct spool *s, const void *bytes, size_t n);
/* From on_done: writes what is left and calls done(arg, r) on the loop, r being the first error of any write. The spool is freed
 * before. */
void spool_finish(struct spool *s, void (*done)(void *arg, int r), void *arg);

#endif
