#include "base/time.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static usec read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (usec)now.tv_sec * USEC_SECOND + now.tv_nsec / 1000;
}

usec time_now(void)
{
	return read_clock(CLOCK_REALTIME);
}

usec time_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar (the "days from civil" method of
 * H. Hinnant, chrono-compatible low-level date algorithms). */
static int64_t days_from_civil(int64_t year, unsigned month, unsigned day)
{
	int64_t era;
	unsigned of_era, of_year, day_of_era;

	year -= month <= 2;
	era = year / 400;
	of_era = (unsigned)(year - era * 400);
	of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
	return era * 146097 + (int64_t)day_of_era - 719468;
}

static bool digits(struct str *s, size_t count, unsigned *ret)
{
	unsigned value = 0;

	if (s->n < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		value = value * 10 + (unsigned)(s->p[i] - '0');
	}
	*s = str_skip(*s, count);
	*ret = value;
	return true;
}

static bool literal(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = str_skip(*s, 1);
	return true;
}

static bool parse_fraction(struct str *s, usec *ret)
{
	usec scale = USEC_SECOND / 10;

	*ret = 0;
	if (!literal(s, '.'))
		return true;
	if (s->n == 0 || s->p[0] < '0' || s->p[0] > '9')
		return false;
	for (; s->n && s->p[0] >= '0' && s->p[0] <= '9'; *s = str_skip(*s, 1)) {
		*ret += scale * (s->p[0] - '0');
		scale /= 10;
	}
	return true;
}

static bool parse_zone(struct str *s, usec *ret_offset)
{
	unsigned hours, minutes;
	bool west;

	*ret_offset = 0;
	if (s->n == 0 || literal(s, 'Z') || literal(s, 'z'))
		return true;
	west = s->p[0] == '-';
	if (!literal(s, west ? '-' : '+') || !digits(s, 2, &hours))
		return false;
	literal(s, ':');
	if (!digits(s, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*ret_offset = (usec)hours * USEC_HOUR + (usec)minutes * USEC_MINUTE;
	if (west)
		*ret_offset = -*ret_offset;
	return true;
}

static unsigned month_days(unsigned year, unsigned month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

int time_parse(struct str text, usec *ret)
{
	unsigned year, month, day, hour = 0, minute = 0, second = 0;
	usec fraction = 0, zone = 0, days;

	if (!digits(&text, 4, &year) || !literal(&text, '-') || !digits(&text, 2, &month) || !literal(&text, '-') || !digits(&text, 2, &day))
		return -EINVAL;
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > month_days(year, month))
		return -EINVAL;
	if (text.n) {
		if (!literal(&text, 'T') && !literal(&text, 't') && !literal(&text, ' '))
			return -EINVAL;
		if (!digits(&text, 2, &hour) || !literal(&text, ':') || !digits(&text, 2, &minute))
			return -EINVAL;
		if (literal(&text, ':') && !digits(&text, 2, &second))
			return -EINVAL;
		if (hour > 23 || minute > 59 || second > 60 || !parse_fraction(&text, &fraction) || !parse_zone(&text, &zone) || text.n)
			return -EINVAL;
	}
	days = days_from_civil(year, month, day);
	*ret = days * USEC_DAY + (usec)hour * USEC_HOUR + (usec)minute * USEC_MINUTE + (usec)second * USEC_SECOND + fraction - zone;
	return 0;
}

void time_format_utc(usec time, char *out)
{
	time_t seconds = (time_t)(time / USEC_SECOND);
	unsigned millis = (unsigned)(time % USEC_SECOND / 1000);
	struct tm tm;
	char date[24];

	if (time == USEC_NEVER || !gmtime_r(&seconds, &tm)) {
		snprintf(out, TIME_TEXT, "never");
		return;
	}
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out, TIME_TEXT, "%s.%03uZ", date, millis % 1000);
}

void time_format_local(usec time, char *out)
{
	time_t seconds = (time_t)(time / USEC_SECOND);
	struct tm tm;
	char date[24];
	long offset;

	if (time == USEC_NEVER || !localtime_r(&seconds, &tm)) {
		snprintf(out, TIME_TEXT, "never");
		return;
	}
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M", &tm);
	offset = labs(tm.tm_gmtoff) / 60;
	snprintf(out, TIME_TEXT, "%s %c%02ld:%02ld", date, tm.tm_gmtoff < 0 ? '-' : '+', offset / 60 % 100, offset % 60);
}

static const struct unit {
	char letter;
	usec length;
} units[] = {{'w', 7 * USEC_DAY}, {'d', USEC_DAY}, {'h', USEC_HOUR}, {'m', USEC_MINUTE}, {'s', USEC_SECOND}};

enum { UNITS = sizeof(units) / sizeof(units[0]) };

int duration_parse(struct str text, usec *ret)
{
	uint64_t count;
	const usec longest = 36525 * USEC_DAY;

	if (str_eq(text, STR("0"))) {
		*ret = 0;
		return 0;
	}
	if (text.n < 2)
		return -EINVAL;
	for (size_t i = 0; i < UNITS; i++) {
		if (text.p[text.n - 1] != units[i].letter)
			continue;
		int r = str_to_u64(str_take(text, text.n - 1), &count);

		if (r < 0)
			return r;
		if (count > (uint64_t)(longest / units[i].length))
			return -ERANGE;
		*ret = (usec)count * units[i].length;
		return 0;
	}
	return -EINVAL;
}

void duration_format(usec duration, char *out)
{
	for (size_t i = 1; i < UNITS; i++) {
		if (duration > 0 && duration % units[i].length == 0) {
			snprintf(out, TIME_TEXT, "%lld%c", (long long)(duration / units[i].length), units[i].letter);
			return;
		}
	}
	snprintf(out, TIME_TEXT, "%llds", (long long)(duration > 0 ? duration / USEC_SECOND : 0));
}

void duration_format_rough(usec duration, char *out)
{
	for (size_t i = 1; i < UNITS; i++) {
		long long whole = duration / units[i].length, part;

		if (whole == 0 && i + 1 < UNITS)
			continue;
		part = i + 1 < UNITS ? duration % units[i].length / units[i + 1].length : 0;
		if (part)
			snprintf(out, TIME_TEXT, "%lld%c %lld%c", whole, units[i].letter, part, units[i + 1].letter);
		else
			snprintf(out, TIME_TEXT, "%lld%c", whole, units[i].letter);
		return;
	}
}
