#include "codec/minisign.h"
#include "policy/load.h"

enum { LIMIT_LABEL_BYTES = 64, MINISIGN_LINE = 56 };

int value_hold(struct loader *l, const struct key *k, const struct yaml_node *node, usec *ret)
{
	if (str_eq(node->text, STR("until-decided"))) {
		*ret = USEC_NEVER;
		return 0;
	}
	return duration_parse(node->text, ret) < 0 ? value_not_accepted(l, k, node) : 0;
}

/* The same letters as in a label of the gate's addresses. */
int value_label(struct loader *l, const struct key *k, const struct yaml_node *node, struct str *ret)
{
	if (node->text.n == 0 || node->text.n > LIMIT_LABEL_BYTES || node->text.p[0] == '.')
		return value_not_accepted(l, k, node);
	for (size_t i = 0; i < node->text.n; i++) {
		char c = node->text.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
			return value_not_accepted(l, k, node);
	}
	return value_text(l, k, node, ret);
}

/* RFC 1918 and loopback, four numbers as they are always written. */
static bool v4_private(struct str host)
{
	uint64_t bytes[4];
	struct str part;
	size_t n = 0;

	while (str_split(&host, '.', &part)) {
		if (n == 4 || part.n == 0 || part.n > 3 || str_to_u64(part, &bytes[n]) < 0 || bytes[n] > 255)
			return false;
		n++;
	}
	return n == 4 && (bytes[0] == 127 || bytes[0] == 10 || (bytes[0] == 172 && bytes[1] >= 16 && bytes[1] < 32) ||
	                  (bytes[0] == 192 && bytes[1] == 168));
}

/* An address in numbers that is not one of the public internet, or localhost. IPv6: loopback and fc00::/7 (RFC 4193). */
static bool host_private(struct str host)
{
	if (host.n == 0 || host.p[0] != '[')
		return str_eq_nocase(host, STR("localhost")) || v4_private(host);
	for (size_t i = 1; i < host.n; i++)
		if (!strchr("0123456789abcdefABCDEF:]", host.p[i]))
			return false;
	return str_eq(host, STR("[::1]")) ||
	       (host.n > 6 && str_chr(host, ':') == 5 && (str_starts_nocase(host, STR("[fc")) || str_starts_nocase(host, STR("[fd"))));
}

/* A URL of which query and path are kept as they are; chats and feeds want both. */
static int read_any_url(struct loader *l, const struct key *k, const struct yaml_node *node, struct str *ret, bool *ret_plain,
                        struct str *ret_host)
{
	struct str url = node->text, rest;
	size_t end = 0;

	*ret_plain = str_starts_nocase(url, STR("http://"));
	if (!*ret_plain && !str_starts_nocase(url, STR("https://")))
		return value_not_accepted(l, k, node);
	rest = str_skip(url, *ret_plain ? 7 : 8);
	while (end < rest.n && !strchr("/?", rest.p[end]))
		end++;
	*ret_host = str_take(rest, end);
	for (size_t i = 0; i < url.n; i++)
		if ((unsigned char)url.p[i] <= ' ' || (unsigned char)url.p[i] >= 0x7f || strchr("\"<>\\^`{|}#", url.p[i]))
			return yaml_error(l->err, l->file, node, "%s: an address holds neither blanks nor \"<>\\^`{|}# nor letters outside ASCII",
			                  k->path);
	if (ret_host->n == 0 || str_chr(*ret_host, '@') >= 0)
		return yaml_error(l->err, l->file, node, "%s: write an address with a host and without a user; a token goes to token:", k->path);
	return value_text(l, k, node, ret);
}

int value_feed_url(struct loader *l, const struct key *k, const struct yaml_node *node, struct str *ret)
{
	struct str host;
	bool plain;

	return read_any_url(l, k, node, ret, &plain, &host);
}

bool feed_url_safe(struct str url)
{
	struct str host;
	size_t end = 0;

	if (!str_starts_nocase(url, STR("http://")))
		return true;
	host = str_skip(url, 7);
	while (end < host.n && !strchr("/?", host.p[end]))
		end++;
	host = str_take(host, end);
	if (host.n && host.p[host.n - 1] != ']' && str_rchr(host, ':') >= 0)
		host = str_take(host, (size_t)str_rchr(host, ':'));
	return host_private(host);
}

int value_endpoint(struct loader *l, const struct key *k, const struct yaml_node *node, struct secret *ret)
{
	struct yaml_node fetched = *node;
	struct str host, url;
	bool plain;
	int r;

	if (node->kind == YAML_SCALAR) {
		ret->kind = STR_NULL;
		if ((r = read_any_url(l, k, node, &ret->name, &plain, &host)) == 0)
			ret->value = ret->name;
		return r;
	}
	if (node->kind != YAML_MAP)
		return value_not_accepted(l, k, node);
	if ((r = secret_read(l, k, node, ret)) < 0 || !ret->value.n)
		return r;
	/* What was kept elsewhere is an address too; it must not end up in a message. */
	fetched.kind = YAML_SCALAR;
	fetched.text = ret->value;
	if (str_starts_nocase(ret->value, STR("http")) && read_any_url(l, k, &fetched, &url, &plain, &host) == 0)
		return 0;
	return yaml_error(l->err, l->file, node, "%s: what {%.*s: %.*s} holds is no address that begins with https:// or http://", k->path,
	                  STR_ARG(ret->kind), STR_ARG(ret->name));
}

static const struct {
	enum webhook_event event;
	const char *name;
} events[] = {
	{WEBHOOK_REQUEST, "request"}, {WEBHOOK_DECISION, "decision"}, {WEBHOOK_INCIDENT, "incident"}, {WEBHOOK_BREAK_GLASS, "break-glass"}};

enum { EVENTS = sizeof(events) / sizeof(events[0]) };

const char *webhook_event_name(enum webhook_event e)
{
	for (size_t i = 0; i < EVENTS; i++)
		if (events[i].event == e)
			return events[i].name;
	return "";
}

int value_events(struct loader *l, const struct key *k, const struct yaml_node *node, uint32_t *ret)
{
	*ret = 0;
	if (node->kind == YAML_SCALAR && str_eq(node->text, STR("all"))) {
		*ret = WEBHOOK_EVENTS_ALL;
		return 0;
	}
	if (node->kind != YAML_LIST || !node->first)
		return value_not_accepted(l, k, node);
	for (const struct yaml_node *n = node->first; n; n = n->next) {
		uint32_t before = *ret;

		for (size_t i = 0; i < EVENTS; i++)
			if (n->kind == YAML_SCALAR && str_eq(n->text, str_of(events[i].name)))
				*ret |= events[i].event;
		if (*ret == before)
			return value_not_accepted(l, k, n);
	}
	return 0;
}

static const char *const formats[] = {[WEBHOOK_GENERIC] = "generic", [WEBHOOK_SLACK] = "slack", [WEBHOOK_TEAMS] = "teams"};

const char *webhook_format_name(enum webhook_format f)
{
	return formats[f];
}

int value_format(struct loader *l, const struct key *k, const struct yaml_node *node, int8_t *ret)
{
	for (enum webhook_format f = WEBHOOK_GENERIC; f <= WEBHOOK_TEAMS; f++)
		if (str_eq(node->text, str_of(formats[f]))) {
			*ret = (int8_t)f;
			return 0;
		}
	return value_not_accepted(l, k, node);
}

int value_signing_key(struct loader *l, const struct key *k, const struct yaml_node *node, struct str *ret)
{
	struct minisign_public key;

	if (node->text.n != MINISIGN_LINE || minisign_public_parse(node->text, &key, NULL) < 0)
		return yaml_error(l->err, l->file, node,
		                  "%s: \"%.*s\" is no minisign public key; write the second line of the .pub file (56 letters, RW…)", k->path,
		                  STR_ARG(str_take(node->text, 80)));
	return value_text(l, k, node, ret);
}

int value_publisher(struct loader *l, const struct key *k, const struct yaml_node *node, struct listed *ret)
{
	const char *problem;

	if (node->kind != YAML_SCALAR)
		return value_not_accepted(l, k, node);
	ret->source = source_at(l, node);
	ret->text = arena_str(l->p->arena, node->text);
	if (!ret->text.p)
		return value_no_memory(l);
	if (publisher_parse(ret->text, k->type == KEY_TYPE_PUBLISHER, &ret->publisher, &ret->name, &problem) < 0)
		return yaml_error(l->err, l->file, node, "%s: \"%.*s\": %s", k->path, STR_ARG(str_take(node->text, 120)), problem);
	return 0;
}
