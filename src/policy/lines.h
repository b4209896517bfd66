/* A policy as flat lines, "cooldown.default" = "7d", in the order of the table: what show prints, diff compares and the
 * digest is made of. */
#ifndef BONDGATE_POLICY_LINES_H
#define BONDGATE_POLICY_LINES_H

#include "policy/model.h"

struct line {
	const char *path; /* dotted, of the key */
	unsigned order;   /* grows with the place in the table */
	bool item;        /* one item of that key's list */
	struct str value; /* as YAML; secrets as where they come from */
	struct policy_source source;
	struct str note;     /* what time has made of it; may be empty, and is no part of the digest */
	struct str resolved; /* what `auto` stands for; may be empty */
};

struct lines {
	struct line *array;
	size_t count, room;
};

/* Everything that is set or holds without being set. 0 or -ENOMEM. */
int policy_lines(const struct policy *p, struct arena *a, struct lines *ret);
int policy_lines_digest(const struct policy *p, uint64_t *ret);

#endif
