/* Where packages come from and what pins their bytes: what a lockfile says by itself, without any registry. */
#include "scan/findings.h"

enum { MANY = 5 }; /* past these, findings of one rule are told as one */

/* "host:port" of an address, in the lockfile's own text; empty when it is none. */
static struct str host_of(struct str address)
{
	ptrdiff_t scheme = str_find(address, STR("://")), end, at;
	struct str rest;

	if (scheme < 0)
		return STR_NULL;
	rest = str_skip(address, (size_t)scheme + 3);
	end = str_chr(rest, '/');
	rest = end < 0 ? rest : str_take(rest, (size_t)end);
	at = str_rchr(rest, '@');
	return str_skip(rest, (size_t)(at + 1));
}

/* Neighbours mostly come from the same host: the last one is tried first. */
struct host_memory {
	struct str prefix, host; /* "https://host/" */
};

/* Where a package is fetched from; empty: from no registry's address. */
static struct str fetched_from(const struct lock_package *p, struct host_memory *m)
{
	if (p->source != LOCK_REGISTRY || !p->resolved.n)
		return STR_NULL;
	if (m->prefix.n && str_starts(p->resolved, m->prefix))
		return m->host;
	m->host = host_of(p->resolved);
	m->prefix = m->host.n ? str_range(p->resolved.p, m->host.p + m->host.n + 1) : STR_NULL;
	if (m->prefix.n > p->resolved.n)
		m->prefix = STR_NULL;
	return m->host;
}

static bool is_same_host(struct str a, struct str b)
{
	return a.p == b.p || str_eq_nocase(a, b);
}

/* The host that more than half of the packages come from; empty: there is none. */
static struct str usual_host(const struct lock *l, const struct lock_listed *listed, size_t count)
{
	struct host_memory memory = {0};
	struct str leader = STR_NULL, host;
	size_t lead = 0, all = 0, of_leader = 0;

	for (size_t i = 0; i < count; i++) {
		host = fetched_from(&l->packages[listed[i].package], &memory);
		if (!host.n)
			continue;
		all++;
		if (!lead)
			leader = host;
		lead += is_same_host(host, leader) ? 1 : (size_t)-1;
	}
	for (size_t i = 0; lead < all && i < count; i++)
		of_leader += is_same_host(fetched_from(&l->packages[listed[i].package], &memory), leader);
	return lead == all || of_leader * 2 > all ? leader : STR_NULL;
}

static bool is_known_host(const struct scan_rules *rules, struct str host)
{
	for (size_t i = 0; i < rules->host_count; i++)
		if (str_eq_nocase(host, rules->hosts[i]))
			return true;
	return rules->gate_host.n && str_eq_nocase(host, rules->gate_host);
}

/* A rule that speaks against `which[0..n]`: one by one, or where they are many, once for all. */
static int tell(struct findings *f, struct lock *l, const struct lock_listed *listed, const uint32_t *which, size_t n,
                enum finding_rule rule, bool always_one)
{
	int code = 0;

	if (n && (n > MANY || always_one)) {
		struct str detail = n > 1 ? arena_printf(f->arena, "and so are %zu others in this file", n - 1) : STR_NULL;

		return findings_rule(f, l, listed[which[0]].package, listed[which[0]].dev, rule, detail);
	}
	for (size_t i = 0; code == 0 && i < n; i++)
		code = findings_rule(f, l, listed[which[i]].package, listed[which[i]].dev, rule, STR_NULL);
	return code;
}

/* An injected entry stands out by its host: the rest of the file comes from where the project's registry is. */
static int add_hosts(struct findings *f, struct lock *l, const struct lock_listed *listed, size_t count, const struct scan_rules *rules,
                     uint32_t *which)
{
	struct host_memory memory = {0};
	struct str usual = usual_host(l, listed, count), host;
	size_t elsewhere = 0;
	int code = 0;

	for (size_t i = 0; code == 0 && i < count; i++) {
		const struct lock_package *p = &l->packages[listed[i].package];

		host = fetched_from(p, &memory);
		if (!host.n)
			continue;
		if (rules->gate_host.n && !str_eq_nocase(host, rules->gate_host))
			which[elsewhere++] = (uint32_t)i;
		if (is_same_host(host, usual) || is_known_host(rules, host) || (!usual.n && !rules->host_count))
			continue;
		code = findings_rule(f, l, listed[i].package, listed[i].dev, RULE_UNEXPECTED_HOST, host);
		if (code == 0)
			f->array[f->count - 1].fails = rules->hosts_known;
	}
	return code < 0 ? code : tell(f, l, listed, which, elsewhere, RULE_NOT_THE_GATE, true);
}

static int add_kinds(struct findings *f, struct lock *l, const struct lock_listed *listed, size_t count)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < count; i++) {
		const struct lock_package *p = &l->packages[listed[i].package];
		enum finding_rule rule = p->source == LOCK_GIT                            ? RULE_GIT_SOURCE
		                         : p->source == LOCK_HTTP                         ? RULE_HTTP_SOURCE
		                         : p->source == LOCK_FILE && finding_is_judged(p) ? RULE_FILE_SOURCE
		                                                                          : FINDING_RULE_COUNT;

		if (rule != FINDING_RULE_COUNT)
			code = findings_rule(f, l, listed[i].package, listed[i].dev, rule, str_take(p->resolved, 200));
	}
	return code;
}

static bool is_weak(struct str integrity)
{
	struct str rest = integrity, one;

	while (str_split(&rest, ' ', &one))
		if (one.n && !str_starts(one, STR("sha1-")) && !str_starts(one, STR("md5-")) && one.n != 40 && one.n != 32)
			return false;
	return integrity.n > 0;
}

/* yarn 1 before 1.10 wrote the hash behind the address. */
static bool has_fragment(const struct lock_package *p)
{
	ptrdiff_t hash = str_chr(p->resolved, '#');

	return hash >= 0 && p->resolved.n - (size_t)hash - 1 == 40;
}

static bool can_be_pinned(const struct lock_package *p)
{
	return p->source == LOCK_REGISTRY && p->version.n && !(p->flags & LOCK_BUNDLED);
}

/* A file without any hash is of a kind or an age that had none. One entry without, among others that have one, is worth a look. */
static int add_integrity(struct findings *f, struct lock *l, const struct lock_listed *listed, size_t count, uint32_t *which)
{
	size_t pinned = 0, bare = 0, weak = 0;
	int code;

	for (size_t i = 0; i < count; i++) {
		const struct lock_package *p = &l->packages[listed[i].package];

		if (!can_be_pinned(p))
			continue;
		pinned += p->integrity.n > 0;
		/* yarn berry keeps no checksum of packages for other platforms. */
		if (!p->integrity.n && !has_fragment(p) && !(p->flags & LOCK_OPTIONAL))
			which[bare++] = (uint32_t)i;
	}
	code = pinned ? tell(f, l, listed, which, bare, RULE_NO_INTEGRITY, false) : 0;
	for (size_t i = 0; i < count; i++) {
		const struct lock_package *p = &l->packages[listed[i].package];

		if (can_be_pinned(p) && (p->integrity.n ? is_weak(p->integrity) : has_fragment(p)))
			which[weak++] = (uint32_t)i;
	}
	return code < 0 ? code : tell(f, l, listed, which, weak, RULE_WEAK_INTEGRITY, false);
}

int findings_add_sources(struct findings *f, struct lock *l, const struct lock_listed *listed, size_t count, const struct scan_rules *rules)
{
	CLEANUP_FREE uint32_t *which = calloc(count ? count : 1, sizeof(*which));
	int code = which ? add_kinds(f, l, listed, count) : -ENOMEM;

	if (code == 0)
		code = add_hosts(f, l, listed, count, rules, which);
	if (code == 0)
		code = add_integrity(f, l, listed, count, which);
	return code < 0 ? code : arena_failed(f->arena) ? -ENOMEM : 0;
}
