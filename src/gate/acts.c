/* Asking and deciding. What is judged here is judged again where it is written: a request moves from one state to another only once. */
#include <stdio.h>

#include "base/limits.h"
#include "codec/semver.h"
#include "gate/form.h"
#include "gate/lifting.h"
#include "gate/people_call.h"
#include "gate/request_json.h"

enum { REASON_MOST = 1000, OPEN_MOST = 100 };
#define LASTS_DEFAULT (30 * USEC_DAY)
#define LASTS_MOST (90 * USEC_DAY)
#define BREAK_GLASS_MOST USEC_DAY

static usec longest(const struct people_call *c, bool break_glass)
{
	const struct approval_settings *s = policy_approval_settings(c->rules->policy);
	usec set = break_glass ? s->break_glass : s->longest, most = break_glass ? BREAK_GLASS_MOST : LASTS_MOST;

	if (set <= 0)
		set = break_glass ? BREAK_GLASS_MOST : LASTS_DEFAULT;
	return set < most ? set : most;
}

/* Does it need two? */
static bool needs_second(const struct people_call *c, const struct request *r)
{
	enum severity at = policy_approval_settings(c->rules->policy)->second_person_at, weight = SEVERITY_CRITICAL;

	if (at == SEVERITY_UNKNOWN)
		return false;
	severity_parse(r->severity, &weight);
	return weight >= at;
}

static void answer_request(struct people_call *c, int status, const struct request *r, struct str message)
{
	c->status = status;
	request_write(&c->json, r, needs_second(c, r), c->now, c->arena, message);
}

static struct str day(struct arena *a, usec time)
{
	char text[TIME_TEXT];

	time_format_utc(time, text);
	return arena_printf(a, "%.10s %.5s UTC", text, text + 11);
}

/* ---- asking ---- */

struct asking {
	struct form form;
	struct purl purl;
	struct request request;
	uint32_t rules, in_force;
};

static int read_length(struct people_call *c, struct asking *q, struct err *err)
{
	struct str text = form_get(&q->form, "for");
	usec most = longest(c, q->request.break_glass);
	char most_text[TIME_TEXT];

	duration_format(most, most_text);
	q->request.lasts = most < LASTS_DEFAULT ? most : LASTS_DEFAULT;
	if (!text.n)
		return 0;
	if (duration_parse(text, &q->request.lasts) < 0 || q->request.lasts <= 0)
		return err_set(err, -EINVAL, "for how long? A whole number and one of m h d w, such as 7d, not \"%.*s\"",
		               STR_ARG(str_take(text, 40)));
	if (q->request.lasts > most)
		return err_set(err, -EINVAL, "an exception lasts at most %s here (%s in the policy)", most_text,
		               q->request.break_glass ? "approvals.break-glass" : "approvals.longest");
	return 0;
}

/* One version of one package: in a policy a star stands for many names, and a comparison for many versions. */
static int check_single(const struct purl *p, struct err *err)
{
	struct semver v;

	if (!p->version.n)
		return err_set(err, -EINVAL, "which version? For example %s:%.*s@1.0.0", ecosystem_name(p->ecosystem), STR_ARG(p->name));
	if (str_chr(p->name, '*') >= 0)
		return err_set(err, -EINVAL, "%.*s: a request names one package, and a name with a star could stand for many", STR_ARG(p->name));
	if (p->ecosystem == ECOSYSTEM_NPM && semver_parse(p->version, SEMVER_LOOSE, &v) < 0)
		return err_set(err, -EINVAL, "\"%.*s\" is no version; several are asked for with --range", STR_ARG(str_take(p->version, 60)));
	return 0;
}

static int read_asking(struct people_call *c, struct asking *q, struct err *err)
{
	struct str range;
	int r = form_parse(c->body, "purl reason for rules range", c->arena, &q->form, err);

	if (r < 0)
		return r;
	r = purl_parse(c->arena, str_trim(form_get(&q->form, "purl")), &q->purl, err);
	if (r < 0)
		return r;
	r = check_single(&q->purl, err);
	if (r < 0)
		return r;
	q->request.reason = plain_text(c->arena, form_get(&q->form, "reason"), REASON_MOST);
	if (!q->request.reason.n)
		return err_set(err, -EINVAL, "why? An exception has a reason (--reason): the one who approves it reads it");
	range = str_trim(form_get(&q->form, "range"));
	if (range.n) {
		struct semver_range *parsed;
		struct semver v;

		if (q->purl.ecosystem != ECOSYSTEM_NPM || semver_range_parse(c->arena, range, 0, &parsed) < 0)
			return err_set(err, -EINVAL, "\"%.*s\" is no range of versions", STR_ARG(str_take(range, 60)));
		if (semver_parse(q->purl.version, 0, &v) < 0 || !semver_range_satisfied(parsed, &v, 0))
			return err_set(err, -EINVAL, "the range %.*s does not include %.*s", STR_ARG(str_take(range, 60)), STR_ARG(q->purl.version));
	}
	q->request.version = range.n ? range : q->purl.version;
	r = rules_parse(form_get(&q->form, "rules"), &q->rules, err);
	return r < 0 ? r : read_length(c, q, err);
}

/* What is to be lifted: what was named, else all that is in force. Refuses and returns false. */
static bool find_rules(struct people_call *c, struct asking *q)
{
	const struct explanation *e = c->explained;
	struct str never, what = package_text(c->arena, q->purl.ecosystem, q->purl.name, q->purl.version);

	/* Nobody approves what nobody can look at: neither a version to come, nor a star that only looks like one. */
	if (!e || !e->listed) {
		call_refuse(c, 404, "%.*s is not in its registry, or the registry did not answer: nothing can be lifted for it", STR_ARG(what));
		return false;
	}
	q->in_force = rules_in_force(&e->decision);
	never = rules_never_sentence(q->rules | q->in_force, c->arena);
	if (never.n) {
		call_refuse(c, 403, "%.*s: %.*s", STR_ARG(what), STR_ARG(never));
		return false;
	}
	if (!q->rules)
		q->rules = q->in_force;
	if (!q->rules) {
		call_refuse(c, 409, "%.*s is not refused: there is nothing to lift", STR_ARG(what));
		return false;
	}
	q->request.refusal = plain_text(c->arena, decision_sentence(c->arena, &e->facts, &e->decision, c->now), REASON_MOST);
	return true;
}

static void weigh(struct people_call *c, struct asking *q)
{
	enum severity s = rules_severity(q->rules, c->rules->advisories, &q->purl, c->now);

	/* A range clears versions that nobody has seen yet. */
	if (!str_eq(q->request.version, q->purl.version) && s < SEVERITY_HIGH)
		s = SEVERITY_HIGH;
	q->request.severity = str_of(severity_name(s));
	q->request.rules = rules_format(c->arena, q->rules);
	q->request.ecosystem = q->purl.ecosystem;
	q->request.name = q->purl.name;
	q->request.person = c->caller.person;
	q->request.team = c->caller.team;
	q->request.created = c->now;
}

struct same {
	const struct request *wanted;
	int64_t found;
	size_t open;
};

static int look_for_same(void *arg, const struct request *r)
{
	struct same *s = arg;
	const struct request *w = s->wanted;

	if (!same_person(r->person, w->person))
		return 0;
	s->open++;
	if (!s->found && r->ecosystem == w->ecosystem && str_eq(r->name, w->name) && str_eq(r->version, w->version) &&
	    str_eq(r->rules, w->rules))
		s->found = r->id;
	return 0;
}

/* What is left of a refusal once the named rules are lifted. */
static struct str rest_sentence(struct people_call *c, const struct asking *q)
{
	uint32_t rest = q->in_force & ~q->rules;

	return rest ? arena_printf(c->arena, "; it stays refused for %.*s", STR_ARG(rules_format(c->arena, rest))) : STR("");
}

static void keep_request(struct people_call *c, struct asking *q)
{
	struct request *r = &q->request;
	struct str what = package_text(c->arena, r->ecosystem, r->name, r->version);
	struct same same = {.wanted = r};
	struct evidence record =
		call_record(c, EVIDENCE_REQUEST, STR("request"),
	                arena_printf(c->arena, "to lift %.*s (%.*s): %.*s", STR_ARG(r->rules), STR_ARG(r->severity), STR_ARG(r->reason)));
	struct err err = {0};
	int result = store_requests(c->store, true, look_for_same, &same, &err);

	if (result == 0 && same.found) {
		call_refuse(c, 409, "request %lld asks for the same and waits for a decision: bondgate approve %lld", (long long)same.found,
		            (long long)same.found);
		return;
	}
	if (result == 0 && same.open >= OPEN_MOST) {
		call_refuse(c, 429, "%.*s has %zu requests waiting: withdraw some first", STR_ARG(r->person), same.open);
		return;
	}
	record.ecosystem = r->ecosystem;
	record.name = r->name;
	record.version = r->version;
	if (result == 0)
		result = store_request_add(c->store, r, &record, &r->id, &err);
	if (result < 0) {
		call_failed(c, result, &err);
		return;
	}
	answer_request(c, 201, r,
	               arena_printf(c->arena, "request %lld: lift %.*s for %.*s. Somebody else approves it: bondgate approve %lld%s%.*s",
	                            (long long)r->id, STR_ARG(r->rules), STR_ARG(what), (long long)r->id,
	                            needs_second(c, r) ? " (two people)" : "", STR_ARG(rest_sentence(c, q))));
}

void act_request(struct people_call *c)
{
	struct asking q = {0};
	struct err err = {0};
	int r = read_asking(c, &q, &err);

	if (r < 0) {
		call_failed(c, r, &err);
		return;
	}
	if (!find_rules(c, &q))
		return;
	weigh(c, &q);
	keep_request(c, &q);
}

/* One person alone, for a day at most, and loudly (rule 10). */
void act_break_glass(struct people_call *c)
{
	struct asking q = {.request = {.break_glass = true, .state = REQUEST_APPROVED}};
	struct request *w = &q.request;
	struct evidence record;
	struct err err = {0};
	int r = read_asking(c, &q, &err);

	if (r == 0 && form_get(&q.form, "range").n)
		r = err_set(&err, -EINVAL, "break-glass is for one version, not for a range");
	if (r < 0) {
		call_failed(c, r, &err);
		return;
	}
	if (!find_rules(c, &q))
		return;
	weigh(c, &q);
	w->decided_by = w->person;
	w->decided = c->now;
	w->expires = c->now + w->lasts;
	record = call_record(c, EVIDENCE_BREAK_GLASS, STR("break-glass"),
	                     arena_printf(c->arena, "%.*s lifts %.*s (%.*s) alone until %.*s: %.*s", STR_ARG(w->person), STR_ARG(w->rules),
	                                  STR_ARG(w->severity), STR_ARG(day(c->arena, w->expires)), STR_ARG(w->reason)));
	record.ecosystem = w->ecosystem;
	record.name = w->name;
	record.version = w->version;
	r = store_request_add(c->store, w, &record, &w->id, &err);
	if (r < 0) {
		call_failed(c, r, &err);
		return;
	}
	answer_request(c, 201, w,
	               arena_printf(c->arena, "break-glass %lld: %.*s is lifted until %.*s, and the owners are told%.*s", (long long)w->id,
	                            STR_ARG(w->rules), STR_ARG(day(c->arena, w->expires)), STR_ARG(rest_sentence(c, &q))));
}

/* ---- looking ---- */

static int write_each(void *arg, const struct request *r)
{
	struct people_call *c = arg;

	request_write(&c->json, r, needs_second(c, r), c->now, c->arena, STR_NULL);
	return c->out->error;
}

void act_requests(struct people_call *c)
{
	bool open_only = str_find(c->query, STR("open")) >= 0;
	struct err err = {0};
	int r;

	jw_object(&c->json);
	jw_key(&c->json, STR("requests"));
	jw_array(&c->json);
	r = store_requests(c->store, open_only, write_each, c, &err);
	jw_array_end(&c->json);
	jw_object_end(&c->json);
	if (r < 0)
		call_failed(c, r, &err);
}

/* The request that the path names; refuses and returns false when there is none. */
static bool load(struct people_call *c, struct request *ret)
{
	struct err err = {0};
	int64_t id;
	int r;

	if (str_to_i64(c->words[1], &id) < 0) {
		call_refuse(c, 400, "\"%.*s\" is no number of a request: bondgate requests lists them", STR_ARG(str_take(c->words[1], 40)));
		return false;
	}
	r = store_request(c->store, id, c->arena, ret, &err);
	if (r < 0)
		call_failed(c, r, &err);
	return r == 0;
}

void act_show(struct people_call *c)
{
	struct request r;

	if (load(c, &r))
		answer_request(c, 200, &r, STR_NULL);
}

/* ---- deciding ---- */

static bool waits(struct people_call *c, const struct request *r)
{
	if (r->state == REQUEST_OPEN || r->state == REQUEST_HALF)
		return true;
	call_refuse(c, 409, "request %lld is %s already%s%.*s: a decision counts once", (long long)r->id, request_state_name(r->state),
	            r->decided_by.n ? ", by " : "", STR_ARG(r->decided_by));
	return false;
}

static bool read_note(struct people_call *c, struct str *ret)
{
	struct err err = {0};
	struct form f;

	if (form_parse(c->body, "reason", c->arena, &f, &err) < 0) {
		call_refuse(c, 400, "%s", err.text);
		return false;
	}
	*ret = plain_text(c->arena, form_get(&f, "reason"), REASON_MOST);
	return true;
}

static void move(struct people_call *c, struct request *r, enum request_state from, enum evidence_kind kind, const char *verb,
                 struct str message)
{
	struct evidence record = call_record(c, kind, arena_printf(c->arena, "%s %lld", verb, (long long)r->id), message);
	struct err err = {0};
	int result;

	record.ecosystem = r->ecosystem;
	record.name = r->name;
	record.version = r->version;
	result = store_request_move(c->store, r, from, &record, &err);
	if (result < 0)
		call_failed(c, result, &err);
	else
		answer_request(c, 200, r, message);
}

static bool may_approve(struct people_call *c, const struct request *r)
{
	uint32_t rules = 0;
	struct str never = STR_NULL;

	if (same_person(c->caller.person, r->person)) {
		call_refuse(c, 403, "request %lld is your own: nobody approves their own request; somebody else with the role approver does",
		            (long long)r->id);
		return false;
	}
	if (r->state == REQUEST_HALF && same_person(c->caller.person, r->first_approver)) {
		call_refuse(c, 403, "request %lld has your approval already: it needs a second person", (long long)r->id);
		return false;
	}
	if (rules_parse(r->rules, &rules, NULL) == 0)
		never = rules_never_sentence(rules, c->arena);
	if (never.n)
		call_refuse(c, 403, "request %lld: %.*s", (long long)r->id, STR_ARG(never));
	return !never.n;
}

void act_approve(struct people_call *c)
{
	struct request r;
	enum request_state from;
	struct str what, note;
	usec most = longest(c, false);

	if (!load(c, &r) || !waits(c, &r) || !read_note(c, &note) || !may_approve(c, &r))
		return;
	from = r.state;
	what = package_text(c->arena, r.ecosystem, r.name, r.version);
	r.note = note.n ? note : r.note;
	if (needs_second(c, &r) && from == REQUEST_OPEN) {
		r.state = REQUEST_HALF;
		r.first_approver = c->caller.person;
		move(c, &r, from, EVIDENCE_DECISION, "approve (first of two)",
		     arena_printf(c->arena,
		                  "request %lld has one approval and needs a second person, because it weighs %.*s: bondgate approve %lld",
		                  (long long)r.id, STR_ARG(r.severity), (long long)r.id));
		return;
	}
	r.state = REQUEST_APPROVED;
	r.decided_by = c->caller.person;
	r.decided = c->now;
	r.expires = c->now + (r.lasts > 0 && r.lasts < most ? r.lasts : most);
	move(c, &r, from, EVIDENCE_DECISION, "approve",
	     arena_printf(c->arena, "request %lld is approved: %.*s is exempt from %.*s until %.*s", (long long)r.id, STR_ARG(what),
	                  STR_ARG(r.rules), STR_ARG(day(c->arena, r.expires))));
}

void act_reject(struct people_call *c)
{
	struct request r;
	enum request_state from;
	struct str note;

	if (!load(c, &r) || !waits(c, &r) || !read_note(c, &note))
		return;
	if (!note.n) {
		call_refuse(c, 400, "why? A rejection has a reason (--reason): the one who asked reads it");
		return;
	}
	from = r.state;
	r.state = REQUEST_REJECTED;
	r.decided_by = c->caller.person;
	r.decided = c->now;
	r.note = note;
	move(c, &r, from, EVIDENCE_DECISION, "reject",
	     arena_printf(c->arena, "request %lld is rejected: %.*s", (long long)r.id, STR_ARG(note)));
}

void act_withdraw(struct people_call *c)
{
	struct request r;
	enum request_state from;

	if (!load(c, &r) || !waits(c, &r))
		return;
	if (!same_person(c->caller.person, r.person)) {
		call_refuse(c, 403, "request %lld is %.*s's: only they withdraw it; an approver rejects it", (long long)r.id, STR_ARG(r.person));
		return;
	}
	from = r.state;
	r.state = REQUEST_WITHDRAWN;
	r.decided_by = c->caller.person;
	r.decided = c->now;
	move(c, &r, from, EVIDENCE_REQUEST, "withdraw", arena_printf(c->arena, "request %lld is withdrawn", (long long)r.id));
}

/* Ends an exception before its time: this only tightens, so the one who asked may do it too. */
void act_revoke(struct people_call *c)
{
	struct request r;
	struct str note;

	if (!load(c, &r) || !read_note(c, &note))
		return;
	if (r.state != REQUEST_APPROVED || r.expires <= c->now) {
		call_refuse(c, 409, "request %lld lifts nothing: it is %s", (long long)r.id,
		            r.state == REQUEST_APPROVED ? "over" : request_state_name(r.state));
		return;
	}
	if (!(c->caller.roles & (ROLE_APPROVER | ROLE_ADMIN)) && !same_person(c->caller.person, r.person)) {
		call_refuse(c, 403, "request %lld is %.*s's: this needs the role approver or admin", (long long)r.id, STR_ARG(r.person));
		return;
	}
	r.state = REQUEST_REVOKED;
	r.expires = c->now;
	r.note = note.n ? note : r.note;
	move(c, &r, REQUEST_APPROVED, EVIDENCE_DECISION, "revoke",
	     arena_printf(c->arena, "the exception of request %lld has ended%s%.*s", (long long)r.id, note.n ? ": " : "", STR_ARG(note)));
}
