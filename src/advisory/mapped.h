/* The index as a file: what stands where in it, and reading it in place. All numbers are little-endian.
 *
 *	head          one struct mapped_head, its own checksum last
 *	sums          one XXH3-64 a block of MAPPED_BLOCK bytes, from `data` to the end; their checksum is in the head
 *	data          on a block's edge: sources, slots, packages, affected, records, names, blobs
 *
 * Slots are an open-addressing hash table: the upper half of a name's hash, and the number of its package plus one (0: free). The hash is
 * XXH3 with the head's random seed over the ecosystem's letter and the name. A package has a run of `affected`, each of which points into
 * the blob of a record. A blob is read with the cursor of wire.h; blob.c says what is in it.
 *
 * A file is trusted no further than its checksums, which anybody can make: every place and length is checked when it is used. */
#ifndef BONDGATE_ADVISORY_MAPPED_H
#define BONDGATE_ADVISORY_MAPPED_H

#include "advisory/internal.h"

enum { MAPPED_VERSION = 1, MAPPED_BLOCK = 16 * 1024, MAPPED_SOURCES = 64, MAPPED_SOURCE_NAME = 48 };
#define MAPPED_MAGIC "BONDADVI"

struct mapped_section {
	uint64_t offset, bytes;
};

struct mapped_head {
	char magic[8];
	uint32_t version, block;
	uint64_t file_bytes, data; /* where the data begins */
	uint64_t seed, digest;
	int64_t built;                        /* usec */
	uint64_t records, withdrawn, malware; /* all of them; of these withdrawn; of the others malware */
	uint64_t packages[2];                 /* by ecosystem */
	uint64_t slots;                       /* a power of two */
	struct mapped_section sources_at, slots_at, packages_at, affected_at, records_at, names_at, blobs_at;
	uint64_t sums_sum, head_sum;
};

struct mapped_source {
	char name[MAPPED_SOURCE_NAME]; /* NUL-terminated */
	int32_t priority;
	uint32_t records;
	int64_t imported; /* usec */
};

struct mapped_package_row {
	uint64_t name; /* offset within names: the ecosystem's letter, then the name */
	uint32_t name_bytes, affected_count;
	uint64_t affected; /* number of the first */
};

struct mapped_affected_row {
	uint32_t record, at; /* offset within the record's blob */
};

struct mapped_record_row {
	uint64_t blob; /* offset within blobs */
	/* By ecosystem, of the text that its entries come from; 0: none did. Two files may each hold one ecosystem's part of a record, as OSV's
	 * per-ecosystem archives do. */
	uint64_t digests[2];
	int64_t modified[2];
	int64_t published;
	uint32_t blob_bytes, source;
	int16_t score;
	uint8_t kind, severity, withdrawn, reserved[3];
};

static inline int64_t mapped_modified(const struct mapped_record_row *r)
{
	return r->modified[0] > r->modified[1] ? r->modified[0] : r->modified[1];
}

/* The letter in front of a package's name. */
static inline char mapped_letter(enum ecosystem e)
{
	return e == ECOSYSTEM_NPM ? 'n' : 'u';
}

struct mapped;

/* Does the file begin like one? */
bool mapped_is_index(const char *path);
/* As advisories_open. */
int mapped_open(const char *path, struct mapped **ret, struct err *err);
/* The same of bytes that are there already and live as long. They must be aligned to 8. */
int mapped_over(struct str bytes, const char *name, struct mapped **ret, struct err *err);
void mapped_free(struct mapped *list);
void mapped_push(struct mapped **list, struct mapped *m);
const struct mapped *mapped_next(const struct mapped *m);
const struct mapped_head *mapped_head(const struct mapped *m);
uint64_t mapped_digest(const struct mapped *m);
int mapped_verify(const struct mapped *m, struct err *err);
bool mapped_damaged(const struct mapped *m);

struct mapped_package {
	bool damaged; /* nothing below can be said */
	uint64_t first;
	uint32_t count;
};

/* True also when it cannot be said, because the place is damaged. */
bool mapped_find(const struct mapped *m, enum ecosystem e, struct str name, struct mapped_package *ret);
void mapped_match(const struct mapped *m, const struct mapped_package *p, const struct version *v, usec at, struct hits *h);
/* What cannot be read is no fix: a damaged place clears nothing. */
void mapped_fixes(const struct mapped *m, const struct mapped_package *p, const struct version *v, usec at, struct fix *f);

/* For listing and for building upon it: NULL, or false, when the place is damaged. */
const struct mapped_record_row *mapped_record(const struct mapped *m, uint64_t number);
const struct mapped_source *mapped_source(const struct mapped *m, uint64_t number);
bool mapped_blob(const struct mapped *m, const struct mapped_record_row *row, struct str *ret);

/* ---- blob.c: one record as bytes ---- */

/* The record's texts and its entries; what is in the row is not in it. */
void blob_write(struct buf *out, const struct record *r, const struct affected *of_record);
/* The head of one, its entries, and of another those entries whose ecosystem the first has none of. False when either is no blob. */
bool blob_merge(struct buf *out, struct str head, struct str first, struct str second);
/* The texts, as slices of the blob; the lists in the arena. False when it is no such blob or memory is out. */
bool blob_read_head(struct arena *a, struct str blob, struct record *ret, struct str *ret_rest);
/* The id alone. */
bool blob_read_id(struct str blob, struct str *ret);

struct blob_package {
	struct str key; /* the ecosystem's letter, then the name */
	enum ecosystem ecosystem;
	struct str range;
};
/* The entry at the beginning of `*rest`, which moves on. */
bool blob_skip_package(struct str *rest, struct blob_package *ret);
/* The entry at the beginning of `rest` against a version. False when it is no such entry. Allocates nothing. */
bool blob_judge(struct str rest, const struct version *v, struct blob_package *ret, struct verdict *ret_verdict);
/* How many entries follow a head. Moves on. */
bool blob_read_count(struct str *rest, uint64_t *ret);

#endif
