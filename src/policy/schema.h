/* The keys of bondgate.yaml, in one table: it drives reading and checking, `bondgate policy show` and docs/policy.md. */
#ifndef BONDGATE_POLICY_SCHEMA_H
#define BONDGATE_POLICY_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum key_type {
	KEY_TYPE_MAP,     /* keys below it stand in the table too */
	KEY_TYPE_ORIGIN,  /* a map with the keys of GROUP_ORIGIN */
	KEY_TYPE_ORIGINS, /* a list of such maps */
	KEY_TYPE_EXEMPTIONS,
	KEY_TYPE_ROOTS, /* lists of maps of the next version, checked for form */
	KEY_TYPE_PUBLISHERS,
	KEY_TYPE_INTEGER,  /* int64_t */
	KEY_TYPE_SIZE,     /* int64_t, bytes */
	KEY_TYPE_DURATION, /* usec */
	KEY_TYPE_MODE,     /* int8_t */
	KEY_TYPE_SEVERITY, /* int8_t */
	KEY_TYPE_BOOL,     /* bool */
	KEY_TYPE_TEXT,     /* struct str */
	KEY_TYPE_ADDRESS,  /* struct str, host:port */
	KEY_TYPE_UPSTREAM, /* struct str, `auto` or a URL */
	KEY_TYPE_URL,      /* struct str */
	KEY_TYPE_DATE,     /* struct exemption_rule */
	KEY_TYPE_REVIEW,   /* a date that is only checked */
	KEY_TYPE_SECRET,   /* struct secret */
	KEY_TYPE_RULES,    /* uint32_t of reason bits */
	KEY_TYPE_PACKAGE,  /* struct listed: one pattern, a version or range allowed */
	KEY_TYPE_NAMES,    /* struct list of patterns without versions */
	KEY_TYPE_PATTERNS, /* struct list of patterns, versions allowed */
	KEY_TYPE_VERSIONS, /* struct list of patterns, versions compulsory */
	KEY_TYPE_HASHES,   /* struct list */
	KEY_TYPE_TEXTS,    /* struct list */
};

/* What a file found in a working directory may do with the key (policy_tighten). */
enum tighten { TIGHTEN_NEVER, TIGHTEN_SAME, TIGHTEN_MORE, TIGHTEN_LESS, TIGHTEN_ADD, TIGHTEN_MODE };

enum key_group { GROUP_POLICY, GROUP_ORIGIN, GROUP_EXEMPTION, GROUP_ROOT, GROUP_PUBLISHER, GROUP_COUNT };

enum key_flags {
	KEY_LATER = 1,    /* accepted and checked, not evaluated by this version: a warning says so */
	KEY_REQUIRED = 2, /* in an item of a list */
	KEY_OWN_ONLY = 4, /* of an origin: only in `origins`, not below `registries` */
	KEY_NPM_ONLY = 8, /* only below registries.npm */
};

/* clang-format off */
/* Keys that code asks for by name; the rows of the table stand in this order. */
enum key_id {
	KEY_VERSION, KEY_MODE, KEY_TRUST_LOCAL, KEY_INTERNAL,
	KEY_REGISTRIES, KEY_REGISTRIES_NPM, KEY_REGISTRIES_NUGET, KEY_ORIGINS,
	KEY_COOLDOWN, KEY_COOLDOWN_MODE, KEY_COOLDOWN_DEFAULT, KEY_COOLDOWN_NEW_PACKAGE, KEY_COOLDOWN_EXCLUDE,
	KEY_COOLDOWN_NEW_DEPENDENCY, KEY_COOLDOWN_INSTALL_SCRIPT, KEY_COOLDOWN_SECURITY_FIX,
	KEY_DENY, KEY_DENY_MODE, KEY_DENY_NAMES, KEY_DENY_VERSIONS, KEY_DENY_HASHES,
	KEY_DENY_MALWARE, KEY_DENY_MALWARE_MODE, KEY_DENY_VULNERABILITIES, KEY_DENY_VULNERABILITIES_MODE,
	KEY_DENY_VULNERABILITIES_AT,
	KEY_RULES, KEY_RULES_HASH, KEY_RULES_HASH_MODE, KEY_RULES_MANIFEST, KEY_RULES_MANIFEST_MODE,
	KEY_RULES_UNVERIFIABLE, KEY_RULES_UNVERIFIABLE_MODE, KEY_RULES_HELD, KEY_RULES_HELD_MODE,
	KEY_RULES_WITHDRAWN, KEY_RULES_WITHDRAWN_MODE, KEY_RULES_NAMESPACE, KEY_RULES_NAMESPACE_MODE,
	KEY_ALLOW, KEY_ALLOW_MODE, KEY_ALLOW_ROOTS, KEY_ALLOW_PUBLISHERS,
	KEY_CONTINUITY, KEY_CONTINUITY_MODE, KEY_CONTINUITY_HOLD,
	KEY_EXEMPTIONS,
	KEY_ADVISORIES, KEY_ADVISORIES_FILES,
	KEY_GATE, KEY_GATE_LISTEN, KEY_GATE_TLS, KEY_GATE_TLS_CERTIFICATE, KEY_GATE_TLS_KEY, KEY_GATE_PUBLIC_URL,
	KEY_GATE_THREADS, KEY_GATE_CONNECTIONS,
	KEY_CACHE, KEY_CACHE_SIZE, KEY_MEMORY, KEY_EVIDENCE, KEY_EVIDENCE_RETENTION,
	KEY_ORIGIN_NAMES, KEY_ORIGIN_UPSTREAM, KEY_ORIGIN_TOKEN, KEY_ORIGIN_BASIC, KEY_ORIGIN_CA_FILE,
	KEY_ORIGIN_ARTIFACT_HOSTS, KEY_ORIGIN_PUBLISH, KEY_ORIGIN_FRESH, KEY_ORIGIN_STALE, KEY_ORIGIN_COOLDOWN,
	KEY_ORIGIN_CLIENT_DEFAULT,
	KEY_EXEMPTION_PACKAGE, KEY_EXEMPTION_RULES, KEY_EXEMPTION_REASON, KEY_EXEMPTION_OWNER, KEY_EXEMPTION_APPROVED_BY,
	KEY_EXEMPTION_EXPIRES,
	KEY_ROOT_NAME, KEY_ROOT_REASON, KEY_ROOT_OWNER, KEY_ROOT_REVIEW_BY,
	KEY_PUBLISHER_PUBLISHER, KEY_PUBLISHER_REASON, KEY_PUBLISHER_OWNER, KEY_PUBLISHER_REVIEW_BY,
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

/* "a duration such as 7d, 36h or 90s" */
const char *key_type_text(enum key_type t);
const char *key_accepts(const struct key *k);
/* The row with that path, or KEY_COUNT. */
enum key_id key_find(enum key_group group, struct str path);
/* The known key below `parent` that is spelled most alike, or NULL when nothing is near. */
const char *key_nearest(enum key_group group, struct str parent, struct str name);
/* "default" of "cooldown.default". */
struct str key_leaf(const struct key *k);
/* Is it a list of maps or a map, with keys below it? */
bool key_is_container(const struct key *k);

#endif
