/* The names that documents were asked for: which document is open, who waits for it, how the last attempt went. For documents.c alone; everything
 * here is under the table's lock. */
#ifndef BONDGATE_GATE_DOCUMENT_TABLE_H
#define BONDGATE_GATE_DOCUMENT_TABLE_H

#include "base/map.h"
#include "gate/documents.h"

struct waiter {
	struct waiter *next;
	struct gate_thread *thread;
	document_found found;
	void *arg;
	usec age; /* a stored document that was confirmed within it is good enough; 0: only a fresh one is */
	struct document_result result;
};

struct entry {
	struct entry *newer, *older;           /* by last use */
	struct entry *newer_open, *older_open; /* the same, of those whose document is open: a walk leaves thousands of names whose are not */
	char *key;                             /* origin id, NUL, name */
	size_t key_length;
	struct document *document; /* NULL: not open */
	struct waiter *waiters;
	struct err *failure; /* of the last attempt; NULL: it did not fail */
	usec failed_at, missing_at;
	usec vanished_at; /* the upstream first said that a package it had is gone; only the refresh under way looks at it */
	bool busy;        /* a refresh is under way */
	bool disk_tried;  /* what lies on disk is open, or there is nothing */
	bool once;        /* nobody but who looks through many documents asked for it since it was closed: the first to be closed again */
};

struct documents {
	struct gate *gate;
	char folder[2048];
	size_t memory, memory_max;
	pthread_mutex_t lock;
	struct map entries;
	struct entry *newest, *oldest, *newest_open, *oldest_open;
	struct entry *newest_once; /* of the open ones: this and all older ones are `once` */
};

/* The entry of a name, made when it is new; it becomes the newest. `once`: for one who looks through many documents, whose looks are no uses. */
struct entry *entry_find(struct documents *d, const struct origin *origin, struct str name, bool once);
/* Takes the reference over; NULL: none is open. */
void entry_put_document(struct documents *d, struct entry *e, struct document *fresh);
void entry_close_document(struct documents *d, struct entry *e);
void entry_free(struct documents *d, struct entry *e);
/* Closes documents and forgets names that were not used longest until the limits hold; never what is busy, nor the newest that is used. */
void entries_make_room(struct documents *d);

/* A result with a reference of its own. */
void document_result_fill(struct document_result *result, struct document *document, bool stale, int code, const struct err *err);
/* Takes every waiter off the entry and sends it the result on its own loop. */
void entry_release_waiters(struct entry *e, struct document *document, bool stale, int code, const struct err *err);

#endif
