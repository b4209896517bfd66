#include "gate/serve.h"

#include "base/limits.h"
#include "gate/people.h"
#include "registry/npm/render.h"

static void serve_ping(struct exchange *x)
{
	answer_json(x, 200, STR(""), STR("{}"));
}

static void serve_whoami(struct exchange *x)
{
	if (x->who.state == TOKEN_VALID) {
		answer_json(x, 200, STR(""), arena_printf(x->arena, "{\"username\":\"%.*s\"}", STR_ARG(x->who.person)));
		return;
	}
	if (http_get(x->rq, STR("authorization")).n == 0) {
		answer_sentence(x, 401, STR("this gate keeps no accounts: reading needs no login"));
		return;
	}
	answer_json(x, 200, STR(""), STR("{\"username\":\"bondgate\"}"));
}

static void serve_account(struct exchange *x)
{
	answer_sentence(x, 404, STR("this gate does not serve accounts, organisations, teams or tokens: ask the registry itself"));
}

static void (*const handlers[NPM_ROUTE_COUNT])(struct exchange *x) = {
	[NPM_ROUTE_PACKUMENT] = serve_packument, [NPM_ROUTE_VERSION] = serve_version,      [NPM_ROUTE_TARBALL] = serve_tarball,
	[NPM_ROUTE_DIST_TAGS] = serve_dist_tags, [NPM_ROUTE_DIST_TAG_WRITE] = serve_write, [NPM_ROUTE_PUBLISH] = serve_write,
	[NPM_ROUTE_PING] = serve_ping,           [NPM_ROUTE_WHOAMI] = serve_whoami,        [NPM_ROUTE_LOGIN] = serve_login,
	[NPM_ROUTE_SEARCH] = serve_search,       [NPM_ROUTE_AUDIT_BULK] = serve_audit,     [NPM_ROUTE_AUDIT_QUICK] = serve_audit,
	[NPM_ROUTE_KEYS] = serve_pass,           [NPM_ROUTE_ATTESTATIONS] = serve_pass,    [NPM_ROUTE_ACCOUNT] = serve_account,
};

/* ---- mounts ---- */

/* A label names a team or a project: letters, digits and -_. only, so that it is safe in logs and paths. */
static bool label_ok(struct str label)
{
	if (label.n == 0 || label.n > 64)
		return false;
	for (size_t i = 0; i < label.n; i++) {
		char c = label.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
			return false;
	}
	return true;
}

/* Cuts "/t/LABEL/…" into label and rest ("/…"); without a label the rest is the whole. False: it should be a label and is none. */
static bool cut_label(struct str path, struct str *ret_label, struct str *ret_rest)
{
	ptrdiff_t end;

	*ret_label = STR_NULL;
	*ret_rest = path;
	if (!str_starts(path, STR("/t/")))
		return true;
	path = str_skip(path, 3);
	end = str_chr(path, '/');
	if (end < 0 || !label_ok(str_take(path, (size_t)end)))
		return false;
	*ret_label = str_take(path, (size_t)end);
	*ret_rest = str_skip(path, (size_t)end);
	return true;
}

/* Cuts "/npm/…" or "/t/LABEL/npm/…" into label, mount and what is below it ("/…"). False: not below a mount of npm's. */
static bool cut_mount(struct str path, struct str *ret_label, struct str *ret_mount, struct str *ret_below)
{
	struct str rest;

	if (!cut_label(path, ret_label, &rest))
		return false;
	if (!str_starts(rest, STR("/npm/")) && !str_eq(rest, STR("/npm")))
		return false;
	rest = str_skip(rest, 4);
	*ret_mount = str_range(path.p, rest.p);
	*ret_below = rest.n ? rest : STR("/");
	return true;
}

/* "/-/explain", or "/t/LABEL/-/explain" for the rules of a team. */
static bool cut_explain(struct str path, struct str *ret_label, struct str *ret_own)
{
	return cut_label(path, ret_label, ret_own) && str_eq(*ret_own, STR("/-/explain"));
}

/* A Host header is put into every tarball URL: nothing but a host and a port may be in it. */
static bool host_ok(struct str host)
{
	if (host.n == 0 || host.n > 260)
		return false;
	for (size_t i = 0; i < host.n; i++) {
		char c = host.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == ':' ||
		      c == '[' || c == ']'))
			return false;
	}
	return true;
}

static struct str base_url(struct exchange *x, struct str mount)
{
	const struct gate_settings *settings = policy_gate(x->rules->policy);
	struct str host = http_get(x->rq, STR("host"));

	if (settings->public_url.n) {
		bool slash = str_ends(settings->public_url, STR("/"));

		return arena_printf(x->arena, "%.*s%.*s/", STR_ARG(str_take(settings->public_url, settings->public_url.n - slash)), STR_ARG(mount));
	}
	if (!host_ok(host))
		return STR_NULL;
	return arena_printf(x->arena, "%s://%.*s%.*s/", x->rq->tls ? "https" : "http", STR_ARG(host), STR_ARG(mount));
}

/* npm itself from 7 on: it asks the configured registry for tarballs whose URL names its built-in default host. */
static bool npm_replaces_host(struct str agent)
{
	uint64_t major;
	ptrdiff_t dot;

	if (!str_starts(agent, STR("npm/")))
		return false;
	agent = str_skip(agent, 4);
	dot = str_chr(agent, '.');
	return dot > 0 && str_to_u64(str_take(agent, (size_t)dot), &major) == 0 && major >= 7;
}

struct npm_form exchange_form(const struct exchange *x)
{
	struct npm_form form = {.base = x->base};

	form.abbreviated = !x->route.write && str_find(http_get(x->rq, STR("accept")), STR("application/vnd.npm.install-v1+json")) >= 0;
	if (npm_replaces_host(x->agent))
		form.keep_host_prefix = x->thread->gate->client_default;
	return form;
}

/* ---- dispatch ---- */

/* The gates that a request came through, from its Via headers; other proxies' names are nobody's business further up. The oldest are
 * kept where there are too many: one of them closes the circle. */
static struct str gates_passed(struct exchange *x)
{
	CLEANUP_BUF struct buf passed = BUF(KIB);

	for (size_t i = 0; i < x->rq->header_count; i++) {
		struct str list = x->rq->headers[i].value, part;

		if (!str_eq_nocase(x->rq->headers[i].name, STR("via")))
			continue;
		while (str_split(&list, ',', &part)) {
			part = str_trim(part);
			if (str_starts(part, STR("1.1 bondgate-")) && part.n <= 40)
				buf_printf(&passed, "%s%.*s", passed.n ? ", " : "", STR_ARG(part));
		}
	}
	return arena_str(x->arena, buf_str(&passed));
}

static void serve_npm(struct exchange *x)
{
	struct str passed = gates_passed(x), ended = people_refusal(&x->who, x->arena);
	struct err err = {0};
	int r;

	if (ended.n) {
		answer_sentence(x, 401, ended);
		return;
	}
	if (str_find(passed, str_of(x->thread->gate->via)) >= 0) {
		answer_sentence(x, 508, STR("this gate is its own upstream: set registries.npm.upstream in the policy to the real registry"));
		return;
	}
	r = npm_route_parse(x->arena, x->rq->method, x->path, x->rq->query, &x->route, &err);
	if (r < 0) {
		answer_sentence(x, r == -EOPNOTSUPP ? 405 : r == -EINVAL ? 400 : 404, str_of(err.text));
		return;
	}
	if (x->route.name.n) {
		x->origin = policy_origin(x->rules->policy, ECOSYSTEM_NPM, x->route.name);
		if (!x->origin) {
			struct str sentence = arena_printf(
				x->arena,
				"%.*s is an internal name and no origin of its own serves it here (namespace): add one under `origins` in the policy",
				STR_ARG(x->route.name));
			struct evidence record;

			exchange_evidence(x, EVIDENCE_REFUSAL, x->route.version, STR(""), STR("deny namespace"), sentence, &record);
			store_append(x->thread->gate->store, &record, NULL, NULL);
			METRIC_ADD(&x->thread->gate->metrics, packages_refused, 1);
			answer_sentence(x, 403, sentence);
			return;
		}
	}
	x->thread->via = passed;
	handlers[x->route.kind](x);
	x->thread->via = STR_NULL;
}

/* The rules of the team whose label is in the path: in full for who proves to belong to it, else only what tightens (rule 11). */
static void choose_rules(struct exchange *x)
{
	struct gate *g = x->thread->gate;

	if (!x->label.n)
		return;
	rules_unref(x->rules);
	x->rules = gate_team_rules(g, x->label, x->who.state == TOKEN_VALID && str_eq(x->who.team, x->label));
}

static void prepare(struct exchange *x)
{
	struct str mount;

	x->npm = cut_mount(x->rq->path, &x->label, &mount, &x->path);
	if (!x->npm && !cut_explain(x->rq->path, &x->label, &x->path)) {
		x->label = STR_NULL;
		x->path = x->rq->path;
	}
	x->label = arena_str(x->arena, x->label);
	choose_rules(x);
	if (x->npm)
		x->base = base_url(x, mount);
}

static void answer(struct exchange *x)
{
	prepare(x);
	if (!x->npm && is_people_path(x->rq->path)) {
		serve_people(x);
	} else if (!x->npm) {
		serve_own(x);
	} else if (!x->base.n) {
		answer_sentence(x, 400, STR("the Host header is not a host name"));
	} else {
		serve_npm(x);
	}
}

static void request(struct http_request *rq, void *arg)
{
	answer(exchange_new(arg, rq));
}

static bool takes_writes(struct gate *g)
{
	struct rules *rules = gate_rules(g);
	const struct origin *all;
	size_t n = policy_origins(rules->policy, &all);
	bool any = false;

	for (size_t i = 0; i < n; i++)
		any |= all[i].ecosystem == ECOSYSTEM_NPM && all[i].publish;
	rules_unref(rules);
	return any;
}

/* A body is held in memory until it is whole: strangers get room for little, and for nothing where all writes are refused. */
static size_t body_limit(struct http_request *rq, void *arg)
{
	struct gate_thread *t = arg;
	struct exchange *x;
	struct str label, mount, below;

	if (is_people_path(rq->path))
		return people_body_limit(t->gate, rq);
	if (!cut_mount(rq->path, &label, &mount, &below))
		return str_eq(rq->method, STR("POST")) && cut_explain(rq->path, &label, &below) ? MIB : 0;
	if (str_starts(below, STR("/-/npm/v1/security/")))
		return LIMIT_AUDIT_BODY_BYTES;
	if (!str_eq(rq->method, STR("PUT")) && !str_eq(rq->method, STR("POST")) && !str_eq(rq->method, STR("DELETE")))
		return 0;
	if (str_starts(below, STR("/-/")))
		return MIB;
	if (takes_writes(t->gate) && http_get(rq, STR("authorization")).n)
		return LIMIT_PUBLISH_BODY_BYTES;
	/* Refused in any case: said at once, before the body. */
	x = exchange_new(t, rq);
	x->without_body = true;
	answer(x);
	return 0;
}

static void gone(struct http_request *rq, void *arg)
{
	struct exchange *x = rq->user;

	(void)arg;
	if (!x)
		return;
	x->rq = NULL;
	exchange_unref(x);
}

struct http_handlers serve_handlers(struct gate_thread *t)
{
	return (struct http_handlers){.body_limit = body_limit, .request = request, .gone = gone, .arg = t};
}
