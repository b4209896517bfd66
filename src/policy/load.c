#include "policy/load.h"

#include "base/limits.h"

static int walk(struct loader *l, enum key_group group, struct str parent, const struct yaml_node *map, void *item);

static int key_error(struct loader *l, const struct yaml_node *node, const char *text, const char *detail)
{
	return err_set(l->err, -EBADMSG, "%.*s:%u:%u: \"%.*s\" %s%s", STR_ARG(l->file), node->key_line, node->key_column,
	               STR_ARG(str_take(node->key, 60)), text, detail);
}

static int unknown_key(struct loader *l, enum key_group group, struct str parent, const struct yaml_node *node)
{
	const char *near = key_nearest(group, parent, node->key);

	if (near)
		return key_error(l, node, "is not a key here; is it meant to be ", near);
	return key_error(l, node, "is not a key here; docs/policy.md lists all keys", "");
}

static void warn_later(struct loader *l, const struct key *k, const struct yaml_node *node)
{
	/* `mode: off` asks for nothing that this version does not do, and `upstream: auto` is what holds anyway. */
	if (!l->warnings || (k->type == KEY_TYPE_MODE && str_eq(node->text, STR("off"))))
		return;
	buf_printf(l->warnings, "%.*s:%u: %s is not evaluated by this version\n", STR_ARG(l->file), node->key_line, k->path);
}

enum { PASSED_OVER = 1 };

/* A file of a team or of a working directory: may this key stand there at all? 0, PASSED_OVER or an error. */
static int refuse_key(struct loader *l, const struct key *k, const struct yaml_node *node)
{
	if (l->team && k->flags & KEY_WHOLE)
		return err_set(l->err, -EPERM, "%.*s:%u:%u: %s is the whole gate's and does not belong in a team's file", STR_ARG(l->file),
		               node->key_line, node->key_column, k->path);
	if (!l->only_tighten || k->type == KEY_TYPE_MAP || k->tighten != TIGHTEN_NEVER)
		return 0;
	if (l->pass_over)
		return PASSED_OVER;
	return err_set(l->err, -EPERM,
	               "%.*s:%u:%u: %s is not accepted in a working directory, where a file can only tighten the policy; it belongs in "
	               "the machine's policy, or that must say trust-local: true",
	               STR_ARG(l->file), node->key_line, node->key_column, k->path);
}

static void add_duration(struct buf *out, usec duration)
{
	char text[TIME_TEXT];

	if (duration == USEC_NEVER) {
		buf_add_str(out, STR("until-decided"));
		return;
	}
	duration_format(duration, text);
	buf_add_str(out, str_of(text));
}

/* Does the new value let more through than the base? Then `machine` is what the base says. */
static bool looser(const struct key *k, const void *now, const void *before, struct buf *machine)
{
	usec new_duration = 0, old_duration = 0;
	int8_t new_level = 0, old_level = 0;

	if (k->tighten == TIGHTEN_MORE || k->tighten == TIGHTEN_SHORTER) {
		memcpy(&new_duration, now, sizeof(usec));
		memcpy(&old_duration, before, sizeof(usec));
		if (old_duration < 0)
			buf_add_str(machine, STR("not set"));
		else
			add_duration(machine, old_duration);
		/* What is not set there (cooldown.security-fix) would be an exception of the file's own making. */
		return k->tighten == TIGHTEN_MORE ? old_duration < 0 || new_duration < old_duration : new_duration > old_duration;
	}
	if (k->tighten != TIGHTEN_LESS)
		return false;
	memcpy(&new_level, now, sizeof(new_level));
	memcpy(&old_level, before, sizeof(old_level));
	buf_add_str(machine, old_level == SEVERITY_UNKNOWN ? STR("never") : str_of(severity_name((enum severity)old_level)));
	return old_level != SEVERITY_UNKNOWN && (new_level == SEVERITY_UNKNOWN || new_level > old_level);
}

/* And with this value? Modes are compared in policy_tighten, when all of them are known. */
static int refuse_value(struct loader *l, const struct key *k, const struct yaml_node *node)
{
	CLEANUP_BUF struct buf machine = BUF(64);
	void *now = (char *)l->p + k->offset;
	const void *before = (const char *)l->base + k->offset;

	if (!looser(k, now, before, &machine))
		return 0;
	if (l->pass_over) {
		memcpy(now, before, k->tighten == TIGHTEN_LESS ? sizeof(int8_t) : sizeof(usec));
		return PASSED_OVER;
	}
	return err_set(l->err, -EPERM,
	               "%.*s:%u:%u: %s: %.*s %s than the machine's policy %s (%s); a file in a working directory can only tighten it",
	               STR_ARG(l->file), node->line, node->column, k->path, STR_ARG(node->text),
	               k->tighten == TIGHTEN_MORE      ? "is less"
	               : k->tighten == TIGHTEN_SHORTER ? "is more"
	                                               : "lets more through",
	               k->tighten == TIGHTEN_MORE      ? "asks for"
	               : k->tighten == TIGHTEN_SHORTER ? "allows"
	                                               : "does",
	               buf_cstr(&machine));
}

/* The default origins are shared with the policy underneath, so they are copied before they change. */
static int load_default_origin(struct loader *l, const struct key *k, const struct yaml_node *node)
{
	struct items *rules = &l->p->origin_rules;
	struct origin_rule *copy = ARENA_ARRAY(l->p->arena, struct origin_rule, rules->count);
	int r;

	if (!copy)
		return err_set(l->err, -ENOMEM, "out of memory");
	memcpy(copy, rules->array, rules->count * sizeof(*copy));
	rules->array = copy;
	rules->room = rules->count;
	copy[k->offset].source = source_at(l, node);
	r = walk(l, GROUP_ORIGIN, STR(""), node, &copy[k->offset]);
	if (r == 0 && copy[k->offset].token.kind.n && copy[k->offset].basic.kind.n)
		r = yaml_error(l->err, l->file, node, "an origin has either a token or basic, not both");
	return r;
}

static int load_leaf(struct loader *l, enum key_id id, const struct yaml_node *node, void *item)
{
	const struct key *k = &keys[id];
	bool in_item = k->group != GROUP_POLICY && !(k->flags & KEY_NPM_ONLY);
	int r = value_read(l, k, node, (in_item ? (char *)item : (char *)l->p) + k->offset);

	return r < 0 || k->group != GROUP_POLICY || !l->only_tighten ? r : refuse_value(l, k, node);
}

static bool known_here(const struct loader *l, enum key_id id, const void *item)
{
	size_t index = keys[id].group == GROUP_ORIGIN ? (size_t)((const struct origin_rule *)item - origin_rules(l->p)) : 0;

	if (keys[id].flags & KEY_OWN_ONLY)
		return index > ECOSYSTEM_NUGET;
	return !(keys[id].flags & KEY_NPM_ONLY) || index == ECOSYSTEM_NPM;
}

static int load_key(struct loader *l, enum key_id id, const struct yaml_node *node, void *item)
{
	const struct key *k = &keys[id];
	int r = refuse_key(l, k, node);

	if (r)
		return r < 0 ? r : 0;
	if (k->flags & KEY_LATER)
		warn_later(l, k, node);
	if (key_is_container(k) && k->type != KEY_TYPE_ITEMS && node->kind != YAML_MAP) {
		r = node->kind == YAML_NULL ? 0 : yaml_error(l->err, l->file, node, "%s: write %s", k->path, key_accepts(k));
	} else {
		/* clang-format off */
		switch (k->type) {
		case KEY_TYPE_MAP: r = walk(l, k->group, str_of(k->path), node, item); break;
		case KEY_TYPE_ORIGIN: r = load_default_origin(l, k, node); break;
		case KEY_TYPE_ITEMS: r = items_load(l, id, node); break;
		case KEY_TYPE_SETS: r = sets_load(l, k, node); break;
		default: r = load_leaf(l, id, node, item); break;
		}
		/* clang-format on */
	}
	if (r == 0 && k->group == GROUP_POLICY)
		l->p->sources[id] = (struct policy_source){.file = l->file, .line = node->key_line};
	return r < 0 ? r : 0;
}

static int walk(struct loader *l, enum key_group group, struct str parent, const struct yaml_node *map, void *item)
{
	for (const struct yaml_node *n = map->first; n; n = n->next) {
		char path[128];
		enum key_id id = KEY_COUNT;
		int r = snprintf(path, sizeof(path), "%.*s%s%.*s", STR_ARG(parent), parent.n ? "." : "", STR_ARG(n->key));

		if (r > 0 && (size_t)r < sizeof(path) && str_chr(n->key, '.') < 0)
			id = key_find(group, str_of(path));
		if (id == KEY_COUNT || !known_here(l, id, item))
			return unknown_key(l, group, parent, n);
		r = load_key(l, id, n, item);
		if (r < 0)
			return r;
	}
	return 0;
}

int load_map(struct loader *l, enum key_group group, const struct yaml_node *map, void *item)
{
	for (enum key_id id = 0; id < KEY_COUNT; id++)
		if (keys[id].group == group && keys[id].flags & KEY_REQUIRED && !yaml_get(map, str_of(keys[id].path)))
			return yaml_error(l->err, l->file, map, "%s is missing: %s", keys[id].path, keys[id].text);
	return walk(l, group, STR(""), map, item);
}

/* What no single key can tell. */
static int check_together(struct loader *l)
{
	const struct gate_settings *g = &l->p->gate;
	bool certificate = g->tls_certificate.n > 0;

	if (l->p->import_keys.count > LIMIT_IMPORT_KEYS)
		return err_set(l->err, -EBADMSG, "%.*s:%u: approvals.import-keys: at most %d keys", STR_ARG(l->file),
		               l->p->sources[KEY_APPROVALS_IMPORT_KEYS].line, LIMIT_IMPORT_KEYS);
	if (certificate == (g->tls_key.n > 0))
		return 0;
	return err_set(l->err, -EBADMSG, "%.*s:%u: gate.tls needs both certificate and key; %s is missing", STR_ARG(l->file),
	               l->p->sources[KEY_GATE_TLS].line, certificate ? "key" : "certificate");
}

int load_text(struct loader *l, struct str text)
{
	CLEANUP_ARENA struct arena *tree = arena_new(32 * LIMIT_POLICY_BYTES);
	struct yaml_node *root;
	int r;

	l->p->loaded = l->now;
	l->file = arena_str(l->p->arena, l->file);
	if (!tree || !l->file.p)
		return err_set(l->err, -ENOMEM, "out of memory");
	if (text.n > LIMIT_POLICY_BYTES)
		return err_set(l->err, -EFBIG, "%.*s: larger than %zu MiB", STR_ARG(l->file), LIMIT_POLICY_BYTES / MIB);
	if ((r = yaml_parse(tree, text, l->file, &root, l->err)) < 0)
		return r;
	/* A file cut to nothing by an accident must not turn into a policy without its deny lists. */
	if (root->kind == YAML_NULL)
		return yaml_error(l->err, l->file, root, "the policy is empty; write at least version: 1");
	if (root->kind != YAML_MAP)
		return yaml_error(l->err, l->file, root, "a policy is a map of keys; it begins with version: 1");
	if (!yaml_get(root, STR("version")))
		return yaml_error(l->err, l->file, root, "version is missing; write version: 1");
	r = walk(l, GROUP_POLICY, STR(""), root, NULL);
	return r < 0 ? r : check_together(l);
}

/* A claimed repository approves nothing, so without keys to verify it with these lines do not help. */
static void warn_unverified(struct loader *l)
{
	const struct publisher_rule *rules = l->p->publisher_rules.array;

	if (l->p->trust.fulcio_ca_file.n && l->p->trust.rekor_key_file.n)
		return;
	for (size_t i = 0; i < l->p->publisher_rules.count; i++)
		if (rules[i].publisher.publisher == PUBLISHER_TRUSTED) {
			buf_printf(l->warnings,
			           "%.*s:%u: a trusted-publisher approves nothing while registries.npm.provenance names no files to verify it with\n",
			           STR_ARG(rules[i].source.file), rules[i].source.line);
			return;
		}
}

static void warn_of_whole(struct loader *l)
{
	const struct policy *p = l->p;

	if (!l->warnings)
		return;
	warn_unverified(l);
	if (l->overdue > OVERDUE_LINES)
		buf_printf(l->warnings, "%.*s: %u more reviews are overdue; bondgate policy show marks them all\n", STR_ARG(l->file),
		           l->overdue - OVERDUE_LINES);
	if (policy_mode(p, REASON_NOT_APPROVED) == MODE_ENFORCE && p->root_rules.count == 0 && p->publisher_rules.count == 0)
		buf_printf(l->warnings, "%.*s:%u: allow.mode is enforce and nothing is approved: every package is refused\n", STR_ARG(l->file),
		           p->sources[KEY_ALLOW_MODE].line);
}

int policy_load(struct str text, struct str file, usec now, const struct policy_environment *environment, struct policy **ret,
                struct buf *ret_warnings, struct err *err)
{
	struct policy *standard = policy_builtin(), *p = standard ? policy_begin(standard) : NULL;
	struct loader l = {.p = p, .file = file, .now = now, .environment = environment, .warnings = ret_warnings, .err = err};
	int r;

	policy_unref(standard);
	if (!p)
		return err_set(err, -ENOMEM, "out of memory");
	r = load_text(&l, text);
	if (r == 0)
		r = policy_finish(p, err);
	if (r < 0) {
		policy_freed(p);
		return r;
	}
	warn_of_whole(&l);
	*ret = p;
	return 0;
}
