#include "gate/document_table.h"

#include <stdio.h>

/* Names remembered; a stranger can ask for any number of them. */
enum { ENTRIES = 20000 };

static void unlink_entry(struct documents *d, struct entry *e)
{
	*(e->newer ? &e->newer->older : &d->newest) = e->older;
	*(e->older ? &e->older->newer : &d->oldest) = e->newer;
	e->newer = e->older = NULL;
}

static void push_newest(struct documents *d, struct entry *e)
{
	e->older = d->newest;
	*(d->newest ? &d->newest->newer : &d->oldest) = e;
	d->newest = e;
}

static void unlink_open(struct documents *d, struct entry *e)
{
	if (d->newest_once == e)
		d->newest_once = e->older_open;
	*(e->newer_open ? &e->newer_open->older_open : &d->newest_open) = e->older_open;
	*(e->older_open ? &e->older_open->newer_open : &d->oldest_open) = e->newer_open;
	e->newer_open = e->older_open = NULL;
}

/* The newest of its kind; what was only looked through lies below all that clients use. */
static void push_open(struct documents *d, struct entry *e)
{
	struct entry *below = e->once ? d->newest_once : d->newest_open, *above = below ? below->newer_open : d->oldest_open;

	e->older_open = below;
	e->newer_open = above;
	*(below ? &below->newer_open : &d->oldest_open) = e;
	*(above ? &above->older_open : &d->newest_open) = e;
	if (e->once)
		d->newest_once = e;
}

void entry_close_document(struct documents *d, struct entry *e)
{
	if (!e->document)
		return;
	unlink_open(d, e);
	d->memory -= e->document->mapped.n;
	document_unref(e->document);
	e->document = NULL;
	e->disk_tried = false;
	e->once = true;
}

void entry_free(struct documents *d, struct entry *e)
{
	entry_close_document(d, e);
	unlink_entry(d, e);
	map_remove(&d->entries, (struct str){e->key, e->key_length});
	free(e->failure);
	free(e->key);
	free(e);
}

void entries_make_room(struct documents *d)
{
	/* Never the newest: it was just found or filled for somebody, who asks for it again. */
	for (struct entry *e = d->oldest_open, *newer; e && d->memory > d->memory_max; e = newer) {
		newer = e->newer_open;
		if (!e->busy && (e != d->newest || e->once))
			entry_close_document(d, e);
	}
	for (struct entry *e = d->oldest, *newer; e && e != d->newest && d->entries.used > ENTRIES; e = newer) {
		newer = e->newer;
		if (!e->busy)
			entry_free(d, e);
	}
}

struct entry *entry_find(struct documents *d, const struct origin *origin, struct str name, bool once)
{
	char key[64 + 1 + 256];
	size_t n = (size_t)snprintf(key, sizeof(key), "%.*s%c%.*s", STR_ARG(str_take(origin->id, 64)), 0, STR_ARG(str_take(name, 255)));
	struct entry *e = map_get(&d->entries, (struct str){key, n});

	if (e) {
		unlink_entry(d, e);
		push_newest(d, e);
		e->once &= once;
		if (e->document && !once) {
			unlink_open(d, e);
			push_open(d, e);
		}
		return e;
	}
	e = calloc(1, sizeof(*e));
	if (e)
		e->key = malloc(n);
	if (!e || !e->key)
		abort();
	memcpy(e->key, key, n);
	e->key_length = n;
	e->once = once;
	if (map_put(&d->entries, (struct str){e->key, n}, e) < 0)
		abort();
	push_newest(d, e);
	entries_make_room(d);
	return e;
}

void entry_put_document(struct documents *d, struct entry *e, struct document *fresh)
{
	bool once = e->once;

	entry_close_document(d, e);
	e->document = fresh;
	e->disk_tried = true;
	e->once = once;
	if (!fresh)
		return;
	d->memory += fresh->mapped.n;
	push_open(d, e);
}

/* ---- delivering ---- */

static void deliver(void *arg)
{
	struct waiter *w = arg;

	w->found(w->arg, &w->result);
	free(w);
}

void document_result_fill(struct document_result *result, struct document *document, bool stale, int code, const struct err *err)
{
	*result = (struct document_result){.stale = stale, .code = code};
	if (document)
		result->document = document_ref(document);
	if (err)
		result->err = *err;
}

void entry_release_waiters(struct entry *e, struct document *document, bool stale, int code, const struct err *err)
{
	struct waiter *w = e->waiters;

	e->waiters = NULL;
	while (w) {
		struct waiter *next = w->next;

		document_result_fill(&w->result, document, stale, code, err);
		loop_post(w->thread->loop, deliver, w);
		w = next;
	}
}
