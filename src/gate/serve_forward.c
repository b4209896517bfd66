#include "base/limits.h"
#include "gate/collect.h"
#include "gate/serve.h"

/* What is passed on to the one origin that a name belongs to: writes where the policy allows them, and two small documents. */

struct forwarding {
	struct exchange *x;
	const struct origin *origin;
};

static void answered(void *arg, const struct collected *answer)
{
	struct forwarding *f = arg;
	struct exchange *x = f->x;

	if (answer->code < 0) {
		answer_failure(x, answer->code, &answer->err);
	} else if (x->rq) {
		struct str headers = arena_printf(x->arena, "content-type: %.*s\r\ncache-control: no-cache\r\n",
		                                  STR_ARG(answer->content_type.n ? answer->content_type : STR("application/json")));

		http_reply_text(x->rq, &(struct http_reply){.status = answer->status, .headers = headers}, answer->body);
	}
	exchange_unref(x);
}

/* What the client sent for the registry itself; a token of this gate stays here (rule 13). */
static struct str credentials(const struct exchange *x)
{
	return x->who.state == TOKEN_NONE ? http_get(x->rq, STR("authorization")) : STR_NULL;
}

/* `as_client`: with the client's own credentials or none, only ever for writes to the origin that they are meant for; else with the
 * origin's. */
static void forward(struct exchange *x, const struct origin *origin, bool as_client)
{
	struct forwarding *f = ARENA_NEW(x->arena, struct forwarding);
	struct str lines[2], otp = http_get(x->rq, STR("npm-otp")), type = http_get(x->rq, STR("npm-auth-type"));
	size_t n = 0;
	struct str target = x->path;

	if (!f)
		abort();
	if (otp.n && as_client)
		lines[n++] = arena_printf(x->arena, "npm-otp: %.*s", STR_ARG(otp));
	if (type.n && as_client)
		lines[n++] = arena_printf(x->arena, "npm-auth-type: %.*s", STR_ARG(type));
	if (x->rq->query.n)
		target = arena_printf(x->arena, "%.*s?%.*s", STR_ARG(x->path), STR_ARG(x->rq->query));
	*f = (struct forwarding){exchange_ref(x), origin};
	collect_start(x->thread, origin,
	              &(struct collect){.method = x->rq->method,
	                                .path = target,
	                                .authorization = as_client ? credentials(x) : STR(""),
	                                .as_client = as_client,
	                                .content_type = http_get(x->rq, STR("content-type")),
	                                .body = x->rq->body,
	                                .headers = lines,
	                                .header_count = n,
	                                .max_bytes = 16 * MIB},
	              answered, f);
}

static void record_write(struct exchange *x, struct str decision)
{
	struct evidence record;

	exchange_evidence(x, EVIDENCE_ADMIN, x->route.version, STR(""), decision, STR("a client's write"), &record);
	store_append(x->thread->gate->store, &record, NULL, NULL);
}

void serve_write(struct exchange *x)
{
	if (!x->origin->publish || (x->without_body && credentials(x).n)) {
		record_write(x, STR("refused write"));
		answer_sentence(x, 403,
		                arena_printf(x->arena,
		                             "this gate passes on no writes for %.*s: publish to its registry directly, or set `publish: true` at "
		                             "its origin in the policy",
		                             STR_ARG(x->route.name)));
		return;
	}
	/* The gate's own token is for reading what the policy names: nobody publishes with it. */
	if (credentials(x).n == 0) {
		record_write(x, STR("refused write"));
		answer_sentence(x, 401, STR("a write needs your own credentials for the registry: log in first"));
		return;
	}
	record_write(x, STR("passed on write"));
	forward(x, x->origin, true);
}

/* A login names no package: it goes to the one origin that takes writes, if there is exactly one. */
void serve_login(struct exchange *x)
{
	const struct origin *all, *only = NULL;
	size_t n = policy_origins(x->rules->policy, &all), takers = 0;

	for (size_t i = 0; i < n; i++) {
		if (all[i].ecosystem != ECOSYSTEM_NPM || !all[i].publish)
			continue;
		only = &all[i];
		takers++;
	}
	if (takers != 1) {
		answer_sentence(x, 403,
		                takers ? STR("several origins take writes here: log in to the one you mean directly")
		                       : STR("this gate keeps no accounts and passes on no logins: reading needs none"));
		return;
	}
	forward(x, only, true);
}

void serve_pass(struct exchange *x)
{
	const struct origin *all, *origin = x->origin;
	size_t n = policy_origins(x->rules->policy, &all);

	for (size_t i = 0; i < n && !origin; i++)
		if (all[i].ecosystem == ECOSYSTEM_NPM && all[i].is_default)
			origin = &all[i];
	if (!origin || !origin->url.n) {
		answer_sentence(x, 404, STR("this gate has no registry to ask"));
		return;
	}
	forward(x, origin, false);
}
