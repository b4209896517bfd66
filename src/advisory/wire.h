/* A cursor over bytes with a sticky error: read on, look at `bad` once. Numbers are LEB128, texts a number and the bytes. */
#ifndef BONDGATE_ADVISORY_WIRE_H
#define BONDGATE_ADVISORY_WIRE_H

#include "base/buf.h"

struct wire {
	const char *p, *end;
	bool bad;
};

static inline struct wire wire_over(struct str bytes)
{
	return (struct wire){bytes.p, bytes.p + bytes.n, false};
}

static inline struct str wire_rest(const struct wire *w)
{
	return str_range(w->p, w->end);
}

static inline uint64_t wire_number(struct wire *w)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 63 && w->p < w->end; shift += 7) {
		unsigned char byte = (unsigned char)*w->p++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
	w->bad = true;
	w->p = w->end;
	return 0;
}

/* A count of things of which each takes at least a byte: never more than bytes are left. */
static inline uint64_t wire_count(struct wire *w)
{
	uint64_t n = wire_number(w);

	if (n <= (uint64_t)(w->end - w->p))
		return n;
	w->bad = true;
	w->p = w->end;
	return 0;
}

static inline struct str wire_text(struct wire *w)
{
	uint64_t n = wire_count(w);
	struct str text = {w->p, (size_t)n};

	w->p += n;
	return text;
}

static inline void wire_put_number(struct buf *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		buf_add_char(out, (char)(0x80 | (value & 0x7f)));
	buf_add_char(out, (char)value);
}

static inline void wire_put_text(struct buf *out, struct str text)
{
	wire_put_number(out, text.n);
	buf_add_str(out, text);
}

#endif
