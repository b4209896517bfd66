#include "cmd/upstream_auto.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "gate/upstream_hosts.h"
#include "store/store.h"

/* The first line that a command prints, trimmed; empty when it fails. */
static struct str first_line(const char *command, struct arena *a)
{
	char line[2048];
	FILE *out = popen(command, "re");
	struct str result = STR_NULL;

	if (!out)
		return result;
	if (fgets(line, sizeof(line), out))
		result = arena_str(a, str_trim(str_of(line)));
	while (fgets(line, sizeof(line), out))
		;
	return pclose(out) == 0 ? result : STR_NULL;
}

/* Run in /, so that no project's .npmrc has a say. */
static const char configured[] = "cd / && npm config get registry 2>/dev/null";
static const char built_in[] = "cd / && env -u npm_config_registry -u NPM_CONFIG_REGISTRY npm_config_userconfig=/dev/null "
							   "npm_config_globalconfig=/dev/null npm config get registry 2>/dev/null";

static struct str with_slash(struct str url, struct arena *a)
{
	return url.n == 0 || str_ends(url, STR("/")) ? url : arena_printf(a, "%.*s/", STR_ARG(url));
}

static bool is_loopback(const char *host)
{
	return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 || strcmp(host, "[::1]") == 0;
}

/* Does the URL lead to the address that the gate listens on? */
static bool is_gate(struct str url, const char *listen)
{
	struct url_where where;
	struct str address = str_of(listen);
	ptrdiff_t colon = str_rchr(address, ':');
	uint64_t port;
	struct str host;

	if (colon < 0 || url_read(url, NULL, &where, NULL) < 0 || str_to_u64(str_skip(address, (size_t)colon + 1), &port) < 0)
		return false;
	if (where.port != port || port == 0)
		return false;
	host = str_take(address, (size_t)colon);
	return str_eq_nocase(host, str_of(where.host)) ||
	       (is_loopback(where.host) &&
	        (str_starts(host, STR("127.")) || str_eq(host, STR("0.0.0.0")) || str_eq(host, STR("[::]")) || str_eq(host, STR("[::1]"))));
}

/* From the store, else from npm, and then into the store. The gate itself is never remembered. */
static struct str remembered(struct store *store, struct str key, const char *command, const char *listen, struct arena *a)
{
	struct str value;
	struct err err = {0};

	if (store_setting_get(store, key, a, &value, &err) == 0 && value.n)
		return value;
	value = with_slash(first_line(command, a), a);
	if (value.n == 0 || url_read(value, NULL, &(struct url_where){0}, NULL) < 0 || (listen && is_gate(value, listen)))
		return value;
	if (store_setting_set(store, key, value, &err) < 0)
		log_event(LOG_WARNING, "the upstream could not be remembered", "error=%s", log_quote(str_of(err.text)));
	return value;
}

static const struct origin *default_origin(const struct policy *p)
{
	const struct origin *all;
	size_t n = policy_origins(p, &all);

	for (size_t i = 0; i < n; i++)
		if (all[i].ecosystem == ECOSYSTEM_NPM && all[i].is_default)
			return &all[i];
	return NULL;
}

static struct str host_prefix(struct str url, struct arena *a)
{
	ptrdiff_t scheme = str_find(url, STR("://")), path;

	if (scheme < 0)
		return STR_NULL;
	path = str_chr(str_skip(url, (size_t)scheme + 3), '/');
	return path < 0 ? with_slash(url, a) : str_take(url, (size_t)scheme + 3 + (size_t)path + 1);
}

static int find(const struct policy *policy, struct store *store, const char *listen, struct arena *a, struct upstreams *ret,
                struct err *err)
{
	struct str client = policy_gate(policy)->npm_client_default, url;
	const struct origin *origin = default_origin(policy);

	if (client.n && !str_eq(client, STR("auto")))
		ret->client_default = host_prefix(arena_str(a, client), a);
	else
		ret->client_default = host_prefix(remembered(store, STR("client-default.npm"), built_in, NULL, a), a);
	if (!origin)
		return 0;
	url = origin->automatic ? remembered(store, STR("upstream.npm"), configured, listen, a) : origin->url;
	if (url.n == 0)
		return err_set(
			err, -ENOENT,
			"cannot tell which registry this machine uses (npm is not here, or says nothing): set registries.npm.upstream in the policy");
	if (listen && is_gate(url, listen))
		return err_set(err, -EINVAL,
		               "the upstream %.*s is this gate itself: set registries.npm.upstream in the policy to the real registry",
		               STR_ARG(url));
	if (origin->automatic)
		ret->npm = url;
	return 0;
}

int upstream_auto(const struct policy *policy, const char *state_dir, const char *listen, struct arena *a, struct upstreams *ret,
                  struct err *err)
{
	struct store *store;
	int r = store_open(state_dir, STORE_WRITE, &store, err);

	*ret = (struct upstreams){0};
	if (r < 0)
		return r;
	r = find(policy, store, listen, a, ret, err);
	store_close(store);
	return r;
}
