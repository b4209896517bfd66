/* Rule 6: tags stay honest. */
#include "registry/npm/render.h"

/* The search for a target of `latest`, from the strictest demand to the weakest. */
enum demand { NOT_ABOVE_NOT_DEPRECATED, STABLE, ANY };

static bool meets(const struct npm_version *v, enum demand demand, const struct semver *ceiling)
{
	if (demand == ANY)
		return true;
	if (semver_is_prerelease(&v->semver))
		return false;
	return demand == STABLE || (!v->deprecated && (!ceiling || semver_compare(&v->semver, ceiling) <= 0));
}

/* The highest version, by precedence and never by time, that is shown and meets the demand. */
static bool highest(const struct npm_packument *p, const struct npm_cut *cut, enum demand demand, const struct semver *ceiling,
                    struct npm_version *ret)
{
	bool found = false;

	for (size_t i = 0; i < npm_packument_version_count(p); i++) {
		struct npm_version v;

		if (!cut->shown[i])
			continue;
		npm_packument_version(p, i, &v);
		/* A tag does not go to what the upstream has taken back while there is anything else. */
		if (v.ghost && demand != ANY && !npm_packument_gone(p))
			continue;
		if (!v.semver_ok || !meets(&v, demand, ceiling) || (found && semver_compare_build(&v.semver, &ret->semver) <= 0))
			continue;
		*ret = v;
		found = true;
	}
	return found;
}

static struct str repaired_latest(const struct npm_packument *p, const struct npm_cut *cut, struct str hidden)
{
	struct semver parsed;
	const struct semver *ceiling = semver_parse(hidden, SEMVER_LOOSE, &parsed) == 0 ? &parsed : NULL;
	struct npm_version v;

	for (enum demand demand = NOT_ABOVE_NOT_DEPRECATED; demand <= ANY; demand++)
		if (highest(p, cut, demand, ceiling, &v))
			return v.version;
	return STR_NULL;
}

static bool is_shown(const struct npm_packument *p, const struct npm_cut *cut, struct str version)
{
	ptrdiff_t at = npm_packument_find(p, version);

	return at >= 0 && cut->shown[at];
}

/* The tag was moved back to a version that was old already, and not long ago. */
static bool is_held(const struct npm_packument *p, const struct npm_cut *cut, const struct npm_tag *t)
{
	ptrdiff_t at = npm_packument_find(p, t->target);
	struct npm_version target;

	if (t->former.n == 0 || cut->tag_hold <= 0 || cut->now - t->hold_from >= cut->tag_hold || at < 0)
		return false;
	npm_packument_version(p, (size_t)at, &target);
	return t->hold_from - target.published >= cut->tag_hold && is_shown(p, cut, t->former);
}

static struct str served_target(const struct npm_packument *p, const struct npm_cut *cut, const struct npm_tag *t)
{
	if (is_held(p, cut, t))
		return t->former;
	if (is_shown(p, cut, t->target))
		return t->target;
	return str_eq(t->tag, STR("latest")) ? repaired_latest(p, cut, t->target) : STR_NULL;
}

size_t npm_tags_repair(const struct npm_packument *p, const struct npm_cut *cut, struct arena *a, const struct npm_tag_out **ret)
{
	size_t count = npm_packument_tag_count(p), kept = 0;
	struct npm_tag_out *out = ARENA_ARRAY(a, struct npm_tag_out, count);

	*ret = out;
	for (size_t i = 0; out && i < count; i++) {
		struct npm_tag tag;
		struct str target;

		npm_packument_tag(p, i, &tag);
		target = served_target(p, cut, &tag);
		if (target.n)
			out[kept++] = (struct npm_tag_out){tag.tag, target};
	}
	return kept;
}

ptrdiff_t npm_resolve(const struct npm_packument *p, const struct npm_cut *cut, struct arena *a, struct str version_or_tag)
{
	ptrdiff_t at = npm_packument_find(p, version_or_tag);
	const struct npm_tag_out *tags;
	size_t count;

	if (at >= 0)
		return cut->shown[at] ? at : -1;
	count = npm_tags_repair(p, cut, a, &tags);
	for (size_t i = 0; i < count; i++)
		if (str_eq(tags[i].tag, version_or_tag))
			return npm_packument_find(p, tags[i].target);
	return -1;
}
