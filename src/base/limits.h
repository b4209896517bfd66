/* The one table of limits: everything that a stranger's bytes can make larger has its maximum here. */
#ifndef BONDGATE_BASE_LIMITS_H
#define BONDGATE_BASE_LIMITS_H

#include <stddef.h>

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* X(name, value, what it bounds) */
#define LIMITS(X) \
	X(LIMIT_JSON_DEPTH, 64, "nesting of a JSON document") \
	X(LIMIT_JSON_MEMBERS, 200000, "members of one JSON object") \
	X(LIMIT_PACKUMENT_BYTES, 256 * MIB, "one packument from an upstream, uncompressed") \
	X(LIMIT_PACKUMENT_VERSIONS, 100000, "versions in one packument") \
	X(LIMIT_NAME_BYTES, 214, "an npm package name") \
	X(LIMIT_VERSION_BYTES, 256, "a version") \
	X(LIMIT_RANGE_BYTES, 8 * KIB, "a version range") \
	X(LIMIT_RANGE_COMPARATORS, 1024, "comparators of one version range") \
	X(LIMIT_RANGE_SET, 256, "comparators between two || of a version range") \
	X(LIMIT_ARTIFACT_BYTES, 1 * GIB, "one tarball") \
	X(LIMIT_QUARANTINE_FILES, 32, "artifacts kept for inspection because their hash was wrong") \
	X(LIMIT_QUARANTINE_BYTES, 2 * GIB, "the same, all together") \
	X(LIMIT_ARTIFACT_UNPACKED_BYTES, 8 * GIB, "the unpacked content of one tarball") \
	X(LIMIT_ARTIFACT_ENTRIES, 500000, "entries of one tarball") \
	X(LIMIT_MANIFEST_BYTES, 4 * MIB, "package.json inside a tarball") \
	X(LIMIT_POLICY_BYTES, 16 * MIB, "a policy file") \
	X(LIMIT_YAML_DEPTH, 32, "nesting of a YAML document") \
	X(LIMIT_ADVISORY_FILE_BYTES, 256 * MIB, "a file of advisories") \
	X(LIMIT_LOCK_BYTES, 512 * MIB, "one lockfile") \
	X(LIMIT_LOCK_ARENA_BYTES, 1 * GIB, "what is allocated while one lockfile is read") \
	X(LIMIT_LOCK_PACKAGES, 2000000, "packages of one lockfile") \
	X(LIMIT_LOCK_NEEDS, 20000000, "dependencies between them") \
	X(LIMIT_XML_DEPTH, 64, "nesting of an XML document") \
	X(LIMIT_XML_ELEMENTS, 100000, "elements of an XML document") \
	X(LIMIT_WALK_ENTRIES, 5000000, "files and folders looked at below one path of a scan") \
	X(LIMIT_WALK_DEPTH, 64, "folders below folders there") \
	X(LIMIT_ADVISORY_SOURCE_BYTES, 16 * GIB, "an archive of advisories, unpacked") \
	X(LIMIT_HEADER_BYTES, 32 * KIB, "the head of an HTTP request") \
	X(LIMIT_UPSTREAM_HEADER_BYTES, 128 * KIB, "the heads of an upstream's answer to one request") \
	X(LIMIT_TARGET_BYTES, 8 * KIB, "the target of an HTTP request") \
	X(LIMIT_REQUEST_ARENA_BYTES, 64 * MIB, "what is allocated while one HTTP request is handled") \
	X(LIMIT_AUDIT_BODY_BYTES, 16 * MIB, "the body of an audit request, uncompressed") \
	X(LIMIT_PUBLISH_BODY_BYTES, 256 * MIB, "the body of a publish request") \
	X(LIMIT_BODIES_BYTES, 320 * MIB, "the bodies of all requests that are being received, together") \
	X(LIMIT_ATTESTATIONS_BYTES, 4 * MIB, "what a registry says of a version's provenance") \
	X(LIMIT_SEARCH_BYTES, 16 * MIB, "a search answer of an upstream")

#define LIMITS_ENUM_(name, value, what) static const size_t name = (value);
LIMITS(LIMITS_ENUM_)
#undef LIMITS_ENUM_

#endif
