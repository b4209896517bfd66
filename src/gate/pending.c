/* Stand-ins for what other parts bring: weak, so that the real ones win as soon as they are linked. */
#include "gate/people.h"

__attribute__((weak)) bool people_team_proven(struct gate *g, struct str authorization, struct str team, usec now, struct arena *a,
                                              struct str *ret_person)
{
	(void)g, (void)authorization, (void)team, (void)now, (void)a, (void)ret_person;
	return false;
}

__attribute__((weak)) int people_grants(struct store *s, usec now, struct arena *a, struct policy_grants *ret, struct err *err)
{
	(void)s, (void)now, (void)a, (void)err;
	*ret = (struct policy_grants){0};
	return 0;
}

__attribute__((weak)) int store_people_version(struct store *s, int64_t *ret, struct err *err)
{
	(void)s, (void)err;
	*ret = 0;
	return 0;
}

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
