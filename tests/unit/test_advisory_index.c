#include "unit.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "advisory/feed.h"
#include "advisory/mapped.h"
#include "advisory/sources.h"
#include "base/file.h"
#include "base/limits.h"

static char dir[64], index_path[96];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/bondgate-index-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(index_path, sizeof(index_path), "%s/advisories.idx", dir);
	return 0;
}

static int unlink_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int remove_dir(void **state)
{
	(void)state;
	return nftw(dir, unlink_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *in_dir(const char *name)
{
	static char paths[4][300];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

/* Texts are written with ' where JSON has ". */
static struct str with_quotes(struct arena *a, const char *text)
{
	struct str s = arena_str(a, str_of(text));

	for (char *p = (char *)(uintptr_t)s.p; *p; p++)
		if (*p == '\'')
			*p = '"';
	return s;
}

static void write_file(const char *path, const char *text)
{
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct err err = {0};

	assert_int_equal(file_replace(path, with_quotes(a, text), 0600, &err), 0);
}

/* ---- importing ---- */

struct told {
	struct advisories_imported n;
	char problem[4096];
	size_t problems;
	struct err err;
};

static void on_problem(void *arg, const char *text)
{
	struct told *t = arg;

	if (t->problems++ == 0)
		snprintf(t->problem, sizeof(t->problem), "%s", text);
}

static int import_as(const char *path, const char *source, int priority, bool dry, struct told *t)
{
	struct advisories_import import = {.index = index_path,
	                                   .paths = &path,
	                                   .path_count = 1,
	                                   .source = str_of(source),
	                                   .priority = priority,
	                                   .dry = dry,
	                                   .now = 1000 * USEC_DAY,
	                                   .problem = on_problem,
	                                   .arg = t};

	*t = (struct told){0};
	return advisories_build(&import, &t->n, &t->err);
}

static struct told import(const char *text)
{
	struct told t;

	write_file(in_dir("one.json"), text);
	if (import_as(in_dir("one.json"), "osv", 0, false, &t) < 0)
		fail_msg("%s", t.err.text);
	return t;
}

static struct advisories *open_index(void)
{
	struct advisories *all;
	struct err err = {0};

	if (advisories_open(index_path, &all, &err) < 0)
		fail_msg("%s", err.text);
	if (advisories_verify(all, &err) < 0)
		fail_msg("%s", err.text);
	return all;
}

/* "ID ID …" of what is known, malware in capitals as it is. */
static const char *known(enum ecosystem e, const char *name, const char *version)
{
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	static char text[400];
	struct advisories *all = open_index();
	struct advisory *found;
	size_t n = advisories_match(all, e, str_of(name), str_of(version), 0, a, &found), used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.*s", i ? " " : "", STR_ARG(found[i].id));
	advisories_unref(all);
	return text;
}

#define NPM(name, fixed) \
	"{'package':{'ecosystem':'npm','name':'" name "'},'ranges':[{'type':'SEMVER','events':[{'introduced':'0'},{'fixed':'" fixed "'}]}]}"
#define NUGET(name, fixed) \
	"{'package':{'ecosystem':'NuGet','name':'" name "'},'ranges':[{'type':'ECOSYSTEM','events':[{'introduced':'0'},{'fixed':'" fixed \
	"'}]}]}"

static void what_is_imported_is_found_in_both_ecosystems(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct told t =
		import("[{'id':'A','modified':'2024-01-01T00:00:00Z','published':'2023-01-01T00:00:00Z','summary':'s','aliases':['CVE-1'],"
	           "'severity':[{'type':'CVSS_V3','score':'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H'}],"
	           "'database_specific':{'cwe_ids':['CWE-79']},'references':[{'type':'ADVISORY','url':'https://advisory.example/A'}],"
	           "'affected':[" NPM("lab-a", "1.2") "," NUGET(
				   "Lab.Net", "2.0") "]},"
	                                 "{'id':'B','affected':[{'package':{'ecosystem':'npm','name':'lab-b'},'versions':['v1.0.0','2.0.0']}]},"
	                                 "{'id':'C','affected':[{'package':{'ecosystem':'PyPI','name':'lab-b'},'versions':['1.0.0']}]}]");
	struct advisories *all;
	struct advisory *found;

	assert_int_equal(t.n.read, 3);
	assert_int_equal(t.n.added, 2);
	assert_int_equal(t.n.elsewhere, 1);
	assert_string_equal(known(ECOSYSTEM_NPM, "lab-a", "1.1.9"), "A");
	assert_string_equal(known(ECOSYSTEM_NPM, "lab-a", "1.2.0"), "");
	assert_string_equal(known(ECOSYSTEM_NUGET, "LAB.net", "1.9.9.9"), "A");
	assert_string_equal(known(ECOSYSTEM_NUGET, "lab-a", "1.0.0"), "");
	assert_string_equal(known(ECOSYSTEM_NPM, "lab-b", "1.0.0"), "B");
	assert_string_equal(known(ECOSYSTEM_NPM, "lab-b", "1.0.1"), "");
	all = open_index();
	assert_int_equal(advisories_match(all, ECOSYSTEM_NPM, STR("lab-a"), STR("1.0.0"), 0, a, &found), 1);
	assert_int_equal(found->score, 98);
	assert_int_equal(found->severity, SEVERITY_CRITICAL);
	assert_true(str_eq(found->vector, STR("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")));
	assert_true(str_eq(found->fixed, STR("1.2")));
	assert_true(str_eq(found->vulnerable_versions, STR("<1.2.0")));
	assert_true(str_eq(found->url, STR("https://advisory.example/A")));
	assert_int_equal(found->cwe_count, 1);
	assert_true(str_eq(found->cwes[0], STR("CWE-79")));
	assert_true(str_eq(found->aliases[0], STR("CVE-1")));
	assert_true(found->published < found->modified);
	assert_int_equal(advisories_match(all, ECOSYSTEM_NPM, STR("lab-a"), STR("1.0.0"), found->published - 1, a, &found), 0);
	advisories_unref(all);
}

#define ONE(id, modified, fixed) "{'id':'" id "','modified':'" modified "T00:00:00Z','affected':[" NPM("lab-a", fixed) "]}"

static void a_newer_record_wins_and_an_older_one_is_left_out(void **state)
{
	(void)state;
	struct told t;

	import(ONE("A", "2024-02-01", "2.0.0"));
	t = import(ONE("A", "2024-01-01", "9.0.0"));
	assert_int_equal(t.n.older, 1);
	assert_string_equal(known(ECOSYSTEM_NPM, "lab-a", "3.0.0"), "");
	t = import(ONE("A", "2024-02-01", "2.0.0"));
	assert_int_equal(t.n.unchanged, 1);
	t = import(ONE("A", "2024-03-01", "4.0.0"));
	assert_int_equal(t.n.updated, 1);
	assert_int_equal(t.n.records, 1);
	assert_string_equal(known(ECOSYSTEM_NPM, "lab-a", "3.0.0"), "A");
	/* What is not spoken of stays. */
	t = import("{'id':'B','affected':[" NPM("lab-b", "1.0.0") "]}");
	assert_int_equal(t.n.records, 2);
	assert_string_equal(known(ECOSYSTEM_NPM, "lab-a", "3.0.0"), "A");
}

static void a_withdrawn_record_is_gone_and_does_not_come_back_by_an_older_one(void **state)
{
	(void)state;
	struct told t;

	import(ONE("A", "2024-02-01", "2.0.0"));
	t = import("{'id':'A','modified':'2024-03-01T00:00:00Z','withdrawn':'2024-03-01T00:00:00Z','affected':[" NPM("lab-a", "2.0.0") "]}");
	assert_int_equal(t.n.withdrawn, 1);
	assert_string_equal(known(ECOSYSTEM_NPM, "lab-a", "1.0.0"), "");
	import(ONE("A", "2024-02-02", "2.0.0"));
	assert_string_equal(known(ECOSYSTEM_NPM, "lab-a", "1.0.0"), "");
	import(ONE("A", "2024-04-01", "2.0.0"));
	assert_string_equal(known(ECOSYSTEM_NPM, "lab-a", "1.0.0"), "A");
}

static void of_two_sources_the_one_of_higher_priority_is_heard(void **state)
{
	(void)state;
	struct told t;

	write_file(in_dir("mine.json"), ONE("A", "2020-01-01", "5.0.0"));
	write_file(in_dir("theirs.json"), ONE("A", "2024-01-01", "2.0.0"));
	assert_int_equal(import_as(in_dir("mine.json"), "mine", 10, false, &t), 0);
	assert_int_equal(import_as(in_dir("theirs.json"), "theirs", 0, false, &t), 0);
	assert_int_equal(t.n.older, 1);
	assert_string_equal(known(ECOSYSTEM_NPM, "lab-a", "3.0.0"), "A");
	assert_int_equal(import_as(in_dir("theirs.json"), "theirs", 20, false, &t), 0);
	assert_int_equal(t.n.updated, 1);
	assert_string_equal(known(ECOSYSTEM_NPM, "lab-a", "3.0.0"), "");
}

static void two_parts_of_one_record_are_kept_together(void **state)
{
	(void)state;
	struct told t;

	/* As in OSV's archives by ecosystem: each has only its own packages. */
	import("{'id':'A','modified':'2024-01-01T00:00:00Z','affected':[" NPM("lab-a", "2.0.0") "]}");
	import("{'id':'A','modified':'2024-02-01T00:00:00Z','affected':[" NUGET("Lab.A", "2.0.0") "]}");
	assert_string_equal(known(ECOSYSTEM_NPM, "lab-a", "1.0.0"), "A");
	assert_string_equal(known(ECOSYSTEM_NUGET, "lab.a", "1.0.0"), "A");
	t = import("{'id':'A','modified':'2024-01-01T00:00:00Z','affected':[" NPM("lab-a", "2.0.0") "]}");
	assert_int_equal(t.n.unchanged, 1);
	t = import("{'id':'A','modified':'2024-01-15T00:00:00Z','affected':[" NPM("lab-a", "3.0.0") "]}");
	assert_int_equal(t.n.records, 1);
	assert_string_equal(known(ECOSYSTEM_NPM, "lab-a", "2.0.0"), "A");
	assert_string_equal(known(ECOSYSTEM_NUGET, "lab.a", "1.0.0"), "A");
	import("{'id':'A','modified':'2024-03-01T00:00:00Z','withdrawn':'2024-03-01T00:00:00Z'}");
	assert_string_equal(known(ECOSYSTEM_NUGET, "lab.a", "1.0.0"), "");
}

static void records_that_name_each_other_are_one_advisory(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct advisories *all;
	struct advisory *found;

	import("[{'id':'GHSA-1','aliases':['CVE-1'],'database_specific':{'severity':'HIGH'},'affected':[" NPM(
		"lab-a", "2.0.0") "]},"
	                      "{'id':'X-1','aliases':['CVE-1'],'summary':'said by X','affected':[" NPM(
							  "lab-a", "3.0.0") "]},"
	                                            "{'id':'MAL-1','aliases':['X-1'],'affected':[" NPM(
													"lab-a", "1.5.0") "]},"
	                                                                  "{'id':'Y','affected':[" NPM("lab-a", "9.0.0") "]}]");
	all = open_index();
	assert_int_equal(advisories_match(all, ECOSYSTEM_NPM, STR("lab-a"), STR("1.0.0"), 0, a, &found), 2);
	assert_true(str_eq(found[0].id, STR("MAL-1")));
	assert_int_equal(found[0].kind, ADVISORY_MALWARE);
	assert_true(str_eq(found[0].summary, STR("said by X")));
	assert_int_equal(found[0].joined, 2);
	assert_int_equal(found[0].alias_count, 3);
	assert_true(str_eq(found[0].aliases[2], STR("CVE-1")));
	assert_int_equal(advisories_match(all, ECOSYSTEM_NPM, STR("lab-a"), STR("1.7.0"), 0, a, &found), 2);
	assert_true(str_eq(found[0].id, STR("GHSA-1")));
	assert_int_equal(found[0].joined, 1);
	assert_int_equal(advisories_match(all, ECOSYSTEM_NPM, STR("lab-a"), STR("4.0.0"), 0, a, &found), 1);
	advisories_unref(all);
}

/* ---- where records come from ---- */

static void write_zip(const char *path)
{
	static const struct {
		const char *name, *text;
	} files[] = {
		{"A.json", "{\"id\":\"A\",\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"lab-a\"},\"versions\":[\"1.0.0\"]}]}"},
		{"B.json", "{\"id\":\"B\",\"affected\":[}"},
		{"notes.txt", "{"},
		{"C.json", "{\"id\":\"C\",\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"lab-c\"},\"versions\":[\"1.0.0\"]}]}"}};
	struct archive *zip = archive_write_new();

	archive_write_set_format_zip(zip);
	assert_int_equal(archive_write_open_filename(zip, path), ARCHIVE_OK);
	for (size_t i = 0; i < 4; i++) {
		struct archive_entry *entry = archive_entry_new();

		archive_entry_set_pathname(entry, files[i].name);
		archive_entry_set_size(entry, (la_int64_t)strlen(files[i].text));
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_set_perm(entry, 0644);
		assert_int_equal(archive_write_header(zip, entry), ARCHIVE_OK);
		archive_write_data(zip, files[i].text, strlen(files[i].text));
		archive_entry_free(entry);
	}
	assert_int_equal(archive_write_free(zip), ARCHIVE_OK);
}

static void a_zip_is_read_and_what_is_broken_in_it_is_told_with_its_place(void **state)
{
	(void)state;
	struct told t;

	write_zip(in_dir("all.zip"));
	assert_int_equal(import_as(in_dir("all.zip"), "osv", 0, false, &t), 0);
	assert_int_equal(t.n.read, 3);
	assert_int_equal(t.n.added, 2);
	assert_int_equal(t.n.skipped, 1);
	assert_non_null(strstr(t.problem, "all.zip: B.json: "));
	assert_non_null(strstr(t.problem, "at byte 22"));
	assert_string_equal(known(ECOSYSTEM_NPM, "lab-c", "1.0.0"), "C");
	/* Cut short it is refused as a whole: nobody may think that it was all. */
	assert_int_equal(truncate(in_dir("all.zip"), 300), 0);
	assert_true(import_as(in_dir("all.zip"), "osv", 0, false, &t) < 0);
	assert_string_equal(known(ECOSYSTEM_NPM, "lab-c", "1.0.0"), "C");
}

static void a_folder_is_read_to_its_ends(void **state)
{
	(void)state;
	struct told t;

	mkdir(in_dir("repo"), 0700);
	mkdir(in_dir("repo/2024"), 0700);
	mkdir(in_dir("repo/.git"), 0700);
	write_file(in_dir("repo/2024/a.json"), ONE("A", "2024-01-01", "2.0.0"));
	write_file(in_dir("repo/.git/b.json"), ONE("B", "2024-01-01", "2.0.0"));
	write_file(in_dir("repo/.c.json"), ONE("C", "2024-01-01", "2.0.0"));
	write_file(in_dir("repo/d.txt"), ONE("D", "2024-01-01", "2.0.0"));
	assert_int_equal(symlink("..", in_dir("repo/2024/circle")), 0);
	assert_int_equal(import_as(in_dir("repo"), "osv", 0, false, &t), 0);
	assert_int_equal(t.n.read, 1);
	assert_string_equal(known(ECOSYSTEM_NPM, "lab-a", "1.0.0"), "A");
}

static void nothing_to_read_is_no_news(void **state)
{
	(void)state;
	struct told t;

	import(ONE("A", "2024-01-01", "2.0.0"));
	mkdir(in_dir("empty"), 0700);
	assert_int_equal(import_as(in_dir("empty"), "osv", 0, false, &t), -ENOENT);
	assert_int_equal(import_as(in_dir("missing"), "osv", 0, false, &t), -ENOENT);
	write_file(in_dir("bad.json"), "[7]");
	assert_int_equal(import_as(in_dir("bad.json"), "osv", 0, false, &t), -ENOENT);
	assert_int_equal(t.n.skipped, 1);
	assert_string_equal(known(ECOSYSTEM_NPM, "lab-a", "1.0.0"), "A");
}

static void a_dry_import_writes_nothing_and_a_second_one_at_a_time_is_refused(void **state)
{
	(void)state;
	struct told t;
	int fd;

	write_file(in_dir("one.json"), ONE("A", "2024-01-01", "2.0.0"));
	assert_int_equal(import_as(in_dir("one.json"), "osv", 0, true, &t), 0);
	assert_int_equal(t.n.added, 1);
	assert_true(access(index_path, F_OK) < 0);
	fd = open(in_dir("advisories.idx.new"), O_RDWR | O_CREAT, 0600);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(import_as(in_dir("one.json"), "osv", 0, false, &t), -EBUSY);
	close(fd);
	/* What a killed import left behind is no hindrance. */
	assert_int_equal(import_as(in_dir("one.json"), "osv", 0, false, &t), 0);
	assert_true(access(in_dir("advisories.idx.new"), F_OK) < 0);
}

/* ---- damage ---- */

static void damage_is_noticed_wherever_it_is(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf whole = BUF(MIB);
	struct err err = {0};
	size_t opened = 0;

	import("[" ONE("A", "2024-01-01", "2.0.0") "," ONE("B", "2024-01-01", "3.0.0") "]");
	assert_int_equal(file_read(index_path, &whole, &err), 0);
	for (size_t i = 0; i < whole.n; i += i < 600 || i > MAPPED_BLOCK ? 1 : 97) {
		struct advisories *all;
		bool noticed;

		whole.p[i] ^= 0x40;
		assert_int_equal(file_replace(in_dir("bad.idx"), buf_str(&whole), 0600, &err), 0);
		whole.p[i] ^= 0x40;
		/* Between the sums and the data nothing is said, so nothing can be wrong there. */
		noticed = advisories_open(in_dir("bad.idx"), &all, &err) < 0;
		if (!noticed) {
			CLEANUP_ARENA struct arena *a = arena_new(MIB);
			struct advisory *found;

			opened++;
			noticed = advisories_verify(all, &err) == -EBADMSG && advisories_damaged(all);
			if (noticed) {
				assert_true(advisories_match(all, ECOSYSTEM_NPM, STR("lab-a"), STR("9.9.9"), 0, a, &found) > 0);
				assert_int_equal(found->kind, ADVISORY_MALWARE);
				assert_true(str_eq(found->id, STR(ADVISORY_DAMAGED)));
			}
			advisories_unref(all);
		}
		if (!noticed && (i < sizeof(struct mapped_head) + 8 || i >= MAPPED_BLOCK))
			fail_msg("byte %zu may be changed", i);
	}
	assert_true(opened > 0);
}

static void what_is_cut_short_or_of_another_version_is_refused(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf whole = BUF(MIB);
	struct advisories *all;
	struct err err = {0};
	struct told t;

	import(ONE("A", "2024-01-01", "2.0.0"));
	assert_int_equal(file_read(index_path, &whole, &err), 0);
	for (size_t n = 0; n < whole.n; n += n < 400 ? 7 : 501) {
		assert_int_equal(file_replace(in_dir("cut.idx"), str_take(buf_str(&whole), n), 0600, &err), 0);
		assert_int_equal(advisories_open(in_dir("cut.idx"), &all, &err), -EBADMSG);
	}
	whole.p[offsetof(struct mapped_head, version)]++;
	assert_int_equal(file_replace(index_path, buf_str(&whole), 0600, &err), 0);
	assert_int_equal(advisories_open(index_path, &all, &err), -EPROTONOSUPPORT);
	assert_int_equal(advisories_open(in_dir("missing"), &all, &err), -ENOENT);
	/* Nothing is built upon it, and it stays as it is. */
	assert_int_equal(import_as(in_dir("one.json"), "osv", 0, false, &t), -EPROTONOSUPPORT);
	assert_int_equal(advisories_open(index_path, &all, &err), -EPROTONOSUPPORT);
}

static void an_index_and_own_files_answer_together(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	const char *paths[2] = {index_path, in_dir("own.json")};
	struct advisories *all;
	struct advisory *found;
	struct err err = {0};
	size_t records, skipped;

	import("{'id':'A','aliases':['CVE-1'],'database_specific':{'severity':'LOW'},'affected':[" NPM("lab-a", "2.0.0") "]}");
	write_file(paths[1],
	           "{'id':'MINE','aliases':['CVE-1'],'database_specific':{'severity':'HIGH'},'affected':[" NPM("lab-a", "1.0.0") "]}");
	assert_int_equal(advisories_load_all(paths, 2, &all, &records, &skipped, &err), 0);
	assert_int_equal(records, 2);
	assert_int_equal(advisories_match(all, ECOSYSTEM_NPM, STR("lab-a"), STR("0.5.0"), 0, a, &found), 1);
	assert_true(str_eq(found->id, STR("MINE")));
	assert_int_equal(found->severity, SEVERITY_HIGH);
	assert_int_equal(advisories_match(all, ECOSYSTEM_NPM, STR("lab-a"), STR("1.5.0"), 0, a, &found), 1);
	assert_true(str_eq(found->id, STR("A")));
	assert_true(advisories_know(all, ECOSYSTEM_NPM, STR("lab-a")));
	assert_false(advisories_know(all, ECOSYSTEM_NPM, STR("lab-b")));
	advisories_unref(all);
}

/* ---- the real ones ---- */

static bool data_path(const char *name, struct buf *path)
{
	const char *data = getenv("BONDGATE_DATA"), *source = getenv("BONDGATE_SOURCE");

	if (data)
		buf_printf(path, "%s/osv/%s", data, name);
	else
		buf_printf(path, "%s/../shared/data/osv/%s", source ? source : ".", name);
	if (access(buf_cstr(path), R_OK) == 0)
		return true;
	print_message("skipped: %s is missing\n", buf_cstr(path));
	return false;
}

/* All records of an archive as one array. */
static int join_records(void *arg, const char *name, struct str text)
{
	struct buf *all = arg;

	(void)name;
	buf_add_char(all, all->n ? ',' : '[');
	buf_add_str(all, text);
	return all->error;
}

static struct advisories *load_into_memory(const char *archive)
{
	CLEANUP_BUF struct buf all = BUF(LIMIT_ADVISORY_FILE_BYTES);
	const struct sources s = {.file = join_records, .arg = &all};
	struct advisories *memory;
	struct err err = {0};
	size_t records, skipped;

	assert_int_equal(sources_read(archive, &s, &err), 0);
	buf_add_char(&all, ']');
	assert_int_equal(file_replace(in_dir("all.json"), buf_str(&all), 0600, &err), 0);
	assert_int_equal(advisories_load(in_dir("all.json"), &memory, &records, &skipped, &err), 0);
	return memory;
}

struct question {
	enum ecosystem ecosystem;
	struct str name, version;
};

struct questions {
	struct arena *arena;
	struct question *list;
	size_t count, room;
};

/* Versions that ranges name, and others: a question for every second record or so. */
static int draw_question(void *arg, const struct advisories_entry *e)
{
	struct questions *q = arg;

	for (size_t i = 0; i < e->package_count && q->count < q->room; i++) {
		static const char *const versions[] = {"1.0.0", "0.0.1", "99.0.0", "2.3.4-rc.1", "1.2", "no version"};
		struct str range = e->packages[i].versions, part, version = str_of(versions[(size_t)rand() % 6]);

		if (rand() % 2)
			continue;
		while (rand() % 3 && str_split(&range, ' ', &part)) {
			while (part.n && (part.p[0] == '<' || part.p[0] == '>' || part.p[0] == '='))
				part = str_skip(part, 1);
			if (part.n > 1)
				version = part;
		}
		q->list[q->count++] =
			(struct question){e->packages[i].ecosystem, arena_str(q->arena, e->packages[i].name), arena_str(q->arena, version)};
	}
	return 0;
}

static void compare(const struct advisories *x, const struct advisories *y, const struct question *q)
{
	CLEANUP_ARENA struct arena *a = arena_new(16 * MIB);
	struct advisory *left, *right;
	size_t n = advisories_match(x, q->ecosystem, q->name, q->version, 0, a, &left);
	bool same = advisories_match(y, q->ecosystem, q->name, q->version, 0, a, &right) == n;

	for (size_t i = 0; i < n && same; i++)
		same = str_eq(left[i].id, right[i].id) && left[i].kind == right[i].kind && left[i].severity == right[i].severity &&
		       str_eq(left[i].fixed, right[i].fixed) && str_eq(left[i].vulnerable_versions, right[i].vulnerable_versions) &&
		       str_eq(left[i].summary, right[i].summary) && str_eq(left[i].url, right[i].url) && left[i].published == right[i].published &&
		       left[i].score == right[i].score && str_eq(left[i].vector, right[i].vector) && left[i].alias_count == right[i].alias_count &&
		       left[i].cwe_count == right[i].cwe_count;
	if (!same)
		fail_msg("%.*s %.*s is answered otherwise", STR_ARG(q->name), STR_ARG(q->version));
}

/* Is the version the fix of something? Both must say so, and by the same record. */
static bool compare_fixes(const struct advisories *x, const struct advisories *y, const struct question *q)
{
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct str left = STR_NULL, right = STR_NULL;
	enum severity p = SEVERITY_UNKNOWN, r = SEVERITY_UNKNOWN;
	bool is = advisories_fixed_by(x, q->ecosystem, q->name, q->version, 0, a, &left, &p);

	if (is != advisories_fixed_by(y, q->ecosystem, q->name, q->version, 0, a, &right, &r) || !str_eq(left, right) || p != r)
		fail_msg("%.*s %.*s: a fix by %.*s or by %.*s?", STR_ARG(q->name), STR_ARG(q->version), STR_ARG(left), STR_ARG(right));
	return is;
}

/* The whole of one archive through the index and through memory. */
static void real_records_answer_as_in_memory(const char *name, size_t expected, size_t asked)
{
	CLEANUP_ARENA struct arena *a = arena_new(64 * MIB);
	CLEANUP_BUF struct buf path = BUF(4096);
	struct questions q = {.arena = a, .list = ARENA_ARRAY(a, struct question, asked), .room = asked};
	struct advisories *memory, *mapped;
	struct err err = {0};
	struct told t;
	usec start = time_monotonic();
	size_t fixes = 0;

	if (!data_path(name, &path)) {
		buf_free(&path);
		arena_free(TAKE_PTR(a));
		skip();
	}
	if (import_as(buf_cstr(&path), "osv", 0, false, &t) < 0)
		fail_msg("%s", t.err.text);
	print_message("%s: %zu records imported in %lld ms: %zu added, %zu withdrawn, %zu elsewhere, %zu skipped\n", name, t.n.read,
	              (long long)(time_monotonic() - start) / 1000, t.n.added, t.n.withdrawn, t.n.elsewhere, t.n.skipped);
	assert_int_equal(t.n.read, expected);
	assert_int_equal(t.n.skipped, 0);
	mapped = open_index();
	memory = load_into_memory(buf_cstr(&path));
	srand(4);
	for (int round = 0; round < 20 && q.count < asked; round++)
		assert_int_equal(advisories_each(mapped, draw_question, &q, &err), 0);
	assert_int_equal(q.count, asked);
	for (size_t i = 0; i < q.count; i++) {
		compare(memory, mapped, &q.list[i]);
		fixes += compare_fixes(memory, mapped, &q.list[i]);
	}
	assert_true(fixes > asked / 100);
	advisories_unref(memory);
	advisories_unref(mapped);
}

static void real_npm_records_answer_as_in_memory(void **state)
{
	(void)state;
	real_records_answer_as_in_memory("npm.zip", 40544, 20000);
}

static void real_nuget_records_answer_as_in_memory(void **state)
{
	(void)state;
	real_records_answer_as_in_memory("nuget.zip", 1368, 5000);
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(what_is_imported_is_found_in_both_ecosystems),
		IN_DIR(a_newer_record_wins_and_an_older_one_is_left_out),
		IN_DIR(a_withdrawn_record_is_gone_and_does_not_come_back_by_an_older_one),
		IN_DIR(of_two_sources_the_one_of_higher_priority_is_heard),
		IN_DIR(two_parts_of_one_record_are_kept_together),
		IN_DIR(records_that_name_each_other_are_one_advisory),
		IN_DIR(a_zip_is_read_and_what_is_broken_in_it_is_told_with_its_place),
		IN_DIR(a_folder_is_read_to_its_ends),
		IN_DIR(nothing_to_read_is_no_news),
		IN_DIR(a_dry_import_writes_nothing_and_a_second_one_at_a_time_is_refused),
		IN_DIR(damage_is_noticed_wherever_it_is),
		IN_DIR(what_is_cut_short_or_of_another_version_is_refused),
		IN_DIR(an_index_and_own_files_answer_together),
		IN_DIR(real_npm_records_answer_as_in_memory),
		IN_DIR(real_nuget_records_answer_as_in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
