/* Advisories from a URL into a file: asked again only when they have changed (ETag, Last-Modified), verified by the signature beside them where a key
 * is named. What lies in the folder after any crash is a whole answer or an old one. */
#ifndef BONDGATE_GATE_FEED_FETCH_H
#define BONDGATE_GATE_FEED_FETCH_H

#include "codec/minisign.h"
#include "gate/upstream.h"

struct feed_wish {
	struct str name; /* letters, digits, '-', '_', '.': names the files */
	struct str url;
	struct str authorization;
	const char *ca_file;               /* NULL: the system's */
	const char *folder;                /* exists */
	const struct minisign_public *key; /* URL.minisig must be a signature by it; NULL: none is asked for */
	bool again;                        /* whether it has changed or not */
};

struct feed_got {
	int code;       /* 0 or negative errno */
	bool unchanged; /* the file is as it was; it has been imported before unless that failed: see `imported` */
	bool imported;  /* feed_imported was called for this content */
	char path[4096];
	struct err err;
};

/* On a loop; `got` on the same one, once. Texts of the wish are copied. */
void feed_fetch(struct loop *l, struct fetcher *f, const struct feed_wish *wish, void (*got)(void *arg, const struct feed_got *result),
                void *arg);
/* The same for a command, with a loop of its own. 0 or result->code. */
int feed_fetch_wait(const struct feed_wish *wish, struct feed_got *ret);

/* What was fetched is in the index now: it need not be read again until it changes. */
int feed_imported(const char *folder, struct str name, usec now, struct err *err);

/* What is known of a feed's last fetch, for `feed status`. */
struct feed_state {
	struct str url, etag, last_modified;
	struct str key;                  /* the id of the key that it was verified by; empty: none was asked for */
	usec checked, changed, imported; /* 0: never */
	struct str error;                /* of the last attempt; empty: it went well */
	uint64_t bytes;
};
/* -ENOENT when it was never fetched. */
int feed_state_read(const char *folder, struct str name, struct arena *a, struct feed_state *ret, struct err *err);

#endif
