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
static struct str difference(const struct npm_version *v, int fd, struct arena *a)
{
	struct npm_archive archive;
	struct str sentence = STR_NULL;
	struct err err = {0};
	CLEANUP_FD int own = dup(fd);

	if (own < 0 || lseek(own, 0, SEEK_SET) < 0)
		return STR("the archive cannot be read");
	if (npm_archive_read(own, a, &archive, &err) < 0)
		return arena_printf(a, "the archive cannot be read: %s", err.text);
	if (npm_manifest_compare(v->object, &archive, a, &sentence) != 0 && sentence.n == 0)
		sentence = STR("the manifest in the archive cannot be compared with the metadata");
	return sentence;
}

int artifact_check(struct gate *g, struct rules *rules, const struct origin *origin, struct document *document,
                   const struct npm_version *version, int fd, struct err *err)
{
	CLEANUP_ARENA struct arena *a = arena_new(64 * MIB);
	uint64_t id = identity(version);
	struct version_facts facts;
	struct decision decision;
	struct str name = npm_packument_name(document->packument), sentence;
	usec now = g->now();

	if (version->mismatch.n)
		return 0; /* known, and part of the decision that let the request come this far */
	if (atomic_load(&compared[id % REMEMBERED]) == id)
		return 0;
	if (!a)
		return err_set(err, -ENOMEM, "no memory");
	sentence = difference(version, fd, a);
	if (sentence.n == 0) {
		atomic_store(&compared[id % REMEMBERED], id);
		return 0;
	}
	METRIC_ADD(&g->metrics, manifest_mismatches, 1);
	store_version_mismatch(g->store, origin->id, ECOSYSTEM_NPM, name, version->version, sentence);
	gate_record(g, EVIDENCE_INCIDENT, ECOSYSTEM_NPM, name, version->version, STR("deny manifest-mismatch"), sentence);
	document_remake(g, origin, document);
	facts_of(document->packument, version, origin, now, &facts);
	facts.mismatch = sentence;
	decide(rules->policy, rules->advisories, &facts, now, a, &decision);
	if (decision.verdict == VERDICT_ALLOW)
		return 0;
	sentence = decision_sentence(a, &facts, &decision, now);
	return err_set(err, -EPERM, "%.*s", STR_ARG(sentence));
}
