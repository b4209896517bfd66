/* What the cleared versions of one package depend on. Pure: document and rules in, names out. */
#ifndef BONDGATE_GATE_REACH_EDGES_H
#define BONDGATE_GATE_REACH_EDGES_H

#include "gate/package_facts.h"
#include "registry/npm/packument.h"

struct edges {
	struct edge {
		struct str name, range; /* in the document or the arena; range empty: any version */
		unsigned urgency;
	} * list;
	size_t count;
	struct str *peers; /* names that are optional peers, in the arena */
	size_t peer_count;
	usec next_change; /* when time alone changes the decision about one of the versions */
	struct arena *arena;
	unsigned urgency; /* the walk's own: how urgent the package itself was */
};

/* Which versions count. */
struct edges_wish {
	bool any;           /* all of them */
	bool as_root;       /* those that the roots approve, beside the following */
	struct str *ranges; /* those within one of them: what somebody needed could choose */
	size_t range_count;
};

/* A version counts if it is wished for and cleared apart from `not-approved`; `known` is what is known of its package, whose own way from a root
 * is not asked. What holds a version for its
 * dependencies (rule 7, new-dependency) is not asked: that would need what is being found out here. */
void edges_of(const struct npm_packument *p, const struct package_facts *known, struct rules *rules, const struct origin *origin,
              const struct edges_wish *wish, usec now, struct edges *ret);
void edges_free(struct edges *e);

#endif
