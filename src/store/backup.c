#include "store/internal.h"

#include <fcntl.h>
#include <unistd.h>

static int make_durable(const char *path, struct err *err)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_set(err, -errno, "cannot write %s: %s", path, err_name(errno));
	return 0;
}

int store_copy(const char *dir, const char *path, struct err *err)
{
	CLEANUP_FREE char *from = NULL;
	sqlite3_stmt *st = NULL;
	struct connection c;
	int r;

	if (asprintf(&from, "%s/bondgate.db", dir) < 0) {
		from = NULL;
		return err_set(err, -ENOMEM, "no memory");
	}
	if (access(from, F_OK) < 0)
		return err_set(err, -errno, "there is no store at %s: %s; name another --state", from, err_name(errno));
	r = connection_open(&c, from, SQLITE_OPEN_READONLY, err);
	if (r < 0)
		return r;
	/* One read transaction: what is written meanwhile goes on behind its back, in the WAL. */
	if (sqlite3_prepare_v2(c.db, "VACUUM INTO ?1", -1, &st, NULL) == SQLITE_OK) {
		bind_str(st, 1, str_of(path));
		r = statement_run(&c, st);
	} else {
		r = connection_error(&c);
	}
	if (r < 0)
		r = err_set(err, r, "cannot copy %s to %s: %s", from, path, sqlite3_errmsg(c.db));
	sqlite3_finalize(st);
	connection_close(&c);
	return r < 0 ? r : make_durable(path, err);
}

int store_examine(struct store *s, struct err *err)
{
	struct connection *c;
	sqlite3_stmt *st = NULL;
	struct str answer = STR("");
	int r = reader_take(s, &c, err);

	if (r < 0)
		return r;
	if (sqlite3_prepare_v2(c->db, "PRAGMA integrity_check(1)", -1, &st, NULL) == SQLITE_OK && statement_row(c, st) > 0)
		answer = column_view(st, 0);
	if (!str_eq(answer, STR("ok")))
		r = err_set(err, -EBADMSG, "%s is damaged: %.*s", s->path, STR_ARG(answer));
	sqlite3_finalize(st);
	reader_give(s, c);
	return r;
}

int store_schema(void)
{
	return schema_version();
}
