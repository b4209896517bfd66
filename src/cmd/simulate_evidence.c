#include "base/limits.h"
#include "cmd/simulate.h"

/* Receipts and refusals of the store, asked again at their own times under the rules of the teams that they were decided by. */

struct looking {
	struct gate *gate;
	struct str team;
	struct tally *tally;
};

/* A team that the policy has now and had not then counts as not proven: nobody can say what its token would have shown. */
static struct rules *rules_for(struct gate *g, const struct evidence *e)
{
	if (str_eq(e->rules, e->project) && e->rules.n)
		return gate_team_rules(g, e->project, true);
	return e->project.n ? gate_team_rules(g, e->project, false) : gate_rules(g);
}

static int look(void *arg, const struct evidence *e)
{
	struct looking *l = arg;
	struct tally_entry entry = {e->ecosystem, e->name, e->version, e->decision, e->project, e->identity, e->client, e->time};
	bool served = e->kind == EVIDENCE_RECEIPT;
	struct arena *a;
	struct rules *rules;
	struct replay r;
	int result;

	if ((!served && e->kind != EVIDENCE_REFUSAL) || (l->team.n && !str_eq(e->project, l->team)))
		return 0;
	a = arena_new(16 * MIB);
	if (!a)
		return -ENOMEM;
	rules = rules_for(l->gate, e);
	replay_record(rules->policy, e->facts, e->version, e->time, served, e->decision, a, &r);
	result = tally_add(l->tally, &entry, &r);
	rules_unref(rules);
	arena_free(a);
	return result;
}

int simulate_evidence(struct gate *g, usec since, struct str team, struct tally *t, struct err *err)
{
	const struct evidence_filter filter = {.kind = -1, .ecosystem = -1, .since = since, .with_facts = true};
	struct looking l = {g, team, t};
	int r = store_evidence(g->store, &filter, look, &l, err);

	return r == -ENOMEM ? err_set(err, r, "no memory: more changes than can be held; take a shorter --since") : r;
}
