#include "gate/confine.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "gate/confine_internal.h"

/* Written once, before the threads that serve are made; read by any after it. */
static char description[160] = "not confined";

const char *confine_describe(void)
{
	return description;
}

/* Root without capabilities is an ordinary user to files of others: better said now than by the store later. */
static int check_writable(const struct confine_paths *paths, struct err *err)
{
	for (size_t i = 0; i < paths->write_count; i++)
		if (faccessat(AT_FDCWD, paths->write[i], R_OK | W_OK | X_OK, AT_EACCESS) < 0)
			return err_set(err, -errno, "%s: not writable for user %u without privileges: %s; give it to the user that the gate runs as",
			               paths->write[i], (unsigned)geteuid(), err_name(-errno));
	return 0;
}

static void describe(int abi, bool filtered, bool low_ports)
{
	char landlock[40];

	if (abi > 0)
		snprintf(landlock, sizeof(landlock), "landlock abi %d", abi);
	else
		snprintf(landlock, sizeof(landlock), "no landlock (needs Linux 5.19)");
	snprintf(description, sizeof(description), "%s, %s, no new privileges, %s%s", landlock,
	         filtered ? "seccomp" : "no seccomp (not in this kernel)", low_ports ? "low ports as only capability" : "no capabilities",
	         CONFINE_LEAVES_TRACING ? ", open to a sanitizer's tracing" : "");
}

int confine_start(const struct confine_paths *paths, struct err *err)
{
	CLEANUP_FD int ruleset = -1;
	bool filtered = true;
	int abi, r;

	r = confine_files(paths, &ruleset, &abi, err);
	if (r == 0)
		r = confine_threads(ruleset, paths->low_ports, err);
	if (r == 0)
		r = check_writable(paths, err);
	if (r < 0)
		return r;
	/* No core file with the tokens in it, and no reading of our memory by others of the same user. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(err, -errno, "cannot forbid core files: %s", err_name(-errno));
	r = confine_calls(err);
	if (r == -ENOSYS || r == -EOPNOTSUPP) {
		filtered = false;
		if (err)
			*err = (struct err){0};
	} else if (r < 0) {
		return r;
	}
	describe(abi, filtered, paths->low_ports);
	return 0;
}
