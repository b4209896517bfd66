/* Package URLs: what was read is written so that it reads the same. */
#include <stdint.h>
#include <stdlib.h>

#include "codec/purl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_ARENA struct arena *a = arena_new(1 << 20);
	struct str text = {(const char *)data, size}, written;
	struct purl p, again;
	struct err err = {0};

	if (!a || purl_parse(a, text, &p, &err) < 0)
		return 0;
	written = purl_format(a, p.ecosystem, p.name, p.version);
	if (!written.p)
		return 0;
	if (purl_parse(a, written, &again, &err) < 0 || again.ecosystem != p.ecosystem || !str_eq(again.name, p.name) ||
	    !str_eq(again.version, p.version))
		abort();
	return 0;
}
