/* Reads one value with every pull function and writes it again: what the oracle and the fuzz target compare. */
#ifndef BONDGATE_TESTS_JSON_REWRITE_H
#define BONDGATE_TESTS_JSON_REWRITE_H

#include "codec/json.h"

struct rewrite {
	struct json_reader r;
	struct json_writer w;
	struct arena *arena;
	struct json_keys *keys[JSON_DEPTH_CEILING + 1]; /* one set a depth, made when first needed */
	bool duplicates;
};

static inline void rewrite_value(struct rewrite *x);

static inline void rewrite_object(struct rewrite *x)
{
	struct str raw, key;
	size_t depth;

	json_enter_object(&x->r);
	depth = x->r.depth;
	if (!x->keys[depth])
		x->keys[depth] = json_keys_new();
	json_keys_clear(x->keys[depth]);
	jw_object(&x->w);
	while (json_next_member(&x->r, &raw)) {
		x->duplicates |= json_keys_seen(x->keys[depth], raw);
		key = json_decode(x->arena, raw);
		if (!json_raw_equals(raw, key))
			abort();
		jw_key(&x->w, key);
		rewrite_value(x);
	}
	jw_object_end(&x->w);
}

static inline void rewrite_array(struct rewrite *x)
{
	json_enter_array(&x->r);
	jw_array(&x->w);
	while (json_next_item(&x->r))
		rewrite_value(x);
	jw_array_end(&x->w);
}

static inline void rewrite_value(struct rewrite *x)
{
	struct str text;
	bool truth;

	switch (json_peek(&x->r)) {
	case JSON_OBJECT:
		rewrite_object(x);
		return;
	case JSON_ARRAY:
		rewrite_array(x);
		return;
	case JSON_STRING:
		json_string_decoded(&x->r, x->arena, &text);
		jw_str(&x->w, text);
		return;
	case JSON_TRUE:
	case JSON_FALSE:
		json_bool(&x->r, &truth);
		jw_bool(&x->w, truth);
		return;
	case JSON_NUMBER:
		json_number(&x->r, &text);
		jw_raw(&x->w, text);
		return;
	case JSON_NULL:
		json_skip(&x->r, NULL);
		jw_null(&x->w);
		return;
	case JSON_NONE:
		json_fail(&x->r, "a value was expected");
	}
}

/* 0 and the same document, compact, in `out`; or json_finish's or the buffer's error. */
static inline int rewrite(struct str text, struct buf *out, bool *ret_duplicates, struct err *err)
{
	struct rewrite x = {.arena = arena_new(256 * MIB)};
	int r;

	json_init(&x.r, text);
	jw_init(&x.w, out);
	rewrite_value(&x);
	r = json_finish(&x.r, err);
	for (size_t i = 0; i <= JSON_DEPTH_CEILING; i++)
		json_keys_free(x.keys[i]);
	arena_free(x.arena);
	*ret_duplicates = x.duplicates;
	return r < 0 ? r : out->error;
}

/* json_skip's opinion of the whole text. */
static inline int skip_all(struct str text, struct err *err)
{
	struct json_reader r;

	json_init(&r, text);
	json_skip(&r, NULL);
	return json_finish(&r, err);
}

#endif
