#include <stdio.h>

#include "codec/base64.h"
#include "codec/sigstore_internal.h"

static ptrdiff_t find_name(const char *const *names, size_t count, struct str raw)
{
	for (size_t i = 0; i < count; i++)
		if (json_raw_equals(raw, str_of(names[i])))
			return (ptrdiff_t)i;
	return -1;
}

int pick(struct str object, const char *what, const char *const *names, struct str *ret_values, size_t count, struct err *err)
{
	struct json_reader r;
	struct str key;
	struct err inner = {0};

	for (size_t i = 0; i < count; i++)
		ret_values[i] = STR_NULL;
	json_init(&r, object);
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		ptrdiff_t i = find_name(names, count, key);

		if (i < 0) {
			json_skip(&r, NULL);
			continue;
		}
		if (ret_values[i].p)
			return err_set(err, -EBADMSG, "%s names \"%s\" twice", what, names[i]);
		json_skip(&r, &ret_values[i]);
		/* `null` is how an empty member is written by some. */
		if (str_eq(ret_values[i], STR("null")))
			ret_values[i] = (struct str){ret_values[i].p, 0};
	}
	if (json_finish(&r, &inner) < 0)
		return err_set(err, -EBADMSG, "%s is not a JSON object: %s", what, inner.text);
	return 0;
}

int pick_path(struct str object, const char *what, const char *path, struct str *ret, struct err *err)
{
	struct str rest = str_of(path), step;
	char name[64];

	*ret = object;
	while (str_split(&rest, '.', &step)) {
		const char *names[1] = {name};
		int r;

		snprintf(name, sizeof(name), "%.*s", STR_ARG(step));
		if (!str_starts(*ret, STR("{"))) {
			*ret = STR_NULL;
			return 0;
		}
		r = pick(*ret, what, names, ret, 1, err);
		if (r < 0 || !ret->n)
			return r;
	}
	return 0;
}

int pick_string(struct arena *a, struct str value, const char *what, struct str *ret, struct err *err)
{
	struct json_reader r;

	*ret = STR_NULL;
	if (!value.n)
		return 0;
	json_init(&r, value);
	json_string_decoded(&r, a, ret);
	return json_finish(&r, NULL) < 0 ? err_set(err, -EBADMSG, "%s is not a string", what) : 0;
}

int pick_base64(struct arena *a, struct str value, const char *what, struct str *ret, struct err *err)
{
	struct str text;
	int r = pick_string(a, value, what, &text, err);

	if (r < 0)
		return r;
	if (!text.n)
		return err_set(err, -EBADMSG, "%s is missing", what);
	r = base64_decode(a, text, ret);
	if (r == -ENOMEM)
		return err_set(err, r, "%s is too large", what);
	return r < 0 || !ret->n ? err_set(err, -EBADMSG, "%s is not base64", what) : 0;
}

int pick_number(struct arena *a, struct str value, const char *what, uint64_t *ret, struct err *err)
{
	struct str text = value;

	if (str_starts(value, STR("\"")) && pick_string(a, value, what, &text, err) < 0)
		return -EBADMSG;
	/* Nothing here counts past 2^53, and times are turned into microseconds. */
	if (str_to_u64(text, ret) < 0 || *ret >> 53)
		return err_set(err, -EBADMSG, text.n ? "%s is not a number" : "%s is missing", what);
	return 0;
}
