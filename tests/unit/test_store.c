#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/limits.h"
#include "store_fixture.h"

static const struct str SHA512 =
	STR("sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==");

static void assert_str(struct str got, const char *expected)
{
	if (!str_eq(got, str_of(expected)))
		fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(got), expected);
}

static void reading_a_store_that_is_not_there_says_what_to_do(void **state)
{
	(void)state;
	struct store *s = NULL;
	struct err err = {0};

	assert_int_equal(store_open(fixture_dir, STORE_READ, &s, &err), -ENOENT);
	assert_null(s);
	assert_non_null(strstr(err.text, "bondgate gate"));
}

static void a_store_keeps_its_name_and_is_not_for_everybody(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);
	char name[32], path[128];
	struct stat status;

	snprintf(name, sizeof(name), "%s", store_instance(s));
	assert_int_equal(strlen(name), 16);
	store_close(s);
	s = fixture_open(STORE_READ);
	assert_string_equal(store_instance(s), name);
	store_close(s);
	snprintf(path, sizeof(path), "%s/bondgate.db", fixture_dir);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07, 0);
}

static void another_programs_database_and_a_newer_store_are_refused(void **state)
{
	(void)state;
	struct store *s = NULL;
	struct err err = {0};

	fixture_sql("CREATE TABLE recipes (name TEXT)");
	assert_int_equal(store_open(fixture_dir, STORE_WRITE, &s, &err), -EBADMSG);
	assert_int_equal(store_open(fixture_dir, STORE_READ, &s, &err), -EBADMSG);
	fixture_remove(NULL);
	fixture_make(NULL);
	store_close(fixture_open(STORE_WRITE));
	fixture_sql("PRAGMA user_version = 99");
	assert_int_equal(store_open(fixture_dir, STORE_WRITE, &s, &err), -EPROTO);
	assert_int_equal(store_open(fixture_dir, STORE_READ, &s, &err), -EPROTO);
	assert_null(s);
}

static void what_is_not_a_database_is_refused(void **state)
{
	(void)state;
	struct store *s = NULL;
	struct err err = {0};
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/bondgate.db", fixture_dir);
	f = fopen(path, "w");
	for (int i = 0; i < 2000; i++)
		fputs("not a database ", f);
	fclose(f);
	assert_int_equal(store_open(fixture_dir, STORE_WRITE, &s, &err), -EBADMSG);
	assert_null(s);
}

static void a_store_for_reading_takes_no_records(void **state)
{
	(void)state;
	struct evidence e = {.kind = EVIDENCE_ADMIN};
	struct err err = {0};

	store_close(fixture_open(STORE_WRITE));
	struct store *s = fixture_open(STORE_READ);

	assert_int_equal(store_append_wait(s, &e, &err), -EROFS);
	store_close(s);
}

/* ---- evidence ---- */

struct seen_list {
	char text[4096];
	int stop_after, count;
};

static int list_one(void *arg, const struct evidence *e)
{
	struct seen_list *l = arg;
	size_t n = strlen(l->text);

	snprintf(l->text + n, sizeof(l->text) - n, "%lld ", (long long)e->seq);
	return ++l->count == l->stop_after ? 42 : 0;
}

static const struct str odd_texts[] = {
	STR("with \"quotes\" and \xc3\xa9"), STR("a\0b"), STR("\xff\xfe not UTF-8"), STR(""), STR("line\nbreak"),
};

static int compare_odd(void *arg, const struct evidence *e)
{
	const struct str *texts = odd_texts;
	size_t i = (size_t)e->seq - 1;

	(void)arg;
	assert_true(str_eq(e->name, texts[i]) && str_eq(e->version, texts[(i + 1) % 5]));
	assert_true(str_eq(e->hash, i ? texts[i] : SHA512));
	assert_true(str_eq(e->agent, texts[(i + 2) % 5]) && str_eq(e->detail, texts[(i + 3) % 5]));
	assert_true(str_eq(e->client, texts[i]) && str_eq(e->identity, texts[i]) && str_eq(e->project, texts[i]));
	assert_true(str_eq(e->session, texts[i]) && str_eq(e->decision, texts[i]));
	assert_int_equal(e->kind, EVIDENCE_REFUSAL);
	assert_int_equal(e->ecosystem, ECOSYSTEM_NUGET);
	return 0;
}

static void evidence_comes_back_as_it_went_in(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);
	const struct str *texts = odd_texts;
	struct err err = {0};

	for (size_t i = 0; i < 5; i++) {
		struct evidence e = {.time = 5, .kind = EVIDENCE_REFUSAL, .ecosystem = ECOSYSTEM_NUGET, .name = texts[i],
				     .version = texts[(i + 1) % 5], .hash = i ? texts[i] : SHA512, .client = texts[i], .identity = texts[i],
				     .project = texts[i], .agent = texts[(i + 2) % 5], .session = texts[i], .decision = texts[i],
				     .detail = texts[(i + 3) % 5]};

		assert_int_equal(store_append_wait(s, &e, &err), 0);
	}
	struct evidence_check c;

	assert_int_equal(store_evidence_verify(s, &c, &err), 0);
	assert_int_equal(c.broken_seq, 0);
	assert_int_equal(store_evidence(s, &(struct evidence_filter){.kind = -1, .ecosystem = -1}, compare_odd, NULL, &err), 0);
	store_close(s);
}

static void evidence_is_filtered(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);
	struct err err = {0};
	static const struct evidence records[] = {
		{.time = 10, .kind = EVIDENCE_ADMIN, .decision = STR("start")},
		{.time = 20, .kind = EVIDENCE_RECEIPT, .name = STR("a"), .version = STR("1.0.0")},
		{.time = 30, .kind = EVIDENCE_RECEIPT, .name = STR("a"), .version = STR("2.0.0")},
		{.time = 25, .kind = EVIDENCE_REFUSAL, .name = STR("b"), .version = STR("1.0.0")},
		{.time = 40, .kind = EVIDENCE_RECEIPT, .ecosystem = ECOSYSTEM_NUGET, .name = STR("a"), .version = STR("1.0.0")},
	};
	static const struct {
		struct evidence_filter f;
		const char *seqs;
	} rows[] = {
		{{.kind = -1, .ecosystem = -1}, "1 2 3 4 5 "},
		{{.kind = -1, .ecosystem = -1, .newest_first = true}, "5 4 3 2 1 "},
		{{.kind = -1, .ecosystem = -1, .limit = 2}, "1 2 "},
		{{.kind = -1, .ecosystem = -1, .limit = 2, .newest_first = true}, "5 4 "},
		{{.kind = -1, .ecosystem = -1, .after_seq = 3}, "4 5 "},
		{{.kind = EVIDENCE_RECEIPT, .ecosystem = -1}, "2 3 5 "},
		{{.kind = EVIDENCE_RECEIPT, .ecosystem = ECOSYSTEM_NPM}, "2 3 "},
		{{.kind = -1, .ecosystem = -1, .name = STR("a")}, "2 3 5 "},
		{{.kind = -1, .ecosystem = -1, .name = STR("a"), .version = STR("1.0.0")}, "2 5 "},
		{{.kind = -1, .ecosystem = -1, .since = 25}, "3 4 5 "},
		{{.kind = -1, .ecosystem = -1, .since = 25, .until = 30}, "4 "},
		{{.kind = -1, .ecosystem = -1, .until = 30}, "1 2 4 "},
		{{.kind = -1, .ecosystem = -1, .since = 41}, ""},
		{{.kind = -1, .ecosystem = -1, .name = STR("c")}, ""},
	};

	for (size_t i = 0; i < 5; i++)
		store_append(s, &records[i], NULL, NULL);
	assert_int_equal(store_flush(s, &err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen_list l = {0};

		assert_int_equal(store_evidence(s, &rows[i].f, list_one, &l, &err), 0);
		if (strcmp(l.text, rows[i].seqs) != 0)
			fail_msg("row %zu: \"%s\" is not \"%s\"", i, l.text, rows[i].seqs);
	}
	struct seen_list l = {.stop_after = 2};

	assert_int_equal(store_evidence(s, &rows[0].f, list_one, &l, &err), 42);
	assert_string_equal(l.text, "1 2 ");
	store_close(s);
}

static int rising(void *arg, const struct evidence *e)
{
	int64_t *last = arg;

	assert_int_equal(e->seq, *last + 1);
	(*last)++;
	return 0;
}

static int falling(void *arg, const struct evidence *e)
{
	int64_t *last = arg;

	assert_int_equal(e->seq, *last);
	(*last)--;
	return 0;
}

static void evidence_longer_than_a_page_comes_whole_and_in_order(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);
	struct err err = {0};
	int64_t last = 0;

	fixture_append(s, 0, 1000);
	assert_int_equal(store_evidence(s, &(struct evidence_filter){.kind = -1, .ecosystem = -1}, rising, &last, &err), 0);
	assert_int_equal(last, 1000);
	assert_int_equal(
		store_evidence(s, &(struct evidence_filter){.kind = -1, .ecosystem = -1, .newest_first = true}, falling, &last, &err), 0);
	assert_int_equal(last, 0);
	store_close(s);
}

static void a_record_without_measure_is_refused(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);
	CLEANUP_FREE char *long_text = calloc(1, 2 * MIB);
	struct evidence e = {.kind = EVIDENCE_ADMIN, .detail = {long_text, 2 * MIB}};
	struct err err = {0};

	assert_int_equal(store_append_wait(s, &e, &err), -EMSGSIZE);
	store_close(s);
}

/* ---- packages ---- */

static int load(struct store *s, const char *origin, const char *name, struct arena *a, struct seen_package *ret)
{
	struct err err = {0};

	return store_package_load(s, str_of(origin), ECOSYSTEM_NPM, str_of(name), a, ret, &err);
}

static const struct seen_version *version_of(const struct seen_package *p, const char *version)
{
	for (size_t i = 0; i < p->version_count; i++)
		if (str_eq(p->versions[i].version, str_of(version)))
			return &p->versions[i];
	fail_msg("no version %s", version);
	return NULL;
}

static void a_package_comes_back_as_it_went_in(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct seen_version versions[] = {
		{.version = STR("1.0.0"), .first_seen = 1, .lacked_at = 2, .upstream_time = 3, .integrity = SHA512,
		 .shasum = STR("da39a3ee5e6b4b0d3255bfef95601890afd80709"), .changed_to = STR("sha512-other"), .changed_at = 4,
		 .gone_at = 5, .mismatch = STR("says otherwise"), .received_at = 6, .ever_tagged = true, .archive_at = 8,
		 .archive_script = STR("binding.gyp"), .archive_binary = STR("x.node")},
		{.version = STR("2.0.0-rc.1"), .integrity = STR("sha256-odd sha512-two"), .shasum = STR("DA39A3EE5E6B4B0D3255BFEF95601890AFD80709")},
		{.version = STR("3.0.0")},
	};
	struct seen_tag tags[] = {{STR("latest"), STR("1.0.0"), 7, STR("")}, {STR("next"), STR("2.0.0-rc.1"), 8, STR("1.9.9")}};
	struct seen_package p = {.origin = STR("npm"), .name = STR("@scope/name"), .first_snapshot = 9, .last_snapshot = 10,
				 .placeholder = true, .versions = versions, .version_count = 3, .tags = tags, .tag_count = 2};
	struct seen_package got;

	assert_int_equal(load(s, "npm", "@scope/name", a, &got), -ENOENT);
	assert_null(got.versions);
	store_package_save(s, &p, NULL, NULL);
	assert_int_equal(load(s, "npm", "@scope/name", a, &got), 0);
	assert_str(got.origin, "npm");
	assert_str(got.name, "@scope/name");
	assert_true(got.first_snapshot == 9 && got.last_snapshot == 10 && got.placeholder);
	assert_int_equal(got.version_count, 3);
	const struct seen_version *v = version_of(&got, "1.0.0");

	assert_true(v->first_seen == 1 && v->lacked_at == 2 && v->upstream_time == 3 && v->changed_at == 4 && v->gone_at == 5);
	assert_true(v->received_at == 6 && v->ever_tagged);
	assert_true(str_eq(v->integrity, SHA512));
	assert_str(v->shasum, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	assert_str(v->changed_to, "sha512-other");
	assert_str(v->mismatch, "says otherwise");
	assert_int_equal(v->archive_at, 8);
	assert_str(v->archive_script, "binding.gyp");
	assert_str(v->archive_binary, "x.node");
	v = version_of(&got, "2.0.0-rc.1");
	assert_str(v->integrity, "sha256-odd sha512-two");
	assert_str(v->shasum, "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709");
	v = version_of(&got, "3.0.0");
	assert_true(v->integrity.n == 0 && v->shasum.n == 0 && v->mismatch.n == 0 && v->changed_to.n == 0 && !v->ever_tagged);
	assert_int_equal(got.tag_count, 2);
	assert_str(got.tags[1].former, "1.9.9");
	assert_true(got.tags[0].former.n == 0 && got.tags[1].since == 8);
	/* Another origin is another package. */
	assert_int_equal(load(s, "other", "@scope/name", a, &got), -ENOENT);
	store_close(s);
}

static void a_second_save_updates_what_it_names(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct seen_version first[] = {{.version = STR("1.0.0"), .first_seen = 1, .integrity = SHA512}, {.version = STR("2.0.0"), .first_seen = 2}};
	struct seen_version second[] = {{.version = STR("2.0.0"), .first_seen = 2, .gone_at = 50, .integrity = STR("sha512-filled-in")},
					{.version = STR("1.0.0"), .first_seen = 1, .integrity = STR("sha512-another")}};
	struct seen_tag latest = {STR("latest"), STR("1.0.0"), 1, STR("")}, next = {STR("next"), STR("2.0.0"), 2, STR("")};
	struct seen_package p = {.origin = STR("npm"), .name = STR("a"), .last_snapshot = 1, .versions = first, .version_count = 2,
				 .tags = &latest, .tag_count = 1};
	struct seen_package got;

	store_package_save(s, &p, NULL, NULL);
	store_version_received(s, STR("npm"), ECOSYSTEM_NPM, STR("a"), STR("1.0.0"), 77);
	store_version_mismatch(s, STR("npm"), ECOSYSTEM_NPM, STR("a"), STR("2.0.0"), STR("bin differs"));
	store_version_archive(s, STR("npm"), ECOSYSTEM_NPM, STR("a"), STR("2.0.0"), 78, STR(""), STR("build/x.node"));
	store_version_archive(s, STR("npm"), ECOSYSTEM_NPM, STR("a"), STR("1.0.0"), 79, STR(""), STR(""));
	p.versions = second;
	p.tags = &next;
	store_package_save(s, &p, NULL, NULL);
	store_package_checked(s, STR("npm"), ECOSYSTEM_NPM, STR("a"), 99);
	assert_int_equal(load(s, "npm", "a", a, &got), 0);
	assert_int_equal(got.last_snapshot, 99);
	assert_int_equal(got.tag_count, 1);
	assert_str(got.tags[0].tag, "next");
	/* The save came from an older load and knew nothing of these. */
	assert_int_equal(version_of(&got, "1.0.0")->received_at, 77);
	assert_str(version_of(&got, "2.0.0")->mismatch, "bin differs");
	assert_int_equal(version_of(&got, "2.0.0")->archive_at, 78);
	assert_str(version_of(&got, "2.0.0")->archive_binary, "build/x.node");
	assert_true(version_of(&got, "1.0.0")->archive_at == 79 && version_of(&got, "1.0.0")->archive_binary.n == 0);
	assert_int_equal(version_of(&got, "2.0.0")->gone_at, 50);
	/* The pin is the first one; a missing one is filled in. */
	assert_true(str_eq(version_of(&got, "1.0.0")->integrity, SHA512));
	assert_str(version_of(&got, "2.0.0")->integrity, "sha512-filled-in");
	store_close(s);
}

static void a_load_sees_what_was_queued_before(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);
	struct err err = {0};

	for (int i = 1; i <= 300; i++) {
		CLEANUP_ARENA struct arena *a = arena_new(MIB);
		struct seen_version v = {.version = STR("1.0.0"), .first_seen = i};
		struct seen_package p = {.origin = STR("npm"), .name = STR("busy"), .last_snapshot = i, .versions = &v, .version_count = 1};
		struct seen_package got;

		store_package_save(s, &p, NULL, NULL);
		assert_int_equal(load(s, "npm", "busy", a, &got), 0);
		assert_int_equal(got.last_snapshot, i);
	}
	bool known = false;

	assert_int_equal(store_package_known(s, ECOSYSTEM_NPM, STR("busy"), &known, &err), 0);
	assert_true(known);
	assert_int_equal(store_package_known(s, ECOSYSTEM_NUGET, STR("busy"), &known, &err), 0);
	assert_false(known);
	store_close(s);
}

static void a_small_arena_is_an_error_not_half_a_package(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);
	CLEANUP_ARENA struct arena *a = arena_new(500);
	struct seen_version v[] = {{.version = STR("1.0.0"), .integrity = SHA512}, {.version = STR("2.0.0"), .integrity = SHA512}};
	struct seen_package p = {.origin = STR("npm"), .name = STR("a"), .versions = v, .version_count = 2}, got;

	store_package_save(s, &p, NULL, NULL);
	assert_int_equal(load(s, "npm", "a", a, &got), -ENOMEM);
	store_close(s);
}

/* ---- settings ---- */

static void a_setting_is_kept(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct err err = {0};
	struct str value;

	assert_int_equal(store_setting_get(s, STR("upstream.npm"), a, &value, &err), -ENOENT);
	assert_int_equal(store_setting_set(s, STR("upstream.npm"), STR("https://npm.registry.example/"), &err), 0);
	assert_int_equal(store_setting_set(s, STR("empty"), STR(""), &err), 0);
	store_close(s);
	s = fixture_open(STORE_READ);
	assert_int_equal(store_setting_get(s, STR("upstream.npm"), a, &value, &err), 0);
	assert_str(value, "https://npm.registry.example/");
	assert_int_equal(store_setting_get(s, STR("empty"), a, &value, &err), 0);
	assert_int_equal(value.n, 0);
	store_close(s);
}

/* ---- threads and the queue ---- */

static _Atomic int acknowledged, refused;

static void count_done(void *arg, int r)
{
	(void)arg;
	atomic_fetch_add(r == 0 ? &acknowledged : &refused, 1);
}

enum { THREADS = 4, EACH = 500 };

static void *append_many(void *arg)
{
	struct store *s = arg;

	for (int i = 0; i < EACH; i++) {
		char name[32];
		struct evidence e = fixture_receipt(i, name);
		struct seen_package p = {.origin = STR("npm"), .name = e.name, .last_snapshot = 1};

		store_append(s, &e, count_done, NULL);
		store_package_save(s, &p, count_done, NULL);
		if (i % 100 == 0) {
			CLEANUP_ARENA struct arena *a = arena_new(MIB);
			struct seen_package got;

			assert_int_equal(load(s, "npm", name, a, &got), 0);
		}
	}
	return NULL;
}

static void many_threads_share_commits(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);
	struct store_counters counters;
	struct evidence_check c;
	struct err err = {0};
	pthread_t threads[THREADS];

	atomic_store(&acknowledged, 0);
	atomic_store(&refused, 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, append_many, s), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(store_flush(s, &err), 0);
	assert_int_equal(atomic_load(&acknowledged), 2 * THREADS * EACH);
	assert_int_equal(atomic_load(&refused), 0);
	store_counters(s, &counters);
	assert_int_equal(counters.records, 2 * THREADS * EACH);
	assert_int_equal(counters.queued, 0);
	assert_true(counters.commits < counters.records);
	assert_int_equal(store_evidence_verify(s, &c, &err), 0);
	assert_int_equal(c.records, THREADS * EACH);
	assert_int_equal(c.broken_seq, 0);
	store_close(s);
}

static void closing_waits_for_what_is_queued(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);

	atomic_store(&acknowledged, 0);
	for (int i = 0; i < 2000; i++) {
		char name[32];
		struct evidence e = fixture_receipt(i, name);

		store_append(s, &e, count_done, NULL);
	}
	store_close(s);
	assert_int_equal(atomic_load(&acknowledged), 2000);
}

/* ---- the bound of the queue ---- */

enum { LARGE = 120 };

static _Atomic int queued_large;

static void *queue_large(void *arg)
{
	CLEANUP_FREE char *text = calloc(1, MIB - 64);
	struct evidence e = {.kind = EVIDENCE_ADMIN, .detail = {text, MIB - 64}};

	for (int i = 0; i < LARGE; i++) {
		store_append(arg, &e, count_done, NULL);
		atomic_fetch_add(&queued_large, 1);
	}
	return NULL;
}

/* Another process holds the database, so nothing can be written; whoever queues too much waits instead of filling memory. */
static void a_full_queue_makes_its_callers_wait(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);
	usec deadline = time_monotonic() + 20 * USEC_SECOND;
	struct store_counters counters;
	char path[128];
	pthread_t thread;
	sqlite3 *other;

	snprintf(path, sizeof(path), "%s/bondgate.db", fixture_dir);
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	atomic_store(&acknowledged, 0);
	atomic_store(&queued_large, 0);
	assert_int_equal(pthread_create(&thread, NULL, queue_large, s), 0);
	while (atomic_load(&queued_large) < 64 && time_monotonic() < deadline)
		usleep(1000);
	usleep(50000);
	assert_in_range(atomic_load(&queued_large), 64, 66);
	store_counters(s, &counters);
	assert_in_range(counters.queued, 64, 66);
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	pthread_join(thread, NULL);
	store_close(s);
	assert_int_equal(atomic_load(&acknowledged), LARGE);
}

static struct store *calling_back;

static void append_again(void *arg, int r)
{
	struct evidence e = {.kind = EVIDENCE_ADMIN, .detail = STR("from a callback")};
	struct err err = {0};

	(void)arg;
	assert_int_equal(r, 0);
	store_append(calling_back, &e, count_done, NULL);
	/* Waiting there would wait for ever. */
	assert_int_equal(store_append_wait(calling_back, &e, &err), -EDEADLK);
	assert_int_equal(store_flush(calling_back, &err), -EDEADLK);
}

static void a_callback_may_queue_but_not_wait(void **state)
{
	(void)state;
	struct evidence e = {.kind = EVIDENCE_ADMIN};

	calling_back = fixture_open(STORE_WRITE);
	atomic_store(&acknowledged, 0);
	store_append(calling_back, &e, append_again, NULL);
	struct err err = {0};

	assert_int_equal(store_flush(calling_back, &err), 0);
	assert_int_equal(store_flush(calling_back, &err), 0);
	assert_int_equal(atomic_load(&acknowledged), 1);
	store_close(calling_back);
}

static void a_failure_is_told_to_each_and_to_the_next_flush(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);
	struct evidence e = {.kind = EVIDENCE_ADMIN};
	struct seen_package p = {.origin = STR("npm"), .name = STR("a")};
	struct err err = {0};

	/* A record that cannot be written (its seq is taken) does not spoil the package beside it. */
	fixture_sql("INSERT INTO evidence VALUES (1, 0, 0, 0, '', '', NULL, '', '', '', '', '', '', '', x'00', NULL, NULL)");
	atomic_store(&acknowledged, 0);
	atomic_store(&refused, 0);
	for (int i = 0; i < 10; i++) {
		store_append(s, &e, count_done, NULL);
		store_package_save(s, &p, count_done, NULL);
	}
	assert_true(store_flush(s, &err) < 0);
	assert_int_equal(store_flush(s, &err), 0);
	assert_int_equal(atomic_load(&acknowledged), 10);
	assert_int_equal(atomic_load(&refused), 10);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(reading_a_store_that_is_not_there_says_what_to_do),
		FIXTURE_TEST(a_store_keeps_its_name_and_is_not_for_everybody),
		FIXTURE_TEST(another_programs_database_and_a_newer_store_are_refused),
		FIXTURE_TEST(what_is_not_a_database_is_refused),
		FIXTURE_TEST(a_store_for_reading_takes_no_records),
		FIXTURE_TEST(evidence_comes_back_as_it_went_in),
		FIXTURE_TEST(evidence_is_filtered),
		FIXTURE_TEST(evidence_longer_than_a_page_comes_whole_and_in_order),
		FIXTURE_TEST(a_record_without_measure_is_refused),
		FIXTURE_TEST(a_package_comes_back_as_it_went_in),
		FIXTURE_TEST(a_second_save_updates_what_it_names),
		FIXTURE_TEST(a_load_sees_what_was_queued_before),
		FIXTURE_TEST(a_small_arena_is_an_error_not_half_a_package),
		FIXTURE_TEST(a_setting_is_kept),
		FIXTURE_TEST(many_threads_share_commits),
		FIXTURE_TEST(closing_waits_for_what_is_queued),
		FIXTURE_TEST(a_full_queue_makes_its_callers_wait),
		FIXTURE_TEST(a_callback_may_queue_but_not_wait),
		FIXTURE_TEST(a_failure_is_told_to_each_and_to_the_next_flush),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
