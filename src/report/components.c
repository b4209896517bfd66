/* The packages of all files as one list for an SBOM, and what a hash or a licence in a lockfile says in the words of an SBOM. */
#include "report/parts.h"

/* Standard and URL-safe alphabets; padding ends it. The count of bytes, or -1. */
static ptrdiff_t decode_base64(struct str text, unsigned char *out, size_t room)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	for (size_t i = 0; i < text.n && text.p[i] != '='; i++) {
		char c = text.p[i];
		int v = c >= 'A' && c <= 'Z'   ? c - 'A'
		        : c >= 'a' && c <= 'z' ? c - 'a' + 26
		        : c >= '0' && c <= '9' ? c - '0' + 52
		        : c == '+' || c == '-' ? 62
		        : c == '/' || c == '_' ? 63
		                               : -1;

		if (v < 0)
			return -1;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (n == room)
			return -1;
		out[n++] = (unsigned char)(bits >> have);
	}
	return (ptrdiff_t)n;
}

static const struct {
	const char *name;
	size_t bytes;
} algorithms[] = {{"md5", 16}, {"sha1", 20}, {"sha256", 32}, {"sha384", 48}, {"sha512", 64}};

enum { ALGORITHMS = sizeof(algorithms) / sizeof(algorithms[0]) };

static bool add_hash(struct arena *a, struct part_hash *to, size_t which, const unsigned char *bytes)
{
	char *hex = arena_alloc(a, algorithms[which].bytes * 2 + 1);

	if (!hex)
		return false;
	hex_encode(bytes, algorithms[which].bytes, hex);
	*to = (struct part_hash){algorithms[which].name, str_of(hex)};
	return true;
}

/* One "sha512-BASE64?options"; plain base64 and hex digits are told by their length. */
static bool read_hash(struct arena *a, enum ecosystem e, struct str text, struct part_hash *ret)
{
	unsigned char bytes[64];
	ptrdiff_t question = str_chr(text, '?'), dash, n;

	text = question < 0 ? text : str_take(text, (size_t)question);
	dash = str_chr(text, '-');
	for (size_t i = 0; i < ALGORITHMS; i++) {
		if (text.n == algorithms[i].bytes * 2 && hex_decode(text, bytes, algorithms[i].bytes) == 0)
			return add_hash(a, ret, i, bytes);
		if (dash > 0 && str_eq(str_take(text, (size_t)dash), str_of(algorithms[i].name)))
			return decode_base64(str_skip(text, (size_t)dash + 1), bytes, sizeof(bytes)) == (ptrdiff_t)algorithms[i].bytes &&
			       add_hash(a, ret, i, bytes);
	}
	/* NuGet's contentHash is SHA-512 without a name. */
	n = e == ECOSYSTEM_NUGET ? decode_base64(text, bytes, sizeof(bytes)) : -1;
	return n == 64 && add_hash(a, ret, ALGORITHMS - 1, bytes);
}

size_t part_hashes(struct arena *a, enum ecosystem e, struct str integrity, struct part_hash *ret, size_t room)
{
	struct str rest = integrity, one;
	size_t n = 0;

	while (n < room && str_split(&rest, ' ', &one))
		n += one.n && read_hash(a, e, one, &ret[n]);
	return n;
}

/* Identifiers of the SPDX licence list that packages use in practice; of all others only the text is passed on. */
static const char *const licences[] = {
	"0BSD",
	"AFL-2.1",
	"AFL-3.0",
	"AGPL-3.0-only",
	"AGPL-3.0-or-later",
	"Apache-2.0",
	"Artistic-2.0",
	"BlueOak-1.0.0",
	"BSD-2-Clause",
	"BSD-3-Clause",
	"BSL-1.0",
	"CC-BY-3.0",
	"CC-BY-4.0",
	"CC0-1.0",
	"CDDL-1.0",
	"EPL-1.0",
	"EPL-2.0",
	"EUPL-1.2",
	"GPL-2.0-only",
	"GPL-2.0-or-later",
	"GPL-3.0-only",
	"GPL-3.0-or-later",
	"ISC",
	"LGPL-2.1-only",
	"LGPL-2.1-or-later",
	"LGPL-3.0-only",
	"LGPL-3.0-or-later",
	"MIT",
	"MIT-0",
	"MPL-1.1",
	"MPL-2.0",
	"MS-PL",
	"MS-RL",
	"OFL-1.1",
	"PostgreSQL",
	"Python-2.0",
	"Unicode-3.0",
	"Unlicense",
	"W3C",
	"WTFPL",
	"X11",
	"Zlib",
};

bool part_is_licence_id(struct str text)
{
	for (size_t i = 0; i < sizeof(licences) / sizeof(licences[0]); i++)
		if (str_eq(text, str_of(licences[i])))
			return true;
	return false;
}

/* Names and AND / OR take turns; parentheses are balanced (SPDX 2.3, annex D, without WITH and LicenseRef). */
bool part_is_licence_expression(struct str text)
{
	bool want_name = true;
	int depth = 0;

	for (size_t i = 0; i < text.n;) {
		size_t n = 0;
		struct str word;

		if (text.p[i] == ' ' || text.p[i] == '(' || text.p[i] == ')') {
			if (text.p[i] != ' ' && (text.p[i] == '(') != want_name)
				return false;
			depth += text.p[i] == '(' ? 1 : text.p[i] == ')' ? -1 : 0;
			if (depth < 0)
				return false;
			i++;
			continue;
		}
		while (i + n < text.n && text.p[i + n] != ' ' && text.p[i + n] != '(' && text.p[i + n] != ')')
			n++;
		word = str_take(str_skip(text, i), n);
		if (want_name ? !part_is_licence_id(word) : !str_eq(word, STR("AND")) && !str_eq(word, STR("OR")))
			return false;
		want_name = !want_name;
		i += n;
	}
	return text.n && depth == 0 && !want_name;
}

static bool add_need(struct part_component *c, size_t to)
{
	size_t *bigger;

	for (size_t i = 0; i < c->need_count; i++)
		if (c->needs[i] == to)
			return true;
	if (c->need_count == c->need_room) {
		bigger = reallocarray(c->needs, c->need_room ? c->need_room * 2 : 4, sizeof(*bigger));
		if (!bigger)
			return false;
		c->needs = bigger;
		c->need_room = c->need_room ? c->need_room * 2 : 4;
	}
	c->needs[c->need_count++] = to;
	return true;
}

/* Places of a file's packages among the components, so that their needs can be joined. */
static int join_file(const struct report_file *f, struct arena *a, struct part_components *c, size_t *places)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct report_package *p = &f->packages[i];
		struct str purl = part_purl(a, p->ecosystem, p->name, p->version);
		size_t at = part_component_of(c, purl);

		if (at == SIZE_MAX) {
			at = c->count++;
			c->array[at] = (struct part_component){.package = p, .purl = purl, .dev = true, .optional = true};
			if (!purl.p || map_put(c->by_purl, purl, (void *)(uintptr_t)(at + 1)) < 0)
				return -ENOMEM;
		}
		c->array[at].dev = c->array[at].dev && p->dev;
		c->array[at].optional = c->array[at].optional && p->optional;
		c->array[at].direct = c->array[at].direct || p->direct;
		places[i] = at;
	}
	for (size_t i = 0; i < f->count; i++)
		for (size_t n = 0; n < f->packages[i].need_count; n++)
			if (!add_need(&c->array[places[i]], places[f->packages[i].needs[n]]))
				return -ENOMEM;
	return 0;
}

int part_components(const struct report *r, struct arena *a, struct part_components *ret)
{
	size_t most = 0;

	*ret = (struct part_components){.by_purl = calloc(1, sizeof(struct map))};
	for (size_t i = 0; i < r->file_count; i++)
		most += r->files[i].packages ? r->files[i].count : 0;
	ret->array = calloc(most ? most : 1, sizeof(*ret->array));
	if (!ret->array || !ret->by_purl)
		return -ENOMEM;
	for (size_t i = 0; i < r->file_count; i++) {
		size_t n = r->files[i].packages ? r->files[i].count : 0;
		CLEANUP_FREE size_t *places = calloc(n ? n : 1, sizeof(*places));
		int code = !places ? -ENOMEM : n ? join_file(&r->files[i], a, ret, places) : 0;

		if (code < 0)
			return code;
	}
	return 0;
}

void part_components_free(struct part_components *c)
{
	for (size_t i = 0; c->array && i < c->count; i++)
		free(c->array[i].needs);
	free(c->array);
	if (c->by_purl)
		map_free(c->by_purl);
	free(c->by_purl);
	*c = (struct part_components){0};
}

size_t part_component_of(const struct part_components *c, struct str purl)
{
	uintptr_t found = (uintptr_t)map_get(c->by_purl, purl);

	return found ? found - 1 : SIZE_MAX;
}
