/* The file of a backup: a tar archive whose last member, manifest.json, says what the others are and their SHA-256. A file that was cut short has no
 * manifest, and one byte that changed does not fit it: both are refused before anything is replaced.
 *
 *	state/bondgate.db      the store as it was at one moment
 *	state/…                what else lies in the state folder
 *	policy/1-bondgate.yaml copies of the policy files, to look at: a restore does not put them in force
 *	manifest.json          {"format":1,"made":…,"program":…,"instance":…,"schema":2,"evidence":{…},"members":[{"path","size","sha256"}]}
 */
#ifndef BONDGATE_CMD_BACKUP_FILE_H
#define BONDGATE_CMD_BACKUP_FILE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "codec/json.h"
#include "store/store.h"

enum { BACKUP_FORMAT = 1, BACKUP_MEMBERS = 4000000, BACKUP_SHA256_TEXT = 65 };

struct backup_writer;

/* Begins a file (mode 0600), which must not exist. */
int backup_begin(const char *path, struct backup_writer **ret, struct err *err);
/* Adds a file's content under a name. A file that is gone meanwhile is passed over: -ENOENT. */
int backup_add(struct backup_writer *w, const char *name, const char *path, struct err *err);
/* Adds the manifest and makes the file durable. Frees the writer, whatever comes of it. */
int backup_end(struct backup_writer *w, const char *instance, const struct evidence_check *evidence, struct err *err);
void backup_abandon(struct backup_writer *w);
size_t backup_count(const struct backup_writer *w);
uint64_t backup_bytes(const struct backup_writer *w);

struct backup_manifest {
	struct str made, program, instance, last_hash;
	int64_t schema, records, last_seq;
	size_t members;
	uint64_t bytes;
};

struct backup_target {
	const char *folder; /* exists and is empty: gets what stood below state/, and policy/ as restored-policy/ */
	bool owned;         /* give the files to this owner */
	unsigned uid, gid;
};

/* Unpacks a backup and holds every byte against its manifest. 0; -EBADMSG for what is no backup, was cut short or changed; -EPROTO for
 * the backup of a newer program. What a failure left in the folder is the caller's to remove. */
int backup_unpack(const char *path, const struct backup_target *target, struct arena *a, struct backup_manifest *ret, struct err *err);

#endif
