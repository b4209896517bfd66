#include "gate/artifact_check.h"

#include <stdatomic.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/map.h"
#include "gate/facts.h"
#include "gate/package_facts.h"
#include "registry/npm/manifest.h"

/* What was compared already: a lossy table of seeded 64-bit hashes; a lost one only costs another comparison. */
enum { REMEMBERED = 1 << 16 };
static _Atomic uint64_t compared[REMEMBERED];

static uint64_t identity(const struct npm_version *v)
{
	uint64_t parts[3] = {hash_bytes(v->integrity.p, v->integrity.n), hash_bytes(v->shasum.p, v->shasum.n),
	                     hash_bytes(v->object.p, v->object.n)};

	return hash_bytes(parts, sizeof(parts)) | 1;
}

static bool was_compared(uint64_t id)
{
	return atomic_load(&compared[id % REMEMBERED]) == id;
}

/* One sentence about what differs, or an empty text. */
static struct str difference(const struct npm_version *v, int fd, struct arena *a, struct npm_archive *ret)
{
	struct str sentence = STR_NULL;
	struct err err = {0};
	CLEANUP_FD int own = dup(fd);

	if (own < 0 || lseek(own, 0, SEEK_SET) < 0)
		return STR("the archive cannot be read");
	if (npm_archive_read(own, a, ret, &err) < 0)
		return arena_printf(a, "the archive cannot be read: %s", err.text);
	if (npm_manifest_compare(v->object, ret, a, &sentence) != 0 && sentence.n == 0)
		sentence = STR("the manifest in the archive cannot be compared with the metadata");
	return sentence;
}

struct check {
	struct gate *gate;
	struct rules *rules;
	const struct origin *origin;
	struct document *document;
	const struct npm_version *version;
	struct arena *arena;
	usec now;
};

/* By all that a clearance knows of the version: who needs its package, what its name resembles, what is proved of it; else a list of approved
 * names would refuse here what it let come this far. What needs other documents (pins, gained names) was decided before the download. */
static int judge(const struct check *c, const struct npm_packument *p, struct str mismatch, struct err *err)
{
	ptrdiff_t at = npm_packument_find(p, c->version->version);
	struct package_facts package = {.reach_pending = false};
	struct version_facts facts;
	struct decision decision;
	struct npm_version v;
	struct str sentence;

	if (at < 0)
		return 0; /* gone meanwhile: the document says so to whoever asks next */
	npm_packument_version(p, (size_t)at, &v);
	facts_of(p, &v, c->origin, c->now, &facts);
	package_facts_begin(&package, p, c->rules, c->arena);
	package_facts_prove(&package, p, c->gate, c->rules, c->origin, c->now, c->arena);
	package_facts_put(&package, p, (size_t)at, &v, c->now, &facts);
	/* It was cleared before its bytes were asked for: a walk from the roots that goes on meanwhile says nothing against that. */
	if (!facts.reached_from.n) {
		facts.reached_from = STR("a clearance");
		facts.name_known = true;
	}
	if (mismatch.n)
		facts.mismatch = mismatch;
	decide(c->rules->policy, c->rules->advisories, &facts, c->now, c->arena, &decision);
	if (decision.verdict == VERDICT_ALLOW)
		return 0;
	sentence = decision_sentence(c->arena, &facts, &decision, c->now);
	return err_set(err, -EPERM, "%.*s", STR_ARG(sentence));
}

static int mismatched(const struct check *c, struct str sentence, struct err *err)
{
	struct str name = npm_packument_name(c->document->packument);

	METRIC_ADD(&c->gate->metrics, manifest_mismatches, 1);
	store_version_mismatch(c->gate->store, c->origin->id, ECOSYSTEM_NPM, name, c->version->version, sentence);
	gate_record(c->gate, EVIDENCE_INCIDENT, ECOSYSTEM_NPM, name, c->version->version, STR("deny manifest-mismatch"), sentence);
	document_remake(c->gate, c->origin, c->document);
	return judge(c, c->document->packument, sentence, err);
}

/* Does what the archive showed make this version one that gained something? The store says what those below it showed. */
static bool gained(const struct check *c)
{
	struct seen_package seen;
	struct err err = {0};

	if (store_package_load(c->gate->store, c->origin->id, ECOSYSTEM_NPM, npm_packument_name(c->document->packument), c->arena, &seen,
	                       &err) < 0)
		return true; /* the document is made again, and says */
	return npm_archive_gained(&seen, c->version->version, NPM_ARCHIVE_SCRIPT, false) ||
	       npm_archive_gained(&seen, c->version->version, NPM_ARCHIVE_BINARY, c->version->native_expected);
}

/* What the metadata did not tell is remembered; where it is new in this version, the document learns of it, and this download is judged by
 * what it says then, as all later ones are. */
static int look(const struct check *c, const struct npm_archive *archive, bool *ret_gained, struct err *err)
{
	struct str script, binary, name = npm_packument_name(c->document->packument);
	struct document *newest;
	int r;

	npm_archive_untold(c->version->object, archive, c->arena, &script, &binary);
	store_version_archive(c->gate->store, c->origin->id, ECOSYSTEM_NPM, name, c->version->version, c->now, script, binary);
	*ret_gained = (script.n || binary.n) && gained(c);
	if (!*ret_gained)
		return 0;
	document_remake(c->gate, c->origin, c->document);
	newest = document_newest(c->gate, c->origin, c->document);
	r = judge(c, newest->packument, STR_NULL, err);
	document_unref(newest);
	return r;
}

int artifact_check(struct gate *g, struct rules *rules, const struct origin *origin, struct document *document,
                   const struct npm_version *version, int fd, struct err *err)
{
	CLEANUP_ARENA struct arena *a = arena_new(512 * MIB);
	const struct check c = {g, rules, origin, document, version, a, g->now()};
	uint64_t plain = identity(version), own[2] = {plain, policy_digest(rules->policy)}, judged = hash_bytes(own, sizeof(own)) | 1;
	struct npm_archive archive;
	struct str sentence;
	bool gains = false;
	int r;

	if (version->mismatch.n)
		return 0; /* known, and part of the decision that let the request come this far */
	if (was_compared(plain) || was_compared(judged))
		return 0;
	if (!a)
		return err_set(err, -ENOMEM, "no memory");
	sentence = difference(version, fd, a, &archive);
	if (sentence.n)
		return mismatched(&c, sentence, err);
	r = look(&c, &archive, &gains, err);
	/* What it gained was judged by these rules: others judge it again. */
	if (r == 0)
		atomic_store(&compared[(gains ? judged : plain) % REMEMBERED], gains ? judged : plain);
	return r;
}
