/* What the lockfiles lock, and which of it the manifests beside them name themselves. */
#include "base/limits.h"
#include "cmd/adopt.h"
#include "scan/formats.h"
#include "scan/ways.h"

static struct adopt_package *new_package(struct adopt *a, const struct lock_package *p, struct str key, struct str file)
{
	struct adopt_package *found = ARENA_NEW(a->arena, struct adopt_package);

	if (a->package_count == a->package_room) {
		size_t room = a->package_room ? 2 * a->package_room : 256;
		struct adopt_package **longer = reallocarray(a->packages, room, sizeof(struct adopt_package *));

		if (!longer)
			return NULL;
		a->packages = longer;
		a->package_room = room;
	}
	if (!found || !key.p || map_put(&a->by_name, key, found) < 0)
		return NULL;
	*found = (struct adopt_package){.ecosystem = p->ecosystem, .name = arena_str(a->arena, p->name), .file = file};
	a->packages[a->package_count++] = found;
	return found;
}

static int add_version(struct adopt *a, struct adopt_package *package, struct str version, struct str file)
{
	struct adopt_version *v;

	for (v = package->versions; v; v = v->next)
		if (str_eq(v->version, version))
			return 0;
	v = ARENA_NEW(a->arena, struct adopt_version);
	if (!v)
		return -ENOMEM;
	*v = (struct adopt_version){.next = package->versions, .version = arena_str(a->arena, version), .file = file};
	package->versions = v;
	a->version_count++;
	return arena_failed(a->arena) ? -ENOMEM : 0;
}

static struct str key_of(struct arena *arena, enum ecosystem e, struct str name)
{
	return arena_printf(arena, "%s:%.*s", ecosystem_name(e), STR_ARG(name));
}

/* Declared ones are of manifests without a lockfile: they are roots of which no version is known. */
static int add_package(struct adopt *a, const struct scanned *file, uint32_t index)
{
	const struct lock_package *p = &file->lock.packages[index];
	struct str key = key_of(a->arena, p->ecosystem, p->name);
	struct adopt_package *package;

	if ((p->source != LOCK_REGISTRY && p->source != LOCK_DECLARED) || !key.p)
		return key.p ? 0 : -ENOMEM;
	package = map_get(&a->by_name, key);
	if (!package && !(package = new_package(a, p, key, file->path)))
		return -ENOMEM;
	package->root = package->root || p->source == LOCK_DECLARED || lock_is_direct(&file->lock, index);
	return p->source == LOCK_REGISTRY && p->version.n ? add_version(a, package, p->version, file->path) : 0;
}

/* Lockfiles that do not say what the project names (npm's first form) leave it to the manifest. */
static void mark_group(struct adopt *a, struct scanned *file, struct json_reader *r)
{
	struct str key;

	if (!json_enter_object_or_skip(r))
		return;
	while (json_next_member(r, &key)) {
		struct str name = json_key_text(&file->lock, key), spec = json_text_or_none(r, &file->lock), range = spec, full;
		struct adopt_package *package;

		npm_alias(spec, &name, &range);
		full = key_of(a->arena, ECOSYSTEM_NPM, name);
		package = full.p && lock_source_of(range) == LOCK_REGISTRY ? map_get(&a->by_name, full) : NULL;
		if (package)
			package->root = true;
	}
}

static void mark_manifest(struct adopt *a, struct scanned *file)
{
	static const struct str groups[] = {{"dependencies", 12}, {"devDependencies", 15}, {"optionalDependencies", 20}};
	struct json_reader r;
	struct str key;

	lock_json_init(&r, file->manifest);
	if (json_peek(&r) != JSON_OBJECT)
		return;
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		bool taken = false;

		for (size_t i = 0; i < 3 && !taken; i++)
			if (json_raw_equals(key, groups[i])) {
				mark_group(a, file, &r);
				taken = true;
			}
		if (!taken)
			json_skip(&r, NULL);
	}
}

static int by_name(const void *left, const void *right)
{
	const struct adopt_package *a = *(struct adopt_package *const *)left, *b = *(struct adopt_package *const *)right;

	return a->ecosystem != b->ecosystem ? (a->ecosystem < b->ecosystem ? -1 : 1) : str_cmp(a->name, b->name);
}

static int take_file(struct adopt *a, struct scanned *file, struct err *err)
{
	int code = 0;

	if (file->code < 0)
		return err_set(err, -EBADMSG, "nothing is adopted: %s", file->err.text);
	for (size_t i = 0; i < file->count && code == 0; i++)
		code = add_package(a, file, file->listed[i].package);
	/* A package that is listed once may be named in another of its places. */
	for (uint32_t i = 0; i < file->lock.count && code == 0; i++)
		if (file->lock.packages[i].listed != LOCK_NONE && lock_is_direct(&file->lock, i))
			code = add_package(a, file, i);
	if (code == 0 && file->manifest.n)
		mark_manifest(a, file);
	return code < 0 ? err_set(err, code, "out of memory") : 0;
}

static int note_malware(struct adopt *a)
{
	int code = 0;

	for (size_t i = 0; i < a->scan.findings.count && code == 0; i++) {
		const struct finding *f = &a->scan.findings.array[i];

		if (f->kind == FINDING_MALWARE)
			code = adopt_note(a, &a->found,
			                  arena_printf(a->arena, "%.*s:%u: %s:%.*s@%.*s is malware (%.*s)", STR_ARG(finding_file(f)), finding_line(f),
			                               ecosystem_name(finding_ecosystem(f)), STR_ARG(finding_name(f)), STR_ARG(finding_version(f)),
			                               STR_ARG(f->id)));
	}
	return code;
}

int adopt_read(struct adopt *a, char **paths, int count, struct err *err)
{
	struct scan *s = &a->scan;
	int code;

	s->arena = a->arena;
	s->now = a->now;
	s->keep = true;
	s->policy = a->rules->policy;
	s->advisories = a->rules->advisories;
	s->rules = (struct scan_rules){.policy = s->policy, .advisories = s->advisories, .now = a->now};
	if (findings_init(&s->findings) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	code = scan_paths(s, paths, count, err);
	if (code == 0 && s->files.unreadable_count)
		code = err_set(err, -EACCES, "nothing is adopted: %.*s", STR_ARG(s->files.unreadable[0]));
	for (size_t i = 0; i < s->read_count && code == 0; i++)
		code = take_file(a, s->read[i], err);
	if (code == 0 && s->read_count == 0)
		code = err_set(err, -ENOENT, "no lockfile is below %s%s", paths[0], count > 1 ? " and the others" : "");
	if (code == 0 && note_malware(a) < 0)
		code = err_set(err, -ENOMEM, "out of memory");
	if (a->package_count)
		qsort(a->packages, a->package_count, sizeof(struct adopt_package *), by_name);
	return code;
}
