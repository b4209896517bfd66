#include "scan/formats.h"

void lock_json_init(struct json_reader *r, struct str text)
{
	json_init(r, text);
	r->max_depth = JSON_DEPTH_CEILING;
}

struct str json_text_or_none(struct json_reader *r, struct lock *l)
{
	struct str s = STR_NULL;

	if (json_peek(r) == JSON_STRING)
		json_string_decoded(r, l->arena, &s);
	else
		json_skip(r, NULL);
	return s;
}

bool json_true_or_none(struct json_reader *r)
{
	bool yes = false;
	enum json_kind kind = json_peek(r);

	if (kind == JSON_TRUE || kind == JSON_FALSE)
		json_bool(r, &yes);
	else
		json_skip(r, NULL);
	return yes;
}

bool json_enter_object_or_skip(struct json_reader *r)
{
	if (json_peek(r) == JSON_OBJECT) {
		json_enter_object(r);
		return true;
	}
	json_skip(r, NULL);
	return false;
}

bool json_enter_array_or_skip(struct json_reader *r)
{
	if (json_peek(r) == JSON_ARRAY) {
		json_enter_array(r);
		return true;
	}
	json_skip(r, NULL);
	return false;
}

struct str json_key_text(struct lock *l, struct str raw)
{
	return json_decode(l->arena, raw);
}

void json_needs(struct json_reader *r, struct lock *l, uint32_t from, enum need_kind kind)
{
	struct str key;

	if (!json_enter_object_or_skip(r))
		return;
	while (json_next_member(r, &key)) {
		struct str name = json_key_text(l, key), spec = json_text_or_none(r, l);

		lock_need(l, from, name, spec, kind);
	}
}
