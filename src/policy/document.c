/* docs/policy.md, from the table of keys and that of rules. */
#include <errno.h>

#include "base/limits.h"
#include "policy/decide.h"
#include "policy/load.h"

/* clang-format off */
static const char head[] =
	"# The policy file, key by key\n\n"
	"This page is made from the table in `src/policy/keys.c`; `bondgate policy document` prints it, and a test compares the two.\n\n"
	"The policy of a machine or a gate is the file of `--policy`, of `BONDGATE_POLICY`, or `/etc/bondgate/bondgate.yaml`. Without any file the "
	"built-in defaults hold: 7 days of cooldown, malware and changed bytes refused, everything else served, critical vulnerabilities and "
	"suspicious turns reported, evidence kept. A `bondgate.yaml` in the working directory is read on top and may only tighten: longer delays, further denials, stronger "
	"modes, further internal names. What would loosen is refused with its line, unless the machine's policy says `trust-local: true`.\n\n"
	"Two policies come with the program: `bondgate policy shipped default` prints the built-in one, written out and explained; `bondgate policy "
	"shipped strict` one that enforces everything, to which the names of your own roots are added.\n\n"
	"The file is YAML without anchors, aliases and tags. A key that is not known, stands twice or has a value of another form is an "
	"error with its line and column, and the policy does not load: the gate does not start, or keeps the last good one. `bondgate policy "
	"check` says so before the gate does; `bondgate policy show` prints what is in force with the line that each value comes from.\n\n"
	"Durations are a whole number and one of `s m h d w` (`7d`, `36h`); sizes take `KiB MiB GiB TiB`; times are UTC. Names are written "
	"`npm:name` and `npm:@scope/name`; a `*` stands for any run of characters; a version or range follows an `@`.\n\n"
	"```yaml\nversion: 1\ncooldown:\n  default: 7d\n  new-package: 30d\ndeny:\n  versions: [\"npm:event-stream@3.3.6\"]\n"
	"exemptions:\n  - {package: \"npm:left-pad@1.3.0\", rules: [cooldown], reason: \"needed for the release\", owner: jo, approved-by: kim, expires: "
	"2026-12-31}\n```\n";

static const char modes[] =
	"\n## Rules and modes\n\n"
	"Every rule has a mode. `enforce` refuses; `report` serves and records what it would have refused; `off` does not look. A rule without a mode of "
	"its own has that of the column *standard*, but none stronger than the `mode` at the top of the file, where the last column says so.\n\n"
	"Delays by risk (`new-dependency`, `install-script`, `new-binary`, `remote-dependency`) and the rules about names, publishers and signatures only "
	"report when nothing is said about them. A duration below `cooldown` that a policy file sets itself puts its rule in force, at the `mode` at the top, "
	"unless `rules.NAME.mode` says otherwise: whoever writes down how long such a version waits wants it to wait. `0` turns the rule off.\n\n"
	"| rule | refuses when | mode is set at | standard | weakened by the `mode` at the top |\n| --- | --- | --- | --- | --- |\n";
/* clang-format on */

/* clang-format off */
static const char trust_text[] =
	"\n## Approving packages and publishers\n\n"
	"With `allow.mode: enforce` only what is approved passes. A line of `allow.roots` approves the packages that your projects name themselves; what they "
	"need in turn, by their real names, passes without being listed. A line of `allow.publishers` approves whatever these publish. Each line has a "
	"reason, an owner and a day of review: it stays in force past that day and is shown as overdue.\n\n"
	"Names hold ASCII only, as the registries' own do, so that no two lines look the same and mean different packages. npm's names are compared letter by "
	"letter (`npm:JSONStream` is not `npm:jsonstream`), NuGet's whatever their case. A star stands for any run of characters: `npm:@acme/*` is "
	"a scope, `npm:*` everything of npm.\n\n"
	"```yaml\nversion: 1\nallow:\n  mode: report                       # first look at what enforce would refuse, then: enforce\n  roots:\n"
	"    - {name: \"npm:react\", reason: \"the web client\", owner: web-team, review-by: 2027-03-01}\n"
	"    - {name: \"npm:left-pad@^1.3.0\", reason: \"until the form is rewritten\", owner: forms-team, review-by: 2027-01-15}\n  publishers:\n"
	"    - {publisher: \"publisher-set:google\", reason: vendor, owner: platform, review-by: 2027-03-01}\n"
	"    - {publisher: \"publisher-set:partners\", reason: \"under contract\", owner: platform, review-by: 2027-03-01}\n"
	"publisher-sets:\n  partners: [\"npm-scope:@partner\", \"trusted-publisher:github.com/partner/*\"]\n"
	"continuity: {mode: enforce, hold: until-decided}\nteams:\n  - {name: web, policy: /etc/bondgate/team-web.yaml}\n"
	"webhooks:\n  - {url: {env: CHAT_URL}, events: [request, break-glass], format: slack}\n```\n\n"
	"Exemptions that were requested and approved while the gate runs, and approvals out of somebody else's signed list, are put over the file and are shown "
	"by `bondgate policy show` with where they come from. A team's file is read on top of this one: with a token of that team it counts in full, but for the "
	"keys that are the whole gate's; without one, only its lines that tighten count, and the others are passed over.\n";

static const char sets_text[] =
	"\n## Sets of publishers that come with the program\n\n"
	"Kept in `src/policy/shipped/publisher_sets.yaml`, each line with its source. Packages of a vendor that neither a scope, an account nor a repository "
	"of the set covers are named in `allow.roots`.\n\n| set | publishers |\n| --- | --- |\n";
/* clang-format on */

static void add_cell(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			buf_add_char(out, '\\');
		buf_add_char(out, *text);
	}
}

static const char *local_text(const struct key *k)
{
	/* clang-format off */
	switch (k->tighten) {
	case TIGHTEN_MORE: return "may raise it";
	case TIGHTEN_LESS: return "may lower it";
	case TIGHTEN_SHORTER: return "may shorten it";
	case TIGHTEN_ADD: return "may add to it";
	case TIGHTEN_MODE: return "may strengthen it";
	case TIGHTEN_SAME: return "must name it";
	default: return "may not set it";
	}
	/* clang-format on */
}

static const char *standard_text(const struct key *k, enum key_id id)
{
	if (k->type == KEY_TYPE_MODE && id != KEY_MODE)
		for (enum reason_code c = 0; c < REASON_CODE_COUNT; c++)
			if (rule_mode_of(c)->key == id)
				return mode_name(rule_mode_of(c)->standard);
	return k->standard;
}

static void add_key(struct buf *out, enum key_id id)
{
	const struct key *k = &keys[id];
	const char *standard = standard_text(k, id);

	buf_printf(out, "\n### `%s`%s\n\n%s%s\n\n", k->path, k->flags & KEY_LATER ? " (not evaluated by this version)" : "", k->text,
	           k->flags & KEY_LATER ? " It is accepted, checked for form, and named in a warning." : "");
	buf_add_str(out, STR("- accepted: "));
	buf_add_str(out, str_of(key_accepts(k)));
	if (standard)
		buf_printf(out, "\n- standard: `%s`", standard);
	else if (k->flags & KEY_REQUIRED)
		buf_add_str(out, STR("\n- compulsory"));
	else
		buf_add_str(out, STR("\n- standard: not set"));
	if (k->flags & KEY_OWN_ONLY)
		buf_add_str(out, STR("\n- only in `origins`"));
	if (k->flags & KEY_NPM_ONLY)
		buf_add_str(out, STR("\n- only in `registries.npm`"));
	if (k->group == GROUP_POLICY && !(k->flags & KEY_LATER))
		buf_printf(out, "\n- a file in a working directory %s", local_text(k));
	if (k->example) {
		struct str leaf = key_leaf(k);

		buf_printf(out, "\n- example: `%.*s: %s`", STR_ARG(leaf), k->example);
	}
	buf_add_char(out, '\n');
}

static void add_rules(struct buf *out)
{
	buf_add_str(out, str_of(modes));
	for (enum reason_code c = 0; c < REASON_CODE_COUNT; c++) {
		const struct rule_mode *rule = rule_mode_of(c);

		if (rule->key == KEY_COUNT)
			continue;
		buf_printf(out, "| `%s` | ", reason_code_name(c));
		add_cell(out, reason_code_text(c));
		buf_printf(out, " | `%s` (%s) | %s | %s |\n", keys[rule->key].path, key_accepts(&keys[rule->key]), mode_name(rule->standard),
		           rule->lowered_by_mode ? "yes" : "no");
	}
}

static void add_group(struct buf *out, enum key_group group)
{
	for (enum key_id id = 0; id < KEY_COUNT; id++) {
		bool section = keys[id].type == KEY_TYPE_MAP;

		if (keys[id].group != group)
			continue;
		if (section)
			buf_printf(out, "\n### `%s`\n\n%s\n", keys[id].path, keys[id].text);
		else
			add_key(out, id);
	}
}

static void add_sets(struct buf *out)
{
	CLEANUP_ARENA struct arena *a = arena_new(16 * MIB);
	const struct yaml_node *sets = a ? publisher_sets_shipped(a) : NULL;

	if (!sets) {
		out->error = -ENOMEM;
		return;
	}
	buf_add_str(out, str_of(sets_text));
	for (const struct yaml_node *set = sets->first; set; set = set->next) {
		buf_printf(out, "| `%.*s` | ", STR_ARG(set->key));
		for (const struct yaml_node *n = set->first; n; n = n->next)
			buf_printf(out, "`%.*s`%s", STR_ARG(n->text), n->next ? ", " : " |\n");
	}
}

void policy_document(struct buf *out)
{
	buf_add_str(out, str_of(head));
	add_rules(out);
	buf_add_str(out, str_of(trust_text));
	add_sets(out);
	buf_add_str(out, STR("\n## Keys\n"));
	add_group(out, GROUP_POLICY);
	for (enum key_group group = GROUP_ORIGIN; group < GROUP_COUNT; group++) {
		buf_printf(out, "\n## Keys of %s\n", key_groups[group].title);
		if (*key_groups[group].text)
			buf_printf(out, "\n%s\n", key_groups[group].text);
		add_group(out, group);
	}
}
