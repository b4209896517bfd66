/* Structured logs: one line an event, logfmt ("time=… level=… msg=… key=value …") on standard error, with the
 * `<n>` priority prefix instead of time and level when journald reads it (JOURNAL_STREAM is set).
 * Daemons and commands log; libraries (codec, policy, advisory, registry, report) never do. Thread-safe. */
#ifndef BONDGATE_BASE_LOG_H
#define BONDGATE_BASE_LOG_H

#include "base/str.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level);
/* "error" … "debug": 0 or -EINVAL. */
int log_level_parse(struct str text, enum log_level *ret);

/* `fields` is a printf format that yields `key=value` pairs; values from outside go through %s only inside quotes made by
 * log_quote(). Control bytes in the finished line are replaced, so an attacker cannot forge a second line. */
void log_event(enum log_level level, const char *message, const char *fields, ...) __attribute__((format(printf, 3, 4)));

/* A value in quotes with escapes, cut to 200 bytes, into one of eight thread-local buffers: use it at once. */
const char *log_quote(struct str value);

#endif
