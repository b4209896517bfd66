/* An OSV record from a stranger: whatever it says, reading it ends, and what was read can be asked for. */
#include "advisory/advisory.h"
#include "advisory/internal.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(struct advisories *a, enum ecosystem e, struct str name)
{
	static const struct str versions[] = {STR("1.0.0"), STR("0.0.0-rc.1"), STR("99.0"), STR("no version")};
	CLEANUP_ARENA struct arena *out = arena_new(MIB);
	struct advisory *found;

	for (size_t i = 0; out && i < 4; i++)
		advisories_match(a, e, name, versions[i], 0, out, &found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct advisories *a = advisories_empty();
	struct problem problem;
	size_t position = 0;
	struct str name;

	if (!a)
		return 0;
	osv_read(a, (struct str){(const char *)data, size}, NULL, NULL, &problem);
	while (map_next(&a->packages[ECOSYSTEM_NPM], &position, &name, NULL))
		ask(a, ECOSYSTEM_NPM, name);
	for (position = 0; map_next(&a->packages[ECOSYSTEM_NUGET], &position, &name, NULL);)
		ask(a, ECOSYSTEM_NUGET, name);
	advisories_unref(a);
	return 0;
}
