#include "base/limits.h"
#include "gate/clearance.h"
#include "gate/collect.h"
#include "gate/serve.h"
#include "registry/npm/render.h"
#include "registry/npm/search.h"

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
	} *wanted;
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
		                answer->code < 0 ? str_of(answer->err.text)
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
	/* One more than there are, so that answers that come at once do not conclude while others are still being asked. */
	s->waiting = s->count + 1;
	for (size_t i = 0; i < s->count; i++) {
		const struct origin *owner = policy_origin(x->rules->policy, ECOSYSTEM_NPM, s->names[i]);

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

/* Could the words of a search tell a stranger an internal name? */
static bool speaks_of_internal(struct exchange *x)
{
	struct str rest = x->route.text, word;

	while (str_split(&rest, ' ', &word)) {
		if (str_starts(word, STR("scope:")))
			word = arena_printf(x->arena, "@%.*s/x", STR_ARG(str_skip(word, 6)));
		if (policy_is_internal(x->rules->policy, ECOSYSTEM_NPM, word) ||
		    (str_starts(word, STR("@")) && str_chr(word, '/') < 0 &&
		     policy_is_internal(x->rules->policy, ECOSYSTEM_NPM, arena_printf(x->arena, "%.*s/x", STR_ARG(word)))))
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
