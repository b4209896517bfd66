#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/time.h"

static const struct level {
	const char *name;
	int priority; /* syslog's number, which journald takes from the prefix */
} levels[] = {
	[LOG_ERROR] = {"error", 3},
	[LOG_WARNING] = {"warning", 4},
	[LOG_INFO] = {"info", 6},
	[LOG_DEBUG] = {"debug", 7},
};

enum { LEVELS = sizeof(levels) / sizeof(levels[0]), LINE_BYTES = 2048, QUOTED_BYTES = 512, QUOTES = 8 };

static _Atomic int threshold = LOG_INFO;

void log_set_level(enum log_level level)
{
	atomic_store(&threshold, (int)level);
}

int log_level_parse(struct str text, enum log_level *ret)
{
	for (size_t i = 0; i < LEVELS; i++) {
		if (str_eq(text, str_of(levels[i].name))) {
			*ret = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

void log_event(enum log_level level, const char *message, const char *fields, ...)
{
	char line[LINE_BYTES], now[TIME_TEXT];
	va_list args;
	size_t n;

	if ((int)level > atomic_load(&threshold))
		return;
	if (getenv("JOURNAL_STREAM")) {
		n = (size_t)snprintf(line, sizeof(line), "<%d>msg=%s ", levels[level].priority, log_quote(str_of(message)));
	} else {
		time_format_utc(time_now(), now);
		n = (size_t)snprintf(line, sizeof(line), "time=%s level=%s msg=%s ", now, levels[level].name, log_quote(str_of(message)));
	}
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	va_start(args, fields);
	vsnprintf(line + n, sizeof(line) - 1 - n, fields, args);
	va_end(args);
	n = strlen(line);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' ';
	while (n && line[n - 1] == ' ')
		n--;
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		return; /* nowhere left to say so */
}

const char *log_quote(struct str value)
{
	static _Thread_local char buffers[QUOTES][QUOTED_BYTES];
	static _Thread_local unsigned next;
	char *out = buffers[next++ % QUOTES], *p = out;

	*p++ = '"';
	for (size_t i = 0; i < value.n && i < 200; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if (c == '"' || c == '\\')
			*p++ = '\\';
		*p++ = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	*p++ = '"';
	*p = '\0';
	return out;
}
