/* What `bondgate simulate` counts and prints: one tally, fed from receipts, from access logs or from a project. */
#ifndef BONDGATE_CMD_SIMULATE_H
#define BONDGATE_CMD_SIMULATE_H

#include "base/arena.h"
#include "base/map.h"
#include "cmd/open.h"
#include "policy/replay.h"
#include "store/store.h"

enum { TALLY_WHOM = 64 /* receivers of one change that are told apart */ };

struct tally_whom {
	struct tally_whom *next;
	struct str project, identity, client;
	size_t count;
};

/* One way in which something would be otherwise. */
struct tally_change {
	enum replay_outcome outcome;
	enum ecosystem ecosystem;
	struct str name, version, rule, was, now, sentence;
	size_t count, others; /* `others`: for receivers past TALLY_WHOM */
	usec first, last;
	struct tally_whom *whom;
	size_t whom_count;
};

struct tally {
	struct arena *arena;
	struct map by_key;
	struct tally_change **changes;
	size_t change_count, change_room;
	size_t outcomes[REPLAY_OUTCOME_COUNT];
	size_t decisions, asked_for; /* `asked_for`: of all that was looked at, what --team leaves */
	usec first, last;
	/* Of access logs and projects: */
	size_t lines, lines_broken, lines_other, lines_not_served, unknown;
	struct str unknown_example; /* why the first of them is not known */
};

/* One decision and what the policy says of it now. */
struct tally_entry {
	enum ecosystem ecosystem;
	struct str name, version, was;
	struct str project, identity, client;
	usec at;
};
int tally_add(struct tally *t, const struct tally_entry *e, const struct replay *r);
bool tally_changes(const struct tally *t);

struct tally_text {
	struct str policy; /* the file, or "the built-in policy" */
	struct str what;   /* "decisions", "requests of access.log", "packages of package-lock.json" */
	struct str given;  /* a sentence on what could not be known; may be empty */
	size_t rows;       /* 0: all */
};
void tally_print(struct tally *t, const struct tally_text *text);
void tally_json(struct tally *t, const struct tally_text *text);

/* ---- versions that are in no record: asked of the gate's documents, as `explain` does ---- */

struct versions;
/* `thread` is one of the opened gate. */
struct versions *versions_new(struct gate_thread *thread, struct rules *rules);
void versions_free(struct versions *v);
/* What the policy says of a version as of a time. 0; or the look-up's code with a sentence. Texts live in the arena. */
int versions_judge(struct versions *v, const struct purl *p, usec at, struct arena *a, struct replay *ret, struct err *err);

/* The three sources. 0 or negative errno. `team`: only what is for this label; empty: all. */
int simulate_evidence(struct gate *g, usec since, struct str team, struct tally *t, struct err *err);
int simulate_access_log(struct versions *v, const char *path, const char *format, usec since, struct tally *t, struct err *err);
int simulate_lockfile(struct versions *v, const char *path, struct tally *t, struct err *err);

#endif
