/* Stand-ins for what the policy brings: weak, so that the real ones win as soon as they are linked. */
#include "policy/policy.h"

__attribute__((weak)) const struct approval_settings *policy_approval_settings(const struct policy *p)
{
	static const struct approval_settings built_in = {SEVERITY_HIGH, 30 * USEC_DAY, USEC_DAY};

	(void)p;
	return &built_in;
}

__attribute__((weak)) const struct policy_trust *policy_trust(const struct policy *p)
{
	static const struct policy_trust none = {0};

	(void)p;
	return &none;
}

__attribute__((weak)) size_t policy_approvals(const struct policy *p, const struct approval **ret_array)
{
	(void)p, (void)ret_array;
	return 0;
}

__attribute__((weak)) size_t policy_webhooks(const struct policy *p, const struct policy_webhook **ret_array)
{
	(void)p, (void)ret_array;
	return 0;
}
