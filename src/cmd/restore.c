/* bondgate restore: a backup becomes the state of a gate; nothing is replaced before all of it was proved. */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "cmd/backup_file.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/state.h"

struct job {
	const char *file, *state_option;
	bool force, check, json;
	struct arena *arena;
	struct str state, parent;
	struct str scratch; /* beside the state: it becomes the state */
	struct str kept;    /* where the former state lies; empty: there was none */
	struct backup_target target;
	struct backup_manifest manifest;
	struct evidence_check evidence;
	bool exists, empty;
	int lock;
};

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* ---- the state as it is ---- */

static bool is_empty(const char *path)
{
	DIR *folder = opendir(path);
	bool empty = folder != NULL;

	for (struct dirent *entry; folder && (entry = readdir(folder));)
		if (!str_eq(str_of(entry->d_name), STR(".")) && !str_eq(str_of(entry->d_name), STR("..")))
			empty = false;
	if (folder)
		closedir(folder);
	return empty;
}

/* A gate holds this lock as long as it runs; now nobody starts one before the end. */
static int refuse_running_gate(struct job *j, struct err *err)
{
	struct str path = arena_printf(j->arena, "%s/cache/lock", j->state.p);

	j->lock = path.p ? open(path.p, O_RDWR | O_CLOEXEC) : -1;
	if (j->lock >= 0 && flock(j->lock, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, -EBUSY, "a gate is running on %s; stop it first", j->state.p);
	return 0;
}

static int look_at_state(struct job *j, struct err *err)
{
	CLEANUP_BUF struct buf dir = BUF(PATH_MAX);
	char real[PATH_MAX];
	struct stat there;
	int r = state_dir(j->state_option, &dir, err);

	if (r < 0)
		return r;
	/* /var/lib/NAME of a service is often a link into /var/lib/private. */
	j->exists = realpath(buf_cstr(&dir), real) != NULL;
	while (dir.n > 1 && dir.p[dir.n - 1] == '/')
		dir.n--;
	j->state = arena_str(j->arena, j->exists ? str_of(real) : buf_str(&dir));
	j->parent = arena_str(j->arena, str_rchr(j->state, '/') > 0      ? str_take(j->state, (size_t)str_rchr(j->state, '/'))
	                                : str_starts(j->state, STR("/")) ? STR("/")
	                                                                 : STR("."));
	if (!j->state.p || !j->parent.p)
		return err_set(err, -ENOMEM, "no memory");
	if (!j->exists)
		return 0;
	if (stat(j->state.p, &there) < 0 || !S_ISDIR(there.st_mode))
		return err_set(err, -ENOTDIR, "%s is not a folder", j->state.p);
	j->target.owned = geteuid() == 0 && there.st_uid != 0;
	j->target.uid = there.st_uid;
	j->target.gid = there.st_gid;
	j->empty = is_empty(j->state.p);
	if (j->check || j->empty)
		return 0;
	if (!j->force)
		return err_set(err, -EEXIST, "%s is not empty; with --force it is put aside and replaced, or choose another --state", j->state.p);
	return refuse_running_gate(j, err);
}

/* ---- the proof ---- */

static int make_scratch(struct job *j, struct err *err)
{
	char *name;

	j->scratch = arena_printf(j->arena, "%s/.bondgate-restore-XXXXXX", j->parent.p);
	name = (char *)(uintptr_t)j->scratch.p;
	if (!name || !mkdtemp(name)) {
		j->scratch = STR_NULL;
		return err_set(err, name ? -errno : -ENOMEM, "cannot create a folder in %s: %s", j->parent.p, err_name(errno));
	}
	if (j->target.owned && chown(name, j->target.uid, j->target.gid) < 0)
		return err_set(err, -errno, "cannot give %s to its owner: %s", name, err_name(errno));
	return 0;
}

static int note_restore(struct job *j, struct store *s, struct err *err)
{
	struct evidence e = {.time = time_now(), .kind = EVIDENCE_ADMIN, .decision = STR("state restored")};

	e.detail =
		arena_printf(j->arena, "from a backup of %.*s, evidence up to %lld", STR_ARG(j->manifest.made), (long long)j->manifest.last_seq);
	return store_append_wait(s, &e, err);
}

/* Opens the store that was unpacked, which brings an older one up to this program's schema. */
static int prove_store(struct job *j, struct err *err)
{
	struct evidence_check *c = &j->evidence;
	struct store *s;
	int r = store_open(j->scratch.p, STORE_WRITE, &s, err);

	if (r < 0)
		return r;
	r = store_examine(s, err);
	if (r == 0)
		r = store_evidence_verify(s, c, err);
	if (r == 0 && c->broken_seq && !j->force)
		r = err_set(err, -EBADMSG, "the evidence in %s is broken at record %lld; nothing was restored (--force takes it as it is)", j->file,
		            (long long)c->broken_seq);
	if (r == 0 && (c->records != j->manifest.records || !str_eq(str_of(c->last_hash), j->manifest.last_hash)))
		r = err_set(err, -EBADMSG, "the evidence in %s is not the one that its manifest names; nothing was restored", j->file);
	if (r == 0 && !j->check)
		r = note_restore(j, s, err);
	store_close(s);
	return r;
}

/* The database that SQLite made anew or opened has the right of whoever runs this. */
static int hand_over_store(struct job *j, struct err *err)
{
	struct str path = arena_printf(j->arena, "%s/bondgate.db", j->scratch.p);

	if (!j->target.owned)
		return 0;
	if (!path.p || chown(path.p, j->target.uid, j->target.gid) < 0)
		return err_set(err, -errno, "cannot give %s to its owner: %s", path.p, err_name(errno));
	return 0;
}

/* ---- the exchange ---- */

static int make_durable(const char *path, struct err *err)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || syncfs(fd) < 0 || fsync(fd) < 0)
		return err_set(err, -errno, "cannot write %s: %s", path, err_name(errno));
	return 0;
}

static int put_in_place(struct job *j, struct err *err)
{
	char when[TIME_TEXT];
	int r = make_durable(j->scratch.p, err);

	if (r < 0)
		return r;
	if (!j->exists || j->empty) {
		r = rename(j->scratch.p, j->state.p);
	} else {
		time_format_utc(time_now(), when);
		j->kept = arena_printf(j->arena, "%s.before-%.19sZ", j->state.p, when);
		r = renameat2(AT_FDCWD, j->scratch.p, AT_FDCWD, j->state.p, RENAME_EXCHANGE);
	}
	if (r < 0)
		return err_set(err, -errno, "cannot replace %s: %s%s", j->state.p, err_name(errno),
		               errno == EBUSY || errno == EXDEV ? " (it is a mount point: restore into a folder below it)" : "");
	/* From here on the new state holds, whatever happens. */
	if (j->kept.n && rename(j->scratch.p, j->kept.p) < 0)
		j->kept = j->scratch;
	j->scratch = STR_NULL;
	return make_durable(j->parent.p, err);
}

/* ---- all of it ---- */

static int run(struct job *j, struct err *err)
{
	int r = look_at_state(j, err);

	if (r == 0)
		r = make_scratch(j, err);
	if (r == 0) {
		j->target.folder = j->scratch.p;
		r = backup_unpack(j->file, &j->target, j->arena, &j->manifest, err);
	}
	if (r == 0)
		r = prove_store(j, err);
	if (r == 0 && !j->check)
		r = hand_over_store(j, err);
	if (r == 0 && !j->check)
		r = put_in_place(j, err);
	if (j->scratch.n)
		nftw(j->scratch.p, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	if (j->lock >= 0)
		close(j->lock);
	return r;
}

static void print_result(const struct job *j)
{
	CLEANUP_BUF struct buf out = BUF(64 * KIB);
	struct json_writer w;

	if (!j->json) {
		printf("%s: made %.*s by %.*s; %zu files, %.1f MiB\n", j->file, STR_ARG(j->manifest.made), STR_ARG(j->manifest.program),
		       j->manifest.members, (double)j->manifest.bytes / (double)MIB);
		if (j->evidence.broken_seq)
			printf("the evidence is BROKEN at record %lld of %lld\n", (long long)j->evidence.broken_seq, (long long)j->evidence.last_seq);
		else
			printf("the evidence is whole up to %lld, last hash %s\n", (long long)j->evidence.last_seq, j->evidence.last_hash);
		if (!j->check)
			printf("restored to %s\n", j->state.p);
		if (j->kept.n)
			printf("the former state lies in %s: remove it when you are content\n", j->kept.p);
		return;
	}
	jw_init(&w, &out);
	jw_object(&w);
	jw_member_str(&w, "file", str_of(j->file));
	jw_member_str(&w, "made", j->manifest.made);
	jw_member_int(&w, "files", (int64_t)j->manifest.members);
	jw_member_int(&w, "records", j->evidence.records);
	jw_member_int(&w, "last", j->evidence.last_seq);
	jw_member_str(&w, "last_hash", str_of(j->evidence.last_hash));
	jw_member_bool(&w, "whole", j->evidence.broken_seq == 0);
	output_member(&w, "state", j->check ? STR("") : j->state);
	output_member(&w, "former", j->kept);
	jw_object_end(&w);
	buf_add_char(&out, '\n');
	output_flush(&w, stdout);
}

int cmd_restore(int argc, char **argv)
{
	struct job j = {.lock = -1};
	const struct option_row rows[] = {
		{.name = "force", .help = "put a state that is there aside, and take evidence whose chain is broken", .flag = &j.force},
		{.name = "check", .help = "prove the backup and restore nothing", .flag = &j.check},
		{.name = "json", .help = "machine-readable", .flag = &j.json},
		{.name = "state", .argument = "DIR", .help = "what it becomes (default $BONDGATE_STATE)", .value = &j.state_option},
	};
	const struct command_usage usage = {
		"restore FILE [OPTIONS]",
		"Makes a backup the state of a gate, which must not run. First every byte is held against the backup's manifest and\n"
		"the evidence is verified; then the state is replaced in one step. The policy files are put into\n"
		"STATE/restored-policy, to look at.",
		rows, sizeof(rows) / sizeof(rows[0])};
	CLEANUP_ARENA struct arena *a = arena_new(2 * GIB);
	struct err err = {0};
	bool done;
	int words, r;

	r = options_read(&usage, argc, argv, &words, &done);
	if (r || done)
		return r;
	if (words != 1)
		return usage_error(&usage, "restore takes one file that `bondgate backup` made");
	j.file = argv[0];
	j.arena = a;
	r = a ? run(&j, &err) : err_set(&err, -ENOMEM, "no memory");
	if (r < 0) {
		fprintf(stderr, "bondgate: %s\n", err.text);
		return EXIT_CANNOT;
	}
	print_result(&j);
	return EXIT_NOTHING;
}
