/* Vectors made by others: JSON files in the data folder (env BONDGATE_DATA, else ../shared/data beside the source tree) with
 * lists of objects, lists or plain values. A test skips, saying so, where the folder is missing. */
#ifndef BONDGATE_TESTS_VECTORS_H
#define BONDGATE_TESTS_VECTORS_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "codec/json.h"

#define VECTOR_FIELDS 8

struct vector_field {
	struct str name; /* "0", "1" … in a list */
	enum json_kind kind;
	struct str text; /* a string decoded, everything else as written */
};

struct vector {
	struct arena *arena;
	struct vector_field fields[VECTOR_FIELDS];
	size_t n;
};

static inline const struct vector_field *vector_field(const struct vector *v, const char *name)
{
	static const struct vector_field none = {.kind = JSON_NONE};

	for (size_t i = 0; i < v->n; i++)
		if (str_eq(v->fields[i].name, str_of(name)))
			return &v->fields[i];
	return &none;
}

static inline struct str vector_text(const struct vector *v, const char *name)
{
	return vector_field(v, name)->text;
}

static inline void vector_read_field(struct json_reader *r, struct vector *v, struct str name)
{
	struct vector_field *f = &v->fields[v->n];

	assert_true(v->n++ < VECTOR_FIELDS);
	f->name = name;
	f->kind = json_peek(r);
	if (f->kind == JSON_STRING)
		json_string_decoded(r, v->arena, &f->text);
	else
		json_skip(r, &f->text);
}

static inline void vector_read(struct json_reader *r, struct vector *v)
{
	struct str name;

	v->n = 0;
	if (json_peek(r) == JSON_ARRAY) {
		json_enter_array(r);
		while (json_next_item(r))
			vector_read_field(r, v, arena_printf(v->arena, "%zu", v->n));
		return;
	}
	if (json_peek(r) != JSON_OBJECT) {
		vector_read_field(r, v, STR("0"));
		return;
	}
	json_enter_object(r);
	while (json_next_member(r, &name))
		vector_read_field(r, v, name);
}

/* Calls `each` for every item of a list, or for every member of an object as the list [name, value]. */
static inline size_t vectors_in(struct arena *a, struct str text, void (*each)(const struct vector *v))
{
	struct vector v = {.arena = a};
	struct json_reader r;
	struct err err = {0};
	struct str name;
	size_t count = 0;

	json_init(&r, text);
	if (json_peek(&r) == JSON_OBJECT) {
		json_enter_object(&r);
		for (; json_next_member(&r, &name); count++) {
			v.n = 1;
			v.fields[0] = (struct vector_field){STR("0"), JSON_STRING, name};
			vector_read_field(&r, &v, STR("1"));
			each(&v);
		}
	} else {
		json_enter_array(&r);
		for (; json_next_item(&r); count++) {
			vector_read(&r, &v);
			each(&v);
		}
	}
	if (json_finish(&r, &err) < 0)
		fail_msg("%s", err.text);
	return count;
}

/* The file's path, or the end of the test where it is missing. Nothing may be allocated yet: skip() jumps. */
static inline const char *vectors_path(const char *file)
{
	static char path[4096];
	const char *data = getenv("BONDGATE_DATA"), *source = getenv("BONDGATE_SOURCE");

	if (data)
		snprintf(path, sizeof(path), "%s/%s", data, file);
	else
		snprintf(path, sizeof(path), "%s/../shared/data/%s", source ? source : ".", file);
	if (access(path, R_OK) < 0) {
		fprintf(stderr, "skipped: %s is missing; set BONDGATE_DATA to the data folder\n", path);
		skip();
	}
	return path;
}

/* Calls `each` for everything in the member `list` of a file such as "semver/npm-equality.json"; there must be at least `least`. */
static inline void vectors_each(const char *file, const char *list, size_t least, void (*each)(const struct vector *v))
{
	const char *path = vectors_path(file);
	CLEANUP_ARENA struct arena *a = arena_new(16 << 20);
	CLEANUP_BUF struct buf content = BUF(4 << 20);
	struct json_reader r;
	struct str key, text;
	struct err err = {0};
	size_t count = 0;

	if (file_read(path, &content, &err) < 0)
		fail_msg("%s", err.text);
	json_init(&r, buf_str(&content));
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		json_skip(&r, &text);
		if (!json_failed(&r) && str_eq(key, str_of(list)))
			count = vectors_in(a, text, each);
	}
	if (json_finish(&r, &err) < 0)
		fail_msg("%s: %s", file, err.text);
	assert_true(count >= least);
}

#endif
