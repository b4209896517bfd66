/* What the files of the decision share. Each judge_… looks at the facts and calls speak() for what its rules have against the version. */
#ifndef BONDGATE_POLICY_DECIDE_RULES_H
#define BONDGATE_POLICY_DECIDE_RULES_H

#include "policy/decide.h"
#include "policy/model.h"

enum { EXEMPTIONS_SEEN = 16 };

struct deciding {
	const struct policy *p;
	const struct advisories *advisories; /* NULL: none known, or the facts have them */
	const struct version_facts *facts;
	usec now, published; /* a publication ahead of the clock counts as now */
	struct arena *texts; /* NULL: no sentences are made */
	struct decision *d;
	/* what the lists say about this version */
	const struct match_entry *denied_name, *denied_version, *exclude;
	const struct approval *root; /* that approves this version; the one that lasts longest */
	bool root_name;              /* the name is an approved root, be it of other versions */
	size_t exemptions[EXEMPTIONS_SEEN];
	size_t exemption_count;
	uint32_t exempt_listed; /* one bit a rule */
	uint32_t spoken;        /* likewise: rules that are not off and have something against it, lifted or not */
};

/* A rule speaks against the version: put it down, unless it is off or an exemption lifts it. `detail` follows the sentence. */
void speak(struct deciding *c, struct reason reason, struct str detail);
/* The same where a line of `advisories.ignore` looks away from the advisory: nothing is refused, and the line is shown. */
void speak_ignored(struct deciding *c, struct reason reason, const struct advisory_ignore *line);
/* The time may change the decision. */
void change_at(struct deciding *c, usec time);
/* Where a line stands, when texts are made. */
struct str source_text(struct deciding *c, const struct policy_source *source);

/* decide_identity.c: what the version is, and what became of it. */
void judge_identity(struct deciding *c);
void judge_lists(struct deciding *c);
void judge_state(struct deciding *c);
/* decide_advisories.c */
void judge_advisories(struct deciding *c);
/* Does an advisory name this version as its fix? *ret_id lives in the texts, or is empty without. */
bool is_security_fix(struct deciding *c, struct str *ret_id);
/* decide_approval.c: is the package wanted here, and is it the one that was meant? */
bool is_approved(struct deciding *c);
void judge_approval(struct deciding *c);
void judge_publishers(struct deciding *c);
/* decide_delays.c: what the version gained, and its cooldown, which comes last. */
void judge_gains(struct deciding *c);
void judge_cooldown(struct deciding *c);

#endif
