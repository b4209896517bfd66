#include "scan/nuget_names.h"

#include "base/limits.h"
#include "codec/nuget_version.h"

enum { KEY_BYTES = 2048 };

static size_t write_key(char *out, size_t room, struct str framework, struct str name)
{
	if (framework.n + 1 + name.n > room)
		return 0;
	if (framework.n)
		memcpy(out, framework.p, framework.n);
	out[framework.n] = '\n';
	for (size_t i = 0; i < name.n; i++)
		out[framework.n + 1 + i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32 : name.p[i]);
	return framework.n + 1 + name.n;
}

struct str nuget_key(struct arena *a, struct str framework, struct str name)
{
	size_t room = framework.n + 1 + name.n;
	char *out = arena_alloc(a, room);

	return out ? (struct str){out, write_key(out, room, framework, name)} : STR_NULL;
}

uint32_t nuget_find(const struct lock *l, struct str framework, struct str name)
{
	char key[KEY_BYTES];
	size_t n = write_key(key, sizeof(key), framework, name);

	return n ? lock_find(l, (struct str){key, n}) : LOCK_NONE;
}

bool nuget_split(struct str text, struct str *ret_name, struct str *ret_version)
{
	ptrdiff_t slash = str_chr(text, '/');

	if (slash <= 0 || (size_t)slash + 1 == text.n)
		return false;
	*ret_name = str_take(text, (size_t)slash);
	*ret_version = str_skip(text, (size_t)slash + 1);
	return true;
}

struct str nuget_lowest(struct arena *a, struct str requested)
{
	struct nuget_version v;
	struct nuget_range range;

	requested = str_trim(requested);
	if (nuget_version_parse(requested, &v) == 0)
		return requested;
	if (nuget_range_parse(a, requested, &range) < 0 || !range.has_min || range.floating != NUGET_FIXED)
		return STR_NULL;
	return nuget_version_format(a, &range.min);
}
