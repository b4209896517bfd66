#include <arpa/inet.h>

#include "policy/load.h"

enum { LIMIT_LABEL_BYTES = 64, MINISIGN_KEY_BYTES = 42, MINISIGN_KEY_LETTERS = 56 };

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

/* An address in numbers that is not one of the public internet, or localhost. */
static bool host_private(struct str host)
{
	unsigned char v4[4], v6[16];
	char text[64];

	if (str_eq_nocase(host, STR("localhost")))
		return true;
	if (host.n == 0 || host.n >= sizeof(text))
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	if (inet_pton(AF_INET, text, v4) == 1)
		return v4[0] == 127 || v4[0] == 10 || (v4[0] == 172 && (v4[1] & 0xf0) == 16) || (v4[0] == 192 && v4[1] == 168);
	if (text[0] != '[' || text[host.n - 1] != ']')
		return false;
	text[host.n - 1] = '\0';
	if (inet_pton(AF_INET6, text + 1, v6) != 1)
		return false;
	return (v6[0] & 0xfe) == 0xfc || memcmp(v6, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", sizeof(v6)) == 0;
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

/* minisign's: "Ed", eight bytes of key id, 32 of the key (https://jedisct1.github.io/minisign/, "Public key format"). */
int value_signing_key(struct loader *l, const struct key *k, const struct yaml_node *node, struct str *ret)
{
	unsigned char bytes[MINISIGN_KEY_BYTES];

	if (node->text.n != MINISIGN_KEY_LETTERS || base64_decode(node->text, bytes, sizeof(bytes)) != MINISIGN_KEY_BYTES ||
	    memcmp(bytes, "Ed", 2) != 0)
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
