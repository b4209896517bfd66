#include "gate/http_connection.h"

#include <errno.h>
#include <sys/sendfile.h>

/* What is written from memory to learn when the kernel takes more; the file goes on from there without being copied. */
enum { FILE_STEP_BYTES = 4 * 1024 };

static void pump(struct connection *c);

static bool has_plain(const struct output *o)
{
	return o->head_at < o->head_n || o->body.n;
}

/* `n` bytes of head and body are on their way. */
static void advance(struct output *o, size_t n)
{
	size_t head = o->head_n - o->head_at;

	if (n < head) {
		o->head_at += n;
		return;
	}
	free(TAKE_PTR(o->head));
	o->head_at = o->head_n = 0;
	o->body = str_skip(o->body, n - head);
}

static unsigned next_window(const struct output *o, uv_buf_t bufs[2])
{
	size_t head = o->head_n - o->head_at, body = o->body.n < HTTP_WINDOW_BYTES ? o->body.n : HTTP_WINDOW_BYTES;
	unsigned count = 0;

	if (head)
		bufs[count++] = uv_buf_init(o->head + o->head_at, (unsigned)head);
	if (body)
		bufs[count++] = uv_buf_init((char *)(uintptr_t)o->body.p, (unsigned)body);
	return count;
}

/* Is what is left all of a file? */
static bool is_file(const struct output *o)
{
	return o->head_at == o->head_n && o->body.n && o->blob && o->blob->mapped;
}

static size_t window_bytes(const uv_buf_t *bufs, unsigned count)
{
	size_t n = 0;

	for (unsigned i = 0; i < count; i++)
		n += bufs[i].len;
	return n;
}

static void release(struct output *o)
{
	free(TAKE_PTR(o->head));
	o->head_at = o->head_n = 0;
	o->body = STR_NULL;
	blob_unref(TAKE_PTR(o->blob));
}

void output_free(struct connection *c)
{
	release(&c->out);
	c->out.pending = false;
}

static void flushed(struct connection *c)
{
	if (!c->out.pending)
		return;
	release(&c->out);
	c->out.pending = false;
	connection_flushed(c);
}

/* What the kernel takes at once: bytes, 0 when it takes none; a lost connection is dropped and -1. */
static ssize_t try_write(struct connection *c, const uv_buf_t *bufs, unsigned count)
{
	int n = uv_try_write((uv_stream_t *)&c->tcp, bufs, count);

	if (n == UV_EAGAIN)
		return 0;
	if (n < 0) {
		connection_drop(c);
		return -1;
	}
	server_count(&c->server->counters->bytes_out, (uint64_t)n);
	return n;
}

/* As try_write, for the next window of a file: the kernel sends its pages as they are, which saves a copy of every byte. */
static ssize_t try_file(struct connection *c)
{
	struct output *o = &c->out;
	off_t at = o->body.p - o->blob->p;
	uv_os_fd_t fd;
	ssize_t n;

	if (uv_fileno((uv_handle_t *)&c->tcp, &fd) < 0)
		return 0;
	do
		n = sendfile(fd, o->blob->fd, &at, o->body.n < HTTP_WINDOW_BYTES ? o->body.n : HTTP_WINDOW_BYTES);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0) {
		connection_drop(c);
		return -1;
	}
	server_count(&c->server->counters->bytes_out, (uint64_t)n);
	return n;
}

static void on_written(uv_write_t *write, int status)
{
	struct connection *c = write->data;
	struct output *o = &c->out;

	o->writing = false;
	if (c->tls)
		buf_free(tls_flying(c->tls));
	if (c->closing)
		return;
	if (status < 0) {
		connection_drop(c);
		return;
	}
	if (c->wait == WAIT_WRITE)
		server_wait(c, WAIT_NOTHING);
	if (!c->tls)
		advance(o, o->flying);
	pump(c);
	connection_update_reading(c);
}

static void write_later(struct connection *c, const uv_buf_t *bufs, unsigned count)
{
	struct output *o = &c->out;

	o->flying = window_bytes(bufs, count);
	o->write.data = c;
	o->writing = true;
	server_count(&c->server->counters->bytes_out, o->flying);
	if (uv_write(&o->write, (uv_stream_t *)&c->tcp, bufs, count, on_written) < 0) {
		o->writing = false;
		connection_drop(c);
		return;
	}
	o->queued = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);
	/* Records of a handshake stay under the handshake's own deadline. */
	if (o->pending)
		server_wait(c, WAIT_WRITE);
}

bool output_moved(struct connection *c)
{
	size_t queued = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);
	bool moved = queued < c->out.queued;

	c->out.queued = queued;
	return moved;
}

static void pump_plain(struct connection *c)
{
	struct output *o = &c->out;
	uv_buf_t bufs[2];
	unsigned count;

	for (int i = 0; i < HTTP_WINDOWS_A_TURN && (count = next_window(o, bufs)); i++) {
		size_t want = window_bytes(bufs, count);
		ssize_t n = is_file(o) ? try_file(c) : try_write(c, bufs, count);

		if (n < 0)
			return;
		advance(o, (size_t)n);
		if ((size_t)n < want)
			break;
	}
	count = next_window(o, bufs);
	if (is_file(o) && bufs[0].len > FILE_STEP_BYTES)
		bufs[0].len = FILE_STEP_BYTES;
	if (count)
		write_later(c, bufs, count);
	else
		flushed(c);
}

/* Sends the records that there are; false when the rest must wait. */
static bool send_records(struct connection *c)
{
	struct buf *records = tls_records(c->tls), *flying = tls_flying(c->tls);
	uv_buf_t b;
	ssize_t n;

	if (!records->n)
		return true;
	b = uv_buf_init(records->p, (unsigned)records->n);
	n = try_write(c, &b, 1);
	if (n < 0)
		return false;
	if ((size_t)n == records->n) {
		buf_free(records);
		return true;
	}
	*flying = *records;
	*records = BUF(records->max);
	b = uv_buf_init(flying->p + n, (unsigned)(flying->n - (size_t)n));
	write_later(c, &b, 1);
	return false;
}

static bool encrypt_window(struct connection *c)
{
	struct output *o = &c->out;

	for (int i = 0; i < HTTP_WINDOWS_A_TURN && has_plain(o); i++) {
		struct str plain = o->head_at < o->head_n ? (struct str){o->head + o->head_at, o->head_n - o->head_at} : o->body;
		ssize_t n = tls_encrypt(c->tls, plain);

		if (n < 0) {
			connection_drop(c);
			return false;
		}
		advance(o, (size_t)n);
	}
	return true;
}

static void pump_tls(struct connection *c)
{
	for (int i = 0; i < HTTP_WINDOWS_A_TURN; i++) {
		if (!send_records(c))
			return;
		if (!has_plain(&c->out)) {
			flushed(c);
			return;
		}
		if (!encrypt_window(c))
			return;
	}
	/* The turn is used up: what is encrypted goes by a queued write, whose end continues here. */
	if (tls_records(c->tls)->n) {
		struct buf *records = tls_records(c->tls), *flying = tls_flying(c->tls);
		uv_buf_t b;

		*flying = *records;
		*records = BUF(records->max);
		b = uv_buf_init(flying->p, (unsigned)flying->n);
		write_later(c, &b, 1);
	}
}

static void pump(struct connection *c)
{
	if (c->out.writing || c->closing)
		return;
	if (c->tls)
		pump_tls(c);
	else
		pump_plain(c);
}

void output_flush_tls(struct connection *c)
{
	pump(c);
}

static int keep_head(struct output *o, struct str head)
{
	o->head = malloc(head.n);
	if (!o->head)
		return -ENOMEM;
	memcpy(o->head, head.p, head.n);
	o->head_n = head.n;
	return 0;
}

void output_send(struct connection *c, struct str head, struct str body, struct blob *blob)
{
	struct output *o = &c->out;

	if (o->pending) {
		/* The head of a streamed reply still waits; its first piece goes behind it. */
		o->body = body;
		return;
	}
	o->pending = true;
	if (!c->tls && !o->writing) {
		/* Nearly always all of it fits at once and nothing needs to be kept. */
		uv_buf_t bufs[2] = {
			uv_buf_init((char *)(uintptr_t)head.p, (unsigned)head.n),
			uv_buf_init((char *)(uintptr_t)body.p, (unsigned)(body.n < HTTP_WINDOW_BYTES ? body.n : HTTP_WINDOW_BYTES)),
		};
		const uv_buf_t *from = head.n ? bufs : bufs + 1;
		unsigned count = (head.n > 0) + (body.n > 0);
		ssize_t n = count ? try_write(c, from, count) : 0;

		if (n < 0)
			return;
		if ((size_t)n == head.n + body.n) {
			flushed(c);
			return;
		}
		body = str_skip(body, (size_t)n > head.n ? (size_t)n - head.n : 0);
		head = str_skip(head, (size_t)n);
	}
	o->body = body;
	o->blob = blob_ref(blob);
	if (head.n && keep_head(o, head) < 0) {
		connection_drop(c);
		return;
	}
	pump(c);
}

void output_interim(struct connection *c, struct str bytes)
{
	uv_buf_t b = uv_buf_init((char *)(uintptr_t)bytes.p, (unsigned)bytes.n);
	ssize_t n;

	if (c->tls) {
		if (tls_encrypt(c->tls, bytes) != (ssize_t)bytes.n)
			connection_drop(c);
		else
			pump(c);
		return;
	}
	n = try_write(c, &b, 1);
	/* A client whose window is full before it was sent anything is not one to wait for. */
	if (n >= 0 && (size_t)n < bytes.n)
		connection_drop(c);
}
