#include "store/adopted.h"

#include "store/internal.h"

struct adopted_op {
	struct op op;
	struct adopted *array;
	size_t count;
	bool has_act;
	struct evidence act;
	char texts[];
};

static int put(struct store *s, const struct adopted *a)
{
	sqlite3_stmt *st = statement(&s->writer, SQL_ADOPTED_PUT);

	if (!st)
		return connection_error(&s->writer);
	sqlite3_bind_int(st, 1, (int)a->ecosystem);
	bind_str(st, 2, a->name);
	bind_str(st, 3, a->version);
	bind_str(st, 4, a->file);
	sqlite3_bind_int64(st, 5, a->time);
	return statement_run(&s->writer, st);
}

/* A running gate looks at the number that grows (people_bump), and then reads the names again. */
static int run(struct store *s, struct op *op)
{
	const struct adopted_op *o = (struct adopted_op *)op;
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->count; i++)
		r = put(s, &o->array[i]);
	if (r == 0)
		r = people_bump(s);
	return r == 0 && o->has_act ? evidence_append(s, &o->act) : r;
}

static struct adopted_op *new_op(const struct adopted *array, size_t count, const struct evidence *act)
{
	ssize_t record = evidence_bytes(act);
	size_t bytes = count * sizeof(*array) + _Alignof(struct adopted);
	struct adopted_op *o;
	char *room;

	if (record < 0)
		return NULL;
	for (size_t i = 0; i < count; i++)
		bytes += array[i].name.n + array[i].version.n + array[i].file.n;
	o = op_new(sizeof(*o), bytes + (size_t)record, run, NULL, NULL);
	if (!o)
		return NULL;
	room = o->texts;
	if (act) {
		o->has_act = true;
		evidence_copy(&o->act, act, &room);
	}
	room += -(uintptr_t)room % _Alignof(struct adopted);
	o->array = (struct adopted *)(void *)room;
	o->count = count;
	room += count * sizeof(*array);
	for (size_t i = 0; i < count; i++) {
		o->array[i] = array[i];
		o->array[i].name = op_text(&room, array[i].name);
		o->array[i].version = op_text(&room, array[i].version);
		o->array[i].file = op_text(&room, array[i].file);
	}
	return o;
}

int store_adopted_add(struct store *s, const struct adopted *array, size_t count, const struct evidence *act, struct err *err)
{
	return writer_queue_wait(s, (struct op *)new_op(array, count, act), err, "keep what was adopted");
}

int store_adopted_names(struct store *s, int (*each)(void *arg, const struct adopted *a), void *arg, struct err *err)
{
	struct connection *c;
	sqlite3_stmt *st;
	int r = reader_take(s, &c, err), row = 0, ended = 0;

	if (r < 0)
		return r;
	st = statement(c, SQL_ADOPTED_NAMES);
	while (!ended && (row = statement_row(c, st)) > 0) {
		const struct adopted one = {.ecosystem = (enum ecosystem)sqlite3_column_int(st, 0),
		                            .name = column_view(st, 1),
		                            .version = column_view(st, 2),
		                            .file = column_view(st, 3),
		                            .time = sqlite3_column_int64(st, 4)};

		ended = each(arg, &one);
	}
	if (st)
		sqlite3_reset(st);
	reader_give(s, c);
	return row < 0 ? err_set(err, row, "cannot read what was adopted from %s: %s", s->path, err_name(row)) : ended;
}
