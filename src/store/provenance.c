#include "store/provenance.h"

#include "store/internal.h"

static int read_rows(struct connection *c, sqlite3_stmt *st, struct arena *a, struct seen_provenance **ret, size_t *ret_count)
{
	size_t n = 0, room = 0;
	int r;

	*ret = NULL;
	while ((r = statement_row(c, st)) > 0) {
		if (n == room) {
			struct seen_provenance *grown = ARENA_ARRAY(a, struct seen_provenance, room ? 2 * room : 64);

			if (!grown)
				return -ENOMEM;
			if (n)
				memcpy(grown, *ret, n * sizeof(*grown));
			*ret = grown;
			room = room ? 2 * room : 64;
		}
		(*ret)[n++] = (struct seen_provenance){
			.version = column_str(st, 0, a),
			.integrity = column_str(st, 1, a),
			.trust = column_str(st, 2, a),
			.source = column_str(st, 3, a),
			.detail = column_str(st, 4, a),
			.checked = sqlite3_column_int64(st, 5),
		};
	}
	*ret_count = n;
	return r < 0 ? r : arena_failed(a) ? -ENOMEM : 0;
}

int store_provenances(struct store *s, struct str origin, enum ecosystem e, struct str name, struct arena *a, struct seen_provenance **ret,
                      size_t *ret_count, struct err *err)
{
	struct connection *c;
	sqlite3_stmt *st;
	int r;

	*ret_count = 0;
	writer_await_package(s, e, name);
	r = reader_take(s, &c, err);
	if (r < 0)
		return r;
	st = statement(c, SQL_PROVENANCE_LIST);
	if (st) {
		sqlite3_bind_int(st, 1, (int)e);
		bind_str(st, 2, name);
		bind_str(st, 3, origin);
	}
	r = read_rows(c, st, a, ret, ret_count);
	reader_give(s, c);
	return r < 0 ? err_set(err, r, "cannot read the provenance of %.*s from %s: %s", STR_ARG(name), s->path, err_name(r)) : 0;
}

struct save {
	struct op op;
	enum ecosystem ecosystem;
	struct str origin, name;
	struct seen_provenance provenance;
	char texts[];
};

static int run_save(struct store *s, struct op *op)
{
	const struct save *save = (struct save *)op;
	sqlite3_stmt *st = statement(&s->writer, SQL_PROVENANCE_PUT);

	if (st) {
		sqlite3_bind_int(st, 1, (int)save->ecosystem);
		bind_str(st, 2, save->name);
		bind_str(st, 3, save->origin);
		bind_str(st, 4, save->provenance.version);
		bind_str(st, 5, save->provenance.integrity);
		bind_str(st, 6, save->provenance.trust);
		bind_str(st, 7, save->provenance.source);
		bind_str(st, 8, save->provenance.detail);
		sqlite3_bind_int64(st, 9, save->provenance.checked);
	}
	return statement_run(&s->writer, st);
}

void store_provenance_save(struct store *s, struct str origin, enum ecosystem e, struct str name, const struct seen_provenance *p)
{
	size_t bytes = origin.n + name.n + p->version.n + p->integrity.n + p->trust.n + p->source.n + p->detail.n;
	struct save *save = op_new(sizeof(*save), bytes, run_save, NULL, NULL);

	if (save) {
		char *room = save->texts;

		save->ecosystem = e;
		save->origin = op_text(&room, origin);
		save->name = op_text(&room, name);
		save->provenance = (struct seen_provenance){
			.version = op_text(&room, p->version),
			.integrity = op_text(&room, p->integrity),
			.trust = op_text(&room, p->trust),
			.source = op_text(&room, p->source),
			.detail = op_text(&room, p->detail),
			.checked = p->checked,
		};
	}
	writer_queue(s, (struct op *)save, e, name);
}
