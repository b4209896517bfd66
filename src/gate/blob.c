#include "gate/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"

/* The bytes of a copy stand behind the struct: one allocation. */
static char *bytes_behind(struct blob *b)
{
	return (char *)(b + 1);
}

struct blob *blob_take(struct buf *b)
{
	struct blob *blob;

	if (b->error)
		return NULL;
	if (!b->p)
		return blob_copy(STR(""));
	blob = calloc(1, sizeof(*blob));
	if (!blob)
		return NULL;
	*blob = (struct blob){.p = b->p, .n = b->n, .refs = 1};
	b->p = NULL;
	buf_free(b);
	return blob;
}

struct blob *blob_copy(struct str s)
{
	struct blob *blob = malloc(sizeof(*blob) + s.n);

	if (!blob)
		return NULL;
	*blob = (struct blob){.p = bytes_behind(blob), .n = s.n, .refs = 1};
	if (s.n)
		memcpy(bytes_behind(blob), s.p, s.n);
	return blob;
}

/* A file without a name in `folder`: gone after any crash. */
static int open_unnamed(const char *folder)
{
	CLEANUP_BUF struct buf path = BUF(4096);
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd >= 0 ? fd : -errno;
	buf_printf(&path, "%s/blob-XXXXXX", folder);
	buf_cstr(&path);
	if (path.error)
		return path.error;
	fd = mkostemp(path.p, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path.p);
	return fd;
}

static int write_all(int fd, struct str s)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		s = str_skip(s, (size_t)n);
	}
	return 0;
}

int blob_spill(struct str s, const char *folder, struct blob **ret, struct err *err)
{
	CLEANUP_FD int fd = -1;
	CLEANUP_FREE struct blob *blob = NULL;
	void *mapped;
	int r;

	if (!s.n) {
		*ret = blob_copy(s);
		return *ret ? 0 : err_set(err, -ENOMEM, "out of memory");
	}
	blob = calloc(1, sizeof(*blob));
	if (!blob)
		return err_set(err, -ENOMEM, "out of memory");
	fd = open_unnamed(folder);
	if (fd < 0)
		return err_set(err, fd, "cannot make a temporary file in %s: %s", folder, err_name(fd));
	r = write_all(fd, s);
	if (r < 0)
		return err_set(err, r, "cannot write %zu bytes to a temporary file in %s: %s", s.n, folder, err_name(r));
	mapped = mmap(NULL, s.n, PROT_READ, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED) {
		r = -errno;
		return err_set(err, r, "cannot map a temporary file of %zu bytes in %s: %s", s.n, folder, err_name(r));
	}
	*blob = (struct blob){.p = mapped, .n = s.n, .refs = 1, .mapped = true, .fd = fd};
	fd = -1;
	*ret = TAKE_PTR(blob);
	return 0;
}

struct blob *blob_ref(struct blob *b)
{
	if (b)
		atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
	return b;
}

void blob_unref(struct blob *b)
{
	if (!b || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (b->mapped) {
		munmap((void *)(uintptr_t)b->p, b->n);
		close(b->fd);
	} else if (b->p != bytes_behind(b)) {
		free((void *)(uintptr_t)b->p);
	}
	free(b);
}
