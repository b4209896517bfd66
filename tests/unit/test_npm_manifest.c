#include "unit.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/mman.h>

#include "base/buf.h"
#include "base/limits.h"
#include "registry/npm/manifest.h"

/* Texts are written with ' where JSON has ". */
static struct str json(struct arena *a, const char *text)
{
	struct str s = arena_str(a, str_of(text));

	for (char *p = (char *)(uintptr_t)s.p; *p; p++)
		if (*p == '\'')
			*p = '"';
	return s;
}

static void only_what_matters_counts_as_a_difference(void **state)
{
	(void)state;
	static const struct {
		const char *what, *metadata, *archive;
		bool binding_gyp;
		const char *difference; /* NULL: none */
	} rows[] = {
		{"equal", "{'name':'a','version':'1.0.0'}", "{'name':'a','version':'1.0.0'}", false, NULL},
		{"another name", "{'name':'a','version':'1.0.0'}", "{'name':'b','version':'1.0.0'}", false, "name"},
		{"another version", "{'name':'a','version':'1.0.0'}", "{'name':'a','version':'1.0.1'}", false, "version"},
		{"a version normalised", "{'name':'a','version':'1.0.0'}", "{'name':' a','version':'v1.0.0+5'}", false, NULL},
		{"no package.json", "{'name':'a','version':'1.0.0'}", "", false, "no package.json"},
		{"not JSON", "{'name':'a','version':'1.0.0'}", "{'name':", false, "not a JSON object"},
		{"not an object", "{'name':'a','version':'1.0.0'}", "[]", false, "not a JSON object"},
		{"the last of two keys counts", "{'name':'a','version':'1.0.0'}", "{'name':'a','version':'1.0.0','scripts':{},'scripts':{'install':'x'}}", false, "script install"},
		{"a hidden install script", "{'name':'a','version':'1.0.0'}", "{'name':'a','version':'1.0.0','scripts':{'postinstall':'x'}}", false, "script postinstall"},
		{"a hidden preinstall script", "{'name':'a','version':'1.0.0'}", "{'name':'a','version':'1.0.0','scripts':{'preinstall':'x'}}", false, "script preinstall"},
		{"another install script", "{'name':'a','version':'1.0.0','scripts':{'install':'y'}}", "{'name':'a','version':'1.0.0','scripts':{'install':'x'}}", false, "script install"},
		{"the same script", "{'name':'a','version':'1.0.0','scripts':{'install':'x'}}", "{'name':'a','version':'1.0.0','scripts':{'install':'x '}}", false, NULL},
		{"another test script", "{'name':'a','version':'1.0.0'}", "{'name':'a','version':'1.0.0','scripts':{'test':'x','prepare':'y'}}", false, NULL},
		{"a hidden build", "{'name':'a','version':'1.0.0','_npmUser':{'name':'m'}}", "{'name':'a','version':'1.0.0'}", true, "binding.gyp"},
		{"a hidden build under signatures", "{'name':'a','version':'1.0.0','dist':{'signatures':[]}}", "{'name':'a','version':'1.0.0'}", true, "binding.gyp"},
		{"a build as npm publishes it", "{'name':'a','version':'1.0.0','_npmUser':{},'gypfile':true,'scripts':{'install':'node-gyp rebuild'}}", "{'name':'a','version':'1.0.0'}", true, NULL},
		{"a build beside a script that is told", "{'name':'a','version':'1.0.0','_npmUser':{},'scripts':{'postinstall':'x'}}", "{'name':'a','version':'1.0.0','scripts':{'postinstall':'x'}}", true, NULL},
		{"a build that a mirror does not tell", "{'name':'a','version':'1.0.0'}", "{'name':'a','version':'1.0.0'}", true, NULL},
		{"a build that is switched off", "{'name':'a','version':'1.0.0','_npmUser':{}}", "{'name':'a','version':'1.0.0','gypfile':false}", true, NULL},
		{"a hidden dependency", "{'name':'a','version':'1.0.0'}", "{'name':'a','version':'1.0.0','dependencies':{'b':'1'}}", false, "dependency b"},
		{"another range", "{'name':'a','version':'1.0.0','dependencies':{'b':'1'}}", "{'name':'a','version':'1.0.0','dependencies':{'b':'2'}}", false, "dependency b"},
		{"the same range written otherwise", "{'name':'a','version':'1.0.0','dependencies':{'b':'>=1.0.0 <2.0.0-0','c':'*'}}", "{'name':'a','version':'1.0.0','dependencies':{'b':' ^1.0.0','c':''}}", false, NULL},
		{"an address", "{'name':'a','version':'1.0.0','dependencies':{'b':'git+https://x/b'}}", "{'name':'a','version':'1.0.0','dependencies':{'b':'git+https://y/b'}}", false, "dependency b"},
		{"an optional dependency, also copied", "{'name':'a','version':'1.0.0','dependencies':{'b':'1'},'optionalDependencies':{'b':'1'}}", "{'name':'a','version':'1.0.0','optionalDependencies':{'b':'1'}}", false, NULL},
		{"one in both with different ranges", "{'name':'a','version':'1.0.0','dependencies':{'b':'1'},'optionalDependencies':{'b':'1'}}", "{'name':'a','version':'1.0.0','dependencies':{'b':'1'},'optionalDependencies':{'b':'2'}}", false, "optional dependency b"},
		{"a hidden optional dependency", "{'name':'a','version':'1.0.0'}", "{'name':'a','version':'1.0.0','optionalDependencies':{'b':'1'}}", false, "optional dependency b"},
		{"a field dropped", "{'name':'a','version':'1.0.0'}", "{'name':'a','version':'1.0.0','files':['x'],'devDependencies':{'b':'1'}}", false, NULL},
		{"a dependency that only the metadata has", "{'name':'a','version':'1.0.0','dependencies':{'b':'1'}}", "{'name':'a','version':'1.0.0'}", false, NULL},
		{"dependencies in an old way", "{'name':'a','version':'1.0.0'}", "{'name':'a','version':'1.0.0','dependencies':['b']}", false, NULL},
		{"a hidden command", "{'name':'a','version':'1.0.0'}", "{'name':'a','version':'1.0.0','bin':{'ls':'x.js'}}", false, "command ls"},
		{"another command", "{'name':'a','version':'1.0.0','bin':{'a':'y.js'}}", "{'name':'a','version':'1.0.0','bin':{'a':'x.js'}}", false, "command a"},
		{"a command normalised", "{'name':'@s/a','version':'1.0.0','bin':{'a':'bin/a.js'}}", "{'name':'@s/a','version':'1.0.0','bin':'./bin//a.js'}", false, NULL},
		{"a command as text in both", "{'name':'@s/a','version':'1.0.0','bin':'./x.js'}", "{'name':'@s/a','version':'1.0.0','bin':{'a':'x.js'}}", false, NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(MIB);
		struct npm_archive archive = {.package_json = json(a, rows[i].archive), .binding_gyp = rows[i].binding_gyp};
		struct str difference = STR_NULL;
		int r = npm_manifest_compare(json(a, rows[i].metadata), &archive, a, &difference);

		if (r != (rows[i].difference != NULL) || (r && str_find(difference, str_of(rows[i].difference)) < 0))
			fail_msg("%s: %d %.*s", rows[i].what, r, STR_ARG(difference));
	}
}

static void a_large_manifest_costs_no_square(void **state)
{
	(void)state;
	enum { COUNT = 50000 };
	CLEANUP_ARENA struct arena *a = arena_new(256 * MIB);
	CLEANUP_BUF struct buf text = BUF(16 * MIB);
	struct npm_archive archive = {.package_json = STR_NULL};
	struct str difference;

	buf_add_str(&text, STR("{\"name\":\"a\",\"version\":\"1.0.0\",\"dependencies\":{"));
	for (size_t i = 0; i < COUNT; i++)
		buf_printf(&text, "%s\"d%zu\":\"1\"", i ? "," : "", i);
	buf_add_str(&text, STR("}}"));
	archive.package_json = buf_str(&text);
	assert_int_equal(npm_manifest_compare(buf_str(&text), &archive, a, &difference), 0);
}

struct entry {
	const char *path, *content, *link;
	int type; /* 0: a plain file */
};

/* A .tgz in memory. */
static int tarball(const struct entry *entries, size_t count)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	struct archive *archive = archive_write_new();

	archive_write_add_filter_gzip(archive);
	archive_write_set_format_pax_restricted(archive);
	archive_write_open_fd(archive, fd);
	for (size_t i = 0; i < count; i++) {
		struct archive_entry *e = archive_entry_new();

		archive_entry_set_pathname(e, entries[i].path);
		archive_entry_set_filetype(e, entries[i].type ? (unsigned)entries[i].type : AE_IFREG);
		archive_entry_set_perm(e, 0644);
		if (entries[i].type == AE_IFLNK)
			archive_entry_set_symlink(e, entries[i].link);
		else if (entries[i].link)
			archive_entry_set_hardlink(e, entries[i].link);
		archive_entry_set_size(e, entries[i].content ? (int64_t)strlen(entries[i].content) : 0);
		archive_write_header(archive, e);
		if (entries[i].content)
			archive_write_data(archive, entries[i].content, strlen(entries[i].content));
		archive_entry_free(e);
	}
	archive_write_close(archive);
	archive_write_free(archive);
	return fd;
}

static void archives_are_read_as_npm_unpacks_them(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		struct entry entries[4];
		int r;
		const char *package_json;
		bool binding_gyp;
	} rows[] = {
		{"a usual one", {{"package/package.json", "{}", NULL, 0}, {"package/lib/package.json", "x", NULL, 0}, {"package/index.js", "x", NULL, 0}}, 0, "{}", false},
		{"another folder", {{"node/index.js", "x", NULL, 0}, {"node/package.json", "{1}", NULL, 0}, {"node/binding.gyp", "x", NULL, 0}}, 0, "{1}", true},
		{"no folder", {{"package.json", "{}", NULL, 0}}, 0, "{}", false},
		{"with and without a folder", {{"package.json", "{}", NULL, 0}, {"package/package.json", "{x}", NULL, 0}}, -EBADMSG, NULL, false},
		{"a dot for a folder", {{"./package.json", "{2}", NULL, 0}}, 0, "{2}", false},
		{"a doubled slash", {{"package//./package.json", "{3}", NULL, 0}}, 0, "{3}", false},
		{"binding.gyp deeper", {{"package/package.json", "{}", NULL, 0}, {"package/deps/binding.gyp", "x", NULL, 0}}, 0, "{}", false},
		{"two of them", {{"package/package.json", "{}", NULL, 0}, {"package/package.json", "{x}", NULL, 0}}, -EBADMSG, NULL, false},
		{"two in two folders", {{"package/package.json", "{}", NULL, 0}, {"other/package.json", "{x}", NULL, 0}}, -EBADMSG, NULL, false},
		{"two that differ in case", {{"package/package.json", "{}", NULL, 0}, {"package/Package.JSON", "{x}", NULL, 0}}, -EBADMSG, NULL, false},
		{"a link for a manifest", {{"package/x", "{}", NULL, 0}, {"package/package.json", NULL, "x", AE_IFLNK}}, -EBADMSG, NULL, false},
		{"up and out", {{"package/../../x", "x", NULL, 0}}, -EBADMSG, NULL, false},
		{"up and out on Windows", {{"package\\..\\..\\x", "x", NULL, 0}}, -EBADMSG, NULL, false},
		{"absolute", {{"/etc/passwd", "x", NULL, 0}}, -EBADMSG, NULL, false},
		{"absolute on Windows", {{"c:/x", "x", NULL, 0}}, -EBADMSG, NULL, false},
		{"a link out", {{"package/a", NULL, "../../etc", AE_IFLNK}}, -EBADMSG, NULL, false},
		{"a link to its neighbour folder", {{"package/a", NULL, "../other/x", AE_IFLNK}}, -EBADMSG, NULL, false},
		{"an absolute link", {{"package/a", NULL, "/etc/passwd", AE_IFLNK}}, -EBADMSG, NULL, false},
		{"a link inside", {{"package/lib/a", NULL, "../b", AE_IFLNK}, {"package/package.json", "{}", NULL, 0}}, 0, "{}", false},
		{"a device", {{"package/a", NULL, NULL, AE_IFCHR}}, -EBADMSG, NULL, false},
		{"a pipe", {{"package/a", NULL, NULL, AE_IFIFO}}, -EBADMSG, NULL, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(MIB);
		struct npm_archive archive;
		struct err err = {0};
		size_t count = 0;
		CLEANUP_FD int fd = -1;
		int r;

		while (count < 4 && rows[i].entries[count].path)
			count++;
		fd = tarball(rows[i].entries, count);
		r = npm_archive_read(fd, a, &archive, &err);
		if (r != rows[i].r)
			fail_msg("%s: %d %s", rows[i].what, r, err.text);
		if (r < 0)
			continue;
		assert_true(str_eq(archive.package_json, str_of(rows[i].package_json)));
		assert_int_equal(archive.binding_gyp, rows[i].binding_gyp);
		assert_int_equal(archive.entries, count);
	}
}

static void what_the_metadata_does_not_tell_is_seen(void **state)
{
	(void)state;
	static const struct {
		const char *what, *metadata;
		struct entry entries[4];
		const char *script, *binary;
	} rows[] = {
		{"nothing", "{}", {{"package/package.json", "{}", NULL, 0}, {"package/x.js", "MZ is no executable when it is text, however long this text may become in the end", NULL, 0}}, "", ""},
		{"ELF", "{}", {{"package/package.json", "{}", NULL, 0}, {"package/bin/x", "\177ELF\2\1\1zz", NULL, 0}}, "", "bin/x"},
		{"Mach-O and .node", "{}", {{"package/package.json", "{}", NULL, 0}, {"package/a", "\xcf\xfa\xed\xfezzzz", NULL, 0}, {"package/b.node", "x", NULL, 0}}, "", "a and 1 more"},
		{"a class of Java", "{}", {{"package/package.json", "{}", NULL, 0}, {"package/X.class", "\xca\xfe\xba\xbe\1\1\1\64", NULL, 0}}, "", ""},
		{"bundled", "{}", {{"package/package.json", "{}", NULL, 0}, {"package/node_modules/b/index.js", "x", NULL, 0}}, "", "bundled node_modules"},
		{"bundled, and told", "{'bundleDependencies':['b']}", {{"package/package.json", "{}", NULL, 0}, {"package/node_modules/b/index.js", "x", NULL, 0}}, "", ""},
		{"a build", "{}", {{"package/package.json", "{}", NULL, 0}, {"package/binding.gyp", "x", NULL, 0}}, "binding.gyp", ""},
		{"a build that is told", "{'gypfile':true}", {{"package/package.json", "{}", NULL, 0}, {"package/binding.gyp", "x", NULL, 0}}, "", ""},
		{"a build that a script stands for", "{}", {{"package/package.json", "{\"scripts\":{\"install\":\"x\"}}", NULL, 0}, {"package/binding.gyp", "x", NULL, 0}}, "", ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(MIB);
		struct npm_archive archive;
		struct err err = {0};
		struct str script, binary;
		size_t count = 0;
		CLEANUP_FD int fd = -1;

		while (count < 4 && rows[i].entries[count].path)
			count++;
		fd = tarball(rows[i].entries, count);
		assert_int_equal(npm_archive_read(fd, a, &archive, &err), 0);
		npm_archive_untold(json(a, rows[i].metadata), &archive, a, &script, &binary);
		if (!str_eq(script, str_of(rows[i].script)) || !str_eq(binary, str_of(rows[i].binary)))
			fail_msg("%s: %.*s / %.*s", rows[i].what, STR_ARG(script), STR_ARG(binary));
	}
}

static void an_archive_behind_the_archive_is_seen(void **state)
{
	(void)state;
	/* npm's unpacker reads on behind empty blocks, where most tar programs stop. */
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	CLEANUP_FD int first = tarball(&(struct entry){"package/package.json", "{}", NULL, 0}, 1);
	CLEANUP_FD int second = tarball(&(struct entry){"package/package.json", "{evil}", NULL, 0}, 1);
	static char bytes[64 * 1024];
	ssize_t n = pread(second, bytes, sizeof(bytes), 0);
	struct npm_archive archive;

	lseek(first, 0, SEEK_END);
	assert_int_equal(write(first, bytes, (size_t)n), n);
	assert_int_equal(npm_archive_read(first, a, &archive, NULL), -EBADMSG);
}

static void a_damaged_archive_is_refused(void **state)
{
	(void)state;
	static const struct entry entries[] = {{"package/package.json", "{\"name\":\"a\"}", NULL, 0}};
	CLEANUP_FD int whole = tarball(entries, 1);
	off_t size = lseek(whole, 0, SEEK_END);
	char byte = 0x55;

	for (off_t cut = 1; cut < size; cut += 7) {
		CLEANUP_ARENA struct arena *a = arena_new(MIB);
		CLEANUP_FD int fd = tarball(entries, 1);
		struct npm_archive archive;

		assert_int_equal(ftruncate(fd, size - cut), 0);
		/* The last bytes of a tar are empty blocks: a cut there may leave all entries whole. */
		if (npm_archive_read(fd, a, &archive, NULL) == 0)
			assert_true(str_eq(archive.package_json, STR("{\"name\":\"a\"}")) || archive.entries == 0);
	}
	assert_int_equal(pwrite(whole, &byte, 1, 0), 1);
	{
		CLEANUP_ARENA struct arena *a = arena_new(MIB);
		struct npm_archive archive;
		struct err err = {0};

		assert_int_equal(npm_archive_read(whole, a, &archive, &err), -EBADMSG);
		assert_true(err.text[0] != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_matters_counts_as_a_difference),
		cmocka_unit_test(a_large_manifest_costs_no_square),
		cmocka_unit_test(archives_are_read_as_npm_unpacks_them),
		cmocka_unit_test(what_the_metadata_does_not_tell_is_seen),
		cmocka_unit_test(an_archive_behind_the_archive_is_seen),
		cmocka_unit_test(a_damaged_archive_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
