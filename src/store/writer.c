/* One thread writes. It takes everything that is queued (within bounds) into one transaction, commits, and only then tells
 * those who wait: a commit costs one fsync, however many records share it. */
#include "store/internal.h"

#include <stdlib.h>

/* A package with something queued: the ticket of its last operation. */
struct pending {
	struct str key;
	size_t count;
	uint64_t ticket;
	char text[];
};

enum { PACKAGE_KEY = 512 };

static struct str package_key(char *room, enum ecosystem e, struct str name)
{
	/* A longer name shares its key with others that begin alike: somebody waits a little longer, nothing else. */
	name = str_take(name, PACKAGE_KEY - 1);
	room[0] = (char)('0' + e);
	memcpy(room + 1, name.n ? name.p : "", name.n);
	return (struct str){room, name.n + 1};
}

void *op_new(size_t size, size_t text_bytes, int (*run)(struct store *, struct op *), void (*done)(void *, int), void *arg)
{
	struct op *op = calloc(1, size + text_bytes);

	if (!op) {
		if (done)
			done(arg, -ENOMEM);
		return NULL;
	}
	*op = (struct op){.run = run, .done = done, .arg = arg, .bytes = size + text_bytes};
	return op;
}

struct str op_text(char **room, struct str text)
{
	struct str copy = {*room, text.n};

	if (text.n)
		memcpy(*room, text.p, text.n);
	*room += text.n;
	return copy;
}

static void finish(struct op *op, int r)
{
	if (op->done)
		op->done(op->arg, r);
	free(op);
}

static bool on_writer_thread(struct store *s)
{
	return pthread_equal(pthread_self(), s->thread);
}

/* Under the lock. Without memory for the note the caller waits until the queue is empty instead: see writer_await_package. */
static struct pending *note_pending(struct store *s, enum ecosystem e, struct str package)
{
	char room[PACKAGE_KEY];
	struct str key = package_key(room, e, package);
	struct pending *p = map_get(&s->pending, key);

	if (!p) {
		p = calloc(1, sizeof(*p) + key.n);
		if (!p)
			return NULL;
		memcpy(p->text, key.p, key.n);
		p->key = (struct str){p->text, key.n};
		if (map_put(&s->pending, p->key, p) < 0) {
			free(p);
			return NULL;
		}
	}
	p->count++;
	p->ticket = s->tickets;
	return p;
}

static void forget_pending(struct store *s, struct pending *p)
{
	if (!p || --p->count)
		return;
	map_remove(&s->pending, p->key);
	free(p);
}

void writer_queue(struct store *s, struct op *op, enum ecosystem e, struct str package)
{
	int r = 0;

	if (!op)
		return;
	pthread_mutex_lock(&s->lock);
	/* A callback of the writer must not wait for the writer. */
	while (s->running && s->queued_bytes > STORE_QUEUE_BYTES && !on_writer_thread(s))
		pthread_cond_wait(&s->progress, &s->lock);
	if (!s->running || s->stopping) {
		r = s->access == STORE_READ ? -EROFS : -ESHUTDOWN;
	} else {
		op->ticket = ++s->tickets;
		if (package.n && !(op->pending = note_pending(s, e, package)))
			r = -ENOMEM;
	}
	if (r == 0) {
		*s->last = op;
		s->last = &op->next;
		s->queued_bytes += op->bytes;
		s->counters.queued += op->run != NULL;
		pthread_cond_signal(&s->work);
	}
	pthread_mutex_unlock(&s->lock);
	if (r < 0)
		finish(op, r);
}

struct waiter {
	struct store *store;
	bool done;
	int r;
};

static void wake(void *arg, int r)
{
	struct waiter *w = arg;
	struct store *s = w->store;

	pthread_mutex_lock(&s->lock);
	w->r = r;
	w->done = true;
	pthread_cond_broadcast(&s->progress);
	pthread_mutex_unlock(&s->lock);
}

int writer_queue_wait(struct store *s, struct op *op, struct err *err, const char *what)
{
	struct waiter w = {.store = s};

	if (!op)
		return err_set(err, -ENOMEM, "no memory");
	if (s->running && on_writer_thread(s)) {
		free(op);
		return err_set(err, -EDEADLK, "cannot %s: the store's own thread must not wait for itself", what);
	}
	op->done = wake;
	op->arg = &w;
	writer_queue(s, op, ECOSYSTEM_NPM, STR(""));
	pthread_mutex_lock(&s->lock);
	while (!w.done)
		pthread_cond_wait(&s->progress, &s->lock);
	pthread_mutex_unlock(&s->lock);
	return w.r < 0 ? err_set(err, w.r, "cannot %s in %s: %s", what, s->path, err_name(w.r)) : 0;
}

void writer_await_package(struct store *s, enum ecosystem e, struct str package)
{
	char room[PACKAGE_KEY];
	struct str key = package_key(room, e, package);
	struct pending *p;

	if (!s->running || on_writer_thread(s))
		return;
	pthread_mutex_lock(&s->lock);
	p = map_get(&s->pending, key);
	if (p) {
		uint64_t ticket = p->ticket;

		while (s->completed < ticket)
			pthread_cond_wait(&s->progress, &s->lock);
	}
	pthread_mutex_unlock(&s->lock);
}

/* ---- the thread ---- */

/* Waits for work; takes the front of the queue. NULL: stopping, and nothing is left. */
static struct op *take_batch(struct store *s)
{
	struct op *batch, **end = &batch;
	size_t ops = 0, bytes = 0;

	pthread_mutex_lock(&s->lock);
	while (!s->first && !s->stopping)
		pthread_cond_wait(&s->work, &s->lock);
	batch = s->first;
	for (; *end && ops < STORE_BATCH_OPS && bytes < STORE_BATCH_BYTES; end = &(*end)->next) {
		ops++;
		bytes += (*end)->bytes;
	}
	s->first = *end;
	*end = NULL;
	if (!s->first)
		s->last = &s->first;
	pthread_mutex_unlock(&s->lock);
	return batch;
}

/* Every operation from `op` to `end` (not included), or none. */
static int commit(struct store *s, struct op *op, const struct op *end)
{
	struct connection *c = &s->writer;
	int r = statement_run(c, statement(c, SQL_BEGIN_WRITE));

	if (r < 0)
		return r;
	s->head_known = s->head_moved = false;
	for (; r == 0 && op != end; op = op->next)
		if (op->run)
			r = op->run(s, op);
	if (r == 0)
		r = chain_store_head(s);
	if (r == 0)
		r = statement_run(c, statement(c, SQL_COMMIT));
	/* What was noted of rows may have been rolled back with them. */
	if (r < 0 && s->facts)
		memset(s->facts, 0, STORE_FACTS_SLOTS * sizeof(*s->facts));
	if (r < 0 && !sqlite3_get_autocommit(c->db)) {
		/* A statement that still runs would keep the rollback from working. */
		for (size_t i = 0; i < STATEMENT_COUNT; i++)
			if (c->statements[i])
				sqlite3_reset(c->statements[i]);
		statement_run(c, statement(c, SQL_ROLLBACK));
	}
	return r;
}

/* Failures of the machine concern every record alike; the others may be one record's own. */
static bool is_of_the_machine(int r)
{
	return r == -ENOSPC || r == -EIO || r == -EBUSY || r == -EROFS || r == -EBADMSG || r == -EACCES;
}

static bool writes(const struct op *batch)
{
	for (; batch; batch = batch->next)
		if (batch->run)
			return true;
	return false;
}

/* The operations are done, in their order: count them, wake those who wait for a package, free their room in the queue. */
static int account(struct store *s, struct op *op, const struct op *end, int r)
{
	int unflushed;

	pthread_mutex_lock(&s->lock);
	s->counters.commits += r == 0 && writes(op);
	unflushed = s->unflushed ? s->unflushed : r;
	for (; op != end; op = op->next) {
		if (op->run) {
			s->counters.queued--;
			s->counters.records += r == 0;
			s->counters.failed += r < 0;
		}
		if (op->flush)
			s->unflushed = 0;
		else if (op->run && r < 0 && !s->unflushed)
			s->unflushed = r;
		s->completed = op->ticket;
		s->queued_bytes -= op->bytes;
		forget_pending(s, op->pending);
	}
	pthread_cond_broadcast(&s->progress);
	pthread_mutex_unlock(&s->lock);
	return unflushed;
}

static void report(struct store *s, struct op *op, const struct op *end, int r)
{
	int unflushed = account(s, op, end, r);

	while (op != end) {
		struct op *next = op->next;

		finish(op, op->flush ? unflushed : r);
		op = next;
	}
}

/* The WAL is carried over to the database after the waiting were told. It is passive (nobody waits for it) until the file
 * grows because some reader always stands in it; then it waits for the readers, and later readers use the file from its start. */
static void checkpoint(struct store *s)
{
	struct connection *c = &s->writer;
	int mode = c->wal_pages > STORE_RESTART_PAGES ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;

	if (c->wal_pages < STORE_CHECKPOINT_PAGES)
		return;
	sqlite3_busy_timeout(c->db, 1000);
	sqlite3_wal_checkpoint_v2(c->db, NULL, mode, NULL, NULL);
	sqlite3_busy_timeout(c->db, STORE_BUSY_MS);
}

static void *write_all(void *arg)
{
	struct store *s = arg;
	struct op *batch;

	while ((batch = take_batch(s))) {
		int r = writes(batch) ? commit(s, batch, NULL) : 0;

		if (r == 0 || is_of_the_machine(r) || !batch->next) {
			report(s, batch, NULL, r);
		} else {
			/* One record spoils the transaction: each gets its own. */
			while (batch) {
				struct op *next = batch->next;

				report(s, batch, next, batch->run ? commit(s, batch, next) : 0);
				batch = next;
			}
		}
		checkpoint(s);
	}
	return NULL;
}

int writer_start(struct store *s, struct err *err)
{
	int r;

	/* The thread must not see itself unnamed: queueing asks for s->thread. */
	pthread_mutex_lock(&s->lock);
	r = -pthread_create(&s->thread, NULL, write_all, s);
	s->running = r == 0;
	pthread_mutex_unlock(&s->lock);
	return r < 0 ? err_set(err, r, "cannot start the store's thread: %s", err_name(r)) : 0;
}

void writer_stop(struct store *s)
{
	if (!s->running)
		return;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	s->running = false;
}

int store_flush(struct store *s, struct err *err)
{
	struct op *op = op_new(sizeof(*op), 0, NULL, NULL, NULL);

	if (op)
		op->flush = true;
	return writer_queue_wait(s, op, err, "make the records durable");
}

void store_counters(struct store *s, struct store_counters *ret)
{
	pthread_mutex_lock(&s->lock);
	*ret = s->counters;
	pthread_mutex_unlock(&s->lock);
}
