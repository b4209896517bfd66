/* What people decided while the gate runs, put over a policy: exemptions out of requests, approvals out of imported lists. */
#include <errno.h>

#include "policy/model.h"

static struct str date_text(struct arena *a, usec time)
{
	char text[TIME_TEXT];

	time_format_utc(time, text);
	return arena_str(a, str_of(text));
}

static int copy_package(struct policy *p, const struct purl *package, const struct policy_source *source, struct listed *ret)
{
	struct str text = arena_printf(p->arena, "%s:%.*s%s%.*s", ecosystem_name(package->ecosystem), STR_ARG(package->name),
	                               package->version.n ? "@" : "", STR_ARG(package->version));
	const char *problem;

	if (!text.p)
		return -ENOMEM;
	*ret = (struct listed){.text = text, .source = *source};
	return match_parse(text, &ret->ecosystem, &ret->name, &ret->version, &problem);
}

static int copy_texts(struct policy *p, struct policy_source *source, struct str *reason, struct str *owner)
{
	source->file = arena_str(p->arena, source->file);
	*reason = arena_str(p->arena, *reason);
	*owner = arena_str(p->arena, *owner);
	return source->file.p && reason->p && owner->p ? 0 : -ENOMEM;
}

static int add_exemption(struct policy *p, const struct exemption *e)
{
	struct exemption_rule *rule = items_add(p, &p->exemption_rules, sizeof(*rule));
	int r;

	if (!rule)
		return -ENOMEM;
	*rule = (struct exemption_rule){.source = e->source, .rules = e->rules, .reason = e->reason, .owner = e->owner};
	if ((r = copy_texts(p, &rule->source, &rule->reason, &rule->owner)) < 0)
		return r;
	rule->approved_by = arena_str(p->arena, e->approved_by);
	rule->expires = (struct dated){.time = e->expires, .text = date_text(p->arena, e->expires)};
	if (!rule->approved_by.p || !rule->expires.text.p)
		return -ENOMEM;
	return copy_package(p, &e->package, &rule->source, &rule->package);
}

static int add_approval(struct policy *p, const struct approval *a)
{
	struct root_rule *rule = items_add(p, &p->root_rules, sizeof(*rule));
	usec review_by = a->review_by ? a->review_by : a->ends;
	int r;

	if (!rule)
		return -ENOMEM;
	*rule = (struct root_rule){.source = a->source, .reason = a->reason, .owner = a->owner, .ends = a->ends};
	if ((r = copy_texts(p, &rule->source, &rule->reason, &rule->owner)) < 0)
		return r;
	/* What is shown, and counts in the digest, is when it ends. */
	rule->review_by = (struct dated){.time = review_by, .text = date_text(p->arena, a->ends)};
	if (!rule->review_by.text.p)
		return -ENOMEM;
	return copy_package(p, &a->package, &rule->source, &rule->package);
}

int policy_with_grants(const struct policy *p, const struct policy_grants *grants, usec now, struct policy **ret, struct err *err)
{
	struct policy *both = policy_begin((struct policy *)p);
	int r = both ? 0 : -ENOMEM;

	if (both)
		both->loaded = now;
	for (size_t i = 0; r == 0 && i < grants->exemption_count; i++)
		if (grants->exemptions[i].expires > now)
			r = add_exemption(both, &grants->exemptions[i]);
	for (size_t i = 0; r == 0 && i < grants->approval_count; i++)
		if (grants->approvals[i].ends > now)
			r = add_approval(both, &grants->approvals[i]);
	if (r == -EINVAL)
		r = err_set(err, -EBADMSG, "a granted exemption or approval names no package that can be read");
	else if (r < 0)
		err_set(err, r, "out of memory");
	if (r == 0)
		r = policy_finish(both, err);
	if (r < 0)
		policy_freed(both);
	else
		*ret = both;
	return r;
}
