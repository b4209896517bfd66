/* Versions in both ecosystems' ways, as advisories need them: a text that equal versions share, and an order. */
#include "advisory/internal.h"

#include "base/limits.h"

/* Parsed again from its normalized text, so that the slices are those of the arena's copy. */
static void settle_npm(struct version *v)
{
	v->ordered = v->text.p && semver_parse(v->text, SEMVER_LOOSE, &v->semver) == 0;
}

static void settle_nuget(struct version *v)
{
	v->ordered = v->text.p && nuget_version_parse(v->text, &v->nuget) == 0;
}

/* npm's advisories write "1.2" too, which is no version there; NuGet's reader fills the missing numbers up. */
static bool is_short(struct str text, struct nuget_version *ret)
{
	return nuget_version_parse(text, ret) == 0 && ret->parts < 3;
}

void version_read(struct arena *a, enum ecosystem e, struct str text, struct version *ret)
{
	*ret = (struct version){.ecosystem = e, .text = str_trim(text)};
	if (ret->text.n > LIMIT_VERSION_BYTES)
		return;
	if (e == ECOSYSTEM_NUGET) {
		if (nuget_version_parse(ret->text, &ret->nuget) < 0)
			return;
		ret->text = nuget_version_format_lower(a, &ret->nuget);
		settle_nuget(ret);
		return;
	}
	if (semver_parse(ret->text, SEMVER_LOOSE, &ret->semver) == 0)
		ret->text = semver_format(a, &ret->semver);
	else if (is_short(ret->text, &ret->nuget))
		ret->text = nuget_version_format(a, &ret->nuget);
	else
		return;
	settle_npm(ret);
}

int version_compare(const struct version *a, const struct version *b)
{
	return a->ecosystem == ECOSYSTEM_NUGET ? nuget_version_compare(&a->nuget, &b->nuget) : semver_compare(&a->semver, &b->semver);
}

void version_settle(enum ecosystem e, struct str text, struct version *ret)
{
	*ret = (struct version){.ecosystem = e, .text = text};
	if (e == ECOSYSTEM_NUGET)
		settle_nuget(ret);
	else
		settle_npm(ret);
}
