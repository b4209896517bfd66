#include "unit.h"

#include "base/limits.h"
#include "policy/policy.h"
#include "scan/findings.h"
#include "scan/readers.h"

/* Every package that is listed, "name@version source [dev]" a line, in the order of the file. */
static struct str listing(struct arena *a, struct lock *l)
{
	CLEANUP_BUF struct buf out = BUF(MIB);
	struct lock_listed *listed;
	size_t n;
	struct str text;

	assert_int_equal(lock_list(l, &listed, &n), 0);
	for (size_t i = 0; i < n; i++) {
		const struct lock_package *p = &l->packages[listed[i].package];

		buf_printf(&out, "%u %.*s@%.*s %s%s%s%.*s\n", p->line, STR_ARG(p->name), STR_ARG(p->version), lock_source_name(p->source),
		           listed[i].dev ? " dev" : "", p->alias.n ? " as " : "", STR_ARG(p->alias));
	}
	free(listed);
	text = arena_str(a, buf_str(&out));
	return text;
}

static const struct lock_format *format_of(const char *name)
{
	const struct lock_format *f = lock_format_by_name(str_of(name));

	if (!f)
		fail_msg("no format for %s", name);
	return f;
}

static const struct {
	const char *what, *file, *text, *expected;
} read_cases[] = {
	{"npm 3: aliases by their real name, members apart, the project not at all", "package-lock.json",
     "{\"lockfileVersion\": 3, \"packages\": {\n"
     "\"\": {\"name\": \"root\", \"dependencies\": {\"a\": \"1\"}},\n"
     "\"node_modules/a\": {\"version\": \"1.0.0\", \"resolved\": \"https://npm.registry.example/a/-/a-1.0.0.tgz\"},\n"
     "\"node_modules/al\": {\"name\": \"real\", \"version\": \"2.0.0\", \"dev\": true},\n"
     "\"node_modules/m\": {\"resolved\": \"packages/m\", \"link\": true},\n"
     "\"packages/m\": {\"version\": \"0.1.0\"},\n"
     "\"node_modules/g\": {\"version\": \"1.1.0\", \"resolved\": \"git+ssh://git@git.example/g.git#abc\"}\n}}",
     "3 a@1.0.0 registry\n4 real@2.0.0 registry dev as al\n6 m@0.1.0 workspace\n7 g@1.1.0 git\n"},
	{"npm 1: the tree, an alias, a folder", "package-lock.json",
     "{\"lockfileVersion\": 1, \"dependencies\": {\n"
     "\"a\": {\"version\": \"1.0.0\", \"requires\": {\"b\": \"^2\"}, \"dependencies\": {\n\"b\": {\"version\": \"2.0.0\", \"dev\": "
     "true}}},\n"
     "\"c\": {\"version\": \"npm:real@3.0.0\"},\n\"d\": {\"version\": \"file:../d\"}}}",
     "2 a@1.0.0 registry\n3 b@2.0.0 registry dev\n4 real@3.0.0 registry as c\n5 d@ file\n"},
	{"npm: an entry that is fetched from another package's address is that package", "package-lock.json",
     "{\"packages\": {\"node_modules/good\": {\"version\": \"1.0.0\", \"resolved\": "
     "\"https://npm.registry.example/evil/-/evil-1.0.0.tgz\"}}}",
     "1 evil@1.0.0 registry as good\n"},
	{"npm: a folder of a mirror is no package", "package-lock.json",
     "{\"packages\": {\"node_modules/good\": {\"version\": \"1.0.0\", \"resolved\": \"https://m.example/repo/npm/-/good-1.0.0.tgz\"}}}",
     "1 good@1.0.0 registry\n"},
	{"npm: a key that stands twice counts the last time", "package-lock.json",
     "\xef\xbb\xbf{\"packages\": {\"node_modules/a\": {\"version\": \"1.0.0\"},\n\"node_modules/a\": {\"version\": \"2.0.0\"}}}",
     "2 a@2.0.0 registry\n"},
	{"yarn 1: quotes, several patterns, CRLF", "yarn.lock",
     "# yarn lockfile v1\r\n\r\n\"@s/a@^1.0.0\", \"@s/a@~1.2\":\r\n  version \"1.2.3\"\r\n  dependencies:\r\n    b \"^1\"\r\n\r\nb@^1:\r\n "
     " version "
     "\"1.9.0\"\r\n",
     "3 @s/a@1.2.3 registry\n8 b@1.9.0 registry\n"},
	{"yarn 1: an alias by its own field", "yarn.lock", "\"x@npm:real@^1\":\n  version \"1.0.0\"\n", "1 real@1.0.0 registry as x\n"},
	{"yarn berry: the resolution counts; members are members", "yarn.lock",
     "__metadata:\n  version: 8\n\n\"x@npm:real@^1\":\n  version: 1.0.0\n  resolution: \"real@npm:1.0.0\"\n  linkType: hard\n\n"
     "\"jest-website@workspace:website\":\n  version: 0.0.0-use.local\n  resolution: \"jest-website@workspace:website\"\n  linkType: "
     "soft\n\n"
     "\"top@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"top@workspace:.\"\n  linkType: soft\n",
     "4 real@1.0.0 registry as x\n9 jest-website@0.0.0-use.local workspace\n"},
	{"pnpm 5", "pnpm-lock.yaml",
     "lockfileVersion: 5.4\npackages:\n  /@s/a/1.0.0_peer@2.0.0:\n    resolution: {integrity: x}\n    dev: true\n  /b/2.0.0:\n    dev: "
     "false\n",
     "3 @s/a@1.0.0 registry dev\n6 b@2.0.0 registry\n"},
	{"pnpm 6", "pnpm-lock.yaml", "lockfileVersion: '6.0'\npackages:\n  /a@1.0.0(b@2.0.0):\n    dev: false\n", "3 a@1.0.0 registry\n"},
	{"pnpm 9: every document; development by what leads there", "pnpm-lock.yaml",
     "---\nlockfileVersion: '9.0'\nimporters:\n  .:\n    packageManagerDependencies:\n      pnpm:\n        specifier: 11\n        version: "
     "11.0.0\n"
     "packages:\n  pnpm@11.0.0:\n    resolution: {}\nsnapshots:\n  pnpm@11.0.0: {}\n---\nlockfileVersion: '9.0'\nimporters:\n  .:\n"
     "    dependencies:\n      a:\n        specifier: ^1\n        version: 1.0.0(p@1.0.0)\npackages:\n  a@1.0.0:\n    resolution: {}\n"
     "  p@1.0.0:\n    resolution: {}\nsnapshots:\n  a@1.0.0(p@1.0.0):\n    dependencies:\n      p: 1.0.0\n  p@1.0.0: {}\n",
     "10 pnpm@11.0.0 registry dev\n25 p@1.0.0 registry\n23 a@1.0.0 registry\n"},
	{"pnpm 9: a runtime is no package of the registry", "pnpm-lock.yaml",
     "lockfileVersion: '9.0'\npackages:\n  node@runtime:26.0.0:\n    resolution:\n      type: variations\n      variants:\n        - "
     "resolution:\n"
     "            type: binary\n          targets:\n            - cpu: arm64\n              os: linux\n    version: 26.0.0\nsnapshots:\n"
     "  node@runtime:26.0.0: {}\n",
     "3 node@26.0.0 file\n"},
	{"bun: comments, commas, members", "bun.lock",
     "{ // a lockfile\n\"lockfileVersion\": 1, \"workspaces\": {\"\": {\"name\": \"r\", \"dependencies\": {\"a\": \"1\",},},\n"
     "\"packages/m\": {\"name\": \"m\", \"version\": \"1.0.0\"},},\n\"packages\": {\n\"a\": [\"a@1.0.0\", \"\", {}, \"sha512-x\"],\n"
     "\"m\": [\"m@workspace:packages/m\"],\n\"al\": [\"real@2.0.0\", \"\", {}],}}",
     "3 m@1.0.0 workspace\n5 a@1.0.0 registry\n7 real@2.0.0 registry as al\n"},
	{"package.json: what is declared", "package.json",
     "{\"name\": \"x\", \"dependencies\": {\"a\": \"1.0.0\", \"b\": \"^2\"},\n\"devDependencies\": {\"c\": \"npm:real@3.0.0\", \"d\": "
     "\"file:../d\"}}",
     "1 a@1.0.0 declared\n1 b@ declared\n2 real@3.0.0 declared dev as c\n2 d@ file dev\n"},
	{"packages.lock.json: projects are not packages", "packages.lock.json",
     "{\"version\": 2, \"dependencies\": {\"net8.0\": {\n\"A.B\": {\"type\": \"Direct\", \"requested\": \"[1.0.0, )\", \"resolved\": "
     "\"1.0.0\"},\n"
     "\"lib\": {\"type\": \"Project\"}}, \"net6.0\": {\"A.B\": {\"type\": \"Transitive\", \"resolved\": \"1.0.0\"}}}}",
     "2 A.B@1.0.0 registry\n"},
	{"project.assets.json", "project.assets.json",
     "{\"targets\": {\"net8.0\": {\"A/1.0.0\": {\"dependencies\": {\"B\": \"2.0.0\"}}, \"B/2.0.0\": {}}}, \"libraries\": {\n"
     "\"A/1.0.0\": {\"type\": \"package\"},\n\"B/2.0.0\": {\"type\": \"package\"}, \"Own/1.0.0\": {\"type\": \"project\"}}}",
     "2 A@1.0.0 registry\n3 B@2.0.0 registry\n"},
	{"deps.json: runtime packs by their own name", "app.deps.json",
     "{\"libraries\": {\"runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1\": {\"type\": \"runtimepack\"}}}",
     "1 Microsoft.NETCore.App.Runtime.linux-x64@8.0.1 registry\n"},
	{"packages.config", "packages.config", "<packages>\n  <package id=\"A\" version=\"1.0\" developmentDependency=\"true\"/>\n</packages>",
     "2 A@1.0 registry dev\n"},
	{"a project: properties, every value of a condition", "x.csproj",
     "<Project><PropertyGroup><V Condition=\"'$(T)'=='a'\">1.0.0</V><V Condition=\"'$(T)'=='b'\">2.0.0</V></PropertyGroup>\n"
     "<ItemGroup><PackageReference Include=\"A\" Version=\"$(V)\"/>\n<PackageReference "
     "Include=\"B\"><Version>[3.0.0]</Version></PackageReference>\n"
     "</ItemGroup></Project>",
     "2 A@2.0.0 declared\n2 A@1.0.0 declared\n3 B@3.0.0 declared\n"},
	{"tools", "dotnet-tools.json",
     "{\"version\": 1, \"isRoot\": true, \"tools\": {\n\"dotnet-ef\": {\"version\": \"8.0.0\", \"commands\": []}}}",
     "2 dotnet-ef@8.0.0 registry dev\n"},
	{"SDKs", "global.json", "{\"sdk\": {\"version\": \"8\"}, // why\n\"msbuild-sdks\": {\"MSTest.Sdk\": \"3.0.0\"}}",
     "2 MSTest.Sdk@3.0.0 registry dev\n"},
	{"paket", "paket.lock",
     "NUGET\n  remote: https://nuget.registry.example\n    A (1.0)\n      B (>= 2.0)\n    B (2.0.1) - restriction: >= net45\nGITHUB\n"
     "  remote: o/r\n    file.fs (abc)\n",
     "3 A@1.0 registry\n5 B@2.0.1 registry\n8 file.fs@ git\n"},
	{"CycloneDX", "bom.json",
     "{\"bomFormat\": \"CycloneDX\", \"components\": [{\"purl\": \"pkg:npm/%40s/a@1.0.0?x=y\", \"components\": [\n"
     "{\"purl\": \"pkg:nuget/B@2.0.0\"}, {\"purl\": \"pkg:pypi/c@1\"}]}]}",
     "1 @s/a@1.0.0 registry\n2 B@2.0.0 registry\n"},
	{"SPDX", "x.spdx.json",
     "{\"spdxVersion\": \"SPDX-2.3\", \"packages\": [{\"SPDXID\": \"a\", \"externalRefs\": [{\"referenceType\": \"purl\", "
     "\"referenceLocator\": "
     "\"pkg:npm/a@1.0.0\"}]}]}",
     "1 a@1.0.0 registry\n"},
};

static void every_format_lists_its_packages(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(read_cases) / sizeof(read_cases[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(MIB);
		struct err err = {0};
		struct lock l;
		struct str got;

		if (lock_read(format_of(read_cases[i].file), str_of(read_cases[i].text), str_of(read_cases[i].file), NULL, &l, &err) < 0)
			fail_msg("%s: %s", read_cases[i].what, err.text);
		got = listing(a, &l);
		if (!str_eq(got, str_of(read_cases[i].expected)))
			fail_msg("%s: got\n%.*s", read_cases[i].what, STR_ARG(got));
		lock_free(&l);
	}
}

static const struct {
	const char *file, *text, *message;
} wrong_cases[] = {
	{"package-lock.json", "", "package-lock.json: the file is empty"},
	{"package-lock.json", "{\n\"packages\": {\"node_modules/a\": {\"version\"", "package-lock.json:2: "},
	{"package-lock.json", "null", "package-lock.json:1: a lockfile is an object"},
	{"package-lock.json", "{\"packages\": []}", "the packages must be an object"},
	{"package-lock.json", "\xff\xfe{\0", "UTF-16"},
	{"package-lock.json", "{\"lockfileVersion\": 3,\n<<<<<<< HEAD\n", "package-lock.json:2: a merge conflict"},
	{"package-lock.json", "{\"a\": \"\xc3(\"}", "package-lock.json:1: this byte is no UTF-8"},
	{"yarn.lock", "a@^1:\n  version \"1.0", "yarn.lock:2: a quote is not closed"},
	{"yarn.lock", "a@^1:\n  resolved \"x\"\n", "yarn.lock:1: this entry has no version"},
	{"yarn.lock", "a@^1:\n  version \"1.0.0\"\nb@^", "yarn.lock:3: a pattern must end in a colon"},
	{"yarn.lock", "a@^1:\n  version \"1.0.0\"\n  dependencies:\n    b \"^1\"", "ends before \"b\""},
	{"yarn.lock", "__metadata:\n  version: 8\n\"a@npm:1\":\n  version: 1.0.0\n  resolution: \"a@npm:1\"\n  linkType: ha", "linkType"},
	{"pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages:\n  a@1.0.0:\n    resolution: {}\n", "snapshots is missing"},
	{"pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages:\n  a@1.0.0: {}\n  b@1.0.0: {}\nsnapshots:\n  a@1.0.0: {}\n",
     "\"b@1.0.0\" has no snapshot"},
	{"pnpm-lock.yaml", "lockfileVersion: 5.4\npackages:\n  /a/1.0.0:\n    dev: tr", "dev must be true or false"},
	{"pnpm-lock.yaml", "lockfileVersion: 5.4\npackages:\n  /a/1.0.0: {}\n  /a/1.0.0: {}\n", "twice"},
	{"pnpm-lock.yaml", "a: b\n", "no lockfileVersion"},
	{"bun.lock", "{\"packages\": {\"a\": [1]}}", "bun.lock:1: "},
	{"packages.config", "<!DOCTYPE x [<!ENTITY a \"b\">]><packages/>", "packages.config:1: a DOCTYPE is not accepted"},
	{"packages.config", "<packages>\n<package", "packages.config:2: "},
	{"x.csproj", "<a/>", "<Project> was expected"},
	{"packages.lock.json", "{\"dependencies\": {\"net8.0\": {\"a\": {\"type\": \"Direct\"}}}}", "without a resolved version"},
	{"x.deps.json", "{}", "neither libraries nor targets"},
	{"paket.lock", "NUGET\n  remote: x\n    A (1.", "paket.lock:3: "},
};

static void a_wrong_file_is_an_error_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong_cases) / sizeof(wrong_cases[0]); i++) {
		struct err err = {0};
		struct lock l;
		struct str text = str_of(wrong_cases[i].text);
		int code = lock_read(format_of(wrong_cases[i].file), text, str_of(wrong_cases[i].file), NULL, &l, &err);

		if (code >= 0 || !strstr(err.text, wrong_cases[i].message))
			fail_msg("%s %s: code %d, \"%s\"", wrong_cases[i].file, wrong_cases[i].text, code, err.text);
		lock_free(&l);
	}
}

static void central_versions_come_from_the_file_above(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct lock_extra files[] = {
		{STR("Directory.Packages.props"),
	     STR("<Project><ItemGroup><PackageVersion Include=\"a.b\" Version=\"$(AB)\"/><GlobalPackageReference Include=\"G\" "
	         "Version=\"4.0\"/>"
	         "</ItemGroup></Project>"),
	     STR("Directory.Packages.props")},
		{STR("Directory.Build.props"), STR("<Project><PropertyGroup><AB>1.5.0</AB></PropertyGroup></Project>"),
	     STR("Directory.Build.props")},
	};
	const struct lock_extras extras = {files, 2};
	struct str text =
		STR("<Project><ItemGroup>\n<PackageReference Include=\"A.B\"/>\n<PackageReference Include=\"None\"/></ItemGroup></Project>");
	struct lock l;

	assert_int_equal(lock_read(format_of("x.csproj"), text, STR("x.csproj"), &extras, &l, NULL), 0);
	assert_string_equal(listing(a, &l).p, "1 G@4.0 declared\n2 A.B@1.5.0 declared\n");
	assert_int_equal(l.warning_count, 1);
	lock_free(&l);
}

static void the_manifest_beside_a_yarn_lock_says_what_is_for_development(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct str text =
		STR("a@^1:\n  version \"1.0.0\"\n  dependencies:\n    b \"^2\"\nb@^2:\n  version \"2.0.0\"\nc@^3:\n  version \"3.0.0\"\n");
	const struct {
		struct str manifest;
		const char *expected;
		size_t warnings;
	} cases[] = {
		{STR("{\"dependencies\": {\"c\": \"^3\"}, \"devDependencies\": {\"a\": \"^1\"}}"),
	     "1 a@1.0.0 registry dev\n5 b@2.0.0 registry dev\n7 c@3.0.0 registry\n", 0},
		{STR("{\"devDependencies\": {\"a\": \"^1\", \"d\": \"^4\"}}"),
	     "1 a@1.0.0 registry dev\n5 b@2.0.0 registry dev\n7 c@3.0.0 registry\n", 1},
		{STR("{\"workspaces\": [\"x\"], \"devDependencies\": {\"a\": \"^1\", \"d\": \"^4\"}}"),
	     "1 a@1.0.0 registry\n5 b@2.0.0 registry\n7 c@3.0.0 registry\n", 0},
		{STR("{\"devDependencies\": {\"a\""), "1 a@1.0.0 registry\n5 b@2.0.0 registry\n7 c@3.0.0 registry\n", 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lock_extra file = {STR("package.json"), cases[i].manifest, STR("package.json")};
		const struct lock_extras extras = {&file, 1};
		struct lock l;

		assert_int_equal(lock_read(format_of("yarn.lock"), text, STR("yarn.lock"), &extras, &l, NULL), 0);
		assert_string_equal(listing(a, &l).p, cases[i].expected);
		assert_int_equal(l.warning_count, cases[i].warnings);
		lock_free(&l);
	}
}

static void the_shortest_way_leads_from_the_project(void **state)
{
	(void)state;
	struct str text =
		STR("{\"packages\": {\"\": {\"dependencies\": {\"a\": \"1\", \"c\": \"1\"}}, \"node_modules/a\": {\"version\": \"1.0.0\", "
	        "\"dependencies\": {\"b\": \"1\"}}, \"node_modules/b\": {\"version\": \"1.0.0\"}, \"node_modules/a/node_modules/b\": "
	        "{\"version\": \"2.0.0\"}, \"node_modules/c\": {\"version\": \"1.0.0\", \"dependencies\": {\"b\": \"1\"}}}}");
	struct lock l;
	uint32_t nested, top;

	assert_int_equal(lock_read(format_of("package-lock.json"), text, STR("x"), NULL, &l, NULL), 0);
	assert_int_equal(lock_paths(&l), 0);
	nested = lock_find(&l, STR("node_modules/a/node_modules/b"));
	top = lock_find(&l, STR("node_modules/b"));
	assert_int_equal(l.packages[nested].via, lock_find(&l, STR("node_modules/a")));
	assert_int_equal(l.packages[top].via, lock_find(&l, STR("node_modules/c")));
	assert_int_equal(l.packages[l.packages[top].via].via, lock_find(&l, STR("")));
	lock_free(&l);
}

static void members_of_the_workspace_match_nothing_and_denied_names_do(void **state)
{
	(void)state;
	struct str text = STR("__metadata:\n  version: 8\n\"bad@workspace:x\":\n  version: 0.0.0-use.local\n  resolution: \"bad@workspace:x\"\n"
	                      "\"al@npm:bad@1\":\n  version: 1.0.0\n  resolution: \"bad@npm:1.0.0\"\n");
	struct policy *policy;
	struct advisories *none = advisories_empty();
	struct findings f;
	struct lock_listed *listed;
	struct lock l;
	struct err err = {0};
	size_t n;

	assert_int_equal(policy_load(STR("version: 1\ndeny:\n  names: [\"npm:bad\"]\n"), STR("p.yaml"), time_now(), NULL, &policy, NULL, &err),
	                 0);
	assert_int_equal(lock_read(format_of("yarn.lock"), text, STR("yarn.lock"), NULL, &l, NULL), 0);
	assert_int_equal(lock_list(&l, &listed, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(findings_init(&f), 0);
	assert_int_equal(findings_add(&f, &l, listed, n, &(struct scan_rules){.policy = policy, .advisories = none, .now = time_now()}), 0);
	assert_int_equal(f.count, 1);
	assert_true(str_eq(f.array[0].id, STR("denied")));
	assert_true(str_eq(l.packages[f.array[0].package].alias, STR("al")));
	findings_free(&f);
	free(listed);
	lock_free(&l);
	advisories_unref(none);
	policy_unref(policy);
}

static void content_tells_the_format_where_the_name_does_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(read_cases) / sizeof(read_cases[0]); i++) {
		const struct lock_format *by_name = format_of(read_cases[i].file), *by_content = lock_format_by_content(str_of(read_cases[i].text));

		if (strstr(read_cases[i].text, "lockfileVersion") && by_content != by_name)
			fail_msg("%s: taken for %s", read_cases[i].what, by_content ? by_content->name : "nothing");
	}
	assert_null(lock_format_by_content(STR("this is not json!")));
	assert_null(lock_format_by_content(STR("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_lists_its_packages),
		cmocka_unit_test(a_wrong_file_is_an_error_with_its_place),
		cmocka_unit_test(central_versions_come_from_the_file_above),
		cmocka_unit_test(the_manifest_beside_a_yarn_lock_says_what_is_for_development),
		cmocka_unit_test(the_shortest_way_leads_from_the_project),
		cmocka_unit_test(members_of_the_workspace_match_nothing_and_denied_names_do),
		cmocka_unit_test(content_tells_the_format_where_the_name_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
