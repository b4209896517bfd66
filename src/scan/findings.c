#include "scan/findings.h"

#include "base/limits.h"

const char *finding_kind_name(enum finding_kind k)
{
	static const char *const names[] = {"malware", "vulnerability", "policy"};

	return names[k];
}

int findings_init(struct findings *f)
{
	*f = (struct findings){.arena = arena_new(GIB)};
	return f->arena ? 0 : -ENOMEM;
}

void findings_free(struct findings *f)
{
	free(f->array);
	arena_free(f->arena);
	*f = (struct findings){0};
}

int lock_list(struct lock *l, struct lock_listed **ret, size_t *ret_count)
{
	CLEANUP_MAP struct map seen = MAP_EMPTY;
	struct lock_listed *array = calloc(l->count ? l->count : 1, sizeof(*array));
	size_t n = 0;

	for (uint32_t i = 0; array && i < l->count; i++) {
		const struct lock_package *p = &l->packages[i];
		struct lock_listed *before;
		struct str key;
		char *text;

		if (!lock_is_listed(p))
			continue;
		text = arena_alloc(l->arena, p->name.n + p->version.n + 2);
		if (!text)
			break;
		key = (struct str){text, p->name.n + p->version.n + 2};
		text[0] = (char)p->ecosystem;
		if (p->name.n)
			memcpy(text + 1, p->name.p, p->name.n);
		if (p->version.n)
			memcpy(text + 2 + p->name.n, p->version.p, p->version.n);
		before = map_get(&seen, key);
		if (before) {
			before->dev = before->dev && p->flags & LOCK_DEV;
			/* A local copy must not hide that the registry's is there too. */
			if (l->packages[before->package].source != LOCK_REGISTRY && p->source == LOCK_REGISTRY)
				before->package = i;
			continue;
		}
		array[n] = (struct lock_listed){.package = i, .dev = p->flags & LOCK_DEV};
		if (map_put(&seen, key, &array[n]) < 0)
			break;
		n++;
	}
	if (!array || arena_failed(l->arena)) {
		free(array);
		return -ENOMEM;
	}
	*ret = array;
	*ret_count = n;
	return 0;
}

static struct finding *add(struct findings *f, const struct finding *one)
{
	if (f->count == f->room) {
		size_t room = f->room ? f->room * 2 : 64;
		struct finding *bigger = reallocarray(f->array, room, sizeof(*bigger));

		if (!bigger)
			return NULL;
		f->array = bigger;
		f->room = room;
	}
	f->array[f->count] = *one;
	return &f->array[f->count++];
}

/* Folders of the user's own have names that a stranger may have registered; a tarball was somebody's release once. */
static bool is_judged(const struct lock_package *p)
{
	switch (p->source) {
	case LOCK_REGISTRY:
	case LOCK_GIT:
	case LOCK_HTTP:
	case LOCK_DECLARED:
		return true;
	case LOCK_FILE:
		return str_ends(p->resolved, STR(".tgz")) || str_ends(p->resolved, STR(".tar.gz"));
	default:
		return false;
	}
}

static bool lifted(const struct decision *d, enum reason_code rule)
{
	for (size_t i = 0; i < d->reason_count; i++)
		if (d->reasons[i].code == REASON_EXEMPT && d->reasons[i].lifted == rule)
			return true;
	return false;
}

static int add_advisories(struct findings *f, const struct finding *where, const struct lock_package *p, const struct decision *d,
                          const struct advisories *advisories)
{
	struct advisory *matches;
	size_t n = advisories_match(advisories, p->ecosystem, p->name, p->version, 0, f->arena, &matches);

	for (size_t i = 0; i < n; i++) {
		struct finding one = *where;
		bool malware = matches[i].kind == ADVISORY_MALWARE;

		if (matches[i].not_affected.n || lifted(d, malware ? REASON_MALWARE : REASON_VULNERABLE))
			continue;
		one.kind = malware ? FINDING_MALWARE : FINDING_VULNERABILITY;
		one.severity = malware ? SEVERITY_CRITICAL : matches[i].severity;
		one.id = matches[i].id;
		one.summary = matches[i].summary;
		one.fixed = matches[i].fixed;
		one.url = matches[i].url;
		if (!add(f, &one))
			return -ENOMEM;
	}
	return 0;
}

static int add_refusals(struct findings *f, const struct finding *where, const struct decision *d)
{
	for (size_t i = 0; i < d->reason_count; i++) {
		const struct reason *r = &d->reasons[i];
		struct finding one = *where;

		if (r->code != REASON_DENIED && r->code != REASON_NAMESPACE)
			continue;
		one.kind = FINDING_POLICY;
		one.severity = SEVERITY_HIGH;
		one.id = str_of(reason_code_name(r->code));
		one.summary = arena_printf(f->arena, "%s (%.*s)", reason_code_text(r->code), STR_ARG(r->source));
		if (!add(f, &one))
			return -ENOMEM;
	}
	return 0;
}

int findings_add(struct findings *f, struct lock *l, const struct lock_listed *listed, size_t count, const struct policy *policy,
                 const struct advisories *advisories, usec now)
{
	for (size_t i = 0; i < count; i++) {
		const struct lock_package *p = &l->packages[listed[i].package];
		struct finding where = {.lock = l, .package = listed[i].package, .dev = listed[i].dev};
		/* Long published, and with a hash: a scan knows of neither, and rules about them are not to speak here. */
		struct version_facts facts = {
			.ecosystem = p->ecosystem,
			.name = p->name,
			.version = p->version,
			.published = 1,
			.first_seen = 1,
			.package_published = 1,
			.origin_cooldown = -1,
			.integrity = p->integrity.n ? p->integrity : STR("sha512-unknown"),
		};
		struct decision d;

		if (!is_judged(p))
			continue;
		f->unjudged += p->version.n == 0;
		decide(policy, advisories, &facts, now, NULL, &d);
		if (d.reason_count && add_refusals(f, &where, &d) < 0)
			return -ENOMEM;
		if (advisories_know(advisories, p->ecosystem, p->name) && add_advisories(f, &where, p, &d, advisories) < 0)
			return -ENOMEM;
	}
	return arena_failed(f->arena) ? -ENOMEM : 0;
}

static int by_weight(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	const struct lock_package *p = &x->lock->packages[x->package], *q = &y->lock->packages[y->package];
	int order;

	if (x->kind != y->kind && (x->kind == FINDING_MALWARE || y->kind == FINDING_MALWARE))
		return x->kind == FINDING_MALWARE ? -1 : 1;
	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	order = str_cmp(x->lock->file, y->lock->file);
	if (order)
		return order;
	if (p->line != q->line)
		return p->line < q->line ? -1 : 1;
	order = str_cmp(p->name, q->name);
	return order ? order : str_cmp(x->id, y->id);
}

void findings_sort(struct findings *f)
{
	if (f->count)
		qsort(f->array, f->count, sizeof(*f->array), by_weight);
}
