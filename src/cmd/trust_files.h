/* The files of `registries.npm.provenance`: what provenance is verified with. */
#ifndef BONDGATE_CMD_TRUST_FILES_H
#define BONDGATE_CMD_TRUST_FILES_H

#include "codec/sigstore.h"
#include "policy/policy.h"

/* Reads both files; note(arg, path) is told of each before. *ret is NULL when the policy names none. -EINVAL when it names one without the other,
 * or when one holds something else: 0 or negative errno with a sentence that names the file. */
int trust_files_load(const struct policy *p, void (*note)(void *arg, struct str path), void *arg, struct sigstore_trust **ret,
                     struct err *err);

#endif
