#include "cmd/output.h"

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t output_width(struct str text)
{
	size_t width = 0;

	for (size_t i = 0; i < text.n; i++)
		width += !continues(text.p[i]);
	return text.n ? width : 1;
}

/* C0, DEL, and C1 in UTF-8 (0xc2 0x80 to 0xc2 0x9f): with these a client's name could write over the lines of others. */
static bool is_control(struct str text, size_t i)
{
	unsigned char c = (unsigned char)text.p[i];

	if (c < 0x20 || c == 0x7f)
		return true;
	return c >= 0x80 && c < 0xa0 && i > 0 && (unsigned char)text.p[i - 1] == 0xc2;
}

void output_cell(FILE *to, struct str text, size_t width)
{
	size_t shown = output_width(text);

	if (text.n == 0)
		fputc('-', to);
	for (size_t i = 0; i < text.n; i++)
		fputc(is_control(text, i) ? '?' : text.p[i], to);
	for (; shown < width; shown++)
		fputc(' ', to);
}

void output_member(struct json_writer *w, const char *key, struct str value)
{
	if (value.n) {
		jw_member_str(w, key, value);
		return;
	}
	jw_key(w, str_of(key));
	jw_null(w);
}

int output_flush(struct json_writer *w, FILE *to)
{
	struct str text = buf_str(w->out);
	int r = w->out->error;

	if (r == 0 && text.n && fwrite(text.p, 1, text.n, to) != text.n)
		r = -EIO;
	buf_clear(w->out);
	return r;
}
