/* `advisories.ignore`: which line speaks of an advisory. Asked by the decision and by the scan, so that the gate and CI look away from the same. */
#include "policy/model.h"

static bool is_named(const struct advisory *a, struct str id)
{
	bool named = str_eq_nocase(a->id, id);

	for (size_t i = 0; i < a->alias_count && !named; i++)
		named = str_eq_nocase(a->aliases[i], id);
	return named;
}

static bool is_meant(const struct match_entry *entry, enum ecosystem e, struct str name, struct str version)
{
	if (entry->pattern.n == 0)
		return true;
	if (entry->ecosystem != e)
		return false;
	if (e == ECOSYSTEM_NUGET ? !str_glob_nocase(entry->pattern, name) : !str_glob(entry->pattern, name))
		return false;
	return match_version(entry, version, false);
}

const struct advisory_ignore *policy_ignored(const struct policy *p, const struct advisory *a, enum ecosystem e, struct str name,
                                             struct str version, usec now)
{
	/* Malware is nothing that one may look away from. */
	for (size_t i = 0; a->kind != ADVISORY_MALWARE && i < p->ignore_rules.count; i++)
		if (p->ignores[i].expires > now && is_named(a, p->ignores[i].id) && is_meant(&p->ignored[i], e, name, version))
			return &p->ignores[i];
	return NULL;
}

int ignores_finish(struct policy *p)
{
	p->ignored = ARENA_ARRAY(p->arena, struct match_entry, p->ignore_rules.count + 1);
	if (!p->ignored)
		return -ENOMEM;
	for (size_t i = 0; i < p->ignore_rules.count; i++) {
		const struct purl *of = &p->ignores[i].package;
		int r = match_entry_read(p->arena, of->ecosystem, of->name, of->version, &p->ignored[i]);

		/* What is no range was refused when the file was read. */
		if (r == -ENOMEM)
			return r;
	}
	return 0;
}
