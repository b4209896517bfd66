#include "gate/compress.h"

#include <errno.h>
#include <zlib.h>
#ifdef HAVE_ISAL
#include <isa-l/igzip_lib.h>
#endif

enum { PIECE = 64 * 1024 };

#ifdef HAVE_ISAL

struct gzip {
	struct buf *out;
	struct isal_zstream stream;
	uint8_t level_buffer[ISAL_DEF_LVL1_DEFAULT];
	int error;
};

struct gzip *gzip_new(struct buf *out)
{
	struct gzip *z = malloc(sizeof(*z));

	if (!z)
		return NULL;
	z->out = out;
	z->error = 0;
	isal_deflate_init(&z->stream);
	z->stream.gzip_flag = IGZIP_GZIP;
	z->stream.level = 1;
	z->stream.level_buf = z->level_buffer;
	z->stream.level_buf_size = sizeof(z->level_buffer);
	return z;
}

static void run(struct gzip *z, const void *bytes, size_t n, bool last)
{
	z->stream.next_in = (uint8_t *)(uintptr_t)bytes;
	z->stream.avail_in = (uint32_t)n;
	z->stream.end_of_stream = last;
	do {
		z->stream.next_out = buf_reserve(z->out, PIECE);
		if (!z->stream.next_out) {
			z->error = z->out->error;
			return;
		}
		z->stream.avail_out = PIECE;
		if (isal_deflate(&z->stream) != COMP_OK) {
			z->error = -EIO;
			return;
		}
		z->out->n += PIECE - z->stream.avail_out;
	} while (z->stream.avail_out == 0 || (last && z->stream.internal_state.state != ZSTATE_END));
}

static void end(struct gzip *z)
{
	(void)z;
}

#else

struct gzip {
	struct buf *out;
	z_stream stream;
	int error;
};

struct gzip *gzip_new(struct buf *out)
{
	struct gzip *z = calloc(1, sizeof(*z));

	if (!z)
		return NULL;
	z->out = out;
	if (deflateInit2(&z->stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(z);
		return NULL;
	}
	return z;
}

static void run(struct gzip *z, const void *bytes, size_t n, bool last)
{
	int r;

	z->stream.next_in = (Bytef *)(uintptr_t)bytes;
	z->stream.avail_in = (uInt)n;
	do {
		z->stream.next_out = buf_reserve(z->out, PIECE);
		if (!z->stream.next_out) {
			z->error = z->out->error;
			return;
		}
		z->stream.avail_out = PIECE;
		r = deflate(&z->stream, last ? Z_FINISH : Z_NO_FLUSH);
		z->out->n += PIECE - z->stream.avail_out;
	} while (z->stream.avail_out == 0 || (last && r == Z_OK));
}

static void end(struct gzip *z)
{
	deflateEnd(&z->stream);
}

#endif

void gzip_add(struct gzip *z, const void *bytes, size_t n)
{
	const char *p = bytes;

	/* The engines count in 32 bits. */
	while (n && !z->error) {
		size_t piece = n < (1u << 30) ? n : (1u << 30);

		run(z, p, piece, false);
		p += piece;
		n -= piece;
	}
}

int gzip_end(struct gzip *z)
{
	int r;

	if (!z->error)
		run(z, "", 0, true);
	end(z);
	r = z->error;
	free(z);
	return r;
}

int gunzip(struct str body, struct buf *out, struct err *err)
{
	z_stream stream = {.next_in = (Bytef *)(uintptr_t)body.p, .avail_in = (uInt)body.n};
	int r = Z_OK;

	if (body.n > UINT32_MAX || inflateInit2(&stream, 15 + 32) != Z_OK)
		return err_set(err, -ENOMEM, "the compressed body cannot be read");
	while (r == Z_OK) {
		size_t room = out->max - out->n < PIECE ? out->max - out->n : PIECE;

		stream.next_out = room ? buf_reserve(out, room) : NULL;
		if (!stream.next_out)
			break;
		stream.avail_out = (uInt)room;
		r = inflate(&stream, Z_NO_FLUSH);
		out->n += room - stream.avail_out;
		if (r == Z_OK && stream.avail_in == 0 && stream.avail_out)
			break;
	}
	inflateEnd(&stream);
	if (r == Z_STREAM_END)
		return 0;
	if (r == Z_OK && stream.avail_in)
		return err_set(err, -EFBIG, "the body is larger than %zu bytes when uncompressed", out->max);
	return err_set(err, -EBADMSG, "the body is not whole gzip");
}
