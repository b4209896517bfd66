/* Lines of the access logs that other proxies write, as far as they tell who fetched which package. Pure: one line in, values out.
 *
 * nexus: Nexus Repository's request.log, and the combined format of web servers, which is alike:
 *	HOST - USER [23/Nov/2026:10:12:01 +0000] "GET /repository/npm/lodash/-/lodash-4.17.21.tgz HTTP/1.1" 200 … "npm/11 …"
 * artifactory: request log of 7 (eleven columns) and of 6 (with REQUEST in the third), separated by |:
 *	2026-11-23T10:12:01.123Z|TRACE|HOST|USER|GET|/api/npm/npm/lodash/-/lodash-4.17.21.tgz|200|-1|319029|45|npm/11 …
 * verdaccio: its JSON lines, and its lines for people (which may carry no time):
 *	{"time":1795000000000,"request":{"method":"GET","url":"/lodash/-/lodash-4.17.21.tgz"},"user":null,"remoteIP":"HOST","status":200,…}
 *	http <-- 200, user: jo(HOST), req: 'GET /lodash/-/lodash-4.17.21.tgz', bytes: 0/319029 */
#ifndef BONDGATE_CODEC_ACCESS_LOG_H
#define BONDGATE_CODEC_ACCESS_LOG_H

#include "base/arena.h"
#include "base/time.h"
#include "codec/purl.h"

enum access_format { ACCESS_AUTO, ACCESS_NEXUS, ACCESS_ARTIFACTORY, ACCESS_VERDACCIO };
int access_format_parse(struct str text, enum access_format *ret);

/* A request. Texts are slices of the line or live in the arena. */
struct access_line {
	usec time;               /* 0: the line has none */
	struct str client, user; /* `user` is empty for nobody */
	struct str method, path; /* the path as requested, without query; percent-encoded as it was */
	struct str agent;
	int status;
};

/* Reads one line, without its line end. 0; -ENOENT for a line that is of the format and no request (a start-up message, an empty line); -EBADMSG
 * for what cannot be read. ACCESS_AUTO takes each line for what it looks like. */
int access_log_line(enum access_format format, struct str line, struct arena *a, struct access_line *ret);

/* The version whose artifact a path asks for, wherever the repository is mounted: an npm tarball (…/NAME/-/FILE.tgz) or a package of NuGet's flat container
 * (…/ID/VERSION/ID.VERSION.nupkg). 0, or -ENOENT. Texts live in the arena. */
int access_log_artifact(struct str path, struct arena *a, struct purl *ret);

#endif
