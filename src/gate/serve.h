/* From a request to its handler: mounts, routes, origins. */
#ifndef BONDGATE_GATE_SERVE_H
#define BONDGATE_GATE_SERVE_H

#include "gate/exchange.h"

/* The handlers for http_listen; `arg` is the struct gate_thread. */
struct http_handlers serve_handlers(struct gate_thread *t);

/* One handler a route; each answers exactly once, now or later. */
void serve_packument(struct exchange *x);
void serve_version(struct exchange *x);
void serve_dist_tags(struct exchange *x);
void serve_tarball(struct exchange *x);
void serve_audit(struct exchange *x);
void serve_search(struct exchange *x);
/* Passed on to the origin that owns the name, if the policy says so; else refused with a sentence. */
void serve_write(struct exchange *x);
void serve_login(struct exchange *x);
/* Passed on: /-/npm/v1/keys, attestations. */
void serve_pass(struct exchange *x);
/* /-/api/v1/…: what people do; which paths are its, and the most bytes of body that this request may have. */
void serve_people(struct exchange *x);
bool is_people_path(struct str path);
size_t people_body_limit(struct gate *g, const struct http_request *rq);
/* /-/explain */
void serve_explain(struct exchange *x);
void serve_explain_bulk(struct exchange *x);
/* /-/healthz, /-/readyz, /-/metrics, the page at /. */
void serve_own(struct exchange *x);

/* The form that this client is to get: abbreviated or full, with which tarball URLs. */
struct npm_form exchange_form(const struct exchange *x);

#endif
