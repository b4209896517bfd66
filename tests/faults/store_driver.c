/* What store_kill.py kills: a process that writes and says on standard output what was acknowledged, one line each, written at
 * once; and the one that looks afterwards.
 *
 *	store_driver write FOLDER FROM   evidence and packages numbered from FROM on, for ever
 *	store_driver fill FOLDER         evidence until it fails; then a line on standard input, and once more
 *	store_driver check FOLDER AFTER  the chain, the records after seq AFTER, and for each number on standard input a package
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <pthread.h>

#include "store/store.h"

enum { UNDER_WAY = 64 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t done = PTHREAD_COND_INITIALIZER;
static int under_way;

/* One write(2) a line, so that a line is there whole or not at all. */
static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
	char line[700];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (n < 0 || write(1, line, (size_t)n) != n)
		_exit(1);
}

static void must(int r, const struct err *err)
{
	if (r == 0)
		return;
	say("error %s\n", err->text);
	exit(1);
}

static void finished(const char *what, void *arg, int r)
{
	if (r == 0)
		say("%s %lld\n", what, (long long)(intptr_t)arg);
	else
		say("failed %d\n", r);
	pthread_mutex_lock(&lock);
	under_way--;
	pthread_cond_signal(&done);
	pthread_mutex_unlock(&lock);
}

static void recorded(void *arg, int r)
{
	finished("recorded", arg, r);
}

static void saved(void *arg, int r)
{
	finished("saved", arg, r);
}

static void wait_for_room(int most)
{
	pthread_mutex_lock(&lock);
	while (under_way >= most)
		pthread_cond_wait(&done, &lock);
	under_way++;
	pthread_mutex_unlock(&lock);
}

static struct evidence numbered(long long n, char text[24])
{
	snprintf(text, 24, "%lld", n);
	return (struct evidence){.time = time_now(), .kind = EVIDENCE_RECEIPT, .name = STR("package"), .version = STR("1.0.0"),
				 .client = STR("192.0.2.1"), .agent = STR("npm/11.0.0 node/v24.1.0 linux x64"), .detail = str_of(text)};
}

static _Noreturn void write_for_ever(struct store *s, long long from)
{
	for (long long n = from;; n++) {
		struct seen_version v[3] = {{.version = STR("1.0.0")}, {.version = STR("1.1.0")}, {.version = STR("2.0.0")}};
		struct seen_package p = {.origin = STR("npm"), .versions = v, .version_count = 3};
		char text[24];
		struct evidence e = numbered(n, text);

		wait_for_room(UNDER_WAY);
		store_append(s, &e, recorded, (void *)(intptr_t)n);
		p.name = str_of(text);
		wait_for_room(UNDER_WAY);
		store_package_save(s, &p, saved, (void *)(intptr_t)n);
	}
}

static int append_one(struct store *s, long long n)
{
	char text[24];
	struct evidence e = numbered(n, text);
	struct err err = {0};
	int r = store_append_wait(s, &e, &err);

	if (r == 0)
		say("recorded %lld\n", n);
	else
		say("failed %d %s\n", r, err.text);
	return r;
}

static int fill(struct store *s)
{
	long long n = 0;
	char line[16];

	while (append_one(s, n) == 0)
		n++;
	/* Still full: each failure is told, nothing hangs. */
	append_one(s, n + 1);
	if (!fgets(line, sizeof(line), stdin))
		return 1;
	return append_one(s, n + 2) == 0 ? 0 : 1;
}

static int print_record(void *arg, const struct evidence *e)
{
	(void)arg;
	say("record %.*s\n", STR_ARG(e->detail));
	return 0;
}

static int check(struct store *s, int64_t after)
{
	struct evidence_filter f = {.kind = -1, .ecosystem = -1, .after_seq = after};
	struct evidence_check c;
	struct err err = {0};
	char line[32];

	must(store_evidence_verify(s, &c, &err), &err);
	say("chain %lld %lld %lld\n", (long long)c.records, (long long)c.last_seq, (long long)c.broken_seq);
	must(store_evidence(s, &f, print_record, NULL, &err), &err);
	while (fgets(line, sizeof(line), stdin)) {
		CLEANUP_ARENA struct arena *a = arena_new(65536);
		struct seen_package p;

		must(store_package_load(s, STR("npm"), ECOSYSTEM_NPM, str_trim(str_of(line)), a, &p, &err), &err);
		if (p.version_count != 3)
			say("half %s", line);
	}
	say("checked\n");
	return 0;
}

int main(int argc, char **argv)
{
	bool looks = argc == 4 && strcmp(argv[1], "check") == 0;
	struct store *s;
	struct err err = {0};
	int64_t number = 0;
	int r;

	if (argc < 3 || (argc == 4 && str_to_i64(str_of(argv[3]), &number) < 0))
		return 2;
	must(store_open(argv[2], looks ? STORE_READ : STORE_WRITE, &s, &err), &err);
	if (looks)
		r = check(s, number);
	else if (strcmp(argv[1], "fill") == 0)
		r = fill(s);
	else
		write_for_ever(s, number);
	store_close(s);
	return r;
}
