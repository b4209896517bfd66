#include "gate/feed_fetch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "gate/feed_internal.h"
#include "gate/spool.h"

#define SIGNATURE_BYTES (16 * KIB)

/* One fetch: the file, then its signature, then the two are put in place. */
struct fetch_of_feed {
	struct loop *loop;
	struct fetcher *fetcher;
	struct arena *arena;
	struct feed_wish wish;
	struct minisign_public key;
	struct fetch_hosts hosts;
	struct feed_state before, state;
	struct spool *spool;
	struct buf signature;
	char part[4096];
	int fd, status;
	struct feed_got result;
	void (*got)(void *arg, const struct feed_got *result);
	void *arg;
};

static bool name_ok(struct str name)
{
	if (name.n == 0 || name.n > 64 || name.p[0] == '.')
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
			return false;
	}
	return true;
}

static void end(struct fetch_of_feed *f)
{
	if (f->fd >= 0)
		close(f->fd);
	if (f->result.code < 0 && f->part[0])
		unlink(f->part);
	f->got(f->arg, &f->result);
	buf_free(&f->signature);
	arena_free(f->arena);
	free(f);
}

static void settled(void *arg)
{
	end(arg);
}

/* ---- last: on a worker ---- */

static int check_signature(struct fetch_of_feed *f)
{
	struct minisign_verified verified;
	struct err why = {0};
	struct str mapped;
	int r;

	if (!f->wish.key)
		return 0;
	r = file_map(f->part, &mapped, &f->result.err);
	if (r < 0)
		return r;
	r = minisign_verify(&f->key, 1, buf_str(&f->signature), mapped, &verified, &why);
	file_unmap(mapped);
	return r < 0 ? err_set(&f->result.err, r, "the advisories of %.*s are not taken: %s", STR_ARG(f->wish.url), why.text) : 0;
}

static void settle(void *arg)
{
	struct fetch_of_feed *f = arg;
	struct feed_got *g = &f->result;
	struct err ignored = {0};

	f->state.url = f->wish.url;
	f->state.checked = time_now();
	if (g->code == 0 && !g->unchanged) {
		g->code = check_signature(f);
		if (g->code == 0 && (fsync(f->fd) < 0 || rename(f->part, g->path) < 0))
			g->code = err_set(&g->err, -errno, "cannot write %s: %s", g->path, err_name(-errno));
		f->state.changed = f->state.checked;
		f->state.imported = 0;
	}
	if (g->code < 0) {
		/* What was there before stays, and so does what is known of it. */
		f->before.checked = f->state.checked;
		f->before.url = f->wish.url;
		f->before.error = str_of(g->err.text);
		if (f->part[0])
			feed_state_write(f->wish.folder, f->wish.name, &f->before, &ignored);
		return;
	}
	g->imported = g->unchanged && f->state.imported != 0;
	g->code = feed_state_write(f->wish.folder, f->wish.name, &f->state, &g->err);
}

static void conclude(struct fetch_of_feed *f)
{
	loop_work(f->loop, settle, settled, f);
}

/* ---- the signature ---- */

static int signature_head(void *arg, const struct fetch_head *head)
{
	(void)arg;
	(void)head;
	return 0;
}

static int signature_data(void *arg, const void *bytes, size_t n)
{
	struct fetch_of_feed *f = arg;

	buf_add(&f->signature, bytes, n);
	return f->signature.error;
}

static void signature_done(void *arg, const struct fetch_result *result)
{
	struct fetch_of_feed *f = arg;
	struct feed_got *g = &f->result;

	if (result->code < 0)
		g->code = err_set(&g->err, result->code, "%s", result->err.text);
	else if (result->status != 200)
		g->code = err_set(&g->err, -ENOKEY, "%.*s.minisig: the signature is not there (status %d)", STR_ARG(f->wish.url), result->status);
	conclude(f);
}

static void fetch_signature(struct fetch_of_feed *f)
{
	struct fetch request = {
		.method = STR("GET"),
		.url = arena_printf(f->arena, "%.*s.minisig", STR_ARG(f->wish.url)),
		.hosts = &f->hosts,
		.authorization = f->wish.authorization,
		.ca_file = f->wish.ca_file,
		.max_bytes = SIGNATURE_BYTES,
		.on_head = signature_head,
		.on_data = signature_data,
		.on_done = signature_done,
		.arg = f,
	};

	fetch_start(f->fetcher, &request);
}

/* ---- the file ---- */

static int write_piece(void *arg, const void *bytes, size_t n)
{
	struct fetch_of_feed *f = arg;
	const char *p = bytes;

	while (n) {
		ssize_t written = write(f->fd, p, n);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		p += written;
		n -= (size_t)written;
	}
	return 0;
}

static int file_head(void *arg, const struct fetch_head *head)
{
	struct fetch_of_feed *f = arg;

	f->status = head->status;
	f->state.etag = arena_str(f->arena, head->etag);
	f->state.last_modified = arena_str(f->arena, head->last_modified);
	return 0;
}

static int file_data(void *arg, const void *bytes, size_t n)
{
	struct fetch_of_feed *f = arg;

	return f->status == 200 ? spool_add(f->spool, bytes, n) : 0;
}

static void file_written(void *arg, int r)
{
	struct fetch_of_feed *f = arg;
	struct feed_got *g = &f->result;

	if (r < 0 && g->code == 0)
		g->code = err_set(&g->err, r, "cannot write %s: %s", f->part, err_name(r));
	if (g->code == 0 && !g->unchanged && f->wish.key)
		fetch_signature(f);
	else
		conclude(f);
}

static void file_done(void *arg, const struct fetch_result *result)
{
	struct fetch_of_feed *f = arg;
	struct feed_got *g = &f->result;

	if (result->code < 0) {
		g->code = err_set(&g->err, result->code, "%s", result->err.text);
	} else if (result->status == 304) {
		g->unchanged = true;
		f->state = f->before;
		f->state.error = STR_NULL;
	} else if (result->status != 200) {
		g->code = err_set(&g->err, -EPROTO, "%.*s answers with status %d", STR_ARG(f->wish.url), result->status);
	} else {
		f->state.bytes = result->bytes;
	}
	spool_finish(f->spool, file_written, f);
}

static int open_part(struct fetch_of_feed *f)
{
	struct feed_got *g = &f->result;

	if (!name_ok(f->wish.name))
		return err_set(&g->err, -EINVAL, "\"%.*s\" cannot name a feed: letters, digits and -_. only", STR_ARG(str_take(f->wish.name, 64)));
	if (snprintf(g->path, sizeof(g->path), "%s/%.*s.feed", f->wish.folder, STR_ARG(f->wish.name)) >= (int)sizeof(g->path) ||
	    snprintf(f->part, sizeof(f->part), "%s/%.*s.part", f->wish.folder, STR_ARG(f->wish.name)) >= (int)sizeof(f->part))
		return err_set(&g->err, -ENAMETOOLONG, "the path of the feed is too long");
	f->fd = open(f->part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	return f->fd < 0 ? err_set(&g->err, -errno, "cannot create %s: %s", f->part, err_name(-errno)) : 0;
}

static void start(struct fetch_of_feed *f)
{
	const struct spool_target target = {.write = write_piece, .arg = f};
	struct fetch request = {
		.method = STR("GET"),
		.url = f->wish.url,
		.hosts = &f->hosts,
		.authorization = f->wish.authorization,
		.ca_file = f->wish.ca_file,
		.max_bytes = LIMIT_ADVISORY_SOURCE_BYTES,
		.on_head = file_head,
		.on_data = file_data,
		.on_done = file_done,
		.arg = f,
	};
	struct err ignored = {0};

	if (feed_state_read(f->wish.folder, f->wish.name, f->arena, &f->before, &ignored) == 0 && str_eq(f->before.url, f->wish.url) &&
	    !f->wish.again && access(f->result.path, R_OK) == 0) {
		request.if_none_match = f->before.etag;
		request.if_modified_since = f->before.last_modified;
	}
	f->hosts = (struct fetch_hosts){.url = f->wish.url};
	f->spool = spool_new(f->loop, &target);
	spool_attach(f->spool, fetch_start(f->fetcher, &request));
}

void feed_fetch(struct loop *l, struct fetcher *fetcher, const struct feed_wish *wish,
                void (*got)(void *arg, const struct feed_got *result), void *arg)
{
	struct fetch_of_feed *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	*f = (struct fetch_of_feed){.loop = l,
	                            .fetcher = fetcher,
	                            .arena = arena_new(MIB),
	                            .fd = -1,
	                            .got = got,
	                            .arg = arg,
	                            .signature = BUF(SIGNATURE_BYTES),
	                            .wish = *wish};
	if (!f->arena)
		abort();
	f->wish.name = arena_str(f->arena, wish->name);
	f->wish.url = arena_str(f->arena, wish->url);
	f->wish.authorization = arena_str(f->arena, wish->authorization);
	f->wish.folder = arena_str(f->arena, str_of(wish->folder)).p;
	f->wish.ca_file = wish->ca_file ? arena_str(f->arena, str_of(wish->ca_file)).p : NULL;
	if (wish->key) {
		f->key = *wish->key;
		f->wish.key = &f->key;
	}
	f->result.code = open_part(f);
	if (f->result.code < 0) {
		f->part[0] = '\0';
		conclude(f);
		return;
	}
	start(f);
}

/* ---- for commands ---- */

struct waiting {
	struct loop *loop;
	struct feed_got *ret;
};

static void wait_over(void *arg, const struct feed_got *result)
{
	struct waiting *w = arg;

	*w->ret = *result;
	loop_stop(w->loop);
}

int feed_fetch_wait(const struct feed_wish *wish, struct feed_got *ret)
{
	const struct fetcher_limits limits = fetcher_default_limits();
	struct waiting w = {.ret = ret};
	struct fetcher *fetcher;

	*ret = (struct feed_got){0};
	ret->code = loop_new(&w.loop, &ret->err);
	if (ret->code < 0)
		return ret->code;
	ret->code = fetcher_new(w.loop, &limits, "1.1 bondgate", &fetcher, &ret->err);
	if (ret->code == 0) {
		feed_fetch(w.loop, fetcher, wish, wait_over, &w);
		loop_run(w.loop);
		fetcher_free(fetcher);
	}
	loop_free(w.loop);
	return ret->code;
}
