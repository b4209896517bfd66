/* The decision: a pure function of policy, advisories, facts about one version, and the time. It opens no file, asks no
 * network and reads no clock, so that the gate, explain, simulate and the tests all call the same one. */
#ifndef BONDGATE_POLICY_DECIDE_H
#define BONDGATE_POLICY_DECIDE_H

#include "policy/policy.h"

enum verdict { VERDICT_ALLOW, VERDICT_HOLD, VERDICT_DENY };
const char *verdict_name(enum verdict v);

enum withdrawal { WITHDRAWN_NOT, WITHDRAWN_YOUNG /* within 30 days of publication */, WITHDRAWN_PLACEHOLDER, WITHDRAWN_OLD };

/* What a version's metadata and its history say about who made it and what it gained against the version before it in its line (the major
 * version, for 0.x the minor; the first of a line is held against the highest version below it). Empty or zero: nothing, or not known. */
struct trust_facts {
	const struct str *publishers; /* npm: the one who published it; NuGet: its owners */
	size_t publisher_count;
	struct str trusted_publisher; /* claimed: "github.com/org/repo" */
	struct str verified_source;   /* the same out of a provenance bundle that was verified */
	bool provenance;              /* it claims provenance */
	struct str unproven;          /* it claims a source that a line approves: why that does not count; a sentence without its end */
	struct str continuity;        /* what changed, one sentence: "published by mallory; 41 releases of 2.x before it by alice" */
	struct str install_script;    /* "postinstall", "binding.gyp", … that the version before had not, or not so */
	struct str binary;            /* "bin/tool", "build/x.node" */
	struct str remote_dependency; /* "left-pad (git+https://…)" */
	struct str dependency;        /* the youngest dependency that it gained whose name was not known here before this version came */
	usec dependency_published;    /* of that name's first version; 0: not known */
	enum { SIGNATURE_UNKNOWN, SIGNATURE_ABSENT, SIGNATURE_VALID, SIGNATURE_INVALID } signature;
	bool fixed_line_denied; /* every other version of its line is denied */
};

struct version_facts {
	enum ecosystem ecosystem;
	struct str name, version;
	usec published;         /* the time its age counts from (rule 5), never 0: without any, when it was first seen here */
	usec upstream_time;     /* what the upstream says; 0: nothing */
	usec first_seen;        /* the first snapshot here that had it */
	usec lacked_at;         /* the last snapshot here that lacked it; 0: none */
	usec package_published; /* `published` of its package's first version */
	struct str integrity;   /* "sha512-…" as in the metadata, or empty */
	struct str shasum;      /* hex sha1, or empty */
	bool own_origin;        /* the name belongs to an origin of its own: no cooldown unless the policy sets one */
	usec origin_cooldown;   /* struct origin.cooldown */
	bool hash_changed;      /* rule 4 */
	struct str hash_first, hash_now;
	struct str mismatch; /* rule 3: what the archive says otherwise, one sentence; empty: nothing or not yet looked */
	enum withdrawal withdrawal;
	usec withdrawn_at;
	struct str held_dependency; /* rule 7: "name@version" of the exactly pinned dependency that is not cleared; empty: none */
	usec held_dependency_until; /* USEC_NEVER: only a person decides */
	struct trust_facts trust;
	struct str resembles;    /* policy_resembles() of its name */
	struct str reached_from; /* the approved root that needs this name; empty: none is known to */
	bool name_known;         /* the name was in this store before this version came, was adopted, or is older than new-dependency */
	bool reach_pending;      /* the walk from the approved roots has not ended yet */
	/* What was known of it when the facts were taken down (simulate): asked instead of the index when `advisories_given`. */
	const struct advisory *advisories;
	size_t advisory_count;
	bool advisories_given;
	struct str fixes; /* given: the advisory that names this version as its fix */
};

/* What a delay counts from or is for, where its rule knows several. */
enum reason_about {
	ABOUT_VERSION,
	ABOUT_PACKAGE, /* cooldown, new-dependency: of a package that is itself young */
	ABOUT_FIX,     /* cooldown: the shorter one of a security fix */
};

/* Facts for where neither age nor origin is known: long published, its name known, with a hash (`integrity`, or one that matches nothing when that is
 * empty). Only advisories and lists can then speak against the version. */
struct version_facts version_facts_ageless(enum ecosystem e, struct str name, struct str version, struct str integrity);

struct reason {
	enum reason_code code;
	enum verdict verdict; /* what this rule asks for; ALLOW for `exempt` */
	enum mode mode;       /* report: it would have refused */
	usec until;           /* hold: when the rule ends by itself; USEC_NEVER: only a person decides; exempt: when the exception ends */
	usec wait;            /* of a delay: how long the policy waits; `until` less this is what the age counts from */
	enum reason_about about;
	enum reason_code lifted; /* exempt: the rule that the exception lifts */
	bool one_advisory; /* exempt: only what one advisory says (advisories.ignore) is lifted, not what the rule has against it besides */
	struct str text;   /* one sentence for the developer; empty when no arena was given */
	struct str source; /* "bondgate.yaml:12", "built-in", an advisory id … */
};

enum { DECISION_REASONS = 16 };

struct decision {
	enum verdict verdict;
	usec until;       /* hold: the latest `until` of the reasons in force; USEC_NEVER; 0 when allowed */
	usec next_change; /* when time alone may change this decision; USEC_NEVER: not by itself */
	size_t reason_count;
	struct reason reasons[DECISION_REASONS]; /* those in force first (deny before hold), then `exempt`, then those of mode report */
};

/* May a person ask for an exception from this rule (`bondgate request`)? Not from what is no matter of judgement: malware, a changed hash, content that
 * is not what was announced, a signature that does not fit, a name or version that is not there. */
bool reason_may_be_requested(enum reason_code c);
/* Does a request lift everything that refuses this? */
bool decision_may_be_requested(const struct decision *d);

/* How the delays combine: the longest of those whose condition holds counts. A security fix (advisories name this very version as one) waits
 * `security-fix` in place of `default`, or not at all where every other version of its line is denied; but only if no other rule has anything to say
 * against the version, be it enforced, reported or lifted by an exemption: an exemption lifts its own rule and buys no shorter wait.
 *
 * `texts`: where the sentences are put; NULL: none are made, which is what filtering a packument of thousands of versions
 * does. `advisories` may be NULL: none known. */
void decide(const struct policy *p, const struct advisories *advisories, const struct version_facts *facts, usec now, struct arena *texts,
            struct decision *ret);

/* The sentence that a refused developer reads everywhere (reason phrase, body, notice, explain): at most 200 bytes of ASCII, names package,
 * rule, when it ends, and what to do next. E.g.
 * "axios@1.14.1 was published 2h ago; this gate waits 7d (cooldown): cleared 2026-04-07 00:21 UTC. Ask: bondgate request npm:axios@1.14.1"
 * Where no request helps, it ends in "Ask: bondgate explain …". */
struct str decision_sentence(struct arena *a, const struct version_facts *facts, const struct decision *d, usec now);

/* explain's answer: JSON in the shape of DESIGN.md section 7, and lines for people. */
void explain_json(const struct version_facts *facts, const struct decision *d, struct buf *out);
void explain_text(const struct version_facts *facts, const struct decision *d, usec now, struct buf *out);

#endif
