/* Landlock and capabilities belong to a thread, and Linux has no call that reaches them all (Landlock before ABI 8, capabilities never). So
 * every thread is sent a signal whose handler does it there, as libpsx does for libcap. */
#include <dirent.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>

#include "base/str.h"
#include "base/time.h"
#include "gate/confine_internal.h"

enum { THREADS_MAX = 256 };
/* The store's thread may be inside an fsync of a slow disk. */
#define PATIENCE (10 * USEC_SECOND)

static struct {
	int ruleset;
	bool low_ports;
	_Atomic int answers;
	_Atomic int error; /* the first one of any thread */
} order;

/* Only what is safe in a signal handler. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3], kept[_LINUX_CAPABILITY_U32S_3] = {0};

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* older kernels have none */
	if (syscall(SYS_capget, &header, sets) < 0)
		return -errno;
	if (order.low_ports)
		kept[0].effective = kept[0].permitted = sets[0].permitted & (1U << CAP_NET_BIND_SERVICE);
	/* A service manager that gave none may also forbid the call. */
	if (memcmp(sets, kept, sizeof(kept)) != 0 && syscall(SYS_capset, &header, kept) < 0)
		return -errno;
	return 0;
}

static int confine_this_thread(void)
{
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	r = drop_capabilities();
	if (r == 0 && order.ruleset >= 0 && syscall(SYS_landlock_restrict_self, order.ruleset, 0) < 0)
		r = -errno;
	return r;
}

static void obey(int signal_number)
{
	int saved = errno, none = 0, r = confine_this_thread();

	(void)signal_number;
	if (r < 0)
		atomic_compare_exchange_strong(&order.error, &none, r);
	atomic_fetch_add(&order.answers, 1);
	errno = saved;
}

static bool is_done(const pid_t *done, size_t count, pid_t thread)
{
	for (size_t i = 0; i < count; i++)
		if (done[i] == thread)
			return true;
	return false;
}

/* A thread that has not been reached yet, 0 when there is none, or negative errno. */
static pid_t next_thread(const pid_t *done, size_t count)
{
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *entry;
	pid_t found = 0;
	uint64_t id;

	if (!tasks)
		return -errno;
	while (found == 0 && (entry = readdir(tasks)))
		if (str_to_u64(str_of(entry->d_name), &id) == 0 && !is_done(done, count, (pid_t)id))
			found = (pid_t)id;
	closedir(tasks);
	return found;
}

static int reach(pid_t thread, int signal_number, struct err *err)
{
	int before = atomic_load(&order.answers);
	usec deadline = time_monotonic() + PATIENCE;

	while (syscall(SYS_tgkill, getpid(), thread, signal_number) < 0) {
		if (errno == ESRCH)
			return 0; /* it has ended */
		if (errno != EAGAIN || time_monotonic() > deadline)
			return err_set(err, -errno, "cannot reach thread %d to confine it: %s", (int)thread, err_name(-errno));
	}
	while (atomic_load(&order.answers) == before) {
		nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
		if (syscall(SYS_tgkill, getpid(), thread, 0) < 0 && errno == ESRCH)
			return 0;
		if (time_monotonic() > deadline)
			return err_set(err, -EBUSY, "thread %d does not answer, so it cannot be confined", (int)thread);
	}
	return 0;
}

/* Until no thread is left that was not reached: one that was made meanwhile by a free thread is free too. */
static int reach_all(int signal_number, struct err *err)
{
	pid_t done[THREADS_MAX] = {(pid_t)syscall(SYS_gettid)}, thread;

	for (size_t count = 1; count < THREADS_MAX; count++) {
		int r;

		thread = next_thread(done, count);
		if (thread == 0)
			return 0;
		if (thread < 0)
			return err_set(err, thread, "cannot list this process's threads in /proc/self/task: %s", err_name(thread));
		r = reach(thread, signal_number, err);
		if (r < 0)
			return r;
		done[count] = thread;
	}
	return err_set(err, -EBUSY, "more than %d threads: confinement comes too late", THREADS_MAX);
}

int confine_threads(int ruleset, bool low_ports, struct err *err)
{
	/* One that nothing else here uses. What was interrupted goes on. */
	int signal_number = SIGRTMAX - 1, r;
	struct sigaction action = {.sa_handler = obey, .sa_flags = SA_RESTART | SA_ONSTACK}, before;

	order.ruleset = ruleset;
	order.low_ports = low_ports;
	if (sigaction(signal_number, &action, &before) < 0)
		return err_set(err, -errno, "cannot set a signal's handler: %s", err_name(-errno));
	/* The others first: this thread may afterwards not be allowed to signal them. */
	r = reach_all(signal_number, err);
	sigaction(signal_number, &before, NULL);
	if (r < 0)
		return r;
	r = order.error ? order.error : confine_this_thread();
	return r < 0 ? err_set(err, r, "cannot take privileges and files from a thread: %s", err_name(r)) : 0;
}
