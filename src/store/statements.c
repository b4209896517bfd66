#include "store/internal.h"

#include <openssl/evp.h>

/* The order is that of enum statement. */
static const char *const sql[STATEMENT_COUNT] = {
	[SQL_BEGIN_READ] = "BEGIN",
	[SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_CHAIN_GET] = "SELECT seq, link FROM chain WHERE part = ?1",
	[SQL_CHAIN_SET] = "UPDATE chain SET seq = ?2, link = ?3 WHERE part = ?1",
	[SQL_EVIDENCE_INSERT] = "INSERT INTO evidence (" EVIDENCE_COLUMNS ", facts) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[SQL_EVIDENCE_WALK] =
		"SELECT " EVIDENCE_COLUMNS ", (SELECT digest FROM facts WHERE id = evidence.facts) FROM evidence WHERE seq > ?1 ORDER BY seq",
	[SQL_EVIDENCE_FIRST_SINCE] = "SELECT min(seq) FROM evidence INDEXED BY evidence_time WHERE time >= ?1",
	[SQL_EVIDENCE_BOUNDS] = "SELECT coalesce(min(seq), 0), coalesce(max(seq), 0) FROM evidence",
	[SQL_EVIDENCE_LINK] = "SELECT link FROM evidence WHERE seq = ?1",
	[SQL_EVIDENCE_DROP] = "DELETE FROM evidence WHERE seq <= ?1",
	/* `last` is the newest record that refers to it: what pruning goes by. */
	[SQL_FACTS_PUT] = "INSERT INTO facts (digest, body, last) VALUES (?1, ?2, ?3)"
					  " ON CONFLICT (digest) DO UPDATE SET last = excluded.last RETURNING id",
	[SQL_FACTS_WALK] = "SELECT id, digest, body FROM facts",
	[SQL_FACTS_FIRST] = "SELECT coalesce(min(seq), 0) FROM evidence WHERE facts = ?1",
	[SQL_FACTS_DROP] = "DELETE FROM facts WHERE last <= ?1",
	[SQL_PACKAGE_GET] = "SELECT id, first_snapshot, last_snapshot, placeholder FROM package"
						" WHERE ecosystem = ?1 AND name = ?2 AND origin = ?3",
	[SQL_PACKAGE_PUT] = "INSERT INTO package (ecosystem, name, origin, first_snapshot, last_snapshot, placeholder)"
						" VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET first_snapshot = excluded.first_snapshot,"
						" last_snapshot = excluded.last_snapshot, placeholder = excluded.placeholder RETURNING id",
	[SQL_PACKAGE_CHECKED] = "UPDATE package SET last_snapshot = ?4 WHERE ecosystem = ?1 AND name = ?2 AND origin = ?3",
	[SQL_PACKAGE_KNOWN] = "SELECT 1 FROM package WHERE ecosystem = ?1 AND name = ?2 LIMIT 1",
	[SQL_PACKAGE_NAMES] = "SELECT DISTINCT name FROM package WHERE ecosystem = ?1",
	[SQL_VERSION_COUNT] = "SELECT count(*) FROM version WHERE package = ?1",
	[SQL_VERSION_LIST] = "SELECT version, first_seen, lacked_at, upstream_time, integrity, shasum, changed_to, changed_at,"
						 " gone_at, mismatch, received_at, ever_tagged, archive_at, archive_script, archive_binary FROM version"
						 " WHERE package = ?1",
	/* What was queued by itself meanwhile (mismatch, received_at, the archive) and the pin survive a save made from an older load. */
	[SQL_VERSION_PUT] = "INSERT INTO version (package, version, first_seen, lacked_at, upstream_time, integrity, shasum, changed_to,"
						" changed_at, gone_at, mismatch, received_at, ever_tagged, archive_at, archive_script, archive_binary)"
						" VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
						" ON CONFLICT DO UPDATE SET first_seen = excluded.first_seen, lacked_at = excluded.lacked_at,"
						" upstream_time = excluded.upstream_time, integrity = coalesce(integrity, excluded.integrity),"
						" shasum = coalesce(shasum, excluded.shasum), changed_to = excluded.changed_to,"
						" changed_at = excluded.changed_at, gone_at = excluded.gone_at,"
						" mismatch = coalesce(excluded.mismatch, mismatch), received_at = max(received_at, excluded.received_at),"
						" ever_tagged = max(ever_tagged, excluded.ever_tagged), archive_at = max(archive_at, excluded.archive_at),"
						" archive_script = coalesce(excluded.archive_script, archive_script),"
						" archive_binary = coalesce(excluded.archive_binary, archive_binary)",
	[SQL_VERSION_MISMATCH] = "UPDATE version SET mismatch = ?5 WHERE version = ?4 AND package ="
							 " (SELECT id FROM package WHERE ecosystem = ?1 AND name = ?2 AND origin = ?3)",
	[SQL_VERSION_RECEIVED] = "UPDATE version SET received_at = max(received_at, ?5) WHERE version = ?4 AND package ="
							 " (SELECT id FROM package WHERE ecosystem = ?1 AND name = ?2 AND origin = ?3)",
	[SQL_VERSION_ARCHIVE] = "UPDATE version SET archive_at = ?5, archive_script = ?6, archive_binary = ?7 WHERE version = ?4 AND"
							" package = (SELECT id FROM package WHERE ecosystem = ?1 AND name = ?2 AND origin = ?3)",
	[SQL_TAG_COUNT] = "SELECT count(*) FROM tag WHERE package = ?1",
	[SQL_TAG_LIST] = "SELECT tag, target, since, former FROM tag WHERE package = ?1",
	[SQL_TAG_DROP] = "DELETE FROM tag WHERE package = ?1",
	[SQL_TAG_PUT] = "INSERT INTO tag (package, tag, target, since, former) VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET"
					" target = excluded.target, since = excluded.since, former = excluded.former",
	[SQL_SETTING_GET] = "SELECT value FROM setting WHERE key = ?1",
	[SQL_SETTING_PUT] = "INSERT INTO setting (key, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value",
	[SQL_TOKEN_PUT] = "INSERT INTO token (" TOKEN_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?)",
	[SQL_TOKEN_REVOKE] = "UPDATE token SET revoked = CASE revoked WHEN 0 THEN ?2 ELSE revoked END WHERE id = ?1 RETURNING id",
	[SQL_TOKEN_USED] = "UPDATE token SET last_used = ?2 WHERE id = ?1 AND last_used < ?2",
	[SQL_TOKEN_FIND] = "SELECT " TOKEN_COLUMNS " FROM token WHERE hash = ?1",
	[SQL_TOKEN_LIST] = "SELECT " TOKEN_COLUMNS " FROM token ORDER BY created, id",
	[SQL_REQUEST_ADD] = "INSERT INTO request (break_glass, ecosystem, name, version, rules, reason, person, team, refusal, severity,"
						" created, state, first_approver, decided_by, note, lasts, decided, expires)"
						" VALUES (?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19) RETURNING id",
	[SQL_REQUEST_GET] = "SELECT " REQUEST_COLUMNS " FROM request WHERE id = ?1",
	[SQL_REQUEST_LIST] = "SELECT " REQUEST_COLUMNS " FROM request WHERE state <= ?1 ORDER BY id DESC",
	[SQL_REQUEST_MOVE] = "UPDATE request SET state = ?3, first_approver = ?4, decided_by = ?5, note = ?6, decided = ?7, expires = ?8"
						 " WHERE id = ?1 AND state = ?2 RETURNING id",
	[SQL_APPROVAL_DROP] = "DELETE FROM imported_approval WHERE list = ?1",
	[SQL_APPROVAL_PUT] = "INSERT INTO imported_approval (list, position, signer, ecosystem, name, version, reason, owner, ends)"
						 " VALUES (?,?,?,?,?,?,?,?,?)",
	[SQL_APPROVAL_LIST] = "SELECT list, signer, ecosystem, name, version, reason, owner, ends FROM imported_approval"
						  " ORDER BY list, position",
	[SQL_PEOPLE_GET] = "SELECT version FROM people",
	[SQL_PEOPLE_BUMP] = "UPDATE people SET version = version + 1",
	[SQL_PROVENANCE_LIST] = "SELECT version, integrity, trust, source, detail, checked FROM provenance"
							" WHERE ecosystem = ?1 AND name = ?2 AND origin = ?3",
	[SQL_PROVENANCE_PUT] = "INSERT OR REPLACE INTO provenance (ecosystem, name, origin, version, integrity, trust, source, detail, checked)"
						   " VALUES (?,?,?,?,?,?,?,?,?)",
	[SQL_RECEIVED] =
		"SELECT ecosystem, name, version, max(hash), min(time), max(time), count(*), count(DISTINCT CASE WHEN project <> '' THEN"
		" project WHEN identity <> '' THEN identity ELSE client END) FROM evidence WHERE kind = ?1 AND time >= ?2"
		" GROUP BY ecosystem, name, version",
	[SQL_BRAKE_PUT] = "INSERT INTO brake (advisory, ecosystem, name, projects, since, state, decided_by, decided, note)"
					  " VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET projects = excluded.projects, since = excluded.since,"
					  " state = excluded.state, decided_by = excluded.decided_by, decided = excluded.decided, note = excluded.note",
	[SQL_BRAKE_LIST] = "SELECT advisory, ecosystem, name, projects, since, state, decided_by, decided, note FROM brake"
					   " ORDER BY since DESC, advisory, name",
	[SQL_INCIDENT_CLOSE] = "INSERT INTO incident (seq, closed, closed_by, note) SELECT seq, ?2, ?3, ?4 FROM evidence WHERE seq = ?1 AND"
						   " kind = ?5 ON CONFLICT DO UPDATE SET closed = excluded.closed, closed_by = excluded.closed_by,"
						   " note = excluded.note RETURNING seq",
	[SQL_INCIDENT_LIST] = "SELECT seq, closed, closed_by, note FROM incident ORDER BY seq",
	[SQL_LOCKED_DROP] = "DELETE FROM locked WHERE project = ?1",
	[SQL_LOCKED_PUT] = "INSERT OR IGNORE INTO locked (project, ecosystem, name, version, file, recorded) VALUES (?,?,?,?,?,?)",
	[SQL_LOCKED_OF_NAME] = "SELECT project, ecosystem, name, version, file, recorded FROM locked WHERE ecosystem = ?1 AND name = ?2"
						   " ORDER BY project, file, version",
	[SQL_LOCKED_ALL] = "SELECT project, ecosystem, name, version, file, recorded FROM locked ORDER BY project, file, name, version",
	[SQL_ADOPTED_PUT] = "INSERT OR IGNORE INTO adopted (ecosystem, name, version, file, time) VALUES (?,?,?,?,?)",
	[SQL_ADOPTED_NAMES] = "SELECT ecosystem, name, version, file, min(time) FROM adopted GROUP BY ecosystem, name",
};

sqlite3_stmt *statement(struct connection *c, enum statement which)
{
	sqlite3_stmt **st = &c->statements[which];

	if (!*st && sqlite3_prepare_v3(c->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT, st, NULL) != SQLITE_OK)
		return NULL;
	sqlite3_reset(*st);
	return *st;
}

int statement_row(struct connection *c, sqlite3_stmt *st)
{
	int r, code;

	if (!st)
		return connection_error(c);
	code = sqlite3_step(st);
	if (code == SQLITE_ROW)
		return 1;
	/* The message is read before the statement is reset, so that it is still that of the step. */
	r = code == SQLITE_DONE ? 0 : connection_error(c);
	sqlite3_reset(st);
	return r;
}

int statement_run(struct connection *c, sqlite3_stmt *st)
{
	int r = statement_row(c, st);

	if (r > 0) {
		sqlite3_reset(st);
		return 0;
	}
	return r;
}

void bind_str(sqlite3_stmt *st, int index, struct str text)
{
	sqlite3_bind_text64(st, index, text.n ? text.p : "", text.n, SQLITE_STATIC, SQLITE_UTF8);
}

void bind_optional(sqlite3_stmt *st, int index, struct str text)
{
	if (text.n)
		bind_str(st, index, text);
	else
		sqlite3_bind_null(st, index);
}

enum { SHA512_BYTES = 64, SHA512_BASE64 = 88, SHA1_BYTES = 20 };
_Static_assert(HASH_TEXT > 7 + SHA512_BASE64, "a hash as text fits, with the NUL that OpenSSL writes");

static const struct str sha512_prefix = {"sha512-", 7};

/* Only the canonical text is packed: what is unpacked must be the same text again. */
static bool pack_sha512(struct str text, unsigned char *out)
{
	unsigned char decoded[SHA512_BYTES + 2], again[SHA512_BASE64 + 1];

	if (text.n != sha512_prefix.n + SHA512_BASE64 || !str_starts(text, sha512_prefix))
		return false;
	text = str_skip(text, sha512_prefix.n);
	if (EVP_DecodeBlock(decoded, (const unsigned char *)text.p, SHA512_BASE64) != SHA512_BYTES + 2)
		return false;
	EVP_EncodeBlock(again, decoded, SHA512_BYTES);
	if (memcmp(again, text.p, SHA512_BASE64) != 0)
		return false;
	memcpy(out, decoded, SHA512_BYTES);
	return true;
}

static bool pack_sha1(struct str text, unsigned char *out)
{
	if (text.n != 2 * SHA1_BYTES)
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] >= 'A' && text.p[i] <= 'F')
			return false;
	return hex_decode(text, out, SHA1_BYTES) == 0;
}

void bind_hash(sqlite3_stmt *st, int index, struct str text)
{
	unsigned char packed[SHA512_BYTES];

	if (text.n == 0)
		sqlite3_bind_null(st, index);
	else if (pack_sha512(text, packed))
		sqlite3_bind_blob(st, index, packed, SHA512_BYTES, SQLITE_TRANSIENT);
	else if (pack_sha1(text, packed))
		sqlite3_bind_blob(st, index, packed, SHA1_BYTES, SQLITE_TRANSIENT);
	else
		bind_str(st, index, text);
}

struct str column_view(sqlite3_stmt *st, int index)
{
	const void *p = sqlite3_column_blob(st, index);

	return p ? (struct str){p, (size_t)sqlite3_column_bytes(st, index)} : STR("");
}

struct str column_str(sqlite3_stmt *st, int index, struct arena *a)
{
	struct str view = column_view(st, index);

	return view.n ? arena_str(a, view) : STR("");
}

struct str column_hash_view(sqlite3_stmt *st, int index, char room[static HASH_TEXT])
{
	struct str view = column_view(st, index);

	if (sqlite3_column_type(st, index) != SQLITE_BLOB)
		return view;
	if (view.n == SHA1_BYTES) {
		hex_encode(view.p, view.n, room);
		return (struct str){room, 2 * SHA1_BYTES};
	}
	if (view.n != SHA512_BYTES)
		return STR("");
	memcpy(room, sha512_prefix.p, sha512_prefix.n);
	EVP_EncodeBlock((unsigned char *)room + sha512_prefix.n, (const unsigned char *)view.p, SHA512_BYTES);
	return (struct str){room, sha512_prefix.n + SHA512_BASE64};
}

struct str column_hash(sqlite3_stmt *st, int index, struct arena *a)
{
	char room[HASH_TEXT];
	struct str view = column_hash_view(st, index, room);

	return view.n ? arena_str(a, view) : STR("");
}
