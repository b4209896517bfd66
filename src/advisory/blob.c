/* One record as bytes of the index: texts, then its entries, one a package. What matching needs again and again is in the form that it
 * needs: versions normalized, events turned into intervals, lists sorted. */
#include "advisory/mapped.h"
#include "advisory/wire.h"

enum { FROM_ZERO = 1, TO_TEXT = 2, END_SHIFT = 2, ALL = 1 };

static void put_texts(struct buf *out, const struct str *texts, size_t count)
{
	wire_put_number(out, count);
	for (size_t i = 0; i < count; i++)
		wire_put_text(out, texts[i]);
}

static void put_interval(struct buf *out, const struct interval *i)
{
	bool differs = i->end != INTERVAL_OPEN && !str_eq(i->to_text, i->to.text);

	wire_put_number(out, (i->from_zero ? FROM_ZERO : 0u) | (differs ? TO_TEXT : 0u) | (unsigned)i->end << END_SHIFT);
	if (!i->from_zero)
		wire_put_text(out, i->from.text);
	if (i->end != INTERVAL_OPEN)
		wire_put_text(out, i->to.text);
	if (differs)
		wire_put_text(out, i->to_text);
}

static void put_package(struct buf *out, const struct affected *f)
{
	size_t count = 0;

	wire_put_number(out, f->package->name.n + 1);
	buf_add_char(out, mapped_letter(f->package->ecosystem));
	buf_add_str(out, f->package->name);
	wire_put_text(out, f->range);
	wire_put_number(out, f->all ? ALL : 0);
	for (const struct interval *i = f->intervals; i; i = i->next)
		count++;
	wire_put_number(out, count);
	for (const struct interval *i = f->intervals; i; i = i->next)
		put_interval(out, i);
	count = 0;
	for (const struct listed *l = f->listed; l; l = l->next)
		count++;
	wire_put_number(out, count);
	for (const struct listed *l = f->listed; l; l = l->next)
		put_texts(out, l->versions, l->count);
}

void blob_write(struct buf *out, const struct record *r, const struct affected *of_record)
{
	CLEANUP_BUF struct buf one = BUF(out->max);
	size_t count = 0;

	wire_put_text(out, r->as.id);
	wire_put_text(out, r->as.summary);
	wire_put_text(out, r->as.url);
	wire_put_text(out, r->as.vector);
	put_texts(out, r->as.aliases, r->as.alias_count);
	put_texts(out, r->as.cwes, r->as.cwe_count);
	for (const struct affected *f = of_record; f; f = f->of_record)
		count++;
	wire_put_number(out, count);
	/* Each behind its length, so that who looks for names passes over the versions. */
	for (const struct affected *f = of_record; f; f = f->of_record) {
		buf_clear(&one);
		put_package(&one, f);
		wire_put_text(out, buf_str(&one));
		if (one.error)
			out->error = one.error;
	}
}

static bool get_texts(struct arena *a, struct wire *w, struct str **ret, size_t *ret_count)
{
	uint64_t count = wire_count(w);
	struct str *texts = count && !w->bad ? ARENA_ARRAY(a, struct str, (size_t)count) : NULL;

	if (count && !texts)
		return false;
	for (uint64_t i = 0; i < count; i++)
		texts[i] = wire_text(w);
	*ret = texts;
	*ret_count = (size_t)count;
	return !w->bad;
}

bool blob_read_head(struct arena *a, struct str blob, struct record *ret, struct str *ret_rest)
{
	struct wire w = wire_over(blob);
	struct str *aliases, *cwes;

	ret->as.id = wire_text(&w);
	ret->as.summary = wire_text(&w);
	ret->as.url = wire_text(&w);
	ret->as.vector = wire_text(&w);
	if (!get_texts(a, &w, &aliases, &ret->as.alias_count) || !get_texts(a, &w, &cwes, &ret->as.cwe_count))
		return false;
	ret->as.aliases = aliases;
	ret->as.cwes = cwes;
	*ret_rest = wire_rest(&w);
	return !w.bad;
}

bool blob_read_id(struct str blob, struct str *ret)
{
	struct wire w = wire_over(blob);

	*ret = wire_text(&w);
	return !w.bad && ret->n;
}

bool blob_read_count(struct str *rest, uint64_t *ret)
{
	struct wire w = wire_over(*rest);

	*ret = wire_count(&w);
	*rest = wire_rest(&w);
	return !w.bad;
}

static bool get_version(struct wire *w, enum ecosystem e, struct version *ret)
{
	version_settle(e, wire_text(w), ret);
	return ret->ordered;
}

static bool get_interval(struct wire *w, enum ecosystem e, struct interval *i)
{
	uint64_t flags = wire_number(w);

	if (flags >> END_SHIFT > INTERVAL_LIMIT)
		return false;
	i->from_zero = flags & FROM_ZERO;
	i->end = (enum interval_end)(flags >> END_SHIFT);
	if (!i->from_zero && !get_version(w, e, &i->from))
		return false;
	if (i->end != INTERVAL_OPEN && !get_version(w, e, &i->to))
		return false;
	i->to_text = flags & TO_TEXT ? wire_text(w) : i->to.text;
	return !w->bad;
}

static struct wire enter_package(struct str *rest, struct blob_package *ret)
{
	struct wire outer = wire_over(*rest), w = wire_over(wire_text(&outer));

	*rest = wire_rest(&outer);
	*ret = (struct blob_package){.key = wire_text(&w)};
	ret->range = wire_text(&w);
	if (ret->key.n == 0 || outer.bad)
		w.bad = true;
	else
		ret->ecosystem = ret->key.p[0] == mapped_letter(ECOSYSTEM_NPM) ? ECOSYSTEM_NPM : ECOSYSTEM_NUGET;
	return w;
}

bool blob_skip_package(struct str *rest, struct blob_package *ret)
{
	return !enter_package(rest, ret).bad;
}

static bool judge_listed(struct wire *w, const struct version *v, struct verdict *d)
{
	uint64_t count = wire_count(w);

	for (uint64_t i = 0; i < count && !w->bad; i++)
		if (str_eq(wire_text(w), v->text))
			d->holds = true;
	return !w->bad;
}

bool blob_judge(struct str rest, const struct version *v, struct blob_package *ret, struct verdict *d)
{
	struct wire w = enter_package(&rest, ret);
	uint64_t count;

	*d = (struct verdict){.holds = wire_number(&w) == ALL};
	count = wire_count(&w);
	for (uint64_t n = 0; n < count; n++) {
		struct interval i;

		if (!get_interval(&w, ret->ecosystem, &i))
			return false;
		verdict_add(d, &i, v);
	}
	count = wire_count(&w);
	for (uint64_t n = 0; n < count; n++)
		if (!judge_listed(&w, v, d))
			return false;
	return !w.bad && ret->ecosystem == v->ecosystem;
}

/* ---- two parts of one record ---- */

/* The head's bytes, and what follows the count of entries. */
static bool split(struct str blob, struct str *ret_head, uint64_t *ret_count, struct str *ret_entries)
{
	struct wire w = wire_over(blob);

	for (int i = 0; i < 4; i++)
		wire_text(&w);
	for (int list = 0; list < 2; list++)
		for (uint64_t n = wire_count(&w); n > 0; n--)
			wire_text(&w);
	*ret_head = str_range(blob.p, w.p);
	*ret_count = wire_count(&w);
	*ret_entries = wire_rest(&w);
	return !w.bad;
}

/* Appends the entries whose ecosystem is not among `without` (a bit each). */
static bool copy_entries(struct buf *out, uint64_t count, struct str entries, unsigned without, unsigned *ret_met, uint64_t *ret_copied)
{
	*ret_met = 0;
	*ret_copied = 0;
	for (uint64_t i = 0; i < count; i++) {
		struct str from = entries;
		struct blob_package p;

		if (!blob_skip_package(&entries, &p))
			return false;
		*ret_met |= 1u << p.ecosystem;
		if (without & 1u << p.ecosystem)
			continue;
		buf_add_str(out, str_take(from, (size_t)(entries.p - from.p)));
		++*ret_copied;
	}
	return true;
}

bool blob_merge(struct buf *out, struct str head, struct str first, struct str second)
{
	CLEANUP_BUF struct buf both = BUF(out->max);
	struct str head_bytes, unused, first_entries, second_entries;
	uint64_t n, first_count, second_count, copied, more;
	unsigned met, ignored;

	if (!split(head, &head_bytes, &n, &unused) || !split(first, &unused, &first_count, &first_entries) ||
	    !split(second, &unused, &second_count, &second_entries))
		return false;
	if (!copy_entries(&both, first_count, first_entries, 0, &met, &copied) ||
	    !copy_entries(&both, second_count, second_entries, met, &ignored, &more))
		return false;
	buf_add_str(out, head_bytes);
	wire_put_number(out, copied + more);
	buf_add_str(out, buf_str(&both));
	return !both.error && !out->error;
}
