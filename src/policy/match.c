#include "policy/match.h"

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/map.h"

enum { LIMIT_LOOSE_PATTERNS = 64, ECOSYSTEMS = 2 };

/* Patterns by their literal beginning (or, reversed, their literal end), sorted; `parent` is the longest other one that this one
 * begins with, so that all beginnings of a name lie on one chain. */
struct affix {
	struct str literal;
	struct match_entry *entries;
	size_t parent; /* SIZE_MAX: none */
};

struct affixes {
	struct affix *array;
	size_t count, room;
	bool reversed;
};

struct matcher {
	struct arena *arena;
	struct {
		struct map exact;
		struct affixes prefixes, suffixes;
		struct match_entry *loose; /* neither a literal beginning nor a literal end: "*x*" */
		size_t loose_count;
	} of[ECOSYSTEMS];
};

struct matcher *matcher_new(struct arena *a)
{
	struct matcher *m = ARENA_NEW(a, struct matcher);

	if (!m)
		return NULL;
	m->arena = a;
	for (size_t e = 0; e < ECOSYSTEMS; e++)
		m->of[e].suffixes.reversed = true;
	return m;
}

void matcher_free(struct matcher *m)
{
	if (m)
		for (size_t e = 0; e < ECOSYSTEMS; e++)
			map_free(&m->of[e].exact);
}

static int affixes_add(struct arena *a, struct affixes *x, struct str literal, struct match_entry *entry)
{
	if (x->count == x->room) {
		size_t room = x->room ? x->room * 2 : 16;
		struct affix *bigger = ARENA_ARRAY(a, struct affix, room);

		if (!bigger)
			return -ENOMEM;
		if (x->count)
			memcpy(bigger, x->array, x->count * sizeof(*bigger));
		x->array = bigger;
		x->room = room;
	}
	x->array[x->count++] = (struct affix){.literal = literal, .entries = entry, .parent = SIZE_MAX};
	return 0;
}

static size_t literal_bytes(struct str pattern)
{
	size_t n = 0;

	for (size_t i = 0; i < pattern.n; i++)
		n += pattern.p[i] != '*';
	return n;
}

static int lower(struct arena *a, struct str *s)
{
	char *copy = arena_alloc(a, s->n + 1);

	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++)
		copy[i] = s->p[i] >= 'A' && s->p[i] <= 'Z' ? (char)(s->p[i] + 32) : s->p[i];
	s->p = copy;
	return 0;
}

static int parse_version(struct arena *a, enum ecosystem e, struct str version, struct semver_range **ret)
{
	if (version.n == 0)
		return 0;
	/* NuGet's ranges come with NuGet; until then a version there is one version, compared as text. */
	if (e == ECOSYSTEM_NUGET)
		return str_chr(version, '*') >= 0 || strchr("[(<>=~^", version.p[0]) ? -EINVAL : 0;
	return semver_range_parse(a, version, SEMVER_LOOSE, ret);
}

bool match_version_readable(enum ecosystem e, struct str version)
{
	CLEANUP_ARENA struct arena *a = version.n ? arena_new(1 * MIB) : NULL;
	struct semver_range *range;

	return !version.n || (a && parse_version(a, e, version, &range) == 0);
}

int match_entry_read(struct arena *a, enum ecosystem e, struct str pattern, struct str version, struct match_entry *ret)
{
	int r;

	*ret = (struct match_entry){.ecosystem = e, .pattern = pattern, .version = version};
	if (e == ECOSYSTEM_NUGET && (r = lower(a, &ret->pattern)) < 0)
		return r;
	return parse_version(a, e, version, &ret->range);
}

static int add_exact(struct matcher *m, struct match_entry *entry)
{
	struct map *map = &m->of[entry->ecosystem].exact;

	entry->next = map_get(map, entry->pattern);
	return map_put(map, entry->pattern, entry);
}

int matcher_add(struct matcher *m, unsigned kind, size_t value, enum ecosystem e, struct str pattern, struct str version)
{
	struct match_entry *entry = ARENA_NEW(m->arena, struct match_entry);
	ptrdiff_t first, last;
	int r;

	if (!entry)
		return -ENOMEM;
	if ((r = match_entry_read(m->arena, e, pattern, version, entry)) < 0)
		return r;
	entry->kind = kind;
	entry->value = value;
	first = str_chr(entry->pattern, '*');
	last = str_rchr(entry->pattern, '*');
	entry->literal = first < 0 ? SIZE_MAX : literal_bytes(entry->pattern);
	if (first < 0)
		return add_exact(m, entry);
	if (first > 0)
		return affixes_add(m->arena, &m->of[e].prefixes, str_take(entry->pattern, (size_t)first), entry);
	if ((size_t)last + 1 < pattern.n)
		return affixes_add(m->arena, &m->of[e].suffixes, str_skip(entry->pattern, (size_t)last + 1), entry);
	if (++m->of[e].loose_count > LIMIT_LOOSE_PATTERNS)
		return -E2BIG;
	entry->next = m->of[e].loose;
	m->of[e].loose = entry;
	return 0;
}

/* From the front, or from the back when reversed. */
static int compare_literals(struct str a, struct str b, bool reversed)
{
	size_t n = a.n < b.n ? a.n : b.n;

	for (size_t i = 0; i < n; i++) {
		unsigned char x = (unsigned char)(reversed ? a.p[a.n - 1 - i] : a.p[i]);
		unsigned char y = (unsigned char)(reversed ? b.p[b.n - 1 - i] : b.p[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return a.n < b.n ? -1 : a.n > b.n;
}

static int compare_forward(const void *a, const void *b)
{
	return compare_literals(((const struct affix *)a)->literal, ((const struct affix *)b)->literal, false);
}

static int compare_backward(const void *a, const void *b)
{
	return compare_literals(((const struct affix *)a)->literal, ((const struct affix *)b)->literal, true);
}

static bool begins(struct str text, struct str literal, bool reversed)
{
	return reversed ? str_ends(text, literal) : str_starts(text, literal);
}

/* Sorts, joins the entries of equal literals, and links each to its longest beginning. */
static void affixes_finish(struct affixes *x)
{
	size_t kept = 0;

	if (x->count == 0)
		return;
	qsort(x->array, x->count, sizeof(*x->array), x->reversed ? compare_backward : compare_forward);
	for (size_t i = 1; i < x->count; i++) {
		if (str_eq(x->array[i].literal, x->array[kept].literal)) {
			x->array[i].entries->next = x->array[kept].entries;
			x->array[kept].entries = x->array[i].entries;
		} else {
			x->array[++kept] = x->array[i];
		}
	}
	x->count = kept + 1;
	for (size_t i = 1; i < x->count; i++) {
		size_t candidate = i - 1;

		while (candidate != SIZE_MAX && !begins(x->array[i].literal, x->array[candidate].literal, x->reversed))
			candidate = x->array[candidate].parent;
		x->array[i].parent = candidate;
	}
}

int matcher_finish(struct matcher *m)
{
	for (size_t e = 0; e < ECOSYSTEMS; e++) {
		affixes_finish(&m->of[e].prefixes);
		affixes_finish(&m->of[e].suffixes);
	}
	return arena_failed(m->arena) ? -ENOMEM : 0;
}

struct search {
	struct str name;
	bool (*found)(void *arg, const struct match_entry *entry);
	void *arg;
};

static bool offer(const struct search *s, const struct match_entry *entries)
{
	for (const struct match_entry *e = entries; e; e = e->next)
		if ((e->literal == SIZE_MAX || str_glob(e->pattern, s->name)) && s->found(s->arg, e))
			return true;
	return false;
}

/* The last literal that is not above the name; every literal that the name begins with is it or one of its parents. */
static bool affixes_search(const struct affixes *x, const struct search *s)
{
	size_t low = 0, high = x->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_literals(x->array[middle].literal, s->name, x->reversed) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low ? low - 1 : SIZE_MAX; i != SIZE_MAX; i = x->array[i].parent)
		if (begins(s->name, x->array[i].literal, x->reversed) && offer(s, x->array[i].entries))
			return true;
	return false;
}

bool matcher_search(const struct matcher *m, enum ecosystem e, struct str name, bool (*found)(void *arg, const struct match_entry *entry),
                    void *arg)
{
	struct search s = {.name = name, .found = found, .arg = arg};
	char small[256];

	if (e == ECOSYSTEM_NUGET) {
		if (name.n > sizeof(small))
			return false;
		for (size_t i = 0; i < name.n; i++)
			small[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] + 32) : name.p[i];
		s.name.p = small;
	}
	return offer(&s, map_get(&m->of[e].exact, s.name)) || affixes_search(&m->of[e].prefixes, &s) ||
	       affixes_search(&m->of[e].suffixes, &s) || offer(&s, m->of[e].loose);
}

bool match_version(const struct match_entry *entry, struct str version, bool wide)
{
	struct semver v;

	if (entry->version.n == 0 || str_eq(entry->version, version))
		return true;
	if (!entry->range)
		return str_eq_nocase(entry->version, version);
	if (semver_parse(version, SEMVER_LOOSE, &v) < 0)
		return wide;
	return semver_range_satisfied(entry->range, &v, SEMVER_LOOSE | (wide ? SEMVER_INCLUDE_PRERELEASE : 0));
}

int match_parse(struct str text, enum ecosystem *ret_ecosystem, struct str *ret_name, struct str *ret_version, const char **ret_problem)
{
	ptrdiff_t at;

	if (str_starts(text, STR("npm:"))) {
		*ret_ecosystem = ECOSYSTEM_NPM;
		text = str_skip(text, 4);
	} else if (str_starts(text, STR("nuget:"))) {
		*ret_ecosystem = ECOSYSTEM_NUGET;
		text = str_skip(text, 6);
	} else {
		*ret_problem = "it must begin with npm: or nuget:";
		return -EINVAL;
	}
	at = str_chr(str_skip(text, 1), '@');
	*ret_name = at < 0 ? text : str_take(text, (size_t)at + 1);
	*ret_version = at < 0 ? STR_NULL : str_trim(str_skip(text, (size_t)at + 2));
	if (ret_name->n == 0 || ret_name->n > LIMIT_NAME_BYTES)
		*ret_problem = ret_name->n ? "the name is too long" : "the name is missing";
	else if (at >= 0 && ret_version->n == 0)
		*ret_problem = "a version or range must follow the @";
	else if (ret_version->n > LIMIT_VERSION_BYTES)
		*ret_problem = "the version or range is too long";
	else if (ret_name->p[0] == '@' && str_chr(*ret_name, '/') < 0 && str_chr(*ret_name, '*') < 0)
		*ret_problem = "a scope is written npm:@scope/* (or npm:@scope/name)";
	else
		*ret_problem = NULL;
	for (size_t i = 0; !*ret_problem && i < ret_name->n; i++)
		if ((unsigned char)ret_name->p[i] <= ' ' || (unsigned char)ret_name->p[i] >= 0x7f)
			*ret_problem = "a name holds neither blanks nor letters outside ASCII";
	for (size_t i = 0; !*ret_problem && i < ret_version->n; i++)
		if ((unsigned char)ret_version->p[i] < ' ' || (unsigned char)ret_version->p[i] >= 0x7f)
			*ret_problem = "a version or range holds no letters outside ASCII";
	return *ret_problem ? -EINVAL : 0;
}
