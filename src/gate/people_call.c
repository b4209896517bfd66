#include "gate/people_call.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/limits.h"
#include "gate/form.h"

enum { ANYBODY = ROLE_REQUESTER | ROLE_APPROVER | ROLE_ADMIN | ROLE_AUDITOR };

static void act_whoami(struct people_call *c)
{
	jw_object(&c->json);
	jw_member_str(&c->json, "person", c->caller.person);
	jw_member_str(&c->json, "team", c->caller.team);
	jw_member_str(&c->json, "roles", roles_format(c->arena, c->caller.roles));
	jw_object_end(&c->json);
}

/* A path is words; "#" stands for any one. */
static const struct call {
	const char *method;
	const char *words[3];
	unsigned roles;  /* any of these may */
	const char *may; /* for the sentence */
	void (*act)(struct people_call *c);
} calls[] = {
	{"GET", {"whoami"}, ANYBODY, "a token", act_whoami},
	{"GET", {"requests"}, ANYBODY, "a token", act_requests},
	{"POST", {"requests"}, ROLE_REQUESTER | ROLE_APPROVER | ROLE_ADMIN, "the role requester", act_request},
	{"GET", {"requests", "#"}, ANYBODY, "a token", act_show},
	{"POST", {"requests", "#", "approve"}, ROLE_APPROVER, "the role approver", act_approve},
	{"POST", {"requests", "#", "reject"}, ROLE_APPROVER, "the role approver", act_reject},
	{"POST", {"requests", "#", "withdraw"}, ROLE_REQUESTER | ROLE_APPROVER | ROLE_ADMIN, "the role requester", act_withdraw},
	{"POST", {"requests", "#", "revoke"}, ROLE_REQUESTER | ROLE_APPROVER | ROLE_ADMIN, "the role approver or admin", act_revoke},
	{"POST", {"break-glass"}, ROLE_APPROVER | ROLE_ADMIN, "the role approver or admin", act_break_glass},
	{"GET", {"tokens"}, ROLE_ADMIN | ROLE_AUDITOR, "the role admin or auditor", act_tokens},
	{"POST", {"tokens"}, ROLE_ADMIN, "the role admin", act_token_create},
	{"POST", {"tokens", "#", "revoke"}, ROLE_ADMIN, "the role admin", act_token_revoke},
	{"GET", {"approvals"}, ANYBODY, "a token", act_approvals},
	{"POST", {"approvals"}, ROLE_ADMIN, "the role admin", act_approvals_import},
	{"GET", {"approvals", "export"}, ROLE_ADMIN | ROLE_AUDITOR, "the role admin or auditor", act_approvals_export},
	{"GET", {"scans"}, ANYBODY, "a token", act_scans},
	{"POST", {"scans"}, ROLE_REQUESTER | ROLE_APPROVER | ROLE_ADMIN, "the role requester", act_scan},
};

void call_refuse(struct people_call *c, int status, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	c->status = status;
	buf_clear(c->out);
	jw_init(&c->json, c->out);
	jw_object(&c->json);
	jw_member_str(&c->json, "error", str_of(text));
	jw_member_str(&c->json, "message", str_of(text));
	jw_object_end(&c->json);
}

void call_failed(struct people_call *c, int r, const struct err *err)
{
	int status = r == -ENOENT ? 404 : r == -EEXIST ? 409 : r == -EINVAL ? 400 : r == -ENOSPC ? 507 : 500;

	call_refuse(c, status, "%s", err->text[0] ? err->text : err_name(r));
}

struct evidence call_record(const struct people_call *c, enum evidence_kind kind, struct str decision, struct str detail)
{
	return (struct evidence){
		.time = c->now,
		.kind = kind,
		.client = c->caller.client,
		.identity = c->caller.person,
		.project = c->caller.team,
		.agent = c->caller.agent,
		.decision = decision,
		.detail = detail,
	};
}

struct str package_text(struct arena *a, enum ecosystem e, struct str name, struct str version)
{
	return arena_printf(a, "%s:%.*s%s%.*s", ecosystem_name(e), STR_ARG(name), version.n ? "@" : "", STR_ARG(version));
}

struct str plain_text(struct arena *a, struct str text, size_t most)
{
	struct str copy = arena_str(a, str_take(str_trim(text), most));
	char *p = (char *)(uintptr_t)copy.p;

	/* Not in the middle of a character. */
	if (copy.n == most) {
		while (copy.n && ((unsigned char)p[copy.n - 1] & 0xc0) == 0x80)
			copy.n--;
		if (copy.n && (unsigned char)p[copy.n - 1] >= 0xc0)
			copy.n--;
	}
	for (size_t i = 0; i < copy.n; i++)
		if ((unsigned char)p[i] < ' ' || p[i] == 0x7f)
			p[i] = ' ';
	return str_trim(copy);
}

size_t people_call_body(struct str path)
{
	return str_eq(path, STR("approvals")) || str_eq(path, STR("scans")) ? PEOPLE_CALL_LIST : PEOPLE_CALL_BODY;
}

bool people_call_purl(const struct people_call *c, struct purl *ret)
{
	struct err err = {0};
	struct form f;

	if (!str_eq(c->method, STR("POST")) || (!str_eq(c->path, STR("requests")) && !str_eq(c->path, STR("break-glass"))))
		return false;
	return c->body.n <= PEOPLE_CALL_BODY && form_parse(c->body, "purl reason for rules range", c->arena, &f, &err) == 0 &&
	       purl_parse(c->arena, str_trim(form_get(&f, "purl")), ret, &err) == 0 && ret->version.n;
}

/* ---- which call it is ---- */

static bool cut_words(struct people_call *c)
{
	struct str rest = c->path, word;
	size_t n = 0;

	while (str_split(&rest, '/', &word)) {
		if (n == 3 || !word.n)
			return false;
		c->words[n++] = word;
	}
	return n > 0;
}

static bool path_fits(const struct call *call, const struct people_call *c)
{
	for (size_t i = 0; i < 3; i++) {
		if (!call->words[i] != !c->words[i].n)
			return false;
		if (call->words[i] && call->words[i][0] != '#' && !str_eq(c->words[i], str_of(call->words[i])))
			return false;
	}
	return true;
}

static const struct call *find_call(const struct people_call *c, bool *ret_other_method)
{
	*ret_other_method = false;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (!path_fits(&calls[i], c))
			continue;
		if (str_eq(c->method, str_of(calls[i].method)))
			return &calls[i];
		*ret_other_method = true;
	}
	return NULL;
}

void people_call_run(struct people_call *c)
{
	const struct call *call;
	bool other_method = false;

	c->status = 200;
	jw_init(&c->json, c->out);
	if (!cut_words(c) || !(call = find_call(c, &other_method))) {
		call_refuse(c, other_method ? 405 : 404, "there is no call %.*s %.*s here: docs/approvals.md lists them", STR_ARG(c->method),
		            STR_ARG(str_take(c->path, 100)));
		return;
	}
	if (!c->caller.person.n) {
		call_refuse(
			c, 401,
			"who are you? This needs a token: put it into BONDGATE_TOKEN (the gate's administrator makes one: bondgate token create)");
		return;
	}
	if (!(c->caller.roles & call->roles)) {
		call_refuse(c, 403, "this needs %s; the token of %.*s has: %.*s", call->may, STR_ARG(c->caller.person),
		            STR_ARG(roles_format(c->arena, c->caller.roles)));
		return;
	}
	call->act(c);
	if (c->out->error)
		call_refuse(c, 500, "the answer is too large");
}
