/* State and evidence. The store keeps records and knows no rule. SQLite (WAL, synchronous=FULL) stands behind it; another
 * engine can. One process writes through one writer thread that batches commits; any process may read beside it.
 * Every function is thread-safe. Texts passed in are copied; texts handed out live in the caller's arena. */
#ifndef BONDGATE_STORE_STORE_H
#define BONDGATE_STORE_STORE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "codec/purl.h"

struct store;

enum store_access { STORE_READ, STORE_WRITE };

/* Opens DIR/bondgate.db, made when missing (STORE_WRITE only), its schema migrated. STORE_READ on a missing store: -ENOENT with a sentence.
 * Two writers in two processes (a gate and a command) are fine: each commit waits its turn. */
int store_open(const char *dir, enum store_access access, struct store **ret, struct err *err);
/* Waits for what is queued. */
void store_close(struct store *s);
/* 16 hex digits drawn when the store was made: names this gate. */
const char *store_instance(struct store *s);

/* ---- evidence: append-only, hash-chained ----
 * hash(n) = SHA-256(hash(n-1) || the record's fields in a fixed, length-prefixed form). What was decided on (`facts`) is kept once, however many
 * records share it; the chain holds its SHA-256. */

/* X(constant, "kind") */
#define EVIDENCE_KINDS(X) \
	X(EVIDENCE_RECEIPT, "receipt")         /* an artifact was handed to somebody */ \
	X(EVIDENCE_REFUSAL, "refusal")         /* an artifact or a whole package was refused */ \
	X(EVIDENCE_INCIDENT, "incident")       /* hash changed, manifest mismatch, withdrawn, wrong bytes */ \
	X(EVIDENCE_ADMIN, "admin")             /* policy loaded, gate started, evidence pruned … */ \
	X(EVIDENCE_REQUEST, "request")         /* somebody asked for an exception, or took the question back */ \
	X(EVIDENCE_DECISION, "decision")       /* somebody approved, rejected or revoked one */ \
	X(EVIDENCE_BREAK_GLASS, "break-glass") /* somebody made an exception alone */ \
	X(EVIDENCE_TOKEN, "token")             /* a token was made or revoked */

enum evidence_kind {
#define X(constant, text) constant,
	EVIDENCE_KINDS(X)
#undef X
		EVIDENCE_KIND_COUNT
};
const char *evidence_kind_name(enum evidence_kind k);

struct evidence {
	int64_t seq; /* given by the store, from 1 without gaps */
	usec time;
	enum evidence_kind kind;
	enum ecosystem ecosystem;
	struct str name, version; /* empty for administrative acts */
	struct str hash;          /* "sha512-…" of the artifact handed out */
	struct str client;        /* address */
	struct str identity;      /* who, if known; else empty */
	struct str project;       /* token label of /t/LABEL/ …, or empty */
	struct str agent;         /* user agent */
	struct str session;       /* npm-session, or empty */
	struct str decision;      /* "allow", "hold cooldown", "deny malware" … */
	struct str detail;        /* a sentence or JSON for people and tools */
	struct str facts;         /* what was decided on, as JSON (policy/facts_json.h); empty: nothing was, or it is older than this */
	struct str rules;         /* whose rules decided: empty: the gate's own; "web": a team's, proven by its token; "web (unproven)" */
};

/* Queues a record. done(arg, r) is called on the writer's thread once it is durable (r == 0) or could not be made so
 * (-ENOSPC …). `done` may be NULL. */
void store_append(struct store *s, const struct evidence *e, void (*done)(void *arg, int r), void *arg);
/* The same, waiting. */
int store_append_wait(struct store *s, const struct evidence *e, struct err *err);
/* Waits until everything queued so far is durable. */
int store_flush(struct store *s, struct err *err);

struct evidence_filter {
	int64_t after_seq;        /* records with a greater seq */
	int kind;                 /* -1: all */
	int ecosystem;            /* -1: all */
	struct str name, version; /* empty: all */
	usec since, until;        /* 0: open */
	size_t limit;             /* 0: none */
	bool newest_first;
	bool with_facts; /* `facts` is empty without it */
};
/* Calls `each` in order of seq; a non-zero result ends it and is returned. `e`'s texts live during the call. */
int store_evidence(struct store *s, const struct evidence_filter *filter, int (*each)(void *arg, const struct evidence *e), void *arg,
                   struct err *err);

struct evidence_check {
	int64_t records;
	int64_t first_seq, last_seq;
	int64_t broken_seq; /* the first record that does not fit the chain; 0: all fit */
	char last_hash[65];
};
/* Recomputes the chain from its start or from the checkpoint that pruning left. 0 (look at broken_seq) or negative errno. */
int store_evidence_verify(struct store *s, struct evidence_check *ret, struct err *err);
/* Drops records older than `before`, leaving a checkpoint with the hash of the last one dropped and an administrative record
 * that says so. *ret_dropped gets their number. */
int store_evidence_prune(struct store *s, usec before, int64_t *ret_dropped, struct err *err);

/* ---- what is remembered of a package: the snapshots, the pins, the tags ---- */

struct seen_version {
	struct str version;
	usec first_seen;              /* the first snapshot that had it */
	usec lacked_at;               /* the last snapshot before that lacked it; 0: there was none */
	usec upstream_time;           /* the earliest time that the upstream ever gave, 0: none yet */
	struct str integrity, shasum; /* the first ones seen: the pin. A missing one may be filled in later */
	struct str changed_to;        /* rule 4: another hash that came later; empty: none */
	usec changed_at;
	usec gone_at;        /* rule 8: the first snapshot that lacked it again; 0: it is there */
	struct str mismatch; /* rule 3: what the archive says otherwise */
	usec received_at;    /* verified whole here at least once; 0: never */
	usec archive_at;     /* its archive was looked into; 0: never. Then what it holds that the metadata does not tell: */
	struct str archive_script, archive_binary;
	bool ever_tagged; /* was the target of a dist-tag in some snapshot */
};

struct seen_tag {
	struct str tag, target;
	usec since;        /* the snapshot that first had it there */
	struct str former; /* the target before; empty: none */
};

struct seen_package {
	struct str origin; /* struct origin.id; another origin is another package */
	enum ecosystem ecosystem;
	struct str name;
	usec first_snapshot, last_snapshot;
	bool placeholder; /* the upstream made it a security placeholder */
	struct seen_version *versions;
	size_t version_count;
	struct seen_tag *tags;
	size_t tag_count;
};

/* 0, -ENOENT when nothing is remembered (*ret is zeroed), or negative errno. Sees everything queued before. */
int store_package_load(struct store *s, struct str origin, enum ecosystem e, struct str name, struct arena *a, struct seen_package *ret,
                       struct err *err);
/* Queues the package row, and an insert-or-update of the given versions and of all tags (tags that are not given any more are
 * dropped). Versions that are not given stay as they are. */
void store_package_save(struct store *s, const struct seen_package *p, void (*done)(void *arg, int r), void *arg);
/* Queues last_snapshot alone: the upstream was asked and nothing had changed. */
void store_package_checked(struct store *s, struct str origin, enum ecosystem e, struct str name, usec at);
/* Queues one version's `mismatch` or `received_at`. */
void store_version_mismatch(struct store *s, struct str origin, enum ecosystem e, struct str name, struct str version, struct str mismatch);
void store_version_received(struct store *s, struct str origin, enum ecosystem e, struct str name, struct str version, usec at);
/* Every name of an ecosystem that anything is remembered of, in no order; a non-zero result of `each` ends it and is returned. `name` lives
 * during the call. */
int store_package_names(struct store *s, enum ecosystem e, int (*each)(void *arg, struct str name), void *arg, struct err *err);
/* Queues what a look into its archive showed; empty texts: nothing. */
void store_version_archive(struct store *s, struct str origin, enum ecosystem e, struct str name, struct str version, usec at,
                           struct str script, struct str binary);
/* Is anything remembered of a package of this name, whatever its origin? (DESIGN: a name is *known*) */
int store_package_known(struct store *s, enum ecosystem e, struct str name, bool *ret, struct err *err);

/* ---- settings: small values by name ("upstream.npm") ---- */
int store_setting_get(struct store *s, struct str key, struct arena *a, struct str *ret, struct err *err); /* -ENOENT */
int store_setting_set(struct store *s, struct str key, struct str value, struct err *err);

/* ---- copies ---- */

/* Writes the whole store of a folder as it is at one moment to a new file, durable when this returns. Works beside writers of any process and keeps
 * none of them waiting; an older store is copied as it is. 0 or negative errno; what a failure left of the file is the caller's to remove. */
int store_copy(const char *dir, const char *path, struct err *err);
/* Reads every page and index. 0, or -EBADMSG with the first thing that does not fit. */
int store_examine(struct store *s, struct err *err);
/* The schema that this program works with; an older store is brought there when it is opened for writing. */
int store_schema(void);

/* Records waiting to be made durable, and commits so far, for /-/metrics. */
struct store_counters {
	uint64_t queued, commits, records, failed;
};
void store_counters(struct store *s, struct store_counters *ret);

#endif
