/* Where an upstream fetch may go: pure checks of URLs, host names and addresses. URLs are read by libcurl's own parser, the
 * same that connects afterwards, so that what is checked and what is contacted cannot differ. */
#ifndef BONDGATE_GATE_UPSTREAM_HOSTS_H
#define BONDGATE_GATE_UPSTREAM_HOSTS_H

#include <curl/curl.h>
#include <sys/socket.h>

#include "gate/upstream.h"

/* A URL's scheme, host and port. */
struct url_where {
	bool https;
	unsigned port;
	char host[256]; /* lower case, no dot at the end, IPv6 in brackets */
};

/* Reads an absolute http or https URL. 0; -EINVAL for anything else, for blanks and control bytes, and for a URL with a user
 * name or password in it. *ret_parsed (may be NULL) is the caller's, by curl_url_cleanup(). */
int url_read(struct str url, CURLU **ret_parsed, struct url_where *ret, struct err *err);

/* The same for a Location header, resolved against `parsed`, which changes to the new URL. 0 or -EINVAL (`parsed` is then of
 * no use). */
int url_follow(CURLU *parsed, struct str location, struct url_where *ret, struct err *err);

/* For messages: scheme, host, port and path, without the query (which may be a signature). Never longer than 240 bytes. */
enum { URL_SHOWN = 241 };
void url_show(CURLU *parsed, char out[URL_SHOWN]);

enum host_trust {
	HOST_REFUSED,
	HOST_WILDCARD, /* by "*.name": only at public addresses */
	HOST_LISTED,   /* named exactly: at any address */
	HOST_ORIGIN,   /* the origin's own scheme, host and port: at any address, and with its credentials */
};

/* May `where` be contacted for this origin? A listed "name" without a port means the scheme's own port; a wildcard never
 * matches a numeric address. An origin at https is never served over http. 0 and *ret_trust, or -EACCES and a message that
 * says what to do; -EINVAL when the origin's own URL is wrong. */
int hosts_check(const struct fetch_hosts *hosts, const struct url_where *where, enum host_trust *ret_trust, struct err *err);

/* Is it an address of the public internet? False for everything private, local, reserved, multicast or of another family;
 * addresses that carry an IPv4 address inside (mapped, NAT64, 6to4) are judged by that one.
 * IANA IPv4 and IPv6 Special-Purpose Address Registries. */
bool address_is_public(const struct sockaddr *address);
/* The same for its text; false for what is no address. */
bool address_text_is_public(const char *text);

/* Proxies from the environment, by curl's rules: http_proxy (lower case only), https_proxy, all_proxy, no_proxy. */
struct proxy_settings {
	char *http, *https, *none; /* NULL: not set */
};
/* Reads the environment once. 0 or -ENOMEM. */
int proxy_settings_read(struct proxy_settings *ret);
void proxy_settings_free(struct proxy_settings *p);
/* The proxy's URL for `where`, or NULL: directly. no_proxy holds "*", names (with their subdomains), addresses and networks
 * ("10.0.0.0/8"). */
const char *proxy_for(const struct proxy_settings *p, const struct url_where *where);

#endif
