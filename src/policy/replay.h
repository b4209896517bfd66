/* Looking back: what a policy says about something that was decided before, held against what was recorded then. Pure: the facts, the time and
 * the record come in as arguments. */
#ifndef BONDGATE_POLICY_REPLAY_H
#define BONDGATE_POLICY_REPLAY_H

#include "policy/decide.h"

/* A decision in the words of the evidence: "allow"; "allow exempt RULE" where an exception was used; "report hold RULE" where a rule in mode
 * `report` would have refused (DESIGN rule 12); "hold RULE", "deny RULE". *ret_detail (may be NULL) gets the sentence of the reason named. A
 * report about what the walk from the approved roots may still clear is passed over: nobody is told of what is not known yet. */
struct str decision_words(const struct decision *d, const struct version_facts *facts, struct arena *a, struct str *ret_detail);

enum replay_outcome {
	REPLAY_SAME,         /* the same words */
	REPLAY_OTHER_REASON, /* served and served, or refused and refused, for another reason */
	REPLAY_WOULD_REFUSE, /* was served and would be refused */
	REPLAY_WOULD_SERVE,  /* was refused and would be served */
	REPLAY_NOT_OF_POLICY, /* refused for what no policy decides: bytes that do not fit, a disk that is full, gone upstream and not in the cache */
	REPLAY_WITHOUT_FACTS, /* recorded before facts were kept, or unreadable ones */
	REPLAY_REACH_UNKNOWN, /* the policy wants to know which root needs it, and the walk from the roots had not ended then or was not made */
	REPLAY_WHOLE_PACKAGE, /* a package of which no version was cleared: no one version was decided on */
	REPLAY_OUTCOME_COUNT
};
const char *replay_outcome_name(enum replay_outcome o); /* "would-refuse" … */

struct replay {
	enum replay_outcome outcome;
	struct decision decision; /* by the policy asked; not for the outcomes that were not judged */
	struct str words;         /* of it */
	enum reason_code rule; /* the rule that makes the difference: that refuses now, or that refused then (REASON_CODE_COUNT: not known) */
};

/* `facts`: the record's, decided on as of `at`; their `resembles` is asked anew of this policy. `served`: it was a receipt. `words`: what the evidence says
 * of the decision then. Texts of the result live in the arena. */
void replay_decision(const struct policy *p, const struct version_facts *facts, usec at, bool served, struct str words, struct arena *a,
                     struct replay *ret);

/* The same from a record's texts; `facts_json` may be empty, `version` empty for a whole package. */
void replay_record(const struct policy *p, struct str facts_json, struct str version, usec at, bool served, struct str words,
                   struct arena *a, struct replay *ret);

#endif
