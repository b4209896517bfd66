/* How fast a document is read, on one processor: prints one line a round, "NAME MEGABYTES-PER-SECOND" for each way, by
 * CPU time, so that neighbours on the machine count little. run.py makes medians of it and sets Python beside it. */
#include <stdio.h>
#include <time.h>

#include "base/file.h"
#include "codec/json.h"

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Validates everything in one call. */
static int skip(struct str text, struct buf *out)
{
	struct json_reader r;

	(void)out;
	json_init(&r, text);
	json_skip(&r, NULL);
	return json_finish(&r, NULL);
}

/* What the gate does to a packument: every second member of each member that is an object goes into the copy, and no key
 * may come twice. */
static int filter(struct str text, struct buf *out)
{
	struct json_keys *keys = json_keys_new(), *inner = json_keys_new();
	struct json_reader r;
	struct json_writer w;
	struct str raw, slice;

	json_init(&r, text);
	jw_init(&w, out);
	json_enter_object(&r);
	jw_object(&w);
	while (json_next_member(&r, &raw)) {
		if (json_keys_seen(keys, raw))
			json_fail(&r, "a key comes twice");
		jw_key_raw(&w, raw);
		if (json_peek(&r) != JSON_OBJECT) {
			json_skip(&r, &slice);
			jw_raw(&w, slice);
			continue;
		}
		json_enter_object(&r);
		jw_object(&w);
		json_keys_clear(inner);
		for (unsigned i = 0; json_next_member(&r, &raw); i++) {
			if (json_keys_seen(inner, raw))
				json_fail(&r, "a key comes twice");
			json_skip(&r, &slice);
			if (i % 2)
				continue;
			jw_key_raw(&w, raw);
			jw_raw(&w, slice);
		}
		jw_object_end(&w);
	}
	jw_object_end(&w);
	json_keys_free(keys);
	json_keys_free(inner);
	return json_finish(&r, NULL);
}

static const struct {
	const char *name;
	int (*run)(struct str text, struct buf *out);
} ways[] = {{"json_skip", skip}, {"filter and copy", filter}};

int main(int argc, char **argv)
{
	CLEANUP_BUF struct buf out = BUF(LIMIT_PACKUMENT_BYTES);
	size_t repeat;
	struct str text;
	struct err err;

	if (argc != 2 || file_map(argv[1], &text, &err) < 0) {
		fprintf(stderr, "%s\n", argc == 2 ? err.text : "usage: json_bench FILE.json");
		return 2;
	}
	repeat = 1 + 16 * MIB / (text.n + 1);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		double begin = cpu_seconds();

		for (size_t k = 0; k < repeat; k++) {
			buf_clear(&out);
			if (ways[i].run(text, &out) < 0 || out.error) {
				fprintf(stderr, "%s is not accepted\n", argv[1]);
				return 1;
			}
		}
		printf("%s\t%.1f\n", ways[i].name, (double)(text.n * repeat) / (cpu_seconds() - begin) / 1e6);
	}
	return 0;
}
