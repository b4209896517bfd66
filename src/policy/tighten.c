/* Files read on top of a policy: one found in a working directory, and that of a team. */
#include "policy/load.h"

/* What a mode comes to depends on two keys, so the result is compared: rule by rule, none may be weaker than before. */
static int refuse_weaker_modes(struct loader *l)
{
	const struct policy *base = l->base;

	for (enum reason_code c = 0; c < REASON_CODE_COUNT; c++) {
		enum key_id key = rule_mode_of(c)->key;

		if (policy_mode(l->p, c) >= policy_mode(base, c) || key == KEY_COUNT)
			continue;
		if (!str_eq(l->p->sources[key].file, l->file) || l->p->sources[key].line == base->sources[key].line)
			key = KEY_MODE;
		return err_set(l->err, -EPERM,
		               "%.*s:%u: %s makes the rule %s weaker (%s) than the machine's policy does (%s); a file in a working directory "
		               "can only tighten it",
		               STR_ARG(l->file), l->p->sources[key].line, keys[key].path, reason_code_name(c), mode_name(policy_mode(l->p, c)),
		               mode_name(policy_mode(base, c)));
	}
	return 0;
}

/* The same for a file that nobody vouched for: each rule keeps the stronger mode. */
static void keep_stronger_modes(struct loader *l)
{
	const struct policy *base = l->base;

	if (l->p->mode < base->mode) {
		l->p->mode = base->mode;
		l->p->sources[KEY_MODE] = base->sources[KEY_MODE];
	}
	policy_modes(l->p);
	for (enum reason_code c = 0; c < REASON_CODE_COUNT; c++) {
		enum key_id key = rule_mode_of(c)->key;

		if (policy_mode(l->p, c) >= policy_mode(base, c) || key == KEY_COUNT)
			continue;
		l->p->rule_modes[c] = (int8_t)policy_mode(base, c);
		l->p->sources[key] = base->sources[key];
	}
}

static int read_over(struct loader *l, struct str text, struct policy **ret)
{
	int r;

	if (!l->p)
		return err_set(l->err, -ENOMEM, "out of memory");
	r = load_text(l, text);
	if (r == 0 && l->pass_over)
		keep_stronger_modes(l);
	if (r == 0)
		r = policy_finish(l->p, l->err);
	if (r == 0 && l->only_tighten && !l->pass_over)
		r = refuse_weaker_modes(l);
	if (r < 0)
		policy_freed(l->p);
	else
		*ret = l->p;
	return r;
}

int policy_tighten(const struct policy *base, struct str text, struct str file, usec now, const struct policy_environment *environment,
                   struct policy **ret, struct err *err)
{
	struct loader l = {.p = policy_begin((struct policy *)base),
	                   .base = base,
	                   .file = file,
	                   .now = now,
	                   .environment = environment,
	                   .err = err,
	                   .only_tighten = !base->gate.trust_local};

	return read_over(&l, text, ret);
}

int policy_for_team(const struct policy *base, struct str text, struct str file, usec now, const struct policy_environment *environment,
                    bool proven, struct policy **ret, struct err *err)
{
	struct loader l = {.p = policy_begin((struct policy *)base),
	                   .base = base,
	                   .file = file,
	                   .now = now,
	                   .environment = environment,
	                   .err = err,
	                   .only_tighten = !proven,
	                   .pass_over = !proven,
	                   .team = true};

	return read_over(&l, text, ret);
}
