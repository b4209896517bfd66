/* /-/api/v1/…: the calls of people (people_call.h) over HTTP. */
#include "base/limits.h"
#include "base/log.h"
#include "gate/people_call.h"
#include "gate/serve.h"

struct serving {
	struct exchange *x;
	struct people_call call;
	struct clearance_result cleared; /* what the explanation's texts live in */
	struct explanation explained;
	struct purl purl;
	const struct origin *origin;
	struct buf out;
};

static const struct str api_root = {"/-/api/v1/", 10};

bool is_people_path(struct str path)
{
	return str_starts(path, api_root);
}

/* Strangers get room for little. */
size_t people_body_limit(struct gate *g, const struct http_request *rq)
{
	struct str path = str_skip(rq->path, api_root.n);
	struct identity who;

	if (!str_eq(rq->method, STR("POST")))
		return 0;
	people_identify(g, http_get(rq, STR("authorization")), g->now(), rq->arena, &who);
	/* The lists of approvals are for administrators; what a project locks is told by its CI. */
	if (who.state != TOKEN_VALID || !(who.roles & (str_eq(path, STR("scans")) ? ROLE_REQUESTER | ROLE_APPROVER | ROLE_ADMIN : ROLE_ADMIN)))
		return PEOPLE_CALL_BODY;
	return people_call_body(path);
}

/* What was decided is in force before the answer goes out: the next `npm install` finds it. */
static void put_in_force(struct gate *g)
{
	struct err err = {0};

	if (people_put_in_force(g, &err) < 0)
		log_event(LOG_ERROR, "what was decided is not in force yet", "error=%s", log_quote(str_of(err.text)));
}

static void run(void *arg)
{
	struct serving *s = arg;

	people_call_run(&s->call);
	if (s->call.status < 300 && !str_eq(s->call.method, STR("GET")))
		put_in_force(s->x->thread->gate);
}

static void answer(void *arg)
{
	struct serving *s = arg;
	struct exchange *x = s->x;

	answer_json(x, s->call.status, s->call.status == 401 ? STR("www-authenticate: Bearer\r\n") : STR(""), buf_str(&s->out));
	buf_free(&s->out);
	clearance_result_free(&s->cleared);
	exchange_unref(x);
}

static void cleared(void *arg, struct clearance_result *result)
{
	struct serving *s = arg;
	struct exchange *x = s->x;

	s->cleared = *result;
	if (explanation_make(&s->cleared, x->rules, s->origin, &s->purl, x->thread->gate->now(), x->arena, &s->explained) == 0)
		s->call.explained = &s->explained;
	loop_work(x->thread->loop, run, answer, s);
}

void serve_people(struct exchange *x)
{
	struct serving *s = ARENA_NEW(x->arena, struct serving);
	struct gate *g = x->thread->gate;
	struct str ended = people_refusal(&x->who, x->arena);

	if (!s)
		abort();
	if (ended.n) {
		answer_sentence(x, 401, ended);
		return;
	}
	/* Whoever belongs to a team asks under its rules. */
	rules_unref(x->rules);
	x->rules = gate_team_rules(g, x->who.team, x->who.state == TOKEN_VALID);
	s->x = exchange_ref(x);
	s->out = BUF(16 * MIB);
	s->call = (struct people_call){
		.store = g->store,
		.rules = x->rules,
		.caller = {x->who.person, x->who.team, x->who.roles, x->client, x->agent},
		.now = g->now(),
		.arena = x->arena,
		.method = arena_str(x->arena, x->rq->method),
		.path = arena_str(x->arena, str_skip(x->rq->path, api_root.n)),
		.query = arena_str(x->arena, x->rq->query),
		.body = arena_str(x->arena, x->rq->body),
		.out = &s->out,
	};
	if (x->who.state == TOKEN_VALID && people_call_purl(&s->call, &s->purl) && s->purl.ecosystem == ECOSYSTEM_NPM &&
	    (s->origin = policy_origin(x->rules->policy, ECOSYSTEM_NPM, s->purl.name)))
		clearance_get(x->thread, x->rules, s->origin, s->purl.name, cleared, s);
	else
		loop_work(x->thread->loop, run, answer, s);
}
