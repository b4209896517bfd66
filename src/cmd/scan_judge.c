/* Whom a scan asks about what a lockfile does not say: when a version was published and by whom, and whether the gate handed it out. Either a
 * running gate (--gate), or what a gate stored on this machine. Nobody is asked twice about the same version. */
#include <stdio.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/log.h"
#include "cmd/ask_gate.h"
#include "cmd/open.h"
#include "cmd/scan.h"
#include "cmd/state.h"
#include "gate/explanation.h"

enum { BULK = 500 }; /* versions in one question to a gate */

/* What is known of one version. */
struct answer {
	struct decision decision;
	bool known;
	const struct str *received; /* hashes that were handed out */
	size_t received_count;
};

struct scan_asking {
	struct arena *arena;
	struct map answers; /* purl -> struct answer */
	/* a store of this machine */
	struct opened opened;
	struct gate_thread thread;
	struct clearance_result cleared;
	bool answered;
};

static usec asked_time;

static usec time_asked(void)
{
	return asked_time;
}

static struct answer *answer_of(struct scan_asking *q, enum ecosystem e, struct str name, struct str version)
{
	CLEANUP_ARENA struct arena *a = arena_new(16 * KIB);

	return a ? map_get(&q->answers, purl_format(a, e, name, version)) : NULL;
}

static int judge(void *arg, enum ecosystem e, struct str name, struct str version, struct decision *ret)
{
	const struct answer *found = answer_of(arg, e, name, version);

	if (!found || !found->known)
		return -ENOENT;
	*ret = found->decision;
	return 0;
}

static bool names_hash(struct str integrity, struct str hash)
{
	struct str rest = integrity, one;

	while (str_split(&rest, ' ', &one))
		if (str_eq(one, hash))
			return true;
	return false;
}

/* Other bytes only where both sides speak of the same algorithm. */
static enum receipt_state receipt(void *arg, enum ecosystem e, struct str name, struct str version, struct str integrity)
{
	const struct answer *found = answer_of(arg, e, name, version);
	bool comparable = false;

	if (!found || !found->received_count)
		return RECEIPT_MISSING;
	for (size_t i = 0; i < found->received_count; i++) {
		ptrdiff_t dash = str_chr(found->received[i], '-');

		if (names_hash(integrity, found->received[i]))
			return RECEIPT_THERE;
		comparable = comparable || (dash > 0 && str_find(integrity, str_take(found->received[i], (size_t)dash + 1)) >= 0);
	}
	return comparable ? RECEIPT_OTHER : RECEIPT_THERE;
}

static struct answer *new_answer(struct scan_asking *q, struct str purl)
{
	struct answer *a = ARENA_NEW(q->arena, struct answer);

	return a && map_put(&q->answers, purl, a) == 0 ? a : NULL;
}

static void keep_texts(struct arena *a, struct decision *d)
{
	for (size_t i = 0; i < d->reason_count; i++) {
		d->reasons[i].text = arena_str(a, d->reasons[i].text);
		d->reasons[i].source = arena_str(a, d->reasons[i].source);
	}
}

/* ---- the store of this machine ---- */

static void cleared(void *arg, struct clearance_result *result)
{
	struct scan_asking *q = arg;

	q->cleared = *result;
	q->answered = true;
	loop_stop(q->thread.loop);
}

/* A version that the stored document lacks may only be younger than the document: then nothing is known of it. */
static int ask_documents(struct scan_asking *q, const struct purl *purl, struct answer *into)
{
	struct gate *g = q->opened.gate;
	struct rules *rules = gate_rules(g);
	const struct origin *origin = policy_origin(rules->policy, purl->ecosystem, purl->name);
	CLEANUP_ARENA struct arena *a = arena_new(16 * MIB);
	struct explanation e;
	int r = 0;

	if (!a)
		return -ENOMEM;
	if (origin && purl->ecosystem == ECOSYSTEM_NPM) {
		q->answered = false;
		clearance_get(&q->thread, rules, origin, purl->name, cleared, q);
		if (!q->answered)
			loop_run(q->thread.loop);
		r = q->cleared.clearance ? explanation_make(&q->cleared, rules, origin, purl, g->now(), a, &e) : -ENOENT;
		if (r == 0 && !(e.decision.reason_count && e.decision.reasons[0].code == REASON_UNKNOWN)) {
			into->known = true;
			into->decision = e.decision;
			keep_texts(q->arena, &into->decision);
		}
		clearance_result_free(&q->cleared);
		q->cleared = (struct clearance_result){0};
	}
	rules_unref(rules);
	return 0;
}

struct receipts {
	struct arena *arena;
	struct str hashes[16];
	size_t count;
};

static int take_receipt(void *arg, const struct evidence *e)
{
	struct receipts *r = arg;

	for (size_t i = 0; i < r->count; i++)
		if (str_eq(r->hashes[i], e->hash))
			return 0;
	if (r->count < sizeof(r->hashes) / sizeof(r->hashes[0]))
		r->hashes[r->count++] = arena_str(r->arena, e->hash);
	return 0;
}

static int ask_receipts(struct scan_asking *q, const struct purl *purl, struct answer *into, struct err *err)
{
	const struct evidence_filter filter = {
		.kind = EVIDENCE_RECEIPT, .ecosystem = (int)purl->ecosystem, .name = purl->name, .version = purl->version};
	struct receipts found = {.arena = q->arena};
	struct str *copy;
	int r = store_evidence(q->opened.gate->store, &filter, take_receipt, &found, err);

	copy = r == 0 && found.count ? ARENA_ARRAY(q->arena, struct str, found.count) : NULL;
	if (copy) {
		memcpy(copy, found.hashes, found.count * sizeof(*copy));
		into->received = copy;
		into->received_count = found.count;
	}
	return r;
}

static int open_store(struct scan *s, struct err *err)
{
	struct scan_asking *q = s->asking;
	const struct open_options options = {.policy = s->options.policy, .state = s->options.state, .quiet = true};
	int r;

	log_set_level(LOG_ERROR);
	r = open_prepare(&options, false, NULL, true, &q->opened, err);
	if (r == 0)
		r = open_gate(&q->opened, true, err);
	if (r < 0)
		return r;
	q->opened.gate->offline = true;
	if (s->options.at) {
		asked_time = s->now;
		q->opened.gate->now = time_asked;
	}
	return gate_thread_init(q->opened.gate, &q->thread, err);
}

/* ---- a running gate ---- */

static void read_reason(struct json_reader *r, struct arena *a, struct decision *d)
{
	struct str key, text;
	struct reason one = {.mode = MODE_REPORT};
	bool enforced = false, known = false;

	json_enter_object(r);
	while (json_next_member(r, &key)) {
		if (json_raw_equals(key, STR("enforced"))) {
			json_bool(r, &enforced);
			one.mode = enforced ? MODE_ENFORCE : MODE_REPORT;
		} else if (json_peek(r) == JSON_STRING) {
			json_string_decoded(r, a, &text);
			if (json_raw_equals(key, STR("code")))
				known = reason_code_parse(text, &one.code) == 0;
			else if (json_raw_equals(key, STR("text")))
				one.text = text;
			else if (json_raw_equals(key, STR("source")))
				one.source = text;
			else if (json_raw_equals(key, STR("decision")))
				one.verdict = str_eq(text, STR("hold")) ? VERDICT_HOLD : str_eq(text, STR("deny")) ? VERDICT_DENY : VERDICT_ALLOW;
			else if (json_raw_equals(key, STR("until")) && time_parse(text, &one.until) < 0)
				one.until = 0;
		} else {
			json_skip(r, NULL);
		}
	}
	if (one.verdict == VERDICT_HOLD && !one.until)
		one.until = USEC_NEVER;
	if (known && d->reason_count < DECISION_REASONS)
		d->reasons[d->reason_count++] = one;
}

static void read_received(struct json_reader *r, struct arena *a, struct answer *into)
{
	struct str *hashes = ARENA_ARRAY(a, struct str, 16), text;
	size_t n = 0;

	json_enter_array(r);
	while (json_next_item(r)) {
		json_string_decoded(r, a, &text);
		if (hashes && n < 16)
			hashes[n++] = text;
	}
	into->received = hashes;
	into->received_count = n;
}

static void read_answer(struct json_reader *r, struct scan_asking *q)
{
	struct answer found = {0}, *kept;
	struct str key, purl = STR_NULL, text;

	json_enter_object(r);
	while (json_next_member(r, &key)) {
		if (json_raw_equals(key, STR("reasons")) && json_peek(r) == JSON_ARRAY) {
			json_enter_array(r);
			while (json_next_item(r))
				read_reason(r, q->arena, &found.decision);
		} else if (json_raw_equals(key, STR("received")) && json_peek(r) == JSON_ARRAY) {
			read_received(r, q->arena, &found);
		} else if (json_peek(r) == JSON_STRING) {
			json_string_decoded(r, q->arena, &text);
			if (json_raw_equals(key, STR("purl")))
				purl = text;
			else if (json_raw_equals(key, STR("decision")))
				found.known = true;
		} else {
			json_skip(r, NULL);
		}
	}
	kept = purl.n ? map_get(&q->answers, purl) : NULL;
	if (kept)
		*kept = found;
}

static int ask_bulk(struct scan *s, const struct str *purls, size_t count, struct err *err)
{
	CLEANUP_BUF struct buf body = BUF(MIB), answer = BUF(64 * MIB);
	struct json_writer w;
	struct json_reader r;
	struct str key, kept;
	int code;

	jw_init(&w, &body);
	jw_object(&w);
	jw_key(&w, STR("purls"));
	jw_array(&w);
	for (size_t i = 0; i < count; i++)
		jw_str(&w, purls[i]);
	jw_array_end(&w);
	jw_member_bool(&w, "receipts", s->options.verify_receipts);
	if (s->options.at)
		jw_member_str(&w, "at", str_of(s->options.at));
	jw_object_end(&w);
	code = body.error ? body.error : ask_gate_post(s->options.gate, "/-/explain", buf_str(&body), &answer, err);
	if (code < 0)
		return code;
	/* Texts without escapes are slices of what is read: it has to live as long as the answers. */
	kept = arena_str(s->asking->arena, buf_str(&answer));
	if (!kept.p)
		return err_set(err, -ENOMEM, "out of memory");
	json_init(&r, kept);
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		if (!json_raw_equals(key, STR("answers"))) {
			json_skip(&r, NULL);
			continue;
		}
		json_enter_array(&r);
		while (json_next_item(&r))
			read_answer(&r, s->asking);
	}
	return json_finish(&r, err) < 0 ? err_prefix(err, "the gate at %s answered something else than it should", s->options.gate) : 0;
}

/* ---- both ---- */

int scan_judge_open(struct scan *s, struct err *err)
{
	CLEANUP_BUF struct buf dir = BUF(4096), path = BUF(4096 + 16);
	struct stat st;
	bool there;

	if (state_dir(s->options.state, &dir, NULL) == 0)
		buf_printf(&path, "%s/bondgate.db", buf_cstr(&dir));
	there = path.n && stat(buf_cstr(&path), &st) == 0;
	if (!s->options.gate && !there) {
		if (s->options.verify_receipts)
			return err_set(
				err, -ENOENT,
				"there are no receipts: no gate keeps its state in %s; name it with --state DIR, or a running gate with --gate URL",
				buf_cstr(&dir));
		return 0;
	}
	s->asking = calloc(1, sizeof(*s->asking));
	if (!s->asking || !(s->asking->arena = arena_new(GIB)))
		return err_set(err, -ENOMEM, "out of memory");
	s->rules.judge = judge;
	s->rules.judge_arg = s->asking;
	if (s->options.verify_receipts) {
		s->rules.receipt = receipt;
		s->rules.receipt_arg = s->asking;
	}
	return s->options.gate ? 0 : open_store(s, err);
}

static int ask_store(struct scan *s, struct str purl, const struct lock_package *p, struct err *err)
{
	const struct purl of = {.ecosystem = p->ecosystem, .name = p->name, .version = p->version};
	struct answer *into = map_get(&s->asking->answers, purl);
	int code = ask_documents(s->asking, &of, into);

	if (code == 0 && s->options.verify_receipts)
		code = ask_receipts(s->asking, &of, into, err);
	return code < 0 && !err->text[0] ? err_set(err, code, "the store cannot be asked: %s", err_name(code)) : code;
}

int scan_judge_prepare(struct scan *s, const struct scanned *file, struct err *err)
{
	struct str purls[BULK];
	size_t n = 0;
	int code = 0;

	for (size_t i = 0; s->asking && code == 0 && i < file->count; i++) {
		const struct lock_package *p = &file->lock.packages[file->listed[i].package];
		struct str purl;

		if (p->source != LOCK_REGISTRY || !p->version.n)
			continue;
		purl = purl_format(s->asking->arena, p->ecosystem, p->name, p->version);
		if (purl.p && map_get(&s->asking->answers, purl))
			continue;
		if (!purl.p || !new_answer(s->asking, purl))
			return err_set(err, -ENOMEM, "out of memory");
		if (!s->options.gate) {
			code = ask_store(s, purl, p, err);
		} else if (p->ecosystem == ECOSYSTEM_NPM) {
			purls[n++] = purl;
			if (n == BULK) {
				code = ask_bulk(s, purls, n, err);
				n = 0;
			}
		}
	}
	return code == 0 && n ? ask_bulk(s, purls, n, err) : code;
}

void scan_judge_close(struct scan *s)
{
	if (!s->asking)
		return;
	if (!s->options.gate) {
		gate_threads_close(&s->asking->thread, 1);
		close_gate(&s->asking->opened);
	}
	map_free(&s->asking->answers);
	arena_free(s->asking->arena);
	free(s->asking);
	s->asking = NULL;
}
