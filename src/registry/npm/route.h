/* What an npm client asks for: method and path to a typed value, once. Paths and senders: facts/protocol.md 2.1. */
#ifndef BONDGATE_REGISTRY_NPM_ROUTE_H
#define BONDGATE_REGISTRY_NPM_ROUTE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* X(constant, "name for metrics and logs") */
#define NPM_ROUTES(X) \
	X(NPM_ROUTE_PACKUMENT, "packument")           /* GET /{name} */ \
	X(NPM_ROUTE_VERSION, "version")               /* GET /{name}/{version or tag} */ \
	X(NPM_ROUTE_TARBALL, "tarball")               /* GET /{name}/-/{file} */ \
	X(NPM_ROUTE_DIST_TAGS, "dist-tags")           /* GET /-/package/{name}/dist-tags */ \
	X(NPM_ROUTE_DIST_TAG_WRITE, "dist-tag-write") /* PUT, POST, DELETE on it and below */ \
	X(NPM_ROUTE_PUBLISH, "publish")               /* PUT /{name}, …/-rev/{rev}, DELETE of them */ \
	X(NPM_ROUTE_PING, "ping") \
	X(NPM_ROUTE_WHOAMI, "whoami") \
	X(NPM_ROUTE_LOGIN, "login")               /* POST /-/v1/login, PUT /-/user/org.couchdb.user:…, DELETE /-/user/token/… */ \
	X(NPM_ROUTE_SEARCH, "search")             /* GET /-/v1/search */ \
	X(NPM_ROUTE_AUDIT_BULK, "audit-bulk")     /* POST /-/npm/v1/security/advisories/bulk */ \
	X(NPM_ROUTE_AUDIT_QUICK, "audit-quick")   /* POST /-/npm/v1/security/audits/quick and …/audits */ \
	X(NPM_ROUTE_KEYS, "keys")                 /* GET /-/npm/v1/keys */ \
	X(NPM_ROUTE_ATTESTATIONS, "attestations") /* GET /-/npm/v1/attestations/{name}@{version} */ \
	X(NPM_ROUTE_ACCOUNT, "account")           /* org, team, tokens, profile, access, trust, stage …: nothing that we serve */

enum npm_route_kind {
#define X(constant, text) constant,
	NPM_ROUTES(X)
#undef X
		NPM_ROUTE_COUNT
};
const char *npm_route_name(enum npm_route_kind k);

struct npm_route {
	enum npm_route_kind kind;
	struct str name;    /* decoded package name, checked by npm_name_check; empty where the route has none */
	struct str version; /* VERSION: the version or tag, decoded; ATTESTATIONS: the version; DIST_TAG_WRITE: the tag */
	struct str file;    /* TARBALL: the last segment, decoded: "name-1.2.3.tgz" */
	bool write;         /* PACKUMENT with ?write=true: the full form, for a client about to publish */
	struct str text;    /* SEARCH: decoded text; */
	unsigned size, from;
	bool secret_in_path; /* a token is in the path: never log the target */
};

/* `path` is what follows the mount ("/@scope%2fname"), not decoded, starting with '/'. 0, -ENOENT (no such thing here), -EINVAL (a
 * hostile or malformed path), -EOPNOTSUPP (method not for this path); `err` says it for people. %2f is decoded exactly once. */
int npm_route_parse(struct arena *a, struct str method, struct str path, struct str query, struct npm_route *ret, struct err *err);

#endif
