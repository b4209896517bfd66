/* What the files of the confinement share. */
#ifndef BONDGATE_GATE_CONFINE_INTERNAL_H
#define BONDGATE_GATE_CONFINE_INTERNAL_H

#include "gate/confine.h"

/* AddressSanitizer looks for leaks at the end by tracing its own process; a build with it cannot be shut as tightly. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CONFINE_LEAVES_TRACING 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define CONFINE_LEAVES_TRACING 1
#endif
#ifndef CONFINE_LEAVES_TRACING
#define CONFINE_LEAVES_TRACING 0
#endif

/* confine_files.c: 0 and the ABI in force in *ret_abi (0: this kernel has none that is usable), or negative errno. */
int confine_files(const struct confine_paths *paths, int *ret_abi, struct err *err);

/* confine_calls.c: 0, -ENOSYS when this kernel has no filters, or another negative errno. */
int confine_calls(struct err *err);

#endif
