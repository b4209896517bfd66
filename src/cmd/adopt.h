/* One run of `bondgate adopt`: what is locked, what the policy says of it today, what is written. adopt.c the command, adopt_read.c what is locked and
 * what projects name themselves, adopt_judge.c what the policy says, adopt_rewrite.c --rewrite-resolved. */
#ifndef BONDGATE_CMD_ADOPT_H
#define BONDGATE_CMD_ADOPT_H

#include "base/arena.h"
#include "cmd/open.h"
#include "cmd/options.h"
#include "cmd/scan.h"
#include "gate/explanation.h"
#include "policy/adopt.h"

/* One locked version, however many files lock it. */
struct adopt_version {
	struct adopt_version *next; /* of the same name */
	struct str version, file;
};

struct adopt_package {
	enum ecosystem ecosystem;
	struct str name, file;
	struct adopt_version *versions;
	bool root;
};

/* A version that was held: what it was judged by is kept, so that the policy written can be asked about it. */
struct adopt_held {
	struct clearance_result cleared;
	struct version_facts facts;
};

/* A sentence about a version. */
struct adopt_note {
	struct str text;
};

struct adopt_notes {
	struct adopt_note *array;
	size_t count, room;
};

struct adopt {
	struct open_options options;
	const char *output, *owner, *approved_by, *gate;
	bool offline, json, rewrite, dry_run;
	struct arena *arena;
	struct opened opened;
	struct gate_thread thread;
	struct rules *rules;
	struct scan scan;
	usec now;
	struct map by_name; /* "npm:name" -> struct adopt_package */
	struct adopt_package **packages;
	size_t package_count, package_room, version_count;
	struct adopted_exemption *exemptions;
	size_t exemption_count, exemption_room;
	struct adopted_root *roots;
	size_t root_count;
	struct adopt_held *held;
	size_t held_count, held_room;
	struct adopt_notes found;    /* what speaks against adopting at all */
	struct adopt_notes unknown;  /* what its registry does not have, or no registry serves */
	struct adopt_notes unjudged; /* what could not be asked for */
	size_t by_roots;             /* versions that are refused for not being approved, until their roots are */
	bool terminal;
};

/* Reads the files into packages. 0 or negative errno. */
int adopt_read(struct adopt *a, char **paths, int count, struct err *err);
/* Asks about all of them. 0 or negative errno. */
int adopt_judge(struct adopt *a, struct err *err);
/* --rewrite-resolved: the exit code. */
int adopt_rewrite(const struct adopt *a, char **paths, int count);

int adopt_note(struct adopt *a, struct adopt_notes *notes, struct str text);

#endif
