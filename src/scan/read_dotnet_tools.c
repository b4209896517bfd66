/* .config/dotnet-tools.json (tools of a repository) and global.json (SDKs that MSBuild fetches as packages). */
#include "codec/jsonc.h"
#include "scan/formats.h"

static void add(struct lock *l, struct str raw, struct str version)
{
	struct str name = json_key_text(l, raw);
	uint32_t at = lock_add(l, STR_NULL, name, raw.p);

	if (at == LOCK_NONE)
		return;
	l->packages[at].ecosystem = ECOSYSTEM_NUGET;
	l->packages[at].version = version;
	l->packages[at].flags = LOCK_DEV;
	if (!version.n)
		lock_warn(l, raw.p, "\"%.*s\" has no version", STR_ARG(name));
}

static int read_section(struct lock *l, struct str section, bool nested, struct err *err)
{
	struct json_reader r;
	struct str key, member;

	lock_json_init(&r, l->text);
	if (json_peek(&r) != JSON_OBJECT)
		json_fail(&r, "this must be an object");
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		if (!json_raw_equals(key, section)) {
			json_skip(&r, NULL);
			continue;
		}
		if (!json_enter_object_or_skip(&r))
			continue;
		while (json_next_member(&r, &key)) {
			struct str version = STR_NULL;

			if (!nested) {
				version = json_text_or_none(&r, l);
			} else if (json_enter_object_or_skip(&r)) {
				while (json_next_member(&r, &member)) {
					if (json_raw_equals(member, STR("version")))
						version = json_text_or_none(&r, l);
					else
						json_skip(&r, NULL);
				}
			}
			add(l, key, version);
		}
	}
	return lock_json_finish(l, &r, err);
}

int read_dotnet_tools(struct lock *l, const struct lock_extras *extras, struct err *err)
{
	(void)extras;
	return read_section(l, STR("tools"), true, err);
}

int read_global_json(struct lock *l, const struct lock_extras *extras, struct err *err)
{
	(void)extras;
	/* Comments are allowed there. */
	l->text = jsonc_blank(l->arena, l->text);
	if (!l->text.p)
		return err_set(err, -ENOMEM, "%.*s: out of memory", STR_ARG(l->file));
	return read_section(l, STR("msbuild-sdks"), false, err);
}
