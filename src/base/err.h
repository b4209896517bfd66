/* Errors are values: a negative errno-like code, and where a person may read it, a message in a `struct err`.
 * The message says what was tried, on what, and what to do. Library code fills it and does not log. */
#ifndef BONDGATE_BASE_ERR_H
#define BONDGATE_BASE_ERR_H

#include <errno.h>
#include <stdbool.h>

struct err {
	int code; /* 0 or negative errno */
	char text[480];
};

/* Sets code and message and returns `code`, so that a function can end with it. `err` may be NULL.
 * The message is kept to one line: control bytes become spaces. */
int err_set(struct err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of the message. Returns err->code (or -EINVAL when err is NULL). */
int err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* strerror for a negative code, thread-safe, never NULL. */
const char *err_name(int code);

#endif
