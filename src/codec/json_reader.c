#include "codec/json.h"

#include "codec/json_scan.h"
#include "codec/utf8.h"

/* In `members`, says that the container is an array. */
#define IS_ARRAY UINT32_MAX

static const char too_early[] = "the text ends too early";
static const char want_value[] = "a value was expected";

/* Sets the sticky error: at the end of the text it is always the same one. Returns NULL, so that a scanner can end with it. */
static __attribute__((cold, noinline)) const char *fail(struct json_reader *r, const char *at, const char *problem)
{
	if (r->problem)
		return NULL;
	r->problem = at == r->end ? too_early : problem;
	r->where = at;
	return NULL;
}

static __attribute__((cold, noinline)) const char *fail_limit(struct json_reader *r, const char *at, const char *problem)
{
	if (r->problem)
		return NULL;
	r->problem = problem;
	r->where = at;
	r->passed_limit = true;
	return NULL;
}

/* The scanners below take a place and return the place after what they read, or NULL once the error is set. They read and
 * write r->p nowhere: the place stays in a register. */

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* From the backslash. Lone surrogates are grammatical (RFC 8259, section 8.2); decoding replaces them. */
static const char *scan_escape(struct json_reader *r, const char *p)
{
	const char *escape = p++;

	if (p == r->end)
		return fail(r, p, too_early);
	if (memchr("\"\\/bfnrt", *p, 8))
		return p + 1;
	if (*p++ != 'u')
		return fail(r, escape, "there is no such escape");
	for (int i = 0; i < 4; i++, p++)
		if (p == r->end || !is_hex(*p))
			return fail(r, p == r->end ? p : escape, "four hexadecimal digits were expected after \\u");
	return p;
}

/* A string that holds more than plain characters; from the first that is not. Returns the place of the closing quote. */
static const char *scan_string_odd(struct json_reader *r, const char *p)
{
	for (;;) {
		int length;

		p = json_pass_plain(p, r->end);
		if (p == r->end)
			return fail(r, p, too_early);
		if (*p == '"')
			return p;
		if (*p == '\\') {
			p = scan_escape(r, p);
			if (!p)
				return NULL;
			continue;
		}
		if ((unsigned char)*p < 0x20)
			return fail(r, p, "a control character in a string must be escaped");
		/* Text in another script comes in runs. */
		for (; p != r->end && (unsigned char)*p >= 0x80; p += length) {
			length = utf8_step(p, r->end);
			if (length < 0)
				return fail(r, p, "the bytes are not UTF-8");
		}
	}
}

/* From after the opening quote to the closing quote. */
static inline const char *scan_string(struct json_reader *r, const char *p)
{
	p = json_pass_plain(p, r->end);
	if (p != r->end && *p == '"')
		return p;
	return scan_string_odd(r, p);
}

static const char *scan_digits(struct json_reader *r, const char *p)
{
	if (p == r->end || *p < '0' || *p > '9')
		return fail(r, p, "a digit was expected");
	while (p != r->end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

static const char *scan_number(struct json_reader *r, const char *p)
{
	if (p == r->end || (*p != '-' && (*p < '0' || *p > '9')))
		return fail(r, p, want_value);
	if (*p == '-')
		p++;
	if (p != r->end && *p == '0')
		p++;
	else
		p = scan_digits(r, p);
	if (p && p != r->end && *p == '.')
		p = scan_digits(r, p + 1);
	if (p && p != r->end && (*p | 0x20) == 'e') {
		p++;
		if (p != r->end && (*p == '+' || *p == '-'))
			p++;
		p = scan_digits(r, p);
	}
	return p;
}

static const char *scan_literal(struct json_reader *r, const char *p, struct str literal)
{
	for (size_t i = 0; i < literal.n; i++)
		if (p + i == r->end || p[i] != literal.p[i])
			return fail(r, p + i == r->end ? r->end : p, want_value);
	return p + literal.n;
}

static const char *scan_open(struct json_reader *r, const char *p, uint32_t members)
{
	if (r->depth >= r->max_depth || r->depth >= JSON_DEPTH_CEILING)
		return fail_limit(r, p, "the values are nested too deep");
	r->members[++r->depth] = members;
	return json_pass_blanks(p + 1, r->end);
}

/* A key and its colon; from the opening quote to where blanks before the value may stand. */
static inline const char *scan_key(struct json_reader *r, const char *p, struct str *ret_raw_key)
{
	const char *from = p + 1;

	if (p == r->end || *p != '"')
		return fail(r, p, "a key in quotes was expected");
	if (r->members[r->depth] >= LIMIT_JSON_MEMBERS)
		return fail_limit(r, p, "the object has too many members");
	r->members[r->depth]++;
	p = scan_string(r, from);
	if (!p)
		return NULL;
	*ret_raw_key = str_range(from, p);
	p = json_pass_blanks(p + 1, r->end);
	if (p == r->end || *p != ':')
		return fail(r, p, "a colon was expected after the key");
	return p + 1;
}

/* A scalar, an empty container, or the beginning of another; then *ret_inside says that a value follows. */
static inline const char *scan_value(struct json_reader *r, const char *p, bool *ret_inside)
{
	struct str key;

	*ret_inside = false;
	if (p == r->end)
		return fail(r, p, too_early);
	switch (*p) {
	case '"':
		p = scan_string(r, p + 1);
		return p ? p + 1 : NULL;
	case '{':
		p = scan_open(r, p, 0);
		if (!p || (p != r->end && *p == '}'))
			break;
		*ret_inside = true;
		return scan_key(r, p, &key);
	case '[':
		p = scan_open(r, p, IS_ARRAY);
		if (!p || (p != r->end && *p == ']'))
			break;
		*ret_inside = true;
		return p;
	case 't':
		return scan_literal(r, p, STR("true"));
	case 'f':
		return scan_literal(r, p, STR("false"));
	case 'n':
		return scan_literal(r, p, STR("null"));
	default:
		return scan_number(r, p);
	}
	if (!p)
		return NULL;
	r->depth--;
	return p + 1;
}

/* After a value: closes containers down to the depth `floor`, or passes the comma (and key) before the next value; then
 * *ret_inside says that a value follows. */
static inline const char *scan_after(struct json_reader *r, const char *p, size_t floor, bool *ret_inside)
{
	struct str key;

	*ret_inside = false;
	while (r->depth > floor) {
		bool array = r->members[r->depth] == IS_ARRAY;

		p = json_pass_blanks(p, r->end);
		if (p == r->end)
			return fail(r, p, too_early);
		if (*p == ',') {
			*ret_inside = true;
			return array ? p + 1 : scan_key(r, json_pass_blanks(p + 1, r->end), &key);
		}
		if (*p != (array ? ']' : '}'))
			return fail(r, p, array ? "a comma or ] was expected" : "a comma or } was expected");
		p++;
		r->depth--;
	}
	return p;
}

void json_init(struct json_reader *r, struct str text)
{
	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = str_skip(text, 3);
	r->start = r->p = text.p ? text.p : "";
	r->end = r->start + text.n;
	r->problem = r->where = NULL;
	r->depth = 0;
	r->max_depth = LIMIT_JSON_DEPTH;
	r->fresh = r->passed_limit = false;
}

enum json_kind json_peek(struct json_reader *r)
{
	if (r->problem)
		return JSON_NONE;
	r->p = json_pass_blanks(r->p, r->end);
	if (r->p == r->end)
		return JSON_NONE;
	switch (*r->p) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	case 'n':
		return JSON_NULL;
	default:
		return *r->p == '-' || (*r->p >= '0' && *r->p <= '9') ? JSON_NUMBER : JSON_NONE;
	}
}

static void enter(struct json_reader *r, enum json_kind kind, const char *problem)
{
	const char *p;

	if (json_peek(r) != kind) {
		fail(r, r->p, problem);
		return;
	}
	p = scan_open(r, r->p, kind == JSON_ARRAY ? IS_ARRAY : 0);
	if (!p)
		return;
	r->p = p;
	r->fresh = true;
}

void json_enter_object(struct json_reader *r)
{
	enter(r, JSON_OBJECT, "an object was expected");
}

void json_enter_array(struct json_reader *r)
{
	enter(r, JSON_ARRAY, "an array was expected");
}

/* Closes the container the reader is in, or passes the comma: true with the reader before the next member or item. */
static bool next(struct json_reader *r, bool array, const char *problem)
{
	char close = array ? ']' : '}';

	if (r->problem)
		return false;
	r->p = json_pass_blanks(r->p, r->end);
	if (r->depth == 0 || (r->members[r->depth] == IS_ARRAY) != array) {
		fail(r, r->p, array ? "the reader is in no array" : "the reader is in no object");
		return false;
	}
	if (r->p != r->end && *r->p == close) {
		r->p++;
		r->depth--;
		r->fresh = false;
		return false;
	}
	if (r->fresh) {
		r->fresh = false;
		return true;
	}
	if (r->p == r->end || *r->p != ',') {
		fail(r, r->p, problem);
		return false;
	}
	r->p = json_pass_blanks(r->p + 1, r->end);
	return true;
}

bool json_next_member(struct json_reader *r, struct str *ret_raw_key)
{
	const char *p;

	*ret_raw_key = STR_NULL;
	if (!next(r, false, "a comma or } was expected"))
		return false;
	p = scan_key(r, r->p, ret_raw_key);
	if (!p)
		return false;
	r->p = p;
	return true;
}

bool json_next_item(struct json_reader *r)
{
	return next(r, true, "a comma or ] was expected");
}

void json_skip(struct json_reader *r, struct str *ret_slice)
{
	const char *p = r->p, *from;
	size_t floor = r->depth;
	bool inside;

	if (ret_slice)
		*ret_slice = STR_NULL;
	if (r->problem)
		return;
	from = p = json_pass_blanks(p, r->end);
	do {
		p = scan_value(r, json_pass_blanks(p, r->end), &inside);
		if (p && !inside)
			p = scan_after(r, p, floor, &inside);
	} while (p && inside);
	if (!p)
		return;
	r->p = p;
	if (ret_slice)
		*ret_slice = str_range(from, p);
}

void json_string(struct json_reader *r, struct str *ret_raw)
{
	const char *p;

	*ret_raw = STR_NULL;
	if (json_peek(r) != JSON_STRING) {
		fail(r, r->p, "a string was expected");
		return;
	}
	p = scan_string(r, r->p + 1);
	if (!p)
		return;
	*ret_raw = str_range(r->p + 1, p);
	r->p = p + 1;
}

void json_string_decoded(struct json_reader *r, struct arena *a, struct str *ret)
{
	struct str raw;

	json_string(r, &raw);
	*ret = raw.n ? json_decode(a, raw) : raw;
	if (raw.n && !ret->p)
		fail_limit(r, raw.p, "there is no room to decode the string");
}

void json_bool(struct json_reader *r, bool *ret)
{
	enum json_kind kind = json_peek(r);
	const char *p;

	*ret = false;
	if (kind != JSON_TRUE && kind != JSON_FALSE) {
		fail(r, r->p, "true or false was expected");
		return;
	}
	p = scan_literal(r, r->p, kind == JSON_TRUE ? STR("true") : STR("false"));
	if (!p)
		return;
	r->p = p;
	*ret = kind == JSON_TRUE;
}

void json_number(struct json_reader *r, struct str *ret_text)
{
	const char *p;

	*ret_text = STR_NULL;
	if (json_peek(r) != JSON_NUMBER) {
		fail(r, r->p, "a number was expected");
		return;
	}
	p = scan_number(r, r->p);
	if (!p)
		return;
	*ret_text = str_range(r->p, p);
	r->p = p;
}

void json_int(struct json_reader *r, int64_t *ret)
{
	struct str text;
	int64_t value = 0;

	*ret = 0;
	json_number(r, &text);
	if (r->problem)
		return;
	if (str_to_i64(text, &value) < 0)
		fail(r, text.p, "an integer of at most 64 bits was expected");
	else
		*ret = value;
}

void json_fail(struct json_reader *r, const char *problem)
{
	if (r->problem)
		return;
	r->problem = problem;
	r->where = r->p;
}

/* "line 3, column 7 (byte 42): …"; columns count characters from 1, bytes from 0, a byte order mark does not count. */
static int report(const struct json_reader *r, struct err *err)
{
	size_t line = 1, column = 1;

	for (const char *p = r->start; p < r->where; p++) {
		if (*p == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)*p & 0xc0) != 0x80) {
			column++;
		}
	}
	return err_set(err, r->passed_limit ? -EFBIG : -EBADMSG, "line %zu, column %zu (byte %zu): %s", line, column,
	               (size_t)(r->where - r->start), r->problem);
}

int json_finish(struct json_reader *r, struct err *err)
{
	if (!r->problem) {
		r->p = json_pass_blanks(r->p, r->end);
		if (r->p != r->end)
			json_fail(r, "nothing may follow the value");
		else if (r->depth > 0 || json_pass_blanks(r->start, r->end) == r->end)
			fail(r, r->p, too_early);
	}
	return r->problem ? report(r, err) : 0;
}
