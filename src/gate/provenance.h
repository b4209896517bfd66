/* Where versions were really built from: the bundles that a registry has of versions that claim provenance, fetched from the version's own origin,
 * verified with what the policy pins (codec/sigstore.h), and remembered. What was verified is remembered for as long as the same roots and keys
 * are configured and the artifact is the same; what was refused is asked for again after a day. */
#ifndef BONDGATE_GATE_PROVENANCE_H
#define BONDGATE_GATE_PROVENANCE_H

#include "base/map.h"
#include "gate/documents.h"

/* What the store knows of one package, by version. */
struct provenance_known {
	struct map by_version; /* of struct seen_provenance */
};
/* Worker: reads it. A store that fails leaves it empty: then nothing is verified. Freed with map_free(&k->by_version). */
void provenance_load(struct gate *g, const struct origin *origin, struct str name, struct arena *a, struct provenance_known *ret);

enum provenance_state {
	PROVENANCE_UNKNOWN, /* to be asked for */
	PROVENANCE_REFUSED, /* *ret_text: why it does not count */
	PROVENANCE_VERIFIED /* *ret_text: "github.com/org/repo" */
};
/* The verdict about a version under these rules: -_UNKNOWN also when it is about another artifact or was reached with other keys. */
enum provenance_state provenance_look(const struct provenance_known *k, const struct rules *rules, const struct npm_version *v, usec now,
                                      struct str *ret_text);

/* The source that the version claims, if a line `trusted-publisher:…` of the policy would approve it; else empty. No proof of anything. */
struct str provenance_claim(const struct policy *p, const struct npm_version *v);

/* At most so many versions are asked for in one inquiry. */
enum { PROVENANCE_MOST = 64 };

/* On a loop: asks for the bundles of these versions (indices of the document, copied) and verifies them; found(arg) on the same loop, once, when
 * all are known or patience is over. What still comes then is remembered all the same. */
void provenance_get(struct gate_thread *t, struct rules *rules, const struct origin *origin, struct document *document,
                    const size_t *indices, size_t count, void (*found)(void *arg), void *arg);

#endif
