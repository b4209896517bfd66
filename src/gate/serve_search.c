#include "base/limits.h"
#include "gate/clearance.h"
#include "gate/collect.h"
#include "gate/serve.h"
#include "registry/npm/render.h"
#include "registry/npm/search.h"

/* An upstream that answers with more makes the gate ask for no more documents. */
enum { RESULTS_JUDGED = 250 };

/* A search answer names packages, so every one of them is judged like its packument (rule 2). */
struct searching {
	struct exchange *x;
	const struct origin *origin;
	struct str body;
	struct str *names;
	struct npm_search_verdict *verdicts;
	struct wanted {
		struct searching *s;
		size_t index;
	} * wanted;
	size_t count, waiting;
};

static void conclude(struct searching *s)
{
	CLEANUP_BUF struct buf out = BUF(LIMIT_SEARCH_BYTES);
	struct exchange *x = s->x;
	struct err err = {0};

	if (npm_search_filter(s->body, s->verdicts, s->count, &out, &err) < 0)
		answer_sentence(x, 502, str_of(err.text));
	else
		answer_json(x, 200, STR(""), buf_str(&out));
	exchange_unref(x);
}

static void judged(void *arg, struct clearance_result *result)
{
	struct wanted *w = arg;
	struct searching *s = w->s;
	struct npm_search_verdict *verdict = &s->verdicts[w->index];

	if (result->clearance) {
		struct npm_cut cut = {.shown = result->clearance->shown,
		                      .now = s->x->thread->gate->now(),
		                      .tag_hold = policy_cooldown(s->x->rules->policy, s->origin)};
		ptrdiff_t at = npm_resolve(result->document->packument, &cut, s->x->arena, STR("latest"));
		struct npm_version v;

		if (at >= 0) {
			npm_packument_version(result->document->packument, (size_t)at, &v);
			*verdict = (struct npm_search_verdict){true, arena_str(s->x->arena, v.version), v.published};
		}
	}
	clearance_result_free(result);
	if (--s->waiting == 0)
		conclude(s);
}

static void answered(void *arg, const struct collected *answer)
{
	struct searching *s = arg;
	struct exchange *x = s->x;
	struct err err = {0};

	if (answer->code < 0 || answer->status != 200) {
		answer_sentence(x, answer->code < 0 ? 502 : 404,
		                answer->code < 0
		                    ? str_of(answer->err.text)
		                    : arena_printf(x->arena, "the registry behind this gate has no search (it answered %d)", answer->status));
		exchange_unref(x);
		return;
	}
	s->body = arena_str(x->arena, answer->body);
	if (!s->body.p || npm_search_names(s->body, x->arena, &s->names, &s->count, &err) < 0) {
		answer_sentence(x, 502, err.text[0] ? str_of(err.text) : STR("the registry's search answer is too large"));
		exchange_unref(x);
		return;
	}
	s->verdicts = ARENA_ARRAY(x->arena, struct npm_search_verdict, s->count + 1);
	s->wanted = ARENA_ARRAY(x->arena, struct wanted, s->count + 1);
	if (!s->verdicts || !s->wanted)
		abort();
	/* More than were asked for are not looked at, and so not shown. */
	if (s->count > RESULTS_JUDGED)
		s->count = RESULTS_JUDGED;
	/* One more than there are, so that answers that come at once do not conclude while others are still being asked. */
	s->waiting = s->count + 1;
	for (size_t i = 0; i < s->count; i++) {
		bool named = npm_name_check(s->names[i], NULL) == 0;
		const struct origin *owner = named ? policy_origin(x->rules->policy, ECOSYSTEM_NPM, s->names[i]) : NULL;

		s->wanted[i] = (struct wanted){s, i};
		/* What an upstream lists but another origin owns would never be served from it. */
		if (owner == s->origin)
			clearance_get(x->thread, x->rules, owner, s->names[i], judged, &s->wanted[i]);
		else
			s->waiting--;
	}
	if (--s->waiting == 0)
		conclude(s);
}

static bool is_internal(struct exchange *x, struct str name)
{
	return policy_is_internal(x->rules->policy, ECOSYSTEM_NPM, name);
}

/* A word alone, as a scope with or without its @, and as what follows a scope's slash. */
static bool word_is_internal(struct exchange *x, struct str word)
{
	struct str scope = str_starts(word, STR("@")) ? str_skip(word, 1) : word;
	ptrdiff_t slash = str_chr(scope, '/');

	if (slash >= 0)
		return is_internal(x, word) || is_internal(x, arena_printf(x->arena, "@%.*s", STR_ARG(scope))) ||
		       is_internal(x, arena_printf(x->arena, "@%.*s/x", STR_ARG(str_take(scope, (size_t)slash))));
	return is_internal(x, word) || is_internal(x, arena_printf(x->arena, "@%.*s/x", STR_ARG(scope)));
}

/* Could the words of a search tell a stranger an internal name? Also in quotes, behind a qualifier ("scope:"), between commas, and in
 * capitals: searches do not tell these apart. */
static bool speaks_of_internal(struct exchange *x)
{
	static const char inside[] = "-_.~@/";
	struct str as_typed = x->route.text, lower = arena_str(x->arena, as_typed);

	for (size_t i = 0; i < lower.n; i++)
		if (lower.p[i] >= 'A' && lower.p[i] <= 'Z')
			((char *)(uintptr_t)lower.p)[i] |= 0x20;
	for (size_t from = 0, to = 0; from < lower.n; from = to + 1) {
		for (to = from; to < lower.n; to++) {
			char c = lower.p[to];

			if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || memchr(inside, c, sizeof(inside) - 1)))
				break;
		}
		if (to > from && (word_is_internal(x, (struct str){as_typed.p + from, to - from}) ||
		                  word_is_internal(x, (struct str){lower.p + from, to - from})))
			return true;
	}
	return false;
}

static const struct origin *default_origin(struct exchange *x)
{
	const struct origin *all;
	size_t n = policy_origins(x->rules->policy, &all);

	for (size_t i = 0; i < n; i++)
		if (all[i].ecosystem == ECOSYSTEM_NPM && all[i].is_default)
			return &all[i];
	return NULL;
}

void serve_search(struct exchange *x)
{
	struct searching *s = ARENA_NEW(x->arena, struct searching);
	unsigned size = x->route.size < 100 ? x->route.size : 100;
	struct collect what = {.method = STR("GET"), .max_bytes = LIMIT_SEARCH_BYTES};
	CLEANUP_BUF struct buf path = BUF(64 * KIB);

	if (!s)
		abort();
	s->x = x;
	s->origin = default_origin(x);
	if (speaks_of_internal(x)) {
		answer_json(x, 200, STR(""), STR("{\"objects\":[],\"total\":0,\"time\":\"\"}"));
		return;
	}
	if (!s->origin || !s->origin->url.n) {
		answer_sentence(x, 404, STR("this gate has no registry to search in"));
		return;
	}
	buf_add_str(&path, STR("/-/v1/search?text="));
	for (size_t i = 0; i < x->route.text.n; i++) {
		unsigned char c = (unsigned char)x->route.text.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~')
			buf_add_char(&path, (char)c);
		else
			buf_printf(&path, "%%%02X", c);
	}
	buf_printf(&path, "&size=%u&from=%u", size ? size : 20, x->route.from);
	what.path = buf_str(&path);
	exchange_ref(x);
	collect_start(x->thread, s->origin, &what, answered, s);
}
