#include "base/limits.h"
#include "gate/explanation.h"
#include "gate/serve.h"

/* GET /-/explain?purl=npm:name@1.2.3[&at=TIME]: `bondgate explain --gate` asks it, so that a developer's machine needs no policy of its own. Below
 * /t/NAME/ it is the team's rules that are explained, in full for who has its token; the header bondgate-rules says whose they were. */

struct asked {
	struct exchange *x;
	struct purl purl;
	usec at;
	bool text; /* lines for people instead of JSON */
};

/* A query's value, percent-decoded into the arena; empty when it is not there or malformed. */
static struct str query_value(struct exchange *x, struct str key)
{
	struct str rest = x->rq->query, part, raw = STR_NULL;
	CLEANUP_BUF struct buf plain = BUF(8 * KIB);

	while (str_split(&rest, '&', &part))
		if (str_starts(part, key) && part.n > key.n && part.p[key.n] == '=')
			raw = str_skip(part, key.n + 1);
	for (size_t i = 0; i < raw.n; i++) {
		unsigned char byte = (unsigned char)raw.p[i];

		if (byte == '%') {
			if (hex_decode(str_take(str_skip(raw, i + 1), 2), &byte, 1) < 0)
				return STR_NULL;
			i += 2;
		}
		if (byte < 0x20 || byte == 0x7f)
			return STR_NULL;
		buf_add_char(&plain, (char)byte);
	}
	return arena_str(x->arena, buf_str(&plain));
}

static void answer(struct asked *q, const struct explanation *e)
{
	struct exchange *x = q->x;
	CLEANUP_BUF struct buf body = BUF(MIB);
	struct str headers, rules = exchange_rules(x);

	if (q->text)
		explain_text(&e->facts, &e->decision, q->at, &body);
	else
		explain_json(&e->facts, &e->decision, &body);
	headers = arena_printf(x->arena, "content-type: %s\r\ncache-control: no-cache\r\nbondgate-decision: %s\r\n%s%.*s%s",
	                       q->text ? "text/plain; charset=utf-8" : "application/json", verdict_name(e->decision.verdict),
	                       rules.n ? "bondgate-rules: " : "", STR_ARG(rules), rules.n ? "\r\n" : "");
	http_reply_text(x->rq, &(struct http_reply){.status = 200, .headers = headers}, buf_str(&body));
}

static void cleared(void *arg, struct clearance_result *result)
{
	struct asked *q = arg;
	struct exchange *x = q->x;
	struct explanation e;
	int r;

	if (x->rq) {
		r = explanation_make(result, x->rules, x->origin, &q->purl, q->at, x->arena, &e);
		if (r < 0)
			answer_failure(x, r, &result->err);
		else
			answer(q, &e);
	}
	clearance_result_free(result);
	exchange_unref(x);
}

void serve_explain(struct exchange *x)
{
	struct asked *q = ARENA_NEW(x->arena, struct asked);
	struct str at = query_value(x, STR("at"));
	struct err err = {0};

	if (!q)
		abort();
	q->x = x;
	q->at = x->thread->gate->now();
	q->text = str_find(http_get(x->rq, STR("accept")), STR("text/plain")) >= 0;
	if (purl_parse(x->arena, query_value(x, STR("purl")), &q->purl, &err) < 0) {
		answer_sentence(x, 400, str_of(err.text));
	} else if (q->purl.ecosystem != ECOSYSTEM_NPM || !q->purl.version.n) {
		answer_sentence(x, 400, STR("which version? For example /-/explain?purl=npm:left-pad@1.3.0"));
	} else if (at.n && time_parse(at, &q->at) < 0) {
		answer_sentence(x, 400, STR("`at` is a time such as 2026-01-31T12:00:00Z"));
	} else {
		x->origin = policy_origin(x->rules->policy, ECOSYSTEM_NPM, q->purl.name);
		exchange_ref(x);
		if (x->origin)
			clearance_get(x->thread, x->rules, x->origin, q->purl.name, cleared, q);
		else
			cleared(q, &(struct clearance_result){.code = -ENOENT});
	}
}
