#include "unit.h"

#include "base/file.h"
#include "base/limits.h"
#include "store_fixture.h"

/* Stores as earlier landings wrote them (tests/data/store_schema_N.sql: a dump of what a gate really left) are opened by this program. */

static void dump_into_fixture(const char *name)
{
	CLEANUP_BUF struct buf sql = BUF(MIB);
	char path[512];
	struct err err = {0};

	snprintf(path, sizeof(path), "%s/tests/data/%s", getenv("BONDGATE_SOURCE"), name);
	assert_int_equal(file_read(path, &sql, &err), 0);
	fixture_sql(buf_cstr(&sql));
}

struct seen {
	size_t records, with_facts;
	char facts[64], rules[32];
};

static int look(void *arg, const struct evidence *e)
{
	struct seen *seen = arg;

	seen->records++;
	seen->with_facts += e->facts.n != 0;
	if (e->facts.n) {
		snprintf(seen->facts, sizeof(seen->facts), "%.*s", STR_ARG(e->facts));
		snprintf(seen->rules, sizeof(seen->rules), "%.*s", STR_ARG(e->rules));
	}
	return 0;
}

static struct seen look_at_all(struct store *s, bool with_facts)
{
	const struct evidence_filter all = {.kind = -1, .ecosystem = -1, .with_facts = with_facts};
	struct seen seen = {0};
	struct err err = {0};

	assert_int_equal(store_evidence(s, &all, look, &seen, &err), 0);
	return seen;
}

static struct evidence_check verify(struct store *s)
{
	struct evidence_check c;
	struct err err = {0};

	assert_int_equal(store_evidence_verify(s, &c, &err), 0);
	return c;
}

static void the_store_of_the_first_landing_keeps_everything(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct evidence_check c;
	struct seen_package p;
	struct err err = {0};
	struct store *s;

	dump_into_fixture("store_schema_1.sql");
	s = fixture_open(STORE_WRITE);
	c = verify(s);
	assert_int_equal(c.broken_seq, 0);
	assert_int_equal(c.records, 8);
	/* As the program of that time printed it. */
	assert_string_equal(c.last_hash, "bf9491d25eaa03257f080bf2f7bb7d5f477b6e5014731c48a4d8263c1fc8ded1");
	assert_int_equal(look_at_all(s, true).with_facts, 0);
	assert_int_equal(store_package_load(s, STR("npm"), ECOSYSTEM_NPM, STR("lab-a"), a, &p, &err), 0);
	assert_int_equal(p.version_count, 4);
	for (size_t i = 0; i < p.version_count; i++) {
		assert_true(str_starts(p.versions[i].integrity, STR("sha512-")));
		assert_true(p.versions[i].first_seen > 0);
		/* What that time did not know: no archive was looked into. */
		assert_true(p.versions[i].archive_at == 0 && p.versions[i].archive_script.n == 0 && p.versions[i].archive_binary.n == 0);
	}
	store_version_archive(s, STR("npm"), ECOSYSTEM_NPM, STR("lab-a"), p.versions[0].version, 7, STR("binding.gyp"), STR("x.node"));
	assert_int_equal(store_package_load(s, STR("npm"), ECOSYSTEM_NPM, STR("lab-a"), a, &p, &err), 0);
	assert_int_equal(p.versions[0].archive_at, 7);
	assert_true(str_eq(p.versions[0].archive_binary, STR("x.node")));
	store_close(s);
}

static void a_store_that_was_brought_up_goes_on(void **state)
{
	(void)state;
	char name[32];
	struct evidence e = fixture_receipt(1, name);
	struct err err = {0};
	struct store *s;

	dump_into_fixture("store_schema_1.sql");
	s = fixture_open(STORE_WRITE);
	e.facts = STR("{\"a\":1}");
	e.rules = STR("web");
	assert_int_equal(store_append_wait(s, &e, &err), 0);
	store_close(s);
	s = fixture_open(STORE_READ);
	assert_int_equal(verify(s).broken_seq, 0);
	assert_int_equal(verify(s).last_seq, 9);
	assert_int_equal(look_at_all(s, true).with_facts, 1);
	assert_int_equal(look_at_all(s, false).with_facts, 0);
	assert_string_equal(look_at_all(s, true).facts, "{\"a\":1}");
	assert_string_equal(look_at_all(s, true).rules, "web");
	store_close(s);
}

static void an_older_store_is_not_read_until_it_was_brought_up(void **state)
{
	(void)state;
	struct store *s = NULL;
	struct err err = {0};

	dump_into_fixture("store_schema_1.sql");
	assert_int_equal(store_open(fixture_dir, STORE_READ, &s, &err), -EPROTO);
	assert_non_null(strstr(err.text, "older bondgate"));
}

/* ---- what was decided on ---- */

static void append_with_facts(struct store *s, int from, int to, int different)
{
	struct err err = {0};

	for (int i = from; i < to; i++) {
		char name[32], facts[64];
		struct evidence e = fixture_receipt(i, name);

		snprintf(facts, sizeof(facts), "{\"n\":%d}", i % different);
		e.facts = str_of(facts);
		store_append(s, &e, NULL, NULL);
	}
	assert_int_equal(store_flush(s, &err), 0);
}

static int count_facts(void)
{
	char path[128];
	sqlite3 *db;
	sqlite3_stmt *st;
	int n;

	snprintf(path, sizeof(path), "%s/bondgate.db", fixture_dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM facts", -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static void equal_facts_are_kept_once_and_go_with_the_last_record_that_needs_them(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);
	struct err err = {0};
	int64_t dropped;

	enum { FIRST = 70000, ALL = FIRST + 1000 };

	append_with_facts(s, 0, 100, 7); /* needed by these alone, but for 0 to 4 */
	append_with_facts(s, 100, ALL, 5);
	assert_int_equal(count_facts(), 7);
	assert_int_equal(look_at_all(s, true).with_facts, ALL);
	assert_int_equal(store_evidence_prune(s, 1700000000 * USEC_SECOND + FIRST * USEC_SECOND, &dropped, &err), 0);
	assert_int_equal(dropped, FIRST);
	assert_int_equal(count_facts(), 5);
	assert_int_equal(look_at_all(s, true).with_facts, ALL - FIRST);
	assert_int_equal(verify(s).broken_seq, 0);
	store_close(s);
}

static void changed_facts_are_found(void **state)
{
	(void)state;
	static const struct {
		const char *sql;
		int64_t broken;
	} rows[] = {
		{"UPDATE facts SET body = '{\"n\":9}' WHERE id = 3", 3}, {"DELETE FROM facts WHERE id = 4", 4},
		{"UPDATE evidence SET facts = 1 WHERE seq = 9", 9},      {"UPDATE evidence SET facts = NULL WHERE seq = 6", 6},
		{"UPDATE evidence SET rules = 'web' WHERE seq = 2", 2},  {"UPDATE facts SET digest = zeroblob(32) WHERE id = 5", 5},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct store *s;

		fixture_remove(NULL);
		fixture_make(NULL);
		s = fixture_open(STORE_WRITE);
		append_with_facts(s, 0, 20, 7);
		store_close(s);
		fixture_sql(rows[i].sql);
		s = fixture_open(STORE_READ);
		if (verify(s).broken_seq != rows[i].broken)
			fail_msg("%s: broken at %lld", rows[i].sql, (long long)verify(s).broken_seq);
		store_close(s);
	}
}

/* ---- copies ---- */

static void a_copy_is_whole_while_records_come(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE), *copy = NULL;
	struct err err = {0};
	char path[160], folder[128];

	append_with_facts(s, 0, 5000, 100);
	for (int i = 5000; i < 8000; i++) {
		char name[32];
		struct evidence e = fixture_receipt(i, name);

		store_append(s, &e, NULL, NULL);
	}
	snprintf(folder, sizeof(folder), "%s/copy", fixture_dir);
	assert_int_equal(dir_make(folder, 0700, &err), 0);
	snprintf(path, sizeof(path), "%s/bondgate.db", folder);
	assert_int_equal(store_copy(fixture_dir, path, &err), 0);
	assert_int_equal(store_flush(s, &err), 0);
	assert_int_equal(store_open(folder, STORE_WRITE, &copy, &err), 0);
	assert_int_equal(store_examine(copy, &err), 0);
	assert_int_equal(verify(copy).broken_seq, 0);
	assert_true(verify(copy).records >= 5000);
	assert_string_equal(store_instance(copy), store_instance(s));
	/* What is there already is not written over. */
	assert_true(store_copy(fixture_dir, path, &err) < 0);
	store_close(copy);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(the_store_of_the_first_landing_keeps_everything),
		FIXTURE_TEST(a_store_that_was_brought_up_goes_on),
		FIXTURE_TEST(an_older_store_is_not_read_until_it_was_brought_up),
		FIXTURE_TEST(equal_facts_are_kept_once_and_go_with_the_last_record_that_needs_them),
		FIXTURE_TEST(changed_facts_are_found),
		FIXTURE_TEST(a_copy_is_whole_while_records_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
