/* What a struct policy_set is made of; for policy_set.c and rules.c. */
#ifndef BONDGATE_GATE_POLICY_SET_H
#define BONDGATE_GATE_POLICY_SET_H

#include "gate/gate.h"

struct team_policies {
	struct str label;
	char *copy; /* what `label` points to */
	struct policy *proven, *tightened;
};

struct policy_set {
	_Atomic int refs;
	struct policy *base;
	struct npm_keys *keys;
	struct team_policies *teams;
	size_t team_count;
	struct sigstore_trust *provenance; /* NULL: none */
};

#endif
