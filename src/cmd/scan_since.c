/* Only what a change adds: the same lockfile as it was at another revision, read out of git. */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/limits.h"
#include "cmd/scan.h"

extern char **environ;

int scan_git(const char *folder, const char *const *arguments, struct buf *out)
{
	const char *argv[12] = {"git", "-C", folder};
	posix_spawn_file_actions_t actions;
	int ends[2], status = 0, code;
	size_t n = 3;
	ssize_t got;
	pid_t child;

	while (*arguments && n < 11)
		argv[n++] = *arguments++;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	code = -posix_spawnp(&child, "git", &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	while (code == 0) {
		char *room = buf_reserve(out, 64 * KIB);

		got = room ? read(ends[0], room, 64 * KIB) : 0;
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		out->n += (size_t)got;
	}
	close(ends[0]);
	if (code < 0)
		return code;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (out->error)
		return out->error;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
}

static int check_revision(const char *folder, const char *revision, struct err *err)
{
	CLEANUP_BUF struct buf out = BUF(MIB), wanted = BUF(4 * KIB);
	const char *const arguments[] = {"rev-parse", "--verify", "--quiet", "--end-of-options", NULL, NULL};
	const char *complete[6];
	int code;

	buf_printf(&wanted, "%s^{commit}", revision);
	memcpy(complete, arguments, sizeof(complete));
	complete[4] = buf_cstr(&wanted);
	code = scan_git(folder, complete, &out);
	if (code == -ENOENT)
		return err_set(err, -ENOENT, "--since needs git, which is not installed");
	return code == 0
	           ? 0
	           : err_set(err, -EINVAL,
	                     "--since: there is no revision \"%s\" in the repository of %s (a shallow clone lacks older ones: fetch it first)",
	                     revision, folder);
}

/* The names and versions of the old file into `ret`; a file that was not there then had none. */
static int read_old(struct scan *s, const struct scanned *file, const char *folder, const char *name, struct lock *old, struct map *ret,
                    struct err *err)
{
	CLEANUP_BUF struct buf text = BUF(LIMIT_LOCK_BYTES), object = BUF(8 * KIB);
	const struct lock_format *format = lock_format_by_name(str_of(name));
	struct lock_extras none = {0};
	struct str copy;
	int code;

	buf_printf(&object, "%s:./%s", s->options.since, name);
	code = scan_git(folder, (const char *const[]){"show", "--end-of-options", buf_cstr(&object), NULL}, &text);
	if (code < 0)
		return err_set(err, code, "%.*s at %s cannot be read: %s", STR_ARG(file->path), s->options.since, err_name(code));
	if (code > 0)
		return 0;
	copy = arena_str(s->arena, buf_str(&text));
	if (!format)
		format = lock_format_by_content(copy);
	if (!copy.p || !format)
		return copy.p ? 0 : -ENOMEM;
	code = lock_read(format, copy, file->path, &none, old, err);
	/* What cannot be read now was broken then: nothing of it is taken as known. */
	if (code < 0) {
		*err = (struct err){0};
		return code == -ENOMEM ? code : 0;
	}
	for (uint32_t i = 0; code == 0 && i < old->count; i++) {
		struct str key = purl_format(s->arena, old->packages[i].ecosystem, old->packages[i].name, old->packages[i].version);

		code = key.p && lock_is_listed(&old->packages[i]) ? map_put(ret, key, s) : 0;
	}
	return code;
}

int scan_since(struct scan *s, const struct scanned *file, struct lock_listed **ret, size_t *ret_count, struct err *err)
{
	CLEANUP_FREE char *path = str_dup(file->path);
	CLEANUP_MAP struct map before = MAP_EMPTY;
	struct lock old = {0};
	struct lock_listed *fresh = calloc(file->count ? file->count : 1, sizeof(*fresh));
	char *slash = path ? strrchr(path, '/') : NULL;
	const char *name = slash ? slash + 1 : path, *folder = slash ? (slash == path ? "/" : path) : ".";
	size_t n = 0;
	int code = path && fresh ? 0 : err_set(err, -ENOMEM, "out of memory");

	if (slash)
		*slash = 0;
	if (code == 0)
		code = check_revision(folder, s->options.since, err);
	if (code == 0)
		code = read_old(s, file, folder, name, &old, &before, err);
	for (size_t i = 0; code == 0 && i < file->count; i++) {
		const struct lock_package *p = &file->lock.packages[file->listed[i].package];

		if (!map_get(&before, purl_format(s->arena, p->ecosystem, p->name, p->version)))
			fresh[n++] = file->listed[i];
	}
	lock_free(&old);
	if (code < 0) {
		free(fresh);
		return code;
	}
	*ret = fresh;
	*ret_count = n;
	return 0;
}
