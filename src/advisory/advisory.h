/* Advisories (OSV records: vulnerabilities and malware) and the question that everybody asks of them: what is known about
 * this version? Behind this header stand two indexes that answer alike: one in memory, read from OSV's JSON, for a user's own few
 * records, and the file that `bondgate feed import` makes (feed.h), mapped, for all the world's. */
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
	struct str url;                 /* where to read more; may be empty */
	struct str fixed;               /* the lowest fixed version that the matching range names; may be empty */
	struct str vulnerable_versions; /* the matching package's ranges as an npm range ("<1.2.0 || >=2.0.0 <2.1.0") */
	usec published;                 /* 0: unknown */
	usec modified;                  /* likewise */
	int score;                      /* CVSS base score in tenths (98 for 9.8), of `vector`; -1: none */
	struct str vector;              /* "CVSS:3.1/…"; may be empty */
	const struct str *cwes;         /* "CWE-79", … */
	size_t cwe_count;
	const struct str *aliases; /* other names of the same: first the ids of `joined` records that said it too, then "CVE-…" and the like */
	size_t alias_count, joined;
	struct str not_affected; /* why it does not concern this version after all (VEX); empty: it does */
};

/* Immutable once built; shared between threads; counted. */
struct advisories;

struct advisories *advisories_empty(void);
/* Maps an index that advisories_build (feed.h) made. Costs the look at its head, whatever its size: everything else is checked when it
 * is first touched. 0; -ENOENT; -EBADMSG when it is not one, is cut short or damaged; -EPROTONOSUPPORT for one of another version. */
int advisories_open(const char *path, struct advisories **ret, struct err *err);
/* Touches everything. Of advisories that were read into memory there is nothing to check. 0, or -EBADMSG with a sentence. */
int advisories_verify(const struct advisories *a, struct err *err);
/* Was something touched that is damaged? Then every package that it may concern is answered with an advisory of kind malware and the id
 * ADVISORY_DAMAGED, so that nothing passes unseen. */
bool advisories_damaged(const struct advisories *a);
#define ADVISORY_DAMAGED "INDEX-DAMAGED"
/* Reads OSV JSON: one record, an array of records, or a folder of *.json files; or maps an index. A broken record is skipped and counted in
 * *ret_skipped, the first such problem described in `err` (with file and byte); only an unreadable path fails. */
int advisories_load(const char *path, struct advisories **ret, size_t *ret_records, size_t *ret_skipped, struct err *err);
/* The same of several paths, as one. */
int advisories_load_all(const char *const *paths, size_t count, struct advisories **ret, size_t *ret_records, size_t *ret_skipped,
                        struct err *err);
/* Reads statements of OpenVEX (0.0.x, 0.2.0) or of a CycloneDX document (1.4 to 1.6), told from each other by their content, into advisories that are
 * not shared yet: which advisory does not affect which version, because. Later statements about the same win. Never about malware. A
 * statement that cannot be applied (another ecosystem's product, a range of versions) is counted in *ret_skipped and the first one described in `err`. 0, or
 * negative errno when the document as a whole is none. */
int advisories_add_vex(struct advisories *a, struct str text, const char *name, size_t *ret_statements, size_t *ret_skipped,
                       struct err *err);
/* One such statement of the caller's own; an empty `version` means all. 0 or -ENOMEM. */
int advisories_mark(struct advisories *a, enum ecosystem e, struct str name, struct str version, struct str id, struct str why);
struct advisories *advisories_ref(struct advisories *a);
void advisories_unref(struct advisories *a);
/* Changes whenever the content does. */
uint64_t advisories_digest(const struct advisories *a);

/* Everything known about one version that is not withdrawn and, when `at` is not 0, was published at or before `at`; malware first,
 * then by severity, at the end what is marked as not affecting it. Records that name each other, or the same third, as an alias are one
 * advisory. Returns the count and sets *ret to an array in `out` (NULL when 0). Costs one hash look-up for a package that nothing is known
 * about. */
size_t advisories_match(const struct advisories *a, enum ecosystem e, struct str name, struct str version, usec at, struct arena *out,
                        struct advisory **ret);
/* Does an advisory that is not withdrawn (and was published at or before `at`, unless that is 0) name exactly this version as a fix of a range
 * of its package? *ret_id gets the most severe one's id, in `out`. */
bool advisories_fixed_by(const struct advisories *a, enum ecosystem e, struct str name, struct str version, usec at, struct arena *out,
                         struct str *ret_id, enum severity *ret_severity);
/* Is anything known about any version of this package? */
bool advisories_know(const struct advisories *a, enum ecosystem e, struct str name);

const char *severity_name(enum severity s);
int severity_parse(struct str text, enum severity *ret);

#endif
