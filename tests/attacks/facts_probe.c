/* What a policy says of versions that are given as facts: facts_probe POLICY, and lines "TIME<tab>FACTS" (facts_json.h) at the standard input; of each the
 * JSON of `bondgate explain`. For the rows of the replay whose ecosystem has no gate in this version. */
#include <stdio.h>

#include "base/file.h"
#include "base/limits.h"
#include "policy/facts_json.h"

static int answer(const struct policy *p, char *line)
{
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	CLEANUP_BUF struct buf out = BUF(MIB);
	struct str rest = str_trim(str_of(line)), time;
	struct version_facts facts;
	struct decision d;
	struct err err = {0};
	usec now = 0;

	if (!a || !str_split(&rest, '\t', &time) || time_parse(time, &now) < 0 || facts_from_json(rest, a, &facts, &err) < 0) {
		fprintf(stderr, "not \"TIME<tab>FACTS\": %s %s\n", line, err.text);
		return -1;
	}
	facts.first_seen = now;
	facts.resembles = policy_resembles(p, facts.ecosystem, facts.name);
	decide(p, NULL, &facts, now, a, &d);
	explain_json(&facts, &d, &out);
	printf("%.*s\n", STR_ARG(buf_str(&out)));
	return 0;
}

int main(int argc, char **argv)
{
	static char line[64 * KIB];
	CLEANUP_BUF struct buf text = BUF(MIB);
	struct policy *p = NULL;
	struct err err = {0};
	int r = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: %s POLICY\n", argv[0]);
		return 2;
	}
	if (file_read(argv[1], &text, &err) < 0 || policy_load(buf_str(&text), str_of(argv[1]), time_now(), NULL, &p, NULL, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 3;
	}
	while (r == 0 && fgets(line, sizeof(line), stdin))
		r = answer(p, line);
	policy_unref(p);
	return r < 0 ? 3 : 0;
}
