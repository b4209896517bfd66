/* For advisory_oracle.js: loads the advisories of PATH, reads "NAME VERSION" lines and prints each with the ids that match, sorted. */
#include <stdio.h>
#include <stdlib.h>

#include "advisory/advisory.h"
#include "base/limits.h"

static int by_id(const void *a, const void *b)
{
	return str_cmp(((const struct advisory *)a)->id, ((const struct advisory *)b)->id);
}

int main(int argc, char **argv)
{
	struct advisories *all;
	struct err err = {0};
	size_t records, skipped;
	char line[1024];

	if (argc != 2 || advisories_load(argv[1], &all, &records, &skipped, &err) < 0) {
		fprintf(stderr, "%s\n", argc == 2 ? err.text : "usage: advisory_probe PATH");
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		CLEANUP_ARENA struct arena *a = arena_new(4 * MIB);
		struct str rest = str_trim(str_of(line)), name;
		struct advisory *found;
		size_t n;

		str_split(&rest, ' ', &name);
		n = advisories_match(all, ECOSYSTEM_NPM, name, rest, 0, a, &found);
		if (n)
			qsort(found, n, sizeof(*found), by_id);
		printf("%.*s %.*s", STR_ARG(name), STR_ARG(rest));
		for (size_t i = 0; i < n; i++)
			printf(" %.*s", STR_ARG(found[i].id));
		putchar('\n');
	}
	advisories_unref(all);
	return 0;
}
