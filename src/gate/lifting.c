#include "gate/lifting.h"

#include "base/limits.h"
#include "gate/people.h"

static const enum severity severities[REASON_CODE_COUNT] = {
	[REASON_COOLDOWN] = SEVERITY_LOW,
	[REASON_MALWARE] = SEVERITY_CRITICAL,
	[REASON_VULNERABLE] = SEVERITY_HIGH,
	[REASON_DENIED] = SEVERITY_CRITICAL,
	[REASON_NAMESPACE] = SEVERITY_CRITICAL,
	[REASON_HASH_CHANGED] = SEVERITY_CRITICAL,
	[REASON_MANIFEST_MISMATCH] = SEVERITY_CRITICAL,
	[REASON_DEPENDENCY_HELD] = SEVERITY_LOW,
	[REASON_WITHDRAWN] = SEVERITY_HIGH,
	[REASON_UNVERIFIABLE] = SEVERITY_HIGH,
	[REASON_NOT_APPROVED] = SEVERITY_MODERATE,
	[REASON_PUBLISHER_CHANGED] = SEVERITY_HIGH,
	[REASON_INSTALL_SCRIPT] = SEVERITY_MODERATE,
	[REASON_NEW_DEPENDENCY] = SEVERITY_MODERATE,
	[REASON_NEW_BINARY] = SEVERITY_MODERATE,
	[REASON_REMOTE_DEPENDENCY] = SEVERITY_HIGH,
	[REASON_LOOK_ALIKE] = SEVERITY_HIGH,
	[REASON_SIGNATURE_INVALID] = SEVERITY_CRITICAL,
};

uint32_t rules_in_force(const struct decision *d)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < d->reason_count; i++) {
		const struct reason *r = &d->reasons[i];

		if (r->mode == MODE_ENFORCE && r->verdict != VERDICT_ALLOW && r->code != REASON_EXEMPT)
			bits |= UINT32_C(1) << r->code;
	}
	return bits;
}

static enum severity worst_vulnerability(const struct advisories *advisories, const struct purl *p, usec now)
{
	CLEANUP_ARENA struct arena *a = arena_new(4 * MIB);
	enum severity worst = SEVERITY_UNKNOWN;
	struct advisory *found = NULL;
	size_t n = a && advisories ? advisories_match(advisories, p->ecosystem, p->name, p->version, now, a, &found) : 0;

	for (size_t i = 0; i < n; i++)
		if (found[i].kind == ADVISORY_VULNERABILITY && found[i].severity > worst)
			worst = found[i].severity;
	/* One without a severity may be any: it weighs like a bad one. */
	return worst == SEVERITY_UNKNOWN ? SEVERITY_HIGH : worst;
}

enum severity rules_severity(uint32_t rules, const struct advisories *advisories, const struct purl *package, usec now)
{
	enum severity worst = SEVERITY_LOW;

	for (int code = 0; code < REASON_CODE_COUNT; code++) {
		enum severity s = severities[code];

		if (!(rules & UINT32_C(1) << code))
			continue;
		if (code == REASON_VULNERABLE)
			s = worst_vulnerability(advisories, package, now);
		if (s > worst)
			worst = s;
	}
	return worst;
}

/* Malware and changed hashes are named first; the rest is decided where reasons are (decide.h). */
static enum reason_code first_never(uint32_t rules)
{
	if (rules & RULES_NEVER_LIFTED)
		return rules & UINT32_C(1) << REASON_MALWARE ? REASON_MALWARE : REASON_HASH_CHANGED;
	for (int code = 0; code < REASON_CODE_COUNT; code++)
		if (rules & UINT32_C(1) << code && !reason_may_be_requested((enum reason_code)code))
			return (enum reason_code)code;
	return REASON_CODE_COUNT;
}

struct str rules_never_sentence(uint32_t rules, struct arena *a)
{
	enum reason_code never = first_never(rules);

	if (never == REASON_CODE_COUNT)
		return STR_NULL;
	if (!(rules & RULES_NEVER_LIFTED))
		return arena_printf(
			a,
			"%s is no matter of judgement, so it is not to be asked away: use another version; bondgate explain says what is "
			"wrong with this one",
			reason_code_name(never));
	return arena_printf(
		a,
		"%s is not to be asked away: use another version. If it is a false alarm, %s; in the meantime only an administrator lifts it, "
		"by a line under `exemptions` in the policy file with `approved-by` a second person",
		never == REASON_MALWARE ? "malware" : "a changed hash",
		never == REASON_MALWARE ? "report it to the owner of the advisory feed"
								: "ask the package's maintainers and its registry why the bytes changed");
}
