#include "gate/spool.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"

/* Written when this much is waiting; the fetch is paused at twice as much. */
enum { WINDOW = 256 * 1024 };

struct spool {
	struct loop *loop;
	struct spool_target target;
	struct fetching *fetch;
	struct buf waiting, writing;
	uint64_t written;
	int error, write_result;
	bool busy, paused, finishing;
	void (*done)(void *arg, int r);
	void *done_arg;
};

struct spool *spool_new(struct loop *l, const struct spool_target *target)
{
	struct spool *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->loop = l;
	s->target = *target;
	s->waiting = BUF(4 * MIB);
	s->writing = BUF(4 * MIB);
	return s;
}

void spool_attach(struct spool *s, struct fetching *f)
{
	s->fetch = f;
}

static void advance(struct spool *s);

static void write_work(void *arg)
{
	struct spool *s = arg;

	s->write_result = s->target.write(s->target.arg, s->writing.p, s->writing.n);
}

static void write_done(void *arg)
{
	struct spool *s = arg;

	s->busy = false;
	if (s->write_result < 0 && s->error == 0)
		s->error = s->write_result;
	else
		s->written += s->writing.n;
	buf_clear(&s->writing);
	if (s->error == 0 && s->target.progress)
		s->target.progress(s->target.arg, s->written);
	if (s->paused && !s->finishing) {
		s->paused = false;
		fetch_resume(s->fetch);
	}
	advance(s);
}

static void end(struct spool *s)
{
	void (*done)(void *arg, int r) = s->done;
	void *arg = s->done_arg;
	int r = s->error;

	buf_free(&s->waiting);
	buf_free(&s->writing);
	free(s);
	done(arg, r);
}

static void advance(struct spool *s)
{
	struct buf swap;

	if (s->busy)
		return;
	if (s->error || s->waiting.n == 0) {
		if (s->finishing)
			end(s);
		return;
	}
	if (s->waiting.n < WINDOW && !s->finishing)
		return;
	swap = s->writing;
	s->writing = s->waiting;
	s->waiting = swap;
	s->busy = true;
	loop_work(s->loop, write_work, write_done, s);
}

int spool_add(struct spool *s, const void *bytes, size_t n)
{
	if (s->error)
		return s->error;
	buf_add(&s->waiting, bytes, n);
	if (s->waiting.error) {
		s->error = s->waiting.error;
		return s->error;
	}
	advance(s);
	if (s->waiting.n < 2 * (size_t)WINDOW)
		return 0;
	s->paused = true;
	return FETCH_PAUSE;
}

void spool_finish(struct spool *s, void (*done)(void *arg, int r), void *arg)
{
	s->finishing = true;
	s->done = done;
	s->done_arg = arg;
	advance(s);
}
