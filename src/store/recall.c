#include "store/recall.h"

#include "store/internal.h"

static const char *const state_names[] = {"pending", "accepted", "rejected"};

const char *brake_state_name(enum brake_state s)
{
	return (unsigned)s < sizeof(state_names) / sizeof(state_names[0]) ? state_names[s] : "unknown";
}

/* ---- writing: each with the evidence of it in one transaction ---- */

struct recall_op {
	struct op op;
	struct braked braked;
	struct incident_end end;
	struct str project;
	struct locked *locked;
	size_t locked_count;
	bool has_act;
	int *ret_result;
	struct evidence act;
	char texts[];
};

static struct recall_op *recall_op(size_t text_bytes, const struct evidence *act, int (*run)(struct store *, struct op *), char **ret_room)
{
	ssize_t record = evidence_bytes(act);
	struct recall_op *o = record < 0 ? NULL : op_new(sizeof(*o), text_bytes + (size_t)record, run, NULL, NULL);
	char *room;

	if (!o)
		return NULL;
	room = o->texts;
	if (act) {
		o->has_act = true;
		evidence_copy(&o->act, act, &room);
	}
	*ret_room = room;
	return o;
}

static int with_act(struct store *s, const struct recall_op *o, int r)
{
	return r == 0 && o->has_act ? evidence_append(s, &o->act) : r;
}

static int run_brake(struct store *s, struct op *op)
{
	struct recall_op *o = (struct recall_op *)op;
	const struct braked *b = &o->braked;
	sqlite3_stmt *st = statement(&s->writer, SQL_BRAKE_PUT);

	if (!st)
		return connection_error(&s->writer);
	bind_str(st, 1, b->advisory);
	sqlite3_bind_int(st, 2, (int)b->ecosystem);
	bind_str(st, 3, b->name);
	sqlite3_bind_int64(st, 4, b->projects);
	sqlite3_bind_int64(st, 5, b->since);
	sqlite3_bind_int(st, 6, (int)b->state);
	bind_str(st, 7, b->decided_by);
	sqlite3_bind_int64(st, 8, b->decided);
	bind_str(st, 9, b->note);
	return with_act(s, o, statement_run(&s->writer, st));
}

int store_brake_put(struct store *s, const struct braked *b, const struct evidence *act, struct err *err)
{
	char *room = NULL;
	struct recall_op *o = recall_op(b->advisory.n + b->name.n + b->decided_by.n + b->note.n, act, run_brake, &room);

	if (o) {
		o->braked = *b;
		o->braked.advisory = op_text(&room, b->advisory);
		o->braked.name = op_text(&room, b->name);
		o->braked.decided_by = op_text(&room, b->decided_by);
		o->braked.note = op_text(&room, b->note);
	}
	return writer_queue_wait(s, (struct op *)o, err, "keep what the brake holds");
}

static int run_close(struct store *s, struct op *op)
{
	struct recall_op *o = (struct recall_op *)op;
	sqlite3_stmt *st = statement(&s->writer, SQL_INCIDENT_CLOSE);
	int r;

	if (!st)
		return connection_error(&s->writer);
	sqlite3_bind_int64(st, 1, o->end.seq);
	sqlite3_bind_int64(st, 2, o->end.closed);
	bind_str(st, 3, o->end.by);
	bind_str(st, 4, o->end.note);
	sqlite3_bind_int(st, 5, EVIDENCE_INCIDENT);
	r = statement_row(&s->writer, st);
	*o->ret_result = r > 0 ? 0 : -ENOENT;
	if (r <= 0)
		return r;
	sqlite3_reset(st);
	return with_act(s, o, 0);
}

int store_incident_close(struct store *s, const struct incident_end *end, const struct evidence *act, struct err *err)
{
	int found = -ENOENT, r;
	char *room = NULL;
	struct recall_op *o = recall_op(end->by.n + end->note.n, act, run_close, &room);

	if (o) {
		o->end = *end;
		o->end.by = op_text(&room, end->by);
		o->end.note = op_text(&room, end->note);
		o->ret_result = &found;
	}
	r = writer_queue_wait(s, (struct op *)o, err, "close an incident");
	if (r == 0 && found < 0)
		return err_set(err, -ENOENT, "there is no incident %lld (bondgate incidents lists them)", (long long)end->seq);
	return r;
}

static int put_locked(struct store *s, struct str project, const struct locked *l)
{
	sqlite3_stmt *st = statement(&s->writer, SQL_LOCKED_PUT);

	if (!st)
		return connection_error(&s->writer);
	bind_str(st, 1, project);
	sqlite3_bind_int(st, 2, (int)l->ecosystem);
	bind_str(st, 3, l->name);
	bind_str(st, 4, l->version);
	bind_str(st, 5, l->file);
	sqlite3_bind_int64(st, 6, l->recorded);
	return statement_run(&s->writer, st);
}

static int run_locked(struct store *s, struct op *op)
{
	struct recall_op *o = (struct recall_op *)op;
	sqlite3_stmt *st = statement(&s->writer, SQL_LOCKED_DROP);
	int r;

	if (!st)
		return connection_error(&s->writer);
	bind_str(st, 1, o->project);
	r = statement_run(&s->writer, st);
	for (size_t i = 0; r == 0 && i < o->locked_count; i++)
		r = put_locked(s, o->project, &o->locked[i]);
	return with_act(s, o, r);
}

int store_locked_replace(struct store *s, struct str project, const struct locked *array, size_t count, const struct evidence *act,
                         struct err *err)
{
	size_t bytes = project.n + count * sizeof(*array) + _Alignof(struct locked);
	struct recall_op *o;
	char *room = NULL;

	for (size_t i = 0; i < count; i++)
		bytes += array[i].name.n + array[i].version.n + array[i].file.n;
	o = recall_op(bytes, act, run_locked, &room);
	if (o) {
		o->project = op_text(&room, project);
		room += -(uintptr_t)room % _Alignof(struct locked);
		o->locked = (struct locked *)(void *)room;
		o->locked_count = count;
		room += count * sizeof(*array);
		for (size_t i = 0; i < count; i++) {
			o->locked[i] = array[i];
			o->locked[i].name = op_text(&room, array[i].name);
			o->locked[i].version = op_text(&room, array[i].version);
			o->locked[i].file = op_text(&room, array[i].file);
		}
	}
	return writer_queue_wait(s, (struct op *)o, err, "keep what a project locks");
}

/* ---- reading ---- */

struct reading {
	struct connection *connection;
	sqlite3_stmt *statement;
};

static int reading_start(struct store *s, enum statement which, struct reading *ret, struct err *err)
{
	int r = reader_take(s, &ret->connection, err);

	if (r < 0)
		return r;
	ret->statement = statement(ret->connection, which);
	if (ret->statement)
		return 0;
	r = connection_fail(ret->connection, err, "look back");
	reader_give(s, ret->connection);
	return r;
}

static int reading_end(struct store *s, struct reading *reading, int r, bool own, struct err *err)
{
	if (r < 0 && own)
		r = connection_fail(reading->connection, err, "look back");
	sqlite3_reset(reading->statement);
	reader_give(s, reading->connection);
	return r;
}

int store_received(struct store *s, usec since, int (*each)(void *arg, const struct received *r), void *arg, struct err *err)
{
	struct reading reading;
	int r = reading_start(s, SQL_RECEIVED, &reading, err), result = 0;
	sqlite3_stmt *st;

	if (r < 0)
		return r;
	st = reading.statement;
	sqlite3_bind_int(st, 1, EVIDENCE_RECEIPT);
	sqlite3_bind_int64(st, 2, since);
	while (result == 0 && (r = statement_row(reading.connection, st)) > 0) {
		char room[HASH_TEXT];
		const struct received one = {.ecosystem = (enum ecosystem)sqlite3_column_int(st, 0),
		                             .name = column_view(st, 1),
		                             .version = column_view(st, 2),
		                             .hash = column_hash_view(st, 3, room),
		                             .first = sqlite3_column_int64(st, 4),
		                             .last = sqlite3_column_int64(st, 5),
		                             .receipts = sqlite3_column_int64(st, 6),
		                             .projects = sqlite3_column_int64(st, 7)};

		result = each(arg, &one);
	}
	return reading_end(s, &reading, result ? result : r, result == 0, err);
}

int store_brakes(struct store *s, int (*each)(void *arg, const struct braked *b), void *arg, struct err *err)
{
	struct reading reading;
	int r = reading_start(s, SQL_BRAKE_LIST, &reading, err), result = 0;
	sqlite3_stmt *st;

	if (r < 0)
		return r;
	st = reading.statement;
	while (result == 0 && (r = statement_row(reading.connection, st)) > 0) {
		const struct braked one = {.advisory = column_view(st, 0),
		                           .ecosystem = (enum ecosystem)sqlite3_column_int(st, 1),
		                           .name = column_view(st, 2),
		                           .projects = sqlite3_column_int64(st, 3),
		                           .since = sqlite3_column_int64(st, 4),
		                           .state = (enum brake_state)sqlite3_column_int(st, 5),
		                           .decided_by = column_view(st, 6),
		                           .decided = sqlite3_column_int64(st, 7),
		                           .note = column_view(st, 8)};

		result = each(arg, &one);
	}
	return reading_end(s, &reading, result ? result : r, result == 0, err);
}

int store_incident_ends(struct store *s, int (*each)(void *arg, const struct incident_end *end), void *arg, struct err *err)
{
	struct reading reading;
	int r = reading_start(s, SQL_INCIDENT_LIST, &reading, err), result = 0;
	sqlite3_stmt *st;

	if (r < 0)
		return r;
	st = reading.statement;
	while (result == 0 && (r = statement_row(reading.connection, st)) > 0) {
		const struct incident_end one = {.seq = sqlite3_column_int64(st, 0),
		                                 .closed = sqlite3_column_int64(st, 1),
		                                 .by = column_view(st, 2),
		                                 .note = column_view(st, 3)};

		result = each(arg, &one);
	}
	return reading_end(s, &reading, result ? result : r, result == 0, err);
}

int store_locked(struct store *s, enum ecosystem e, struct str name, struct str version, int (*each)(void *arg, const struct locked *l),
                 void *arg, struct err *err)
{
	struct reading reading;
	int r = reading_start(s, name.n ? SQL_LOCKED_OF_NAME : SQL_LOCKED_ALL, &reading, err), result = 0;
	sqlite3_stmt *st;

	if (r < 0)
		return r;
	st = reading.statement;
	if (name.n) {
		sqlite3_bind_int(st, 1, (int)e);
		bind_str(st, 2, name);
	}
	while (result == 0 && (r = statement_row(reading.connection, st)) > 0) {
		const struct locked one = {.project = column_view(st, 0),
		                           .ecosystem = (enum ecosystem)sqlite3_column_int(st, 1),
		                           .name = column_view(st, 2),
		                           .version = column_view(st, 3),
		                           .file = column_view(st, 4),
		                           .recorded = sqlite3_column_int64(st, 5)};

		if (!version.n || str_eq(version, one.version))
			result = each(arg, &one);
	}
	return reading_end(s, &reading, result ? result : r, result == 0, err);
}
