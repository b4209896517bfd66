/* Reading the index in place. Every piece is asked for by section, place and length; that they lie inside is checked each time, that the
 * blocks below are whole the first time. */
#include "advisory/mapped.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/file.h"

struct mapped {
	struct mapped *next;
	struct str bytes, to_unmap;
	const struct mapped_head *head;
	const uint64_t *sums;
	uint64_t blocks;
	_Atomic unsigned char *checked; /* one a block */
	_Atomic bool damaged;
};

const struct mapped *mapped_next(const struct mapped *m)
{
	return m->next;
}

const struct mapped_head *mapped_head(const struct mapped *m)
{
	return m->head;
}

uint64_t mapped_digest(const struct mapped *m)
{
	return m->head->digest;
}

void mapped_push(struct mapped **list, struct mapped *m)
{
	m->next = *list;
	*list = m;
}

void mapped_free(struct mapped *list)
{
	while (list) {
		struct mapped *next = list->next;

		file_unmap(list->to_unmap);
		free((void *)list->checked);
		free(list);
		list = next;
	}
}

bool mapped_damaged(const struct mapped *m)
{
	return atomic_load_explicit(&m->damaged, memory_order_relaxed);
}

/* ---- opening ---- */

bool mapped_is_index(const char *path)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	char magic[sizeof(MAPPED_MAGIC) - 1];

	return fd >= 0 && read(fd, magic, sizeof(magic)) == (ssize_t)sizeof(magic) && memcmp(magic, MAPPED_MAGIC, sizeof(magic)) == 0;
}

static bool section_fits(const struct mapped_head *h, const struct mapped_section *s, size_t row)
{
	return s->offset >= h->data && s->offset % 8 == 0 && s->offset <= h->file_bytes && s->bytes <= h->file_bytes - s->offset &&
	       s->bytes % row == 0;
}

/* What is wrong with the head, or NULL. Its checksum was right. */
static const char *check_head(const struct mapped_head *h, size_t bytes)
{
	uint64_t blocks;

	if (h->file_bytes != bytes)
		return bytes < h->file_bytes ? "it is cut short" : "something follows its end";
	if (h->block != MAPPED_BLOCK || h->data % MAPPED_BLOCK || h->data < sizeof(*h) || h->data > bytes)
		return "its head is not sound";
	blocks = (bytes - h->data + MAPPED_BLOCK - 1) / MAPPED_BLOCK;
	if (blocks > (h->data - sizeof(*h)) / sizeof(uint64_t))
		return "its head is not sound";
	if (!section_fits(h, &h->sources_at, sizeof(struct mapped_source)) || !section_fits(h, &h->slots_at, sizeof(uint64_t)) ||
	    !section_fits(h, &h->packages_at, sizeof(struct mapped_package_row)) ||
	    !section_fits(h, &h->affected_at, sizeof(struct mapped_affected_row)) ||
	    !section_fits(h, &h->records_at, sizeof(struct mapped_record_row)) || !section_fits(h, &h->names_at, 1) ||
	    !section_fits(h, &h->blobs_at, 1))
		return "its head is not sound";
	if (h->slots == 0 || (h->slots & (h->slots - 1)) || h->slots != h->slots_at.bytes / sizeof(uint64_t) ||
	    h->records != h->records_at.bytes / sizeof(struct mapped_record_row))
		return "its head is not sound";
	return NULL;
}

int mapped_over(struct str bytes, const char *name, struct mapped **ret, struct err *err)
{
	const struct mapped_head *h = (const void *)bytes.p;
	struct mapped *m;
	const char *problem;
	uint64_t blocks;

	if (bytes.n < sizeof(*h) || memcmp(h->magic, MAPPED_MAGIC, sizeof(h->magic)) != 0)
		return err_set(err, -EBADMSG, "%s is not an advisory index, or cut short: import again with bondgate feed import --fresh", name);
	if (h->version != MAPPED_VERSION)
		return err_set(
			err, -EPROTONOSUPPORT,
			"%s is an advisory index of version %u; this program reads version %d: import again with bondgate feed import --fresh", name,
			h->version, MAPPED_VERSION);
	problem = XXH3_64bits(h, offsetof(struct mapped_head, head_sum)) != h->head_sum ? "its head is damaged" : check_head(h, bytes.n);
	blocks = problem ? 0 : (bytes.n - h->data + MAPPED_BLOCK - 1) / MAPPED_BLOCK;
	if (!problem && XXH3_64bits(bytes.p + sizeof(*h), blocks * sizeof(uint64_t)) != h->sums_sum)
		problem = "its checksums are damaged";
	if (problem)
		return err_set(err, -EBADMSG, "the advisory index %s is damaged (%s): import again with bondgate feed import --fresh", name,
		               problem);
	m = calloc(1, sizeof(*m));
	if (m)
		m->checked = calloc(blocks ? blocks : 1, 1);
	if (!m || !m->checked) {
		free(m);
		return err_set(err, -ENOMEM, "no memory");
	}
	m->bytes = bytes;
	m->head = h;
	m->sums = (const void *)(bytes.p + sizeof(*h));
	m->blocks = blocks;
	*ret = m;
	return 0;
}

int mapped_open(const char *path, struct mapped **ret, struct err *err)
{
	struct str bytes;
	int r = file_map(path, &bytes, err);

	if (r < 0)
		return r;
	r = mapped_over(bytes, path, ret, err);
	if (r < 0)
		file_unmap(bytes);
	else
		(*ret)->to_unmap = bytes;
	return r;
}

/* ---- touching ---- */

static bool block_is_whole(const struct mapped *m, uint64_t number)
{
	uint64_t at = m->head->data + number * MAPPED_BLOCK, n = m->bytes.n - at;

	if (atomic_load_explicit(&m->checked[number], memory_order_relaxed))
		return true;
	if (XXH3_64bits(m->bytes.p + at, n < MAPPED_BLOCK ? n : MAPPED_BLOCK) != m->sums[number])
		return false;
	atomic_store_explicit(&m->checked[number], 1, memory_order_relaxed);
	return true;
}

static void *damage(const struct mapped *m)
{
	/* The one thing that reading changes. */
	atomic_store_explicit((_Atomic bool *)(uintptr_t)&m->damaged, true, memory_order_relaxed);
	return NULL;
}

/* `n` bytes at `offset` of a section, or NULL when they do not lie in it or a block below is damaged. */
static const void *touch(const struct mapped *m, const struct mapped_section *s, uint64_t offset, uint64_t n)
{
	uint64_t first, last;

	if (offset > s->bytes || n > s->bytes - offset)
		return damage(m);
	if (n == 0)
		return m->bytes.p;
	first = (s->offset + offset - m->head->data) / MAPPED_BLOCK;
	last = (s->offset + offset + n - 1 - m->head->data) / MAPPED_BLOCK;
	for (uint64_t i = first; i <= last; i++)
		if (!block_is_whole(m, i))
			return damage(m);
	return m->bytes.p + s->offset + offset;
}

int mapped_verify(const struct mapped *m, struct err *err)
{
	for (uint64_t i = 0; i < m->blocks; i++) {
		if (block_is_whole(m, i))
			continue;
		damage(m);
		return err_set(err, -EBADMSG, "the advisory index is damaged at byte %llu: import again with bondgate feed import --fresh",
		               (unsigned long long)m->head->data + i * (unsigned long long)MAPPED_BLOCK);
	}
	return 0;
}

static const void *row(const struct mapped *m, const struct mapped_section *s, uint64_t number, size_t size)
{
	return number < s->bytes / size ? touch(m, s, number * size, size) : damage(m);
}

const struct mapped_record_row *mapped_record(const struct mapped *m, uint64_t number)
{
	return row(m, &m->head->records_at, number, sizeof(struct mapped_record_row));
}

const struct mapped_source *mapped_source(const struct mapped *m, uint64_t number)
{
	const struct mapped_source *s = row(m, &m->head->sources_at, number, sizeof(struct mapped_source));

	return s && memchr(s->name, '\0', sizeof(s->name)) ? s : damage(m);
}

bool mapped_blob(const struct mapped *m, const struct mapped_record_row *r, struct str *ret)
{
	const char *p = touch(m, &m->head->blobs_at, r->blob, r->blob_bytes);

	*ret = (struct str){p, r->blob_bytes};
	return p != NULL;
}

/* ---- the questions ---- */

/* 1 when the package has this name, 0 when it has another, -1 when that cannot be said. */
static int is_named(const struct mapped *m, uint64_t number, struct str key, struct mapped_package *ret)
{
	const struct mapped_package_row *p = row(m, &m->head->packages_at, number, sizeof(*p));
	const char *name = p ? touch(m, &m->head->names_at, p->name, p->name_bytes) : NULL;

	if (!name)
		return -1;
	if (!str_eq(key, (struct str){name, p->name_bytes}))
		return 0;
	ret->first = p->affected;
	ret->count = p->affected_count;
	return 1;
}

bool mapped_find(const struct mapped *m, enum ecosystem e, struct str name, struct mapped_package *ret)
{
	char key[1 + NAME_ROOM], room[NAME_ROOM];
	struct str own = index_name(e, name, room);
	uint64_t hash, mask = m->head->slots - 1;

	*ret = (struct mapped_package){0};
	/* No name of a package is so long. */
	if (name.n > NAME_ROOM)
		return false;
	key[0] = mapped_letter(e);
	if (own.n)
		memcpy(key + 1, own.p, own.n);
	hash = XXH3_64bits_withSeed(key, 1 + own.n, m->head->seed);
	for (uint64_t i = 0; i <= mask; i++) {
		const uint64_t *slot = touch(m, &m->head->slots_at, ((hash + i) & mask) * sizeof(*slot), sizeof(*slot));
		int named;

		if (slot && *slot == 0)
			return false;
		if (slot && *slot >> 32 != hash >> 32)
			continue;
		named = slot ? is_named(m, (*slot & 0xffffffff) - 1, (struct str){key, 1 + own.n}, ret) : -1;
		if (named) {
			ret->damaged = named < 0;
			return true;
		}
	}
	return false;
}

/* False when this entry cannot be read. */
static bool match_one(const struct mapped *m, uint64_t number, const struct version *v, usec at, struct hits *h)
{
	const struct mapped_affected_row *a = row(m, &m->head->affected_at, number, sizeof(*a));
	const struct mapped_record_row *r = a ? mapped_record(m, a->record) : NULL;
	const struct mapped_source *source;
	struct blob_package package;
	struct verdict verdict;
	struct record *record;
	struct str blob, rest;

	if (!r)
		return false;
	if (at && r->published > at)
		return true;
	if (!mapped_blob(m, r, &blob) || !blob_judge(str_skip(blob, a->at), v, &package, &verdict))
		return false;
	if (!verdict.holds)
		return true;
	source = mapped_source(m, r->source);
	record = source && r->kind <= ADVISORY_MALWARE && r->severity <= SEVERITY_CRITICAL ? ARENA_NEW(h->arena, struct record) : NULL;
	if (!record)
		return false;
	*record = (struct record){
		.as = {.kind = r->kind, .severity = r->severity, .published = r->published, .modified = mapped_modified(r), .score = r->score},
		.priority = source->priority};
	return blob_read_head(h->arena, blob, record, &rest) &&
	       hits_add(h, (struct hit){record, verdict.has_fix ? verdict.fix_text : STR(""), package.range});
}

void mapped_match(const struct mapped *m, const struct mapped_package *p, const struct version *v, usec at, struct hits *h)
{
	bool bad = p->damaged;

	for (uint32_t i = 0; i < p->count && !bad; i++)
		bad = !match_one(m, p->first + i, v, at, h);
	if (bad) {
		/* The answer's arena may be at its end, which is no fault of the file. */
		if (!arena_failed(h->arena))
			damage(m);
		hits_add_damage(h);
	}
}

void mapped_fixes(const struct mapped *m, const struct mapped_package *p, const struct version *v, usec at, struct fix *f)
{
	for (uint32_t i = 0; i < p->count && !p->damaged; i++) {
		const struct mapped_affected_row *a = row(m, &m->head->affected_at, p->first + i, sizeof(*a));
		const struct mapped_record_row *r = a ? mapped_record(m, a->record) : NULL;
		struct blob_package package;
		struct verdict verdict;
		struct str blob, id;

		if (!r || r->kind != ADVISORY_VULNERABILITY || r->severity > SEVERITY_CRITICAL || r->withdrawn || (at && r->published > at))
			continue;
		if (mapped_blob(m, r, &blob) && blob_judge(str_skip(blob, a->at), v, &package, &verdict) && verdict.ends_here && !verdict.holds &&
		    blob_read_id(blob, &id))
			fix_add(f, id, (enum severity)r->severity);
	}
}
