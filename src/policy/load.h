/* What the files that read a policy share: the walk over the tree (load.c) and the reading of one value (value.c). */
#ifndef BONDGATE_POLICY_LOAD_H
#define BONDGATE_POLICY_LOAD_H

#include "codec/yaml.h"
#include "policy/model.h"

/* So many overdue reviews are named by a line each; the rest is counted. */
enum { OVERDUE_LINES = 20 };

struct loader {
	struct policy *p;
	const struct policy *base; /* only_tighten: what it may not fall below */
	struct str file;           /* lives in the policy's arena */
	usec now;
	const struct policy_environment *environment;
	struct buf *warnings; /* may be NULL */
	struct err *err;
	bool only_tighten; /* a file of a working directory: what would loosen is an error */
	bool pass_over;    /* with only_tighten: what would loosen is passed over instead */
	unsigned overdue;  /* approvals whose review is overdue, so far */
	bool team;         /* a team's file: what is the whole gate's does not belong there */
};

/* Puts the values of `text` over those of l->p. 0, or an error with its place. */
int load_text(struct loader *l, struct str text);

/* Reads one value of the key's type into `target` (see schema.h for what that is). `node` may be NULL-kind only for lists. */
int value_read(struct loader *l, const struct key *k, const struct yaml_node *node, void *target);
/* The default of a key, from the table. */
int value_standard(struct loader *l, const struct key *k, void *target);

/* The parts of it that others use. */
int value_not_accepted(struct loader *l, const struct key *k, const struct yaml_node *node);
int value_no_memory(struct loader *l);
int value_text(struct loader *l, const struct key *k, const struct yaml_node *node, struct str *ret);
int value_url(struct loader *l, const struct key *k, const struct yaml_node *node, struct str *ret);
int value_list(struct loader *l, const struct key *k, const struct yaml_node *node, struct list *ret);

/* value_trust.c: values of the sections about publishers, feeds, teams and webhooks. */
int value_hold(struct loader *l, const struct key *k, const struct yaml_node *node, usec *ret);
int value_label(struct loader *l, const struct key *k, const struct yaml_node *node, struct str *ret);
int value_feed_url(struct loader *l, const struct key *k, const struct yaml_node *node, struct str *ret);
int value_endpoint(struct loader *l, const struct key *k, const struct yaml_node *node, struct secret *ret);
int value_events(struct loader *l, const struct key *k, const struct yaml_node *node, uint32_t *ret);
int value_format(struct loader *l, const struct key *k, const struct yaml_node *node, int8_t *ret);
int value_signing_key(struct loader *l, const struct key *k, const struct yaml_node *node, struct str *ret);
int value_publisher(struct loader *l, const struct key *k, const struct yaml_node *node, struct listed *ret);
const char *webhook_event_name(enum webhook_event e);
const char *webhook_format_name(enum webhook_format f);
enum { WEBHOOK_EVENTS_ALL = WEBHOOK_REQUEST | WEBHOOK_DECISION | WEBHOOK_INCIDENT | WEBHOOK_BREAK_GLASS };

/* The sets that come with the program: a map of lists. NULL when memory is out. */
struct yaml_node *publisher_sets_shipped(struct arena *a);

/* items.c: the lists of maps. */
bool feed_url_safe(struct str url); /* https, or http to a private address */
int items_load(struct loader *l, enum key_id list, const struct yaml_node *node);
int sets_load(struct loader *l, const struct key *k, const struct yaml_node *node);
/* Reads the members of a map of that group into `item` (load.c). */
int load_map(struct loader *l, enum key_group group, const struct yaml_node *map, void *item);

/* secret.c */
int secret_read(struct loader *l, const struct key *k, const struct yaml_node *node, struct secret *ret);
/* "Bearer …" or "Basic …", or empty. */
int secret_authorization(struct policy *p, const struct secret *token, const struct secret *basic, struct str *ret);

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
