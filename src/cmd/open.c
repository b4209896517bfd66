#include "cmd/open.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "cmd/advisory_files.h"
#include "cmd/policy_files.h"
#include "cmd/state.h"
#include "cmd/trust_files.h"
#include "gate/people.h"
#include "registry/npm/keys.h"

enum { PATHS = 1024, TEAM_PATHS = 512, OWN_PATHS = 2 /* what lies in the state folder */ };

static void log_warnings(const struct buf *warnings)
{
	struct str rest = buf_str(warnings), line;

	while (str_split(&rest, '\n', &line))
		if (line.n)
			log_event(LOG_WARNING, "policy", "warning=%s", log_quote(line));
}

struct path_list {
	struct arena *arena;
	const char **paths;
	size_t count;
};

/* A file that holds a secret is watched, and may still be read after the confinement, like the policy that names it. */
static int note_and_read_token(void *arg, struct str kind, struct str name, struct buf *ret, struct err *err)
{
	struct path_list *list = arg;

	if (str_eq(kind, STR("file")) && list->count < PATHS - 2)
		list->paths[list->count++] = arena_str(list->arena, name).p;
	return policy_read_token(NULL, kind, name, ret, err);
}

static int load_policy(const char *option, struct arena *a, struct policy **ret, const char **paths, size_t *path_count, struct err *err)
{
	CLEANUP_BUF struct buf warnings = BUF(MIB);
	struct path_list list = {a, paths, *path_count};
	const struct policy_environment environment = {.token = note_and_read_token, .arg = &list};
	struct policy_files files;
	int r = policy_files_find(option, &files, err);

	if (r == 0)
		r = policy_files_load_with(option, time_now(), &environment, ret, &warnings, err);
	if (r < 0)
		return r;
	*path_count = list.count;
	log_warnings(&warnings);
	paths[(*path_count)++] = arena_str(a, str_of(files.machine)).p;
	paths[(*path_count)++] = arena_str(a, str_of(files.local)).p;
	return 0;
}

/* Those in the state folder come last, and there is room for them in any case. */
static void note_advisory_path(void *arg, const char *path, bool own)
{
	struct path_list *list = arg;

	if (list->count < (own ? PATHS + OWN_PATHS : PATHS))
		list->paths[list->count++] = path;
}

int load_rules(const char *policy_option, const char *state_dir, struct arena *a, struct policy **ret_policy,
               struct advisories **ret_advisories, const char *const **ret_paths, size_t *ret_path_count, struct err *err)
{
	const char **paths = ARENA_ARRAY(a, const char *, PATHS + OWN_PATHS);
	struct path_list list;
	size_t n = 0;
	int r;

	if (!paths)
		return err_set(err, -ENOMEM, "no memory");
	r = load_policy(policy_option, a, ret_policy, paths, &n, err);
	if (r < 0)
		return r;
	list = (struct path_list){a, paths, n};
	r = advisory_files_load(*ret_policy, state_dir, a, note_advisory_path, &list, ret_advisories, err);
	n = list.count;
	if (r < 0) {
		policy_unref(*ret_policy);
		*ret_policy = NULL;
		return r;
	}
	if (ret_paths) {
		*ret_paths = paths;
		*ret_path_count = n;
	}
	return 0;
}

static void note_team_path(void *arg, struct str path)
{
	struct path_list *list = arg;

	if (list->count < PATHS + OWN_PATHS + TEAM_PATHS)
		list->paths[list->count++] = arena_str(list->arena, path).p;
}

/* The registry's keys (`registries.npm.keys`); none: signatures are not verified. A file that cannot be used is an error like one in the policy. */
static int load_keys(const struct policy *policy, struct path_list *list, struct policy_set *to, struct err *err)
{
	const struct policy_trust *trust = policy_trust(policy);
	struct npm_keys *keys = trust->key_file_count ? npm_keys_new() : NULL;
	int r = 0;

	for (size_t i = 0; keys && r == 0 && i < trust->key_file_count; i++) {
		CLEANUP_BUF struct buf text = BUF(MIB);
		const char *path = arena_str(list->arena, trust->key_files[i]).p;

		note_team_path(list, trust->key_files[i]);
		r = path ? file_read(path, &text, err) : -ENOMEM;
		if (r == 0 && (r = npm_keys_add(keys, buf_str(&text), err)) < 0)
			err_prefix(err, "registries.npm.keys: %s", path);
	}
	if (r < 0)
		npm_keys_unref(keys);
	else
		policy_set_keys(to, keys);
	return r;
}

static void warn_about_provenance(const struct policy *policy, const struct sigstore_trust *trust)
{
	const struct approved_publisher *publishers;
	size_t n = policy_publishers(policy, &publishers);

	for (size_t i = 0; i < n && !trust; i++) {
		if (publishers[i].kind != PUBLISHER_TRUSTED || policy_mode(policy, REASON_NOT_APPROVED) == MODE_OFF)
			continue;
		log_event(LOG_WARNING, "policy", "warning=%s",
		          log_quote(STR("a line trusted-publisher: of allow.publishers cannot be judged and approves nothing: "
		                        "registries.npm.provenance does not say what provenance is verified with")));
		return;
	}
}

int load_teams(struct team_files *teams, struct policy *policy, struct arena *a, const char *const **paths, size_t *path_count,
               struct policy_set **ret, struct buf *problems, struct err *err)
{
	const struct policy_environment environment = {.token = policy_read_token};
	struct path_list list = {a, ARENA_ARRAY(a, const char *, PATHS + OWN_PATHS + TEAM_PATHS), *path_count};
	struct sigstore_trust *trust;
	int r;

	if (!list.paths)
		abort();
	memcpy(list.paths, *paths, *path_count * sizeof(*list.paths));
	r = trust_files_load(policy, note_team_path, &list, &trust, err);
	if (r < 0) {
		policy_unref(policy);
		return r;
	}
	r = team_files_load(teams, policy, &environment, note_team_path, &list, ret, problems, err);
	if (r == 0) {
		warn_about_provenance(policy_set_base(*ret), trust);
		policy_set_provenance(*ret, trust);
	} else {
		sigstore_trust_unref(trust);
	}
	if (r == 0 && (r = load_keys(policy_set_base(*ret), &list, *ret, err)) < 0)
		policy_set_unref(TAKE_PTR(*ret));
	*paths = list.paths;
	*path_count = list.count;
	return r;
}

static int complete_upstream(struct opened *o, struct err *err)
{
	struct policy *complete;
	int r;

	if (!o->upstreams.npm.n)
		return 0;
	r = policy_set_upstream(o->policy, ECOSYSTEM_NPM, o->upstreams.npm, &complete, err);
	if (r < 0)
		return r;
	policy_unref(o->policy);
	o->policy = complete;
	return 0;
}

int open_prepare(const struct open_options *options, bool is_gate, const char *listen, bool offline, struct opened *ret, struct err *err)
{
	CLEANUP_BUF struct buf dir = BUF(4096);
	int r;

	*ret = (struct opened){.options = *options, .arena = arena_new(64 * MIB), .teams = team_files_new()};
	if (!ret->arena)
		return err_set(err, -ENOMEM, "no memory");
	r = state_dir(options->state, &dir, err);
	if (r < 0)
		return r;
	ret->state_dir = arena_str(ret->arena, buf_str(&dir)).p;
	r = dir_make(ret->state_dir, 0700, err);
	if (r == 0)
		r = load_rules(options->policy, ret->state_dir, ret->arena, &ret->policy, &ret->advisories, &ret->paths, &ret->path_count, err);
	if (r < 0)
		return r;
	ret->listen = listen ? listen : arena_str(ret->arena, policy_gate(ret->policy)->listen).p;
	if (!offline)
		r = upstream_auto(ret->policy, ret->state_dir, is_gate ? ret->listen : NULL, ret->arena, &ret->upstreams, err);
	if (r == 0 && !offline)
		r = complete_upstream(ret, err);
	/* Nothing was good before, so that no problem is passed over here. */
	return r < 0 ? r
	             : load_teams(ret->teams, policy_ref(ret->policy), ret->arena, &ret->paths, &ret->path_count, &ret->policies, NULL, err);
}

/* What people decided belongs to the rules from the first question on. */
static int load_grants(struct gate *g, struct err *err)
{
	struct arena *a = arena_new(64 * MIB);
	struct policy_grants grants;
	int r = a ? people_grants(g->store, g->now(), a, &grants, err) : err_set(err, -ENOMEM, "no memory");

	if (r == 0)
		gate_set_grants(g, a, &grants);
	else
		arena_free(a);
	return r;
}

int open_gate(struct opened *o, bool without_cache, struct err *err)
{
	const struct gate_options options = {.state_dir = o->state_dir,
	                                     .access = STORE_WRITE,
	                                     .without_cache = without_cache,
	                                     .policies = TAKE_PTR(o->policies),
	                                     .advisories = TAKE_PTR(o->advisories)};
	int r = gate_open(&options, &o->gate, err);

	if (r < 0)
		return r;
	policy_unref(TAKE_PTR(o->policy));
	o->gate->client_default = o->upstreams.client_default;
	o->gate->upstream_npm = o->upstreams.npm;
	return load_grants(o->gate, err);
}

void close_gate(struct opened *o)
{
	if (o->gate)
		gate_close(o->gate);
	policy_unref(o->policy);
	policy_set_unref(o->policies);
	team_files_free(o->teams);
	advisories_unref(o->advisories);
	arena_free(o->arena);
	*o = (struct opened){0};
}
