#include "policy/load.h"

int value_no_memory(struct loader *l)
{
	return err_set(l->err, -ENOMEM, "%.*s: out of memory", STR_ARG(l->file));
}

int value_not_accepted(struct loader *l, const struct key *k, const struct yaml_node *node)
{
	if (node->kind == YAML_SCALAR)
		return yaml_error(l->err, l->file, node, "%s: \"%.*s\" is not accepted here; write %s", k->path,
		                  (int)(node->text.n < 80 ? node->text.n : 80), node->text.p, key_accepts(k));
	return yaml_error(l->err, l->file, node, "%s: write %s", k->path, key_accepts(k));
}

static int read_integer(struct loader *l, const struct key *k, const struct yaml_node *node, int64_t *ret)
{
	/* "0 to 256", or the one number that is accepted */
	struct str allowed = str_of(k->allowed), low = allowed, high = allowed;
	ptrdiff_t to = str_find(allowed, STR(" to "));
	int64_t value, least = 0, most = 0;

	if (to >= 0) {
		low = str_take(allowed, (size_t)to);
		high = str_skip(allowed, (size_t)to + 4);
	}
	if (str_to_i64(low, &least) < 0 || str_to_i64(high, &most) < 0 || str_to_i64(node->text, &value) < 0 || value < least || value > most)
		return value_not_accepted(l, k, node);
	*ret = value;
	return 0;
}

static int read_size(struct loader *l, const struct key *k, const struct yaml_node *node, int64_t *ret)
{
	static const struct {
		struct str suffix;
		unsigned shift;
	} units[] = {{{"KiB", 3}, 10}, {{"MiB", 3}, 20}, {{"GiB", 3}, 30}, {{"TiB", 3}, 40}, {{"", 0}, 0}};
	struct str text = node->text;
	uint64_t count;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!str_ends(text, units[i].suffix))
			continue;
		text.n -= units[i].suffix.n;
		if (str_to_u64(text, &count) < 0 || count > ((uint64_t)INT64_MAX >> units[i].shift))
			break;
		*ret = (int64_t)(count << units[i].shift);
		return 0;
	}
	return value_not_accepted(l, k, node);
}

static int read_mode(struct loader *l, const struct key *k, const struct yaml_node *node, int8_t *ret)
{
	enum mode mode;

	if (mode_parse(node->text, &mode) < 0)
		return value_not_accepted(l, k, node);
	/* A row that allows fewer says so; each of its words stands in `allowed`. */
	if (str_find(str_of(k->allowed), node->text) < 0)
		return yaml_error(l->err, l->file, node, "%s: %s is not possible here, only %s. %s", k->path, mode_name(mode), k->allowed, k->text);
	*ret = (int8_t)mode;
	return 0;
}

static int read_severity(struct loader *l, const struct key *k, const struct yaml_node *node, int8_t *ret)
{
	enum severity severity;

	if (str_eq(node->text, STR("never")) && k->allowed && str_find(str_of(k->allowed), node->text) >= 0) {
		*ret = SEVERITY_UNKNOWN;
		return 0;
	}
	if (severity_parse(node->text, &severity) < 0 || severity == SEVERITY_UNKNOWN)
		return value_not_accepted(l, k, node);
	*ret = (int8_t)severity;
	return 0;
}

int value_text(struct loader *l, const struct key *k, const struct yaml_node *node, struct str *ret)
{
	struct str copy;

	if (str_trim(node->text).n == 0)
		return yaml_error(l->err, l->file, node, "%s must not be empty", k->path);
	for (size_t i = 0; i < node->text.n; i++)
		if ((unsigned char)node->text.p[i] < ' ' || node->text.p[i] == 0x7f)
			return yaml_error(l->err, l->file, node, "%s must be one line without control characters", k->path);
	copy = arena_str(l->p->arena, node->text);
	if (!copy.p)
		return value_no_memory(l);
	*ret = copy;
	return 0;
}

static int read_address(struct loader *l, const struct key *k, const struct yaml_node *node, struct str *ret)
{
	ptrdiff_t colon = str_rchr(node->text, ':');
	uint64_t port;

	if (colon <= 0 || str_to_u64(str_skip(node->text, (size_t)colon + 1), &port) < 0 || port > 65535)
		return value_not_accepted(l, k, node);
	return value_text(l, k, node, ret);
}

/* A URL with a host and without user, query and fragment; it ends in a slash unless it names a NuGet index. */
int value_url(struct loader *l, const struct key *k, const struct yaml_node *node, struct str *ret)
{
	struct str url = node->text, rest = url, host;
	ptrdiff_t slash;

	if (str_starts_nocase(url, STR("https://")))
		rest = str_skip(url, 8);
	else if (str_starts_nocase(url, STR("http://")))
		rest = str_skip(url, 7);
	else
		return value_not_accepted(l, k, node);
	slash = str_chr(rest, '/');
	host = slash < 0 ? rest : str_take(rest, (size_t)slash);
	if (str_chr(host, '@') >= 0)
		return yaml_error(l->err, l->file, node, "%s: a user or password does not belong in an address; write token: or basic:", k->path);
	for (size_t i = 0; i < url.n; i++)
		if ((unsigned char)url.p[i] <= ' ' || (unsigned char)url.p[i] >= 0x7f || strchr("\"<>\\^`{|}", url.p[i]))
			return yaml_error(l->err, l->file, node, "%s: an address holds neither blanks nor \"<>\\^`{|} nor letters outside ASCII",
			                  k->path);
	if (host.n == 0 || str_chr(url, '?') >= 0 || str_chr(url, '#') >= 0)
		return yaml_error(l->err, l->file, node, "%s: write an address with a host, without ? and #", k->path);
	if (str_ends(url, STR("/")) || str_ends(url, STR(".json")))
		*ret = arena_str(l->p->arena, url);
	else
		*ret = arena_printf(l->p->arena, "%.*s/", STR_ARG(url));
	return ret->p ? 0 : value_no_memory(l);
}

static int read_date(struct loader *l, const struct key *k, const struct yaml_node *node, struct dated *ret)
{
	usec time;

	if (time_parse(node->text, &time) < 0)
		return value_not_accepted(l, k, node);
	/* A date alone is its last day. */
	ret->time = node->text.n == 10 ? time + USEC_DAY : time;
	ret->text = arena_str(l->p->arena, node->text);
	return ret->text.p ? 0 : value_no_memory(l);
}

static int read_pattern(struct loader *l, const struct key *k, const struct yaml_node *node, struct listed *ret)
{
	const char *problem;

	if (node->kind != YAML_SCALAR)
		return value_not_accepted(l, k, node);
	ret->text = arena_str(l->p->arena, node->text);
	if (!ret->text.p)
		return value_no_memory(l);
	ret->source = source_at(l, node);
	if (match_parse(ret->text, &ret->ecosystem, &ret->name, &ret->version, &problem) < 0)
		return yaml_error(l->err, l->file, node, "%s: \"%.*s\": %s", k->path, STR_ARG(str_take(node->text, 120)), problem);
	if (k->type == KEY_TYPE_NAMES && ret->version.n)
		return yaml_error(l->err, l->file, node, "%s: \"%.*s\" names a version; only names and patterns are accepted here", k->path,
		                  STR_ARG(str_take(node->text, 120)));
	if (k->flags & KEY_EXACT && str_chr(ret->name, '*') >= 0)
		return yaml_error(l->err, l->file, node, "%s: \"%.*s\": a name is wanted here, without a star", k->path,
		                  STR_ARG(str_take(node->text, 120)));
	if (k->type == KEY_TYPE_VERSIONS && !ret->version.n)
		return yaml_error(l->err, l->file, node, "%s: \"%.*s\" names no version; a whole package belongs in deny.names", k->path,
		                  STR_ARG(str_take(node->text, 120)));
	if (!match_version_readable(ret->ecosystem, ret->version))
		return yaml_error(l->err, l->file, node, "%s: \"%.*s\": \"%.*s\" is neither a version nor a range", k->path,
		                  STR_ARG(str_take(node->text, 120)), STR_ARG(str_take(ret->version, 60)));
	return 0;
}

static int read_hash(struct loader *l, const struct key *k, const struct yaml_node *node, struct listed *ret)
{
	unsigned char digest[DIGEST_BYTES];

	if (node->kind != YAML_SCALAR || digest_read(node->text, digest) < 0)
		return value_not_accepted(l, k, node);
	ret->text = arena_str(l->p->arena, node->text);
	ret->source = source_at(l, node);
	return ret->text.p ? 0 : value_no_memory(l);
}

int value_list(struct loader *l, const struct key *k, const struct yaml_node *node, struct list *ret)
{
	if (node->kind == YAML_NULL)
		return 0;
	for (const struct yaml_node *n = node->first; n; n = n->next) {
		struct listed *item = list_add(l->p, ret);
		int r;

		if (!item)
			return value_no_memory(l);
		switch (k->type) {
		case KEY_TYPE_HASHES:
			r = read_hash(l, k, n, item);
			break;
		case KEY_TYPE_TEXTS:
		case KEY_TYPE_SIGNING_KEYS:
			item->source = source_at(l, n);
			if (n->kind != YAML_SCALAR)
				r = value_not_accepted(l, k, n);
			else
				r = k->type == KEY_TYPE_TEXTS ? value_text(l, k, n, &item->text) : value_signing_key(l, k, n, &item->text);
			break;
		case KEY_TYPE_PUBLISHER_LIST:
			r = value_publisher(l, k, n, item);
			break;
		default:
			r = read_pattern(l, k, n, item);
			break;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int not_a_rule(struct loader *l, const struct key *k, const struct yaml_node *node)
{
	CLEANUP_BUF struct buf rules = BUF(1024);

	for (enum reason_code c = 0; c < REASON_UNKNOWN; c++)
		if (c != REASON_NAMESPACE)
			buf_printf(&rules, "%s%s", rules.n ? ", " : "", reason_code_name(c));
	return yaml_error(l->err, l->file, node, "%s: \"%.*s\" is no rule that can be lifted; these can: %s", k->path,
	                  STR_ARG(str_take(node->text, 60)), buf_cstr(&rules));
}

static int read_rules(struct loader *l, const struct key *k, const struct yaml_node *node, uint32_t *ret)
{
	enum reason_code code;

	for (const struct yaml_node *n = node->first; n; n = n->next) {
		if (n->kind != YAML_SCALAR || reason_code_parse(n->text, &code) < 0 || code >= REASON_UNKNOWN)
			return not_a_rule(l, k, n);
		if (code == REASON_NAMESPACE)
			return yaml_error(l->err, l->file, n, "%s: namespace cannot be lifted: no upstream may be asked for an internal name", k->path);
		*ret |= UINT32_C(1) << code;
	}
	return *ret ? 0 : yaml_error(l->err, l->file, node, "%s: name at least one rule", k->path);
}

static bool kind_fits(const struct key *k, const struct yaml_node *node)
{
	if (key_is_list(k))
		return node->kind == YAML_LIST || (node->kind == YAML_NULL && !(k->flags & KEY_REQUIRED));
	switch (k->type) {
	case KEY_TYPE_RULES:
		return node->kind == YAML_LIST;
	case KEY_TYPE_SECRET: /* these have sentences of their own */
	case KEY_TYPE_ENDPOINT:
	case KEY_TYPE_EVENTS:
		return true;
	default:
		return node->kind == YAML_SCALAR;
	}
}

static int read_duration(struct loader *l, const struct key *k, const struct yaml_node *node, usec *ret)
{
	/* "a duration of at most 90d", "a duration of at least 1m" */
	struct str allowed = str_of(k->allowed ? k->allowed : ""), bound = STR_NULL;
	ptrdiff_t most = str_find(allowed, STR("at most ")), least = str_find(allowed, STR("at least "));
	usec value, limit = 0;

	if (duration_parse(node->text, &value) < 0)
		return value_not_accepted(l, k, node);
	if (most >= 0)
		bound = str_skip(allowed, (size_t)most + 8);
	else if (least >= 0)
		bound = str_skip(allowed, (size_t)least + 9);
	if (bound.n && (duration_parse(bound, &limit) < 0 || (most >= 0 ? value > limit || value == 0 : value < limit)))
		return value_not_accepted(l, k, node);
	*ret = value;
	return 0;
}

int value_read(struct loader *l, const struct key *k, const struct yaml_node *node, void *target)
{
	if (!kind_fits(k, node))
		return value_not_accepted(l, k, node);
	/* clang-format off */
	switch (k->type) {
	case KEY_TYPE_INTEGER: return read_integer(l, k, node, target);
	case KEY_TYPE_SIZE: return read_size(l, k, node, target);
	case KEY_TYPE_DURATION: return read_duration(l, k, node, target);
	case KEY_TYPE_HOLD: return value_hold(l, k, node, target);
	case KEY_TYPE_MODE: return read_mode(l, k, node, target);
	case KEY_TYPE_SEVERITY: return read_severity(l, k, node, target);
	case KEY_TYPE_BOOL:
		if (!str_eq(node->text, STR("true")) && !str_eq(node->text, STR("false")))
			return value_not_accepted(l, k, node);
		*(bool *)target = str_eq(node->text, STR("true"));
		return 0;
	case KEY_TYPE_TEXT: return value_text(l, k, node, target);
	case KEY_TYPE_LABEL: return value_label(l, k, node, target);
	case KEY_TYPE_ADDRESS: return read_address(l, k, node, target);
	case KEY_TYPE_UPSTREAM: return str_eq(node->text, STR("auto")) ? value_text(l, k, node, target) : value_url(l, k, node, target);
	case KEY_TYPE_URL: return value_url(l, k, node, target);
	case KEY_TYPE_FEED_URL: return value_feed_url(l, k, node, target);
	case KEY_TYPE_ENDPOINT: return value_endpoint(l, k, node, target);
	case KEY_TYPE_DATE: return read_date(l, k, node, target);
	case KEY_TYPE_SECRET: return secret_read(l, k, node, target);
	case KEY_TYPE_RULES: return read_rules(l, k, node, target);
	case KEY_TYPE_EVENTS: return value_events(l, k, node, target);
	case KEY_TYPE_FORMAT: return value_format(l, k, node, target);
	case KEY_TYPE_SIGNING_KEY: return value_signing_key(l, k, node, target);
	case KEY_TYPE_PACKAGE: return read_pattern(l, k, node, target);
	case KEY_TYPE_PUBLISHER: return value_publisher(l, k, node, target);
	default: return value_list(l, k, node, target);
	}
	/* clang-format on */
}

int value_standard(struct loader *l, const struct key *k, void *target)
{
	struct yaml_node node = {.kind = YAML_SCALAR, .text = str_of(k->standard)};

	return k->standard ? value_read(l, k, &node, target) : 0;
}
