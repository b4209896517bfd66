/* What is read of a packument's versions about who made them and what they gained; the shapes are those of attacks that happened. */
#include "unit.h"

#include "npm_document.h"
#include "registry/npm/repository.h"

#define DIST(version, more) \
	"'dist':{'integrity':'sha512-" version "','shasum':'5" version "','tarball':'https://up.example/a/-/a-" version ".tgz'" more "}"
#define V(version, more) "'" version "':{'name':'a','version':'" version "'" more "," DIST(version, "") "}"
#define PROVEN(version, more) \
	"'" version "':{'name':'a','version':'" version "'" more "," DIST( \
		version, ",'attestations':{'url':'https://up.example/x','provenance':{'predicateType':'https://slsa.dev/provenance/v1'}}") "}"
#define BY(name) ",'_npmUser':{'name':'" name "','email':'x@y.example'}"
#define BY_CI ",'_npmUser':{'name':'GitHub Actions','trustedPublisher':{'id':'github','oidcConfigId':'oidc:1'}}"
#define REPO(path) ",'repository':{'type':'git','url':'git+https://github.com/" path ".git'}"
#define PACKAGE(versions, times) "{'name':'a','dist-tags':{},'versions':{" versions "},'time':{" times "}}"
#define T(version, day) "'" version "':'" day "T00:00:00Z'"

static void repositories_have_one_form(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{"git+https://github.com/Org/Repo.git", "github.com/org/repo"},
		{"https://github.com/org/repo/tree/main/packages/x", "github.com/org/repo"},
		{"git+ssh://git@github.com/org/repo.git#v1", "github.com/org/repo"},
		{"git@github.com:org/repo.git", "github.com/org/repo"},
		{"git+ssh://git@github.com:org/repo.git", "github.com/org/repo"},
		{"ssh://git@git.example.com:2222/org/repo", "git.example.com/org/repo"},
		{"github:org/repo", "github.com/org/repo"},
		{"org/repo", "github.com/org/repo"},
		{"gitlab:group/sub/repo", "gitlab.com/group/sub/repo"},
		{"https://gitlab.com/group/sub/repo/-/tree/main", "gitlab.com/group/sub/repo"},
		{"https://user:secret@github.com/org/repo", "github.com/org/repo"},
		{"http://www.github.com/org/repo/", "github.com/org/repo"},
		{"", ""},
		{"nonsense", ""},
		{"https://github.com", ""},
		{"https://github.com/o\"rg/repo", ""},
	};
	struct arena *a = arena_new(MIB);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is(npm_repository(a, str_of(cases[i][0])), cases[i][1]);
	is(npm_repository_owner(STR("github.com/org/repo")), "github.com/org");
	is(npm_repository_owner(STR("git.example.com/repo")), "git.example.com/repo");
	arena_free(a);
}

static void dependencies_come_from_the_registry_or_not(void **state)
{
	(void)state;
	static const struct {
		const char *spec, *name;
		enum npm_source source;
	} cases[] = {
		{"^1.0.0", "x", NPM_FROM_REGISTRY},
		{"latest", "x", NPM_FROM_REGISTRY},
		{"npm:other@^1.0.0", "other", NPM_FROM_ALIAS},
		{"npm:@s/other@1", "@s/other", NPM_FROM_ALIAS},
		{"npm:@s/other", "@s/other", NPM_FROM_ALIAS},
		{"workspace:*", "x", NPM_FROM_REGISTRY},
		{"git+https://h.example/o/r.git#main", "x", NPM_FROM_ELSEWHERE},
		{"github:o/r", "x", NPM_FROM_ELSEWHERE},
		{"o/r", "x", NPM_FROM_ELSEWHERE},
		{"git@h.example:o/r", "x", NPM_FROM_ELSEWHERE},
		{"http://h.example/x.tgz", "x", NPM_FROM_ELSEWHERE},
		{"file:./sub", "x", NPM_FROM_ELSEWHERE},
		{"../sub", "x", NPM_FROM_ELSEWHERE},
		{"x-1.0.0.tgz", "x", NPM_FROM_ELSEWHERE},
	};
	struct str name;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (npm_dependency_source(STR("x"), str_of(cases[i].spec), &name) != cases[i].source)
			fail_msg("%s", cases[i].spec);
		is(name, cases[i].name);
	}
}

static void facts_are_extracted(void **state)
{
	(void)state;
	CLEANUP_DOCUMENT struct document d = document_make(
		PACKAGE(PROVEN("1.0.0", BY_CI REPO("Org/Repo") ",'bin':{'tool':'x'},'dependencies':{'b':'1','c':'npm:real@2','g':'git+https:"
	                                                   "//u:p@h.example/g.git#12'},"
	                                                   "'peerDependencies':{'p':'*','b':'1'},'optionalDependencies':{'o':'1','b':'1'"
	                                                   "}") "," V("1.0.1", ",'_npmUser':'alice <a@b.example>','repository':'x/y'"),
	            T("1.0.0", "2024-01-01") "," T("1.0.1", "2024-06-01")),
		NULL);
	struct npm_version v;

	assert_int_equal(d.r, 0);
	v = version_of(&d, "1.0.0");
	is(v.publisher, "GitHub Actions");
	is(v.trusted_publisher, "github.com/org/repo");
	is(v.repository, "github.com/org/repo");
	assert_true(v.provenance);
	is(v.binary_gained, "bin/tool");
	is(v.remote_gained, "g (git+https://h.example/g.git)");
	assert_int_equal(v.dependency_count, 4);
	assert_int_equal(v.gained_count, 4);
	is(npm_version_dependency(&v, 0), "b");
	is(npm_version_dependency(&v, 1), "real");
	is(npm_version_dependency(&v, 3), "o");
	is(v.continuity, "");
	v = version_of(&d, "1.0.1");
	is(v.publisher, "alice");
	is(v.trusted_publisher, "");
	is(v.repository, "github.com/x/y");
	assert_false(v.provenance);
	assert_int_equal(v.dependency_count, 0);
}

static void scripts_are_gained_or_changed(void **state)
{
	(void)state;
	CLEANUP_DOCUMENT struct document d = document_make(
		PACKAGE(
			V("1.0.0", "") "," V("1.1.0", ",'scripts':{'preinstall':'node a'}") "," V("1.2.0", ",'scripts':{'preinstall':'node b'}") "," V(
				"1.3.0", ",'scripts':{'preinstall':'node b','test':'x'}") "," V("1.4.0", ",'gypfile':true") "," V("2.0.0",
	                                                                                                              ",'hasInstallScript':"
	                                                                                                              "true") "," V("2.0.1",
	                                                                                                                            ",'scripts'"
	                                                                                                                            ":{'"
	                                                                                                                            "install':'"
	                                                                                                                            "x'}"),
			T("1.0.0", "2024-01-01") "," T("1.1.0", "2024-02-01") "," T("1.2.0", "2024-03-01") "," T("1.3.0", "2024-04-01") "," T(
				"1.4.0", "2024-05-01") "," T("2.0.0", "2024-06-01") "," T("2.0.1", "2024-07-01")),
		NULL);

	is(version_of(&d, "1.0.0").install_script_gained, "");
	is(version_of(&d, "1.1.0").install_script_gained, "preinstall");
	is(version_of(&d, "1.2.0").install_script_gained, "preinstall changed");
	is(version_of(&d, "1.3.0").install_script_gained, "");
	is(version_of(&d, "1.4.0").install_script_gained, "binding.gyp");
	is(version_of(&d, "2.0.0").install_script_gained, "a script on install");
	is(version_of(&d, "2.0.1").install_script_gained, "");
}

/* 1.0.2 has what 1.0.1 brought an hour before it: it must not look harmless for that. */
static void a_burst_hides_nothing(void **state)
{
	(void)state;
	CLEANUP_DOCUMENT struct document d = document_make(
		PACKAGE(V("1.0.0", ",'dependencies':{'b':'1'}") "," V(
					"1.0.1", ",'scripts':{'postinstall':'x'},'dependencies':{'b':'1','evil':'"
							 "1'}") "," V("1.0.2", ",'scripts':{'postinstall':'x'},'dependencies':{'b':'1','evil':'"
	                                               "1'}") "," V("1.0.3", ",'scripts':{'postinstall':'x'},'"
	                                                                     "dependencies':{'b':'1','evil':'1'}"),
	            T("1.0.0", "2024-01-01") ","
	                                     "'1.0.1':'2024-02-01T00:00:00Z','1.0.2':'2024-02-01T01:00:00Z'," T("1.0.3", "2024-06-01")),
		NULL);
	struct npm_version v = version_of(&d, "1.0.2");

	is(v.install_script_gained, "postinstall");
	assert_int_equal(v.gained_count, 1);
	is(npm_version_dependency(&v, 0), "evil");
	v = version_of(&d, "1.0.3");
	is(v.install_script_gained, "");
	assert_int_equal(v.gained_count, 0);
}

static void a_line_is_compared_with_itself(void **state)
{
	(void)state;
	CLEANUP_DOCUMENT struct document d = document_make(
		PACKAGE(V("1.0.0", "") "," V("2.0.0", ",'scripts':{'install':'x'}") "," V("2.0.1-beta.1", ",'scripts':{'install':'y'}") "," V(
					"2.0.1",
					",'scripts':{'install':'y'}") "," V("1.0.1",
	                                                    ",'scripts':{'install':'x'}") "," V("0.1.0",
	                                                                                        "") "," V("0.2.0",
	                                                                                                  ",'bin':'x'") "," V("0.2.1",
	                                                                                                                      ",'bin':{'a':'x',"
	                                                                                                                      "'b':'y'}"),
	            T("0.1.0", "2023-01-01") "," T("0.2.0", "2023-02-01") "," T("0.2.1", "2023-03-01") "," T("1.0.0", "2024-01-01") "," T(
					"2.0.0", "2024-02-01") "," T("2.0.1-beta.1", "2024-03-01") "," T("2.0.1", "2024-05-01") "," T("1.0.1", "2024-06-01")),
		NULL);

	is(version_of(&d, "1.0.1").install_script_gained, "install");
	is(version_of(&d, "2.0.0").install_script_gained, "install");
	/* The prerelease that lay there for months does not make it an old habit of the line. */
	is(version_of(&d, "2.0.1").install_script_gained, "install changed");
	is(version_of(&d, "0.2.0").binary_gained, "bin/a");
	is(version_of(&d, "0.2.1").binary_gained, "bin/b");
}

/* What only the archives showed: in the store by then. */
static void an_archives_content_is_gained_like_a_script(void **state)
{
	(void)state;
	static const char raw[] = PACKAGE(V("1.0.0", "") "," V("1.1.0", "") "," V("1.2.0", ""),
	                                  T("1.0.0", "2024-01-01") "," T("1.1.0", "2024-03-01") ","
	                                                                                        "'1.2.0':'2024-03-01T01:00:00Z'");
	static const struct {
		const char *first, *second, *third; /* binaries; NULL: never looked into */
		const char *gained_by_third;
	} rows[] = {
		{"", NULL, "x.node", "x.node"},
		{"x.node", NULL, "x.node", ""},
		/* The one before was published an hour ago: it makes nothing normal. */
		{"", "x.node", "x.node", "x.node"},
		{NULL, NULL, "x.node", "x.node"},
		{"bundled node_modules", NULL, "x.node", "x.node"},
		{"x.node", NULL, "bundled node_modules", ""},
		{"", "", "", ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *binaries[] = {rows[i].first, rows[i].second, rows[i].third};
		struct seen_version versions[] = {{.version = STR("1.0.0")}, {.version = STR("1.1.0")}, {.version = STR("1.2.0")}};
		struct seen_package seen = {.first_snapshot = 1, .last_snapshot = 1, .versions = versions, .version_count = 3};
		struct npm_build input = {.seen = &seen};

		for (size_t v = 0; v < 3; v++) {
			static const char *const times[] = {"2024-01-01", "2024-03-01", "2024-03-01T01:00:00Z"};

			time_parse(str_of(times[v]), &versions[v].upstream_time);
			versions[v].first_seen = versions[v].upstream_time;
			versions[v].archive_at = binaries[v] ? TEST_NOW : 0;
			versions[v].archive_binary = str_of(binaries[v] ? binaries[v] : "");
			versions[v].archive_script = str_of(binaries[v] && *binaries[v] ? "binding.gyp" : "");
		}
		CLEANUP_DOCUMENT struct document d = document_make(raw, &input);

		assert_int_equal(d.r, 0);
		is(version_of(&d, "1.2.0").binary_gained, rows[i].gained_by_third);
	}
}

struct case_ {
	const char *json, *version, *sentence;
};

static void check_cases(const struct case_ *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		CLEANUP_DOCUMENT struct document d = document_make(cases[i].json, NULL);

		assert_int_equal(d.r, 0);
		is(version_of(&d, cases[i].version).continuity, cases[i].sentence);
	}
}

static void a_changed_publisher_is_told(void **state)
{
	(void)state;
	static const struct case_ cases[] = {
		/* event-stream: handed over, and still new with the second release */
		{PACKAGE(V("3.3.3", BY("dom")) "," V("3.3.4", BY("dom")) "," V("3.3.5", BY("right")) "," V("3.3.6", BY("right")),
	             T("3.3.3", "2016-01-01") "," T("3.3.4", "2016-07-01") "," T("3.3.5", "2018-09-05") "," T("3.3.6", "2018-09-09")),
	     "3.3.5", "published by right; the 2 releases of 3.x before it by dom"},
		{PACKAGE(V("3.3.4", BY("dom")) "," V("3.3.5", BY("right")) "," V("3.3.6", BY("right")),
	             T("3.3.4", "2016-07-01") "," T("3.3.5", "2018-09-05") "," T("3.3.6", "2018-09-09")),
	     "3.3.6", "published by right, new since 3.3.5; the releases of 3.x before it by dom"},
		{PACKAGE(V("3.3.4", BY("dom")) "," V("3.3.5", BY("right")) "," V("3.3.6", BY("right")),
	             T("3.3.4", "2016-07-01") "," T("3.3.5", "2018-09-05") "," T("3.3.6", "2018-11-09")),
	     "3.3.6", ""},
		/* node-ipc 2026: an account that slept while others published */
		{PACKAGE(V("9.0.0", BY("old")) "," V("9.1.0", BY("ria")) "," V("9.1.6", BY("old")),
	             T("9.0.0", "2019-01-01") "," T("9.1.0", "2022-01-01") "," T("9.1.6", "2024-05-14")),
	     "9.1.6", "published by old, silent for 65 months; the releases of 9.x before it by ria"},
		/* the rest of the burst is no less suspicious than its first release, and is forgotten when the first one is */
		{PACKAGE(V("9.0.0", BY("old")) "," V("9.1.0", BY("ria")) "," V("9.1.6", BY("old")) "," V("12.0.1", BY("old")),
	             T("9.0.0", "2019-01-01") "," T("9.1.0", "2022-01-01") "," T("9.1.6", "2024-05-14") "," T("12.0.1", "2024-05-15")),
	     "12.0.1", "published by old, silent for 65 months before 9.1.6; the releases before it by ria"},
		{PACKAGE(V("9.0.0", BY("old")) "," V("9.1.0", BY("ria")) "," V("9.1.6", BY("old")) "," V("9.1.7", BY("old")),
	             T("9.0.0", "2019-01-01") "," T("9.1.0", "2022-01-01") "," T("9.1.6", "2024-05-14") "," T("9.1.7", "2024-06-14")),
	     "9.1.7", ""},
		/* a sole maintainer who comes back */
		{PACKAGE(V("1.0.0", BY("solo")) "," V("1.0.1", BY("solo")), T("1.0.0", "2019-01-01") "," T("1.0.1", "2024-05-14")), "1.0.1", ""},
		/* a back-port by somebody who published another line before */
		{PACKAGE(V("1.0.0", BY("a")) "," V("2.0.0", BY("b")) "," V("1.0.1", BY("b")),
	             T("1.0.0", "2023-01-01") "," T("2.0.0", "2024-01-01") "," T("1.0.1", "2024-05-01")),
	     "1.0.1", ""},
		/* nobody is named anywhere */
		{PACKAGE(V("1.0.0", "") "," V("1.0.1", ""), T("1.0.0", "2023-01-01") "," T("1.0.1", "2024-05-01")), "1.0.1", ""},
		/* named before, not now */
		{PACKAGE(V("1.0.0", BY("a")) "," V("1.0.1", ""), T("1.0.0", "2023-01-01") "," T("1.0.1", "2024-05-01")), "1.0.1",
	     "without the publisher's name that the 1 release before had"},
		/* one alone without a time is as new as it is known here: leaving the time out hides nobody */
		{PACKAGE(V("1.0.0", BY("a")) "," V("1.0.1", BY("b")), T("1.0.0", "2023-01-01")), "1.0.1",
	     "published by b; the 1 release of 1.x before it by a"},
		/* without any time nothing is said */
		{PACKAGE(V("1.0.0", BY("a")) "," V("1.0.1", BY("b")), ""), "1.0.1", ""},
	};

	check_cases(cases, sizeof(cases) / sizeof(cases[0]));
}

static void a_changed_way_is_told(void **state)
{
	(void)state;
	static const struct case_ cases[] = {
		/* old versions that a mirror copied last, by its own dates: their repository was before, not after */
		{PACKAGE(V("1.0.0", REPO("tj/a")) "," V("1.1.0", REPO("tj/a")) "," V("1.2.0", REPO("tj/a")) "," V("1.3.0", REPO("org/a")),
	             T("1.3.0", "2023-01-01") "," T("1.0.0", "2024-01-01") "," T("1.1.0", "2024-01-02") "," T("1.2.0", "2024-01-03")),
	     "1.0.0", ""},
		{PACKAGE(V("1.0.0", REPO("tj/a")) "," V("1.1.0", REPO("org/a")) "," V("1.2.0", REPO("org/a")) "," V("1.3.0", REPO("org/a")),
	             T("1.3.0", "2023-01-01") "," T("1.0.0", "2024-01-01") "," T("1.1.0", "2022-01-02") "," T("1.2.0", "2022-05-03")),
	     "1.0.0", "its repository moved from github.com/org/a to github.com/tj/a"},
		/* axios: an established person, without the workflow that made the others */
		{PACKAGE(V("1.12.0", BY("jason") REPO("axios/axios")) "," PROVEN("1.13.0", BY_CI REPO("axios/axios")) "," PROVEN(
					 "1.14.0", BY_CI REPO("axios/axios")) "," V("1.14.1", BY("jason") REPO("axios/axios")),
	             T("1.12.0", "2023-01-01") "," T("1.13.0", "2024-01-01") "," T("1.14.0", "2024-04-01") "," T("1.14.1", "2024-05-31")),
	     "1.14.1", "published without the trusted publisher and the provenance that the 2 releases before had"},
		/* now with it, now without */
		{PACKAGE(PROVEN("1.0.0", BY("j")) "," V("1.0.1", BY("j")) "," PROVEN("1.0.2", BY("j")) "," PROVEN("1.0.3", BY("j")) "," V("1.0.4",
	                                                                                                                              BY("j")),
	             T("1.0.0", "2024-01-01") "," T("1.0.1", "2024-02-01") "," T("1.0.2", "2024-03-01") "," T("1.0.3", "2024-04-01") "," T(
					 "1.0.4", "2024-05-01")),
	     "1.0.4", ""},
		{PACKAGE(PROVEN("1.13.0", BY_CI REPO("axios/axios")) "," PROVEN("1.14.0", BY_CI REPO("axios/axios")) "," V(
					 "1.14.1", BY("jason") REPO("axios/axios")) "," V("1.14.2", BY("jason") REPO("axios/axios")),
	             T("1.13.0", "2024-01-01") "," T("1.14.0", "2024-04-01") "," T("1.14.1", "2024-05-31") "," T("1.14.2", "2024-06-01")),
	     "1.14.2", "published by jason, new since 1.14.1; the releases of 1.x before it by GitHub Actions"},
		{PACKAGE(PROVEN("1.0.0", BY("j")) "," V("1.0.1", BY("j")), T("1.0.0", "2024-01-01") "," T("1.0.1", "2024-04-01")), "1.0.1",
	     "published without the provenance that the 1 release before had"},
		/* the first release by the project's own workflow */
		{PACKAGE(V("1.0.0", BY("j") REPO("o/r")) "," PROVEN("1.0.1", BY_CI REPO("o/r")),
	             T("1.0.0", "2024-01-01") "," T("1.0.1", "2024-04-01")),
	     "1.0.1", ""},
		/* by somebody else's */
		{PACKAGE(V("1.0.0", BY("j") REPO("o/r")) "," PROVEN("1.0.1", BY_CI REPO("evil/r")),
	             T("1.0.0", "2024-01-01") "," T("1.0.1", "2024-04-01")),
	     "1.0.1",
	     "published by GitHub Actions; the 1 release of 1.x before it by j; its repository moved from github.com/o/r to github.com/evil/r"},
		/* renamed within one owner */
		{PACKAGE(V("1.0.0", REPO("o/r")) "," V("1.0.1", REPO("o/s")), T("1.0.0", "2024-01-01") "," T("1.0.1", "2024-04-01")), "1.0.1", ""},
		/* an old line that never had provenance */
		{PACKAGE(V("1.0.0", BY("j")) "," PROVEN("2.0.0", BY("j")) "," V("1.0.1", BY("j")),
	             T("1.0.0", "2024-01-01") "," T("2.0.0", "2024-04-01") "," T("1.0.1", "2024-05-01")),
	     "1.0.1", ""},
		/* a new line without what the last ones had */
		{PACKAGE(PROVEN("1.0.0", BY("j")) "," PROVEN("1.1.0", BY("j")) "," V("2.0.0", BY("j")),
	             T("1.0.0", "2024-01-01") "," T("1.1.0", "2024-04-01") "," T("2.0.0", "2024-05-01")),
	     "2.0.0", "published without the provenance that the 2 releases before had"},
	};

	check_cases(cases, sizeof(cases) / sizeof(cases[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repositories_have_one_form),
		cmocka_unit_test(dependencies_come_from_the_registry_or_not),
		cmocka_unit_test(facts_are_extracted),
		cmocka_unit_test(scripts_are_gained_or_changed),
		cmocka_unit_test(a_burst_hides_nothing),
		cmocka_unit_test(a_line_is_compared_with_itself),
		cmocka_unit_test(an_archives_content_is_gained_like_a_script),
		cmocka_unit_test(a_changed_publisher_is_told),
		cmocka_unit_test(a_changed_way_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
