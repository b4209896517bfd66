#include "unit.h"

#include "npm_document.h"

#define VERSION(version, more) \
	"'" version "':{'name':'a','version':'" version "'" more ",'dist':{'integrity':'sha512-" version "','tarball':'https://up.example/a/-/a-" version ".tgz'}}"

static const char three[] =
	"{'_id':'a','name':'a','dist-tags':{'latest':'1.2.0','next':'2.0.0-rc.1','old':'1.0.0'},'versions':{"
	VERSION("1.0.0", ",'description':'first'") ", " VERSION("1.1.0", ",'scripts':{'install':'x'},'main':'m.js'") "," VERSION("1.2.0", "") "," VERSION("2.0.0-rc.1", "")
	"},'readme':'text','time':{'created':'2024-01-01T00:00:00.000Z','1.0.0':'2024-01-01T10:00:01Z','1.2.0':'2024-03-01T00:00:00Z',"
	"'1.1.0':'2024-02-01T00:00:00Z','0.9.0':'2023-01-01T00:00:00Z','modified':'2024-03-02T00:00:30Z'},'_attachments':{'a-1.2.0.tgz':{}},"
	"'_rev':'7','policyRestrictions':{'versions':{'1.2.0':{}}}}";

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no %s in %s", part, text ? text : "nothing");
}

static void has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("%s in %s", part, text ? text : "nothing");
}

static void nothing_hidden_is_everything_rewritten(void **state)
{
	(void)state;
	CLEANUP_DOCUMENT struct document d = document_make(three, NULL);

	assert_string_equal(document_render(&d, "", NULL, 0),
		"{'name':'a','_id':'a','readme':'text','_rev':'7','dist-tags':{'latest':'1.2.0','next':'2.0.0-rc.1','old':'1.0.0'},'versions':{"
		"'1.0.0':{'name':'a','version':'1.0.0','description':'first','dist':{'integrity':'sha512-1.0.0','tarball':'http://gate/npm/a/-/a-1.0.0.tgz'}}, "
		"'1.1.0':{'name':'a','version':'1.1.0','scripts':{'install':'x'},'main':'m.js','dist':{'integrity':'sha512-1.1.0','tarball':'http://gate/npm/a/-/a-1.1.0.tgz'}},"
		"'1.2.0':{'name':'a','version':'1.2.0','dist':{'integrity':'sha512-1.2.0','tarball':'http://gate/npm/a/-/a-1.2.0.tgz'}},"
		"'2.0.0-rc.1':{'name':'a','version':'2.0.0-rc.1','dist':{'integrity':'sha512-2.0.0-rc.1','tarball':'http://gate/npm/a/-/a-2.0.0-rc.1.tgz'}}},"
		"'time':{'created':'2024-01-01T00:00:00.000Z','modified':'2024-10-04T00:00:00.000Z','1.0.0':'2024-01-01T10:00:01Z','1.2.0':'2024-03-01T00:00:00Z',"
		"'1.1.0':'2024-02-01T00:00:00Z','2.0.0-rc.1':'2024-10-04T00:00:00.000Z'}}");
}

static void what_is_hidden_is_named_in_the_restrictions_only(void **state)
{
	(void)state;
	CLEANUP_DOCUMENT struct document d = document_make(three, NULL);

	assert_string_equal(document_render(&d, "1.2.0 2.0.0-rc.1", &(struct npm_form){.base = STR("http://g/"), .keep_host_prefix = STR("https://up.example/")}, 0),
		"{'name':'a','_id':'a','readme':'text','_rev':'7','dist-tags':{'latest':'1.1.0','old':'1.0.0'},'versions':{"
		"'1.0.0':{'name':'a','version':'1.0.0','description':'first','dist':{'integrity':'sha512-1.0.0','tarball':'https://up.example/a/-/a-1.0.0.tgz'}}, "
		"'1.1.0':{'name':'a','version':'1.1.0','scripts':{'install':'x'},'main':'m.js','dist':{'integrity':'sha512-1.1.0','tarball':'https://up.example/a/-/a-1.1.0.tgz'}}},"
		"'time':{'created':'2024-01-01T00:00:00.000Z','modified':'2024-03-02T00:00:30Z','1.0.0':'2024-01-01T10:00:01Z','1.1.0':'2024-02-01T00:00:00Z'},"
		"'policyRestrictions':{'message':'held \\'here\\'','versions':{'1.2.0':{'name':'a','version':'1.2.0'},'2.0.0-rc.1':{'name':'a','version':'2.0.0-rc.1'}}}}");
}

static void the_abbreviated_form_is_small_and_has_times_rounded_up(void **state)
{
	(void)state;
	CLEANUP_DOCUMENT struct document d = document_make(three, NULL);

	assert_string_equal(document_render(&d, "1.2.0 2.0.0-rc.1", &(struct npm_form){.abbreviated = true, .base = STR("http://g/")}, 0),
		"{'name':'a','modified':'2024-03-02T00:01:00.000Z','dist-tags':{'latest':'1.1.0','old':'1.0.0'},'versions':{"
		"'1.0.0':{'name':'a','version':'1.0.0','dist':{'integrity':'sha512-1.0.0','tarball':'http://g/a/-/a-1.0.0.tgz'}},"
		"'1.1.0':{'name':'a','version':'1.1.0','dist':{'integrity':'sha512-1.1.0','tarball':'http://g/a/-/a-1.1.0.tgz'},'hasInstallScript':true}},"
		"'time':{'created':'2024-01-01T00:00:00.000Z','modified':'2024-03-02T00:01:00.000Z','1.0.0':'2024-01-01T10:01:00.000Z','1.1.0':'2024-02-01T00:00:00.000Z'},"
		"'policyRestrictions':{'message':'held \\'here\\'','versions':{'1.2.0':{'name':'a','version':'1.2.0'},'2.0.0-rc.1':{'name':'a','version':'2.0.0-rc.1'}}}}");
}

static void an_abbreviated_version_keeps_what_installers_read(void **state)
{
	(void)state;
	CLEANUP_DOCUMENT struct document d = document_make(
		"{'name':'a','versions':{'1.0.0':{'name':'a','version':'1.0.0','description':'d','main':'m','deprecated':'no','dependencies':{'b':'1'},"
		"'optionalDependencies':{'c':'1'},'devDependencies':{'d':'1'},'bundleDependencies':['b'],'bundledDependencies':['b'],'peerDependencies':{'e':'1'},"
		"'peerDependenciesMeta':{'e':{'optional':true}},'acceptDependencies':{},'bin':{'a':'x'},'directories':{},'engines':{'node':'1'},'_hasShrinkwrap':false,"
		"'hasInstallScript':false,'cpu':['x64'],'os':['linux'],'libc':['glibc'],'funding':'f','scripts':{'test':'t'},'maintainers':[{'name':'m'}],'_npmUser':{},"
		"'readme':'r','dist':{'shasum':'1','tarball':'https://up/a-1.0.0.tgz','signatures':[{'sig':'s'}]}}}}", NULL);
	const char *text = document_render(&d, "", &(struct npm_form){.abbreviated = true, .base = STR("http://g/")}, 0);

	has(text, "'1.0.0':{'name':'a','version':'1.0.0','deprecated':'no','dependencies':{'b':'1'},'optionalDependencies':{'c':'1'},'devDependencies':{'d':'1'},"
		"'bundleDependencies':['b'],'bundledDependencies':['b'],'peerDependencies':{'e':'1'},'peerDependenciesMeta':{'e':{'optional':true}},"
		"'acceptDependencies':{},'bin':{'a':'x'},'directories':{},'engines':{'node':'1'},'_hasShrinkwrap':false,'cpu':['x64'],'os':['linux'],'libc':['glibc'],"
		"'funding':'f','dist':{'shasum':'1','tarball':'http://g/a/-/a-1.0.0.tgz','signatures':[{'sig':'s'}]}}");
}

static void a_document_stays_one_when_all_is_hidden(void **state)
{
	(void)state;
	CLEANUP_DOCUMENT struct document d = document_make(three, NULL);
	const char *text = document_render(&d, "1.0.0 1.1.0 1.2.0 2.0.0-rc.1", NULL, 0);

	has(text, "'dist-tags':{},'versions':{},'time':{'created':");
	has(text, "'policyRestrictions':{'message'");
}

static void modified_is_never_older_than_what_is_shown(void **state)
{
	(void)state;
	CLEANUP_DOCUMENT struct document lying = document_make("{'name':'a','versions':{" VERSION("1.0.0", "") "},'time':{'modified':'2020-01-01T00:00:00Z','1.0.0':'2024-10-03T12:00:01Z'}}", NULL);
	CLEANUP_DOCUMENT struct document silent = document_make("{'name':'a','versions':{" VERSION("1.0.0", "") "}}", NULL);
	struct npm_form abbreviated = {.abbreviated = true, .base = STR("http://g/")};

	has(document_render(&lying, "", NULL, 0), "'modified':'2024-10-03T12:00:01.000Z'");
	has(document_render(&lying, "", &abbreviated, 0), "'modified':'2024-10-03T12:01:00.000Z'");
	has(document_render(&lying, "1.0.0", NULL, 0), "'modified':'2020-01-01T00:00:00Z'");
	has(document_render(&silent, "", NULL, 0), "'time':{'modified':'2024-10-04T00:00:00.000Z','1.0.0':'2024-10-04T00:00:00.000Z'}");
	has_not(document_render(&silent, "1.0.0", NULL, 0), "modified");
}

static void latest_is_repaired_by_precedence(void **state)
{
	(void)state;
	static const struct {
		const char *what, *hidden, *latest;
	} rows[] = {
		{"the target is shown", "", "'latest':'2.1.0'"},
		{"the highest below that is not deprecated", "2.1.0", "'latest':'1.5.0'"},
		{"never a prerelease or above the target while there is another", "2.1.0 1.5.0", "'latest':'1.4.0'"},
		{"then the highest stable one, deprecated or above", "2.1.0 1.5.0 1.4.0", "'latest':'3.0.0'"},
		{"then the highest stable one that is deprecated", "2.1.0 1.5.0 1.4.0 3.0.0", "'latest':'2.0.0'"},
		{"then any", "2.1.0 1.5.0 1.4.0 3.0.0 2.0.0", "'latest':'2.1.0-rc.1'"},
	};
	CLEANUP_DOCUMENT struct document d = document_make(
		"{'name':'a','dist-tags':{'latest':'2.1.0','v3':'3.0.0'},'versions':{" VERSION("3.0.0", "") "," VERSION("2.1.0", "") "," VERSION("2.1.0-rc.1", "") ","
		VERSION("2.0.0", ",'deprecated':'bad'") "," VERSION("1.5.0", "") "," VERSION("1.4.0", "") "},"
		/* 1.4.0 is a back-port that came last. */
		"'time':{'1.4.0':'2024-09-09','3.0.0':'2024-01-01','2.1.0':'2024-01-01','2.1.0-rc.1':'2024-01-01','2.0.0':'2024-01-01','1.5.0':'2024-01-01'}}", NULL);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *text = document_render(&d, rows[i].hidden, NULL, 0);

		if (!strstr(text, rows[i].latest))
			fail_msg("%s: %s", rows[i].what, text);
	}
	has_not(document_render(&d, "3.0.0", NULL, 0), "v3");
}

/* latest was 2.0.0 and moves to `target`. */
static struct document moved_to(const char *target, bool ever_tagged, struct seen_tag *tag)
{
	struct seen_version versions[] = {{.version = STR("1.0.0"), .first_seen = 1, .ever_tagged = ever_tagged}, {.version = STR("2.0.0"), .first_seen = 1}};
	struct seen_package seen = {.first_snapshot = 1, .last_snapshot = TEST_NOW - USEC_DAY, .versions = versions, .version_count = 2, .tags = tag, .tag_count = 1};
	CLEANUP_BUF struct buf json = BUF(MIB);

	buf_printf(&json, "{'name':'a','dist-tags':{'latest':'%s'},'versions':{%s,%s,%s,%s},'time':{'1.0.0':'2024-01-01','1.1.0':'2024-01-02','2.0.0':'2024-03-01','2.1.0':'2024-10-01'}}",
	           target, VERSION("1.0.0", ""), VERSION("1.1.0", ""), VERSION("2.0.0", ""), VERSION("2.1.0", ""));
	versions[0].first_seen = 19730 * USEC_DAY;
	versions[1].first_seen = 19800 * USEC_DAY;
	versions[0].upstream_time = 19723 * USEC_DAY;
	versions[1].upstream_time = 19783 * USEC_DAY;
	return document_make(buf_cstr(&json), &(struct npm_build){.seen = &seen});
}

static void a_tag_moved_back_keeps_its_target_for_a_while(void **state)
{
	(void)state;
	static const struct {
		const char *what, *target;
		bool ever_tagged;
		usec since; /* days before now that latest came to 2.0.0 */
		const char *former; /* of 2.0.0 */
		usec hold;
		const char *hidden, *latest;
	} rows[] = {
		{"to an old version never tagged", "1.0.0", false, 50, "", 7, "", "2.0.0"},
		{"but not if the policy holds no tags", "1.0.0", false, 50, "", 0, "", "1.0.0"},
		{"nor if it was tagged before", "1.0.0", true, 50, "", 7, "", "1.0.0"},
		{"nor if the former target is hidden", "1.0.0", false, 50, "", 7, "2.0.0", "1.0.0"},
		{"nor if it moves forth", "2.1.0", false, 50, "", 7, "", "2.1.0"},
		{"nor if it is younger than the hold", "1.0.0", false, 50, "", 2000, "", "1.0.0"},
		{"an unmoved tag held since yesterday", "2.0.0", false, 1, "2.1.0", 7, "", "2.1.0"},
		{"an unmoved tag held long ago", "2.0.0", false, 8, "2.1.0", 7, "", "2.0.0"},
		{"a second step back is a part of the first", "1.0.0", false, 3, "2.1.0", 7, "", "2.1.0"},
		{"back to where it was", "2.1.0", false, 3, "2.1.0", 7, "", "2.1.0"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen_tag tag = {STR("latest"), STR("2.0.0"), TEST_NOW - rows[i].since * USEC_DAY, str_of(rows[i].former)};
		CLEANUP_DOCUMENT struct document d = moved_to(rows[i].target, rows[i].ever_tagged, &tag);
		char expected[64];
		const char *text;

		assert_int_equal(d.r, 0);
		snprintf(expected, sizeof(expected), "'dist-tags':{'latest':'%s'}", rows[i].latest);
		text = document_render(&d, rows[i].hidden, NULL, rows[i].hold * USEC_DAY);
		if (!strstr(text, expected))
			fail_msg("%s: %.60s", rows[i].what, strstr(text, "'dist-tags'"));
	}
}

static void a_target_that_left_upstream_is_not_held(void **state)
{
	(void)state;
	CLEANUP_DOCUMENT struct document before = document_make("{'name':'a','dist-tags':{'latest':'2.0.0'},'versions':{" VERSION("1.0.0", "") "," VERSION("2.0.0", "") "},'time':{'1.0.0':'2024-01-01','2.0.0':'2024-02-01'}}",
		&(struct npm_build){.now = TEST_NOW - USEC_DAY});
	CLEANUP_DOCUMENT struct document after = document_make("{'name':'a','dist-tags':{'latest':'1.0.0'},'versions':{" VERSION("1.0.0", "") "},'time':{'1.0.0':'2024-01-01'}}",
		&(struct npm_build){.seen = &before.changes.seen, .previous = before.packument});
	CLEANUP_DOCUMENT struct document other = document_make("{'name':'a','dist-tags':{'latest':'1.0.0'},'versions':{" VERSION("1.0.0", "") "," VERSION("0.9.0", "") "}}",
		&(struct npm_build){.seen = &before.changes.seen, .previous = before.packument});

	has(document_render(&after, "", NULL, 7 * USEC_DAY), "'latest':'1.0.0'");
	/* It is served on, but no tag goes there while there is anything else. */
	has(document_render(&other, "1.0.0", NULL, 0), "'dist-tags':{'latest':'0.9.0'}");
	has(document_render(&other, "1.0.0 0.9.0", NULL, 0), "'dist-tags':{'latest':'2.0.0'}");
}

static void one_version_and_the_tags_say_the_same(void **state)
{
	(void)state;
	CLEANUP_DOCUMENT struct document d = document_make(three, NULL);
	CLEANUP_BUF struct buf out = BUF(MIB);
	struct npm_sink sink = {document_collect, &out};
	bool shown[4] = {true, true, false, true};
	struct npm_cut cut = {.shown = shown, .now = TEST_NOW};
	struct npm_form form = {.base = STR("http://g/")};

	assert_int_equal(npm_resolve(d.packument, &cut, d.arena, STR("latest")), 1);
	assert_int_equal(npm_resolve(d.packument, &cut, d.arena, STR("next")), 3);
	assert_int_equal(npm_resolve(d.packument, &cut, d.arena, STR("1.0.0")), 0);
	assert_int_equal(npm_resolve(d.packument, &cut, d.arena, STR("1.2.0")), -1);
	assert_int_equal(npm_resolve(d.packument, &cut, d.arena, STR("none")), -1);
	npm_render_version(d.packument, 1, &form, &sink);
	assert_string_equal(buf_cstr(&out),
		"{\"name\":\"a\",\"version\":\"1.1.0\",\"scripts\":{\"install\":\"x\"},\"main\":\"m.js\",\"dist\":{\"integrity\":\"sha512-1.1.0\",\"tarball\":\"http://g/a/-/a-1.1.0.tgz\"}}");
	buf_clear(&out);
	assert_int_equal(npm_render_tags(d.packument, &cut, d.arena, &sink), 0);
	assert_string_equal(buf_cstr(&out), "{\"latest\":\"1.1.0\",\"next\":\"2.0.0-rc.1\",\"old\":\"1.0.0\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_hidden_is_everything_rewritten),
		cmocka_unit_test(what_is_hidden_is_named_in_the_restrictions_only),
		cmocka_unit_test(the_abbreviated_form_is_small_and_has_times_rounded_up),
		cmocka_unit_test(an_abbreviated_version_keeps_what_installers_read),
		cmocka_unit_test(a_document_stays_one_when_all_is_hidden),
		cmocka_unit_test(modified_is_never_older_than_what_is_shown),
		cmocka_unit_test(latest_is_repaired_by_precedence),
		cmocka_unit_test(a_tag_moved_back_keeps_its_target_for_a_while),
		cmocka_unit_test(a_target_that_left_upstream_is_not_held),
		cmocka_unit_test(one_version_and_the_tags_say_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
