#include "gate/form.h"

#include "base/buf.h"
#include "codec/json.h"

static void read_list(struct json_reader *r, struct arena *a, struct str *ret)
{
	CLEANUP_BUF struct buf all = BUF(64 * KIB);
	struct str item;

	json_enter_array(r);
	while (json_next_item(r)) {
		json_string_decoded(r, a, &item);
		buf_printf(&all, "%s%.*s", all.n ? " " : "", STR_ARG(item));
	}
	if (all.error)
		json_fail(r, "the list is too long");
	*ret = arena_str(a, buf_str(&all));
}

static void read_value(struct json_reader *r, struct arena *a, struct str *ret)
{
	bool truth = false;

	switch (json_peek(r)) {
	case JSON_STRING:
		json_string_decoded(r, a, ret);
		break;
	case JSON_NUMBER:
		json_number(r, ret);
		break;
	case JSON_ARRAY:
		read_list(r, a, ret);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		json_bool(r, &truth);
		*ret = truth ? STR("true") : STR("false");
		break;
	case JSON_NULL:
		json_skip(r, NULL);
		*ret = STR_NULL;
		break;
	default:
		json_fail(r, "a text, a number or a list of texts is expected here");
	}
}

static bool listed(const char *known, struct str name)
{
	struct str rest = str_of(known), word;

	while (str_split(&rest, ' ', &word))
		if (str_eq(word, name))
			return true;
	return false;
}

int form_parse(struct str body, const char *known, struct arena *a, struct form *ret, struct err *err)
{
	struct json_reader r;
	struct str raw;

	*ret = (struct form){0};
	if (!str_trim(body).n)
		return 0;
	json_init(&r, body);
	json_enter_object(&r);
	while (json_next_member(&r, &raw)) {
		struct field f = {.name = json_decode(a, raw)};

		if (!listed(known, f.name))
			return err_set(err, -EINVAL, "\"%.*s\" is not known here; there are: %s", STR_ARG(str_take(f.name, 60)), known);
		if (form_get(ret, arena_str(a, f.name).p).p)
			return err_set(err, -EINVAL, "\"%.*s\" comes twice", STR_ARG(f.name));
		read_value(&r, a, &f.value);
		if (ret->count < FORM_FIELDS)
			ret->fields[ret->count++] = f;
	}
	return json_finish(&r, err) < 0 ? -EINVAL : 0;
}

struct str form_get(const struct form *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++)
		if (str_eq(f->fields[i].name, str_of(name)))
			return f->fields[i].value;
	return STR_NULL;
}
