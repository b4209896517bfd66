/* What was scanned and what was found, as plain values, and the forms in which it is written: values in, bytes out. The texts belong to the
 * caller and must outlive the call. Which forms there are stands in one table. */
#ifndef BONDGATE_REPORT_REPORT_H
#define BONDGATE_REPORT_REPORT_H

#include "advisory/advisory.h"
#include "base/buf.h"
#include "base/time.h"
#include "codec/purl.h"

struct report_package {
	enum ecosystem ecosystem;
	struct str name, version, alias, requested;
	struct str integrity; /* as the lockfile writes it */
	struct str resolved, licence;
	const char *source; /* "registry", "git" … */
	bool declared;      /* named by a manifest, not locked */
	bool dev, optional, bundled;
	bool direct; /* the project itself, or a member of it, names it */
	uint32_t line;
	const uint32_t *needs; /* places in the same file's array */
	size_t need_count;
};

struct report_file {
	struct str path;
	const char *format;
	const struct report_package *packages; /* NULL where nobody asked for them: `count` says how many there are */
	size_t count;
	struct str error; /* why it could not be read; empty: it could */
	const struct str *warnings;
	size_t warning_count;
};

struct report_step {
	struct str name, version;
};

struct report_way {
	const struct report_step *steps; /* from what the project names to the package itself */
	size_t count;
};

enum { REPORT_FINGERPRINT = 33 };

struct report_finding {
	const char *kind; /* "malware", "vulnerability", "policy", "source" … */
	enum severity severity;
	struct str id, summary, fixed, url, vector;
	int score; /* tenths; -1: none */
	const struct str *aliases;
	size_t alias_count;
	enum ecosystem ecosystem;
	struct str name, version;
	struct str file;
	uint32_t line;
	const struct report_way *ways;
	size_t way_count;
	bool dev, direct;
	bool fails;       /* counts for the exit code */
	bool report_only; /* a rule that is in mode `report` */
	struct str until; /* of a hold that ends by itself; RFC 3339 or empty */
	char fingerprint[REPORT_FINGERPRINT];
};

struct report {
	struct str tool_version; /* "0.1.0" */
	usec now;
	const struct report_file *files;
	size_t file_count;
	const struct report_finding *findings;
	size_t finding_count;
	size_t packages, unreadable;
	size_t versionless; /* judged by name only */
	size_t unjudged;    /* rules that need a publish time or a publisher could not be asked about these */
	size_t baselined;   /* findings that the baseline already had: left out */
	size_t ignored;     /* advisories that the policy ignores for now */
	size_t left_out;    /* findings that --severity, --prod and the like leave out */
	bool list, quiet;
	bool colour;
	unsigned width; /* of the terminal; 0: it is none */
};

/* The stable name of a finding: the same in the next run, whatever the line. 32 hex digits and a NUL into `out`. */
void report_fingerprint(const struct report_finding *f, char out[REPORT_FINGERPRINT]);

/* X(function, "name", needs packages, "what it is for") */
#define REPORT_FORMATS(X) \
	X(report_table, "table", false, "for people") \
	X(report_json, "json", false, "for scripts") \
	X(report_sarif, "sarif", false, "SARIF 2.1.0, for code scanning") \
	X(report_cyclonedx, "cyclonedx", true, "CycloneDX 1.6, an SBOM with what was found") \
	X(report_spdx, "spdx", true, "SPDX 2.3, an SBOM") \
	X(report_spdx3, "spdx3", true, "SPDX 3.0.1, an SBOM") \
	X(report_junit, "junit", false, "JUnit XML, for test pages") \
	X(report_github, "github", false, "annotations of GitHub Actions") \
	X(report_gitlab, "gitlab", false, "GitLab's code quality report") \
	X(report_gitlab_dependencies, "gitlab-dependencies", false, "GitLab's dependency scanning report") \
	X(report_markdown, "markdown", false, "a summary for a pull request") \
	X(report_openvex, "openvex", false, "OpenVEX 0.2.0: what affects the project")

/* Appends the report in this form. `a` is for what has to be put together on the way. 0; -EFBIG, -ENOMEM. */
typedef int report_writer(const struct report *r, struct arena *a, struct buf *out);
#define X(function, name, packages, help) report_writer function;
REPORT_FORMATS(X)
#undef X

struct report_format {
	const char *name, *help;
	bool packages; /* wants report_file.packages */
	report_writer *write;
};
size_t report_formats(const struct report_format **ret_array);
/* By its name, or NULL. */
const struct report_format *report_format(struct str name);

#endif
