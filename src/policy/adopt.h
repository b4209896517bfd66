/* The policy that a project starts with: what it uses already is written into the text of a policy. Pure: texts in, text out. */
#ifndef BONDGATE_POLICY_ADOPT_H
#define BONDGATE_POLICY_ADOPT_H

#include "base/buf.h"
#include "base/err.h"
#include "policy/policy.h"

/* A package that a manifest names itself: a line of `allow.roots`. */
struct adopted_root {
	enum ecosystem ecosystem;
	struct str name, file; /* `file`: the lockfile that it was found in */
};

/* A locked version that the policy would hold today: a line of `exemptions`. */
struct adopted_exemption {
	enum ecosystem ecosystem;
	struct str name, version, file;
	uint32_t rules; /* bits 1 << reason_code; none of those that nothing lifts */
	usec until;     /* when the rules let it pass by themselves; USEC_NEVER: not by themselves */
};

struct adoption {
	const struct adopted_root *roots;
	size_t root_count;
	const struct adopted_exemption *exemptions;
	size_t exemption_count;
	struct str owner, approved_by;
	usec now;
};

/* Adds to `out` the policy's text with these lines at the ends of its lists; everything else stays byte for byte. The empty text: a policy of their
 * own, whose allow list is in mode `report`. Reviews are spread evenly over the third to ninth month from now, and exemptions end when the
 * rules would let the version pass, after 90 days at the latest. 0; -EINVAL when the text writes one of the lists on one line, so that nothing can be
 * added to it; -ENOMEM, -EFBIG. */
int policy_adopt(struct str text, const struct adoption *adoption, struct buf *out, struct err *err);

#endif
