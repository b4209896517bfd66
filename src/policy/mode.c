#include <errno.h>

#include "policy/decide.h"
#include "policy/model.h"

static const struct {
	const char *name, *text;
} codes[] = {
#define X(constant, code, text) {code, text},
	REASON_CODES(X)
#undef X
};

const char *reason_code_name(enum reason_code c)
{
	return codes[c].name;
}

const char *reason_code_text(enum reason_code c)
{
	return codes[c].text;
}

int reason_code_parse(struct str text, enum reason_code *ret)
{
	for (enum reason_code c = 0; c < REASON_CODE_COUNT; c++)
		if (str_eq(text, str_of(codes[c].name))) {
			*ret = c;
			return 0;
		}
	return -EINVAL;
}

static const char *const mode_names[] = {[MODE_OFF] = "off", [MODE_REPORT] = "report", [MODE_ENFORCE] = "enforce"};

const char *mode_name(enum mode m)
{
	return mode_names[m];
}

int mode_parse(struct str text, enum mode *ret)
{
	for (enum mode m = MODE_OFF; m <= MODE_ENFORCE; m++)
		if (str_eq(text, str_of(mode_names[m]))) {
			*ret = m;
			return 0;
		}
	return -EINVAL;
}

const char *verdict_name(enum verdict v)
{
	static const char *const names[] = {[VERDICT_ALLOW] = "allow", [VERDICT_HOLD] = "hold", [VERDICT_DENY] = "deny"};

	return names[v];
}

/* What may be set for a rule stands in the table of keys; here is what holds when nothing is set. */
static const struct rule_mode rule_modes[REASON_CODE_COUNT] = {
	[REASON_COOLDOWN] = {KEY_COOLDOWN_MODE, MODE_ENFORCE, true},
	[REASON_MALWARE] = {KEY_DENY_MALWARE_MODE, MODE_ENFORCE, true},
	[REASON_VULNERABLE] = {KEY_DENY_VULNERABILITIES_MODE, MODE_REPORT, true},
	[REASON_DENIED] = {KEY_DENY_MODE, MODE_ENFORCE, true},
	[REASON_NAMESPACE] = {KEY_RULES_NAMESPACE_MODE, MODE_ENFORCE, false},
	[REASON_HASH_CHANGED] = {KEY_RULES_HASH_MODE, MODE_ENFORCE, false},
	[REASON_MANIFEST_MISMATCH] = {KEY_RULES_MANIFEST_MODE, MODE_ENFORCE, false},
	[REASON_DEPENDENCY_HELD] = {KEY_RULES_HELD_MODE, MODE_ENFORCE, true},
	[REASON_WITHDRAWN] = {KEY_RULES_WITHDRAWN_MODE, MODE_ENFORCE, true},
	[REASON_UNVERIFIABLE] = {KEY_RULES_UNVERIFIABLE_MODE, MODE_ENFORCE, false},
	[REASON_NOT_APPROVED] = {KEY_COUNT, MODE_OFF, true},
	[REASON_PUBLISHER_CHANGED] = {KEY_COUNT, MODE_OFF, true},
	[REASON_INSTALL_SCRIPT] = {KEY_COUNT, MODE_OFF, true},
	[REASON_NEW_DEPENDENCY] = {KEY_COUNT, MODE_OFF, true},
	[REASON_NEW_BINARY] = {KEY_COUNT, MODE_OFF, true},
	[REASON_REMOTE_DEPENDENCY] = {KEY_COUNT, MODE_OFF, true},
	[REASON_LOOK_ALIKE] = {KEY_COUNT, MODE_OFF, true},
	[REASON_SIGNATURE_INVALID] = {KEY_COUNT, MODE_OFF, true},
	[REASON_UNKNOWN] = {KEY_COUNT, MODE_ENFORCE, false},
	[REASON_EXEMPT] = {KEY_COUNT, MODE_ENFORCE, false},
};

const struct rule_mode *rule_mode_of(enum reason_code c)
{
	return &rule_modes[c];
}

enum mode policy_mode(const struct policy *p, enum reason_code rule)
{
	return (enum mode)p->modes[rule];
}

usec policy_cooldown(const struct policy *p, const struct origin *origin)
{
	usec own = origin->cooldown > 0 ? origin->cooldown : 0;

	if (policy_mode(p, REASON_COOLDOWN) != MODE_ENFORCE)
		return 0;
	return origin->is_default && origin->cooldown < 0 ? p->cooldown_default : own;
}
