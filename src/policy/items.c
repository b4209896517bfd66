/* The lists of maps: approved packages and publishers, exemptions, origins, feeds, teams, webhooks, findings to ignore. What their keys are
 * stands in the table; here is what no single key can tell. */
#include "policy/load.h"

enum { EXEMPTION_DAYS = 90 };

static int check_origin(struct loader *l, const struct yaml_node *node, void *item)
{
	struct origin_rule *rule = item;
	const struct yaml_node *upstream = yaml_get(node, STR("upstream"));

	if (!upstream || str_eq(upstream->text, STR("auto")))
		return yaml_error(l->err, l->file, upstream ? upstream : node, "upstream: an origin of its own needs its address (a URL)");
	if (rule->token.kind.n && rule->basic.kind.n)
		return yaml_error(l->err, l->file, node, "an origin has either a token or basic, not both");
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

static int check_exemption(struct loader *l, const struct yaml_node *node, void *item)
{
	const uint32_t grave = UINT32_C(1) << REASON_MALWARE | UINT32_C(1) << REASON_HASH_CHANGED;
	const struct exemption_rule *e = item;
	usec latest = l->now - l->now % USEC_DAY + (EXEMPTION_DAYS + 1) * USEC_DAY;

	if (e->expires.time > latest)
		return yaml_error(l->err, l->file, yaml_get(node, STR("expires")), "expires: an exemption lasts at most %d days from today",
		                  EXEMPTION_DAYS);
	if (e->approved_by.n && str_eq_nocase(str_trim(e->approved_by), str_trim(e->owner)))
		return yaml_error(l->err, l->file, yaml_get(node, STR("approved-by")),
		                  "approved-by: nobody approves their own exemption; name somebody other than the owner");
	if (e->rules & grave && !e->approved_by.n)
		return yaml_error(l->err, l->file, node, "approved-by is missing: an exemption from malware or hash-changed needs a second person");
	return 0;
}

static void warn_overdue(struct loader *l, const struct yaml_node *node, struct str what, const struct dated *review_by)
{
	if (review_by->time > l->now)
		return;
	if (l->warnings && l->overdue++ < OVERDUE_LINES)
		buf_printf(l->warnings, "%.*s:%u: the review of %.*s is overdue since %.*s; it stays in force\n", STR_ARG(l->file), node->line,
		           STR_ARG(str_take(what, 120)), STR_ARG(review_by->text));
}

static int check_root(struct loader *l, const struct yaml_node *node, void *item)
{
	struct root_rule *rule = item;

	warn_overdue(l, node, rule->package.text, &rule->review_by);
	return 0;
}

static int check_publisher(struct loader *l, const struct yaml_node *node, void *item)
{
	struct publisher_rule *rule = item;

	warn_overdue(l, node, rule->publisher.text, &rule->review_by);
	return 0;
}

static int check_feed(struct loader *l, const struct yaml_node *node, void *item)
{
	struct feed_rule *rule = item;
	const struct feed_rule *all = l->p->feed_rules.array;

	rule->feed.priority = (int)rule->priority;
	if (!rule->feed.key.n && !feed_url_safe(rule->feed.url))
		return yaml_error(
			l->err, l->file, yaml_get(node, STR("url")),
			"url: http is accepted for a private or loopback address, or with key: (whoever stands between could change what it says)");
	for (size_t i = 0; i + 1 < l->p->feed_rules.count; i++)
		if (str_eq_nocase(all[i].feed.name, rule->feed.name))
			return yaml_error(l->err, l->file, node, "name: there is a feed %.*s already (line %u)", STR_ARG(rule->feed.name),
			                  all[i].source.line);
	return 0;
}

static int check_team(struct loader *l, const struct yaml_node *node, void *item)
{
	struct team_rule *rule = item;
	const struct team_rule *all = l->p->team_rules.array;

	/* Labels in addresses may be typed in any case; two teams must not differ by it alone. */
	for (size_t i = 0; i + 1 < l->p->team_rules.count; i++)
		if (str_eq_nocase(all[i].team.name, rule->team.name))
			return yaml_error(l->err, l->file, node, "name: there is a team %.*s already (line %u)", STR_ARG(rule->team.name),
			                  all[i].source.line);
	return 0;
}

static int (*const checks[GROUP_COUNT])(struct loader *l, const struct yaml_node *node, void *item) = {
	[GROUP_ORIGIN] = check_origin,       [GROUP_EXEMPTION] = check_exemption, [GROUP_ROOT] = check_root,
	[GROUP_PUBLISHER] = check_publisher, [GROUP_FEED] = check_feed,           [GROUP_TEAM] = check_team,
};

static int add_item(struct loader *l, enum key_id list, enum key_group group, const struct yaml_node *node)
{
	struct items *items = (struct items *)((char *)l->p + keys[list].offset);
	struct policy_source source = source_at(l, node);
	void *item = items_add(l->p, items, key_groups[group].size);
	int r;

	if (!item)
		return value_no_memory(l);
	memset(item, 0, key_groups[group].size);
	memcpy(item, &source, sizeof(source));
	if (group == GROUP_ORIGIN)
		((struct origin_rule *)item)->origin.cooldown = -1;
	for (enum key_id id = 0; id < KEY_COUNT; id++)
		if (keys[id].group == group && !(keys[id].flags & KEY_NPM_ONLY) &&
		    (r = value_standard(l, &keys[id], (char *)item + keys[id].offset)) < 0)
			return r;
	if ((r = load_map(l, group, node, item)) < 0)
		return r;
	return checks[group] ? checks[group](l, node, item) : 0;
}

int items_load(struct loader *l, enum key_id list, const struct yaml_node *node)
{
	const struct key *k = &keys[list];
	enum key_group group = key_group_of(list);

	if (node->kind != YAML_LIST && node->kind != YAML_NULL)
		return yaml_error(l->err, l->file, node, "%s: write %s", k->path, key_accepts(k));
	for (const struct yaml_node *n = node->first; n; n = n->next) {
		int r;

		if (n->kind != YAML_MAP)
			return yaml_error(l->err, l->file, n, "%s: each item is a map, such as %s", k->path, k->example);
		if ((r = add_item(l, list, group, n)) < 0)
			return r;
	}
	return 0;
}

int sets_load(struct loader *l, const struct key *k, const struct yaml_node *node)
{
	static const struct key list = {.path = "publisher-sets", .type = KEY_TYPE_PUBLISHER_LIST};
	struct items *items = (struct items *)((char *)l->p + k->offset);

	for (const struct yaml_node *n = node->first; n; n = n->next) {
		struct set_rule *set = items_add(l->p, items, sizeof(*set));
		const struct key label = {.path = k->path, .type = KEY_TYPE_LABEL};
		struct yaml_node name = {.kind = YAML_SCALAR, .text = n->key, .line = n->key_line, .column = n->key_column};
		int r;

		if (!set)
			return value_no_memory(l);
		*set = (struct set_rule){.source = {.file = l->file, .line = n->key_line}};
		if ((r = value_label(l, &label, &name, &set->name)) < 0)
			return r;
		if (str_chr(set->name, '.') >= 0)
			return yaml_error(l->err, l->file, &name, "%s: the name of a set has no dot", k->path);
		if (n->kind != YAML_LIST || !n->first)
			return yaml_error(l->err, l->file, n, "%s.%.*s: write %s", k->path, STR_ARG(set->name), key_accepts(&list));
		if ((r = value_list(l, &list, n, &set->publishers)) < 0)
			return r;
	}
	return 0;
}
