/* The system calls that the gate may make: a list, everything else fails with EPERM. It was drawn from what libuv, libcurl, OpenSSL,
 * SQLite and glibc's threads use; a call that is new to a library shows in the kernel's log where the kernel is told to log errors. */
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "gate/confine_internal.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

/* Names that this libseccomp or this machine does not know are passed over. */
/* clang-format off */
static const char *const allowed[] = {
	/* files */
	"access", "chmod", "close", "close_range", "copy_file_range", "dup", "dup2", "dup3", "faccessat", "faccessat2", "fadvise64",
	"fallocate", "fchmod", "fchmodat", "fchown", "fcntl", "fdatasync", "flock", "fstat", "fstatfs", "fsync", "ftruncate", "futimesat",
	"getcwd", "getdents", "getdents64", "link", "linkat", "lseek", "lstat", "mkdir", "mkdirat", "newfstatat", "open", "openat", "pipe",
	"pipe2", "pread64", "preadv", "preadv2", "pwrite64", "pwritev", "pwritev2", "read", "readlink", "readlinkat", "readv", "rename",
	"renameat", "renameat2", "rmdir", "sendfile", "stat", "statfs", "statx", "sync_file_range", "truncate", "umask", "unlink",
	"unlinkat", "utimensat", "write", "writev", "inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch",
	/* memory */
	"brk", "madvise", "membarrier", "mincore", "mlock", "mremap", "msync", "munlock", "munmap",
	/* threads, signals and the end */
	"exit", "exit_group", "futex", "futex_waitv", "get_robust_list", "restart_syscall", "rseq", "rt_sigaction", "rt_sigpending",
	"rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
	"sched_yield", "set_robust_list", "set_tid_address", "sigaltstack",
	/* waiting and time */
	"clock_getres", "clock_gettime", "clock_nanosleep", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2",
	"epoll_wait", "eventfd2", "gettimeofday", "nanosleep", "poll", "ppoll", "pselect6", "select", "signalfd4", "time",
	"timerfd_create", "timerfd_gettime", "timerfd_settime",
	/* sockets, besides their making */
	"accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen", "recvfrom", "recvmmsg", "recvmsg",
	"sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown",
	/* about itself and the machine */
	"getcpu", "getegid", "geteuid", "getgid", "getpgrp", "getpid", "getppid", "getrandom", "getresgid", "getresuid", "getrlimit",
	"getrusage", "getsid", "gettid", "getuid", "sysinfo", "times", "uname",
};
/* clang-format on */

/* These say that they do not exist, so that libraries take their older way, whose arguments the filter can see. */
static const char *const absent[] = {"clone3", "fchmodat2", "io_uring_setup", "openat2"};

/* What AddressSanitizer's search for leaks does at the end. */
static const char *const tracing[] = {"kill", "prctl", "ptrace", "wait4", "waitid"};

/* An argument of which the bits in `mask` must be those of `value`. */
struct condition {
	unsigned argument;
	uint64_t mask, value;
};

/* Allowed with these arguments only. */
struct narrow {
	const char *name;
	unsigned count;
	struct condition conditions[2];
};

enum { EXECUTABLE = PROT_EXEC, BOTH = PROT_EXEC | PROT_WRITE };
#define WHOLE UINT64_MAX

static const struct narrow narrowed[] = {
	/* A thread, never a process. */
	{"clone", 1, {{0, CLONE_THREAD, CLONE_THREAD}}},
	/* Never writable and executable at once; code comes from files (NSS modules), not from what was written. */
	{"mmap", 1, {{2, EXECUTABLE, 0}}},
	{"mmap", 1, {{2, BOTH, EXECUTABLE}}},
	{"mprotect", 1, {{2, EXECUTABLE, 0}}},
	{"socket", 1, {{0, WHOLE, AF_UNIX}}},
	{"socket", 1, {{0, WHOLE, AF_INET}}},
	{"socket", 1, {{0, WHOLE, AF_INET6}}},
	/* getaddrinfo asks which kinds of address this machine has. */
	{"socket", 2, {{0, WHOLE, AF_NETLINK}, {2, WHOLE, NETLINK_ROUTE}}},
	{"socketpair", 1, {{0, WHOLE, AF_UNIX}}},
	{"ioctl", 1, {{1, WHOLE, FIONBIO}}},
	{"ioctl", 1, {{1, WHOLE, FIONREAD}}},
	{"ioctl", 1, {{1, WHOLE, FIOCLEX}}},
	{"ioctl", 1, {{1, WHOLE, TCGETS}}},
	{"ioctl", 1, {{1, WHOLE, TIOCGWINSZ}}},
	{"ioctl", 1, {{1, WHOLE, SIOCGIFINDEX}}},
	{"ioctl", 1, {{1, WHOLE, SIOCGIFNAME}}},
	{"prctl", 1, {{0, WHOLE, PR_SET_NAME}}},
	{"prctl", 1, {{0, WHOLE, PR_GET_NAME}}},
	{"prctl", 1, {{0, WHOLE, PR_GET_DUMPABLE}}},
	{"prctl", 1, {{0, WHOLE, PR_GET_NO_NEW_PRIVS}}},
	{"prctl", 1, {{0, WHOLE, PR_SET_VMA}}},
	{"prlimit64", 1, {{0, WHOLE, 0}}},
};

static int add_names(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int number = seccomp_syscall_resolve_name(names[i]);
		int r = number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(filter, action, number, 0);

		if (r < 0)
			return r;
	}
	return 0;
}

static int add_narrow(scmp_filter_ctx filter, const struct narrow *n)
{
	struct scmp_arg_cmp args[2] = {0};
	int number = seccomp_syscall_resolve_name(n->name);

	for (unsigned i = 0; i < n->count; i++)
		args[i] = (struct scmp_arg_cmp){.arg = n->conditions[i].argument,
		                                .op = SCMP_CMP_MASKED_EQ,
		                                .datum_a = n->conditions[i].mask,
		                                .datum_b = n->conditions[i].value};
	return number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, n->count, args);
}

static int add_narrowed(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < COUNT(narrowed); i++) {
		/* A second rule for what is allowed as a whole would be refused. */
		bool whole = CONFINE_LEAVES_TRACING && str_eq(str_of(narrowed[i].name), STR("prctl"));
		int r = whole ? 0 : add_narrow(filter, &narrowed[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Signals to itself only: abort() and raise() need them. */
static int add_own_signals(scmp_filter_ctx filter)
{
	const struct narrow thread = {"tgkill", 1, {{0, WHOLE, (uint64_t)getpid()}}}, process = {"kill", 1, {{0, WHOLE, (uint64_t)getpid()}}};
	int r = add_narrow(filter, &thread);

	return r < 0 || CONFINE_LEAVES_TRACING ? r : add_narrow(filter, &process);
}

static int add_tracing(scmp_filter_ctx filter)
{
	static const struct narrow tracer = {"clone", 1, {{0, CLONE_VM | CLONE_UNTRACED, CLONE_VM | CLONE_UNTRACED}}};
	int r = add_names(filter, SCMP_ACT_ALLOW, tracing, COUNT(tracing));

	return r < 0 ? r : add_narrow(filter, &tracer);
}

static int add_allowed(scmp_filter_ctx filter)
{
	int r = add_names(filter, SCMP_ACT_ALLOW, allowed, COUNT(allowed));

	/* These are for the other filter to refuse. */
	if (r == 0)
		r = add_names(filter, SCMP_ACT_ALLOW, absent, COUNT(absent));
	if (r == 0)
		r = add_narrowed(filter);
	if (r == 0)
		r = add_own_signals(filter);
	if (r == 0 && CONFINE_LEAVES_TRACING)
		r = add_tracing(filter);
	return r;
}

static int add_absent(scmp_filter_ctx filter)
{
	return add_names(filter, SCMP_ACT_ERRNO(ENOSYS), absent, COUNT(absent));
}

static void release(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

static int put_in_force(uint32_t otherwise, bool logged, int (*add)(scmp_filter_ctx filter), struct err *err)
{
	CLEANUP(release) scmp_filter_ctx filter = seccomp_init(otherwise);
	int r;

	if (!filter)
		return err_set(err, -ENOMEM, "out of memory for the filter of system calls");
	/* Wishes, not needs: old kernels do not log, an old library neither sorts nor tells the kernel's own error. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, logged);
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (r == 0)
		r = add(filter);
	if (r == 0)
		r = seccomp_load(filter);
	if (r < 0)
		return err_set(err, r, "cannot put the filter of system calls in force: %s", err_name(r));
	return 0;
}

int confine_calls(struct err *err)
{
	/* Two filters, of which the stricter answer counts, because a filter's refusals are logged all or none: every new thread tries clone3
	 * first, and that is no line for the kernel's log. */
	int r = put_in_force(SCMP_ACT_ALLOW, false, add_absent, err);

	return r < 0 ? r : put_in_force(SCMP_ACT_ERRNO(EPERM), true, add_allowed, err);
}
