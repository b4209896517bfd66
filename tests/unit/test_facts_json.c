#include "unit.h"

#include <stdlib.h>
#include <stdio.h>

#include "base/limits.h"
#include "policy/facts_json.h"

static struct str some_text(struct arena *a)
{
	static const char *const pieces[] = {"axios", "@acme/x", "\"", "\\", "\n", "\xd0\xbe", "\xf0\x9f\x98\x80", " ", "sha512-z4PhNX7v==", "1.2.3-rc.1+b", "\x01", "/"};
	CLEANUP_BUF struct buf text = BUF(KIB);

	if (rand() % 3 == 0)
		return STR_NULL;
	for (int n = rand() % 6; n >= 0; n--)
		buf_add_str(&text, str_of(pieces[(size_t)rand() % (sizeof(pieces) / sizeof(pieces[0]))]));
	return arena_str(a, buf_str(&text));
}

static usec some_time(void)
{
	static const usec edges[] = {0, 1, -1, USEC_NEVER, INT64_MIN, 1795000000 * USEC_SECOND};

	return rand() % 2 ? edges[rand() % 6] : (usec)rand() * USEC_SECOND;
}

static struct version_facts some_facts(struct arena *a)
{
	struct str *publishers = ARENA_ARRAY(a, struct str, 9);
	struct advisory *advisories = ARENA_ARRAY(a, struct advisory, 9);
	struct str name;
	struct version_facts f = {
		.ecosystem = rand() % 2 ? ECOSYSTEM_NPM : ECOSYSTEM_NUGET,
		.version = some_text(a), .published = some_time(), .upstream_time = some_time(), .first_seen = some_time(), .lacked_at = some_time(),
		.package_published = some_time(), .integrity = some_text(a), .shasum = some_text(a), .own_origin = rand() % 2,
		.origin_cooldown = some_time(), .hash_changed = rand() % 2, .hash_first = some_text(a), .hash_now = some_text(a),
		.mismatch = some_text(a), .withdrawal = (enum withdrawal)(rand() % 4), .withdrawn_at = some_time(), .held_dependency = some_text(a),
		.held_dependency_until = some_time(), .resembles = some_text(a), .reached_from = some_text(a), .name_known = rand() % 2,
		.reach_pending = rand() % 2, .fixes = some_text(a), .advisories_given = rand() % 2,
		.trust = {.publishers = publishers, .publisher_count = (size_t)rand() % 10, .trusted_publisher = some_text(a), .verified_source = some_text(a),
			.provenance = rand() % 2, .continuity = some_text(a), .install_script = some_text(a), .binary = some_text(a),
			.remote_dependency = some_text(a), .dependency = some_text(a), .dependency_published = some_time(), .signature = rand() % 4,
			.fixed_line_denied = rand() % 2},
	};

	name = some_text(a);
	f.name = name.n ? name : STR("axios");
	for (size_t i = 0; i < 9; i++) {
		publishers[i] = some_text(a);
		advisories[i] = (struct advisory){.kind = rand() % 2 ? ADVISORY_MALWARE : ADVISORY_VULNERABILITY, .severity = (enum severity)(rand() % 5),
			.id = some_text(a), .summary = some_text(a), .fixed = some_text(a), .not_affected = some_text(a), .published = some_time(), .score = -1};
	}
	if (f.trust.publisher_count > 9)
		f.trust.publisher_count = 9;
	if (f.advisories_given) {
		f.advisories = advisories;
		f.advisory_count = (size_t)rand() % 10;
	}
	return f;
}

#define SAME_TEXT(field) assert_true(str_eq(x->field, y->field))
#define SAME(field) assert_true(x->field == y->field)

static void assert_same(const struct version_facts *x, const struct version_facts *y)
{
	SAME(ecosystem); SAME_TEXT(name); SAME_TEXT(version); SAME(published); SAME(upstream_time); SAME(first_seen); SAME(lacked_at);
	SAME(package_published); SAME_TEXT(integrity); SAME_TEXT(shasum); SAME(own_origin); SAME(origin_cooldown); SAME(hash_changed);
	SAME_TEXT(hash_first); SAME_TEXT(hash_now); SAME_TEXT(mismatch); SAME(withdrawal); SAME(withdrawn_at); SAME_TEXT(held_dependency);
	SAME(held_dependency_until); SAME_TEXT(resembles); SAME_TEXT(reached_from); SAME(name_known); SAME(reach_pending); SAME_TEXT(fixes);
	SAME(advisories_given); SAME(advisory_count); SAME(trust.publisher_count); SAME_TEXT(trust.trusted_publisher);
	SAME_TEXT(trust.verified_source); SAME(trust.provenance); SAME_TEXT(trust.continuity); SAME_TEXT(trust.install_script);
	SAME_TEXT(trust.binary); SAME_TEXT(trust.remote_dependency); SAME_TEXT(trust.dependency); SAME(trust.dependency_published);
	SAME(trust.signature); SAME(trust.fixed_line_denied);
	for (size_t i = 0; i < x->trust.publisher_count; i++)
		SAME_TEXT(trust.publishers[i]);
	for (size_t i = 0; i < x->advisory_count; i++) {
		SAME(advisories[i].kind); SAME(advisories[i].severity); SAME_TEXT(advisories[i].id); SAME_TEXT(advisories[i].summary);
		SAME_TEXT(advisories[i].fixed); SAME_TEXT(advisories[i].not_affected); SAME(advisories[i].published);
	}
}

static void any_facts_come_back_as_they_were(void **state)
{
	(void)state;
	srand(7);
	for (int i = 0; i < 3000; i++) {
		CLEANUP_ARENA struct arena *a = arena_new(MIB);
		CLEANUP_BUF struct buf json = BUF(MIB), again = BUF(MIB);
		struct version_facts f = some_facts(a), back;
		struct err err = {0};

		facts_to_json(&f, &json);
		assert_int_equal(json.error, 0);
		if (facts_from_json(buf_str(&json), a, &back, &err) < 0)
			fail_msg("%s: %s", err.text, buf_cstr(&json));
		assert_same(&f, &back);
		facts_to_json(&back, &again);
		assert_true(str_eq(buf_str(&json), buf_str(&again)));
	}
}

static void the_form_is_fixed(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	CLEANUP_BUF struct buf json = BUF(MIB);
	const struct str owner = STR("alice");
	const struct version_facts f = {.name = STR("axios"), .version = STR("1.14.1"), .published = 5, .withdrawal = WITHDRAWN_OLD,
		.trust = {.publishers = &owner, .publisher_count = 1, .signature = SIGNATURE_VALID}, .advisories_given = true};

	facts_to_json(&f, &json);
	assert_string_equal(buf_cstr(&json), "{\"v\":1,\"ecosystem\":\"npm\",\"name\":\"axios\",\"version\":\"1.14.1\",\"published\":5,"
		"\"withdrawal\":\"old\",\"signature\":\"valid\",\"publishers\":[\"alice\"],\"advisories\":[]}");
}

static void what_is_no_such_form_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		int result;
	} rows[] = {
		{"{\"v\":1,\"ecosystem\":\"npm\",\"name\":\"a\",\"something-new\":{\"x\":[1]}}", 0},
		{"{\"v\":2,\"ecosystem\":\"npm\",\"name\":\"a\"}", -EPROTONOSUPPORT},
		{"{\"ecosystem\":\"npm\",\"name\":\"a\"}", -EBADMSG},
		{"{\"v\":1,\"name\":\"a\"}", -EBADMSG},
		{"{\"v\":1,\"ecosystem\":\"npm\"}", -EBADMSG},
		{"{\"v\":1,\"ecosystem\":\"cargo\",\"name\":\"a\"}", -EBADMSG},
		{"{\"v\":1,\"ecosystem\":\"npm\",\"name\":\"a\",\"published\":\"x\"}", -EBADMSG},
		{"{\"v\":1,\"ecosystem\":\"npm\",\"name\":\"a\",\"withdrawal\":\"perhaps\"}", -EBADMSG},
		{"{\"v\":1,\"ecosystem\":\"npm\",\"name\":\"a\",\"advisories\":[{\"severity\":\"bad\"}]}", -EBADMSG},
		{"{\"v\":1,\"ecosystem\":\"npm\",\"name\":\"a\"", -EBADMSG},
		{"[]", -EBADMSG},
		{"", -EBADMSG},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(MIB);
		struct version_facts f;
		struct err err = {0};
		int r = facts_from_json(str_of(rows[i].json), a, &f, &err);

		if (r != rows[i].result)
			fail_msg("%s: %d (%s)", rows[i].json, r, err.text);
		assert_true(r == 0 || err.text[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_facts_come_back_as_they_were),
		cmocka_unit_test(the_form_is_fixed),
		cmocka_unit_test(what_is_no_such_form_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
