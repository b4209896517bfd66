/* Tokens, imported approvals, and the number that grows with every change of what people do. */
#include "store/people.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "store/internal.h"

enum { SECRET_BYTES = 32, SECRET_TEXT = 46 /* "bg_" and 43 characters */, ID_BYTES = 6, ID_TEXT = 3 + 2 * ID_BYTES };

int people_bump(struct store *s)
{
	return statement_run(&s->writer, statement(&s->writer, SQL_PEOPLE_BUMP));
}

/* ---- tokens ---- */

struct token_op {
	struct op op;
	struct token token;
	usec at;
	bool has_act;
	int result; /* what the operation itself says: it must not fail the transaction that others share */
	int *ret_result;
	struct evidence act;
	char texts[];
};

static void draw(unsigned char *to, size_t n, bool *failed)
{
	if (RAND_bytes(to, (int)n) != 1)
		*failed = true;
}

/* The URL-safe alphabet without padding (RFC 4648 section 5), so that a token is one word everywhere. */
static void encode_secret(const unsigned char *bytes, char out[static SECRET_TEXT + 1])
{
	unsigned char text[48];

	EVP_EncodeBlock(text, bytes, SECRET_BYTES);
	memcpy(out, "bg_", 3);
	for (size_t i = 0; i < SECRET_TEXT - 3; i++)
		out[3 + i] = (char)(text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i]);
	out[SECRET_TEXT] = '\0';
}

static bool hash_secret(struct str secret, unsigned char out[static STORE_LINK])
{
	return EVP_Digest(secret.n ? secret.p : "", secret.n, out, NULL, EVP_sha256(), NULL) == 1;
}

static int run_create(struct store *s, struct op *op)
{
	struct token_op *t = (struct token_op *)op;
	const struct token *k = &t->token;
	sqlite3_stmt *st = statement(&s->writer, SQL_TOKEN_PUT);
	int r;

	if (!st)
		return connection_error(&s->writer);
	bind_str(st, 1, k->id);
	sqlite3_bind_blob(st, 2, k->hash.p, (int)k->hash.n, SQLITE_STATIC);
	bind_str(st, 3, k->person);
	bind_str(st, 4, k->team);
	sqlite3_bind_int64(st, 5, k->roles);
	sqlite3_bind_int64(st, 6, k->created);
	sqlite3_bind_int64(st, 7, k->expires);
	sqlite3_bind_int64(st, 8, 0);
	sqlite3_bind_int64(st, 9, 0);
	bind_str(st, 10, k->created_by);
	r = statement_run(&s->writer, st);
	if (r == 0)
		r = people_bump(s);
	return r == 0 && t->has_act ? evidence_append(s, &t->act) : r;
}

/* `e` with one more word behind its decision, in the arena. */
static int name_deed(const struct evidence *e, struct str word, struct arena *a, struct evidence *ret)
{
	*ret = *e;
	ret->decision = arena_printf(a, "%.*s %.*s", STR_ARG(e->decision), STR_ARG(word));
	return ret->decision.p ? 0 : -ENOMEM;
}

static struct token_op *token_op(const struct token *t, const struct evidence *act, int (*run)(struct store *, struct op *),
                                 int *ret_result)
{
	ssize_t record = evidence_bytes(act);
	struct token_op *o;
	char *room;

	if (record < 0)
		return NULL;
	o = op_new(sizeof(*o), t->id.n + t->person.n + t->team.n + t->created_by.n + t->hash.n + (size_t)record, run, NULL, NULL);
	if (!o)
		return NULL;
	room = o->texts;
	o->token = *t;
	o->token.id = op_text(&room, t->id);
	o->token.person = op_text(&room, t->person);
	o->token.team = op_text(&room, t->team);
	o->token.created_by = op_text(&room, t->created_by);
	o->token.hash = op_text(&room, t->hash);
	o->ret_result = ret_result;
	if (act) {
		o->has_act = true;
		evidence_copy(&o->act, act, &room);
	}
	return o;
}

int store_token_create(struct store *s, const struct token *t, const struct evidence *act, struct arena *a, struct str *ret_secret,
                       struct str *ret_id, struct err *err)
{
	unsigned char secret[SECRET_BYTES], number[ID_BYTES], hash[STORE_LINK];
	char text[SECRET_TEXT + 1], id[ID_TEXT + 1] = "tk_";
	struct token fresh = *t;
	struct evidence deed;
	bool failed = false;
	int r;

	draw(secret, sizeof(secret), &failed);
	draw(number, sizeof(number), &failed);
	encode_secret(secret, text);
	hex_encode(number, sizeof(number), id + 3);
	if (failed || !hash_secret((struct str){text, SECRET_TEXT}, hash))
		return err_set(err, -EIO, "no random numbers: a token cannot be made");
	fresh.id = str_of(id);
	fresh.hash = (struct str){(const char *)hash, sizeof(hash)};
	if (act && name_deed(act, fresh.id, a, &deed) < 0)
		return err_set(err, -ENOMEM, "no memory");
	r = writer_queue_wait(s, (struct op *)token_op(&fresh, act ? &deed : NULL, run_create, NULL), err, "make a token");
	if (r == 0) {
		*ret_secret = arena_str(a, (struct str){text, SECRET_TEXT});
		*ret_id = arena_str(a, fresh.id);
	}
	OPENSSL_cleanse(secret, sizeof(secret));
	OPENSSL_cleanse(text, sizeof(text));
	return r == 0 && arena_failed(a) ? err_set(err, -ENOMEM, "no memory") : r;
}

static int run_revoke(struct store *s, struct op *op)
{
	struct token_op *t = (struct token_op *)op;
	sqlite3_stmt *st = statement(&s->writer, SQL_TOKEN_REVOKE);
	int r;

	if (st) {
		bind_str(st, 1, t->token.id);
		sqlite3_bind_int64(st, 2, t->at);
	}
	r = statement_row(&s->writer, st);
	if (r < 0)
		return r;
	if (r == 0) {
		*t->ret_result = -ENOENT;
		return 0;
	}
	sqlite3_reset(st);
	*t->ret_result = 0;
	r = people_bump(s);
	return r == 0 && t->has_act ? evidence_append(s, &t->act) : r;
}

int store_token_revoke(struct store *s, struct str id, usec at, const struct evidence *act, struct err *err)
{
	struct token named = {.id = id};
	int result = 0, r;
	struct token_op *o = token_op(&named, act, run_revoke, &result);

	if (o)
		o->at = at;
	r = writer_queue_wait(s, (struct op *)o, err, "revoke a token");
	if (r == 0 && result == -ENOENT)
		return err_set(err, -ENOENT, "there is no token %.*s: bondgate token list names them", STR_ARG(id));
	return r;
}

static int run_used(struct store *s, struct op *op)
{
	struct token_op *t = (struct token_op *)op;
	sqlite3_stmt *st = statement(&s->writer, SQL_TOKEN_USED);

	if (st) {
		bind_str(st, 1, t->token.id);
		sqlite3_bind_int64(st, 2, t->at);
	}
	return statement_run(&s->writer, st);
}

void store_token_used(struct store *s, struct str id, usec at)
{
	struct token named = {.id = id};
	struct token_op *o = token_op(&named, NULL, run_used, NULL);

	if (o)
		o->at = at;
	writer_queue(s, (struct op *)o, ECOSYSTEM_NPM, STR(""));
}

static void view_token(sqlite3_stmt *st, struct token *t)
{
	*t = (struct token){
		.id = column_view(st, 0),
		.hash = column_view(st, 1),
		.person = column_view(st, 2),
		.team = column_view(st, 3),
		.roles = (unsigned)sqlite3_column_int64(st, 4),
		.created = sqlite3_column_int64(st, 5),
		.expires = sqlite3_column_int64(st, 6),
		.revoked = sqlite3_column_int64(st, 7),
		.last_used = sqlite3_column_int64(st, 8),
		.created_by = column_view(st, 9),
	};
}

int store_token_find(struct store *s, struct str secret, struct arena *a, struct token *ret, struct err *err)
{
	unsigned char hash[STORE_LINK];
	struct connection *c;
	sqlite3_stmt *st;
	struct token t = {0};
	int r;

	if (!hash_secret(secret, hash))
		return err_set(err, -ENOMEM, "no memory");
	r = reader_take(s, &c, err);
	if (r < 0)
		return r;
	st = statement(c, SQL_TOKEN_FIND);
	if (st)
		sqlite3_bind_blob(st, 1, hash, sizeof(hash), SQLITE_STATIC);
	r = statement_row(c, st);
	if (r > 0) {
		view_token(st, &t);
		t.id = arena_str(a, t.id);
		t.person = arena_str(a, t.person);
		t.team = arena_str(a, t.team);
		t.created_by = arena_str(a, t.created_by);
		t.hash = arena_str(a, t.hash);
	}
	reader_give(s, c);
	if (r == 0)
		return err_set(err, -ENOENT, "this token is not known here");
	if (r > 0 && arena_failed(a))
		r = -ENOMEM;
	if (r < 0)
		return err_set(err, r, "cannot read the tokens in %s: %s", s->path, err_name(r));
	*ret = t;
	return 0;
}

int store_tokens(struct store *s, int (*each)(void *arg, const struct token *t), void *arg, struct err *err)
{
	struct connection *c;
	sqlite3_stmt *st;
	int r = reader_take(s, &c, err), end = 0;

	if (r < 0)
		return r;
	st = statement(c, SQL_TOKEN_LIST);
	while (end == 0 && (r = statement_row(c, st)) > 0) {
		struct token t;

		view_token(st, &t);
		end = each(arg, &t);
	}
	reader_give(s, c);
	return end ? end : r < 0 ? err_set(err, r, "cannot read the tokens in %s: %s", s->path, err_name(r)) : 0;
}

/* ---- imported approvals ---- */

struct approvals_op {
	struct op op;
	struct str list;
	struct imported_approval *array;
	size_t count;
	bool has_act;
	struct evidence act;
	char texts[];
};

static int put_approval(struct store *s, const struct approvals_op *o, size_t i)
{
	const struct imported_approval *a = &o->array[i];
	sqlite3_stmt *st = statement(&s->writer, SQL_APPROVAL_PUT);

	if (!st)
		return connection_error(&s->writer);
	bind_str(st, 1, o->list);
	sqlite3_bind_int64(st, 2, (int64_t)i + 1);
	bind_str(st, 3, a->signer);
	sqlite3_bind_int(st, 4, (int)a->ecosystem);
	bind_str(st, 5, a->name);
	bind_str(st, 6, a->version);
	bind_str(st, 7, a->reason);
	bind_str(st, 8, a->owner);
	sqlite3_bind_int64(st, 9, a->ends);
	return statement_run(&s->writer, st);
}

static int run_replace(struct store *s, struct op *op)
{
	struct approvals_op *o = (struct approvals_op *)op;
	sqlite3_stmt *st = statement(&s->writer, SQL_APPROVAL_DROP);
	int r;

	if (st)
		bind_str(st, 1, o->list);
	r = statement_run(&s->writer, st);
	for (size_t i = 0; r == 0 && i < o->count; i++)
		r = put_approval(s, o, i);
	if (r == 0)
		r = people_bump(s);
	return r == 0 && o->has_act ? evidence_append(s, &o->act) : r;
}

static size_t approval_bytes(const struct imported_approval *a)
{
	return a->signer.n + a->name.n + a->version.n + a->reason.n + a->owner.n;
}

int store_approvals_replace(struct store *s, struct str list, const struct imported_approval *array, size_t count,
                            const struct evidence *act, struct err *err)
{
	ssize_t record = evidence_bytes(act);
	size_t bytes = count * sizeof(*array) + list.n;
	struct approvals_op *o;
	char *room;

	for (size_t i = 0; i < count; i++)
		bytes += approval_bytes(&array[i]);
	if (record < 0)
		return err_set(err, -EMSGSIZE, "an evidence record is larger than %d bytes", STORE_RECORD_BYTES);
	o = op_new(sizeof(*o), bytes + (size_t)record, run_replace, NULL, NULL);
	if (!o)
		return err_set(err, -ENOMEM, "no memory");
	o->array = (struct imported_approval *)(void *)o->texts;
	o->count = count;
	room = o->texts + count * sizeof(*array);
	o->list = op_text(&room, list);
	for (size_t i = 0; i < count; i++) {
		struct imported_approval *to = &o->array[i];

		*to = array[i];
		to->signer = op_text(&room, array[i].signer);
		to->name = op_text(&room, array[i].name);
		to->version = op_text(&room, array[i].version);
		to->reason = op_text(&room, array[i].reason);
		to->owner = op_text(&room, array[i].owner);
	}
	if (act) {
		o->has_act = true;
		evidence_copy(&o->act, act, &room);
	}
	return writer_queue_wait(s, &o->op, err, "write a list of approvals");
}

int store_approvals(struct store *s, int (*each)(void *arg, const struct imported_approval *a), void *arg, struct err *err)
{
	struct connection *c;
	sqlite3_stmt *st;
	int r = reader_take(s, &c, err), end = 0;

	if (r < 0)
		return r;
	st = statement(c, SQL_APPROVAL_LIST);
	while (end == 0 && (r = statement_row(c, st)) > 0) {
		const struct imported_approval a = {
			.list = column_view(st, 0),
			.signer = column_view(st, 1),
			.ecosystem = (enum ecosystem)sqlite3_column_int(st, 2),
			.name = column_view(st, 3),
			.version = column_view(st, 4),
			.reason = column_view(st, 5),
			.owner = column_view(st, 6),
			.ends = sqlite3_column_int64(st, 7),
		};

		end = each(arg, &a);
	}
	reader_give(s, c);
	return end ? end : r < 0 ? err_set(err, r, "cannot read the imported approvals in %s: %s", s->path, err_name(r)) : 0;
}

int store_people_version(struct store *s, int64_t *ret, struct err *err)
{
	struct connection *c;
	sqlite3_stmt *st;
	int64_t version = 0;
	int r = reader_take(s, &c, err);

	if (r < 0)
		return r;
	st = statement(c, SQL_PEOPLE_GET);
	r = statement_row(c, st);
	if (r > 0)
		version = sqlite3_column_int64(st, 0);
	reader_give(s, c);
	if (r <= 0)
		return err_set(err, r ? r : -EBADMSG, "cannot read the number of changes in %s", s->path);
	*ret = version;
	return 0;
}
