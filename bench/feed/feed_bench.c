/* Opens an index and asks: how long the opening takes, and how many questions a CPU second answers, of packages that something is known about
 * and of others, which are nearly all of them in a real project. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "advisory/feed.h"
#include "base/limits.h"

enum { OPENINGS = 21, NAMES = 50000 };

struct names {
	struct arena *arena;
	struct str *list;
	size_t count;
};

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int collect(void *arg, const struct advisories_entry *e)
{
	struct names *n = arg;

	for (size_t i = 0; i < e->package_count && n->count < NAMES; i++)
		if (e->packages[i].ecosystem == ECOSYSTEM_NPM)
			n->list[n->count++] = arena_str(n->arena, e->packages[i].name);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct advisories *open_timed(const char *path)
{
	double taken[OPENINGS];
	struct advisories *all = NULL;
	struct err err = {0};

	for (int i = 0; i < OPENINGS; i++) {
		struct timespec from, to;

		advisories_unref(all);
		clock_gettime(CLOCK_MONOTONIC, &from);
		if (advisories_open(path, &all, &err) < 0) {
			fprintf(stderr, "%s\n", err.text);
			exit(1);
		}
		clock_gettime(CLOCK_MONOTONIC, &to);
		taken[i] = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
	}
	qsort(taken, OPENINGS, sizeof(double), by_value);
	printf("opening: %.3f ms (median of %d)\n", taken[OPENINGS / 2], OPENINGS);
	return all;
}

static void ask(const struct advisories *all, const struct names *n, bool known, const char *label)
{
	double begun, taken;
	size_t asked = 0, found = 0;
	uint32_t draw = 1;

	begun = cpu_seconds();
	do {
		CLEANUP_ARENA struct arena *a = arena_new(64 * MIB);

		for (int i = 0; i < 1000; i++, asked++) {
			struct advisory *got;
			struct str name;
			char other[256];

			draw = draw * 1103515245 + 12345;
			name = n->list[(draw >> 8) % n->count];
			if (!known)
				name = (struct str){other, (size_t)snprintf(other, sizeof(other), "%.*s-x", STR_ARG(name))};
			found += advisories_match(all, ECOSYSTEM_NPM, name, STR("1.2.3"), 0, a, &got);
		}
		taken = cpu_seconds() - begun;
	} while (taken < 1);
	printf("%s: %.2f million a CPU second (%zu asked, %zu advisories)\n", label, (double)asked / taken / 1e6, asked, found);
}

int main(int argc, char **argv)
{
	struct names n = {.arena = arena_new(256 * MIB)};
	struct advisories *all;
	struct err err = {0};

	if (argc != 2) {
		fprintf(stderr, "usage: feed_bench INDEX\n");
		return 2;
	}
	all = open_timed(argv[1]);
	n.list = calloc(NAMES, sizeof(*n.list));
	if (!n.list || advisories_each(all, collect, &n, &err) < 0 || n.count == 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	ask(all, &n, false, "packages of which nothing is known");
	ask(all, &n, true, "packages of which something is known");
	advisories_unref(all);
	arena_free(n.arena);
	free(n.list);
	return 0;
}
