/* What the snapshots before know: first seen, ghosts, pins of hashes (rules 4, 5, 8). */
#include "registry/npm/build.h"
#include "registry/npm/build_hash.h"

static bool known_before(const struct builder *b)
{
	return b->input->seen && b->input->seen->first_snapshot != 0;
}

static void add_ghost(struct builder *b, const struct record *r, const struct npm_version *v)
{
	const struct npm_packument *p = b->input->previous;
	struct draft *d = LIST_PUSH(&b->drafts, struct draft);
	size_t first_pin = LIST_COUNT(&b->pins, struct npm_pin);

	if (!d)
		return;
	*d = (struct draft){
		.key = v->version,
		.entry = document_slice(p, r->entry),
		.object = v->object,
		.tarball_raw = document_slice(p, r->tarball_raw),
		.ghost_abbreviated = document_slice(p, r->abbreviated),
		.abbreviated_tarball_at = r->abbreviated_tarball_raw.at - r->abbreviated.at,
		.tarball = v->tarball,
		.integrity = v->integrity,
		.shasum = v->shasum,
		.file = v->file,
		.semver = v->semver,
		.flags = (r->flags & ~(unsigned)RECORD_HASH_CHANGED) | RECORD_GHOST,
		.first_pin = first_pin,
		.pin_count = v->pin_count,
		.time_entry = document_slice(p, r->time),
		.upstream_time = v->upstream_time,
		.first_seen = v->first_seen,
		.lacked_at = v->lacked_at,
		.gone_at = v->ghost ? v->gone_at : b->input->now,
	};
	for (uint32_t i = 0; i < v->pin_count; i++) {
		struct npm_pin *pin = LIST_PUSH(&b->pins, struct npm_pin);

		if (pin)
			*pin = npm_version_pin(v, i);
	}
	build_reread_version(b, d);
}

int build_ghosts(struct builder *b)
{
	const struct npm_packument *p = b->input->previous;
	size_t count = p ? npm_packument_version_count(p) : 0;
	int r = count ? build_index(b) : 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct record record = DOCUMENT_ITEM(p, p->head.versions, struct record, i);
		struct npm_version v;

		npm_packument_version(p, i, &v);
		/* What is there, but malformed now, is left out: it is not gone. */
		if (!map_get(&b->by_key, v.version))
			add_ghost(b, &record, &v);
	}
	return r;
}

static usec later(usec a, usec b)
{
	return a > b ? a : b;
}

static usec earlier(usec a, usec b)
{
	return a < b ? a : b;
}

/* Rule 5. An upstream time never moves to before the one that was given first. */
static void date_version(struct builder *b, struct draft *d, const struct seen_version *s)
{
	usec now = b->input->now;

	d->upstream_time = later(d->upstream_time, d->given_time);
	if (s) {
		d->first_seen = s->first_seen;
		d->lacked_at = s->lacked_at;
		d->upstream_time = later(d->upstream_time, s->upstream_time);
	} else if (!(d->flags & RECORD_GHOST)) {
		d->first_seen = now;
		/* Not later than now: a clock that went wrong once must not hold a version for years. */
		d->lacked_at = known_before(b) ? earlier(b->input->seen->last_snapshot, now) : 0;
	}
	d->published = d->upstream_time ? earlier(d->upstream_time, d->first_seen) : d->first_seen;
	d->published = later(d->published, d->lacked_at);
}

static struct str hash_text(struct str integrity, struct str shasum)
{
	return integrity.n ? integrity : shasum;
}

static void pin_hash(struct builder *b, struct draft *d, struct seen_version *s)
{
	switch (hash_compare(s->integrity, s->shasum, d->integrity, d->shasum)) {
	case HASH_SAME:
	case HASH_NOT_COMPARABLE:
		if (!s->integrity.n)
			s->integrity = d->integrity;
		if (!s->shasum.n)
			s->shasum = d->shasum;
		return;
	case HASH_DIFFERS:
		break;
	}
	d->flags |= RECORD_HASH_CHANGED;
	d->hash_first = hash_text(s->integrity, s->shasum);
	if (str_eq(s->changed_to, hash_text(d->integrity, d->shasum)))
		return;
	s->changed_to = hash_text(d->integrity, d->shasum);
	s->changed_at = b->input->now;
	build_say(b, &b->changed_hashes, "%.*s@%.*s: %.*s became %.*s", STR_ARG(b->input->name), STR_ARG(d->key), STR_ARG(d->hash_first),
	          STR_ARG(s->changed_to));
}

static bool seen_equal(const struct seen_version *a, const struct seen_version *b)
{
	return a->first_seen == b->first_seen && a->lacked_at == b->lacked_at && a->upstream_time == b->upstream_time &&
	       str_eq(a->integrity, b->integrity) && str_eq(a->shasum, b->shasum) && str_eq(a->changed_to, b->changed_to) &&
	       a->changed_at == b->changed_at && a->gone_at == b->gone_at && a->ever_tagged == b->ever_tagged;
}

static void withdraw(struct builder *b, struct str version, usec published)
{
	char age[TIME_TEXT];

	duration_format_rough(later(b->input->now - published, 0), age);
	build_say(b, &b->withdrawn, "%.*s@%.*s: vanished %s after its publication", STR_ARG(b->input->name), STR_ARG(version), age);
}

/* Merges what is remembered into the draft; true when *ret says something to be recorded. */
static bool merge_version(struct builder *b, struct draft *d, const struct seen_version *s, struct seen_version *ret)
{
	struct seen_version fresh = {.version = d->key};

	date_version(b, d, s);
	*ret = s ? *s : fresh;
	ret->first_seen = d->first_seen;
	ret->lacked_at = d->lacked_at;
	/* The first one that was given stays: later ones only move `published`. */
	if (!ret->upstream_time)
		ret->upstream_time = d->given_time ? d->given_time : d->upstream_time;
	ret->ever_tagged = ret->ever_tagged || d->tagged;
	d->mismatch = ret->mismatch;
	d->trust.archive_script = ret->archive_script;
	d->trust.archive_binary = ret->archive_binary;
	pin_hash(b, d, ret);
	if (d->flags & RECORD_GHOST) {
		d->gone_at = s && s->gone_at ? s->gone_at : d->gone_at;
		if (!ret->gone_at && d->gone_at == b->input->now)
			withdraw(b, d->key, d->published);
	}
	ret->gone_at = d->gone_at;
	return !s || !seen_equal(s, ret);
}

static void merge_times(struct builder *b)
{
	for (size_t i = 0; i < LIST_COUNT(&b->times, struct time_item); i++) {
		struct time_item *item = LIST_AT(&b->times, struct time_item, i);
		struct draft *d = build_find(b, build_decode(b, item->raw_key));

		if (!d || d->flags & RECORD_GHOST)
			continue;
		d->time_entry = item->entry;
		d->given_time = item->time;
	}
}

/* Versions that are remembered, but of which neither the raw JSON nor a ghost is left. */
static void merge_vanished(struct builder *b, struct seen_version *out, size_t *count)
{
	const struct seen_package *seen = b->input->seen;

	for (size_t i = 0; seen && i < seen->version_count; i++) {
		struct seen_version *s = &seen->versions[i];

		if (s->gone_at || map_get(&b->by_key, s->version))
			continue;
		withdraw(b, s->version, later(s->lacked_at, s->upstream_time ? earlier(s->upstream_time, s->first_seen) : s->first_seen));
		out[*count] = *s;
		out[(*count)++].gone_at = b->input->now;
	}
}

static struct str latest_of(const struct builder *b)
{
	for (size_t i = 0; i < LIST_COUNT(&b->tags, struct tag_item); i++)
		if (str_eq(LIST_AT(&b->tags, struct tag_item, i)->tag, STR("latest")))
			return LIST_AT(&b->tags, struct tag_item, i)->target;
	return STR_NULL;
}

/* The registry's staff replace a package by one version that says so and does nothing. */
static void find_placeholder(struct builder *b)
{
	struct str latest = latest_of(b);
	size_t live = 0, security = 0;

	for (size_t i = 0; i < LIST_COUNT(&b->drafts, struct draft); i++) {
		const struct draft *d = LIST_AT(&b->drafts, struct draft, i);
		bool exact = str_eq(d->key, STR("0.0.1-security"));

		if (d->flags & RECORD_GHOST)
			continue;
		live++;
		security += exact;
		if (str_eq(d->key, latest) &&
		    (exact || (str_find(d->key, STR("-security")) >= 0 && (d->description_of_placeholder || b->description_of_placeholder))))
			b->placeholder = true;
	}
	b->placeholder |= live == 1 && security == 1;
}

/* The changes outlive the mapped bytes. */
static void own_texts(struct builder *b, struct seen_package *out)
{
	for (size_t i = 0; i < out->version_count; i++) {
		struct seen_version *v = &out->versions[i];
		struct str *texts[] = {&v->version,  &v->integrity,      &v->shasum,        &v->changed_to,
		                       &v->mismatch, &v->archive_script, &v->archive_binary};

		for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++)
			if (texts[t]->n)
				*texts[t] = arena_str(b->arena, *texts[t]);
	}
	for (size_t i = 0; i < out->tag_count; i++) {
		struct seen_tag *t = &out->tags[i];

		t->tag = arena_str(b->arena, t->tag);
		t->target = arena_str(b->arena, t->target);
		if (t->former.n)
			t->former = arena_str(b->arena, t->former);
	}
}

static void package_changes(struct builder *b, struct seen_package *out)
{
	const struct seen_package *seen = b->input->seen;

	if (seen) {
		out->origin = seen->origin;
		out->ecosystem = seen->ecosystem;
	}
	out->name = b->input->name;
	out->first_snapshot = known_before(b) ? seen->first_snapshot : b->input->now;
	out->last_snapshot = b->input->now;
	out->placeholder = b->input->gone && seen ? seen->placeholder : b->placeholder;
}

int build_history(struct builder *b)
{
	CLEANUP_MAP struct map seen_versions = MAP_EMPTY;
	const struct seen_package *seen = b->input->seen;
	struct seen_package *out = &b->changes->seen;
	size_t drafts = LIST_COUNT(&b->drafts, struct draft), remembered = seen ? seen->version_count : 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < remembered; i++)
		r = map_put(&seen_versions, seen->versions[i].version, &seen->versions[i]);
	out->versions = ARENA_ARRAY(b->arena, struct seen_version, drafts + remembered);
	if (r < 0 || !out->versions)
		return err_set(b->err, -ENOMEM, "no memory for the packument of %.*s", STR_ARG(b->input->name));
	merge_times(b);
	build_mark_tagged(b);
	for (size_t i = 0; i < drafts; i++) {
		struct draft *d = LIST_AT(&b->drafts, struct draft, i);

		out->version_count += merge_version(b, d, map_get(&seen_versions, d->key), &out->versions[out->version_count]);
	}
	merge_vanished(b, out->versions, &out->version_count);
	find_placeholder(b);
	package_changes(b, out);
	r = build_tag_history(b, &seen_versions);
	own_texts(b, out);
	return r;
}
