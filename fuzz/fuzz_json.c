/* Any bytes: skipping and reading piece by piece must agree on what is JSON; what the writer makes of it must be JSON again,
 * and writing that a second time must change nothing. Bytes as a plain string must survive writing and reading. */
#include "../tests/unit/json_rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void string_round_trip(struct str text)
{
	CLEANUP_BUF struct buf once = BUF(256 * MIB), twice = BUF(256 * MIB);
	CLEANUP_ARENA struct arena *a = arena_new(256 * MIB);
	struct json_writer w;
	struct json_reader r;
	struct str decoded;

	jw_init(&w, &once);
	jw_str(&w, text);
	json_init(&r, buf_str(&once));
	json_string_decoded(&r, a, &decoded);
	require(json_finish(&r, NULL) == 0);
	jw_init(&w, &twice);
	jw_str(&w, decoded);
	require(str_eq(buf_str(&once), buf_str(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_BUF struct buf once = BUF(256 * MIB), twice = BUF(256 * MIB);
	struct str text = {(const char *)data, size};
	bool duplicates, again;
	int r = rewrite(text, &once, &duplicates, NULL);

	require(skip_all(text, NULL) == r);
	string_round_trip(text);
	if (r < 0)
		return 0;
	require(rewrite(buf_str(&once), &twice, &again, NULL) == 0);
	require(again == duplicates && str_eq(buf_str(&once), buf_str(&twice)));
	return 0;
}
