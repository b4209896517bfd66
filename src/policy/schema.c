#include "policy/schema.h"

#include "policy/model.h"

const struct key_group_row key_groups[GROUP_COUNT] = {
	[GROUP_POLICY] = {KEY_COUNT, sizeof(struct policy), "the policy", ""},
	[GROUP_ORIGIN] = {KEY_ORIGINS, sizeof(struct origin_rule), "an origin", "Below `registries.npm` and in every item of `origins`."},
	[GROUP_ROOT] =
		{KEY_ALLOW_ROOTS, sizeof(struct root_rule), "`allow.roots`",
         "Each approval has a reason, an owner and a day when somebody looks at it again. Past that day it goes on counting, and `bondgate "
         "policy check`, `show` and `bondgate report` say that it is overdue."},
	[GROUP_PUBLISHER] =
		{KEY_ALLOW_PUBLISHERS, sizeof(struct publisher_rule), "`allow.publishers`",
         "A publisher counts when the metadata of that very version names it; for a package with several owners, all of them must be "
         "approved, not any. A trusted publisher counts where the version's provenance was verified with the files of "
         "`registries.npm.provenance`: what a version merely claims approves nothing."},
	[GROUP_EXEMPTION] =
		{KEY_EXEMPTIONS, sizeof(struct exemption_rule), "an exemption",
         "An exemption lifts the rules that it names, for the packages that it names, until it ends. It needs a reason, an owner and an "
         "end that is at most 90 days away. Nobody approves their own: `approved-by` differs from `owner`, and it is compulsory where "
         "`malware` or `hash-changed` is lifted. `namespace` cannot be lifted. Prereleases are part of a range only where the range "
         "names one. After its end it does nothing and `bondgate policy show` marks it as ended."},
	[GROUP_FEED] = {KEY_ADVISORIES_FEEDS, sizeof(struct feed_rule), "`advisories.feeds`", ""},
	[GROUP_IGNORE] = {KEY_ADVISORIES_IGNORE, sizeof(struct ignore_rule), "`advisories.ignore`",
                      "Only here can a finding be silenced: neither the command line nor a file in the project can."},
	[GROUP_TEAM] = {KEY_TEAMS, sizeof(struct team_rule), "`teams`", ""},
	[GROUP_WEBHOOK] = {KEY_WEBHOOKS, sizeof(struct webhook_rule), "`webhooks`", ""},
};

enum key_group key_group_of(enum key_id list)
{
	for (enum key_group group = GROUP_ORIGIN; group < GROUP_COUNT; group++)
		if (key_groups[group].list == list)
			return group;
	return GROUP_POLICY;
}

const char *key_type_text(enum key_type t)
{
	static const char *const texts[KEY_TYPE_COUNT] = {
		[KEY_TYPE_MAP] = "keys below it (a map)",
		[KEY_TYPE_ORIGIN] = "the keys of an origin (a map)",
		[KEY_TYPE_ITEMS] = "a list of maps",
		[KEY_TYPE_SETS] = "names of your own, each with a list of publishers (a map)",
		[KEY_TYPE_INTEGER] = "a whole number",
		[KEY_TYPE_SIZE] = "a size such as 10GiB, 512MiB or 4096",
		[KEY_TYPE_DURATION] = "a duration such as 7d, 36h or 90s",
		[KEY_TYPE_HOLD] = "until-decided, or a duration such as 7d, 36h or 90s",
		[KEY_TYPE_MODE] = "off, report or enforce",
		[KEY_TYPE_SEVERITY] = "low, moderate, high or critical",
		[KEY_TYPE_BOOL] = "true or false",
		[KEY_TYPE_TEXT] = "a text",
		[KEY_TYPE_LABEL] = "a name of letters, digits and - _ . (at most 64)",
		[KEY_TYPE_ADDRESS] = "an address and port such as 127.0.0.1:4873",
		[KEY_TYPE_UPSTREAM] = "auto, or a URL that begins with https:// or http://",
		[KEY_TYPE_URL] = "a URL that begins with https:// or http://",
		[KEY_TYPE_FEED_URL] = "a URL that begins with https://, or with http:// and a private address",
		[KEY_TYPE_ENDPOINT] = "a URL that begins with https:// or http://, {env: NAME} or {file: PATH}",
		[KEY_TYPE_DATE] = "a date such as 2026-12-31",
		[KEY_TYPE_SECRET] = "{env: NAME} or {file: PATH}",
		[KEY_TYPE_RULES] = "a list of rules such as [cooldown]",
		[KEY_TYPE_EVENTS] = "all, or a list of request, decision, incident and break-glass",
		[KEY_TYPE_FORMAT] = "generic, slack or teams",
		[KEY_TYPE_SIGNING_KEY] = "a minisign public key (56 letters that begin with RW)",
		[KEY_TYPE_PACKAGE] = "a package such as npm:left-pad, npm:@acme/* or npm:left-pad@1.3.0",
		[KEY_TYPE_PUBLISHER] = "a publisher such as npm-user:acme-bot, npm-scope:@acme, nuget-owner:Acme or publisher-set:google",
		[KEY_TYPE_NAMES] = "a list of names or patterns such as [\"npm:@acme/*\"]",
		[KEY_TYPE_PATTERNS] = "a list of names, patterns or versions such as [\"npm:@acme/*\", \"npm:left-pad@^1.0.0\"]",
		[KEY_TYPE_VERSIONS] = "a list of versions or ranges such as [\"npm:event-stream@3.3.6\"]",
		[KEY_TYPE_HASHES] = "a list of hashes: sha512-, sha256- or sha1- with base64, or hexadecimal",
		[KEY_TYPE_TEXTS] = "a list of texts",
		[KEY_TYPE_PUBLISHER_LIST] = "a list of publishers such as [\"npm-user:mallory\", \"nuget-owner:mallory\"]",
		[KEY_TYPE_SIGNING_KEYS] = "a list of minisign public keys",
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
	return k->type <= KEY_TYPE_SETS;
}

bool key_is_list(const struct key *k)
{
	return k->type >= KEY_TYPE_NAMES;
}

/* Levenshtein's. */
size_t text_distance(struct str a, struct str b)
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
		d = text_distance(leaf, name);
		if (d < best_distance) {
			best = leaf.p; /* the path's end, so NUL-terminated */
			best_distance = d;
		}
	}
	return best;
}
