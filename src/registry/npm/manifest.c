#include "registry/npm/manifest.h"

#include "base/limits.h"
#include "base/map.h"
#include "codec/json.h"
#include "codec/semver.h"

/* What is compared, as raw JSON. Of a key that comes twice the last one counts, as in JavaScript. */
struct manifest {
	struct str name, version, scripts, dependencies, optional, bin, gypfile, has_install_script;
	struct str dist, npm_user, npm_version, bundle, bundled;
};

static const struct str install_scripts[] = {STR("preinstall"), STR("install"), STR("postinstall")};

static bool read_manifest(struct str json, struct manifest *ret)
{
	const struct {
		struct str key;
		struct str *to;
	} members[] = {
		{STR("name"), &ret->name},
		{STR("version"), &ret->version},
		{STR("scripts"), &ret->scripts},
		{STR("dependencies"), &ret->dependencies},
		{STR("optionalDependencies"), &ret->optional},
		{STR("bin"), &ret->bin},
		{STR("gypfile"), &ret->gypfile},
		{STR("hasInstallScript"), &ret->has_install_script},
		{STR("dist"), &ret->dist},
		{STR("_npmUser"), &ret->npm_user},
		{STR("_npmVersion"), &ret->npm_version},
		{STR("bundleDependencies"), &ret->bundle},
		{STR("bundledDependencies"), &ret->bundled},
	};
	struct json_reader r;
	struct str key, value;

	json_init(&r, json);
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		json_skip(&r, &value);
		for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
			if (!json_failed(&r) && json_raw_equals(key, members[i].key))
				*members[i].to = value;
	}
	return json_finish(&r, NULL) == 0;
}

static bool is_kind(struct str json, char first)
{
	return json.n && json.p[0] == first;
}

/* A string's text, decoded and without blanks around it; another kind of value is no text. */
static struct str text_of(struct arena *a, struct str json)
{
	return is_kind(json, '"') ? str_trim(json_decode(a, (struct str){json.p + 1, json.n - 2})) : STR_NULL;
}

/* The last member of that name in an object given as JSON; n == 0: none. */
static struct str member(struct str object, struct str plain)
{
	struct str key, value, found = STR_NULL;
	struct json_reader r;

	if (!is_kind(object, '{'))
		return STR_NULL;
	json_init(&r, object);
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		json_skip(&r, &value);
		if (!json_failed(&r) && json_raw_equals(key, plain))
			found = value;
	}
	return found;
}

static int differs(struct arena *a, struct str *ret, const char *what, struct str name, struct str archive, struct str metadata)
{
	*ret = arena_printf(a, "the archive's %s%s%.*s is \"%.*s\", the registry's metadata says %s%.*s%s", what, name.n ? " " : "",
	                    STR_ARG(str_take(name, 100)), STR_ARG(str_take(archive, 200)), metadata.n ? "\"" : "",
	                    STR_ARG(metadata.n ? str_take(metadata, 200) : STR("nothing of it")), metadata.n ? "\"" : "");
	return 1;
}

static bool same_version(struct str a, struct str b)
{
	struct semver x, y;

	if (str_eq(a, b))
		return true;
	return semver_parse(a, SEMVER_LOOSE, &x) == 0 && semver_parse(b, SEMVER_LOOSE, &y) == 0 && semver_compare(&x, &y) == 0;
}

static int compare_identity(const struct manifest *archive, const struct manifest *metadata, struct arena *a, struct str *ret)
{
	struct str mine = text_of(a, archive->name), theirs = text_of(a, metadata->name);

	if (!str_eq(mine, theirs))
		return differs(a, ret, "name", STR_NULL, mine, theirs);
	mine = text_of(a, archive->version);
	theirs = text_of(a, metadata->version);
	return same_version(mine, theirs) ? 0 : differs(a, ret, "version", STR_NULL, mine, theirs);
}

/* Publishing with npm writes the build that a binding.gyp stands for into the metadata's scripts. Mirrors that make their metadata from
 * the archives lack it on every honest package; they lack these marks of a publication as well. The signatures are the
 * registry's own, so that a publisher cannot leave them out. */
static bool metadata_is_of_publication(const struct manifest *metadata)
{
	return metadata->npm_user.n || metadata->npm_version.n || member(metadata->dist, STR("signatures")).n;
}

static int compare_scripts(const struct manifest *archive, const struct manifest *metadata, bool binding_gyp, struct arena *a,
                           struct str *ret)
{
	bool runs = false, told = str_eq(metadata->has_install_script, STR("true")) || str_eq(metadata->gypfile, STR("true"));

	for (size_t i = 0; i < sizeof(install_scripts) / sizeof(install_scripts[0]); i++) {
		struct str mine = text_of(a, member(archive->scripts, install_scripts[i]));
		struct str theirs = text_of(a, member(metadata->scripts, install_scripts[i]));

		if (mine.n && !str_eq(mine, theirs))
			return differs(a, ret, "script", install_scripts[i], mine, theirs);
		/* npm builds by itself only where neither of these two is there. */
		runs |= mine.n && i < 2;
		told |= theirs.n != 0;
	}
	if (binding_gyp && !runs && !told && !str_eq(archive->gypfile, STR("false")) && metadata_is_of_publication(metadata)) {
		*ret = STR("the archive holds a binding.gyp, which runs node-gyp on installing, and the registry's metadata has no install script");
		return 1;
	}
	return 0;
}

/* "^1.0.0" and ">=1.0.0 <2.0.0-0" are one range; what is no range (a tag, an address) must be the same text. */
static bool same_range(struct arena *a, struct str x, struct str y)
{
	struct semver_range *first, *second;

	if (str_eq(x, y))
		return true;
	if (semver_range_parse(a, x, SEMVER_LOOSE, &first) < 0 || semver_range_parse(a, y, SEMVER_LOOSE, &second) < 0)
		return false;
	return str_eq(semver_range_format(a, first), semver_range_format(a, second));
}

/* An object's members by decoded name; the last one of a name counts. Values are struct str in the arena. */
static int object_map(struct str object, struct arena *a, struct map *ret)
{
	struct str key, value, *kept;
	struct json_reader r;
	int result = 0;

	/* Lists and lone texts are an old way of writing that no client takes from an archive. */
	if (!is_kind(object, '{'))
		return 0;
	json_init(&r, object);
	json_enter_object(&r);
	while (result == 0 && json_next_member(&r, &key)) {
		json_skip(&r, &value);
		kept = ARENA_NEW(a, struct str);
		if (!kept)
			return -ENOMEM;
		*kept = value;
		result = map_put(ret, json_decode(a, key), kept);
	}
	return result;
}

/* What the metadata gives for the dependency: publishing copies optional dependencies into the plain ones, so either will do. */
static bool metadata_agrees(const struct map *plain, const struct map *optional, struct str name, struct str mine, struct arena *a,
                            struct str *ret_theirs)
{
	const struct map *places[] = {plain, optional};

	*ret_theirs = STR_NULL;
	for (size_t i = 0; i < 2; i++) {
		const struct str *value = map_get(places[i], name);
		struct str range = value ? text_of(a, *value) : STR_NULL;

		if (value && is_kind(*value, '"') && same_range(a, mine, range))
			return true;
		if (range.n)
			*ret_theirs = range;
	}
	return false;
}

static int compare_dependencies(struct str dependencies, const char *what, const struct manifest *metadata, struct arena *a,
                                struct str *ret)
{
	CLEANUP_MAP struct map mine = MAP_EMPTY, plain = MAP_EMPTY, optional = MAP_EMPTY;
	struct str name, theirs;
	void *value;

	if (object_map(dependencies, a, &mine) < 0 || object_map(metadata->dependencies, a, &plain) < 0 ||
	    object_map(metadata->optional, a, &optional) < 0) {
		*ret = STR("the archive's package.json is too large to be compared");
		return 1;
	}
	for (size_t i = 0; map_next(&mine, &i, &name, &value);) {
		struct str range = text_of(a, *(struct str *)value);

		if (is_kind(*(struct str *)value, '"') && !metadata_agrees(&plain, &optional, name, range, a, &theirs))
			return differs(a, ret, what, name, range, theirs);
	}
	return 0;
}

/* As npm normalises what an entry of bin points to: no "./" in front, no "..", slashes only, no doubled ones. */
static struct str bin_path(struct arena *a, struct str path)
{
	char *out = arena_alloc(a, path.n + 1);
	size_t n = 0, from = 0;

	if (!out)
		return STR_NULL;
	for (size_t i = 0; i <= path.n; i++) {
		struct str part;

		if (i < path.n && path.p[i] != '/' && path.p[i] != '\\')
			continue;
		part = (struct str){path.p + from, i - from};
		from = i + 1;
		if (part.n == 0 || str_eq(part, STR(".")))
			continue;
		if (str_eq(part, STR(".."))) {
			while (n && out[n - 1] != '/')
				n--;
			n -= n != 0;
			continue;
		}
		if (n)
			out[n++] = '/';
		memcpy(out + n, part.p, part.n);
		n += part.n;
	}
	return (struct str){out, n};
}

static struct str base_name(struct str name)
{
	for (size_t i = name.n; i > 0; i--)
		if (name.p[i - 1] == '/' || name.p[i - 1] == '\\' || name.p[i - 1] == ':')
			return str_skip(name, i);
	return name;
}

/* The commands of a package by name; a lone text is run under the package's own. Values are struct str (JSON) in the arena. */
static int command_map(const struct manifest *m, struct arena *a, struct map *ret)
{
	CLEANUP_MAP struct map written = MAP_EMPTY;
	struct str key, *kept;
	void *value;
	int r;

	if (is_kind(m->bin, '"')) {
		kept = ARENA_NEW(a, struct str);
		if (!kept)
			return -ENOMEM;
		*kept = m->bin;
		return map_put(ret, base_name(text_of(a, m->name)), kept);
	}
	r = object_map(m->bin, a, &written);
	for (size_t i = 0; r == 0 && map_next(&written, &i, &key, &value);)
		r = map_put(ret, base_name(key), value);
	return r;
}

static int compare_bin(const struct manifest *archive, const struct manifest *metadata, struct arena *a, struct str *ret)
{
	CLEANUP_MAP struct map mine = MAP_EMPTY, theirs = MAP_EMPTY;
	struct str command;
	void *value;

	if (command_map(archive, a, &mine) < 0 || command_map(metadata, a, &theirs) < 0) {
		*ret = STR("the archive's package.json is too large to be compared");
		return 1;
	}
	for (size_t i = 0; map_next(&mine, &i, &command, &value);) {
		const struct str *other = map_get(&theirs, command);
		struct str path = text_of(a, *(struct str *)value), registered = other ? text_of(a, *other) : STR_NULL;

		if (path.n == 0 || command.n == 0 || (registered.n && str_eq(bin_path(a, path), bin_path(a, registered))))
			continue;
		return differs(a, ret, "command", command, path, registered);
	}
	return 0;
}

int npm_manifest_compare(struct str version_object, const struct npm_archive *archive, struct arena *a, struct str *ret_difference)
{
	struct manifest mine = {.name = STR_NULL}, theirs = {.name = STR_NULL};
	int r;

	if (archive->package_json.n == 0) {
		*ret_difference = STR("the archive holds no package.json");
		return 1;
	}
	if (!read_manifest(archive->package_json, &mine)) {
		*ret_difference = STR("the archive's package.json is not a JSON object");
		return 1;
	}
	if (!read_manifest(version_object, &theirs)) {
		*ret_difference = STR("the registry's metadata of this version is not a JSON object");
		return 1;
	}
	r = compare_identity(&mine, &theirs, a, ret_difference);
	if (r == 0)
		r = compare_scripts(&mine, &theirs, archive->binding_gyp, a, ret_difference);
	if (r == 0)
		r = compare_dependencies(mine.dependencies, "dependency", &theirs, a, ret_difference);
	if (r == 0)
		r = compare_dependencies(mine.optional, "optional dependency", &theirs, a, ret_difference);
	if (r == 0)
		r = compare_bin(&mine, &theirs, a, ret_difference);
	if (r == 0 && arena_failed(a)) {
		/* What could not be compared is not passed. */
		*ret_difference = STR("the archive's package.json is too large to be compared");
		return 1;
	}
	return r;
}

static bool names_some(struct str json)
{
	return json.n && !str_eq(json, STR("[]")) && !str_eq(json, STR("false")) && !str_eq(json, STR("null"));
}

void npm_archive_untold(struct str version_object, const struct npm_archive *archive, struct arena *a, struct str *ret_script,
                        struct str *ret_binary)
{
	struct manifest mine = {.name = STR_NULL}, theirs = {.name = STR_NULL};
	bool told, runs, bundled;

	*ret_script = *ret_binary = STR_NULL;
	if (!read_manifest(archive->package_json, &mine) || !read_manifest(version_object, &theirs))
		return; /* npm_manifest_compare says so */
	told = str_eq(theirs.gypfile, STR("true")) || str_eq(theirs.has_install_script, STR("true")) ||
	       member(theirs.scripts, STR("install")).n || member(theirs.scripts, STR("preinstall")).n;
	runs = text_of(a, member(mine.scripts, STR("install"))).n || text_of(a, member(mine.scripts, STR("preinstall"))).n;
	if (archive->binding_gyp && !told && !runs && !str_eq(mine.gypfile, STR("false")))
		*ret_script = STR("binding.gyp");
	bundled = archive->bundled && !names_some(theirs.bundle) && !names_some(theirs.bundled);
	if (archive->native_count > 1)
		*ret_binary = arena_printf(a, "%.*s and %llu more%s", STR_ARG(archive->native), (unsigned long long)archive->native_count - 1,
		                           bundled ? ", bundled node_modules" : "");
	else if (archive->native_count)
		*ret_binary = arena_printf(a, "%.*s%s", STR_ARG(archive->native), bundled ? ", bundled node_modules" : "");
	else if (bundled)
		*ret_binary = STR("bundled node_modules");
}
