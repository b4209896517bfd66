/* Landlock by raw system calls: Debian 12 has no library for it, and its kernel header ends at ABI 2, so the numbers of the kernel's
 * interface (Documentation/userspace-api/landlock.rst) are named here. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "gate/confine_internal.h"

enum {
	RIGHT_EXECUTE = 1 << 0,
	RIGHT_WRITE_FILE = 1 << 1,
	RIGHT_READ_FILE = 1 << 2,
	RIGHT_READ_DIR = 1 << 3,
	RIGHT_REMOVE_DIR = 1 << 4,
	RIGHT_REMOVE_FILE = 1 << 5,
	RIGHT_MAKE_DIR = 1 << 7,
	RIGHT_MAKE_REG = 1 << 8,
	RIGHT_REFER = 1 << 13,    /* ABI 2: rename and link from one folder to another */
	RIGHT_TRUNCATE = 1 << 14, /* ABI 3 */

	READING = RIGHT_READ_FILE | RIGHT_READ_DIR,
	/* No devices, sockets, pipes or symbolic links, and nothing there is ever executed. */
	WRITING =
		READING | RIGHT_WRITE_FILE | RIGHT_TRUNCATE | RIGHT_REMOVE_DIR | RIGHT_REMOVE_FILE | RIGHT_MAKE_DIR | RIGHT_MAKE_REG | RIGHT_REFER,
	/* A rule for something that is no folder may hold only these. */
	OF_A_FILE = RIGHT_EXECUTE | RIGHT_WRITE_FILE | RIGHT_READ_FILE | RIGHT_TRUNCATE,

	SCOPE_ABSTRACT_SOCKETS = 1 << 0, /* ABI 6 */
	SCOPE_SIGNALS = 1 << 1,          /* ABI 6 */

	ASK_VERSION = 1 << 0,
	RULE_PATH_BENEATH = 1,

	/* Before, no rename between folders could be allowed at all, and the cache lives on it. */
	LOWEST_USABLE_ABI = 2,
};

/* struct landlock_ruleset_attr as of ABI 6. An older kernel takes the longer struct as long as what it does not know is zero. */
struct ruleset {
	uint64_t handled_files;
	uint64_t handled_net;
	uint64_t scoped;
};

/* struct landlock_path_beneath_attr */
struct beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

struct system_path {
	const char *path;
	uint64_t rights;
};

/* What libc, OpenSSL and libcurl open by themselves, sooner or later. */
static const struct system_path system_paths[] = {
	{"/dev/null", READING | RIGHT_WRITE_FILE | RIGHT_TRUNCATE},
	{"/dev/random", READING},
	{"/dev/urandom", READING},
	{"/etc/ca-certificates", READING},
	{"/etc/gai.conf", READING},
	{"/etc/host.conf", READING},
	{"/etc/hosts", READING},
	{"/etc/ld.so.cache", READING},
	{"/etc/localtime", READING},
	{"/etc/nsswitch.conf", READING},
	{"/etc/pki", READING},
	{"/etc/protocols", READING},
	{"/etc/resolv.conf", READING},
	{"/etc/services", READING},
	{"/etc/ssl", READING},
	/* NSS modules are loaded at the first look-up. */
	{"/lib", READING},
	{"/lib64", READING},
	{"/proc/self", READING},
	{"/proc/sys/vm/overcommit_memory", READING},
	/* Where /etc/resolv.conf points to where a daemon writes it: replaced by rename, hence the folders. */
	{"/run/NetworkManager", READING},
	{"/run/resolvconf", READING},
	{"/run/systemd/resolve", READING},
	{"/sys/devices/system/cpu", READING},
	{"/usr/lib", READING},
	{"/usr/lib64", READING},
	{"/usr/local/share/ca-certificates", READING},
	{"/usr/share/ca-certificates", READING},
	{"/usr/share/zoneinfo", READING},
};

static uint64_t handled_by(int abi)
{
	int known = abi >= 5 ? 16 : abi >= 3 ? 15 : 14;

	return (UINT64_C(1) << known) - 1;
}

/* 0 also where there is nothing at `path`. */
static int allow(int ruleset, const char *path, uint64_t rights)
{
	CLEANUP_FD int fd = open(path, O_PATH | O_CLOEXEC);
	struct beneath rule;
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		rights &= OF_A_FILE;
	rule = (struct beneath){.allowed = rights, .parent = fd};
	return syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
}

static int allow_system(int ruleset, uint64_t handled)
{
	for (size_t i = 0; i < sizeof(system_paths) / sizeof(*system_paths); i++) {
		int r = allow(ruleset, system_paths[i].path, system_paths[i].rights & handled);

		if (r < 0)
			return r;
	}
	/* DHCP clients replace /etc/resolv.conf by rename; a rule for the old file would then leave the gate without names. So all of /etc
	 * may be read where its secrets are kept from us anyway. To root they are not: there the single files above must do. */
	return geteuid() == 0 ? 0 : allow(ruleset, "/etc", READING & handled);
}

static const char *const wide_folders[] = {
	"/",     "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/media",   "/mnt",     "/opt",      "/proc",
	"/root", "/run", "/sbin", "/srv", "/sys", "/tmp",  "/usr", "/var",   "/var/lib", "/var/tmp", "/run/user",
};

/* Too much to be allowed because a policy lies in it: the folders that every machine has, and the user's home with what holds it.
 * `folder` is without links. */
static bool is_wide(const char *folder)
{
	CLEANUP_FREE char *home = getenv("HOME") ? realpath(getenv("HOME"), NULL) : NULL;
	struct str inside = str_of(home), f = str_of(folder);

	for (size_t i = 0; i < sizeof(wide_folders) / sizeof(*wide_folders); i++)
		if (str_eq(f, str_of(wide_folders[i])))
			return true;
	return home && str_starts(inside, f) && (inside.n == f.n || inside.p[f.n] == '/');
}

/* The folder that `path` lies in. */
static int allow_folder(int ruleset, const char *path, uint64_t rights)
{
	struct str whole = str_of(path);
	ptrdiff_t slash = str_rchr(whole, '/');
	CLEANUP_FREE char *folder = str_dup(slash < 0 ? STR(".") : slash == 0 ? STR("/") : str_take(whole, (size_t)slash));
	CLEANUP_FREE char *real = folder ? realpath(folder, NULL) : NULL;

	return !real || is_wide(real) ? 0 : allow(ruleset, real, rights);
}

/* A folder with all below it; a file with its folder, and where it is a link, the folder of what it leads to. */
static int allow_reading(int ruleset, const char *path, uint64_t handled)
{
	CLEANUP_FREE char *real = realpath(path, NULL);
	struct stat st;
	int r;

	if (real && stat(real, &st) == 0 && S_ISDIR(st.st_mode))
		return is_wide(real) ? 0 : allow(ruleset, real, READING & handled);
	r = allow(ruleset, path, READING & handled);
	if (r == 0)
		r = allow_folder(ruleset, path, READING & handled);
	return r < 0 || !real ? r : allow_folder(ruleset, real, READING & handled);
}

static int allow_all(int ruleset, const struct confine_paths *paths, uint64_t handled, struct err *err)
{
	int r = allow_system(ruleset, handled);

	if (r < 0)
		return err_set(err, r, "cannot allow the system's own files in Landlock: %s", err_name(r));
	for (size_t i = 0; i < paths->read_count; i++) {
		r = allow_reading(ruleset, paths->read[i], handled);
		if (r < 0)
			return err_set(err, r, "cannot allow reading %s in Landlock: %s", paths->read[i], err_name(r));
	}
	for (size_t i = 0; i < paths->write_count; i++) {
		r = allow(ruleset, paths->write[i], WRITING & handled);
		if (r < 0)
			return err_set(err, r, "cannot allow writing under %s in Landlock: %s", paths->write[i], err_name(r));
	}
	return 0;
}

int confine_files(const struct confine_paths *paths, int *ret_abi, struct err *err)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);
	struct ruleset rules = {0};
	CLEANUP_FD int fd = -1;
	int r;

	if (abi < LOWEST_USABLE_ABI) {
		*ret_abi = 0;
		return 0;
	}
	rules.handled_files = handled_by((int)abi);
	rules.scoped = abi >= 6 ? SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS : 0;
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	if (fd < 0)
		return err_set(err, -errno, "cannot make a Landlock rule set (abi %ld): %s", abi, err_name(-errno));
	r = allow_all(fd, paths, rules.handled_files, err);
	if (r < 0)
		return r;
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return err_set(err, -errno, "cannot put Landlock in force: %s", err_name(-errno));
	*ret_abi = (int)abi;
	return 0;
}
