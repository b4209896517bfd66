/* The reading functions that the table in readers.c holds, one file each. */
#ifndef BONDGATE_SCAN_FORMATS_H
#define BONDGATE_SCAN_FORMATS_H

#include "scan/readers.h"

int read_npm_lock(struct lock *l, const struct lock_extras *extras, struct err *err);
int read_yarn_classic(struct lock *l, const struct lock_extras *extras, struct err *err);
int read_yarn_berry(struct lock *l, const struct lock_extras *extras, struct err *err);
int read_yarn(struct lock *l, const struct lock_extras *extras, struct err *err); /* either of the two */
int read_pnpm(struct lock *l, const struct lock_extras *extras, struct err *err);
int read_bun(struct lock *l, const struct lock_extras *extras, struct err *err);
int read_package_json(struct lock *l, const struct lock_extras *extras, struct err *err);
int read_nuget_lock(struct lock *l, const struct lock_extras *extras, struct err *err);
int read_project_assets(struct lock *l, const struct lock_extras *extras, struct err *err);
int read_packages_config(struct lock *l, const struct lock_extras *extras, struct err *err);
int read_msbuild(struct lock *l, const struct lock_extras *extras, struct err *err);
int read_deps_json(struct lock *l, const struct lock_extras *extras, struct err *err);
int read_global_json(struct lock *l, const struct lock_extras *extras, struct err *err);
int read_dotnet_tools(struct lock *l, const struct lock_extras *extras, struct err *err);
int read_paket(struct lock *l, const struct lock_extras *extras, struct err *err);
int read_cyclonedx(struct lock *l, const struct lock_extras *extras, struct err *err);
int read_spdx(struct lock *l, const struct lock_extras *extras, struct err *err);

/* Shared by readers of JSON (json_help.c): a string's decoded text, or nothing when the value is of another kind. */
struct str json_text_or_none(struct json_reader *r, struct lock *l);
bool json_true_or_none(struct json_reader *r);
/* An object is entered and true returned; any other value is passed over. */
bool json_enter_object_or_skip(struct json_reader *r);
bool json_enter_array_or_skip(struct json_reader *r);
struct str json_key_text(struct lock *l, struct str raw);
/* {"name": "range", …} as needs of `from`. */
void json_needs(struct json_reader *r, struct lock *l, uint32_t from, enum need_kind kind);
/* A reader as deep as nested lockfiles are. */
void lock_json_init(struct json_reader *r, struct str text);

/* npm's way to find a dependency: node_modules of the one who asks, then of the folders above (npm_paths.c). */
uint32_t npm_path_target(const struct lock *l, uint32_t from, const struct lock_need *need);
/* "npm:real@range" -> real and range; false when it is no alias. */
bool npm_alias(struct str spec, struct str *ret_name, struct str *ret_range);
/* From `resolved`: registry, or a tarball or repository of its own. */
enum lock_source npm_source_of(struct str resolved, struct str name);
/* Sets the source of a package from its `resolved`; where that is a registry's address of another package, this is what will be
 * installed: the name is corrected, the one that was written becomes the alias, and a warning says so. */
void npm_trace(struct lock *l, uint32_t at);

#endif
