#include "gate/artifact_check.h"

#include <stdatomic.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/map.h"
#include "gate/facts.h"
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

/* The version was cleared before its bytes were asked for: only what they showed is judged here, not whether its name is approved or known. */
static int judge(const struct check *c, struct version_facts *facts, struct err *err)
{
	struct decision decision;
	struct str sentence;

	facts->reached_from = STR("a clearance");
	facts->name_known = true;
	decide(c->rules->policy, c->rules->advisories, facts, c->now, c->arena, &decision);
	if (decision.verdict == VERDICT_ALLOW)
		return 0;
	sentence = decision_sentence(c->arena, facts, &decision, c->now);
	return err_set(err, -EPERM, "%.*s", STR_ARG(sentence));
}

static int mismatched(const struct check *c, struct str sentence, struct err *err)
{
	struct version_facts facts;
	struct str name = npm_packument_name(c->document->packument);

	METRIC_ADD(&c->gate->metrics, manifest_mismatches, 1);
	store_version_mismatch(c->gate->store, c->origin->id, ECOSYSTEM_NPM, name, c->version->version, sentence);
	gate_record(c->gate, EVIDENCE_INCIDENT, ECOSYSTEM_NPM, name, c->version->version, STR("deny manifest-mismatch"), sentence);
	document_remake(c->gate, c->origin, c->document);
	facts_of(c->document->packument, c->version, c->origin, c->now, &facts);
	facts.mismatch = sentence;
	return judge(c, &facts, err);
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
static int look(const struct check *c, const struct npm_archive *archive, struct err *err)
{
	struct version_facts facts;
	struct npm_version v;
	struct str script, binary, name = npm_packument_name(c->document->packument);
	struct document *newest;
	ptrdiff_t at;
	int r = 0;

	npm_archive_untold(c->version->object, archive, c->arena, &script, &binary);
	store_version_archive(c->gate->store, c->origin->id, ECOSYSTEM_NPM, name, c->version->version, c->now, script, binary);
	if ((!script.n && !binary.n) || !gained(c))
		return 0;
	document_remake(c->gate, c->origin, c->document);
	newest = document_newest(c->gate, c->origin, c->document);
	at = npm_packument_find(newest->packument, c->version->version);
	if (at >= 0) {
		npm_packument_version(newest->packument, (size_t)at, &v);
		facts_of(newest->packument, &v, c->origin, c->now, &facts);
		r = judge(c, &facts, err);
	}
	document_unref(newest);
	return r;
}

int artifact_check(struct gate *g, struct rules *rules, const struct origin *origin, struct document *document,
                   const struct npm_version *version, int fd, struct err *err)
{
	CLEANUP_ARENA struct arena *a = arena_new(512 * MIB);
	const struct check c = {g, rules, origin, document, version, a, g->now()};
	uint64_t id = identity(version);
	struct npm_archive archive;
	struct str sentence;
	int r;

	if (version->mismatch.n)
		return 0; /* known, and part of the decision that let the request come this far */
	if (atomic_load(&compared[id % REMEMBERED]) == id)
		return 0;
	if (!a)
		return err_set(err, -ENOMEM, "no memory");
	sentence = difference(version, fd, a, &archive);
	if (sentence.n)
		return mismatched(&c, sentence, err);
	r = look(&c, &archive, err);
	if (r == 0)
		atomic_store(&compared[id % REMEMBERED], id);
	return r;
}
