/* OpenSSL without sockets: a BIO of our own reads from the bytes that just came and writes into a growing buffer, so that
 * records are copied once and an idle connection holds no buffer. */
#include <assert.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdatomic.h>

#include "base/limits.h"
#include "gate/http_connection.h"

enum { RECORD_BYTES = 16 * 1024 };

struct http_tls {
	SSL_CTX *context;
	_Atomic int refs;
};

struct http_tls_session {
	SSL *ssl;
	struct str records_in; /* while tls_input runs */
	struct buf records_out, flying;
};

static int bio_read(BIO *bio, char *to, size_t n, size_t *ret_n)
{
	struct http_tls_session *t = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (!t->records_in.n) {
		BIO_set_retry_read(bio);
		return 0;
	}
	*ret_n = n < t->records_in.n ? n : t->records_in.n;
	memcpy(to, t->records_in.p, *ret_n);
	t->records_in = str_skip(t->records_in, *ret_n);
	return 1;
}

static int bio_write(BIO *bio, const char *from, size_t n, size_t *ret_n)
{
	struct http_tls_session *t = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	buf_add(&t->records_out, from, n);
	if (t->records_out.error)
		return 0;
	*ret_n = n;
	return 1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

static BIO_METHOD *bio_method;

static void make_bio_method(void)
{
	bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "http");
	if (!bio_method)
		abort();
	BIO_meth_set_read_ex(bio_method, bio_read);
	BIO_meth_set_write_ex(bio_method, bio_write);
	BIO_meth_set_ctrl(bio_method, bio_control);
	BIO_meth_set_create(bio_method, bio_create);
}

/* Only HTTP/1.1 is spoken. A client that offers nothing of ours gets no answer to its offer and finds out by itself. */
static int choose_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_n, const unsigned char *offer, unsigned offer_n,
                           void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto((unsigned char **)(uintptr_t)ret, ret_n, ours, sizeof(ours) - 1, offer, offer_n) == OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_OK;
	return SSL_TLSEXT_ERR_NOACK;
}

static int load_error(struct err *err, const char *what, const char *file)
{
	char text[200];

	ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
	ERR_clear_error();
	return err_set(err, -EINVAL, "cannot use %s %s: %s", what, file, text);
}

int http_tls_load(const char *certificate_file, const char *key_file, struct http_tls **ret, struct err *err)
{
	static uv_once_t once = UV_ONCE_INIT;
	struct http_tls *t = calloc(1, sizeof(*t));
	int r = 0;

	uv_once(&once, make_bio_method);
	if (!t)
		return err_set(err, -ENOMEM, "out of memory");
	atomic_init(&t->refs, 1);
	t->context = SSL_CTX_new(TLS_server_method());
	if (!t->context) {
		free(t);
		return err_set(err, -ENOMEM, "out of memory for TLS");
	}
	SSL_CTX_set_min_proto_version(t->context, TLS1_2_VERSION);
	SSL_CTX_set_options(t->context,
	                    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(t->context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* Sessions are resumed by tickets, which cost no memory here. */
	SSL_CTX_set_session_cache_mode(t->context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(t->context, choose_protocol, NULL);
	if (SSL_CTX_use_certificate_chain_file(t->context, certificate_file) != 1)
		r = load_error(err, "the certificate", certificate_file);
	else if (SSL_CTX_use_PrivateKey_file(t->context, key_file, SSL_FILETYPE_PEM) != 1)
		r = load_error(err, "the key", key_file);
	else if (SSL_CTX_check_private_key(t->context) != 1)
		r = load_error(err, "together with its certificate the key", key_file);
	if (r < 0) {
		http_tls_unref(t);
		return r;
	}
	*ret = t;
	return 0;
}

struct http_tls *http_tls_ref(struct http_tls *t)
{
	if (t)
		atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
	return t;
}

void http_tls_unref(struct http_tls *t)
{
	if (!t || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
		return;
	SSL_CTX_free(t->context);
	free(t);
}

struct http_tls_session *tls_session_new(struct http_tls *t)
{
	struct http_tls_session *session = calloc(1, sizeof(*session));
	BIO *bio = NULL;

	if (!session)
		return NULL;
	session->records_out = session->flying = BUF(2 * MIB);
	session->ssl = SSL_new(t->context);
	bio = BIO_new(bio_method);
	if (!session->ssl || !bio) {
		BIO_free(bio);
		tls_session_free(session);
		return NULL;
	}
	BIO_set_data(bio, session);
	SSL_set_bio(session->ssl, bio, bio);
	SSL_set_accept_state(session->ssl);
	return session;
}

void tls_session_free(struct http_tls_session *t)
{
	if (!t)
		return;
	SSL_free(t->ssl);
	buf_free(&t->records_out);
	buf_free(&t->flying);
	free(t);
}

struct buf *tls_records(struct http_tls_session *t)
{
	return &t->records_out;
}

struct buf *tls_flying(struct http_tls_session *t)
{
	return &t->flying;
}

bool tls_is_shaking_hands(const struct http_tls_session *t)
{
	return !SSL_is_init_finished(t->ssl);
}

void tls_goodbye(struct http_tls_session *t)
{
	ERR_clear_error();
	if (SSL_is_init_finished(t->ssl))
		SSL_shutdown(t->ssl);
	ERR_clear_error();
}

ssize_t tls_encrypt(struct http_tls_session *t, struct str plain)
{
	size_t n = 0;

	ERR_clear_error();
	plain = str_take(plain, RECORD_BYTES);
	if (SSL_write_ex(t->ssl, plain.p, plain.n, &n) != 1 || t->records_out.error)
		return -1;
	return (ssize_t)n;
}

void tls_input(struct connection *c, struct str records)
{
	struct http_tls_session *t = c->tls;
	char *plain = c->server->plain_buffer;
	bool shaking = tls_is_shaking_hands(t);
	int reason = SSL_ERROR_NONE;

	t->records_in = records;
	while (!c->closing) {
		size_t n = 0;

		ERR_clear_error();
		if (SSL_read_ex(t->ssl, plain, HTTP_READ_BYTES, &n) != 1) {
			reason = SSL_get_error(t->ssl, 0);
			break;
		}
		connection_input(c, (struct str){plain, n});
	}
	t->records_in = STR_NULL;
	ERR_clear_error();
	/* The handshake's answers, a new key's, an alert: the client learns why before it is cut off. */
	if (!c->closing && t->records_out.n)
		output_flush_tls(c);
	if (c->closing || reason == SSL_ERROR_WANT_READ)
		return;
	if (reason == SSL_ERROR_ZERO_RETURN) {
		connection_eof(c);
		return;
	}
	if (shaking)
		server_count(&c->server->counters->bad_requests, 1);
	connection_drop(c);
}
