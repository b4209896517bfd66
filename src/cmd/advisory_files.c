#include "cmd/advisory_files.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "advisory/feed.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"

struct noting {
	void (*note)(void *arg, const char *path, bool own);
	void *arg;
};

static void tell(const struct noting *n, const char *path, bool own)
{
	if (n->note)
		n->note(n->arg, path, own);
}

/* ---- VEX ---- */

static int add_vex(struct advisories *advisories, const char *path, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF(LIMIT_ADVISORY_FILE_BYTES);
	size_t statements, skipped;
	struct err first = {0};
	int r = file_read(path, &text, err);

	if (r < 0)
		return r;
	r = advisories_add_vex(advisories, buf_str(&text), path, &statements, &skipped, &first);
	if (r < 0)
		return err_set(err, r, "%s", first.text);
	log_event(skipped ? LOG_WARNING : LOG_DEBUG, "vex", "file=%s statements=%zu skipped=%zu first_problem=%s", path, statements, skipped,
	          log_quote(str_of(skipped ? first.text : "")));
	return 0;
}

static int is_document(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && str_ends(str_of(entry->d_name), STR(".json"));
}

/* The documents right below a folder, in the order of their names. */
static int add_vex_folder(struct advisories *advisories, const char *path, struct err *err)
{
	struct dirent **entries;
	int r = 0, n = scandir(path, &entries, is_document, alphasort);

	if (n < 0)
		return err_set(err, -errno, "cannot read %s: %s", path, err_name(errno));
	for (int i = 0; i < n; i++) {
		CLEANUP_BUF struct buf file = BUF(PATH_MAX);

		buf_printf(&file, "%s/%s", path, entries[i]->d_name);
		if (r == 0)
			r = file.error < 0 ? err_set(err, file.error, "a path below %s is too long", path) : add_vex(advisories, buf_cstr(&file), err);
		free(entries[i]);
	}
	free(entries);
	return r;
}

int advisory_files_mark(const struct policy *policy, struct advisories *advisories, struct arena *a,
                        void (*note)(void *arg, const char *path, bool own), void *arg, struct err *err)
{
	const struct noting noting = {note, arg};
	const struct str *files;
	size_t count = policy_vex(policy, &files);

	for (size_t i = 0; i < count; i++) {
		const char *path = arena_str(a, files[i]).p;
		struct stat there;
		int r = path ? 0 : err_set(err, -ENOMEM, "no memory");

		if (r == 0)
			r = stat(path, &there) == 0 && S_ISDIR(there.st_mode) ? add_vex_folder(advisories, path, err) : add_vex(advisories, path, err);
		if (r < 0)
			return r;
		tell(&noting, path, false);
	}
	return 0;
}

/* ---- the advisories themselves ---- */

static int load(const char *const *files, size_t count, const char *index, struct advisories **ret, struct err *err)
{
	size_t records = 0, skipped = 0;
	struct err damage = {0};
	int r;

	if (count == 0) {
		*ret = advisories_empty();
		return *ret ? 0 : err_set(err, -ENOMEM, "no memory");
	}
	r = advisories_load_all(files, count, ret, &records, &skipped, err);
	if (r < 0)
		return r;
	/* Whole, though each part would be checked when touched: a damaged index must not come into force at all. */
	r = advisories_verify(*ret, &damage);
	if (r < 0) {
		advisories_unref(*ret);
		*ret = NULL;
		return err_set(err, r, "%s: %s", index, damage.text);
	}
	log_event(skipped ? LOG_WARNING : LOG_INFO, "advisories", "records=%zu skipped=%zu first_problem=%s", records, skipped,
	          log_quote(str_of(skipped ? err->text : "")));
	return 0;
}

/* Is it there? One that cannot be looked at may hold denials: no other answer than "nothing there" lets it be passed over. */
static int look(const char *path, bool *ret, struct err *err)
{
	*ret = access(path, F_OK) == 0;
	return *ret || errno == ENOENT ? 0 : err_set(err, -errno, "cannot read the advisories in %s: %s", path, err_name(errno));
}

int advisory_files_load(const struct policy *policy, const char *state_dir, struct arena *a,
                        void (*note)(void *arg, const char *path, bool own), void *arg, struct advisories **ret, struct err *err)
{
	const struct gate_settings *settings = policy_gate(policy);
	struct str own = arena_printf(a, "%s/advisories", state_dir), index = arena_printf(a, "%s/" ADVISORY_INDEX, state_dir);
	const struct noting noting = {note, arg};
	const char **files = ARENA_ARRAY(a, const char *, settings->advisory_file_count + 2);
	bool has_own, has_index;
	size_t n = 0;
	int r;

	if (!own.p || !index.p || !files)
		return err_set(err, -ENOMEM, "no memory");
	r = look(own.p, &has_own, err);
	r = r < 0 ? r : look(index.p, &has_index, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < settings->advisory_file_count; i++) {
		files[n] = arena_str(a, settings->advisory_files[i]).p;
		if (!files[n])
			return err_set(err, -ENOMEM, "no memory");
		tell(&noting, files[n++], false);
	}
	if (has_own)
		files[n++] = own.p;
	if (has_index)
		files[n++] = index.p;
	r = load(files, n, index.p, ret, err);
	if (r < 0)
		return r;
	r = advisory_files_mark(policy, *ret, a, note, arg, err);
	if (r < 0) {
		advisories_unref(*ret);
		*ret = NULL;
		return r;
	}
	/* Watched also before the first import makes them. */
	tell(&noting, own.p, true);
	tell(&noting, index.p, true);
	return 0;
}
