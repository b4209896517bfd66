/* One name a line from the standard input; what it resembles, "NAME<tab>RESEMBLES", for those that resemble something. For
 * bench/look_alike/run.py. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "policy/policy.h"

int main(int argc, char **argv)
{
	static char line[KIB];
	enum ecosystem e = ECOSYSTEM_NPM;
	struct policy *p = policy_builtin();

	if (!p || argc < 2 || ecosystem_parse(str_of(argv[1]), &e) < 0)
		return 2;
	while (fgets(line, sizeof(line), stdin)) {
		struct str name = str_trim(str_of(line)), found = policy_resembles(p, e, name);

		if (found.n)
			printf("%.*s\t%.*s\n", STR_ARG(name), STR_ARG(found));
	}
	policy_unref(p);
	return 0;
}
