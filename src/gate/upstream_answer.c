/* What an upstream sends back: the head, judged when it is complete, and the body, decoded and counted. */
#include "base/limits.h"
#include "gate/upstream_internal.h"

enum {
	DISCARD_MAX = 64 * 1024, /* of a redirect's body, so that its connection can be used again */
	VALUE_MAX = 8 * 1024,    /* of a header's value that is kept */
};

void answer_reset(struct fetching *f)
{
	f->answer = (struct answer){.length = -1};
	f->in_head = f->redirecting = false;
	f->head_bytes = f->discarded = 0;
}

static void take_length(struct answer *a, struct str value)
{
	int64_t length;

	if (str_to_i64(value, &length) < 0 || length < 0 || (a->length >= 0 && a->length != length))
		a->length_conflict = true;
	else
		a->length = length;
}

/* A value that could not be sent back, or is longer than any server takes, is as good as none where it only describes; where
 * the answer cannot be understood without it, the answer is refused. */
static int take_value(struct fetching *f, struct str *to, struct str value, bool needed)
{
	if (to->n + value.n > VALUE_MAX || !request_is_field_value(value))
		return needed ? fetching_fail(f, -EPROTO, "a header of its answer is malformed") : 0;
	/* A second one is joined, as HTTP says: two content-encodings are then one that is not understood. */
	if (to->n)
		*to = arena_printf(f->arena, "%.*s, %.*s", STR_ARG(*to), STR_ARG(value));
	else
		*to = arena_str(f->arena, value);
	return 0;
}

/* "HTTP/1.1 403 Forbidden" */
static int take_status(struct fetching *f, struct str line)
{
	ptrdiff_t blank = str_chr(line, ' ');
	struct str rest = blank < 0 ? STR_NULL : str_skip(line, (size_t)blank + 1);
	uint64_t status;

	if (rest.n < 3 || str_to_u64(str_take(rest, 3), &status) < 0 || status < 100)
		return fetching_fail(f, -EPROTO, "the answer's status line makes no sense");
	f->answer = (struct answer){.length = -1, .status = (int)status};
	take_value(f, &f->answer.reason, str_trim(str_skip(rest, 3)), false);
	f->in_head = true;
	return 0;
}

static int take_header(struct fetching *f, struct str line)
{
	struct answer *a = &f->answer;
	const struct {
		struct str name, *to;
		bool needed;
	} kept[] = {
		{STR("etag"), &a->etag, false},
		{STR("last-modified"), &a->last_modified, false},
		{STR("location"), &a->location, true},
		{STR("content-type"), &a->content_type, false},
		{STR("content-encoding"), &a->encoding, true},
	};
	ptrdiff_t colon = str_chr(line, ':');
	struct str name = str_take(line, colon < 0 ? 0 : (size_t)colon), value = str_trim(str_skip(line, name.n + 1));

	if (str_eq_nocase(name, STR("content-length")))
		take_length(a, value);
	if (str_eq_nocase(name, STR("transfer-encoding")))
		a->chunked = true;
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (str_eq_nocase(name, kept[i].name))
			return take_value(f, kept[i].to, value, kept[i].needed);
	return 0;
}

static bool is_redirect(const struct answer *a)
{
	return a->location.n && (a->status == 301 || a->status == 302 || a->status == 303 || a->status == 307 || a->status == 308);
}

static bool is_encoded(const struct answer *a)
{
	return a->encoding.n && !str_eq_nocase(a->encoding, STR("identity"));
}

static int prepare_decoding(struct fetching *f)
{
	const struct answer *a = &f->answer;

	if (!f->q.decode || !is_encoded(a))
		return 0;
	if (!str_eq_nocase(a->encoding, STR("gzip")) && !str_eq_nocase(a->encoding, STR("x-gzip")))
		return fetching_fail(f, -EBADMSG, "it is encoded as '%.*s', which was not asked for", STR_ARG(str_take(a->encoding, 60)));
	f->gunzip = gunzip_new();
	return f->gunzip ? 0 : fetching_fail(f, -ENOMEM, "memory is out");
}

static int head_is_complete(struct fetching *f)
{
	struct answer *a = &f->answer;
	bool bodyless = str_eq(f->q.method, STR("HEAD")) || a->status == 204 || a->status == 304;
	struct fetch_head head = {
		.status = a->status, .etag = a->etag, .last_modified = a->last_modified, .content_type = a->content_type, .reason = a->reason};
	int r;

	f->in_head = false;
	if (a->status == 101)
		return fetching_fail(f, -EPROTO, "it switches to a protocol that was not asked for");
	if (a->status < 200)
		return 0;
	if (arena_failed(f->arena))
		return fetching_fail(f, -ENOMEM, "memory is out");
	if (a->length_conflict)
		return fetching_fail(f, -EPROTO, "the answer gives no sensible content-length, or two of them");
	if (is_redirect(a)) {
		if (!str_eq(f->q.method, STR("GET")) && !str_eq(f->q.method, STR("HEAD")))
			return fetching_fail(f, -EPROTO,
			                     "a %.*s is answered by a redirect, which is not followed; give the upstream's final URL in the policy",
			                     STR_ARG(f->q.method));
		f->redirecting = true;
		return 0;
	}
	head.content_length = a->chunked || is_encoded(a) || a->status == 204 || a->status == 304 ? -1 : a->length;
	if (!bodyless && head.content_length > 0 && (uint64_t)head.content_length > f->q.max_bytes)
		return fetching_fail(f, -EFBIG, "it is %lld bytes, more than the %llu allowed", (long long)head.content_length,
		                     (unsigned long long)f->q.max_bytes);
	r = bodyless ? 0 : prepare_decoding(f);
	if (r < 0)
		return r;
	f->head_given = true;
	r = f->q.on_head ? f->q.on_head(f->q.arg, &head) : 0;
	if (r != 0 && !f->finished)
		return fetching_fail(f, r < 0 ? r : -ECANCELED, "given up after the head (status %d)", a->status);
	return r;
}

size_t answer_header(char *bytes, size_t size, size_t n, void *arg)
{
	struct fetching *f = arg;
	struct str line = {bytes, size * n};
	int r = 0;

	if (f->finished || f->failure)
		return 0;
	f->head_bytes += line.n;
	if (f->head_bytes > LIMIT_UPSTREAM_HEADER_BYTES) {
		fetching_fail(f, -EMSGSIZE, "the heads of its answer are longer than %zu bytes", LIMIT_UPSTREAM_HEADER_BYTES);
		return 0;
	}
	if (f->head_given || f->redirecting)
		return line.n; /* trailers */
	if (!f->in_head)
		r = take_status(f, line);
	else if (str_trim(line).n == 0)
		r = head_is_complete(f);
	else if (line.p[0] != ' ' && line.p[0] != '\t')
		r = take_header(f, line);
	return r == 0 && !f->finished ? line.n : 0;
}

static int give(struct fetching *f, struct str piece)
{
	int r;

	if (piece.n > f->q.max_bytes - f->bytes)
		return fetching_fail(f, -EFBIG, "it is larger than the %llu bytes allowed", (unsigned long long)f->q.max_bytes);
	f->bytes += piece.n;
	f->resume_wanted = false;
	r = f->q.on_data ? f->q.on_data(f->q.arg, piece.p, piece.n) : 0;
	if (f->finished)
		return -ECANCELED;
	if (r == FETCH_PAUSE)
		f->paused = true;
	return r >= 0 ? 0 : fetching_fail(f, r, "given up after %llu bytes: %s", (unsigned long long)f->bytes, err_name(r));
}

int answer_deliver(struct fetching *f, struct str input)
{
	for (;;) {
		struct str piece = input;
		int r = 0;

		if (f->gunzip)
			r = gunzip_next(f->gunzip, &input, &piece);
		else
			input = STR_NULL;
		if (r < 0)
			return fetching_fail(f, r, "its gzip encoding is damaged");
		if (piece.n == 0)
			return 0;
		r = give(f, piece);
		if (r < 0)
			return r;
		if (f->paused) {
			buf_add_str(&f->held, input);
			return f->held.error ? fetching_fail(f, f->held.error, "memory is out") : 0;
		}
	}
}

size_t answer_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct fetching *f = arg;
	struct str input = {bytes, size * n};

	if (f->finished || f->failure)
		return 0;
	if (f->paused) {
		f->curl_paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (f->redirecting) {
		f->discarded += input.n;
		return f->discarded > DISCARD_MAX ? 0 : input.n;
	}
	return answer_deliver(f, input) < 0 ? 0 : input.n;
}
