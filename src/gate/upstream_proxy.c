#include <arpa/inet.h>
#include <stdlib.h>

#include "gate/upstream_hosts.h"

/* The first of the names that is set to something. */
static int copy_env(char **ret, const char *const *names)
{
	for (; *names; names++) {
		const char *value = getenv(*names);

		if (!value || !*value)
			continue;
		*ret = strdup(value);
		return *ret ? 0 : -ENOMEM;
	}
	return 0;
}

int proxy_settings_read(struct proxy_settings *ret)
{
	/* HTTP_PROXY is left out on purpose, as curl does: a CGI program gets it from a request's "Proxy:" header. */
	static const char *const http[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL},
							 *const https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL},
							 *const none[] = {"no_proxy", "NO_PROXY", NULL};
	struct proxy_settings p = {0};

	if (copy_env(&p.http, http) < 0 || copy_env(&p.https, https) < 0 || copy_env(&p.none, none) < 0) {
		proxy_settings_free(&p);
		return -ENOMEM;
	}
	*ret = p;
	return 0;
}

void proxy_settings_free(struct proxy_settings *p)
{
	free(p->http);
	free(p->https);
	free(p->none);
	*p = (struct proxy_settings){0};
}

/* Address bytes of a numeric host, brackets allowed: 4, 16 or 0 when it is a name. */
static size_t numeric(struct str host, uint8_t out[16])
{
	char text[64];

	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = str_take(str_skip(host, 1), host.n - 2);
	if (host.n == 0 || host.n >= sizeof(text))
		return 0;
	memcpy(text, host.p, host.n);
	text[host.n] = 0;
	return inet_pton(AF_INET, text, out) == 1 ? 4 : inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

/* "10.0.0.0/8", "[fd00::]/8" or a single address. */
static bool network_holds(struct str network, const uint8_t *address, size_t n)
{
	ptrdiff_t slash = str_chr(network, '/');
	uint64_t bits = n * 8;
	uint8_t base[16];

	if (slash >= 0 && (str_to_u64(str_skip(network, (size_t)slash + 1), &bits) < 0 || bits > n * 8))
		return false;
	if (numeric(slash >= 0 ? str_take(network, (size_t)slash) : network, base) != n)
		return false;
	if (memcmp(base, address, bits / 8) != 0)
		return false;
	return bits % 8 == 0 || (base[bits / 8] ^ address[bits / 8]) >> (8 - bits % 8) == 0;
}

/* The name itself and its subdomains; a leading dot changes nothing. */
static bool domain_holds(struct str domain, struct str host)
{
	if (str_starts(domain, STR(".")))
		domain = str_skip(domain, 1);
	if (str_ends(domain, STR(".")))
		domain.n--;
	if (domain.n == 0 || host.n < domain.n || !str_eq_nocase(str_skip(host, host.n - domain.n), domain))
		return false;
	return host.n == domain.n || host.p[host.n - domain.n - 1] == '.';
}

static bool goes_directly(const char *none, const struct url_where *where)
{
	struct str rest = str_of(none), part, host = str_of(where->host);
	uint8_t address[16];
	size_t n = numeric(host, address);

	if (str_eq(str_trim(rest), STR("*")))
		return true;
	while (rest.n) {
		size_t end = 0;

		while (end < rest.n && rest.p[end] != ',' && rest.p[end] != ' ' && rest.p[end] != '\t')
			end++;
		part = str_take(rest, end);
		rest = str_skip(rest, end + 1);
		if (part.n && (n ? network_holds(part, address, n) : domain_holds(part, host)))
			return true;
	}
	return false;
}

const char *proxy_for(const struct proxy_settings *p, const struct url_where *where)
{
	const char *proxy = where->https ? p->https : p->http;

	return proxy && !(p->none && goes_directly(p->none, where)) ? proxy : NULL;
}
