#include "store/internal.h"

#include <stdlib.h>

#include "base/buf.h"

static const char *const kind_names[] = {
#define X(constant, text) text,
	EVIDENCE_KINDS(X)
#undef X
};

const char *evidence_kind_name(enum evidence_kind k)
{
	return (unsigned)k < EVIDENCE_KIND_COUNT ? kind_names[k] : "unknown";
}

/* Every text of a record once, in the order of the columns; `hash` is kept in its own way. */
#define EVIDENCE_TEXTS(X) \
	X(name) X(version) X(hash) X(client) X(identity) X(project) X(agent) X(session) X(decision) X(detail) X(facts) X(rules)

/* ---- append ---- */

struct append {
	struct op op;
	struct evidence e;
	unsigned char digest[STORE_LINK]; /* of e.facts */
	char texts[];
};

static struct str facts_digest(const struct append *a)
{
	return a->e.facts.n ? (struct str){(const char *)a->digest, STORE_LINK} : STR("");
}

static struct facts_slot *facts_slot(struct store *s, const struct append *a)
{
	uint32_t hash;

	if (!s->facts)
		s->facts = calloc(STORE_FACTS_SLOTS, sizeof(*s->facts));
	memcpy(&hash, a->digest, sizeof(hash));
	return s->facts ? &s->facts[hash % STORE_FACTS_SLOTS] : NULL;
}

/* What is decided on is the same for everybody who asks for a version: it is kept once. */
static int put_facts(struct store *s, const struct append *a, int64_t *ret_id)
{
	struct connection *c = &s->writer;
	struct facts_slot *slot = facts_slot(s, a);
	sqlite3_stmt *st;
	int r;

	if (slot && slot->id && a->e.seq - slot->last < STORE_FACTS_WINDOW && memcmp(slot->digest, a->digest, STORE_LINK) == 0) {
		*ret_id = slot->id;
		return 0;
	}
	st = statement(c, SQL_FACTS_PUT);

	if (!st)
		return connection_error(c);
	sqlite3_bind_blob(st, 1, a->digest, STORE_LINK, SQLITE_STATIC);
	bind_str(st, 2, a->e.facts);
	sqlite3_bind_int64(st, 3, a->e.seq);
	r = statement_row(c, st);
	if (r <= 0)
		return r < 0 ? r : -EBADMSG;
	*ret_id = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	if (slot) {
		memcpy(slot->digest, a->digest, STORE_LINK);
		slot->id = *ret_id;
		slot->last = a->e.seq;
	}
	return 0;
}

static int insert_record(struct store *s, const struct append *a, const struct chain_head *head)
{
	struct connection *c = &s->writer;
	const struct evidence *e = &a->e;
	sqlite3_stmt *st;
	int64_t facts = 0;
	int r = e->facts.n ? put_facts(s, a, &facts) : 0;

	if (r < 0)
		return r;
	st = statement(c, SQL_EVIDENCE_INSERT);
	if (!st)
		return connection_error(c);
	sqlite3_bind_int64(st, 1, e->seq);
	sqlite3_bind_int64(st, 2, e->time);
	sqlite3_bind_int(st, 3, (int)e->kind);
	sqlite3_bind_int(st, 4, (int)e->ecosystem);
	bind_str(st, 5, e->name);
	bind_str(st, 6, e->version);
	bind_hash(st, 7, e->hash);
	bind_str(st, 8, e->client);
	bind_str(st, 9, e->identity);
	bind_str(st, 10, e->project);
	bind_str(st, 11, e->agent);
	bind_str(st, 12, e->session);
	bind_str(st, 13, e->decision);
	bind_str(st, 14, e->detail);
	sqlite3_bind_blob(st, 15, head->link, STORE_LINK, SQLITE_TRANSIENT);
	bind_optional(st, 16, e->rules);
	if (facts)
		sqlite3_bind_int64(st, 17, facts);
	else
		sqlite3_bind_null(st, 17);
	return statement_run(c, st);
}

/* The transaction is IMMEDIATE, so no other process can continue from the same head. */
static int append_now(struct store *s, struct append *a)
{
	int r = 0;

	if (!s->head_known)
		r = chain_get(&s->writer, CHAIN_HEAD, &s->head);
	if (r < 0)
		return r;
	s->head_known = true;
	a->e.seq = s->head.seq + 1;
	r = chain_advance(&s->head, &a->e, facts_digest(a));
	if (r < 0)
		return r;
	s->head_moved = true;
	return insert_record(s, a, &s->head);
}

static int run_append(struct store *s, struct op *op)
{
	return append_now(s, (struct append *)op);
}

int evidence_append(struct store *s, const struct evidence *e)
{
	struct append a = {.e = *e};

	a.e.facts = STR("");
	return append_now(s, &a);
}

static size_t text_bytes(const struct evidence *e)
{
	size_t n = 0;

#define X(field) n += e->field.n;
	EVIDENCE_TEXTS(X)
#undef X
	return n;
}

ssize_t evidence_bytes(const struct evidence *e)
{
	size_t n = e ? text_bytes(e) : 0;

	return n > STORE_RECORD_BYTES ? -EMSGSIZE : (ssize_t)n;
}

void evidence_copy(struct evidence *to, const struct evidence *e, char **room)
{
	*to = *e;
#define X(field) to->field = op_text(room, e->field);
	EVIDENCE_TEXTS(X)
#undef X
}

static struct op *append_op(const struct evidence *e, void (*done)(void *arg, int r), void *arg)
{
	struct append *a = op_new(sizeof(*a), text_bytes(e), run_append, done, arg);
	char *room;

	if (!a)
		return NULL;
	room = a->texts;
	evidence_copy(&a->e, e, &room);
	/* Here and not on the writer's thread, which everybody waits for. */
	if (a->e.facts.n && chain_digest(a->e.facts, a->digest) < 0) {
		if (done)
			done(arg, -ENOMEM);
		free(a);
		return NULL;
	}
	return &a->op;
}

void store_append(struct store *s, const struct evidence *e, void (*done)(void *arg, int r), void *arg)
{
	if (text_bytes(e) <= STORE_RECORD_BYTES)
		writer_queue(s, append_op(e, done, arg), ECOSYSTEM_NPM, STR(""));
	else if (done)
		done(arg, -EMSGSIZE);
}

int store_append_wait(struct store *s, const struct evidence *e, struct err *err)
{
	if (text_bytes(e) > STORE_RECORD_BYTES)
		return err_set(err, -EMSGSIZE, "an evidence record is larger than %d bytes", STORE_RECORD_BYTES);
	return writer_queue_wait(s, append_op(e, NULL, NULL), err, "write the evidence");
}

/* ---- read ---- */

void evidence_view(sqlite3_stmt *st, char room[static HASH_TEXT], struct evidence *e)
{
	*e = (struct evidence){
		.seq = sqlite3_column_int64(st, 0),
		.time = sqlite3_column_int64(st, 1),
		.kind = (enum evidence_kind)sqlite3_column_int(st, 2),
		.ecosystem = (enum ecosystem)sqlite3_column_int(st, 3),
		.name = column_view(st, 4),
		.version = column_view(st, 5),
		.hash = column_hash_view(st, 6, room),
		.client = column_view(st, 7),
		.identity = column_view(st, 8),
		.project = column_view(st, 9),
		.agent = column_view(st, 10),
		.session = column_view(st, 11),
		.decision = column_view(st, 12),
		.detail = column_view(st, 13),
		.rules = column_view(st, EVIDENCE_RULES_COLUMN),
	};
}

/* Evidence is read in pages, so that a slow caller holds neither a connection nor a snapshot (which would keep the WAL). */
struct page {
	const struct evidence_filter *filter;
	int64_t above, below; /* what is left: above < seq < below */
	struct arena *texts;
	struct evidence records[STORE_PAGE_RECORDS];
	size_t count;
	bool last;
};

static void build_query(const struct evidence_filter *f, struct buf *sql)
{
	buf_add_str(sql, STR("SELECT " EVIDENCE_COLUMNS ", "));
	buf_add_str(sql, f->with_facts ? STR("(SELECT body FROM facts WHERE id = evidence.facts)") : STR("NULL"));
	buf_add_str(sql, STR(" FROM evidence WHERE seq > ?1 AND seq < ?2"));
	if (f->name.n)
		buf_add_str(sql, STR(" AND name = ?3"));
	if (f->version.n)
		buf_add_str(sql, STR(" AND version = ?4"));
	if (f->kind >= 0)
		buf_add_str(sql, STR(" AND kind = ?5"));
	if (f->ecosystem >= 0)
		buf_add_str(sql, STR(" AND ecosystem = ?6"));
	/* The plus keeps SQLite from walking the index of times, out of the order of seq. */
	if (f->since)
		buf_add_str(sql, STR(" AND +time >= ?7"));
	if (f->until)
		buf_add_str(sql, STR(" AND +time < ?8"));
	buf_add_str(sql, f->newest_first ? STR(" ORDER BY seq DESC LIMIT ?9") : STR(" ORDER BY seq LIMIT ?9"));
}

static sqlite3_stmt *prepare_query(struct connection *c, const struct page *p, size_t most)
{
	const struct evidence_filter *f = p->filter;
	CLEANUP_BUF struct buf sql = BUF(4 * KIB);
	sqlite3_stmt *st = NULL;

	build_query(f, &sql);
	if (sqlite3_prepare_v2(c->db, buf_cstr(&sql), -1, &st, NULL) != SQLITE_OK)
		return NULL;
	/* Parameters that the text does not name are refused by SQLite, which does no harm. */
	sqlite3_bind_int64(st, 1, p->above);
	sqlite3_bind_int64(st, 2, p->below);
	bind_str(st, 3, f->name);
	bind_str(st, 4, f->version);
	sqlite3_bind_int(st, 5, f->kind);
	sqlite3_bind_int(st, 6, f->ecosystem);
	sqlite3_bind_int64(st, 7, f->since);
	sqlite3_bind_int64(st, 8, f->until);
	sqlite3_bind_int64(st, 9, (int64_t)most);
	return st;
}

static void keep_record(struct page *p, sqlite3_stmt *st)
{
	struct evidence *e = &p->records[p->count++];
	char room[HASH_TEXT];

	evidence_view(st, room, e);
	e->facts = column_view(st, EVIDENCE_FURTHER_COLUMN);
#define X(field) e->field = e->field.n ? arena_str(p->texts, e->field) : STR("");
	EVIDENCE_TEXTS(X)
#undef X
	if (p->filter->newest_first)
		p->below = e->seq;
	else
		p->above = e->seq;
}

static int read_page(struct connection *c, struct page *p, size_t most)
{
	sqlite3_stmt *st = prepare_query(c, p, most);
	int r = st ? 1 : connection_error(c);

	while (st && arena_used(p->texts) < 4 * STORE_RECORD_BYTES && (r = statement_row(c, st)) > 0)
		keep_record(p, st);
	sqlite3_finalize(st);
	p->last = r == 0 && p->count < most;
	if (r >= 0 && arena_failed(p->texts))
		r = -ENOMEM;
	return r < 0 ? r : 0;
}

static int fill_page(struct store *s, struct page *p, size_t most, struct err *err)
{
	struct connection *c;
	int r = reader_take(s, &c, err);

	if (r < 0)
		return r;
	p->count = 0;
	p->texts = arena_new(8 * STORE_RECORD_BYTES);
	r = p->texts ? read_page(c, p, most) : -ENOMEM;
	reader_give(s, c);
	return r < 0 ? err_set(err, r, "cannot read the evidence in %s: %s", s->path, err_name(r)) : 0;
}

/* The first seq at or after a time, 0 when there is none; times need not rise with seq, so it is a bound and no more. */
static int first_since(struct store *s, usec since, int64_t *ret, struct err *err)
{
	struct connection *c;
	sqlite3_stmt *st;
	int r = reader_take(s, &c, err);

	if (r < 0)
		return r;
	st = statement(c, SQL_EVIDENCE_FIRST_SINCE);
	if (st)
		sqlite3_bind_int64(st, 1, since);
	r = statement_row(c, st);
	if (r > 0)
		*ret = sqlite3_column_int64(st, 0);
	reader_give(s, c);
	return r < 0 ? err_set(err, r, "cannot read the evidence in %s: %s", s->path, err_name(r)) : 0;
}

static int visit_page(const struct page *p, int (*each)(void *arg, const struct evidence *e), void *arg)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->count; i++)
		r = each(arg, &p->records[i]);
	return r;
}

int store_evidence(struct store *s, const struct evidence_filter *filter, int (*each)(void *arg, const struct evidence *e), void *arg,
                   struct err *err)
{
	CLEANUP_FREE struct page *p = calloc(1, sizeof(*p));
	size_t left = filter->limit ? filter->limit : SIZE_MAX;
	int64_t first = 1;
	int r = 0;

	if (!p)
		return err_set(err, -ENOMEM, "no memory");
	if (filter->since)
		r = first_since(s, filter->since, &first, err);
	if (r < 0 || first == 0)
		return r;
	*p = (struct page){.filter = filter, .above = filter->after_seq > first - 1 ? filter->after_seq : first - 1, .below = INT64_MAX};
	while (r == 0 && left && !p->last) {
		r = fill_page(s, p, left < STORE_PAGE_RECORDS ? left : STORE_PAGE_RECORDS, err);
		left -= r == 0 ? p->count : 0;
		if (r == 0)
			r = visit_page(p, each, arg);
		arena_free(TAKE_PTR(p->texts));
	}
	return r;
}

/* ---- prune ---- */

struct prune {
	struct op op;
	int64_t through; /* the last seq to go */
	bool *more;
};

/* A row's `last` may lag behind the newest record that refers to it: what is not surely past is kept. */
static int drop_facts(struct connection *c, int64_t through)
{
	sqlite3_stmt *st = statement(c, SQL_FACTS_DROP);

	if (st)
		sqlite3_bind_int64(st, 1, through - STORE_FACTS_WINDOW);
	return statement_run(c, st);
}

/* Moves the start of the chain on and drops what is before it, a bounded part at a time: the WAL stays small. */
static int run_prune(struct store *s, struct op *op)
{
	struct prune *p = (struct prune *)op;
	struct connection *c = &s->writer;
	struct chain_head start;
	sqlite3_stmt *st;
	struct str link;
	int r = chain_get(c, CHAIN_START, &start);

	if (r < 0)
		return r;
	*p->more = p->through - start.seq > STORE_PRUNE_RECORDS;
	start.seq = *p->more ? start.seq + STORE_PRUNE_RECORDS : p->through;
	st = statement(c, SQL_EVIDENCE_LINK);
	if (st)
		sqlite3_bind_int64(st, 1, start.seq);
	r = statement_row(c, st);
	if (r <= 0)
		return r < 0 ? r : -EBADMSG;
	link = column_view(st, 0);
	if (link.n == STORE_LINK)
		memcpy(start.link, link.p, STORE_LINK);
	sqlite3_reset(st);
	if (link.n != STORE_LINK)
		return -EBADMSG;
	st = statement(c, SQL_EVIDENCE_DROP);
	if (st)
		sqlite3_bind_int64(st, 1, start.seq);
	r = statement_run(c, st);
	if (r == 0 && !*p->more)
		r = drop_facts(c, start.seq);
	return r < 0 ? r : chain_set(c, CHAIN_START, &start);
}

static int prune_bounds(struct store *s, usec before, int64_t *ret_start, int64_t *ret_through, struct err *err)
{
	struct chain_head start, head;
	struct connection *c;
	int64_t kept = 0;
	int r = first_since(s, before, &kept, err);

	if (r < 0)
		return r;
	r = reader_take(s, &c, err);
	if (r < 0)
		return r;
	r = chain_get(c, CHAIN_START, &start);
	if (r == 0)
		r = chain_get(c, CHAIN_HEAD, &head);
	reader_give(s, c);
	if (r < 0)
		return err_set(err, r, "cannot read the evidence in %s: %s", s->path, err_name(r));
	*ret_start = start.seq;
	*ret_through = kept ? kept - 1 : head.seq;
	return 0;
}

/* The record comes before the deed: whatever interrupts it, nothing goes without a word. */
static int announce_prune(struct store *s, usec before, int64_t first, int64_t last, struct err *err)
{
	char when[TIME_TEXT], text[160];
	struct evidence e = {.time = time_now(), .kind = EVIDENCE_ADMIN, .decision = STR("prune")};

	time_format_utc(before, when);
	snprintf(text, sizeof(text), "evidence %lld to %lld, older than %s, is dropped", (long long)first, (long long)last, when);
	e.detail = str_of(text);
	return store_append_wait(s, &e, err);
}

int store_evidence_prune(struct store *s, usec before, int64_t *ret_dropped, struct err *err)
{
	int64_t start = 0, through = 0;
	bool more = true;
	int r = prune_bounds(s, before, &start, &through, err);

	if (r < 0)
		return r;
	if (through <= start) {
		*ret_dropped = 0;
		return 0;
	}
	r = announce_prune(s, before, start + 1, through, err);
	while (r == 0 && more) {
		struct prune *p = op_new(sizeof(*p), 0, run_prune, NULL, NULL);

		if (p) {
			p->through = through;
			p->more = &more;
		}
		r = writer_queue_wait(s, (struct op *)p, err, "drop evidence");
	}
	if (r == 0)
		*ret_dropped = through - start;
	return r;
}
