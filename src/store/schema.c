#include "store/internal.h"

/* Step n leads from schema n to n + 1 (PRAGMA user_version is the number of steps done). A step that was released is never changed and never
 * moves: add another at the end. All missing steps run in one transaction. */
static const struct schema_step steps[] = {
	{"evidence, packages, settings",
     "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
     "INSERT INTO meta VALUES ('instance', lower(hex(randomblob(8))));"
     "CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
     "CREATE TABLE chain (part INTEGER PRIMARY KEY, seq INTEGER NOT NULL, link BLOB NOT NULL) STRICT;"
     "INSERT INTO chain VALUES (0, 0, zeroblob(32)), (1, 0, zeroblob(32));"
     "CREATE TABLE evidence (seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind INTEGER NOT NULL, ecosystem INTEGER NOT NULL,"
     " name TEXT NOT NULL, version TEXT NOT NULL, hash ANY, client TEXT NOT NULL, identity TEXT NOT NULL, project TEXT NOT NULL,"
     " agent TEXT NOT NULL, session TEXT NOT NULL, decision TEXT NOT NULL, detail TEXT NOT NULL, link BLOB NOT NULL) STRICT;"
     "CREATE INDEX evidence_name ON evidence (name);"
     "CREATE INDEX evidence_time ON evidence (time);"
     "CREATE TABLE package (id INTEGER PRIMARY KEY, ecosystem INTEGER NOT NULL, name TEXT NOT NULL, origin TEXT NOT NULL,"
     " first_snapshot INTEGER NOT NULL, last_snapshot INTEGER NOT NULL, placeholder INTEGER NOT NULL,"
     " UNIQUE (ecosystem, name, origin)) STRICT;"
     "CREATE TABLE version (package INTEGER NOT NULL REFERENCES package (id) ON DELETE CASCADE, version TEXT NOT NULL,"
     " first_seen INTEGER NOT NULL, lacked_at INTEGER NOT NULL, upstream_time INTEGER NOT NULL, integrity ANY, shasum ANY,"
     " changed_to TEXT, changed_at INTEGER NOT NULL, gone_at INTEGER NOT NULL, mismatch TEXT, received_at INTEGER NOT NULL,"
     " ever_tagged INTEGER NOT NULL, PRIMARY KEY (package, version)) STRICT, WITHOUT ROWID;"
     "CREATE TABLE tag (package INTEGER NOT NULL REFERENCES package (id) ON DELETE CASCADE, tag TEXT NOT NULL,"
     " target TEXT NOT NULL, since INTEGER NOT NULL, former TEXT, PRIMARY KEY (package, tag)) STRICT, WITHOUT ROWID;"},
	{"what was decided on, with the evidence",
     "CREATE TABLE facts (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, body TEXT NOT NULL, last INTEGER NOT NULL) STRICT;"
     "ALTER TABLE evidence ADD COLUMN facts INTEGER;"
     "ALTER TABLE evidence ADD COLUMN rules TEXT;"},
	{"tokens, requests, imported approvals",
     "CREATE TABLE people (version INTEGER NOT NULL) STRICT;"
     "INSERT INTO people VALUES (0);"
     "CREATE TABLE token (id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, person TEXT NOT NULL, team TEXT NOT NULL,"
     " roles INTEGER NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL, revoked INTEGER NOT NULL,"
     " last_used INTEGER NOT NULL, created_by TEXT NOT NULL) STRICT, WITHOUT ROWID;"
     "CREATE TABLE request (id INTEGER PRIMARY KEY AUTOINCREMENT, break_glass INTEGER NOT NULL, ecosystem INTEGER NOT NULL,"
     " name TEXT NOT NULL, version TEXT NOT NULL, rules TEXT NOT NULL, reason TEXT NOT NULL, person TEXT NOT NULL, team TEXT NOT NULL,"
     " refusal TEXT NOT NULL, severity TEXT NOT NULL, created INTEGER NOT NULL, state INTEGER NOT NULL, first_approver TEXT NOT NULL,"
     " decided_by TEXT NOT NULL, note TEXT NOT NULL, lasts INTEGER NOT NULL, decided INTEGER NOT NULL, expires INTEGER NOT NULL) STRICT;"
     "CREATE TABLE imported_approval (list TEXT NOT NULL, position INTEGER NOT NULL, signer TEXT NOT NULL, ecosystem INTEGER NOT NULL,"
     " name TEXT NOT NULL, version TEXT NOT NULL, reason TEXT NOT NULL, owner TEXT NOT NULL, ends INTEGER NOT NULL,"
     " PRIMARY KEY (list, position)) STRICT, WITHOUT ROWID;"},
	{"what archives showed", "ALTER TABLE version ADD COLUMN archive_at INTEGER NOT NULL DEFAULT 0;"
                             "ALTER TABLE version ADD COLUMN archive_script TEXT;"
                             "ALTER TABLE version ADD COLUMN archive_binary TEXT;"},
	{"verdicts about provenance",
     "CREATE TABLE provenance (ecosystem INTEGER NOT NULL, name TEXT NOT NULL, origin TEXT NOT NULL, version TEXT NOT NULL,"
     " integrity TEXT NOT NULL, trust TEXT NOT NULL, source TEXT NOT NULL, detail TEXT NOT NULL, checked INTEGER NOT NULL,"
     " PRIMARY KEY (ecosystem, name, origin, version)) STRICT, WITHOUT ROWID;"},
	{"the brake, ends of incidents, what projects lock",
     "CREATE TABLE brake (advisory TEXT NOT NULL, ecosystem INTEGER NOT NULL, name TEXT NOT NULL, projects INTEGER NOT NULL,"
     " since INTEGER NOT NULL, state INTEGER NOT NULL, decided_by TEXT NOT NULL, decided INTEGER NOT NULL, note TEXT NOT NULL,"
     " PRIMARY KEY (advisory, ecosystem, name)) STRICT, WITHOUT ROWID;"
     "CREATE TABLE incident (seq INTEGER PRIMARY KEY, closed INTEGER NOT NULL, closed_by TEXT NOT NULL, note TEXT NOT NULL) STRICT;"
     "CREATE TABLE locked (project TEXT NOT NULL, ecosystem INTEGER NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL,"
     " file TEXT NOT NULL, recorded INTEGER NOT NULL, PRIMARY KEY (project, ecosystem, name, version, file)) STRICT, WITHOUT ROWID;"
     "CREATE INDEX locked_name ON locked (ecosystem, name);"},
	{"what was adopted", "CREATE TABLE adopted (ecosystem INTEGER NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, file TEXT NOT NULL,"
                         " time INTEGER NOT NULL, PRIMARY KEY (ecosystem, name, version)) STRICT, WITHOUT ROWID;"},
};

int schema_version(void)
{
	return (int)(sizeof(steps) / sizeof(steps[0]));
}

const struct schema_step *schema_step(int from)
{
	return &steps[from];
}
