/* JSON (RFC 8259): a validating pull reader that hands out slices of the input, and a writer.
 *
 * The reader never allocates. It checks the whole grammar, UTF-8, escapes, the depth and the members of an object also of
 * what is skipped. Its error is sticky: read on, look at json_failed() or json_finish() once; what is read after an error
 * is empty text, 0 and false. A slice lives as long as the input.
 *
 *	struct json_reader r;
 *	struct str key, value;
 *
 *	json_init(&r, text);
 *	json_enter_object(&r);
 *	while (json_next_member(&r, &key)) {
 *		if (json_raw_equals(key, STR("versions")))
 *			…json_enter_object(&r)… or json_string(&r, &value) or json_skip(&r, &value);
 *		else
 *			json_skip(&r, NULL);
 *	}
 *	if (json_finish(&r, &err) < 0) …
 */
#ifndef BONDGATE_CODEC_JSON_H
#define BONDGATE_CODEC_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

enum json_kind { JSON_NONE, JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_NUMBER, JSON_TRUE, JSON_FALSE, JSON_NULL };

enum { JSON_DEPTH_CEILING = 256 };

struct json_reader {
	const char *start, *p, *end;
	const char *problem; /* what is wrong, static text; NULL: nothing so far */
	const char *where;   /* at which byte */
	size_t depth;
	size_t max_depth;                         /* LIMIT_JSON_DEPTH unless set after json_init; at most JSON_DEPTH_CEILING counts */
	bool fresh;                               /* a container was just entered: no comma before the next member or item */
	bool passed_limit;                        /* the problem is a limit, not the grammar */
	uint32_t members[JSON_DEPTH_CEILING + 1]; /* of the open object at each depth so far; an array has a mark instead */
};

/* Starts at the first value. A UTF-8 byte order mark is skipped. */
void json_init(struct json_reader *r, struct str text);

/* What stands here, by its first byte; JSON_NONE on error or at the end of the input. Consumes only blanks. */
enum json_kind json_peek(struct json_reader *r);

/* Consume `{` or `[`; anything else is an error. */
void json_enter_object(struct json_reader *r);
void json_enter_array(struct json_reader *r);

/* In an object: true with the raw key (between the quotes, escapes as written) and the reader at the value; false when `}`
 * was consumed or on error. The value must be consumed before the next call. */
bool json_next_member(struct json_reader *r, struct str *ret_raw_key);
/* In an array: true with the reader at the item; false when `]` was consumed or on error. */
bool json_next_item(struct json_reader *r);

/* Validates any value and passes over it; *ret_slice (may be NULL) is its text without blanks around it. */
void json_skip(struct json_reader *r, struct str *ret_slice);

/* A string's raw content (between the quotes, escapes as written). Another kind is an error. */
void json_string(struct json_reader *r, struct str *ret_raw);
/* A string, decoded as json_decode does. No copy is made when it holds no escape. A full arena is an error. */
void json_string_decoded(struct json_reader *r, struct arena *a, struct str *ret);
void json_bool(struct json_reader *r, bool *ret);
/* A number written as an integer (no fraction, no exponent) within int64_t; another is an error. */
void json_int(struct json_reader *r, int64_t *ret);
/* A number's text. */
void json_number(struct json_reader *r, struct str *ret_text);

/* Sets the sticky error at the present place; the first one stays. `problem` must be static text. */
void json_fail(struct json_reader *r, const char *problem);

static inline bool json_failed(const struct json_reader *r)
{
	return r->problem != NULL;
}

/* To be called once at the end: checks that nothing but blanks follows, and turns the sticky error into a message with
 * line, column and byte. 0, -EBADMSG for bad JSON (the empty text is), -EFBIG for a passed limit. */
int json_finish(struct json_reader *r, struct err *err);

/* Raw string content against plain text, escapes decoded before comparing, without allocating: the key
 * written "\u0076ersions" equals "versions". The raw text must come from this reader (already validated). */
bool json_raw_equals(struct str raw, struct str plain);
/* Decodes raw string content. Without escapes the result is `raw` itself. A lone surrogate becomes U+FFFD.
 * *ret has p == NULL when the arena is full. */
struct str json_decode(struct arena *a, struct str raw);

/* Duplicate keys at one level: call for every key of the object; true the second time a (decoded) key comes, and also when
 * memory is out or `k` is NULL, so that a caller who refuses duplicates stays closed. The keys are not copied: their text
 * must live until json_keys_clear, which forgets them and keeps the memory for the next object. */
struct json_keys;
struct json_keys *json_keys_new(void);
void json_keys_free(struct json_keys *k);
void json_keys_clear(struct json_keys *k);
bool json_keys_seen(struct json_keys *k, struct str raw_key);

/* The writer: compact JSON into a bounded buffer. Commas and escapes are its business, the order of calls the caller's.
 * Errors are the buffer's own sticky error; nesting past 64 levels is -EFBIG, an end without a beginning -EINVAL. */

struct json_writer {
	struct buf *out;
	unsigned depth;
	uint64_t has_members; /* one bit an open container: a comma is due before its next value */
};

void jw_init(struct json_writer *w, struct buf *out);
void jw_object(struct json_writer *w);
void jw_object_end(struct json_writer *w);
void jw_array(struct json_writer *w);
void jw_array_end(struct json_writer *w);
/* The key of the next value, plain text. */
void jw_key(struct json_writer *w, struct str key);
/* The same with a key as json_next_member gave it: already valid between quotes, copied as it is. */
void jw_key_raw(struct json_writer *w, struct str raw_key);
/* A string, escaped; bytes that are not UTF-8 become U+FFFD. */
void jw_str(struct json_writer *w, struct str value);
void jw_int(struct json_writer *w, int64_t value);
void jw_bool(struct json_writer *w, bool value);
void jw_null(struct json_writer *w);
/* JSON text that is already valid, as it is. */
void jw_raw(struct json_writer *w, struct str json);
/* key and value together */
void jw_member_str(struct json_writer *w, const char *key, struct str value);
void jw_member_int(struct json_writer *w, const char *key, int64_t value);
void jw_member_bool(struct json_writer *w, const char *key, bool value);

#endif
