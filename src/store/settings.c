#include "store/internal.h"

int store_setting_get(struct store *s, struct str key, struct arena *a, struct str *ret, struct err *err)
{
	struct str value = STR("");
	struct connection *c;
	sqlite3_stmt *st;
	int r = reader_take(s, &c, err);

	if (r < 0)
		return r;
	st = statement(c, SQL_SETTING_GET);
	if (st)
		bind_str(st, 1, key);
	r = statement_row(c, st);
	if (r > 0)
		value = column_str(st, 0, a);
	reader_give(s, c);
	if (r == 0)
		return err_set(err, -ENOENT, "the setting %.*s is not in %s", STR_ARG(key), s->path);
	if (r > 0 && !value.p)
		r = -ENOMEM;
	if (r < 0)
		return err_set(err, r, "cannot read the setting %.*s from %s: %s", STR_ARG(key), s->path, err_name(r));
	*ret = value;
	return 0;
}

struct set {
	struct op op;
	struct str key, value;
	char texts[];
};

static int run_set(struct store *s, struct op *op)
{
	const struct set *set = (struct set *)op;
	sqlite3_stmt *st = statement(&s->writer, SQL_SETTING_PUT);

	if (st) {
		bind_str(st, 1, set->key);
		bind_str(st, 2, set->value);
	}
	return statement_run(&s->writer, st);
}

int store_setting_set(struct store *s, struct str key, struct str value, struct err *err)
{
	struct set *set = op_new(sizeof(*set), key.n + value.n, run_set, NULL, NULL);

	if (set) {
		char *room = set->texts;

		set->key = op_text(&room, key);
		set->value = op_text(&room, value);
	}
	return writer_queue_wait(s, (struct op *)set, err, "write a setting");
}
