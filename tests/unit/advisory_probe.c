/* For advisory_oracle.js: loads the advisories of PATH, reads "NAME VERSION" lines and prints each with the ids that match, sorted; of records
 * that are one advisory, each. */
#include <stdio.h>
#include <stdlib.h>

#include "advisory/advisory.h"
#include "base/limits.h"

static int by_id(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void print_ids(const struct advisory *found, size_t n, struct arena *a)
{
	struct str *ids;
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += 1 + found[i].joined;
	ids = ARENA_ARRAY(a, struct str, count + 1);
	count = 0;
	for (size_t i = 0; ids && i < n; i++) {
		ids[count++] = found[i].id;
		for (size_t k = 0; k < found[i].joined; k++)
			ids[count++] = found[i].aliases[k];
	}
	if (count)
		qsort(ids, count, sizeof(*ids), by_id);
	for (size_t i = 0; i < count; i++)
		printf(" %.*s", STR_ARG(ids[i]));
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
		printf("%.*s %.*s", STR_ARG(name), STR_ARG(rest));
		print_ids(found, n, a);
		putchar('\n');
	}
	advisories_unref(all);
	return 0;
}
