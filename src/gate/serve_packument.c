#include "gate/renditions.h"
#include "gate/serve.h"

/* Remembered in the evidence: a whole package refused. */
static void record_refusal(struct exchange *x, const struct err *err)
{
	struct evidence record;

	METRIC_ADD(&x->thread->gate->metrics, packages_refused, 1);
	exchange_evidence(x, EVIDENCE_REFUSAL, STR(""), STR(""), STR("refused package"), str_of(err->text), &record);
	store_append(x->thread->gate->store, &record, NULL, NULL);
}

static void found(void *arg, struct rendition_result *result)
{
	struct exchange *x = arg;
	struct rendition *r = result->rendition;
	char headers[512];
	int n;

	if (result->aside) {
		answer_aside(x, str_of(result->err.text));
	} else if (!r) {
		if (result->code == -EPERM || result->code == -EAGAIN)
			record_refusal(x, &result->err);
		answer_failure(x, result->code, &result->err);
	} else if (x->rq) {
		bool abbreviated = exchange_form(x).abbreviated, same = etag_matches(x->rq, str_of(r->etag));

		n = snprintf(headers, sizeof(headers),
		             "content-type: %s\r\ncache-control: no-cache\r\netag: %s\r\nvary: accept, accept-encoding\r\n%s%s",
		             abbreviated ? "application/vnd.npm.install-v1+json" : "application/json", r->etag,
		             r->gzip && !same ? "content-encoding: gzip\r\n" : "",
		             result->stale ? "warning: 110 - \"the upstream did not answer\"\r\n" : "");
		METRIC_ADD(&x->thread->gate->metrics, packuments_served, 1);
		if (same)
			METRIC_ADD(&x->thread->gate->metrics, not_modified, 1);
		http_reply_blob(x->rq, &(struct http_reply){.status = same ? 304 : 200, .headers = {headers, (size_t)n}}, same ? NULL : r->body);
	}
	rendition_unref(r);
	exchange_unref(x);
}

void serve_packument(struct exchange *x)
{
	const struct rendition_wish wish = {
		.name = x->route.name,
		.origin = x->origin,
		.form = exchange_form(x),
		.gzip = accepts_coding(x->rq, STR("gzip")),
	};

	rendition_get(x->thread, x->rules, &wish, found, exchange_ref(x));
}
