#include "scan/msbuild.h"

int msbuild_properties(struct arena *a, const struct xml_node *project, struct msbuild_property **properties)
{
	for (const struct xml_node *group = project->first; group; group = group->next) {
		if (xml_is(group, STR("Choose")) || xml_is(group, STR("When")) || xml_is(group, STR("Otherwise"))) {
			if (msbuild_properties(a, group, properties) < 0)
				return -ENOMEM;
			continue;
		}
		if (!xml_is(group, STR("PropertyGroup")))
			continue;
		for (const struct xml_node *n = group->first; n; n = n->next) {
			struct msbuild_property *p = ARENA_NEW(a, struct msbuild_property);

			if (!p)
				return -ENOMEM;
			p->name = n->name;
			p->value = str_trim(n->text);
			p->conditional =
				xml_attribute(n, STR("Condition")).p || xml_attribute(group, STR("Condition")).p || !xml_is(project, STR("Project"));
			p->next = *properties;
			*properties = p;
		}
	}
	return 0;
}

/* The values of one property: back to the last one that is set whatever the conditions. */
static size_t values_of(const struct msbuild_property *properties, struct str name, struct str ret[MSBUILD_VALUES])
{
	size_t n = 0;

	for (const struct msbuild_property *p = properties; p && n < MSBUILD_VALUES; p = p->next) {
		if (!str_eq_nocase(p->name, name))
			continue;
		ret[n++] = p->value;
		if (!p->conditional)
			break;
	}
	return n;
}

static size_t expand(struct arena *a, const struct msbuild_property *properties, struct str text, struct str ret[MSBUILD_VALUES],
                     size_t room, unsigned depth)
{
	ptrdiff_t open = str_find(text, STR("$(")), close = open < 0 ? -1 : str_chr(str_skip(text, (size_t)open), ')');
	struct str values[MSBUILD_VALUES];
	size_t n, count = 0;

	if (room == 0)
		return 0;
	n = close < 0 || depth == 4 ? 0
	                            : values_of(properties, str_trim(str_take(str_skip(text, (size_t)open + 2), (size_t)close - 2)), values);
	if (n == 0) {
		ret[0] = text;
		return 1;
	}
	for (size_t i = 0; i < n && count < room; i++) {
		struct str one = arena_printf(a, "%.*s%.*s%.*s", STR_ARG(str_take(text, (size_t)open)), STR_ARG(values[i]),
		                              STR_ARG(str_skip(text, (size_t)(open + close) + 1)));

		/* A property that names itself ("$(X);more") would never end. */
		if (one.p)
			count += expand(a, properties, one, ret + count, room - count, depth + 1);
	}
	return count;
}

size_t msbuild_expand(struct arena *a, const struct msbuild_property *properties, struct str text, struct str ret[MSBUILD_VALUES])
{
	return expand(a, properties, text, ret, MSBUILD_VALUES, 0);
}
