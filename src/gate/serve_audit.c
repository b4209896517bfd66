#include "base/limits.h"
#include "gate/compress.h"
#include "gate/serve.h"
#include "registry/npm/audit.h"

/* npm waits for this at the end of every install: answered from memory, and no name leaves the house (rule 13). */
void serve_audit(struct exchange *x)
{
	CLEANUP_BUF struct buf plain = BUF(LIMIT_AUDIT_BODY_BYTES), out = BUF(LIMIT_AUDIT_BODY_BYTES);
	struct str body = x->rq->body, coding = http_get(x->rq, STR("content-encoding"));
	struct err err = {0};
	int r = 0;

	METRIC_ADD(&x->thread->gate->metrics, audits, 1);
	if (coding.n && !str_eq_nocase(coding, STR("identity"))) {
		if (!str_eq_nocase(coding, STR("gzip")) && !str_eq_nocase(coding, STR("deflate"))) {
			answer_sentence(x, 415, STR("audit requests may be compressed with gzip only"));
			return;
		}
		r = gunzip(body, &plain, &err);
		body = buf_str(&plain);
	}
	if (r == 0)
		r = (x->route.kind == NPM_ROUTE_AUDIT_BULK ? npm_audit_bulk : npm_audit_quick)(body, x->rules->advisories, x->rules->policy,
		                                                                               x->thread->gate->now(), &out, &err);
	if (r < 0)
		answer_sentence(x, r == -EFBIG ? 413 : 400, str_of(err.text));
	else
		answer_json(x, 200, STR(""), buf_str(&out));
}
