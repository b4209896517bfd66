/* The purl specification's parsing steps, for the two types that Bondgate knows. */
#include "codec/purl.h"

#include "base/buf.h"
#include "base/limits.h"
#include "codec/utf8.h"

#define NUGET_NAME_MAX 100

static const struct {
	const char *name;
	enum ecosystem ecosystem;
} ecosystems[] = {{"npm", ECOSYSTEM_NPM}, {"nuget", ECOSYSTEM_NUGET}};

const char *ecosystem_name(enum ecosystem e)
{
	return ecosystems[e].name;
}

int ecosystem_parse(struct str text, enum ecosystem *ret)
{
	for (size_t i = 0; i < sizeof(ecosystems) / sizeof(ecosystems[0]); i++) {
		if (str_eq(text, str_of(ecosystems[i].name))) {
			*ret = ecosystems[i].ecosystem;
			return 0;
		}
	}
	return -EINVAL;
}

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static int check_npm_segment(struct str whole, struct str segment, const char *what, struct err *err)
{
	if (!segment.n)
		return err_set(err, -EINVAL, "'%.*s' is no npm package name: the %s is missing", STR_ARG(whole), what);
	if (segment.p[0] == '.')
		return err_set(err, -EINVAL, "'%.*s' is no npm package name: the %s starts with a dot", STR_ARG(whole), what);
	for (size_t i = 0; i < segment.n; i++)
		if (!is_alphanumeric(segment.p[i]) && !is_one_of(segment.p[i], "-_.~!'()*"))
			return err_set(err, -EINVAL, "'%.*s' is no npm package name: byte %zu of the %s is none of a-z A-Z 0-9 -_.~!'()*",
			               STR_ARG(whole), i + 1, what);
	return 0;
}

int npm_name_check(struct str name, struct err *err)
{
	struct str shown = str_take(name, 64);
	ptrdiff_t slash = str_chr(name, '/');
	int r;

	if (name.n > LIMIT_NAME_BYTES)
		return err_set(err, -EINVAL, "'%.*s…' is no npm package name: it has %zu bytes, at most %zu are allowed", STR_ARG(shown), name.n,
		               LIMIT_NAME_BYTES);
	if (str_find(name, STR("..")) >= 0)
		return err_set(err, -EINVAL, "'%.*s' is no npm package name: it has two dots in a row", STR_ARG(name));
	if (!name.n || name.p[0] != '@')
		return check_npm_segment(name, name, "name", err);
	if (slash < 0)
		return err_set(err, -EINVAL, "'%.*s' is no npm package name: a scope is followed by / and a name", STR_ARG(name));
	r = check_npm_segment(name, str_range(name.p + 1, name.p + slash), "scope", err);
	return r < 0 ? r : check_npm_segment(name, str_skip(name, (size_t)slash + 1), "name", err);
}

/* NuGet's rule: words of letters, digits and _ with single dots or hyphens between them, at most 100 characters.
 * Letters of other scripts were allowed for years, and look-alike names used them, so they must be nameable. */
static int nuget_name_check(struct str name, struct err *err)
{
	size_t characters = 0;
	int length;
	bool in_word = false;

	for (struct str rest = name; rest.n; rest = str_skip(rest, length > 0 ? (size_t)length : 1), characters++) {
		bool word;

		length = utf8_step(rest.p, rest.p + rest.n);
		word = length > 1 || is_alphanumeric(rest.p[0]) || rest.p[0] == '_';
		if (!word && !(in_word && is_one_of(rest.p[0], ".-")))
			return err_set(err, -EINVAL, "'%.*s' is no NuGet package name: letters, digits and _ with single . or - between them",
			               STR_ARG(name));
		in_word = word;
	}
	if (!in_word || characters > NUGET_NAME_MAX)
		return err_set(err, -EINVAL, "'%.*s' is no NuGet package name: it is empty, ends with . or -, or has over %d characters",
		               STR_ARG(str_take(name, 2 * NUGET_NAME_MAX)), NUGET_NAME_MAX);
	return 0;
}

/* %xx decoded into the arena. p == NULL when an escape is broken or the arena is full. */
static struct str percent_decode(struct arena *a, struct str text)
{
	char *out = arena_alloc(a, text.n + 1);
	size_t n = 0;

	for (size_t i = 0; out && i < text.n; i++, n++) {
		out[n] = text.p[i];
		if (text.p[i] != '%')
			continue;
		if (text.n - i < 3 || hex_decode((struct str){text.p + i + 1, 2}, out + n, 1) < 0)
			return STR_NULL;
		i += 2;
	}
	return (struct str){out, out ? n : 0};
}

static void percent_encode(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (is_alphanumeric((char)c) || is_one_of((char)c, "-._~:"))
			buf_add_char(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

/* What follows pkg:npm/ : its parts, still encoded, then decoded. */
static int decode(struct arena *a, struct str text, struct purl *p, struct err *err)
{
	if (str_chr(text, '?') >= 0 || str_chr(text, '#') >= 0)
		return err_set(err, -EINVAL, "'%.*s' has qualifiers or a subpath; leave out what follows the version", STR_ARG(text));
	p->name = percent_decode(a, p->name);
	if (p->version.n)
		p->version = percent_decode(a, p->version);
	if (!p->name.p || (p->version.n == 0 && !p->version.p))
		return err_set(err, -EINVAL, "'%.*s' has a %% that two hexadecimal digits do not follow", STR_ARG(text));
	return 0;
}

/* The version follows the first @ that is not the one of a scope. */
static int split_version(struct str rest, struct str whole, struct purl *p, struct err *err)
{
	ptrdiff_t at = rest.n ? str_chr(str_skip(rest, 1), '@') : -1;

	p->name = at < 0 ? rest : str_take(rest, (size_t)at + 1);
	p->version = at < 0 ? STR("") : str_skip(rest, (size_t)at + 2);
	if (at >= 0 && !p->version.n)
		return err_set(err, -EINVAL, "'%.*s' ends with @ but without a version", STR_ARG(whole));
	return 0;
}

static int check(struct purl *p, struct str whole, struct err *err)
{
	if (p->version.n > LIMIT_VERSION_BYTES)
		return err_set(err, -EINVAL, "'%.*s…' has a version of %zu bytes, at most %zu are allowed", STR_ARG(str_take(whole, 200)),
		               p->version.n, LIMIT_VERSION_BYTES);
	for (size_t i = 0; i < p->version.n; i++)
		if ((unsigned char)p->version.p[i] < 0x20 || p->version.p[i] == 0x7f)
			return err_set(err, -EINVAL, "'%.*s' has a control character in its version", STR_ARG(whole));
	return p->ecosystem == ECOSYSTEM_NPM ? npm_name_check(p->name, err) : nuget_name_check(p->name, err);
}

int purl_parse(struct arena *a, struct str text, struct purl *ret, struct err *err)
{
	struct purl p = {0};
	bool full = str_starts_nocase(text, STR("pkg:"));
	struct str rest = str_skip(text, full ? 4 : 0), type;
	ptrdiff_t end;
	int r;

	while (full && rest.n && rest.p[0] == '/')
		rest = str_skip(rest, 1);
	end = str_chr(rest, full ? '/' : ':');
	type = end < 0 ? rest : str_take(rest, (size_t)end);
	if (end < 0 || !(str_eq_nocase(type, STR("npm")) || str_eq_nocase(type, STR("nuget"))))
		return err_set(err, -EINVAL, "'%.*s' names no package; write npm:name@1.2.3, nuget:Name@1.2.3 or pkg:npm/name@1.2.3",
		               STR_ARG(str_take(text, 200)));
	p.ecosystem = str_eq_nocase(type, STR("npm")) ? ECOSYSTEM_NPM : ECOSYSTEM_NUGET;
	rest = str_skip(rest, (size_t)end + 1);
	r = split_version(rest, text, &p, err);
	if (r == 0 && full)
		r = decode(a, text, &p, err);
	if (r == 0)
		r = check(&p, text, err);
	if (r < 0)
		return r;
	*ret = p;
	return 0;
}

struct str purl_format(struct arena *a, enum ecosystem e, struct str name, struct str version)
{
	CLEANUP_BUF struct buf b = BUF(32 + 3 * (name.n + version.n));
	ptrdiff_t slash = str_chr(name, '/');

	buf_printf(&b, "pkg:%s/", ecosystem_name(e));
	if (slash >= 0) {
		percent_encode(&b, str_take(name, (size_t)slash));
		buf_add_char(&b, '/');
		name = str_skip(name, (size_t)slash + 1);
	}
	percent_encode(&b, name);
	if (version.n) {
		buf_add_char(&b, '@');
		percent_encode(&b, version);
	}
	return b.error ? STR_NULL : arena_str(a, buf_str(&b));
}
