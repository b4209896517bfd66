#include "gate/upstream_hosts.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/cleanup.h"

static void free_part(char **part)
{
	curl_free(*part);
}
#define CLEANUP_PART CLEANUP(free_part)

static char *part_of(CURLU *parsed, CURLUPart part)
{
	char *text = NULL;

	return curl_url_get(parsed, part, &text, part == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0) == CURLUE_OK ? text : NULL;
}

/* Letters, digits and "-_." for names; in brackets the alphabet of IPv6, so without a zone. */
static bool host_is_plain(const char *host)
{
	size_t n = strlen(host);

	if (n == 0 || n > 253)
		return false;
	if (host[0] == '[')
		return n > 4 && host[n - 1] == ']' && strspn(host + 1, "0123456789abcdefABCDEF:.") == n - 2;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)host[i]) && !strchr("-_.", host[i]))
			return false;
	return true;
}

static void put_host(char out[256], const char *host)
{
	size_t n = strlen(host);

	for (size_t i = 0; i <= n; i++)
		out[i] = (char)tolower((unsigned char)host[i]);
	if (n > 1 && out[n - 1] == '.')
		out[n - 1] = 0;
}

static int where_of(CURLU *parsed, struct url_where *ret, struct err *err)
{
	CLEANUP_PART char *scheme = part_of(parsed, CURLUPART_SCHEME), *host = part_of(parsed, CURLUPART_HOST),
					  *port = part_of(parsed, CURLUPART_PORT), *user = part_of(parsed, CURLUPART_USER),
					  *password = part_of(parsed, CURLUPART_PASSWORD), *zone = part_of(parsed, CURLUPART_ZONEID);
	struct url_where where = {0};
	uint64_t number;

	if (!scheme || !host || zone || !host_is_plain(host))
		return err_set(err, -EINVAL, "the URL names no host");
	where.https = strcmp(scheme, "https") == 0;
	if (!where.https && strcmp(scheme, "http") != 0)
		return err_set(err, -EINVAL, "the URL is neither http nor https");
	put_host(where.host, host);
	if (user || password)
		return err_set(err, -EINVAL, "the URL at host %s carries a user name or password; give the credentials as a token", where.host);
	if (!port || str_to_u64(str_of(port), &number) < 0 || number == 0 || number > 65535)
		return err_set(err, -EINVAL, "the URL at host %s has no valid port", where.host);
	where.port = (unsigned)number;
	*ret = where;
	return 0;
}

/* Space to delete: nothing that ends a line or a request target. Above ASCII only where curl may encode it. */
static bool text_is_clean(struct str s, bool lenient)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c == 0x7f || (!lenient && (c == ' ' || c > 0x7f)))
			return false;
	}
	return s.n > 0;
}

static int set_url(CURLU *parsed, struct str url, unsigned flags, struct err *err)
{
	CLEANUP_FREE char *text = str_dup(url);
	CURLUcode code = text ? curl_url_set(parsed, CURLUPART_URL, text, flags) : CURLUE_OUT_OF_MEMORY;

	if (code == CURLUE_OUT_OF_MEMORY)
		return err_set(err, -ENOMEM, "memory is out");
	if (code != CURLUE_OK)
		return err_set(err, -EINVAL, "not a usable URL (%s)", curl_url_strerror(code));
	curl_url_set(parsed, CURLUPART_FRAGMENT, NULL, 0);
	return 0;
}

int url_read(struct str url, CURLU **ret_parsed, struct url_where *ret, struct err *err)
{
	CURLU *parsed;
	int r;

	if (!text_is_clean(url, false))
		return err_set(err, -EINVAL, "the URL is empty or has blanks, control bytes or bytes above ASCII in it");
	parsed = curl_url();
	if (!parsed)
		return err_set(err, -ENOMEM, "memory is out");
	r = set_url(parsed, url, 0, err);
	if (r == 0)
		r = where_of(parsed, ret, err);
	if (r < 0 || !ret_parsed)
		curl_url_cleanup(parsed);
	else
		*ret_parsed = parsed;
	return r;
}

int url_follow(CURLU *parsed, struct str location, struct url_where *ret, struct err *err)
{
	int r;

	if (!text_is_clean(location, true))
		return err_set(err, -EINVAL, "the location is empty or has control bytes in it");
	r = set_url(parsed, location, CURLU_URLENCODE, err);
	return r < 0 ? r : where_of(parsed, ret, err);
}

void url_show(CURLU *parsed, char out[URL_SHOWN])
{
	CLEANUP_PART char *scheme = part_of(parsed, CURLUPART_SCHEME), *host = part_of(parsed, CURLUPART_HOST),
					  *path = part_of(parsed, CURLUPART_PATH), *port = NULL;

	if (curl_url_get(parsed, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT) != CURLUE_OK)
		port = NULL;
	snprintf(out, URL_SHOWN, "%s://%s%s%s%s", scheme ? scheme : "", host ? host : "", port ? ":" : "", port ? port : "", path ? path : "");
}

static bool host_is_numeric(const char *host)
{
	struct in_addr v4;

	return host[0] == '[' || inet_pton(AF_INET, host, &v4) == 1;
}

/* "name", "name:port", "[::1]", "[::1]:port" and a bare "::1". *ret_port is 0 without a port; false for a wrong one. */
static bool split_listed(struct str listed, struct str *ret_name, unsigned *ret_port)
{
	ptrdiff_t colon = str_rchr(listed, ':'), bracket = str_rchr(listed, ']');
	uint64_t port = 0;

	*ret_name = listed;
	*ret_port = 0;
	if (colon < 0 || colon < bracket || (bracket < 0 && str_chr(listed, ':') != colon))
		return listed.n > 0;
	if (str_to_u64(str_skip(listed, (size_t)colon + 1), &port) < 0 || port == 0 || port > 65535)
		return false;
	*ret_name = str_take(listed, (size_t)colon);
	*ret_port = (unsigned)port;
	return colon > 0;
}

static bool name_matches(struct str name, const char *host)
{
	struct str h = str_of(host);

	if (str_ends(name, STR(".")))
		name.n--;
	if (h.n > 2 && h.p[0] == '[' && (name.n == 0 || name.p[0] != '['))
		h = str_take(str_skip(h, 1), h.n - 2);
	return str_eq_nocase(name, h);
}

static enum host_trust trust_by(struct str listed, const struct url_where *where)
{
	struct str name, host = str_of(where->host);
	unsigned port;

	if (!split_listed(str_trim(listed), &name, &port))
		return HOST_REFUSED;
	if (where->port != (port ? port : where->https ? 443 : 80))
		return HOST_REFUSED;
	if (!str_starts(name, STR("*.")))
		return name_matches(name, where->host) ? HOST_LISTED : HOST_REFUSED;
	name = str_skip(name, 1);
	if (name.n < 2 || host.n <= name.n || host_is_numeric(where->host))
		return HOST_REFUSED;
	return str_eq_nocase(str_skip(host, host.n - name.n), name) ? HOST_WILDCARD : HOST_REFUSED;
}

int hosts_check(const struct fetch_hosts *hosts, const struct url_where *where, enum host_trust *ret_trust, struct err *err)
{
	enum host_trust trust = HOST_REFUSED;
	struct url_where own;
	int r = url_read(hosts->url, NULL, &own, err);

	if (r < 0)
		return err_prefix(err, "the origin's own address");
	if (own.https == where->https && own.port == where->port && strcmp(own.host, where->host) == 0)
		trust = HOST_ORIGIN;
	if (trust == HOST_REFUSED && own.https && !where->https)
		return err_set(err, -EACCES, "%s is asked for over http, but its origin %s is https: nothing of it is fetched unencrypted",
		               where->host, own.host);
	for (size_t i = 0; i < hosts->listed_count && trust < HOST_LISTED; i++) {
		enum host_trust by = trust_by(hosts->listed[i], where);

		trust = by > trust ? by : trust;
	}
	if (trust == HOST_REFUSED)
		return err_set(err, -EACCES,
		               "%s port %u is neither the origin's own host (%s) nor listed for it; if it is right, list it in the policy",
		               where->host, where->port, own.host);
	*ret_trust = trust;
	return 0;
}

static bool in4(uint32_t address, uint32_t network, unsigned bits)
{
	return (address ^ network) >> (32 - bits) == 0;
}

static bool v4_is_public(uint32_t a)
{
	static const struct {
		uint32_t network;
		unsigned bits;
	} special[] = {
		{0x00000000, 8},  /* this network */
		{0x0a000000, 8},  /* private */
		{0x64400000, 10}, /* carrier-grade NAT */
		{0x7f000000, 8},  /* loopback */
		{0xa9fe0000, 16}, /* link-local, and with it the clouds' metadata services */
		{0xac100000, 12}, /* private */
		{0xc0000000, 24}, /* protocol assignments */
		{0xc0000200, 24}, /* documentation */
		{0xc0586300, 24}, /* 6to4 relays, withdrawn */
		{0xc0a80000, 16}, /* private */
		{0xc6120000, 15}, /* benchmarks */
		{0xc6336400, 24}, /* documentation */
		{0xcb007100, 24}, /* documentation */
		{0xe0000000, 4},  /* multicast */
		{0xf0000000, 4},  /* reserved, broadcast */
	};

	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
		if (in4(a, special[i].network, special[i].bits))
			return false;
	return true;
}

static uint32_t v4_inside(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool v6_is_public(const uint8_t *a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}, nat64[12] = {0x00, 0x64, 0xff, 0x9b};

	if (memcmp(a, mapped, 12) == 0 || memcmp(a, nat64, 12) == 0)
		return v4_is_public(v4_inside(a + 12));
	if ((a[0] & 0xe0) != 0x20)
		return false; /* only 2000::/3 is handed out: the rest is local, multicast or reserved */
	if (a[0] == 0x20 && a[1] == 0x02)
		return v4_is_public(v4_inside(a + 2)); /* 6to4 */
	if (a[0] == 0x20 && a[1] == 0x01)
		return a[2] > 0x01 && !(a[2] == 0x0d && a[3] == 0xb8); /* 2001::/23 is Teredo and others, 2001:db8::/32 documentation */
	return !(a[0] == 0x3f && a[1] == 0xff && a[2] < 0x10);     /* 3fff::/20 documentation */
}

bool address_is_public(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		struct sockaddr_in v4;

		memcpy(&v4, address, sizeof(v4));
		return v4_is_public(ntohl(v4.sin_addr.s_addr));
	}
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;

		memcpy(&v6, address, sizeof(v6));
		return v6_is_public(v6.sin6_addr.s6_addr);
	}
	return false;
}

bool address_text_is_public(const char *text)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return address_is_public((const struct sockaddr *)&v4);
	if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
		return address_is_public((const struct sockaddr *)&v6);
	return false;
}
