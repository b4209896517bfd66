/* Runs fetches from the command line and prints what happens as JSON lines, so that the tests in test_fetch.py can be
 * written against a hostile server. One fetch after the other on one fetcher: "--" between two; options stay for the next.
 *
 *   fetch_driver origin=URL [listed=HOST]… [key=value]… url=URL -- url=URL …
 *
 * Lines: {"event":"head",…}, {"event":"data","bytes":n} (with show=1), {"event":"done",…}. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "gate/upstream.h"

enum { LISTED_MAX = 16, HEADERS_MAX = 16 };

struct driver {
	struct loop *loop;
	struct fetcher *fetcher;
	struct fetching *fetching;
	struct fetcher_limits limits;
	struct str listed[LISTED_MAX], headers[HEADERS_MAX];
	struct fetch_hosts hosts;
	struct fetch fetch;
	uint64_t cancel_at, pause_every, since_pause, seen, parallel, running;
	uint32_t sum; /* of all bytes, so that a test sees that none is lost or doubled */
	bool cancel_in_head, free_in_data, pause_forever, show, done;
	int argc;
	char **argv;
	int next;
};

static void print_text(const char *key, struct str value)
{
	printf(",\"%s\":\"", key);
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if (c == '"' || c == '\\' || c < 0x20 || c > 0x7e)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static int on_head(void *arg, const struct fetch_head *head)
{
	struct driver *d = arg;

	printf("{\"event\":\"head\",\"status\":%d,\"content_length\":%lld", head->status, (long long)head->content_length);
	print_text("etag", head->etag);
	print_text("last_modified", head->last_modified);
	print_text("content_type", head->content_type);
	print_text("reason", head->reason);
	printf("}\n");
	if (d->cancel_in_head)
		fetch_cancel(d->fetching);
	return 0;
}

static void resume(void *arg)
{
	struct driver *d = arg;

	if (!d->done)
		fetch_resume(d->fetching);
}

static int on_data(void *arg, const void *bytes, size_t n)
{
	struct driver *d = arg;

	for (size_t i = 0; i < n; i++)
		d->sum = d->sum * 31 + ((const unsigned char *)bytes)[i];
	d->seen += n;
	d->since_pause += n;
	if (d->show)
		printf("{\"event\":\"data\",\"bytes\":%zu}\n", n);
	if (d->free_in_data) {
		struct fetcher *f = d->fetcher;

		d->fetcher = NULL;
		fetcher_free(f);
		return 0;
	}
	if (d->cancel_at && d->seen >= d->cancel_at) {
		fetch_cancel(d->fetching);
		return 0;
	}
	if (d->pause_every && d->since_pause >= d->pause_every) {
		d->since_pause = 0;
		if (!d->pause_forever)
			loop_after(d->loop, 200, resume, d);
		return FETCH_PAUSE;
	}
	return 0;
}

static void start_next(void *arg);

static void on_done(void *arg, const struct fetch_result *result)
{
	struct driver *d = arg;

	printf("{\"event\":\"done\",\"code\":%d,\"status\":%d,\"bytes\":%llu,\"sum\":%u", result->code, result->status,
	       (unsigned long long)result->bytes, d->sum);
	if (result->code < 0) {
		print_text("error", str_of(err_name(result->code)));
		print_text("text", str_of(result->err.text));
	}
	printf("}\n");
	if (--d->running > 0)
		return;
	d->done = true;
	if (d->fetcher)
		start_next(d);
}

static bool starts(const char *argument, const char *key, struct str *ret_value)
{
	struct str a = str_of(argument), k = str_of(key);

	if (!str_starts(a, k) || a.n <= k.n || a.p[k.n] != '=')
		return false;
	*ret_value = str_skip(a, k.n + 1);
	return true;
}

static uint64_t number(struct str text)
{
	uint64_t value = 0;

	if (str_to_u64(text, &value) < 0) {
		fprintf(stderr, "fetch_driver: '%.*s' is no number\n", STR_ARG(text));
		exit(2);
	}
	return value;
}

static bool take_text(struct driver *d, const char *argument)
{
	const struct {
		const char *key;
		struct str *to;
	} texts[] = {
		{"origin", &d->hosts.url},         {"url", &d->fetch.url},       {"method", &d->fetch.method},
		{"auth", &d->fetch.authorization}, {"accept", &d->fetch.accept}, {"etag", &d->fetch.if_none_match},
		{"type", &d->fetch.content_type},  {"body", &d->fetch.body},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (starts(argument, texts[i].key, texts[i].to))
			return true;
	return false;
}

static bool take_number(struct driver *d, const char *argument)
{
	struct str value;

	if (starts(argument, "max", &value))
		d->fetch.max_bytes = number(value);
	else if (starts(argument, "decode", &value))
		d->fetch.decode = number(value);
	else if (starts(argument, "cancel_at", &value))
		d->cancel_at = number(value);
	else if (starts(argument, "cancel_in_head", &value))
		d->cancel_in_head = number(value);
	else if (starts(argument, "free_in_data", &value))
		d->free_in_data = number(value);
	else if (starts(argument, "pause_every", &value))
		d->pause_every = number(value);
	else if (starts(argument, "pause_forever", &value))
		d->pause_forever = number(value);
	else if (starts(argument, "show", &value))
		d->show = number(value);
	else if (starts(argument, "parallel", &value))
		d->parallel = number(value);
	else
		return false;
	return true;
}

static void take_argument(struct driver *d, const char *argument)
{
	struct str value;

	if (take_text(d, argument) || take_number(d, argument))
		return;
	if (starts(argument, "ca", &value)) {
		d->fetch.ca_file = value.p;
	} else if (starts(argument, "listed", &value) && d->hosts.listed_count < LISTED_MAX) {
		d->listed[d->hosts.listed_count++] = value;
	} else if (starts(argument, "header", &value) && d->fetch.header_count < HEADERS_MAX) {
		d->headers[d->fetch.header_count++] = value;
	} else {
		fprintf(stderr, "fetch_driver: what is '%s'?\n", argument);
		exit(2);
	}
}

static void start_next(void *arg)
{
	struct driver *d = arg;

	if (d->next >= d->argc) {
		fetcher_free(d->fetcher);
		d->fetcher = NULL;
		return;
	}
	while (d->next < d->argc && !str_eq(str_of(d->argv[d->next]), STR("--")))
		take_argument(d, d->argv[d->next++]);
	d->next++;
	d->sum = 0;
	d->seen = d->since_pause = 0;
	d->done = false;
	d->running = d->parallel;
	for (uint64_t i = 0; i < d->parallel; i++)
		d->fetching = fetch_start(d->fetcher, &d->fetch);
}

/* The limits are the fetcher's, so they are taken from the environment: CONNECT, STALL, TOTAL in ms, REDIRECTS, PER_HOST. */
static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? number(str_of(text)) : otherwise;
}

int main(int argc, char **argv)
{
	struct driver d = {.argc = argc, .argv = argv, .next = 1, .parallel = 1, .limits = fetcher_default_limits()};
	struct err err;

	d.limits.connect_timeout = (usec)from_environment("CONNECT", 2000) * 1000;
	d.limits.stall_timeout = (usec)from_environment("STALL", 2000) * 1000;
	d.limits.total_timeout = (usec)from_environment("TOTAL", 20000) * 1000;
	d.limits.redirects = (unsigned)from_environment("REDIRECTS", 5);
	d.limits.per_host = (unsigned)from_environment("PER_HOST", 64);
	d.hosts.listed = d.listed;
	d.fetch = (struct fetch){.method = STR("GET"), .hosts = &d.hosts, .headers = d.headers, .max_bytes = 64 * MIB,
	                         .on_head = on_head, .on_data = on_data, .on_done = on_done, .arg = &d};
	if (loop_new(&d.loop, &err) < 0 || fetcher_new(d.loop, &d.limits, "1.1 bondgate-test", &d.fetcher, &err) < 0) {
		fprintf(stderr, "fetch_driver: %s\n", err.text);
		return 3;
	}
	loop_post(d.loop, start_next, &d);
	loop_run(d.loop);
	fetcher_free(d.fetcher);
	loop_run(d.loop);
	loop_free(d.loop);
	return 0;
}
