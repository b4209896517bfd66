/* What is needed to look back when a version turns out to be bad: who received it, who locks it, what is held back for a person, what was looked
 * after. The store knows no rule. Texts given are copied; texts handed out live during the call. 0 or negative errno with a sentence. */
#ifndef BONDGATE_STORE_RECALL_H
#define BONDGATE_STORE_RECALL_H

#include "store/store.h"

/* ---- versions that were handed out, each once ---- */

struct received {
	enum ecosystem ecosystem;
	struct str name, version, hash;
	usec first, last;
	int64_t receipts;
	int64_t projects; /* different ones: by label, where there is none by person, else by address */
};
/* Those of the receipts since `since` (0: all). */
int store_received(struct store *s, usec since, int (*each)(void *arg, const struct received *r), void *arg, struct err *err);

/* ---- the brake: advisories that do not count for a package until a person has looked ---- */

enum brake_state { BRAKE_PENDING, BRAKE_ACCEPTED /* it counts */, BRAKE_REJECTED /* it does not */ };
const char *brake_state_name(enum brake_state s);

struct braked {
	struct str advisory;
	enum ecosystem ecosystem;
	struct str name;
	int64_t projects; /* that received versions which it would have denied */
	usec since;
	enum brake_state state;
	struct str decided_by, note;
	usec decided;
};
/* Inserts it, or replaces what is kept of the same advisory and package. `act` (may be NULL) is evidence of the same transaction. */
int store_brake_put(struct store *s, const struct braked *b, const struct evidence *act, struct err *err);
int store_brakes(struct store *s, int (*each)(void *arg, const struct braked *b), void *arg, struct err *err);

/* ---- incidents: evidence of that kind, and whether somebody has looked after it ---- */

struct incident_end {
	int64_t seq; /* of the evidence */
	usec closed;
	struct str by, note;
};
/* -ENOENT when no incident has this number. */
int store_incident_close(struct store *s, const struct incident_end *end, const struct evidence *act, struct err *err);
int store_incident_ends(struct store *s, int (*each)(void *arg, const struct incident_end *end), void *arg, struct err *err);

/* ---- what projects lock, as their last recorded scan says ---- */

struct locked {
	struct str project;
	enum ecosystem ecosystem;
	struct str name, version, file;
	usec recorded;
};
/* Replaces what is kept of the project, all or nothing. `act` may be NULL. */
int store_locked_replace(struct store *s, struct str project, const struct locked *array, size_t count, const struct evidence *act,
                         struct err *err);
/* Of one version, or with an empty version of all of them; of all packages with an empty name. */
int store_locked(struct store *s, enum ecosystem e, struct str name, struct str version, int (*each)(void *arg, const struct locked *l),
                 void *arg, struct err *err);

#endif
