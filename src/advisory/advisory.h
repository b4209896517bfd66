/* Advisories (OSV records: vulnerabilities and malware) and the question that everybody asks of them: what is known about
 * this version? Behind this header stands a small in-memory index for now; the memory-mapped one takes its place. */
#ifndef BONDGATE_ADVISORY_ADVISORY_H
#define BONDGATE_ADVISORY_ADVISORY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "codec/purl.h"

enum advisory_kind { ADVISORY_VULNERABILITY, ADVISORY_MALWARE };
enum severity { SEVERITY_UNKNOWN, SEVERITY_LOW, SEVERITY_MODERATE, SEVERITY_HIGH, SEVERITY_CRITICAL };

struct advisory {
	enum advisory_kind kind; /* malware: id MAL-…, or CWE-506, or database_specific says malicious */
	enum severity severity;
	struct str id; /* "GHSA-…", "MAL-…" */
	struct str summary;
	struct str url;   /* where to read more; may be empty */
	struct str fixed; /* the lowest fixed version that the matching range names; may be empty */
	struct str vulnerable_versions; /* the matching package's ranges as an npm range ("<1.2.0 || >=2.0.0 <2.1.0") */
	usec published;   /* 0: unknown */
};

/* Immutable once built; shared between threads; counted. */
struct advisories;

struct advisories *advisories_empty(void);
/* Reads OSV JSON: one record, an array of records, or a folder of *.json files. A broken record is skipped and counted in
 * *ret_skipped, the first such problem described in `err` (with file and byte); only an unreadable path fails. */
int advisories_load(const char *path, struct advisories **ret, size_t *ret_records, size_t *ret_skipped, struct err *err);
/* The same of several paths, as one. */
int advisories_load_all(const char *const *paths, size_t count, struct advisories **ret, size_t *ret_records, size_t *ret_skipped,
                        struct err *err);
struct advisories *advisories_ref(struct advisories *a);
void advisories_unref(struct advisories *a);
/* Changes whenever the content does. */
uint64_t advisories_digest(const struct advisories *a);

/* Everything known about one version that is not withdrawn and, when `at` is not 0, was published at or before `at`; malware first,
 * then by severity. Returns the count and sets *ret to an array in `out` (NULL when 0). Costs one hash look-up for a package
 * that nothing is known about. */
size_t advisories_match(const struct advisories *a, enum ecosystem e, struct str name, struct str version, usec at,
                        struct arena *out, struct advisory **ret);
/* Is anything known about any version of this package? */
bool advisories_know(const struct advisories *a, enum ecosystem e, struct str name);

const char *severity_name(enum severity s);
int severity_parse(struct str text, enum severity *ret);

#endif
