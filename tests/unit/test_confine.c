/* Each case runs in a child of its own: confinement is for good. A child that a tracer or a slow machine stops is ended by an alarm. */
#include "unit.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "gate/confine.h"
#include "gate/watch_files.h"

extern char **environ;

static char state_dir[256], outside_dir[256], policy_dir[300], outside_file[300], policy_file[350];

/* In a child the first thing that is not as it should be ends it with a sentence. */
static int failures_to;

static void expect(bool holds, const char *what)
{
	char text[200];

	if (holds)
		return;
	snprintf(text, sizeof(text), "%s (errno %d)", what, errno);
	if (write(failures_to, text, strlen(text)) < 0)
		_exit(3);
	_exit(1);
}

static void confine(void)
{
	const char *read[] = {policy_file, "/nowhere/at/all"};
	const char *write[] = {state_dir};
	struct confine_paths paths = {.read = read, .read_count = 2, .write = write, .write_count = 1};
	struct err err = {0};

	if (confine_start(&paths, &err) < 0)
		expect(false, err.text);
}

static void run_child(void (*body)(void))
{
	int pipes[2], status = 0;
	char text[256];
	ssize_t n;
	pid_t child;

	assert_int_equal(pipe(pipes), 0);
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		failures_to = pipes[1];
		close(pipes[0]);
		alarm(60);
		body();
		_exit(0);
	}
	close(pipes[1]);
	n = read(pipes[0], text, sizeof(text) - 1);
	close(pipes[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (n > 0) {
		text[n] = '\0';
		fail_msg("%s", text);
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* run_child takes no argument, and one case runs at a time. */
static void (*confined_body)(void);

static void confine_and_run(void)
{
	confine();
	confined_body();
}

static void run_confined(void (*body)(void))
{
	confined_body = body;
	run_child(confine_and_run);
}

static bool has_landlock(void)
{
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 2)
		return true;
	print_message("skipped: this kernel has no Landlock of ABI 2 (Linux 5.19) or does not run it\n");
	return false;
}

static bool cannot_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd < 0 && (errno == EACCES || errno == EPERM);
}

static char *in_state(const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s", state_dir, name);
	return path;
}

static void try_files(void)
{
	char to[400];
	int fd;

	expect(cannot_open("/etc/shadow", O_RDONLY), "/etc/shadow can be read");
	expect(cannot_open(outside_file, O_RDONLY), "a file outside can be read");
	expect(cannot_open(outside_file, O_WRONLY), "a file outside can be written");
	expect(truncate(outside_file, 0) < 0, "a file outside can be emptied");
	snprintf(to, sizeof(to), "%s/new", outside_dir);
	expect(cannot_open(to, O_WRONLY | O_CREAT), "a file can be made outside");
	expect(cannot_open(policy_file, O_WRONLY), "what may be read can be written");
	fd = open(policy_file, O_RDONLY | O_CLOEXEC);
	expect(fd >= 0, "what may be read cannot");
	close(fd);
	expect(rename(in_state("folder"), to) < 0, "a folder can be moved outside");
	expect(symlink(outside_file, in_state("link")) < 0, "a symbolic link can be made");
}

static void files_outside_are_out_of_reach(void **state)
{
	(void)state;
	struct stat st;

	if (!has_landlock())
		skip();
	run_confined(try_files);
	assert_int_equal(stat(outside_file, &st), 0);
	assert_int_equal(st.st_size, 6);
}

static void try_state(void)
{
	CLEANUP_BUF struct buf content = BUF(100);
	CLEANUP_FREE char *from = str_dup(str_of(in_state("a/one"))), *to = str_dup(str_of(in_state("b/two")));
	struct err err;

	expect(dir_make(in_state("a"), 0700, &err) == 0 && dir_make(in_state("b"), 0700, &err) == 0, "no folder can be made");
	expect(file_replace(from, STR("text"), 0600, &err) == 0, "no file can be replaced");
	expect(rename(from, to) == 0, "no file can be moved between folders");
	expect(file_read(to, &content, &err) == 0 && str_eq(buf_str(&content), STR("text")), "what was written cannot be read");
	expect(truncate(to, 0) == 0 && unlink(to) == 0, "a file cannot be emptied and removed");
	expect(rmdir(in_state("a")) == 0 && rmdir(in_state("b")) == 0, "a folder cannot be removed");
}

static void the_state_folder_can_be_used(void **state)
{
	(void)state;
	run_confined(try_state);
}

static void try_processes(void)
{
	char program[] = "/bin/true", *arguments[] = {program, NULL};
	pid_t child = fork();

	if (child == 0)
		_exit(9);
	expect(child < 0 && errno == EPERM, "fork works");
	expect(syscall(SYS_vfork) < 0, "vfork works");
	expect(posix_spawn(&child, arguments[0], NULL, NULL, arguments, environ) != 0, "posix_spawn works");
	expect(execv(arguments[0], arguments) < 0 && errno == EPERM, "exec works");
	expect(kill(getppid(), 0) < 0 && errno == EPERM, "another process can be sent signals");
	expect(kill(getpid(), 0) == 0, "it cannot send itself a signal");
}

static void no_process_is_made_or_reached(void **state)
{
	(void)state;
	run_confined(try_processes);
}

struct forbidden_call {
	const char *what;
	long number;
	long arguments[3];
};

static void try_calls(void)
{
	static const struct forbidden_call calls[] = {
		{"bpf", SYS_bpf, {0}},
		{"keyctl", SYS_keyctl, {0}},
		{"perf_event_open", SYS_perf_event_open, {0}},
		{"userfaultfd", SYS_userfaultfd, {0}},
		{"mount", SYS_mount, {0}},
		{"unshare", SYS_unshare, {0}},
		{"setns", SYS_setns, {-1, 0, 0}},
		{"personality", SYS_personality, {0xffffffff, 0, 0}},
		{"chroot", SYS_chroot, {0}},
		{"open_by_handle_at", SYS_open_by_handle_at, {0}},
		{"init_module", SYS_init_module, {0}},
		{"kexec_load", SYS_kexec_load, {0}},
		{"process_vm_readv", SYS_process_vm_readv, {0}},
		{"setuid", SYS_setuid, {0}},
		{"capset", SYS_capset, {0}},
		{"packet sockets", SYS_socket, {AF_PACKET, SOCK_DGRAM, 0}},
		{"audit sockets", SYS_socket, {AF_NETLINK, SOCK_RAW, 9}},
		{"writing to the terminal's input", SYS_ioctl, {0, 0x5412, 0}},
		{"kcmp", SYS_kcmp, {0}},
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		const struct forbidden_call *c = &calls[i];
		long r = syscall(c->number, c->arguments[0], c->arguments[1], c->arguments[2], 0, 0, 0);

		expect(r < 0 && errno == EPERM, c->what);
	}
	expect(syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS, "clone3");
	expect(syscall(SYS_io_uring_setup, 1, NULL) < 0 && errno == ENOSYS, "io_uring_setup");
}

static void other_calls_are_refused(void **state)
{
	(void)state;
	run_confined(try_calls);
}

static void try_memory(void)
{
	void *both = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	expect(both == MAP_FAILED, "memory can be written and executed");
	expect(data != MAP_FAILED, "no memory can be had");
	expect(mprotect(data, 4096, PROT_READ | PROT_EXEC) < 0, "what was written can be made executable");
}

static void what_was_written_is_never_executed(void **state)
{
	(void)state;
	run_confined(try_memory);
}

static bool no_capabilities_left(const char *path)
{
	CLEANUP_BUF struct buf status = BUF(65536);
	struct err err;
	ptrdiff_t at;

	if (file_read(path, &status, &err) < 0)
		return false;
	at = str_find(buf_str(&status), STR("CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"));
	return at >= 0;
}

static void try_privileges(void)
{
	expect(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "new privileges can be had");
	expect(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0, "a core file can be written");
	expect(no_capabilities_left("/proc/self/status"), "capabilities are left");
	expect(str_find(str_of(confine_describe()), STR("seccomp, no new privileges, no capabilities")) >= 0, confine_describe());
}

static void no_privilege_is_left(void **state)
{
	(void)state;
	run_confined(try_privileges);
}

static void *add_one(void *arg)
{
	CLEANUP_FREE void *memory = malloc(1 << 20);

	__atomic_fetch_add((int *)arg, memory != NULL, __ATOMIC_SEQ_CST);
	expect(cannot_open("/etc/shadow", O_RDONLY), "a thread can read /etc/shadow");
	return NULL;
}

static void try_threads(void)
{
	pthread_t threads[8];
	int count = 0;

	for (int i = 0; i < 8; i++)
		expect(pthread_create(&threads[i], NULL, add_one, &count) == 0, "no thread can be made");
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	expect(count == 8, "not every thread ran");
}

static void threads_work_and_are_confined_too(void **state)
{
	(void)state;
	if (!has_landlock())
		skip();
	run_confined(try_threads);
}

static int listen_on_loopback(int *ret_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	expect(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, 5) == 0, "cannot listen");
	expect(getsockname(fd, (struct sockaddr *)&a, &n) == 0, "the port is not told");
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static void *answer_once(void *arg)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
	int fd = accept(*(int *)arg, NULL, NULL);
	char request[1000];

	expect(fd >= 0, "cannot accept");
	expect(recv(fd, request, sizeof(request), 0) > 0, "no request came");
	expect(send(fd, answer, sizeof(answer) - 1, 0) > 0, "no answer goes out");
	close(fd);
	return NULL;
}

static size_t take_answer(char *bytes, size_t size, size_t n, void *into)
{
	buf_add(into, bytes, size * n);
	return size * n;
}

/* By name, so that the resolver's thread, NSS and /etc/hosts have their part in it. */
static void try_network(void)
{
	CLEANUP_BUF struct buf body = BUF(1000);
	int port, listener = listen_on_loopback(&port);
	char url[60], text[CURL_ERROR_SIZE + 30] = "curl: ";
	pthread_t server;
	CURL *curl;

	expect(pthread_create(&server, NULL, answer_once, &listener) == 0, "no thread can be made");
	snprintf(url, sizeof(url), "http://localhost:%d/", port);
	curl = curl_easy_init();
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, text + 6);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
	expect(curl_easy_perform(curl) == CURLE_OK, text);
	expect(str_eq(buf_str(&body), STR("ok")), "the answer is another");
	curl_easy_cleanup(curl);
	pthread_join(server, NULL);
	close(listener);
}

static void names_are_resolved_and_connected_to(void **state)
{
	(void)state;
	run_confined(try_network);
}

static void try_certificates(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	expect(context != NULL, "no TLS context");
	expect(access("/etc/ssl/certs/ca-certificates.crt", F_OK) != 0 ||
	           SSL_CTX_load_verify_file(context, "/etc/ssl/certs/ca-certificates.crt") == 1,
	       "the CA certificates cannot be read");
	SSL_CTX_free(context);
}

static void certificates_can_be_read(void **state)
{
	(void)state;
	run_confined(try_certificates);
}

static void try_sqlite(void)
{
	sqlite3 *db = NULL;
	char *text = NULL;
	int r = sqlite3_open(in_state("test.db"), &db);

	/* A sort that does not fit into the page cache, which the gate keeps in memory. */
	if (r == SQLITE_OK)
		r = sqlite3_exec(db,
		                 "pragma journal_mode=wal; pragma temp_store=memory; create table t(a); begin;"
		                 "with recursive n(i) as (select 1 union all select i+1 from n where i<20000)"
		                 "  insert into t select hex(randomblob(200)) from n;"
		                 "commit; create index i on t(a); select count(*) from (select a from t order by a||'x' limit 100);"
		                 "pragma wal_checkpoint(truncate); vacuum;",
		                 NULL, NULL, &text);
	expect(r == SQLITE_OK, text ? text : "the database cannot be opened");
	sqlite3_close(db);
}

static void sqlite_works_in_wal_mode(void **state)
{
	(void)state;
	run_confined(try_sqlite);
}

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

static void touch(void *arg)
{
	struct err err;

	(void)arg;
	expect(file_replace(in_state("watched"), STR("new"), 0600, &err) == 0, "the file cannot be replaced");
}

static void too_late(void *arg)
{
	(void)arg;
	expect(false, "the change was not seen");
}

static void try_loop(void)
{
	const char *path = in_state("watched");
	struct loop *l;
	struct file_watch *w;

	expect(loop_new(&l, NULL) == 0, "no loop can be made");
	w = file_watch_start(l, &path, 1, stop_loop, l);
	loop_after(l, 0, touch, NULL);
	loop_after(l, 30 * USEC_SECOND, too_late, NULL);
	loop_run(l);
	file_watch_stop(w);
	loop_free(l);
}

static void loops_and_file_watches_work(void **state)
{
	(void)state;
	run_confined(try_loop);
}

static void try_abstract_socket(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t n = sizeof(sa_family_t);
	int outside = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), inside;

	/* The kernel gives the abstract name. */
	expect(bind(outside, (struct sockaddr *)&a, n) == 0, "cannot bind");
	n = sizeof(a);
	expect(getsockname(outside, (struct sockaddr *)&a, &n) == 0, "no name");
	confine();
	inside = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	expect(connect(inside, (struct sockaddr *)&a, n) < 0 && errno == EPERM, "an abstract socket outside can be reached");
}

static void abstract_sockets_outside_are_out_of_reach(void **state)
{
	(void)state;
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 6) {
		print_message("skipped: this kernel's Landlock scopes no abstract sockets (ABI 6, Linux 6.12)\n");
		skip();
	}
	run_child(try_abstract_socket);
}

/* A policy that is given as a file is replaced by rename from outside. */
static void try_replaced_file(void)
{
	int ready[2], done[2];
	char byte = 0;
	pid_t writer;

	expect(pipe(ready) == 0 && pipe(done) == 0, "no pipes");
	writer = fork();
	if (writer == 0) {
		int r = read(ready[0], &byte, 1) == 1 ? file_replace(policy_file, STR("version: 1 # new\n"), 0644, NULL) : -1;

		_exit(write(done[1], &byte, 1) == 1 ? -r : 1);
	}
	confine();
	expect(write(ready[1], &byte, 1) == 1 && read(done[0], &byte, 1) == 1, "the file was not replaced");
	expect(open(policy_file, O_RDONLY | O_CLOEXEC) >= 0, "a policy that was replaced cannot be read");
	expect(cannot_open(outside_file, O_RDONLY), "the folder above can be read");
}

static void a_replaced_policy_can_be_read(void **state)
{
	(void)state;
	run_child(try_replaced_file);
}

static void try_wide_folders(void)
{
	const char *read[] = {"/no-such.yaml", "/etc/no-such.yaml", "/", ".", "/etc", policy_file};
	const char *write[] = {state_dir};
	struct confine_paths paths = {.read = read, .read_count = 6, .write = write, .write_count = 1};

	expect(chdir(outside_dir) == 0, "cannot go outside");
	setenv("HOME", outside_dir, 1);
	expect(confine_start(&paths, NULL) == 0, "cannot confine");
	expect(cannot_open("/etc/shadow", O_RDONLY), "/etc is allowed as a whole");
	expect(cannot_open("/", O_RDONLY | O_DIRECTORY), "the root is allowed as a whole");
	expect(cannot_open(outside_file, O_RDONLY), "the home is allowed as a whole");
}

static void wide_folders_are_never_allowed(void **state)
{
	(void)state;
	if (!has_landlock())
		skip();
	run_child(try_wide_folders);
}

static void *wait_for_end(void *arg)
{
	char byte;

	(void)!read(*(int *)arg, &byte, 1);
	return NULL;
}

static void try_second_thread(void)
{
	struct confine_paths none = {0};
	struct err err = {0};
	int pipes[2];
	pthread_t other;

	expect(pipe(pipes) == 0, "no pipe");
	expect(pthread_create(&other, NULL, wait_for_end, &pipes[0]) == 0, "no second thread");
	expect(confine_start(&none, &err) == -EBUSY, "threads that are there already would stay free");
	expect(str_eq(str_of(confine_describe()), STR("not confined")), confine_describe());
	close(pipes[1]);
	pthread_join(other, NULL);
}

static void a_second_thread_is_too_late(void **state)
{
	(void)state;
	run_child(try_second_thread);
}

static void try_missing_folder(void)
{
	const char *write[] = {"/nowhere/at/all"};
	struct confine_paths paths = {.write = write, .write_count = 1};
	struct err err = {0};

	expect(confine_start(&paths, &err) == -ENOENT, "a state folder that is not there is no error");
	expect(str_find(str_of(err.text), STR("/nowhere/at/all")) >= 0, err.text);
}

static void a_missing_state_folder_is_an_error(void **state)
{
	(void)state;
	run_child(try_missing_folder);
}

static void make_file(const char *path, struct str content)
{
	struct err err = {0};

	if (file_replace(path, content, 0644, &err) < 0)
		fail_msg("%s", err.text);
}

static int make_folders(void **state)
{
	(void)state;
	const char *base = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	char folder[300];

	snprintf(state_dir, sizeof(state_dir), "%s/bondgate-confine-XXXXXX", base);
	snprintf(outside_dir, sizeof(outside_dir), "%s/bondgate-outside-XXXXXX", base);
	if (!mkdtemp(state_dir) || !mkdtemp(outside_dir))
		return -1;
	snprintf(outside_file, sizeof(outside_file), "%s/file", outside_dir);
	snprintf(policy_dir, sizeof(policy_dir), "%s/policy", outside_dir);
	snprintf(policy_file, sizeof(policy_file), "%s/bondgate.yaml", policy_dir);
	if (mkdir(policy_dir, 0755) < 0)
		return -1;
	make_file(outside_file, STR("secret"));
	make_file(policy_file, STR("version: 1\n"));
	snprintf(folder, sizeof(folder), "%s/folder", state_dir);
	return mkdir(folder, 0700);
}

static int remove_folders(void **state)
{
	static const char *const made[] = {"folder", "test.db", "watched"};

	(void)state;
	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++)
		remove(in_state(made[i]));
	unlink(outside_file);
	unlink(policy_file);
	rmdir(policy_dir);
	rmdir(outside_dir);
	rmdir(state_dir);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_outside_are_out_of_reach),     cmocka_unit_test(the_state_folder_can_be_used),
		cmocka_unit_test(no_process_is_made_or_reached),      cmocka_unit_test(other_calls_are_refused),
		cmocka_unit_test(what_was_written_is_never_executed), cmocka_unit_test(no_privilege_is_left),
		cmocka_unit_test(threads_work_and_are_confined_too),  cmocka_unit_test(names_are_resolved_and_connected_to),
		cmocka_unit_test(certificates_can_be_read),           cmocka_unit_test(sqlite_works_in_wal_mode),
		cmocka_unit_test(loops_and_file_watches_work),        cmocka_unit_test(abstract_sockets_outside_are_out_of_reach),
		cmocka_unit_test(a_replaced_policy_can_be_read),      cmocka_unit_test(wide_folders_are_never_allowed),
		cmocka_unit_test(a_second_thread_is_too_late),        cmocka_unit_test(a_missing_state_folder_is_an_error),
	};
	return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
