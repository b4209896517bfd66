/* Delays: what the version gained against the one before it, and how long it waits in any case. */
#include "policy/decide_rules.h"

/* Until `wait` has passed since `from`, which counts as now when it is ahead of the clock. False: it has passed. */
static bool delay(struct deciding *c, usec from, usec wait, struct reason *ret)
{
	if (from > c->now)
		from = c->now;
	if (wait <= 0 || c->now - from >= wait)
		return false;
	ret->verdict = VERDICT_HOLD;
	ret->mode = MODE_ENFORCE;
	ret->wait = wait;
	ret->until = from + wait;
	return true;
}

static void judge_gain(struct deciding *c, enum reason_code code, struct str gained, usec wait, enum key_id key)
{
	struct reason r = {.code = code};

	if (!gained.n || !delay(c, c->published, wait, &r))
		return;
	r.source = source_text(c, &c->p->sources[key]);
	speak(c, r, STR_NULL);
}

/* Of a dependency whose age nobody knows, it is known that it was not here before the version that needs it. */
static void judge_new_dependency(struct deciding *c)
{
	const struct version_facts *f = c->facts;
	usec from = f->trust.dependency_published ? f->trust.dependency_published : c->published;
	usec period = c->p->cooldown_new_dependency;
	struct reason r = {.code = REASON_NEW_DEPENDENCY}, own = {.code = REASON_NEW_DEPENDENCY, .about = ABOUT_PACKAGE};
	bool late = f->trust.dependency.n && delay(c, from, period, &r);

	/* A name that came along with an approved root, that nobody knows and nobody looked at. */
	if (f->reached_from.n && !f->name_known && delay(c, f->package_published ? f->package_published : c->published, period, &own) &&
	    (!late || own.until > r.until) && !is_approved(c)) {
		r = own;
		late = true;
	}
	if (!late)
		return;
	r.source = source_text(c, &c->p->sources[KEY_COOLDOWN_NEW_DEPENDENCY]);
	speak(c, r, STR_NULL);
}

void judge_gains(struct deciding *c)
{
	const struct policy *p = c->p;
	const struct trust_facts *t = &c->facts->trust;

	if (c->facts->own_origin)
		return;
	judge_gain(c, REASON_INSTALL_SCRIPT, t->install_script, p->cooldown_install_script, KEY_COOLDOWN_INSTALL_SCRIPT);
	judge_gain(c, REASON_NEW_BINARY, t->binary, p->cooldown_new_binary, KEY_COOLDOWN_NEW_BINARY);
	judge_gain(c, REASON_REMOTE_DEPENDENCY, t->remote_dependency, p->cooldown_remote_dependency, KEY_COOLDOWN_REMOTE_DEPENDENCY);
	judge_new_dependency(c);
}

/* The shorter wait of a security fix, in place of the usual one; see decide.h for when. */
static void shorten_for_fix(struct deciding *c, struct reason *r, const struct policy_source **source)
{
	usec wait = c->facts->trust.fixed_line_denied ? 0 : c->p->cooldown_security_fix;
	struct reason fix = {.code = REASON_COOLDOWN, .about = ABOUT_FIX};
	struct str id;

	if (c->p->cooldown_security_fix < 0 || c->facts->own_origin || wait >= r->wait || c->spoken || !is_security_fix(c, &id))
		return;
	if (!delay(c, c->published, wait, &fix))
		fix.until = 0;
	*r = fix;
	*source = &c->p->sources[KEY_COOLDOWN_SECURITY_FIX];
}

void judge_cooldown(struct deciding *c)
{
	const struct version_facts *f = c->facts;
	const struct policy_source *source = &c->p->sources[KEY_COOLDOWN_DEFAULT];
	const struct origin *own = f->own_origin ? policy_origin(c->p, f->ecosystem, f->name) : NULL;
	struct reason r = {.code = REASON_COOLDOWN}, package = {.code = REASON_COOLDOWN, .about = ABOUT_PACKAGE};

	if (c->exclude || policy_mode(c->p, REASON_COOLDOWN) == MODE_OFF)
		return;
	if (own)
		source = &own->source;
	if (delay(c, c->published, f->own_origin ? f->origin_cooldown : c->p->cooldown_default, &r))
		shorten_for_fix(c, &r, &source);
	if (!f->own_origin && f->package_published > 0 && delay(c, f->package_published, c->p->cooldown_new_package, &package) &&
	    package.until > r.until) {
		r = package;
		source = &c->p->sources[KEY_COOLDOWN_NEW_PACKAGE];
	}
	if (!r.until)
		return;
	r.source = source_text(c, source);
	speak(c, r, STR_NULL);
}
