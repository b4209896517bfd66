#include "registry/npm/packument.h"

#include <xxhash.h>

#include "registry/npm/document.h"

uint64_t document_head_hash(const struct document_header *h)
{
	struct document_header copy = *h;

	copy.checked = 0;
	copy.head_hash = 0;
	return XXH3_64bits(&copy, sizeof(copy));
}

uint64_t document_key_hash(uint64_t seed, struct str key)
{
	return XXH3_64bits_withSeed(key.p ? key.p : "", key.n, seed);
}

static bool inside(const struct npm_packument *p, uint64_t at, uint64_t n)
{
	return at <= p->file.n && n <= p->file.n - at;
}

static bool table_inside(const struct npm_packument *p, struct ref table, size_t item)
{
	return inside(p, table.at, (uint64_t)table.n * item);
}

static bool refs_inside(const struct npm_packument *p, const struct ref *refs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!inside(p, refs[i].at, refs[i].n))
			return false;
	return true;
}

static bool pins_inside(const struct npm_packument *p, struct ref pins)
{
	for (uint32_t i = 0; i < pins.n; i++) {
		struct pin_record pin = DOCUMENT_ITEM(p, pins, struct pin_record, i);
		int64_t here = (int64_t)pins.at + (int64_t)i * (int64_t)sizeof(pin);

		if (pin.name_from_here < -here || pin.version_from_here < -here || !inside(p, (uint64_t)(here + pin.name_from_here), pin.name_n) ||
		    !inside(p, (uint64_t)(here + pin.version_from_here), pin.version_n))
			return false;
	}
	return true;
}

static bool dependencies_inside(const struct npm_packument *p, struct ref table)
{
	for (uint32_t i = 0; i < table.n; i++) {
		struct dependency_record d = DOCUMENT_ITEM(p, table, struct dependency_record, i);
		uint64_t here = table.at + (uint64_t)i * sizeof(d);

		if (d.name_before_here > here || d.name_n > d.name_before_here)
			return false;
	}
	return true;
}

static bool within(struct ref outer, struct ref inner)
{
	return inner.at >= outer.at && (uint64_t)inner.at + inner.n <= (uint64_t)outer.at + outer.n;
}

static bool record_sound(const struct npm_packument *p, const struct record *r)
{
	const struct ref refs[] = {r->version,       r->entry,        r->object,
	                           r->tarball_raw,   r->abbreviated,  r->abbreviated_tarball_raw,
	                           r->file,          r->file_url,     r->tarball,
	                           r->integrity,     r->shasum,       r->hash_first,
	                           r->mismatch,      r->time,         r->time_minute,
	                           r->pre,           r->build,        r->publisher,
	                           r->approver,      r->signatures,   r->trusted_publisher,
	                           r->repository,    r->continuity,   r->install_script_gained,
	                           r->binary_gained, r->remote_gained};

	return refs_inside(p, refs, sizeof(refs) / sizeof(refs[0])) && within(r->entry, r->tarball_raw) && within(r->object, r->tarball_raw) &&
	       within(r->entry, r->object) && within(r->abbreviated, r->abbreviated_tarball_raw) &&
	       table_inside(p, r->pins, sizeof(struct pin_record)) && pins_inside(p, r->pins) &&
	       table_inside(p, r->dependencies, sizeof(struct dependency_record)) && dependencies_inside(p, r->dependencies) &&
	       r->gained_dependencies <= r->dependencies.n && r->signature <= SIGNATURE_LAST;
}

static bool slots_sound(const struct npm_packument *p, struct ref table)
{
	/* A search ends at a free slot, so there must be one. */
	if (table.n == 0 || (table.n & (table.n - 1)) != 0 || table.n <= p->head.versions.n || !table_inside(p, table, sizeof(uint32_t)))
		return false;
	for (uint32_t i = 0, used = 0; i < table.n; i++) {
		uint32_t slot = DOCUMENT_ITEM(p, table, uint32_t, i);

		used += slot != 0;
		if (slot > p->head.versions.n || used > p->head.versions.n)
			return false;
	}
	return true;
}

static bool tables_sound(const struct npm_packument *p)
{
	const struct document_header *h = &p->head;

	if (!table_inside(p, h->others, sizeof(struct ref)) || !table_inside(p, h->versions, sizeof(struct record)) ||
	    !table_inside(p, h->time_order, sizeof(uint32_t)) || !table_inside(p, h->tags, sizeof(struct tag_record)) ||
	    h->time_order.n != h->versions.n || !slots_sound(p, h->by_version) || !slots_sound(p, h->by_file))
		return false;
	for (uint32_t i = 0; i < h->others.n; i++) {
		struct ref other = DOCUMENT_ITEM(p, h->others, struct ref, i);

		if (!refs_inside(p, &other, 1))
			return false;
	}
	for (uint32_t i = 0; i < h->versions.n; i++) {
		struct record r = DOCUMENT_ITEM(p, h->versions, struct record, i);

		if (!record_sound(p, &r) || DOCUMENT_ITEM(p, h->time_order, uint32_t, i) >= h->versions.n)
			return false;
	}
	for (uint32_t i = 0; i < h->tags.n; i++) {
		struct tag_record t = DOCUMENT_ITEM(p, h->tags, struct tag_record, i);
		const struct ref refs[] = {t.tag, t.target, t.former};

		if (!refs_inside(p, refs, 3))
			return false;
	}
	return true;
}

static bool checksum_fits(struct str bytes, const uint8_t expected[16])
{
	XXH128_canonical_t hash;

	XXH128_canonicalFromHash(&hash, XXH3_128bits(bytes.p ? bytes.p : "", bytes.n));
	return memcmp(hash.digest, expected, 16) == 0;
}

static const char *document_problem(const struct npm_packument *p)
{
	const struct document_header *h = &p->head;
	const struct ref texts[] = {h->name, h->etag, h->last_modified, h->created, h->modified_text, h->created_minute};
	size_t body = p->file.n - NPM_DOCUMENT_HEADER;

	if (h->magic != DOCUMENT_MAGIC || h->format != DOCUMENT_FORMAT)
		return "it is of another format";
	if (h->head_hash != document_head_hash(h))
		return "its header is damaged";
	if (h->raw_n > body || h->tail_n != body - h->raw_n || p->file.n > UINT32_MAX)
		return "it is cut short";
	if (!checksum_fits((struct str){p->file.p + NPM_DOCUMENT_HEADER, h->raw_n}, h->raw_hash) ||
	    !checksum_fits((struct str){p->file.p + NPM_DOCUMENT_HEADER + h->raw_n, h->tail_n}, h->tail_hash))
		return "its checksum does not fit";
	if (!refs_inside(p, texts, sizeof(texts) / sizeof(texts[0])) || !tables_sound(p))
		return "its tables point outside";
	return NULL;
}

int npm_packument_open(struct str file, struct npm_packument **ret, struct err *err)
{
	CLEANUP_FREE struct npm_packument *p = NULL;
	const char *problem;

	if (file.n < NPM_DOCUMENT_HEADER)
		return err_set(err, -EBADMSG, "the kept packument cannot be used: it is cut short");
	p = calloc(1, sizeof(*p));
	if (!p)
		return err_set(err, -ENOMEM, "no memory for a packument");
	p->file = file;
	memcpy(&p->head, file.p, sizeof(p->head));
	problem = document_problem(p);
	if (problem)
		return err_set(err, -EBADMSG, "the kept packument cannot be used: %s", problem);
	hex_encode(p->head.raw_hash, sizeof(p->head.raw_hash), p->raw_hash);
	*ret = TAKE_PTR(p);
	return 0;
}

void npm_packument_free(struct npm_packument *p)
{
	free(p);
}

struct str npm_packument_name(const struct npm_packument *p)
{
	return document_slice(p, p->head.name);
}

struct str npm_packument_etag(const struct npm_packument *p)
{
	return document_slice(p, p->head.etag);
}

struct str npm_packument_last_modified(const struct npm_packument *p)
{
	return document_slice(p, p->head.last_modified);
}

uint64_t npm_packument_identity(const struct npm_packument *p)
{
	/* Over the hashes of all that is behind the header, and over the moment. */
	return p->head.head_hash;
}

struct str npm_packument_raw_hash(const struct npm_packument *p)
{
	return str_of(p->raw_hash);
}

struct str npm_packument_raw(const struct npm_packument *p)
{
	return (struct str){p->file.p + NPM_DOCUMENT_HEADER, p->head.raw_n};
}

usec npm_packument_checked(const struct npm_packument *p)
{
	usec checked;

	/* From the file, not from the copy: the gate writes it there while the document is open. */
	memcpy(&checked, p->file.p + NPM_DOCUMENT_CHECKED_OFFSET, sizeof(checked));
	return checked;
}

usec npm_packument_first_published(const struct npm_packument *p)
{
	return p->head.first_published;
}

bool npm_packument_placeholder(const struct npm_packument *p)
{
	return p->head.flags & DOCUMENT_PLACEHOLDER;
}

bool npm_packument_gone(const struct npm_packument *p)
{
	return p->head.flags & DOCUMENT_GONE;
}

uint64_t npm_packument_keys_id(const struct npm_packument *p)
{
	return p->head.keys_id;
}

size_t npm_packument_version_count(const struct npm_packument *p)
{
	return p->head.versions.n;
}

void npm_packument_version(const struct npm_packument *p, size_t index, struct npm_version *ret)
{
	struct record r = DOCUMENT_ITEM(p, p->head.versions, struct record, index);

	*ret = (struct npm_version){
		.version = document_slice(p, r.version),
		.semver = {r.major, r.minor, r.patch, document_slice(p, r.pre), document_slice(p, r.build)},
		.semver_ok = r.flags & RECORD_SEMVER_OK,
		.object = document_slice(p, r.object),
		.file = document_slice(p, r.file),
		.tarball = document_slice(p, r.tarball),
		.integrity = document_slice(p, r.integrity),
		.shasum = document_slice(p, r.shasum),
		.published = r.published,
		.upstream_time = r.upstream_time,
		.first_seen = r.first_seen,
		.lacked_at = r.lacked_at,
		.deprecated = r.flags & RECORD_DEPRECATED,
		.install_script = r.flags & RECORD_INSTALL_SCRIPT,
		.ghost = r.flags & RECORD_GHOST,
		.gone_at = r.gone_at,
		.hash_changed = r.flags & RECORD_HASH_CHANGED,
		.hash_first = document_slice(p, r.hash_first),
		.mismatch = document_slice(p, r.mismatch),
		.pins = p->file.p + r.pins.at,
		.pin_count = r.pins.n,
		.publisher = document_slice(p, r.publisher),
		.trusted_publisher = document_slice(p, r.trusted_publisher),
		.approver = document_slice(p, r.approver),
		.repository = document_slice(p, r.repository),
		.provenance = r.flags & RECORD_PROVENANCE,
		.native_expected = r.flags & RECORD_NATIVE_EXPECTED,
		.continuity = document_slice(p, r.continuity),
		.install_script_gained = document_slice(p, r.install_script_gained),
		.binary_gained = document_slice(p, r.binary_gained),
		.remote_gained = document_slice(p, r.remote_gained),
		.signature = (int)r.signature,
		.dependencies = p->file.p + r.dependencies.at,
		.dependency_count = r.dependencies.n,
		.gained_count = r.gained_dependencies,
	};
}

struct str npm_version_dependency(const struct npm_version *v, uint32_t index)
{
	const char *here = (const char *)v->dependencies + (size_t)index * sizeof(struct dependency_record);
	struct dependency_record d;

	memcpy(&d, here, sizeof(d));
	return (struct str){here - d.name_before_here, d.name_n};
}

struct npm_pin npm_version_pin(const struct npm_version *v, uint32_t index)
{
	const char *here = (const char *)v->pins + (size_t)index * sizeof(struct pin_record);
	struct pin_record pin;

	memcpy(&pin, here, sizeof(pin));
	return (struct npm_pin){{here + pin.name_from_here, pin.name_n}, {here + pin.version_from_here, pin.version_n}, pin.optional != 0};
}

static ptrdiff_t find(const struct npm_packument *p, struct ref table, size_t field, struct str key)
{
	size_t mask = table.n - 1;

	for (size_t i = document_key_hash(p->head.seed, key) & mask;; i = (i + 1) & mask) {
		uint32_t slot = DOCUMENT_ITEM(p, table, uint32_t, i);
		struct ref have;

		if (slot == 0)
			return -1;
		memcpy(&have, p->file.p + p->head.versions.at + (size_t)(slot - 1) * sizeof(struct record) + field, sizeof(have));
		if (str_eq(document_slice(p, have), key))
			return (ptrdiff_t)slot - 1;
	}
}

ptrdiff_t npm_packument_find(const struct npm_packument *p, struct str version)
{
	return find(p, p->head.by_version, offsetof(struct record, version), version);
}

ptrdiff_t npm_packument_find_file(const struct npm_packument *p, struct str file)
{
	return find(p, p->head.by_file, offsetof(struct record, file), file);
}

size_t npm_packument_tag_count(const struct npm_packument *p)
{
	return p->head.tags.n;
}

void npm_packument_tag(const struct npm_packument *p, size_t index, struct npm_tag *ret)
{
	struct tag_record t = DOCUMENT_ITEM(p, p->head.tags, struct tag_record, index);

	*ret = (struct npm_tag){document_slice(p, t.tag), document_slice(p, t.target), document_slice(p, t.former), t.hold_from};
}
