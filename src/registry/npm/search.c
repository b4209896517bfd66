#include "registry/npm/search.h"

#include "base/limits.h"
#include "codec/json.h"

enum { RESULTS_MAX = 10000 };

/* The package's name and the place of its `package` object inside one result. The reader stands at the result. */
static void read_result(struct json_reader *r, struct str *ret_result, struct str *ret_package)
{
	const char *from;
	struct str key;

	*ret_package = STR_NULL;
	if (json_peek(r) != JSON_OBJECT) {
		json_skip(r, ret_result);
		return;
	}
	from = r->p;
	json_enter_object(r);
	while (json_next_member(r, &key)) {
		bool package = json_raw_equals(key, STR("package"));

		json_skip(r, package ? ret_package : NULL);
	}
	*ret_result = str_range(from, r->p);
}

static struct str member(struct str object, struct str plain)
{
	struct str key, value, found = STR_NULL;
	struct json_reader r;

	if (object.n == 0 || object.p[0] != '{')
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

static int finish(struct json_reader *r, struct err *err)
{
	if (json_finish(r, err) == 0)
		return 0;
	err_prefix(err, "the search answer of the upstream");
	return -EBADMSG;
}

/* Enters `objects`; false when the member is none. */
static bool enter_objects(struct json_reader *r, struct str key)
{
	if (!json_raw_equals(key, STR("objects")) || json_peek(r) != JSON_ARRAY)
		return false;
	json_enter_array(r);
	return true;
}

int npm_search_names(struct str body, struct arena *a, struct str **ret, size_t *ret_count, struct err *err)
{
	CLEANUP_BUF struct buf names = BUF(RESULTS_MAX * sizeof(struct str));
	struct str key, result, package;
	struct json_reader r;
	int status;

	json_init(&r, body);
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		if (!enter_objects(&r, key)) {
			json_skip(&r, NULL);
			continue;
		}
		while (json_next_item(&r)) {
			struct str name = STR_NULL;

			read_result(&r, &result, &package);
			if (!json_failed(&r))
				name = member(package, STR("name"));
			/* A result without a name is counted, and left out by the filter. */
			name = name.n >= 2 && name.p[0] == '"' ? json_decode(a, (struct str){name.p + 1, name.n - 2}) : STR_NULL;
			buf_add(&names, &name, sizeof(name));
		}
	}
	status = finish(&r, err);
	if (status < 0)
		return status;
	*ret_count = names.n / sizeof(struct str);
	*ret = ARENA_ARRAY(a, struct str, *ret_count);
	if (names.error || arena_failed(a))
		return err_set(err, -EBADMSG, "the search answer of the upstream is too large");
	if (names.n)
		memcpy(*ret, names.p, names.n);
	return 0;
}

/* `package` again, with what is cleared here in place of the upstream's newest version. */
static void write_package(struct json_writer *w, struct str package, const struct npm_search_verdict *verdict)
{
	struct str key, value;
	char time[TIME_TEXT];
	struct json_reader r;

	time_format_utc(verdict->published, time);
	json_init(&r, package);
	json_enter_object(&r);
	jw_object(w);
	while (json_next_member(&r, &key)) {
		json_skip(&r, &value);
		if (json_failed(&r) || json_raw_equals(key, STR("version")) || json_raw_equals(key, STR("date")) ||
		    json_raw_equals(key, STR("dist-tags")) || json_raw_equals(key, STR("versions")))
			continue;
		jw_key_raw(w, key);
		jw_raw(w, value);
	}
	jw_member_str(w, "version", verdict->version);
	jw_member_str(w, "date", str_of(time));
	jw_object_end(w);
}

static void write_result(struct json_writer *w, struct str result, const struct npm_search_verdict *verdict)
{
	struct str key, value;
	struct json_reader r;

	json_init(&r, result);
	json_enter_object(&r);
	jw_object(w);
	while (json_next_member(&r, &key)) {
		json_skip(&r, &value);
		/* `updated` and the like would give away a version that is held. */
		if (json_failed(&r) || json_raw_equals(key, STR("updated")))
			continue;
		jw_key_raw(w, key);
		if (json_raw_equals(key, STR("package")))
			write_package(w, value, verdict);
		else
			jw_raw(w, value);
	}
	jw_object_end(w);
}

/* The reader stands in `objects`. Returns how many were left out. */
static size_t write_objects(struct json_reader *r, struct json_writer *w, const struct npm_search_verdict *verdicts, size_t count)
{
	struct str result, package;
	size_t index = 0, left_out = 0;

	jw_array(w);
	while (json_next_item(r)) {
		read_result(r, &result, &package);
		if (!json_failed(r) && index < count && verdicts[index].shown && package.n && package.p[0] == '{')
			write_result(w, result, &verdicts[index]);
		else
			left_out++;
		index++;
	}
	jw_array_end(w);
	return left_out;
}

int npm_search_filter(struct str body, const struct npm_search_verdict *verdicts, size_t count, struct buf *out, struct err *err)
{
	size_t left_out = 0;
	int64_t total = -1;
	struct json_writer w;
	struct json_reader r;
	struct str key, value;
	bool had_objects = false;
	int status;

	json_init(&r, body);
	jw_init(&w, out);
	json_enter_object(&r);
	jw_object(&w);
	while (json_next_member(&r, &key)) {
		if (json_raw_equals(key, STR("total")) && json_peek(&r) == JSON_NUMBER) {
			json_int(&r, &total);
			continue;
		}
		if (!had_objects && json_raw_equals(key, STR("objects")) && json_peek(&r) == JSON_ARRAY) {
			had_objects = true;
			json_enter_array(&r);
			jw_key(&w, STR("objects"));
			left_out = write_objects(&r, &w, verdicts, count);
			continue;
		}
		json_skip(&r, &value);
		/* A second `objects` would pass unfiltered. */
		if (json_failed(&r) || json_raw_equals(key, STR("objects")) || json_raw_equals(key, STR("total")))
			continue;
		jw_key_raw(&w, key);
		jw_raw(&w, value);
	}
	status = finish(&r, err);
	if (status < 0)
		return status;
	if (!had_objects) {
		jw_key(&w, STR("objects"));
		jw_array(&w);
		jw_array_end(&w);
	}
	jw_member_int(&w, "total", total > (int64_t)left_out ? total - (int64_t)left_out : 0);
	jw_object_end(&w);
	return out->error ? err_set(err, out->error, "the search answer is too large") : 0;
}
