/* What every reader makes of a lockfile: packages, who needs whom, and where each stands in the file. Texts are slices of
 * the file's own bytes, which must outlive the lock, or live in its arena. */
#ifndef BONDGATE_SCAN_LOCK_H
#define BONDGATE_SCAN_LOCK_H

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "codec/json.h"
#include "codec/purl.h"

/* Where a package comes from. X(constant, "name") */
#define LOCK_SOURCES(X) \
	X(LOCK_REGISTRY, "registry") \
	X(LOCK_GIT, "git") \
	X(LOCK_HTTP, "http") \
	X(LOCK_FILE, "file") \
	X(LOCK_LINK, "link") \
	X(LOCK_WORKSPACE, "workspace") /* a member of this very project */ \
	X(LOCK_DECLARED, "declared")   /* named by a manifest, not locked: `version` is empty unless it is exact */ \
	X(LOCK_PROJECT, "project")     /* the project itself: where paths begin; not listed */

enum lock_source {
#define X(constant, name) constant,
	LOCK_SOURCES(X)
#undef X
};
const char *lock_source_name(enum lock_source s);

enum {
	LOCK_DEV = 1,
	LOCK_OPTIONAL = 2,
	LOCK_PEER = 4,
	LOCK_BUNDLED = 8,
	LOCK_HIDDEN = 16, /* only a way to another one that is listed, or overridden by a later entry */
	LOCK_SHOWN = 32,  /* list it although it is a LOCK_PROJECT: the file names it as a package with a version */
};

enum need_kind { NEED_PROD, NEED_DEV, NEED_OPTIONAL, NEED_PEER };

enum { LOCK_NONE = UINT32_MAX };

struct lock_package {
	enum ecosystem ecosystem;
	enum lock_source source;
	unsigned flags;
	uint32_t line;      /* set by lock_finish */
	uint32_t needs;     /* the first of its needs, or LOCK_NONE */
	uint32_t listed;    /* lock_list: its place in the list, which it shares with all of the same name and version; LOCK_NONE: not listed */
	uint32_t via;       /* lock_paths: who leads here on the shortest path; itself for a beginning; LOCK_NONE: nobody */
	struct str name;    /* the real one, never an alias */
	struct str version; /* may be empty: a git checkout that says none */
	struct str alias;   /* the name that the project gives it, when it is another one */
	struct str requested; /* LOCK_DECLARED: the range */
	struct str integrity; /* as written */
	struct str resolved;  /* where it was found: an address or a path */
	struct str licence;   /* as written, where the file says it */
	struct str key;       /* what the file itself calls this entry */
	const char *at;       /* where the entry stands in the text; NULL: nowhere */
};

struct lock_need {
	struct str name, spec;
	uint32_t to; /* the package that satisfies it; LOCK_NONE: not known */
	uint32_t next;
	enum need_kind kind;
};

enum { LOCK_WARNINGS = 8 };

struct lock {
	struct arena *arena;
	struct str text, file; /* `file` names it in messages */
	struct lock_package *packages;
	uint32_t count, room;
	struct lock_need *needs;
	uint32_t need_count, need_room;
	struct map by_key; /* key -> the last package that has it */
	struct str warnings[LOCK_WARNINGS];
	size_t warning_count; /* all of them, also those past the array */
	int error;            /* -ENOMEM, -EFBIG: sticky */
};

int lock_init(struct lock *l, struct str text, struct str file);
void lock_free(struct lock *l);

/* A new package of this name; the index, or LOCK_NONE when memory or the limit is reached (l->error says so). Pointers into
 * `packages` are good until the next one. A key that was there before is found no more: the last one counts. */
uint32_t lock_add(struct lock *l, struct str key, struct str name, const char *at);
uint32_t lock_find(const struct lock *l, struct str key);
/* One more key by which lock_find finds this package. */
void lock_also(struct lock *l, uint32_t at, struct str key);
/* Records that `from` needs `name` in a version that fits `spec`. */
void lock_need(struct lock *l, uint32_t from, struct str name, struct str spec, enum need_kind kind);
/* Says something that a person should know about the file. */
void lock_warn(struct lock *l, const char *at, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* "file:line: message". Returns -EBADMSG. `at` may be NULL. */
int lock_error(const struct lock *l, const char *at, struct err *err, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Ends reading JSON: the reader's own problem with file and line. 0, -EBADMSG, -EFBIG, -ENOMEM. */
int lock_json_finish(const struct lock *l, struct json_reader *r, struct err *err);
unsigned lock_line(const struct lock *l, const char *at);

/* Which package satisfies a need: the format's own rule, given to lock_link. */
typedef uint32_t lock_target(const struct lock *l, uint32_t from, const struct lock_need *need);
/* Fills in every lock_need.to. */
void lock_link(struct lock *l, lock_target *target);
/* Sets LOCK_DEV and LOCK_OPTIONAL by what is reachable from the projects, for formats that do not say it themselves. */
int lock_mark(struct lock *l);
/* Shortest ways from the projects, or where a file knows none, from what nobody needs: fills in `via`. */
int lock_paths(struct lock *l);
/* Fills in the lines. 0 or the sticky error as a message. */
int lock_finish(struct lock *l, struct err *err);

/* Is it part of what a list shows? */
bool lock_is_listed(const struct lock_package *p);
/* Where "git+ssh://…", "github:…", "https://…", "file:…" come from; LOCK_REGISTRY for a version or range. */
enum lock_source lock_source_of(struct str spec);
/* Cuts "name@version" or "@scope/name@version" at its @; false: there is none. */
bool lock_split_at(struct str text, struct str *ret_name, struct str *ret_version);

#endif
