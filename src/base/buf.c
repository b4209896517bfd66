#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

void buf_free(struct buf *b)
{
	free(b->p);
	*b = BUF(b->max);
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->error = 0;
}

void *buf_reserve(struct buf *b, size_t n)
{
	size_t want, cap;
	char *grown;

	if (b->error)
		return NULL;
	if (n > b->max - b->n) {
		b->error = -EFBIG;
		return NULL;
	}
	want = b->n + n;
	if (want <= b->cap && b->p)
		return b->p + b->n;
	cap = b->cap ? b->cap : 256;
	while (cap < want)
		cap = cap > SIZE_MAX / 2 ? want : cap * 2;
	grown = realloc(b->p, cap);
	if (!grown) {
		b->error = -ENOMEM;
		return NULL;
	}
	b->p = grown;
	b->cap = cap;
	return b->p + b->n;
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
	void *to;

	if (n == 0)
		return;
	to = buf_reserve(b, n);
	if (!to)
		return;
	memcpy(to, bytes, n);
	b->n += n;
}

void buf_add_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

void buf_add_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	int n;
	char *to;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0) {
		b->error = b->error ? b->error : -EINVAL;
		return;
	}
	/* vsnprintf writes a NUL as well; ask for it, do not count it. */
	if (b->error || (size_t)n > b->max - b->n) {
		b->error = b->error ? b->error : -EFBIG;
		return;
	}
	b->max++;
	to = buf_reserve(b, (size_t)n + 1);
	b->max--;
	if (!to)
		return;
	va_start(args, format);
	vsnprintf(to, (size_t)n + 1, format, args);
	va_end(args);
	b->n += (size_t)n;
}

const char *buf_cstr(struct buf *b)
{
	char *end;

	if (b->error)
		return "";
	b->max++;
	end = buf_reserve(b, 1);
	b->max--;
	if (!end)
		return "";
	*end = '\0';
	return b->p;
}
