#include "gate/upstream_gunzip.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/limits.h"

struct gunzip {
	z_stream z;
	bool inside; /* a member has begun and not ended */
	bool full;   /* the last piece filled `out`: zlib may hold more without needing input */
	unsigned char out[64 * 1024];
};

struct gunzip *gunzip_new(void)
{
	struct gunzip *g = calloc(1, sizeof(*g));

	if (g && inflateInit2(&g->z, 15 + 16) != Z_OK) {
		free(g);
		return NULL;
	}
	return g;
}

void gunzip_free(struct gunzip *g)
{
	if (!g)
		return;
	inflateEnd(&g->z);
	free(g);
}

int gunzip_next(struct gunzip *g, struct str *input, struct str *ret_piece)
{
	*ret_piece = STR_NULL;
	while (input->n || g->full) {
		uInt given = (uInt)(input->n < MIB ? input->n : MIB);
		size_t made;
		int r;

		if (!g->inside && !g->full && inflateReset(&g->z) != Z_OK)
			return -EBADMSG;
		g->inside = true;
		g->z.next_in = (Bytef *)input->p;
		g->z.avail_in = given;
		g->z.next_out = g->out;
		g->z.avail_out = sizeof(g->out);
		r = inflate(&g->z, Z_NO_FLUSH);
		if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
			return -EBADMSG;
		*input = str_skip(*input, given - g->z.avail_in);
		made = sizeof(g->out) - g->z.avail_out;
		g->inside = r != Z_STREAM_END;
		g->full = g->inside && g->z.avail_out == 0;
		if (made) {
			*ret_piece = (struct str){(const char *)g->out, made};
			return 0;
		}
	}
	return 0;
}

bool gunzip_is_whole(const struct gunzip *g)
{
	return !g->inside;
}
