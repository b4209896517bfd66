#include "policy/load.h"

#include "base/limits.h"

enum { EXEMPTION_DAYS = 90 };

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

/* A file in a working directory: may this key stand there at all? */
static int refuse_key(struct loader *l, const struct key *k, const struct yaml_node *node)
{
	if (!l->only_tighten || k->type == KEY_TYPE_MAP || k->tighten != TIGHTEN_NEVER || k->flags & KEY_LATER)
		return 0;
	return err_set(l->err, -EPERM,
	               "%.*s:%u:%u: %s is not accepted in a working directory, where a file can only tighten the policy; it belongs in "
	               "the machine's policy, or that must say trust-local: true",
	               STR_ARG(l->file), node->key_line, node->key_column, k->path);
}

/* And with this value? Modes are compared in policy_tighten, when all of them are known. */
static int refuse_value(struct loader *l, const struct key *k, const struct yaml_node *node)
{
	const char *now = (const char *)l->p + k->offset, *before = (const char *)l->base + k->offset;
	char text[TIME_TEXT];

	if (!l->only_tighten || k->flags & KEY_LATER)
		return 0;
	if (k->tighten == TIGHTEN_MORE && *(const usec *)now < *(const usec *)before) {
		duration_format(*(const usec *)before, text);
		return err_set(l->err, -EPERM,
		               "%.*s:%u:%u: %s: %.*s is less than the machine's policy asks for (%s); a file in a working directory can only "
		               "tighten it",
		               STR_ARG(l->file), node->line, node->column, k->path, STR_ARG(node->text), text);
	}
	if (k->tighten == TIGHTEN_LESS && *(const int8_t *)now > *(const int8_t *)before)
		return err_set(l->err, -EPERM,
		               "%.*s:%u:%u: %s: %.*s lets more through than the machine's policy does (%s); a file in a working directory can "
		               "only tighten it",
		               STR_ARG(l->file), node->line, node->column, k->path, STR_ARG(node->text), severity_name((enum severity)before[0]));
	return 0;
}

static int required(struct loader *l, enum key_group group, const struct yaml_node *map)
{
	for (enum key_id id = 0; id < KEY_COUNT; id++)
		if (keys[id].group == group && keys[id].flags & KEY_REQUIRED && !yaml_get(map, str_of(keys[id].path)))
			return yaml_error(l->err, l->file, map, "%s is missing: %s", keys[id].path, keys[id].text);
	return 0;
}

static int load_origin(struct loader *l, const struct yaml_node *node, struct origin_rule *rule)
{
	int r;

	rule->origin.source = source_at(l, node);
	r = walk(l, GROUP_ORIGIN, STR(""), node, rule);
	if (r == 0 && rule->token.kind.n && rule->basic.kind.n)
		r = yaml_error(l->err, l->file, node, "an origin has either a token or basic, not both");
	return r;
}

/* An entry of `origins`: names of one ecosystem, and an address of its own. */
static int add_origin(struct loader *l, const struct yaml_node *node)
{
	struct origin_rule *rule = origin_rule_add(l->p);
	const struct yaml_node *upstream = yaml_get(node, STR("upstream"));
	int r;

	if (!rule)
		return err_set(l->err, -ENOMEM, "out of memory");
	*rule = (struct origin_rule){.origin.cooldown = -1};
	if ((r = required(l, GROUP_ORIGIN, node)) < 0)
		return r;
	if (!upstream || str_eq(upstream->text, STR("auto")))
		return yaml_error(l->err, l->file, upstream ? upstream : node, "upstream: an origin of its own needs its address (a URL)");
	for (enum key_id id = 0; id < KEY_COUNT; id++)
		if (keys[id].group == GROUP_ORIGIN && !(keys[id].flags & KEY_NPM_ONLY) &&
		    (r = value_standard(l, &keys[id], (char *)rule + keys[id].offset)) < 0)
			return r;
	if ((r = load_origin(l, node, rule)) < 0)
		return r;
	if (rule->names.count == 0)
		return yaml_error(l->err, l->file, node, "names: an origin without a name is never asked; name at least one");
	rule->origin.ecosystem = rule->names.items[0].ecosystem;
	for (size_t i = 1; i < rule->names.count; i++)
		if (rule->names.items[i].ecosystem != rule->origin.ecosystem)
			return yaml_error(l->err, l->file, node, "names: an origin serves one ecosystem; write two origins");
	if (rule->origin.ecosystem == ECOSYSTEM_NUGET && l->warnings)
		buf_printf(l->warnings, "%.*s:%u: an origin of NuGet packages is not evaluated by this version\n", STR_ARG(l->file), node->line);
	return 0;
}

static int check_exemption(struct loader *l, const struct yaml_node *node, const struct exemption *e)
{
	const uint32_t grave = UINT32_C(1) << REASON_MALWARE | UINT32_C(1) << REASON_HASH_CHANGED;
	usec latest = l->now - l->now % USEC_DAY + (EXEMPTION_DAYS + 1) * USEC_DAY;

	if (e->expires > latest)
		return yaml_error(l->err, l->file, yaml_get(node, STR("expires")), "expires: an exemption lasts at most %d days from today",
		                  EXEMPTION_DAYS);
	if (e->approved_by.n && str_eq_nocase(str_trim(e->approved_by), str_trim(e->owner)))
		return yaml_error(l->err, l->file, yaml_get(node, STR("approved-by")),
		                  "approved-by: nobody approves their own exemption; name somebody other than the owner");
	if (e->rules & grave && !e->approved_by.n)
		return yaml_error(l->err, l->file, node, "approved-by is missing: an exemption from malware or hash-changed needs a second person");
	return 0;
}

static int add_exemption(struct loader *l, const struct yaml_node *node)
{
	struct exemption_rule *rule = exemption_rule_add(l->p);
	int r;

	if (!rule)
		return err_set(l->err, -ENOMEM, "out of memory");
	*rule = (struct exemption_rule){.exemption.source = source_at(l, node)};
	if ((r = required(l, GROUP_EXEMPTION, node)) < 0 || (r = walk(l, GROUP_EXEMPTION, STR(""), node, rule)) < 0)
		return r;
	rule->exemption.package =
		(struct purl){.ecosystem = rule->package.ecosystem, .name = rule->package.name, .version = rule->package.version};
	return check_exemption(l, node, &rule->exemption);
}

static int check_item(struct loader *l, enum key_group group, const struct yaml_node *node)
{
	int r = required(l, group, node);

	return r < 0 ? r : walk(l, group, STR(""), node, NULL);
}

static int load_items(struct loader *l, const struct key *k, const struct yaml_node *list)
{
	if (list->kind != YAML_LIST && list->kind != YAML_NULL)
		return yaml_error(l->err, l->file, list, "%s: write %s", k->path, key_accepts(k));
	for (const struct yaml_node *n = list->first; n; n = n->next) {
		int r;

		if (n->kind != YAML_MAP)
			return yaml_error(l->err, l->file, n, "%s: each item is a map, such as %s", k->path, k->example);
		/* clang-format off */
		switch (k->type) {
		case KEY_TYPE_ORIGINS: r = add_origin(l, n); break;
		case KEY_TYPE_EXEMPTIONS: r = add_exemption(l, n); break;
		case KEY_TYPE_ROOTS: r = check_item(l, GROUP_ROOT, n); break;
		default: r = check_item(l, GROUP_PUBLISHER, n); break;
		}
		/* clang-format on */
		if (r < 0)
			return r;
	}
	return 0;
}

/* The default origins are shared with the policy underneath, so they are copied before they change. */
static int load_default_origin(struct loader *l, const struct key *k, const struct yaml_node *node)
{
	struct origin_rule *copy = ARENA_ARRAY(l->p->arena, struct origin_rule, l->p->origin_count);

	if (!copy)
		return err_set(l->err, -ENOMEM, "out of memory");
	memcpy(copy, l->p->origin_rules, l->p->origin_count * sizeof(*copy));
	l->p->origin_rules = copy;
	l->p->origin_room = l->p->origin_count;
	return load_origin(l, node, &copy[k->offset]);
}

static int load_leaf(struct loader *l, enum key_id id, const struct yaml_node *node, void *item)
{
	const struct key *k = &keys[id];
	bool in_item = (k->group == GROUP_ORIGIN && !(k->flags & KEY_NPM_ONLY)) || k->group == GROUP_EXEMPTION;
	int r = value_read(l, k, node, (in_item ? (char *)item : (char *)l->p) + k->offset);

	return r < 0 || k->group != GROUP_POLICY ? r : refuse_value(l, k, node);
}

static bool known_here(const struct loader *l, enum key_id id, const void *item)
{
	size_t index = keys[id].group == GROUP_ORIGIN ? (size_t)((const struct origin_rule *)item - l->p->origin_rules) : 0;

	if (keys[id].flags & KEY_OWN_ONLY)
		return index > ECOSYSTEM_NUGET;
	return !(keys[id].flags & KEY_NPM_ONLY) || index == ECOSYSTEM_NPM;
}

static int load_key(struct loader *l, enum key_id id, const struct yaml_node *node, void *item)
{
	const struct key *k = &keys[id];
	int r = refuse_key(l, k, node);

	if (r < 0)
		return r;
	if (k->group == GROUP_POLICY)
		l->p->sources[id] = (struct policy_source){.file = l->file, .line = node->key_line};
	if (k->flags & KEY_LATER)
		warn_later(l, k, node);
	if ((k->type == KEY_TYPE_MAP || k->type == KEY_TYPE_ORIGIN) && node->kind != YAML_MAP)
		return node->kind == YAML_NULL ? 0 : yaml_error(l->err, l->file, node, "%s: write %s", k->path, key_accepts(k));
	if (k->type == KEY_TYPE_MAP)
		return walk(l, k->group, str_of(k->path), node, item);
	if (k->type == KEY_TYPE_ORIGIN)
		return load_default_origin(l, k, node);
	return key_is_container(k) ? load_items(l, k, node) : load_leaf(l, id, node, item);
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

/* What no single key can tell. */
static int check_together(struct loader *l)
{
	const struct gate_settings *g = &l->p->gate;
	bool certificate = g->tls_certificate.n > 0;

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
	if (r < 0)
		policy_freed(p);
	else
		*ret = p;
	return r;
}
