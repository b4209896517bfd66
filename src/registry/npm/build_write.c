/* The tail (texts, then tables) and the header. */
#include <xxhash.h>

#include "registry/npm/build.h"
#include "registry/npm/keys.h"

static const usec minute = USEC_MINUTE;

static uint32_t tail_base(const struct builder *b)
{
	return (uint32_t)b->file.n;
}

static uint32_t here(const struct builder *b)
{
	return (uint32_t)(b->file.n + b->tail->n);
}

/* Where the text stands in the file; what does not stand there yet is put into the tail. */
struct ref build_place(struct builder *b, struct str s)
{
	struct ref r = {here(b), (uint32_t)s.n};

	if (s.n == 0)
		return (struct ref){0, 0};
	if (s.p >= b->file.p && s.p < b->file.p + b->file.n)
		return (struct ref){(uint32_t)(s.p - b->file.p), (uint32_t)s.n};
	buf_add_str(b->tail, s);
	return r;
}

/* A part of a text whose place is known. */
static struct ref part_of(struct str whole, struct ref at, struct str part)
{
	return (struct ref){at.at + (uint32_t)(part.p - whole.p), (uint32_t)part.n};
}

static usec round_up(usec time)
{
	return (time + minute - 1) / minute * minute;
}

/* Entries that are put into the tail one after the other have a comma between them: they are served in one piece. */
static struct ref place_entry(struct builder *b, struct str entry)
{
	struct ref r = build_place(b, entry);

	if (r.at >= tail_base(b))
		buf_add_char(b->tail, ',');
	return r;
}

static struct ref place_time(struct builder *b, struct str version, usec time)
{
	struct ref r = {here(b), 0};
	char text[TIME_TEXT];

	time_format_utc(time, text);
	buf_printf(b->tail, "\"%.*s\":\"%s\"", STR_ARG(version), text);
	r.n = here(b) - r.at;
	buf_add_char(b->tail, ',');
	return r;
}

/* What a client shall believe of the version's age. */
static usec shown_time(const struct draft *d)
{
	return d->upstream_time ? d->upstream_time : d->published;
}

/* Texts that are served in runs: each kind in a loop of its own. */
static void write_runs(struct builder *b, struct record *records, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct draft *d = LIST_AT(&b->drafts, struct draft, i);

		records[i].entry = place_entry(b, d->entry);
		records[i].object = part_of(d->entry, records[i].entry, d->object);
		records[i].tarball_raw = part_of(d->entry, records[i].entry, d->tarball_raw);
	}
	for (size_t i = 0; i < count; i++) {
		struct draft *d = LIST_AT(&b->drafts, struct draft, i);
		struct record *r = &records[i];

		r->abbreviated = (struct ref){tail_base(b) + (uint32_t)d->abbreviated_at, (uint32_t)d->abbreviated_n};
		r->abbreviated_tarball_raw.at = tail_base(b) + (uint32_t)d->abbreviated_tarball_at;
		r->abbreviated_tarball_raw.n = (uint32_t)d->tarball_raw.n;
		if (!(d->flags & RECORD_GHOST))
			continue;
		r->abbreviated = place_entry(b, d->ghost_abbreviated);
		r->abbreviated_tarball_raw.at = r->abbreviated.at + (uint32_t)d->abbreviated_tarball_at;
	}
	for (size_t i = 0; i < count; i++) {
		struct draft *d = LIST_AT(&b->drafts, struct draft, i);

		records[i].time = d->time_entry.n ? place_entry(b, d->time_entry) : place_time(b, d->key, shown_time(d));
	}
	for (size_t i = 0; i < count; i++) {
		struct draft *d = LIST_AT(&b->drafts, struct draft, i);

		records[i].time_minute = place_time(b, d->key, round_up(shown_time(d)));
	}
}

/* Versions in a row often say the same: the text that was placed last is not placed again. */
static struct ref place_again(struct builder *b, struct str s, struct str *last, struct ref *last_at)
{
	if (s.n && s.p == last->p && s.n == last->n)
		return *last_at;
	*last = s;
	*last_at = build_place(b, s);
	return *last_at;
}

static void write_trust(struct builder *b, struct record *records, size_t count)
{
	struct str repository = STR_NULL, source = STR_NULL;
	struct ref repository_at = {0, 0}, source_at = {0, 0};

	for (size_t i = 0; i < count; i++) {
		const struct trust_draft *t = &LIST_AT(&b->drafts, struct draft, i)->trust;
		struct record *r = &records[i];

		r->publisher = build_place(b, t->publisher);
		r->approver = build_place(b, t->approver);
		r->repository = place_again(b, t->repository, &repository, &repository_at);
		r->trusted_publisher = place_again(b, t->trusted_source, &source, &source_at);
		r->signatures = build_place(b, t->signatures);
		r->continuity = build_place(b, t->continuity);
		r->install_script_gained = build_place(b, t->install_script_gained);
		r->binary_gained = build_place(b, t->binary_gained);
		r->remote_gained = build_place(b, t->remote_gained);
		r->gained_dependencies = t->gained_dependencies;
		r->signature = (uint32_t)t->signature;
		r->flags |= (t->provenance ? RECORD_PROVENANCE : 0U) | (t->native_expected ? RECORD_NATIVE_EXPECTED : 0U);
	}
}

static void write_texts(struct builder *b, struct record *r, const struct draft *d)
{
	r->version = build_place(b, d->key);
	r->file = build_place(b, d->file);
	r->file_url = build_place(b, d->file_url);
	r->tarball = build_place(b, d->tarball);
	r->integrity = build_place(b, d->integrity);
	r->shasum = build_place(b, d->shasum);
	r->hash_first = build_place(b, d->hash_first);
	r->mismatch = build_place(b, d->mismatch);
	r->pre = build_place(b, d->semver.pre);
	r->build = build_place(b, d->semver.build);
	r->major = d->semver.major;
	r->minor = d->semver.minor;
	r->patch = d->semver.patch;
	r->published = d->published;
	r->upstream_time = d->upstream_time;
	r->first_seen = d->first_seen;
	r->lacked_at = d->lacked_at;
	r->gone_at = d->gone_at;
	r->flags = d->flags;
}

static void write_pins(struct builder *b, struct record *records, size_t count)
{
	size_t total = LIST_COUNT(&b->pins, struct npm_pin);
	struct ref *names = ARENA_ARRAY(b->arena, struct ref, total * 2);

	/* The texts first: nothing may come between the items of the table. */
	for (size_t i = 0; names && i < total; i++) {
		names[2 * i] = build_place(b, LIST_AT(&b->pins, struct npm_pin, i)->name);
		names[2 * i + 1] = build_place(b, LIST_AT(&b->pins, struct npm_pin, i)->version);
	}
	for (size_t i = 0; i < count; i++)
		records[i].pins = (struct ref){here(b) + (uint32_t)(LIST_AT(&b->drafts, struct draft, i)->first_pin * sizeof(struct pin_record)),
		                               LIST_AT(&b->drafts, struct draft, i)->pin_count};
	for (size_t i = 0; names && i < total; i++) {
		int64_t at = here(b);
		struct pin_record pin = {(int64_t)names[2 * i].at - at,
		                         (int64_t)names[2 * i + 1].at - at,
		                         names[2 * i].n,
		                         names[2 * i + 1].n,
		                         LIST_AT(&b->pins, struct npm_pin, i)->optional,
		                         0};

		buf_add(b->tail, &pin, sizeof(pin));
	}
}

static struct ref write_table(struct builder *b, const void *items, size_t count, size_t size)
{
	struct ref table = {here(b), (uint32_t)count};

	buf_add(b->tail, items, count * size);
	return table;
}

/* First those that the upstream's `time` names, in its order; then the others. */
static int write_time_order(struct builder *b, struct document_header *h, size_t count)
{
	uint32_t *order = ARENA_ARRAY(b->arena, uint32_t, count);
	bool *done = ARENA_ARRAY(b->arena, bool, count);
	size_t n = 0;

	if (!order || !done)
		return -ENOMEM;
	for (size_t i = 0; i < LIST_COUNT(&b->times, struct time_item); i++) {
		struct time_item *item = LIST_AT(&b->times, struct time_item, i);
		struct draft *d = build_find(b, build_decode(b, item->raw_key));
		size_t index = d ? (size_t)(d - LIST_AT(&b->drafts, struct draft, 0)) : 0;

		if (!d || done[index] || d->flags & RECORD_GHOST)
			continue;
		done[index] = true;
		order[n++] = (uint32_t)index;
	}
	for (size_t i = 0; i < count; i++)
		if (!done[i])
			order[n++] = (uint32_t)i;
	h->time_order = write_table(b, order, count, sizeof(*order));
	return 0;
}

static int write_slots(struct builder *b, struct ref *ret, size_t count, uint64_t seed, size_t field)
{
	size_t size = 4, mask;
	uint32_t *slots;

	while (size < count * 2)
		size *= 2;
	mask = size - 1;
	slots = ARENA_ARRAY(b->arena, uint32_t, size);
	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct str key;
		size_t at;

		memcpy(&key, (const char *)LIST_AT(&b->drafts, struct draft, i) + field, sizeof(key));
		at = document_key_hash(seed, key) & mask;
		while (slots[at])
			at = (at + 1) & mask;
		slots[at] = (uint32_t)i + 1;
	}
	*ret = write_table(b, slots, size, sizeof(*slots));
	return 0;
}

static int write_tags(struct builder *b, struct document_header *h)
{
	size_t count = LIST_COUNT(&b->tags, struct tag_item);
	struct tag_record *tags = ARENA_ARRAY(b->arena, struct tag_record, count);

	if (!tags)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct tag_item *t = LIST_AT(&b->tags, struct tag_item, i);

		tags[i].tag = build_place(b, t->tag);
		tags[i].target = build_place(b, t->target);
		tags[i].former = build_place(b, t->former);
		tags[i].hold_from = t->hold_from;
	}
	h->tags = write_table(b, tags, count, sizeof(*tags));
	return 0;
}

static int write_others(struct builder *b, struct document_header *h)
{
	size_t count = LIST_COUNT(&b->others, struct str);
	struct ref *others = ARENA_ARRAY(b->arena, struct ref, count);

	if (!others)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		others[i] = build_place(b, *LIST_AT(&b->others, struct str, i));
	h->others = write_table(b, others, count, sizeof(*others));
	return 0;
}

static void hash_into(uint8_t digest[16], const void *bytes, size_t n)
{
	XXH128_canonical_t hash;

	XXH128_canonicalFromHash(&hash, XXH3_128bits(n ? bytes : "", n));
	memcpy(digest, hash.digest, sizeof(hash.digest));
}

static void write_head_texts(struct builder *b, struct document_header *h)
{
	char text[TIME_TEXT + 2];

	h->name = build_place(b, b->input->name);
	h->etag = build_place(b, b->input->etag);
	h->last_modified = build_place(b, b->input->last_modified);
	h->created = build_place(b, b->created);
	h->modified_text = build_place(b, b->modified_text);
	h->modified = b->modified_time;
	if (!b->created_time)
		return;
	text[0] = '"';
	time_format_utc(round_up(b->created_time), text + 1);
	h->created_minute = build_place(b, str_of(text));
	buf_add_char(b->tail, '"');
	h->created_minute.n++;
}

static usec first_published(const struct builder *b, size_t count)
{
	usec first = count ? USEC_NEVER : b->input->now;

	for (size_t i = 0; i < count; i++)
		if (LIST_AT(&b->drafts, struct draft, i)->published < first)
			first = LIST_AT(&b->drafts, struct draft, i)->published;
	return first;
}

/* Everything but the checksums of the header. */
static int write_document(struct builder *b, struct document_header *h, struct record *records, size_t count)
{
	int r;

	write_runs(b, records, count);
	for (size_t i = 0; i < count; i++)
		write_texts(b, &records[i], LIST_AT(&b->drafts, struct draft, i));
	write_trust(b, records, count);
	r = build_write_dependencies(b, records, count);
	if (r < 0)
		return r;
	write_pins(b, records, count);
	write_head_texts(b, h);
	h->versions = write_table(b, records, count, sizeof(*records));
	r = write_time_order(b, h, count);
	if (r == 0)
		r = write_slots(b, &h->by_version, count, h->seed, offsetof(struct draft, key));
	if (r == 0)
		r = write_slots(b, &h->by_file, count, h->seed, offsetof(struct draft, file));
	if (r == 0)
		r = write_tags(b, h);
	return r ? r : write_others(b, h);
}

int build_write(struct builder *b, char *header)
{
	size_t count = LIST_COUNT(&b->drafts, struct draft);
	struct record *records = ARENA_ARRAY(b->arena, struct record, count);
	struct document_header h = {
		.magic = DOCUMENT_MAGIC, .format = DOCUMENT_FORMAT, .checked = b->input->now, .keys_id = npm_keys_id(b->input->keys)};
	int r = records ? 0 : -ENOMEM;

	h.flags = (b->input->gone ? DOCUMENT_GONE : 0) | (b->changes->seen.placeholder ? DOCUMENT_PLACEHOLDER : 0);
	h.raw_n = b->file.n - NPM_DOCUMENT_HEADER;
	hash_into(h.raw_hash, b->file.p + NPM_DOCUMENT_HEADER, h.raw_n);
	h.seed = XXH3_64bits_withSeed(h.raw_hash, sizeof(h.raw_hash), (uint64_t)b->input->now);
	if (r == 0)
		r = write_document(b, &h, records, count);
	if (r == 0 && b->tail->error)
		r = b->tail->error;
	if (r == 0 && b->file.n + b->tail->n > UINT32_MAX)
		r = -EFBIG;
	if (r < 0)
		return err_set(b->err, r, "the packument of %.*s takes too much memory", STR_ARG(b->input->name));
	h.tail_n = b->tail->n;
	hash_into(h.tail_hash, b->tail->p, b->tail->n);
	h.first_published = first_published(b, count);
	h.head_hash = document_head_hash(&h);
	memset(header, 0, NPM_DOCUMENT_HEADER);
	memcpy(header, &h, sizeof(h));
	return 0;
}
