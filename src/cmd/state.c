#include "cmd/state.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/time.h"

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

int state_dir(const char *option, struct buf *ret, struct err *err)
{
	const char *named = option ? option : environment("BONDGATE_STATE");
	const char *xdg = environment("XDG_STATE_HOME"), *home = environment("HOME");

	if (named)
		buf_add_str(ret, str_of(named));
	else if (geteuid() == 0)
		buf_add_str(ret, STR("/var/lib/bondgate"));
	/* The XDG base directory specification has relative paths ignored. */
	else if (xdg && xdg[0] == '/')
		buf_printf(ret, "%s/bondgate", xdg);
	else if (home)
		buf_printf(ret, "%s/.local/state/bondgate", home);
	else
		return err_set(err, -ENOENT, "no folder for the state: HOME is not set; use --state DIR");
	return ret->error ? err_set(err, ret->error, "no folder for the state: %s", err_name(ret->error)) : 0;
}

int state_open(const char *option, enum store_access access, struct store **ret, struct err *err)
{
	CLEANUP_BUF struct buf dir = BUF(PATH_MAX);
	int r = state_dir(option, &dir, err);

	return r < 0 ? r : store_open(buf_cstr(&dir), access, ret, err);
}

int moment_parse(struct str text, usec now, usec *ret, struct err *err)
{
	usec ago;

	if (duration_parse(text, &ago) == 0) {
		*ret = now > ago ? now - ago : 0;
		return 0;
	}
	if (time_parse(text, ret) == 0)
		return 0;
	return err_set(err, -EINVAL, "\"%.*s\" is neither a duration (90s, 36h, 7d) nor a time (2026-01-31, 2026-01-31T12:00:00Z)",
	               STR_ARG(text));
}
