/* One request of a client on its way through the handlers: what was asked, by whom, and the ways to answer. It outlives the request while
 * something is under way for it; `rq` is NULL once the client is gone. All on one loop. */
#ifndef BONDGATE_GATE_EXCHANGE_H
#define BONDGATE_GATE_EXCHANGE_H

#include "gate/people.h"
#include "policy/decide.h"
#include "registry/npm/route.h"

struct exchange {
	unsigned refs;
	struct http_request *rq;
	struct gate_thread *thread;
	struct rules *rules;
	struct arena *arena; /* its own: lives as long as the exchange */
	struct npm_route route;
	bool without_body;           /* answered before its body is read: a write is refused, whatever the rules say by now */
	bool npm;                    /* the route is npm's; else the path is the gate's own */
	struct str label;            /* of /t/LABEL/…; empty: none */
	struct str base;             /* "http://gate:4873/npm/", how the client reached the mount */
	struct str path;             /* below the mount */
	const struct origin *origin; /* of the route's package; NULL: internal and owned by nobody, or no package */
	/* Copied from the request, for evidence after the client is gone. */
	struct str client, agent, session;
	struct identity who; /* by the token that was sent */
};

struct exchange *exchange_new(struct gate_thread *t, struct http_request *rq);
struct exchange *exchange_ref(struct exchange *x);
void exchange_unref(struct exchange *x);

/* ---- answers; each does nothing when the client is gone ---- */

/* JSON with `cache-control: no-cache` unless `headers` has one. `headers`: ready lines. */
void answer_json(struct exchange *x, int status, struct str headers, struct str body);
/* A refusal or failure with its sentence everywhere that a client shows one (facts/protocol.md 2.7): reason phrase, `error` and `message`
 * of the body, npm-notice. */
void answer_sentence(struct exchange *x, int status, struct str sentence);
/* 403 without the notice that npm prints: for what a client only looks at. */
void answer_aside(struct exchange *x, struct str sentence);
/* What a failed look-up means for the client: 404, 403 or 502 with the error's sentence. */
void answer_failure(struct exchange *x, int code, const struct err *err);

/* A record with this exchange's client in it. */
void exchange_evidence(const struct exchange *x, enum evidence_kind kind, struct str version, struct str hash, struct str decision,
                       struct str detail, struct evidence *ret);

/* Whose rules decide: "shop", or "shop (unproven)" where only what tightens counts; empty: everybody's. */
struct str exchange_rules(const struct exchange *x);

/* Puts into the record what was decided on, when, and whose rules decided: what `simulate` asks another policy about. Texts live in the exchange's
 * arena. */
void exchange_decided(const struct exchange *x, const struct version_facts *facts, usec at, struct evidence *record);

/* Does the request's header list this coding ("gzip") as acceptable? (RFC 9110 section 12.5.3, a q of 0 refuses) */
bool accepts_coding(const struct http_request *rq, struct str coding);
/* Does If-None-Match name this entity tag (with its quotes), or "*"? Weak comparison (RFC 9110 section 13.1.2). */
bool etag_matches(const struct http_request *rq, struct str etag);

#endif
