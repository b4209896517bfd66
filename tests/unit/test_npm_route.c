#include "unit.h"

#include "base/arena.h"
#include "base/limits.h"
#include "registry/npm/route.h"

struct row {
	const char *method, *path, *query;
	int r;
	enum npm_route_kind kind;
	const char *name, *version, *file;
};

static void check(const struct row *row)
{
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct npm_route route = {0};
	struct err err = {0};
	int r = npm_route_parse(a, str_of(row->method), str_of(row->path), str_of(row->query ? row->query : ""), &route, &err);

	if (r != row->r || (r == 0 && route.kind != row->kind))
		fail_msg("%s %s: %d %s (%s)", row->method, row->path, r, npm_route_name(route.kind), err.text);
	if (r < 0) {
		assert_int_equal(err.code, r);
		return;
	}
	assert_string_equal(route.name.n ? arena_str(a, route.name).p : "", row->name ? row->name : "");
	assert_string_equal(route.version.n ? arena_str(a, route.version).p : "", row->version ? row->version : "");
	assert_string_equal(route.file.n ? arena_str(a, route.file).p : "", row->file ? row->file : "");
}

static void what_the_clients_send_is_understood(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"GET", "/lodash", "", 0, NPM_ROUTE_PACKUMENT, "lodash", NULL, NULL},
		{"HEAD", "/lodash", "", 0, NPM_ROUTE_PACKUMENT, "lodash", NULL, NULL},
		{"GET", "/@lab%2fscoped", "", 0, NPM_ROUTE_PACKUMENT, "@lab/scoped", NULL, NULL},
		{"GET", "/@lab%2Fscoped", "", 0, NPM_ROUTE_PACKUMENT, "@lab/scoped", NULL, NULL},
		{"GET", "/%40lab%2fscoped", "", 0, NPM_ROUTE_PACKUMENT, "@lab/scoped", NULL, NULL},
		{"GET", "/@lab/scoped", "", 0, NPM_ROUTE_PACKUMENT, "@lab/scoped", NULL, NULL},
		{"GET", "/lab.odd_name~x", "", 0, NPM_ROUTE_PACKUMENT, "lab.odd_name~x", NULL, NULL},
		{"GET", "/JSONStream", "", 0, NPM_ROUTE_PACKUMENT, "JSONStream", NULL, NULL},
		{"GET", "/pnpm/latest", "", 0, NPM_ROUTE_VERSION, "pnpm", "latest", NULL},
		{"GET", "/pnpm/10.0.0", "", 0, NPM_ROUTE_VERSION, "pnpm", "10.0.0", NULL},
		{"GET", "/a/1.0.0%2Bbuild", "", 0, NPM_ROUTE_VERSION, "a", "1.0.0+build", NULL},
		{"GET", "/@s%2fn/1.0.0", "", 0, NPM_ROUTE_VERSION, "@s/n", "1.0.0", NULL},
		{"GET", "/@s/n/1.0.0", "", 0, NPM_ROUTE_VERSION, "@s/n", "1.0.0", NULL},
		{"GET", "/a/-/a-1.0.0.tgz", "", 0, NPM_ROUTE_TARBALL, "a", NULL, "a-1.0.0.tgz"},
		{"GET", "/@s/n/-/n-1.0.0.tgz", "", 0, NPM_ROUTE_TARBALL, "@s/n", NULL, "n-1.0.0.tgz"},
		{"GET", "/@s%2fn/-/n-1.0.0.tgz", "", 0, NPM_ROUTE_TARBALL, "@s/n", NULL, "n-1.0.0.tgz"},
		{"GET", "/@s/n/-/@s/n-1.0.0.tgz", "", 0, NPM_ROUTE_TARBALL, "@s/n", NULL, "n-1.0.0.tgz"},
		{"GET", "/@s/n/-/@s%2fn-1.0.0.tgz", "", 0, NPM_ROUTE_TARBALL, "@s/n", NULL, "n-1.0.0.tgz"},
		{"GET", "/-/ping", "write=true", 0, NPM_ROUTE_PING, NULL, NULL, NULL},
		{"GET", "/-/whoami", "", 0, NPM_ROUTE_WHOAMI, NULL, NULL, NULL},
		{"GET", "/-/package/lodash/dist-tags", "", 0, NPM_ROUTE_DIST_TAGS, "lodash", NULL, NULL},
		{"GET", "/-/package/@s%2fn/dist-tags", "", 0, NPM_ROUTE_DIST_TAGS, "@s/n", NULL, NULL},
		{"PUT", "/-/package/@s/n/dist-tags/beta", "", 0, NPM_ROUTE_DIST_TAG_WRITE, "@s/n", "beta", NULL},
		{"DELETE", "/-/package/a/dist-tags/beta", "", 0, NPM_ROUTE_DIST_TAG_WRITE, "a", "beta", NULL},
		{"PUT", "/a", "", 0, NPM_ROUTE_PUBLISH, "a", NULL, NULL},
		{"PUT", "/@s%2fn", "", 0, NPM_ROUTE_PUBLISH, "@s/n", NULL, NULL},
		{"PUT", "/a/-rev/3-abc", "", 0, NPM_ROUTE_PUBLISH, "a", NULL, NULL},
		{"DELETE", "/a/-/a-1.0.0.tgz/-rev/3-abc", "", 0, NPM_ROUTE_PUBLISH, "a", NULL, NULL},
		{"POST", "/-/npm/v1/security/advisories/bulk", "", 0, NPM_ROUTE_AUDIT_BULK, NULL, NULL, NULL},
		{"POST", "/-/npm/v1/security/audits/quick", "", 0, NPM_ROUTE_AUDIT_QUICK, NULL, NULL, NULL},
		{"POST", "/-/npm/v1/security/audits", "", 0, NPM_ROUTE_AUDIT_QUICK, NULL, NULL, NULL},
		{"GET", "/-/npm/v1/keys", "", 0, NPM_ROUTE_KEYS, NULL, NULL, NULL},
		{"GET", "/-/npm/v1/attestations/@s%2fn@1.0.0", "", 0, NPM_ROUTE_ATTESTATIONS, "@s/n", "1.0.0", NULL},
		{"GET", "/-/npm/v1/attestations/@s/n@1.0.0", "", 0, NPM_ROUTE_ATTESTATIONS, "@s/n", "1.0.0", NULL},
		{"GET", "/-/npm/v1/attestations/a@1.0.0", "", 0, NPM_ROUTE_ATTESTATIONS, "a", "1.0.0", NULL},
		{"POST", "/-/v1/login", "", 0, NPM_ROUTE_LOGIN, NULL, NULL, NULL},
		{"PUT", "/-/user/org.couchdb.user:alice", "", 0, NPM_ROUTE_LOGIN, NULL, NULL, NULL},
		{"GET", "/-/npm/v1/user", "", 0, NPM_ROUTE_ACCOUNT, NULL, NULL, NULL},
		{"GET", "/-/package/a/access", "", 0, NPM_ROUTE_ACCOUNT, "a", NULL, NULL},
		{"GET", "/-/org/acme/package", "", 0, NPM_ROUTE_ACCOUNT, NULL, NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i]);
}

static void hostile_paths_are_refused(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"GET", "", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "lodash", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "/", "", -ENOENT, 0, NULL, NULL, NULL},
		{"GET", "//lodash", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "/lodash/", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "/../etc", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "/%2e%2e/etc", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "/a/-/..%2f..%2fb.tgz", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "/a/-/%2e%2e", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "/a/-/b%2fc.tgz", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "/@s%252fn", "", -ENOENT, 0, NULL, NULL, NULL},
		{"GET", "/@s%252fn/x", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "/@s%2fn%2fx", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "/a%5cb", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "/a%00b", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "/a%0d%0ab", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "/a%2", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "/a%zz", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "/a%20b", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "/.hidden", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "/a/1.0.0%2fx", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "/@s", "", -ENOENT, 0, NULL, NULL, NULL},
		{"GET", "/a/b/c", "", -ENOENT, 0, NULL, NULL, NULL},
		{"GET", "/a/-", "", -ENOENT, 0, NULL, NULL, NULL},
		{"GET", "/a/-/x/y", "", -ENOENT, 0, NULL, NULL, NULL},
		{"GET", "/@s/n/-/@t/n-1.0.0.tgz", "", -ENOENT, 0, NULL, NULL, NULL},
		{"GET", "/-/npm/v1/attestations/a@.", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "/-/npm/v1/attestations/a@", "", -EINVAL, 0, NULL, NULL, NULL},
		{"GET", "/-/nothing", "", -ENOENT, 0, NULL, NULL, NULL},
		{"GET", "/-", "", -ENOENT, 0, NULL, NULL, NULL},
		{"GET", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14", "", -ENOENT, 0, NULL, NULL, NULL},
		{"POST", "/lodash", "", -EOPNOTSUPP, 0, NULL, NULL, NULL},
		{"PATCH", "/lodash", "", -EOPNOTSUPP, 0, NULL, NULL, NULL},
		{"PUT", "/a/1.0.0", "", -EOPNOTSUPP, 0, NULL, NULL, NULL},
		{"PUT", "/a/-/a-1.0.0.tgz", "", -EOPNOTSUPP, 0, NULL, NULL, NULL},
		{"GET", "/-/npm/v1/security/advisories/bulk", "", -EOPNOTSUPP, 0, NULL, NULL, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i]);
}

static void a_token_in_the_path_is_marked(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct npm_route route;

	assert_int_equal(npm_route_parse(a, STR("DELETE"), STR("/-/user/token/secret"), STR(""), &route, NULL), 0);
	assert_int_equal(route.kind, NPM_ROUTE_LOGIN);
	assert_true(route.secret_in_path);
	assert_int_equal(npm_route_parse(a, STR("GET"), STR("/lodash"), STR(""), &route, NULL), 0);
	assert_false(route.secret_in_path);
}

static void queries_are_read(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct npm_route route;

	assert_int_equal(npm_route_parse(a, STR("GET"), STR("/-/v1/search"), STR("text=left+pad%21&size=5&from=10"), &route, NULL), 0);
	assert_string_equal(arena_str(a, route.text).p, "left pad!");
	assert_int_equal(route.size, 5);
	assert_int_equal(route.from, 10);
	assert_int_equal(npm_route_parse(a, STR("GET"), STR("/-/v1/search"), STR("text=x&size=99999&from=-1"), &route, NULL), 0);
	assert_int_equal(route.size, 250);
	assert_int_equal(route.from, 0);
	assert_int_equal(npm_route_parse(a, STR("GET"), STR("/a"), STR("write=true"), &route, NULL), 0);
	assert_true(route.write);
	assert_int_equal(npm_route_parse(a, STR("GET"), STR("/a"), STR("write=false"), &route, NULL), 0);
	assert_false(route.write);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_clients_send_is_understood),
		cmocka_unit_test(hostile_paths_are_refused),
		cmocka_unit_test(a_token_in_the_path_is_marked),
		cmocka_unit_test(queries_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
