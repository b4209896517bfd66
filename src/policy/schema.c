#include "policy/schema.h"

#include "policy/model.h"

#define P(member) offsetof(struct policy, member)
#define O(member) offsetof(struct origin_rule, member)
#define E(member) offsetof(struct exemption_rule, member)
#define RULE_MODE(code) offsetof(struct policy, rule_modes[code])

#define MODES "off, report or enforce"

/* clang-format off */
/* One row a key: group, path, type, where, standard, allowed, flags, tighten, text, example. */
const struct key keys[KEY_COUNT] = {
	[KEY_VERSION] = {GROUP_POLICY, "version", KEY_TYPE_INTEGER, P(version), "1", "1", 0, TIGHTEN_SAME,
		"The form of this file.", "1"},
	[KEY_MODE] = {GROUP_POLICY, "mode", KEY_TYPE_MODE, P(mode), "enforce", MODES, 0, TIGHTEN_MODE,
		"The strongest mode of every rule that has no mode of its own: with `report`, versions are served and what would have been refused is "
		"recorded. A mode that a rule sets itself wins. It does not reach `hash-changed`, `manifest-mismatch`, `unverifiable` and `namespace`: "
		"bytes that were not verified leave only if that very rule says so.",
		"report"},
	[KEY_TRUST_LOCAL] = {GROUP_POLICY, "trust-local", KEY_TYPE_BOOL, P(gate.trust_local), "false", "true or false", 0, TIGHTEN_NEVER,
		"May a `bondgate.yaml` in a working directory also loosen this policy? Without it, such a file can only tighten.", "true"},
	[KEY_INTERNAL] = {GROUP_POLICY, "internal", KEY_TYPE_NAMES, P(internal), NULL, NULL, 0, TIGHTEN_ADD,
		"Names that only an origin of their own may serve. One that no origin serves is refused (`namespace`) and is never asked for "
		"anywhere else. Names of `origins` are internal without being listed.", "[\"npm:@acme/*\"]"},

	[KEY_REGISTRIES] = {GROUP_POLICY, "registries", KEY_TYPE_MAP, 0, NULL, NULL, 0, TIGHTEN_NEVER,
		"Where names come from that no entry of `origins` owns.", NULL},
	[KEY_REGISTRIES_NPM] = {GROUP_POLICY, "registries.npm", KEY_TYPE_ORIGIN, 0, NULL, NULL, 0, TIGHTEN_NEVER,
		"The default origin of npm packages; its keys are those of an origin.", "{upstream: \"https://npm.registry.example/\"}"},
	[KEY_REGISTRIES_NUGET] = {GROUP_POLICY, "registries.nuget", KEY_TYPE_ORIGIN, 1, NULL, NULL, KEY_LATER, TIGHTEN_NEVER,
		"The default origin of NuGet packages.", "{upstream: auto}"},
	[KEY_ORIGINS] = {GROUP_POLICY, "origins", KEY_TYPE_ORIGINS, 0, NULL, NULL, 0, TIGHTEN_NEVER,
		"Registries that own names. A name belongs to exactly one origin, that with the most specific pattern, and never falls through to another.",
		"[{names: [\"npm:@acme/*\"], upstream: \"https://packages.acme.example/npm/\", token: {env: ACME_TOKEN}}]"},

	[KEY_COOLDOWN] = {GROUP_POLICY, "cooldown", KEY_TYPE_MAP, 0, NULL, NULL, 0, TIGHTEN_NEVER,
		"How long a version waits before it is cleared. Of several delays whose condition holds, the longest counts.", NULL},
	[KEY_COOLDOWN_MODE] = {GROUP_POLICY, "cooldown.mode", KEY_TYPE_MODE, RULE_MODE(REASON_COOLDOWN), NULL, MODES, 0, TIGHTEN_MODE,
		"Mode of the rule `cooldown`.", "report"},
	[KEY_COOLDOWN_DEFAULT] = {GROUP_POLICY, "cooldown.default", KEY_TYPE_DURATION, P(cooldown_default), "7d", NULL, 0, TIGHTEN_MORE,
		"Every version waits this long after it was published. Names with an origin of their own do not wait, unless that origin sets `cooldown`.",
		"14d"},
	[KEY_COOLDOWN_NEW_PACKAGE] = {GROUP_POLICY, "cooldown.new-package", KEY_TYPE_DURATION, P(cooldown_new_package), "0", NULL, 0,
		TIGHTEN_MORE, "All versions of a package wait until its first version is this old. `0`: nothing beyond `default`.", "30d"},
	[KEY_COOLDOWN_EXCLUDE] = {GROUP_POLICY, "cooldown.exclude", KEY_TYPE_PATTERNS, P(exclude), NULL, NULL, 0, TIGHTEN_NEVER,
		"Packages and versions that do not wait.", "[\"npm:@acme-open/*\", \"npm:typescript@^5.0.0\"]"},
	[KEY_COOLDOWN_NEW_DEPENDENCY] = {GROUP_POLICY, "cooldown.new-dependency", KEY_TYPE_DURATION, P(later.duration), NULL, NULL,
		KEY_LATER, TIGHTEN_MORE, "Delay for a version that gained a dependency on a name that is young or not known here.", "30d"},
	[KEY_COOLDOWN_INSTALL_SCRIPT] = {GROUP_POLICY, "cooldown.install-script", KEY_TYPE_DURATION, P(later.duration), NULL, NULL,
		KEY_LATER, TIGHTEN_MORE, "Delay for a version that gained code that runs on install or build.", "14d"},
	[KEY_COOLDOWN_SECURITY_FIX] = {GROUP_POLICY, "cooldown.security-fix", KEY_TYPE_DURATION, P(later.duration), NULL, NULL,
		KEY_LATER, TIGHTEN_NEVER, "Takes the place of `default` for a version that an advisory names as the fix.", "1d"},

	[KEY_DENY] = {GROUP_POLICY, "deny", KEY_TYPE_MAP, 0, NULL, NULL, 0, TIGHTEN_NEVER, "What is never served.", NULL},
	[KEY_DENY_MODE] = {GROUP_POLICY, "deny.mode", KEY_TYPE_MODE, RULE_MODE(REASON_DENIED), NULL, MODES, 0, TIGHTEN_MODE,
		"Mode of the rule `denied`, that is of the three lists.", "report"},
	[KEY_DENY_NAMES] = {GROUP_POLICY, "deny.names", KEY_TYPE_NAMES, P(deny_names), NULL, NULL, 0, TIGHTEN_ADD,
		"Packages of which no version is served.", "[\"npm:flatmap-stream\", \"npm:*-stealer\"]"},
	[KEY_DENY_VERSIONS] = {GROUP_POLICY, "deny.versions", KEY_TYPE_VERSIONS, P(deny_versions), NULL, NULL, 0, TIGHTEN_ADD,
		"Versions and ranges that are not served; prereleases count as part of a range.",
		"[\"npm:event-stream@3.3.6\", \"npm:axios@>=1.14.1 <1.14.3\"]"},
	[KEY_DENY_HASHES] = {GROUP_POLICY, "deny.hashes", KEY_TYPE_HASHES, P(deny_hashes), NULL, NULL, 0, TIGHTEN_ADD,
		"Artifacts that are not served, under whatever name they come.", "[\"da39a3ee5e6b4b0d3255bfef95601890afd80709\"]"},
	[KEY_DENY_MALWARE] = {GROUP_POLICY, "deny.malware", KEY_TYPE_MAP, 0, NULL, NULL, 0, TIGHTEN_NEVER,
		"Versions that an advisory calls malware.", NULL},
	[KEY_DENY_MALWARE_MODE] = {GROUP_POLICY, "deny.malware.mode", KEY_TYPE_MODE, RULE_MODE(REASON_MALWARE), NULL, MODES, 0, TIGHTEN_MODE,
		"Mode of the rule `malware`.", "enforce"},
	[KEY_DENY_VULNERABILITIES] = {GROUP_POLICY, "deny.vulnerabilities", KEY_TYPE_MAP, 0, NULL, NULL, 0, TIGHTEN_NEVER,
		"Versions that an advisory calls vulnerable.", NULL},
	[KEY_DENY_VULNERABILITIES_MODE] = {GROUP_POLICY, "deny.vulnerabilities.mode", KEY_TYPE_MODE, RULE_MODE(REASON_VULNERABLE), NULL, MODES, 0,
		TIGHTEN_MODE, "Mode of the rule `vulnerable`.", "enforce"},
	[KEY_DENY_VULNERABILITIES_AT] = {GROUP_POLICY, "deny.vulnerabilities.at", KEY_TYPE_SEVERITY, P(vulnerabilities_at), "critical",
		"low, moderate, high or critical", 0, TIGHTEN_LESS,
		"The lowest severity that counts; `low` includes advisories that name no severity.", "high"},

	[KEY_RULES] = {GROUP_POLICY, "rules", KEY_TYPE_MAP, 0, NULL, NULL, 0, TIGHTEN_NEVER,
		"Modes of the rules that have no section of their own.", NULL},
	[KEY_RULES_HASH] = {GROUP_POLICY, "rules.hash-changed", KEY_TYPE_MAP, 0, NULL, NULL, 0, TIGHTEN_NEVER,
		"The same name and version came with another hash than before: an incident, never an update.", NULL},
	[KEY_RULES_HASH_MODE] = {GROUP_POLICY, "rules.hash-changed.mode", KEY_TYPE_MODE, RULE_MODE(REASON_HASH_CHANGED), NULL,
		"report or enforce", 0, TIGHTEN_MODE, "Mode of the rule `hash-changed`.", "enforce"},
	[KEY_RULES_MANIFEST] = {GROUP_POLICY, "rules.manifest-mismatch", KEY_TYPE_MAP, 0, NULL, NULL, 0, TIGHTEN_NEVER,
		"What an archive says of itself differs from the metadata.", NULL},
	[KEY_RULES_MANIFEST_MODE] = {GROUP_POLICY, "rules.manifest-mismatch.mode", KEY_TYPE_MODE, RULE_MODE(REASON_MANIFEST_MISMATCH), NULL,
		"report or enforce", 0, TIGHTEN_MODE, "Mode of the rule `manifest-mismatch`.", "enforce"},
	[KEY_RULES_UNVERIFIABLE] = {GROUP_POLICY, "rules.unverifiable", KEY_TYPE_MAP, 0, NULL, NULL, 0, TIGHTEN_NEVER,
		"The metadata names no hash that the bytes could be checked against.", NULL},
	[KEY_RULES_UNVERIFIABLE_MODE] = {GROUP_POLICY, "rules.unverifiable.mode", KEY_TYPE_MODE, RULE_MODE(REASON_UNVERIFIABLE), NULL,
		"report or enforce", 0, TIGHTEN_MODE, "Mode of the rule `unverifiable`.", "enforce"},
	[KEY_RULES_HELD] = {GROUP_POLICY, "rules.dependency-held", KEY_TYPE_MAP, 0, NULL, NULL, 0, TIGHTEN_NEVER,
		"An exactly pinned dependency (a platform package, say) is not cleared: the set is cleared together.", NULL},
	[KEY_RULES_HELD_MODE] = {GROUP_POLICY, "rules.dependency-held.mode", KEY_TYPE_MODE, RULE_MODE(REASON_DEPENDENCY_HELD), NULL, MODES, 0,
		TIGHTEN_MODE, "Mode of the rule `dependency-held`.", "report"},
	[KEY_RULES_WITHDRAWN] = {GROUP_POLICY, "rules.withdrawn", KEY_TYPE_MAP, 0, NULL, NULL, 0, TIGHTEN_NEVER,
		"The version vanished from its registry within 30 days of its publication, or its package became a security placeholder. An older one "
		"goes on being served from the cache and is reported.", NULL},
	[KEY_RULES_WITHDRAWN_MODE] = {GROUP_POLICY, "rules.withdrawn.mode", KEY_TYPE_MODE, RULE_MODE(REASON_WITHDRAWN), NULL, MODES, 0,
		TIGHTEN_MODE, "Mode of the rule `withdrawn`.", "report"},
	[KEY_RULES_NAMESPACE] = {GROUP_POLICY, "rules.namespace", KEY_TYPE_MAP, 0, NULL, NULL, 0, TIGHTEN_NEVER,
		"An internal name that no origin serves.", NULL},
	[KEY_RULES_NAMESPACE_MODE] = {GROUP_POLICY, "rules.namespace.mode", KEY_TYPE_MODE, RULE_MODE(REASON_NAMESPACE), NULL, "enforce", 0,
		TIGHTEN_MODE, "Mode of the rule `namespace`: internal names never leave, so there is nothing that `report` could serve.", "enforce"},

	[KEY_ALLOW] = {GROUP_POLICY, "allow", KEY_TYPE_MAP, 0, NULL, NULL, 0, TIGHTEN_NEVER,
		"The list of approved packages and publishers.", NULL},
	[KEY_ALLOW_MODE] = {GROUP_POLICY, "allow.mode", KEY_TYPE_MODE, P(later.mode), NULL, "off", KEY_LATER, TIGHTEN_NEVER,
		"Only `off` in this version: an allow list that is not evaluated would be a false promise.", "off"},
	[KEY_ALLOW_ROOTS] = {GROUP_POLICY, "allow.roots", KEY_TYPE_ROOTS, 0, NULL, NULL, KEY_LATER, TIGHTEN_NEVER,
		"Approved packages.", "[{name: \"npm:@angular/*\", reason: platform, owner: web-team, review-by: 2027-03-01}]"},
	[KEY_ALLOW_PUBLISHERS] = {GROUP_POLICY, "allow.publishers", KEY_TYPE_PUBLISHERS, 0, NULL, NULL, KEY_LATER, TIGHTEN_NEVER,
		"Approved publishers.", "[{publisher: \"nuget-owner:Acme\", reason: vendor, owner: platform, review-by: 2027-03-01}]"},

	[KEY_CONTINUITY] = {GROUP_POLICY, "continuity", KEY_TYPE_MAP, 0, NULL, NULL, 0, TIGHTEN_NEVER,
		"A change of publisher, provenance or repository.", NULL},
	[KEY_CONTINUITY_MODE] = {GROUP_POLICY, "continuity.mode", KEY_TYPE_MODE, P(later.mode), NULL, "off or report", KEY_LATER, TIGHTEN_NEVER,
		"`enforce` is refused by this version, which could not keep it.", "report"},
	[KEY_CONTINUITY_HOLD] = {GROUP_POLICY, "continuity.hold", KEY_TYPE_DURATION, P(later.duration), NULL, NULL, KEY_LATER, TIGHTEN_MORE,
		"How long such a version is held.", "30d"},

	[KEY_EXEMPTIONS] = {GROUP_POLICY, "exemptions", KEY_TYPE_EXEMPTIONS, 0, NULL, NULL, 0, TIGHTEN_NEVER,
		"Dated, owned exceptions from rules. One that has ended does nothing and is shown as ended.",
		"[{package: \"npm:left-pad@1.3.0\", rules: [cooldown], reason: \"needed for the release\", owner: jo, approved-by: kim, expires: 2026-12-31}]"},

	[KEY_ADVISORIES] = {GROUP_POLICY, "advisories", KEY_TYPE_MAP, 0, NULL, NULL, 0, TIGHTEN_NEVER, "What is known about packages.", NULL},
	[KEY_ADVISORIES_FILES] = {GROUP_POLICY, "advisories.files", KEY_TYPE_TEXTS, P(advisory_files), NULL, NULL, 0, TIGHTEN_NEVER,
		"Files or folders of OSV records.", "[\"/etc/bondgate/advisories\"]"},

	[KEY_GATE] = {GROUP_POLICY, "gate", KEY_TYPE_MAP, 0, NULL, NULL, 0, TIGHTEN_NEVER, "How the gate is reached.", NULL},
	[KEY_GATE_LISTEN] = {GROUP_POLICY, "gate.listen", KEY_TYPE_ADDRESS, P(gate.listen), "127.0.0.1:4873", NULL, 0, TIGHTEN_NEVER,
		"Address and port that the gate listens on.", "\"0.0.0.0:4873\""},
	[KEY_GATE_TLS] = {GROUP_POLICY, "gate.tls", KEY_TYPE_MAP, 0, NULL, NULL, 0, TIGHTEN_NEVER,
		"Both keys together make the gate speak HTTPS.", NULL},
	[KEY_GATE_TLS_CERTIFICATE] = {GROUP_POLICY, "gate.tls.certificate", KEY_TYPE_TEXT, P(gate.tls_certificate), NULL,
		"the path of a PEM file", 0, TIGHTEN_NEVER, "The certificate, followed by its chain.", "/etc/bondgate/gate.crt"},
	[KEY_GATE_TLS_KEY] = {GROUP_POLICY, "gate.tls.key", KEY_TYPE_TEXT, P(gate.tls_key), NULL, "the path of a PEM file", 0,
		TIGHTEN_NEVER, "Its private key.", "/etc/bondgate/gate.key"},
	[KEY_GATE_PUBLIC_URL] = {GROUP_POLICY, "gate.public-url", KEY_TYPE_URL, P(gate.public_url), NULL, NULL, 0, TIGHTEN_NEVER,
		"What clients call the gate when a proxy stands in front; without it, what the request says.", "\"https://gate.acme.example/\""},
	[KEY_GATE_THREADS] = {GROUP_POLICY, "gate.threads", KEY_TYPE_INTEGER, P(gate.threads), "0", "0 to 256", 0, TIGHTEN_NEVER,
		"Threads that serve; `0`: one a processor, at most 4.", "2"},
	[KEY_GATE_CONNECTIONS] = {GROUP_POLICY, "gate.connections", KEY_TYPE_INTEGER, P(gate.connections), "0", "0 to 1000000", 0,
		TIGHTEN_NEVER, "Connections at a time; `0`: the server's own limit.", "4096"},
	[KEY_CACHE] = {GROUP_POLICY, "cache", KEY_TYPE_MAP, 0, NULL, NULL, 0, TIGHTEN_NEVER, "What is kept on disk.", NULL},
	[KEY_CACHE_SIZE] = {GROUP_POLICY, "cache.size", KEY_TYPE_SIZE, P(gate.cache_bytes), "10GiB", NULL, 0, TIGHTEN_NEVER,
		"The most that the cache takes on disk.", "50GiB"},
	[KEY_MEMORY] = {GROUP_POLICY, "memory", KEY_TYPE_SIZE, P(gate.memory_bytes), "16MiB", NULL, 0, TIGHTEN_NEVER,
		"Memory for finished answers.", "64MiB"},
	[KEY_EVIDENCE] = {GROUP_POLICY, "evidence", KEY_TYPE_MAP, 0, NULL, NULL, 0, TIGHTEN_NEVER, "The record of who received what.", NULL},
	[KEY_EVIDENCE_RETENTION] = {GROUP_POLICY, "evidence.retention", KEY_TYPE_DURATION, P(gate.evidence_retention), "400d", NULL, 0,
		TIGHTEN_NEVER, "How long it is kept; `0`: for ever.", "0"},

	[KEY_ORIGIN_NAMES] = {GROUP_ORIGIN, "names", KEY_TYPE_NAMES, O(names), NULL, NULL, KEY_REQUIRED | KEY_OWN_ONLY, TIGHTEN_NEVER,
		"The names that it owns, all of one ecosystem.", "[\"npm:@acme/*\", \"npm:acme-tool\"]"},
	[KEY_ORIGIN_UPSTREAM] = {GROUP_ORIGIN, "upstream", KEY_TYPE_UPSTREAM, O(upstream), "auto", NULL, 0, TIGHTEN_NEVER,
		"Its address. `auto` (only below `registries`): what this machine's own npm configuration says. Compulsory in `origins`.",
		"\"https://packages.acme.example/npm/\""},
	[KEY_ORIGIN_TOKEN] = {GROUP_ORIGIN, "token", KEY_TYPE_SECRET, O(token), NULL, NULL, 0, TIGHTEN_NEVER,
		"A bearer token, taken from the environment or a file when the policy is read.", "{env: ACME_TOKEN}"},
	[KEY_ORIGIN_BASIC] = {GROUP_ORIGIN, "basic", KEY_TYPE_SECRET, O(basic), NULL, NULL, 0, TIGHTEN_NEVER,
		"`user:password` for basic authentication, taken from the environment or a file.", "{file: /etc/bondgate/acme.password}"},
	[KEY_ORIGIN_CA_FILE] = {GROUP_ORIGIN, "ca-file", KEY_TYPE_TEXT, O(origin.ca_file), NULL, "the path of a PEM file", 0,
		TIGHTEN_NEVER, "Certificates that this upstream is verified with, in place of the system's.", "/etc/ssl/acme-ca.pem"},
	[KEY_ORIGIN_ARTIFACT_HOSTS] = {GROUP_ORIGIN, "artifact-hosts", KEY_TYPE_TEXTS, O(artifact_hosts), NULL, NULL, 0, TIGHTEN_NEVER,
		"Further hosts that its metadata or redirects may send the gate to for artifacts. A private or loopback address must stand here by name.",
		"[\"cdn.acme.example\"]"},
	[KEY_ORIGIN_PUBLISH] = {GROUP_ORIGIN, "publish", KEY_TYPE_BOOL, O(origin.publish), "false", "true or false", 0, TIGHTEN_NEVER,
		"Are publish, login and tag changes of clients passed on, with the client's own credentials?", "true"},
	[KEY_ORIGIN_FRESH] = {GROUP_ORIGIN, "fresh", KEY_TYPE_DURATION, O(origin.fresh), "5m", NULL, 0, TIGHTEN_NEVER,
		"Metadata older than this is asked for again.", "1m"},
	[KEY_ORIGIN_STALE] = {GROUP_ORIGIN, "stale", KEY_TYPE_DURATION, O(origin.stale), "24h", NULL, 0, TIGHTEN_NEVER,
		"How long metadata is served on when the upstream does not answer.", "4h"},
	[KEY_ORIGIN_COOLDOWN] = {GROUP_ORIGIN, "cooldown", KEY_TYPE_DURATION, O(origin.cooldown), NULL, NULL, KEY_OWN_ONLY, TIGHTEN_NEVER,
		"A cooldown for the names of this origin; without it there is none.", "1d"},
	[KEY_ORIGIN_CLIENT_DEFAULT] = {GROUP_ORIGIN, "client-default", KEY_TYPE_UPSTREAM, P(gate.npm_client_default), "auto", NULL, KEY_NPM_ONLY,
		TIGHTEN_NEVER, "The registry that npm has built in: artifacts there keep their address in lockfiles, and npm asks the gate for them anyway.",
		"\"https://npm.registry.example/\""},

	[KEY_EXEMPTION_PACKAGE] = {GROUP_EXEMPTION, "package", KEY_TYPE_PACKAGE, E(package), NULL, NULL, KEY_REQUIRED, TIGHTEN_NEVER,
		"What it is for: a package, a pattern, a version or a range.", "\"npm:left-pad@1.3.0\""},
	[KEY_EXEMPTION_RULES] = {GROUP_EXEMPTION, "rules", KEY_TYPE_RULES, E(exemption.rules), NULL, NULL, KEY_REQUIRED, TIGHTEN_NEVER,
		"The rules that it lifts.", "[cooldown]"},
	[KEY_EXEMPTION_REASON] = {GROUP_EXEMPTION, "reason", KEY_TYPE_TEXT, E(exemption.reason), NULL, NULL, KEY_REQUIRED, TIGHTEN_NEVER,
		"Why.", "\"needed for the release\""},
	[KEY_EXEMPTION_OWNER] = {GROUP_EXEMPTION, "owner", KEY_TYPE_TEXT, E(exemption.owner), NULL, NULL, KEY_REQUIRED, TIGHTEN_NEVER,
		"Who answers for it.", "jo"},
	[KEY_EXEMPTION_APPROVED_BY] = {GROUP_EXEMPTION, "approved-by", KEY_TYPE_TEXT, E(exemption.approved_by), NULL, NULL, 0, TIGHTEN_NEVER,
		"Who approved it: somebody other than the owner. Compulsory where it lifts `malware` or `hash-changed`.", "kim"},
	[KEY_EXEMPTION_EXPIRES] = {GROUP_EXEMPTION, "expires", KEY_TYPE_DATE, 0, NULL, NULL, KEY_REQUIRED, TIGHTEN_NEVER,
		"Its last day (UTC), or a time; at most 90 days ahead.", "2026-12-31"},

	[KEY_ROOT_NAME] = {GROUP_ROOT, "name", KEY_TYPE_NAMES, P(later.list), NULL, "a name or pattern such as \"npm:@acme/*\"", KEY_REQUIRED, TIGHTEN_NEVER,
		"The package or pattern.", "\"npm:@angular/*\""},
	[KEY_ROOT_REASON] = {GROUP_ROOT, "reason", KEY_TYPE_TEXT, P(later.text), NULL, NULL, KEY_REQUIRED, TIGHTEN_NEVER, "Why.", "platform"},
	[KEY_ROOT_OWNER] = {GROUP_ROOT, "owner", KEY_TYPE_TEXT, P(later.text), NULL, NULL, KEY_REQUIRED, TIGHTEN_NEVER,
		"Who answers for it.", "web-team"},
	[KEY_ROOT_REVIEW_BY] = {GROUP_ROOT, "review-by", KEY_TYPE_REVIEW, 0, NULL, NULL, 0, TIGHTEN_NEVER,
		"When it is looked at again.", "2027-03-01"},
	[KEY_PUBLISHER_PUBLISHER] = {GROUP_PUBLISHER, "publisher", KEY_TYPE_TEXT, P(later.text), NULL, NULL, KEY_REQUIRED, TIGHTEN_NEVER,
		"The npm user, trusted-publisher repository or NuGet owner.", "\"nuget-owner:Acme\""},
	[KEY_PUBLISHER_REASON] = {GROUP_PUBLISHER, "reason", KEY_TYPE_TEXT, P(later.text), NULL, NULL, KEY_REQUIRED, TIGHTEN_NEVER,
		"Why.", "vendor"},
	[KEY_PUBLISHER_OWNER] = {GROUP_PUBLISHER, "owner", KEY_TYPE_TEXT, P(later.text), NULL, NULL, KEY_REQUIRED, TIGHTEN_NEVER,
		"Who answers for it.", "platform"},
	[KEY_PUBLISHER_REVIEW_BY] = {GROUP_PUBLISHER, "review-by", KEY_TYPE_REVIEW, 0, NULL, NULL, 0, TIGHTEN_NEVER,
		"When it is looked at again.", "2027-03-01"},
};
/* clang-format on */

const char *key_type_text(enum key_type t)
{
	static const char *const texts[] = {
		[KEY_TYPE_MAP] = "keys below it (a map)",
		[KEY_TYPE_ORIGIN] = "the keys of an origin (a map)",
		[KEY_TYPE_ORIGINS] = "a list of origins",
		[KEY_TYPE_EXEMPTIONS] = "a list of exemptions",
		[KEY_TYPE_ROOTS] = "a list of approved packages",
		[KEY_TYPE_PUBLISHERS] = "a list of approved publishers",
		[KEY_TYPE_INTEGER] = "a whole number",
		[KEY_TYPE_SIZE] = "a size such as 10GiB, 512MiB or 4096",
		[KEY_TYPE_DURATION] = "a duration such as 7d, 36h or 90s",
		[KEY_TYPE_MODE] = MODES,
		[KEY_TYPE_SEVERITY] = "low, moderate, high or critical",
		[KEY_TYPE_BOOL] = "true or false",
		[KEY_TYPE_TEXT] = "a text",
		[KEY_TYPE_ADDRESS] = "an address and port such as 127.0.0.1:4873",
		[KEY_TYPE_UPSTREAM] = "auto, or a URL that begins with https:// or http://",
		[KEY_TYPE_URL] = "a URL that begins with https:// or http://",
		[KEY_TYPE_DATE] = "a date such as 2026-12-31",
		[KEY_TYPE_REVIEW] = "a date such as 2026-12-31",
		[KEY_TYPE_SECRET] = "{env: NAME} or {file: PATH}",
		[KEY_TYPE_RULES] = "a list of rules such as [cooldown]",
		[KEY_TYPE_PACKAGE] = "a package such as npm:left-pad, npm:@acme/* or npm:left-pad@1.3.0",
		[KEY_TYPE_NAMES] = "a list of names or patterns such as [\"npm:@acme/*\"]",
		[KEY_TYPE_PATTERNS] = "a list of names, patterns or versions such as [\"npm:@acme/*\", \"npm:left-pad@^1.0.0\"]",
		[KEY_TYPE_VERSIONS] = "a list of versions or ranges such as [\"npm:event-stream@3.3.6\"]",
		[KEY_TYPE_HASHES] = "a list of hashes: sha512-, sha256- or sha1- with base64, or hexadecimal",
		[KEY_TYPE_TEXTS] = "a list of texts",
	};

	return texts[t];
}

const char *key_accepts(const struct key *k)
{
	return k->allowed ? k->allowed : key_type_text(k->type);
}

enum key_id key_find(enum key_group group, struct str path)
{
	for (enum key_id id = 0; id < KEY_COUNT; id++)
		if (keys[id].group == group && str_eq(path, str_of(keys[id].path)))
			return id;
	return KEY_COUNT;
}

struct str key_leaf(const struct key *k)
{
	struct str path = str_of(k->path);
	ptrdiff_t dot = str_rchr(path, '.');

	return str_skip(path, (size_t)(dot + 1));
}

bool key_is_container(const struct key *k)
{
	return k->type <= KEY_TYPE_PUBLISHERS;
}

/* Levenshtein's distance, for short texts; a large number when either is long. */
static size_t distance(struct str a, struct str b)
{
	size_t row[40];

	if (a.n >= 40 || b.n >= 40)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			size_t change = diagonal + (a.p[i - 1] != b.p[j - 1]);

			diagonal = row[j];
			row[j] = row[j] + 1 < row[j - 1] + 1 ? row[j] + 1 : row[j - 1] + 1;
			if (change < row[j])
				row[j] = change;
		}
	}
	return row[b.n];
}

const char *key_nearest(enum key_group group, struct str parent, struct str name)
{
	const char *best = NULL;
	size_t best_distance = name.n / 2 < 3 ? name.n / 2 + 1 : 4;

	for (enum key_id id = 0; id < KEY_COUNT; id++) {
		struct str path = str_of(keys[id].path), leaf = key_leaf(&keys[id]);
		size_t d;

		if (keys[id].group != group || path.n != leaf.n + parent.n + (parent.n > 0) || !str_starts(path, parent))
			continue;
		d = distance(leaf, name);
		if (d < best_distance) {
			best = leaf.p; /* the path's end, so NUL-terminated */
			best_distance = d;
		}
	}
	return best;
}
