#include "gate/exchange.h"

#include "base/limits.h"
#include "codec/json.h"
#include "policy/facts_json.h"

struct exchange *exchange_new(struct gate_thread *t, struct http_request *rq)
{
	struct exchange *x = calloc(1, sizeof(*x));

	if (!x || !(x->arena = arena_new(64 * MIB)))
		abort();
	x->refs = 1;
	x->rq = rq;
	x->thread = t;
	x->rules = gate_rules(t->gate);
	x->client = arena_str(x->arena, rq->peer);
	x->agent = arena_str(x->arena, str_take(http_get(rq, STR("user-agent")), 256));
	x->session = arena_str(x->arena, str_take(http_get(rq, STR("npm-session")), 64));
	people_identify(t->gate, http_get(rq, STR("authorization")), t->gate->now(), x->arena, &x->who);
	rq->user = x;
	return x;
}

struct exchange *exchange_ref(struct exchange *x)
{
	x->refs++;
	return x;
}

void exchange_unref(struct exchange *x)
{
	if (--x->refs)
		return;
	rules_unref(x->rules);
	arena_free(x->arena);
	free(x);
}

void answer_json(struct exchange *x, int status, struct str headers, struct str body)
{
	CLEANUP_BUF struct buf lines = BUF(8 * KIB);

	if (!x->rq)
		return;
	buf_add_str(&lines, STR("content-type: application/json\r\n"));
	if (str_find(headers, STR("cache-control:")) < 0)
		buf_add_str(&lines, STR("cache-control: no-cache\r\n"));
	buf_add_str(&lines, headers);
	http_reply_text(x->rq, &(struct http_reply){.status = status, .headers = buf_str(&lines)}, body);
}

/* Header values and reason phrases are one line of printable ASCII. */
static struct str one_line(struct arena *a, struct str text)
{
	struct str copy = arena_str(a, text);
	char *p = (char *)(uintptr_t)copy.p;

	for (size_t i = 0; i < copy.n; i++)
		if (p[i] < 0x20 || p[i] > 0x7e)
			p[i] = p[i] == '\n' ? ';' : '?';
	return copy;
}

static void answer_with(struct exchange *x, int status, struct str sentence, bool notice)
{
	CLEANUP_BUF struct buf body = BUF(64 * KIB), lines = BUF(64 * KIB);
	struct str line = one_line(x->arena, sentence);
	struct json_writer w;

	if (!x->rq)
		return;
	jw_init(&w, &body);
	jw_object(&w);
	jw_member_str(&w, "error", sentence);
	jw_member_str(&w, "message", sentence);
	jw_object_end(&w);
	buf_printf(&lines, "content-type: application/json\r\ncache-control: no-cache\r\n");
	if (status == 503)
		buf_add_str(&lines, STR("retry-after: 5\r\n"));
	if (notice)
		buf_printf(&lines, "npm-notice: %.*s\r\n", STR_ARG(str_take(line, 400)));
	http_reply_text(x->rq, &(struct http_reply){.status = status, .reason = line, .headers = buf_str(&lines)}, buf_str(&body));
}

void answer_sentence(struct exchange *x, int status, struct str sentence)
{
	answer_with(x, status, sentence, status == 403 || status == 503);
}

void answer_aside(struct exchange *x, struct str sentence)
{
	answer_with(x, 403, sentence, false);
}

void answer_failure(struct exchange *x, int code, const struct err *err)
{
	struct str sentence = err->text[0] ? str_of(err->text) : str_of(err_name(code));

	/* 5xx only where trying again may help: clients wait and retry on it. */
	switch (code) {
	case -ENOENT:
		answer_sentence(x, 404, sentence);
		break;
	case -EPERM:
	case -EACCES:
	case -EBADMSG:
		answer_sentence(x, 403, sentence);
		break;
	case -EAGAIN:
		answer_sentence(x, 503, sentence);
		break;
	default:
		answer_sentence(x, 502, sentence);
	}
}

void exchange_evidence(const struct exchange *x, enum evidence_kind kind, struct str version, struct str hash, struct str decision,
                       struct str detail, struct evidence *ret)
{
	*ret = (struct evidence){
		.time = time_now(),
		.kind = kind,
		.ecosystem = ECOSYSTEM_NPM,
		.name = x->route.name,
		.version = version,
		.hash = hash,
		.client = x->client,
		.identity = x->who.person,
		.project = x->label,
		.agent = x->agent,
		.session = x->session,
		.decision = decision,
		.detail = detail,
	};
}

struct str exchange_rules(const struct exchange *x)
{
	if (!gate_has_team(x->thread->gate, x->label))
		return STR_NULL;
	return x->who.state == TOKEN_VALID && str_eq(x->who.team, x->label) ? x->label
	                                                                    : arena_printf(x->arena, "%.*s (unproven)", STR_ARG(x->label));
}

void exchange_decided(const struct exchange *x, const struct version_facts *facts, usec at, struct evidence *record)
{
	CLEANUP_BUF struct buf text = BUF(512 * KIB);
	struct version_facts taken = *facts;

	record->time = at;
	record->rules = exchange_rules(x);
	/* Without room the record says only what happened: a receipt must not fail for want of its reasons. */
	if (facts_take_advisories(&taken, x->rules->advisories, at, x->arena) < 0)
		return;
	facts_to_json(&taken, &text);
	if (!text.error)
		record->facts = arena_str(x->arena, buf_str(&text));
}

bool accepts_coding(const struct http_request *rq, struct str coding)
{
	struct str list = http_get(rq, STR("accept-encoding")), part;

	while (str_split(&list, ',', &part)) {
		ptrdiff_t semicolon = str_chr(part, ';');
		struct str name = str_trim(semicolon < 0 ? part : str_take(part, (size_t)semicolon));
		struct str weight = semicolon < 0 ? STR_NULL : str_trim(str_skip(part, (size_t)semicolon + 1));

		if (!str_eq_nocase(name, coding))
			continue;
		if (!str_starts_nocase(weight, STR("q=0")))
			return true;
		/* "q=0", "q=0.0" … refuse; "q=0.5" accepts. */
		for (size_t i = 3; i < weight.n; i++)
			if (weight.p[i] != '.' && weight.p[i] != '0')
				return true;
		return false;
	}
	return false;
}

bool etag_matches(const struct http_request *rq, struct str etag)
{
	struct str list = http_get(rq, STR("if-none-match")), part;

	while (str_split(&list, ',', &part)) {
		part = str_trim(part);
		if (str_starts(part, STR("W/")))
			part = str_skip(part, 2);
		if (str_eq(part, etag) || str_eq(part, STR("*")))
			return true;
	}
	return false;
}
