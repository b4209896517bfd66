#include "unit.h"

#include <openssl/sha.h>

#include "store_fixture.h"

static struct evidence_check check(void)
{
	struct store *s = fixture_open(STORE_READ);
	struct evidence_check c;
	struct err err = {0};

	assert_int_equal(store_evidence_verify(s, &c, &err), 0);
	store_close(s);
	return c;
}

static void fill(int records)
{
	struct store *s = fixture_open(STORE_WRITE);

	fixture_append(s, 0, records);
	store_close(s);
}

static void an_empty_chain_holds(void **state)
{
	(void)state;
	fill(0);
	struct evidence_check c = check();

	assert_int_equal(c.records, 0);
	assert_int_equal(c.broken_seq, 0);
}

static void a_chain_that_nobody_touched_holds(void **state)
{
	(void)state;
	fill(20);
	fill(20);
	struct evidence_check c = check();

	assert_int_equal(c.records, 40);
	assert_int_equal(c.first_seq, 1);
	assert_int_equal(c.last_seq, 40);
	assert_int_equal(c.broken_seq, 0);
	assert_int_equal(strlen(c.last_hash), 64);
}

/* The form is public: other programs recompute it. */
static void the_first_link_is_the_documented_sum(void **state)
{
	(void)state;
	struct evidence e = {.time = 0x0102030405060708, .kind = EVIDENCE_ADMIN, .decision = STR("start"), .detail = STR("hello")};
	unsigned char form[32 + 16 + 12 * 8 + 32] = {0}, sum[32];
	char expected[65];
	size_t n = 32;
	struct store *s = fixture_open(STORE_WRITE);
	struct err err = {0};
	static const struct {
		unsigned char length;
		const char *text;
	} texts[12] = {{5, "admin"}, {3, "npm"}, {0, ""}, {0, ""}, {0, ""}, {0, ""}, {0, ""}, {0, ""}, {0, ""}, {0, ""},
		       {5, "start"}, {5, "hello"}};

	assert_int_equal(store_append_wait(s, &e, &err), 0);
	store_close(s);
	form[n + 7] = 1;
	for (unsigned char i = 0; i < 8; i++)
		form[n + 8 + i] = (unsigned char)(i + 1);
	n += 16;
	for (size_t i = 0; i < 12; i++) {
		form[n + 7] = texts[i].length;
		memcpy(form + n + 8, texts[i].text, texts[i].length);
		n += 8u + texts[i].length;
	}
	SHA256(form, n, sum);
	hex_encode(sum, sizeof(sum), expected);
	assert_string_equal(check().last_hash, expected);
}

static void tampering_is_found_where_it_was_done(void **state)
{
	(void)state;
	static const struct {
		const char *what, *sql;
		int64_t broken;
	} rows[] = {
		{"a text edited", "UPDATE evidence SET client = '192.0.2.8' WHERE seq = 7", 7},
		{"a time edited", "UPDATE evidence SET time = time + 1 WHERE seq = 1", 1},
		{"a hash edited", "UPDATE evidence SET hash = zeroblob(64) WHERE seq = 3", 3},
		{"a text moved to the next field", "UPDATE evidence SET client = '', identity = client WHERE seq = 5", 5},
		{"a kind edited", "UPDATE evidence SET kind = 1 WHERE seq = 20", 20},
		{"a record deleted", "DELETE FROM evidence WHERE seq = 9", 9},
		{"the first record deleted", "DELETE FROM evidence WHERE seq = 1", 1},
		{"two records exchanged", "UPDATE evidence SET seq = -1 WHERE seq = 4; UPDATE evidence SET seq = 4 WHERE seq = 5;"
					  "UPDATE evidence SET seq = 5 WHERE seq = -1", 4},
		{"a record put in front", "INSERT INTO evidence SELECT 0, time, kind, ecosystem, name, version, hash, client, identity,"
					  " project, agent, session, decision, detail, link, facts, rules FROM evidence WHERE seq = 1", 1},
		{"a record put behind", "INSERT INTO evidence SELECT 21, time, kind, ecosystem, name, version, hash, client, identity,"
					" project, agent, session, decision, detail, link, facts, rules FROM evidence WHERE seq = 1", 21},
		{"the tail cut off", "DELETE FROM evidence WHERE seq > 15", 16},
		{"all records deleted", "DELETE FROM evidence", 1},
		{"pruning pretended", "DELETE FROM evidence WHERE seq < 10; UPDATE chain SET seq = 9 WHERE part = 0", 10},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (i) {
			fixture_remove(NULL);
			fixture_make(NULL);
		}
		fill(20);
		fixture_sql(rows[i].sql);
		struct evidence_check c = check();

		if (rows[i].broken != c.broken_seq)
			fail_msg("%s: broken at %lld, not %lld", rows[i].what, (long long)c.broken_seq, (long long)rows[i].broken);
	}
}

/* Somebody who also moves the head back leaves a shorter chain that holds. Only a hash that was written down
 * elsewhere shows it, which is why `log verify` prints the last hash. */
static void a_tail_cut_with_its_head_shows_only_in_the_last_hash(void **state)
{
	(void)state;
	fill(20);
	struct evidence_check before = check();

	fixture_sql("DELETE FROM evidence WHERE seq > 15;"
		    "UPDATE chain SET seq = 15, link = (SELECT link FROM evidence WHERE seq = 15) WHERE part = 1");
	struct evidence_check after = check();

	assert_int_equal(after.broken_seq, 0);
	assert_string_not_equal(after.last_hash, before.last_hash);
}

static void records_after_a_cut_tail_leave_the_gap_open(void **state)
{
	(void)state;
	fill(20);
	fixture_sql("DELETE FROM evidence WHERE seq > 15");
	fill(5);
	struct evidence_check c = check();

	assert_int_equal(c.last_seq, 25);
	assert_int_equal(c.broken_seq, 16);
}

static void pruning_leaves_a_chain_that_holds_and_says_so(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);
	struct err err = {0};
	int64_t dropped = -1;

	fixture_append(s, 0, 50000);
	assert_int_equal(store_evidence_prune(s, 1700000000 * USEC_SECOND + 45000 * USEC_SECOND, &dropped, &err), 0);
	assert_int_equal(dropped, 45000);
	assert_int_equal(store_evidence_prune(s, 1700000000 * USEC_SECOND, &dropped, &err), 0);
	assert_int_equal(dropped, 0);
	fixture_append(s, 0, 10);
	store_close(s);
	struct evidence_check c = check();

	assert_int_equal(c.broken_seq, 0);
	assert_int_equal(c.first_seq, 45001);
	assert_int_equal(c.last_seq, 50011);
	assert_int_equal(c.records, 5011);
}

static void everything_can_be_pruned_but_the_record_of_it(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);
	struct err err = {0};
	int64_t dropped;

	fixture_append(s, 0, 5);
	assert_int_equal(store_evidence_prune(s, time_now() + USEC_DAY, &dropped, &err), 0);
	assert_int_equal(dropped, 5);
	store_close(s);
	struct evidence_check c = check();

	assert_int_equal(c.broken_seq, 0);
	assert_int_equal(c.first_seq, 6);
	assert_int_equal(c.last_seq, 6);
}

static void two_stores_on_one_file_make_one_chain(void **state)
{
	(void)state;
	struct store *a = fixture_open(STORE_WRITE), *b = fixture_open(STORE_WRITE);
	struct err err = {0};

	for (int i = 0; i < 200; i++) {
		char name[32];
		struct evidence e = fixture_receipt(i, name);

		store_append(i % 3 ? a : b, &e, NULL, NULL);
	}
	assert_int_equal(store_flush(a, &err), 0);
	assert_int_equal(store_flush(b, &err), 0);
	store_close(a);
	store_close(b);
	struct evidence_check c = check();

	assert_int_equal(c.records, 200);
	assert_int_equal(c.broken_seq, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(an_empty_chain_holds),
		FIXTURE_TEST(a_chain_that_nobody_touched_holds),
		FIXTURE_TEST(the_first_link_is_the_documented_sum),
		FIXTURE_TEST(tampering_is_found_where_it_was_done),
		FIXTURE_TEST(a_tail_cut_with_its_head_shows_only_in_the_last_hash),
		FIXTURE_TEST(records_after_a_cut_tail_leave_the_gap_open),
		FIXTURE_TEST(pruning_leaves_a_chain_that_holds_and_says_so),
		FIXTURE_TEST(everything_can_be_pruned_but_the_record_of_it),
		FIXTURE_TEST(two_stores_on_one_file_make_one_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
