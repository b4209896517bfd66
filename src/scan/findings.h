/* What an advisory or the policy says against the packages of a lockfile: the same decision as at the gate. */
#ifndef BONDGATE_SCAN_FINDINGS_H
#define BONDGATE_SCAN_FINDINGS_H

#include "policy/decide.h"
#include "scan/lock.h"

/* One package and version of a file, however often it stands there. */
struct lock_listed {
	uint32_t package; /* its first place */
	bool dev;         /* for development only, in all places */
};

/* Every package that a list shows, once each, in the order of the file. The array is to be freed. 0 or -ENOMEM. */
int lock_list(struct lock *l, struct lock_listed **ret, size_t *ret_count);

enum finding_kind { FINDING_MALWARE, FINDING_VULNERABILITY, FINDING_POLICY };
const char *finding_kind_name(enum finding_kind k);

struct finding {
	enum finding_kind kind;
	enum severity severity;
	struct str id;      /* the advisory's, or the code of the reason */
	struct str summary; /* one sentence */
	struct str fixed;   /* the lowest version without it; may be empty */
	struct str url;
	const struct lock *lock;
	uint32_t package;
	bool dev;
};

struct findings {
	struct arena *arena; /* their texts; the locks must live on */
	struct finding *array;
	size_t count, room;
	size_t unjudged; /* packages without a version, of which only "all versions" could be said */
};

int findings_init(struct findings *f);
void findings_free(struct findings *f);

/* Judges what is listed. Rules that need a publish time or what the gate has seen are not asked: only advisories, deny lists
 * and namespaces. Members of a workspace, links and folders are the user's own and match nothing. 0 or -ENOMEM. */
int findings_add(struct findings *f, struct lock *l, const struct lock_listed *listed, size_t count, const struct policy *policy,
                 const struct advisories *advisories, usec now);
/* Malware first, then by severity, file and line. */
void findings_sort(struct findings *f);

#endif
