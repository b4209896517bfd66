/* What a policy is made of, for the files of this folder only: the values as they were read, and what is compiled from
 * them so that a decision costs a few look-ups. */
#ifndef BONDGATE_POLICY_MODEL_H
#define BONDGATE_POLICY_MODEL_H

#include "base/map.h"
#include "policy/match.h"
#include "policy/policy.h"
#include "policy/schema.h"

/* One item of a list of patterns, hashes or texts. The parts after `source` are those of a pattern. */
struct listed {
	struct str text; /* as written */
	struct policy_source source;
	enum ecosystem ecosystem;
	struct str name, version; /* without the prefix; no version: n == 0 */
	unsigned publisher;       /* of a publisher: enum publisher_kind or PUBLISHER_SET */
};

struct list {
	struct listed *items;
	size_t count, room;
};

/* `token: {env: NAME}`: where the secret is (shown) and what it is (never shown). */
struct secret {
	struct str kind, name, value;
};

/* A list of the policy file whose items are maps; `array` is one of the structs below, all of which begin with their source. */
struct items {
	void *array;
	size_t count, room;
};

/* A day as written; `time` is its end. */
struct dated {
	usec time;
	struct str text;
};

/* An origin as written; `origin` is completed from the rest by policy_finish. */
struct origin_rule {
	struct policy_source source;
	struct origin origin;
	struct str upstream; /* "auto" or the URL */
	struct secret token, basic;
	struct list names, artifact_hosts;
};

struct exemption_rule {
	struct policy_source source;
	struct listed package;
	uint32_t rules;
	struct str reason, owner, approved_by;
	struct dated expires;
};

struct root_rule {
	struct policy_source source;
	struct listed package;
	struct str reason, owner;
	struct dated review_by;
	usec ends; /* of one that was imported; 0: an own line */
};

struct publisher_rule {
	struct policy_source source;
	struct listed publisher;
	struct str reason, owner;
	struct dated review_by;
};

/* `publisher-sets: {NAME: [...]}` */
struct set_rule {
	struct policy_source source;
	struct str name;
	struct list publishers;
};

struct ignore_rule {
	struct policy_source source;
	struct str id;
	struct listed package;
	struct str reason, owner;
	struct dated expires;
};

struct feed_rule {
	struct policy_source source;
	struct policy_feed feed;
	int64_t priority;
	struct secret token;
};

struct team_rule {
	struct policy_source source;
	struct policy_team team;
};

struct webhook_rule {
	struct policy_source source;
	struct policy_webhook webhook;
	struct secret url, token;
	uint32_t events;
	int8_t format;
};

struct policy {
	unsigned refs; /* atomic */
	struct arena *arena;
	struct policy *base; /* the policy this one was made from: it owns some of the memory; NULL: none */

	usec loaded; /* the time that its exemptions were judged by when it was read */
	int64_t version;
	int8_t mode;                          /* of the whole policy */
	int8_t rule_modes[REASON_CODE_COUNT]; /* MODE_UNSET: the rule's own default, at most `mode` */
	usec cooldown_default, cooldown_new_package;
	usec cooldown_new_dependency, cooldown_install_script, cooldown_new_binary, cooldown_remote_dependency;
	usec cooldown_security_fix; /* -1: not set, fixes wait like everything else */
	usec continuity_hold;       /* USEC_NEVER: until a person decides */
	int8_t vulnerabilities_at;  /* enum severity */
	struct list deny_names, deny_versions, deny_hashes, deny_publishers, exclude, internal, advisory_files;
	struct list look_alike_names, look_alike_exclude;
	struct list key_files, import_keys, vex_files, scan_hosts;
	struct items origin_rules; /* struct origin_rule; the default ones of npm and nuget first */
	struct items exemption_rules, root_rules, publisher_rules, set_rules, ignore_rules, feed_rules, team_rules, webhook_rules;
	struct gate_settings gate;
	struct policy_trust trust;
	struct approval_settings approval;
	int8_t second_person_at;
	struct advisory_brake brake;
	struct policy_source sources[KEY_COUNT];

	/* compiled by policy_finish */
	struct origin *origins; /* the same order and count as origin_rules */
	size_t origin_count;
	struct exemption *exemptions; /* the same order as their rules */
	struct approval *approvals;
	struct approved_publisher *publishers; /* with the sets taken apart */
	size_t publisher_count;
	struct advisory_ignore *ignores;
	struct match_entry *ignored; /* the same order: their packages, with the ranges read */
	struct policy_feed *feeds;
	struct policy_team *teams;
	struct policy_webhook *webhooks;
	const struct str *vex, *hosts;
	struct map publishers_by_name, denied_publishers; /* see publishers.c */
	struct matcher *rules;                            /* MATCH_DENY_NAME … MATCH_ROOT */
	struct matcher *names;                            /* MATCH_ORIGIN, MATCH_INTERNAL */
	struct map hashes;                                /* raw digest -> struct listed */
	struct look_alikes *look_alikes;                  /* approved roots and `look-alike.names`; NULL: none */
	uint8_t modes[REASON_CODE_COUNT];
	uint64_t digest;
};

enum { MODE_UNSET = -1, LIMIT_IMPORT_KEYS = 8 };

/* What an entry of the matchers stands for; `value` is an index into the list of its kind. */
enum match_kind {
	MATCH_DENY_NAME,
	MATCH_DENY_VERSION,
	MATCH_EXCLUDE,
	MATCH_EXEMPTION, /* index into `exemptions` */
	MATCH_ROOT,      /* index into `approvals` */
	MATCH_MAY_RESEMBLE,
	MATCH_ORIGIN,
	MATCH_INTERNAL,
};

/* An empty policy that shares the values of `base` (may be NULL) and can be changed until policy_finish. */
struct policy *policy_begin(struct policy *base);
/* Compiles it: origins, matchers, modes, digest. 0, -ENOMEM, -EBADMSG with a message. */
int policy_finish(struct policy *p, struct err *err);
struct policy *policy_freed(struct policy *p); /* releases an unfinished one; returns NULL */

/* Room for one more item in the policy's arena; NULL when memory is out. */
struct listed *list_add(struct policy *p, struct list *list);
void *items_add(struct policy *p, struct items *items, size_t size);
static inline struct origin_rule *origin_rules(const struct policy *p)
{
	return p->origin_rules.array;
}

/* publishers.c. "npm-user:NAME", "npm-scope:@SCOPE", "trusted-publisher:HOST/ORG/REPO", "nuget-owner:NAME" and, where `sets` are
 * accepted, "publisher-set:NAME" (kind PUBLISHER_SET). 0, or -EINVAL with a static text of what is wrong. */
enum { PUBLISHER_SET = PUBLISHER_NUGET_OWNER + 1 };
int publisher_parse(struct str text, bool sets, unsigned *ret_kind, struct str *ret_name, const char **ret_problem);
const char *publisher_kind_name(unsigned kind);
/* Compiles allow.publishers and deny.publishers. */
int publishers_finish(struct policy *p, struct err *err);
/* 0 or -ENOMEM. */
int ignores_finish(struct policy *p);
/* Does the policy approve or deny that publisher? Approved npm users and scopes are compared letter by letter; repositories (for which a line
 * may say ORG/ and a star), NuGet owners and everything that is denied whatever the case of ASCII letters. NULL: no. */
const struct approved_publisher *publisher_approved(const struct policy *p, enum publisher_kind kind, struct str name);
const struct listed *publisher_denied(const struct policy *p, enum publisher_kind kind, struct str name);

/* resembles.c: compiles what this policy protects from look-alikes. 0 or -ENOMEM. */
int look_alikes_of_policy(struct policy *p);

/* What is known of a rule besides its name. */
struct rule_mode {
	enum key_id key;      /* where its mode is set; KEY_COUNT: nowhere */
	enum mode standard;   /* without any setting */
	bool lowered_by_mode; /* does `mode: report` or `off` at the top reach it? */
	enum key_id delay;    /* its duration: one that a file sets puts the rule in force; KEY_COUNT: none */
};
const struct rule_mode *rule_mode_of(enum reason_code c);
/* The mode of every rule out of the keys. */
void policy_modes(struct policy *p);
const char *mode_name(enum mode m);
int mode_parse(struct str text, enum mode *ret);

/* "bondgate.yaml:12" or "built-in". */
void source_add(struct buf *out, const struct policy_source *source);

/* FNV-1a, the same in every process: digests and ids are kept on disk. */
uint64_t stable_hash(uint64_t seed, struct str bytes);
#define STABLE_HASH_SEED 0xcbf29ce484222325u

#endif
