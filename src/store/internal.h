/* What the files of this folder share. Nothing outside src/store includes it. */
#ifndef BONDGATE_STORE_INTERNAL_H
#define BONDGATE_STORE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>

#include "base/limits.h"
#include "base/map.h"
#include "store/store.h"

enum {
	STORE_READERS = 4,                    /* connections that read at the same time */
	STORE_BUSY_MS = 30000,                /* how long a commit waits for another process */
	STORE_BATCH_OPS = 8192,               /* operations in one transaction, */
	STORE_BATCH_BYTES = 16 * 1024 * 1024, /* and their bytes */
	STORE_QUEUE_BYTES = 64 * 1024 * 1024, /* callers wait while more than this is queued */
	STORE_RECORD_BYTES = 1024 * 1024,     /* the texts of one evidence record */
	STORE_CHECKPOINT_PAGES = 4096,        /* the WAL is carried over once it holds this many pages (16 MiB), */
	STORE_RESTART_PAGES = 8 * 4096,       /* and waits for readers to let go of it past this many */
	STORE_WAL_KEPT_BYTES = 32 * 1024 * 1024,
	STORE_PAGE_RECORDS = 256,    /* evidence read at once */
	STORE_PRUNE_RECORDS = 20000, /* evidence dropped in one transaction */
	STORE_LINK = 32,             /* SHA-256 */
	STORE_FACTS_SLOTS = 2048,    /* facts whose row the writer remembers, */
	STORE_FACTS_WINDOW = 65536,  /* for so many records: a row's `last` may lag behind by as much */
};

/* ---- statements.c: every statement stands in one table and is prepared when first used ---- */

enum statement {
	SQL_BEGIN_READ,
	SQL_BEGIN_WRITE,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_CHAIN_GET,
	SQL_CHAIN_SET,
	SQL_EVIDENCE_INSERT,
	SQL_EVIDENCE_WALK,
	SQL_EVIDENCE_FIRST_SINCE,
	SQL_EVIDENCE_BOUNDS,
	SQL_EVIDENCE_LINK,
	SQL_EVIDENCE_DROP,
	SQL_FACTS_PUT,
	SQL_FACTS_WALK,
	SQL_FACTS_FIRST,
	SQL_FACTS_DROP,
	SQL_PACKAGE_GET,
	SQL_PACKAGE_PUT,
	SQL_PACKAGE_CHECKED,
	SQL_PACKAGE_KNOWN,
	SQL_PACKAGE_NAMES,
	SQL_VERSION_COUNT,
	SQL_VERSION_LIST,
	SQL_VERSION_PUT,
	SQL_VERSION_MISMATCH,
	SQL_VERSION_RECEIVED,
	SQL_VERSION_ARCHIVE,
	SQL_TAG_COUNT,
	SQL_TAG_LIST,
	SQL_TAG_DROP,
	SQL_TAG_PUT,
	SQL_SETTING_GET,
	SQL_SETTING_PUT,
	SQL_TOKEN_PUT,
	SQL_TOKEN_REVOKE,
	SQL_TOKEN_USED,
	SQL_TOKEN_FIND,
	SQL_TOKEN_LIST,
	SQL_REQUEST_ADD,
	SQL_REQUEST_GET,
	SQL_REQUEST_LIST,
	SQL_REQUEST_MOVE,
	SQL_APPROVAL_DROP,
	SQL_APPROVAL_PUT,
	SQL_APPROVAL_LIST,
	SQL_PEOPLE_GET,
	SQL_PEOPLE_BUMP,
	SQL_PROVENANCE_LIST,
	SQL_PROVENANCE_PUT,
	SQL_RECEIVED,
	SQL_BRAKE_PUT,
	SQL_BRAKE_LIST,
	SQL_INCIDENT_CLOSE,
	SQL_INCIDENT_LIST,
	SQL_LOCKED_DROP,
	SQL_LOCKED_PUT,
	SQL_LOCKED_OF_NAME,
	SQL_LOCKED_ALL,
	SQL_ADOPTED_PUT,
	SQL_ADOPTED_NAMES,
	STATEMENT_COUNT
};

#define TOKEN_COLUMNS "id, hash, person, team, roles, created, expires, revoked, last_used, created_by"
#define REQUEST_COLUMNS \
	"id, break_glass, ecosystem, name, version, rules, reason, person, team, refusal, severity, created, state, first_approver," \
	" decided_by, note, lasts, decided, expires"

struct connection {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	int wal_pages; /* in the WAL after the last commit of this connection */
};

/* The statement, reset and without bindings; NULL when it cannot be prepared (connection_error says why). */
sqlite3_stmt *statement(struct connection *c, enum statement which);
/* Runs a statement that yields no row. 0 or negative errno. */
int statement_run(struct connection *c, sqlite3_stmt *st);
/* 1: a row; 0: no more; negative errno. */
int statement_row(struct connection *c, sqlite3_stmt *st);
void bind_str(sqlite3_stmt *st, int index, struct str text);
/* The same, with NULL for the empty text: what was never given can be told from what is kept. */
void bind_optional(sqlite3_stmt *st, int index, struct str text);
/* "sha512-<base64>" and 40 hex digits are kept as bytes; any other text as it is. column_hash gives the same text back. */
void bind_hash(sqlite3_stmt *st, int index, struct str text);
/* The column's bytes while the row stands; the empty text for NULL. */
struct str column_view(sqlite3_stmt *st, int index);
struct str column_str(sqlite3_stmt *st, int index, struct arena *a);
struct str column_hash(sqlite3_stmt *st, int index, struct arena *a);
enum { HASH_TEXT = 96 };
/* The same as a view: of the row, or of `room` where it had to be written out. */
struct str column_hash_view(sqlite3_stmt *st, int index, char room[static HASH_TEXT]);

/* ---- schema.c: the tables, and how an older store gets them ---- */

struct schema_step {
	const char *adds; /* in a few words, for the message when it fails */
	const char *sql;
};

/* The schema that this program works with: the number of steps. */
int schema_version(void);
/* The step that leads from schema `from` (0: an empty file) to the next. */
const struct schema_step *schema_step(int from);

/* ---- sqlite.c: connections, schema, the pool of readers ---- */

int connection_open(struct connection *c, const char *path, int flags, struct err *err);
void connection_close(struct connection *c);
/* The last failure on it as a negative errno. */
int connection_error(struct connection *c);
int connection_fail(struct connection *c, struct err *err, const char *what);

int reader_take(struct store *s, struct connection **ret, struct err *err);
void reader_give(struct store *s, struct connection *c);

/* ---- writer.c: the queue and its thread ---- */

/* Something to be written. `run` is called inside a transaction on the writer's thread and may be called again when the
 * transaction had to be repeated; NULL: nothing to write, only to wait for. */
struct op {
	struct op *next;
	int (*run)(struct store *s, struct op *op);
	void (*done)(void *arg, int r);
	void *arg;
	struct pending *pending;
	uint64_t ticket;
	size_t bytes; /* of the whole allocation */
	bool flush;   /* hears of failures since the last flush */
};

/* An operation of `size` bytes (a struct that begins with struct op) with room for `text_bytes` behind it. NULL: no memory. */
void *op_new(size_t size, size_t text_bytes, int (*run)(struct store *, struct op *), void (*done)(void *, int), void *arg);
/* Copies a text into that room. */
struct str op_text(char **room, struct str text);
/* Takes `op` over (NULL: out of memory, reported to `done`). `package` (may be empty) is what store_package_load waits for. */
void writer_queue(struct store *s, struct op *op, enum ecosystem e, struct str package);
int writer_queue_wait(struct store *s, struct op *op, struct err *err, const char *what);
/* Until nothing of this package is queued any more that was queued before the call. */
void writer_await_package(struct store *s, enum ecosystem e, struct str package);
int writer_start(struct store *s, struct err *err);
void writer_stop(struct store *s);

/* ---- chain.c ---- */

struct chain_head {
	int64_t seq;
	unsigned char link[STORE_LINK];
};

enum chain_end { CHAIN_START = 0, CHAIN_HEAD = 1 };

int chain_get(struct connection *c, enum chain_end end, struct chain_head *ret);
int chain_set(struct connection *c, enum chain_end end, const struct chain_head *head);
/* SHA-256 of a text. 0 or -ENOMEM. */
int chain_digest(struct str text, unsigned char ret[static STORE_LINK]);
/* The link of the record `e`, whose seq is set, after the one whose link is `head->link`; moves `head` on. `facts` is the digest of e->facts
 * (STORE_LINK bytes, or empty), which need not be there itself. 0 or -ENOMEM. */
int chain_advance(struct chain_head *head, const struct evidence *e, struct str facts);
/* Writes the head of the transaction under way, if it moved. */
int chain_store_head(struct store *s);

/* ---- people.c ---- */

/* Within a transaction: readers of tokens, requests and approvals look again. */
int people_bump(struct store *s);

/* ---- evidence.c: for operations that write a record along with something else ---- */

/* The bytes that evidence_copy needs behind an operation; -EMSGSIZE past STORE_RECORD_BYTES. `e` may be NULL: 0. */
ssize_t evidence_bytes(const struct evidence *e);
void evidence_copy(struct evidence *to, const struct evidence *e, char **room);
/* On the writer's thread, within its transaction; without `facts`. */
int evidence_append(struct store *s, const struct evidence *e);

/* Fills `e` from a row of EVIDENCE_COLUMNS, without `facts`; its texts are views, that of the hash may stand in `room`. */
void evidence_view(sqlite3_stmt *st, char room[static HASH_TEXT], struct evidence *e);
#define EVIDENCE_COLUMNS \
	"seq, time, kind, ecosystem, name, version, hash, client, identity, project, agent, session, decision, detail, link, rules"
enum { EVIDENCE_LINK_COLUMN = 14, EVIDENCE_RULES_COLUMN, EVIDENCE_FURTHER_COLUMN /* what a query adds */ };

/* Facts that were written lately: their row is neither looked for nor touched again until the window is over. */
struct facts_slot {
	unsigned char digest[STORE_LINK];
	int64_t id, last; /* as in its row; id 0: free */
};

struct store {
	char *path;
	enum store_access access;
	char instance[17];

	pthread_mutex_t pool_lock;
	pthread_cond_t pool_freed;
	struct connection *idle[STORE_READERS];
	size_t idle_count, reader_count;

	/* The writer's thread alone uses these. */
	struct connection writer;
	struct chain_head head; /* of the transaction under way */
	bool head_known, head_moved;
	struct facts_slot *facts; /* STORE_FACTS_SLOTS, or NULL; emptied when a transaction fails */

	/* `lock` guards these. */
	pthread_mutex_t lock;
	pthread_cond_t work, progress;
	pthread_t thread;
	bool running, stopping;
	struct op *first, **last;
	size_t queued_bytes;
	uint64_t tickets, completed;
	struct map pending;
	int unflushed; /* the first failure since the last flush */
	struct store_counters counters;
};

#endif
