/* Nanoseconds a decision, without sentences, as filtering a packument makes them: 5,000 denied names, 1,000 denied versions,
 * 500 patterns, 200 exemptions; versions of a package that nothing speaks against, and of one that is on the lists. Then the shipped policies,
 * `strict` with 5,000 approved roots beside `default`. */
#include <stdio.h>
#include <time.h>

#include "base/limits.h"
#include "policy/decide.h"

enum { ROUNDS = 7, DECISIONS = 400000 };

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct policy *large_policy(usec now)
{
	CLEANUP_BUF struct buf text = BUF(16 * MIB);
	struct policy *p = NULL;
	struct err err;

	buf_add_str(&text, STR("version: 1\ncooldown: {default: 7d, new-package: 30d}\ninternal: [\"npm:@corp/*\"]\ndeny:\n  names:\n"));
	for (int i = 0; i < 5000; i++)
		buf_printf(&text, "    - npm:evil-package-%d\n", i);
	for (int i = 0; i < 250; i++)
		buf_printf(&text, "    - \"npm:@scope-%d/*\"\n    - \"npm:*-stealer-%d\"\n", i, i);
	buf_add_str(&text, STR("  versions:\n"));
	for (int i = 0; i < 1000; i++)
		buf_printf(&text, "    - \"npm:package-%d@>=1.2.0 <1.2.%d || 3.0.0-rc.1\"\n", i, i + 1);
	buf_add_str(&text, STR("exemptions:\n"));
	for (int i = 0; i < 200; i++)
		buf_printf(&text, "  - {package: \"npm:exempt-%d@^1.0.0\", rules: [cooldown], reason: x, owner: y, expires: 2020-01-01}\n", i);
	if (policy_load(buf_str(&text), STR("bench"), now, NULL, &p, NULL, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(3);
	}
	return p;
}

static struct policy *loaded(struct str text, usec now)
{
	struct policy *p = NULL;
	struct err err;

	if (policy_load(text, STR("bench"), now, NULL, &p, NULL, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(3);
	}
	return p;
}

/* The shipped strict policy with 5,000 roots, every tenth of them a pattern. */
static struct policy *strict_policy(usec now)
{
	static struct approval approvals[5000];
	static char names[5000][40];
	struct policy *base = loaded(policy_shipped(STR("strict")), now), *p = NULL;
	struct policy_grants all = {.approvals = approvals, .approval_count = 5000};
	struct err err;

	for (int i = 0; i < 5000; i++) {
		snprintf(names[i], sizeof(names[i]), i % 10 ? "root-package-%d" : "@root-scope-%d/*", i);
		approvals[i] = (struct approval){.package = {ECOSYSTEM_NPM, str_of(names[i]), STR_NULL},
		                                 .reason = STR("x"),
		                                 .owner = STR("y"),
		                                 .review_by = now + USEC_DAY,
		                                 .ends = USEC_NEVER};
	}
	if (policy_with_grants(base, &all, now, &p, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(3);
	}
	policy_unref(base);
	return p;
}

static double measure_facts(const struct policy *p, struct version_facts f, usec now, unsigned *ret_verdicts)
{
	double best = 1e9;

	for (int round = 0; round < ROUNDS; round++) {
		double start = cpu_seconds();

		for (int i = 0; i < DECISIONS; i++) {
			struct decision d;

			f.published = now - (i % 200) * USEC_DAY;
			decide(p, NULL, &f, now, NULL, &d);
			*ret_verdicts += d.verdict;
		}
		if (cpu_seconds() - start < best)
			best = cpu_seconds() - start;
	}
	return best / DECISIONS * 1e9;
}

static struct version_facts facts_of(const char *name, usec now)
{
	return (struct version_facts){
		.name = str_of(name),
		.version = STR("1.2.3"),
		.published = now - 100 * USEC_DAY,
		.package_published = now - 900 * USEC_DAY,
		.integrity = STR("sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==")};
}

static double measure(const struct policy *p, const char *name, usec now, unsigned *ret_verdicts)
{
	return measure_facts(p, facts_of(name, now), now, ret_verdicts);
}

/* What is reached from a root, a root, a name of nobody's, and a version that gained something. */
static void compare(usec now, unsigned *ret_verdicts)
{
	static const struct str publisher = STR("alice");
	struct policy *standard = loaded(policy_shipped(STR("default")), now), *strict = strict_policy(now);
	static const char *const what[] = {"reached from a root", "an approved root", "approved by nobody", "with what it gained"};
	double sums[2] = {0};

	for (size_t i = 0; i < 4; i++) {
		struct version_facts f = facts_of(i == 1 ? "root-package-77" : "loose-envify", now);
		double a, b;

		f.trust.publishers = &publisher;
		f.trust.publisher_count = 1;
		f.name_known = true;
		f.reached_from = i == 0 ? STR("react") : STR_NULL;
		if (i == 3) {
			f.trust.install_script = STR("postinstall");
			f.trust.continuity = STR("published by mallory; 41 releases of 1.x before it by alice");
		}
		a = measure_facts(standard, f, now, ret_verdicts);
		b = measure_facts(strict, f, now, ret_verdicts);
		sums[0] += a;
		sums[1] += b;
		printf("%-20s %6.0f ns default, %6.0f ns strict with 5,000 roots: %.2f\n", what[i], a, b, b / a);
	}
	printf("%-20s %6.0f ns default, %6.0f ns strict with 5,000 roots: %.2f\n", "together", sums[0], sums[1], sums[1] / sums[0]);
	policy_unref(standard);
	policy_unref(strict);
}

int main(void)
{
	static const char *const names[] = {"react",         "@types/node", "evil-package-4711", "@scope-77/thing",
	                                    "my-stealer-99", "package-500", "exempt-7"};
	usec now = time_now();
	double start = cpu_seconds();
	struct policy *p = large_policy(now);
	unsigned verdicts = 0;

	printf("loading the policy: %.1f ms\n", (cpu_seconds() - start) * 1e3);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		printf("%-20s %6.0f ns a decision\n", names[i], measure(p, names[i], now, &verdicts));
	policy_unref(p);
	compare(now, &verdicts);
	return verdicts == 0;
}
