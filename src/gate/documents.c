#include "gate/documents.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "gate/document_file.h"
#include "gate/document_table.h"
#include "gate/spool.h"
#include "registry/npm/keys.h"

enum {
	MISSING_SECONDS = 60, /* "no such package" is believed this long */
	FAILED_SECONDS = 10,  /* an upstream that failed is left alone this long */
};
/* While a cooldown is in force nothing that is younger than it is shown anyway, so a document of this age may be served while it is
 * being asked for again. */
#define SERVE_WHILE_ASKING USEC_HOUR

/* One attempt to bring an entry up to date; lives on one loop, its blocking steps on worker threads. */
struct refresh {
	struct documents *documents;
	struct gate_thread *thread;
	struct rules *rules;
	const struct origin *origin;
	struct entry *entry;
	struct str name;
	struct arena *arena;
	struct document *previous; /* a reference */
	struct fetch_hosts hosts;
	struct spool *spool;
	char path[256], temporary[256];
	int fd;
	int status;     /* of the upstream's answer; 0: none yet */
	bool nowhere;   /* there is no such package; not to be confused with a file of ours that is missing */
	struct str via; /* of the request that asked first */
	struct str etag, last_modified;
	struct document_made made;
	struct npm_changes changes;
	int code;
	struct err err;
};

/* ---- freshness ---- */

/* Signatures that were verified with other keys than those in force say nothing. */
static bool verified(const struct document *document, const struct rules *rules)
{
	return npm_packument_keys_id(document->packument) == npm_keys_id(rules->keys);
}

static bool fresh(const struct document *document, const struct rules *rules, const struct origin *origin, usec now)
{
	usec age = now - atomic_load(&document->checked);

	return age >= 0 && age < origin->fresh && verified(document, rules);
}

static bool serve_while_asking(const struct document *document, const struct rules *rules, const struct origin *origin, usec now)
{
	usec age = now - atomic_load(&document->checked);

	return verified(document, rules) && origin->is_default && policy_mode(rules->policy, REASON_COOLDOWN) == MODE_ENFORCE && age >= 0 &&
	       age < SERVE_WHILE_ASKING && age < origin->stale;
}

static bool confirmed_within(const struct document *document, usec age, usec now)
{
	usec old = now - atomic_load(&document->checked);

	return old >= 0 && old < age;
}

static bool still_good(const struct document *document, const struct origin *origin, usec now)
{
	usec age = now - atomic_load(&document->checked);

	/* A clock that went back makes ages negative, and must not make a document good for ever. */
	return age < origin->stale && age > -origin->stale;
}

/* ---- a refresh, step by step ---- */

static void refresh_free(struct refresh *r)
{
	document_unref(r->previous);
	rules_unref(r->rules);
	arena_free(r->arena);
	free(r);
}

static void record_changes(struct refresh *r)
{
	struct gate *g = r->documents->gate;

	for (size_t i = 0; i < r->changes.changed_hash_count; i++) {
		METRIC_ADD(&g->metrics, hashes_changed, 1);
		gate_record(g, EVIDENCE_INCIDENT, r->origin->ecosystem, r->name, STR(""), STR("deny hash-changed"), r->changes.changed_hashes[i]);
	}
	for (size_t i = 0; i < r->changes.withdrawn_count; i++)
		gate_record(g, EVIDENCE_INCIDENT, r->origin->ecosystem, r->name, STR(""), STR("hold withdrawn"), r->changes.withdrawn[i]);
	for (size_t i = 0; i < r->changes.note_count; i++)
		log_event(LOG_WARNING, "odd packument", "package=%s note=%s", log_quote(r->name), log_quote(r->changes.notes[i]));
}

/* The end of every refresh: puts what was found into the table and answers who waits. */
static void refresh_end(struct refresh *r)
{
	struct documents *d = r->documents;
	struct entry *e = r->entry;
	usec now = time_now();

	if (r->made.document)
		record_changes(r);
	if (r->code == -ENOENT && !r->nowhere)
		r->code = r->err.code = -EIO;
	pthread_mutex_lock(&d->lock);
	e->busy = false;
	free(e->failure);
	e->failure = NULL;
	e->missing_at = 0;
	if (r->code == 0) {
		e->vanished_at = 0;
		if (r->made.document)
			entry_put_document(d, e, r->made.document);
		else if (!e->document && r->previous)
			entry_put_document(d, e, document_ref(r->previous));
		entry_release_waiters(e, e->document, false, 0, NULL);
	} else if (r->nowhere) {
		e->missing_at = now;
		entry_release_waiters(e, NULL, false, -ENOENT, &r->err);
	} else {
		e->failed_at = now;
		e->failure = malloc(sizeof(*e->failure));
		if (e->failure)
			*e->failure = r->err;
		METRIC_ADD(&d->gate->metrics, upstream_failures, 1);
		if (r->previous && still_good(r->previous, r->origin, now)) {
			if (!e->document)
				entry_put_document(d, e, document_ref(r->previous));
			METRIC_ADD(&d->gate->metrics, stale_served, 1);
			entry_release_waiters(e, r->previous, true, 0, &r->err);
		} else {
			entry_release_waiters(e, NULL, false, r->code, &r->err);
		}
		log_event(LOG_WARNING, "upstream failed", "package=%s error=%s", log_quote(r->name), log_quote(str_of(r->err.text)));
	}
	entries_make_room(d);
	pthread_mutex_unlock(&d->lock);
	refresh_free(r);
}

static void drop_temporary(struct documents *d, int fd, const char *temporary)
{
	char full[4096];

	if (fd < 0)
		return;
	close(fd);
	snprintf(full, sizeof(full), "%s/%s", d->folder, temporary);
	unlink(full);
}

static void refresh_drop(struct refresh *r)
{
	drop_temporary(r->documents, r->fd, r->temporary);
	r->fd = -1;
}

static void make_work(void *arg)
{
	struct refresh *r = arg;
	struct gate *g = r->documents->gate;
	struct seen_package seen;
	struct npm_build build = {
		.name = r->name,
		.now = time_now(),
		.etag = r->etag,
		.last_modified = r->last_modified,
		.seen = &seen,
		.previous = r->previous ? r->previous->packument : NULL,
		.keys = r->rules->keys,
		.again = r->previous && !verified(r->previous, r->rules),
		.gone = r->status == 404,
	};
	int code = store_package_load(g->store, r->origin->id, r->origin->ecosystem, r->name, r->arena, &seen, &r->err);

	if (code < 0 && code != -ENOENT) {
		refresh_drop(r);
		r->code = code;
		return;
	}
	r->code = document_make(r->documents->folder, r->temporary, r->fd, r->path, &build, r->arena, &r->made, &r->changes, &r->err);
	r->fd = -1;
	if (r->code < 0)
		return;
	if (r->made.unchanged) {
		document_touch(r->documents->folder, r->previous, build.now);
		store_package_checked(g->store, r->origin->id, r->origin->ecosystem, r->name, build.now);
		return;
	}
	METRIC_ADD(&g->metrics, documents_built, 1);
	r->changes.seen.origin = r->origin->id;
	r->changes.seen.ecosystem = r->origin->ecosystem;
	r->changes.seen.name = r->name;
	store_package_save(g->store, &r->changes.seen, NULL, NULL);
}

static void make_done(void *arg)
{
	refresh_end(arg);
}

/* The document's file once more out of its own raw JSON, with what the store and the keys say by now. */
static int make_again(struct gate *g, struct npm_keys *keys, const struct origin *origin, struct document *document, usec now,
                      struct arena *a, struct document_made *ret, struct npm_changes *ret_changes, struct err *err)
{
	struct documents *d = g->documents;
	struct str name = npm_packument_name(document->packument), raw = npm_packument_raw(document->packument);
	struct seen_package seen;
	struct npm_build build = {
		.name = name,
		.now = now,
		.etag = npm_packument_etag(document->packument),
		.last_modified = npm_packument_last_modified(document->packument),
		.seen = &seen,
		.previous = document->packument,
		.keys = keys,
		.gone = npm_packument_gone(document->packument),
		.again = true,
	};
	char path[256], temporary[256];
	int fd, r = store_package_load(g->store, origin->id, origin->ecosystem, name, a, &seen, err);

	fd = r < 0 && r != -ENOENT ? r : document_temporary(d->folder, temporary, err);
	if (fd < 0)
		return fd;
	document_path(origin, name, path);
	r = document_append(fd, raw);
	if (r == 0)
		return document_make(d->folder, temporary, fd, path, &build, a, ret, ret_changes, err);
	drop_temporary(d, fd, temporary);
	return err_set(err, r, "cannot write the document of %.*s: %s", STR_ARG(name), err_name(r));
}

static void confirm_work(void *arg)
{
	struct refresh *r = arg;
	struct gate *g = r->documents->gate;
	usec now = time_now();

	if (!verified(r->previous, r->rules))
		r->code = make_again(g, r->rules->keys, r->origin, r->previous, now, r->arena, &r->made, &r->changes, &r->err);
	document_touch(r->documents->folder, r->previous, now);
	store_package_checked(g->store, r->origin->id, r->origin->ecosystem, r->name, now);
}

static void spooled(void *arg, int code)
{
	struct refresh *r = arg;

	r->spool = NULL;
	/* A failed write also ends the fetch, whose own sentence would blame the upstream. */
	if (code < 0 && (r->code == 0 || r->code == code))
		r->code = err_set(&r->err, code, "cannot store the packument of %.*s: %s%s", STR_ARG(r->name), err_name(code),
		                  code == -ENOSPC ? "; free room in the state folder of the gate" : "");
	if (r->code == 0 && r->status == 200) {
		loop_work(r->thread->loop, make_work, make_done, r);
		return;
	}
	if (r->code == 0 && r->status == 304 && r->previous) {
		refresh_drop(r);
		loop_work(r->thread->loop, confirm_work, make_done, r);
		return;
	}
	if (r->code == 0 && (r->status == 404 || r->status == 410)) {
		if (r->previous && !npm_packument_gone(r->previous->packument) && !r->entry->vanished_at) {
			/* A registry in trouble says 404 as well: believed only when it says so again. Until then this is a failure like any other. */
			r->entry->vanished_at = time_now();
			r->code = err_set(&r->err, -EPROTO,
			                  "the upstream says that %.*s, which it had, is gone; it is asked once more before that is believed",
			                  STR_ARG(r->name));
			refresh_drop(r);
			refresh_end(r);
			return;
		}
		if (r->previous && !npm_packument_gone(r->previous->packument)) {
			r->status = 404;
			loop_work(r->thread->loop, make_work, make_done, r);
			return;
		}
		refresh_drop(r);
		if (r->previous) {
			loop_work(r->thread->loop, confirm_work, make_done, r);
			return;
		}
		r->nowhere = true;
		r->code = err_set(&r->err, -ENOENT, "%.*s is not in the registry that this gate asks for it", STR_ARG(r->name));
	}
	if (r->code == 0)
		r->code =
			err_set(&r->err, r->status == 401 || r->status == 403 ? -EACCES : -EPROTO, "the upstream answered %d for %.*s%s", r->status,
		            STR_ARG(r->name), r->status == 401 || r->status == 403 ? "; check the origin's token in the policy" : "");
	refresh_drop(r);
	refresh_end(r);
}

static int fetch_head(void *arg, const struct fetch_head *head)
{
	struct refresh *r = arg;

	r->status = head->status;
	r->etag = arena_str(r->arena, head->etag);
	r->last_modified = arena_str(r->arena, head->last_modified);
	return 0;
}

static int fetch_data(void *arg, const void *bytes, size_t n)
{
	struct refresh *r = arg;

	/* The body of an error answer is of no use. */
	return r->status == 200 ? spool_add(r->spool, bytes, n) : 0;
}

static void fetch_done(void *arg, const struct fetch_result *result)
{
	struct refresh *r = arg;

	METRIC_ADD(&r->documents->gate->metrics, upstream_bytes, result->bytes);
	if (result->code < 0) {
		r->code = result->code;
		r->err = result->err;
	}
	spool_finish(r->spool, spooled, r);
}

static int write_piece(void *arg, const void *bytes, size_t n)
{
	struct refresh *r = arg;

	return document_append(r->fd, (struct str){bytes, n});
}

/* "@scope/name" travels as "@scope%2fname". */
static struct str document_url(struct arena *a, const struct origin *origin, struct str name)
{
	ptrdiff_t slash = str_chr(name, '/');

	if (slash < 0)
		return arena_printf(a, "%.*s%.*s", STR_ARG(origin->url), STR_ARG(name));
	return arena_printf(a, "%.*s%.*s%%2f%.*s", STR_ARG(origin->url), STR_ARG(str_take(name, (size_t)slash)),
	                    STR_ARG(str_skip(name, (size_t)slash + 1)));
}

static void ask_upstream(struct refresh *r)
{
	struct fetch f = {
		.method = STR("GET"),
		.url = document_url(r->arena, r->origin, r->name),
		.hosts = &r->hosts,
		.authorization = r->origin->authorization,
		.via = r->via,
		.accept = STR("application/json"),
		.ca_file = r->origin->ca_file.n ? r->origin->ca_file.p : NULL,
		.decode = true,
		.max_bytes = LIMIT_PACKUMENT_BYTES,
		.on_head = fetch_head,
		.on_data = fetch_data,
		.on_done = fetch_done,
		.arg = r,
	};
	const struct spool_target target = {.write = write_piece, .arg = r};

	r->fd = r->thread->fetcher ? document_temporary(r->documents->folder, r->temporary, &r->err)
	                           : err_set(&r->err, -ECANCELED, "the gate is stopping");
	if (r->fd < 0) {
		r->code = r->fd;
		refresh_end(r);
		return;
	}
	if (r->previous) {
		f.if_none_match = npm_packument_etag(r->previous->packument);
		f.if_modified_since = npm_packument_last_modified(r->previous->packument);
	}
	r->hosts = (struct fetch_hosts){r->origin->url, r->origin->artifact_hosts, r->origin->artifact_host_count};
	r->spool = spool_new(r->thread->loop, &target);
	METRIC_ADD(&r->documents->gate->metrics, upstream_requests, 1);
	spool_attach(r->spool, fetch_start(r->thread->fetcher, &f));
}

static void open_work(void *arg)
{
	struct refresh *r = arg;

	if (document_open(r->documents->folder, r->path, r->name, &r->previous, NULL) < 0)
		r->previous = NULL;
}

/* Is everybody who waits content with a document of this age? */
static bool old_enough_for_all(const struct entry *e, const struct document *document, usec now)
{
	for (const struct waiter *w = e->waiters; w; w = w->next)
		if (!confirmed_within(document, w->age, now))
			return false;
	return true;
}

/* After the disk was looked at: what lies there may be all that is needed. */
static void open_done(void *arg)
{
	struct refresh *r = arg;
	struct documents *d = r->documents;
	usec now = time_now();
	bool enough = false, old_enough;

	pthread_mutex_lock(&d->lock);
	r->entry->disk_tried = true;
	old_enough = r->previous && old_enough_for_all(r->entry, r->previous, now);
	if (r->previous && (d->gate->offline || old_enough || fresh(r->previous, r->rules, r->origin, now) ||
	                    serve_while_asking(r->previous, r->rules, r->origin, now))) {
		entry_put_document(d, r->entry, document_ref(r->previous));
		entry_release_waiters(r->entry, r->previous, false, 0, NULL);
		enough = d->gate->offline || old_enough || fresh(r->previous, r->rules, r->origin, now);
		if (enough)
			r->entry->busy = false;
		entries_make_room(d); /* which keeps an entry that is still busy */
	}
	pthread_mutex_unlock(&d->lock);
	if (enough) {
		refresh_free(r);
	} else if (d->gate->offline || r->origin->url.n == 0) {
		r->nowhere = d->gate->offline;
		r->code = err_set(&r->err, d->gate->offline ? -ENOENT : -EHOSTUNREACH,
		                  d->gate->offline ? "nothing is stored here about %.*s"
		                                   : "no upstream is set for %.*s: set registries.npm.upstream in the policy",
		                  STR_ARG(r->name));
		refresh_end(r);
	} else {
		ask_upstream(r);
	}
}

/* The entry is marked busy by the caller. */
static void refresh_start(struct documents *d, struct gate_thread *t, struct rules *rules, const struct origin *origin, struct entry *e,
                          struct str name, struct document *previous)
{
	struct refresh *r = calloc(1, sizeof(*r));

	if (r)
		r->arena = arena_new(512 * MIB);
	if (!r || !r->arena)
		abort();
	r->documents = d;
	r->thread = t;
	r->rules = rules_ref(rules);
	r->origin = origin;
	r->entry = e;
	r->name = arena_str(r->arena, name);
	r->via = arena_str(r->arena, t->via);
	r->fd = -1;
	r->previous = previous;
	document_path(origin, r->name, r->path);
	if (previous)
		ask_upstream(r);
	else
		loop_work(t->loop, open_work, open_done, r);
}

/* ---- asking ---- */

void document_get(struct gate_thread *t, struct rules *rules, const struct origin *origin, struct str name, document_found found, void *arg)
{
	document_get_aged(t, rules, origin, name, 0, found, arg);
}

void document_get_aged(struct gate_thread *t, struct rules *rules, const struct origin *origin, struct str name, usec age,
                       document_found found, void *arg)
{
	struct documents *d = t->gate->documents;
	usec now = time_now();
	struct document_result result = {0};
	struct document *previous = NULL;
	bool answered = false, start = false;
	struct entry *e;

	pthread_mutex_lock(&d->lock);
	e = entry_find(d, origin, name, age > 0);
	if (e->document && confirmed_within(e->document, age, now)) {
		document_result_fill(&result, e->document, false, 0, NULL);
		answered = true;
	} else if (e->document &&
	           (t->gate->offline || fresh(e->document, rules, origin, now) || serve_while_asking(e->document, rules, origin, now))) {
		document_result_fill(&result, e->document, e->failure != NULL, 0, NULL);
		answered = true;
		start =
			!t->gate->offline && !e->busy && !fresh(e->document, rules, origin, now) && now - e->failed_at >= FAILED_SECONDS * USEC_SECOND;
	} else if (e->missing_at && now >= e->missing_at && now - e->missing_at < MISSING_SECONDS * USEC_SECOND) {
		err_set(&result.err, -ENOENT, "%.*s is not in the registry that this gate asks for it", STR_ARG(name));
		result.code = -ENOENT;
		answered = true;
	} else if (e->failure && now - e->failed_at < FAILED_SECONDS * USEC_SECOND && now >= e->failed_at) {
		if (e->document && still_good(e->document, origin, now))
			document_result_fill(&result, e->document, true, 0, e->failure);
		else
			document_result_fill(&result, NULL, false, e->failure->code ? e->failure->code : -EIO, e->failure);
		answered = true;
	} else {
		struct waiter *w = calloc(1, sizeof(*w));

		if (!w)
			abort();
		*w = (struct waiter){.next = e->waiters, .thread = t, .found = found, .arg = arg, .age = age};
		e->waiters = w;
		start = !e->busy;
	}
	if (start) {
		e->busy = true;
		previous = e->document ? document_ref(e->document) : NULL;
	}
	pthread_mutex_unlock(&d->lock);
	if (start)
		refresh_start(d, t, rules, origin, e, name, previous);
	if (answered)
		found(arg, &result);
}

struct document *document_newest(struct gate *g, const struct origin *origin, struct document *document)
{
	struct documents *d = g->documents;
	struct entry *e;

	pthread_mutex_lock(&d->lock);
	e = entry_find(d, origin, npm_packument_name(document->packument), false);
	document = document_ref(e->document ? e->document : document);
	pthread_mutex_unlock(&d->lock);
	return document;
}

void document_remake(struct gate *g, const struct origin *origin, struct document *before)
{
	struct documents *d = g->documents;
	struct document *document = document_newest(g, origin, before);
	struct rules *rules = gate_rules(g);
	CLEANUP_ARENA struct arena *a = arena_new(512 * MIB);
	struct str name = npm_packument_name(document->packument);
	struct document_made made = {0};
	struct npm_changes changes;
	struct err err = {0};
	struct entry *e;

	if (!a)
		abort();
	make_again(g, rules->keys, origin, document, atomic_load(&document->checked), a, &made, &changes, &err);
	if (made.document) {
		pthread_mutex_lock(&d->lock);
		e = entry_find(d, origin, name, false);
		entry_put_document(d, e, made.document);
		entries_make_room(d);
		pthread_mutex_unlock(&d->lock);
	} else {
		log_event(LOG_ERROR, "document not made again", "package=%s error=%s", log_quote(name), log_quote(str_of(err.text)));
	}
	rules_unref(rules);
	document_unref(document);
	gate_set_rules(g, NULL, NULL);
}

void documents_rest(struct documents *d)
{
	pthread_mutex_lock(&d->lock);
	for (struct entry *e = d->oldest; e; e = e->newer)
		if (e->document)
			file_rest(e->document->mapped);
	pthread_mutex_unlock(&d->lock);
}

int documents_trim(struct documents *d, uint64_t max_bytes, struct err *err)
{
	return document_files_trim(d->folder, max_bytes, err);
}

int documents_new(struct gate *g, const char *cache_folder, size_t memory_bytes, struct documents **ret, struct err *err)
{
	struct documents *d = calloc(1, sizeof(*d));
	char temporaries[4096];
	int r;

	if (!d)
		abort();
	d->gate = g;
	d->memory_max = memory_bytes;
	snprintf(d->folder, sizeof(d->folder), "%s/documents", cache_folder);
	snprintf(temporaries, sizeof(temporaries), "%s/tmp", d->folder);
	pthread_mutex_init(&d->lock, NULL);
	r = dir_make(temporaries, 0700, err);
	if (r < 0) {
		documents_free(d);
		return r;
	}
	document_remove_temporaries(d->folder);
	*ret = d;
	return 0;
}

void documents_free(struct documents *d)
{
	if (!d)
		return;
	while (d->oldest)
		entry_free(d, d->oldest);
	map_free(&d->entries);
	pthread_mutex_destroy(&d->lock);
	free(d);
}
