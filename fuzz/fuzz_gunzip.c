/* The gzip reader on hostile bytes, in pieces of a size that the first byte gives. However it is cut, the result must be the
 * same. */
#include <stdlib.h>

#include "base/limits.h"
#include "gate/upstream_gunzip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	uint64_t bytes;
	uint32_t sum;
	int code;
	bool whole;
};

static struct outcome run(struct str input, size_t step)
{
	struct outcome o = {0};
	struct gunzip *g = gunzip_new();

	while (input.n && o.code == 0 && o.bytes < 4 * MIB) {
		struct str given = str_take(input, step), piece;

		input = str_skip(input, step);
		do {
			o.code = gunzip_next(g, &given, &piece);
			for (size_t i = 0; o.code == 0 && i < piece.n; i++)
				o.sum = o.sum * 31 + (unsigned char)piece.p[i];
			o.bytes += o.code == 0 ? piece.n : 0;
		} while (o.code == 0 && piece.n && o.bytes < 4 * MIB);
	}
	o.whole = gunzip_is_whole(g);
	gunzip_free(g);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = {(const char *)data + 1, size - 1};
	struct outcome a, b;

	if (size < 1)
		return 0;
	a = run(input, SIZE_MAX);
	b = run(input, (size_t)data[0] + 1);
	/* Bytes before a damage may have been handed out or not; what is whole must be the same. */
	if (a.bytes < 4 * MIB && b.bytes < 4 * MIB &&
	    (a.code != b.code || a.whole != b.whole || (a.code == 0 && (a.bytes != b.bytes || a.sum != b.sum))))
		abort();
	return 0;
}
