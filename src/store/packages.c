#include "store/internal.h"

/* ---- save ---- */

struct save {
	struct op op;
	struct seen_package p;
	/* versions, tags, texts */
};

#define VERSION_TEXTS(X) X(version) X(integrity) X(shasum) X(changed_to) X(mismatch) X(archive_script) X(archive_binary)
#define TAG_TEXTS(X) X(tag) X(target) X(former)

static int put_package(struct connection *c, const struct seen_package *p, int64_t *ret_id)
{
	sqlite3_stmt *st = statement(c, SQL_PACKAGE_PUT);
	int r;

	if (st) {
		sqlite3_bind_int(st, 1, (int)p->ecosystem);
		bind_str(st, 2, p->name);
		bind_str(st, 3, p->origin);
		sqlite3_bind_int64(st, 4, p->first_snapshot);
		sqlite3_bind_int64(st, 5, p->last_snapshot);
		sqlite3_bind_int(st, 6, p->placeholder);
	}
	r = statement_row(c, st);
	if (r <= 0)
		return r < 0 ? r : -EIO;
	*ret_id = sqlite3_column_int64(st, 0);
	/* RETURNING has written by now, but the statement is to be run to its end. */
	r = statement_row(c, st);
	return r < 0 ? r : 0;
}

static int put_version(struct connection *c, int64_t package, const struct seen_version *v)
{
	sqlite3_stmt *st = statement(c, SQL_VERSION_PUT);

	if (!st)
		return connection_error(c);
	sqlite3_bind_int64(st, 1, package);
	bind_str(st, 2, v->version);
	sqlite3_bind_int64(st, 3, v->first_seen);
	sqlite3_bind_int64(st, 4, v->lacked_at);
	sqlite3_bind_int64(st, 5, v->upstream_time);
	bind_hash(st, 6, v->integrity);
	bind_hash(st, 7, v->shasum);
	bind_optional(st, 8, v->changed_to);
	sqlite3_bind_int64(st, 9, v->changed_at);
	sqlite3_bind_int64(st, 10, v->gone_at);
	bind_optional(st, 11, v->mismatch);
	sqlite3_bind_int64(st, 12, v->received_at);
	sqlite3_bind_int(st, 13, v->ever_tagged);
	sqlite3_bind_int64(st, 14, v->archive_at);
	bind_optional(st, 15, v->archive_script);
	bind_optional(st, 16, v->archive_binary);
	return statement_run(c, st);
}

static int drop_tags(struct connection *c, int64_t package)
{
	sqlite3_stmt *st = statement(c, SQL_TAG_DROP);

	if (st)
		sqlite3_bind_int64(st, 1, package);
	return statement_run(c, st);
}

static int put_tag(struct connection *c, int64_t package, const struct seen_tag *t)
{
	sqlite3_stmt *st = statement(c, SQL_TAG_PUT);

	if (!st)
		return connection_error(c);
	sqlite3_bind_int64(st, 1, package);
	bind_str(st, 2, t->tag);
	bind_str(st, 3, t->target);
	sqlite3_bind_int64(st, 4, t->since);
	bind_optional(st, 5, t->former);
	return statement_run(c, st);
}

static int run_save(struct store *s, struct op *op)
{
	const struct seen_package *p = &((struct save *)op)->p;
	int64_t id;
	int r = put_package(&s->writer, p, &id);

	for (size_t i = 0; r == 0 && i < p->version_count; i++)
		r = put_version(&s->writer, id, &p->versions[i]);
	if (r == 0)
		r = drop_tags(&s->writer, id);
	for (size_t i = 0; r == 0 && i < p->tag_count; i++)
		r = put_tag(&s->writer, id, &p->tags[i]);
	return r;
}

static size_t save_bytes(const struct seen_package *p)
{
	size_t n = p->origin.n + p->name.n + p->version_count * sizeof(*p->versions) + p->tag_count * sizeof(*p->tags);

#define X(field) n += p->versions[i].field.n;
	for (size_t i = 0; i < p->version_count; i++) {
		VERSION_TEXTS(X)
	}
#undef X
#define X(field) n += p->tags[i].field.n;
	for (size_t i = 0; i < p->tag_count; i++) {
		TAG_TEXTS(X)
	}
#undef X
	return n;
}

static void copy_package(struct save *op, const struct seen_package *p)
{
	struct seen_package *to = &op->p;
	char *room;

	*to = *p;
	/* The arrays stand behind the struct, which ends at a multiple of their alignment; the texts stand behind them. */
	to->versions = (struct seen_version *)(op + 1);
	to->tags = (struct seen_tag *)(to->versions + p->version_count);
	room = (char *)(to->tags + p->tag_count);
	to->origin = op_text(&room, p->origin);
	to->name = op_text(&room, p->name);
	for (size_t i = 0; i < p->version_count; i++) {
		to->versions[i] = p->versions[i];
#define X(field) to->versions[i].field = op_text(&room, p->versions[i].field);
		VERSION_TEXTS(X)
#undef X
	}
	for (size_t i = 0; i < p->tag_count; i++) {
		to->tags[i] = p->tags[i];
#define X(field) to->tags[i].field = op_text(&room, p->tags[i].field);
		TAG_TEXTS(X)
#undef X
	}
}

void store_package_save(struct store *s, const struct seen_package *p, void (*done)(void *arg, int r), void *arg)
{
	struct save *op = op_new(sizeof(*op), save_bytes(p), run_save, done, arg);

	if (!op)
		return;
	copy_package(op, p);
	writer_queue(s, &op->op, p->ecosystem, p->name);
}

/* ---- one value of a package or version ---- */

struct touch {
	struct op op;
	enum statement statement;
	enum ecosystem ecosystem;
	struct str name, origin, version, text, more;
	usec at;
	char texts[];
};

/* The parameters have one order in the four statements: ecosystem, name, origin, [version,] value, further texts. */
static int run_touch(struct store *s, struct op *op)
{
	const struct touch *t = (struct touch *)op;
	sqlite3_stmt *st = statement(&s->writer, t->statement);
	int value = t->statement == SQL_PACKAGE_CHECKED ? 4 : 5;

	if (!st)
		return connection_error(&s->writer);
	sqlite3_bind_int(st, 1, (int)t->ecosystem);
	bind_str(st, 2, t->name);
	bind_str(st, 3, t->origin);
	if (value == 5)
		bind_str(st, 4, t->version);
	if (t->statement == SQL_VERSION_MISMATCH)
		bind_optional(st, value, t->text);
	else
		sqlite3_bind_int64(st, value, t->at);
	if (t->statement == SQL_VERSION_ARCHIVE) {
		bind_optional(st, value + 1, t->text);
		bind_optional(st, value + 2, t->more);
	}
	return statement_run(&s->writer, st);
}

static void queue_touch(struct store *s, const struct touch *t)
{
	size_t bytes = t->name.n + t->origin.n + t->version.n + t->text.n + t->more.n;
	struct touch *op = op_new(sizeof(*op), bytes, run_touch, NULL, NULL);
	char *room;

	if (!op)
		return;
	room = op->texts;
	op->statement = t->statement;
	op->ecosystem = t->ecosystem;
	op->at = t->at;
	op->name = op_text(&room, t->name);
	op->origin = op_text(&room, t->origin);
	op->version = op_text(&room, t->version);
	op->text = op_text(&room, t->text);
	op->more = op_text(&room, t->more);
	writer_queue(s, &op->op, t->ecosystem, op->name);
}

void store_package_checked(struct store *s, struct str origin, enum ecosystem e, struct str name, usec at)
{
	queue_touch(s, &(struct touch){.statement = SQL_PACKAGE_CHECKED, .ecosystem = e, .name = name, .origin = origin, .at = at});
}

void store_version_mismatch(struct store *s, struct str origin, enum ecosystem e, struct str name, struct str version, struct str mismatch)
{
	queue_touch(
		s, &(struct touch){
			   .statement = SQL_VERSION_MISMATCH, .ecosystem = e, .name = name, .origin = origin, .version = version, .text = mismatch});
}

void store_version_received(struct store *s, struct str origin, enum ecosystem e, struct str name, struct str version, usec at)
{
	queue_touch(s, &(struct touch){
					   .statement = SQL_VERSION_RECEIVED, .ecosystem = e, .name = name, .origin = origin, .version = version, .at = at});
}

void store_version_archive(struct store *s, struct str origin, enum ecosystem e, struct str name, struct str version, usec at,
                           struct str script, struct str binary)
{
	queue_touch(s, &(struct touch){.statement = SQL_VERSION_ARCHIVE,
	                               .ecosystem = e,
	                               .name = name,
	                               .origin = origin,
	                               .version = version,
	                               .at = at,
	                               .text = script,
	                               .more = binary});
}

/* ---- load ---- */

static int count_rows(struct connection *c, enum statement which, int64_t package, size_t *ret)
{
	sqlite3_stmt *st = statement(c, which);
	int r;

	if (st)
		sqlite3_bind_int64(st, 1, package);
	r = statement_row(c, st);
	if (r < 0)
		return r;
	*ret = (size_t)sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return 0;
}

static void version_from_row(sqlite3_stmt *st, struct arena *a, struct seen_version *v)
{
	*v = (struct seen_version){
		.version = column_str(st, 0, a),
		.first_seen = sqlite3_column_int64(st, 1),
		.lacked_at = sqlite3_column_int64(st, 2),
		.upstream_time = sqlite3_column_int64(st, 3),
		.integrity = column_hash(st, 4, a),
		.shasum = column_hash(st, 5, a),
		.changed_to = column_str(st, 6, a),
		.changed_at = sqlite3_column_int64(st, 7),
		.gone_at = sqlite3_column_int64(st, 8),
		.mismatch = column_str(st, 9, a),
		.received_at = sqlite3_column_int64(st, 10),
		.ever_tagged = sqlite3_column_int(st, 11) != 0,
		.archive_at = sqlite3_column_int64(st, 12),
		.archive_script = column_str(st, 13, a),
		.archive_binary = column_str(st, 14, a),
	};
}

static int load_versions(struct connection *c, int64_t package, struct arena *a, struct seen_package *p)
{
	sqlite3_stmt *st;
	size_t count;
	int r = count_rows(c, SQL_VERSION_COUNT, package, &count);

	if (r < 0)
		return r;
	p->versions = ARENA_ARRAY(a, struct seen_version, count ? count : 1);
	if (!p->versions)
		return -ENOMEM;
	st = statement(c, SQL_VERSION_LIST);
	if (st)
		sqlite3_bind_int64(st, 1, package);
	while (p->version_count < count && (r = statement_row(c, st)) > 0)
		version_from_row(st, a, &p->versions[p->version_count++]);
	return r < 0 ? r : 0;
}

static int load_tags(struct connection *c, int64_t package, struct arena *a, struct seen_package *p)
{
	sqlite3_stmt *st;
	size_t count;
	int r = count_rows(c, SQL_TAG_COUNT, package, &count);

	if (r < 0)
		return r;
	p->tags = ARENA_ARRAY(a, struct seen_tag, count ? count : 1);
	if (!p->tags)
		return -ENOMEM;
	st = statement(c, SQL_TAG_LIST);
	if (st)
		sqlite3_bind_int64(st, 1, package);
	while (p->tag_count < count && (r = statement_row(c, st)) > 0)
		p->tags[p->tag_count++] = (struct seen_tag){.tag = column_str(st, 0, a),
		                                            .target = column_str(st, 1, a),
		                                            .since = sqlite3_column_int64(st, 2),
		                                            .former = column_str(st, 3, a)};
	return r < 0 ? r : 0;
}

static int load_package(struct connection *c, struct arena *a, struct seen_package *p)
{
	sqlite3_stmt *st;
	int64_t id;
	int r = statement_run(c, statement(c, SQL_BEGIN_READ));

	if (r < 0)
		return r;
	st = statement(c, SQL_PACKAGE_GET);
	if (st) {
		sqlite3_bind_int(st, 1, (int)p->ecosystem);
		bind_str(st, 2, p->name);
		bind_str(st, 3, p->origin);
	}
	r = statement_row(c, st);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	id = sqlite3_column_int64(st, 0);
	p->first_snapshot = sqlite3_column_int64(st, 1);
	p->last_snapshot = sqlite3_column_int64(st, 2);
	p->placeholder = sqlite3_column_int(st, 3) != 0;
	r = load_versions(c, id, a, p);
	if (r == 0)
		r = load_tags(c, id, a, p);
	p->origin = arena_str(a, p->origin);
	p->name = arena_str(a, p->name);
	return r == 0 && arena_failed(a) ? -ENOMEM : r;
}

int store_package_load(struct store *s, struct str origin, enum ecosystem e, struct str name, struct arena *a, struct seen_package *ret,
                       struct err *err)
{
	struct seen_package p = {.origin = origin, .ecosystem = e, .name = name};
	struct connection *c;
	int r;

	writer_await_package(s, e, name);
	r = reader_take(s, &c, err);
	if (r < 0)
		return r;
	r = load_package(c, a, &p);
	reader_give(s, c);
	if (r == 0)
		*ret = p;
	if (r == -ENOENT) {
		*ret = (struct seen_package){0};
		return err_set(err, r, "nothing is remembered of %.*s", STR_ARG(name));
	}
	return r < 0 ? err_set(err, r, "cannot read what is remembered of %.*s from %s: %s", STR_ARG(name), s->path, err_name(r)) : 0;
}

int store_package_known(struct store *s, enum ecosystem e, struct str name, bool *ret, struct err *err)
{
	struct connection *c;
	sqlite3_stmt *st;
	int r;

	writer_await_package(s, e, name);
	r = reader_take(s, &c, err);
	if (r < 0)
		return r;
	st = statement(c, SQL_PACKAGE_KNOWN);
	if (st) {
		sqlite3_bind_int(st, 1, (int)e);
		bind_str(st, 2, name);
	}
	r = statement_row(c, st);
	reader_give(s, c);
	if (r < 0)
		return err_set(err, r, "cannot read %s: %s", s->path, err_name(r));
	*ret = r > 0;
	return 0;
}

int store_package_names(struct store *s, enum ecosystem e, int (*each)(void *arg, struct str name), void *arg, struct err *err)
{
	struct connection *c;
	sqlite3_stmt *st;
	int r = reader_take(s, &c, err), row = 0, ended = 0;

	if (r < 0)
		return r;
	st = statement(c, SQL_PACKAGE_NAMES);
	if (st)
		sqlite3_bind_int(st, 1, (int)e);
	while (!ended && (row = statement_row(c, st)) > 0)
		ended = each(arg, column_view(st, 0));
	reader_give(s, c);
	return row < 0 ? err_set(err, row, "cannot read %s: %s", s->path, err_name(row)) : ended;
}
