/* What is compiled from the values of a policy, once, so that decisions cost a few look-ups. */
#include <errno.h>
#include <stdio.h>

#include "policy/lines.h"
#include "policy/load.h"

void source_add(struct buf *out, const struct policy_source *source)
{
	if (source->line == 0)
		buf_add_str(out, source->file.n ? source->file : STR("built-in"));
	else
		buf_printf(out, "%.*s:%u", STR_ARG(source->file), source->line);
}

uint64_t stable_hash(uint64_t seed, struct str bytes)
{
	for (size_t i = 0; i < bytes.n; i++)
		seed = (seed ^ (unsigned char)bytes.p[i]) * 0x100000001b3u;
	return seed;
}

static struct str origin_id(struct policy *p, const struct origin *o)
{
	const char *ecosystem = ecosystem_name(o->ecosystem);
	uint64_t hash;

	if (o->is_default)
		return str_of(ecosystem);
	hash = stable_hash(stable_hash(STABLE_HASH_SEED, str_of(ecosystem)), o->url);
	return arena_printf(p->arena, "%s-%012llx", ecosystem, (unsigned long long)(hash & 0xffffffffffffu));
}

static const struct str *texts_of(struct policy *p, const struct list *list, bool names)
{
	struct str *array = ARENA_ARRAY(p->arena, struct str, list->count + 1);

	for (size_t i = 0; array && i < list->count; i++)
		array[i] = names ? list->items[i].name : list->items[i].text;
	return array;
}

static int finish_origin(struct policy *p, const struct origin_rule *rule, struct origin *ret)
{
	*ret = rule->origin;
	ret->source = rule->source;
	if (str_eq(rule->upstream, STR("auto")))
		ret->automatic = true; /* url: what policy_set_upstream put there */
	else
		ret->url = rule->upstream;
	ret->names = texts_of(p, &rule->names, true);
	ret->name_count = rule->names.count;
	ret->artifact_hosts = texts_of(p, &rule->artifact_hosts, false);
	ret->artifact_host_count = rule->artifact_hosts.count;
	ret->id = origin_id(p, ret);
	if (secret_authorization(p, &rule->token, &rule->basic, &ret->authorization) < 0 || !ret->names || !ret->artifact_hosts || !ret->id.p)
		return -ENOMEM;
	return 0;
}

static int pattern_error(struct err *err, int r, const struct listed *item)
{
	if (r == -E2BIG)
		return err_set(err, -EBADMSG, "%.*s:%u: \"%.*s\": too many patterns that begin and end with a star (at most 64)",
		               STR_ARG(item->source.file), item->source.line, STR_ARG(str_take(item->text, 120)));
	if (r == -EINVAL)
		return err_set(err, -EBADMSG, "%.*s:%u: \"%.*s\": \"%.*s\" is neither a version nor a range", STR_ARG(item->source.file),
		               item->source.line, STR_ARG(str_take(item->text, 120)), STR_ARG(str_take(item->version, 60)));
	return err_set(err, r, "out of memory");
}

static int add_list(struct matcher *m, enum match_kind kind, const struct list *list, struct err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct listed *item = &list->items[i];
		int r = matcher_add(m, kind, i, item->ecosystem, item->name, item->version);

		if (r < 0)
			return pattern_error(err, r, item);
	}
	return 0;
}

static int finish_rules(struct policy *p, struct err *err)
{
	int r;

	if ((r = add_list(p->rules, MATCH_DENY_NAME, &p->deny_names, err)) < 0 ||
	    (r = add_list(p->rules, MATCH_DENY_VERSION, &p->deny_versions, err)) < 0 ||
	    (r = add_list(p->rules, MATCH_EXCLUDE, &p->exclude, err)) < 0 ||
	    (r = add_list(p->rules, MATCH_MAY_RESEMBLE, &p->look_alike_exclude, err)) < 0)
		return r;
	for (size_t i = 0; i < p->exemption_rules.count; i++) {
		const struct listed *item = &((struct exemption_rule *)p->exemption_rules.array)[i].package;

		r = matcher_add(p->rules, MATCH_EXEMPTION, i, item->ecosystem, item->name, item->version);
		if (r < 0)
			return pattern_error(err, r, item);
	}
	for (size_t i = 0; i < p->root_rules.count; i++) {
		const struct listed *item = &((struct root_rule *)p->root_rules.array)[i].package;

		r = matcher_add(p->rules, MATCH_ROOT, i, item->ecosystem, item->name, item->version);
		if (r < 0)
			return pattern_error(err, r, item);
	}
	return matcher_finish(p->rules);
}

/* The same pattern in two origins would leave it open which of them owns the name. */
static int refuse_two_owners(struct policy *p, struct map *owners, const struct listed *item, size_t origin, struct err *err)
{
	struct str key = arena_printf(p->arena, "%d:%.*s", (int)item->ecosystem, STR_ARG(item->name));
	size_t before = key.p ? (size_t)(uintptr_t)map_get(owners, key) : 0;

	if (before && before - 1 != origin)
		return err_set(err, -EBADMSG, "%.*s:%u: \"%.*s\" has an origin already (line %u); a name belongs to one origin",
		               STR_ARG(item->source.file), item->source.line, STR_ARG(str_take(item->text, 120)),
		               origin_rules(p)[before - 1].source.line);
	return key.p && map_put(owners, key, (void *)(uintptr_t)(origin + 1)) == 0 ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static int finish_names(struct policy *p, struct err *err)
{
	CLEANUP_MAP struct map owners = MAP_EMPTY;
	int r;

	for (size_t i = 0; i < p->origin_count; i++)
		for (size_t j = 0; j < origin_rules(p)[i].names.count; j++) {
			const struct listed *item = &origin_rules(p)[i].names.items[j];

			if ((r = refuse_two_owners(p, &owners, item, i, err)) < 0)
				return r;
			r = matcher_add(p->names, MATCH_ORIGIN, i, item->ecosystem, item->name, STR_NULL);
			if (r < 0)
				return pattern_error(err, r, item);
		}
	if ((r = add_list(p->names, MATCH_INTERNAL, &p->internal, err)) < 0)
		return r;
	return matcher_finish(p->names);
}

static int finish_hashes(struct policy *p)
{
	for (size_t i = 0; i < p->deny_hashes.count; i++) {
		unsigned char *digest = arena_alloc(p->arena, DIGEST_BYTES);
		int n = digest ? digest_read(p->deny_hashes.items[i].text, digest) : -ENOMEM;

		if (n < 0 || map_put(&p->hashes, (struct str){(const char *)digest, (size_t)n}, &p->deny_hashes.items[i]) < 0)
			return -ENOMEM;
	}
	return 0;
}

static struct purl purl_of(const struct listed *item)
{
	return (struct purl){.ecosystem = item->ecosystem, .name = item->name, .version = item->version};
}

static void finish_dated(struct policy *p)
{
	for (size_t i = 0; i < p->exemption_rules.count; i++) {
		const struct exemption_rule *rule = &((struct exemption_rule *)p->exemption_rules.array)[i];

		p->exemptions[i] = (struct exemption){.package = purl_of(&rule->package),
		                                      .rules = rule->rules,
		                                      .reason = rule->reason,
		                                      .owner = rule->owner,
		                                      .approved_by = rule->approved_by,
		                                      .expires = rule->expires.time,
		                                      .source = rule->source};
	}
	for (size_t i = 0; i < p->root_rules.count; i++) {
		const struct root_rule *rule = &((struct root_rule *)p->root_rules.array)[i];

		p->approvals[i] = (struct approval){.package = purl_of(&rule->package),
		                                    .reason = rule->reason,
		                                    .owner = rule->owner,
		                                    .review_by = rule->review_by.time,
		                                    .ends = rule->ends ? rule->ends : USEC_NEVER,
		                                    .source = rule->source};
	}
	for (size_t i = 0; i < p->ignore_rules.count; i++) {
		const struct ignore_rule *rule = &((struct ignore_rule *)p->ignore_rules.array)[i];

		p->ignores[i] = (struct advisory_ignore){.id = rule->id,
		                                         .package = purl_of(&rule->package),
		                                         .reason = rule->reason,
		                                         .owner = rule->owner,
		                                         .expires = rule->expires.time,
		                                         .source = rule->source};
	}
}

static int finish_lists(struct policy *p)
{
	p->exemptions = ARENA_ARRAY(p->arena, struct exemption, p->exemption_rules.count + 1);
	p->approvals = ARENA_ARRAY(p->arena, struct approval, p->root_rules.count + 1);
	p->ignores = ARENA_ARRAY(p->arena, struct advisory_ignore, p->ignore_rules.count + 1);
	p->feeds = ARENA_ARRAY(p->arena, struct policy_feed, p->feed_rules.count + 1);
	p->teams = ARENA_ARRAY(p->arena, struct policy_team, p->team_rules.count + 1);
	p->webhooks = ARENA_ARRAY(p->arena, struct policy_webhook, p->webhook_rules.count + 1);
	if (!p->exemptions || !p->approvals || !p->ignores || !p->feeds || !p->teams || !p->webhooks)
		return -ENOMEM;
	finish_dated(p);
	for (size_t i = 0; i < p->feed_rules.count; i++) {
		const struct feed_rule *rule = &((struct feed_rule *)p->feed_rules.array)[i];

		p->feeds[i] = rule->feed;
		p->feeds[i].source = rule->source;
		if (secret_authorization(p, &rule->token, NULL, &p->feeds[i].authorization) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < p->team_rules.count; i++) {
		p->teams[i] = ((struct team_rule *)p->team_rules.array)[i].team;
		p->teams[i].source = ((struct team_rule *)p->team_rules.array)[i].source;
	}
	for (size_t i = 0; i < p->webhook_rules.count; i++) {
		const struct webhook_rule *rule = &((struct webhook_rule *)p->webhook_rules.array)[i];

		p->webhooks[i] = (struct policy_webhook){.url = rule->url.value,
		                                         .ca_file = rule->webhook.ca_file,
		                                         .format = (enum webhook_format)rule->format,
		                                         .events = rule->events,
		                                         .source = rule->source};
		if (secret_authorization(p, &rule->token, NULL, &p->webhooks[i].authorization) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* What others read as plain arrays. */
static int finish_settings(struct policy *p)
{
	p->gate.advisory_files = texts_of(p, &p->advisory_files, false);
	p->gate.advisory_file_count = p->advisory_files.count;
	p->trust.key_files = texts_of(p, &p->key_files, false);
	p->trust.key_file_count = p->key_files.count;
	p->trust.import_key_count = p->import_keys.count < LIMIT_IMPORT_KEYS ? p->import_keys.count : LIMIT_IMPORT_KEYS;
	for (size_t i = 0; i < p->trust.import_key_count; i++)
		p->trust.import_keys[i] = p->import_keys.items[i].text;
	p->approval.second_person_at = (enum severity)p->second_person_at;
	p->vex = texts_of(p, &p->vex_files, false);
	p->hosts = texts_of(p, &p->scan_hosts, false);
	return p->gate.advisory_files && p->trust.key_files && p->vex && p->hosts ? 0 : -ENOMEM;
}

int policy_finish(struct policy *p, struct err *err)
{
	int r;

	p->rules = matcher_new(p->arena);
	p->names = matcher_new(p->arena);
	p->origin_count = p->origin_rules.count;
	p->origins = ARENA_ARRAY(p->arena, struct origin, p->origin_count);
	if (!p->rules || !p->names || !p->origins)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < p->origin_count; i++)
		if ((r = finish_origin(p, &origin_rules(p)[i], &p->origins[i])) < 0)
			return err_set(err, r, "out of memory");
	if ((r = finish_rules(p, err)) < 0 || (r = finish_names(p, err)) < 0 || (r = publishers_finish(p, err)) < 0)
		return r;
	if (finish_settings(p) < 0 || finish_hashes(p) < 0 || finish_lists(p) < 0 || ignores_finish(p) < 0 || look_alikes_of_policy(p) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	policy_modes(p);
	return policy_lines_digest(p, &p->digest) < 0 ? err_set(err, -ENOMEM, "out of memory") : 0;
}
