#include "gate/provenance.h"

#include "base/limits.h"
#include "base/log.h"
#include "codec/base64.h"
#include "codec/sigstore.h"
#include "gate/collect.h"
#include "store/provenance.h"

/* A refusal is judged again after this: a registry may have answered with something else than what it has. */
#define REFUSED_FOR USEC_DAY
/* How long an answer to a client may wait for bundles. */
#define PATIENCE (10 * USEC_SECOND)

enum { AT_ONCE = 6 };

/* ---- what is known ---- */

void provenance_load(struct gate *g, const struct origin *origin, struct str name, struct arena *a, struct provenance_known *ret)
{
	struct seen_provenance *rows;
	size_t n;
	struct err err = {0};

	*ret = (struct provenance_known){MAP_EMPTY};
	if (store_provenances(g->store, origin->id, ECOSYSTEM_NPM, name, a, &rows, &n, &err) < 0) {
		log_event(LOG_ERROR, "provenance", "error=%s", log_quote(str_of(err.text)));
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (map_put(&ret->by_version, rows[i].version, &rows[i]) < 0)
			abort();
}

enum provenance_state provenance_look(const struct provenance_known *k, const struct rules *rules, const struct npm_version *v, usec now,
                                      struct str *ret_text)
{
	const struct seen_provenance *row = map_get(&k->by_version, v->version);

	*ret_text = STR_NULL;
	if (!rules->provenance) {
		*ret_text = STR("no keys are configured to verify it with (registries.npm.provenance)");
		return PROVENANCE_REFUSED;
	}
	if (!row || !str_eq(row->integrity, v->integrity) || !str_eq(row->trust, str_of(sigstore_trust_id(rules->provenance))))
		return PROVENANCE_UNKNOWN;
	if (row->source.n) {
		*ret_text = row->source;
		return PROVENANCE_VERIFIED;
	}
	*ret_text = row->detail;
	return now >= row->checked && now - row->checked < REFUSED_FOR ? PROVENANCE_REFUSED : PROVENANCE_UNKNOWN;
}

struct str provenance_claim(const struct policy *p, const struct npm_version *v)
{
	struct str claim = v->trusted_publisher.n ? v->trusted_publisher : v->repository;

	return v->provenance && policy_trusts_source(p, claim) ? claim : STR_NULL;
}

/* ---- asking ---- */

struct asking {
	struct gate_thread *thread;
	struct rules *rules;
	const struct origin *origin; /* belongs to the rules */
	struct document *document;
	size_t indices[PROVENANCE_MOST], count, next;
	size_t under_way;
	struct loop_timer *patience;
	void (*found)(void *arg); /* NULL: called */
	void *arg;
};

/* One version's bundle. */
struct bundle_wanted {
	struct asking *asking;
	size_t index;
	struct arena *arena;
	struct str body; /* of the answer */
};

static void ask_next(struct asking *k);

static void tell(struct asking *k)
{
	void (*found)(void *arg) = k->found;

	if (k->patience)
		loop_cancel(k->patience);
	k->patience = NULL;
	k->found = NULL;
	if (found)
		found(k->arg);
}

static void asking_free(struct asking *k)
{
	document_unref(k->document);
	rules_unref(k->rules);
	free(k);
}

static void wanted_end(struct bundle_wanted *w)
{
	struct asking *k = w->asking;

	arena_free(w->arena);
	free(w);
	k->under_way--;
	ask_next(k);
}

/* The first SHA-512 of the metadata's integrity. */
static int expected_hash(const struct npm_version *v, unsigned char out[64])
{
	struct str integrity = v->integrity, part;

	while (str_split(&integrity, ' ', &part)) {
		ptrdiff_t options = str_chr(part, '?');

		part = options < 0 ? part : str_take(part, (size_t)options);
		if (str_starts(part, STR("sha512-")) && base64_decode_exact(str_skip(part, 7), out, 64) == 0)
			return 0;
	}
	return -ENOENT;
}

static int judge(struct bundle_wanted *w, const struct npm_version *v, struct sigstore_verified *ret, struct err *err)
{
	struct sigstore_expected expected = {.name = npm_packument_name(w->asking->document->packument), .version = v->version};
	struct str bundle;
	int r = expected_hash(v, expected.sha512);

	if (r < 0)
		return err_set(err, -EKEYREJECTED, "the version has no SHA-512 that a statement could be about");
	r = sigstore_find_provenance(w->body, w->arena, &bundle, err);
	return r < 0 ? r : sigstore_verify(w->asking->rules->provenance, bundle, &expected, w->arena, ret, err);
}

static void remember(struct asking *k, const struct npm_version *v, struct str source, struct str detail)
{
	struct seen_provenance p = {
		.version = v->version,
		.integrity = v->integrity,
		.trust = str_of(sigstore_trust_id(k->rules->provenance)),
		.source = source,
		.detail = detail,
		.checked = k->thread->gate->now(),
	};

	store_provenance_save(k->thread->gate->store, k->origin->id, ECOSYSTEM_NPM, npm_packument_name(k->document->packument), &p);
}

static void verify_work(void *arg)
{
	struct bundle_wanted *w = arg;
	struct asking *k = w->asking;
	struct sigstore_verified verified;
	struct npm_version v;
	struct err err = {0};
	int r;

	npm_packument_version(k->document->packument, w->index, &v);
	r = judge(w, &v, &verified, &err);
	if (r == 0) {
		remember(k, &v, verified.source, arena_printf(w->arena, "%.*s at %.*s", STR_ARG(verified.workflow), STR_ARG(verified.source_ref)));
	} else if (r != -ENOMEM) {
		log_event(LOG_WARNING, "provenance", "package=%s version=%s problem=%s", log_quote(npm_packument_name(k->document->packument)),
		          log_quote(v.version), log_quote(str_of(err.text)));
		remember(k, &v, STR_NULL, str_of(err.text));
	}
}

static void verify_done(void *arg)
{
	wanted_end(arg);
}

static void answered(void *arg, const struct collected *answer)
{
	struct bundle_wanted *w = arg;
	struct asking *k = w->asking;
	struct npm_version v;

	if (answer->code < 0 || (answer->status != 200 && answer->status != 404)) {
		log_event(LOG_WARNING, "provenance", "package=%s problem=%s status=%d", log_quote(npm_packument_name(k->document->packument)),
		          log_quote(str_of(answer->code < 0 ? answer->err.text : "the registry did not answer for its bundle")), answer->status);
		wanted_end(w);
		return;
	}
	if (answer->status == 404) {
		npm_packument_version(k->document->packument, w->index, &v);
		remember(k, &v, STR_NULL, STR("its registry has no provenance of it, though it claims some"));
		wanted_end(w);
		return;
	}
	w->body = arena_str(w->arena, answer->body);
	loop_work(k->thread->loop, verify_work, verify_done, w);
}

/* "/-/npm/v1/attestations/@scope%2fname@1.2.3" */
static struct str bundle_path(struct arena *a, struct str name, struct str version)
{
	CLEANUP_BUF struct buf path = BUF(8 * KIB);
	const struct str parts[] = {name, STR("@"), version};

	buf_add_str(&path, STR("/-/npm/v1/attestations/"));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		for (size_t n = 0; n < parts[i].n; n++) {
			char c = parts[i].p[n];

			if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~@", c))
				buf_add_char(&path, c);
			else
				buf_printf(&path, "%%%02x", (unsigned)(unsigned char)c);
		}
	}
	return arena_str(a, buf_str(&path));
}

static void ask_one(struct asking *k, size_t index)
{
	struct bundle_wanted *w = calloc(1, sizeof(*w));
	struct collect what = {.method = STR("GET"), .max_bytes = LIMIT_ATTESTATIONS_BYTES};
	struct npm_version v;

	if (!w || !(w->arena = arena_new(8 * LIMIT_ATTESTATIONS_BYTES)))
		abort();
	w->asking = k;
	w->index = index;
	npm_packument_version(k->document->packument, index, &v);
	what.path = bundle_path(w->arena, npm_packument_name(k->document->packument), v.version);
	collect_start(k->thread, k->origin, &what, answered, w);
}

/* Ends the asking when nothing is left. */
static void ask_next(struct asking *k)
{
	/* One that answers at once comes back here: it must not end what is still being walked. */
	k->under_way++;
	while (k->found && k->next < k->count && k->under_way <= AT_ONCE) {
		k->under_way++;
		ask_one(k, k->indices[k->next++]);
	}
	if (--k->under_way)
		return;
	tell(k);
	asking_free(k);
}

static void patience_over(void *arg)
{
	struct asking *k = arg;

	k->patience = NULL;
	tell(k);
}

void provenance_get(struct gate_thread *t, struct rules *rules, const struct origin *origin, struct document *document,
                    const size_t *indices, size_t count, void (*found)(void *arg), void *arg)
{
	struct asking *k = calloc(1, sizeof(*k));

	if (!k)
		abort();
	k->thread = t;
	k->rules = rules_ref(rules);
	k->origin = origin;
	k->document = document_ref(document);
	k->count = rules->provenance && !t->gate->offline && origin->url.n ? count : 0;
	if (k->count > PROVENANCE_MOST)
		k->count = PROVENANCE_MOST;
	memcpy(k->indices, indices, k->count * sizeof(*indices));
	k->found = found;
	k->arg = arg;
	k->patience = loop_after(t->loop, PATIENCE, patience_over, k);
	ask_next(k);
}
