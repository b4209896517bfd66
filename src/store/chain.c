/* The chain of the evidence. Table `chain` holds its two ends: the start (what pruning left: seq and link of the last record
 * dropped) and the head (the last record written). A record continues the head, never "the last row found": rows that
 * somebody deletes from the tail leave a gap that stays. */
#include "store/internal.h"

#include <openssl/evp.h>

int chain_get(struct connection *c, enum chain_end end, struct chain_head *ret)
{
	sqlite3_stmt *st = statement(c, SQL_CHAIN_GET);
	struct str link;
	int r;

	if (st)
		sqlite3_bind_int(st, 1, end);
	r = statement_row(c, st);
	if (r <= 0)
		return r < 0 ? r : -EBADMSG;
	link = column_view(st, 1);
	if (link.n == STORE_LINK) {
		ret->seq = sqlite3_column_int64(st, 0);
		memcpy(ret->link, link.p, STORE_LINK);
	}
	sqlite3_reset(st);
	return link.n == STORE_LINK ? 0 : -EBADMSG;
}

int chain_set(struct connection *c, enum chain_end end, const struct chain_head *head)
{
	sqlite3_stmt *st = statement(c, SQL_CHAIN_SET);

	if (st) {
		sqlite3_bind_int(st, 1, end);
		sqlite3_bind_int64(st, 2, head->seq);
		sqlite3_bind_blob(st, 3, head->link, STORE_LINK, SQLITE_TRANSIENT);
	}
	return statement_run(c, st);
}

int chain_store_head(struct store *s)
{
	return s->head_moved ? chain_set(&s->writer, CHAIN_HEAD, &s->head) : 0;
}

static bool add_u64(EVP_MD_CTX *md, uint64_t value)
{
	unsigned char bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(value >> (56 - 8 * i));
	return EVP_DigestUpdate(md, bytes, sizeof(bytes));
}

static bool add_text(EVP_MD_CTX *md, struct str text)
{
	return add_u64(md, text.n) && (text.n == 0 || EVP_DigestUpdate(md, text.p, text.n));
}

int chain_digest(struct str text, unsigned char ret[static STORE_LINK])
{
	return EVP_Digest(text.p, text.n, ret, NULL, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
}

/* The fixed form: the link before, seq and time as 8 bytes, most significant first; then each text with its length in 8
 * bytes in front. A record with facts or rules has two texts more: the SHA-256 of the facts (32 bytes or none), and the rules. docs and
 * other programs may rely on it: it never changes. */
static bool add_record(EVP_MD_CTX *md, const struct chain_head *head, const struct evidence *e, struct str facts)
{
	const struct str texts[] = {
		str_of(evidence_kind_name(e->kind)),
		str_of(e->ecosystem == ECOSYSTEM_NUGET ? "nuget" : "npm"),
		e->name,
		e->version,
		e->hash,
		e->client,
		e->identity,
		e->project,
		e->agent,
		e->session,
		e->decision,
		e->detail,
	};
	bool ok = EVP_DigestUpdate(md, head->link, STORE_LINK) && add_u64(md, (uint64_t)e->seq) && add_u64(md, (uint64_t)e->time);

	for (size_t i = 0; ok && i < sizeof(texts) / sizeof(texts[0]); i++)
		ok = add_text(md, texts[i]);
	if (ok && (facts.n || e->rules.n))
		ok = add_text(md, facts) && add_text(md, e->rules);
	return ok;
}

int chain_advance(struct chain_head *head, const struct evidence *e, struct str facts)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) && add_record(md, head, e, facts) && EVP_DigestFinal_ex(md, head->link, NULL);

	EVP_MD_CTX_free(md);
	if (!ok)
		return -ENOMEM;
	head->seq = e->seq;
	return 0;
}

/* Walks from the start to the head; the first seq at which the chain does not hold goes to ret->broken_seq. */
static int walk(struct connection *c, const struct chain_head *head, struct chain_head *at, struct evidence_check *ret)
{
	sqlite3_stmt *st = statement(c, SQL_EVIDENCE_WALK);
	char room[HASH_TEXT];
	struct evidence e;
	int r;

	/* Rows below the start would be forged as well: the walk begins before all of them. */
	if (st)
		sqlite3_bind_int64(st, 1, INT64_MIN);
	while ((r = statement_row(c, st)) > 0) {
		int64_t expected = at->seq + 1;
		struct str link = column_view(st, EVIDENCE_LINK_COLUMN);

		evidence_view(st, room, &e);
		ret->records++;
		ret->last_seq = e.seq;
		if (ret->records == 1)
			ret->first_seq = e.seq;
		if (ret->broken_seq)
			continue;
		if (e.seq != expected) {
			/* 0 would say that all is well; no record has a seq below 1. */
			ret->broken_seq = e.seq > 0 && e.seq < expected ? e.seq : expected;
			continue;
		}
		r = chain_advance(at, &e, column_view(st, EVIDENCE_FURTHER_COLUMN));
		if (r < 0)
			break;
		if (!str_eq(link, (struct str){(const char *)at->link, STORE_LINK}))
			ret->broken_seq = e.seq;
	}
	sqlite3_reset(st);
	if (r == 0 && !ret->broken_seq && (at->seq != head->seq || memcmp(at->link, head->link, STORE_LINK) != 0))
		ret->broken_seq = at->seq < head->seq ? at->seq + 1 : at->seq;
	return r;
}

/* The chain holds the digests of what was decided on; here the texts themselves are held against them. */
static int walk_facts(struct connection *c, struct evidence_check *ret)
{
	sqlite3_stmt *st = statement(c, SQL_FACTS_WALK), *first;
	int64_t id = 0;
	int r;

	while ((r = statement_row(c, st)) > 0) {
		unsigned char digest[STORE_LINK];

		r = chain_digest(column_view(st, 2), digest);
		if (r < 0 || !str_eq(column_view(st, 1), (struct str){(const char *)digest, STORE_LINK})) {
			id = sqlite3_column_int64(st, 0);
			break;
		}
	}
	sqlite3_reset(st);
	if (r < 0 || !id)
		return r;
	first = statement(c, SQL_FACTS_FIRST);
	if (first)
		sqlite3_bind_int64(first, 1, id);
	r = statement_row(c, first);
	if (r > 0 && sqlite3_column_int64(first, 0))
		ret->broken_seq = sqlite3_column_int64(first, 0);
	sqlite3_reset(first);
	return r < 0 ? r : 0;
}

int store_evidence_verify(struct store *s, struct evidence_check *ret, struct err *err)
{
	struct evidence_check check = {0};
	struct chain_head at, head;
	struct connection *c;
	int r;

	r = reader_take(s, &c, err);
	if (r < 0)
		return r;
	/* One snapshot for both ends and everything between. */
	r = statement_run(c, statement(c, SQL_BEGIN_READ));
	if (r == 0)
		r = chain_get(c, CHAIN_START, &at);
	if (r == 0)
		r = chain_get(c, CHAIN_HEAD, &head);
	if (r == 0)
		r = walk(c, &head, &at, &check);
	if (r == 0 && !check.broken_seq)
		r = walk_facts(c, &check);
	reader_give(s, c);
	if (r < 0)
		return err_set(err, r, "cannot verify the evidence in %s: %s", s->path, err_name(r));
	hex_encode(head.link, STORE_LINK, check.last_hash);
	*ret = check;
	return 0;
}
