/* Finds, among thousands of patterns, those that match a name: exact names in a hash table, patterns with `*` by binary search
 * over their literal beginning or end. Used for deny lists, excludes, exemptions, origins and internal names. */
#ifndef BONDGATE_POLICY_MATCH_H
#define BONDGATE_POLICY_MATCH_H

#include "base/arena.h"
#include "codec/purl.h"
#include "codec/semver.h"

struct match_entry {
	unsigned kind; /* the caller's */
	size_t value;  /* the caller's, usually an index */
	enum ecosystem ecosystem;
	struct str pattern;         /* of the name; NuGet's in lower case */
	struct str version;         /* as written; n == 0: every version */
	struct semver_range *range; /* of `version`; NULL: compared as text */
	size_t literal;             /* bytes of the pattern that are not `*`: how specific it is; exact names above all patterns */
	struct match_entry *next;
};

/* One entry by itself, with its range read. -EINVAL when the version is no range of that ecosystem, -ENOMEM. */
int match_entry_read(struct arena *a, enum ecosystem e, struct str pattern, struct str version, struct match_entry *ret);

struct matcher;

/* Lives in the arena but for its hash table: matcher_free. NULL when memory is out. */
struct matcher *matcher_new(struct arena *a);
void matcher_free(struct matcher *m);

/* Adds one pattern; texts must live as long as the matcher. -EINVAL when the version is no range of that ecosystem, -E2BIG
 * when too many patterns begin and end with a star, -ENOMEM. */
int matcher_add(struct matcher *m, unsigned kind, size_t value, enum ecosystem e, struct str pattern, struct str version);
/* To be called once between the last add and the first search. */
int matcher_finish(struct matcher *m);

/* Calls `found` for every entry whose name pattern matches, until it returns true; its answer. */
bool matcher_search(const struct matcher *m, enum ecosystem e, struct str name, bool (*found)(void *arg, const struct match_entry *entry),
                    void *arg);

/* Does the entry speak of this version? `wide`: for rules that refuse: prereleases count as part of a range, and a version that
 * cannot be read counts as meant. Otherwise both do not. */
bool match_version(const struct match_entry *entry, struct str version, bool wide);

/* Is the version or range readable in that ecosystem? An empty one is. */
bool match_version_readable(enum ecosystem e, struct str version);

/* Splits "npm:@acme/x@^1.0.0" into its parts. 0 or -EINVAL with a static text of what is wrong. */
int match_parse(struct str text, enum ecosystem *ret_ecosystem, struct str *ret_name, struct str *ret_version, const char **ret_problem);

#endif
