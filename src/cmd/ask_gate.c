#include "cmd/ask_gate.h"

#include <curl/curl.h>
#include <stdio.h>

#include "base/limits.h"
#include "cmd/call.h"

struct answer {
	struct buf body;
	char decision[16];
	char rules[96]; /* whose rules decided: a team's; empty: everybody's */
};

static size_t take_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;

	buf_add(&a->body, bytes, size * n);
	return a->body.error ? 0 : size * n;
}

static void keep(struct str line, struct str name, char *to, size_t size)
{
	if (str_starts_nocase(line, name))
		snprintf(to, size, "%.*s", STR_ARG(str_trim(str_skip(line, name.n))));
}

static size_t take_header(char *bytes, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;
	struct str line = {bytes, size * n};

	keep(line, STR("bondgate-decision:"), a->decision, sizeof(a->decision));
	keep(line, STR("bondgate-rules:"), a->rules, sizeof(a->rules));
	return size * n;
}

/* The gate's root: whatever stands behind host and port ("…/npm/") belongs to npm. */
static struct str root_of(const char *gate)
{
	struct str url = str_of(gate);
	ptrdiff_t scheme = str_find(url, STR("://")), slash;

	if (scheme < 0)
		return url;
	slash = str_chr(str_skip(url, (size_t)scheme + 3), '/');
	return slash < 0 ? url : str_take(url, (size_t)scheme + 3 + (size_t)slash);
}

/* NAME of "…/t/NAME/npm/", as a team's line of .npmrc has it. */
static struct str team_of(const char *gate)
{
	struct str rest = str_skip(str_of(gate), root_of(gate).n), name;

	if (!str_starts(rest, STR("/t/")))
		return STR_NULL;
	rest = str_skip(rest, 3);
	str_split(&rest, '/', &name);
	return name;
}

/* What a person who asked about a team has to know of the answer. */
static void say_whose(struct str team, const struct answer *a, bool with_token)
{
	if (!team.n || str_eq(str_of(a->rules), team))
		return;
	if (!a->rules[0])
		fprintf(stderr, "The gate has no rules of a team %.*s: these are everybody's.\n", STR_ARG(team));
	else
		fprintf(stderr, "%s of team %.*s: only those of its lines that tighten were counted.\n",
		        with_token ? "The token that was sent is not one" : "No token was sent (BONDGATE_TOKEN, --token-file) that proves to be",
		        STR_ARG(team));
}

static int print_answer(const struct answer *a, long status)
{
	if (status != 200 || !a->decision[0]) {
		fprintf(stderr, "bondgate: the gate answered %ld: %.*s\n", status, STR_ARG(str_take(buf_str(&a->body), 400)));
		return EXIT_CANNOT;
	}
	printf("%.*s%s", STR_ARG(buf_str(&a->body)), str_ends(buf_str(&a->body), STR("\n")) ? "" : "\n");
	return str_eq(str_of(a->decision), STR("allow")) ? EXIT_NOTHING : EXIT_FOUND;
}

static void add_escaped(struct buf *url, CURL *curl, const char *before, struct str text)
{
	char *escaped = curl_easy_escape(curl, text.p, (int)text.n);

	buf_printf(url, "%s%s", before, escaped ? escaped : "");
	curl_free(escaped);
}

/* Prints and returns the exit code. */
static int ask(CURL *curl, const struct gate_question *q, struct str team, struct str token)
{
	struct answer answer = {.body = BUF(MIB)};
	CLEANUP_BUF struct buf url = BUF(16 * KIB), line = BUF(8 * KIB);
	struct curl_slist *headers = curl_slist_append(NULL, q->json ? "accept: application/json" : "accept: text/plain");
	char problem[CURL_ERROR_SIZE] = "";
	long status = 0;
	int code = EXIT_CANNOT;

	buf_add_str(&url, root_of(q->gate));
	if (team.n)
		add_escaped(&url, curl, "/t/", team);
	add_escaped(&url, curl, "/-/explain?purl=", str_of(q->purl));
	if (q->at)
		add_escaped(&url, curl, "&at=", str_of(q->at));
	if (str_starts(token, STR("bg_"))) {
		buf_printf(&line, "authorization: Bearer %.*s", STR_ARG(token));
		headers = curl_slist_append(headers, buf_cstr(&line));
	}
	curl_easy_setopt(curl, CURLOPT_URL, buf_cstr(&url));
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer);
	if (curl_easy_perform(curl) != CURLE_OK) {
		fprintf(stderr, "bondgate: the gate at %s cannot be asked: %s\n", q->gate, problem);
	} else {
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
		code = print_answer(&answer, status);
		if (code != EXIT_CANNOT)
			say_whose(team, &answer, token.n != 0);
	}
	curl_slist_free_all(headers);
	buf_free(&answer.body);
	return code;
}

int ask_gate_explain(const struct gate_question *q)
{
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct str team = q->team ? str_of(q->team) : team_of(q->gate), token = STR_NULL;
	struct err err = {0};
	CURL *curl;
	int code;

	/* Sent without a team, too: whose token has ended is told so. */
	if (!a || (call_token(q->token_file, str_of(q->gate), a, &token, &err) < 0)) {
		fprintf(stderr, "bondgate: %s\n", a ? err.text : "no memory");
		return EXIT_CANNOT;
	}
	curl = curl_easy_init();
	if (!curl)
		return EXIT_CANNOT;
	code = ask(curl, q, team, token);
	curl_easy_cleanup(curl);
	return code;
}

/* The user's token proves the team. Redirects are not followed, so it goes to no other host. */
static struct curl_slist *add_token(struct curl_slist *headers, const char *gate)
{
	CLEANUP_ARENA struct arena *a = arena_new(8 * MIB);
	CLEANUP_BUF struct buf line = BUF(8 * KIB);
	struct str token = STR_NULL;
	struct err err = {0};

	if (!a || call_token(NULL, str_of(gate), a, &token, &err) < 0 || !str_starts(token, STR("bg_")))
		return headers;
	buf_printf(&line, "authorization: Bearer %.*s", STR_ARG(token));
	return curl_slist_append(headers, buf_cstr(&line));
}

struct str ask_gate_host(const char *gate)
{
	struct str root = root_of(gate);
	ptrdiff_t scheme = str_find(root, STR("://")), at;

	root = scheme < 0 ? root : str_skip(root, (size_t)scheme + 3);
	at = str_rchr(root, '@');
	return str_skip(root, (size_t)(at + 1));
}

int ask_gate_post(const char *gate, const char *path, struct str body, struct buf *ret, struct err *err)
{
	struct answer answer = {.body = BUF(64 * MIB)};
	CLEANUP_BUF struct buf url = BUF(16 * KIB);
	CURL *curl = curl_easy_init();
	struct curl_slist *headers = NULL;
	char problem[CURL_ERROR_SIZE] = "";
	long status = 0;
	int code = 0;

	if (!curl)
		return err_set(err, -ENOMEM, "out of memory");
	buf_add_str(&url, root_of(gate));
	if (team_of(gate).n)
		buf_printf(&url, "/t/%.*s", STR_ARG(team_of(gate)));
	buf_printf(&url, "%s", path);
	headers = curl_slist_append(headers, "content-type: application/json");
	headers = add_token(curl_slist_append(headers, "accept: application/json"), gate);
	curl_easy_setopt(curl, CURLOPT_URL, buf_cstr(&url));
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 600L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, problem);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body.n);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.p);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
	if (curl_easy_perform(curl) != CURLE_OK)
		code = err_set(err, -EHOSTUNREACH, "the gate at %s cannot be asked: %s", gate, problem);
	else
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (code == 0 && status != 200)
		code = err_set(err, -EPROTO, "the gate at %s answered %ld: %.*s", gate, status, STR_ARG(str_take(buf_str(&answer.body), 300)));
	if (code == 0)
		buf_add_str(ret, buf_str(&answer.body));
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	buf_free(&answer.body);
	return code;
}
