/* Requests for exceptions and what became of them. */
#include "store/internal.h"
#include "store/people.h"

static const char *const state_names[] = {"open", "half", "approved", "rejected", "withdrawn", "revoked"};

const char *request_state_name(enum request_state s)
{
	return (unsigned)s < sizeof(state_names) / sizeof(state_names[0]) ? state_names[s] : "unknown";
}

/* Every text of a request once. */
#define REQUEST_TEXTS(X) \
	X(name) X(version) X(rules) X(reason) X(person) X(team) X(refusal) X(severity) X(first_approver) X(decided_by) X(note)

struct request_op {
	struct op op;
	struct request request;
	enum request_state from;
	bool has_act;
	struct evidence act; /* of a new one: its decision ends in the room for the number */
	int64_t *ret_id;
	bool *ret_moved;
	char *number; /* 20 characters of room behind act.decision */
	char texts[];
};

enum { NUMBER_ROOM = 24, STATE_MOST = 99 };

static void bind_request(sqlite3_stmt *st, const struct request *r)
{
	sqlite3_bind_int(st, 2, r->break_glass);
	sqlite3_bind_int(st, 3, (int)r->ecosystem);
	bind_str(st, 4, r->name);
	bind_str(st, 5, r->version);
	bind_str(st, 6, r->rules);
	bind_str(st, 7, r->reason);
	bind_str(st, 8, r->person);
	bind_str(st, 9, r->team);
	bind_str(st, 10, r->refusal);
	bind_str(st, 11, r->severity);
	sqlite3_bind_int64(st, 12, r->created);
	sqlite3_bind_int(st, 13, (int)r->state);
	bind_str(st, 14, r->first_approver);
	bind_str(st, 15, r->decided_by);
	bind_str(st, 16, r->note);
	sqlite3_bind_int64(st, 17, r->lasts);
	sqlite3_bind_int64(st, 18, r->decided);
	sqlite3_bind_int64(st, 19, r->expires);
}

/* The transaction may be repeated, and the number may be another one then: the record is named afresh each time. */
static int append_act(struct store *s, struct request_op *o, int64_t id)
{
	struct evidence named = o->act;

	if (!o->has_act)
		return 0;
	if (o->number) {
		int n = snprintf(o->number, NUMBER_ROOM, " %lld", (long long)id);

		named.decision.n += (size_t)n;
	}
	return evidence_append(s, &named);
}

static int run_add(struct store *s, struct op *op)
{
	struct request_op *o = (struct request_op *)op;
	sqlite3_stmt *st = statement(&s->writer, SQL_REQUEST_ADD);
	int64_t id = 0;
	int r;

	if (!st)
		return connection_error(&s->writer);
	bind_request(st, &o->request);
	r = statement_row(&s->writer, st);
	if (r > 0)
		id = sqlite3_column_int64(st, 0);
	if (r <= 0)
		return r < 0 ? r : -EBADMSG;
	sqlite3_reset(st);
	*o->ret_id = id;
	r = people_bump(s);
	return r < 0 ? r : append_act(s, o, id);
}

static int run_move(struct store *s, struct op *op)
{
	struct request_op *o = (struct request_op *)op;
	const struct request *q = &o->request;
	sqlite3_stmt *st = statement(&s->writer, SQL_REQUEST_MOVE);
	int r;

	if (!st)
		return connection_error(&s->writer);
	sqlite3_bind_int64(st, 1, q->id);
	sqlite3_bind_int(st, 2, (int)o->from);
	sqlite3_bind_int(st, 3, (int)q->state);
	bind_str(st, 4, q->first_approver);
	bind_str(st, 5, q->decided_by);
	bind_str(st, 6, q->note);
	sqlite3_bind_int64(st, 7, q->decided);
	sqlite3_bind_int64(st, 8, q->expires);
	r = statement_row(&s->writer, st);
	*o->ret_moved = r > 0;
	if (r <= 0)
		return r;
	sqlite3_reset(st);
	r = people_bump(s);
	return r < 0 ? r : append_act(s, o, q->id);
}

static struct request_op *request_op(const struct request *r, const struct evidence *act, bool numbered,
                                     int (*run)(struct store *, struct op *))
{
	ssize_t record = evidence_bytes(act);
	size_t bytes = numbered ? NUMBER_ROOM : 0;
	struct request_op *o;
	char *room;

	if (record < 0)
		return NULL;
#define X(field) bytes += r->field.n;
	REQUEST_TEXTS(X)
#undef X
	o = op_new(sizeof(*o), bytes + (size_t)record + (act ? act->decision.n : 0), run, NULL, NULL);
	if (!o)
		return NULL;
	room = o->texts;
	o->request = *r;
#define X(field) o->request.field = op_text(&room, r->field);
	REQUEST_TEXTS(X)
#undef X
	if (act) {
		o->has_act = true;
		evidence_copy(&o->act, act, &room);
	}
	if (act && numbered) {
		/* Once more at the end, where the number finds its room. */
		o->act.decision = op_text(&room, act->decision);
		o->number = room;
	}
	return o;
}

int store_request_add(struct store *s, const struct request *r, const struct evidence *act, int64_t *ret_id, struct err *err)
{
	struct request_op *o = request_op(r, act, true, run_add);
	int64_t id = 0;
	int result;

	if (o)
		o->ret_id = &id;
	result = writer_queue_wait(s, (struct op *)o, err, "keep a request");
	if (result == 0)
		*ret_id = id;
	return result;
}

int store_request_move(struct store *s, const struct request *r, enum request_state from, const struct evidence *act, struct err *err)
{
	struct request_op *o = request_op(r, act, false, run_move);
	bool moved = false;
	int result;

	if (o) {
		o->from = from;
		o->ret_moved = &moved;
	}
	result = writer_queue_wait(s, (struct op *)o, err, "keep a decision");
	if (result == 0 && !moved)
		return err_set(err, -EEXIST, "request %lld is not %s any more: somebody else was faster", (long long)r->id,
		               request_state_name(from));
	return result;
}

static void view_request(sqlite3_stmt *st, struct request *r)
{
	*r = (struct request){
		.id = sqlite3_column_int64(st, 0),
		.break_glass = sqlite3_column_int(st, 1) != 0,
		.ecosystem = (enum ecosystem)sqlite3_column_int(st, 2),
		.name = column_view(st, 3),
		.version = column_view(st, 4),
		.rules = column_view(st, 5),
		.reason = column_view(st, 6),
		.person = column_view(st, 7),
		.team = column_view(st, 8),
		.refusal = column_view(st, 9),
		.severity = column_view(st, 10),
		.created = sqlite3_column_int64(st, 11),
		.state = (enum request_state)sqlite3_column_int(st, 12),
		.first_approver = column_view(st, 13),
		.decided_by = column_view(st, 14),
		.note = column_view(st, 15),
		.lasts = sqlite3_column_int64(st, 16),
		.decided = sqlite3_column_int64(st, 17),
		.expires = sqlite3_column_int64(st, 18),
	};
}

int store_request(struct store *s, int64_t id, struct arena *a, struct request *ret, struct err *err)
{
	struct connection *c;
	sqlite3_stmt *st;
	struct request q = {0};
	int r = reader_take(s, &c, err);

	if (r < 0)
		return r;
	st = statement(c, SQL_REQUEST_GET);
	if (st)
		sqlite3_bind_int64(st, 1, id);
	r = statement_row(c, st);
	if (r > 0) {
		view_request(st, &q);
#define X(field) q.field = arena_str(a, q.field);
		REQUEST_TEXTS(X)
#undef X
	}
	reader_give(s, c);
	if (r == 0)
		return err_set(err, -ENOENT, "there is no request %lld: bondgate requests lists them", (long long)id);
	if (r > 0 && arena_failed(a))
		r = -ENOMEM;
	if (r < 0)
		return err_set(err, r, "cannot read request %lld in %s: %s", (long long)id, s->path, err_name(r));
	*ret = q;
	return 0;
}

int store_requests(struct store *s, bool open_only, int (*each)(void *arg, const struct request *r), void *arg, struct err *err)
{
	struct connection *c;
	sqlite3_stmt *st;
	int r = reader_take(s, &c, err), end = 0;

	if (r < 0)
		return r;
	st = statement(c, SQL_REQUEST_LIST);
	if (st)
		sqlite3_bind_int(st, 1, open_only ? REQUEST_HALF : STATE_MOST);
	while (end == 0 && (r = statement_row(c, st)) > 0) {
		struct request q;

		view_request(st, &q);
		end = each(arg, &q);
	}
	reader_give(s, c);
	return end ? end : r < 0 ? err_set(err, r, "cannot read the requests in %s: %s", s->path, err_name(r)) : 0;
}
