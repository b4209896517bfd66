/* docs/policy.md, from the table of keys and that of rules. */
#include "policy/decide.h"
#include "policy/model.h"

/* clang-format off */
static const char head[] =
	"# The policy file, key by key\n\n"
	"This page is made from the table in `src/policy/keys.c`; `bondgate policy document` prints it, and a test compares the two.\n\n"
	"The policy of a machine or a gate is the file of `--policy`, of `BONDGATE_POLICY`, or `/etc/bondgate/bondgate.yaml`. Without any file the "
	"built-in defaults hold: 7 days of cooldown, malware and changed bytes refused, everything else served, critical vulnerabilities reported, "
	"evidence kept. A `bondgate.yaml` in the working directory is read on top and may only tighten: longer delays, further denials, stronger "
	"modes, further internal names. What would loosen is refused with its line, unless the machine's policy says `trust-local: true`.\n\n"
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
	"| rule | refuses when | mode is set at | standard | weakened by the `mode` at the top |\n| --- | --- | --- | --- | --- |\n";
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

void policy_document(struct buf *out)
{
	buf_add_str(out, str_of(head));
	add_rules(out);
	buf_add_str(out, STR("\n## Keys\n"));
	add_group(out, GROUP_POLICY);
	for (enum key_group group = GROUP_ORIGIN; group < GROUP_COUNT; group++) {
		buf_printf(out, "\n## Keys of %s\n", key_groups[group].title);
		if (*key_groups[group].text)
			buf_printf(out, "\n%s\n", key_groups[group].text);
		add_group(out, group);
	}
}
