/* One run of `bondgate scan`: the options, the files with what was read from them, the findings. One file for each step: scan.c the command,
 * scan_files.c reads and judges, scan_judge.c asks a store or a gate, scan_record.c keeps what is locked, scan_since.c leaves out what was there before, scan_select.c says which
 * findings are told and which fail, scan_report.c hands them to report/, scan_fix.c prints the plan of upgrades. */
#ifndef BONDGATE_CMD_SCAN_H
#define BONDGATE_CMD_SCAN_H

#include "base/buf.h"
#include "cmd/options.h"
#include "report/report.h"
#include "scan/findings.h"
#include "scan/project.h"

struct scan_options {
	const char *policy, *state, *advisories, *at, *gate;
	const char *format;
	struct option_list outputs; /* FORMAT=FILE */
	const char *severity, *fail_on, *since, *baseline, *write_baseline, *project, *token_file;
	bool record, json, list, quiet, installed, only_direct, prod, strict, fix_plan, verify_receipts;
};

/* One file that was read, or could not be. */
struct scanned {
	struct str path;
	const char *format;
	struct str text; /* mapped */
	struct lock lock;
	struct arena *extras;
	struct lock_listed *listed;
	size_t count;
	size_t first_finding, finding_count;
	struct str manifest, manifest_path; /* the package.json beside it */
	int code;                           /* 0, or why not, with `err` */
	struct err err;
};

struct scan_asking; /* whom the facts are asked of (scan_judge.c) */

struct scan {
	struct scan_options options;
	const struct report_format *format;
	struct policy *policy;
	struct advisories *advisories;
	usec now;
	struct arena *arena; /* texts that live as long as the scan */
	struct project_files files;
	struct findings findings;
	struct scan_rules rules;
	struct str hosts[64];
	struct scan_asking *asking;
	struct scanned **read;
	size_t read_count, read_room;
	size_t packages, unreadable, left_out, baselined;
	bool keep; /* a report wants every package */
};

/* Reads and judges everything below the paths. 0, or negative errno with a sentence: a file that cannot be read is not such an error. */
int scan_paths(struct scan *s, char **paths, int count, struct err *err);
void scanned_free(struct scanned *s);

/* Opens what --gate or the state folder offers; nothing at all is fine. Fills in the rules that ask it. */
int scan_judge_open(struct scan *s, struct err *err);
/* Asks about all packages of one file at once, before they are judged one by one. 0 or negative errno. */
int scan_judge_prepare(struct scan *s, const struct scanned *file, struct err *err);
void scan_judge_close(struct scan *s);

/* Which of the listed packages the same file at the revision --since did not have, moved to the front of a copy. 0 or negative errno. */
int scan_since(struct scan *s, const struct scanned *file, struct lock_listed **ret, size_t *ret_count, struct err *err);

/* Runs git in a folder and gathers what it prints. Its exit code, or negative errno. */
int scan_git(const char *folder, const char *const *arguments, struct buf *out);

/* --record: tells the gate, or the store of this machine, what the files lock. 0 or negative errno. */
int scan_record(struct scan *s, char **paths, int count, struct err *err);

/* Checks --severity and --fail-on; EXIT_USAGE told on standard error, or 0. */
int scan_select_check(const struct scan *s, const struct command_usage *usage);
/* Decides about one finding: false when it is not told; f->fails is set. */
bool scan_select(const struct scan *s, struct report_finding *f);
/* --baseline and --write-baseline. 0 or negative errno. */
int baseline_read(struct scan *s, const char *path, struct map *ret, struct err *err);
int baseline_write(const struct report *r, const char *path, struct err *err);

/* Turns what was found into a report, selects, writes all outputs. *ret_failing: how many findings count for the exit code. */
int scan_report(struct scan *s, size_t *ret_failing, struct err *err);

/* --fix-plan: prints it. 0 or negative errno. */
int scan_fix_plan(struct scan *s, struct err *err);

#endif
