/* The bytes of a kept packument behind its opaque handle: header, records and tables. Only packument.c, render.c and the
 * build_*.c files see them. Integers are little-endian because they are written as the host has them and the magic
 * number does not fit on a big-endian host; places are counted from the start of the file. */
#ifndef BONDGATE_REGISTRY_NPM_DOCUMENT_H
#define BONDGATE_REGISTRY_NPM_DOCUMENT_H

#include <assert.h>

#include "registry/npm/packument.h"

#define DOCUMENT_MAGIC UINT64_C(0x31444b50474e4f42) /* "BONGPKD1" on disk */

/* Counted up whenever anything below, or what the build puts there, changes. */
enum { DOCUMENT_FORMAT = 3 };

/* A slice of the file. */
struct ref {
	uint32_t at, n;
};

enum { SIGNATURE_LAST = 3 }; /* of the four values of trust_facts.signature */
enum { DOCUMENT_GONE = 1, DOCUMENT_PLACEHOLDER = 2 };

struct document_header {
	uint64_t magic;
	uint32_t format, flags;
	int64_t checked;
	uint64_t raw_n, tail_n;
	uint8_t raw_hash[16], tail_hash[16]; /* XXH3-128, canonical */
	uint64_t seed;                       /* of the hash tables: from content and moment, so that nobody can choose names that collide */
	int64_t first_published;
	int64_t modified; /* what the upstream calls the last change; 0: it says nothing readable */
	struct ref name, etag, last_modified;
	struct ref created, modified_text; /* "…" in quotes as the upstream wrote them; n == 0: absent */
	struct ref created_minute;         /* rounded up, for the abbreviated form */
	struct ref others;                 /* table of struct ref: `"key":value` runs copied into the full form */
	struct ref versions;               /* table of struct record; n is the count, in all tables */
	struct ref time_order;             /* table of uint32_t: version indexes in the order of the upstream's `time` */
	struct ref tags;                   /* table of struct tag_record */
	struct ref by_version, by_file;    /* tables of uint32_t, a power of two long: index + 1, or 0 where free */
	uint64_t keys_id;                  /* npm_keys_id() of those that signatures were verified with */
	uint64_t head_hash;                /* XXH3-64 of the header without this and `checked` */
};
static_assert(sizeof(struct document_header) <= NPM_DOCUMENT_HEADER, "the header has its room");
static_assert(offsetof(struct document_header, checked) == NPM_DOCUMENT_CHECKED_OFFSET, "the gate writes it in place");

enum {
	RECORD_SEMVER_OK = 1,
	RECORD_DEPRECATED = 2,
	RECORD_INSTALL_SCRIPT = 4,
	RECORD_GHOST = 8,
	RECORD_HASH_CHANGED = 16,
	RECORD_PROVENANCE = 32,
	RECORD_NATIVE_EXPECTED = 64,
};

struct record {
	struct ref version;
	struct ref entry;                                /* `"1.2.3":{…}` */
	struct ref object;                               /* `{…}`, the end of the entry */
	struct ref tarball_raw;                          /* what stands between the quotes of dist.tarball, inside the entry */
	struct ref abbreviated, abbreviated_tarball_raw; /* the same of the abbreviated form */
	struct ref file, file_url;                       /* file_url: percent-encoded, safe inside a JSON string */
	struct ref tarball, integrity, shasum, hash_first, mismatch;
	struct ref time, time_minute; /* `"1.2.3":"2026-…"`, full and rounded up */
	struct ref pins;              /* table of struct pin_record */
	struct ref publisher, trusted_publisher, approver, repository;
	struct ref continuity, install_script_gained, binary_gained, remote_gained;
	struct ref signatures;   /* dist.signatures, that were verified with the keys of the header */
	struct ref dependencies; /* table of struct dependency_record; versions share one */
	struct ref pre, build;   /* of the semver */
	uint64_t major, minor, patch;
	int64_t published, upstream_time, first_seen, lacked_at, gone_at;
	uint32_t flags, gained_dependencies;
	uint32_t signature, unused;
};

/* The name's text stands in front of the table, this far back from the item itself. */
struct dependency_record {
	uint32_t name_before_here, name_n;
};

/* An npm_version carries no way to the start of the file, so the places in here are counted from the pin itself. */
struct pin_record {
	int64_t name_from_here, version_from_here;
	uint32_t name_n, version_n;
	uint32_t optional, unused;
};

struct tag_record {
	struct ref tag, target, former;
	uint32_t unused[2];
	int64_t hold_from;
};

struct npm_packument {
	struct str file;
	struct document_header head;
	char raw_hash[33];
};

static inline struct str document_slice(const struct npm_packument *p, struct ref r)
{
	return (struct str){p->file.p + r.at, r.n};
}

/* The n-th item of a table, copied: the file need not be aligned. */
#define DOCUMENT_ITEM(document, table, type, index) \
	({ \
		type item_; \
		memcpy(&item_, (document)->file.p + (table).at + (size_t)(index) * sizeof(type), sizeof(type)); \
		item_; \
	})

uint64_t document_head_hash(const struct document_header *h);
uint64_t document_key_hash(uint64_t seed, struct str key);

#endif
