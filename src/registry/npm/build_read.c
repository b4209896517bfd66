/* The raw JSON, read once from front to back. */
#include "registry/npm/build.h"

static void refuse_twice(struct builder *b, struct json_keys *keys, struct str raw_key, const char *problem)
{
	if (json_keys_seen(keys, raw_key))
		json_fail(&b->reader, problem);
}

static void read_versions(struct builder *b)
{
	struct json_reader *r = &b->reader;
	struct json_keys *keys = b->version_keys;
	size_t seen = 0;
	struct str key;

	if (json_peek(r) != JSON_OBJECT) {
		json_fail(r, "`versions` is not an object");
		return;
	}
	b->had_versions = true;
	json_keys_clear(keys);
	json_enter_object(r);
	while (json_next_member(r, &key)) {
		refuse_twice(b, keys, key, "a version comes twice");
		if (++seen > LIMIT_PACKUMENT_VERSIONS)
			json_fail(r, "there are too many versions");
		build_read_version(b, key);
	}
}

/* A text in quotes that is a time, or 0. */
static usec time_of(struct builder *b, struct str slice)
{
	usec time = 0;

	if (slice.n < 2 || slice.p[0] != '"' || time_parse(build_decode(b, (struct str){slice.p + 1, slice.n - 2}), &time) < 0)
		return 0;
	return time;
}

static void read_time(struct builder *b)
{
	struct json_reader *r = &b->reader;
	struct json_keys *keys = b->version_keys;
	struct str key, value;

	if (json_peek(r) != JSON_OBJECT) {
		json_fail(r, "`time` is not an object");
		return;
	}
	json_keys_clear(keys);
	json_enter_object(r);
	while (json_next_member(r, &key)) {
		struct time_item *item;
		usec time;

		refuse_twice(b, keys, key, "a version comes twice in `time`");
		json_skip(r, &value);
		time = json_failed(r) ? 0 : time_of(b, value);
		if (time == 0)
			continue;
		if (json_raw_equals(key, STR("created"))) {
			b->created = value;
			b->created_time = time;
			continue;
		}
		if (json_raw_equals(key, STR("modified"))) {
			b->modified_text = value;
			b->modified_time = time;
			continue;
		}
		item = LIST_PUSH(&b->times, struct time_item);
		if (!item)
			return;
		*item = (struct time_item){key, str_range(key.p - 1, value.p + value.n), time};
	}
}

static bool printable(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return s.n != 0 && s.n <= LIMIT_VERSION_BYTES;
}

static void read_tags(struct builder *b)
{
	struct json_reader *r = &b->reader;
	struct json_keys *keys = b->version_keys;
	struct str key, value;

	if (json_peek(r) != JSON_OBJECT) {
		json_fail(r, "`dist-tags` is not an object");
		return;
	}
	json_keys_clear(keys);
	json_enter_object(r);
	while (json_next_member(r, &key)) {
		struct tag_item *item;

		refuse_twice(b, keys, key, "a tag comes twice");
		if (json_peek(r) != JSON_STRING) {
			json_skip(r, NULL);
			build_note(b, "a tag that is not a text is left out");
			continue;
		}
		json_string(r, &value);
		key = build_decode(b, key);
		value = build_decode(b, value);
		if (!printable(key) || !printable(value)) {
			build_note(b, "a tag with odd bytes is left out");
			continue;
		}
		item = LIST_PUSH(&b->tags, struct tag_item);
		if (!item)
			return;
		*item = (struct tag_item){.tag = key, .target = value};
	}
}

static void read_name(struct builder *b)
{
	struct str name;

	json_string(&b->reader, &name);
	if (json_failed(&b->reader))
		return;
	b->had_name = true;
	if (!json_raw_equals(name, b->input->name))
		json_fail(&b->reader, "it is the document of another name");
}

/* Members that name versions or their files, and would give away what is hidden; and those that the answer makes itself. */
static bool dropped(struct str key)
{
	static const struct str names[] = {STR("_attachments"), STR("_distfiles"), STR("_uplinks"), STR("policyRestrictions")};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (json_raw_equals(key, names[i]))
			return true;
	return false;
}

static void copy_other(struct builder *b, struct str key, struct str value)
{
	size_t count = LIST_COUNT(&b->others, struct str);
	struct str *run;

	if (b->other_follows && count) {
		run = LIST_AT(&b->others, struct str, count - 1);
		*run = str_range(run->p, value.p + value.n);
		return;
	}
	run = LIST_PUSH(&b->others, struct str);
	if (run)
		*run = str_range(key.p - 1, value.p + value.n);
}

static void read_other(struct builder *b, struct str key)
{
	struct json_reader *r = &b->reader;
	struct str value = STR_NULL;
	bool drop = dropped(key);

	json_skip(r, &value);
	if (json_failed(r))
		return;
	if (json_raw_equals(key, STR("modified"))) {
		/* Only where `time` does not say it: the abbreviated form has it here. */
		if (!b->modified_time)
			b->modified_time = time_of(b, value);
		drop = true;
	}
	if (json_raw_equals(key, STR("description")))
		b->description_of_placeholder = json_raw_equals(value, STR("\"security holding package\""));
	if (!drop)
		copy_other(b, key, value);
	b->other_follows = !drop;
}

static void read_top(struct builder *b)
{
	struct json_keys *keys = json_keys_new();
	struct json_reader *r = &b->reader;
	struct str key;

	json_enter_object(r);
	while (json_next_member(r, &key)) {
		refuse_twice(b, keys, key, "a key comes twice at the top");
		if (json_raw_equals(key, STR("versions")))
			read_versions(b);
		else if (json_raw_equals(key, STR("time")))
			read_time(b);
		else if (json_raw_equals(key, STR("dist-tags")))
			read_tags(b);
		else if (json_raw_equals(key, STR("name")))
			read_name(b);
		else {
			read_other(b, key);
			continue;
		}
		b->other_follows = false;
	}
	json_keys_free(keys);
}

int build_read(struct builder *b)
{
	struct str raw = str_skip(b->file, NPM_DOCUMENT_HEADER);
	int r;

	json_init(&b->reader, raw);
	read_top(b);
	r = json_finish(&b->reader, b->err);
	if (r < 0) {
		err_prefix(b->err, "the packument of %.*s", STR_ARG(b->input->name));
		return r;
	}
	if (!b->had_name || !b->had_versions)
		return err_set(b->err, -EBADMSG, "the packument of %.*s has no `%s`", STR_ARG(b->input->name), b->had_name ? "versions" : "name");
	return 0;
}
