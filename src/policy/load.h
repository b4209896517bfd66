/* What the files that read a policy share: the walk over the tree (load.c) and the reading of one value (value.c). */
#ifndef BONDGATE_POLICY_LOAD_H
#define BONDGATE_POLICY_LOAD_H

#include "codec/yaml.h"
#include "policy/model.h"

struct loader {
	struct policy *p;
	const struct policy *base; /* only_tighten: what it may not fall below */
	struct str file;           /* lives in the policy's arena */
	usec now;
	const struct policy_environment *environment;
	struct buf *warnings; /* may be NULL */
	struct err *err;
	bool only_tighten;
};

/* Puts the values of `text` over those of l->p. 0, or an error with its place. */
int load_text(struct loader *l, struct str text);

/* Reads one value of the key's type into `target` (see schema.h for what that is). `node` may be NULL-kind only for lists. */
int value_read(struct loader *l, const struct key *k, const struct yaml_node *node, void *target);
/* The default of a key, from the table. */
int value_standard(struct loader *l, const struct key *k, void *target);

/* value_secret.c */
int secret_read(struct loader *l, const struct key *k, const struct yaml_node *node, struct secret *ret);
/* "Bearer …" or "Basic …", or empty. */
int secret_authorization(struct policy *p, const struct origin_rule *rule, struct str *ret);

/* hashes.c: the raw digest of "sha512-BASE64", "sha256-…", "sha1-…" or hexadecimal. The length, or -EINVAL. */
enum { DIGEST_BYTES = 64 };
int digest_read(struct str text, unsigned char ret[DIGEST_BYTES]);
/* Calls map_get for every digest in a metadata's `integrity` (several, separated by blanks) and `shasum`. */
const struct listed *digest_listed(const struct map *hashes, struct str integrity, struct str shasum);

static inline struct policy_source source_at(const struct loader *l, const struct yaml_node *node)
{
	return (struct policy_source){.file = l->file, .line = node->line};
}

#endif
