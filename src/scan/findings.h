/* What an advisory, the policy or plain caution says against the packages of a lockfile: the same decision as at the gate. */
#ifndef BONDGATE_SCAN_FINDINGS_H
#define BONDGATE_SCAN_FINDINGS_H

#include "policy/decide.h"
#include "scan/lock.h"

/* One package and version of a file, however often it stands there. */
struct lock_listed {
	uint32_t package; /* its first place */
	bool dev;         /* for development only, in all places */
};

/* Every package that a list shows, once each, in the order of the file, and the place in it of each (lock_package.listed). The array is to be
 * freed. 0 or -ENOMEM. */
int lock_list(struct lock *l, struct lock_listed **ret, size_t *ret_count);

/* X(constant, "kind") */
#define FINDING_KINDS(X) \
	X(FINDING_MALWARE, "malware") \
	X(FINDING_VULNERABILITY, "vulnerability") \
	X(FINDING_POLICY, "policy")       /* the gate would refuse it; the id is the reason's code */ \
	X(FINDING_SOURCE, "source")       /* it comes from somewhere else than the registry */ \
	X(FINDING_INTEGRITY, "integrity") /* nothing, or too little, says which bytes it must be */ \
	X(FINDING_LOCKFILE, "lockfile")   /* the lockfile and its manifest differ */ \
	X(FINDING_RECEIPT, "receipt")     /* the gate handed it to nobody */

enum finding_kind {
#define X(constant, name) constant,
	FINDING_KINDS(X)
#undef X
};
const char *finding_kind_name(enum finding_kind k);

/* The findings that are neither an advisory nor a reason of the policy. X(constant, kind, "id", severity, fails by default, "what a person reads") */
#define FINDING_RULES(X) \
	X(RULE_GIT_SOURCE, FINDING_SOURCE, "git-source", SEVERITY_LOW, false, \
	  "comes from a git repository: no registry, cooldown or signature stands behind it") \
	X(RULE_HTTP_SOURCE, FINDING_SOURCE, "http-source", SEVERITY_MODERATE, false, "comes from a web address that is no registry") \
	X(RULE_FILE_SOURCE, FINDING_SOURCE, "file-source", SEVERITY_LOW, false, "comes from an archive in a folder") \
	X(RULE_UNEXPECTED_HOST, FINDING_SOURCE, "unexpected-host", SEVERITY_HIGH, false, \
	  "is fetched from another host than the packages around it") \
	X(RULE_NOT_THE_GATE, FINDING_SOURCE, "not-the-gate", SEVERITY_LOW, false, "is locked to a registry that is not the gate") \
	X(RULE_NO_INTEGRITY, FINDING_INTEGRITY, "no-integrity", SEVERITY_MODERATE, false, "has no hash, while others in this file have one") \
	X(RULE_WEAK_INTEGRITY, FINDING_INTEGRITY, "weak-integrity", SEVERITY_LOW, false, \
	  "is pinned by SHA-1 or MD5 alone, which can be forged") \
	X(RULE_NOT_LOCKED, FINDING_LOCKFILE, "not-locked", SEVERITY_MODERATE, false, "is wanted by the manifest and not in the lockfile") \
	X(RULE_OUT_OF_RANGE, FINDING_LOCKFILE, "out-of-range", SEVERITY_MODERATE, false, \
	  "is locked in a version that the manifest does not want") \
	X(RULE_UNJUDGED, FINDING_POLICY, "unjudged", SEVERITY_LOW, true, \
	  "could not be judged by its age or publisher: no gate and no store knows it") \
	X(RULE_NO_RECEIPT, FINDING_RECEIPT, "no-receipt", SEVERITY_HIGH, true, "did not come through the gate: there is no receipt for it") \
	X(RULE_OTHER_BYTES, FINDING_RECEIPT, "other-bytes", SEVERITY_CRITICAL, true, "the gate handed out other bytes under this version")

enum finding_rule {
#define X(constant, kind, id, severity, fails, text) constant,
	FINDING_RULES(X)
#undef X
		FINDING_RULE_COUNT
};

struct finding {
	enum finding_kind kind;
	enum severity severity;
	struct str id;      /* the advisory's, the code of the reason, or the rule's */
	struct str summary; /* one sentence */
	struct str fixed;   /* the lowest version without it; may be empty */
	struct str url, vector;
	int score; /* CVSS in tenths; -1: none */
	const struct str *aliases;
	size_t alias_count;
	usec until;       /* of a hold; USEC_NEVER: only a person decides; 0: no hold */
	bool fails;       /* counts for the exit code unless options say otherwise */
	bool report_only; /* the policy's rule is in mode `report` */
	const struct lock *lock;
	uint32_t package; /* LOCK_NONE: the one that `name` says is not in the lockfile */
	bool dev;
	struct str name; /* instead of the package's, and */
	struct str file; /* instead of the lockfile, with */
	uint32_t line;   /* its line; empty and 0: the package's own */
};

/* What a finding is about, and where. */
struct str finding_name(const struct finding *f);
struct str finding_version(const struct finding *f);
struct str finding_file(const struct finding *f);
uint32_t finding_line(const struct finding *f);
enum ecosystem finding_ecosystem(const struct finding *f);

struct findings {
	struct arena *arena; /* their texts; the locks must live on */
	struct finding *array;
	size_t count, room;
	size_t versionless; /* packages without a version, of which only "all versions" could be said */
	size_t ignored;     /* advisories that the policy has ignored for now */
	size_t unjudged;    /* packages of which nobody knew when and by whom they were published */
};

int findings_init(struct findings *f);
void findings_free(struct findings *f);

/* The store's or a gate's own decision about a version. 0 with *ret filled in (texts live as long as the findings), -ENOENT when they know
 * nothing of it, another error ends the scan. */
typedef int scan_judge(void *arg, enum ecosystem e, struct str name, struct str version, struct decision *ret);

enum receipt_state { RECEIPT_UNKNOWN, RECEIPT_THERE, RECEIPT_MISSING, RECEIPT_OTHER };
/* Did the gate hand out these bytes? `integrity` as the lockfile writes it; may be empty. */
typedef enum receipt_state scan_receipt(void *arg, enum ecosystem e, struct str name, struct str version, struct str integrity);

struct scan_rules {
	const struct policy *policy;
	const struct advisories *advisories;
	usec now;
	scan_judge *judge; /* NULL: nobody is asked; rules that need a publish time are not judged */
	void *judge_arg;
	scan_receipt *receipt; /* NULL: receipts are not asked for */
	void *receipt_arg;
	const struct str *hosts; /* registries and artifact hosts that are known to be fine: "host" or "host:port" */
	size_t host_count;
	bool hosts_known;     /* the policy says where packages come from: another host fails the build */
	struct str gate_host; /* of the gate that this project should use; empty: not known */
	bool strict;          /* what could not be judged is a finding */
};

/* Judges what is listed. Members of a workspace, links and folders are the user's own and match nothing. 0, -ENOMEM, or the judge's error. */
int findings_add(struct findings *f, struct lock *l, const struct lock_listed *listed, size_t count, const struct scan_rules *rules);
/* Where the packages come from and what they are pinned by (sources.c). */
int findings_add_sources(struct findings *f, struct lock *l, const struct lock_listed *listed, size_t count,
                         const struct scan_rules *rules);
/* Is what the manifest beside a lockfile of npm wants also what is locked (manifest.c)? `manifest`: the text of package.json, `file` its
 * path; both live as long as the findings. What is wrong with it is no finding. */
int findings_add_manifest(struct findings *f, struct lock *l, struct str file, struct str manifest);

/* One finding by a rule; `detail` (may be empty) is put behind the rule's sentence. 0 or -ENOMEM. For the files above. */
int findings_rule(struct findings *f, struct lock *l, uint32_t package, bool dev, enum finding_rule rule, struct str detail);
/* Is this something that came from a registry or could have: not the user's own folders and members? */
bool finding_is_judged(const struct lock_package *p);

/* Malware first, then by severity, file and line. */
void findings_sort(struct findings *f);

#endif
