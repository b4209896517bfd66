#include "cmd/ask_gate.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "cmd/npmrc.h"
#include "cmd/options.h"

struct answer {
	struct buf body;
	struct str decision;
	char kept[16];
};

static size_t take_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;

	buf_add(&a->body, bytes, size * n);
	return a->body.error ? 0 : size * n;
}

static size_t take_header(char *bytes, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;
	struct str line = {bytes, size * n}, name = STR("bondgate-decision:");

	if (str_starts_nocase(line, name)) {
		snprintf(a->kept, sizeof(a->kept), "%.*s", STR_ARG(str_trim(str_skip(line, name.n))));
		a->decision = str_of(a->kept);
	}
	return size * n;
}

/* The gate's root: whatever stands behind host and port ("…/npm/") belongs to npm. But for "/t/TEAM", by whose rules is asked. */
static struct str root_of(const char *gate)
{
	struct str url = str_of(gate), path;
	ptrdiff_t scheme = str_find(url, STR("://")), slash, end;

	if (scheme < 0)
		return url;
	slash = str_chr(str_skip(url, (size_t)scheme + 3), '/');
	if (slash < 0)
		return url;
	slash += scheme + 3;
	path = str_skip(url, (size_t)slash);
	if (!str_starts(path, STR("/t/")))
		return str_take(url, (size_t)slash);
	end = str_chr(str_skip(path, 3), '/');
	return end < 0 ? url : str_take(url, (size_t)(slash + 3 + end));
}

/* The user's token proves the team. Redirects are not followed, so it goes to no other host. */
static struct curl_slist *add_token(struct curl_slist *headers, const char *gate)
{
	CLEANUP_ARENA struct arena *a = arena_new(8 * MIB);
	const char *named = getenv("BONDGATE_TOKEN");
	CLEANUP_BUF struct buf line = BUF(8 * KIB);
	struct str token = named ? str_trim(str_of(named)) : STR_NULL;

	if (!token.n && a)
		token = npmrc_token(str_of(gate), a);
	for (size_t i = 0; i < token.n; i++)
		if (token.p[i] <= ' ' || token.p[i] > '~')
			return headers;
	if (!str_starts(token, STR("bg_")))
		return headers;
	buf_printf(&line, "authorization: Bearer %.*s", STR_ARG(token));
	return curl_slist_append(headers, buf_cstr(&line));
}

static int print_answer(const struct answer *a, long status)
{
	if (status != 200 || !a->decision.n) {
		fprintf(stderr, "bondgate: the gate answered %ld: %.*s\n", status, STR_ARG(str_take(buf_str(&a->body), 400)));
		return EXIT_CANNOT;
	}
	printf("%.*s%s", STR_ARG(buf_str(&a->body)), str_ends(buf_str(&a->body), STR("\n")) ? "" : "\n");
	return str_eq(a->decision, STR("allow")) ? EXIT_NOTHING : EXIT_FOUND;
}

int ask_gate_explain(const char *gate, const char *purl, const char *at, bool json)
{
	struct answer answer = {.body = BUF(MIB)};
	CLEANUP_BUF struct buf url = BUF(16 * KIB);
	CURL *curl = curl_easy_init();
	struct curl_slist *headers = NULL;
	char problem[CURL_ERROR_SIZE] = "";
	char *escaped;
	long status = 0;
	int code = EXIT_CANNOT;

	if (!curl)
		return EXIT_CANNOT;
	escaped = curl_easy_escape(curl, purl, 0);
	buf_printf(&url, "%.*s/-/explain?purl=%s", STR_ARG(root_of(gate)), escaped ? escaped : "");
	curl_free(escaped);
	if (at) {
		escaped = curl_easy_escape(curl, at, 0);
		buf_printf(&url, "&at=%s", escaped ? escaped : "");
		curl_free(escaped);
	}
	headers = add_token(curl_slist_append(headers, json ? "accept: application/json" : "accept: text/plain"), gate);
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
		fprintf(stderr, "bondgate: the gate at %s cannot be asked: %s\n", gate, problem);
	} else {
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
		code = print_answer(&answer, status);
	}
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	buf_free(&answer.body);
	return code;
}

struct str ask_gate_host(const char *gate)
{
	struct str root = root_of(gate);
	ptrdiff_t scheme = str_find(root, STR("://")), at, slash;

	root = scheme < 0 ? root : str_skip(root, (size_t)scheme + 3);
	slash = str_chr(root, '/');
	root = slash < 0 ? root : str_take(root, (size_t)slash);
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
	buf_printf(&url, "%.*s%s", STR_ARG(root_of(gate)), path);
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
