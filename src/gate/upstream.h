/* The upstream client: libcurl multi on the same loop. Redirects are followed by hand, so that every hop is checked: only
 * named hosts are contacted, credentials stay with the host that they are for, private and loopback addresses only where the
 * policy names them. It knows no package. */
#ifndef BONDGATE_GATE_UPSTREAM_H
#define BONDGATE_GATE_UPSTREAM_H

#include "base/err.h"
#include "gate/loop.h"

struct fetcher; /* one a loop */

/* Proxies come from the environment, by curl's rules (http_proxy, https_proxy, all_proxy, no_proxy), read by fetcher_new().
 * Behind a proxy the target's address is not known here: then only the names in fetch_hosts protect, not the check for
 * private addresses.
 *
 * Codes of a fetch that fails: -EINVAL a URL or header that must not be sent; -EACCES a host, address or downgrade to http
 * that is refused; -ELOOP redirects; -EHOSTUNREACH no such name; -ECONNREFUSED no connection; -ETIMEDOUT; -EKEYREJECTED the
 * certificate; -ECONNRESET an answer that was cut; -EBADMSG a damaged or foreign content-encoding; -EFBIG; -EMSGSIZE too
 * long a head; -EPROTO what is no HTTP; -ENOMEM; -ECANCELED; and what on_head and on_data return.
 *
 * A body with neither length nor chunks ends with its connection: there a cut cannot be told from the end. Its hash, its
 * gzip trailer or its grammar must. */

struct fetcher_limits {
	usec connect_timeout; /* 20 s */
	usec stall_timeout;   /* no byte of a body for so long: 30 s; rounded up to seconds, not counted while paused */
	usec total_timeout;   /* all hops and pauses together: 10 min */
	unsigned redirects;   /* 5 */
	unsigned per_host;    /* connections to one host: 32 */
	bool http2;           /* off: one connection more is cheaper than its processor time */
};
struct fetcher_limits fetcher_default_limits(void);

/* Loads libcurl now instead of when it is first used: before a confinement in which no library can be opened any more. */
void fetcher_load(void);
/* `via` goes out as the Via header of every request ("1.1 bondgate-INSTANCE"), so that a gate recognises itself. */
int fetcher_new(struct loop *l, const struct fetcher_limits *limits, const char *via, struct fetcher **ret, struct err *err);
/* Cancels what is under way (on_done is called with -ECANCELED). On the loop, which must run once more to release it all. */
void fetcher_free(struct fetcher *f);

/* Which hosts may be contacted for an origin. A host is "name" or "name:port"; "*.name" matches subdomains. Owned by the
 * caller, must outlive the fetches. */
struct fetch_hosts {
	struct str url;           /* the origin's own base URL; its scheme+host+port is always allowed, private or not. At https,
	                           * nothing of this origin is fetched over http, from whatever host */
	const struct str *listed; /* further hosts that the policy lists; an exact one also when its address is private. Without a
	                           * port, the scheme's own; "*" alone matches nothing */
	size_t listed_count;
};

struct fetch_head {
	int status;
	int64_t content_length; /* of the body as decoded, -1: unknown or encoded */
	struct str etag, last_modified, content_type, reason;
};

struct fetch_result {
	int code; /* 0: a complete answer came (whatever its status); else negative errno */
	int status;
	uint64_t bytes; /* of the body, decoded */
	struct err err; /* for people: what failed, at which host (no credentials), what to do */
};

struct fetch {
	struct str method; /* "GET" */
	struct str url;
	const struct fetch_hosts *hosts;
	struct str authorization; /* "Bearer …", sent to the origin's own host only; empty: none */
	struct str via;           /* the gates that the request came through before this one; empty: none */
	struct str accept;
	struct str if_none_match, if_modified_since;
	struct str content_type, body; /* for PUT and POST; copied */
	const struct str *headers;     /* further "name: value" lines, sent to the origin's own host only; copied */
	size_t header_count;
	const char *ca_file; /* NULL: the system's */
	bool decode;         /* ask for gzip and undo it; never for artifacts */
	uint64_t max_bytes;  /* of the decoded body; past it the fetch ends with -EFBIG */
	/* A redirect is followed for GET and HEAD; one of another method is -EPROTO.
	 * on_head: the final answer's head (after redirects); non-zero ends the fetch with that code. on_data: a piece; 0, or
	 * FETCH_PAUSE (fetch_resume continues, the piece counts as taken), or a negative code that ends the fetch. on_done: exactly
	 * once, last. All on the loop. */
	int (*on_head)(void *arg, const struct fetch_head *head);
	int (*on_data)(void *arg, const void *bytes, size_t n);
	void (*on_done)(void *arg, const struct fetch_result *result);
	void *arg;
};
enum { FETCH_PAUSE = 1 };

struct fetching;
/* Texts of `f` are copied. On failure to start, on_done is called from the loop's next turn. Never NULL. */
struct fetching *fetch_start(struct fetcher *fetcher, const struct fetch *f);
void fetch_resume(struct fetching *f);
/* on_done is called with -ECANCELED from within; `f` is gone afterwards. */
void fetch_cancel(struct fetching *f);

#endif
