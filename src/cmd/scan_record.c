/* --record: what the project locks, kept where incidents are looked after, so that a version that turns out to be bad is found in the projects. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "cmd/call.h"
#include "cmd/scan.h"

/* The last part of a path or address, without ".git". */
static struct str last_part(struct str text)
{
	size_t at;

	text = str_trim(text);
	while (str_ends(text, STR("/")))
		text = str_take(text, text.n - 1);
	if (str_ends(text, STR(".git")))
		text = str_take(text, text.n - 4);
	for (at = text.n; at && text.p[at - 1] != '/' && text.p[at - 1] != ':'; at--)
		;
	return str_skip(text, at);
}

/* The folder that the first path names or lies in. */
static int folder_of(const char *path, struct buf *ret)
{
	CLEANUP_FREE char *whole = realpath(path, NULL);
	struct stat st;
	char *slash;

	if (!whole)
		return -errno;
	if (stat(whole, &st) == 0 && !S_ISDIR(st.st_mode) && (slash = strrchr(whole, '/')))
		slash[slash == whole] = '\0';
	buf_add_str(ret, str_of(whole));
	return ret->error;
}

/* --project, else what the repository is called where it comes from, else the folder. */
static int project_name(const struct scan *s, const char *path, struct arena *a, struct str *ret, struct err *err)
{
	static const char *const arguments[] = {"remote", "get-url", "origin", NULL};
	CLEANUP_BUF struct buf folder = BUF(8 * KIB), url = BUF(MIB);
	int code;

	*ret = str_trim(str_of(s->options.project));
	if (ret->n)
		return 0;
	code = folder_of(path, &folder);
	if (code == 0 && scan_git(buf_cstr(&folder), arguments, &url) == 0)
		*ret = arena_str(a, last_part(buf_str(&url)));
	if (code == 0 && !ret->n)
		*ret = arena_str(a, last_part(buf_str(&folder)));
	return ret->n ? 0 : err_set(err, -EINVAL, "--record needs a name for this project: --project NAME");
}

/* As seen from the path that was scanned: where a build checked the project out says nothing later. */
static struct str shown_path(struct str path, char **paths, int count)
{
	for (int i = 0; i < count; i++) {
		struct str root = str_of(paths[i]);

		while (root.n && root.p[root.n - 1] == '/')
			root.n--;
		if (root.n && str_starts(path, root) && path.n > root.n + 1 && path.p[root.n] == '/')
			return str_skip(path, root.n + 1);
		if (str_eq(path, root) && path.p[0] == '/')
			return last_part(path);
	}
	return str_starts(path, STR("./")) ? str_skip(path, 2) : path;
}

static void write_file(struct json_writer *w, const struct scanned *f, struct str path, struct arena *a)
{
	jw_object(w);
	jw_member_str(w, "path", path);
	jw_key(w, STR("packages"));
	jw_array(w);
	for (size_t i = 0; i < f->count; i++) {
		const struct lock_package *p = &f->lock.packages[f->listed[i].package];

		if (p->source == LOCK_REGISTRY && p->version.n)
			jw_str(w, purl_format(a, p->ecosystem, p->name, p->version));
	}
	jw_array_end(w);
	jw_object_end(w);
}

static int write_body(const struct scan *s, struct str project, char **paths, int count, struct arena *a, struct buf *out)
{
	struct json_writer w;

	jw_init(&w, out);
	jw_object(&w);
	jw_member_str(&w, "project", project);
	jw_key(&w, STR("files"));
	jw_array(&w);
	for (size_t i = 0; i < s->read_count; i++)
		write_file(&w, s->read[i], shown_path(s->read[i]->path, paths, count), a);
	jw_array_end(&w);
	jw_object_end(&w);
	return out->error ? out->error : arena_failed(a) ? -ENOMEM : 0;
}

static int tell(const struct scan *s, struct str body, struct err *err)
{
	const struct call_options options = {.gate = s->options.gate,
	                                     .token_file = s->options.token_file,
	                                     .policy = s->options.policy,
	                                     .state = s->options.state,
	                                     .may_begin = s->options.state || getenv("BONDGATE_STATE")};
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct call_answer answer;
	struct str message;
	int code = a ? call_make(&options, "POST", "scans", body, &answer, err) : -ENOMEM;

	if (code == 0) {
		message = call_member(buf_str(&answer.body), "message", a);
		if (answer.status >= 300)
			code = err_set(err, answer.status == 401 || answer.status == 403 ? -EACCES : -EIO, "the scan is not recorded: %.*s",
			               STR_ARG(message.n ? message : STR("the gate answered something else than it should")));
		else if (!s->options.quiet)
			fprintf(stderr, "recorded: %.*s\n", STR_ARG(message));
	} else {
		err_prefix(err, "the scan is not recorded");
	}
	buf_free(&answer.body);
	return code;
}

int scan_record(struct scan *s, char **paths, int count, struct err *err)
{
	CLEANUP_BUF struct buf body = BUF(8 * MIB);
	CLEANUP_ARENA struct arena *a = arena_new(256 * MIB);
	struct str project;
	int code;

	if (!a)
		return err_set(err, -ENOMEM, "out of memory");
	/* What is recorded replaces what was there: never by less than there is. */
	if (s->unreadable || s->files.unreadable_count)
		return err_set(err, -EBADMSG, "the scan is not recorded, because files could not be read");
	code = project_name(s, paths[0], a, &project, err);
	if (code == 0 && (code = write_body(s, project, paths, count, a, &body)) < 0)
		err_set(err, code, "the scan is not recorded: %s",
		        code == -EFBIG ? "record the parts of this repository one by one" : err_name(code));
	return code == 0 ? tell(s, buf_str(&body), err) : code;
}
