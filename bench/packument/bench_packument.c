/* Medians of building, opening and rendering one packument: bench_packument FILE NAME ROUNDS. CPU time of this process.
 * Output: one line of name=value pairs, which run.py reads. */
#include <time.h>

#include "base/file.h"
#include "base/limits.h"
#include "registry/npm/render.h"

enum { ROUNDS_MAX = 1000 };

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), by_value);
	return values[count / 2];
}

static void collect(void *arg, const void *bytes, size_t n)
{
	buf_add(arg, bytes, n);
}

static void count_bytes(void *arg, const void *bytes, size_t n)
{
	(void)bytes;
	*(size_t *)arg += n;
}

static double measure_build(struct buf *file, struct str name, size_t rounds, struct buf *document)
{
	double times[ROUNDS_MAX];

	for (size_t i = 0; i < rounds; i++) {
		CLEANUP_ARENA struct arena *a = arena_new(GIB);
		CLEANUP_BUF struct buf tail = BUF(GIB);
		struct seen_package seen = {0};
		struct npm_build input = {.name = name, .now = time_now(), .seen = &seen};
		char header[NPM_DOCUMENT_HEADER];
		struct npm_changes changes;
		struct err err;
		double from = cpu_ms();

		if (npm_packument_build(buf_str(file), &input, a, &tail, header, &changes, &err) < 0) {
			fprintf(stderr, "%s\n", err.text);
			exit(1);
		}
		times[i] = cpu_ms() - from;
		if (i > 0)
			continue;
		for (size_t n = 0; n < changes.note_count; n++)
			fprintf(stderr, "note: %.*s\n", STR_ARG(changes.notes[n]));
		buf_add(document, header, sizeof(header));
		buf_add_str(document, str_skip(buf_str(file), NPM_DOCUMENT_HEADER));
		buf_add_str(document, buf_str(&tail));
	}
	return median(times, rounds);
}

static double measure_open(struct buf *document, size_t rounds)
{
	double times[ROUNDS_MAX];

	for (size_t i = 0; i < rounds; i++) {
		struct npm_packument *p = NULL;
		double from = cpu_ms();

		if (npm_packument_open(buf_str(document), &p, NULL) < 0)
			exit(1);
		times[i] = cpu_ms() - from;
		npm_packument_free(p);
	}
	return median(times, rounds);
}

/* Every second version is hidden; `copied`: into a buffer, else only counted, as a gate that sends slices would. */
static double measure_render(const struct npm_packument *p, const struct npm_form *form, bool copied, size_t rounds, size_t *ret_bytes)
{
	size_t count = npm_packument_version_count(p);
	CLEANUP_FREE bool *shown = calloc(count + 1, sizeof(bool));
	CLEANUP_BUF struct buf out = BUF(GIB);
	double times[ROUNDS_MAX];

	for (size_t i = 0; i < count; i++)
		shown[i] = i % 2 == 0;
	for (size_t i = 0; i < rounds; i++) {
		CLEANUP_ARENA struct arena *a = arena_new(64 * MIB);
		struct npm_cut cut = {.shown = shown, .now = time_now(), .message = STR("held")};
		struct npm_sink sink = {copied ? collect : count_bytes, copied ? (void *)&out : (void *)ret_bytes};
		double from = cpu_ms();

		*ret_bytes = 0;
		buf_clear(&out);
		npm_render_packument(p, &cut, form, a, &sink);
		times[i] = cpu_ms() - from;
		if (copied)
			*ret_bytes = out.n;
	}
	return median(times, rounds);
}

int main(int argc, char **argv)
{
	CLEANUP_BUF struct buf file = BUF(GIB), document = BUF(2 * GIB);
	struct npm_form full = {.base = STR("http://gate.example:4873/npm/")}, abbreviated = full;
	struct npm_packument *p;
	uint64_t rounds = 0;
	struct err err;
	size_t bytes;

	if (argc != 4 || str_to_u64(str_of(argv[3]), &rounds) < 0 || rounds == 0 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: %s FILE NAME ROUNDS\n", argv[0]);
		return 2;
	}
	memset(buf_reserve(&file, NPM_DOCUMENT_HEADER), 0, NPM_DOCUMENT_HEADER);
	file.n = NPM_DOCUMENT_HEADER;
	if (file_read(argv[1], &file, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	abbreviated.abbreviated = true;
	printf("bytes=%zu build_ms=%.3f ", file.n - NPM_DOCUMENT_HEADER, measure_build(&file, str_of(argv[2]), rounds, &document));
	printf("open_ms=%.3f document_bytes=%zu ", measure_open(&document, rounds), document.n);
	if (npm_packument_open(buf_str(&document), &p, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	printf("versions=%zu ", npm_packument_version_count(p));
	printf("full_ms=%.3f ", measure_render(p, &full, true, rounds, &bytes));
	printf("full_bytes=%zu ", bytes);
	printf("full_slices_ms=%.3f ", measure_render(p, &full, false, rounds, &bytes));
	printf("abbreviated_ms=%.3f ", measure_render(p, &abbreviated, true, rounds, &bytes));
	printf("abbreviated_bytes=%zu\n", bytes);
	npm_packument_free(p);
	return 0;
}
