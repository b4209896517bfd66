#include "cmd/policy_files.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"

static const char standard_path[] = "/etc/bondgate/bondgate.yaml", local_path[] = "bondgate.yaml";

int policy_read_token(void *arg, struct str kind, struct str name, struct buf *ret, struct err *err)
{
	CLEANUP_FREE char *text = str_dup(name);

	(void)arg;
	if (!text)
		return err_set(err, -ENOMEM, "out of memory");
	if (str_eq(kind, STR("env"))) {
		const char *value = getenv(text);

		if (!value)
			return err_set(err, -ENOENT, "the environment variable %s is not set", text);
		buf_add_str(ret, str_of(value));
		return ret->error;
	}
	return file_read(text, ret, err);
}

static const struct policy_environment process_environment = {.token = policy_read_token};

static int copy_path(char *to, const char *from, struct err *err)
{
	if (strlen(from) >= PATH_MAX)
		return err_set(err, -ENAMETOOLONG, "the path of the policy is too long");
	memcpy(to, from, strlen(from) + 1);
	return 0;
}

int policy_files_find(const char *option, struct policy_files *ret, struct err *err)
{
	const char *variable = getenv("BONDGATE_POLICY");
	const char *named = option ? option : variable && *variable ? variable : NULL;
	struct stat machine, local;
	int r;

	*ret = (struct policy_files){0};
	if ((r = copy_path(ret->machine, named ? named : standard_path, err)) < 0 || (r = copy_path(ret->local, local_path, err)) < 0)
		return r;
	ret->machine_exists = stat(ret->machine, &machine) == 0;
	/* Only a standard file that is not there is no mistake; one that cannot be reached might hold denials. */
	if (!ret->machine_exists && (named || (errno != ENOENT && errno != ENOTDIR)))
		return err_set(err, -errno, "cannot open the policy %s%s: %s", ret->machine,
		               option  ? " (--policy)"
		               : named ? " (BONDGATE_POLICY)"
		                       : "",
		               err_name(-errno));
	ret->local_exists = lstat(ret->local, &local) == 0;
	if (ret->machine_exists && stat(ret->local, &local) == 0 && local.st_dev == machine.st_dev && local.st_ino == machine.st_ino)
		ret->local_exists = false;
	return 0;
}

int policy_file_load(const char *path, usec now, const struct policy_environment *environment, struct policy **ret, struct buf *warnings,
                     struct err *err)
{
	CLEANUP_BUF struct buf text = BUF(LIMIT_POLICY_BYTES);
	int r = file_read(path, &text, err);

	return r < 0 ? r : policy_load(buf_str(&text), str_of(path), now, environment, ret, warnings, err);
}

static int tighten_by_local(const struct policy_files *files, usec now, const struct policy_environment *environment,
                            struct policy **policy, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF(LIMIT_POLICY_BYTES);
	struct policy *both;
	int r = file_read(files->local, &text, err);

	if (r < 0)
		return r;
	r = policy_tighten(*policy, buf_str(&text), str_of(files->local), now, environment, &both, err);
	if (r < 0)
		return r;
	policy_unref(*policy);
	*policy = both;
	return 0;
}

int policy_files_load_with(const char *option, usec now, const struct policy_environment *environment, struct policy **ret,
                           struct buf *warnings, struct err *err)
{
	struct policy_files files;
	struct policy *p = NULL;
	int r = policy_files_find(option, &files, err);

	if (r < 0)
		return r;
	if (files.machine_exists)
		r = policy_file_load(files.machine, now, environment, &p, warnings, err);
	else if (!(p = policy_builtin()))
		r = err_set(err, -ENOMEM, "out of memory");
	if (r == 0 && files.local_exists)
		r = tighten_by_local(&files, now, environment, &p, err);
	if (r < 0)
		policy_unref(p);
	else
		*ret = p;
	return r;
}

int policy_files_load(const char *option, usec now, struct policy **ret, struct buf *warnings, struct err *err)
{
	return policy_files_load_with(option, now, &process_environment, ret, warnings, err);
}
