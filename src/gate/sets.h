/* Rule 7: what belongs together is cleared together. The exactly pinned dependencies of a package's versions, their own pins, and so on, as a
 * graph; a version is held while something that it pins is not cleared. Pure but for the facts given to it: who fetches the
 * documents is the caller's business. Not thread-safe; one step at a time.
 *
 * The pins of a version of the last 30 days (or of twice the cooldown) are followed into the documents of what they pin, and so on. Of an
 * older version the optional ones are (its platform packages: one may be late), unless a package pins more than a set can have;
 * its plain ones are only checked against advisories and deny lists: such a set has been out together, its parts are refused on their
 * own where they must be, and a framework's youth pinned a hundred names that nobody should wait for. */
#ifndef BONDGATE_GATE_SETS_H
#define BONDGATE_GATE_SETS_H

#include "gate/gate.h"
#include "registry/npm/packument.h"

struct sets;
struct set_package; /* a package that is pinned by somebody */

struct sets *sets_new(struct rules *rules, struct str self);
void sets_free(struct sets *s);

/* `index` names the version in sets_conclude's answer. Its texts must live as long as the sets. */
void sets_add_root(struct sets *s, size_t index, const struct npm_version *v, usec now);
/* After the last root: decides how far the older ones are followed. */
void sets_plan(struct sets *s, usec now);

/* A package whose document the caller wants for a reason of its own; it holds nothing by itself. */
void sets_want(struct sets *s, struct str name);
enum set_wanted { SET_FOUND, SET_NOWHERE, SET_UNKNOWN /* it could not be asked for, or there are too many */ };
enum set_wanted sets_wanted(const struct sets *s, struct str name, const struct npm_packument **ret);

/* Packages whose documents are wanted: any left, and the next one (it is given out once). */
bool sets_has_needs(const struct sets *s);
struct set_package *sets_next_need(struct sets *s);
struct str sets_package_name(const struct set_package *p);
/* The document wanted; it must live as long as the sets. Or: there is none (`nowhere`), or it could not be asked for. */
void sets_give(struct sets *s, struct set_package *p, const struct npm_packument *packument);
void sets_missing(struct sets *s, struct set_package *p, bool nowhere);

/* Judges what can be judged with the documents given so far; new needs may turn up. */
void sets_judge(struct sets *s, usec now);

struct set_verdict {
	size_t root;
	struct str dependency; /* "name@version" */
	usec until;
};
/* The roots that are held. What was never judged counts as not cleared, for a short while. The array lives in the sets. */
size_t sets_conclude(struct sets *s, usec now, struct set_verdict **ret);

#endif
