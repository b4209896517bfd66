/* Is the package wanted here, by whom is it made, and is it the one that was meant? */
#include "policy/decide_rules.h"

/* "@acme" of "@acme/tool". */
static struct str scope_of(const struct version_facts *f)
{
	ptrdiff_t slash = f->ecosystem == ECOSYSTEM_NPM && f->name.n && f->name.p[0] == '@' ? str_chr(f->name, '/') : -1;

	return slash > 0 ? str_take(f->name, (size_t)slash) : STR_NULL;
}

/* npm knows one who published a version; of NuGet's owners each can publish, so each must be approved. */
static bool people_are_approved(const struct deciding *c)
{
	const struct trust_facts *t = &c->facts->trust;
	enum publisher_kind kind = c->facts->ecosystem == ECOSYSTEM_NPM ? PUBLISHER_NPM_USER : PUBLISHER_NUGET_OWNER;

	for (size_t i = 0; i < t->publisher_count; i++)
		if (!publisher_approved(c->p, kind, t->publishers[i]))
			return false;
	return t->publisher_count > 0;
}

static bool publisher_is_approved(const struct deciding *c)
{
	if (c->p->publisher_count == 0)
		return false;
	/* What a version claims of its repository is no proof: only what was verified counts. */
	return publisher_approved(c->p, PUBLISHER_NPM_SCOPE, scope_of(c->facts)) ||
	       publisher_approved(c->p, PUBLISHER_TRUSTED, c->facts->trust.verified_source) || people_are_approved(c);
}

bool is_approved(struct deciding *c)
{
	if (c->facts->own_origin || publisher_is_approved(c))
		return true;
	if (!c->root)
		return false;
	change_at(c, c->root->ends);
	return true;
}

void judge_approval(struct deciding *c)
{
	const struct version_facts *f = c->facts;
	struct reason r = {.verdict = VERDICT_HOLD, .mode = MODE_ENFORCE, .until = USEC_NEVER};

	if (policy_mode(c->p, REASON_NOT_APPROVED) != MODE_OFF && !f->reached_from.n && !is_approved(c)) {
		r.code = REASON_NOT_APPROVED;
		r.source = source_text(c, &c->p->sources[KEY_ALLOW_MODE]);
		speak(c, r, STR_NULL);
	}
	/* Whoever put the name on the list looked at it. */
	if (f->resembles.n && !f->own_origin && !c->root_name) {
		r.code = REASON_LOOK_ALIKE;
		r.source = source_text(c, &c->p->sources[KEY_RULES_LOOK_ALIKE_MODE]);
		speak(c, r, STR_NULL);
	}
}

/* A claim is enough to be refused for. */
static const struct listed *denied_publisher(const struct deciding *c)
{
	const struct version_facts *f = c->facts;
	enum publisher_kind kind = f->ecosystem == ECOSYSTEM_NPM ? PUBLISHER_NPM_USER : PUBLISHER_NUGET_OWNER;
	const struct listed *item = publisher_denied(c->p, PUBLISHER_NPM_SCOPE, scope_of(f));

	if (!item)
		item = publisher_denied(c->p, PUBLISHER_TRUSTED, f->trust.trusted_publisher);
	if (!item)
		item = publisher_denied(c->p, PUBLISHER_TRUSTED, f->trust.verified_source);
	for (size_t i = 0; !item && i < f->trust.publisher_count; i++)
		item = publisher_denied(c->p, kind, f->trust.publishers[i]);
	return item;
}

void judge_publishers(struct deciding *c)
{
	const struct version_facts *f = c->facts;
	const struct listed *item = c->p->deny_publishers.count ? denied_publisher(c) : NULL;
	usec hold = c->p->continuity_hold;

	if (item) {
		struct reason r = {.code = REASON_DENIED, .verdict = VERDICT_DENY, .mode = MODE_ENFORCE};

		r.source = source_text(c, &item->source);
		speak(c, r, item->text);
	}
	if (f->trust.continuity.n && !f->own_origin && (hold == USEC_NEVER || c->now - c->published < hold)) {
		struct reason r = {.code = REASON_PUBLISHER_CHANGED, .verdict = VERDICT_HOLD, .mode = MODE_ENFORCE, .wait = hold};

		r.until = hold == USEC_NEVER ? USEC_NEVER : c->published + hold;
		r.source = source_text(c, &c->p->sources[KEY_CONTINUITY_HOLD]);
		speak(c, r, STR_NULL);
	}
}
