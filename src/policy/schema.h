/* The keys of bondgate.yaml, in one table (keys.c): it drives reading and checking, `bondgate policy show` and docs/policy.md. */
#ifndef BONDGATE_POLICY_SCHEMA_H
#define BONDGATE_POLICY_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum key_type {
	KEY_TYPE_MAP,            /* keys below it stand in the table too */
	KEY_TYPE_ORIGIN,         /* a map with the keys of GROUP_ORIGIN */
	KEY_TYPE_ITEMS,          /* struct items: a list of maps, each with the keys of the list's group */
	KEY_TYPE_SETS,           /* struct items of struct set_rule: names of the user's own, each with a list of publishers */
	KEY_TYPE_INTEGER,        /* int64_t */
	KEY_TYPE_SIZE,           /* int64_t, bytes */
	KEY_TYPE_DURATION,       /* usec */
	KEY_TYPE_HOLD,           /* usec; `until-decided` is USEC_NEVER */
	KEY_TYPE_MODE,           /* int8_t */
	KEY_TYPE_SEVERITY,       /* int8_t; `never`, where the row accepts it, is SEVERITY_UNKNOWN */
	KEY_TYPE_BOOL,           /* bool */
	KEY_TYPE_TEXT,           /* struct str */
	KEY_TYPE_LABEL,          /* struct str: letters, digits and -_. */
	KEY_TYPE_ADDRESS,        /* struct str, host:port */
	KEY_TYPE_UPSTREAM,       /* struct str, `auto` or a URL */
	KEY_TYPE_URL,            /* struct str */
	KEY_TYPE_FEED_URL,       /* struct str: https, or http to a private address */
	KEY_TYPE_ENDPOINT,       /* struct secret: a URL, or where it is kept */
	KEY_TYPE_DATE,           /* struct dated: the end of that day */
	KEY_TYPE_SECRET,         /* struct secret */
	KEY_TYPE_RULES,          /* uint32_t of reason bits */
	KEY_TYPE_EVENTS,         /* uint32_t of enum webhook_event */
	KEY_TYPE_FORMAT,         /* int8_t, enum webhook_format */
	KEY_TYPE_SIGNING_KEY,    /* struct str: a minisign public key */
	KEY_TYPE_PACKAGE,        /* struct listed: one pattern, a version or range allowed */
	KEY_TYPE_PUBLISHER,      /* struct listed: one publisher or publisher-set */
	KEY_TYPE_NAMES,          /* struct list of patterns without versions */
	KEY_TYPE_PATTERNS,       /* struct list of patterns, versions allowed */
	KEY_TYPE_VERSIONS,       /* struct list of patterns, versions compulsory */
	KEY_TYPE_HASHES,         /* struct list */
	KEY_TYPE_TEXTS,          /* struct list */
	KEY_TYPE_PUBLISHER_LIST, /* struct list of publishers, no sets */
	KEY_TYPE_SIGNING_KEYS,   /* struct list of minisign public keys */
	KEY_TYPE_COUNT
};

/* What a file found in a working directory may do with the key (policy_tighten). */
enum tighten { TIGHTEN_NEVER, TIGHTEN_SAME, TIGHTEN_MORE, TIGHTEN_SHORTER, TIGHTEN_LESS, TIGHTEN_ADD, TIGHTEN_MODE };

enum key_group {
	GROUP_POLICY,
	GROUP_ORIGIN,
	GROUP_ROOT,
	GROUP_PUBLISHER,
	GROUP_EXEMPTION,
	GROUP_FEED,
	GROUP_IGNORE,
	GROUP_TEAM,
	GROUP_WEBHOOK,
	GROUP_COUNT
};

enum key_flags {
	KEY_LATER = 1,    /* accepted and checked, not evaluated by this version: a warning says so */
	KEY_REQUIRED = 2, /* in an item of a list */
	KEY_OWN_ONLY = 4, /* of an origin: only in `origins`, not below `registries` */
	KEY_NPM_ONLY = 8, /* only below registries.npm; its value is the whole policy's */
	KEY_WHOLE = 16,   /* the whole gate's: not in a team's file */
	KEY_EXACT = 32,   /* of names: no stars */
};

/* clang-format off */
/* Keys that code asks for by name; the rows of the table stand in this order. */
enum key_id {
	KEY_VERSION, KEY_MODE, KEY_TRUST_LOCAL, KEY_INTERNAL,
	KEY_REGISTRIES, KEY_REGISTRIES_NPM, KEY_REGISTRIES_NUGET, KEY_ORIGINS,
	KEY_COOLDOWN, KEY_COOLDOWN_MODE, KEY_COOLDOWN_DEFAULT, KEY_COOLDOWN_NEW_PACKAGE, KEY_COOLDOWN_EXCLUDE,
	KEY_COOLDOWN_NEW_DEPENDENCY, KEY_COOLDOWN_INSTALL_SCRIPT, KEY_COOLDOWN_NEW_BINARY, KEY_COOLDOWN_REMOTE_DEPENDENCY,
	KEY_COOLDOWN_SECURITY_FIX,
	KEY_DENY, KEY_DENY_MODE, KEY_DENY_NAMES, KEY_DENY_VERSIONS, KEY_DENY_HASHES, KEY_DENY_PUBLISHERS,
	KEY_DENY_MALWARE, KEY_DENY_MALWARE_MODE, KEY_DENY_VULNERABILITIES, KEY_DENY_VULNERABILITIES_MODE,
	KEY_DENY_VULNERABILITIES_AT,
	KEY_RULES, KEY_RULES_HASH, KEY_RULES_HASH_MODE, KEY_RULES_MANIFEST, KEY_RULES_MANIFEST_MODE,
	KEY_RULES_UNVERIFIABLE, KEY_RULES_UNVERIFIABLE_MODE, KEY_RULES_HELD, KEY_RULES_HELD_MODE,
	KEY_RULES_WITHDRAWN, KEY_RULES_WITHDRAWN_MODE, KEY_RULES_NAMESPACE, KEY_RULES_NAMESPACE_MODE,
	KEY_RULES_INSTALL_SCRIPT, KEY_RULES_INSTALL_SCRIPT_MODE, KEY_RULES_NEW_DEPENDENCY, KEY_RULES_NEW_DEPENDENCY_MODE,
	KEY_RULES_NEW_BINARY, KEY_RULES_NEW_BINARY_MODE, KEY_RULES_REMOTE, KEY_RULES_REMOTE_MODE,
	KEY_RULES_LOOK_ALIKE, KEY_RULES_LOOK_ALIKE_MODE, KEY_RULES_SIGNATURE, KEY_RULES_SIGNATURE_MODE,
	KEY_ALLOW, KEY_ALLOW_MODE, KEY_ALLOW_ROOTS, KEY_ALLOW_PUBLISHERS, KEY_PUBLISHER_SETS,
	KEY_CONTINUITY, KEY_CONTINUITY_MODE, KEY_CONTINUITY_HOLD,
	KEY_LOOK_ALIKE, KEY_LOOK_ALIKE_NAMES, KEY_LOOK_ALIKE_EXCLUDE,
	KEY_EXEMPTIONS,
	KEY_APPROVALS, KEY_APPROVALS_SECOND_PERSON_AT, KEY_APPROVALS_LONGEST, KEY_APPROVALS_BREAK_GLASS, KEY_APPROVALS_IMPORT_KEYS,
	KEY_TEAMS, KEY_WEBHOOKS,
	KEY_ADVISORIES, KEY_ADVISORIES_FILES, KEY_ADVISORIES_FEEDS, KEY_ADVISORIES_BRAKE, KEY_ADVISORIES_BRAKE_PROJECTS,
	KEY_ADVISORIES_BRAKE_DAYS, KEY_ADVISORIES_VEX, KEY_ADVISORIES_IGNORE,
	KEY_SCAN, KEY_SCAN_HOSTS,
	KEY_GATE, KEY_GATE_LISTEN, KEY_GATE_TLS, KEY_GATE_TLS_CERTIFICATE, KEY_GATE_TLS_KEY, KEY_GATE_PUBLIC_URL,
	KEY_GATE_THREADS, KEY_GATE_CONNECTIONS,
	KEY_CACHE, KEY_CACHE_SIZE, KEY_MEMORY, KEY_EVIDENCE, KEY_EVIDENCE_RETENTION,
	KEY_ORIGIN_NAMES, KEY_ORIGIN_UPSTREAM, KEY_ORIGIN_TOKEN, KEY_ORIGIN_BASIC, KEY_ORIGIN_CA_FILE,
	KEY_ORIGIN_ARTIFACT_HOSTS, KEY_ORIGIN_PUBLISH, KEY_ORIGIN_FRESH, KEY_ORIGIN_STALE, KEY_ORIGIN_COOLDOWN,
	KEY_ORIGIN_CLIENT_DEFAULT, KEY_ORIGIN_KEYS, KEY_ORIGIN_REQUIRE_SIGNATURE, KEY_ORIGIN_PROVENANCE,
	KEY_ORIGIN_PROVENANCE_FULCIO, KEY_ORIGIN_PROVENANCE_REKOR,
	KEY_ROOT_NAME, KEY_ROOT_REASON, KEY_ROOT_OWNER, KEY_ROOT_REVIEW_BY,
	KEY_PUBLISHER_PUBLISHER, KEY_PUBLISHER_REASON, KEY_PUBLISHER_OWNER, KEY_PUBLISHER_REVIEW_BY,
	KEY_EXEMPTION_PACKAGE, KEY_EXEMPTION_RULES, KEY_EXEMPTION_REASON, KEY_EXEMPTION_OWNER, KEY_EXEMPTION_APPROVED_BY,
	KEY_EXEMPTION_EXPIRES,
	KEY_FEED_NAME, KEY_FEED_URL, KEY_FEED_EVERY, KEY_FEED_PRIORITY, KEY_FEED_KEY, KEY_FEED_TOKEN, KEY_FEED_CA_FILE,
	KEY_IGNORE_ID, KEY_IGNORE_PACKAGE, KEY_IGNORE_REASON, KEY_IGNORE_OWNER, KEY_IGNORE_EXPIRES,
	KEY_TEAM_NAME, KEY_TEAM_POLICY,
	KEY_WEBHOOK_URL, KEY_WEBHOOK_EVENTS, KEY_WEBHOOK_FORMAT, KEY_WEBHOOK_TOKEN, KEY_WEBHOOK_CA_FILE,
	KEY_COUNT
};
/* clang-format on */

struct key {
	enum key_group group;
	const char *path; /* dotted, within the group */
	enum key_type type;
	size_t offset;        /* of its value in the struct of its group */
	const char *standard; /* as it would be written; NULL: not set */
	const char *allowed;  /* what is accepted, for messages and the documentation; NULL: what the type says */
	unsigned flags;
	enum tighten tighten;
	const char *text, *example;
};

extern const struct key keys[KEY_COUNT];

/* A list of maps: which key holds it and how large its items are. */
struct key_group_row {
	enum key_id list;
	size_t size;       /* of the struct that its keys have their offsets in; it begins with a struct policy_source */
	const char *title; /* "an origin" */
	const char *text;  /* above its keys in the documentation */
};
extern const struct key_group_row key_groups[GROUP_COUNT];
/* The group whose items that list holds. */
enum key_group key_group_of(enum key_id list);

/* "a duration such as 7d, 36h or 90s" */
const char *key_type_text(enum key_type t);
const char *key_accepts(const struct key *k);
/* The row with that path, or KEY_COUNT. */
enum key_id key_find(enum key_group group, struct str path);
/* The known key below `parent` that is spelled most alike, or NULL when nothing is near. */
const char *key_nearest(enum key_group group, struct str parent, struct str name);
/* How many letters must change, for short texts; a large number when either is long. */
size_t text_distance(struct str a, struct str b);
/* "default" of "cooldown.default". */
struct str key_leaf(const struct key *k);
/* Is it a list of maps or a map, with keys below it? */
bool key_is_container(const struct key *k);
/* Is it a struct list? */
bool key_is_list(const struct key *k);

#endif
