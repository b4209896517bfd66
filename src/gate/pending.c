/* Stand-ins for what other parts bring: weak, so that the real ones win as soon as they are linked. */
#include "gate/gate.h"

__attribute__((weak)) size_t policy_teams(const struct policy *p, const struct policy_team **ret_array)
{
	(void)p, (void)ret_array;
	return 0;
}

__attribute__((weak)) int policy_for_team(const struct policy *base, struct str text, struct str file, usec now,
                                          const struct policy_environment *environment, bool proven, struct policy **ret, struct err *err)
{
	(void)base, (void)text, (void)file, (void)now, (void)environment, (void)proven, (void)ret, (void)err;
	return -ENOTSUP;
}

__attribute__((weak)) int policy_with_grants(const struct policy *p, const struct policy_grants *grants, usec now, struct policy **ret,
                                             struct err *err)
{
	(void)p, (void)grants, (void)now, (void)ret, (void)err;
	return -ENOTSUP;
}

__attribute__((weak)) struct str policy_resembles(const struct policy *p, enum ecosystem e, struct str name)
{
	(void)p;
	(void)e;
	(void)name;
	return STR_NULL;
}
