/* What the files of the upstream client share: upstream_loop.c drives curl from libuv, upstream.c is the life of a fetch,
 * upstream_request.c makes what goes out, upstream_answer.c reads what comes back. */
#ifndef BONDGATE_GATE_UPSTREAM_INTERNAL_H
#define BONDGATE_GATE_UPSTREAM_INTERNAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "gate/upstream_gunzip.h"
#include "gate/upstream_hosts.h"

struct fetcher {
	struct loop *loop;
	CURLM *multi;
	struct fetcher_limits limits;
	struct proxy_settings proxies;
	char *via;
	uv_timer_t timer; /* curl's */
	uv_timer_t turn;  /* fires at once: what may not be done from within curl is done then */
	unsigned handles; /* open libuv handles; the last one closed frees the fetcher */
	unsigned inside;  /* > 0: curl is on the stack and may not be called for adding and removing */
	bool free_wanted, dying;
	struct fetching *all, *queue, **queue_end;
};

struct answer {
	int status;
	struct str reason, etag, last_modified, content_type, location, encoding;
	int64_t length; /* -1: not said */
	bool chunked, length_conflict;
};

struct fetching {
	struct fetcher *fetcher;
	struct fetching *next, **back; /* in fetcher->all, until finished */
	struct fetching *queue_next;
	bool queued;
	struct arena *arena;
	struct fetch q; /* the texts copied */
	CURL *easy;
	CURLU *url;
	struct url_where where;
	enum host_trust trust;
	bool proxied;
	struct curl_slist *lines;
	char curl_error[CURL_ERROR_SIZE];
	usec started_at;
	struct str *visited;
	unsigned hops;

	struct answer answer;
	size_t head_bytes; /* of all heads and trailers of this hop */
	bool in_head, head_given, redirecting;
	size_t discarded; /* of a redirect's body */
	struct gunzip *gunzip;
	struct buf held; /* input that came with the piece that paused */
	uint64_t bytes;

	bool begun, in_multi;
	bool paused, resume_wanted, curl_paused;
	bool ended; /* curl is done while the consumer is paused */
	CURLcode end_code;
	bool address_refused;
	bool tried_again; /* on a fresh connection, after a kept one turned out to be closed */
	bool finished;    /* on_done was called: only the memory is left */
	int failure;      /* why we ended it; err says more */
	struct err err;
};

/* Puts `f` on the list that the loop's next turn works through. */
void upstream_queue(struct fetching *f);
/* Enters and leaves curl for one call. Leaving hands out what is complete. */
void upstream_enter(struct fetcher *fetcher);
void upstream_leave(struct fetcher *fetcher);

/* From the loop: the next turn's work for one fetch, and "curl is done with this hop". */
void fetching_turn(struct fetching *f);
void fetching_hop_ended(struct fetching *f, CURLcode code);
/* Ends all fetches; frees what is left of them, outside of curl only. */
void fetching_cancel_all(struct fetcher *fetcher);
void fetching_free_all(struct fetcher *fetcher);

/* Notes why the fetch ends, the first reason only; returns `code`. */
int fetching_fail(struct fetching *f, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A request's texts: copied into f's arena; checked (0 or the failure); made into curl's settings, the headers anew for each
 * hop. */
void request_copy(struct fetching *f, const struct fetch *from);
int request_check(struct fetching *f);
void request_settings(struct fetching *f);
int request_headers(struct fetching *f);
/* No control bytes but tabs. */
bool request_is_field_value(struct str s);
/* Rounded up to at least one. */
long request_ms(usec duration);

/* curl's callbacks for heads and bodies, and the hand-over of held input after a pause (0 or the failure). */
size_t answer_header(char *line, size_t size, size_t n, void *arg);
size_t answer_body(char *bytes, size_t size, size_t n, void *arg);
int answer_deliver(struct fetching *f, struct str input);
void answer_reset(struct fetching *f);

#endif
