/* What is cleared of one package right now: the one truth from which every route is answered (DESIGN rule 2). The decision about a version is
 * policy/decide.h's; here it is asked for all versions of a document, and for the exactly pinned dependencies that
 * belong to them (rule 7), whose documents are fetched where they are not known. */
#ifndef BONDGATE_GATE_CLEARANCE_H
#define BONDGATE_GATE_CLEARANCE_H

#include "gate/documents.h"
#include "gate/package_facts.h"
#include "policy/decide.h"

/* Immutable; counted; kept with its document until the rules change or time passes `expires`. */
struct clearance {
	_Atomic int refs;
	struct clearance *next; /* the document's list; under its lock */
	uint64_t epoch, swap;   /* of the rules that it was made under */
	usec made, expires;
	size_t count, hidden;
	bool *shown;               /* by version index */
	struct held_set {          /* rule 7: versions that are held for a dependency */
		struct str dependency; /* "name@version" */
		usec until;
		size_t index;
	} * held;
	size_t held_count;
	struct package_facts facts;
	struct arena *arena; /* what the above lives in */
};
void clearance_unref(struct clearance *c);
/* Those that a document keeps. */
void clearances_unref(struct clearance *first);

struct clearance_result {
	struct document *document; /* references for the receiver; NULL with a code */
	struct clearance *clearance;
	bool stale;
	int code; /* as in document_result */
	struct err err;
};
typedef void (*clearance_found)(void *arg, struct clearance_result *result);

/* On a loop. `origin` belongs to `rules`, which the caller keeps until `found`, called on the same loop exactly once. */
void clearance_get(struct gate_thread *t, struct rules *rules, const struct origin *origin, struct str name, clearance_found found,
                   void *arg);
void clearance_result_free(struct clearance_result *r);

/* The decision about one version with its sentences, dependencies included. Texts live in the arena. */
void clearance_explain(const struct clearance *c, const struct document *d, struct rules *rules, const struct origin *origin, size_t index,
                       usec now, struct arena *a, struct version_facts *ret_facts, struct decision *ret);

#endif
