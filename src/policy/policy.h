/* The policy: what bondgate.yaml says, as an immutable value that threads share. Loading is in load.c (text in, value out),
 * the keys stand in one table (keys.c), from which the checks, `bondgate policy show` and docs/policy.md come. */
#ifndef BONDGATE_POLICY_POLICY_H
#define BONDGATE_POLICY_POLICY_H

#include "advisory/advisory.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "codec/purl.h"

enum mode { MODE_OFF, MODE_REPORT, MODE_ENFORCE };

/* Rules, each with a mode of its own; reason codes are their names. X(constant, "code", "what a person reads in lists") */
#define REASON_CODES(X) \
	X(REASON_COOLDOWN, "cooldown", "published too recently") \
	X(REASON_MALWARE, "malware", "an advisory calls it malware") \
	X(REASON_VULNERABLE, "vulnerable", "an advisory at or above the policy's threshold") \
	X(REASON_DENIED, "denied", "on the policy's deny list") \
	X(REASON_NAMESPACE, "namespace", "an internal name that no origin serves") \
	X(REASON_HASH_CHANGED, "hash-changed", "the same version came with another hash") \
	X(REASON_MANIFEST_MISMATCH, "manifest-mismatch", "the archive and the metadata disagree") \
	X(REASON_DEPENDENCY_HELD, "dependency-held", "an exactly pinned dependency is not cleared") \
	X(REASON_WITHDRAWN, "withdrawn", "gone from its registry") \
	X(REASON_UNVERIFIABLE, "unverifiable", "no hash that the bytes could be checked against") \
	X(REASON_NOT_APPROVED, "not-approved", "neither approved nor needed by an approved root") \
	X(REASON_PUBLISHER_CHANGED, "publisher-changed", "published by somebody else, or otherwise, than the releases before it") \
	X(REASON_INSTALL_SCRIPT, "install-script", "it gained code that runs on install or build") \
	X(REASON_NEW_DEPENDENCY, "new-dependency", "it gained a dependency on a name that is young or not known here") \
	X(REASON_NEW_BINARY, "new-binary", "it gained a command or native code") \
	X(REASON_REMOTE_DEPENDENCY, "remote-dependency", "it gained a dependency on a git or http address") \
	X(REASON_LOOK_ALIKE, "look-alike", "its name resembles that of an approved or much used package") \
	X(REASON_SIGNATURE_INVALID, "signature-invalid", "its registry's signature does not fit") \
	X(REASON_UNKNOWN, "unknown", "its registry has no such version") \
	X(REASON_EXEMPT, "exempt", "a dated, owned exception")

enum reason_code {
#define X(constant, code, text) constant,
	REASON_CODES(X)
#undef X
		REASON_CODE_COUNT
};
const char *reason_code_name(enum reason_code c);
int reason_code_parse(struct str text, enum reason_code *ret);
const char *reason_code_text(enum reason_code c);

/* Where a line of policy stands: "bondgate.yaml:12", or "built-in". */
struct policy_source {
	struct str file;
	unsigned line; /* 0: built-in */
};

/* One upstream. `registries.npm` is the default origin; an entry of `origins` owns the names that match it. */
struct origin {
	struct str id; /* stable: "npm" for the default one, else a short hash of ecosystem and URL: names folders in the cache */
	enum ecosystem ecosystem;
	bool is_default;
	bool automatic;           /* `upstream: auto`: url is filled in by policy_set_upstream */
	struct str url;           /* ends in '/'; empty while automatic and not yet resolved */
	struct str authorization; /* "Bearer …" / "Basic …" from token / basic (env or file, read when loading); empty: none */
	struct str ca_file;
	const struct str *artifact_hosts; /* `artifact-hosts`: further hosts that may serve its artifacts */
	size_t artifact_host_count;
	bool publish;            /* `publish: true`: writes of clients are passed on, with the client's own credentials */
	usec fresh;              /* `fresh`: metadata is asked for again after this; default 5m */
	usec stale;              /* `stale`: served this long when the upstream does not answer; default 24h */
	usec cooldown;           /* -1: the general rule for the default origin, none for an origin of its own; else this */
	const struct str *names; /* patterns without the ecosystem prefix */
	size_t name_count;
	struct policy_source source;
};

struct exemption {
	struct purl package; /* version may be a range; name may be a pattern */
	uint32_t rules;      /* bit 1 << reason_code */
	struct str reason, owner, approved_by;
	usec expires; /* the end of that day, UTC; at most 90 days after the day it was loaded */
	struct policy_source source;
};

/* One approval: a line of `allow.roots`, or an item of somebody else's signed list. */
struct approval {
	struct purl package; /* the name may be a pattern, the version a range or empty */
	struct str reason, owner;
	usec review_by; /* own lines: shown as overdue after it, and still in force */
	usec ends;      /* imported ones: of no effect from then on; own lines: USEC_NEVER */
	struct policy_source source;
};

/* One line of `allow.publishers`. `publisher-set: NAME` is taken apart into several with one source. */
enum publisher_kind {
	PUBLISHER_NPM_USER,
	PUBLISHER_NPM_SCOPE,
	PUBLISHER_TRUSTED /* trusted-publisher:HOST/ORG/REPO, REPO may be * */,
	PUBLISHER_NUGET_OWNER
};
struct approved_publisher {
	enum publisher_kind kind;
	struct str name;
	struct str set; /* the publisher-set that it came from; empty: none */
	struct str reason, owner;
	usec review_by;
	struct policy_source source;
};

/* What people decided while the gate runs (store/people.h), put over a policy. */
struct policy_grants {
	const struct exemption *exemptions;
	size_t exemption_count;
	const struct approval *approvals;
	size_t approval_count;
	const struct str *adopted; /* names that are known, because projects locked them when they were adopted: "npm:name" */
	size_t adopted_count;
};

/* `advisories.feeds`: a place that advisories are fetched from every so often. */
struct policy_feed {
	struct str name, url; /* https, or http to a host that is private and named */
	usec every;           /* 1h by default */
	int priority;
	struct str key; /* a minisign public key ("RW…"): the bundle must be signed by it; empty: not asked for */
	struct str authorization, ca_file;
	struct policy_source source;
};

/* `advisories.brake`: an index that would newly deny, for other reasons than malware, versions that more than so many projects received within so
 * many days waits for a person. */
struct advisory_brake {
	int64_t projects, days;
};

/* `advisories.ignore`: a finding that somebody looked at. Of no effect from `expires` on. */
struct advisory_ignore {
	struct str id;       /* of the advisory or of an alias; compare without regard to case */
	struct purl package; /* the name may be a pattern, the version a range; name.n == 0: every package */
	struct str reason, owner;
	usec expires;
	struct policy_source source;
};

/* `teams`: rules of their own for those who reach the gate by /t/NAME/… */
struct policy_team {
	struct str name; /* the label */
	struct str file; /* its policy file, put over this one */
	struct policy_source source;
};

/* `webhooks` */
enum webhook_event { WEBHOOK_REQUEST = 1, WEBHOOK_DECISION = 2, WEBHOOK_INCIDENT = 4, WEBHOOK_BREAK_GLASS = 8 };
enum webhook_format { WEBHOOK_GENERIC, WEBHOOK_SLACK, WEBHOOK_TEAMS };
struct policy_webhook {
	struct str url, authorization, ca_file;
	enum webhook_format format;
	unsigned events; /* bits of webhook_event */
	struct policy_source source;
};

/* `registries.npm.keys` and `.provenance`: what signatures and provenance are verified with. Files are read by the caller. */
struct policy_trust {
	const struct str *key_files; /* JSON as a registry serves it below /-/npm/v1/keys */
	size_t key_file_count;
	bool require_signature;    /* a version without a signature is signature-invalid too */
	struct str fulcio_ca_file; /* PEM: roots (and intermediates) of the certificates in provenance bundles; empty: nothing is verified */
	struct str rekor_key_file; /* PEM: public key(s) of the transparency log */
	struct str import_keys[8]; /* minisign public keys whose lists of approvals may be imported */
	size_t import_key_count;
};

/* `approvals`: who may decide what. */
struct approval_settings {
	enum severity second_person_at; /* requests at or above need two approvers; SEVERITY_UNKNOWN: never */
	usec longest;                   /* of an exemption that a request leads to; default 30d, at most 90d */
	usec break_glass;               /* default and most: 24h */
};

struct policy; /* opaque; counted */

/* The built-in defaults: 7 days of cooldown, malware denied, everything else reported or off. Never fails but for memory. */
struct policy *policy_builtin(void);
struct policy *policy_ref(struct policy *p);
void policy_unref(struct policy *p);

/* Reads one file's text on top of the built-in defaults. `file` names it in messages and sources. `now` judges expiry dates (an
 * exemption that has ended is kept and does nothing; one that ends later than 90 days from `now` is an error). `environment`
 * resolves tokens ({env: NAME}, {file: PATH}); it may do I/O, the loader itself does none. Every error has file:line:column, what is wrong
 * and what is accepted; unknown keys are errors with the nearest known key. *ret_warnings (may be NULL) gets one line each for keys that
 * this version accepts and does not evaluate yet, for approvals whose review is overdue (they stay in force), and for an allow list in
 * force that approves nothing. */
struct policy_environment {
	int (*token)(void *arg, struct str kind /* "env" or "file" */, struct str name, struct buf *ret, struct err *err);
	void *arg;
};
int policy_load(struct str text, struct str file, usec now, const struct policy_environment *environment, struct policy **ret,
                struct buf *ret_warnings, struct err *err);

/* The base policy with a file found in a working directory on top: rule 11, it may only tighten. What would loosen is refused
 * with a sentence that names the line (unless the base says `trust-local: true`). */
int policy_tighten(const struct policy *base, struct str text, struct str file, usec now, const struct policy_environment *environment,
                   struct policy **ret, struct err *err);

/* A team's file over the base. `proven`: the request carried a token of that team, so the file counts in full (but for the keys that are the
 * whole gate's: registries, origins, gate, cache, …). Not proven: only those of its lines that tighten count, the others are passed over (rule 11). */
int policy_for_team(const struct policy *base, struct str text, struct str file, usec now, const struct policy_environment *environment,
                    bool proven, struct policy **ret, struct err *err);

/* The policy with what people decided on top: grants whose end has passed do nothing. Texts are copied. */
int policy_with_grants(const struct policy *p, const struct policy_grants *grants, usec now, struct policy **ret, struct err *err);

size_t policy_approvals(const struct policy *p, const struct approval **ret_array);
size_t policy_publishers(const struct policy *p, const struct approved_publisher **ret_array);
size_t policy_exemptions(const struct policy *p, const struct exemption **ret_array); /* ended ones too */
size_t policy_feeds(const struct policy *p, const struct policy_feed **ret_array);
const struct advisory_brake *policy_brake(const struct policy *p);
size_t policy_vex(const struct policy *p, const struct str **ret_files);
size_t policy_ignores(const struct policy *p, const struct advisory_ignore **ret_array); /* ended ones too */
/* The line of `advisories.ignore` that speaks of this advisory about this version and has not ended by `now`; NULL: none does. Malware is never
 * ignored. Allocates nothing. */
const struct advisory_ignore *policy_ignored(const struct policy *p, const struct advisory *a, enum ecosystem e, struct str name,
                                             struct str version, usec now);
/* Hosts besides those of the registries and origins that a lockfile may name (`scan.hosts`). */
size_t policy_scan_hosts(const struct policy *p, const struct str **ret_hosts);
size_t policy_teams(const struct policy *p, const struct policy_team **ret_array);
size_t policy_webhooks(const struct policy *p, const struct policy_webhook **ret_array);
const struct policy_trust *policy_trust(const struct policy *p);
const struct approval_settings *policy_approval_settings(const struct policy *p);

/* The text of a shipped policy ("default", "strict"); empty: there is none of that name. */
struct str policy_shipped(struct str name);

/* Is the name itself an approved root (a line of allow.roots, whatever its version)? NULL: no. */
const struct approval *policy_root(const struct policy *p, enum ecosystem e, struct str name);
/* Does a line `trusted-publisher:…` approve this source ("github.com/org/repo")? */
bool policy_trusts_source(const struct policy *p, struct str source);
/* `cooldown.new-dependency`, whatever its mode; 0: none. */
usec policy_new_dependency(const struct policy *p);

/* The approved or much used name that this one resembles without being it (edit distance, homoglyphs, separators, scope swaps); empty: none. Lives
 * as long as the policy. Costs microseconds; to be asked once a package. */
struct str policy_resembles(const struct policy *p, enum ecosystem e, struct str name);

/* Fills in what `auto` stands for: a copy with the URL set. */
int policy_set_upstream(const struct policy *p, enum ecosystem e, struct str url, struct policy **ret, struct err *err);

/* Changes whenever a decision could. */
uint64_t policy_digest(const struct policy *p);
/* The whole policy in force as YAML with the source of every line as a comment (no secrets: tokens print as their source). */
void policy_show(const struct policy *p, struct buf *out);
/* One line a difference, "- cooldown.default: 7d" / "+ cooldown.default: 3d"; the count. */
size_t policy_diff(const struct policy *a, const struct policy *b, struct buf *out);
/* docs/policy.md, from the table. */
void policy_document(struct buf *out);

/* The one origin that a name belongs to: the most specific pattern that matches (longest literal part), else the default. Never
 * NULL, but the default of an ecosystem may have an empty url. An internal name (`internal:` patterns) that matches no origin
 * of its own returns NULL: the namespace rule refuses it. */
const struct origin *policy_origin(const struct policy *p, enum ecosystem e, struct str name);
/* Internal: matches an origin's own pattern or `internal:`. Such names never leave for another upstream. */
bool policy_is_internal(const struct policy *p, enum ecosystem e, struct str name);
size_t policy_origins(const struct policy *p, const struct origin **ret_array);

enum mode policy_mode(const struct policy *p, enum reason_code rule);

/* The general cooldown for the names of this origin: cooldown.default, or the origin's own; 0: none, or the rule is not enforced. */
usec policy_cooldown(const struct policy *p, const struct origin *origin);

/* Plain settings of the gate; command-line options override them. */
struct gate_settings {
	struct str listen; /* "127.0.0.1:4873" */
	struct str tls_certificate, tls_key;
	struct str public_url;            /* what clients call the gate, when a proxy stands in front; empty: from the request */
	int64_t threads;                  /* 0: one a processor, at most 4 */
	int64_t connections;              /* 0: the server's default */
	int64_t cache_bytes;              /* on disk; default 10 GiB */
	int64_t memory_bytes;             /* for rendered answers; default 16 MiB */
	usec evidence_retention;          /* default 400d; 0: for ever */
	const struct str *advisory_files; /* `advisories: {files: [...]}` */
	size_t advisory_file_count;
	struct str npm_client_default; /* registries.npm.client-default: "auto" or a URL: the registry that npm has built in */
	bool trust_local;
};
const struct gate_settings *policy_gate(const struct policy *p);

#endif
