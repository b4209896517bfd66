/* A URL and, after the first line's end, a Location: whatever comes, what is accepted is plain, and only named hosts pass. */
#include <stdlib.h>

#include "gate/upstream_hosts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct url_where *where)
{
	static const struct str listed[] = {STR("cdn.example"), STR("*.pool.example")};
	const struct fetch_hosts hosts = {.url = STR("https://r.example/npm/"), .listed = listed, .listed_count = 2};
	struct str host = str_of(where->host);
	enum host_trust trust;

	if (host.n == 0 || where->port == 0 || where->port > 65535 || strpbrk(where->host, "@/\\?#% \t\r\n"))
		abort();
	if (hosts_check(&hosts, where, &trust, NULL) < 0)
		return;
	if (!where->https || where->port != 443)
		abort();
	if (trust == HOST_ORIGIN   ? !str_eq(host, STR("r.example"))
	    : trust == HOST_LISTED ? !str_eq(host, STR("cdn.example"))
	                           : !str_ends(host, STR(".pool.example")))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = {(const char *)data, size}, url = STR_NULL;
	struct url_where where;
	struct err err;
	CURLU *parsed;
	char shown[URL_SHOWN];

	str_split(&input, '\n', &url);
	if (url_read(url, &parsed, &where, &err) < 0)
		return 0;
	check(&where);
	url_show(parsed, shown);
	if (url_follow(parsed, input, &where, &err) == 0) {
		check(&where);
		url_show(parsed, shown);
	}
	curl_url_cleanup(parsed);
	return 0;
}
