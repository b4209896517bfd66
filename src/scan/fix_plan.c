#include "scan/fix_plan.h"

#include "codec/nuget_version.h"
#include "codec/semver.h"
#include "scan/ways.h"

enum { MOST_STEPS = 64 };

/* Is a above b? What is no version is above nothing. */
static bool is_above(enum ecosystem e, struct str a, struct str b)
{
	struct nuget_version x, y;
	struct semver v, w;

	if (e == ECOSYSTEM_NUGET)
		return nuget_version_parse(a, &x) == 0 && nuget_version_parse(b, &y) == 0 && nuget_version_compare(&x, &y) > 0;
	return semver_parse(a, 0, &v) == 0 && semver_parse(b, 0, &w) == 0 && semver_compare(&v, &w) > 0;
}

static bool accepts(struct arena *a, enum ecosystem e, struct str spec, struct str version)
{
	struct nuget_range nuget;
	struct nuget_version n;
	struct semver_range *range;
	struct semver v;
	ptrdiff_t at;

	if (e == ECOSYSTEM_NUGET)
		return nuget_range_parse(a, spec, &nuget) == 0 && nuget_version_parse(version, &n) == 0 && nuget_range_satisfied(&nuget, &n);
	/* "npm:real@range" */
	at = str_starts(spec, STR("npm:")) ? str_rchr(spec, '@') : -1;
	if (at > 4)
		spec = str_skip(spec, (size_t)at + 1);
	return semver_range_parse(a, spec, 0, &range) == 0 && semver_parse(version, 0, &v) == 0 && semver_range_satisfied(range, &v, 0);
}

/* Upwards from fix to fix until nothing speaks against the version; empty: one of them has no fix. */
static struct str safe_version(const struct advisories *advisories, enum ecosystem e, struct str name, struct str version, struct arena *a)
{
	struct str at = version;

	for (int steps = 0; steps < MOST_STEPS; steps++) {
		struct advisory *matches;
		size_t n = advisories_match(advisories, e, name, at, 0, a, &matches);
		struct str next = at;

		if (n == 0)
			return steps ? at : STR_NULL;
		for (size_t i = 0; i < n; i++) {
			if (!matches[i].fixed.n || !is_above(e, matches[i].fixed, at))
				return STR_NULL;
			if (is_above(e, matches[i].fixed, next))
				next = matches[i].fixed;
		}
		at = next;
	}
	return STR_NULL;
}

/* pnpm writes which version it chose, not the range: what is usually asked for (^) is taken for it. */
static bool is_compatible(struct str from, struct str to)
{
	struct semver a, b;

	if (semver_parse(from, 0, &a) < 0 || semver_parse(to, 0, &b) < 0 || a.major != b.major)
		return false;
	return a.major > 0 || a.minor == b.minor;
}

/* Everybody who needs this version in any of its places. */
static void check_ranges(struct fix *fix, struct arena *a)
{
	const struct lock *l = fix->lock;
	const struct lock_package *p = &l->packages[fix->package];

	fix->within_range = true;
	if (str_ends(l->file, STR("pnpm-lock.yaml"))) {
		fix->within_range = is_compatible(p->version, fix->to);
		fix->blocker_wants = p->version;
		return;
	}
	for (uint32_t i = 0; i < l->count && fix->within_range; i++)
		for (uint32_t n = l->packages[i].needs; n != LOCK_NONE; n = l->needs[n].next) {
			const struct lock_need *need = &l->needs[n];

			if (need->to == LOCK_NONE || l->packages[need->to].listed != p->listed || need->kind == NEED_PEER)
				continue;
			if (l->packages[i].source == LOCK_LINK || accepts(a, p->ecosystem, need->spec, fix->to))
				continue;
			fix->within_range = false;
			fix->blocker = i;
			fix->blocker_wants = need->spec;
			break;
		}
}

static uint32_t root_of(const struct fix *fix)
{
	struct way ways[WAYS];

	lock_ways(fix->lock, LOCK_NONE, fix->package, ways);
	for (size_t i = 0; i < ways[0].count; i++)
		if (fix->lock->packages[ways[0].steps[i]].source != LOCK_WORKSPACE || i + 1 == ways[0].count)
			return ways[0].steps[i];
	return fix->package;
}

static bool is_advisory(const struct finding *f)
{
	return (f->kind == FINDING_VULNERABILITY || f->kind == FINDING_MALWARE) && f->package != LOCK_NONE;
}

static bool is_same(const struct fix *fix, const struct finding *f)
{
	return fix->lock == f->lock && fix->lock->packages[fix->package].listed == f->lock->packages[f->package].listed;
}

static int add_id(struct fix *fix, struct str id, struct arena *a)
{
	struct str *bigger = ARENA_ARRAY(a, struct str, fix->id_count + 1);

	if (!bigger)
		return -ENOMEM;
	if (fix->id_count)
		memcpy(bigger, fix->ids, fix->id_count * sizeof(*bigger));
	bigger[fix->id_count] = id;
	fix->ids = bigger;
	fix->id_count++;
	return 0;
}

static int by_root(const void *x, const void *y)
{
	const struct fix *a = x, *b = y;
	int order = str_cmp(a->lock->file, b->lock->file);

	if (order == 0)
		order = str_cmp(a->lock->packages[a->root].name, b->lock->packages[b->root].name);
	return order ? order : str_cmp(a->lock->packages[a->package].name, b->lock->packages[b->package].name);
}

int fix_plan_make(const struct findings *f, const struct advisories *advisories, struct arena *a, struct fix_plan *ret)
{
	*ret = (struct fix_plan){.array = ARENA_ARRAY(a, struct fix, f->count ? f->count : 1)};
	for (size_t i = 0; ret->array && i < f->count; i++) {
		const struct finding *one = &f->array[i];
		size_t k = 0;

		if (!is_advisory(one))
			continue;
		while (k < ret->count && !is_same(&ret->array[k], one))
			k++;
		if (k == ret->count)
			ret->array[ret->count++] = (struct fix){.lock = one->lock, .package = one->package, .blocker = LOCK_NONE};
		ret->array[k].malware = ret->array[k].malware || one->kind == FINDING_MALWARE;
		if (add_id(&ret->array[k], one->id, a) < 0)
			return -ENOMEM;
	}
	for (size_t k = 0; k < ret->count; k++) {
		struct fix *fix = &ret->array[k];
		const struct lock_package *p = &fix->lock->packages[fix->package];

		fix->root = root_of(fix);
		fix->to = safe_version(advisories, p->ecosystem, p->name, p->version, a);
		if (fix->to.n)
			check_ranges(fix, a);
		*(fix->to.n ? &ret->closed : &ret->open) += fix->id_count;
	}
	if (ret->array && ret->count)
		qsort(ret->array, ret->count, sizeof(*ret->array), by_root);
	return arena_failed(a) ? -ENOMEM : 0;
}
