#include "scan/whole.h"

#include "scan/formats.h"

static bool whole_digest(struct str one)
{
	static const struct {
		struct str start;
		size_t base64;
	} algorithms[] = {{{"sha512-", 7}, 88}, {{"sha384-", 7}, 64}, {{"sha256-", 7}, 44}, {{"sha1-", 5}, 28}};

	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (str_starts(one, algorithms[i].start))
			return one.n >= algorithms[i].start.n + algorithms[i].base64;
	return str_chr(one, '-') > 0;
}

bool whole_integrity(struct str integrity)
{
	struct str rest = integrity, one;

	while (str_split(&rest, ' ', &one))
		if (one.n && !whole_digest(one))
			return false;
	return true;
}

static uint32_t last_listed(const struct lock *l)
{
	for (uint32_t i = l->count; i-- > 0;)
		if (lock_is_listed(&l->packages[i]))
			return i;
	return LOCK_NONE;
}

/* By the names that the file uses, as package managers sort: without regard to case. */
static int compare(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? strncasecmp(a.p, b.p, n) : 0;

	return order ? order : (a.n > b.n) - (a.n < b.n);
}

static struct str shown_name(const struct lock_package *p)
{
	return p->alias.n ? p->alias : p->name;
}

static bool is_sorted(const struct lock *l)
{
	struct str before = STR_NULL;
	size_t wrong = 0, n = 0;

	for (uint32_t i = 0; i < l->count; i++) {
		if (!lock_is_listed(&l->packages[i]))
			continue;
		wrong += n++ && compare(before, shown_name(&l->packages[i])) > 0;
		before = shown_name(&l->packages[i]);
	}
	/* Locales differ about - and _; a list that was put together by hand is out of order more often than that. */
	return n > 2 && wrong <= n / 20;
}

/* Is this need one that the file should satisfy, and does not? */
static bool is_missing(const struct lock_need *need)
{
	enum lock_source s;

	if (need->to != LOCK_NONE || need->kind == NEED_PEER)
		return false;
	s = lock_source_of(need->spec);
	return s != LOCK_LINK && s != LOCK_WORKSPACE && s != LOCK_FILE;
}

int whole_check(const struct lock *l, bool ordered, struct err *err)
{
	uint32_t last = last_listed(l);
	const char *end = l->text.p + l->text.n;
	bool open = end[-1] != '\n', sorted = ordered && l->count >= 20 && is_sorted(l);

	if (last == LOCK_NONE)
		return open ? lock_error(l, end, err, "no package is here, and the last line has no end: is the file cut?") : 0;
	/* Small ones are often extracts that somebody made on purpose; those end in a whole line. */
	for (uint32_t i = 0; (open || sorted) && i < l->count; i++)
		for (uint32_t n = l->packages[i].needs; n != LOCK_NONE; n = l->needs[n].next) {
			const struct lock_need *need = &l->needs[n];
			bool behind = sorted && (compare(need->name, shown_name(&l->packages[last])) > 0 || i == last);

			if (is_missing(need) && (open || behind))
				return lock_error(l, end, err, "the file ends before \"%.*s\", which \"%.*s\" needs: is it cut?", STR_ARG(need->name),
				                  STR_ARG(l->packages[i].name));
		}
	return 0;
}
