/* Ownership by scope: a variable marked CLEANUP(fn) is released when it leaves scope; TAKE_PTR hands it on.
 * The idea is the compiler's `cleanup` attribute (GCC manual, "Common Variable Attributes"). */
#ifndef BONDGATE_BASE_CLEANUP_H
#define BONDGATE_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* The pointer's value; the variable is NULL afterwards, so its cleanup does nothing. */
#define TAKE_PTR(ptr) \
	({ \
		__typeof__(ptr) taken_ = (ptr); \
		(ptr) = NULL; \
		taken_; \
	})

static inline void cleanup_free(void *ptr_to_ptr)
{
	free(*(void **)ptr_to_ptr);
}

static inline void cleanup_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define CLEANUP_FREE CLEANUP(cleanup_free)
#define CLEANUP_FD CLEANUP(cleanup_fd)

#endif
