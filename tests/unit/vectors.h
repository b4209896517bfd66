/* Vectors made by others: JSON files in the data folder (env BONDGATE_DATA, else ../shared/data beside the source tree) with
 * a member "vectors" that is a list of objects or lists. A test skips, saying so, where the folder is missing. */
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
	json_enter_object(r);
	while (json_next_member(r, &name))
		vector_read_field(r, v, name);
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

/* Calls `each` for every vector of a file such as "semver/npm-equality.json"; the count must be at least `least`. */
static inline void vectors_each(const char *file, size_t least, void (*each)(const struct vector *v))
{
	const char *path = vectors_path(file);
	CLEANUP_ARENA struct arena *a = arena_new(16 << 20);
	CLEANUP_BUF struct buf content = BUF(4 << 20);
	struct json_reader r;
	struct str key;
	struct vector v = {.arena = a};
	struct err err = {0};
	size_t count = 0;

	if (file_read(path, &content, &err) < 0)
		fail_msg("%s", err.text);
	json_init(&r, buf_str(&content));
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		if (!str_eq(key, STR("vectors"))) {
			json_skip(&r, NULL);
			continue;
		}
		json_enter_array(&r);
		while (json_next_item(&r)) {
			vector_read(&r, &v);
			if (json_failed(&r))
				break;
			each(&v);
			count++;
		}
	}
	if (json_finish(&r, &err) < 0)
		fail_msg("%s: %s", file, err.text);
	assert_true(count >= least);
}

#endif
