/* One event loop a thread. Nothing blocks it: work goes to libuv's worker threads, other threads talk to it by message. */
#ifndef BONDGATE_GATE_LOOP_H
#define BONDGATE_GATE_LOOP_H

#include <uv.h>

#include "base/err.h"
#include "base/time.h"

struct loop;

/* A loop that belongs to the calling thread until loop_run is called on another. SIGPIPE is ignored from then on. */
int loop_new(struct loop **ret, struct err *err);
/* Runs what is queued and closes what is still open. */
void loop_free(struct loop *l);
uv_loop_t *loop_uv(struct loop *l);

/* Runs until loop_stop(), or until nothing is left to wait for: no open handle, no work, no message (waiting for messages alone
 * does not keep it running). After a stop, work under way and handles that are closing are still seen to their end. */
void loop_run(struct loop *l);
/* Any thread: makes loop_run return after what is queued. */
void loop_stop(struct loop *l);

/* Any thread: runs fn(arg) on the loop, in the order of posting. Never fails once the loop exists (aborts when memory is out). */
void loop_post(struct loop *l, void (*fn)(void *arg), void *arg);

/* On the loop: work(arg) runs on a worker thread, then done(arg) on the loop. */
void loop_work(struct loop *l, void (*work)(void *arg), void (*done)(void *arg), void *arg);

/* On the loop: calls fn(arg) once after `delay`. The timer may be cancelled until it fires; freed by either. */
struct loop_timer;
struct loop_timer *loop_after(struct loop *l, usec delay, void (*fn)(void *arg), void *arg);
void loop_cancel(struct loop_timer *t);

#endif
