#include <stdatomic.h>
#include <stdio.h>

#include "base/limits.h"
#include "gate/artifacts.h"
#include "gate/clearance.h"
#include "gate/reach.h"
#include "gate/refusal.h"
#include "gate/serve.h"
#include "policy/replay.h"

enum { WINDOW = 256 * 1024 };

/* One handing-out of an artifact. Its last byte goes out only when the receipt is durable (rule 14). */
struct handing {
	struct exchange *x;
	struct clearance_result cleared;
	struct artifact *artifact;
	struct npm_version version;
	size_t index;
	uint64_t offset, end; /* of the bytes asked for: all of them, or a range */
	uint64_t limit;       /* what may be read now; decided on the loop, where the receipt's answer comes */
	bool ranged, started, receipt_asked, receipt_durable, pumping;
	bool again;         /* the artifact was asked for a second time */
	struct str refusal; /* what the first look into the archive led to */
	int receipt_result;
	char *window;
	ssize_t got;
};

static void pump(struct handing *h);

static void handing_free(struct handing *h)
{
	artifact_unref(h->artifact);
	clearance_result_free(&h->cleared);
	exchange_unref(h->x);
	free(h->window);
	free(h);
}

/* ---- refusing ---- */

/* `facts`: what was decided on at `at`; NULL where no policy decided. */
static void refuse(struct exchange *x, struct str version, int status, struct str decision, struct str sentence,
                   const struct version_facts *facts, usec at)
{
	struct evidence record;

	METRIC_ADD(&x->thread->gate->metrics, artifacts_refused, 1);
	exchange_evidence(x, EVIDENCE_REFUSAL, version, STR(""), decision, sentence, &record);
	if (facts)
		exchange_decided(x, facts, at, &record);
	store_append(x->thread->gate->store, &record, NULL, NULL);
	answer_sentence(x, status, sentence);
}

/* ---- the receipt ---- */

struct receipt {
	struct handing *handing;
	struct gate_thread *thread;
	int result;
};

static void receipt_on_loop(void *arg)
{
	struct receipt *r = arg;
	struct handing *h = r->handing;
	struct gate *g = r->thread->gate;

	h->receipt_durable = true;
	h->receipt_result = r->result;
	atomic_store(&g->evidence_full, r->result < 0);
	if (r->result < 0)
		METRIC_ADD(&g->metrics, receipts_failed, 1);
	free(r);
	pump(h);
}

static void receipt_written(void *arg, int result)
{
	struct receipt *r = arg;

	r->result = result;
	loop_post(r->thread->loop, receipt_on_loop, r);
}

static void ask_receipt(struct handing *h)
{
	struct exchange *x = h->x;
	struct receipt *r = calloc(1, sizeof(*r));
	struct evidence record;
	struct str words, detail;
	struct version_facts facts;
	struct decision d;
	usec now = x->thread->gate->now();

	if (!r)
		abort();
	*r = (struct receipt){.handing = h, .thread = x->thread};
	h->receipt_asked = true;
	clearance_explain(h->cleared.clearance, h->cleared.document, x->rules, x->origin, h->index, now, x->arena, &facts, &d);
	words = decision_words(&d, &facts, x->arena, &detail);
	exchange_evidence(x, EVIDENCE_RECEIPT, h->version.version, str_of(artifact_integrity(h->artifact)), words, detail, &record);
	exchange_decided(x, &facts, now, &record);
	store_append(x->thread->gate->store, &record, receipt_written, r);
}

/* ---- the bytes ---- */

static void start_reply(struct handing *h)
{
	struct exchange *x = h->x;
	struct str etag = arena_printf(x->arena, "\"%.*s\"", STR_ARG(str_take(str_of(artifact_integrity(h->artifact)), 40)));
	struct str headers = arena_printf(
		x->arena, "content-type: application/octet-stream\r\netag: %.*s\r\naccept-ranges: bytes\r\ncache-control: no-cache\r\n",
		STR_ARG(etag));

	h->started = true;
	if (h->ranged)
		headers = arena_printf(x->arena, "%.*scontent-range: bytes %llu-%llu/%llu\r\n", STR_ARG(headers), (unsigned long long)h->offset,
		                       (unsigned long long)h->end - 1, (unsigned long long)artifact_size(h->artifact));
	http_reply_start(x->rq, &(struct http_reply){.status = h->ranged ? 206 : 200, .headers = headers}, h->end - h->offset);
}

static void window_written(struct http_request *rq, void *arg)
{
	struct handing *h = arg;

	(void)rq;
	h->pumping = false;
	pump(h);
}

static void read_work(void *arg)
{
	struct handing *h = arg;
	uint64_t n = h->limit - h->offset;

	h->got = artifact_read(h->artifact, h->window, n < WINDOW ? n : WINDOW, h->offset);
}

static void read_done(void *arg)
{
	struct handing *h = arg;

	if (h->got <= 0 || !h->x->rq || h->x->rq->client_gone) {
		h->pumping = false;
		/* Nothing where bytes must be: the file is shorter than it was. */
		if (h->x->rq && !h->x->rq->client_gone)
			http_reply_abort(h->x->rq);
		pump(h);
		return;
	}
	h->offset += (uint64_t)h->got;
	http_reply_write(h->x->rq, h->window, (size_t)h->got, window_written, h);
}

static void more_available(void *arg)
{
	struct handing *h = arg;

	h->pumping = false;
	pump(h);
}

static void finish(struct handing *h)
{
	METRIC_ADD(&h->x->thread->gate->metrics, artifacts_served, 1);
	if (h->started)
		http_reply_end(h->x->rq);
	handing_free(h);
}

static void fail(struct handing *h, struct str sentence)
{
	struct exchange *x = h->x;

	if (x->rq && h->started)
		http_reply_abort(x->rq);
	else
		refuse(x, h->version.version, 403, STR("refused artifact"), sentence, NULL, 0);
	handing_free(h);
}

/* The one place that decides what comes next; called whenever something has changed and nothing of this handing is under way but the receipt. */
static void pump(struct handing *h)
{
	struct exchange *x = h->x;
	enum artifact_state state = artifact_state(h->artifact);
	uint64_t available = artifact_available(h->artifact);

	if (h->pumping || (h->receipt_asked && !h->receipt_durable && (!x->rq || x->rq->client_gone)))
		return; /* the receipt's answer comes back here */
	if (!x->rq || x->rq->client_gone) {
		handing_free(h);
		return;
	}
	if (state == ARTIFACT_FAILED) {
		if (!h->receipt_asked || h->receipt_durable)
			fail(h, STR("the artifact could not be verified"));
		return;
	}
	if (h->receipt_durable && h->receipt_result < 0) {
		if (!h->started)
			refuse(x, h->version.version, 503, STR("refused artifact"),
			       STR("the receipt could not be stored (is the gate's disk full?): no receipt, no artifact"), NULL, 0);
		else
			http_reply_abort(x->rq);
		handing_free(h);
		return;
	}
	if (state == ARTIFACT_READY && !h->receipt_asked) {
		ask_receipt(h);
		if (!h->started)
			return; /* a whole answer waits for its receipt, so that a failure can still be said */
	}
	if (!h->started) {
		if (state == ARTIFACT_READY && !h->receipt_durable)
			return;
		if (state == ARTIFACT_READY && !h->ranged)
			h->end = artifact_size(h->artifact);
		start_reply(h);
	}
	if (h->offset == h->end && h->receipt_durable) {
		finish(h);
		return;
	}
	if (available > h->end)
		available = h->end;
	/* Without the receipt one byte stays back. */
	if (available == h->end && !h->receipt_durable)
		available--;
	h->limit = available;
	h->pumping = true;
	if (available > h->offset)
		loop_work(x->thread->loop, read_work, read_done, h);
	else if (state == ARTIFACT_FETCHING)
		artifact_wait(x->thread, h->artifact, h->offset, more_available, h);
	else
		h->pumping = false; /* only the receipt is missing */
}

/* "bytes=a-b", "bytes=a-", "bytes=-n": one range of a whole artifact (RFC 9110 section 14). -ERANGE when it lies outside. */
static int read_range(struct handing *h, struct str value, struct str if_range)
{
	uint64_t size = artifact_size(h->artifact), from, to;
	ptrdiff_t dash;

	if (!str_starts(value, STR("bytes=")) || str_chr(value, ',') >= 0 || if_range.n)
		return 0; /* several ranges, or a condition: the whole is a valid answer */
	value = str_skip(value, 6);
	dash = str_chr(value, '-');
	if (dash < 0)
		return 0;
	if (dash == 0) {
		if (str_to_u64(str_skip(value, 1), &to) < 0)
			return 0;
		if (to == 0)
			return -ERANGE;
		from = to < size ? size - to : 0;
		to = size - 1;
	} else {
		if (str_to_u64(str_take(value, (size_t)dash), &from) < 0)
			return 0;
		if (value.n == (size_t)dash + 1)
			to = size - 1;
		else if (str_to_u64(str_skip(value, (size_t)dash + 1), &to) < 0)
			return 0;
	}
	if (from >= size)
		return -ERANGE;
	if (to < from)
		return 0; /* not a range at all */
	h->offset = from;
	h->end = to < size - 1 ? to + 1 : size;
	h->ranged = true;
	return 0;
}

static void artifact_came(void *arg, struct artifact_result *result);

static void refuse_hidden(struct handing *h)
{
	struct exchange *x = h->x;
	const struct clearance_result *c = &h->cleared;
	usec now = x->thread->gate->now();
	struct version_facts facts;
	struct str decision,
		sentence = refusal_of_version(c->clearance, c->document, x->rules, x->origin, h->index, now, x->arena, &decision, &facts);
	bool may_end = refusal_may_end(c->clearance, c->document, x->rules, x->origin, h->index, now, x->arena);

	refuse(x, h->version.version, may_end ? 503 : 403, decision, sentence, &facts, now);
}

static bool find_version(struct handing *h)
{
	const struct npm_packument *p = h->cleared.document->packument;
	ptrdiff_t at = npm_packument_find_file(p, h->x->route.file);

	if (at < 0)
		return false;
	h->index = (size_t)at;
	npm_packument_version(p, h->index, &h->version);
	return true;
}

/* What the archive showed is a fact about the version by now, and the clearance says what follows from it here. Where it is still cleared, others
 * who asked for the same bytes were refused by rules of their own. */
static void cleared_again(void *arg, struct clearance_result *result)
{
	struct handing *h = arg;
	struct exchange *x = h->x;

	if (result->clearance) {
		clearance_result_free(&h->cleared);
		h->cleared = *result;
		if (find_version(h) && h->cleared.clearance->shown[h->index] && !h->again) {
			h->again = true;
			artifact_get(x->thread, x->rules, x->origin, h->cleared.document, h->index, artifact_came, h);
			return;
		}
		if (find_version(h) && !h->cleared.clearance->shown[h->index]) {
			refuse_hidden(h);
			handing_free(h);
			return;
		}
	}
	refuse(x, h->version.version, 403, STR("refused artifact"), h->refusal, NULL, 0);
	handing_free(h);
}

/* The archive was looked into for the first time, and the rules have something to say about what it showed. */
static void refused_by_archive(struct handing *h, const struct err *err)
{
	struct exchange *x = h->x;

	h->refusal = arena_str(x->arena, str_of(err->text));
	clearance_get(x->thread, x->rules, x->origin, x->route.name, cleared_again, h);
}

static void artifact_came(void *arg, struct artifact_result *result)
{
	struct handing *h = arg;
	struct exchange *x = h->x;

	if (!result->artifact) {
		if (result->code == -EPERM) {
			refused_by_archive(h, &result->err);
			return;
		}
		if (result->code == -EBADMSG)
			refuse(x, h->version.version, 403, STR("deny hash-mismatch"), str_of(result->err.text), NULL, 0);
		else
			answer_failure(x, result->code, &result->err);
		handing_free(h);
		return;
	}
	h->artifact = result->artifact;
	h->end = artifact_size(h->artifact);
	if (!x->rq) {
		handing_free(h);
		return;
	}
	if (artifact_state(h->artifact) == ARTIFACT_READY) {
		if (x->rq->head) {
			start_reply(h);
			http_reply_end(x->rq);
			handing_free(h);
			return;
		}
		if (read_range(h, http_get(x->rq, STR("range")), http_get(x->rq, STR("if-range"))) < 0) {
			struct str headers = arena_printf(x->arena, "content-range: bytes */%llu\r\n", (unsigned long long)h->end);

			answer_json(x, 416, headers, STR("{\"error\":\"the range lies outside of the artifact\"}"));
			handing_free(h);
			return;
		}
	} else if (x->rq->head) {
		start_reply(h);
		http_reply_end(x->rq);
		handing_free(h);
		return;
	}
	h->window = malloc(h->end - h->offset < WINDOW ? (size_t)(h->end - h->offset) + 1 : WINDOW);
	if (!h->window)
		abort();
	pump(h);
}

static void cleared(void *arg, struct clearance_result *result)
{
	struct handing *h = arg;
	struct exchange *x = h->x;

	h->cleared = *result;
	if (!result->clearance) {
		answer_failure(x, result->code, &result->err);
		handing_free(h);
		return;
	}
	if (!find_version(h)) {
		answer_sentence(x, 404, arena_printf(x->arena, "%.*s has no artifact %.*s", STR_ARG(x->route.name), STR_ARG(x->route.file)));
		handing_free(h);
		return;
	}
	if (!result->clearance->shown[h->index]) {
		refuse_hidden(h);
		handing_free(h);
		return;
	}
	artifact_get(x->thread, x->rules, x->origin, result->document, h->index, artifact_came, h);
}

void serve_tarball(struct exchange *x)
{
	struct handing *h = calloc(1, sizeof(*h));

	if (!h)
		abort();
	h->x = exchange_ref(x);
	if (x->rules->reach)
		reach_asked_archive(x->rules->reach, x->route.name);
	clearance_get(x->thread, x->rules, x->origin, x->route.name, cleared, h);
}
