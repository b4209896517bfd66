/* A packument as it is kept: the upstream's JSON as it came, followed by what was computed from it once (abbreviated forms,
 * an index of the versions, times, tags, pins), so that an answer is a matter of picking slices.
 *
 * A document file is HEADER | raw JSON | tail. The gate downloads the raw JSON straight behind the room for the header, maps
 * the file, and lets npm_packument_build make header and tail. Integers are little-endian; a file made by another
 * version of the format is simply not opened, and made again. All functions are pure: bytes in, values out. */
#ifndef BONDGATE_REGISTRY_NPM_PACKUMENT_H
#define BONDGATE_REGISTRY_NPM_PACKUMENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "codec/semver.h"
#include "store/store.h"

enum { NPM_DOCUMENT_HEADER = 512 }; /* bytes in front of the raw JSON */

/* An exactly pinned dependency ("1.2.3", "=1.2.3", "npm:other@1.2.3"), from dependencies or optionalDependencies. */
struct npm_pin {
	struct str name, version;
	bool optional; /* from optionalDependencies: one platform of a set, as a rule */
};

struct npm_version {
	struct str version;   /* the key in `versions` */
	struct semver semver; /* parsed loosely; slices of `version` */
	bool semver_ok;
	struct str object;    /* the version object as the upstream wrote it */
	struct str file;      /* last path segment of dist.tarball, decoded; "name-1.2.3.tgz" made up where it is missing */
	struct str tarball;   /* dist.tarball, decoded */
	struct str integrity; /* dist.integrity, decoded; empty: none */
	struct str shasum;
	usec published;     /* rule 5: never 0 */
	usec upstream_time; /* 0: none */
	usec first_seen, lacked_at;
	bool deprecated;
	bool install_script; /* preinstall, install or postinstall in scripts, or hasInstallScript */
	bool ghost;          /* gone upstream, kept from the snapshot before (rule 8) */
	usec gone_at;
	bool hash_changed;     /* rule 4; integrity/shasum are what the upstream says now */
	struct str hash_first; /* then: the pin */
	struct str mismatch;   /* rule 3, from the store */
	const void *pins;      /* npm_version_pin() reads them */
	uint32_t pin_count;
	/* Trust (policy/decide.h, struct trust_facts, says what each means); empty or zero: nothing, or not known. */
	struct str publisher, trusted_publisher, approver, repository;
	bool provenance;
	bool native_expected; /* the version before it was built for one platform: native code in it is nothing new */
	struct str continuity, install_script_gained, binary_gained, remote_gained;
	int signature; /* as trust_facts.signature */
	const void
		*dependencies; /* npm_version_dependency() reads them: every real name (aliases resolved) of dependencies, optionalDependencies and
	                           * peerDependencies, once each; git, http and file ones have none */
	uint32_t dependency_count, gained_count; /* those that the version before it in its line had not come first */
};

/* What a look into the archives showed (struct seen_version): is it new in this version, that is, had the highest lower version that had
 * settled by then, and was looked into, nothing of the kind? Where none was, it is, unless `expected` (npm_version.native_expected). */
enum npm_archive_kind { NPM_ARCHIVE_SCRIPT, NPM_ARCHIVE_BINARY };
bool npm_archive_gained(const struct seen_package *seen, struct str version, enum npm_archive_kind kind, bool expected);

struct npm_tag {
	struct str tag, target;
	struct str former; /* rule 6: keep this target while it is cleared and now < hold_from + cooldown; empty: none */
	usec hold_from;
};

struct npm_keys; /* registry/npm/keys.h */

struct npm_packument; /* opened document; immutable; refers to the mapped bytes, which must outlive it */

struct npm_build {
	struct str name;                      /* the document's own `name` must equal it */
	usec now;                             /* when the snapshot was taken */
	struct str etag, last_modified;       /* of the upstream's answer; may be empty */
	const struct seen_package *seen;      /* what the store remembers, zeroed when nothing */
	const struct npm_packument *previous; /* the document before, for ghosts; NULL: none */
	const struct npm_keys *keys;          /* the registry's keys that signatures are verified with; NULL: they are not */
	bool again;                           /* the same raw JSON once more, because the store has learnt something */
	bool gone; /* the upstream answered 404 where there was a package: raw is empty, all versions become ghosts */
};

/* What a snapshot taught, to be recorded and told. Texts live in the arena. */
struct npm_changes {
	struct seen_package seen;         /* to be saved: new and changed versions only, all tags */
	const struct str *changed_hashes; /* rule 4: "name@version: sha512-A became sha512-B" */
	size_t changed_hash_count;
	const struct str *withdrawn; /* rule 8: "name@version: vanished 2 days after its publication" */
	size_t withdrawn_count;
	const struct str *notes; /* other oddities, e.g. a version whose key and `version` differ (it is left out) */
	size_t note_count;
};

/* `file` is the mapped document so far: NPM_DOCUMENT_HEADER bytes of anything, then the raw JSON. Validates it whole and makes the
 * tail (into `ret_tail`) and the header (into `ret_header`, NPM_DOCUMENT_HEADER bytes). Refuses with a sentence (-EBADMSG): not JSON, another name,
 * duplicate keys at the top level, in versions, time, dist-tags, in a version object or its dist, `versions` not an object, …
 * A single bad version (no dist, key not a version, control bytes in its tarball, nothing to verify it by) is left out with a note, not
 * fatal. `ret_tail` must be empty; on failure its content means nothing. */
int npm_packument_build(struct str file, const struct npm_build *b, struct arena *a, struct buf *ret_tail, char *ret_header,
                        struct npm_changes *ret_changes, struct err *err);

/* `file`: the whole mapped document. Checks header, bounds and checksum (-EBADMSG: make it again). */
int npm_packument_open(struct str file, struct npm_packument **ret, struct err *err);
void npm_packument_free(struct npm_packument *p);

struct str npm_packument_name(const struct npm_packument *p);
struct str npm_packument_etag(const struct npm_packument *p);
struct str npm_packument_last_modified(const struct npm_packument *p);
/* Another number for every content and every making of it, and the same whenever its file is opened again. */
uint64_t npm_packument_identity(const struct npm_packument *p);
/* XXH3-128 of the raw JSON in hex: the same bytes from an upstream without ETag are recognised by it. */
struct str npm_packument_raw_hash(const struct npm_packument *p);
/* The 8 bytes of the header at this offset are the time of the last check with the upstream (usec, little-endian); they are not part of
 * the checksum and the gate writes them in place. */
enum { NPM_DOCUMENT_CHECKED_OFFSET = 16 };
/* The raw JSON as it came; empty when the package is gone. */
struct str npm_packument_raw(const struct npm_packument *p);
usec npm_packument_checked(const struct npm_packument *p);
usec npm_packument_first_published(const struct npm_packument *p); /* `published` of the first version */
bool npm_packument_placeholder(const struct npm_packument *p);     /* a security placeholder (rule 8) */
bool npm_packument_gone(const struct npm_packument *p);
uint64_t npm_packument_keys_id(const struct npm_packument *p); /* npm_keys_id() of the keys that it was built with */

size_t npm_packument_version_count(const struct npm_packument *p);
void npm_packument_version(const struct npm_packument *p, size_t index, struct npm_version *ret);
struct npm_pin npm_version_pin(const struct npm_version *v, uint32_t index);
struct str npm_version_dependency(const struct npm_version *v, uint32_t index);
/* Index or -1. By hash tables in the document. */
ptrdiff_t npm_packument_find(const struct npm_packument *p, struct str version);
ptrdiff_t npm_packument_find_file(const struct npm_packument *p, struct str file);
size_t npm_packument_tag_count(const struct npm_packument *p);
void npm_packument_tag(const struct npm_packument *p, size_t index, struct npm_tag *ret);

#endif
