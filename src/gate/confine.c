#include "gate/confine.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "base/str.h"
#include "gate/confine_internal.h"

/* Written once, by the only thread there is; read by any after it. */
static char description[160] = "not confined";

const char *confine_describe(void)
{
	return description;
}

/* 1 where /proc is not there to ask. */
static size_t count_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *entry;
	size_t n = 0;

	if (!tasks)
		return 1;
	while ((entry = readdir(tasks)))
		n += entry->d_name[0] != '.';
	closedir(tasks);
	return n;
}

static int forgo_privileges(struct err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, -errno, "cannot forgo new privileges: %s", err_name(-errno));
	/* No core file with the tokens in it, and no reading of our memory by others of the same user. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(err, -errno, "cannot forbid core files: %s", err_name(-errno));
	return 0;
}

/* glibc has no wrapper for capset(2), and libcap would be a library for one call. */
static int drop_capabilities(bool low_ports, struct err *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3], kept[_LINUX_CAPABILITY_U32S_3] = {0};

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* older kernels have none */
	if (syscall(SYS_capget, &header, sets) < 0)
		return err_set(err, -errno, "cannot read the capabilities: %s", err_name(-errno));
	if (low_ports)
		kept[0].effective = kept[0].permitted = sets[0].permitted & (1U << CAP_NET_BIND_SERVICE);
	/* A service manager that gave none may also forbid the call. */
	if (memcmp(sets, kept, sizeof(kept)) != 0 && syscall(SYS_capset, &header, kept) < 0)
		return err_set(err, -errno, "cannot drop the capabilities: %s", err_name(-errno));
	return 0;
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
	size_t threads = count_threads();
	bool filtered = true;
	int abi, r;

	if (threads > 1)
		return err_set(err, -EBUSY, "confinement must begin while the process has one thread, and it has %zu", threads);
	r = forgo_privileges(err);
	if (r == 0)
		r = drop_capabilities(paths->low_ports, err);
	if (r == 0)
		r = check_writable(paths, err);
	if (r == 0)
		r = confine_files(paths, &abi, err);
	if (r < 0)
		return r;
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
