/* What the tests of decisions share: one day, a policy from text, facts of a version that nothing speaks against. */
#ifndef BONDGATE_TESTS_DECISIONS_H
#define BONDGATE_TESTS_DECISIONS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "policy/decide.h"

/* 2026-11-20 12:00 UTC, a day on which all of this happens. */
static usec noon;

__attribute__((unused)) static int setup(void **state)
{
	(void)state;
	return time_parse(STR("2026-11-20T12:00:00Z"), &noon);
}

__attribute__((unused)) static struct policy *load(const char *text)
{
	struct policy *p = NULL;
	struct err err = {0};

	if (policy_load(str_of(text), STR("bondgate.yaml"), noon, NULL, &p, NULL, &err) < 0)
		fail_msg("%s\n%s", err.text, text);
	return p;
}

/* An old version of an old package: nothing but the rule in question has anything to say. */
__attribute__((unused)) static struct version_facts old_version(enum ecosystem e, const char *name)
{
	return (struct version_facts){
		.ecosystem = e,
		.name = str_of(name),
		.version = STR("1.14.1"),
		.published = noon - 10 * USEC_DAY,
		.package_published = noon - 1000 * USEC_DAY,
		.name_known = true,
		.integrity = STR("sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="),
	};
}

/* The first reason with that code; NULL: none. */
__attribute__((unused)) static const struct reason *reason_of(const struct decision *d, enum reason_code code)
{
	for (size_t i = 0; i < d->reason_count; i++)
		if (d->reasons[i].code == code)
			return &d->reasons[i];
	return NULL;
}

__attribute__((unused)) static struct version_facts with_script(enum ecosystem e)
{
	struct version_facts f = old_version(e, "thing");

	f.trust.install_script = STR("postinstall");
	return f;
}

/* Advisories of OSV JSON. */
__attribute__((unused)) static struct advisories *advisories_of(const char *records, size_t expected)
{
	char path[] = "/tmp/bondgate-advisories-XXXXXX";
	struct advisories *a = NULL;
	size_t count = 0, skipped = 0, n = strlen(records);
	struct err err = {0};
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, records, n), n);
	close(fd);
	if (advisories_load(path, &a, &count, &skipped, &err) < 0)
		fail_msg("%s", err.text);
	unlink(path);
	assert_int_equal(count, expected);
	return a;
}

#endif
