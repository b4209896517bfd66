/* Reads every file that a scan found, and judges what is in it. */
#include <stdio.h>

#include "base/file.h"
#include "base/limits.h"
#include "cmd/scan.h"

void scanned_free(struct scanned *s)
{
	if (!s)
		return;
	lock_free(&s->lock);
	file_unmap(s->text);
	arena_free(s->extras);
	free(s->listed);
	free(s);
}

static int read_file(struct scanned *s, const struct project_file *file, struct err *err)
{
	struct lock_extras extras;
	const struct lock_format *format = file->format;
	int code;

	if (file->tree)
		return installed_read(file->path.p, &s->lock, err);
	/* Mapped, not copied: reading is most of the work. A file that somebody shortens at this moment ends the scan with a signal. */
	code = file_map(file->path.p, &s->text, err);
	if (code < 0)
		return code;
	if (!format)
		format = lock_format_by_content(s->text);
	if (!format)
		return err_set(err, -EBADMSG, "%s: not a lockfile or manifest that bondgate knows", file->path.p);
	s->format = format->name;
	code = project_extras(s->extras, &(struct project_file){.path = file->path, .format = format}, &extras, err);
	if (code < 0)
		return code;
	for (size_t i = 0; i < extras.count; i++)
		if (str_eq(extras.files[i].name, STR("package.json"))) {
			s->manifest = extras.files[i].text;
			s->manifest_path = extras.files[i].file;
		}
	return lock_read(format, s->text, file->path, &extras, &s->lock, err);
}

/* What is said of packages that the revision --since had already is not told. */
static void drop_old(struct findings *f, size_t first, const struct scanned *file, const struct lock_listed *fresh, size_t count)
{
	CLEANUP_FREE bool *is_fresh = calloc(file->count ? file->count : 1, 1);
	size_t kept = first;

	for (size_t i = 0; is_fresh && i < count; i++)
		is_fresh[file->lock.packages[fresh[i].package].listed] = true;
	for (size_t i = first; is_fresh && i < f->count; i++) {
		uint32_t package = f->array[i].package, listed = package == LOCK_NONE ? LOCK_NONE : file->lock.packages[package].listed;

		if (listed == LOCK_NONE || is_fresh[listed])
			f->array[kept++] = f->array[i];
	}
	if (is_fresh)
		f->count = kept;
}

static int judge(struct scan *s, struct scanned *one, struct err *err)
{
	CLEANUP_FREE struct lock_listed *fresh = NULL;
	const struct lock_listed *listed = one->listed;
	size_t count = one->count, before = s->findings.count;
	int code = 0;

	if (s->options.since) {
		code = scan_since(s, one, &fresh, &count, err);
		listed = fresh;
	}
	if (code == 0)
		code = scan_judge_prepare(s, one, err);
	if (code < 0)
		return code;
	code = findings_add(&s->findings, &one->lock, listed, count, &s->rules);
	if (code == 0)
		code = findings_add_sources(&s->findings, &one->lock, one->listed, one->count, &s->rules);
	if (code == 0 && one->manifest.n)
		code = findings_add_manifest(&s->findings, &one->lock, one->manifest_path, one->manifest);
	if (code == 0 && s->options.since)
		drop_old(&s->findings, before, one, fresh, count);
	return code < 0 ? err_set(err, code, "%.*s: %s", STR_ARG(one->path), err_name(code)) : 0;
}

static int keep(struct scan *s, struct scanned *one)
{
	struct scanned **bigger;

	if (s->read_count == s->read_room) {
		bigger = reallocarray(s->read, s->read_room ? s->read_room * 2 : 16, sizeof(struct scanned *));
		if (!bigger)
			return -ENOMEM;
		s->read = bigger;
		s->read_room = s->read_room ? s->read_room * 2 : 16;
	}
	s->read[s->read_count++] = one;
	return 0;
}

/* What nothing points into any more goes at once: a tree of hundreds of lockfiles is not held in memory. */
static void forget(struct scan *s, struct scanned *one)
{
	if (s->findings.count > one->first_finding || s->keep || one->lock.warning_count)
		return;
	lock_free(&one->lock);
	file_unmap(one->text);
	one->text = STR_NULL;
	arena_free(one->extras);
	one->extras = NULL;
	free(one->listed);
	one->listed = NULL;
}

static int scan_file(struct scan *s, const struct project_file *file, struct err *err)
{
	struct scanned *one = calloc(1, sizeof(*one));
	int code;

	if (!one || !(one->extras = arena_new(GIB)) || keep(s, one) < 0) {
		scanned_free(one);
		return err_set(err, -ENOMEM, "out of memory");
	}
	one->path = file->path;
	one->first_finding = s->findings.count;
	one->format = file->tree ? "node_modules" : file->format ? file->format->name : "unknown";
	one->code = read_file(one, file, &one->err);
	s->unreadable += one->code < 0;
	if (one->code < 0)
		return 0;
	code = lock_list(&one->lock, &one->listed, &one->count);
	if (code < 0)
		return err_set(err, code, "%s: %s", file->path.p, err_name(code));
	s->packages += one->count;
	code = judge(s, one, err);
	if (code == 0 && (s->findings.count > one->first_finding || s->keep))
		code = lock_paths(&one->lock);
	if (code == 0)
		forget(s, one);
	return code < 0 && !err->text[0] ? err_set(err, code, "%s: %s", file->path.p, err_name(code)) : code;
}

/* A path that does not exist is a file that could not be read. */
static int note_missing(struct scan *s, const char *path, const struct err *err)
{
	struct scanned *one = calloc(1, sizeof(*one));

	if (!one || keep(s, one) < 0) {
		free(one);
		return -ENOMEM;
	}
	one->path = str_of(path);
	one->format = "unknown";
	one->code = err->code ? err->code : -ENOENT;
	one->err = *err;
	s->unreadable++;
	return 0;
}

int scan_paths(struct scan *s, char **paths, int count, struct err *err)
{
	const struct project_options options = {.installed = s->options.installed};
	struct project_files found;
	int code = 0;

	/* What is named by itself is read whatever speaks for it. */
	for (int i = 0; i < count && code == 0; i++) {
		size_t before = s->files.count;

		code = project_find(&s->files, paths[i], &options, err);
		if (code < 0 && code != -ENOMEM) {
			code = note_missing(s, paths[i], err);
			*err = (struct err){0};
			continue;
		}
		if (code == 0 && s->files.count == before + 1 && strcmp(s->files.array[before].path.p, paths[i]) == 0)
			continue;
		if (code == 0) {
			found = (struct project_files){.array = s->files.array + before, .count = s->files.count - before};
			project_drop_manifests(&found);
			s->files.count = before + found.count;
		}
	}
	for (size_t i = 0; i < s->files.count && code == 0; i++)
		code = scan_file(s, &s->files.array[i], err);
	return code;
}
