#include "unit.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/limits.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/state.h"
#include "store_fixture.h"

static const struct str SHA512 =
	STR("sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==");

/* Runs a command with words separated by blanks (DIR is the fixture's folder); its standard output goes to `out`. */
static int run(int (*command)(int argc, char **argv), const char *words, char out[8192])
{
	char line[512], *argv[16], path[128];
	int argc = 0, code, kept = dup(1), kept_error = dup(2), n;
	struct str rest, word;
	FILE *f;

	snprintf(path, sizeof(path), "%s/output", fixture_dir);
	snprintf(line, sizeof(line), "%s", words);
	for (rest = str_of(line); argc < 15 && str_split(&rest, ' ', &word);) {
		argv[argc] = str_eq(word, STR("DIR")) ? fixture_dir : (char *)word.p;
		line[word.p - line + (ptrdiff_t)word.n] = '\0';
		argc++;
	}
	argv[argc] = NULL;
	fflush(stdout);
	n = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	dup2(n, 1);
	dup2(n, 2);
	code = command(argc, argv);
	fflush(stdout);
	dup2(kept, 1);
	dup2(kept_error, 2);
	close(n);
	close(kept);
	close(kept_error);
	f = fopen(path, "r");
	out[fread(out, 1, 8191, f)] = '\0';
	fclose(f);
	return code;
}

static void fill(void)
{
	static const struct evidence records[] = {
		{.time = 1767225600 * USEC_SECOND, .kind = EVIDENCE_ADMIN, .decision = STR("start"), .detail = STR("gate started")},
		{.time = 1767225601 * USEC_SECOND, .kind = EVIDENCE_RECEIPT, .name = STR("left-pad"), .version = STR("1.3.0"), .hash = SHA512,
		 .client = STR("192.0.2.7"), .project = STR("web"), .agent = STR("npm/11.0.0"), .decision = STR("allow")},
		{.time = 1767225602 * USEC_SECOND, .kind = EVIDENCE_RECEIPT, .name = STR("left-pad"), .version = STR("1.2.0"), .hash = SHA512,
		 .client = STR("2001:db8::7"), .identity = STR("jo\x1b[2J"), .decision = STR("allow")},
		{.time = 1767225603 * USEC_SECOND, .kind = EVIDENCE_REFUSAL, .name = STR("@scope/evil"), .version = STR("6.6.6"),
		 .client = STR("192.0.2.7"), .decision = STR("deny malware"), .detail = STR("say \"no\"\nnext")},
		{.time = 1767225604 * USEC_SECOND, .kind = EVIDENCE_RECEIPT, .ecosystem = ECOSYSTEM_NUGET, .name = STR("newtonsoft.json"),
		 .version = STR("13.0.1"), .client = STR("192.0.2.9"), .decision = STR("allow")},
	};
	struct store *s = fixture_open(STORE_WRITE);
	struct err err = {0};

	for (size_t i = 0; i < 5; i++)
		assert_int_equal(store_append_wait(s, &records[i], &err), 0);
	store_close(s);
}

static void who_has_answers_in_the_fixed_shape(void **state)
{
	(void)state;
	char out[8192];

	fill();
	assert_int_equal(run(cmd_who_has, "who-has npm:left-pad@1.3.0 --json --state DIR", out), EXIT_FOUND);
	assert_string_equal(out, "{\"purl\":\"pkg:npm/left-pad@1.3.0\",\"receipts\":[{\"time\":\"2026-01-01T00:00:01.000Z\",\"client\":\"192.0.2.7\","
				 "\"identity\":null,\"project\":\"web\",\"hash\":\"sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/"
				 "SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==\",\"version\":\"1.3.0\"}],\"locked\":[]}\n");
	assert_int_equal(run(cmd_who_has, "who-has npm:@scope/evil --json --state DIR", out), EXIT_NOTHING);
	assert_string_equal(out, "{\"purl\":\"pkg:npm/%40scope/evil\",\"receipts\":[],\"locked\":[]}\n");
	assert_int_equal(run(cmd_who_has, "who-has nuget:Newtonsoft.Json@13.0.1.0 --json --state DIR", out), EXIT_FOUND);
	assert_non_null(strstr(out, "192.0.2.9"));
}

static void who_has_lines_up_its_table(void **state)
{
	(void)state;
	char out[8192];

	fill();
	assert_int_equal(run(cmd_who_has, "who-has pkg:npm/left-pad --state DIR", out), EXIT_FOUND);
	assert_non_null(strstr(out, "VERSION  CLIENT       IDENTITY  PROJECT  HASH\n"));
	assert_non_null(strstr(out, "1.3.0    192.0.2.7    -         web      sha512-"));
	assert_non_null(strstr(out, "1.2.0    2001:db8::7  jo?[2J    -        sha512-"));
	assert_int_equal(run(cmd_who_has, "who-has npm:nothing --state DIR", out), EXIT_NOTHING);
	assert_string_equal(out, "nobody received pkg:npm/nothing through this gate\n");
}

static void the_log_is_filtered(void **state)
{
	(void)state;
	static const struct {
		const char *words, *seqs;
	} rows[] = {
		{"log --json --state DIR", "1 2 3 4 5 "}, {"log --json --limit 2 --state DIR", "4 5 "},
		{"log --json --kind receipt --state DIR", "2 3 5 "},
		{"log --json --kind receipt --limit 2 --state DIR", "3 5 "}, {"log --json --since 2026-01-01T00:00:03Z --state DIR", "4 5 "},
		{"log --json --since 1s --state DIR", ""}, {"log --json --kind incident --limit 3 --state DIR", ""},
	};

	fill();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[8192], seqs[64] = "";
		struct str rest, line;

		assert_int_equal(run(cmd_log, rows[i].words, out), EXIT_NOTHING);
		for (rest = str_of(out); str_split(&rest, '\n', &line);)
			if (str_starts(line, STR("{\"seq\":"))) {
				size_t n = strlen(seqs);

				snprintf(seqs + n, sizeof(seqs) - n, "%c ", line.p[7]);
			}
		if (strcmp(seqs, rows[i].seqs) != 0)
			fail_msg("%s: \"%s\"", rows[i].words, seqs);
	}
}

static void the_log_shows_each_record_on_one_line(void **state)
{
	(void)state;
	char out[8192];

	fill();
	assert_int_equal(run(cmd_log, "log --kind refusal --json --state DIR", out), 0);
	assert_string_equal(out, "{\"seq\":4,\"time\":\"2026-01-01T00:00:03.000Z\",\"kind\":\"refusal\",\"purl\":\"pkg:npm/%40scope/evil@6.6.6\","
				 "\"decision\":\"deny malware\",\"client\":\"192.0.2.7\",\"identity\":null,\"project\":null,\"agent\":null,"
				 "\"session\":null,\"hash\":null,\"detail\":\"say \\\"no\\\"\\nnext\"}\n");
	assert_int_equal(run(cmd_log, "log --kind refusal --state DIR", out), 0);
	assert_non_null(strstr(out, "  refusal   npm:@scope/evil@6.6.6                 deny malware    192.0.2.7  say \"no\"?next\n"));
	assert_int_equal(run(cmd_log, "log --state DIR", out), 0);
	assert_non_null(strstr(out, "jo?[2J"));
	assert_null(strchr(out, '\x1b'));
}

static void the_log_is_verified_and_pruned(void **state)
{
	(void)state;
	char out[8192];

	fill();
	assert_int_equal(run(cmd_log, "log verify --state DIR", out), 0);
	assert_non_null(strstr(out, "whole: 5 records, 1 to 5\nlast hash "));
	assert_int_equal(run(cmd_log, "log prune --before 2026-01-01T00:00:02Z --state DIR", out), 0);
	assert_string_equal(out, "2 records dropped\n");
	assert_int_equal(run(cmd_log, "log verify --json --state DIR", out), 0);
	assert_non_null(strstr(out, "{\"records\":4,\"first\":3,\"last\":6,\"broken\":null,\"last_hash\":\""));
	fixture_sql("UPDATE evidence SET client = 'somebody else' WHERE seq = 4");
	assert_int_equal(run(cmd_log, "log verify --state DIR", out), EXIT_FOUND);
	assert_non_null(strstr(out, "broken: record 4 "));
	assert_int_equal(run(cmd_log, "log verify --json --state DIR", out), EXIT_FOUND);
	assert_non_null(strstr(out, "\"broken\":4,"));
}

static void wrong_use_is_told_apart_from_failure(void **state)
{
	(void)state;
	static const struct {
		int (*command)(int argc, char **argv);
		const char *words;
		int code;
	} rows[] = {
		{cmd_who_has, "who-has --state DIR", EXIT_USAGE}, {cmd_who_has, "who-has a b --state DIR", EXIT_USAGE},
		{cmd_who_has, "who-has npm:../x --state DIR", EXIT_USAGE}, {cmd_who_has, "who-has npm:a --colour --state DIR", EXIT_USAGE},
		{cmd_who_has, "who-has npm:a --state DIR", EXIT_CANNOT}, {cmd_log, "log --state DIR", EXIT_CANNOT},
		{cmd_log, "log verify --state DIR", EXIT_CANNOT}, {cmd_log, "log prune --before 1d --state DIR", EXIT_CANNOT},
		{cmd_log, "log prune --state DIR", EXIT_USAGE}, {cmd_log, "log --before 1d --state DIR", EXIT_USAGE},
		{cmd_log, "log burn --state DIR", EXIT_USAGE}, {cmd_log, "log verify twice --state DIR", EXIT_USAGE},
		{cmd_log, "log --kind rumour --state DIR", EXIT_USAGE}, {cmd_log, "log --limit 0 --state DIR", EXIT_USAGE},
		{cmd_log, "log --since yesterday --state DIR", EXIT_USAGE}, {cmd_log, "log --help", EXIT_NOTHING},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[8192];
		int code = run(rows[i].command, rows[i].words, out);

		if (code != rows[i].code || strlen(out) == 0)
			fail_msg("%s: %d, %s", rows[i].words, code, out);
	}
	/* And nothing was made where nothing was. */
	assert_int_equal(access(fixture_dir, F_OK), 0);
	char path[128];

	snprintf(path, sizeof(path), "%s/bondgate.db", fixture_dir);
	assert_int_equal(access(path, F_OK), -1);
}

static void the_state_has_one_place(void **state)
{
	(void)state;
	CLEANUP_BUF struct buf dir = BUF(4096);
	struct err err = {0};

	setenv("BONDGATE_STATE", "/from/environment", 1);
	assert_int_equal(state_dir("/from/option", &dir, &err), 0);
	assert_string_equal(buf_cstr(&dir), "/from/option");
	buf_clear(&dir);
	assert_int_equal(state_dir(NULL, &dir, &err), 0);
	assert_string_equal(buf_cstr(&dir), "/from/environment");
	unsetenv("BONDGATE_STATE");
	buf_clear(&dir);
	setenv("XDG_STATE_HOME", "/xdg", 1);
	assert_int_equal(state_dir(NULL, &dir, &err), 0);
	assert_string_equal(buf_cstr(&dir), geteuid() == 0 ? "/var/lib/bondgate" : "/xdg/bondgate");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(who_has_answers_in_the_fixed_shape),
		FIXTURE_TEST(who_has_lines_up_its_table),
		FIXTURE_TEST(the_log_is_filtered),
		FIXTURE_TEST(the_log_shows_each_record_on_one_line),
		FIXTURE_TEST(the_log_is_verified_and_pruned),
		FIXTURE_TEST(wrong_use_is_told_apart_from_failure),
		FIXTURE_TEST(the_state_has_one_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
