#include "registry/npm/route.h"

#include "base/limits.h"
#include "codec/purl.h"

static const char *const names[NPM_ROUTE_COUNT] = {
#define X(constant, text) [constant] = text,
	NPM_ROUTES(X)
#undef X
};

const char *npm_route_name(enum npm_route_kind k)
{
	return k < NPM_ROUTE_COUNT ? names[k] : "?";
}

enum method { GET = 1, POST = 2, PUT = 4, DELETE = 8 };

enum { SEGMENTS = 12, SEARCH_SIZE = 20, SEARCH_SIZE_MAX = 250, FILE_BYTES = 512 };

/* Paths below "/-/": `*` is any one segment, a final `**` any number of them. The first line that fits path and method counts. */
static const struct {
	struct str pattern;
	unsigned methods;
	enum npm_route_kind kind;
	bool secret;
} table[] = {
	{STR("ping"), GET, NPM_ROUTE_PING, false},
	{STR("whoami"), GET, NPM_ROUTE_WHOAMI, false},
	{STR("v1/search"), GET, NPM_ROUTE_SEARCH, false},
	{STR("v1/login"), POST, NPM_ROUTE_LOGIN, false},
	{STR("v1/**"), GET | POST, NPM_ROUTE_ACCOUNT, true},
	{STR("user/token/*"), DELETE, NPM_ROUTE_LOGIN, true},
	{STR("user/*"), PUT, NPM_ROUTE_LOGIN, false},
	{STR("user/*/-rev/*"), PUT, NPM_ROUTE_LOGIN, false},
	{STR("user/**"), GET | POST | PUT | DELETE, NPM_ROUTE_ACCOUNT, true},
	{STR("npm/v1/security/advisories/bulk"), POST, NPM_ROUTE_AUDIT_BULK, false},
	{STR("npm/v1/security/audits/quick"), POST, NPM_ROUTE_AUDIT_QUICK, false},
	{STR("npm/v1/security/audits"), POST, NPM_ROUTE_AUDIT_QUICK, false},
	{STR("npm/v1/keys"), GET, NPM_ROUTE_KEYS, false},
	{STR("npm/v1/attestations/*"), GET, NPM_ROUTE_ATTESTATIONS, false},
	{STR("npm/v1/attestations/*/*"), GET, NPM_ROUTE_ATTESTATIONS, false},
	{STR("npm/v1/tokens/**"), GET | POST | PUT | DELETE, NPM_ROUTE_ACCOUNT, true},
	{STR("npm/v1/user"), GET | POST, NPM_ROUTE_ACCOUNT, false},
	{STR("package/**"), GET | POST | PUT | DELETE, NPM_ROUTE_ACCOUNT, false},
	{STR("org/**"), GET | POST | PUT | DELETE, NPM_ROUTE_ACCOUNT, false},
	{STR("team/**"), GET | POST | PUT | DELETE, NPM_ROUTE_ACCOUNT, false},
	{STR("stage/**"), GET | POST | PUT | DELETE, NPM_ROUTE_ACCOUNT, false},
};

/* The path cut at its slashes, each segment decoded once. */
struct path {
	struct str segments[SEGMENTS];
	size_t count;
};

static unsigned method_of(struct str method)
{
	if (str_eq(method, STR("GET")) || str_eq(method, STR("HEAD")))
		return GET;
	return str_eq(method, STR("POST")) ? POST : str_eq(method, STR("PUT")) ? PUT : str_eq(method, STR("DELETE")) ? DELETE : 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* -EINVAL for a broken escape, -ENOMEM. `plus`: a plus sign is a blank, as in queries. */
static int decode(struct arena *a, struct str raw, bool plus, struct str *ret)
{
	char *out = arena_alloc(a, raw.n + 1);
	size_t n = 0;

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < raw.n; i++) {
		char c = raw.p[i];

		if (c == '%') {
			int high = raw.n - i > 2 ? hex_value(raw.p[i + 1]) : -1, low = raw.n - i > 2 ? hex_value(raw.p[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -EINVAL;
			c = (char)(high * 16 + low);
			i += 2;
		} else if (plus && c == '+') {
			c = ' ';
		}
		out[n++] = c;
	}
	*ret = (struct str){out, n};
	return 0;
}

/* Bytes that no name, version or file of ours has, decoded or not. */
static bool hostile(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f || s.p[i] == '\\')
			return true;
	return s.n == 0 || str_eq(s, STR(".")) || str_eq(s, STR("..")) || str_starts(s, STR("../")) || str_ends(s, STR("/..")) ||
	       str_find(s, STR("/../")) >= 0;
}

static int split_path(struct arena *a, struct str path, struct path *ret, struct err *err)
{
	struct str rest = str_skip(path, 1), part;
	int r;

	ret->count = 0;
	if (path.n == 0 || path.p[0] != '/')
		return err_set(err, -EINVAL, "the path does not start with a slash");
	if (path.n > LIMIT_TARGET_BYTES)
		return err_set(err, -EINVAL, "the path is too long");
	if (rest.n && rest.p[rest.n - 1] == '/')
		return err_set(err, -EINVAL, "the path ends in a slash");
	while (str_split(&rest, '/', &part)) {
		if (ret->count == SEGMENTS)
			return err_set(err, -ENOENT, "there is nothing at this path");
		r = decode(a, part, false, &ret->segments[ret->count]);
		if (r == 0 && hostile(ret->segments[ret->count]))
			r = -EINVAL;
		if (r < 0)
			return err_set(err, r, "the path holds an empty or forbidden segment or a broken escape");
		ret->count++;
	}
	return ret->count ? 0 : err_set(err, -ENOENT, "there is nothing at the root: ask for a package");
}

static struct path path_from(const struct path *p, size_t first)
{
	struct path rest = {.count = p->count - first};

	memcpy(rest.segments, p->segments + first, rest.count * sizeof(rest.segments[0]));
	return rest;
}

/* A name at the front: "name", "@scope%2fname" or "@scope", "name". *ret_used: how many segments it took. */
static int take_name(struct arena *a, const struct path *p, struct str *ret_name, size_t *ret_used, struct err *err)
{
	struct str name = p->count ? p->segments[0] : STR_NULL;

	*ret_used = 1;
	if (name.n && name.p[0] == '@' && str_chr(name, '/') < 0) {
		if (p->count < 2)
			return err_set(err, -ENOENT, "a scope alone is no package");
		name = arena_printf(a, "%.*s/%.*s", STR_ARG(name), STR_ARG(p->segments[1]));
		*ret_used = 2;
	}
	if (npm_name_check(name, err) < 0)
		return -EINVAL;
	*ret_name = name;
	return 0;
}

static int refuse_method(struct err *err, struct str method)
{
	return err_set(err, -EOPNOTSUPP, "%.*s is not for this path", STR_ARG(str_take(method, 20)));
}

static int nothing_here(struct err *err)
{
	return err_set(err, -ENOENT, "there is nothing at this path");
}

/* The value of a query parameter, decoded; false: it is not there. */
static bool query_get(struct arena *a, struct str query, struct str key, struct str *ret)
{
	struct str part;

	while (str_split(&query, '&', &part)) {
		ptrdiff_t equals = str_chr(part, '=');

		if (equals >= 0 && str_eq(str_take(part, (size_t)equals), key))
			return decode(a, str_skip(part, (size_t)equals + 1), true, ret) == 0;
	}
	return false;
}

static unsigned query_number(struct arena *a, struct str query, struct str key, unsigned fallback, unsigned most)
{
	struct str text;
	uint64_t value;

	if (!query_get(a, query, key, &text) || str_to_u64(text, &value) < 0)
		return fallback;
	return value > most ? most : (unsigned)value;
}

/* A version, a tag or a file: one segment, no slash. */
static int take_plain(struct str segment, size_t most, struct str *ret, struct err *err)
{
	if (str_chr(segment, '/') >= 0 || segment.n > most || hostile(segment))
		return err_set(err, -EINVAL, "the path holds no version or file where one was expected");
	*ret = segment;
	return 0;
}

/* After "/name/-/": a file, or "@scope/file" as some registries write it. */
static int take_file(const struct path *rest, struct str name, struct str *ret, struct err *err)
{
	struct str scope = str_take(name, (size_t)(str_chr(name, '/') + 1)), file = rest->segments[0];

	if (rest->count == 2 && scope.n && str_eq(file, str_take(scope, scope.n - 1)))
		file = rest->segments[1];
	else if (rest->count != 1)
		return nothing_here(err);
	else if (scope.n && str_starts(file, scope))
		file = str_skip(file, scope.n);
	if (str_starts(file, STR(".")))
		return err_set(err, -EINVAL, "a tarball's name does not start with a dot");
	return take_plain(file, FILE_BYTES, ret, err);
}

static int parse_package(struct arena *a, struct str method, const struct path *path, struct str query, struct npm_route *ret,
                         struct err *err)
{
	unsigned m = method_of(method);
	struct str write;
	struct path rest;
	size_t used;
	int r = take_name(a, path, &ret->name, &used, err);

	if (r < 0)
		return r;
	rest = path_from(path, used);
	if (rest.count == 0) {
		ret->kind = m == PUT ? NPM_ROUTE_PUBLISH : NPM_ROUTE_PACKUMENT;
		ret->write = query_get(a, query, STR("write"), &write) && str_eq(write, STR("true"));
		return m == GET || m == PUT ? 0 : refuse_method(err, method);
	}
	/* …/-rev/{rev} and …/-/{file}/-rev/{rev}: a version or the package is taken back. */
	if (rest.count >= 2 && str_eq(rest.segments[rest.count - 2], STR("-rev"))) {
		ret->kind = NPM_ROUTE_PUBLISH;
		return m & (PUT | DELETE) ? 0 : refuse_method(err, method);
	}
	if (str_eq(rest.segments[0], STR("-"))) {
		struct path below = path_from(&rest, 1);

		ret->kind = NPM_ROUTE_TARBALL;
		r = below.count ? take_file(&below, ret->name, &ret->file, err) : nothing_here(err);
		return r < 0 ? r : m == GET ? 0 : refuse_method(err, method);
	}
	if (rest.count != 1)
		return nothing_here(err);
	ret->kind = NPM_ROUTE_VERSION;
	r = take_plain(rest.segments[0], LIMIT_VERSION_BYTES, &ret->version, err);
	return r < 0 ? r : m == GET ? 0 : refuse_method(err, method);
}

/* "{name}@{version}", in one segment or, with a scope, in two. */
static int parse_attestations(struct arena *a, const struct path *rest, struct npm_route *ret, struct err *err)
{
	struct str text = rest->segments[0];
	ptrdiff_t at;

	if (rest->count == 2)
		text = arena_printf(a, "%.*s/%.*s", STR_ARG(text), STR_ARG(rest->segments[1]));
	at = str_rchr(text, '@');
	if (at <= 0)
		return nothing_here(err);
	ret->name = str_take(text, (size_t)at);
	if (npm_name_check(ret->name, err) < 0)
		return -EINVAL;
	return take_plain(str_skip(text, (size_t)at + 1), LIMIT_VERSION_BYTES, &ret->version, err);
}

/* "/-/package/{name}/dist-tags[/{tag}]"; *ret_other: it is another question about the package. */
static int parse_dist_tags(struct arena *a, struct str method, const struct path *rest, struct npm_route *ret, bool *ret_other,
                           struct err *err)
{
	unsigned m = method_of(method);
	struct path below;
	size_t used;
	int r = take_name(a, rest, &ret->name, &used, err);

	if (r < 0)
		return r;
	below = path_from(rest, used);
	*ret_other = below.count == 0 || !str_eq(below.segments[0], STR("dist-tags"));
	if (*ret_other)
		return 0;
	if (below.count > 2)
		return nothing_here(err);
	ret->kind = below.count == 1 && m == GET ? NPM_ROUTE_DIST_TAGS : NPM_ROUTE_DIST_TAG_WRITE;
	if (below.count == 2)
		r = take_plain(below.segments[1], LIMIT_VERSION_BYTES, &ret->version, err);
	if (r == 0 && ret->kind == NPM_ROUTE_DIST_TAG_WRITE && !(m & (PUT | POST | DELETE)))
		r = refuse_method(err, method);
	return r;
}

static bool pattern_fits(struct str pattern, const struct path *p)
{
	struct str part;
	size_t i = 0;

	while (str_split(&pattern, '/', &part)) {
		if (str_eq(part, STR("**")))
			return true;
		if (i == p->count || (!str_eq(part, STR("*")) && !str_eq(part, p->segments[i])))
			return false;
		i++;
	}
	return i == p->count;
}

static int parse_special(struct arena *a, struct str method, const struct path *path, struct str query, struct npm_route *ret,
                         struct err *err)
{
	struct path rest = path_from(path, 1), below;
	bool fits = false, other = true;
	size_t i;
	int r;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (!pattern_fits(table[i].pattern, &rest))
			continue;
		fits = true;
		if (table[i].methods & method_of(method))
			break;
	}
	if (i == sizeof(table) / sizeof(table[0]))
		return fits ? refuse_method(err, method) : nothing_here(err);
	ret->kind = table[i].kind;
	ret->secret_in_path = table[i].secret;
	if (ret->kind == NPM_ROUTE_ATTESTATIONS) {
		below = path_from(&rest, 3);
		return parse_attestations(a, &below, ret, err);
	}
	if (str_eq(rest.segments[0], STR("package"))) {
		below = path_from(&rest, 1);
		r = parse_dist_tags(a, method, &below, ret, &other, err);
		return r;
	}
	if (ret->kind == NPM_ROUTE_SEARCH) {
		query_get(a, query, STR("text"), &ret->text);
		ret->size = query_number(a, query, STR("size"), SEARCH_SIZE, SEARCH_SIZE_MAX);
		ret->from = query_number(a, query, STR("from"), 0, 1000000);
	}
	return 0;
}

int npm_route_parse(struct arena *a, struct str method, struct str path, struct str query, struct npm_route *ret, struct err *err)
{
	struct npm_route route = {.kind = NPM_ROUTE_PACKUMENT};
	struct path segments;
	int r = split_path(a, path, &segments, err);

	if (r == 0 && str_eq(segments.segments[0], STR("-")))
		r = parse_special(a, method, &segments, query, &route, err);
	else if (r == 0)
		r = parse_package(a, method, &segments, query, &route, err);
	if (arena_failed(a))
		return err_set(err, -ENOMEM, "no memory for the path");
	if (r == 0)
		*ret = route;
	return r;
}
