/* What the files of this folder share. Nothing outside src/advisory includes it. */
#ifndef BONDGATE_ADVISORY_INTERNAL_H
#define BONDGATE_ADVISORY_INTERNAL_H

#include "advisory/advisory.h"
#include "base/buf.h"
#include "base/map.h"
#include "codec/nuget_version.h"
#include "codec/semver.h"

/* One OSV record, without what nobody asks for. Of `as`, what depends on the package is empty. */
struct record {
	struct advisory as;
	bool withdrawn;
	int priority; /* of its source: where two say different things of one advisory, the higher one is heard */
};

/* A user's own files are heard before every feed. */
enum { PRIORITY_OWN = 1000 };

/* ---- version.c ---- */

struct version {
	bool ordered; /* it could be read; else only `text` says something */
	enum ecosystem ecosystem;
	struct semver semver;
	struct nuget_version nuget;
	struct str text; /* normalized: equal versions share it ("v1.2" and "1.2.0") */
};

/* Reads a version as this ecosystem writes it. When it is `ordered`, everything in it lives in the arena; else `text` is the one
 * given, trimmed. */
void version_read(struct arena *a, enum ecosystem e, struct str text, struct version *ret);
/* The same for a text that version_read normalized; it is not copied. */
void version_settle(enum ecosystem e, struct str text, struct version *ret);
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

/* The score of a vector in tenths (98 for 9.8), or -EINVAL: the base score of versions 2, 3.0 and 3.1; for 4.0 the one score that there is,
 * with whatever threat and environmental metrics the vector has. */
int cvss_score(struct str vector);
int cvss2_score(struct str vector); /* with or without parentheses around it */
int cvss3_score(struct str vector);
int cvss4_score(struct str vector);
enum severity severity_of_score(int tenths);

/* ---- index.c ---- */

struct listed {
	struct listed *next;
	struct str *versions; /* normalized, sorted by bytes */
	size_t count;
};

/* What one record says of one package. */
struct affected {
	struct affected *next;      /* of the same package, another record */
	struct affected *of_record; /* of the same record, another package */
	struct package *package;
	const struct record *record;
	struct interval *intervals;
	struct listed *listed;
	bool all;         /* every version: malware of which nothing more is said */
	struct str range; /* all of it as an npm range */
};

struct package {
	struct str name; /* as the index knows it: NuGet's in lower case */
	enum ecosystem ecosystem;
	struct affected *first;
};

struct mapped;
struct marks;

struct advisories {
	_Atomic unsigned refs;
	struct arena *arena;
	struct map packages[2]; /* by ecosystem */
	struct mapped *mapped;  /* a list */
	struct marks *marks;    /* NULL: none */
	uint64_t digest;
};

/* The package's name as an index knows it, in `room` when it has to be another. */
enum { NAME_ROOM = 256 };
struct str index_name(enum ecosystem e, struct str name, char room[static NAME_ROOM]);

/* The entry of `record` for this package, made when missing; new ones are put in front of *of_record. NULL: no memory. */
struct affected *index_affected(struct advisories *a, enum ecosystem e, struct str name, const struct record *record,
                                struct affected **of_record);

/* Takes the entries of a record out again, which was the last one put in. */
void index_forget(struct affected *of_record);

const struct package *index_find(const struct advisories *a, enum ecosystem e, struct str name);

/* ---- osv.c ---- */

struct problem {
	const char *text; /* static; NULL: none */
	const char *where;
};

/* Reads one record into the index. *ret_record (may be NULL) gets it, in the index's arena; a withdrawn one does not come into the index
 * and has no more than a head. *ret_affected (may be NULL): its entries. 0, -EBADMSG with *ret_problem, or -ENOMEM. */
int osv_read(struct advisories *a, struct str json, struct record **ret_record, struct affected **ret_affected,
             struct problem *ret_problem);

/* ---- load.c ---- */

/* Calls `record` for the text, or for each item when it is an array, until it returns not 0, which is then the result. An array that ends
 * badly is *ret_problem; its records before that were given. */
int osv_each(struct str text, int (*record)(void *arg, struct str json), void *arg, struct problem *ret_problem);
/* By which one text of a record is told from another. */
uint64_t osv_digest(struct str json);

/* ---- match.c ---- */

/* One record that concerns the version in question. */
struct hit {
	const struct record *record;
	struct str fixed, range;
};

struct hits {
	struct arena *arena;
	struct hit *list;
	size_t count, room;
};

/* False when memory is out. */
bool hits_add(struct hits *h, struct hit hit);
/* Instead of what could not be read. */
bool hits_add_damage(struct hits *h);

/* Whether an entry holds a version, put together interval by interval. */
struct verdict {
	bool holds;
	bool ends_here; /* the version in question is the one that an interval names as its fix */
	bool has_fix;
	struct version fix;  /* the lowest version that ends an interval that holds the one in question */
	struct str fix_text; /* as the record writes it */
};
void verdict_add(struct verdict *d, const struct interval *i, const struct version *v);

/* The worst vulnerability that names a version as its fix; no id: none so far. */
struct fix {
	struct str id; /* lives as long as the record does */
	enum severity severity;
};
void fix_add(struct fix *f, struct str id, enum severity severity);
/* Makes one advisory of each group of hits that are one by their names, the worst first. The count; *ret is NULL when memory is out. */
size_t hits_join(struct arena *out, const struct hit *hits, size_t count, struct advisory **ret);

#endif
