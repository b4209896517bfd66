/* A server that shows what gate/http.h does, for the scripts beside it, for tls.py and for bench/http.
 *
 *   GET  /small               16 bytes
 *   GET  /blob?N              N bytes of a shared blob
 *   GET  /stream?N            N bytes in pieces of 10000, each after the one before was written
 *   GET  /abort?N             promises N bytes, sends half and cuts the connection
 *   GET  /later               answered from a worker thread after a moment
 *   GET  /seen                what the handler was given: method, path, query, host
 *   GET  /refused             403 with a reason phrase of its own, bad bytes in it
 *   GET  /split               headers that would split the reply
 *   GET  /empty               204
 *   GET  /counts              calls of body_limit(), request() and gone(); lost, slow and bad clients
 *   PUT  /echo                the body (at most --body bytes); /early?: refused 401 before the body is read */
#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/limits.h"
#include "gate/http.h"

enum { PIECE_BYTES = 10000, BLOB_BYTES = 64 * 1024 * 1024 };

static struct {
	struct loop *loop;
	struct http_server *server;
	struct http_counters counters;
	struct blob *big;
	size_t body_limit;
	unsigned announced, handed, gone, lost;
	uv_signal_t terminated, hung_up;
	usec grace;
	const char *certificate, *key;
} app;

struct streaming {
	uint64_t left;
	bool abort;
};

/* STR for static tables. */
#define TEXT(literal) {(literal), sizeof(literal) - 1}

static const struct http_reply ok = {.status = 200, .headers = TEXT("content-type: text/plain\r\n")};

static uint64_t number_of(struct str query)
{
	uint64_t n = 0;

	return str_to_u64(query, &n) == 0 ? n : 0;
}

/* Large parts are files, as the gate's large packuments are; the whole is memory. */
static struct blob *part_of_big(size_t n)
{
	struct blob *file;

	if (n >= app.big->n)
		return blob_ref(app.big);
	if (n > 256 * KIB && blob_spill(str_take(blob_str(app.big), n), "/tmp", &file, NULL) == 0)
		return file;
	return blob_copy(str_take(blob_str(app.big), n));
}

static void next_piece(struct http_request *rq, void *arg)
{
	struct streaming *s = arg;
	size_t n = s->left < PIECE_BYTES ? (size_t)s->left : PIECE_BYTES;

	if (rq->client_gone)
		return;
	if (s->abort) {
		http_reply_abort(rq);
		return;
	}
	if (!n) {
		http_reply_end(rq);
		return;
	}
	s->left -= n;
	http_reply_write(rq, app.big->p, n, next_piece, s);
}

static void stream(struct http_request *rq, bool cut)
{
	struct streaming *s = ARENA_NEW(rq->arena, struct streaming);
	uint64_t n = number_of(rq->query);

	s->left = cut ? n / 2 : n;
	http_reply_start(rq, &ok, n);
	if (cut) {
		http_reply_write(rq, app.big->p, (size_t)s->left, next_piece, s);
		s->abort = true;
		return;
	}
	next_piece(rq, s);
}

static void nap(void *arg)
{
	(void)arg;
	nanosleep(&(struct timespec){.tv_nsec = 100 * 1000 * 1000}, NULL);
}

/* Work that outlives its request: gone() cuts the tie. */
struct later {
	struct http_request *rq;
};

static void after_nap(void *arg)
{
	struct later *later = arg;

	if (later->rq) {
		later->rq->user = NULL;
		http_reply_text(later->rq, &ok, STR("later\n"));
	}
	free(later);
}

static void reply_later(struct http_request *rq)
{
	struct later *later = malloc(sizeof(*later));

	later->rq = rq;
	rq->user = later;
	loop_work(app.loop, nap, after_nap, later);
}

static void reply_seen(struct http_request *rq)
{
	struct str text = arena_printf(rq->arena, "%.*s|%.*s|%.*s|%.*s|%.*s\n", STR_ARG(rq->method), STR_ARG(rq->path), STR_ARG(rq->query),
	                               STR_ARG(http_get(rq, STR("HOST"))), STR_ARG(http_get(rq, STR("x-test"))));

	http_reply_text(rq, &ok, text);
}

static void reply_counts(struct http_request *rq)
{
	http_reply_text(rq, &ok, arena_printf(rq->arena, "announced=%u handed=%u gone=%u lost=%u slow=%llu bad=%llu\n", app.announced,
	                                      app.handed, app.gone, app.lost,
	                                      (unsigned long long)app.counters.dropped_slow, (unsigned long long)app.counters.bad_requests));
}

static void handle(struct http_request *rq, void *arg)
{
	static const struct http_reply refused = {.status = 403, .reason = TEXT("Held: \x01young\r\nX: y\xc3\xa9")},
		split = {.status = 200, .headers = TEXT("x: a\r\n\r\nHTTP/1.1 200 OK\r\n")}, empty = {.status = 204},
		missing = {.status = 404};

	(void)arg;
	app.handed++;
	if (str_eq(rq->path, STR("/small"))) {
		http_reply_text(rq, &ok, STR("0123456789abcde\n"));
	} else if (str_eq(rq->path, STR("/blob"))) {
		struct blob *b = part_of_big((size_t)number_of(rq->query));

		http_reply_blob(rq, &ok, b);
		blob_unref(b);
	} else if (str_eq(rq->path, STR("/stream"))) {
		stream(rq, false);
	} else if (str_eq(rq->path, STR("/abort"))) {
		stream(rq, true);
	} else if (str_eq(rq->path, STR("/later"))) {
		reply_later(rq);
	} else if (str_eq(rq->path, STR("/seen")) || str_eq(rq->path, STR("/"))) {
		reply_seen(rq);
	} else if (str_eq(rq->path, STR("/refused"))) {
		http_reply_text(rq, &refused, STR("{\"error\":\"held\"}"));
	} else if (str_eq(rq->path, STR("/split"))) {
		http_reply_text(rq, &split, STR("x"));
	} else if (str_eq(rq->path, STR("/empty"))) {
		http_reply_blob(rq, &empty, NULL);
	} else if (str_eq(rq->path, STR("/counts"))) {
		reply_counts(rq);
	} else if (str_eq(rq->path, STR("/echo"))) {
		http_reply_text(rq, &ok, rq->body);
	} else {
		http_reply_text(rq, &missing, STR("{\"error\":\"no such path\"}"));
	}
}

static size_t body_limit(struct http_request *rq, void *arg)
{
	static const struct http_reply unknown = {.status = 401};

	(void)arg;
	app.announced++;
	if (str_eq(rq->path, STR("/early")))
		http_reply_text(rq, &unknown, STR("{\"error\":\"who are you\"}"));
	return str_eq(rq->path, STR("/echo")) ? app.body_limit : 0;
}

static void gone(struct http_request *rq, void *arg)
{
	struct later *later = rq->user;

	(void)arg;
	if (later)
		later->rq = NULL;
	app.gone++;
	app.lost += rq->client_gone;
}

static void closed(void *arg)
{
	(void)arg;
	loop_stop(app.loop);
}

static void on_terminate(uv_signal_t *s, int number)
{
	(void)number;
	uv_close((uv_handle_t *)s, NULL);
	uv_close((uv_handle_t *)&app.hung_up, NULL);
	http_close(app.server, app.grace, closed, NULL);
}

/* A renewed certificate. */
static void on_hang_up(uv_signal_t *s, int number)
{
	struct http_tls *tls;
	struct err err;

	(void)s;
	(void)number;
	if (http_tls_load(app.certificate, app.key, &tls, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return;
	}
	http_set_tls(app.server, tls);
	http_tls_unref(tls);
}

static usec milliseconds(const char *text)
{
	return (usec)number_of(str_of(text)) * 1000;
}

static int read_options(int argc, char **argv, struct http_limits *limits, struct http_tls **tls)
{
	static const struct option options[] = {
		{"head", 1, NULL, 'h'}, {"idle", 1, NULL, 'i'}, {"write", 1, NULL, 'w'}, {"body-time", 1, NULL, 't'}, {"body", 1, NULL, 'b'},
		{"connections", 1, NULL, 'c'}, {"certificate", 1, NULL, 'C'}, {"key", 1, NULL, 'K'}, {"grace", 1, NULL, 'g'}, {0},
	};
	struct err err;

	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
		switch (option) {
		case 'h': limits->head_timeout = milliseconds(optarg); break;
		case 'i': limits->idle_timeout = milliseconds(optarg); break;
		case 'w': limits->write_timeout = milliseconds(optarg); break;
		case 't': limits->body_timeout = milliseconds(optarg); break;
		case 'b': app.body_limit = (size_t)number_of(str_of(optarg)); break;
		case 'c': limits->connections = (size_t)number_of(str_of(optarg)); break;
		case 'g': app.grace = milliseconds(optarg); break;
		case 'C': app.certificate = optarg; break;
		case 'K': app.key = optarg; break;
		default: return -EINVAL;
		}
	if (app.certificate && http_tls_load(app.certificate, app.key, tls, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return -EINVAL;
	}
	return 0;
}

static struct blob *make_big(void)
{
	struct buf b = BUF(BLOB_BYTES);

	while (b.n < BLOB_BYTES)
		buf_add_str(&b, STR("0123456789abcdef"));
	return blob_take(&b);
}

int main(int argc, char **argv)
{
	struct http_limits limits = http_default_limits();
	static const struct http_handlers handlers = {.body_limit = body_limit, .request = handle, .gone = gone};
	struct http_tls *tls = NULL;
	struct err err;

	app.body_limit = 1 * MIB;
	app.grace = USEC_SECOND;
	if (read_options(argc, argv, &limits, &tls) < 0)
		return 2;
	app.big = make_big();
	if (!app.big || loop_new(&app.loop, &err) < 0 ||
	    http_listen(app.loop, optind < argc ? argv[optind] : "127.0.0.1:0", tls, &limits, &handlers, &app.counters, &app.server, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	uv_signal_init(loop_uv(app.loop), &app.terminated);
	uv_signal_start(&app.terminated, on_terminate, SIGTERM);
	uv_signal_init(loop_uv(app.loop), &app.hung_up);
	uv_signal_start(&app.hung_up, on_hang_up, SIGHUP);
	printf("%s\n", http_address(app.server));
	fflush(stdout);
	loop_run(app.loop);
	loop_free(app.loop);
	http_tls_unref(tls);
	blob_unref(app.big);
	if (app.counters.connections_open != 0) {
		fprintf(stderr, "connections left open\n");
		return 1;
	}
	return 0;
}
