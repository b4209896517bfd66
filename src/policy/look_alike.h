/* Finds the name that another one imitates, among those that are worth imitating: names in a table by their shape (skeleton.h) for what looks the
 * same, and sorted by length for what is a slip away. A question costs some microseconds, whatever the answer. */
#ifndef BONDGATE_POLICY_LOOK_ALIKE_H
#define BONDGATE_POLICY_LOOK_ALIKE_H

#include "codec/purl.h"

struct look_alikes;

struct look_alikes *look_alikes_new(void);
void look_alikes_free(struct look_alikes *l);
/* A name to protect, or a scope ("@acme"); the text must live as long. 0 or -ENOMEM. */
int look_alikes_add(struct look_alikes *l, enum ecosystem e, struct str name);
/* Once, after the last one. 0 or -ENOMEM. */
int look_alikes_finish(struct look_alikes *l);

/* The much used names that come with the program; made when first asked for, shared by all, never freed. NULL: no memory. */
const struct look_alikes *look_alikes_popular(void);

/* Is it one of the protected names, or in a scope of theirs (which nobody else can publish in)? */
bool look_alikes_have(const struct look_alikes *l, enum ecosystem e, struct str name);
/* A name that mixes Latin letters with others of their shape imitates something, whether or not we know what. */
#define LOOK_ALIKE_LATIN "a name in Latin letters"

/* The protected name or scope that this one resembles, or LOOK_ALIKE_LATIN; empty: none. */
struct str look_alikes_find(const struct look_alikes *l, enum ecosystem e, struct str name);

#endif
