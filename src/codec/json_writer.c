#include "codec/json.h"

#include <inttypes.h>
#include <stdio.h>

#include "codec/json_scan.h"
#include "codec/utf8.h"

enum { WRITER_DEPTH = 64 }; /* a bit of `has_members` for each open container */

static void set_error(struct json_writer *w, int code)
{
	if (!w->out->error)
		w->out->error = code;
}

/* The bit of the open container; none at the top, where one value stands alone. */
static uint64_t level(const struct json_writer *w)
{
	return w->depth ? (uint64_t)1 << (w->depth - 1) : 0;
}

/* The comma before a value where one is due. After a key none is: jw_key has cleared the bit. */
static void before_value(struct json_writer *w)
{
	if (w->has_members & level(w))
		buf_add_char(w->out, ',');
	w->has_members |= level(w);
}

void jw_init(struct json_writer *w, struct buf *out)
{
	*w = (struct json_writer){.out = out};
}

static void open_container(struct json_writer *w, char bracket)
{
	before_value(w);
	buf_add_char(w->out, bracket);
	if (w->depth >= WRITER_DEPTH) {
		set_error(w, -EFBIG);
		return;
	}
	w->depth++;
	w->has_members &= ~level(w);
}

static void close_container(struct json_writer *w, char bracket)
{
	if (w->depth == 0) {
		set_error(w, -EINVAL);
		return;
	}
	w->depth--;
	buf_add_char(w->out, bracket);
}

void jw_object(struct json_writer *w)
{
	open_container(w, '{');
}

void jw_object_end(struct json_writer *w)
{
	close_container(w, '}');
}

void jw_array(struct json_writer *w)
{
	open_container(w, '[');
}

void jw_array_end(struct json_writer *w)
{
	close_container(w, ']');
}

static void add_escape(struct buf *out, char c)
{
	static const char digits[] = "0123456789abcdef", letters[] = "btn.fr"; /* U+0008 to U+000D; U+000B has no letter */
	unsigned char byte = (unsigned char)c;
	char text[6] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};

	if (c == '"' || c == '\\')
		text[1] = c;
	else if (byte >= '\b' && byte <= '\r' && byte != '\v')
		text[1] = letters[byte - '\b'];
	buf_add(out, text, text[1] == 'u' ? 6 : 2);
}

static void add_string(struct buf *out, struct str text)
{
	const char *p = text.p ? text.p : "", *end = p + text.n, *kept = p; /* from `kept` to `p` nothing needs a change */
	int length;

	buf_add_char(out, '"');
	while ((p = json_pass_plain(p, end)) != end) {
		length = (unsigned char)*p < 0x80 ? 0 : utf8_step(p, end);
		if (length > 0) {
			p += length;
			continue;
		}
		buf_add_str(out, str_range(kept, p));
		if (length == 0)
			add_escape(out, *p++);
		else
			buf_add_str(out, STR(UTF8_REPLACEMENT));
		p -= length;
		kept = p;
	}
	buf_add_str(out, str_range(kept, end));
	buf_add_char(out, '"');
}

void jw_key(struct json_writer *w, struct str key)
{
	before_value(w);
	add_string(w->out, key);
	buf_add_char(w->out, ':');
	w->has_members &= ~level(w);
}

void jw_key_raw(struct json_writer *w, struct str raw_key)
{
	before_value(w);
	buf_add_char(w->out, '"');
	buf_add_str(w->out, raw_key);
	buf_add_str(w->out, STR("\":"));
	w->has_members &= ~level(w);
}

void jw_str(struct json_writer *w, struct str value)
{
	before_value(w);
	add_string(w->out, value);
}

void jw_raw(struct json_writer *w, struct str json)
{
	before_value(w);
	buf_add_str(w->out, json);
}

void jw_int(struct json_writer *w, int64_t value)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%" PRId64, value);

	jw_raw(w, (struct str){digits, (size_t)n});
}

void jw_bool(struct json_writer *w, bool value)
{
	jw_raw(w, value ? STR("true") : STR("false"));
}

void jw_null(struct json_writer *w)
{
	jw_raw(w, STR("null"));
}

void jw_member_str(struct json_writer *w, const char *key, struct str value)
{
	jw_key(w, str_of(key));
	jw_str(w, value);
}

void jw_member_int(struct json_writer *w, const char *key, int64_t value)
{
	jw_key(w, str_of(key));
	jw_int(w, value);
}

void jw_member_bool(struct json_writer *w, const char *key, bool value)
{
	jw_key(w, str_of(key));
	jw_bool(w, value);
}
