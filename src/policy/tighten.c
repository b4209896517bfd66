#include "policy/load.h"

/* What a mode comes to depends on two keys, so the result is compared: rule by rule, none may be weaker than before. */
static int refuse_weaker_modes(struct loader *l, const struct policy *base)
{
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

int policy_tighten(const struct policy *base, struct str text, struct str file, usec now, const struct policy_environment *environment,
                   struct policy **ret, struct err *err)
{
	struct policy *p = policy_begin((struct policy *)base);
	struct loader l = {
		.p = p, .base = base, .file = file, .now = now, .environment = environment, .err = err, .only_tighten = !base->gate.trust_local};
	int r;

	if (!p)
		return err_set(err, -ENOMEM, "out of memory");
	r = load_text(&l, text);
	if (r == 0)
		r = policy_finish(p, err);
	if (r == 0 && l.only_tighten)
		r = refuse_weaker_modes(&l, base);
	if (r < 0)
		policy_freed(p);
	else
		*ret = p;
	return r;
}
