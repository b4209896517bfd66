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
	[REASON_COOLDOWN] = {KEY_COOLDOWN_MODE, MODE_ENFORCE, true, KEY_COUNT},
	[REASON_MALWARE] = {KEY_DENY_MALWARE_MODE, MODE_ENFORCE, true, KEY_COUNT},
	[REASON_VULNERABLE] = {KEY_DENY_VULNERABILITIES_MODE, MODE_REPORT, true, KEY_COUNT},
	[REASON_DENIED] = {KEY_DENY_MODE, MODE_ENFORCE, true, KEY_COUNT},
	[REASON_NAMESPACE] = {KEY_RULES_NAMESPACE_MODE, MODE_ENFORCE, false, KEY_COUNT},
	[REASON_HASH_CHANGED] = {KEY_RULES_HASH_MODE, MODE_ENFORCE, false, KEY_COUNT},
	[REASON_MANIFEST_MISMATCH] = {KEY_RULES_MANIFEST_MODE, MODE_ENFORCE, false, KEY_COUNT},
	[REASON_DEPENDENCY_HELD] = {KEY_RULES_HELD_MODE, MODE_ENFORCE, true, KEY_COUNT},
	[REASON_WITHDRAWN] = {KEY_RULES_WITHDRAWN_MODE, MODE_ENFORCE, true, KEY_COUNT},
	[REASON_UNVERIFIABLE] = {KEY_RULES_UNVERIFIABLE_MODE, MODE_ENFORCE, false, KEY_COUNT},
	[REASON_NOT_APPROVED] = {KEY_ALLOW_MODE, MODE_OFF, true, KEY_COUNT},
	[REASON_PUBLISHER_CHANGED] = {KEY_CONTINUITY_MODE, MODE_REPORT, true, KEY_COUNT},
	[REASON_INSTALL_SCRIPT] = {KEY_RULES_INSTALL_SCRIPT_MODE, MODE_REPORT, true, KEY_COOLDOWN_INSTALL_SCRIPT},
	[REASON_NEW_DEPENDENCY] = {KEY_RULES_NEW_DEPENDENCY_MODE, MODE_REPORT, true, KEY_COOLDOWN_NEW_DEPENDENCY},
	[REASON_NEW_BINARY] = {KEY_RULES_NEW_BINARY_MODE, MODE_REPORT, true, KEY_COOLDOWN_NEW_BINARY},
	[REASON_REMOTE_DEPENDENCY] = {KEY_RULES_REMOTE_MODE, MODE_REPORT, true, KEY_COOLDOWN_REMOTE_DEPENDENCY},
	[REASON_LOOK_ALIKE] = {KEY_RULES_LOOK_ALIKE_MODE, MODE_REPORT, true, KEY_COUNT},
	[REASON_SIGNATURE_INVALID] = {KEY_RULES_SIGNATURE_MODE, MODE_REPORT, true, KEY_COUNT},
	[REASON_UNKNOWN] = {KEY_COUNT, MODE_ENFORCE, false, KEY_COUNT},
	[REASON_EXEMPT] = {KEY_COUNT, MODE_ENFORCE, false, KEY_COUNT},
};

const struct rule_mode *rule_mode_of(enum reason_code c)
{
	return &rule_modes[c];
}

static enum mode mode_of(const struct policy *p, enum reason_code c)
{
	const struct rule_mode *rule = &rule_modes[c];
	enum mode mode = rule->standard;

	if (p->rule_modes[c] != MODE_UNSET)
		return (enum mode)p->rule_modes[c];
	/* Whoever writes down how long such a version waits wants it to wait. */
	if (rule->delay != KEY_COUNT && p->sources[rule->delay].line)
		mode = *(const usec *)((const char *)p + keys[rule->delay].offset) ? MODE_ENFORCE : MODE_OFF;
	return rule->lowered_by_mode && p->mode < (int)mode ? (enum mode)p->mode : mode;
}

void policy_modes(struct policy *p)
{
	for (enum reason_code c = 0; c < REASON_CODE_COUNT; c++)
		p->modes[c] = (uint8_t)mode_of(p, c);
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
