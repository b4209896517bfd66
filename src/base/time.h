/* Times are microseconds since the Unix epoch, UTC; durations are microseconds. Both are int64_t and named `..._us`
 * or typed usec. Nothing below cmd/ and gate/ reads a clock: the time comes in as an argument. */
#ifndef BONDGATE_BASE_TIME_H
#define BONDGATE_BASE_TIME_H

#include "base/str.h"

typedef int64_t usec;

#define USEC_SECOND ((usec)1000000)
#define USEC_MINUTE (60 * USEC_SECOND)
#define USEC_HOUR (60 * USEC_MINUTE)
#define USEC_DAY (24 * USEC_HOUR)
/* "Until a person decides" and "never changes by itself". */
#define USEC_NEVER INT64_MAX

/* The wall clock, and a clock that never goes back (for time-outs only). */
usec time_now(void);
usec time_monotonic(void);

/* RFC 3339 / ISO 8601 as registries write it: 2026-01-31T12:34:56(.fraction)(Z|+hh:mm|nothing = UTC), or a date alone
 * (midnight UTC). Years 1970 to 9999. 0, or -EINVAL and *ret untouched. */
int time_parse(struct str text, usec *ret);

enum { TIME_TEXT = 40 };
/* 2026-01-31T12:34:56.789Z into `out` (TIME_TEXT bytes). */
void time_format_utc(usec time, char *out);
/* 2026-01-31 13:34 +01:00 in the user's zone, for people. */
void time_format_local(usec time, char *out);

/* One form for durations everywhere: a whole number and one of s m h d w ("90s", "36h", "7d"); "0" alone is zero.
 * 0, -EINVAL for another form, -ERANGE past 100 years. */
int duration_parse(struct str text, usec *ret);
/* The largest unit that divides it exactly ("36h", not "1d12h"); below a second "0s". */
void duration_format(usec duration, char *out);
/* For people: the two largest units, rounded down ("6d 23h", "12m"). */
void duration_format_rough(usec duration, char *out);

#endif
