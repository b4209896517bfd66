/* Laying an index out (mapped.h says how), and writing it block by block with a checksum each. */
#include "advisory/build.h"

#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/limits.h"

/* ---- packages ---- */

struct entry {
	uint32_t package, record, at;
};

struct layout {
	struct str *names; /* by package */
	uint32_t *counts;
	size_t package_count, package_room;
	struct entry *entries; /* in the order of the records */
	size_t entry_count, entry_room;
	struct map by_name; /* -> number + 1 */
	struct mapped_affected_row *affected;
	uint64_t *slots;
	struct mapped_head head;
};

static void layout_free(struct layout *l)
{
	free(l->names);
	free(l->counts);
	free(l->entries);
	map_free(&l->by_name);
	free(l->affected);
	free(l->slots);
}

static bool grow_packages(struct layout *l)
{
	size_t room = l->package_room ? 2 * l->package_room : 4096;
	struct str *names = realloc(l->names, room * sizeof(*names));
	uint32_t *counts;

	if (!names)
		return false;
	l->names = names;
	counts = realloc(l->counts, room * sizeof(*counts));
	if (!counts)
		return false;
	l->counts = counts;
	l->package_room = room;
	return true;
}

/* The package's number plus one; 0 without memory. */
static uintptr_t number_of(struct layout *l, struct str key)
{
	uintptr_t number = (uintptr_t)map_get(&l->by_name, key);

	if (number)
		return number;
	if (l->package_count == l->package_room && (l->package_room > UINT32_MAX / 4 || !grow_packages(l)))
		return 0;
	l->names[l->package_count] = key;
	l->counts[l->package_count] = 0;
	l->head.packages[key.p[0] == mapped_letter(ECOSYSTEM_NPM) ? ECOSYSTEM_NPM : ECOSYSTEM_NUGET]++;
	number = ++l->package_count;
	return map_put(&l->by_name, key, (void *)number) < 0 ? 0 : number; // NOLINT(performance-no-int-to-ptr)
}

static int add_entry(struct layout *l, struct str key, uint32_t record, uint32_t at)
{
	uintptr_t number = number_of(l, key);

	if (!number)
		return -ENOMEM;
	if (l->entry_count == l->entry_room) {
		size_t room = l->entry_room ? 2 * l->entry_room : 4096;
		struct entry *longer = realloc(l->entries, room * sizeof(*longer));

		if (!longer)
			return -ENOMEM;
		l->entries = longer;
		l->entry_room = room;
	}
	l->counts[number - 1]++;
	l->entries[l->entry_count++] = (struct entry){(uint32_t)(number - 1), record, at};
	return 0;
}

static int add_packages(struct layout *l, const struct built *record, uint32_t number)
{
	CLEANUP_ARENA struct arena *a = arena_new(16 * MIB);
	struct blob_package package;
	struct record head;
	struct str rest;
	uint64_t count;

	if (!a)
		return -ENOMEM;
	if (!blob_read_head(a, record->blob, &head, &rest) || !blob_read_count(&rest, &count))
		return -EBADMSG;
	for (uint64_t i = 0; i < count; i++) {
		uint32_t at = (uint32_t)(rest.p - record->blob.p);
		int r = blob_skip_package(&rest, &package) ? add_entry(l, package.key, number, at) : -EBADMSG;

		if (r < 0)
			return r;
	}
	return 0;
}

/* The entries of a package side by side. */
static int sort_entries(struct layout *l)
{
	uint32_t *next = calloc(l->package_count + 1, sizeof(*next));
	uint32_t at = 0;

	l->affected = calloc(l->entry_count + 1, sizeof(*l->affected));
	if (!next || !l->affected) {
		free(next);
		return -ENOMEM;
	}
	for (size_t i = 0; i < l->package_count; i++) {
		next[i] = at;
		at += l->counts[i];
	}
	for (size_t i = 0; i < l->entry_count; i++)
		l->affected[next[l->entries[i].package]++] = (struct mapped_affected_row){l->entries[i].record, l->entries[i].at};
	free(next);
	return 0;
}

/* At most half of the slots are taken, so that a name that is not there is known so after one or two looks. */
static int fill_slots(struct layout *l)
{
	uint64_t slots = 64;

	while (slots < 2 * l->package_count)
		slots *= 2;
	l->slots = calloc(slots, sizeof(*l->slots));
	if (!l->slots)
		return -ENOMEM;
	l->head.slots = slots;
	for (size_t i = 0; i < l->package_count; i++) {
		uint64_t hash = XXH3_64bits_withSeed(l->names[i].p, l->names[i].n, l->head.seed), at = hash & (slots - 1);

		while (l->slots[at])
			at = (at + 1) & (slots - 1);
		l->slots[at] = (hash & 0xffffffff00000000) | (i + 1);
	}
	return 0;
}

/* ---- places ---- */

static void place(struct mapped_section *s, uint64_t *at, uint64_t bytes)
{
	*s = (struct mapped_section){*at, bytes};
	*at = (*at + bytes + 7) & ~(uint64_t)7;
}

static void place_all(struct builder *b, struct layout *l)
{
	struct mapped_head *h = &l->head;
	uint64_t names = 0, blobs = 0, at = 0, blocks;

	for (size_t i = 0; i < l->package_count; i++)
		names += l->names[i].n;
	for (size_t i = 0; i < b->count; i++) {
		b->records[i].row.blob = blobs;
		blobs += b->records[i].blob.n;
	}
	/* First as if the data began at 0: its length says how many sums stand before it. */
	for (int round = 0; round < 2; round++) {
		place(&h->sources_at, &at, b->source_count * sizeof(struct mapped_source));
		place(&h->slots_at, &at, h->slots * sizeof(uint64_t));
		place(&h->packages_at, &at, l->package_count * sizeof(struct mapped_package_row));
		place(&h->affected_at, &at, l->entry_count * sizeof(struct mapped_affected_row));
		place(&h->records_at, &at, b->count * sizeof(struct mapped_record_row));
		place(&h->names_at, &at, names);
		place(&h->blobs_at, &at, blobs);
		if (round == 1)
			break;
		blocks = (at + MAPPED_BLOCK - 1) / MAPPED_BLOCK;
		h->data = (sizeof(*h) + blocks * sizeof(uint64_t) + MAPPED_BLOCK - 1) / MAPPED_BLOCK * MAPPED_BLOCK;
		at = h->data;
	}
	h->file_bytes = at;
}

static void count_records(struct builder *b, struct mapped_head *h)
{
	h->records = b->count;
	for (size_t i = 0; i < b->source_count; i++)
		b->sources[i].records = 0;
	for (size_t i = 0; i < b->count; i++) {
		const struct mapped_record_row *r = &b->records[i].row;

		b->sources[r->source].records++;
		h->withdrawn += r->withdrawn;
		h->malware += !r->withdrawn && r->kind == ADVISORY_MALWARE;
		/* The same records of sources of other priorities may answer otherwise. */
		h->digest += r->digests[0] + 3 * r->digests[1] + (uint64_t)b->sources[r->source].priority * 0x9e3779b97f4a7c15u;
	}
}

/* ---- writing ---- */

struct output {
	int fd;
	int error;
	uint64_t at; /* where the block that is filled begins */
	size_t used;
	uint64_t *sums;
	size_t sum_count;
	char block[MAPPED_BLOCK];
};

static void write_at(struct output *o, const void *bytes, size_t n, uint64_t at)
{
	const char *p = bytes;

	while (n && !o->error) {
		ssize_t done = pwrite(o->fd, p, n, (off_t)at);

		if (done < 0 && errno != EINTR)
			o->error = -errno;
		if (done <= 0)
			continue;
		p += done;
		n -= (size_t)done;
		at += (uint64_t)done;
	}
}

static void flush_block(struct output *o)
{
	if (o->used == 0)
		return;
	o->sums[o->sum_count++] = XXH3_64bits(o->block, o->used);
	write_at(o, o->block, o->used, o->at);
	o->at += o->used;
	o->used = 0;
}

static void put(struct output *o, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n) {
		size_t part = n < MAPPED_BLOCK - o->used ? n : MAPPED_BLOCK - o->used;

		memcpy(o->block + o->used, p, part);
		o->used += part;
		p += part;
		n -= part;
		if (o->used == MAPPED_BLOCK)
			flush_block(o);
	}
}

static void align(struct output *o)
{
	static const char zeros[8];

	put(o, zeros, -o->used & 7);
}

static void put_packages(struct output *o, const struct layout *l)
{
	uint64_t name = 0, affected = 0;

	for (size_t i = 0; i < l->package_count; i++) {
		const struct mapped_package_row row = {name, (uint32_t)l->names[i].n, l->counts[i], affected};

		put(o, &row, sizeof(row));
		name += row.name_bytes;
		affected += row.affected_count;
	}
}

static void put_data(struct output *o, const struct builder *b, const struct layout *l)
{
	put(o, b->sources, b->source_count * sizeof(b->sources[0]));
	put(o, l->slots, l->head.slots * sizeof(*l->slots));
	put_packages(o, l);
	put(o, l->affected, l->entry_count * sizeof(*l->affected));
	for (size_t i = 0; i < b->count; i++)
		put(o, &b->records[i].row, sizeof(b->records[i].row));
	for (size_t i = 0; i < l->package_count; i++)
		put(o, l->names[i].p, l->names[i].n);
	align(o);
	for (size_t i = 0; i < b->count; i++)
		put(o, b->records[i].blob.p, b->records[i].blob.n);
	align(o);
	flush_block(o);
}

static int write_all(const struct builder *b, struct layout *l, int fd)
{
	struct mapped_head *h = &l->head;
	struct output *o = calloc(1, sizeof(*o));
	int r = -ENOMEM;

	if (o)
		o->sums = calloc((h->file_bytes - h->data) / MAPPED_BLOCK + 1, sizeof(*o->sums));
	if (o && o->sums) {
		o->fd = fd;
		o->at = h->data;
		put_data(o, b, l);
		h->sums_sum = XXH3_64bits(o->sums, o->sum_count * sizeof(*o->sums));
		h->head_sum = XXH3_64bits(h, offsetof(struct mapped_head, head_sum));
		write_at(o, o->sums, o->sum_count * sizeof(*o->sums), sizeof(*h));
		/* Last, so that what is half written is no index. */
		write_at(o, h, sizeof(*h), 0);
		r = o->error;
	}
	if (o)
		free(o->sums);
	free(o);
	return r;
}

int layout_write(struct builder *b, int fd, const char *path, struct err *err)
{
	CLEANUP(layout_free) struct layout l = {.head = {.version = MAPPED_VERSION, .block = MAPPED_BLOCK, .built = b->import->now}};
	int r = 0;

	memcpy(l.head.magic, MAPPED_MAGIC, sizeof(l.head.magic));
	if (getrandom(&l.head.seed, sizeof(l.head.seed), 0) != (ssize_t)sizeof(l.head.seed))
		r = -errno;
	for (size_t i = 0; i < b->count && r == 0; i++)
		r = add_packages(&l, &b->records[i], (uint32_t)i);
	r = r < 0 ? r : sort_entries(&l);
	r = r < 0 ? r : fill_slots(&l);
	if (r == 0) {
		count_records(b, &l.head);
		place_all(b, &l);
		r = write_all(b, &l, fd);
	}
	return r < 0 ? err_set(err, r, "cannot write %s: %s", path, err_name(r)) : 0;
}
