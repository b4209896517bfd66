/* Method, path and query, one a line. What is understood must hold no byte that could leave its place. */
#include "base/limits.h"
#include "codec/purl.h"
#include "registry/npm/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool holds)
{
	if (!holds)
		abort();
}

static void insist_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		insist((unsigned char)s.p[i] >= 0x20 && s.p[i] != '/' && s.p[i] != '\\' && s.p[i] != 0x7f);
	insist(!str_eq(s, STR("..")) && !str_eq(s, STR(".")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct str rest = {(const char *)data, size}, method = STR_NULL, path = STR_NULL;
	struct npm_route route;
	struct err err = {0};

	str_split(&rest, '\n', &method);
	str_split(&rest, '\n', &path);
	if (npm_route_parse(a, method, path, rest, &route, &err) < 0) {
		insist(err.text[0] != '\0');
		return 0;
	}
	insist(route.kind < NPM_ROUTE_COUNT);
	insist(route.name.n == 0 || npm_name_check(route.name, &err) == 0);
	insist_plain(route.version);
	insist_plain(route.file);
	insist(route.kind != NPM_ROUTE_TARBALL || (route.name.n && route.file.n));
	insist(route.kind != NPM_ROUTE_VERSION || (route.name.n && route.version.n));
	return 0;
}
