/* A VEX document from a stranger: whatever it says, reading it ends. */
#include "advisory/advisory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct advisories *a = advisories_empty();
	size_t statements, skipped;
	struct err err = {0};

	if (a)
		advisories_add_vex(a, (struct str){(const char *)data, size}, "vex", &statements, &skipped, &err);
	advisories_unref(a);
	return 0;
}
