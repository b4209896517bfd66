#include "gate/artifacts.h"

#include <stdatomic.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"
#include "gate/artifact_check.h"
#include "gate/integrity.h"
#include "gate/spool.h"
#include "gate/upstream_hosts.h"

/* Larger ones are read while they come, so that no client loses patience; the rest is whole before its first byte goes out, so that a
 * refusal is an answer and not a broken transfer. */
enum { STREAMED_FROM = 4 * 1024 * 1024, HELD_BACK = 64 * 1024 };

struct listener {
	struct listener *next;
	struct gate_thread *thread;
	uint64_t beyond;
	void (*fn)(void *arg);
	void *arg;
};

struct artifact {
	_Atomic int refs;
	struct artifacts *owner;
	char *key; /* in the table while fetching: origin id, NUL, name@version, hash, policy */
	size_t key_length;
	struct cache_key hash;
	char integrity[INTEGRITY_TEXT];
	pthread_mutex_t lock; /* guards what follows */
	enum artifact_state state;
	int fd;
	uint64_t size, written;
	int code;
	struct err err;
	struct listener *listeners;
};

struct artifacts {
	struct gate *gate;
	pthread_mutex_t lock;
	struct map fetching;
};

/* One asking; becomes the fetch itself when nobody is fetching yet. */
struct job {
	struct gate_thread *thread;
	struct rules *rules;
	const struct origin *origin;
	struct document *document;
	size_t index;
	struct arena *arena;
	struct npm_version version;
	struct artifact *artifact;
	struct cache_writer *writer;
	struct fetch_hosts hosts;
	struct spool *spool;
	int status, code;
	bool elsewhere; /* the metadata names a host that may not be contacted: asked for at the origin instead */
	struct err err;
	artifact_found found;
	void *found_arg;
};

struct artifacts *artifacts_new(struct gate *g)
{
	struct artifacts *a = calloc(1, sizeof(*a));

	if (!a)
		abort();
	a->gate = g;
	pthread_mutex_init(&a->lock, NULL);
	return a;
}

void artifacts_free(struct artifacts *a)
{
	if (!a)
		return;
	map_free(&a->fetching);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

bool cache_has(struct cache *c, struct str integrity, struct str shasum)
{
	struct cache_key key;
	uint64_t size;
	int fd, r;

	if (!c)
		return true;
	if (integrity_key(integrity, shasum, &key) < 0)
		return false;
	r = cache_find(c, &key, &fd, &size);
	if (r == 0)
		close(fd);
	return r == 0 || r == -EAGAIN;
}

/* ---- the shared value ---- */

struct artifact *artifact_ref(struct artifact *a)
{
	atomic_fetch_add(&a->refs, 1);
	return a;
}

void artifact_unref(struct artifact *a)
{
	if (!a || atomic_fetch_sub(&a->refs, 1) != 1)
		return;
	if (a->fd >= 0)
		close(a->fd);
	pthread_mutex_destroy(&a->lock);
	free(a->key);
	free(a);
}

static struct artifact *artifact_new(struct artifacts *owner, const struct cache_key *hash)
{
	struct artifact *a = calloc(1, sizeof(*a));

	if (!a)
		abort();
	a->refs = 1;
	a->owner = owner;
	a->fd = -1;
	a->hash = *hash;
	integrity_format(hash, a->integrity);
	pthread_mutex_init(&a->lock, NULL);
	return a;
}

enum artifact_state artifact_state(struct artifact *a)
{
	enum artifact_state state;

	pthread_mutex_lock(&a->lock);
	state = a->state;
	pthread_mutex_unlock(&a->lock);
	return state;
}

uint64_t artifact_size(struct artifact *a)
{
	uint64_t size;

	pthread_mutex_lock(&a->lock);
	size = a->size;
	pthread_mutex_unlock(&a->lock);
	return size;
}

const char *artifact_integrity(const struct artifact *a)
{
	return a->integrity;
}

static uint64_t available(const struct artifact *a)
{
	uint64_t end = a->size > HELD_BACK ? a->size - HELD_BACK : 0;

	if (a->state == ARTIFACT_READY)
		return a->size;
	if (a->state == ARTIFACT_FAILED || a->size < STREAMED_FROM)
		return 0;
	return a->written < end ? a->written : end;
}

uint64_t artifact_available(struct artifact *a)
{
	uint64_t n;

	pthread_mutex_lock(&a->lock);
	n = available(a);
	pthread_mutex_unlock(&a->lock);
	return n;
}

ssize_t artifact_read(struct artifact *a, void *to, size_t n, uint64_t offset)
{
	ssize_t got;

	do
		got = pread(a->fd, to, n, (off_t)offset);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

static void wake(struct artifact *a)
{
	struct listener **at = &a->listeners;

	while (*at) {
		struct listener *l = *at;

		if (a->state == ARTIFACT_FETCHING && available(a) <= l->beyond) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		loop_post(l->thread->loop, l->fn, l->arg);
		free(l);
	}
}

void artifact_wait(struct gate_thread *t, struct artifact *a, uint64_t beyond, void (*fn)(void *arg), void *arg)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	pthread_mutex_lock(&a->lock);
	*l = (struct listener){a->listeners, t, beyond, fn, arg};
	a->listeners = l;
	wake(a);
	pthread_mutex_unlock(&a->lock);
}

/* ---- one asking ---- */

static void job_free(struct job *j)
{
	artifact_unref(j->artifact);
	document_unref(j->document);
	rules_unref(j->rules);
	arena_free(j->arena);
	free(j);
}

static void job_answer(struct job *j)
{
	struct artifact_result result = {.code = j->code, .err = j->err};

	if (j->code == 0)
		result.artifact = artifact_ref(j->artifact);
	j->found(j->found_arg, &result);
	j->found = NULL;
}

/* Somebody else fetches: what became of it is in the artifact. */
static void follow(void *arg)
{
	struct job *j = arg;
	struct artifact *a = j->artifact;

	pthread_mutex_lock(&a->lock);
	if (a->state == ARTIFACT_FAILED) {
		j->code = a->code;
		j->err = a->err;
	}
	pthread_mutex_unlock(&a->lock);
	job_answer(j);
	job_free(j);
}

/* The fetching job's own waiting for its first bytes or its end. */
static void fetching_progressed(void *arg)
{
	struct job *j = arg;

	follow(j);
}

static void artifact_end(struct job *j, int fd, uint64_t size)
{
	struct artifact *a = j->artifact;
	struct artifacts *owner = a->owner;

	pthread_mutex_lock(&owner->lock);
	if (a->key)
		map_remove(&owner->fetching, (struct str){a->key, a->key_length});
	pthread_mutex_unlock(&owner->lock);
	pthread_mutex_lock(&a->lock);
	if (j->code == 0) {
		/* Readers hold the number of the descriptor they read through: it stays, the file behind it is the same. */
		if (a->fd < 0)
			a->fd = fd;
		else
			close(fd);
		a->size = size;
		a->state = ARTIFACT_READY;
	} else {
		if (fd >= 0)
			close(fd);
		a->code = j->code;
		a->err = j->err;
		a->state = ARTIFACT_FAILED;
	}
	wake(a);
	pthread_mutex_unlock(&a->lock);
}

struct finish {
	struct job *job;
	int fd;
	uint64_t size;
};

/* Worker: the hash, then the name in the cache, then the manifest. */
static void finish_work(void *arg)
{
	struct finish *f = arg;
	struct job *j = f->job;
	struct gate *g = j->thread->gate;
	struct cache_writer *w = j->writer;
	struct str name = npm_packument_name(j->document->packument);
	struct str about =
		arena_printf(j->arena, "pkg:npm/%.*s@%.*s from %.*s", STR_ARG(name), STR_ARG(j->version.version), STR_ARG(j->origin->url));

	j->writer = NULL;
	if (j->code < 0 || !w) {
		cache_abandon(w);
		if (j->code == 0)
			j->code = err_set(&j->err, -EPROTO, "the upstream sent an empty file for %.*s", STR_ARG(name));
		return;
	}
	j->code = cache_finish(w, &j->artifact->hash, 1, about, NULL, NULL, &j->err);
	if (j->code == -EBADMSG) {
		METRIC_ADD(&g->metrics, hash_mismatches, 1);
		gate_record(g, EVIDENCE_INCIDENT, ECOSYSTEM_NPM, name, j->version.version, STR("deny hash-mismatch"), str_of(j->err.text));
		return;
	}
	if (j->code == 0)
		j->code = cache_find(g->cache, &j->artifact->hash, &f->fd, &f->size);
	if (j->code < 0) {
		if (!j->err.code)
			err_set(&j->err, j->code, "cannot store the artifact: %s", err_name(j->code));
		return;
	}
	store_version_received(g->store, j->origin->id, ECOSYSTEM_NPM, name, j->version.version, time_now());
	j->code = artifact_check(g, j->rules, j->origin, j->document, &j->version, f->fd, &j->err);
}

static void finish_done(void *arg)
{
	struct finish *f = arg;
	struct job *j = f->job;

	artifact_end(j, f->fd, f->size);
	free(f);
	/* A job that has answered already (while the bytes came) ends here; the other one is told by its listener. */
	job_free(j);
}

static void spooled(void *arg, int code)
{
	struct job *j = arg;
	struct finish *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	*f = (struct finish){.job = j, .fd = -1};
	j->spool = NULL;
	/* A failed write also ends the fetch, whose own sentence would blame the upstream. */
	if (code < 0 && (j->code == 0 || j->code == code))
		j->code = err_set(&j->err, code, "cannot store the artifact: %s%s", err_name(code),
		                  code == -ENOSPC ? "; free room in the state folder of the gate" : "");
	loop_work(j->thread->loop, finish_work, finish_done, f);
}

static int write_piece(void *arg, const void *bytes, size_t n)
{
	struct job *j = arg;
	struct artifact *a = j->artifact;
	int r = 0;

	if (!j->writer) {
		r = cache_begin(j->thread->gate->cache, &j->writer, &j->err);
		if (r == 0) {
			pthread_mutex_lock(&a->lock);
			a->fd = dup(cache_writer_fd(j->writer));
			pthread_mutex_unlock(&a->lock);
		}
	}
	return r < 0 ? r : cache_write(j->writer, bytes, n, &j->err);
}

static void progress(void *arg, uint64_t written)
{
	struct job *j = arg;
	struct artifact *a = j->artifact;

	pthread_mutex_lock(&a->lock);
	a->written = written;
	wake(a);
	pthread_mutex_unlock(&a->lock);
}

static int fetch_head(void *arg, const struct fetch_head *head)
{
	struct job *j = arg;
	struct artifact *a = j->artifact;

	j->status = head->status;
	if (head->status != 200) {
		j->code = err_set(&j->err, head->status == 404 || head->status == 410 ? -ENOENT : -EPROTO,
		                  "the upstream answered %d for the tarball of %.*s@%.*s%s", head->status,
		                  STR_ARG(npm_packument_name(j->document->packument)), STR_ARG(j->version.version),
		                  j->elsewhere ? "; its metadata names another host: list it under artifact-hosts if it is to be trusted" : "");
		return j->code;
	}
	pthread_mutex_lock(&a->lock);
	a->size = head->content_length > 0 ? (uint64_t)head->content_length : 0;
	pthread_mutex_unlock(&a->lock);
	return 0;
}

static int fetch_data(void *arg, const void *bytes, size_t n)
{
	return spool_add(((struct job *)arg)->spool, bytes, n);
}

static void fetch_done(void *arg, const struct fetch_result *result)
{
	struct job *j = arg;

	METRIC_ADD(&j->thread->gate->metrics, upstream_bytes, result->bytes);
	if (result->code < 0 && j->code == 0) {
		METRIC_ADD(&j->thread->gate->metrics, upstream_failures, 1);
		j->code = result->code;
		j->err = result->err;
	}
	spool_finish(j->spool, spooled, j);
}

/* Where the bytes are fetched from: what the metadata says if that is the origin's own host or a listed one, else the customary place at
 * the origin (a mirror often names the host that it copies). */
static struct str artifact_url(struct job *j)
{
	struct url_where where;
	enum host_trust trust;
	struct str name = npm_packument_name(j->document->packument);

	if (url_read(j->version.tarball, NULL, &where, NULL) == 0 && hosts_check(&j->hosts, &where, &trust, NULL) == 0)
		return j->version.tarball;
	j->elsewhere = true;
	return arena_printf(j->arena, "%.*s%.*s/-/%.*s", STR_ARG(j->origin->url), STR_ARG(name), STR_ARG(j->version.file));
}

static void start_fetch(struct job *j)
{
	struct fetch f = {
		.method = STR("GET"),
		.hosts = &j->hosts,
		.authorization = j->origin->authorization,
		.accept = STR("application/octet-stream, */*"),
		.ca_file = j->origin->ca_file.n ? j->origin->ca_file.p : NULL,
		.max_bytes = LIMIT_ARTIFACT_BYTES,
		.on_head = fetch_head,
		.on_data = fetch_data,
		.on_done = fetch_done,
		.arg = j,
	};
	const struct spool_target target = {.write = write_piece, .progress = progress, .arg = j};
	struct job *listening = calloc(1, sizeof(*listening));

	if (!listening)
		abort();
	/* The answer and the fetch have ends of their own: the answer may come first and the fetch goes on. */
	*listening = (struct job){.thread = j->thread, .artifact = artifact_ref(j->artifact), .found = j->found, .found_arg = j->found_arg};
	artifact_wait(j->thread, j->artifact, 0, fetching_progressed, listening);
	j->hosts = (struct fetch_hosts){j->origin->url, j->origin->artifact_hosts, j->origin->artifact_host_count};
	if (!j->thread->fetcher) {
		j->code = err_set(&j->err, -ECANCELED, "the gate is stopping");
		artifact_end(j, -1, 0);
		job_free(j);
		return;
	}
	f.url = artifact_url(j);
	j->spool = spool_new(j->thread->loop, &target);
	METRIC_ADD(&j->thread->gate->metrics, upstream_requests, 1);
	METRIC_ADD(&j->thread->gate->metrics, artifact_misses, 1);
	spool_attach(j->spool, fetch_start(j->thread->fetcher, &f));
}

static void look_up_work(void *arg)
{
	struct job *j = arg;
	struct artifact *a = j->artifact;
	struct gate *g = j->thread->gate;

	j->code = cache_find(g->cache, &a->hash, &a->fd, &a->size);
	if (j->code == -EAGAIN) {
		j->code = cache_verify(g->cache, &a->hash, &j->err);
		if (j->code == 0)
			j->code = cache_find(g->cache, &a->hash, &a->fd, &a->size);
	}
	if (j->code == 0)
		j->code = artifact_check(g, j->rules, j->origin, j->document, &j->version, a->fd, &j->err);
}

static void look_up_done(void *arg)
{
	struct job *j = arg;
	struct artifact *a = j->artifact, *other;
	struct artifacts *owner = a->owner;

	if (j->code != -ENOENT || j->version.ghost) {
		if (j->code == 0) {
			a->state = ARTIFACT_READY;
			METRIC_ADD(&j->thread->gate->metrics, artifact_hits, 1);
		} else if (!j->err.code) {
			if (j->code == -ENOENT)
				err_set(&j->err, j->code, "the artifact is gone from its registry and no longer in the cache");
			else
				err_set(&j->err, j->code, "the artifact in the cache cannot be read: %s", err_name(j->code));
		}
		job_answer(j);
		job_free(j);
		return;
	}
	j->code = 0;
	j->err = (struct err){0};
	pthread_mutex_lock(&owner->lock);
	other = map_get(&owner->fetching, (struct str){a->key, a->key_length});
	if (other)
		artifact_ref(other);
	else if (map_put(&owner->fetching, (struct str){a->key, a->key_length}, a) < 0)
		abort();
	pthread_mutex_unlock(&owner->lock);
	if (!other) {
		start_fetch(j);
		return;
	}
	artifact_unref(a);
	j->artifact = other;
	artifact_wait(j->thread, other, 0, follow, j);
}

void artifact_get(struct gate_thread *t, struct rules *rules, const struct origin *origin, struct document *document, size_t index,
                  artifact_found found, void *arg)
{
	struct job *j = calloc(1, sizeof(*j));
	struct str name = npm_packument_name(document->packument), key;
	struct cache_key hash;

	if (!j || !(j->arena = arena_new(16 * MIB)))
		abort();
	j->thread = t;
	j->rules = rules_ref(rules);
	j->origin = origin;
	j->document = document_ref(document);
	j->index = index;
	j->found = found;
	j->found_arg = arg;
	npm_packument_version(document->packument, index, &j->version);
	if (integrity_key(j->version.integrity, j->version.shasum, &hash) < 0) {
		j->code = err_set(&j->err, -EBADMSG, "the metadata of %.*s@%.*s has no hash that its bytes could be checked against", STR_ARG(name),
		                  STR_ARG(j->version.version));
		job_answer(j);
		job_free(j);
		return;
	}
	j->artifact = artifact_new(t->gate->artifacts, &hash);
	/* By hash as well: after an upstream changed its mind, readers of one content never get the other. By policy: what the archive shows is
	 * judged by the rules of the one who fetches it, and another team's may be stricter. */
	key = arena_printf(j->arena, "%.*s%c%.*s@%.*s %s %llx", STR_ARG(origin->id), 0, STR_ARG(name), STR_ARG(j->version.version),
	                   j->artifact->integrity, (unsigned long long)policy_digest(rules->policy));
	j->artifact->key = str_dup(key);
	j->artifact->key_length = key.n;
	if (!j->artifact->key)
		abort();
	loop_work(t->loop, look_up_work, look_up_done, j);
}
