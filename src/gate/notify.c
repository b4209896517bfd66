#include "gate/notify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/time.h"

enum { MESSAGE_BYTES = 1024, STATUS_BYTES = 400 };

static struct {
	bool opened; /* the environment was looked at */
	int fd;      /* -1: nobody asked to be told */
	struct sockaddr_un to;
	socklen_t to_length;
} manager = {.fd = -1};

static int read_address(struct str name)
{
	manager.to = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (name.n < 2 || (name.p[0] != '/' && name.p[0] != '@') || name.n >= sizeof(manager.to.sun_path))
		return -EINVAL;
	memcpy(manager.to.sun_path, name.p, name.n);
	manager.to_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name.n);
	if (name.p[0] == '@')
		manager.to.sun_path[0] = '\0'; /* an abstract name is as long as it is, without a NUL at its end */
	else
		manager.to_length++;
	return 0;
}

static int reach(int fd)
{
	return connect(fd, (const struct sockaddr *)&manager.to, manager.to_length) < 0 ? -errno : 0;
}

int notify_open(struct err *err)
{
	struct str name = str_of(getenv("NOTIFY_SOCKET"));
	CLEANUP_FD int fd = -1;
	int r;

	notify_close();
	manager.opened = true;
	if (name.n == 0)
		return 0;
	if (read_address(name) < 0)
		return err_set(err, -EINVAL, "NOTIFY_SOCKET=%.*s is neither a path nor @NAME", STR_ARG(name));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, -errno, "cannot make a socket for NOTIFY_SOCKET: %s", err_name(-errno));
	r = reach(fd);
	if (r < 0)
		return err_set(err, r, "cannot reach NOTIFY_SOCKET=%.*s: %s", STR_ARG(name), err_name(r));
	manager.fd = fd;
	fd = -1;
	return 0;
}

void notify_close(void)
{
	if (manager.fd >= 0)
		close(manager.fd);
	manager.fd = -1;
	manager.opened = false;
}

static int tell(struct buf *message, int flags)
{
	ssize_t sent;
	int r = manager.opened ? 0 : notify_open(NULL);

	if (r < 0 || manager.fd < 0)
		return r;
	if (message->error)
		return message->error;
	sent = send(manager.fd, message->p, message->n, flags | MSG_NOSIGNAL);
	/* The reader was started anew and listens at the same place. */
	if (sent < 0 && (errno == ECONNREFUSED || errno == ENOTCONN) && reach(manager.fd) == 0)
		sent = send(manager.fd, message->p, message->n, flags | MSG_NOSIGNAL);
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

static int tell_state(struct str state, struct str status, int flags)
{
	CLEANUP_BUF struct buf message = BUF(MESSAGE_BYTES);

	buf_add_str(&message, state);
	add_status(&message, status);
	return tell(&message, flags);
}

int notify_ready(const char *status)
{
	/* Lost, this one would have the service killed as never started: it may wait for room. */
	return tell_state(STR("READY=1\n"), str_of(status), 0);
}

int notify_reloading(void)
{
	CLEANUP_BUF struct buf message = BUF(MESSAGE_BYTES);

	/* The time tells a reload that was asked for from one that began before the asking. */
	buf_printf(&message, "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\n", time_monotonic());
	return tell(&message, MSG_DONTWAIT);
}

int notify_stopping(void)
{
	return tell_state(STR("STOPPING=1\n"), STR_NULL, MSG_DONTWAIT);
}

int notify_status(const char *status)
{
	return str_of(status).n == 0 ? 0 : tell_state(STR_NULL, str_of(status), MSG_DONTWAIT);
}

int notify_watchdog(void)
{
	return tell_state(STR("WATCHDOG=1\n"), STR_NULL, MSG_DONTWAIT);
}
