/* How a packument becomes a kept document, step by step (build.c calls them in this order):
 *   build_read.c     the raw JSON, once, into drafts, times and tags; build_version.c reads one version object
 *   build_file.c     which file name each version answers to
 *   build_history.c  what the snapshots before know: ghosts, first seen, pins of hashes, moved tags (rules 4, 5, 6, 8)
 *   build_write.c    tail and header
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
	struct map by_key; /* decoded version -> draft index + 1, or LEFT_OUT */
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
/* Versions of the document before that are not in the raw JSON any more join the drafts (rule 8). */
int build_ghosts(struct builder *b);
int build_files(struct builder *b);
int build_history(struct builder *b);
/* Parts of the history (build_tags.c): which versions this snapshot's tags point to, and once the versions are dated, the tags against
 * those of the snapshots before (rule 6). */
void build_mark_tagged(struct builder *b);
int build_tag_history(struct builder *b, const struct map *seen_versions);
int build_write(struct builder *b, char *header);

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
