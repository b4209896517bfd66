/* bondgate backup: everything that a gate must not lose in one file, taken beside a running gate. */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "cmd/backup_file.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/policy_files.h"
#include "cmd/state.h"

struct job {
	const char *state_option, *policy;
	bool with_cache, json;
	struct arena *arena;
	struct str state;   /* the folder */
	struct str target;  /* the file to be */
	struct str scratch; /* a folder beside it: the copy of the store, and the file while it grows */
	char instance[17];
	struct evidence_check evidence;
	struct backup_writer *writer;
	size_t files;
	uint64_t bytes;
};

/* ---- where to ---- */

/* A folder gets a file with a name that sorts by time. */
static int choose_target(struct job *j, const char *word, struct err *err)
{
	struct stat there;
	char when[TIME_TEXT];

	j->target = arena_str(j->arena, str_of(word));
	if (stat(word, &there) == 0 && S_ISDIR(there.st_mode)) {
		time_format_utc(time_now(), when);
		for (char *p = when; *p; p++)
			*p = *p == ':' ? '-' : *p;
		j->target = arena_printf(j->arena, "%s/bondgate-%.19sZ.tar", word, when);
	}
	if (!j->target.p)
		return err_set(err, -ENOMEM, "no memory");
	if (access(j->target.p, F_OK) == 0)
		return err_set(err, -EEXIST, "%s exists already; name another file, or a folder, which gets a new file each time", j->target.p);
	return 0;
}

static int make_scratch(struct job *j, struct err *err)
{
	char *name;

	j->scratch = arena_printf(j->arena, "%s.part-XXXXXX", j->target.p);
	name = (char *)(uintptr_t)j->scratch.p;
	if (!name || !mkdtemp(name)) {
		j->scratch = STR_NULL;
		return err_set(err, name ? -errno : -ENOMEM, "cannot create a folder beside %s: %s", j->target.p, err_name(errno));
	}
	return 0;
}

static void clear_scratch(struct job *j)
{
	static const char *const names[] = {"bondgate.db", "bondgate.db-wal", "bondgate.db-shm", "backup.tar"};

	for (size_t i = 0; j->scratch.n && i < sizeof(names) / sizeof(names[0]); i++) {
		struct str path = arena_printf(j->arena, "%s/%s", j->scratch.p, names[i]);

		if (path.p)
			unlink(path.p);
	}
	if (j->scratch.n)
		rmdir(j->scratch.p);
}

/* ---- the store ---- */

/* The copy of an older store is brought up to this program's schema; the store itself stays as it is until a gate opens it. */
static int copy_store(struct job *j, struct str *ret_path, struct err *err)
{
	struct store *copy;
	int r;

	*ret_path = arena_printf(j->arena, "%s/bondgate.db", j->scratch.p);
	r = ret_path->p ? store_copy(j->state.p, ret_path->p, err) : err_set(err, -ENOMEM, "no memory");
	if (r == 0)
		r = store_open(j->scratch.p, STORE_WRITE, &copy, err);
	if (r < 0)
		return r;
	memcpy(j->instance, store_instance(copy), sizeof(j->instance));
	r = store_examine(copy, err);
	if (r == 0)
		r = store_evidence_verify(copy, &j->evidence, err);
	store_close(copy);
	return r;
}

/* ---- the other files ---- */

/* The store is copied by itself, the lock and what is half written belong to the running gate. */
static bool is_wanted(const struct job *j, struct str below)
{
	if (str_starts(below, STR("bondgate.db")))
		return false;
	if (str_eq(below, STR("cache")) && !j->with_cache)
		return false;
	return !str_eq(below, STR("cache/lock")) && !str_eq(below, STR("cache/tmp")) && !str_ends(below, STR(".tmp"));
}

static int add_folder(struct job *j, struct str below, unsigned depth, struct err *err);

static int add_entry(struct job *j, struct str below, unsigned depth, struct err *err)
{
	struct str path = arena_printf(j->arena, "%s/%.*s", j->state.p, STR_ARG(below));
	struct str name = arena_printf(j->arena, "state/%.*s", STR_ARG(below));
	struct stat file;
	int r;

	if (!path.p || !name.p)
		return err_set(err, -ENOMEM, "no memory");
	if (!is_wanted(j, below) || lstat(path.p, &file) < 0)
		return 0;
	if (S_ISDIR(file.st_mode))
		return add_folder(j, below, depth + 1, err);
	if (!S_ISREG(file.st_mode))
		return 0;
	r = backup_add(j->writer, name.p, path.p, err);
	/* The cache of a running gate lets go of files. */
	return r == -ENOENT ? 0 : r;
}

static int add_folder(struct job *j, struct str below, unsigned depth, struct err *err)
{
	struct str path = arena_printf(j->arena, "%s%s%.*s", j->state.p, below.n ? "/" : "", STR_ARG(below));
	DIR *folder = path.p && depth < 16 ? opendir(path.p) : NULL;
	int r = 0;

	if (!folder)
		return err_set(err, -errno, "cannot read %s: %s", path.p ? path.p : "", err_name(errno));
	for (struct dirent *entry; r == 0 && (entry = readdir(folder));)
		if (entry->d_name[0] != '.')
			r = add_entry(j, arena_printf(j->arena, "%.*s%s%s", STR_ARG(below), below.n ? "/" : "", entry->d_name), depth, err);
	closedir(folder);
	return r;
}

static int add_policy_file(struct job *j, const char *path, size_t *n, struct err *err)
{
	ptrdiff_t slash = str_rchr(str_of(path), '/');
	struct str name = arena_printf(j->arena, "policy/%zu-%s", ++*n, path + slash + 1);
	int r = name.p ? backup_add(j->writer, name.p, path, err) : err_set(err, -ENOMEM, "no memory");

	return r == -ENOENT ? 0 : r;
}

/* Copies to look at. A policy that does not load is copied as well, without the files that it names. */
static int add_policies(struct job *j, struct err *err)
{
	const struct policy_team *teams;
	struct policy_files files;
	struct policy *policy = NULL;
	struct err why = {0};
	size_t n = 0;
	int r = policy_files_find(j->policy, &files, err);

	if (r == 0 && files.machine_exists)
		r = add_policy_file(j, files.machine, &n, err);
	if (r == 0 && files.local_exists)
		r = add_policy_file(j, files.local, &n, err);
	if (r < 0 || policy_files_load_with(j->policy, time_now(), NULL, &policy, NULL, &why) < 0)
		return r;
	for (size_t i = 0, count = policy_teams(policy, &teams); r == 0 && i < count; i++) {
		struct str path = arena_str(j->arena, teams[i].file);

		r = path.p ? add_policy_file(j, path.p, &n, err) : -ENOMEM;
	}
	policy_unref(policy);
	return r;
}

/* ---- all of it ---- */

static int put_in_place(struct job *j, const char *from, struct err *err)
{
	ptrdiff_t slash = str_rchr(j->target, '/');
	struct str folder = slash < 0 ? STR(".") : arena_str(j->arena, str_take(j->target, slash ? (size_t)slash : 1));
	CLEANUP_FD int fd = -1;

	/* link and not rename: what somebody else put there meanwhile stays. */
	if (link(from, j->target.p) < 0 && (errno == EEXIST || rename(from, j->target.p) < 0))
		return err_set(err, -errno, "cannot create %s: %s", j->target.p, err_name(errno));
	fd = open(folder.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return err_set(err, -errno, "cannot write %s: %s", folder.p, err_name(errno));
	return 0;
}

static int write_backup(struct job *j, struct err *err)
{
	struct str database, file;
	int r = copy_store(j, &database, err);

	if (r < 0)
		return r;
	file = arena_printf(j->arena, "%s/backup.tar", j->scratch.p);
	r = file.p ? backup_begin(file.p, &j->writer, err) : err_set(err, -ENOMEM, "no memory");
	if (r < 0)
		return r;
	r = backup_add(j->writer, "state/bondgate.db", database.p, err);
	if (r == 0)
		r = add_folder(j, STR(""), 0, err);
	if (r == 0)
		r = add_policies(j, err);
	j->files = backup_count(j->writer);
	j->bytes = backup_bytes(j->writer);
	if (r == 0)
		r = backup_end(TAKE_PTR(j->writer), j->instance, &j->evidence, err);
	else
		backup_abandon(TAKE_PTR(j->writer));
	return r < 0 ? r : put_in_place(j, file.p, err);
}

static void print_result(const struct job *j)
{
	CLEANUP_BUF struct buf out = BUF(64 * KIB);
	struct json_writer w;

	if (!j->json) {
		printf("%s: %zu files, %.1f MiB; evidence 1 to %lld, last hash %s\n", j->target.p, j->files, (double)j->bytes / (double)MIB,
		       (long long)j->evidence.last_seq, j->evidence.last_hash);
		return;
	}
	jw_init(&w, &out);
	jw_object(&w);
	jw_member_str(&w, "file", j->target);
	jw_member_int(&w, "files", (int64_t)j->files);
	jw_member_int(&w, "bytes", (int64_t)j->bytes);
	jw_member_int(&w, "records", j->evidence.records);
	jw_member_int(&w, "last", j->evidence.last_seq);
	jw_member_str(&w, "last_hash", str_of(j->evidence.last_hash));
	jw_member_bool(&w, "whole", j->evidence.broken_seq == 0);
	jw_object_end(&w);
	buf_add_char(&out, '\n');
	output_flush(&w, stdout);
}

static int run(struct job *j, const char *word, struct err *err)
{
	CLEANUP_BUF struct buf dir = BUF(PATH_MAX);
	int r = state_dir(j->state_option, &dir, err);

	if (r == 0) {
		j->state = arena_str(j->arena, buf_str(&dir));
		r = j->state.p ? choose_target(j, word, err) : -ENOMEM;
	}
	if (r == 0)
		r = make_scratch(j, err);
	if (r == 0)
		r = write_backup(j, err);
	clear_scratch(j);
	return r;
}

int cmd_backup(int argc, char **argv)
{
	struct job j = {0};
	const struct option_row rows[] = {
		{.name = "with-cache", .help = "the artifacts and documents in the cache too", .flag = &j.with_cache},
		{.name = "json", .help = "machine-readable", .flag = &j.json},
		{.name = "policy", .argument = "FILE", .help = "the policy whose files are copied (default $BONDGATE_POLICY)", .value = &j.policy},
		{.name = "state", .argument = "DIR", .help = "where state is kept (default $BONDGATE_STATE)", .value = &j.state_option},
	};
	const struct command_usage usage = {
		"backup FILE|DIR [OPTIONS]",
		"Writes the store, the advisories and copies of the policy files to one file, beside a running gate and as they\n"
		"are at one moment. Of the evidence it prints the last hash: keep it elsewhere. Exits 1 when the chain of the\n"
		"evidence does not hold (the backup is written all the same).",
		rows, sizeof(rows) / sizeof(rows[0])};
	CLEANUP_ARENA struct arena *a = arena_new(GIB);
	struct err err = {0};
	bool done;
	int words, r;

	r = options_read(&usage, argc, argv, &words, &done);
	if (r || done)
		return r;
	if (words != 1)
		return usage_error(&usage, "backup takes one file to be made, or a folder that gets it");
	umask(0077);
	j.arena = a;
	r = a ? run(&j, argv[0], &err) : err_set(&err, -ENOMEM, "no memory");
	if (r < 0) {
		fprintf(stderr, "bondgate: %s\n", err.text);
		return EXIT_CANNOT;
	}
	print_result(&j);
	if (j.evidence.broken_seq)
		fprintf(stderr, "bondgate: the evidence is broken at record %lld: a restore will refuse this backup without --force\n",
		        (long long)j.evidence.broken_seq);
	return j.evidence.broken_seq ? EXIT_FOUND : EXIT_NOTHING;
}
