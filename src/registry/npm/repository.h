/* The places that npm's metadata names: a package's repository, and dependencies that come from elsewhere than the registry. Pure. */
#ifndef BONDGATE_REGISTRY_NPM_REPOSITORY_H
#define BONDGATE_REGISTRY_NPM_REPOSITORY_H

#include "base/arena.h"

/* "github.com/org/repo" in lower case, without ".git", user, branch and folder, out of anything that npm accepts as a repository: an address
 * ("git+https://…", "ssh://git@…"), "git@host:org/repo", "github:org/repo", "org/repo". In the arena; empty when it is none. */
struct str npm_repository(struct arena *a, struct str text);
/* "github.com/org" of the above: the part that somebody has to own. */
struct str npm_repository_owner(struct str repository);

enum npm_source {
	NPM_FROM_REGISTRY,
	NPM_FROM_ALIAS,     /* "npm:other@^1": the registry too, under another name */
	NPM_FROM_ELSEWHERE, /* git, http, a file: no registry vouches for it */
};
/* Where a dependency written "name": "spec" comes from, as npm-package-arg reads it; *ret_name is the real name for the first two. */
enum npm_source npm_dependency_source(struct str name, struct str spec, struct str *ret_name);

#endif
