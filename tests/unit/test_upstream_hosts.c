#include "unit.h"

#include <stdlib.h>

#include "gate/upstream_hosts.h"

static void urls_are_read_or_refused(void **state)
{
	static const struct {
		const char *url, *host;
		bool https;
		unsigned port;
	} cases[] = {
		{"http://Registry.Example/", "registry.example", false, 80},
		{"https://registry.example", "registry.example", true, 443},
		{"https://registry.example:8443/a?b=c", "registry.example", true, 8443},
		{"HTTPS://registry.example./x", "registry.example", true, 443},
		{"http://127.0.0.1:4873/", "127.0.0.1", false, 4873},
		{"http://127.1/", "127.0.0.1", false, 80},
		{"http://0x7f000001/", "127.0.0.1", false, 80},
		{"http://[::1]:8080/", "[::1]", false, 8080},
		{"https://a_b.example/@s%2fn", "a_b.example", true, 443},
		{"", NULL, false, 0},
		{"registry.example/x", NULL, false, 0},
		{"/x", NULL, false, 0},
		{"ftp://registry.example/", NULL, false, 0},
		{"file:///etc/passwd", NULL, false, 0},
		{"http://", NULL, false, 0},
		{"http://user@registry.example/", NULL, false, 0},
		{"http://user:password@registry.example/", NULL, false, 0},
		{"http://registry.example:0/", NULL, false, 0},
		{"http://registry.example:65536/", NULL, false, 0},
		{"http://registry.example:x/", NULL, false, 0},
		{"http://registry.example/a b", NULL, false, 0},
		{"http://registry.example/a\r\nb", NULL, false, 0},
		{"http://registry.example/\x7f", NULL, false, 0},
		{"http://r\xc3\xa9gistry.example/", NULL, false, 0},
		{"http://registry%2eexample%00/", NULL, false, 0},
		{"http://[fe80::1%25eth0]/", NULL, false, 0},
		{"http://a*b.example/", NULL, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct url_where where = {0};
		struct err err;
		int r = url_read(str_of(cases[i].url), NULL, &where, &err);

		if (r != (cases[i].host ? 0 : -EINVAL))
			fail_msg("'%s' gives %d", cases[i].url, r);
		if (r < 0)
			continue;
		assert_string_equal(where.host, cases[i].host);
		assert_int_equal(where.https, cases[i].https);
		assert_int_equal(where.port, cases[i].port);
	}
}

static void messages_show_no_secrets(void **state)
{
	CURLU *parsed;
	struct url_where where;
	struct err err;
	char shown[URL_SHOWN];

	(void)state;
	assert_int_equal(url_read(STR("https://h.example:8443/a/b.tgz?signature=s3cr3t#f"), &parsed, &where, &err), 0);
	url_show(parsed, shown);
	assert_string_equal(shown, "https://h.example:8443/a/b.tgz");
	curl_url_cleanup(parsed);
	assert_int_equal(url_read(STR("https://me:s3cr3t@h.example/"), NULL, &where, &err), -EINVAL);
	assert_null(strstr(err.text, "s3cr3t"));
}

static void locations_are_resolved(void **state)
{
	static const struct {
		const char *location, *url;
	} cases[] = {
		{"/y", "https://h.example:8443/y"},
		{"y", "https://h.example:8443/a/y"},
		{"../y?z#f", "https://h.example:8443/y?z"},
		{"//other.example/y", "https://other.example/y"},
		{"http://other.example/", "http://other.example/"},
		{"/with blank", "https://h.example:8443/with%20blank"},
		{"", NULL},
		{"/a\r\nb", NULL},
		{"ftp://other.example/", NULL},
		{"https://u:p@other.example/", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CURLU *parsed;
		struct url_where where;
		char *text;
		int r;

		assert_int_equal(url_read(STR("https://h.example:8443/a/b"), &parsed, &where, NULL), 0);
		r = url_follow(parsed, str_of(cases[i].location), &where, NULL);
		if (r != (cases[i].url ? 0 : -EINVAL))
			fail_msg("'%s' gives %d", cases[i].location, r);
		if (r == 0) {
			assert_int_equal(curl_url_get(parsed, CURLUPART_URL, &text, 0), CURLUE_OK);
			assert_string_equal(text, cases[i].url);
			curl_free(text);
		}
		curl_url_cleanup(parsed);
	}
}

static void only_named_hosts_are_contacted(void **state)
{
	static const struct str listed[] = {STR("cdn.example"), STR("files.example:8080"), STR("*.pool.example"), STR("*.odd.example:81"),
	                                    STR("[::1]:90"), STR("10.0.0.9"), STR("*"), STR("*."), STR("*.0.0.1"), STR(""), STR(":80"), STR("x.example:y")};
	static const struct {
		const char *origin, *url;
		enum host_trust trust;
	} cases[] = {
		{"https://r.example/npm/", "https://r.example/x", HOST_ORIGIN},
		{"https://r.example/npm/", "https://R.EXAMPLE./x", HOST_ORIGIN},
		{"https://r.example/npm/", "https://r.example:443/x", HOST_ORIGIN},
		{"https://r.example/npm/", "https://r.example:444/x", HOST_REFUSED},
		{"https://r.example/npm/", "http://r.example/x", HOST_REFUSED},
		{"https://r.example/npm/", "https://sub.r.example/x", HOST_REFUSED},
		{"https://r.example/npm/", "https://evilr.example/x", HOST_REFUSED},
		{"https://r.example/npm/", "https://cdn.example/x", HOST_LISTED},
		{"https://r.example/npm/", "https://cdn.example:8443/x", HOST_REFUSED},
		{"https://r.example/npm/", "http://cdn.example/x", HOST_REFUSED},
		{"http://r.example/npm/", "http://cdn.example/x", HOST_LISTED},
		{"http://r.example/npm/", "https://cdn.example/x", HOST_LISTED},
		{"https://r.example/npm/", "https://files.example:8080/x", HOST_LISTED},
		{"https://r.example/npm/", "https://files.example/x", HOST_REFUSED},
		{"https://r.example/npm/", "https://a.pool.example/x", HOST_WILDCARD},
		{"https://r.example/npm/", "https://a.b.POOL.example/x", HOST_WILDCARD},
		{"https://r.example/npm/", "https://pool.example/x", HOST_REFUSED},
		{"https://r.example/npm/", "https://apool.example/x", HOST_REFUSED},
		{"https://r.example/npm/", "https://a.pool.example.evil.example/x", HOST_REFUSED},
		{"http://r.example/npm/", "http://a.odd.example:81/x", HOST_WILDCARD},
		{"http://r.example/npm/", "http://a.odd.example/x", HOST_REFUSED},
		{"http://r.example/npm/", "http://[::1]:90/x", HOST_LISTED},
		{"http://r.example/npm/", "http://[::1]/x", HOST_REFUSED},
		{"http://r.example/npm/", "http://10.0.0.9/x", HOST_LISTED},
		{"http://r.example/npm/", "http://127.0.0.1/x", HOST_REFUSED},
		{"http://127.0.0.1:4874/", "http://127.0.0.1:4874/x", HOST_ORIGIN},
		{"http://127.0.0.1:4874/", "http://127.0.0.1:4875/x", HOST_REFUSED},
		{"http://127.0.0.1:4874/", "http://localhost:4874/x", HOST_REFUSED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fetch_hosts hosts = {.url = str_of(cases[i].origin), .listed = listed, .listed_count = sizeof(listed) / sizeof(*listed)};
		enum host_trust trust = HOST_REFUSED;
		struct url_where where;
		int r;

		assert_int_equal(url_read(str_of(cases[i].url), NULL, &where, NULL), 0);
		r = hosts_check(&hosts, &where, &trust, NULL);
		if (r != (cases[i].trust ? 0 : -EACCES) || trust != cases[i].trust)
			fail_msg("%s for %s gives %d, trust %d", cases[i].url, cases[i].origin, r, (int)trust);
	}
}

static void private_addresses_are_known(void **state)
{
	static const struct {
		const char *address;
		bool public;
	} cases[] = {
		{"1.1.1.1", true}, {"93.184.216.34", true}, {"9.255.255.255", true}, {"11.0.0.0", true}, {"172.15.255.255", true},
		{"172.32.0.0", true}, {"100.63.255.255", true}, {"100.128.0.0", true}, {"223.255.255.255", true}, {"198.17.255.255", true},
		{"0.0.0.0", false}, {"10.0.0.1", false}, {"10.255.255.255", false}, {"100.64.0.1", false}, {"100.127.255.255", false},
		{"127.0.0.1", false}, {"127.255.255.255", false}, {"169.254.169.254", false}, {"172.16.0.1", false}, {"172.31.255.255", false},
		{"192.0.0.1", false}, {"192.0.2.1", false}, {"192.168.1.1", false}, {"198.18.0.1", false}, {"198.19.255.255", false},
		{"198.51.100.1", false}, {"203.0.113.1", false}, {"224.0.0.1", false}, {"239.1.2.3", false}, {"240.0.0.1", false},
		{"255.255.255.255", false},
		{"2606:4700:4700::1111", true}, {"2a00:1450::1", true}, {"::ffff:1.1.1.1", true}, {"64:ff9b::1.1.1.1", true},
		{"2002:101:101::1", true},
		{"::", false}, {"::1", false}, {"::ffff:127.0.0.1", false}, {"::ffff:10.0.0.1", false}, {"::127.0.0.1", false},
		{"64:ff9b::10.0.0.1", false}, {"64:ff9b:1::1", false}, {"100::1", false}, {"2001::1", false}, {"2001:db8::1", false},
		{"2002:7f00:1::1", false}, {"2002:a00:1::1", false}, {"3fff::1", false}, {"fc00::1", false}, {"fd12:3456::1", false},
		{"fe80::1", false}, {"fec0::1", false}, {"ff02::1", false}, {"", false}, {"not an address", false}, {"fe80::1%eth0", false},
	};
	struct sockaddr other = {.sa_family = AF_UNIX};

	(void)state;
	assert_false(address_is_public(&other));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (address_text_is_public(cases[i].address) != cases[i].public)
			fail_msg("%s is taken for the opposite", cases[i].address);
}

static void proxies_are_chosen_as_curl_does(void **state)
{
	static const struct {
		const char *none, *url;
		bool proxied;
	} cases[] = {
		{NULL, "http://h.example/", true},
		{"", "http://h.example/", true},
		{"*", "http://h.example/", false},
		{"h.example", "http://h.example/", false},
		{"h.example", "http://H.example./", false},
		{"h.example", "http://sub.h.example/", false},
		{".h.example", "http://h.example/", false},
		{"h.example", "http://oh.example/", true},
		{"example", "http://h.example/", false},
		{"a.example, h.example", "http://h.example/", false},
		{"a.example h.example", "http://h.example/", false},
		{"a.example,b.example", "http://h.example/", true},
		{"10.0.0.0/8", "http://10.1.2.3/", false},
		{"10.0.0.0/8", "http://11.1.2.3/", true},
		{"10.128.0.0/9", "http://10.127.0.1/", true},
		{"10.128.0.0/9", "http://10.128.0.1/", false},
		{"10.1.2.3", "http://10.1.2.3/", false},
		{"10.1.2.3/99", "http://10.1.2.3/", true},
		{"::1", "http://[::1]/", false},
		{"fd00::/8", "http://[fd12::1]/", false},
		{"fd00::/8", "http://[fe12::1]/", true},
	};

	(void)state;
	setenv("http_proxy", "http://proxy.example:3128", 1);
	setenv("HTTP_PROXY", "http://evil.example", 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct proxy_settings settings;
		struct url_where where;

		cases[i].none ? setenv("no_proxy", cases[i].none, 1) : unsetenv("no_proxy");
		unsetenv("NO_PROXY");
		assert_int_equal(proxy_settings_read(&settings), 0);
		assert_int_equal(url_read(str_of(cases[i].url), NULL, &where, NULL), 0);
		if ((proxy_for(&settings, &where) != NULL) != cases[i].proxied)
			fail_msg("no_proxy=%s with %s", cases[i].none ? cases[i].none : "(unset)", cases[i].url);
		proxy_settings_free(&settings);
	}
}

static void only_the_lower_case_http_proxy_counts(void **state)
{
	struct proxy_settings settings;

	(void)state;
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	unsetenv("https_proxy");
	setenv("HTTP_PROXY", "http://evil.example", 1);
	setenv("HTTPS_PROXY", "http://proxy.example", 1);
	assert_int_equal(proxy_settings_read(&settings), 0);
	assert_null(settings.http);
	assert_string_equal(settings.https, "http://proxy.example");
	proxy_settings_free(&settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_read_or_refused),
		cmocka_unit_test(messages_show_no_secrets),
		cmocka_unit_test(locations_are_resolved),
		cmocka_unit_test(only_named_hosts_are_contacted),
		cmocka_unit_test(private_addresses_are_known),
		cmocka_unit_test(proxies_are_chosen_as_curl_does),
		cmocka_unit_test(only_the_lower_case_http_proxy_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
