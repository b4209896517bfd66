#include "gate/notify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"

enum { MESSAGE_BYTES = 1024, STATUS_BYTES = 400 };

static int read_address(struct str name, struct notify *n)
{
	n->to = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (name.n < 2 || (name.p[0] != '/' && name.p[0] != '@') || name.n >= sizeof(n->to.sun_path))
		return -EINVAL;
	memcpy(n->to.sun_path, name.p, name.n);
	n->to_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name.n);
	if (name.p[0] == '@')
		n->to.sun_path[0] = '\0'; /* an abstract name is as long as it is, without a NUL at its end */
	else
		n->to_length++;
	return 0;
}

/* Half of what is allowed, so that one late turn of the loop does no harm. */
static usec watchdog_from_environment(void)
{
	struct str allowed = str_of(getenv("WATCHDOG_USEC")), pid = str_of(getenv("WATCHDOG_PID"));
	uint64_t value;

	if (pid.n > 0 && (str_to_u64(pid, &value) < 0 || value != (uint64_t)getpid()))
		return 0;
	if (str_to_u64(allowed, &value) < 0 || value > INT64_MAX)
		return 0;
	return (usec)(value / 2);
}

int notify_open(struct notify *ret, struct err *err)
{
	struct str name = str_of(getenv("NOTIFY_SOCKET"));
	struct notify n = NOTIFY_NOBODY;

	*ret = n;
	if (name.n == 0)
		return 0;
	if (read_address(name, &n) < 0)
		return err_set(err, -EINVAL, "NOTIFY_SOCKET=%.*s is neither a path nor @NAME", STR_ARG(name));
	n.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n.fd < 0)
		return err_set(err, -errno, "cannot make a socket for NOTIFY_SOCKET: %s", err_name(-errno));
	if (connect(n.fd, (const struct sockaddr *)&n.to, n.to_length) < 0) {
		int r = -errno;

		close(n.fd);
		return err_set(err, r, "cannot reach NOTIFY_SOCKET=%.*s: %s", STR_ARG(name), err_name(r));
	}
	n.watchdog = watchdog_from_environment();
	*ret = n;
	return 0;
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	*n = NOTIFY_NOBODY;
}

static int tell(const struct notify *n, struct buf *message, int flags)
{
	ssize_t sent;

	if (n->fd < 0)
		return 0;
	if (message->error)
		return message->error;
	sent = send(n->fd, message->p, message->n, flags | MSG_NOSIGNAL);
	/* The reader was started anew and listens at the same place. */
	if (sent < 0 && (errno == ECONNREFUSED || errno == ENOTCONN) && connect(n->fd, (const struct sockaddr *)&n->to, n->to_length) == 0)
		sent = send(n->fd, message->p, message->n, flags | MSG_NOSIGNAL);
	return sent < 0 ? -errno : 0;
}

/* A line break would begin another assignment, which a text from elsewhere must not. */
static void add_status(struct buf *message, struct str status)
{
	if (status.n == 0)
		return;
	status = str_take(status, STATUS_BYTES);
	buf_add_str(message, STR("STATUS="));
	for (size_t i = 0; i < status.n; i++)
		buf_add_char(message, (unsigned char)status.p[i] < ' ' ? ' ' : status.p[i]);
	buf_add_char(message, '\n');
}

static int tell_state(const struct notify *n, struct str state, struct str status, int flags)
{
	CLEANUP_BUF struct buf message = BUF(MESSAGE_BYTES);

	buf_add_str(&message, state);
	add_status(&message, status);
	return tell(n, &message, flags);
}

int notify_ready(const struct notify *n, struct str status)
{
	/* Lost, this one would have the service killed as never started: it may wait for room. */
	return tell_state(n, STR("READY=1\n"), status, 0);
}

int notify_reloading(const struct notify *n)
{
	CLEANUP_BUF struct buf message = BUF(MESSAGE_BYTES);

	/* The time tells a reload that was asked for from one that began before the asking. */
	buf_printf(&message, "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\n", time_monotonic());
	return tell(n, &message, MSG_DONTWAIT);
}

int notify_stopping(const struct notify *n, struct str status)
{
	return tell_state(n, STR("STOPPING=1\n"), status, MSG_DONTWAIT);
}

int notify_status(const struct notify *n, struct str status)
{
	return status.n == 0 ? 0 : tell_state(n, STR_NULL, status, MSG_DONTWAIT);
}

int notify_watchdog(const struct notify *n)
{
	return tell_state(n, STR("WATCHDOG=1\n"), STR_NULL, MSG_DONTWAIT);
}
