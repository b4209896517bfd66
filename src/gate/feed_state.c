/* The little file beside a feed's: what the server said of it, and what became of it. */
#include <stdio.h>

#include "base/file.h"
#include "base/limits.h"
#include "codec/json.h"
#include "gate/feed_internal.h"

static int state_path(const char *folder, struct str name, char *out, size_t room, struct err *err)
{
	if (snprintf(out, room, "%s/%.*s.state", folder, STR_ARG(name)) >= (int)room)
		return err_set(err, -ENAMETOOLONG, "the path of the feed %.*s is too long", STR_ARG(name));
	return 0;
}

int feed_state_read(const char *folder, struct str name, struct arena *a, struct feed_state *ret, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF(64 * KIB);
	struct json_reader r;
	struct str key, kept;
	char path[4096];
	int64_t bytes = 0;
	int code = state_path(folder, name, path, sizeof(path), err);

	*ret = (struct feed_state){0};
	code = code < 0 ? code : file_read(path, &text, err);
	if (code < 0)
		return code;
	kept = arena_str(a, buf_str(&text));
	json_init(&r, kept);
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		if (json_raw_equals(key, STR("url")))
			json_string_decoded(&r, a, &ret->url);
		else if (json_raw_equals(key, STR("etag")))
			json_string_decoded(&r, a, &ret->etag);
		else if (json_raw_equals(key, STR("last_modified")))
			json_string_decoded(&r, a, &ret->last_modified);
		else if (json_raw_equals(key, STR("key")))
			json_string_decoded(&r, a, &ret->key);
		else if (json_raw_equals(key, STR("error")))
			json_string_decoded(&r, a, &ret->error);
		else if (json_raw_equals(key, STR("checked")))
			json_int(&r, &ret->checked);
		else if (json_raw_equals(key, STR("changed")))
			json_int(&r, &ret->changed);
		else if (json_raw_equals(key, STR("imported")))
			json_int(&r, &ret->imported);
		else if (json_raw_equals(key, STR("bytes")))
			json_int(&r, &bytes);
		else
			json_skip(&r, NULL);
	}
	ret->bytes = bytes > 0 ? (uint64_t)bytes : 0;
	/* A file that cannot be read says nothing: everything is fetched again. */
	if (json_finish(&r, err) < 0)
		*ret = (struct feed_state){0};
	return 0;
}

int feed_state_write(const char *folder, struct str name, const struct feed_state *s, struct err *err)
{
	CLEANUP_BUF struct buf out = BUF(64 * KIB);
	struct json_writer w;
	char path[4096];
	int r = state_path(folder, name, path, sizeof(path), err);

	jw_init(&w, &out);
	jw_object(&w);
	jw_member_str(&w, "url", s->url);
	jw_member_str(&w, "etag", s->etag);
	jw_member_str(&w, "last_modified", s->last_modified);
	jw_member_str(&w, "key", s->key);
	jw_member_str(&w, "error", s->error);
	jw_member_int(&w, "checked", s->checked);
	jw_member_int(&w, "changed", s->changed);
	jw_member_int(&w, "imported", s->imported);
	jw_member_int(&w, "bytes", (int64_t)s->bytes);
	jw_object_end(&w);
	if (r == 0 && out.error)
		r = err_set(err, out.error, "what is known of the feed %.*s is too long", STR_ARG(name));
	return r < 0 ? r : file_replace(path, buf_str(&out), 0600, err);
}

int feed_imported(const char *folder, struct str name, usec now, struct err *err)
{
	CLEANUP_ARENA struct arena *a = arena_new(256 * KIB);
	struct feed_state s;
	int r = a ? feed_state_read(folder, name, a, &s, err) : -ENOMEM;

	if (r < 0)
		return r;
	s.imported = now;
	return feed_state_write(folder, name, &s, err);
}
