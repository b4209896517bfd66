/* Facts about a version as they are kept in the store: whatever loads must be written in a form that loads again as the same text, and a decision
 * about it must end, with a sentence of at most 200 bytes. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "policy/facts_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_facts_json: %s\n", what);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy *p;
	CLEANUP_ARENA struct arena *a = arena_new(16 * MIB);
	CLEANUP_BUF struct buf once = BUF(64 * MIB), twice = BUF(64 * MIB);
	const usec now = 1795000000 * USEC_SECOND;
	struct version_facts f, again;
	struct err err = {0};
	struct decision d;

	if (!p)
		p = policy_builtin();
	if (facts_from_json((struct str){(const char *)data, size}, a, &f, &err) < 0)
		return 0;
	facts_to_json(&f, &once);
	must(facts_from_json(buf_str(&once), a, &again, &err) == 0, err.text);
	facts_to_json(&again, &twice);
	must(str_eq(buf_str(&once), buf_str(&twice)), "what was written is read as something else");
	decide(p, NULL, &f, now, a, &d);
	must(decision_sentence(a, &f, &d, now).n <= 200, "a sentence is too long");
	return 0;
}
