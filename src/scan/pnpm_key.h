/* The keys of pnpm's packages: "/name/1.2.3_peer", "/name@1.2.3(peer@1)", "name@1.2.3", "host/name/1.2.3" … */
#ifndef BONDGATE_SCAN_PNPM_KEY_H
#define BONDGATE_SCAN_PNPM_KEY_H

#include "base/str.h"

struct pnpm_key {
	struct str name, version;
	struct str reference; /* what stands for the version when it is none: "https://…", "file:…" */
};

/* 0, or -EINVAL when it names no package and version; then `reference` may still be set. `major` of the lockfile's version. */
int pnpm_key_parse(struct str key, unsigned major, struct pnpm_key *ret);
/* Without "(peer@1)…". */
struct str pnpm_without_peers(struct str key);
/* 5 of "5.4", 9 of "9.0"; 0: unreadable. */
unsigned pnpm_major(struct str version);

#endif
