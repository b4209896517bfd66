#include "codec/access_log.h"

#include <errno.h>

#include "base/limits.h"
#include "codec/json.h"

enum { LIMIT_LINE = 64 * 1024 };

int access_format_parse(struct str text, enum access_format *ret)
{
	static const struct {
		struct str name;
		enum access_format format;
	} names[] = {{{"auto", 4}, ACCESS_AUTO},
	             {{"nexus", 5}, ACCESS_NEXUS},
	             {{"artifactory", 11}, ACCESS_ARTIFACTORY},
	             {{"verdaccio", 9}, ACCESS_VERDACCIO}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_eq(text, names[i].name)) {
			*ret = names[i].format;
			return 0;
		}
	return -EINVAL;
}

/* "-", "null", "anonymous" … stand for nobody. */
static struct str somebody(struct str user)
{
	static const char *const nobody[] = {"-", "null", "undefined", "anonymous", "*UNKNOWN"};

	user = str_trim(user);
	for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++)
		if (str_eq(user, str_of(nobody[i])))
			return STR("");
	return user;
}

static int read_status(struct str text, int *ret)
{
	uint64_t n;

	if (str_to_u64(text, &n) < 0 || n < 100 || n > 999)
		return -EBADMSG;
	*ret = (int)n;
	return 0;
}

/* The path of a target, which may be a whole URL; without its query. */
static struct str path_of(struct str target)
{
	ptrdiff_t scheme = str_find(target, STR("://")), end;

	if (scheme > 0 && scheme < 6) {
		target = str_skip(target, (size_t)scheme + 3);
		end = str_chr(target, '/');
		target = end < 0 ? STR("/") : str_skip(target, (size_t)end);
	}
	for (size_t i = 0; i < target.n; i++)
		if (target.p[i] == '?' || target.p[i] == '#')
			return str_take(target, i);
	return target;
}

/* "GET /path HTTP/1.1" */
static int read_request(struct str text, struct access_line *ret)
{
	ptrdiff_t blank = str_chr(text, ' ');
	struct str rest;

	if (blank <= 0)
		return -EBADMSG;
	ret->method = str_take(text, (size_t)blank);
	rest = str_trim(str_skip(text, (size_t)blank + 1));
	blank = str_chr(rest, ' ');
	ret->path = path_of(blank < 0 ? rest : str_take(rest, (size_t)blank));
	return ret->path.n ? 0 : -EBADMSG;
}

/* ---- nexus and the combined format ---- */

static bool digits(struct str s, size_t from, size_t n, unsigned *ret)
{
	*ret = 0;
	if (from + n > s.n)
		return false;
	for (size_t i = from; i < from + n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		*ret = *ret * 10 + (unsigned)(s.p[i] - '0');
	}
	return true;
}

/* "23/Nov/2026:10:12:01 +0100", rewritten as RFC 3339. */
static int read_clf_time(struct str s, struct arena *a, usec *ret)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	unsigned day, year, hour, minute, second, zone_hour = 0, zone_minute = 0, month = 0;
	char sign = '+';
	struct str text;

	if (s.n < 20 || !digits(s, 0, 2, &day) || !digits(s, 7, 4, &year) || !digits(s, 12, 2, &hour) || !digits(s, 15, 2, &minute) ||
	    !digits(s, 18, 2, &second))
		return -EBADMSG;
	for (unsigned m = 0; m < 12; m++)
		if (memcmp(months + (size_t)3 * m, s.p + 3, 3) == 0)
			month = m + 1;
	if (s.n >= 26) {
		sign = s.p[21];
		if ((sign != '+' && sign != '-') || !digits(s, 22, 2, &zone_hour) || !digits(s, 24, 2, &zone_minute))
			return -EBADMSG;
	}
	text =
		arena_printf(a, "%04u-%02u-%02uT%02u:%02u:%02u%c%02u:%02u", year, month, day, hour, minute, second, sign, zone_hour, zone_minute);
	return text.n && time_parse(text, ret) == 0 ? 0 : -EBADMSG;
}

/* Up to `c`, which is taken away; false: there is none. */
static bool cut(struct str *rest, char c, struct str *ret)
{
	ptrdiff_t at = str_chr(*rest, c);

	if (at < 0)
		return false;
	*ret = str_take(*rest, (size_t)at);
	*rest = str_skip(*rest, (size_t)at + 1);
	return true;
}

/* The last text in quotes. */
static struct str last_quoted(struct str s)
{
	ptrdiff_t end = str_rchr(s, '"'), from;

	if (end <= 0)
		return STR("");
	s = str_take(s, (size_t)end);
	from = str_rchr(s, '"');
	return from < 0 ? STR("") : str_skip(s, (size_t)from + 1);
}

static int read_nexus(struct str line, struct arena *a, struct access_line *ret)
{
	struct str client, ident, user, when, request, status, rest = line;

	if (!cut(&rest, ' ', &client) || !cut(&rest, ' ', &ident) || !cut(&rest, '[', &user) || !cut(&rest, ']', &when) ||
	    !cut(&rest, '"', &status) || !cut(&rest, '"', &request))
		return -EBADMSG;
	rest = str_trim(rest);
	if (!cut(&rest, ' ', &status)) {
		status = rest;
		rest = STR("");
	}
	ret->client = client;
	ret->user = somebody(user);
	ret->agent = last_quoted(rest);
	if (read_clf_time(when, a, &ret->time) < 0 || read_status(status, &ret->status) < 0)
		return -EBADMSG;
	return read_request(request, ret);
}

/* ---- artifactory ---- */

/* "20261123101201" of Artifactory 6. */
static int read_packed_time(struct str s, struct arena *a, usec *ret)
{
	unsigned part[6];
	struct str text;

	if (s.n != 14)
		return -EBADMSG;
	for (size_t i = 0, at = 0; i < 6; at += i ? 2 : 4, i++)
		if (!digits(s, at, i ? 2 : 4, &part[i]))
			return -EBADMSG;
	text = arena_printf(a, "%04u-%02u-%02uT%02u:%02u:%02uZ", part[0], part[1], part[2], part[3], part[4], part[5]);
	return text.n && time_parse(text, ret) == 0 ? 0 : -EBADMSG;
}

static int read_artifactory(struct str line, struct arena *a, struct access_line *ret)
{
	struct str field[11] = {{0}}, rest = line;
	size_t n = 0;
	bool six;

	while (n < 11 && str_split(&rest, '|', &field[n]))
		n++;
	six = n >= 9 && str_eq(field[2], STR("REQUEST"));
	if (n < 7)
		return -EBADMSG;
	ret->client = field[six ? 3 : 2];
	ret->user = somebody(field[six ? 4 : 3]);
	if (six && str_starts(ret->user, STR("non_authenticated")))
		ret->user = STR("");
	ret->method = field[six ? 5 : 4];
	ret->path = path_of(field[six ? 6 : 5]);
	ret->agent = six || n < 11 ? STR("") : field[10];
	if (read_status(field[six ? 8 : 6], &ret->status) < 0 || !ret->path.n || !ret->method.n)
		return -EBADMSG;
	return six ? read_packed_time(field[0], a, &ret->time) : time_parse(field[0], &ret->time) < 0 ? -EBADMSG : 0;
}

/* ---- verdaccio ---- */

static void read_json_request(struct json_reader *r, struct arena *a, struct access_line *ret)
{
	struct str key;

	if (json_peek(r) != JSON_OBJECT) {
		json_skip(r, NULL);
		return;
	}
	json_enter_object(r);
	while (json_next_member(r, &key)) {
		if (json_raw_equals(key, STR("method")) && json_peek(r) == JSON_STRING)
			json_string_decoded(r, a, &ret->method);
		else if (json_raw_equals(key, STR("url")) && json_peek(r) == JSON_STRING)
			json_string_decoded(r, a, &ret->path);
		else
			json_skip(r, NULL);
	}
}

/* Milliseconds since 1970, or a text. */
static void read_json_time(struct json_reader *r, struct arena *a, struct access_line *ret)
{
	struct str text;
	int64_t ms;

	if (json_peek(r) == JSON_NUMBER) {
		json_int(r, &ms);
		ret->time = ms > 0 && ms < INT64_MAX / 1000 ? ms * 1000 : 0;
	} else if (json_peek(r) == JSON_STRING) {
		json_string_decoded(r, a, &text);
		if (time_parse(text, &ret->time) < 0)
			ret->time = 0;
	} else {
		json_skip(r, NULL);
	}
}

static int read_verdaccio_json(struct str line, struct arena *a, struct access_line *ret)
{
	struct json_reader r;
	struct err err;
	struct str key;
	int64_t status = 0;

	json_init(&r, line);
	json_enter_object(&r);
	while (json_next_member(&r, &key)) {
		if (json_raw_equals(key, STR("request")) || json_raw_equals(key, STR("req")))
			read_json_request(&r, a, ret);
		else if (json_raw_equals(key, STR("time")))
			read_json_time(&r, a, ret);
		else if (json_raw_equals(key, STR("user")) && json_peek(&r) == JSON_STRING)
			json_string_decoded(&r, a, &ret->user);
		else if (json_raw_equals(key, STR("remoteIP")) && json_peek(&r) == JSON_STRING)
			json_string_decoded(&r, a, &ret->client);
		else if (json_raw_equals(key, STR("status")) && json_peek(&r) == JSON_NUMBER)
			json_int(&r, &status);
		else
			json_skip(&r, NULL);
	}
	if (json_finish(&r, &err) < 0)
		return -EBADMSG;
	/* A request has one line when it comes and one when it is answered. */
	if (!ret->path.n || !ret->method.n || status < 100 || status > 999)
		return -ENOENT;
	ret->status = (int)status;
	ret->user = somebody(ret->user);
	ret->path = path_of(ret->path);
	return 0;
}

/* Colours of terminals go: ESC [ … letter. */
static struct str without_colours(struct str line, struct arena *a)
{
	char *copy, *to;

	if (str_chr(line, '\x1b') < 0)
		return line;
	copy = to = arena_alloc(a, line.n + 1);
	for (size_t i = 0; copy && i < line.n; i++) {
		if (line.p[i] != '\x1b') {
			*to++ = line.p[i];
			continue;
		}
		while (i < line.n && !((line.p[i] >= 'a' && line.p[i] <= 'z') || (line.p[i] >= 'A' && line.p[i] <= 'Z')))
			i++;
	}
	return copy ? (struct str){copy, (size_t)(to - copy)} : STR("");
}

/* A time in front, "[2026-11-23T10:12:01.123Z]" or without brackets, if there is one. */
static usec time_in_front(struct str line)
{
	usec time = 0;

	for (size_t i = 0; i + 20 <= line.n && i < 40; i++) {
		size_t n = 0;

		if (line.p[i] < '0' || line.p[i] > '9')
			continue;
		while (i + n < line.n && line.p[i + n] != ' ' && line.p[i + n] != ']')
			n++;
		return time_parse((struct str){line.p + i, n}, &time) == 0 ? time : 0;
	}
	return 0;
}

static int read_verdaccio_text(struct str line, struct arena *a, struct access_line *ret)
{
	struct str text = without_colours(line, a), rest, user, request;
	ptrdiff_t at = str_find(text, STR(", user: ")), open;

	if (at < 3)
		return -ENOENT;
	if (read_status(str_skip(str_take(text, (size_t)at), (size_t)at - 3), &ret->status) < 0)
		return -EBADMSG;
	ret->time = time_in_front(text);
	rest = str_skip(text, (size_t)at + 8);
	at = str_find(rest, STR(", req: '"));
	if (at < 0)
		return -EBADMSG;
	user = str_take(rest, (size_t)at);
	rest = str_skip(rest, (size_t)at + 8);
	if (!cut(&rest, '\'', &request))
		return -EBADMSG;
	open = str_rchr(user, '(');
	if (open >= 0 && str_ends(user, STR(")"))) {
		ret->client = str_skip(str_take(user, user.n - 1), (size_t)open + 1);
		/* "jo(10.0.0.1 via 10.0.0.2)" behind a proxy */
		at = str_find(ret->client, STR(" via "));
		ret->client = at < 0 ? ret->client : str_take(ret->client, (size_t)at);
		user = str_take(user, (size_t)open);
	}
	ret->user = somebody(user);
	return read_request(request, ret);
}

/* ---- any ---- */

static enum access_format guess(struct str line)
{
	if (str_starts(line, STR("{")) || str_find(line, STR(", req: '")) >= 0)
		return ACCESS_VERDACCIO;
	if (str_find(line, STR(" [")) >= 0 && str_find(line, STR("] \"")) >= 0)
		return ACCESS_NEXUS;
	return str_chr(line, '|') >= 0 ? ACCESS_ARTIFACTORY : ACCESS_AUTO;
}

int access_log_line(enum access_format format, struct str line, struct arena *a, struct access_line *ret)
{
	*ret = (struct access_line){0};
	line = str_trim(line);
	if (line.n == 0)
		return -ENOENT;
	if (line.n > LIMIT_LINE)
		return -EBADMSG;
	if (format == ACCESS_AUTO)
		format = guess(line);
	switch (format) {
	case ACCESS_NEXUS:
		return read_nexus(line, a, ret);
	case ACCESS_ARTIFACTORY:
		return read_artifactory(line, a, ret);
	case ACCESS_VERDACCIO:
		return str_starts(line, STR("{")) ? read_verdaccio_json(line, a, ret) : read_verdaccio_text(line, a, ret);
	default:
		return -EBADMSG;
	}
}

/* ---- artifacts ---- */

static struct str decode_percent(struct str s, struct arena *a)
{
	char *copy = arena_alloc(a, s.n + 1), *to = copy;

	for (size_t i = 0; copy && i < s.n; i++) {
		unsigned char byte;

		if (s.p[i] == '%' && i + 2 < s.n && hex_decode((struct str){s.p + i + 1, 2}, &byte, 1) == 0) {
			*to++ = (char)byte;
			i += 2;
		} else {
			*to++ = s.p[i];
		}
	}
	return copy ? (struct str){copy, (size_t)(to - copy)} : STR("");
}

static struct str last_segment(struct str path)
{
	ptrdiff_t slash = str_rchr(path, '/');

	return slash < 0 ? path : str_skip(path, (size_t)slash + 1);
}

static bool plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	return s.n != 0;
}

/* …/@scope/name/-/name-1.2.3.tgz; Verdaccio and others also have …/@scope/name/-/@scope/name-1.2.3.tgz. */
static int npm_artifact(struct str path, struct purl *ret)
{
	ptrdiff_t dash = str_find(path, STR("/-/"));
	struct str before, file, name;
	ptrdiff_t slash;

	if (dash < 0 || !str_ends(path, STR(".tgz")))
		return -ENOENT;
	before = str_take(path, (size_t)dash);
	file = last_segment(str_take(path, path.n - 4));
	name = last_segment(before);
	/* The file begins with the name without its scope. */
	if (!name.n || file.n < name.n + 2 || !str_starts(file, name) || file.p[name.n] != '-')
		return -ENOENT;
	ret->version = str_skip(file, name.n + 1);
	ret->name = name;
	before = str_take(before, before.n - name.n);
	before = str_take(before, before.n ? before.n - 1 : 0);
	slash = str_rchr(before, '/');
	before = str_skip(before, (size_t)(slash + 1));
	if (str_starts(before, STR("@")))
		ret->name = str_range(before.p, name.p + name.n);
	ret->ecosystem = ECOSYSTEM_NPM;
	return plain(ret->name) && plain(ret->version) && ret->version.p[0] >= '0' && ret->version.p[0] <= '9' ? 0 : -ENOENT;
}

/* …/ID/VERSION/ID.VERSION.nupkg */
static int nuget_artifact(struct str path, struct purl *ret)
{
	struct str file, version, id, rest;

	if (!str_ends(path, STR(".nupkg")))
		return -ENOENT;
	file = last_segment(str_take(path, path.n - 6));
	rest = str_take(path, path.n - 6 - file.n);
	version = last_segment(str_take(rest, rest.n ? rest.n - 1 : 0));
	rest = str_take(rest, rest.n ? rest.n - 1 - version.n : 0);
	id = last_segment(str_take(rest, rest.n ? rest.n - 1 : 0));
	if (!id.n || !version.n || file.n != id.n + 1 + version.n || !str_starts_nocase(file, id) || file.p[id.n] != '.')
		return -ENOENT;
	ret->ecosystem = ECOSYSTEM_NUGET;
	ret->name = id;
	ret->version = version;
	return plain(id) && plain(version) ? 0 : -ENOENT;
}

int access_log_artifact(struct str path, struct arena *a, struct purl *ret)
{
	*ret = (struct purl){0};
	path = decode_percent(path, a);
	return npm_artifact(path, ret) == 0 ? 0 : nuget_artifact(path, ret);
}
