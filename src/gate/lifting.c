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

struct str rules_never_sentence(uint32_t rules, struct arena *a)
{
	bool malware = rules & UINT32_C(1) << REASON_MALWARE;

	if (!(rules & RULES_NEVER_LIFTED))
		return STR_NULL;
	return arena_printf(
		a,
		"%s is not to be asked away: use another version. If it is a false alarm, %s; in the meantime only an administrator lifts it, "
		"by a line under `exemptions` in the policy file with `approved-by` a second person",
		malware ? "malware" : "a changed hash",
		malware ? "report it to the owner of the advisory feed" : "ask the package's maintainers and its registry why the bytes changed");
}
