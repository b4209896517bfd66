/* Tokens, requests and imported approvals, as the store keeps them. */
#include "unit.h"

#include <pthread.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "store/people.h"
#include "store_fixture.h"

static void assert_str(struct str got, const char *expected)
{
	if (!str_eq(got, str_of(expected)))
		fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(got), expected);
}

static const struct evidence token_act = {.time = 5, .kind = EVIDENCE_TOKEN, .identity = STR("local:root"), .decision = STR("create")};

static const struct token kims = {.person = STR("kim"),
                                  .team = STR("web"),
                                  .roles = ROLE_REQUESTER | ROLE_APPROVER,
                                  .created = 5,
                                  .expires = 500,
                                  .created_by = STR("local:root")};

struct last_record {
	char decision[64], kind[24], name[64];
	int count;
};

static int note_record(void *arg, const struct evidence *e)
{
	struct last_record *l = arg;

	snprintf(l->decision, sizeof(l->decision), "%.*s", STR_ARG(e->decision));
	snprintf(l->kind, sizeof(l->kind), "%s", evidence_kind_name(e->kind));
	snprintf(l->name, sizeof(l->name), "%.*s", STR_ARG(e->name));
	l->count++;
	return 0;
}

static struct last_record last_record(struct store *s)
{
	struct evidence_filter all = {.kind = -1, .ecosystem = -1};
	struct last_record l = {0};

	assert_int_equal(store_evidence(s, &all, note_record, &l, NULL), 0);
	return l;
}

static int64_t version(struct store *s)
{
	int64_t v = -1;

	assert_int_equal(store_people_version(s, &v, NULL), 0);
	return v;
}

static void a_token_is_found_by_its_secret_and_the_secret_is_not_kept(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	CLEANUP_BUF struct buf file = BUF(64 * MIB);
	struct store *s = fixture_open(STORE_WRITE);
	struct str secret, id;
	struct token got;
	char path[128];

	assert_int_equal(store_token_create(s, &kims, &token_act, a, &secret, &id, NULL), 0);
	assert_int_equal(secret.n, 46);
	assert_true(str_starts(secret, STR("bg_")));
	assert_int_equal(store_token_find(s, secret, a, &got, NULL), 0);
	assert_str(got.person, "kim");
	assert_str(got.team, "web");
	assert_int_equal(got.roles, ROLE_REQUESTER | ROLE_APPROVER);
	assert_int_equal(got.expires, 500);
	assert_true(str_eq(got.id, id));
	assert_int_equal(store_token_find(s, STR("bg_0000000000000000000000000000000000000000000"), a, &got, NULL), -ENOENT);
	assert_int_equal(store_token_find(s, id, a, &got, NULL), -ENOENT);
	assert_string_equal(last_record(s).kind, "token");
	assert_true(str_ends(str_of(last_record(s).decision), id));
	store_close(s);
	snprintf(path, sizeof(path), "%s/bondgate.db", fixture_dir);
	assert_int_equal(file_read(path, &file, NULL), 0);
	assert_true(str_find(buf_str(&file), id) >= 0);
	assert_true(str_find(buf_str(&file), str_skip(secret, 3)) < 0);
}

static void a_revoked_token_stays_revoked_and_is_still_found(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct store *s = fixture_open(STORE_WRITE);
	struct str secret, id;
	struct token got;
	struct err err = {0};
	int64_t before;

	assert_int_equal(store_token_create(s, &kims, NULL, a, &secret, &id, NULL), 0);
	before = version(s);
	assert_int_equal(store_token_revoke(s, id, 70, NULL, NULL), 0);
	assert_int_equal(store_token_revoke(s, id, 80, NULL, NULL), 0);
	assert_true(version(s) > before);
	assert_int_equal(store_token_find(s, secret, a, &got, NULL), 0);
	assert_int_equal(got.revoked, 70);
	assert_int_equal(store_token_revoke(s, STR("tk_none"), 80, &token_act, &err), -ENOENT);
	assert_non_null(strstr(err.text, "bondgate token list"));
	/* What did not happen leaves no record. */
	assert_int_equal(last_record(s).count, 0);
	store_close(s);
}

static void use_is_noted_without_a_new_version(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct store *s = fixture_open(STORE_WRITE);
	struct str secret, id;
	struct token got;
	int64_t before;

	assert_int_equal(store_token_create(s, &kims, NULL, a, &secret, &id, NULL), 0);
	before = version(s);
	store_token_used(s, id, 90);
	store_token_used(s, id, 60);
	assert_int_equal(store_flush(s, NULL), 0);
	assert_int_equal(store_token_find(s, secret, a, &got, NULL), 0);
	assert_int_equal(got.last_used, 90);
	assert_int_equal(version(s), before);
	store_close(s);
}

/* ---- requests ---- */

static const struct request wanted = {.ecosystem = ECOSYSTEM_NPM,
                                      .name = STR("axios"),
                                      .version = STR("1.14.1"),
                                      .rules = STR("cooldown"),
                                      .reason = STR("the fix of 1.14.0"),
                                      .person = STR("kim"),
                                      .team = STR("web"),
                                      .refusal = STR("was published 2h ago"),
                                      .severity = STR("low"),
                                      .created = 10,
                                      .lasts = 7};

static const struct evidence request_act = {.time = 10,
                                            .kind = EVIDENCE_REQUEST,
                                            .name = STR("axios"),
                                            .version = STR("1.14.1"),
                                            .identity = STR("kim"),
                                            .decision = STR("request"),
                                            .detail = STR("the fix of 1.14.0")};

static void a_request_is_kept_whole_with_its_record(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct store *s = fixture_open(STORE_WRITE);
	struct request got;
	struct evidence_check check;
	int64_t id = 0;

	assert_int_equal(store_request_add(s, &wanted, &request_act, &id, NULL), 0);
	assert_int_equal(id, 1);
	assert_int_equal(store_request(s, id, a, &got, NULL), 0);
	assert_str(got.name, "axios");
	assert_str(got.rules, "cooldown");
	assert_str(got.reason, "the fix of 1.14.0");
	assert_str(got.refusal, "was published 2h ago");
	assert_str(got.severity, "low");
	assert_int_equal(got.lasts, 7);
	assert_int_equal(got.state, REQUEST_OPEN);
	assert_string_equal(last_record(s).decision, "request 1");
	assert_string_equal(last_record(s).name, "axios");
	assert_int_equal(store_evidence_verify(s, &check, NULL), 0);
	assert_int_equal(check.broken_seq, 0);
	assert_int_equal(check.records, 1);
	assert_int_equal(store_request(s, 2, a, &got, NULL), -ENOENT);
	store_close(s);
}

static void a_decision_counts_once(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);
	struct request r = wanted;
	struct evidence act = request_act;
	struct err err = {0};

	act.kind = EVIDENCE_DECISION;
	act.decision = STR("approve 1");
	assert_int_equal(store_request_add(s, &wanted, NULL, &r.id, NULL), 0);
	r.state = REQUEST_APPROVED;
	r.decided_by = STR("jo");
	r.expires = 99;
	assert_int_equal(store_request_move(s, &r, REQUEST_OPEN, &act, NULL), 0);
	assert_int_equal(store_request_move(s, &r, REQUEST_OPEN, &act, &err), -EEXIST);
	assert_int_equal(last_record(s).count, 1);
	assert_string_equal(last_record(s).decision, "approve 1");
	store_close(s);
}

struct racer {
	struct store *store;
	struct request request;
	int result;
};

static void *race(void *arg)
{
	struct racer *r = arg;

	r->result = store_request_move(r->store, &r->request, REQUEST_OPEN, &request_act, NULL);
	return NULL;
}

static void of_two_decisions_at_once_one_wins(void **state)
{
	(void)state;
	struct store *one = fixture_open(STORE_WRITE), *other = fixture_open(STORE_WRITE);
	struct racer racers[8];
	pthread_t threads[8];
	int won = 0;

	for (size_t i = 0; i < 8; i++) {
		racers[i] = (struct racer){.store = i % 2 ? one : other, .request = wanted};
		racers[i].request.id = 1;
		racers[i].request.state = i % 2 ? REQUEST_APPROVED : REQUEST_REJECTED;
	}
	assert_int_equal(store_request_add(one, &wanted, NULL, &racers[0].request.id, NULL), 0);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	for (size_t i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		won += racers[i].result == 0;
		assert_true(racers[i].result == 0 || racers[i].result == -EEXIST);
	}
	assert_int_equal(won, 1);
	assert_int_equal(last_record(one).count, 1);
	store_close(one);
	store_close(other);
}

static int list_ids(void *arg, const struct request *r)
{
	char *text = arg;
	size_t n = strlen(text);

	snprintf(text + n, 64 - n, "%lld:%s ", (long long)r->id, request_state_name(r->state));
	return 0;
}

static void the_open_ones_are_those_that_wait(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);
	static const enum request_state states[] = {REQUEST_APPROVED, REQUEST_HALF, REQUEST_OPEN};
	char text[64] = "";

	for (size_t i = 0; i < 3; i++) {
		struct request r = wanted;
		int64_t id;

		r.state = states[i];
		assert_int_equal(store_request_add(s, &r, NULL, &id, NULL), 0);
	}
	assert_int_equal(store_requests(s, true, list_ids, text, NULL), 0);
	assert_string_equal(text, "3:open 2:half ");
	text[0] = '\0';
	assert_int_equal(store_requests(s, false, list_ids, text, NULL), 0);
	assert_string_equal(text, "3:open 2:half 1:approved ");
	store_close(s);
}

/* ---- imported approvals ---- */

static int list_approvals(void *arg, const struct imported_approval *i)
{
	char *text = arg;
	size_t n = strlen(text);

	snprintf(text + n, 128 - n, "%.*s/%.*s ", STR_ARG(i->list), STR_ARG(i->name));
	return 0;
}

static void a_list_is_replaced_as_a_whole(void **state)
{
	(void)state;
	struct store *s = fixture_open(STORE_WRITE);
	const struct imported_approval first[] = {{.name = STR("a"), .ends = 9}, {.name = STR("b"), .ends = 9}},
								   second[] = {{.name = STR("c")}};
	char text[128] = "";
	int64_t before = version(s);

	assert_int_equal(store_approvals_replace(s, STR("acme"), first, 2, NULL, NULL), 0);
	assert_int_equal(store_approvals_replace(s, STR("other"), second, 1, NULL, NULL), 0);
	assert_int_equal(store_approvals_replace(s, STR("acme"), second, 1, NULL, NULL), 0);
	assert_true(version(s) > before);
	assert_int_equal(store_approvals(s, list_approvals, text, NULL), 0);
	assert_string_equal(text, "acme/c other/c ");
	store_close(s);
}

/* ---- from an older release ---- */

static int check_known(struct store *s)
{
	bool known = false;

	assert_int_equal(store_package_known(s, ECOSYSTEM_NPM, STR("left-pad"), &known, NULL), 0);
	return known;
}

static void a_store_of_the_first_release_opens_with_all_it_had(void **state)
{
	(void)state;
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	CLEANUP_BUF struct buf sql = BUF(MIB);
	const char *source = getenv("BONDGATE_SOURCE");
	struct evidence_check check;
	struct seen_package p;
	struct store *s;
	struct str value;
	char path[512];
	int64_t id;

	snprintf(path, sizeof(path), "%s/tests/unit/store_schema_1.sql", source ? source : ".");
	assert_int_equal(file_read(path, &sql, NULL), 0);
	fixture_sql(buf_cstr(&sql));
	s = fixture_open(STORE_WRITE);
	assert_string_equal(store_instance(s), "614e941ddc6a3f52");
	assert_int_equal(store_evidence_verify(s, &check, NULL), 0);
	assert_int_equal(check.broken_seq, 0);
	assert_int_equal(check.records, 2);
	assert_true(check_known(s));
	assert_int_equal(store_package_load(s, STR("npm"), ECOSYSTEM_NPM, STR("left-pad"), a, &p, NULL), 0);
	assert_int_equal(p.version_count, 1);
	assert_str(p.versions[0].integrity, "sha512-pinned");
	assert_int_equal(p.versions[0].first_seen, 1795466946000000);
	assert_int_equal(store_setting_get(s, STR("upstream.npm"), a, &value, NULL), 0);
	assert_str(value, "http://registry.example/");
	/* And it takes what is new. */
	assert_int_equal(store_request_add(s, &wanted, &request_act, &id, NULL), 0);
	assert_int_equal(store_evidence_verify(s, &check, NULL), 0);
	assert_int_equal(check.broken_seq, 0);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_token_is_found_by_its_secret_and_the_secret_is_not_kept),
		FIXTURE_TEST(a_revoked_token_stays_revoked_and_is_still_found),
		FIXTURE_TEST(use_is_noted_without_a_new_version),
		FIXTURE_TEST(a_request_is_kept_whole_with_its_record),
		FIXTURE_TEST(a_decision_counts_once),
		FIXTURE_TEST(of_two_decisions_at_once_one_wins),
		FIXTURE_TEST(the_open_ones_are_those_that_wait),
		FIXTURE_TEST(a_list_is_replaced_as_a_whole),
		FIXTURE_TEST(a_store_of_the_first_release_opens_with_all_it_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
