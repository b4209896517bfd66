/* How a packument becomes a kept document, step by step (build.c calls them in this order):
 *   build_read.c     the raw JSON, once, into drafts, times and tags; build_version.c reads one version object, build_trust_read.c what
 *                    it says of who made it and what it brings along
 *   build_file.c     which file name each version answers to
 *   build_history.c  what the snapshots before know: ghosts, first seen, pins of hashes, moved tags (rules 4, 5, 6, 8)
 *   build_trust.c    what each version gained against those before it; build_continuity.c who published them, and whether that changed
 *   build_write.c    tail and header; build_write_trust.c the lists of dependencies
 * Nothing here is seen outside of this folder. */
#ifndef BONDGATE_REGISTRY_NPM_BUILD_H
#define BONDGATE_REGISTRY_NPM_BUILD_H

#include "base/map.h"
#include "codec/json.h"
#include "registry/npm/document.h"

/* Lists that grow are buffers of items; a pointer into one is good until the next push. */
#define LIST_COUNT(buf, type) ((buf)->n / sizeof(type))
#define LIST_AT(buf, type, index) ((type *)(void *)(buf)->p + (index))
#define LIST_PUSH(buf, type) \
	({ \
		type *pushed_ = (type *)buf_reserve((buf), sizeof(type)); \
		if (pushed_) { \
			memset(pushed_, 0, sizeof(type)); \
			(buf)->n += sizeof(type); \
		} \
		pushed_; \
	})

enum { TRUST_SCRIPTS = 3 }; /* preinstall, install, postinstall */

/* Texts that versions share, and of each version a run of their numbers. */
enum { SYMBOLS_DEPENDENCY /* real names */, SYMBOLS_COMMAND, SYMBOLS_REMOTE /* "name (address)" */, SYMBOLS_KINDS };

struct symbol {
	struct str text;
	uint64_t stamp; /* which version was marked with it last */
};

struct symbol_table {
	struct buf symbols; /* struct symbol */
	struct buf lists;   /* uint32_t */
	struct map index;   /* text -> number + 1 */
};

struct symbol_list {
	size_t first; /* in symbol_table.lists */
	uint32_t n;
};

/* What one version says of who made it and what it brings along (build_trust_read.c), and what follows from it. */
struct trust_draft {
	struct str publisher, approver;
	struct str repository;             /* npm_repository() */
	struct str trusted_id;             /* "github": who vouched for the machine that published it; n == 0: a person did */
	struct str trusted_source;         /* "github.com/org/repo": `repository`, where the id can stand for it */
	struct str signatures;             /* dist.signatures as the upstream wrote it */
	struct str scripts[TRUST_SCRIPTS]; /* raw, between the quotes */
	bool provenance, gypfile, told_script, platform;
	struct symbol_list lists[SYMBOLS_KINDS];
	usec time;                                 /* published; 0: nothing is known of it, so it counts as old */
	uint32_t line;                             /* lines have numbers in their order */
	struct str archive_script, archive_binary; /* what only the archive showed, from the store */
	/* What follows. */
	uint32_t gained_dependencies;
	struct str continuity, install_script_gained, binary_gained, remote_gained;
	bool native_expected;
	int signature;
};

struct draft {
	struct str key; /* decoded */
	struct str entry, object, tarball_raw;
	size_t abbreviated_at, abbreviated_n, abbreviated_tarball_at; /* in the tail; a ghost's still has to be copied there: */
	struct str ghost_abbreviated;
	struct str tarball, integrity, shasum;
	struct str file, file_url;
	struct semver semver;
	bool description_of_placeholder; /* it calls itself a security holding package */
	unsigned flags;                  /* RECORD_… */
	size_t first_pin;
	uint32_t pin_count;
	struct str time_entry; /* `"1.2.3":"2026-…"` as the upstream wrote it; n == 0: it must be made */
	usec given_time;       /* what the upstream says now; 0: nothing readable */
	usec published, upstream_time, first_seen, lacked_at, gone_at;
	struct str hash_first, mismatch;
	bool tagged; /* some tag of this snapshot points to it */
	struct trust_draft trust;
};

struct time_item {
	struct str raw_key;
	struct str entry;
	usec time;
};

struct tag_item {
	struct str tag, target;
	struct str former;
	usec since, hold_from;
};

struct builder {
	const struct npm_build *input;
	struct str file;
	struct arena *arena;
	struct buf *tail;
	struct err *err;
	struct npm_changes *changes;
	struct json_reader reader;
	struct json_keys *version_keys, *member_keys, *dist_keys; /* one set an open level */
	struct buf drafts;                                        /* struct draft */
	struct buf pins;                                          /* struct npm_pin */
	struct buf times;                                         /* struct time_item */
	struct buf tags;                                          /* struct tag_item */
	struct buf others;                                        /* struct str: runs of members to copy */
	struct buf left_out;                                      /* struct str: decoded keys of versions that were left out */
	struct buf notes, withdrawn, changed_hashes;              /* struct str */
	size_t notes_dropped;
	struct symbol_table tables[SYMBOLS_KINDS];
	uint64_t stamp;                          /* of the version at hand; counted up for each */
	struct str last_repository, last_normal; /* the raw value read last and what it became: versions repeat it */
	struct map by_key;                       /* decoded version -> draft index + 1, or LEFT_OUT */
	bool other_follows, had_name, had_versions;
	struct str created, modified_text; /* raw, in quotes */
	usec created_time, modified_time;
	bool placeholder;
	bool description_of_placeholder; /* the document's own description says so */
};

#define LEFT_OUT ((void *)UINTPTR_MAX)

/* Reads the raw JSON. 0, -EBADMSG, -EFBIG, -ENOMEM with the sentence in b->err. */
int build_read(struct builder *b);
/* One member of `versions`, the reader at its value. A draft is pushed, or a note says why the version is left out. */
void build_read_version(struct builder *b, struct str raw_key);
/* The same for a version that only the document before has: `object` is read again, and what it says of trust put into `d`. */
void build_reread_version(struct builder *b, struct draft *d);
/* Members of a version object that say whom it comes from; the reader stands at the value. */
void build_read_user(struct builder *b, struct trust_draft *t);
void build_read_repository(struct builder *b, struct trust_draft *t);
void build_read_attestations(struct builder *b, struct trust_draft *t);
/* Members that say what it brings along; the values are slices of raw JSON. */
void build_note_script(struct trust_draft *t, struct str raw_name, struct str value);
void build_note_bin(struct builder *b, struct trust_draft *t, struct str value);
void build_note_dependency(struct builder *b, struct trust_draft *t, struct str name, struct str spec);
/* What can be said only once the whole object was read. */
void build_finish_trust(struct trust_draft *t);
/* Starts the lists of another version; or forgets those of the one that was read last. */
void build_begin_trust(struct builder *b, struct trust_draft *t);
void build_drop_trust(struct builder *b, const struct trust_draft *t);
/* Versions of the document before that are not in the raw JSON any more join the drafts (rule 8). */
int build_ghosts(struct builder *b);
int build_files(struct builder *b);
int build_history(struct builder *b);
/* Parts of the history (build_tags.c): which versions this snapshot's tags point to, and once the versions are dated, the tags against
 * those of the snapshots before (rule 6). */
void build_mark_tagged(struct builder *b);
int build_tag_history(struct builder *b, const struct map *seen_versions);
/* What every version gained against the one before it in its line; also numbers the lines and sets the times. */
int build_trust(struct builder *b);
/* Are they signed by the registry? What was verified with the same keys in the document before is not verified again. */
void build_signatures(struct builder *b);
/* Whether it was published by those, and in the way, that the releases before it were. */
int build_continuity(struct builder *b);
/* A version that was taken back soon after its publication is no history to compare others with. */
bool build_counts(const struct draft *d);
/* A short text for people out of strangers' bytes: printable ASCII, "?" for the rest, cut at the end. */
struct trust_text {
	char bytes[161];
	size_t n;
};
void build_text_add(struct trust_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct str build_text_keep(struct builder *b, const struct trust_text *t);
int build_write(struct builder *b, char *header);
/* The table of every draft's dependencies into the tail, one that several have only once. */
struct record;
int build_write_dependencies(struct builder *b, struct record *records, size_t count);
/* Where the text stands in the file; what does not stand there yet is put into the tail. */
struct ref build_place(struct builder *b, struct str s);

/* Fills by_key anew from drafts and left_out. */
int build_index(struct builder *b);
/* The draft of a version, or NULL. */
struct draft *build_find(const struct builder *b, struct str key);
/* A sentence about an oddity; only the first ones are kept. */
void build_note(struct builder *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A sentence into one of the lists of struct str. */
void build_say(struct builder *b, struct buf *list, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Decoded, in the arena where it holds escapes; a failure to allocate shows in the arena. */
struct str build_decode(struct builder *b, struct str raw);

#endif
