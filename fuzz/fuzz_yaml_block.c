/* Any bytes: what the fast YAML reader takes, libyaml reads in the same way. */
#include <stdlib.h>

#include "../tests/unit/yaml_compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (yaml_compare((struct str){(const char *)data, size}) < 0)
		abort();
	return 0;
}
