#include "unit.h"

#include "base/limits.h"
#include "codec/access_log.h"

struct row {
	enum access_format format;
	const char *line;
	int r;
	const char *time, *client, *user, *path, *agent;
	int status;
};

static void check(const struct row *row, enum access_format format)
{
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct access_line l;
	char when[TIME_TEXT] = "";
	int r = access_log_line(format, str_of(row->line), a, &l);

	if (r != row->r)
		fail_msg("%s: %d", row->line, r);
	if (r < 0)
		return;
	if (l.time)
		time_format_utc(l.time, when);
	if (strcmp(when, row->time) != 0 || !str_eq(l.client, str_of(row->client)) || !str_eq(l.user, str_of(row->user)) ||
	    !str_eq(l.path, str_of(row->path)) || !str_eq(l.agent, str_of(row->agent)) || l.status != row->status)
		fail_msg("%s: %s, %.*s, %.*s, %.*s, %.*s, %d", row->line, when, STR_ARG(l.client), STR_ARG(l.user), STR_ARG(l.path),
		         STR_ARG(l.agent), l.status);
}

static const struct row rows[] = {
	{ACCESS_NEXUS,
     "10.0.0.7 - jo [23/Nov/2026:10:12:01 +0100] \"GET /repository/npm/left-pad/-/left-pad-1.3.0.tgz HTTP/1.1\" 200 - 319 45 \"npm/11 "
     "node/v24\" [qtp1-2]",
     0, "2026-11-23T09:12:01.000Z", "10.0.0.7", "jo", "/repository/npm/left-pad/-/left-pad-1.3.0.tgz", "npm/11 node/v24", 200},
	{ACCESS_NEXUS, "::1 - - [01/Jan/2026:00:00:00 +0000] \"GET /a?b=c HTTP/1.1\" 304 0 1 \"-\"", 0, "2026-01-01T00:00:00.000Z", "::1", "",
     "/a", "-", 304},
	{ACCESS_NEXUS, "10.0.0.7 - - [23/Nov/2026:10:12:01 +0000] \"GET https://proxy.example/npm/a HTTP/1.1\" 200", 0,
     "2026-11-23T10:12:01.000Z", "10.0.0.7", "", "/npm/a", "", 200},
	{ACCESS_NEXUS, "10.0.0.7 - - [99/Foo/2026:10:12:01 +0000] \"GET /a HTTP/1.1\" 200 1", -EBADMSG, NULL, NULL, NULL, NULL, NULL, 0},
	{ACCESS_NEXUS, "10.0.0.7 - - [23/Nov/2026:10:12:01 +0000] \"\" 400 0", -EBADMSG, NULL, NULL, NULL, NULL, NULL, 0},
	{ACCESS_NEXUS, "Server started", -EBADMSG, NULL, NULL, NULL, NULL, NULL, 0},
	{ACCESS_NEXUS, "", -ENOENT, NULL, NULL, NULL, NULL, NULL, 0},
	{ACCESS_ARTIFACTORY, "2026-11-23T10:12:01.123Z|4fd13b|10.0.0.8|kim|GET|/api/npm/r/a/-/a-1.0.0.tgz|200|-1|319|45|npm/11", 0,
     "2026-11-23T10:12:01.123Z", "10.0.0.8", "kim", "/api/npm/r/a/-/a-1.0.0.tgz", "npm/11", 200},
	{ACCESS_ARTIFACTORY, "2026-11-23T10:12:01.123Z|4fd13b|10.0.0.8|anonymous|GET|api/v1/x|404|0|6|0|", 0, "2026-11-23T10:12:01.123Z",
     "10.0.0.8", "", "api/v1/x", "", 404},
	{ACCESS_ARTIFACTORY, "20261123101201|26|REQUEST|10.0.0.8|kim|GET|/npm/a/-/a-1.0.0.tgz|HTTP/1.1|200|319", 0, "2026-11-23T10:12:01.000Z",
     "10.0.0.8", "kim", "/npm/a/-/a-1.0.0.tgz", "", 200},
	{ACCESS_ARTIFACTORY, "2026|x|y", -EBADMSG, NULL, NULL, NULL, NULL, NULL, 0},
	{ACCESS_ARTIFACTORY, "yesterday|t|10.0.0.8|kim|GET|/a|200|-1|1|1|x", -EBADMSG, NULL, NULL, NULL, NULL, NULL, 0},
	{ACCESS_VERDACCIO,
     "{\"level\":35,\"time\":1767225600000,\"request\":{\"method\":\"GET\",\"url\":\"/a/-/"
     "a-1.0.0.tgz\"},\"user\":null,\"remoteIP\":\"10.0.0.9\",\"status\":200}",
     0, "2026-01-01T00:00:00.000Z", "10.0.0.9", "", "/a/-/a-1.0.0.tgz", "", 200},
	{ACCESS_VERDACCIO, "{\"level\":30,\"time\":1767225600000,\"msg\":\"http address\"}", -ENOENT, NULL, NULL, NULL, NULL, NULL, 0},
	{ACCESS_VERDACCIO, "{\"level\":30,", -EBADMSG, NULL, NULL, NULL, NULL, NULL, 0},
	{ACCESS_VERDACCIO, "\x1b[32mhttp\x1b[39m <-- 200, user: jo(10.0.0.9 via 127.0.0.1), req: 'GET /a/-/a-1.0.0.tgz', bytes: 0/319", 0, "",
     "10.0.0.9", "jo", "/a/-/a-1.0.0.tgz", "", 200},
	{ACCESS_VERDACCIO, "[2026-01-01T00:00:00.000Z] http <-- 304, user: null(10.0.0.9), req: 'GET /a', bytes: 0/0", 0,
     "2026-01-01T00:00:00.000Z", "10.0.0.9", "", "/a", "", 304},
	{ACCESS_VERDACCIO, "warn --- http address - something", -ENOENT, NULL, NULL, NULL, NULL, NULL, 0},
};

static void lines_are_read_as_their_programs_write_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i], rows[i].format);
}

static void good_lines_are_recognised_by_themselves(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].r == 0)
			check(&rows[i], ACCESS_AUTO);
}

static void artifacts_are_told_from_other_paths(void **state)
{
	(void)state;
	static const struct {
		const char *path, *name, *version; /* name NULL: none */
		enum ecosystem ecosystem;
	} paths[] = {
		{"/left-pad/-/left-pad-1.3.0.tgz", "left-pad", "1.3.0", ECOSYSTEM_NPM},
		{"/repository/npm-all/@scope/name/-/name-2.0.0-rc.1.tgz", "@scope/name", "2.0.0-rc.1", ECOSYSTEM_NPM},
		{"/npm/@scope%2fname/-/name-2.0.0.tgz", "@scope/name", "2.0.0", ECOSYSTEM_NPM},
		{"/npm/@scope/name/-/@scope/name-2.0.0.tgz", "@scope/name", "2.0.0", ECOSYSTEM_NPM},
		{"api/npm/r/a/-/a-1.0.0+build.5.tgz", "a", "1.0.0+build.5", ECOSYSTEM_NPM},
		{"/left-pad", NULL, NULL, 0},
		{"/-/v1/search", NULL, NULL, 0},
		{"/left-pad/-/other-1.3.0.tgz", NULL, NULL, 0},
		{"/left-pad/-/left-pad-latest.tgz", NULL, NULL, 0},
		{"/v3-flatcontainer/newtonsoft.json/13.0.3/newtonsoft.json.13.0.3.nupkg", "newtonsoft.json", "13.0.3", ECOSYSTEM_NUGET},
		{"/api/nuget/v3/r/Serilog/4.0.0/Serilog.4.0.0.nupkg", "Serilog", "4.0.0", ECOSYSTEM_NUGET},
		{"/v3-flatcontainer/newtonsoft.json/index.json", NULL, NULL, 0},
		{"/x/y.nupkg", NULL, NULL, 0},
		{"", NULL, NULL, 0},
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		CLEANUP_ARENA struct arena *a = arena_new(MIB);
		struct purl p;
		int r = access_log_artifact(str_of(paths[i].path), a, &p);

		if (!paths[i].name) {
			if (r != -ENOENT)
				fail_msg("%s: %.*s", paths[i].path, STR_ARG(p.name));
			continue;
		}
		if (r < 0 || p.ecosystem != paths[i].ecosystem || !str_eq(p.name, str_of(paths[i].name)) ||
		    !str_eq(p.version, str_of(paths[i].version)))
			fail_msg("%s: %d, %.*s, %.*s", paths[i].path, r, STR_ARG(p.name), STR_ARG(p.version));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read_as_their_programs_write_them),
		cmocka_unit_test(good_lines_are_recognised_by_themselves),
		cmocka_unit_test(artifacts_are_told_from_other_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
