/* Package URLs, the one written form of a package or version (purl specification, types npm and nuget), and the
 * short form that people type: npm:@scope/name@1.2.3, nuget:Name@1.2.3. */
#ifndef BONDGATE_CODEC_PURL_H
#define BONDGATE_CODEC_PURL_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum ecosystem { ECOSYSTEM_NPM, ECOSYSTEM_NUGET };

struct purl {
	enum ecosystem ecosystem;
	struct str name;    /* decoded, with its scope: "@scope/name" */
	struct str version; /* n == 0: the package as a whole */
};

/* "npm" or "nuget". */
const char *ecosystem_name(enum ecosystem e);
int ecosystem_parse(struct str text, enum ecosystem *ret);

/* Reads pkg:npm/%40scope/name@1.2.3, npm:@scope/name@1.2.3 and the same without a version. Qualifiers and subpath of a
 * purl are refused with a sentence. The name is checked by npm_name_check / NuGet's rules. 0 or -EINVAL. */
int purl_parse(struct arena *a, struct str text, struct purl *ret, struct err *err);
/* pkg:npm/%40scope/name@1.2.3 */
struct str purl_format(struct arena *a, enum ecosystem e, struct str name, struct str version);

/* May this be an npm package name on the wire? Segments of letters, digits and -_.~!'()* with an optional @scope/, at most
 * LIMIT_NAME_BYTES, no segment starting with a dot, no "..". Legacy upper-case names are names. 0 or -EINVAL with why. */
int npm_name_check(struct str name, struct err *err);

#endif
