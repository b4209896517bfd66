/* What several forms of a report share. */
#ifndef BONDGATE_REPORT_PARTS_H
#define BONDGATE_REPORT_PARTS_H

#include "base/map.h"
#include "codec/json.h"
#include "report/report.h"

/* The buffer's or the arena's error, once everything is written. */
int report_end(struct arena *a, const struct buf *out);

/* A member; nothing, or null, for the empty text. */
void part_optional(struct json_writer *w, const char *key, struct str value);
void part_nullable(struct json_writer *w, const char *key, struct str value);

/* "name@1.2.3", and "a > b > c" for a way. */
struct str part_coordinate(struct arena *a, struct str name, struct str version);
struct str part_way(struct arena *a, const struct report_way *way);
struct str part_purl(struct arena *a, enum ecosystem e, struct str name, struct str version);
/* One line for people: what it is, and where an upgrade leads. */
struct str part_title(struct arena *a, const struct report_finding *f);
struct str part_advice(struct arena *a, const struct report_finding *f);
/* "9.8", or empty. */
struct str part_score(struct arena *a, int score);
/* A relative path without "./"; an absolute one as it is; percent-encoded as a URI reference. */
struct str part_uri(struct arena *a, struct str path);
bool part_is_absolute(struct str path);
/* Seconds, as SBOMs want it: 2026-01-31T12:34:56Z. */
struct str part_time(struct arena *a, usec time);
/* A version 8 UUID (RFC 9562) of what was scanned and when: the same input gives the same document. */
struct str part_uuid(const struct report *r, struct arena *a);
uint32_t part_line(uint32_t line);
/* How many bytes at `i` are a character that steers what is shown instead of being shown: C0, DEL, C1, and Unicode's marks of direction and of
 * no width. 0: it is an ordinary one. With these a stranger's name could write over the lines of others, or read backwards. */
size_t part_steers(struct str text, size_t i);

/* Each whole hash of "sha512-… sha1-…", also of yarn's "10c0/hex" and of NuGet's plain base64: the algorithm ("sha512") and hex digits.
 * At most `room`; the count. What is no hash of a known algorithm is left out. */
struct part_hash {
	const char *algorithm;
	struct str hex;
};
size_t part_hashes(struct arena *a, enum ecosystem e, struct str integrity, struct part_hash *ret, size_t room);

/* Is it a licence expression whose every name is a known SPDX identifier; and is it one such name alone? */
bool part_is_licence_expression(struct str text);
bool part_is_licence_id(struct str text);

/* All packages of a report, one for each purl, in the order of the files. */
struct part_component {
	const struct report_package *package; /* its first place */
	struct str purl;
	bool dev, optional, direct;
	size_t *needs; /* components */
	size_t need_count, need_room;
};
struct part_components {
	struct part_component *array;
	size_t count;
	struct map *by_purl; /* purl -> place + 1 */
};
/* 0 or -ENOMEM; to be freed in any case. */
int part_components(const struct report *r, struct arena *a, struct part_components *ret);
void part_components_free(struct part_components *c);
/* The place, or SIZE_MAX. */
size_t part_component_of(const struct part_components *c, struct str purl);

#endif
