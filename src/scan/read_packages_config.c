/* packages.config: <package id version developmentDependency>. */
#include "codec/xml.h"
#include "scan/formats.h"
#include "scan/nuget_names.h"

int read_packages_config(struct lock *l, const struct lock_extras *extras, struct err *err)
{
	struct xml_node *root;
	int code = xml_parse(l->arena, l->text, l->file, &root, err);

	(void)extras;
	if (code < 0)
		return code;
	if (!xml_is(root, STR("packages")))
		return lock_error(l, NULL, err, "line %u: <packages> was expected, not <%.*s>", root->line, STR_ARG(root->name));
	for (const struct xml_node *n = root->first; n; n = n->next) {
		struct str id = xml_attribute(n, STR("id")), version = xml_attribute(n, STR("version"));
		uint32_t at;

		if (!xml_is(n, STR("package")))
			continue;
		if (!id.n || !version.n) {
			lock_warn(l, NULL, "line %u: a package without id or version is not listed", n->line);
			continue;
		}
		at = lock_add(l, STR_NULL, id, NULL);
		if (at == LOCK_NONE)
			return l->error;
		l->packages[at].ecosystem = ECOSYSTEM_NUGET;
		l->packages[at].version = version;
		l->packages[at].line = n->line;
		if (str_eq_nocase(xml_attribute(n, STR("developmentDependency")), STR("true")))
			l->packages[at].flags |= LOCK_DEV;
	}
	return 0;
}
