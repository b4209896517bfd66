/* What is known of a package as a whole, and of its versions beyond their own document: what facts_of() cannot see. Part of a clearance, so that
 * every route and every explanation says the same. */
#ifndef BONDGATE_GATE_PACKAGE_FACTS_H
#define BONDGATE_GATE_PACKAGE_FACTS_H

#include "gate/provenance.h"
#include "gate/reach.h"
#include "gate/sets.h"
#include "policy/decide.h"
#include "registry/npm/packument.h"

struct package_facts {
	struct str reached_from; /* "express > body-parser > debug" */
	bool reach_pending;
	struct str peer_of;    /* not reached, and an optional peer of this name, which is */
	bool reach_may_end;    /* to be looked at again soon */
	struct str reach_note; /* what a person should know of the walk */
	struct str resembles;
	usec first_snapshot; /* of the package here */
	bool adopted;        /* its name was */
	usec period;         /* cooldown.new-dependency; 0: nobody asks */
	struct gained {      /* versions that gained a dependency on a name that was not known here */
		size_t index;
		struct str dependency;
		usec published;
	} * gained;
	size_t gained_count;
	struct proof {         /* by version; NULL: none claims a source that a line of the policy approves */
		struct str source; /* verified */
		struct str problem;
		bool unknown; /* to be asked for */
	} * proofs;
	bool *line_denied; /* by version: every other version of its line is denied; NULL: of none */
};

/* What the walk says of it and what the policy knows of its name. Worker or loop. */
void package_facts_begin(struct package_facts *f, const struct npm_packument *p, struct rules *rules, struct arena *a);
/* What is known of the provenance of its versions. Worker. */
void package_facts_prove(struct package_facts *f, const struct npm_packument *p, struct gate *g, struct rules *rules,
                         const struct origin *origin, usec now, struct arena *a);
/* Puts it into the facts of one version. */
void package_facts_put(const struct package_facts *f, const struct npm_packument *p, size_t index, const struct npm_version *v, usec now,
                       struct version_facts *facts);

/* Does this version have to be looked at for what it gained? */
bool gained_wanted(const struct package_facts *f, const struct npm_version *v, usec now);
/* Asks for the documents of what it gained. */
void gained_want(struct sets *s, const struct npm_version *v);
/* With those documents: the youngest of the names that were not known here before the version came, noted in `f`. False: there is none. *ret_again
 * becomes true where a document could not be had, so that this must be looked at again soon. */
bool gained_judge(struct package_facts *f, struct sets *s, const struct rules *rules, const struct npm_packument *p, size_t index, usec now,
                  struct arena *a, bool *ret_again);

/* Notes for which versions every other one of their line is denied; `verdicts` are enum verdict by version. False: for none. */
bool lines_judge(struct package_facts *f, const struct npm_packument *p, const uint8_t *verdicts, struct arena *a);

#endif
