#include "cmd/call.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "cmd/npmrc.h"
#include "cmd/open.h"
#include "cmd/output.h"
#include "cmd/person.h"
#include "cmd/state.h"
#include "gate/people_call.h"

enum { ANSWER_MOST = 32 * 1024 * 1024 };

/* ---- over HTTP ---- */

static size_t take_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct buf *to = arg;

	buf_add(to, bytes, size * n);
	return to->error ? 0 : size * n;
}

/* The gate's root: whatever stands behind host and port ("…/npm/") belongs to npm. */
static struct str root_of(struct str url)
{
	ptrdiff_t scheme = str_find(url, STR("://")), slash;

	if (scheme < 0)
		return url;
	slash = str_chr(str_skip(url, (size_t)scheme + 3), '/');
	return slash < 0 ? url : str_take(url, (size_t)scheme + 3 + (size_t)slash);
}

int call_token(const char *token_file, struct str gate, struct arena *a, struct str *ret, struct err *err)
{
	const char *named = getenv("BONDGATE_TOKEN");
	CLEANUP_BUF struct buf text = BUF(4 * KIB);
	int r;

	*ret = STR_NULL;
	if (token_file) {
		r = file_read(token_file, &text, err);
		if (r < 0)
			return r;
		*ret = arena_str(a, str_trim(buf_str(&text)));
	} else if (named && *named) {
		*ret = arena_str(a, str_trim(str_of(named)));
	} else {
		*ret = npmrc_token(gate, a);
	}
	for (size_t i = 0; i < ret->n; i++)
		if (ret->p[i] <= ' ' || ret->p[i] > '~')
			return err_set(err, -EINVAL, "the token is not one word of plain letters: BONDGATE_TOKEN or --token-file holds something else");
	return 0;
}

static int send_call(CURL *curl, struct str url, const char *method, struct str token, struct str body, struct call_answer *ret,
                     struct err *err)
{
	struct curl_slist *headers = curl_slist_append(NULL, "content-type: application/json");
	CLEANUP_BUF struct buf line = BUF(8 * KIB);
	char problem[CURL_ERROR_SIZE] = "";
	long status = 0;
	int r = 0;

	if (token.n) {
		buf_printf(&line, "authorization: Bearer %.*s", STR_ARG(token));
		headers = curl_slist_append(headers, buf_cstr(&line));
	}
	/* A large list would otherwise wait a second for a "100 Continue". */
	headers = curl_slist_append(headers, "expect:");
	curl_easy_setopt(curl, CURLOPT_URL, url.p);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "bondgate/" BONDGATE_VERSION);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &ret->body);
	if (strcmp(method, "POST") == 0) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.n ? body.p : "");
	}
	if (curl_easy_perform(curl) != CURLE_OK)
		r = err_set(err, -EIO, "the gate at %.*s cannot be asked: %s", STR_ARG(url), problem);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	ret->status = (int)status;
	curl_slist_free_all(headers);
	return r;
}

static int call_gate(const struct call_options *o, struct str gate, const char *method, const char *path, struct str body,
                     struct call_answer *ret, struct err *err)
{
	CLEANUP_ARENA struct arena *a = arena_new(8 * MIB);
	struct str token, url;
	CURL *curl;
	int r = a ? call_token(o->token_file, gate, a, &token, err) : -ENOMEM;

	if (r < 0)
		return r;
	url = arena_printf(a, "%.*s/-/api/v1/%s", STR_ARG(root_of(gate)), path);
	curl = curl_easy_init();
	if (!curl || !url.p)
		return err_set(err, -ENOMEM, "no memory");
	r = send_call(curl, url, method, token, body, ret, err);
	curl_easy_cleanup(curl);
	return r;
}

/* ---- on this machine ---- */

struct local {
	struct opened opened;
	struct gate_thread thread;
	struct clearance_result cleared;
	bool answered;
	struct explanation explained;
};

static void cleared(void *arg, struct clearance_result *result)
{
	struct local *l = arg;

	l->cleared = *result;
	l->answered = true;
	loop_stop(l->thread.loop);
}

/* Who may write the state folder may do everything with it: the file's permission is the proof, and the evidence says that it was one. */
static struct caller local_caller(struct arena *a)
{
	char person[PERSON_TEXT];
	struct caller c = {
		.roles = ROLE_REQUESTER | ROLE_APPROVER | ROLE_ADMIN | ROLE_AUDITOR, .client = STR("local"), .agent = STR("bondgate")};

	local_person(person);
	c.person = arena_str(a, str_of(person));
	return c;
}

static int open_local(struct local *l, const struct call_options *o, bool offline, struct err *err)
{
	const struct open_options options = {.policy = o->policy, .state = o->state, .quiet = true};
	int r = open_prepare(&options, false, NULL, offline, &l->opened, err);

	if (r == 0)
		r = open_gate(&l->opened, true, err);
	if (r == 0)
		r = gate_thread_init(l->opened.gate, &l->thread, err);
	return r;
}

static void explain_local(struct local *l, struct people_call *c, const struct purl *purl)
{
	const struct origin *origin = policy_origin(c->rules->policy, purl->ecosystem, purl->name);

	if (origin && purl->ecosystem == ECOSYSTEM_NPM) {
		clearance_get(&l->thread, c->rules, origin, purl->name, cleared, l);
		if (!l->answered)
			loop_run(l->thread.loop);
	}
	if (explanation_make(&l->cleared, c->rules, origin, purl, c->now, c->arena, &l->explained) == 0)
		c->explained = &l->explained;
}

static int call_local(const struct call_options *o, const char *method, const char *path, struct str body, struct call_answer *ret,
                      struct err *err)
{
	CLEANUP_ARENA struct arena *a = arena_new(64 * MIB);
	struct str rest = str_of(path), plain;
	struct people_call c = {.now = time_now(), .arena = a, .method = str_of(method), .body = body, .out = &ret->body};
	struct local l = {0};
	struct purl purl;
	bool about_version;
	int r;

	if (!a)
		return err_set(err, -ENOMEM, "no memory");
	str_split(&rest, '?', &plain);
	c.path = plain;
	c.query = rest;
	c.caller = local_caller(a);
	about_version = people_call_purl(&c, &purl);
	log_set_level(LOG_ERROR);
	r = open_local(&l, o, !about_version, err);
	if (r == 0) {
		c.store = l.opened.gate->store;
		c.rules = gate_rules(l.opened.gate);
		if (about_version)
			explain_local(&l, &c, &purl);
		people_call_run(&c);
		ret->status = c.status;
		clearance_result_free(&l.cleared);
		rules_unref(c.rules);
	}
	gate_threads_close(&l.thread, 1);
	close_gate(&l.opened);
	return r;
}

/* ---- which of the two ---- */

static bool has_state(const struct call_options *o, struct err *err)
{
	struct store *s;

	if (state_open(o->state, STORE_READ, &s, err) < 0)
		return false;
	store_close(s);
	return true;
}

int call_make(const struct call_options *o, const char *method, const char *path, struct str body, struct call_answer *ret, struct err *err)
{
	CLEANUP_ARENA struct arena *a = arena_new(8 * MIB);
	const char *named = o->gate ? o->gate : getenv("BONDGATE_GATE");
	struct err none = {0};
	struct str gate;

	*ret = (struct call_answer){.body = BUF(ANSWER_MOST)};
	if (!a)
		return err_set(err, -ENOMEM, "no memory");
	if (named && *named)
		return call_gate(o, str_of(named), method, path, body, ret, err);
	if (o->state || getenv("BONDGATE_STATE") || has_state(o, &none)) {
		if (!o->may_begin && !has_state(o, err))
			return err->code;
		return call_local(o, method, path, body, ret, err);
	}
	gate = npmrc_gate(a);
	if (gate.n)
		return call_gate(o, gate, method, path, body, ret, err);
	if (o->may_begin)
		return call_local(o, method, path, body, ret, err);
	return err_set(err, -ENOENT, "which gate? Name it with --gate URL or BONDGATE_GATE, or run this on the gate's own machine: %s",
	               none.text);
}

/* ---- what commands make of it ---- */

struct str call_member(struct str json, const char *key, struct arena *a)
{
	struct str raw, value, found = STR_NULL;
	struct json_reader r;

	json_init(&r, json);
	json_enter_object(&r);
	while (json_next_member(&r, &raw)) {
		enum json_kind kind = json_peek(&r);

		if (!json_raw_equals(raw, str_of(key)) || kind == JSON_NULL)
			json_skip(&r, NULL);
		else if (kind == JSON_STRING)
			json_string_decoded(&r, a, &found);
		else {
			json_skip(&r, &value);
			found = value;
		}
	}
	return json_failed(&r) ? STR_NULL : found;
}

void call_body(struct buf *out, const struct call_field *fields, size_t count)
{
	struct json_writer w;

	jw_init(&w, out);
	jw_object(&w);
	for (size_t i = 0; i < count; i++)
		if (fields[i].value)
			jw_member_str(&w, fields[i].name, str_of(fields[i].value));
	jw_object_end(&w);
}

int call_refused(const struct call_answer *answer)
{
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct str error = a ? call_member(buf_str(&answer->body), "error", a) : STR_NULL;

	fputs("bondgate: ", stderr);
	if (error.n)
		output_cell(stderr, error, 0);
	else
		fprintf(stderr, "the gate answered %d; is this address a gate, of this version?", answer->status);
	fputc('\n', stderr);
	return answer->status == 400 ? EXIT_USAGE : EXIT_CANNOT;
}

int call_and_print(const struct call_options *o, const char *method, const char *path, struct str body,
                   void (*also)(const struct call_answer *answer))
{
	CLEANUP_ARENA struct arena *a = arena_new(ANSWER_MOST);
	struct call_answer answer;
	struct err err = {0};
	int code = EXIT_NOTHING;

	answer.body = BUF(0);
	if (!a || call_make(o, method, path, body, &answer, &err) < 0) {
		fprintf(stderr, "bondgate: %s\n", a ? err.text : "no memory");
		buf_free(&answer.body);
		return EXIT_CANNOT;
	}
	if (answer.status / 100 != 2) {
		code = call_refused(&answer);
	} else if (o->json) {
		printf("%.*s\n", STR_ARG(buf_str(&answer.body)));
	} else {
		struct str message = call_member(buf_str(&answer.body), "message", a);

		if (message.n) {
			output_cell(stdout, message, 0);
			putchar('\n');
		}
		if (also)
			also(&answer);
	}
	buf_free(&answer.body);
	return code;
}
