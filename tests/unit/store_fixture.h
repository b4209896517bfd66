/* A folder for one test, a store in it, and SQL behind the store's back. */
#ifndef BONDGATE_TESTS_STORE_FIXTURE_H
#define BONDGATE_TESTS_STORE_FIXTURE_H

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/store.h"

static char fixture_dir[64];

static int fixture_make(void **state)
{
	(void)state;
	snprintf(fixture_dir, sizeof(fixture_dir), "/tmp/bondgate-store-XXXXXX");
	return mkdtemp(fixture_dir) ? 0 : -1;
}

static int fixture_unlink(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int fixture_remove(void **state)
{
	(void)state;
	return nftw(fixture_dir, fixture_unlink, 8, FTW_DEPTH | FTW_PHYS);
}

static inline struct store *fixture_open(enum store_access access)
{
	struct store *s = NULL;
	struct err err = {0};
	int r = store_open(fixture_dir, access, &s, &err);

	if (r < 0)
		print_error("%s\n", err.text);
	assert_int_equal(r, 0);
	return s;
}

/* What somebody does who edits the file with a tool of their own. */
static inline void fixture_sql(const char *sql)
{
	char path[128];
	char *message = NULL;
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/bondgate.db", fixture_dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_exec(db, sql, NULL, NULL, &message);
	if (message)
		print_error("%s\n", message);
	assert_null(message);
	sqlite3_close(db);
}

static inline struct evidence fixture_receipt(int n, char name[32])
{
	snprintf(name, 32, "package-%d", n);
	return (struct evidence){
		.time = 1700000000 * USEC_SECOND + n * USEC_SECOND, .kind = EVIDENCE_RECEIPT, .ecosystem = ECOSYSTEM_NPM,
		.name = str_of(name), .version = STR("1.2.3"), .client = STR("192.0.2.7"), .agent = STR("npm/11.0.0 node/v24"),
		.hash = STR("sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="),
		.decision = STR("allow"),
	};
}

static inline void fixture_append(struct store *s, int from, int to)
{
	struct err err = {0};

	for (int i = from; i < to; i++) {
		char name[32];
		struct evidence e = fixture_receipt(i, name);

		store_append(s, &e, NULL, NULL);
	}
	assert_int_equal(store_flush(s, &err), 0);
}

#define FIXTURE_TEST(f) cmocka_unit_test_setup_teardown(f, fixture_make, fixture_remove)

#endif
