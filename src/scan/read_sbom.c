/* CycloneDX (1.x, JSON) and SPDX (2.x JSON) documents as input: what they name by a purl of npm or NuGet. */
#include "base/limits.h"
#include "scan/formats.h"

/* Adds what a purl names; LOCK_NONE for other ecosystems. Qualifiers and subpath do not matter here. */
static uint32_t add_purl(struct lock *l, struct str purl, struct str key, const char *where)
{
	struct purl p;
	struct err err;
	ptrdiff_t end = str_chr(purl, '?');
	uint32_t at;

	purl = end >= 0 ? str_take(purl, (size_t)end) : purl;
	end = str_chr(purl, '#');
	purl = end >= 0 ? str_take(purl, (size_t)end) : purl;
	if (!str_starts(purl, STR("pkg:npm/")) && !str_starts(purl, STR("pkg:nuget/")))
		return LOCK_NONE;
	if (purl_parse(l->arena, purl, &p, &err) < 0) {
		lock_warn(l, where, "\"%.*s\" cannot be read and is not listed: %s", STR_ARG(purl), err.text);
		return LOCK_NONE;
	}
	at = lock_add(l, key, p.name, where);
	if (at != LOCK_NONE) {
		l->packages[at].ecosystem = p.ecosystem;
		l->packages[at].version = p.version;
	}
	return at;
}

static void read_components(struct json_reader *r, struct lock *l, unsigned depth);

static void read_component(struct json_reader *r, struct lock *l, unsigned depth)
{
	struct str key, purl = STR_NULL, ref = STR_NULL, scope = STR_NULL, nested = STR_NULL;
	const char *where = r->p;
	uint32_t at;

	while (json_next_member(r, &key)) {
		if (json_raw_equals(key, STR("purl")))
			purl = json_text_or_none(r, l);
		else if (json_raw_equals(key, STR("bom-ref")))
			ref = json_text_or_none(r, l);
		else if (json_raw_equals(key, STR("scope")))
			scope = json_text_or_none(r, l);
		else
			json_skip(r, json_raw_equals(key, STR("components")) ? &nested : NULL);
	}
	if (json_failed(r))
		return;
	at = purl.n ? add_purl(l, purl, ref.n ? ref : purl, where) : LOCK_NONE;
	if (at != LOCK_NONE && str_eq(scope, STR("optional")))
		l->packages[at].flags |= LOCK_OPTIONAL;
	if (nested.n && depth < 32) {
		struct json_reader inner;

		lock_json_init(&inner, nested);
		read_components(&inner, l, depth + 1);
	}
}

static void read_components(struct json_reader *r, struct lock *l, unsigned depth)
{
	if (!json_enter_array_or_skip(r))
		return;
	while (json_next_item(r))
		if (json_enter_object_or_skip(r))
			read_component(r, l, depth);
}

/* [{"ref": …, "dependsOn": [ref, …]}] */
static void read_dependencies(struct json_reader *r, struct lock *l)
{
	struct str key;

	if (!json_enter_array_or_skip(r))
		return;
	while (json_next_item(r)) {
		struct str ref = STR_NULL, on = STR_NULL;
		struct json_reader list;

		if (!json_enter_object_or_skip(r))
			continue;
		while (json_next_member(r, &key)) {
			if (json_raw_equals(key, STR("ref")))
				ref = json_text_or_none(r, l);
			else
				json_skip(r, json_raw_equals(key, STR("dependsOn")) ? &on : NULL);
		}
		if (json_failed(r) || !on.n)
			continue;
		lock_json_init(&list, on);
		if (json_enter_array_or_skip(&list))
			while (json_next_item(&list))
				lock_need(l, lock_find(l, ref), STR_NULL, json_text_or_none(&list, l), NEED_PROD);
	}
}

static uint32_t ref_target(const struct lock *l, uint32_t from, const struct lock_need *need)
{
	(void)from;
	return lock_find(l, need->spec);
}

int read_cyclonedx(struct lock *l, const struct lock_extras *extras, struct err *err)
{
	struct json_reader top, r;
	struct str key, components = STR_NULL, dependencies = STR_NULL;
	int code;

	(void)extras;
	lock_json_init(&top, l->text);
	if (json_peek(&top) != JSON_OBJECT)
		json_fail(&top, "a CycloneDX document is an object");
	json_enter_object(&top);
	while (json_next_member(&top, &key))
		json_skip(&top, json_raw_equals(key, STR("components"))     ? &components
		                : json_raw_equals(key, STR("dependencies")) ? &dependencies
		                                                            : NULL);
	code = lock_json_finish(l, &top, err);
	if (code == 0 && components.p) {
		lock_json_init(&r, components);
		read_components(&r, l, 0);
		code = lock_json_finish(l, &r, err);
	}
	if (code == 0 && dependencies.p) {
		lock_json_init(&r, dependencies);
		read_dependencies(&r, l);
		code = lock_json_finish(l, &r, err);
	}
	if (code == 0)
		lock_link(l, ref_target);
	return code;
}

/* externalRefs: [{"referenceType": "purl", "referenceLocator": "pkg:…"}] */
static struct str read_references(struct json_reader *r, struct lock *l)
{
	struct str key, found = STR_NULL;

	if (!json_enter_array_or_skip(r))
		return found;
	while (json_next_item(r)) {
		struct str locator = STR_NULL;

		if (!json_enter_object_or_skip(r))
			continue;
		while (json_next_member(r, &key)) {
			if (json_raw_equals(key, STR("referenceLocator")))
				locator = json_text_or_none(r, l);
			else
				json_skip(r, NULL);
		}
		if (str_starts(locator, STR("pkg:")))
			found = locator;
	}
	return found;
}

static void read_spdx_package(struct json_reader *r, struct lock *l)
{
	struct str key, id = STR_NULL, purl = STR_NULL;
	const char *where = r->p;

	while (json_next_member(r, &key)) {
		if (json_raw_equals(key, STR("SPDXID")))
			id = json_text_or_none(r, l);
		else if (json_raw_equals(key, STR("externalRefs")))
			purl = read_references(r, l);
		else
			json_skip(r, NULL);
	}
	if (purl.n)
		add_purl(l, purl, id, where);
}

static void read_relationship(struct json_reader *r, struct lock *l)
{
	struct str key, from = STR_NULL, to = STR_NULL, type = STR_NULL;

	while (json_next_member(r, &key)) {
		if (json_raw_equals(key, STR("spdxElementId")))
			from = json_text_or_none(r, l);
		else if (json_raw_equals(key, STR("relatedSpdxElement")))
			to = json_text_or_none(r, l);
		else if (json_raw_equals(key, STR("relationshipType")))
			type = json_text_or_none(r, l);
		else
			json_skip(r, NULL);
	}
	if (str_eq(type, STR("DEPENDS_ON")))
		lock_need(l, lock_find(l, from), STR_NULL, to, NEED_PROD);
	else if (str_ends(type, STR("DEPENDENCY_OF")))
		lock_need(l, lock_find(l, to), STR_NULL, from, str_starts(type, STR("DEV")) ? NEED_DEV : NEED_PROD);
}

int read_spdx(struct lock *l, const struct lock_extras *extras, struct err *err)
{
	struct json_reader r;
	struct str key;
	int code;

	(void)extras;
	lock_json_init(&r, l->text);
	if (json_peek(&r) != JSON_OBJECT)
		json_fail(&r, "an SPDX document is an object");
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		bool packages = json_raw_equals(key, STR("packages"));

		if ((!packages && !json_raw_equals(key, STR("relationships"))) || !json_enter_array_or_skip(&r)) {
			if (!packages && !json_raw_equals(key, STR("relationships")))
				json_skip(&r, NULL);
			continue;
		}
		while (json_next_item(&r))
			if (json_enter_object_or_skip(&r))
				packages ? read_spdx_package(&r, l) : read_relationship(&r, l);
	}
	code = lock_json_finish(l, &r, err);
	if (code == 0)
		lock_link(l, ref_target);
	return code;
}
