#include "unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gate/notify.h"

static char folder[200], path[300];

/* The service manager's end. */
static int listen_at(const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t n = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	memcpy(a.sun_path, name, n);
	if (name[0] == '@')
		a.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)), 0);
	return fd;
}

static void receive(int fd, char *ret, size_t size)
{
	ssize_t n = recv(fd, ret, size - 1, MSG_DONTWAIT);

	assert_true(n > 0);
	ret[n] = '\0';
}

static void open_with(const char *address, struct notify *ret)
{
	struct err err = {0};

	setenv("NOTIFY_SOCKET", address, 1);
	assert_int_equal(notify_open(ret, &err), 0);
	assert_true(ret->fd >= 0);
}

static void without_a_socket_nothing_happens(void **state)
{
	(void)state;
	struct notify n;

	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_open(&n, NULL), 0);
	assert_int_equal(n.fd, -1);
	assert_int_equal(notify_ready(&n, STR("up")), 0);
	assert_int_equal(notify_watchdog(&n), 0);
	notify_close(&n);
}

static void addresses_that_are_none_are_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"relative/path", "/", "@", "vsock:2:1234"};
	char too_long[300];
	struct err err;
	struct notify n;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		setenv("NOTIFY_SOCKET", wrong[i], 1);
		assert_int_equal(notify_open(&n, &err), -EINVAL);
		assert_int_equal(n.fd, -1);
		assert_true(str_find(str_of(err.text), str_of(wrong[i])) >= 0);
	}
	memset(too_long, 'a', sizeof(too_long));
	too_long[0] = '/';
	too_long[sizeof(too_long) - 1] = '\0';
	setenv("NOTIFY_SOCKET", too_long, 1);
	assert_int_equal(notify_open(&n, &err), -EINVAL);
	setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
	assert_int_equal(notify_open(&n, &err), -ENOENT);
}

static void the_life_of_a_service_is_told(void **state)
{
	(void)state;
	char text[1000];
	int manager = listen_at(path);
	int64_t asked = 0;
	usec before = time_monotonic();
	struct notify n;

	open_with(path, &n);
	assert_int_equal(notify_ready(&n, STR("listening on 127.0.0.1:4873")), 0);
	receive(manager, text, sizeof(text));
	assert_string_equal(text, "READY=1\nSTATUS=listening on 127.0.0.1:4873\n");
	assert_int_equal(notify_reloading(&n), 0);
	receive(manager, text, sizeof(text));
	assert_int_equal(sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%" SCNd64 "\n", &asked), 1);
	assert_true(asked >= before && asked <= time_monotonic());
	assert_int_equal(notify_watchdog(&n), 0);
	receive(manager, text, sizeof(text));
	assert_string_equal(text, "WATCHDOG=1\n");
	assert_int_equal(notify_stopping(&n, STR_NULL), 0);
	receive(manager, text, sizeof(text));
	assert_string_equal(text, "STOPPING=1\n");
	notify_close(&n);
	close(manager);
	unlink(path);
}

static void a_status_is_one_line_and_short(void **state)
{
	(void)state;
	char text[1000], many[3000];
	int manager = listen_at(path);
	struct notify n;

	open_with(path, &n);
	assert_int_equal(notify_status(&n, STR("bad policy\nMAINPID=1\tline 3")), 0);
	receive(manager, text, sizeof(text));
	assert_string_equal(text, "STATUS=bad policy MAINPID=1 line 3\n");
	memset(many, 'x', sizeof(many));
	assert_int_equal(notify_status(&n, (struct str){many, sizeof(many)}), 0);
	receive(manager, text, sizeof(text));
	assert_true(strlen(text) < 500);
	notify_close(&n);
	close(manager);
	unlink(path);
}

static void abstract_sockets_are_reached(void **state)
{
	(void)state;
	char name[60], text[100];
	int manager;
	struct notify n;

	snprintf(name, sizeof(name), "@bondgate-test-%d", (int)getpid());
	manager = listen_at(name);
	open_with(name, &n);
	assert_int_equal(notify_watchdog(&n), 0);
	receive(manager, text, sizeof(text));
	assert_string_equal(text, "WATCHDOG=1\n");
	notify_close(&n);
	close(manager);
}

static void a_manager_started_anew_is_found_again(void **state)
{
	(void)state;
	char text[100];
	int manager = listen_at(path);
	struct notify n;

	open_with(path, &n);
	close(manager);
	assert_true(notify_watchdog(&n) < 0);
	unlink(path);
	manager = listen_at(path);
	assert_int_equal(notify_watchdog(&n), 0);
	receive(manager, text, sizeof(text));
	assert_string_equal(text, "WATCHDOG=1\n");
	notify_close(&n);
	close(manager);
	unlink(path);
}

static void a_reader_that_sleeps_is_not_waited_for(void **state)
{
	(void)state;
	int manager = listen_at(path), r = 0;
	struct notify n;

	open_with(path, &n);
	for (int i = 0; i < 100000 && r == 0; i++)
		r = notify_watchdog(&n);
	assert_int_equal(r, -EAGAIN);
	notify_close(&n);
	close(manager);
	unlink(path);
}

static void the_watchdog_is_fed_twice_in_its_time(void **state)
{
	(void)state;
	static const struct {
		const char *allowed, *pid;
		usec every;
	} table[] = {
		{"30000000", NULL, 15 * USEC_SECOND},
		{"30000000", "own", 15 * USEC_SECOND},
		{"30000000", "1", 0},
		{NULL, NULL, 0},
		{"0", NULL, 0},
		{"soon", NULL, 0},
		{"-5", NULL, 0},
		{"18446744073709551615", NULL, 0},
	};
	char own[20];
	int manager = listen_at(path);

	snprintf(own, sizeof(own), "%d", (int)getpid());
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct notify n;

		unsetenv("WATCHDOG_USEC");
		unsetenv("WATCHDOG_PID");
		if (table[i].allowed)
			setenv("WATCHDOG_USEC", table[i].allowed, 1);
		if (table[i].pid)
			setenv("WATCHDOG_PID", strcmp(table[i].pid, "own") == 0 ? own : table[i].pid, 1);
		open_with(path, &n);
		assert_int_equal(n.watchdog, table[i].every);
		notify_close(&n);
	}
	close(manager);
	unlink(path);
}

static int make_folder(void **state)
{
	(void)state;
	/* Not TMPDIR, which may be too long for the address of a socket. */
	snprintf(folder, sizeof(folder), "/tmp/bondgate-notify-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/socket", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_socket_nothing_happens),       cmocka_unit_test(addresses_that_are_none_are_refused),
		cmocka_unit_test(the_life_of_a_service_is_told),          cmocka_unit_test(a_status_is_one_line_and_short),
		cmocka_unit_test(abstract_sockets_are_reached),           cmocka_unit_test(a_manager_started_anew_is_found_again),
		cmocka_unit_test(a_reader_that_sleeps_is_not_waited_for), cmocka_unit_test(the_watchdog_is_fed_twice_in_its_time),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
