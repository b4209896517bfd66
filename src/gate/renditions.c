#include "gate/renditions.h"

#include <stdatomic.h>
#include <stdio.h>
#include <xxhash.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/map.h"
#include "gate/compress.h"
#include "gate/refusal.h"

/* Larger ones cost page cache instead of memory. */
enum { SPILLED_FROM = 256 * 1024, KEPT_SPILLED = 64 };

struct waiter {
	struct waiter *next;
	struct gate_thread *thread;
	rendition_found found;
	void *arg;
	struct rendition_result result;
};

struct slot {
	struct slot *newer, *older;
	struct str key;
	struct rendition *rendition; /* NULL: not made yet */
	struct waiter *waiters;
	bool making;
};

struct renditions {
	pthread_mutex_t lock;
	char folder[2048];
	size_t memory, memory_max, spilled;
	struct map slots;
	struct slot *newest, *oldest;
};

/* One making. */
struct making {
	struct gate_thread *thread;
	struct rules *rules;
	struct slot *slot;
	struct rendition_wish wish;
	struct arena *arena;
	struct clearance_result cleared;
	struct rendition *rendition;
	bool aside;
	int code;
	struct err err;
};

struct renditions *renditions_new(size_t memory_bytes, const char *folder)
{
	struct renditions *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	pthread_mutex_init(&r->lock, NULL);
	r->memory_max = memory_bytes;
	snprintf(r->folder, sizeof(r->folder), "%s", folder);
	return r;
}

void rendition_unref(struct rendition *r)
{
	if (!r || atomic_fetch_sub(&r->refs, 1) != 1)
		return;
	blob_unref(r->body);
	free(r);
}

/* ---- the table; under its lock ---- */

static void unlink_slot(struct renditions *r, struct slot *s)
{
	*(s->newer ? &s->newer->older : &r->newest) = s->older;
	*(s->older ? &s->older->newer : &r->oldest) = s->newer;
	s->newer = s->older = NULL;
}

static void push_newest(struct renditions *r, struct slot *s)
{
	s->older = r->newest;
	*(r->newest ? &r->newest->newer : &r->oldest) = s;
	r->newest = s;
}

static size_t cost(const struct rendition *rendition)
{
	return rendition->body->mapped ? 0 : rendition->body->n + sizeof(*rendition) + 512;
}

static void put(struct renditions *r, struct slot *s, struct rendition *fresh)
{
	if (s->rendition) {
		r->memory -= cost(s->rendition);
		r->spilled -= s->rendition->body->mapped;
		rendition_unref(s->rendition);
	}
	s->rendition = fresh;
	if (fresh) {
		r->memory += cost(fresh);
		r->spilled += fresh->body->mapped;
	}
}

static void free_slot(struct renditions *r, struct slot *s)
{
	put(r, s, NULL);
	unlink_slot(r, s);
	map_remove(&r->slots, s->key);
	free(s);
}

static void make_room(struct renditions *r)
{
	for (struct slot *s = r->oldest, *newer; s && (r->memory > r->memory_max || r->spilled > KEPT_SPILLED); s = newer) {
		newer = s->newer;
		if (!s->making && (r->memory > r->memory_max || (s->rendition && s->rendition->body->mapped)))
			free_slot(r, s);
	}
}

static struct slot *find_slot(struct renditions *r, struct str key)
{
	struct slot *s = map_get(&r->slots, key);

	if (s) {
		unlink_slot(r, s);
	} else {
		char *copy;

		s = calloc(1, sizeof(*s) + key.n);
		if (!s)
			abort();
		copy = (char *)(s + 1);
		memcpy(copy, key.p, key.n);
		s->key = (struct str){copy, key.n};
		if (map_put(&r->slots, s->key, s) < 0)
			abort();
	}
	push_newest(r, s);
	return s;
}

void renditions_free(struct renditions *r)
{
	if (!r)
		return;
	while (r->oldest)
		free_slot(r, r->oldest);
	map_free(&r->slots);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void renditions_rest(struct renditions *r)
{
	pthread_mutex_lock(&r->lock);
	/* A gate at rest gives most of its memory back: what is asked for again is rendered in a fraction of a millisecond. */
	for (struct slot *s = r->oldest, *newer; s && r->memory > r->memory_max / 4; s = newer) {
		newer = s->newer;
		if (!s->making)
			free_slot(r, s);
	}
	for (struct slot *s = r->oldest; s; s = s->newer)
		if (s->rendition && s->rendition->body->mapped)
			file_rest(blob_str(s->rendition->body));
	pthread_mutex_unlock(&r->lock);
}

/* ---- making ---- */

struct rendering {
	struct gzip *gzip;
	struct buf out;
	XXH3_state_t *hash;
};

static void take(void *arg, const void *bytes, size_t n)
{
	struct rendering *w = arg;

	XXH3_128bits_update(w->hash, bytes, n);
	if (w->gzip)
		gzip_add(w->gzip, bytes, n);
	else
		buf_add(&w->out, bytes, n);
}

static void format_etag(struct rendition *r, XXH3_state_t *hash, const struct rendition_wish *wish)
{
	XXH128_canonical_t canonical;
	char hex[33];

	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(hash));
	hex_encode(canonical.digest, sizeof(canonical.digest), hex);
	snprintf(r->etag, sizeof(r->etag), "\"%s-%s%s\"", hex, wish->form.abbreviated ? "a" : "f", wish->gzip ? "z" : "");
}

static void render_work(void *arg)
{
	struct making *m = arg;
	struct gate *g = m->thread->gate;
	struct clearance *c = m->cleared.clearance;
	const struct npm_packument *p = m->cleared.document->packument;
	struct rendering w = {.out = BUF(2 * LIMIT_PACKUMENT_BYTES), .hash = XXH3_createState()};
	const struct npm_sink sink = {take, &w};
	struct npm_cut cut = {.shown = c->shown, .now = m->thread->gate->now(), .tag_hold = policy_cooldown(m->rules->policy, m->wish.origin)};
	struct rendition *r = calloc(1, sizeof(*r));
	int code;

	if (!r || !w.hash)
		abort();
	if (c->hidden)
		cut.message = refusal_of_hidden(c, m->cleared.document, m->rules, m->wish.origin, cut.now, m->arena);
	XXH3_128bits_reset(w.hash);
	if (m->wish.gzip)
		w.gzip = gzip_new(&w.out);
	code = npm_render_packument(p, &cut, &m->wish.form, m->arena, &sink);
	if (w.gzip) {
		int ended = gzip_end(w.gzip);

		code = code < 0 ? code : ended;
	}
	r->refs = 1;
	r->generation = m->cleared.document->generation;
	r->made = c->made;
	r->gzip = m->wish.gzip;
	format_etag(r, w.hash, &m->wish);
	XXH3_freeState(w.hash);
	if (code == 0 && w.out.error)
		code = w.out.error;
	/* A disk that is full, over its quota or read-only does not stop metadata: then it is kept in memory. */
	if (code == 0 && w.out.n >= SPILLED_FROM && blob_spill(buf_str(&w.out), g->renditions->folder, &r->body, NULL) < 0)
		r->body = blob_take(&w.out);
	if (code == 0 && !r->body) {
		r->body = blob_copy(buf_str(&w.out));
		code = r->body ? 0 : -ENOMEM;
	}
	buf_free(&w.out);
	METRIC_ADD(&g->metrics, rendition_misses, 1);
	METRIC_ADD(&g->metrics, versions_hidden, c->hidden);
	if (code < 0) {
		m->code = err_set(&m->err, code, "the packument of %.*s cannot be rendered: %s", STR_ARG(m->wish.name), err_name(code));
		free(r);
		return;
	}
	m->rendition = r;
}

static void deliver(void *arg)
{
	struct waiter *w = arg;

	w->found(w->arg, &w->result);
	free(w);
}

static usec expiry(const struct making *m)
{
	usec now = m->thread->gate->now(), checked = atomic_load(&m->cleared.document->checked) + m->wish.origin->fresh;
	usec expires = m->cleared.clearance->expires;

	/* While the document is being asked for again behind our back, look soon whether it came. */
	if (checked < now + USEC_SECOND)
		checked = now + USEC_SECOND;
	return checked < expires ? checked : expires;
}

static void making_end(struct making *m)
{
	struct renditions *r = m->thread->gate->renditions;
	struct waiter *w;

	pthread_mutex_lock(&r->lock);
	if (m->rendition) {
		m->rendition->expires = expiry(m);
		put(r, m->slot, m->rendition);
	}
	m->slot->making = false;
	w = m->slot->waiters;
	m->slot->waiters = NULL;
	while (w) {
		struct waiter *next = w->next;

		w->result = (struct rendition_result){.stale = m->cleared.stale, .aside = m->aside, .code = m->code, .err = m->err};
		if (m->slot->rendition && m->code == 0) {
			w->result.rendition = m->slot->rendition;
			atomic_fetch_add(&w->result.rendition->refs, 1);
		}
		loop_post(w->thread->loop, deliver, w);
		w = next;
	}
	if (!m->slot->rendition)
		free_slot(r, m->slot);
	make_room(r);
	pthread_mutex_unlock(&r->lock);
	clearance_result_free(&m->cleared);
	rules_unref(m->rules);
	arena_free(m->arena);
	free(m);
}

static void render_done(void *arg)
{
	making_end(arg);
}

static void cleared(void *arg, struct clearance_result *result)
{
	struct making *m = arg;
	struct rendition *kept = m->slot->rendition;

	m->cleared = *result;
	if (!result->clearance) {
		m->code = result->code;
		m->err = result->err;
		making_end(m);
		return;
	}
	if (result->clearance->hidden == result->clearance->count) {
		struct str sentence =
			refusal_of_package(result->clearance, result->document, m->rules, m->wish.origin, m->thread->gate->now(), m->arena);

		m->code = result->clearance->count ? -EPERM : -ENOENT;
		if (refusal_of_package_may_end(result->clearance, result->document, m->rules, m->wish.origin, m->thread->gate->now(), m->arena))
			m->code = -EAGAIN;
		m->aside = m->code == -EPERM &&
		           refusal_is_aside(result->clearance, result->document, m->rules, m->wish.origin, m->thread->gate->now(), m->arena);
		m->err.code = m->code;
		snprintf(m->err.text, sizeof(m->err.text), "%.*s", STR_ARG(sentence));
		making_end(m);
		return;
	}
	/* The slot's rendition is only ever put by its one maker, so it may be read here. */
	if (kept && kept->generation == result->document->generation && kept->made == result->clearance->made) {
		atomic_fetch_add(&kept->refs, 1);
		m->rendition = kept;
		making_end(m);
		return;
	}
	loop_work(m->thread->loop, render_work, render_done, m);
}

/* The rules' epoch is part of it: nobody gets what was begun under former rules. */
static struct str wish_key(const struct rendition_wish *w, uint64_t epoch, char *out, size_t size)
{
	int n = snprintf(out, size, "%.*s\n%.*s\n%llx%c%c\n%.*s\n%.*s", STR_ARG(w->name), STR_ARG(w->origin->id), (unsigned long long)epoch,
	                 w->form.abbreviated ? 'a' : 'f', w->gzip ? 'z' : '-', STR_ARG(w->form.base), STR_ARG(w->form.keep_host_prefix));

	return (struct str){out, (size_t)n < size ? (size_t)n : size - 1};
}

void rendition_get(struct gate_thread *t, struct rules *rules, const struct rendition_wish *wish, rendition_found found, void *arg)
{
	struct renditions *r = t->gate->renditions;
	struct rendition_result result = {0};
	struct making *m = NULL;
	usec now = t->gate->now();
	char text[2048];
	struct slot *s;

	pthread_mutex_lock(&r->lock);
	s = find_slot(r, wish_key(wish, rules->epoch, text, sizeof(text)));
	if (s->rendition && now < s->rendition->expires && now >= s->rendition->made) {
		result.rendition = s->rendition;
		atomic_fetch_add(&result.rendition->refs, 1);
	} else {
		struct waiter *w = calloc(1, sizeof(*w));

		if (!w)
			abort();
		*w = (struct waiter){.next = s->waiters, .thread = t, .found = found, .arg = arg};
		s->waiters = w;
		if (!s->making) {
			s->making = true;
			m = calloc(1, sizeof(*m));
			if (!m || !(m->arena = arena_new(64 * MIB)))
				abort();
			m->thread = t;
			m->slot = s;
		}
	}
	pthread_mutex_unlock(&r->lock);
	if (result.rendition) {
		METRIC_ADD(&t->gate->metrics, rendition_hits, 1);
		found(arg, &result);
		return;
	}
	if (!m)
		return;
	m->rules = rules_ref(rules);
	m->wish = *wish;
	m->wish.name = arena_str(m->arena, wish->name);
	m->wish.form.base = arena_str(m->arena, wish->form.base);
	m->wish.form.keep_host_prefix = arena_str(m->arena, wish->form.keep_host_prefix);
	clearance_get(t, m->rules, wish->origin, m->wish.name, cleared, m);
}
