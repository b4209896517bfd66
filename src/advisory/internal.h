/* What the files of this folder share. Nothing outside src/advisory includes it. */
#ifndef BONDGATE_ADVISORY_INTERNAL_H
#define BONDGATE_ADVISORY_INTERNAL_H

#include "advisory/advisory.h"
#include "base/buf.h"
#include "base/map.h"
#include "codec/nuget_version.h"
#include "codec/semver.h"

/* One OSV record, without what nobody asks for. */
struct record {
	enum advisory_kind kind;
	enum severity severity;
	struct str id, summary, url;
	usec published;
};

/* ---- version.c ---- */

struct version {
	bool ordered;    /* it could be read; else only `text` says something */
	enum ecosystem ecosystem;
	struct semver semver;
	struct nuget_version nuget;
	struct str text; /* normalized: equal versions share it ("v1.2" and "1.2.0") */
};

/* Reads a version as this ecosystem writes it. When it is `ordered`, everything in it lives in the arena; else `text` is the one
 * given, trimmed. */
void version_read(struct arena *a, enum ecosystem e, struct str text, struct version *ret);
/* Both ordered, and of one ecosystem. */
int version_compare(const struct version *a, const struct version *b);

/* ---- interval.c: OSV's events as intervals of versions ---- */

enum interval_end { INTERVAL_OPEN, INTERVAL_FIXED /* exclusive */, INTERVAL_LAST /* inclusive */, INTERVAL_LIMIT /* exclusive */ };

struct interval {
	struct interval *next;
	bool from_zero; /* from the first version on; else from `from`, inclusive */
	struct version from, to;
	enum interval_end end;
	struct str to_text; /* as the record writes it */
};

enum event_kind { EVENT_INTRODUCED, EVENT_FIXED, EVENT_LAST_AFFECTED, EVENT_LIMIT };

struct event {
	enum event_kind kind;
	bool zero; /* introduced: "0" */
	struct version version;
	struct str text;
};

/* The events of one range (they are put in order) as a list in the arena, put in front of `next`. Look at
 * arena_failed() afterwards. */
struct interval *intervals_make(struct arena *a, struct event *events, size_t count, struct interval *next);
bool interval_holds(const struct interval *i, const struct version *v);
/* Does it hold every version there is? */
bool interval_is_all(const struct interval *i);
/* As an npm range, in the order of the list: "<1.2.0 || >=2.0.0 <2.1.0". */
void intervals_format(const struct interval *list, struct buf *out);

/* ---- cvss.c ---- */

/* The base score of a CVSS 3.0 or 3.1 vector in tenths (98 for 9.8), or -EINVAL. */
int cvss3_score(struct str vector);
enum severity severity_of_score(int tenths);

/* ---- index.c ---- */

struct listed {
	struct listed *next;
	struct str *versions; /* normalized, sorted by bytes */
	size_t count;
};

/* What one record says of one package. */
struct affected {
	struct affected *next; /* of the same package, another record */
	struct affected *of_record; /* of the same record, another package */
	struct package *package;
	const struct record *record;
	struct interval *intervals;
	struct listed *listed;
	bool all; /* every version: malware of which nothing more is said */
	struct str range; /* all of it as an npm range */
};

struct package {
	struct str name; /* as the index knows it: NuGet's in lower case */
	enum ecosystem ecosystem;
	struct affected *first;
};

struct advisories {
	_Atomic unsigned refs;
	struct arena *arena;
	struct map packages[2]; /* by ecosystem */
	uint64_t digest;
};

/* The entry of `record` for this package, made when missing; new ones are put in front of *of_record. NULL: no memory. */
struct affected *index_affected(struct advisories *a, enum ecosystem e, struct str name, const struct record *record,
                                struct affected **of_record);

/* Takes the entries of a record out again, which was the last one put in. */
void index_forget(struct affected *of_record);

/* ---- osv.c ---- */

struct problem {
	const char *text; /* static; NULL: none */
	const char *where;
};

/* Reads one record into the index. 0, -EBADMSG with *ret_problem, or -ENOMEM. */
int osv_read(struct advisories *a, struct str json, struct problem *ret_problem);

#endif
