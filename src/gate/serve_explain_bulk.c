#include "base/limits.h"
#include "codec/json.h"
#include "gate/explanation.h"
#include "gate/serve.h"

/* POST /-/explain {"purls": [...], "receipts": true, "at": TIME}: what GET answers about one version, about many at once, in their order:
 * {"answers": [{"purl", "decision", …, "received": ["sha512-…"]}]}. `bondgate scan --gate` asks it for a whole lockfile. One of which nothing
 * can be said has "error" instead of a decision. */

enum { MOST_PURLS = 1000, AT_ONCE = 8, MOST_HASHES = 16 };

struct bulk {
	struct exchange *x;
	struct item {
		struct bulk *bulk;
		struct str text;
		struct purl purl;
		const struct origin *origin;
		struct str answer; /* without the last brace */
		struct str hashes[MOST_HASHES];
		size_t hash_count;
	} * items;
	size_t count, next, under_way;
	usec at;
	bool receipts, starting;
	struct err err;
	int code;
};

static void pump(struct bulk *b);

static void read_body(struct bulk *b, struct json_reader *r)
{
	struct arena *a = b->x->arena;
	struct str key, text;

	json_enter_object(r);
	while (json_next_member(r, &key)) {
		if (json_raw_equals(key, STR("purls"))) {
			json_enter_array(r);
			while (json_next_item(r)) {
				json_string_decoded(r, a, &text);
				if (b->count == MOST_PURLS)
					return json_fail(r, "at most 1000 purls at once");
				b->items[b->count++] = (struct item){.bulk = b, .text = text};
			}
		} else if (json_raw_equals(key, STR("receipts"))) {
			json_bool(r, &b->receipts);
		} else if (json_raw_equals(key, STR("at"))) {
			json_string_decoded(r, a, &text);
			if (!json_failed(r) && time_parse(text, &b->at) < 0)
				json_fail(r, "`at` is a time such as 2026-01-31T12:00:00Z");
		} else {
			json_skip(r, NULL);
		}
	}
}

static void set_error(struct item *i, struct str why)
{
	CLEANUP_BUF struct buf out = BUF(16 * KIB);
	struct json_writer w;

	jw_init(&w, &out);
	jw_object(&w);
	jw_member_str(&w, "purl", i->text);
	jw_member_str(&w, "error", why);
	i->answer = arena_str(i->bulk->x->arena, buf_str(&out));
}

static void set_answer(struct item *i, const struct explanation *e)
{
	CLEANUP_BUF struct buf out = BUF(MIB);
	struct str text;

	explain_json(&e->facts, &e->decision, &out);
	text = str_trim(buf_str(&out));
	i->answer = arena_str(i->bulk->x->arena, str_take(text, text.n ? text.n - 1 : 0));
}

static void cleared(void *arg, struct clearance_result *result)
{
	struct item *i = arg;
	struct bulk *b = i->bulk;
	CLEANUP_ARENA struct arena *a = arena_new(16 * MIB);
	struct explanation e;

	if (b->x->rq && a) {
		if (explanation_make(result, b->x->rules, i->origin, &i->purl, b->at, a, &e) < 0)
			set_error(i, str_of(result->err.text));
		else
			set_answer(i, &e);
	}
	clearance_result_free(result);
	b->under_way--;
	if (!b->starting)
		pump(b);
}

static void start(struct item *i)
{
	struct bulk *b = i->bulk;
	struct err err = {0};

	b->under_way++;
	if (purl_parse(b->x->arena, i->text, &i->purl, &err) < 0 || i->purl.ecosystem != ECOSYSTEM_NPM || !i->purl.version.n) {
		set_error(i, err.text[0] ? str_of(err.text) : STR("one version of a package of npm, please"));
		b->under_way--;
		return;
	}
	i->origin = policy_origin(b->x->rules->policy, ECOSYSTEM_NPM, i->purl.name);
	if (i->origin)
		clearance_get(b->x->thread, b->x->rules, i->origin, i->purl.name, cleared, i);
	else
		cleared(i, &(struct clearance_result){.code = -ENOENT});
}

static int take_receipt(void *arg, const struct evidence *e)
{
	struct item *i = arg;

	for (size_t k = 0; k < i->hash_count; k++)
		if (str_eq(i->hashes[k], e->hash))
			return 0;
	if (i->hash_count < MOST_HASHES)
		i->hashes[i->hash_count++] = arena_str(i->bulk->x->arena, e->hash);
	return 0;
}

/* On a worker: the loop does not touch the exchange's arena meanwhile. */
static void find_receipts(void *arg)
{
	struct bulk *b = arg;

	for (size_t k = 0; b->code == 0 && k < b->count; k++) {
		struct item *i = &b->items[k];
		const struct evidence_filter filter = {
			.kind = EVIDENCE_RECEIPT, .ecosystem = ECOSYSTEM_NPM, .name = i->purl.name, .version = i->purl.version};

		if (i->purl.version.n)
			b->code = store_evidence(b->x->thread->gate->store, &filter, take_receipt, i, &b->err);
	}
}

static void reply(void *arg)
{
	struct bulk *b = arg;
	CLEANUP_BUF struct buf out = BUF(LIMIT_REQUEST_ARENA_BYTES);
	struct json_writer w;

	buf_add_str(&out, STR("{\"answers\":["));
	for (size_t k = 0; k < b->count; k++) {
		const struct item *i = &b->items[k];

		buf_printf(&out, "%s%.*s", k ? "," : "", STR_ARG(i->answer));
		if (b->receipts) {
			buf_add_str(&out, STR(",\"received\":"));
			jw_init(&w, &out);
			jw_array(&w);
			for (size_t n = 0; n < i->hash_count; n++)
				jw_str(&w, i->hashes[n]);
			jw_array_end(&w);
		}
		buf_add_char(&out, '}');
	}
	buf_add_str(&out, STR("]}\n"));
	if (b->code < 0)
		answer_failure(b->x, b->code, &b->err);
	else if (out.error || arena_failed(b->x->arena))
		answer_sentence(b->x, 413, STR("the answer is too large: ask about fewer versions at once"));
	else
		answer_json(b->x, 200, STR(""), buf_str(&out));
	exchange_unref(b->x);
}

static void pump(struct bulk *b)
{
	b->starting = true;
	while (b->next < b->count && b->under_way < AT_ONCE)
		start(&b->items[b->next++]);
	b->starting = false;
	if (b->under_way || b->next < b->count)
		return;
	if (b->receipts && b->x->rq)
		loop_work(b->x->thread->loop, find_receipts, reply, b);
	else
		reply(b);
}

void serve_explain_bulk(struct exchange *x)
{
	struct bulk *b = ARENA_NEW(x->arena, struct bulk);
	struct json_reader r;
	struct err err = {0};
	struct str body;

	if (!b)
		abort();
	*b = (struct bulk){.x = x, .at = x->thread->gate->now(), .items = ARENA_ARRAY(x->arena, struct item, MOST_PURLS)};
	if (!b->items)
		abort();
	/* A copy: the request may be gone before the last version is explained, and the texts are slices of what is read. */
	body = arena_str(x->arena, x->rq->body);
	if (!body.p)
		abort();
	json_init(&r, body);
	read_body(b, &r);
	if (json_finish(&r, &err) < 0) {
		answer_sentence(x, 400, str_of(err.text));
		return;
	}
	exchange_ref(x);
	pump(b);
}
