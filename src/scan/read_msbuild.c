/* *.csproj, *.fsproj, *.vbproj and Directory.Packages.props: PackageReference, PackageVersion and their kin. With central
 * management the versions come from the Directory.Packages.props above, properties also from Directory.Build.props. */
#include "scan/formats.h"
#include "scan/msbuild.h"
#include "scan/nuget_names.h"

struct project {
	struct lock *l;
	struct msbuild_property *properties;
	struct map central; /* key -> struct xml_node of the PackageVersion */
	uint32_t root;
	bool lists_central; /* this file is the central one itself */
};

static void add_version(struct project *p, struct str name, struct str version, const struct xml_node *n)
{
	struct str lowest = nuget_lowest(p->l->arena, version);
	uint32_t at = lock_add(p->l, nuget_key(p->l->arena, STR_NULL, name), name, NULL);

	if (at == LOCK_NONE)
		return;
	if (!lowest.n)
		lock_warn(p->l, NULL, "line %u: %.*s \"%.*s\" says no lowest version: which one it becomes is not known here", n->line,
		          STR_ARG(name), STR_ARG(version));
	p->l->packages[at].ecosystem = ECOSYSTEM_NUGET;
	p->l->packages[at].source = LOCK_DECLARED;
	p->l->packages[at].version = lowest;
	p->l->packages[at].requested = version;
	p->l->packages[at].line = n->line;
	if (str_eq_nocase(xml_value(n, STR("PrivateAssets")), STR("all")))
		p->l->packages[at].flags |= LOCK_DEV;
	lock_need(p->l, p->root, name, version, NEED_PROD);
}

static struct str version_of(const struct project *p, const struct xml_node *n, struct str name)
{
	struct str version = xml_value(n, STR("VersionOverride")), key;
	const struct xml_node *central;

	if (!version.n)
		version = xml_value(n, STR("Version"));
	if (version.n)
		return version;
	key = nuget_key(p->l->arena, STR_NULL, name);
	central = map_get(&p->central, key);
	return central ? xml_value(central, STR("Version")) : STR_NULL;
}

static void read_reference(struct project *p, const struct xml_node *n)
{
	struct str include = xml_attribute(n, STR("Include")), rest, name, values[MSBUILD_VALUES];

	if (!include.p)
		include = xml_attribute(n, STR("Update"));
	rest = include;
	if (!include.n)
		lock_warn(p->l, NULL, "line %u: a reference without a name is not listed", n->line);
	while (str_split(&rest, ';', &name)) {
		struct str version;
		size_t count;

		name = str_trim(name);
		if (!name.n)
			continue;
		version = version_of(p, n, name);
		if (!version.n) {
			lock_warn(p->l, NULL, "line %u: %.*s has no version here nor in a Directory.Packages.props, and is not listed", n->line,
			          STR_ARG(name));
			continue;
		}
		count = msbuild_expand(p->l->arena, p->properties, version, values);
		for (size_t i = 0; i < count; i++)
			add_version(p, name, values[i], n);
	}
}

static void read_items(struct project *p, const struct xml_node *parent, unsigned depth)
{
	for (const struct xml_node *n = parent->first; n; n = n->next) {
		if (xml_is(n, STR("ItemGroup")) || xml_is(n, STR("Choose")) || xml_is(n, STR("When")) || xml_is(n, STR("Otherwise")) ||
		    xml_is(n, STR("Target"))) {
			if (depth < 16)
				read_items(p, n, depth + 1);
		} else if (xml_is(n, STR("PackageReference")) || xml_is(n, STR("GlobalPackageReference")) || xml_is(n, STR("PackageDownload")) ||
		           xml_is(n, STR("DotNetCliToolReference")) || (p->lists_central && xml_is(n, STR("PackageVersion")))) {
			read_reference(p, n);
		}
	}
}

/* The PackageVersion items of a central file; GlobalPackageReference stands for a reference in every project. */
static int read_central(struct project *p, const struct xml_node *parent, unsigned depth)
{
	for (const struct xml_node *n = parent->first; n; n = n->next) {
		struct str name = xml_attribute(n, STR("Include"));

		if (xml_is(n, STR("ItemGroup")) && depth < 16) {
			if (read_central(p, n, depth + 1) < 0)
				return -ENOMEM;
		} else if (xml_is(n, STR("PackageVersion")) && name.n) {
			if (map_put(&p->central, nuget_key(p->l->arena, STR_NULL, name), (void *)(uintptr_t)n) < 0)
				return -ENOMEM;
		} else if (xml_is(n, STR("GlobalPackageReference"))) {
			read_reference(p, n);
		}
	}
	return 0;
}

/* The files above, the farthest first, so that the nearest has the last word. A broken one fails the project: its versions
 * would be missing. */
static int read_extras(struct project *p, const struct lock_extras *extras, struct err *err)
{
	for (size_t i = extras ? extras->count : 0; i-- > 0;) {
		const struct lock_extra *e = &extras->files[i];
		struct xml_node *root;
		int code = xml_parse(p->l->arena, e->text, e->file, &root, err);

		if (code == 0)
			code = msbuild_properties(p->l->arena, root, &p->properties);
		if (code == 0 && str_eq_nocase(e->name, STR("Directory.Packages.props")))
			code = read_central(p, root, 0);
		if (code < 0)
			return code;
	}
	return 0;
}

static uint32_t declared_target(const struct lock *l, uint32_t from, const struct lock_need *need)
{
	(void)from;
	return nuget_find(l, STR_NULL, need->name);
}

int read_msbuild(struct lock *l, const struct lock_extras *extras, struct err *err)
{
	struct project p = {.l = l};
	struct xml_node *root;
	int code = xml_parse(l->arena, l->text, l->file, &root, err);

	if (code < 0)
		return code;
	if (!xml_is(root, STR("Project")))
		return lock_error(l, NULL, err, "line %u: <Project> was expected, not <%.*s>", root->line, STR_ARG(root->name));
	p.root = lock_add(l, STR_NULL, STR("."), NULL);
	if (p.root == LOCK_NONE)
		return l->error;
	l->packages[p.root].source = LOCK_PROJECT;
	p.lists_central = str_ends(l->file, STR(".props")) || str_find(l->text, STR("PackageReference")) < 0;
	code = read_extras(&p, extras, err);
	if (code == 0)
		code = msbuild_properties(l->arena, root, &p.properties);
	if (code == 0) {
		read_items(&p, root, 0);
		lock_link(l, declared_target);
	}
	map_free(&p.central);
	return code;
}
