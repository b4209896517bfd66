#include "scan/findings.h"

#include "base/limits.h"

const char *finding_kind_name(enum finding_kind k)
{
	static const char *const names[] = {
#define X(constant, name) name,
		FINDING_KINDS(X)
#undef X
	};

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
			l->packages[i].listed = (uint32_t)(before - array);
			/* A local copy must not hide that the registry's is there too. */
			if (l->packages[before->package].source != LOCK_REGISTRY && p->source == LOCK_REGISTRY)
				before->package = i;
			continue;
		}
		l->packages[i].listed = (uint32_t)n;
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

int findings_rule(struct findings *f, struct lock *l, uint32_t package, bool dev, enum finding_rule rule, struct str detail)
{
	static const struct {
		enum finding_kind kind;
		const char *id;
		enum severity severity;
		bool fails;
		const char *text;
	} rules[] = {
#define X(constant, kind, id, severity, fails, text) {kind, id, severity, fails, text},
		FINDING_RULES(X)
#undef X
	};
	const struct finding one = {
		.kind = rules[rule].kind,
		.id = str_of(rules[rule].id),
		.severity = rules[rule].severity,
		.fails = rules[rule].fails,
		.score = -1,
		.summary = detail.n ? arena_printf(f->arena, "%s (%.*s)", rules[rule].text, STR_ARG(detail)) : str_of(rules[rule].text),
		.lock = l,
		.package = package,
		.dev = dev,
	};

	return add(f, &one) ? 0 : -ENOMEM;
}

/* Folders of the user's own have names that a stranger may have registered; a tarball was somebody's release once. */
bool finding_is_judged(const struct lock_package *p)
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
		if (d->reasons[i].code == REASON_EXEMPT && d->reasons[i].lifted == rule && !d->reasons[i].one_advisory)
			return true;
	return false;
}

static int add_advisories(struct findings *f, const struct finding *where, const struct lock_package *p, const struct decision *d,
                          const struct scan_rules *rules)
{
	struct advisory *matches;
	size_t n = advisories_match(rules->advisories, p->ecosystem, p->name, p->version, 0, f->arena, &matches);

	for (size_t i = 0; i < n; i++) {
		struct finding one = *where;
		bool malware = matches[i].kind == ADVISORY_MALWARE;

		if (matches[i].not_affected.n || lifted(d, malware ? REASON_MALWARE : REASON_VULNERABLE))
			continue;
		if (policy_ignored(rules->policy, &matches[i], p->ecosystem, p->name, p->version, rules->now)) {
			f->ignored++;
			continue;
		}
		one.kind = malware ? FINDING_MALWARE : FINDING_VULNERABILITY;
		one.severity = malware ? SEVERITY_CRITICAL : matches[i].severity;
		one.fails = true;
		one.id = matches[i].id;
		one.summary = matches[i].summary;
		one.fixed = matches[i].fixed;
		one.url = matches[i].url;
		one.vector = matches[i].vector;
		one.score = matches[i].score;
		one.aliases = matches[i].aliases;
		one.alias_count = matches[i].alias_count;
		if (!add(f, &one))
			return -ENOMEM;
	}
	return 0;
}

/* Which reasons are worth a line: advisories have lines of their own, and without the facts of a store only the rules about names speak. */
static bool is_refusal(const struct reason *r, bool known)
{
	switch (r->code) {
	case REASON_DENIED:
	case REASON_NAMESPACE:
	case REASON_LOOK_ALIKE:
		return true;
	case REASON_EXEMPT:
	case REASON_MALWARE:
	case REASON_VULNERABLE:
		return false;
	default:
		return known;
	}
}

static enum severity weight_of(const struct reason *r)
{
	if (r->mode == MODE_REPORT)
		return SEVERITY_LOW;
	switch (r->code) {
	case REASON_HASH_CHANGED:
	case REASON_MANIFEST_MISMATCH:
	case REASON_SIGNATURE_INVALID:
		return SEVERITY_CRITICAL;
	case REASON_COOLDOWN:
	case REASON_DEPENDENCY_HELD:
		return SEVERITY_MODERATE;
	default:
		return SEVERITY_HIGH;
	}
}

static int add_refusals(struct findings *f, const struct finding *where, const struct decision *d, bool known)
{
	for (size_t i = 0; i < d->reason_count; i++) {
		const struct reason *r = &d->reasons[i];
		struct finding one = *where;

		if (!is_refusal(r, known) || r->mode == MODE_OFF)
			continue;
		one.kind = FINDING_POLICY;
		one.severity = weight_of(r);
		one.report_only = r->mode == MODE_REPORT;
		one.fails = !one.report_only;
		one.until = r->verdict == VERDICT_HOLD ? r->until : 0;
		one.id = str_of(reason_code_name(r->code));
		one.summary =
			arena_printf(f->arena, "%.*s (%.*s)", STR_ARG(r->text.n ? r->text : str_of(reason_code_text(r->code))), STR_ARG(r->source));
		if (!add(f, &one))
			return -ENOMEM;
	}
	return 0;
}

/* The decision of those who know the version, else one of what can be said without: long published, and with a hash, since a scan
 * knows of neither, and rules about them are not to speak here. */
static int decide_on(const struct lock_package *p, const struct scan_rules *rules, struct decision *ret, bool *ret_known)
{
	struct version_facts facts = version_facts_ageless(p->ecosystem, p->name, p->version, p->integrity);
	int code = -ENOENT;

	if (policy_mode(rules->policy, REASON_LOOK_ALIKE) != MODE_OFF)
		facts.resembles = policy_resembles(rules->policy, p->ecosystem, p->name);
	if (rules->judge && p->source == LOCK_REGISTRY && p->version.n)
		code = rules->judge(rules->judge_arg, p->ecosystem, p->name, p->version, ret);
	*ret_known = code == 0;
	if (code != -ENOENT)
		return code;
	decide(rules->policy, rules->advisories, &facts, rules->now, NULL, ret);
	return 0;
}

static int add_receipt(struct findings *f, struct lock *l, const struct lock_listed *listed, const struct scan_rules *rules)
{
	const struct lock_package *p = &l->packages[listed->package];
	enum receipt_state state;

	if (!rules->receipt || p->source != LOCK_REGISTRY || !p->version.n || p->flags & LOCK_BUNDLED)
		return 0;
	state = rules->receipt(rules->receipt_arg, p->ecosystem, p->name, p->version, p->integrity);
	return state == RECEIPT_MISSING ? findings_rule(f, l, listed->package, listed->dev, RULE_NO_RECEIPT, STR_NULL)
	       : state == RECEIPT_OTHER ? findings_rule(f, l, listed->package, listed->dev, RULE_OTHER_BYTES, STR_NULL)
	                                : 0;
}

static int add_one(struct findings *f, struct lock *l, const struct lock_listed *listed, const struct scan_rules *rules)
{
	const struct lock_package *p = &l->packages[listed->package];
	struct finding where = {.lock = l, .package = listed->package, .dev = listed->dev, .score = -1};
	struct decision d;
	bool known;
	int code;

	f->versionless += p->version.n == 0;
	code = decide_on(p, rules, &d, &known);
	if (code == 0 && d.reason_count)
		code = add_refusals(f, &where, &d, known);
	if (code == 0 && advisories_know(rules->advisories, p->ecosystem, p->name))
		code = add_advisories(f, &where, p, &d, rules);
	if (code == 0 && !known && p->source == LOCK_REGISTRY && p->version.n) {
		f->unjudged++;
		if (rules->strict)
			code = findings_rule(f, l, listed->package, listed->dev, RULE_UNJUDGED, STR_NULL);
	}
	return code == 0 ? add_receipt(f, l, listed, rules) : code;
}

int findings_add(struct findings *f, struct lock *l, const struct lock_listed *listed, size_t count, const struct scan_rules *rules)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < count; i++)
		if (finding_is_judged(&l->packages[listed[i].package]))
			code = add_one(f, l, &listed[i], rules);
	return code < 0 ? code : arena_failed(f->arena) ? -ENOMEM : 0;
}

struct str finding_name(const struct finding *f)
{
	return f->name.n ? f->name : f->package != LOCK_NONE ? f->lock->packages[f->package].name : STR_NULL;
}

struct str finding_version(const struct finding *f)
{
	return f->package != LOCK_NONE ? f->lock->packages[f->package].version : STR_NULL;
}

struct str finding_file(const struct finding *f)
{
	return f->file.n ? f->file : f->lock->file;
}

uint32_t finding_line(const struct finding *f)
{
	return f->line ? f->line : f->package != LOCK_NONE ? f->lock->packages[f->package].line : 1;
}

enum ecosystem finding_ecosystem(const struct finding *f)
{
	return f->package != LOCK_NONE ? f->lock->packages[f->package].ecosystem : ECOSYSTEM_NPM;
}

static int by_weight(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	int order;

	if (x->kind != y->kind && (x->kind == FINDING_MALWARE || y->kind == FINDING_MALWARE))
		return x->kind == FINDING_MALWARE ? -1 : 1;
	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	order = str_cmp(finding_file(x), finding_file(y));
	if (order)
		return order;
	if (finding_line(x) != finding_line(y))
		return finding_line(x) < finding_line(y) ? -1 : 1;
	order = str_cmp(finding_name(x), finding_name(y));
	return order ? order : str_cmp(x->id, y->id);
}

void findings_sort(struct findings *f)
{
	if (f->count)
		qsort(f->array, f->count, sizeof(*f->array), by_weight);
}
