#include "unit.h"

#include "npm_document.h"

/* One version object with the fields that every one has. */
#define DIST(version) "'dist':{'integrity':'sha512-" version "','shasum':'5" version "','tarball':'https://up.example/a/-/a-" version ".tgz'}"
#define VERSION(version, more) "'" version "':{'name':'a','version':'" version "'" more "," DIST(version) "}"

static void a_document_is_indexed(void **state)
{
	(void)state;
	struct npm_build input = {.etag = STR("\"e1\""), .last_modified = STR("Mon, 01 Jan 2024 00:00:00 GMT")};
	CLEANUP_DOCUMENT struct document d = document_make(
		"{'name':'a','dist-tags':{'latest':'1.1.0'},'versions':{"
		VERSION("1.0.0", ",'deprecated':'old'") "," VERSION("1.1.0", ",'scripts':{'postinstall':'node x'},'dependencies':{'b':'^1.0.0','c':'2.0.0','d':'npm:e@=3.0.0-rc.1'}")
		"},'time':{'created':'2024-01-01T00:00:00Z','modified':'2024-02-01T00:00:00Z','1.0.0':'2024-01-01T00:00:00Z','1.1.0':'2024-02-01T00:00:00Z'}}", &input);
	struct npm_version v;
	usec time;

	assert_int_equal(d.r, 0);
	assert_int_equal(npm_packument_version_count(d.packument), 2);
	is(npm_packument_name(d.packument), "a");
	is(npm_packument_etag(d.packument), "\"e1\"");
	is(npm_packument_last_modified(d.packument), "Mon, 01 Jan 2024 00:00:00 GMT");
	assert_int_equal(npm_packument_raw_hash(d.packument).n, 32);
	assert_int_equal(npm_packument_checked(d.packument), TEST_NOW);
	v = version_of(&d, "1.0.0");
	time_parse(STR("2024-01-01"), &time);
	assert_true(v.deprecated && !v.install_script && v.semver_ok && !v.ghost && !v.hash_changed);
	assert_int_equal(v.published, time);
	assert_int_equal(npm_packument_first_published(d.packument), time);
	is(v.file, "a-1.0.0.tgz");
	is(v.integrity, "sha512-1.0.0");
	is(v.shasum, "51.0.0");
	is(v.tarball, "https://up.example/a/-/a-1.0.0.tgz");
	v = version_of(&d, "1.1.0");
	assert_true(!v.deprecated && v.install_script);
	assert_int_equal(v.pin_count, 2);
	is(npm_version_pin(&v, 0).name, "c");
	is(npm_version_pin(&v, 0).version, "2.0.0");
	is(npm_version_pin(&v, 1).name, "e");
	is(npm_version_pin(&v, 1).version, "3.0.0-rc.1");
	assert_int_equal(npm_packument_find_file(d.packument, STR("a-1.1.0.tgz")), 1);
	assert_int_equal(npm_packument_find_file(d.packument, STR("a-9.9.9.tgz")), -1);
	assert_int_equal(npm_packument_find(d.packument, STR("9.9.9")), -1);
	assert_int_equal(d.changes.seen.version_count, 2);
	assert_int_equal(d.changes.seen.first_snapshot, TEST_NOW);
	assert_true(d.changes.seen.versions[1].ever_tagged && !d.changes.seen.versions[0].ever_tagged);
}

static void a_document_that_cannot_be_trusted_is_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"", "{", "[]", "'a'", "{}", "{'name':'a'}", "{'versions':{}}", "{'name':'b','versions':{}}", "{'name':1,'versions':{}}",
		"{'name':'a','versions':[]}", "{'name':'a','versions':{},'time':1}", "{'name':'a','versions':{},'dist-tags':[]}",
		"{'name':'a','versions':{}} x",
		"{'name':'a','versions':{},'versions':{}}",
		"{'name':'a','versions':{},'\\u0076ersions':{}}",
		"{'name':'a','versions':{" VERSION("1.0.0", "") "," VERSION("1.0.0", "") "}}",
		"{'name':'a','versions':{" VERSION("1.0.0", "") ",'1.0.\\u0030':{}}}",
		"{'name':'a','versions':{" VERSION("1.0.0", ",'name':'a'") "}}",
		"{'name':'a','versions':{'1.0.0':{'version':'1.0.0','dist':{'tarball':'http://x/a','tarball':'http://x/b','shasum':'1'}}}}",
		"{'name':'a','versions':{},'time':{'1.0.0':'2024-01-01','1.0.0':'2020-01-01'}}",
		"{'name':'a','versions':{},'dist-tags':{'latest':'1.0.0','l\\u0061test':'2.0.0'}}",
		"{'name':'a','versions':{},'x':'\xff'}",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_DOCUMENT struct document d = document_make(rows[i], NULL);

		if (d.r != -EBADMSG)
			fail_msg("row %zu: %d", i, d.r);
		assert_true(d.err.text[0] != '\0');
	}
}

static void escaped_keys_are_what_they_decode_to(void **state)
{
	(void)state;
	CLEANUP_DOCUMENT struct document d = document_make(
		"{'n\\u0061me':'\\u0061','\\u0076ersions':{'1.0.\\u0030':{'v\\u0065rsion':'1.0.0','d\\u0069st':{'tarb\\u0061ll':'https:\\/\\/up\\/a-1.0.0.tgz','shasum':'5'}}},"
		"'tim\\u0065':{'1.0.\\u0030':'2024-01-01'},'dist\\u002dtags':{'l\\u0061test':'1.\\u0030.0'}}", NULL);
	const char *text;

	assert_int_equal(d.r, 0);
	is(version_of(&d, "1.0.0").tarball, "https://up/a-1.0.0.tgz");
	assert_int_equal(version_of(&d, "1.0.0").upstream_time, 1704067200 * USEC_SECOND);
	text = document_render(&d, "", NULL, 0);
	assert_non_null(strstr(text, "'dist-tags':{'latest':'1.0.0'}"));
	assert_non_null(strstr(text, "http://gate/npm/a/-/a-1.0.0.tgz"));
	text = document_render(&d, "1.0.0", NULL, 0);
	assert_null(strstr(text, "tarb"));
}

static void a_bad_version_is_left_out_with_a_note(void **state)
{
	(void)state;
	static const struct {
		const char *member, *note;
	} rows[] = {
		{"'1.2':{'version':'1.2'," DIST("1.2") "}", "not a version"},
		{"'x':{'version':'x'," DIST("1.0.0") "}", "not a version"},
		{"'1.0.1':{'version':'1.0.2'," DIST("1.0.1") "}", "another than its key"},
		{"'1.0.1':{" DIST("1.0.1") "}", "another than its key"},
		{"'1.0.1':{'version':'1.0.1','name':'b'," DIST("1.0.1") "}", "another than the package's"},
		{"'1.0.1':{'version':'1.0.1'}", "no tarball"},
		{"'1.0.1':{'version':'1.0.1','dist':[]}", "not an object"},
		{"'1.0.1':{'version':'1.0.1','dist':{'shasum':'5'}}", "no tarball"},
		{"'1.0.1':{'version':'1.0.1','dist':{'tarball':7,'shasum':'5'}}", "not a text"},
		{"'1.0.1':{'version':'1.0.1','dist':{'tarball':'http://x/a\\u000ab','shasum':'5'}}", "web address"},
		{"'1.0.1':{'version':'1.0.1','dist':{'tarball':'file:///etc/passwd','shasum':'5'}}", "web address"},
		{"'1.0.1':{'version':'1.0.1','dist':{'tarball':'http://x/a.tgz'}}", "no hash"},
		{"'1.0.1':7", "not an object"},
		{"' 1.0.1':{'version':' 1.0.1'," DIST("1.0.1") "}", "not a version"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_BUF struct buf json = BUF(MIB);
		struct document d;
		const char *text;

		buf_printf(&json, "{'name':'a','versions':{%s,%s,%s},'dist-tags':{'latest':'2.0.0'}}", VERSION("1.0.0", ""), rows[i].member,
		           VERSION("2.0.0", ""));
		d = document_make(buf_cstr(&json), NULL);
		assert_int_equal(d.r, 0);
		assert_int_equal(npm_packument_version_count(d.packument), 2);
		assert_int_equal(d.changes.note_count, 1);
		if (str_find(d.changes.notes[0], str_of(rows[i].note)) < 0)
			fail_msg("row %zu: %.*s", i, STR_ARG(d.changes.notes[0]));
		text = document_render(&d, "", NULL, 0);
		assert_null(strstr(text, "1.0.1"));
		assert_non_null(strstr(text, "'2.0.0':{"));
		document_free(&d);
	}
}

static void files_belong_to_one_version(void **state)
{
	(void)state;
	/* 0.0.1 claims the file name of 1.0.0, and 0.0.2 comes from a server that calls all of them "download". */
	CLEANUP_DOCUMENT struct document d = document_make(
		"{'name':'@s/a','versions':{"
		"'0.0.1':{'version':'0.0.1','dist':{'tarball':'https://up/x/a-1.0.0.tgz','shasum':'1'}},"
		"'1.0.0':{'version':'1.0.0','dist':{'tarball':'https://up/y/a-1.0.0.tgz?token=1','shasum':'2'}},"
		"'0.0.2':{'version':'0.0.2','dist':{'tarball':'https://up/2/download','shasum':'3'}},"
		"'0.0.3':{'version':'0.0.3','dist':{'tarball':'https://up/3/download','shasum':'4'}},"
		"'0.0.4':{'version':'0.0.4','dist':{'tarball':'https://up/3/%2e%2e%2fx','shasum':'4'}},"
		"'0.0.5':{'version':'0.0.5','dist':{'tarball':'https://up/3/o\\u0022dd%20%27x','shasum':'4'}},"
		"'0.0.6':{'version':'0.0.6','dist':{'tarball':'https://up/3/a%27b.tgz','shasum':'4'}}}}",
		&(struct npm_build){.name = STR("@s/a")});
	const char *text = document_render(&d, "", NULL, 0);

	is(version_of(&d, "1.0.0").file, "a-1.0.0.tgz");
	is(version_of(&d, "0.0.1").file, "a-0.0.1.tgz");
	is(version_of(&d, "0.0.2").file, "download");
	is(version_of(&d, "0.0.3").file, "a-0.0.3.tgz");
	is(version_of(&d, "0.0.4").file, "a-0.0.4.tgz");
	is(version_of(&d, "0.0.5").file, "a-0.0.5.tgz");
	is(version_of(&d, "0.0.6").file, "a'b.tgz");
	assert_non_null(strstr(text, "'tarball':'http://gate/npm/@s/a/-/a%27b.tgz'"));
	assert_non_null(strstr(text, "'tarball':'http://gate/npm/@s/a/-/a-0.0.1.tgz'"));
}

static void the_clock_cannot_be_forged(void **state)
{
	(void)state;
	enum { DAY_OF_SNAPSHOT = 19990 };
	static const struct {
		const char *what;
		const char *time;  /* what the upstream says now */
		usec last_snapshot; /* days; 0: the package is new here */
		struct seen_version seen; /* first_seen 0: the version is new here; days */
		usec published;    /* days */
	} rows[] = {
		{"first snapshot, old version", "2024-01-01", 0, {.first_seen = 0}, 19723},
		{"first snapshot, no time", NULL, 0, {.first_seen = 0}, 20000},
		{"first snapshot, time in the future", "2030-01-01", 0, {.first_seen = 0}, 20000},
		{"new version with a forged old time", "2020-01-01", 19990, {.first_seen = 0}, 19990},
		{"new version, honest", "2024-10-01", 19990, {.first_seen = 0}, 19997},
		{"new version, no time", NULL, 19990, {.first_seen = 0}, 20000},
		{"package unfetched for months", "2024-05-01", 19700, {.first_seen = 0}, 19844},
		{"known version whose time moves back", "2020-01-01", 19990, {.first_seen = 19980, .upstream_time = 19979, .lacked_at = 19970}, 19979},
		{"known version whose time goes away", NULL, 19990, {.first_seen = 19980, .upstream_time = 19979, .lacked_at = 19970}, 19979},
		{"known version whose time moves forth", "2024-10-03", 19990, {.first_seen = 19980, .upstream_time = 19979}, 19980},
		{"a clock that was wrong at the last snapshot", "2024-01-01", 90000, {.first_seen = 0}, 20000},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_BUF struct buf json = BUF(MIB);
		struct seen_version v = {.version = STR("1.0.0"), .first_seen = rows[i].seen.first_seen * USEC_DAY,
		                         .upstream_time = rows[i].seen.upstream_time * USEC_DAY, .lacked_at = rows[i].seen.lacked_at * USEC_DAY};
		struct seen_package seen = {.first_snapshot = rows[i].last_snapshot * USEC_DAY, .last_snapshot = rows[i].last_snapshot * USEC_DAY,
		                            .versions = &v, .version_count = rows[i].seen.first_seen ? 1 : 0};
		struct document d;

		buf_printf(&json, "{'name':'a','versions':{%s}", VERSION("1.0.0", ""));
		if (rows[i].time)
			buf_printf(&json, ",'time':{'1.0.0':'%s'}", rows[i].time);
		buf_add_char(&json, '}');
		d = document_make(buf_cstr(&json), &(struct npm_build){.seen = &seen});
		assert_int_equal(d.r, 0);
		if (version_of(&d, "1.0.0").published != rows[i].published * USEC_DAY)
			fail_msg("%s: day %lld", rows[i].what, (long long)(version_of(&d, "1.0.0").published / USEC_DAY));
		document_free(&d);
	}
}

static void another_hash_is_an_incident(void **state)
{
	(void)state;
	static const struct {
		struct str pin_integrity, pin_shasum;
		const char *integrity, *shasum;
		bool changed;
	} rows[] = {
		{STR("sha512-A"), STR("1"), "sha512-A", "1", false},
		{STR("sha512-A"), STR("1"), "sha512-B", "1", true},
		{STR("sha512-A"), STR("1"), "sha512-A", "", false},
		{STR("sha512-A"), STR("1"), "", "1", false},
		{STR("sha512-A"), STR("1"), "", "2", true},
		{STR(""), STR("1"), "sha512-A", "1", false},  /* an algorithm added later */
		{STR(""), STR("1"), "sha512-A", "2", true},
		{STR(""), STR("ab"), "", "AB", false},
		{STR("sha512-A"), STR(""), "sha512-A sha512-B", "", true}, /* clients take either */
		{STR("sha512-A"), STR(""), "sha1-x sha512-A?opt", "", false},
		{STR("sha512-A"), STR(""), "", "1", true}, /* exchanged for another algorithm */
		{STR("sha1-x"), STR(""), "sha1-x", "", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_BUF struct buf json = BUF(MIB);
		struct seen_version v = {.version = STR("1.0.0"), .first_seen = 19000 * USEC_DAY, .integrity = rows[i].pin_integrity,
		                         .shasum = rows[i].pin_shasum};
		struct seen_package seen = {.first_snapshot = 19000 * USEC_DAY, .last_snapshot = 19000 * USEC_DAY, .versions = &v, .version_count = 1};
		struct document d;

		buf_printf(&json, "{'name':'a','versions':{'1.0.0':{'version':'1.0.0','dist':{'tarball':'https://up/a-1.0.0.tgz','integrity':'%s','shasum':'%s'}}}}",
		           rows[i].integrity, rows[i].shasum);
		d = document_make(buf_cstr(&json), &(struct npm_build){.seen = &seen});
		assert_int_equal(d.r, 0);
		if (version_of(&d, "1.0.0").hash_changed != rows[i].changed || d.changes.changed_hash_count != rows[i].changed)
			fail_msg("row %zu: %d", i, version_of(&d, "1.0.0").hash_changed);
		if (rows[i].changed) {
			assert_true(str_eq(version_of(&d, "1.0.0").hash_first, v.integrity.n ? v.integrity : v.shasum));
			assert_true(str_eq(d.changes.seen.versions[0].integrity, v.integrity));
			assert_int_equal(d.changes.seen.versions[0].changed_at, TEST_NOW);
		}
		document_free(&d);
	}
}

static void a_known_change_of_hash_is_told_once(void **state)
{
	(void)state;
	struct seen_version v = {.version = STR("1.0.0"), .first_seen = 1, .integrity = STR("sha512-A"), .shasum = STR("1"),
	                         .changed_to = STR("sha512-1.0.0"), .changed_at = 7};
	struct seen_package seen = {.first_snapshot = 1, .last_snapshot = 1, .versions = &v, .version_count = 1};
	CLEANUP_DOCUMENT struct document d = document_make("{'name':'a','versions':{" VERSION("1.0.0", "") "}}", &(struct npm_build){.seen = &seen});

	assert_true(version_of(&d, "1.0.0").hash_changed);
	assert_int_equal(d.changes.changed_hash_count, 0);
	assert_int_equal(d.changes.seen.version_count, 0);
}

static void what_vanishes_becomes_a_ghost(void **state)
{
	(void)state;
	CLEANUP_DOCUMENT struct document before = document_make(
		"{'name':'a','versions':{" VERSION("1.0.0", ",'dependencies':{'b':'1.0.0'}") "," VERSION("1.1.0", "") "," VERSION("1.2.0", "") "},"
		"'dist-tags':{'latest':'1.1.0'},'time':{'1.0.0':'2024-09-01','1.1.0':'2024-10-02'}}",
		&(struct npm_build){.now = TEST_NOW - USEC_DAY});
	CLEANUP_DOCUMENT struct document after = document_make("{'name':'a','versions':{" VERSION("1.0.0", "") ",'1.2.0':{}},'dist-tags':{'latest':'1.0.0'}}",
		&(struct npm_build){.seen = &before.changes.seen, .previous = before.packument});
	CLEANUP_DOCUMENT struct document gone = document_make("", &(struct npm_build){.seen = &before.changes.seen, .previous = before.packument, .gone = true});
	struct npm_version v;
	const char *text;

	assert_int_equal(after.r, 0);
	assert_int_equal(npm_packument_version_count(after.packument), 2); /* 1.2.0 is there but malformed: left out, not gone */
	v = version_of(&after, "1.1.0");
	assert_true(v.ghost);
	assert_int_equal(v.gone_at, TEST_NOW);
	assert_int_equal(after.changes.withdrawn_count, 1);
	is(after.changes.withdrawn[0], "a@1.1.0: vanished 2d after its publication");
	text = document_render(&after, "", NULL, 0);
	assert_non_null(strstr(text, "'1.1.0':{'name':'a','version':'1.1.0'"));
	assert_non_null(strstr(text, "http://gate/npm/a/-/a-1.1.0.tgz"));
	assert_non_null(strstr(text, "'1.1.0':'2024-10-02'"));
	text = document_render(&after, "1.1.0", NULL, 0);
	assert_null(strstr(text, "1.1.0"));
	text = document_render(&after, "1.1.0", &(struct npm_form){.abbreviated = true, .base = STR("http://gate/")}, 0);
	assert_null(strstr(text, "1.1.0"));

	assert_int_equal(gone.r, 0);
	assert_true(npm_packument_gone(gone.packument));
	assert_int_equal(npm_packument_raw(gone.packument).n, 0);
	assert_true(str_starts(npm_packument_raw(after.packument), STR("{\"name\":\"a\"")));
	assert_int_equal(npm_packument_version_count(gone.packument), 3);
	assert_int_equal(gone.changes.withdrawn_count, 3);
	v = version_of(&gone, "1.0.0");
	assert_int_equal(v.pin_count, 1);
	is(npm_version_pin(&v, 0).name, "b");
	text = document_render(&gone, "", &(struct npm_form){.abbreviated = true, .base = STR("http://gate/")}, 0);
	assert_non_null(strstr(text, "'dist-tags':{'latest':'1.1.0'}"));
	assert_non_null(strstr(text, "'tarball':'http://gate/a/-/a-1.0.0.tgz'"));
}

static void a_ghost_stays_one_and_can_come_back(void **state)
{
	(void)state;
	CLEANUP_DOCUMENT struct document first = document_make("{'name':'a','versions':{" VERSION("1.0.0", "") "," VERSION("1.1.0", "") "}}",
		&(struct npm_build){.now = TEST_NOW - 9 * USEC_DAY});
	CLEANUP_DOCUMENT struct document second = document_make("{'name':'a','versions':{" VERSION("1.0.0", "") "}}",
		&(struct npm_build){.now = TEST_NOW - 5 * USEC_DAY, .seen = &first.changes.seen, .previous = first.packument});
	CLEANUP_DOCUMENT struct document third = document_make("{'name':'a','versions':{" VERSION("1.0.0", "") "}}",
		&(struct npm_build){.seen = &second.changes.seen, .previous = second.packument});
	CLEANUP_DOCUMENT struct document fourth = document_make("{'name':'a','versions':{" VERSION("1.1.0", "") "}}",
		&(struct npm_build){.seen = &second.changes.seen, .previous = third.packument});

	assert_int_equal(second.changes.seen.version_count, 1); /* only what changed is recorded */
	assert_int_equal(second.changes.seen.versions[0].gone_at, TEST_NOW - 5 * USEC_DAY);
	assert_int_equal(version_of(&third, "1.1.0").gone_at, TEST_NOW - 5 * USEC_DAY);
	assert_int_equal(third.changes.withdrawn_count, 0);
	assert_false(version_of(&fourth, "1.1.0").ghost);
	assert_int_equal(version_of(&fourth, "1.1.0").published, TEST_NOW - 9 * USEC_DAY);
	assert_true(version_of(&fourth, "1.0.0").ghost);
}

static void what_is_remembered_without_a_document_is_noticed_as_gone(void **state)
{
	(void)state;
	struct seen_version v = {.version = STR("0.9.0"), .first_seen = TEST_NOW - 40 * USEC_DAY, .upstream_time = TEST_NOW - 50 * USEC_DAY};
	struct seen_package seen = {.first_snapshot = 1, .last_snapshot = 1, .versions = &v, .version_count = 1};
	CLEANUP_DOCUMENT struct document d = document_make("{'name':'a','versions':{}}", &(struct npm_build){.seen = &seen});

	assert_int_equal(d.changes.withdrawn_count, 1);
	assert_int_equal(d.changes.seen.versions[0].gone_at, TEST_NOW);
}

static void a_security_placeholder_is_recognised(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		bool placeholder;
	} rows[] = {
		{"{'name':'a','versions':{" VERSION("0.0.1-security", "") "}}", true},
		{"{'name':'a','versions':{" VERSION("0.0.1-security", "") "," VERSION("1.0.0", "") "},'dist-tags':{'latest':'0.0.1-security'}}", true},
		{"{'name':'a','versions':{" VERSION("0.0.1-security", "") "," VERSION("1.0.0", "") "},'dist-tags':{'latest':'1.0.0'}}", false},
		{"{'name':'a','versions':{" VERSION("0.0.2-security.1", ",'description':'security holding package'") "},'dist-tags':{'latest':'0.0.2-security.1'}}", true},
		{"{'name':'a','versions':{" VERSION("0.0.2-security.1", "") "},'dist-tags':{'latest':'0.0.2-security.1'}}", false},
		{"{'name':'a','versions':{" VERSION("1.0.0", ",'description':'security holding package'") "},'dist-tags':{'latest':'1.0.0'}}", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_DOCUMENT struct document d = document_make(rows[i].json, NULL);

		assert_int_equal(d.r, 0);
		if (npm_packument_placeholder(d.packument) != rows[i].placeholder || d.changes.seen.placeholder != rows[i].placeholder)
			fail_msg("row %zu", i);
	}
}

static void a_damaged_file_is_not_opened(void **state)
{
	(void)state;
	CLEANUP_DOCUMENT struct document d = document_make("{'name':'a','versions':{" VERSION("1.0.0", "") "}}", NULL);
	struct npm_packument *p;
	usec checked = 42;

	memcpy(d.file.p + NPM_DOCUMENT_CHECKED_OFFSET, &checked, sizeof(checked));
	assert_int_equal(npm_packument_checked(d.packument), 42);
	assert_int_equal(npm_packument_open(buf_str(&d.file), &p, NULL), 0);
	npm_packument_free(p);
	for (size_t i = 0; i < d.file.n; i++) {
		/* The place of `checked`, and what the header leaves unused. */
		if ((i >= 16 && i < 24) || (i >= 200 && i < NPM_DOCUMENT_HEADER))
			continue;
		d.file.p[i] ^= 1;
		if (npm_packument_open(buf_str(&d.file), &p, NULL) != -EBADMSG)
			fail_msg("byte %zu", i);
		d.file.p[i] ^= 1;
	}
	assert_int_equal(npm_packument_open(str_take(buf_str(&d.file), d.file.n - 1), &p, NULL), -EBADMSG);
	assert_int_equal(npm_packument_open(str_take(buf_str(&d.file), 100), &p, NULL), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_is_indexed),
		cmocka_unit_test(a_document_that_cannot_be_trusted_is_refused),
		cmocka_unit_test(escaped_keys_are_what_they_decode_to),
		cmocka_unit_test(a_bad_version_is_left_out_with_a_note),
		cmocka_unit_test(files_belong_to_one_version),
		cmocka_unit_test(the_clock_cannot_be_forged),
		cmocka_unit_test(another_hash_is_an_incident),
		cmocka_unit_test(a_known_change_of_hash_is_told_once),
		cmocka_unit_test(what_vanishes_becomes_a_ghost),
		cmocka_unit_test(a_ghost_stays_one_and_can_come_back),
		cmocka_unit_test(what_is_remembered_without_a_document_is_noticed_as_gone),
		cmocka_unit_test(a_security_placeholder_is_recognised),
		cmocka_unit_test(a_damaged_file_is_not_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
