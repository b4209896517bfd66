#include "registry/npm/repository.h"

enum { REPOSITORY_BYTES = 512, SEGMENTS = 8 };

/* The hosts that have a shorthand (npm's hosted-git-info). */
static const struct {
	struct str prefix, host;
} shorthands[] = {
	{STR("github:"), STR("github.com/")},
	{STR("gitlab:"), STR("gitlab.com/")},
	{STR("bitbucket:"), STR("bitbucket.org/")},
	{STR("gist:"), STR("gist.github.com/")},
};

static struct str before(struct str s, char c)
{
	ptrdiff_t at = str_chr(s, c);

	return at >= 0 ? str_take(s, (size_t)at) : s;
}

static bool repository_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("._~+-/", c));
}

/* A host's two first segments are the repository; where groups nest (GitLab and the like) it ends at the first part that is no group. */
static struct str cut_path(struct str path)
{
	static const struct str ends[] = {STR("tree"), STR("blob"), STR("-"), STR("src"), STR("issues"), STR("raw")};
	bool flat = str_starts(path, STR("github.com/")) || str_starts(path, STR("bitbucket.org/"));
	struct str rest = path, part;
	size_t segments = 0, end = 0;

	while (segments < SEGMENTS && str_split(&rest, '/', &part)) {
		bool over = flat && segments == 3;

		for (size_t i = 0; segments > 2 && i < sizeof(ends) / sizeof(ends[0]); i++)
			over |= str_eq(part, ends[i]);
		if (over || part.n == 0)
			break;
		end = (size_t)(part.p + part.n - path.p);
		segments++;
	}
	path = str_take(path, end);
	if (str_ends(path, STR(".git")))
		path = str_take(path, path.n - 4);
	return segments >= 2 ? path : STR_NULL;
}

static struct str normal(struct arena *a, struct str host, struct str rest)
{
	struct str joined = arena_printf(a, "%.*s%.*s", STR_ARG(host), STR_ARG(rest));
	char *p = (char *)joined.p;

	for (size_t i = 0; i < joined.n; i++) {
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] | 0x20);
		if (!repository_char(p[i]))
			return STR_NULL;
	}
	if (str_starts(joined, STR("www.")))
		joined = str_skip(joined, 4);
	return cut_path(joined);
}

/* What stands behind "scheme://": user and port have no part in who owns it. */
static struct str from_address(struct arena *a, struct str rest)
{
	ptrdiff_t slash = str_chr(rest, '/'), at;
	struct str host;

	/* "git+ssh://git@host:org/repo" is written as well. */
	at = str_rchr(slash >= 0 ? str_take(rest, (size_t)slash) : rest, '@');
	rest = str_skip(rest, (size_t)(at + 1));
	slash = str_chr(rest, '/');
	host = slash >= 0 ? str_take(rest, (size_t)slash) : rest;
	at = str_chr(host, ':');
	if (at < 0)
		return normal(a, STR(""), rest);
	rest = str_skip(rest, (size_t)at + 1);
	if (rest.n && rest.p[0] >= '0' && rest.p[0] <= '9' && str_chr(rest, '/') >= 0)
		rest = str_skip(rest, (size_t)str_chr(rest, '/') + 1);
	return normal(a, arena_printf(a, "%.*s/", (int)at, host.p), rest);
}

struct str npm_repository(struct arena *a, struct str text)
{
	ptrdiff_t scheme;

	text = before(before(str_trim(text), '#'), '?');
	if (text.n == 0 || text.n > REPOSITORY_BYTES)
		return STR_NULL;
	while (text.n && text.p[text.n - 1] == '/')
		text.n--;
	scheme = str_find(text, STR("://"));
	if (scheme >= 0)
		return from_address(a, str_skip(text, (size_t)scheme + 3));
	for (size_t i = 0; i < sizeof(shorthands) / sizeof(shorthands[0]); i++)
		if (str_starts_nocase(text, shorthands[i].prefix))
			return normal(a, shorthands[i].host, str_skip(text, shorthands[i].prefix.n));
	if (str_chr(text, ':') >= 0)
		return from_address(a, text);
	/* "org/repo"; where the first part has a dot it is a host without a scheme. */
	if (str_chr(before(text, '/'), '.') >= 0)
		return normal(a, STR(""), text);
	return str_chr(text, '/') > 0 ? normal(a, STR("github.com/"), text) : STR_NULL;
}

struct str npm_repository_owner(struct str repository)
{
	ptrdiff_t first = str_chr(repository, '/');
	ptrdiff_t second = first >= 0 ? str_chr(str_skip(repository, (size_t)first + 1), '/') : -1;

	return second >= 0 ? str_take(repository, (size_t)(first + 1 + second)) : repository;
}

static bool is_file(struct str spec)
{
	static const struct str ends[] = {STR(".tgz"), STR(".tar.gz"), STR(".tar")};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (str_ends(spec, ends[i]))
			return true;
	return false;
}

enum npm_source npm_dependency_source(struct str name, struct str spec, struct str *ret_name)
{
	static const struct str of_workspaces[] = {STR("workspace:"), STR("catalog:"), STR("jsr:")};

	spec = str_trim(spec);
	*ret_name = name;
	if (str_starts_nocase(spec, STR("npm:"))) {
		struct str alias = str_skip(spec, 4);
		ptrdiff_t at = str_rchr(alias, '@');

		*ret_name = at > 0 ? str_take(alias, (size_t)at) : alias;
		return NPM_FROM_ALIAS;
	}
	/* Left by publishing tools that forgot to replace them: no client of the registry resolves them elsewhere. */
	for (size_t i = 0; i < sizeof(of_workspaces) / sizeof(of_workspaces[0]); i++)
		if (str_starts(spec, of_workspaces[i]))
			return NPM_FROM_REGISTRY;
	/* No range and no tag holds one of these: it is an address, "org/repo", or a path. */
	if (str_chr(spec, '/') >= 0 || str_chr(spec, ':') >= 0 || is_file(spec))
		return NPM_FROM_ELSEWHERE;
	return NPM_FROM_REGISTRY;
}
