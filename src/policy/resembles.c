/* The look-alike rule's question: which approved or much used name does this one imitate? */
#include <errno.h>

#include "policy/look_alike.h"
#include "policy/model.h"

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

/* Prefixes that NuGet's registry keeps for their owner: nobody else can publish below them. A letter of another alphabet behind one is no part of
 * what their owners write. */
static bool is_reserved(enum ecosystem e, struct str name)
{
	static const char *const prefixes[] = {"Microsoft.", "System.", "Azure.", "AWSSDK.", "Google.", "NuGet.", "Xamarin.", "runtime."};

	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] >= 0x80)
			return false;
	for (size_t i = 0; e == ECOSYSTEM_NUGET && i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (str_starts_nocase(name, str_of(prefixes[i])))
			return true;
	return false;
}

static int protect(struct look_alikes *l, const struct listed *item)
{
	struct str name = item->name;

	/* "@acme/" and a star protect the scope; of another pattern nothing can be resembled. */
	if (item->ecosystem == ECOSYSTEM_NPM && str_ends(name, STR("/*")) && name.p[0] == '@')
		name = str_take(name, name.n - 2);
	return str_chr(name, '*') >= 0 ? 0 : look_alikes_add(l, item->ecosystem, name);
}

int look_alikes_of_policy(struct policy *p)
{
	const struct root_rule *roots = p->root_rules.array;
	int r = 0;

	if (p->root_rules.count + p->look_alike_names.count == 0)
		return 0;
	p->look_alikes = look_alikes_new();
	if (!p->look_alikes)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < p->root_rules.count; i++)
		r = protect(p->look_alikes, &roots[i].package);
	for (size_t i = 0; r == 0 && i < p->look_alike_names.count; i++)
		r = protect(p->look_alikes, &p->look_alike_names.items[i]);
	return r < 0 ? r : look_alikes_finish(p->look_alikes);
}

static bool may_resemble(void *arg, const struct match_entry *entry)
{
	(void)arg;
	return entry->kind == MATCH_MAY_RESEMBLE;
}

struct str policy_resembles(const struct policy *p, enum ecosystem e, struct str name)
{
	const struct look_alikes *popular = look_alikes_popular(), *own = p->look_alikes;
	struct str found = STR_NULL;

	if (is_honest(e, name) || is_reserved(e, name) || matcher_search(p->rules, e, name, may_resemble, NULL))
		return STR_NULL;
	if ((popular && look_alikes_have(popular, e, name)) || (own && look_alikes_have(own, e, name)))
		return STR_NULL;
	if (own)
		found = look_alikes_find(own, e, name);
	if (!found.n && popular)
		found = look_alikes_find(popular, e, name);
	return found;
}
