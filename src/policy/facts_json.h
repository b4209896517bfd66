/* The facts about a version as compact JSON and back: they are kept with every receipt and refusal, so that `simulate` can ask another policy
 * about exactly what was known then. What is zero or empty is left out; texts that are no UTF-8 lose what is not.
 *
 *	{"v":1,"ecosystem":"npm","name":"axios","version":"1.14.1","published":1795000000000000,…,"advisories":[{"id":"GHSA-…",…}]}
 */
#ifndef BONDGATE_POLICY_FACTS_JSON_H
#define BONDGATE_POLICY_FACTS_JSON_H

#include "policy/decide.h"

enum { FACTS_JSON_VERSION = 1 };

/* Appends one line without a line end. Of advisories it holds what a decision and its sentence use: kind, severity, id, summary, fixed version,
 * publication and why it does not concern the version after all; the rest does not come back. */
void facts_to_json(const struct version_facts *facts, struct buf *out);

/* Reads it back; every text lives in the arena. Members that this version does not know are passed over. 0; -EBADMSG for what is no such
 * JSON; -EPROTONOSUPPORT when a newer version wrote it; -ENOMEM. */
int facts_from_json(struct str json, struct arena *a, struct version_facts *ret, struct err *err);

/* Takes down what the index knows of the version at this time: its advisories, and the one that names it as the fix. From then on decide() asks the
 * facts and not the index. Texts live in the arena; when it is full, nothing is changed and the result is -ENOMEM. */
int facts_take_advisories(struct version_facts *facts, const struct advisories *advisories, usec at, struct arena *a);

#endif
