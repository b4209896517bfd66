/* Looking through an index: its figures, and every record in it. */
#include "advisory/feed.h"
#include "advisory/mapped.h"
#include "base/limits.h"

static int damaged(struct err *err)
{
	return err_set(err, -EBADMSG, "the advisory index is damaged: import again with bondgate feed import --fresh");
}

int advisories_status(const struct advisories *a, struct arena *out, struct advisories_status *ret, struct err *err)
{
	const struct mapped *m = a->mapped;
	const struct mapped_head *h;
	struct advisories_source *sources;
	size_t count;

	if (!m)
		return err_set(err, -EINVAL, "these advisories are not an index");
	h = mapped_head(m);
	count = h->sources_at.bytes / sizeof(struct mapped_source);
	sources = ARENA_ARRAY(out, struct advisories_source, count + 1);
	if (!sources)
		return err_set(err, -ENOMEM, "no memory");
	for (size_t i = 0; i < count; i++) {
		const struct mapped_source *s = mapped_source(m, i);

		if (!s)
			return damaged(err);
		sources[i] = (struct advisories_source){arena_str(out, str_of(s->name)), s->priority, s->records, s->imported};
	}
	*ret = (struct advisories_status){.digest = h->digest,
	                                  .built = h->built,
	                                  .file_bytes = h->file_bytes,
	                                  .records = h->records,
	                                  .withdrawn = h->withdrawn,
	                                  .malware = h->malware,
	                                  .vulnerabilities = h->records - h->withdrawn - h->malware,
	                                  .packages = {h->packages[0], h->packages[1]},
	                                  .source_count = count,
	                                  .sources = sources};
	return 0;
}

static bool read_packages(struct arena *a, struct str rest, struct advisories_entry *e)
{
	struct advisories_package *packages;
	uint64_t count;

	if (!blob_read_count(&rest, &count))
		return false;
	packages = ARENA_ARRAY(a, struct advisories_package, count + 1);
	for (uint64_t i = 0; packages && i < count; i++) {
		struct blob_package p;

		if (!blob_skip_package(&rest, &p))
			return false;
		packages[i] = (struct advisories_package){p.ecosystem, str_skip(p.key, 1), p.range};
	}
	e->packages = packages;
	e->package_count = (size_t)count;
	return packages != NULL;
}

static bool read_entry(struct arena *a, const struct mapped *m, uint64_t number, struct advisories_entry *ret)
{
	const struct mapped_record_row *row = mapped_record(m, number);
	const struct mapped_source *source = row ? mapped_source(m, row->source) : NULL;
	struct str blob, rest;
	struct record r;

	if (!source || row->kind > ADVISORY_MALWARE || row->severity > SEVERITY_CRITICAL || !mapped_blob(m, row, &blob))
		return false;
	r = (struct record){.as = {.kind = row->kind,
	                           .severity = row->severity,
	                           .score = row->score,
	                           .published = row->published,
	                           .modified = mapped_modified(row)}};
	if (!blob_read_head(a, blob, &r, &rest))
		return false;
	*ret = (struct advisories_entry){.advisory = r.as, .withdrawn = row->withdrawn, .source = str_of(source->name)};
	return read_packages(a, rest, ret);
}

int advisories_each(const struct advisories *a, int (*each)(void *arg, const struct advisories_entry *entry), void *arg, struct err *err)
{
	for (const struct mapped *m = a->mapped; m; m = mapped_next(m)) {
		for (uint64_t i = 0; i < mapped_head(m)->records; i++) {
			CLEANUP_ARENA struct arena *one = arena_new(64 * MIB);
			struct advisories_entry entry;
			int r;

			if (!one)
				return err_set(err, -ENOMEM, "no memory");
			if (!read_entry(one, m, i, &entry))
				return damaged(err);
			r = each(arg, &entry);
			if (r)
				return r;
		}
	}
	return 0;
}
