#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read(const char *path, struct buf *to, struct err *err)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, -errno, "cannot open %s: %s", path, err_name(errno));
	for (;;) {
		size_t room = to->max - to->n < 65536 ? to->max - to->n + 1 : 65536;
		char chunk[65536];
		ssize_t n = read(fd, chunk, room);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, -errno, "cannot read %s: %s", path, err_name(errno));
		if (n == 0)
			return 0;
		buf_add(to, chunk, (size_t)n);
		if (to->error == -EFBIG)
			return err_set(err, -EFBIG, "%s is larger than the %zu bytes allowed", path, to->max);
		if (to->error)
			return err_set(err, to->error, "cannot read %s: %s", path, err_name(to->error));
	}
}

static int write_all(int fd, struct str content)
{
	while (content.n) {
		ssize_t n = write(fd, content.p, content.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		content = str_skip(content, (size_t)n);
	}
	return 0;
}

static void sync_folder_of(const char *path)
{
	ptrdiff_t slash = str_rchr(str_of(path), '/');
	CLEANUP_FREE char *folder = slash < 0 ? str_dup(STR(".")) : str_dup(str_take(str_of(path), (size_t)slash + 1));
	CLEANUP_FD int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0)
		fsync(fd);
}

int file_replace(const char *path, struct str content, unsigned mode, struct err *err)
{
	static _Atomic unsigned serial;
	char beside[4096];
	int fd, r;

	if (snprintf(beside, sizeof(beside), "%s.%d.%u.new", path, (int)getpid(), atomic_fetch_add(&serial, 1)) >= (int)sizeof(beside))
		return err_set(err, -ENAMETOOLONG, "the path %s is too long", path);
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return err_set(err, -errno, "cannot create %s: %s", beside, err_name(errno));
	r = write_all(fd, content);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	close(fd);
	if (r == 0 && rename(beside, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(beside);
		return err_set(err, r, "cannot write %s: %s", path, err_name(r));
	}
	sync_folder_of(path);
	return 0;
}

int dir_make(const char *path, unsigned mode, struct err *err)
{
	CLEANUP_FREE char *partial = str_dup(str_of(path));

	if (!partial)
		return err_set(err, -ENOMEM, "no memory");
	for (char *p = partial + 1; *partial; p++) {
		char kept = *p;

		if (kept != '/' && kept != '\0')
			continue;
		*p = '\0';
		if (mkdir(partial, mode) < 0 && errno != EEXIST)
			return err_set(err, -errno, "cannot create the folder %s: %s", partial, err_name(errno));
		*p = kept;
		if (kept == '\0')
			break;
	}
	return 0;
}

int file_map(const char *path, struct str *ret, struct err *err)
{
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	void *at;

	if (fd < 0 || fstat(fd, &status) < 0)
		return err_set(err, -errno, "cannot open %s: %s", path, err_name(errno));
	if (!S_ISREG(status.st_mode))
		return err_set(err, -EINVAL, "%s is not a regular file", path);
	if (status.st_size == 0) {
		*ret = STR("");
		return 0;
	}
	at = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return err_set(err, -errno, "cannot map %s: %s", path, err_name(errno));
	*ret = (struct str){at, (size_t)status.st_size};
	return 0;
}

void file_unmap(struct str mapped)
{
	if (mapped.n)
		munmap((void *)(uintptr_t)mapped.p, mapped.n);
}

void file_rest(struct str mapped)
{
	if (mapped.n)
		madvise((void *)(uintptr_t)mapped.p, mapped.n, MADV_DONTNEED);
}
