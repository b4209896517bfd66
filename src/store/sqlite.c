#include "store/internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

#define APPLICATION_ID 0x426f6e64 /* "Bond", in the file's header */

int connection_error(struct connection *c)
{
	int system = sqlite3_system_errno(c->db);

	switch (sqlite3_errcode(c->db) & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_IOERR:
		return system == ENOSPC || system == EDQUOT ? -ENOSPC : -EIO;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CANTOPEN:
		return system == ENOSPC || system == EACCES || system == ENOENT ? -system : -EIO;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_TOOBIG:
		return -EFBIG;
	default:
		return -EINVAL;
	}
}

int connection_fail(struct connection *c, struct err *err, const char *what)
{
	int r = connection_error(c);

	return err_set(err, r ? r : -EIO, "cannot %s the store: %s", what, sqlite3_errmsg(c->db));
}

void connection_close(struct connection *c)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(c->statements[i]);
	sqlite3_close(c->db);
	*c = (struct connection){0};
}

static int note_wal_pages(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct connection *c = arg;

	(void)db;
	(void)name;
	c->wal_pages = pages;
	return SQLITE_OK;
}

int connection_open(struct connection *c, const char *path, int flags, struct err *err)
{
	char pragmas[240];
	int r;

	*c = (struct connection){0};
	if (sqlite3_open_v2(path, &c->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL) != SQLITE_OK)
		goto failed;
	sqlite3_extended_result_codes(c->db, 1);
	sqlite3_busy_timeout(c->db, STORE_BUSY_MS);
	/* The hook also switches off the automatic checkpoint, which would delay those who wait for a commit. */
	sqlite3_wal_hook(c->db, note_wal_pages, c);
	/* temp_store: a confined process may write in its state folder alone. */
	snprintf(pragmas, sizeof(pragmas),
	         "PRAGMA foreign_keys=ON; PRAGMA synchronous=FULL; PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY;"
	         " PRAGMA journal_size_limit=%d; PRAGMA cache_size=-2048",
	         STORE_WAL_KEPT_BYTES);
	if (sqlite3_exec(c->db, pragmas, NULL, NULL, NULL) != SQLITE_OK)
		goto failed;
	return 0;
failed:
	r = connection_fail(c, err, "open");
	connection_close(c);
	return r;
}

static int pragma_int(struct connection *c, const char *text, int *ret)
{
	sqlite3_stmt *st = NULL;
	int r = -EIO;

	if (sqlite3_prepare_v2(c->db, text, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		*ret = sqlite3_column_int(st, 0);
		r = 0;
	} else {
		r = connection_error(c);
	}
	sqlite3_finalize(st);
	return r;
}

static int check_schema(struct connection *c, const char *path, int *ret_schema, struct err *err)
{
	int id = 0, tables = 0, schema = 0;

	if (pragma_int(c, "PRAGMA application_id", &id) < 0 || pragma_int(c, "PRAGMA user_version", &schema) < 0 ||
	    pragma_int(c, "SELECT count(*) FROM sqlite_schema", &tables) < 0)
		return connection_fail(c, err, "read");
	if (tables && id != APPLICATION_ID)
		return err_set(err, -EBADMSG, "%s is a database of another program; choose another --state", path);
	if (schema > schema_version())
		return err_set(err, -EPROTO, "%s was written by a newer bondgate (schema %d, this one knows %d)", path, schema, schema_version());
	*ret_schema = schema;
	return 0;
}

/* One transaction; another process that opens the store at the same time waits and then finds nothing to do. */
static int migrate(struct connection *c, const char *path, struct err *err)
{
	char text[80];
	int schema, r;

	if (sqlite3_exec(c->db, "PRAGMA journal_mode=WAL; BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return connection_fail(c, err, "open");
	r = check_schema(c, path, &schema, err);
	if (r == 0 && schema < schema_version()) {
		for (; r == 0 && schema < schema_version(); schema++)
			if (sqlite3_exec(c->db, schema_step(schema)->sql, NULL, NULL, NULL) != SQLITE_OK)
				r = err_set(err, connection_error(c), "cannot upgrade %s to schema %d (%s): %s", path, schema + 1,
				            schema_step(schema)->adds, sqlite3_errmsg(c->db));
		snprintf(text, sizeof(text), "PRAGMA application_id=%d; PRAGMA user_version=%d", APPLICATION_ID, schema_version());
		if (r == 0 && sqlite3_exec(c->db, text, NULL, NULL, NULL) != SQLITE_OK)
			r = connection_fail(c, err, "upgrade");
	}
	if (r == 0 && sqlite3_exec(c->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		r = connection_fail(c, err, "upgrade");
	if (r < 0)
		sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

static int read_instance(struct store *s, struct connection *c, struct err *err)
{
	sqlite3_stmt *st = NULL;
	struct str text = STR("");
	int r = 0;

	if (sqlite3_prepare_v2(c->db, "SELECT value FROM meta WHERE key = 'instance'", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		text = column_view(st, 0);
	if (text.n == sizeof(s->instance) - 1)
		memcpy(s->instance, text.p, text.n);
	else
		r = err_set(err, -EBADMSG, "%s is damaged: it does not say which gate it belongs to", s->path);
	sqlite3_finalize(st);
	return r;
}

/* Only the owner and the group may read who received what; SQLite gives the files beside it the same mode. */
static int make_file(const char *dir, const char *path, struct err *err)
{
	int r = dir_make(dir, 0750, err);
	CLEANUP_FD int fd = -1, folder = -1;

	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return err_set(err, -errno, "cannot create %s: %s", path, err_name(errno));
	/* SQLite makes the WAL's entry in the folder durable, and takes for granted that the database has one. */
	folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 || fsync(folder) < 0)
		return err_set(err, -errno, "cannot write %s: %s", dir, err_name(errno));
	return 0;
}

static int open_for_writing(struct store *s, const char *dir, struct err *err)
{
	int r = make_file(dir, s->path, err);

	if (r == 0)
		r = connection_open(&s->writer, s->path, SQLITE_OPEN_READWRITE, err);
	if (r == 0)
		r = migrate(&s->writer, s->path, err);
	if (r == 0)
		r = read_instance(s, &s->writer, err);
	return r == 0 ? writer_start(s, err) : r;
}

static int open_for_reading(struct store *s, struct err *err)
{
	struct connection *c;
	int schema, r;

	if (access(s->path, F_OK) < 0)
		return err_set(err, -errno, "there is no store at %s: %s; start `bondgate gate` or name another --state", s->path, err_name(errno));
	r = reader_take(s, &c, err);
	if (r < 0)
		return r;
	r = check_schema(c, s->path, &schema, err);
	if (r == 0 && schema < schema_version())
		r = err_set(err, -EPROTO, "%s is of an older bondgate; start `bondgate gate` once to upgrade it", s->path);
	if (r == 0)
		r = read_instance(s, c, err);
	reader_give(s, c);
	return r;
}

int store_open(const char *dir, enum store_access access, struct store **ret, struct err *err)
{
	struct store *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_set(err, -ENOMEM, "no memory");
	s->access = access;
	s->last = &s->first;
	pthread_mutex_init(&s->pool_lock, NULL);
	pthread_cond_init(&s->pool_freed, NULL);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->work, NULL);
	pthread_cond_init(&s->progress, NULL);
	if (asprintf(&s->path, "%s/bondgate.db", dir) < 0) {
		s->path = NULL;
		r = err_set(err, -ENOMEM, "no memory");
	} else {
		r = access == STORE_WRITE ? open_for_writing(s, dir, err) : open_for_reading(s, err);
	}
	if (r < 0)
		store_close(s);
	else
		*ret = s;
	return r;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	writer_stop(s);
	while (s->idle_count) {
		connection_close(s->idle[--s->idle_count]);
		free(s->idle[s->idle_count]);
	}
	/* Last, so that it is the one that carries the WAL over and removes it. */
	connection_close(&s->writer);
	map_free(&s->pending);
	pthread_cond_destroy(&s->progress);
	pthread_cond_destroy(&s->work);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->pool_freed);
	pthread_mutex_destroy(&s->pool_lock);
	free(s->facts);
	free(s->path);
	free(s);
}

const char *store_instance(struct store *s)
{
	return s->instance;
}

/* ---- the pool of readers ---- */

int reader_take(struct store *s, struct connection **ret, struct err *err)
{
	struct connection *c = NULL;
	int r;

	pthread_mutex_lock(&s->pool_lock);
	while (s->idle_count == 0 && s->reader_count == STORE_READERS)
		pthread_cond_wait(&s->pool_freed, &s->pool_lock);
	if (s->idle_count)
		c = s->idle[--s->idle_count];
	else
		s->reader_count++;
	pthread_mutex_unlock(&s->pool_lock);
	if (c) {
		*ret = c;
		return 0;
	}
	c = malloc(sizeof(*c));
	r = c ? connection_open(c, s->path, SQLITE_OPEN_READONLY, err) : err_set(err, -ENOMEM, "no memory");
	if (r == 0) {
		*ret = c;
		return 0;
	}
	free(c);
	pthread_mutex_lock(&s->pool_lock);
	s->reader_count--;
	pthread_cond_signal(&s->pool_freed);
	pthread_mutex_unlock(&s->pool_lock);
	return r;
}

void reader_give(struct store *s, struct connection *c)
{
	/* A statement left open would keep its snapshot, and with it the WAL. */
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		if (c->statements[i])
			sqlite3_reset(c->statements[i]);
	if (!sqlite3_get_autocommit(c->db))
		statement_run(c, statement(c, SQL_ROLLBACK));
	pthread_mutex_lock(&s->pool_lock);
	s->idle[s->idle_count++] = c;
	pthread_cond_signal(&s->pool_freed);
	pthread_mutex_unlock(&s->pool_lock);
}
