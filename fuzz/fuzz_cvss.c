/* A vector from a stranger: its score is a score or a refusal, and the same however often it is asked for. */
#include <stdlib.h>

#include "advisory/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str vector = {(const char *)data, size};
	int score = cvss_score(vector);

	if (score != -EINVAL && (score < 0 || score > 100))
		abort();
	if (cvss_score(vector) != score)
		abort();
	return 0;
}
