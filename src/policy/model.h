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
};

struct list {
	struct listed *items;
	size_t count, room;
};

/* `token: {env: NAME}`: where the secret is (shown) and what it is (never shown). */
struct secret {
	struct str kind, name, value;
};

/* An origin as written; `origin` is completed from the rest by policy_finish. */
struct origin_rule {
	struct origin origin;
	struct str upstream; /* "auto" or the URL */
	struct secret token, basic;
	struct list names, artifact_hosts;
};

struct exemption_rule {
	struct exemption exemption;
	struct listed package;
	struct str expires; /* as written */
};

/* For form only: keys of the next version that are read and not evaluated land here. */
struct later {
	struct str text;
	struct list list;
	usec duration;
	int8_t mode;
	uint32_t rules;
	bool yes;
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
	int8_t vulnerabilities_at; /* enum severity */
	struct list deny_names, deny_versions, deny_hashes, exclude, internal, advisory_files;
	struct origin_rule *origin_rules; /* the default ones of npm and nuget first */
	size_t origin_count, origin_room;
	struct exemption_rule *exemptions;
	size_t exemption_count, exemption_room;
	struct gate_settings gate;
	struct policy_source sources[KEY_COUNT];
	struct later later;

	/* compiled by policy_finish */
	struct origin *origins; /* the same order as origin_rules */
	struct matcher *rules;  /* MATCH_DENY_NAME … MATCH_EXEMPTION */
	struct matcher *names;  /* MATCH_ORIGIN, MATCH_INTERNAL */
	struct map hashes;      /* raw digest -> struct listed */
	uint8_t modes[REASON_CODE_COUNT];
	uint64_t digest;
};

enum { MODE_UNSET = -1 };

/* What an entry of the matchers stands for; `value` is an index into the list of its kind. */
enum match_kind {
	MATCH_DENY_NAME,
	MATCH_DENY_VERSION,
	MATCH_EXCLUDE,
	MATCH_EXEMPTION,
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
struct origin_rule *origin_rule_add(struct policy *p);
struct exemption_rule *exemption_rule_add(struct policy *p);

/* What is known of a rule besides its name. */
struct rule_mode {
	enum key_id key;      /* where its mode is set; KEY_COUNT: nowhere */
	enum mode standard;   /* without any setting */
	bool lowered_by_mode; /* does `mode: report` or `off` at the top reach it? */
};
const struct rule_mode *rule_mode_of(enum reason_code c);
const char *mode_name(enum mode m);
int mode_parse(struct str text, enum mode *ret);

/* "bondgate.yaml:12" or "built-in". */
void source_add(struct buf *out, const struct policy_source *source);

/* FNV-1a, the same in every process: digests and ids are kept on disk. */
uint64_t stable_hash(uint64_t seed, struct str bytes);
#define STABLE_HASH_SEED 0xcbf29ce484222325u

#endif
