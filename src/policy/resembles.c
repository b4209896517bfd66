/* The look-alike rule's question: which approved or much used name does this one imitate? */
#include "policy/look_alike.h"
#include "policy/policy.h"

static const char *const honest_npm[] = {
#include "policy/honest_npm.inc"
};

/* Names that only happen to be near; the list is sorted. A scope in it stands for all below. */
static bool is_honest(enum ecosystem e, struct str name)
{
	ptrdiff_t slash = name.n && name.p[0] == '@' ? str_chr(name, '/') : -1;
	struct str key = slash > 0 ? str_take(name, (size_t)slash) : name;
	size_t low = 0, high = sizeof(honest_npm) / sizeof(honest_npm[0]);

	while (e == ECOSYSTEM_NPM && low < high) {
		size_t middle = low + (high - low) / 2;
		int c = str_cmp(key, str_of(honest_npm[middle]));

		if (c == 0)
			return true;
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* Prefixes that NuGet's registry keeps for their owner: nobody else can publish below them. */
static bool is_reserved(enum ecosystem e, struct str name)
{
	static const char *const prefixes[] = {"Microsoft.", "System.", "Azure.", "AWSSDK.", "Google.", "NuGet.", "Xamarin.", "runtime."};

	for (size_t i = 0; e == ECOSYSTEM_NUGET && i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (str_starts_nocase(name, str_of(prefixes[i])))
			return true;
	return false;
}

struct str policy_resembles(const struct policy *p, enum ecosystem e, struct str name)
{
	const struct look_alikes *popular = look_alikes_popular();

	(void)p;
	if (is_honest(e, name) || is_reserved(e, name) || !popular || look_alikes_have(popular, e, name))
		return STR_NULL;
	return look_alikes_find(popular, e, name);
}
