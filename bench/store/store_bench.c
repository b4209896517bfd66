/* What the store costs: versions in bulk, receipts one by one from several threads, and reading back.
 * CPU time of the whole process, so that the writer's thread counts. Usage: store_bench FOLDER (made, must be empty). */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/limits.h"
#include "store/store.h"

enum { PACKAGES = 2000, VERSIONS = 200, THREADS = 8, RECEIPTS = 5000, HOT = 64 };

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(const char *what, double count, double cpu, usec wall)
{
	printf("%-42s %10.0f /s CPU  %10.0f /s wall  %6.2f us CPU each\n", what, count / cpu, count * 1e6 / (double)wall, cpu * 1e6 / count);
}

static void must(int r, const struct err *err)
{
	if (r < 0) {
		fprintf(stderr, "%s\n", err->text);
		exit(1);
	}
}

static void make_versions(struct seen_version *v, char (*texts)[2][128])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (int i = 0; i < VERSIONS; i++) {
		int n = snprintf(texts[i][1], 128, "sha512-");

		snprintf(texts[i][0], 128, "%d.%d.%d", i / 50, i / 5 % 10, i % 5);
		for (int k = 0; k < 85; k++)
			texts[i][1][n++] = digits[rand() % 64];
		n += snprintf(texts[i][1] + n, 8, "A==");
		v[i] = (struct seen_version){.version = str_of(texts[i][0]), .first_seen = 1700000000000000 + i, .upstream_time = 1600000000000000 + i,
					     .integrity = {texts[i][1], (size_t)n}, .shasum = STR("da39a3ee5e6b4b0d3255bfef95601890afd80709")};
	}
}

static void save_all(struct store *s, const char *what)
{
	static struct seen_version versions[VERSIONS];
	static char texts[VERSIONS][2][128];
	struct seen_tag latest = {STR("latest"), STR("1.0.0"), 5, STR("")};
	struct err err = {0};
	double cpu = cpu_seconds();
	usec wall = time_monotonic();

	make_versions(versions, texts);
	for (int i = 0; i < PACKAGES; i++) {
		char name[64];
		struct seen_package p = {.origin = STR("npm"), .first_snapshot = 1, .last_snapshot = 2, .versions = versions,
					 .version_count = VERSIONS, .tags = &latest, .tag_count = 1};

		snprintf(name, sizeof(name), "@scope-%d/package-%d", i * 7919 % 100, i);
		p.name = str_of(name);
		store_package_save(s, &p, NULL, NULL);
	}
	must(store_flush(s, &err), &err);
	report(what, (double)PACKAGES * VERSIONS, cpu_seconds() - cpu, time_monotonic() - wall);
}

static void load_all(struct store *s)
{
	double cpu = cpu_seconds();
	usec wall = time_monotonic();
	struct err err = {0};

	for (int i = 0; i < PACKAGES; i++) {
		CLEANUP_ARENA struct arena *a = arena_new(4 * MIB);
		struct seen_package p;
		char name[64];

		snprintf(name, sizeof(name), "@scope-%d/package-%d", i * 7919 % 100, i);
		must(store_package_load(s, STR("npm"), ECOSYSTEM_NPM, str_of(name), a, &p, &err), &err);
	}
	report("versions loaded", (double)PACKAGES * VERSIONS, cpu_seconds() - cpu, time_monotonic() - wall);
}

/* A gate's loop has many downloads under way: each thread keeps HOT receipts in flight and waits for the oldest. */
struct client {
	struct store *s;
	pthread_mutex_t lock;
	pthread_cond_t done;
	int under_way;
	bool with_facts;
};

static void receipt_done(void *arg, int r)
{
	struct client *c = arg;

	if (r < 0)
		abort();
	pthread_mutex_lock(&c->lock);
	c->under_way--;
	pthread_cond_signal(&c->done);
	pthread_mutex_unlock(&c->lock);
}

/* What was decided on for one of the 800 versions, as large as it is for a package with an advisory or two. */
static struct str facts_of(int i, char room[1024])
{
	return (struct str){room, (size_t)snprintf(room, 1024, "{\"name\":\"package-%d\",\"version\":\"1.2.3\",\"filler\":\"%0*d\"}", i, 700, i)};
}

static void *hand_out(void *arg)
{
	struct client *c = arg;
	char facts[1024];

	for (int i = 0; i < RECEIPTS; i++) {
		char name[64];
		struct evidence e = {.time = time_now(), .kind = EVIDENCE_RECEIPT, .version = STR("1.2.3"), .client = STR("192.0.2.7"),
				     .hash = STR("sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="),
				     .agent = STR("npm/11.0.0 node/v24.1.0 linux x64 workspaces/false"), .project = STR("web"), .decision = STR("allow")};

		snprintf(name, sizeof(name), "package-%d", i % 800);
		e.name = str_of(name);
		if (c->with_facts)
			e.facts = facts_of(i % 800, facts);
		pthread_mutex_lock(&c->lock);
		while (c->under_way >= HOT)
			pthread_cond_wait(&c->done, &c->lock);
		c->under_way++;
		pthread_mutex_unlock(&c->lock);
		store_append(c->s, &e, receipt_done, c);
	}
	pthread_mutex_lock(&c->lock);
	while (c->under_way)
		pthread_cond_wait(&c->done, &c->lock);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static void append_all(struct store *s, bool with_facts)
{
	static struct client clients[THREADS];
	pthread_t threads[THREADS];
	struct store_counters before, after;
	double cpu = cpu_seconds();
	usec wall = time_monotonic();

	store_counters(s, &before);
	for (int i = 0; i < THREADS; i++) {
		clients[i] = (struct client){.s = s, .with_facts = with_facts};
		pthread_mutex_init(&clients[i].lock, NULL);
		pthread_cond_init(&clients[i].done, NULL);
		if (pthread_create(&threads[i], NULL, hand_out, &clients[i]) != 0)
			abort();
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	report(with_facts ? "receipts, durable, with their facts" : "receipts, durable", (double)THREADS * RECEIPTS, cpu_seconds() - cpu, time_monotonic() - wall);
	store_counters(s, &after);
	printf("%-42s %10.1f\n", "receipts a commit", (double)(after.records - before.records) / (double)(after.commits - before.commits));
}

static void append_alone(struct store *s)
{
	enum { ALONE = 300 };
	struct evidence e = {.kind = EVIDENCE_RECEIPT, .name = STR("alone"), .version = STR("1.2.3")};
	struct err err = {0};
	double cpu = cpu_seconds();
	usec wall = time_monotonic();

	for (int i = 0; i < ALONE; i++)
		must(store_append_wait(s, &e, &err), &err);
	report("receipts, each waited for", ALONE, cpu_seconds() - cpu, time_monotonic() - wall);
}

static void verify(struct store *s)
{
	struct evidence_check c;
	struct err err = {0};
	double cpu = cpu_seconds();
	usec wall = time_monotonic();

	must(store_evidence_verify(s, &c, &err), &err);
	report("records verified", (double)c.records, cpu_seconds() - cpu, time_monotonic() - wall);
	if (c.broken_seq)
		abort();
}

int main(int argc, char **argv)
{
	struct store *s;
	struct err err = {0};

	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	must(store_open(argv[1], STORE_WRITE, &s, &err), &err);
	save_all(s, "versions saved, new");
	save_all(s, "versions saved again");
	load_all(s);
	append_all(s, false);
	append_all(s, true);
	append_alone(s);
	verify(s);
	store_close(s);
	return 0;
}
