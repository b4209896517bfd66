/* Counters of the gate, in one table from which /-/metrics and docs/operation.md come (Prometheus text format 0.0.4). */
#ifndef BONDGATE_GATE_METRICS_H
#define BONDGATE_GATE_METRICS_H

#include <stdatomic.h>

#include "base/buf.h"

/* X(field, "name without prefix", "type", "help") */
#define METRICS(X) \
	X(packuments_served, "packuments_served_total", "counter", "Packuments, per-version documents and tag lists answered") \
	X(not_modified, "not_modified_total", "counter", "Answers 304 to a matching ETag") \
	X(rendition_hits, "rendition_hits_total", "counter", "Packuments answered from a stored rendition") \
	X(rendition_misses, "rendition_misses_total", "counter", "Packuments that had to be rendered") \
	X(versions_hidden, "versions_hidden_total", "counter", "Versions left out of rendered packuments (held or denied)") \
	X(artifacts_served, "artifacts_served_total", "counter", "Artifacts handed out with a durable receipt") \
	X(artifacts_refused, "artifacts_refused_total", "counter", "Artifacts refused by the policy") \
	X(artifact_hits, "artifact_hits_total", "counter", "Artifacts served from the cache") \
	X(artifact_misses, "artifact_misses_total", "counter", "Artifacts fetched from an upstream") \
	X(packages_refused, "packages_refused_total", "counter", "Requests for a package of which nothing is cleared") \
	X(upstream_requests, "upstream_requests_total", "counter", "Requests sent to upstreams") \
	X(upstream_failures, "upstream_failures_total", "counter", "Requests to upstreams that failed") \
	X(upstream_bytes, "upstream_bytes_total", "counter", "Bytes received from upstreams, decoded") \
	X(stale_served, "stale_served_total", "counter", "Answers from a document that could not be checked with its upstream") \
	X(documents_built, "documents_built_total", "counter", "Upstream documents parsed and indexed") \
	X(hash_mismatches, "hash_mismatches_total", "counter", "Artifacts whose bytes did not match the metadata") \
	X(manifest_mismatches, "manifest_mismatches_total", "counter", "Artifacts whose manifest did not match the metadata") \
	X(hashes_changed, "hashes_changed_total", "counter", "Versions that came with another hash than before") \
	X(receipts_failed, "receipts_failed_total", "counter", "Receipts that could not be made durable") \
	X(audits, "audits_total", "counter", "Audit requests answered from the local advisories") \
	X(reloads, "policy_reloads_total", "counter", "Policies put in force") \
	X(reload_failures, "policy_reload_failures_total", "counter", "Policies refused at a reload") \
	X(webhooks_delivered, "webhooks_delivered_total", "counter", "Messages that a webhook took") \
	X(webhooks_failed, "webhooks_failed_total", "counter", "Attempts to tell a webhook that failed") \
	X(webhooks_passed_over, "webhooks_passed_over_total", "counter", "Messages that a webhook refused for good")

struct metrics {
#define X(field, name, type, help) _Atomic uint64_t field;
	METRICS(X)
#undef X
};

#define METRIC_ADD(metrics, field, n) atomic_fetch_add_explicit(&(metrics)->field, (n), memory_order_relaxed)

/* A metric line with its HELP and TYPE. */
void metric_write(struct buf *out, const char *name, const char *type, const char *help, uint64_t value);
/* All of the table. */
void metrics_write(struct metrics *m, struct buf *out);

#endif
