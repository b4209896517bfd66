/* One name a line from the standard input; of those that resemble something, "NAME<tab>RESEMBLES". With --time, the microseconds that a question
 * took on the average instead. For look_alike_data.py and bench/look_alike. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/limits.h"
#include "policy/policy.h"

enum { NAMES = 1000000 };

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static char line[KIB];
	CLEANUP_ARENA struct arena *a = arena_new(1 * GIB);
	struct str *names = ARENA_ARRAY(a, struct str, NAMES);
	enum ecosystem e = ECOSYSTEM_NPM;
	struct policy *p = policy_builtin();
	size_t count = 0, found = 0;
	double start;

	if (!p || !names || argc < 2 || ecosystem_parse(str_of(argv[1]), &e) < 0)
		return 2;
	while (count < NAMES && fgets(line, sizeof(line), stdin))
		names[count++] = arena_str(a, str_trim(str_of(line)));
	policy_resembles(p, e, STR("warm-up"));
	start = cpu_seconds();
	for (size_t i = 0; i < count; i++) {
		struct str other = policy_resembles(p, e, names[i]);

		found += other.n > 0;
		if (other.n && argc < 3)
			printf("%.*s\t%.*s\n", STR_ARG(names[i]), STR_ARG(other));
	}
	if (argc > 2)
		printf("%zu names, %zu alarms, %.2f us a question\n", count, found, (cpu_seconds() - start) * 1e6 / (double)(count ? count : 1));
	policy_unref(p);
	return 0;
}
