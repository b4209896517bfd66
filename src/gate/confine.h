/* The gate shuts itself in before the first stranger's byte arrives: files by Landlock, system calls by seccomp, no privileges to gain,
 * no capabilities. What a parser's bug could then still reach is the state folder and the network.
 *
 * Left open on purpose: TCP to any address and port (Landlock could name ports since ABI 4, but upstreams and proxies are the policy's
 * and change with it) and reading of the policy's folders. See landlock(7), seccomp(2), capabilities(7). */
#ifndef BONDGATE_GATE_CONFINE_H
#define BONDGATE_GATE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct confine_paths {
	/* Files, and folders with all below them. What does not exist is passed over. Since a file may be replaced by rename, or appear
	 * later, its folder is allowed with it. Very wide folders are never allowed, given or not: the root, those that every machine has
	 * (/etc, /var/lib), the user's home and what holds it; a file in one of these that is replaced cannot be read any more. What the C
	 * library and OpenSSL read by themselves (resolver, CA certificates, zones, NSS modules) need not be given. */
	const char *const *read;
	size_t read_count;
	/* Folders, such as the state folder. They must exist and be writable without any capability. */
	const char *const *write;
	size_t write_count;
	/* Keep CAP_NET_BIND_SERVICE, because a port below 1024 is opened later. */
	bool low_ports;
};

/* Confines the whole process for good; called once, while it has one thread: Landlock and capabilities belong to threads and are
 * inherited only by those made later. Opening the store makes a thread, so this comes before it (and after the policy is read).
 * What is to reach an abstract Unix socket outside (notify_open) connects before. Under Linux 5.19 there is no usable Landlock and the rest
 * is done without it.
 * 0, -EBUSY with more than one thread, -EACCES or -ENOENT with a sentence for a folder that could not be written, or another
 * negative errno; then the process may be half confined and should end. */
int confine_start(const struct confine_paths *paths, struct err *err);

/* What is in force, for one log line: "landlock abi 7, seccomp, no new privileges, no capabilities". Never NULL. */
const char *confine_describe(void);

#endif
