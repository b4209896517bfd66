/* Versions in both ecosystems' ways, as far as advisories need them: a text that equal versions share, and an order. */
#include "advisory/internal.h"

#include "base/limits.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Up to four numbers with dots between; `ret_rest` is what follows. 0: it does not begin with a number that fits. */
static size_t read_numbers(struct str text, uint64_t numbers[4], struct str *ret_rest)
{
	size_t count = 0;

	for (;;) {
		size_t digits = 0;

		while (digits < text.n && is_digit(text.p[digits]))
			digits++;
		if (str_to_u64(str_take(text, digits), &numbers[count]) < 0)
			return 0;
		text = str_skip(text, digits);
		if (++count == 4 || text.n < 2 || text.p[0] != '.' || !is_digit(text.p[1]))
			break;
		text = str_skip(text, 1);
	}
	*ret_rest = text;
	return count;
}

static struct str lower(struct arena *a, struct str text)
{
	char *copy = arena_alloc(a, text.n + 1);

	if (!copy)
		return STR_NULL;
	for (size_t i = 0; i < text.n; i++)
		copy[i] = (char)(text.p[i] >= 'A' && text.p[i] <= 'Z' ? text.p[i] + 32 : text.p[i]);
	return (struct str){copy, text.n};
}

/* NuGet's normalized form (documentation "Package versioning", normalized version numbers): no leading zeros, three numbers at least,
 * a fourth only when it is not zero, no build metadata; prereleases compare without case. npm's advisories write short
 * forms ("1.2") too. */
static bool read_dotted(struct arena *a, enum ecosystem e, struct str text, struct version *ret)
{
	uint64_t n[4] = {0};
	ptrdiff_t plus = str_chr(text, '+');
	struct str rest, plain;

	text = plus >= 0 ? str_take(text, (size_t)plus) : text;
	if (read_numbers(text, n, &rest) == 0 || (rest.n && rest.p[0] != '-') || (n[3] && e == ECOSYSTEM_NPM))
		return false;
	if (e == ECOSYSTEM_NUGET)
		rest = lower(a, rest);
	plain = arena_printf(a, "%llu.%llu.%llu%.*s", (unsigned long long)n[0], (unsigned long long)n[1], (unsigned long long)n[2],
			     STR_ARG(rest));
	if (!plain.p || semver_parse(plain, SEMVER_LOOSE, &ret->semver) < 0)
		return false;
	ret->revision = n[3];
	ret->text = n[3] ? arena_printf(a, "%llu.%llu.%llu.%llu%.*s", (unsigned long long)n[0], (unsigned long long)n[1],
					(unsigned long long)n[2], (unsigned long long)n[3], STR_ARG(rest)) : plain;
	return true;
}

void version_read(struct arena *a, enum ecosystem e, struct str text, struct version *ret)
{
	*ret = (struct version){.text = str_trim(text)};
	if (text.n > LIMIT_VERSION_BYTES)
		return;
	if (e == ECOSYSTEM_NPM && semver_parse(ret->text, SEMVER_LOOSE, &ret->semver) == 0) {
		ret->text = semver_format(a, &ret->semver);
		/* Parsed again, so that its slices are those of the arena's copy. */
		ret->ordered = ret->text.p && semver_parse(ret->text, SEMVER_LOOSE, &ret->semver) == 0;
		return;
	}
	ret->ordered = read_dotted(a, e, ret->text, ret);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

int version_compare(const struct version *a, const struct version *b)
{
	int c = compare_numbers(a->semver.major, b->semver.major);

	if (c == 0)
		c = compare_numbers(a->semver.minor, b->semver.minor);
	if (c == 0)
		c = compare_numbers(a->semver.patch, b->semver.patch);
	if (c == 0)
		c = compare_numbers(a->revision, b->revision);
	return c ? c : semver_compare(&a->semver, &b->semver);
}
