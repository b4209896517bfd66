/* A policy file from a stranger: as the machine's policy, and as a file in a working directory. What loads must be shown in a form
 * that loads again as the same, and a local file must never loosen a mode or shorten a delay. */
#include <stdint.h>
#include <stdio.h>

#include "base/limits.h"
#include "policy/decide.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const usec now = 1795000000 * USEC_SECOND;

static int token(void *arg, struct str kind, struct str name, struct buf *ret, struct err *err)
{
	(void)arg, (void)kind, (void)err;
	buf_add_str(ret, name);
	return 0;
}

static const struct policy_environment environment = {.token = token};

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_policy: %s\n", what);
	abort();
}

static struct version_facts facts(const char *name)
{
	return (struct version_facts){.name = str_of(name),
	                              .version = STR("1.2.3"),
	                              .published = now - USEC_HOUR,
	                              .package_published = now - USEC_DAY,
	                              .integrity = STR("sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=")};
}

static void shown_is_the_same(const struct policy *p)
{
	CLEANUP_BUF struct buf shown = BUF(64 * MIB), difference = BUF(64 * MIB);
	struct policy *again = NULL;
	struct err err = {0};

	policy_show(p, &shown);
	if (policy_load(buf_str(&shown), STR("shown"), now, &environment, &again, NULL, &err) < 0) {
		fprintf(stderr, "%s\n%s\n", err.text, buf_cstr(&shown));
		must(false, "what is shown does not load");
	}
	if (policy_diff(p, again, &difference)) {
		fprintf(stderr, "%s\n", buf_cstr(&difference));
		must(false, "what is shown loads as something else");
	}
	policy_unref(again);
}

/* `team`: as the file of a team that showed no token. */
static void local_only_tightens(struct str text, bool team)
{
	struct policy *base = policy_builtin(), *p = NULL;
	static const char *const names[] = {"a", "@a/b", "evil"};
	int r;

	if (team)
		r = policy_for_team(base, text, STR("team"), now, &environment, false, &p, NULL);
	else
		r = policy_tighten(base, text, STR("local"), now, &environment, &p, NULL);
	if (r == 0) {
		const struct approval *roots;
		const struct approved_publisher *publishers;

		must(policy_approvals(p, &roots) == 0 && policy_publishers(p, &publishers) == 0, "a local file approved something");
		for (enum reason_code c = 0; c < REASON_CODE_COUNT; c++)
			must(policy_mode(p, c) >= policy_mode(base, c), "a local file made a mode weaker");
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			struct version_facts f = facts(names[i]);
			struct decision before, after;

			decide(base, NULL, &f, now, NULL, &before);
			decide(p, NULL, &f, now, NULL, &after);
			must(after.verdict >= before.verdict && after.until >= before.until, "a local file cleared something");
		}
		policy_unref(p);
	}
	policy_unref(base);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_BUF struct buf warnings = BUF(1 * MIB);
	CLEANUP_ARENA struct arena *a = arena_new(4 * MIB);
	struct str text = {(const char *)data, size};
	struct policy *p = NULL;
	struct err err = {0};

	if (policy_load(text, STR("fuzz"), now, &environment, &p, &warnings, &err) == 0) {
		struct version_facts f = facts("@a/b");
		struct decision d;

		decide(p, NULL, &f, now, a, &d);
		must(decision_sentence(a, &f, &d, now).n <= 200, "a sentence is too long");
		shown_is_the_same(p);
		policy_unref(p);
	} else {
		must(err.text[0] != 0, "an error says nothing");
	}
	local_only_tightens(text, false);
	local_only_tightens(text, true);
	return 0;
}
