/* What is known about one version: the entries of its package that hold it, from memory and from the mapped indexes, and records that are
 * one by their names made one. */
#include "advisory/internal.h"

#include <stdlib.h>

#include "advisory/mapped.h"
#include "advisory/marks.h"

static bool is_listed(const struct listed *l, struct str version)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = str_cmp(version, l->versions[middle]);

		if (c == 0)
			return true;
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

void verdict_add(struct verdict *d, const struct interval *i, const struct version *v)
{
	if (i->end == INTERVAL_FIXED && v->ordered && version_compare(&i->to, v) == 0)
		d->ends_here = true;
	if (!(v->ordered ? interval_holds(i, v) : interval_is_all(i)))
		return;
	d->holds = true;
	if (i->end != INTERVAL_FIXED || (d->has_fix && version_compare(&i->to, &d->fix) >= 0))
		return;
	d->has_fix = true;
	d->fix = i->to;
	d->fix_text = i->to_text;
}

static struct verdict affected_judge(const struct affected *f, const struct version *v)
{
	struct verdict d = {.holds = f->all};

	for (const struct interval *i = f->intervals; i; i = i->next)
		verdict_add(&d, i, v);
	for (const struct listed *l = f->listed; l && !d.holds; l = l->next)
		d.holds = is_listed(l, v->text);
	return d;
}

/* ---- one of several ---- */

struct member {
	size_t group;
	const struct hit *hit;
};

static size_t group_of(struct member *members, size_t i)
{
	while (members[i].group != i) {
		members[i].group = members[members[i].group].group;
		i = members[i].group;
	}
	return i;
}

/* Puts `i` under this name, or into the group that has it. */
static void claim(struct map *names, struct member *members, size_t i, struct str name)
{
	uintptr_t other = name.n ? (uintptr_t)map_get(names, name) : 0;

	if (other)
		members[group_of(members, i)].group = group_of(members, other - 1);
	else if (name.n)
		/* Without memory two stay two, which is no harm. */
		map_put(names, name, (void *)(i + 1)); // NOLINT(performance-no-int-to-ptr)
}

static void find_groups(struct member *members, size_t count)
{
	CLEANUP_MAP struct map names = MAP_EMPTY;

	for (size_t i = 0; i < count; i++) {
		const struct advisory *as = &members[i].hit->record->as;

		claim(&names, members, i, as->id);
		for (size_t k = 0; k < as->alias_count; k++)
			claim(&names, members, i, as->aliases[k]);
	}
	for (size_t i = 0; i < count; i++)
		members[i].group = group_of(members, i);
}

/* By groups; in a group the one first that speaks for it. */
static int by_group(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	const struct record *p = x->hit->record, *q = y->hit->record;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if (p->as.kind != q->as.kind)
		return p->as.kind == ADVISORY_MALWARE ? -1 : 1;
	if (p->priority != q->priority)
		return p->priority > q->priority ? -1 : 1;
	if (p->as.severity != q->as.severity)
		return (int)q->as.severity - (int)p->as.severity;
	return str_cmp(p->as.id, q->as.id);
}

static void add_name(struct advisory *to, struct str *names, struct map *seen, struct str name)
{
	if (name.n == 0 || str_eq(name, to->id) || map_get(seen, name) || map_put(seen, name, to) < 0)
		return;
	names[to->alias_count++] = name;
}

static void join_names(struct arena *out, struct advisory *to, const struct member *group, size_t count)
{
	CLEANUP_MAP struct map seen = MAP_EMPTY;
	struct str *names;
	size_t most = 0;

	for (size_t i = 0; i < count; i++)
		most += 1 + group[i].hit->record->as.alias_count;
	names = ARENA_ARRAY(out, struct str, most);
	to->alias_count = 0;
	to->aliases = names;
	for (size_t i = 1; names && i < count; i++)
		add_name(to, names, &seen, group[i].hit->record->as.id);
	to->joined = to->alias_count;
	for (size_t i = 0; names && i < count; i++)
		for (size_t k = 0; k < group[i].hit->record->as.alias_count; k++)
			add_name(to, names, &seen, group[i].hit->record->as.aliases[k]);
}

/* What the first of the group leaves open is taken from the others. */
static void join_rest(struct advisory *to, const struct hit *hit)
{
	const struct advisory *as = &hit->record->as;

	if (to->severity == SEVERITY_UNKNOWN)
		to->severity = as->severity;
	if (to->score < 0) {
		to->score = as->score;
		to->vector = as->vector;
	}
	if (to->cwe_count == 0) {
		to->cwes = as->cwes;
		to->cwe_count = as->cwe_count;
	}
	to->summary = to->summary.n ? to->summary : as->summary;
	to->url = to->url.n ? to->url : as->url;
	to->fixed = to->fixed.n ? to->fixed : hit->fixed;
	if (as->published && (to->published == 0 || as->published < to->published))
		to->published = as->published;
	if (as->modified > to->modified)
		to->modified = as->modified;
}

static struct advisory advisory_of(const struct hit *hit)
{
	struct advisory result = hit->record->as;

	result.fixed = hit->fixed;
	result.vulnerable_versions = hit->range;
	return result;
}

static int worse_first(const void *a, const void *b)
{
	const struct advisory *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind == ADVISORY_MALWARE ? -1 : 1;
	if (x->severity != y->severity)
		return (int)y->severity - (int)x->severity;
	return str_cmp(x->id, y->id);
}

size_t hits_join(struct arena *out, const struct hit *hits, size_t count, struct advisory **ret)
{
	struct member *members = count > 1 ? ARENA_ARRAY(out, struct member, count) : NULL;
	size_t n = 0;

	*ret = count ? ARENA_ARRAY(out, struct advisory, count) : NULL;
	if (!*ret)
		return 0;
	if (!members) {
		(*ret)[0] = advisory_of(&hits[0]);
		return 1;
	}
	for (size_t i = 0; i < count; i++)
		members[i] = (struct member){i, &hits[i]};
	find_groups(members, count);
	qsort(members, count, sizeof(*members), by_group);
	for (size_t i = 0, end; i < count; i = end) {
		struct advisory *to = &(*ret)[n++];

		*to = advisory_of(members[i].hit);
		for (end = i + 1; end < count && members[end].group == members[i].group; end++)
			join_rest(to, members[end].hit);
		if (end > i + 1)
			join_names(out, to, &members[i], end - i);
	}
	qsort(*ret, n, sizeof(**ret), worse_first);
	return n;
}

/* ---- the question ---- */

bool advisories_know(const struct advisories *a, enum ecosystem e, struct str name)
{
	const struct package *p = index_find(a, e, name);

	if (p && p->first)
		return true;
	for (const struct mapped *m = a->mapped; m; m = mapped_next(m)) {
		struct mapped_package found;

		if (mapped_find(m, e, name, &found))
			return true;
	}
	return false;
}

static const struct record damaged = {
	.as = {.kind = ADVISORY_MALWARE,
           .severity = SEVERITY_CRITICAL,
           .id = STR(ADVISORY_DAMAGED),
           .summary = STR("the advisory index is damaged here: import it again (bondgate feed import --fresh)"),
           .score = -1},
	.priority = PRIORITY_OWN,
};

bool hits_add_damage(struct hits *h)
{
	return hits_add(h, (struct hit){&damaged, STR(""), STR("*")});
}

bool hits_add(struct hits *h, struct hit hit)
{
	if (h->count == h->room) {
		size_t room = h->room ? 2 * h->room : 8;
		struct hit *longer = ARENA_ARRAY(h->arena, struct hit, room);

		if (!longer)
			return false;
		if (h->count)
			memcpy(longer, h->list, h->count * sizeof(*longer));
		h->list = longer;
		h->room = room;
	}
	h->list[h->count++] = hit;
	return true;
}

static void match_memory(const struct package *p, const struct version *v, usec at, struct hits *h)
{
	for (const struct affected *f = p->first; f; f = f->next) {
		struct verdict d;

		if (at && f->record->as.published > at)
			continue;
		d = affected_judge(f, v);
		if (d.holds)
			hits_add(h, (struct hit){f->record, d.has_fix ? d.fix_text : STR(""), f->range});
	}
}

size_t advisories_match(const struct advisories *a, enum ecosystem e, struct str name, struct str version, usec at, struct arena *out,
                        struct advisory **ret)
{
	const struct package *p = index_find(a, e, name);
	struct hits h = {.arena = out};
	struct version v;
	bool read = false;
	size_t count;

	*ret = NULL;
	if (p) {
		version_read(out, e, version, &v);
		read = true;
		match_memory(p, &v, at, &h);
	}
	for (const struct mapped *m = a->mapped; m; m = mapped_next(m)) {
		struct mapped_package found;

		if (!mapped_find(m, e, name, &found))
			continue;
		if (!read)
			version_read(out, e, version, &v);
		read = true;
		mapped_match(m, &found, &v, at, &h);
	}
	count = hits_join(out, h.list, h.count, ret);
	marks_apply(a->marks, e, name, version, out, *ret, *ret ? count : 0);
	return count;
}

/* ---- is it a fix? ---- */

void fix_add(struct fix *f, struct str id, enum severity severity)
{
	if (!f->id.n || severity > f->severity || (severity == f->severity && str_cmp(id, f->id) < 0))
		*f = (struct fix){id, severity};
}

static void fixes_in_memory(const struct package *p, const struct version *v, usec at, struct fix *f)
{
	for (const struct affected *i = p->first; i; i = i->next) {
		const struct advisory *as = &i->record->as;
		struct verdict d;

		if (as->kind == ADVISORY_MALWARE || (at && as->published > at))
			continue;
		d = affected_judge(i, v);
		/* Where one range ends and the next begins at the same version, nothing was fixed. */
		if (d.ends_here && !d.holds)
			fix_add(f, as->id, as->severity);
	}
}

bool advisories_fixed_by(const struct advisories *a, enum ecosystem e, struct str name, struct str version, usec at, struct arena *out,
                         struct str *ret_id, enum severity *ret_severity)
{
	const struct package *p = index_find(a, e, name);
	struct fix fix = {0};
	struct version v = {0};

	if (p) {
		version_read(out, e, version, &v);
		fixes_in_memory(p, &v, at, &fix);
	}
	for (const struct mapped *m = a->mapped; m; m = mapped_next(m)) {
		struct mapped_package found;

		if (!mapped_find(m, e, name, &found))
			continue;
		if (!v.text.p)
			version_read(out, e, version, &v);
		mapped_fixes(m, &found, &v, at, &fix);
	}
	if (!fix.id.n)
		return false;
	*ret_id = arena_str(out, fix.id);
	*ret_severity = fix.severity;
	return ret_id->p != NULL;
}
