/* An index made to harm: its checksums are put right here, as a stranger could, and then everything in it is asked for. */
#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "advisory/feed.h"
#include "advisory/mapped.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ENTRIES = 200, ASKED = 20 };

struct look {
	const struct advisories *all;
	size_t entries;
};

static void ask(const struct advisories *all, enum ecosystem e, struct str name)
{
	static const struct str versions[] = {STR("1.0.0"), STR("0.0.0-rc.1"), STR("99.0"), STR("no version")};

	for (size_t i = 0; i < 4; i++) {
		CLEANUP_ARENA struct arena *out = arena_new(MIB);
		struct advisory *found;

		if (out)
			advisories_match(all, e, name, versions[i], 0, out, &found);
	}
}

static int look(void *arg, const struct advisories_entry *e)
{
	struct look *l = arg;

	for (size_t i = 0; i < e->package_count && i < ASKED; i++)
		ask(l->all, e->packages[i].ecosystem, e->packages[i].name);
	return ++l->entries == ENTRIES;
}

/* False when there is nothing to put right. */
static bool seal(char *bytes, size_t size)
{
	struct mapped_head *h = (void *)bytes;
	uint64_t blocks, *sums = (void *)(bytes + sizeof(*h));

	if (size < sizeof(*h))
		return false;
	memcpy(h->magic, MAPPED_MAGIC, sizeof(h->magic));
	h->version = MAPPED_VERSION;
	h->block = MAPPED_BLOCK;
	h->file_bytes = size;
	blocks = h->data <= size ? (size - h->data + MAPPED_BLOCK - 1) / MAPPED_BLOCK : 0;
	if (h->data < sizeof(*h) || h->data > size || blocks > (h->data - sizeof(*h)) / sizeof(*sums))
		return false;
	for (uint64_t i = 0; i < blocks; i++) {
		uint64_t at = h->data + i * MAPPED_BLOCK;

		sums[i] = XXH3_64bits(bytes + at, size - at < MAPPED_BLOCK ? size - at : MAPPED_BLOCK);
	}
	h->sums_sum = XXH3_64bits(sums, blocks * sizeof(*sums));
	h->head_sum = XXH3_64bits(h, offsetof(struct mapped_head, head_sum));
	return true;
}

static void read_all(const char *bytes, size_t size)
{
	CLEANUP_ARENA struct arena *a = arena_new(MIB);
	struct advisories *all = advisories_empty();
	struct advisories_status status;
	struct look l = {.all = all};
	struct mapped *m;

	if (all && a && mapped_over((struct str){bytes, size}, "fuzz", &m, NULL) == 0) {
		mapped_push(&all->mapped, m);
		advisories_verify(all, NULL);
		advisories_status(all, a, &status, NULL);
		advisories_each(all, look, &l, NULL);
		ask(all, ECOSYSTEM_NPM, STR("lab-a"));
		ask(all, ECOSYSTEM_NUGET, STR("Lab.A"));
	}
	advisories_unref(all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = malloc(size ? size : 1);

	if (!bytes)
		return 0;
	memcpy(bytes, data, size);
	read_all(bytes, size);
	if (seal(bytes, size))
		read_all(bytes, size);
	free(bytes);
	return 0;
}
