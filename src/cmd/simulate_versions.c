#include "base/limits.h"
#include "cmd/simulate.h"
#include "gate/explanation.h"
#include "policy/facts_json.h"

/* The documents of packages, each asked for once. */

struct versions {
	struct gate_thread *thread;
	struct rules *rules;
	struct arena *arena;
	struct map packages; /* "npm name" -> struct package */
	struct package *last;
};

struct package {
	struct package *next;
	const struct origin *origin;
	struct clearance_result cleared;
	struct loop *loop;
	bool answered;
};

struct versions *versions_new(struct gate_thread *thread, struct rules *rules)
{
	struct versions *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	*v = (struct versions){.thread = thread, .rules = rules, .arena = arena_new(256 * MIB)};
	if (v->arena)
		return v;
	free(v);
	return NULL;
}

void versions_free(struct versions *v)
{
	if (!v)
		return;
	for (struct package *p = v->last; p; p = p->next)
		clearance_result_free(&p->cleared);
	map_free(&v->packages);
	arena_free(v->arena);
	free(v);
}

static void cleared(void *arg, struct clearance_result *result)
{
	struct package *p = arg;

	p->cleared = *result;
	p->answered = true;
	loop_stop(p->loop);
}

static struct package *find_package(struct versions *v, struct str name)
{
	struct package *p = map_get(&v->packages, name);

	if (p)
		return p;
	p = ARENA_NEW(v->arena, struct package);
	name = arena_str(v->arena, name);
	if (!p || !name.p || map_put(&v->packages, name, p) < 0)
		return NULL;
	*p = (struct package){.next = v->last, .loop = v->thread->loop};
	v->last = p;
	p->origin = policy_origin(v->rules->policy, ECOSYSTEM_NPM, name);
	if (p->origin) {
		clearance_get(v->thread, v->rules, p->origin, name, cleared, p);
		if (!p->answered)
			loop_run(v->thread->loop);
	}
	return p;
}

int versions_judge(struct versions *v, const struct purl *purl, usec at, struct arena *a, struct replay *ret, struct err *err)
{
	struct package *p;
	struct explanation e;
	int r;

	if (purl->ecosystem != ECOSYSTEM_NPM)
		return err_set(err, -ENOTSUP, "this version of bondgate judges npm packages only");
	p = find_package(v, purl->name);
	if (!p)
		return err_set(err, -ENOMEM, "no memory");
	if (p->origin && !p->cleared.clearance)
		return err_set(err, p->cleared.code, "%s", p->cleared.err.text);
	if (p->cleared.clearance && npm_packument_find(p->cleared.document->packument, purl->version) < 0)
		return err_set(err, -ENOENT, "%.*s has no version %.*s in its registry", STR_ARG(purl->name), STR_ARG(purl->version));
	r = explanation_make(&p->cleared, v->rules, p->origin, purl, at, a, &e);
	if (r < 0)
		return err_set(err, r, "%s", p->cleared.err.text);
	facts_take_advisories(&e.facts, v->rules->advisories, at, a);
	replay_decision(v->rules->policy, &e.facts, at, true, STR("allow"), a, ret);
	return 0;
}
