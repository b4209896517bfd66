#include <stdio.h>
#include <xxhash.h>

#include "base/limits.h"
#include "gate/clearance.h"
#include "gate/refusal.h"
#include "gate/serve.h"
#include "registry/npm/render.h"

/* Small documents that are cut from the same clearance as the packument: one version, the tags. */

static void take(void *arg, const void *bytes, size_t n)
{
	buf_add(arg, bytes, n);
}

static struct npm_cut cut_of(const struct exchange *x, const struct clearance *c)
{
	return (struct npm_cut){.shown = c->shown, .now = x->thread->gate->now(), .tag_hold = policy_cooldown(x->rules->policy, x->origin)};
}

static void answer_document(struct exchange *x, struct buf *body)
{
	XXH128_canonical_t canonical;
	char hex[33], headers[160];
	struct str etag;
	int n;

	if (!x->rq)
		return;
	if (body->error) {
		answer_sentence(x, 500, STR("the document is too large"));
		return;
	}
	XXH128_canonicalFromHash(&canonical, XXH3_128bits(body->p, body->n));
	hex_encode(canonical.digest, sizeof(canonical.digest), hex);
	n = snprintf(headers, sizeof(headers), "etag: \"%s\"\r\nvary: accept, accept-encoding\r\n", hex);
	METRIC_ADD(&x->thread->gate->metrics, packuments_served, 1);
	etag = arena_printf(x->arena, "\"%s\"", hex);
	if (etag_matches(x->rq, etag)) {
		METRIC_ADD(&x->thread->gate->metrics, not_modified, 1);
		answer_json(x, 304, (struct str){headers, (size_t)n}, STR(""));
		return;
	}
	answer_json(x, 200, (struct str){headers, (size_t)n}, buf_str(body));
}

/* The version itself, or where the upstream's tag leads; -1: there is neither. */
static ptrdiff_t asked_for(const struct npm_packument *p, struct str version_or_tag)
{
	ptrdiff_t at = npm_packument_find(p, version_or_tag);
	struct npm_tag tag;

	for (size_t i = 0; at < 0 && i < npm_packument_tag_count(p); i++) {
		npm_packument_tag(p, i, &tag);
		if (str_eq(tag.tag, version_or_tag))
			at = npm_packument_find(p, tag.target);
	}
	return at;
}

static void version_found(void *arg, struct clearance_result *result)
{
	struct exchange *x = arg;
	CLEANUP_BUF struct buf body = BUF(64 * MIB);
	const struct npm_sink sink = {take, &body};
	ptrdiff_t at;

	if (!result->clearance) {
		answer_failure(x, result->code, &result->err);
	} else if (x->rq) {
		const struct npm_packument *p = result->document->packument;
		struct npm_cut cut = cut_of(x, result->clearance);
		struct npm_form form = exchange_form(x);

		form.abbreviated = false;
		at = npm_resolve(p, &cut, x->arena, x->route.version);
		if (at >= 0) {
			npm_render_version(p, (size_t)at, &form, &sink);
			answer_document(x, &body);
		} else if ((at = asked_for(p, x->route.version)) >= 0) {
			struct version_facts facts;
			struct str decision, sentence = refusal_of_version(result->clearance, result->document, x->rules, x->origin, (size_t)at,
			                                                   cut.now, x->arena, &decision, &facts);
			struct evidence record;
			struct npm_version v;

			npm_packument_version(p, (size_t)at, &v);
			exchange_evidence(x, EVIDENCE_REFUSAL, v.version, STR(""), decision, sentence, &record);
			exchange_decided(x, &facts, cut.now, &record);
			store_append(x->thread->gate->store, &record, NULL, NULL);
			answer_sentence(
				x, refusal_may_end(result->clearance, result->document, x->rules, x->origin, (size_t)at, cut.now, x->arena) ? 503 : 403,
				sentence);
		} else {
			answer_sentence(
				x, 404,
				arena_printf(x->arena, "%.*s has no cleared version or tag %.*s", STR_ARG(x->route.name), STR_ARG(x->route.version)));
		}
	}
	clearance_result_free(result);
	exchange_unref(x);
}

void serve_version(struct exchange *x)
{
	clearance_get(x->thread, x->rules, x->origin, x->route.name, version_found, exchange_ref(x));
}

static void tags_found(void *arg, struct clearance_result *result)
{
	struct exchange *x = arg;
	CLEANUP_BUF struct buf body = BUF(16 * MIB);
	const struct npm_sink sink = {take, &body};

	if (!result->clearance) {
		answer_failure(x, result->code, &result->err);
	} else if (x->rq) {
		struct npm_cut cut = cut_of(x, result->clearance);

		if (npm_render_tags(result->document->packument, &cut, x->arena, &sink) < 0)
			answer_sentence(x, 500, STR("the tags cannot be rendered"));
		else
			answer_document(x, &body);
	}
	clearance_result_free(result);
	exchange_unref(x);
}

void serve_dist_tags(struct exchange *x)
{
	clearance_get(x->thread, x->rules, x->origin, x->route.name, tags_found, exchange_ref(x));
}
