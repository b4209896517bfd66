/* Finds the lockfiles below a path. Links are never followed, so nothing outside the path is read and no circle is walked. */
#ifndef BONDGATE_SCAN_PROJECT_H
#define BONDGATE_SCAN_PROJECT_H

#include "scan/readers.h"

struct project_file {
	struct str path;                  /* as it will be shown: below the path that was given */
	const struct lock_format *format; /* NULL: to be recognised by its content; or unknown */
	bool tree;                        /* a node_modules folder, to be read by installed_read */
};

struct project_files {
	struct arena *arena; /* the paths live here */
	struct project_file *array;
	size_t count, room;
	struct str unreadable[16]; /* "path: why"; folders that could not be looked into */
	size_t unreadable_count;
	size_t entries;
};

struct project_options {
	bool installed; /* read node_modules folders, as they are on the disk */
};

/* Adds what `path` names: the file itself, or everything below the folder that carries the name of a format, in the order of
 * the paths. node_modules, .git and their like are passed over. 0; -ENOENT and others when the path itself cannot be read. */
int project_find(struct project_files *files, const char *path, const struct project_options *options, struct err *err);
void project_files_free(struct project_files *files);

/* Leaves out manifests that a lockfile speaks for: package.json with a lockfile beside or above it, a project file with
 * packages.lock.json or obj/project.assets.json, a central file that a project uses. `given` is the path searched. */
void project_drop_manifests(struct project_files *files);

/* Reads the files beside `path` that take part in its meaning into the arena: Directory.*.props of the folders above, the
 * package.json beside a yarn.lock. */
int project_extras(struct arena *a, const struct project_file *file, struct lock_extras *ret, struct err *err);

/* A node_modules folder as installed: every package.json of a package in it, also those that others bring along. */
int installed_read(const char *path, struct lock *ret, struct err *err);

#endif
